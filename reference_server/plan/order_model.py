"""What an order may do, told anew in pure functions: the judge of concurrent histories.

It knows money, hours and states, and when each operation must be refused; nothing of it is the server's code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from plan.linear import Event

LESSON = 200


@dataclass(frozen=True)
class Task:
    """An instruction to the bank. Its identifier is unknown until somebody acts on it."""

    kind: str
    fen: int
    state: str = "issued"
    id: str = ""
    late: bool = False
    """The bank said that it failed, and later that it did not: in doubt until two persons settle it."""


@dataclass(frozen=True)
class State:
    """An order: money in fen, hours by record, instructions, the refund."""

    total: int
    hours: int
    state: str = "awaiting_payment"
    paid: int = 0
    records: tuple[tuple[str, str], ...] = ()
    tasks: tuple[Task, ...] = ()
    refund: str = ""
    refund_fen: int = 0
    refund_version: int = 0

    def moved(self, kind: str, *states: str) -> int:
        return sum(task.fen for task in self.tasks if task.kind == kind and task.state in states)

    @property
    def gone(self) -> int:
        return sum(self.moved(kind, "issued", "accepted", "executed") for kind in ("release", "refund"))

    @property
    def escrow(self) -> int:
        return self.paid - self.gone

    def centi(self, *states: str) -> int:
        return LESSON * sum(state in states for _, state in self.records)

    @property
    def reported(self) -> int:
        return self.centi("reported", "confirmed", "disputed")

    def earned(self, centi: int) -> int:
        return self.total * min(centi, self.hours) // self.hours

    @property
    def released(self) -> int:
        """What has left, is leaving, or may have left in spite of a failure."""
        doubted = sum(
            task.fen for task in self.tasks if (task.kind, task.state, task.late) == ("release", "failed", True)
        )
        return self.moved("release", "issued", "accepted", "executed") + doubted

    @property
    def owed_back(self) -> int:
        return self.moved("refund", "failed")

    def record(self, id: str) -> str | None:
        return dict(self.records).get(id)


def step(state: State, event: Event) -> State | None:
    """The state after an operation with this outcome; None when it cannot have had this outcome here."""
    if event.unknown or event.outcome == "ok":
        reached = EFFECTS[event.name](state, event)
        if reached is None or event.unknown:
            return reached
        seen = SEEN.get(event.name)
        return reached if seen is None or seen(reached, event) else None
    if event.name == "cancel" and event.outcome == "concurrency.stale":
        return state  # an order's version moves with everything
    if event.name == "execute":
        return _said_late(state, event)
    return state if EFFECTS[event.name](state, replace(event, outcome="ok")) is None else None


def _receipt(state: State, event: Event) -> State | None:
    if state.state != "awaiting_payment":
        return state  # booked as a difference: nothing of the order changes
    return replace(state, paid=state.total, state="paid")


def _cancel(state: State, event: Event) -> State | None:
    return replace(state, state="cancelled") if state.state == "awaiting_payment" else None


def _teach(state: State, event: Event) -> State | None:
    id, lesson = event.given
    live = {record[4:].partition("/")[0] for record, kept in state.records if kept != "void"}
    if state.state not in ("paid", "refunding") or lesson in live or state.reported + LESSON > state.hours:
        return None
    return replace(state, records=(*state.records, (f"con:{lesson}/{id}", "reported")))


def _find(state: State, id: str) -> str | None:
    return next((record for record, _ in state.records if record.endswith(f"/{id}")), None)


def _turn(state: State, id: str, source: str, to: str) -> State | None:
    record = _find(state, id)
    if record is None or state.record(record) != source:
        return None
    return replace(state, records=tuple((each, to if each == record else kept) for each, kept in state.records))


def _confirm(state: State, event: Event) -> State | None:
    found = _turn(state, event.given[0], "reported", "confirmed")
    return found and _closed(_released(found))


def _dispute(state: State, event: Event) -> State | None:
    return _turn(state, event.given[0], "reported", "disputed")


def _reverse(state: State, event: Event) -> State | None:
    found = _turn(state, event.given[0], "reported", "void")
    return found and _settled(found)


def _rule(state: State, event: Event) -> State | None:
    id, ruling = event.given
    if ruling == "uphold_institution":
        found = _turn(state, id, "disputed", "confirmed")
        return found and _closed(_released(found))
    found = _turn(state, id, "disputed", "void")
    return found and _settled(found)


def _silent_confirmation(state: State, event: Event) -> State | None:
    records = tuple((id, "confirmed" if kept == "reported" else kept) for id, kept in state.records)
    return _closed(_released(replace(state, records=records))) if records != state.records else state


def _ask(state: State, event: Event) -> State | None:
    if state.state != "paid" or state.refund in ("requested", "paying", "failed") or not _sum(state):
        return None
    return replace(state, state="refunding", refund="requested", refund_fen=_sum(state), refund_version=1)


def _agree(state: State) -> State:
    fen = _sum(state)
    found = replace(state, refund="paying" if fen else "paid", refund_fen=fen, refund_version=state.refund_version + 1)
    return _closed(_tasked(found, "refund", fen))


def _approve(state: State, event: Event) -> State | None:
    if event.given[1] != state.refund_version:
        return None
    if state.refund == "requested":
        return _agree(state)
    return _pay_again(state) if state.refund == "failed" else None


def _pay_again(state: State) -> State | None:
    """What failed for certain is instructed anew; None where nothing did."""
    failed = [task for task in state.tasks if (task.kind, task.state, task.late) == ("refund", "failed", False)]
    if not failed:
        return None
    old = tuple(replace(task, state="replaced") if task in failed else task for task in state.tasks)
    state = replace(state, tasks=(*old, *(Task("refund", task.fen) for task in failed)))
    return replace(state, refund=_reached(state), refund_version=state.refund_version + 1)


def _silent_agreement(state: State, event: Event) -> State | None:
    return _agree(state) if state.refund == "requested" else state


def _paid_again(state: State, event: Event) -> State | None:
    return (_pay_again(state) or state) if state.refund == "failed" else state


def _asked_again(state: State, event: Event) -> State | None:
    return _closed(_released(state))


def _take(state: State, id: str, kind: str, fen: int) -> int | None:
    for number, task in enumerate(state.tasks):
        if task.id == id:
            return number
    return next((n for n, task in enumerate(state.tasks) if not task.id and (task.kind, task.fen) == (kind, fen)), None)


def _end(state: State, event: Event, to: str) -> State | None:
    id, kind, fen = event.given[:3]
    number = _take(state, id, kind, fen)
    if number is None or state.tasks[number].state not in ("issued", "accepted"):
        return None
    tasks = list(state.tasks)
    tasks[number] = replace(tasks[number], id=id, state=to)
    return _closed(
        _advanced(replace(state, tasks=tuple(tasks))) if kind == "refund" else replace(state, tasks=tuple(tasks))
    )


def _execute(state: State, event: Event) -> State | None:
    return _end(state, event, "executed")


def _said_late(state: State, event: Event) -> State | None:
    """A refused execution: nothing moves, but of what had failed it is kept that the bank says otherwise."""
    number = _take(state, *event.given[:3])
    if number is None or state.tasks[number].state in ("issued", "accepted"):
        return None
    if state.tasks[number].state == "executed" or state.tasks[number].late:
        return state
    tasks = list(state.tasks)
    tasks[number] = replace(tasks[number], late=True)
    return replace(state, tasks=tuple(tasks))


def _fail(state: State, event: Event) -> State | None:
    return _end(state, event, "failed")


def _advanced(state: State) -> State:
    if _reached(state) == state.refund:
        return state
    return replace(state, refund=_reached(state), refund_version=state.refund_version + 1)


def _reached(state: State) -> str:
    parts = {task.state for task in state.tasks if task.kind == "refund" and task.state != "replaced"}
    return "failed" if "failed" in parts else "paid" if parts <= {"executed"} else "paying"


def _read(state: State, event: Event) -> State | None:
    return state


def _sum(state: State) -> int:
    """What a refund comes to now: what neither confirmed nor undecided hours have earned, and is there."""
    refunded = state.moved("refund", "issued", "accepted", "executed")
    return min(max(state.paid - state.earned(state.reported) - refunded, 0), max(state.escrow, 0))


def _tasked(state: State, kind: str, fen: int) -> State:
    return replace(state, tasks=(*state.tasks, Task(kind, fen))) if fen > 0 else state


def _released(state: State) -> State:
    if state.state not in ("paid", "refunding"):
        return state
    earned = state.earned(state.centi("confirmed"))
    return _tasked(state, "release", min(earned - state.released, state.escrow - state.owed_back))


def _settled(state: State) -> State:
    """Hours have become void: what an agreed refund held back for them goes back too."""
    if state.refund not in ("paying", "paid", "failed") or state.state != "refunding":
        return state
    fen = _sum(state) - state.owed_back
    if fen > 0:
        state = replace(_tasked(state, "refund", fen), refund_fen=state.refund_fen + fen)
        state = replace(state, refund=_reached(state), refund_version=state.refund_version + 1)
    return _closed(state)


def _closed(state: State) -> State:
    finished = state.state == "refunding" or state.reported == state.hours
    moving = any(task.state in ("issued", "accepted") for task in state.tasks)
    undecided = state.centi("reported", "disputed")
    if state.state in ("paid", "refunding") and finished and not undecided and not moving and not state.escrow:
        return replace(state, state="closed")
    return state


EFFECTS: dict[str, Callable[[State, Event], State | None]] = {
    "receipt": _receipt, "cancel": _cancel, "teach": _teach, "confirm": _confirm, "dispute": _dispute,
    "reverse": _reverse, "rule": _rule, "ask": _ask, "approve": _approve, "execute": _execute, "fail": _fail,
    "confirm_silent": _silent_confirmation, "agree_silent": _silent_agreement, "pay_again": _paid_again,
    "release_waiting": _asked_again, "read": _read,
}  # fmt: skip


def _figures(state: State, event: Event) -> bool:
    return event.seen == (
        state.state, state.paid, state.moved("release", "executed"), state.moved("refund", "executed"), state.escrow,
        state.moved("release", "issued", "accepted"), state.moved("refund", "issued", "accepted"), state.reported,
    )  # fmt: skip


def _of_refund(state: State, event: Event) -> bool:
    return event.seen == (state.refund, state.refund_fen, state.refund_version)


SEEN: dict[str, Callable[[State, Event], bool]] = {"read": _figures, "ask": _of_refund, "approve": _of_refund}
"""What an answer tells must be so after its effect."""
