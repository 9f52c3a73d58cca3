"""One run at a time behind the web face: its plan, what was told, the step that waits for a hand, its report."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from offcampus_conformance import output
from offcampus_conformance.config import Config, ConfigError
from offcampus_conformance.run import Cut, Plan, Report, Watcher, run
from offcampus_conformance.signature import Key
from offcampus_conformance.verdict import Result

REPLIES = ("done", "refused", "cannot", "failed")


class Busy(Exception):
    """A run is going on; it ends first."""


@dataclass(frozen=True)
class Event:
    """One thing that happened in a run: a part began (`text`), or a verdict was reached (`result`)."""

    text: str = ""
    result: Result | None = None


@dataclass
class Session(Watcher):
    """The runs of one configuration; thread-safe. What happens is kept in order, so that a page can catch up."""

    config: Config
    folder: Path
    plan: Plan | None = None
    events: list[Event] = field(default_factory=list)
    report: Report | None = None
    trouble: str | None = None
    running: bool = False
    number: int = 0
    card: Any = None
    """The step that waits for a person (`drivers.contract.Card`), while the run is by hand."""
    card_number: int = 0
    _reply: str | None = None
    _stop: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self, only: Sequence[str] = (), *, fail_fast: bool = False, seed: int | None = None) -> None:
        """Begin a run in the background. Raises Busy while one is going on."""
        with self._changed:
            if self.running:
                raise Busy("a run is going on")
            self.plan, self.report, self.trouble = None, None, None
            self.running, self._stop, self.number = True, False, self.number + 1
            self.events.clear()
        config = replace(self.config, show=self.show, seed=self.config.seed if seed is None else seed)
        threading.Thread(target=self._run, args=(config, tuple(only), fail_fast), daemon=True).start()

    def stop(self) -> None:
        """End the run at its next step."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()

    def wait(self, seen: int, patience_s: float, card: int = 0) -> list[Event]:
        """The events after the first `seen`; waits for one, for another card, or for the end, up to `patience_s`."""

        def changed() -> bool:
            return len(self.events) > seen or not self.running or self.card_number != card

        with self._changed:
            self._changed.wait_for(changed, patience_s)
            return self.events[seen:]

    def show(self, card: Any) -> str:
        """Show a step, wait for what the person says (the driver by hand calls it); `failed` when the run ends."""
        with self._changed:
            self.card, self._reply, self.card_number = card, None, self.card_number + 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._reply is not None or self._stop)
            self.card, self.card_number = None, self.card_number + 1
            self._changed.notify_all()
            return self._reply or "failed"

    def answer(self, number: int, reply: str) -> None:
        """What a person says of the step that waits; an answer to another one is too late and ignored."""
        with self._changed:
            if self.card is not None and number == self.card_number and reply in REPLIES:
                self._reply = reply
                self._changed.notify_all()

    def result(self, check_id: str) -> Result | None:
        """The verdict of a check in the finished run, or so far."""
        if self.report is not None:
            return next((result for result in self.report.results if result.check.id == check_id), None)
        with self._changed:
            told = [event.result for event in self.events if event.result is not None]
        return next((result for result in told if result.check.id == check_id), None)

    def begun(self, plan: Plan) -> None:
        """The plan."""
        with self._changed:
            self.plan = plan
            self._changed.notify_all()

    def step(self, text: str) -> None:
        """A part of the scenario; the place where a run that was stopped ends."""
        self._add(Event(text=text))
        if self._stop:
            raise Cut("somebody ended the run")

    def told(self, result: Result) -> None:
        """A verdict."""
        self._add(Event(result=result))

    def _add(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def _run(self, config: Config, only: tuple[str, ...], fail_fast: bool) -> None:
        trouble, report = None, None
        stream = output.Stream(self.folder)
        try:
            report = run(config, only=only or None, watcher=_Both(self, stream), fail_fast=fail_fast)
            stream.ended(report)
            key = Key.load(config.sign_with) if config.sign_with is not None else None
            output.write(report, self.folder, key)
        except ConfigError as error:
            trouble = str(error)
        except Exception as error:  # noqa: BLE001 - whatever breaks a run is shown to whoever watches it
            trouble = f"{type(error).__name__}: {error}"
        finally:
            stream.close()
            with self._changed:
                self.running, self.report, self.trouble = False, report, trouble
                self._changed.notify_all()


@dataclass
class _Both(Watcher):
    """Tells the page and the stream."""

    session: Session
    stream: output.Stream

    def begun(self, plan: Plan) -> None:
        """The plan."""
        self.stream.begun(plan)
        self.session.begun(plan)

    def step(self, text: str) -> None:
        """A part."""
        self.session.step(text)

    def told(self, result: Result) -> None:
        """A verdict."""
        self.stream.told(result)
        self.session.told(result)
