"""A plugin's Python: its source, the worker that runs it, and what may be asked of it.

The answers come back as the dataclasses of `findings`, or as an alarm; nothing else of the plugin reaches this process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from offcampus_rules.decision import Alarm
from offcampus_rules.findings import MAX_FINDINGS
from offcampus_rules.hook_loading import HookRefused
from offcampus_rules.hook_table import HOOK_TABLE
from offcampus_rules.hookspecs import RETURNS
from offcampus_rules.worker import wire
from offcampus_rules.worker.pool import Question, Unanswered, Worker


class HookCode:
    """Raises HookRefused when the source cannot be loaded, has hooks nobody knows, or declares what it may not."""

    def __init__(self, plugin: str, source: str) -> None:
        self.source = source
        self._plugin = plugin
        try:
            self._worker = Worker(plugin, source)
        except Unanswered as error:
            raise HookRefused(str(error), error.line) from error
        self.hooks = self._worker.hooks
        self.declared: Mapping[str, tuple[Any, ...]] = {
            name: self._declaration(name, raw) for name, raw in self._worker.declared.items()
        }

    @property
    def walls(self) -> tuple[str, ...]:
        """The walls around its worker on this machine."""
        return self._worker.walls

    def ask(self, hook: str, questions: Sequence[Question]) -> list[tuple[Any, ...] | Alarm]:
        """The answer to each question; a batch that breaks is asked again one by one, so that the others count."""
        try:
            raw = self._worker.ask(hook, questions, HOOK_TABLE[hook].budget_ms)
        except Unanswered as error:
            if len(questions) == 1:
                return [Alarm(self._plugin, hook, str(error))]
            return [answer for question in questions for answer in self.ask(hook, [question])]
        return [self._answer(hook, item) for item in raw]

    def close(self) -> None:
        """End the worker; the next question would start another."""
        self._worker.close()

    def _answer(self, hook: str, raw: Any) -> tuple[Any, ...] | Alarm:
        if isinstance(raw, str):
            return Alarm(self._plugin, hook, raw[:200])
        try:
            return _items(hook, raw)
        except wire.Malformed as error:
            return Alarm(self._plugin, hook, f"returned what is malformed: {error}")

    def _declaration(self, name: str, raw: Any) -> tuple[Any, ...]:
        answer = self._answer(name, raw)
        if isinstance(answer, Alarm):
            raise HookRefused(f"{name} {answer.problem}")
        return answer


def _items(hook: str, raw: Any) -> tuple[Any, ...]:
    if not isinstance(raw, list) or len(raw) > MAX_FINDINGS:
        raise wire.Malformed(f"no list of at most {MAX_FINDINGS}")
    try:
        return tuple(wire.decode(RETURNS[hook], item) for item in raw)
    except (RecursionError, ValueError, TypeError) as error:
        raise wire.Malformed(type(error).__name__) from error
