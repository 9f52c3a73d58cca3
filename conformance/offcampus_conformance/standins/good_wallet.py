"""A good keeper of e-CNY wallets under contracts: it locks, releases by consumption on instruction, and unlocks.

`python -m offcampus_conformance.standins.good_wallet --platform URL --client-id ID --key-file F --state DIR --port N`

Money never is in custody: it stays in the payer's wallet, locked for one order. What it promises beside a good bank: an
order gives at most what is locked for it, and a lock is one line whatever is killed when. `lock` is a payer who agrees.
"""

from __future__ import annotations

from typing import Any

from offcampus_sdk import Key, models

from offcampus_conformance.standins import driver
from offcampus_conformance.standins.good_bank import GoodBank, work_for_ever
from offcampus_conformance.standins.good_vendor import arguments

SHAPE = "CREATE TABLE IF NOT EXISTS orders_of (named TEXT PRIMARY KEY, order_id TEXT NOT NULL) STRICT"
LOCKED = """
SELECT coalesce(sum(CASE lines.direction WHEN 'credit' THEN amount_fen ELSE -amount_fen END), 0)
FROM lines JOIN orders_of ON named = coalesce(payment_id, instruction_id) WHERE order_id = ?
"""


class GoodWallet(GoodBank):
    """The keeper's system. `payment_id` or `instruction_id` of a line says for which order it is (`orders_of`)."""

    purpose = "contract_wallet"

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.books.execute(SHAPE)

    def actions(self) -> dict[str, driver.Action]:
        """What may be asked of it at its counter."""
        return {**super().actions(), "lock": self.lock, "locked": self.locked}

    def lock(self, given: dict[str, Any]) -> Any:
        """A payer locks one part of a payment for an order; locking twice is one line."""
        with self._guard:
            self._of(given["payment_id"], given["order_id"])
            known = self.books.execute(
                "SELECT 1 FROM lines WHERE payment_id = ? AND part_no = ?", (given["payment_id"], given["part_no"])
            ).fetchone()
            if known is None:
                self._book(
                    given["account_id"], "lock", "credit", given["amount_fen"], payment_id=given["payment_id"],
                    part_no=given["part_no"],
                )  # fmt: skip
        return self.locked(given)

    def locked(self, given: dict[str, Any]) -> Any:
        """What is locked for an order."""
        return {"locked_fen": int(self.books.execute(LOCKED, (given["order_id"],)).fetchone()[0])}

    def _pay(self, instruction: models.CustodyInstructionResource) -> None:
        """Release or unlock: never more than is locked for this order, whatever others have locked."""
        assert instruction.order_id is not None
        if self._paid(instruction) is None:
            if self.locked({"order_id": instruction.order_id})["locked_fen"] < instruction.amount_fen:
                failure = models.InstructionFailure(code="insufficient_funds", text="合约余额不足")
                self.client.custody_instructions.fail(instruction.id, failure, key=f"fail-{instruction.id}")
                return
            self._of(instruction.id, instruction.order_id)
        super()._pay(instruction)

    def _of(self, named: str, order_id: str) -> None:
        self.books.execute("INSERT OR IGNORE INTO orders_of VALUES (?, ?)", (named, order_id))


def main() -> None:
    """Run it."""
    given = arguments("A good keeper of wallets under contracts")
    wallet = GoodWallet(given.platform, given.client_id, Key.load(given.key_file), given.state, given.clock_file)
    server = driver.serve(wallet.actions(), given.port)
    print(f"ready at http://127.0.0.1:{server.server_address[1]}", flush=True)
    work_for_ever(wallet)


if __name__ == "__main__":
    main()
