"""A scenario as data: chapters of steps, read from YAML and judged by the standard's schema before anything is played.

A step does one thing: it asks the system for an action, delivers a webhook, or lets something happen on the platform.
What is expected of the system stands in the checks; a scenario only makes the traffic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import yaml
from offcampus_spec import schemas

PROFILES = ("institution-system", "bank")
KEY_TURNS = ("platform_adds", "platform_withdraws_old", "register_new", "revoke_old")
OPENINGS = ("guardian_refund", "release", "refund", "freeze", "unfreeze", "balance")
PLAIN = ("ask", "given", "manners", "happens", "opens", "deliver", "keys", "clock")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ScenarioError(ValueError):
    """A scenario file breaks the language; the message names the place and what is wrong."""


@dataclass(frozen=True)
class Step:
    """One step of a scenario."""

    id: str
    title_en: str
    title_zh: str
    at: tuple[int, str] | None = None
    ask: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    arrives: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    platform: tuple[Mapping[str, Any], ...] = ()
    manners: Mapping[str, Any] = field(default_factory=dict)
    happens: Mapping[str, Any] | None = None
    opens: Mapping[str, Any] | None = None
    deliver: Mapping[str, Any] | None = None
    keys: str | None = None
    clock: bool = False
    """Only for systems that follow the business clock."""


@dataclass(frozen=True)
class Chapter:
    """Steps that belong together; what a reader sees as one heading."""

    id: str
    title_en: str
    title_zh: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Scenario:
    """A whole scenario of one profile."""

    profile: str
    title_en: str
    title_zh: str
    starts_on: date
    chapters: tuple[Chapter, ...]

    def steps(self) -> Iterator[Step]:
        """Every step in order."""
        for chapter in self.chapters:
            yield from chapter.steps


@cache
def load(profile: str) -> Scenario:
    """The scenario of a profile. Raises ScenarioError when its file breaks the language."""
    folder = resources.files("offcampus_conformance") / "scenarios"
    text = (folder / f"{profile}.yaml").read_text(encoding="utf-8")
    return parse(text, f"{profile}.yaml")


def parse(text: str, name: str = "scenario") -> Scenario:
    """A scenario from YAML. Raises ScenarioError with the place that is wrong."""
    try:
        raw = yaml.load(text, _LOADER)  # noqa: S506 - both loaders are the safe ones
    except yaml.YAMLError as error:
        raise ScenarioError(f"{name}: {error}") from None
    for wrong in schemas.validator("scenario").iter_errors(raw):
        place = "".join(f"/{part}" for part in wrong.instance_path)
        raise ScenarioError(f"{name}: {place or '/'}: {wrong.message[:300]}")
    chapters = tuple(
        Chapter(entry["chapter"], **_titles(entry), steps=tuple(_step(step) for step in entry["steps"]))
        for entry in raw["chapters"]
    )
    if raw["scenario"] not in PROFILES:
        raise ScenarioError(f"{name}: /scenario is {raw['scenario']!r}; allowed: {', '.join(PROFILES)}")
    scenario = Scenario(
        raw["scenario"], **_titles(raw), starts_on=date.fromisoformat(str(raw["starts_on"])), chapters=chapters
    )
    _judge(scenario, name)
    return scenario


def _judge(scenario: Scenario, name: str) -> None:
    """What a schema cannot say: names are used once, a step does one thing, time never runs back."""
    seen: set[str] = set()
    last = (-1000, "")
    for step in scenario.steps():
        if step.id in seen:
            raise ScenarioError(f"{name}: the step {step.id!r} stands twice")
        seen.add(step.id)
        acts = [what for what in (step.ask, step.happens, step.opens, step.deliver, step.keys) if what is not None]
        if len(acts) > 1 or not (acts or step.manners or step.at):
            raise ScenarioError(f"{name}: the step {step.id!r} must do exactly one thing")
        for what, given, allowed in _choices(step):
            if given not in allowed:
                raise ScenarioError(f"{name}: {what} of {step.id!r} is {given!r}; allowed: {', '.join(allowed)}")
        if step.at is not None:
            if step.at < last:
                raise ScenarioError(f"{name}: the step {step.id!r} lies before the one above it: {step.at} < {last}")
            last = step.at


def _choices(step: Step) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What a step chooses from lists that the suite has and the standard has not."""
    if step.keys is not None:
        yield "keys", step.keys, KEY_TURNS
    if step.opens is not None:
        yield "opens.kind", step.opens["kind"], OPENINGS
    if step.deliver is not None:
        yield "deliver.key", step.deliver.get("key", "current"), ("current", "withdrawn")


def _step(raw: Mapping[str, Any]) -> Step:
    day, _, time = raw.get("when", "").partition(" ")
    lists = {name: tuple(raw.get(name, ())) for name in ("arrives", "keep", "platform")}
    plain = {name: raw[name] for name in PLAIN if name in raw}
    members: dict[str, Any] = {**_titles(raw), **lists, **plain}
    return Step(raw["step"], at=(int(day), time) if day else None, **members)


def _titles(raw: Mapping[str, Any]) -> dict[str, str]:
    return {"title_en": raw["title"]["en"], "title_zh": raw["title"]["zh"]}
