"""A province with four levels and thirty-odd rules, made for measuring: written as files and read like any plugin.

Its figures are invented and name themselves so; they say nothing about any place.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from offcampus_rules import Charge, Consumption, RuleSet, Scope
from offcampus_rules.registry import load_ruleset, read_folder

REGION = "990106"
_PROVINCE, _CITY = "990000", "990100"
_SOURCE = "source: {document: 为测速虚构的文件, number: 测速1号, article: 第一条}"


class _Kind(NamedTuple):
    """A family of rules: what is compared, and the limit of each level from the province down."""

    name: str
    unit: str
    stricter: str
    fact: str
    must_be: str
    limits: tuple[int, int, int] | str
    more: str = ""

    def limit(self, level: int, letter: int) -> object:
        """The limit of a level (0: province). Later rules of the family are looser: most rules are seldom broken."""
        if isinstance(self.limits, str):
            return self.limits
        return self.limits[level] * (2 + letter) // 2


_KINDS = (
    _Kind("amount", "fen", "lower", "amount_fen", "at_most", (600000, 550000, 500000)),
    _Kind("hours", "class_hours", "lower", "subject_hours_centi", "at_most", (80, 70, 60)),
    _Kind("new_hours", "class_hours", "lower", "charge_hours_centi", "at_most", (80, 70, 60)),
    _Kind(
        "span",
        "months",
        "lower",
        "service_until",
        "at_most",
        (5, 4, 3),
        "    measured_from: service_from\n    counted: forward\n",
    ),
    _Kind(
        "lead",
        "months",
        "lower",
        "ordered_on",
        "at_least",
        (3, 2, 1),
        "    measured_from: service_from\n    counted: back\n",
    ),
    _Kind("method", "options", "subset", "charge_method", "one_of", "[by_period, by_hours, both]"),
)
_REPEATS = "abcde"


def ruleset(folder: Path) -> RuleSet:
    """The installed nation with the invented province: national, provincial, city and county values."""
    nation = next(item for item in load_ruleset().assembly.plugins if item.jurisdiction == "000000")
    return load_ruleset((nation, read_folder(write(folder))))


def three_rules(folder: Path, *, hook: bool = False) -> RuleSet:
    """The one rule that other engines can say too, alone in a nation; `hook`: its province has Python besides."""
    kinds = [kind._replace(limits=(limit,) * 3) for kind, limit in zip(_KINDS[:4], (500000, 60, 60, 3), strict=True)]
    parts = [kind for kind in kinds if kind.name != "new_hours"]
    plugins = [read_folder(_write(folder / "three", dict(_plugin("000000", parts, "a", ()))))]
    if hook:
        files = {"plugin.yaml": _manifest(_PROVINCE), "messages/hook.yaml": _HOOK_WORDS, "invented/hooks.py": _HOOK}
        plugins.append(read_folder(_write(folder / "hooked", files)))
    return load_ruleset(plugins)


_HOOK_WORDS = """messages:
  bench.hook:
    message: {zh: "为 {given}，规定{allowed}。", en: "It is {given}; allowed is {allowed}."}
    remedy: {zh: 请更改。, en: Change it.}
"""
_HOOK = """from offcampus_rules.hookspecs import Finding, hookimpl


@hookimpl
def check_charge(case):
    cap = case.value("bench.amount_a")
    if case.facts.total_fen <= cap.value:
        return ()
    return (
        Finding(
            rule="XB-HOOK-001", code="bench.hook", requirement="M-07.3", fact="amount_fen", unit="fen",
            given=case.facts.total_fen, allowed=cap.value, must_be="at_most", parameter="bench.amount_a",
        ),
    )
"""


def write(folder: Path) -> Path:
    """Write the province's files; returns the plugin's folder."""
    local = ((1, _CITY), (2, REGION))
    return _write(folder / "invented", dict(_plugin(_PROVINCE, _KINDS, _REPEATS, local)))


def _write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


def charges(count: int, seed: int = 1) -> list[Charge]:
    """Random charges, about half of them lawful."""
    dice = random.Random(seed)
    scopes = [Scope(REGION, sector, "compulsory", "offline") for sector in ("sport", "art_culture", "sci_tech")]
    return [_charge(dice, scopes, number) for number in range(count)]


def _charge(dice: random.Random, scopes: list[Scope], number: int) -> Charge:
    signed = date(2026, 1, 5) + timedelta(days=dice.randrange(90))
    starts = signed + timedelta(days=dice.randrange(25))
    return Charge(
        scope=dice.choice(scopes),
        subject="s",
        signed_on=signed,
        ordered_at=datetime(signed.year, signed.month, signed.day, 3, number % 60, tzinfo=UTC),
        class_hours_centi=dice.randrange(100, 7500, 50),
        gift_hours_centi=0,
        total_fen=dice.randrange(50_000, 600_000),
        service_from=starts,
        service_until=starts + timedelta(days=dice.randrange(20, 105)),
        charge_method="both",
    )


def lesson_taken(case: Charge) -> Consumption:
    """A lesson of a charge as it is reported: nothing is wrong with it."""
    begins = datetime(case.service_from.year, case.service_from.month, case.service_from.day, 2, tzinfo=UTC)
    return Consumption(
        scope=case.scope,
        subject=case.subject,
        type="lesson",
        signed_on=case.signed_on,
        purchased_at=case.ordered_at,
        occurred_from=begins,
        occurred_until=begins + timedelta(minutes=90),
        reported_at=begins + timedelta(minutes=100),
        class_hours_centi=200,
        balance_centi=case.class_hours_centi,
        minutes_per_class_hour=45,
        proof_kind="roll_call",
        has_teacher=True,
        has_lesson=True,
    )


def _plugin(
    jurisdiction: str, kinds: Iterable[_Kind], letters: str, local: tuple[tuple[int, str], ...]
) -> Iterator[tuple[str, str]]:
    """The files of a plugin; `local` are the levels below it that have their own limits."""
    yield "plugin.yaml", _manifest(jurisdiction)
    rules, words = "rules:\n", "messages:\n"
    for kind in kinds:
        for number, letter in enumerate(letters):
            name = f"bench.{kind.name}_{letter}"
            yield f"parameters/bench/{kind.name}_{letter}.yaml", _definition(name, kind, kind.limit(0, number))
            for level, region in local:
                limit = kind.limit(level, number)
                yield f"parameters/bench/{kind.name}_{letter}_{region}.yaml", _local(name, region, limit)
            rules += (
                f"  - id: XB-{kind.name.replace('_', '').upper()[:5]}-{number + 1:03d}\n    gates: [charge]\n"
                f"    fact: {kind.fact}\n    must_be: {kind.must_be}\n    parameter: {name}\n{kind.more}"
                f"    code: {name}\n    requirement: M-07.3\n"
            )
            words += (
                f'  {name}:\n    message: {{zh: "为 {{given}}，规定{{allowed}}。", '
                'en: "It is {given}; allowed is {allowed}."}\n'
                "    remedy: {zh: 请更改。, en: Change it.}\n"
            )
    yield "rules/bench.yaml", rules
    yield "messages/bench.yaml", words


def _manifest(jurisdiction: str) -> str:
    return (
        f'jurisdiction: "{jurisdiction}"\ntitle: {{zh: 测速, en: Invented}}\n'
        "requires_api: 1\nmodelled: []\nnot_modelled: []\n"
    )


def _definition(name: str, kind: _Kind, limit: object) -> str:
    return (
        f"id: {name}\ntitle: {{zh: 测速, en: Invented}}\nunit: {kind.unit}\nbinding: floor\nstricter: {kind.stricter}\n"
        f"protects: payer\ngoverned_by: contract_date\njudgement: {{confidence: memory}}\n{_values(limit)}"
    )


def _local(name: str, region: str, limit: object) -> str:
    return f'parameter: {name}\nregion: "{region}"\n{_values(limit)}'


def _values(limit: object) -> str:
    return f"values:\n  - {{from: 2020-01-01, value: {limit}, confidence: reported, {_SOURCE}}}\n"
