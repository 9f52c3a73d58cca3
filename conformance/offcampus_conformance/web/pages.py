"""The pages of the web face, from a session; the report's own look and words."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from offcampus_conformance.check import checks_of
from offcampus_conformance.reports.as_html import pretty, sides
from offcampus_conformance.reports.as_text import VERDICTS_ZH, conclusion, conclusion_zh, roots_first
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.verdict import GREEN
from offcampus_conformance.web.session import Event, Session

NONCE = secrets.token_urlsafe(16)
"""Names the page's own scripts to the Content-Security-Policy."""
_COOKIE = re.compile(r"(?:^|;\s*)lang=(zh|en)(?:;|$)")
FILES = ("report.html", "report.json", "report.ndjson", "evidence.har", "junit.xml", "badge.svg", "report.jws")


def language(cookie: str) -> str:
    """The language that a cookie names; Chinese when it names none."""
    found = _COOKIE.search(cookie)
    return found[1] if found else "zh"


def start(session: Session, token: str, lang: str) -> str:
    """What is tested, and the form that starts a run."""
    checks = checks_of(session.config.profile)
    return _render("start.html.j2", session=session, token=token, lang=lang, back="/", checks=checks)


def watch(session: Session, token: str, lang: str) -> str:
    """A run while it goes on, the step that waits for a hand, and its report when it has ended."""
    report = session.report
    results = roots_first(report.results) if report is not None else [e.result for e in session.events if e.result]
    said = (conclusion_zh(report), conclusion(report)) if report is not None else None
    return _render(
        "watch.html.j2", session=session, token=token, lang=lang, back="/run", results=results, conclusions=said,
        rows=[row(event) for event in session.events], card=session.card, files=_files(session),
        given=json.dumps(dict(session.card.given), ensure_ascii=False, indent=2) if session.card is not None else "",
    )  # fmt: skip


def check(session: Session, check_id: str, token: str, lang: str) -> str | None:
    """One verdict: expected beside got, control beside probe, how to mend, and the button that judges it again."""
    result = session.result(check_id)
    if result is None:
        return None
    return _render(
        "check.html.j2", session=session, token=token, lang=lang, back=f"/check/{check_id}", result=result
    )  # fmt: skip


def row(event: Event) -> str:
    """One row of the live list, on one line."""
    return " ".join(_render("row.html.j2", event=event).split())


def _files(session: Session) -> list[str]:
    return [name for name in FILES if (session.folder / name).is_file()] if session.report is not None else []


def _render(name: str, **values: Any) -> str:
    shared: Mapping[str, Any] = {"nonce": NONCE, "zh": VERDICTS_ZH, "GREEN": GREEN}
    return _environment().get_template(name).render(**{**shared, **values})


@cache
def _environment() -> Environment:
    own = resources.files(__package__).joinpath("templates")
    reports = resources.files("offcampus_conformance.reports")

    def load(name: str) -> str:
        folder = reports if name == "style.css" else own
        return folder.joinpath(name).read_text(encoding="utf-8")

    made = Environment(
        loader=FunctionLoader(load), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    made.globals |= {"clauses": clauses, "reproduce": reproduce, "pretty": pretty, "sides": sides}
    return made
