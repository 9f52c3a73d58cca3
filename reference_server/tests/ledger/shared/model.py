"""An order's money, told in forty lines without a database: what every sum must be after every step."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Model:
    """Prices and sums in fen, hours in lessons of two class hours."""

    price: int
    lessons: int
    paid: int = 0
    released: int = 0
    refunded: int = 0
    reported: int = 0
    confirmed: int = 0
    held: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What a bank is asked to move, by instruction: kind and sum."""
    doubtful: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What a bank has reported as failed, and may have moved for all that anybody knows: held as before."""
    failed: int = 0
    """What a bank failed to refund for certain and will be asked for again."""

    def pending(self, kind: str) -> int:
        return sum(fen for of, fen in (*self.held.values(), *self.doubtful.values()) if of == kind)

    @property
    def escrow(self) -> int:
        return self.paid - self.released - self.refunded - self.pending("release") - self.pending("refund")

    def earned(self, lessons: int) -> int:
        return self.price * lessons // self.lessons

    def release_due(self) -> int:
        due = self.earned(self.confirmed) - self.released - self.pending("release")
        return max(min(due, self.escrow), 0)

    def refund_due(self) -> int:
        owed = self.paid - self.earned(self.reported) - self.refunded - self.pending("refund") - self.failed
        return max(min(owed, self.escrow), 0)

    def moved(self, instruction: str) -> None:
        kind, fen = self.held.pop(instruction)
        self.released += fen if kind == "release" else 0
        self.refunded += fen if kind == "refund" else 0

    def bounced(self, instruction: str) -> None:
        self.doubtful[instruction] = self.held.pop(instruction)

    def day_closed(self) -> bool:
        """The bank's day shows that nothing moved; says whether a release is free again."""
        ended, self.doubtful = list(self.doubtful.values()), {}
        self.failed += sum(fen for kind, fen in ended if kind == "refund")
        return any(kind == "release" for kind, _ in ended)

    def sums(self) -> dict[str, int]:
        return {
            "paid": self.paid, "released": self.released, "refunded": self.refunded, "escrow": self.escrow,
            "pending_release": self.pending("release"), "pending_refund": self.pending("refund"),
        }  # fmt: skip
