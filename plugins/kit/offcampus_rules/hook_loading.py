"""Admits a module's hooks, or refuses it with the reason.

- `wrapper`, `hookwrapper`, `tryfirst`, `trylast`, `optionalhook` and `specname` are refused: each lets one plugin speak
  over another;
- an unknown hook name, a wrong argument, a hook-named function without the marker fails at load, instead of silently
  never running.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType

import pluggy

from offcampus_rules.errors import RuleKitError
from offcampus_rules.hook_table import HOOK_TABLE, HOOKS
from offcampus_rules.hookspecs import PROJECT, Hook, Hooks

REFUSED_OPTIONS = ("wrapper", "hookwrapper", "tryfirst", "trylast", "optionalhook", "specname")


class HookRefused(RuleKitError):
    """A plugin's hooks cannot be used; the message says which and why, `line` where, if a line is at fault."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


class _Manager(pluggy.PluginManager):
    """pluggy, with the options refused that would let one plugin speak over another."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        options = super().parse_hookimpl_opts(plugin, name)
        function = getattr(plugin, name, None)
        if options is None:
            if name in HOOKS and inspect.isroutine(function):
                raise HookRefused(f"{name} is named like a hook and lacks the @hookimpl marker")
            return None
        for option in REFUSED_OPTIONS:
            if options[option]:  # type: ignore[literal-required]  # the names are HookimplOpts' own
                raise HookRefused(f"{name} uses {option}, which would let a plugin change what others found")
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise HookRefused(f"{name} must be a plain function")
        return options


def hooks_of(module: ModuleType, plugin: str) -> Mapping[str, Hook]:
    """The marked hooks of a module. Raises HookRefused, also for hooks that the table does not know."""
    manager = _Manager(PROJECT)
    manager.add_hookspecs(Hooks)
    try:
        manager.register(module, name=plugin)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise HookRefused(str(error).splitlines()[-1]) from error
    found: dict[str, Hook] = {}
    for name in HOOKS:
        wanted = ("case",) if HOOK_TABLE[name].case is not None else ()
        for implementation in getattr(manager.hook, name).get_hookimpls():
            if implementation.argnames != wanted:
                asked = "one argument named case" if wanted else "no argument"
                raise HookRefused(f"{name} takes {asked}, not {implementation.argnames}")
            found[name] = implementation.function
    return found
