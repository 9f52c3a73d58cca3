"""One finding as the fields that every report shows, and the command that reproduces it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from offcampus_spec.requirements import requirements

from offcampus_conformance.record import Exchange
from offcampus_conformance.verdict import Result


@dataclass(frozen=True)
class Clause:
    """A requirement as a report cites it."""

    id: str
    article: str
    text_en: str
    text_zh: str


def clauses(result: Result) -> list[Clause]:
    """The requirements of a check, with article and text."""
    known = requirements()
    return [
        Clause(name, str(known[name].article), known[name].text_en, known[name].text_zh)
        for name in result.check.requirements
        if name in known
    ]


def reproduce(result: Result) -> list[str]:
    """The commands that show the same deviation again: the check by itself, and its exchange by hand."""
    commands = [f"offcampus-conformance run --only {result.check.id}"]
    if result.check.profile == "platform" and result.met:
        commands.append(curl(result.met[-1]))
    return commands


def curl(exchange: Exchange) -> str:
    """A request as a curl command; secrets come from environment variables.

    Signed requests cannot be repeated by curl alone (their signature is used once): the command shows the bytes.
    """
    parts = ["curl", "-sS", "-X", exchange.method, exchange.url]
    for name, value in exchange.request_headers.items():
        lower = name.lower()
        if lower in ("signature", "signature-input", "content-digest"):
            continue
        shown = "Bearer $ACCESS_TOKEN" if lower == "authorization" else value
        parts += ["-H", f"{name}: {shown}"]
    if exchange.request_body:
        parts += ["--data-binary", exchange.request_body]
    return " ".join(part if part.startswith("$") else shlex.quote(part) for part in parts)
