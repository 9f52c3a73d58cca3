"""One finding as every report shows it (schema `conformance-finding`), and the commands that show it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from offcampus_spec import SCHEMA_BASE
from offcampus_spec.requirements import requirements

from offcampus_conformance.finding import Sure
from offcampus_conformance.record import Exchange
from offcampus_conformance.redaction import MASK
from offcampus_conformance.verdict import GREEN, Result

CLAUSES = SCHEMA_BASE.removesuffix("schemas/") + "requirements/"
PROGRAM = "offcampus-conformance"
LONGEST_COMMAND = 16_000
DERIVED = frozenset(
    {"content-digest", "content-length", "host", "user-agent", "accept", "accept-encoding", "connection"}
)


@dataclass(frozen=True)
class Clause:
    """A requirement as a report cites it."""

    id: str
    article: str
    text_en: str
    text_zh: str

    @property
    def link(self) -> str:
        """The address of the very clause."""
        return CLAUSES + self.id


def clauses(result: Result) -> list[Clause]:
    """The requirements of a check, with article and text."""
    known = requirements()
    return [
        Clause(name, str(known[name].article), known[name].text_en, known[name].text_zh)
        for name in result.check.requirements
        if name in known
    ]


def finding(result: Result, seed: int) -> dict[str, Any] | None:
    """What a check says when it is not green; None when it is."""
    if result.verdict in GREEN:
        return None
    check, deviation = result.check, result.deviation
    probes, controls, setup = _roles(result)
    nothing = None if probes else (result.note or "the check is about what is told, not about an exchange")
    return {
        "check": check.id,
        "level": check.level,
        "lifecycle": check.lifecycle,
        "verdict": result.verdict.value,
        "requirements": [
            {"id": c.id, "article": c.article, "link": c.link, "text": {"zh": c.text_zh, "en": c.text_en}}
            for c in clauses(result)
        ],
        "expected": (deviation.expected if deviation else check.title)[:2000],
        "got": (deviation.got if deviation else result.note)[:2000] or "nothing",
        "where": ((deviation.where if deviation else "") or "whole exchange")[:400],
        "exchanges": {"probe": probes, "control": controls, "setup": setup},
        "nothing_sent_because": nothing[:1000] if nothing else None,
        "reproduce": reproduce(result, seed),
        "remedy": {"zh": check.remedy_zh, "en": check.remedy_en},
        "root_causes": list(result.roots),
        "since": check.since,
        "sure": (deviation.sure if deviation else Sure.OBSERVED).value,
        "evidence": result.evidence,
    }


def _roles(result: Result) -> tuple[list[str], list[str], list[str]]:
    """What shows the finding, the lawful twins, and what led there, by label."""
    shown = result.deviation.exchanges if result.deviation is not None else ()
    probes = [exchange.label for exchange in (shown or result.met)][-20:]
    bound = dict(result.controls)
    controls = [bound[label] for label in probes if label in bound]
    return probes, controls, [e.label for e in result.met if e.label not in {*probes, *controls}][:200]


def reproduce(result: Result, seed: int = 1) -> list[str]:
    """Commands that show the same again: the check by itself, and its exchange by hand where curl can send it."""
    commands = [f"{PROGRAM} run --only {result.check.id} --seed {seed}"]
    shown = result.deviation.exchanges if result.deviation is not None else ()
    commands += [command for command in (curl(exchange) for exchange in shown[-1:]) if command is not None]
    return commands


def curl(exchange: Exchange) -> str | None:
    """A request as a curl command; the token comes from the environment (`offcampus-conformance token PARTY`).

    None when curl cannot send it: a signature is used once, and what was hidden is gone.
    """
    names = {name.lower() for name in exchange.request_headers}
    if (
        (exchange.actor is None and "authorization" in names)
        or "signature" in names
        or not exchange.url.startswith("http")
    ):
        return None
    if exchange.request_body is not None and (MASK in exchange.request_body or "[hidden]" in exchange.request_body):
        return None
    parts = ["curl", "-sS", "-i", "-X", exchange.method, shlex.quote(exchange.url)]
    for name, value in exchange.request_headers.items():
        if name.lower() == "authorization":
            parts += ["-H", f'"Authorization: Bearer $OFFCAMPUS_TOKEN_{(exchange.actor or "").upper()}"']
        elif name.lower() not in DERIVED:
            parts += ["-H", shlex.quote(f"{name}: {value}")]
    if exchange.request_body:
        parts += ["--data-binary", shlex.quote(exchange.request_body)]
    command = " ".join(parts)
    return command if len(command) <= LONGEST_COMMAND and command.isprintable() else None
