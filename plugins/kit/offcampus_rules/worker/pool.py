"""The server's side: one nursery a process, one worker a plugin, killed when it is late and replaced at once."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import clock_gettime, monotonic
from typing import Any

from offcampus_rules.decision import Value
from offcampus_rules.worker import frames, wire
from offcampus_rules.worker.frames import BrokenFrame, TooLate

_START_S = 20.0
"""How long an interpreter may take to start on a busy machine."""
_LOAD_S = 2.0
"""How long a plugin's source may take to load."""
_PER_CASE_S = 0.001
"""What each further case of a batch adds to its time budget."""
_WALL = 20
"""A budget is time of computing. On a machine that is busy elsewhere a worker may take this many times as long."""

Lookup = Callable[[str], Value | None]


@dataclass(frozen=True, slots=True)
class Question:
    """One case for a worker: the facts, which table of values is theirs, and how to look up what is missing there."""

    facts: Any
    table: int
    lookup: Lookup


class Unanswered(Exception):
    """A worker gave no answer; the message says how it failed, `line` where in the source, if loading it failed."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


class _Nursery:
    """The process that forks workers. It belongs to the process that started it: a forked server needs its own."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        self._control = ours
        self._process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", "offcampus_rules.worker.nursery", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}, cwd="/",
        )  # fmt: skip
        theirs.close()
        ours.settimeout(_START_S)

    @property
    def alive(self) -> bool:
        return self.pid == os.getpid() and self._process.poll() is None

    def fork(self) -> tuple[int, socket.socket]:
        """A new worker: its pid and our end of its stream."""
        ours, theirs = socket.socketpair()
        with self._lock:
            socket.send_fds(self._control, [b"fork"], [theirs.fileno()])
            theirs.close()
            return int(self._answer()), ours

    def kill(self, pid: int) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._control.sendall(b"kill%d" % pid)
            self._answer()

    def _answer(self) -> bytes:
        answer = self._control.recv(16, socket.MSG_WAITALL)
        if len(answer) != 16:
            raise BrokenFrame
        return answer


_current: list[_Nursery] = []
_starting = threading.Lock()


def _nursery() -> _Nursery:
    with _starting:
        if not _current or not _current[0].alive:
            _current[:] = [_Nursery()]
        return _current[0]


class _Life:
    """A running worker: killed and buried at the latest when nobody holds it any more."""

    def __init__(self, nursery: _Nursery) -> None:
        self.owner = nursery.pid
        pid, self.stream = nursery.fork()
        self._clock = (~pid << 3) | 2  # the process's CPU clock (clock_getcpuclockid)
        self.sent: dict[int, set[str]] = {}
        self.end = weakref.finalize(self, _end, nursery, pid, self.stream)

    def computed_s(self) -> float | None:
        """How long it has been computing; None where the system does not tell."""
        try:
            return clock_gettime(self._clock)
        except OSError:
            return None

    def answer(self, begun: float, budget_s: float) -> bytes:
        """Its next message. Raises TooLate when it computed for longer than its budget, or nothing came at all."""
        last, until, used = begun + _WALL * budget_s, begun + budget_s, self.computed_s()
        while not frames.ready(self.stream, until):
            now = self.computed_s()
            if used is None or now is None or now - used >= budget_s or monotonic() >= last:
                raise TooLate
            until = min(last, monotonic() + max(budget_s - (now - used), budget_s / 10))
        return frames.receive(self.stream, last)


class Worker:
    """One plugin's worker. Calls are serialised; a call that is late or broken kills the process, the next has another.

    Raises Unanswered at construction when the source is refused.
    """

    def __init__(self, plugin: str, source: str) -> None:
        self._plugin, self._source = plugin, source
        self._lock = threading.Lock()
        self._life: _Life | None = None
        self._asked: dict[str, set[str]] = {}
        self.walls: tuple[str, ...] = ()
        with self._lock:
            loaded = self._start()
        if "refused" in loaded:
            line = loaded.get("line")
            raise Unanswered(str(loaded["refused"]), line if isinstance(line, int) else None)
        self.hooks: tuple[str, ...] = tuple(loaded["hooks"])
        self.declared: dict[str, Any] = loaded["declared"]

    def ask(self, hook: str, questions: Sequence[Question], budget_ms: int) -> list[Any]:
        """Each question's answer in JSON terms (a list, or a text that says what went wrong).

        Raises Unanswered when the worker was killed, died, or sent what is no message.
        """
        with self._lock:
            try:
                return self._ask(hook, questions, budget_ms)
            except TooLate:
                self._kill()
                raise Unanswered(f"took longer than {budget_ms} ms") from None
            except (BrokenFrame, OSError, ValueError, RecursionError, KeyError, TypeError):
                self._kill()
                raise Unanswered("the worker died or sent what is no answer") from None

    def close(self) -> None:
        with self._lock:
            self._kill()

    def _ask(self, hook: str, questions: Sequence[Question], budget_ms: int) -> list[Any]:
        if self._life is None or self._life.owner != os.getpid():
            self._start()
        life = self._life
        assert life is not None
        begun, budget_s = monotonic(), budget_ms / 1000 + _PER_CASE_S * (len(questions) - 1)
        until = begun + _WALL * budget_s
        names = self._asked.setdefault(hook, set())
        cases = [(item.facts, item.table, _missing(life, item, names)) for item in questions]
        frames.send(life.stream, wire.pack((hook, cases)), until)
        lookups = {item.table: item.lookup for item in questions}
        while True:
            reply = json.loads(life.answer(begun, budget_s))
            if "need" not in reply:
                break
            name, table = str(reply["need"]), reply["table"]
            value = lookups[table](name)
            if value is not None:
                names.add(name)
                life.sent.setdefault(table, set()).add(name)
            frames.send(life.stream, wire.pack(value), until)
        answers = reply["answers"]
        if not isinstance(answers, list) or len(answers) != len(questions):
            raise BrokenFrame
        return answers

    def _start(self) -> dict[str, Any]:
        try:
            self._life = life = _Life(_nursery())
            until = monotonic() + _START_S
            self.walls = tuple(json.loads(frames.receive(life.stream, until)))
            frames.send(life.stream, wire.pack((self._plugin, self._source)), until)
            loaded: dict[str, Any] = json.loads(frames.receive(life.stream, monotonic() + _LOAD_S))
        except (BrokenFrame, TooLate, OSError, ValueError) as error:
            self._kill()
            raise Unanswered(f"its worker could not be started ({type(error).__name__})") from error
        return loaded

    def _kill(self) -> None:
        if self._life is not None:
            self._life.end()
            self._life = None


def _end(nursery: _Nursery, pid: int, stream: socket.socket) -> None:
    stream.close()
    if nursery.pid == os.getpid():
        nursery.kill(pid)


_TABLES_MAX = 4096


def _missing(life: _Life, question: Question, names: set[str]) -> dict[str, Value]:
    """The values the hook is known to ask for and this worker does not have yet."""
    sent = life.sent.get(question.table)
    if sent is None:
        if len(life.sent) >= _TABLES_MAX:
            life.sent.clear()
        sent = life.sent[question.table] = set()
    if names <= sent:
        return {}
    values = {name: value for name in names - sent if (value := question.lookup(name)) is not None}
    sent |= names
    return values
