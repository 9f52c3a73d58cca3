"""A scenario for people: every step as a card, in both languages, with what the played platform does meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from offcampus_spec import codelists

from offcampus_conformance.scenario.language import Scenario, Step


def scenario_text(scenario: Scenario) -> str:
    """The whole scenario as step cards."""
    return "\n".join(_lines(scenario)) + "\n"


def _lines(scenario: Scenario) -> Iterator[str]:
    yield f"{scenario.title_en} / {scenario.title_zh}"
    yield f"day 0 / 第0天: {scenario.starts_on}"
    for chapter in scenario.chapters:
        yield f"\n== {chapter.title_en} / {chapter.title_zh}"
        for step in chapter.steps:
            when = f"  [{step.at[0]:+d} {step.at[1]}]" if step.at else ""
            yield f"\n{step.id}{when}\n  {step.title_en}\n  {step.title_zh}"
            yield from (f"  {text}" for text in _details(step))


def _details(step: Step) -> Iterator[str]:
    if step.ask is not None:
        yield f"asks / 请求       {step.ask} {_short(step.given)}".rstrip()
    if step.arrives:
        yield f"waits for / 等待  {', '.join(step.arrives)}"
    for trick in step.platform:
        told = codelists.load("played-tricks").codes[trick["do"]]
        more = {name: value for name, value in trick.items() if name not in ("call", "do")}
        yield f"platform / 平台   {trick['call']}: {told.title_en} / {told.title_zh} {_short(more)}".rstrip()
    if step.deliver is not None:
        told = codelists.load("played-deliveries").codes[step.deliver["how"]]
        yield f"delivers / 推送   {told.title_en} / {told.title_zh}"
    for what, given in (
        ("happens / 平台侧 ", step.happens),
        ("opens / 平台新建 ", step.opens),
        ("manners / 状态  ", step.manners),
    ):
        if given:
            yield f"{what} {_short(given)}"
    if step.keys is not None:
        yield f"keys / 密钥       {step.keys}"
    if step.clock:
        yield "only for systems that follow the business clock / 仅适用于跟随业务时钟的系统"


def _short(given: Mapping[str, Any]) -> str:
    text = json.dumps(given, ensure_ascii=False) if given else ""
    return text if len(text) <= 160 else text[:157] + "…"
