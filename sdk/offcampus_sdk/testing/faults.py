"""What goes wrong on demand: each fault is one thing that a lawful network or a busy platform does to anyone.

platform.fault("createOrder", "lost")            # done, but the answer never arrives
platform.fault("*", "busy", times=3)             # 503 with Retry-After
platform.fault("reportConsumption", "refuse", code="consumption.exceeds_balance", items=[0, 7])
platform.down_until = platform.now() + 3600      # an hour of outage by the platform's clock
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from offcampus_spec.operations import Operation

Kind = Literal["lost", "unreached", "busy", "error", "limited", "in_progress", "refuse", "token", "garbage"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class Fault:
    """One fault that waits for its operation.

    lost: done, no answer · unreached: not done, no answer · busy: 503 · error: 500 · limited: 429 with Retry-After ·
    in_progress: 409 of a key whose first request still runs · refuse: the problem `code`, for a batch at `items` ·
    token: 401, the token is no longer taken · garbage: 200 with a body that is no JSON.
    """

    operation_id: str
    kind: Kind
    times: int = 1
    code: str = "resource.state"
    items: Sequence[int] = ()
    retry_after_s: int = 0

    def strikes_before(self, operation: Operation) -> bool:
        """Does it strike instead of the platform's own answer? A lost answer and refused items do not."""
        return self.kind != "lost" and not (self.kind == "refuse" and operation.batch and bool(self.items))


@dataclass
class Faults:
    """The faults that wait, and those that happened."""

    waiting: list[Fault] = field(default_factory=list)
    happened: list[tuple[str, Kind]] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Let this go wrong next. Raises ValueError for a kind that does not exist."""
        if fault.kind not in KINDS:
            raise ValueError(f"no fault {fault.kind!r}; there are {', '.join(KINDS)}")
        with self._guard:
            self.waiting.append(fault)

    def take(self, operation_id: str) -> Fault | None:
        """The fault that strikes this call, if one waits for it."""
        with self._guard:
            for fault in self.waiting:
                if fault.times > 0 and fault.operation_id in ("*", operation_id):
                    fault.times -= 1
                    self.happened.append((operation_id, fault.kind))
                    return fault
        return None
