"""What happens in a simulation: requests with their fates, and what each side remembers of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from offcampus_server.kernel.contract import Answer
from offcampus_server.kernel.problems import Problem
from offcampus_server.registry import SWEEPS
from sqlalchemy.exc import DBAPIError

from simulation.bank import Bank
from simulation.house import House
from simulation.oracle import Oracle
from simulation.points import Crash
from simulation.script import Step
from simulation.town import Town

Document = dict[str, Any]
AT_A_TIME = 200


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant, self.detail = invariant, detail


@dataclass(frozen=True)
class Request:
    """A request that a party sends, and sends again unchanged until it knows what became of it."""

    who: str
    operation: str
    body: Any
    key: str
    path: tuple[tuple[str, str], ...] = ()
    if_match: int | None = None


@dataclass
class World:
    """One seed's world."""

    house: House
    town: Town
    oracle: Oracle
    bank: Bank = field(default_factory=Bank)
    waiting: list[Request] = field(default_factory=list)
    """Under way, or without an answer."""
    known: list[tuple[Request, Answer]] = field(default_factory=list)
    """Acknowledged."""
    random: Random = field(default_factory=Random)
    step: Step = field(default_factory=lambda: Step("", 0))
    outcome: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    keys: int = 0
    crashed: bool = False
    acted: bool = False
    """Something was asked of the platform since somebody looked."""
    meanwhile: bool = False
    """Another step ran in the middle of this one."""

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    def pick(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        """One of the rows, by the step's own draw; None when there are none."""
        rows = self.oracle.rows(statement, *values)
        return self.random.choice(rows) if rows else None

    def chance(self, percent: int) -> bool:
        """True so often."""
        return self.random.randrange(100) < percent

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    # --- requests ---

    def request(
        self, who: str, operation: str, body: Any = None, if_match: int | None = None, **path: str
    ) -> Answer | None:
        """Send a new request; the step's fault strikes it. None when the sender does not learn of success."""
        self.keys += 1
        return self.send(Request(who, operation, body, f"key-{self.keys:08}", tuple(path.items()), if_match))

    def send(self, request: Request) -> Answer | None:
        """Send a request once."""
        fault, _, point = self.step.fault.partition(":")
        self.step = Step(self.step.name, self.step.draw)  # a fault strikes once
        if fault == "later":
            self.waiting.append(request)
            self._became("under way")
            return None
        answer: Answer | None = self.attempt(partial(self._serve, request), fault, point, request)
        if answer is None:
            return None
        if fault == "lost":
            self.waiting.append(request)
            self._became("answer lost")
            return None
        self.known.append((request, answer))
        self._became(str(answer.status))
        return answer

    def sweep(self, name: str) -> None:
        """The worker does what is due."""
        fault, _, point = self.step.fault.partition(":")
        self.step = Step(self.step.name, self.step.draw)
        self.attempt(lambda: self.house.storage.write(lambda work: SWEEPS[name](work, AT_A_TIME)), fault, point, None)

    def attempt(self, act: Any, fault: str, point: str, request: Request | None) -> Any:
        """Act under a fault. None when it was refused, or nobody knows."""
        self.acted = True
        self._arm(fault, point)
        try:
            return act()
        except Crash:
            self.crashed = True
            self.house.reopen()
            self.oracle.forget()
            return self._unknown(request, "crashed")
        except Problem as problem:
            if problem.status >= 500 or problem.code == "idempotency.in_progress":
                return self._unknown(request, problem.code)
            return self._became(problem.code)
        except DBAPIError as error:
            if fault not in ("disk", "between"):
                raise
            return self._unknown(request, f"database: {type(error).__name__}")
        finally:
            self.house.points.disarm()

    def _serve(self, request: Request) -> Answer:
        return self.house.serve(
            self.town.parties[request.who], request.operation, dict(request.path), request.body, request.key,
            request.if_match, f"req-{request.key}",
        )  # fmt: skip

    def _arm(self, fault: str, point: str) -> None:
        at = int(point) if point.isdecimal() else point
        if fault == "crash":
            self.house.points.arm(at, self.house.die)
        elif fault == "disk":
            self.house.points.arm(at, self.house.fail_disk)
        elif fault == "between":
            self.house.points.arm(at, self._interlude)

    def _interlude(self) -> None:
        """Another step runs while this one's transaction is open."""
        from simulation.steps import perform

        self.meanwhile = True
        kept = self.random, self.step, self.outcome
        drawn = self.random.getrandbits(32)
        perform(
            self, Step(self.random.choice(("confirm", "bank", "ask", "approve", "arrive", "sweep", "teach")), drawn)
        )
        self.random, self.step, self.outcome = kept

    def _unknown(self, request: Request | None, why: str) -> None:
        if request is not None:
            self.waiting.append(request)
        self._became(why)

    def _became(self, outcome: str) -> None:
        self.outcome = outcome
        self.count(outcome)
