"""Calls one hook of one plugin and admits only what it may return; whatever goes wrong becomes that plugin's alarm."""

from __future__ import annotations

from typing import Any

from offcampus_rules.decision import Alarm
from offcampus_rules.findings import MAX_FINDINGS
from offcampus_rules.hookspecs import RETURNS, Case, Hook


def call(hook: Hook, name: str, plugin: str, case: Case[Any]) -> tuple[Any, ...] | Alarm:
    """Call a hook in this process (for `check` and tests of hooks)."""
    try:
        result: object = hook(case)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like of one province must not stop the others
        return Alarm(plugin, name, f"raised {type(error).__name__}")
    problem = malformed(result, name)
    return Alarm(plugin, name, problem) if problem else result  # type: ignore[return-value]  # `malformed` saw a tuple


def malformed(result: object, name: str) -> str | None:
    """Why a hook's answer is none, or None when it has the shape the table promises."""
    if not isinstance(result, tuple):
        return f"returned {type(result).__name__}, expected a tuple"
    if len(result) > MAX_FINDINGS:
        return f"returned {len(result)} items, allowed are {MAX_FINDINGS}"
    strangers = {type(item).__name__ for item in result if type(item) is not RETURNS[name]}
    if strangers:
        return f"returned {', '.join(sorted(strangers))} among the answers, expected {RETURNS[name].__name__}"
    return None
