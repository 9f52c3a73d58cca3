"""A bank's first afternoon: one round of everything that a fund-supervision bank does, safe to repeat at any moment.

Run: python connect_as_a_bank.py https://platform.example pty_… bank.json
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from offcampus_sdk import Client, Key, models
from offcampus_sdk.errors import Conflict

Move = Callable[[models.CustodyInstructionResource], str]
"""The bank's own system: moves the money of an instruction at most once, by its id, and gives the bank's reference."""


def carry_out(client: Client, instruction: models.CustodyInstructionResource, move: Move, now: str) -> str:
    """Accept, move, report. A lost answer is no reason to move again: the next round finds the instruction as it is."""
    if instruction.kind == "balance":
        return "submit a balance that names this instruction"
    try:
        client.custody_instructions.accept(instruction.id, key=f"accept-{instruction.id}")
    except Conflict as refused:
        if refused.code != "custody.frozen":
            raise
        failure = models.InstructionFailure(code="account_frozen", text="账户已冻结")
        client.custody_instructions.fail(instruction.id, failure, key=f"fail-{instruction.id}")
        return "failed: the account is frozen"
    reference = move(instruction)
    execution = models.InstructionExecution(bank_reference=reference, executed_at=now)
    done = client.custody_instructions.execute(instruction.id, execution, key=f"execute-{instruction.id}")
    return f"{done.state}: {reference}"


def one_round(client: Client, move: Move, tell: Callable[[str], None] = print) -> None:
    """Fetch what is issued and what was accepted before a crash, carry it out, show what the bank has to explain."""
    now = datetime.now(ZoneInfo("Asia/Shanghai")).isoformat(timespec="seconds")
    for state in ("issued", "accepted"):
        for instruction in list(client.custody_instructions.list(state=state)):
            tell(f"{instruction.kind} {instruction.id}: {carry_out(client, instruction, move, now)}")
    for difference in client.differences.list(state="open", owner="bank"):
        tell(f"to explain: {difference.type} {difference.bank_reference or ''}")


def main(base_url: str, client_id: str, key_file: str) -> int:
    """Moves nothing: it says what it would move. Put your own system's call in the place of `move`."""
    with Client(base_url, client_id, Key.load(Path(key_file))) as client:
        for instruction in client.custody_instructions.list(state="issued"):
            print(f"would move {instruction.amount_fen} fen for {instruction.kind} {instruction.id}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
