"""A small nation and its provinces, written into a folder: what a plugin author would write, in miniature."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from offcampus_rules import Scope
from offcampus_rules.plugin import Plugin
from offcampus_rules.registry import read_folder

MANIFEST = """\
jurisdiction: "{jurisdiction}"
title: {{zh: 示例, en: Example}}
requires_api: 1
modelled: []
not_modelled: []
"""

HOURS = """\
id: sale.hours_max
title: {zh: 课时上限, en: Most hours}
unit: class_hours
binding: floor
stricter: lower
protects: payer
governed_by: contract_date
judgement: {confidence: reported}
values:
  - from: 2021-01-01
    value: 60
    confidence: reported
    source: {document: 全国示例办法, number: 示例1号}
"""

RULES = """\
rules:
  - id: EX-HRS-001
    gates: [charge]
    fact: subject_hours_centi
    must_be: at_most
    parameter: sale.hours_max
    code: sale.hours_exceeded
    requirement: M-07.3
"""

MESSAGES = """\
messages:
  sale.hours_exceeded:
    message: {zh: "课时 {given}，规定{allowed}。", en: "The hours are {given}; allowed is {allowed}."}
    remedy: {zh: 减少课时。, en: Sell fewer hours.}
"""

NATION: Mapping[str, str] = {
    "parameters/sale/hours_max.yaml": HOURS,
    "rules/sale.yaml": RULES,
    "messages/sale.yaml": MESSAGES,
}

Write = Callable[..., Path]
Read = Callable[..., Plugin]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a plugin's folder: `write("110000", {"parameters/…": text}, hooks="…")`."""

    def writer(jurisdiction: str, files: Mapping[str, str], hooks: str | None = None, name: str = "") -> Path:
        root = tmp_path / (name or f"plugin_{jurisdiction}")
        content = {"plugin.yaml": MANIFEST.format(jurisdiction=jurisdiction), **files}
        if hooks is not None:
            content[f"{root.name}_package/hooks.py"] = textwrap.dedent(hooks)
        for path, text in content.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return root

    return writer


@pytest.fixture
def read(write: Write) -> Read:
    """Writes a plugin's folder and reads it."""

    def reader(jurisdiction: str, files: Mapping[str, str], hooks: str | None = None, name: str = "") -> Plugin:
        return read_folder(write(jurisdiction, files, hooks, name))

    return reader


@pytest.fixture
def nation_files() -> Mapping[str, str]:
    return NATION


@pytest.fixture
def nation(read: Read) -> Plugin:
    return read("000000", NATION)


@pytest.fixture
def local_hours() -> Callable[[str, int], str]:
    """A province's own hours cap as a file."""

    def text(region: str, hours: int) -> str:
        return textwrap.dedent(f"""\
            parameter: sale.hours_max
            region: "{region}"
            values:
              - from: 2022-01-01
                value: {hours}
                confidence: reported
                source: {{document: 地方示例办法}}
            """)

    return text


@pytest.fixture
def scope() -> Scope:
    return Scope("110105", "sport", "compulsory", "offline")
