"""The hooks a plugin may write in Python when data cannot say it (design/rules, "Hooks").

A hook is a pure function of one frozen `Case`; it may only ADD findings. pluggy marks hooks and checks their names and
signatures; the kit makes the calls, one plugin at a time, because stock pluggy lets a wrapper drop others' findings,
forgets a missing return, and loses everybody's findings with one exception. So:
- `wrapper`, `hookwrapper`, `tryfirst`, `trylast`, `optionalhook` and `specname` are refused, here and in the spec;
- an unknown hook name, a wrong argument, a hook-named function without the marker fails at load;
- what a hook raises (SystemExit included), a None, a wrong type, a finding without a source becomes an alarm.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

import pluggy

from offcampus_rules.context import Charge, Consumption, CourseFiling, LessonPlan, Release
from offcampus_rules.decision import Alarm, Value
from offcampus_rules.errors import RuleKitError
from offcampus_rules.rules import Comparison
from offcampus_rules.units import FactUnit, FactValue, Limit

PROJECT = "offcampus_rules"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

MAX_FINDINGS = 200
FactsT = TypeVar("FactsT")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a hook found: figures and names, no sentences. `parameter` names the value whose source is cited."""

    rule: str
    code: str
    requirement: str
    fact: str
    given: FactValue
    allowed: Limit
    unit: FactUnit
    must_be: Comparison
    parameter: str


Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Case(Generic[FactsT]):
    """What a hook sees: the facts, and every parameter's effective value at the case's place and date."""

    facts: FactsT
    value: Callable[[str], Value]


Hook = Callable[[Case[Any]], Findings]


class Gates:
    """The gates. Each returns the violations it found; an empty tuple means none, None is an error."""

    @hookspec
    def check_charge(self, case: Case[Charge]) -> Findings:  # type: ignore[empty-body]
        """A pre-charge that is about to be agreed (M-07.3)."""

    @hookspec
    def check_course(self, case: Case[CourseFiling]) -> Findings:  # type: ignore[empty-body]
        """A course that is to go on sale (M-07.4)."""

    @hookspec
    def check_lesson(self, case: Case[LessonPlan]) -> Findings:  # type: ignore[empty-body]
        """A lesson on the timetable."""

    @hookspec
    def check_consumption(self, case: Case[Consumption]) -> Findings:  # type: ignore[empty-body]
        """A consumption record as reported (M-07.2)."""

    @hookspec
    def check_release(self, case: Case[Release]) -> Findings:  # type: ignore[empty-body]
        """A sum about to leave custody (M-18.1)."""


HOOKS: tuple[str, ...] = tuple(name for name in vars(Gates) if name.startswith("check_"))
_REFUSED_OPTIONS = ("wrapper", "hookwrapper", "tryfirst", "trylast", "optionalhook", "specname")


class HookRefused(RuleKitError):
    """A plugin's hooks cannot be used; the message says which and why."""


class _Manager(pluggy.PluginManager):
    """pluggy, with the options refused that would let one plugin speak over another."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        options = super().parse_hookimpl_opts(plugin, name)
        function = getattr(plugin, name, None)
        if options is None:
            if name in HOOKS and inspect.isroutine(function):
                raise HookRefused(f"{name} is named like a hook and lacks the @hookimpl marker")
            return None
        for option in _REFUSED_OPTIONS:
            if options[option]:  # type: ignore[literal-required]  # the names are HookimplOpts' own
                raise HookRefused(f"{name} uses {option}, which would let a plugin change what others found")
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise HookRefused(f"{name} must be a plain function")
        return options


def hooks_of(module: ModuleType, plugin: str) -> Mapping[str, Hook]:
    """The marked hooks of a module. Raises HookRefused, also for hooks that no gate knows."""
    manager = _Manager(PROJECT)
    manager.add_hookspecs(Gates)
    try:
        manager.register(module, name=plugin)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise HookRefused(str(error).splitlines()[-1]) from error
    found: dict[str, Hook] = {}
    for name in HOOKS:
        for implementation in getattr(manager.hook, name).get_hookimpls():
            if implementation.argnames != ("case",):
                raise HookRefused(f"{name} takes one argument named case, not {implementation.argnames}")
            found[name] = implementation.function
    return found


def call(hook: Hook, name: str, plugin: str, case: Case[Any]) -> Findings | Alarm:
    """Call one hook of one plugin; whatever goes wrong stays with that plugin."""
    try:
        result: object = hook(case)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like of one province must not stop the others
        return Alarm(plugin, name, f"raised {type(error).__name__}")
    if not isinstance(result, tuple):
        return Alarm(plugin, name, f"returned {type(result).__name__}, expected a tuple of findings")
    if len(result) > MAX_FINDINGS:
        return Alarm(plugin, name, f"returned {len(result)} findings, allowed are {MAX_FINDINGS}")
    strangers = {type(item).__name__ for item in result if type(item) is not Finding}
    if strangers:
        return Alarm(plugin, name, f"returned {', '.join(sorted(strangers))} among the findings")
    return result
