"""A province's rule plugin: one check for each kind of fault that the kit can find.

What is found comes from `offcampus-rules check`, by code; here each code is a requirement with an id, a level and a
remedy. A code is judged only when the plugin could be read to its end: what stopped the reading blocks the rest.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from offcampus_rules.codes import CODES, Code

from offcampus_conformance.check import check
from offcampus_conformance.expect import status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import NotMet, View

P = "rules"
FLOOR = ("M-05.1",)
READ, JUDGED = "rules.read", "rules.judged"
MOST = 5


@check(
    "RULES-READ-001", profile=P, level="MUST", requirements=FLOOR, meets=(READ, JUDGED),
    sends="reads every file of the plugin and puts it together with the nation's rules", title_zh="插件可读取并与全国规则合成。",
    remedy_en="Mend what is named first; until then nothing else of the plugin can be judged.",
    remedy_zh="请先修正所列问题，否则其余内容无法判定。",
)  # fmt: skip
def the_plugin_can_be_read_and_put_together(view: View) -> None:
    """The plugin can be read and put together with the rules above it."""
    read = status(view.step(READ), 200)
    if not read.facts["whole"]:
        deviate("a plugin that can be read to its end", told(read.json()["problems"]), read)
    judged = view.step(JUDGED)
    if not (judged.facts["parameters"] or judged.facts["rules"]):
        deviate("at least one parameter or rule", "none", judged)


def told(problems: list[dict[str, Any]]) -> str:
    """Problems as file, line and message, the first few."""
    shown = "; ".join(f"{p['file']}:{p['line']}: {p['code']} {p['message_en']}" for p in problems[:MOST])
    return shown + (f"; and {len(problems) - MOST} more" if len(problems) > MOST else "")


def _declare(code: Code) -> None:
    remedy = remedies()[code.name]

    def judge(view: View) -> None:
        read = status(view.step(READ), 200)
        found = [problem for problem in read.json()["problems"] if problem["code"] == code.name]
        if found:
            place = f"{found[0]['file']}:{found[0]['line']}"
            deviate(f"no finding {code.name} ({code.en})", told(found), read, where=place)
        if not view.step(JUDGED).facts["asked"].get(code.name, True):
            raise NotMet(f"{code.name} was not asked for")

    judge.__doc__ = f"The plugin is free of: {code.en}."
    check(
        f"RULES-{code.name.removeprefix('R-')}-001", profile=P, level="SHOULD" if code.warning else "MUST",
        requirements=FLOOR, meets=(JUDGED,), title_zh=f"插件不存在：{code.zh}。", sends=f"offcampus-rules check, {code.name}",
        remedy_en=remedy["en"], remedy_zh=remedy["zh"],
    )(judge)  # fmt: skip


@cache
def remedies() -> dict[str, dict[str, str]]:
    """How each kind of fault is mended, from the kit's page of codes."""
    text = resources.files(__package__).joinpath("remedies.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


for _code in CODES.values():
    _declare(_code)
