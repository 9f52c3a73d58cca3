"""The driver by hand: the suite shows a step, a person does it in the product, the suite sees the traffic and goes on.

The same class serves the terminal and the web face: both hand over a function that shows a card and waits for a reply.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from offcampus_conformance.drivers.contract import DONE, NOT_OFFERED, REFUSED, TROUBLE, Card, Description, Outcome
from offcampus_conformance.record import EvidenceClass

MACHINE_ONLY = frozenset({"observe", "work", "new_key"})
"""Steps that no person can do in a product by looking at a card: what rests on them is left out, and said so."""


class Reply(StrEnum):
    """What a person says of a step."""

    DONE = "done"
    REFUSED = "refused"
    CANNOT = "cannot"
    FAILED = "failed"


STATUSES = {Reply.DONE: DONE, Reply.REFUSED: REFUSED, Reply.CANNOT: NOT_OFFERED, Reply.FAILED: TROUBLE}
Show = Callable[[Card], Reply]


@dataclass
class ByHandDriver:
    """Shows each card by `show` and takes the reply as the outcome."""

    show: Show
    evidence: EvidenceClass = "by_hand"

    def describe(self) -> Description:
        """Anything may be tried; nobody turns the clock of a product by hand."""
        return Description(None, follows_clock=False)

    def act(self, card: Card) -> Outcome:
        """Show the card, wait."""
        if card.action in MACHINE_ONLY:
            return Outcome(NOT_OFFERED, {"error": f"{card.action} is not done by hand"})
        return Outcome(STATUSES[self.show(card)])

    def close(self) -> None:
        """Nothing is held."""


def card_text(card: Card) -> str:
    """A card for the terminal, in both languages."""
    lines = [
        f"── {card.step} " + "─" * max(4, 70 - len(card.step)),
        f"  {card.title_zh}",
        f"  {card.title_en}",
        f"  业务时间 / business time: {card.at}",
    ]
    if card.given:
        shown = json.dumps(card.given, ensure_ascii=False, indent=2)
        lines += ["  请在贵方产品中录入 / enter in your product:", *(f"    {line}" for line in shown.splitlines())]
    if card.arrives:
        lines.append(f"  等待 / waiting for: {', '.join(card.arrives)}")
    return "\n".join(lines)


def terminal(say: Callable[[str], None] = print, ask: Callable[[str], str] = input) -> Show:
    """Cards on the terminal: Enter when it is done, or one of three letters."""
    replies = {"": Reply.DONE, "d": Reply.DONE, "r": Reply.REFUSED, "s": Reply.CANNOT, "f": Reply.FAILED}

    def show(card: Card) -> Reply:
        say(card_text(card))
        while True:
            said = ask("  [Enter] 已完成 done · r 系统拒绝 refused · s 不支持 skip · f 出错 failed > ").strip().lower()
            if said in replies:
                return replies[said]

    return show
