"""`import`, `status` and `drain`: what waits, what becomes of an export's rows, and sending it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import msgspec
from offcampus_spec.operations import operations

from offcampus_sdk import checking
from offcampus_sdk.cli import settings
from offcampus_sdk.client import Client
from offcampus_sdk.importing import mapping, report, rows, sheets
from offcampus_sdk.importing.mapping import MappingError
from offcampus_sdk.importing.rows import Fate, Lookup
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.spool import Progress, Spool, model_of


def import_file(
    file: Path, layout: str, context: Mapping[str, str], *, config: Path, spool: Path, dry_run: bool,
    report_to: Path | None,
) -> tuple[str, bool]:  # fmt: skip
    """Judge an export and, unless it is a dry run, spool and send its ready rows; the text, and whether all is well.

    A dry run looks references up at the platform when there are settings, and otherwise takes them as known.
    """
    chosen = mapping.load(layout)
    table = sheets.read(file, chosen.sheet)
    client = settings.load(config).client() if config.exists() or not dry_run else None
    try:
        lookup = _lookup(client) if client is not None else _as_if_known
        fates = list(rows.judge(chosen, table, context=context, lookup=lookup, check=checking.check))
        if report_to is not None:
            _write(report_to, fates)
        text = report.summary(fates)
        wrong = any(fate.kind == "wrong" for fate in fates)
        if dry_run or client is None:
            return f"{text}\nnothing was sent (dry run)", not wrong
        progress = _send(client, spool, chosen, fates)
    finally:
        if client is not None:
            client.close()
    return f"{text}\n{shown(progress)}", not wrong and not progress.refused


def status(spool: Path) -> str:
    """Where a spool stands, and the refused records with their reasons."""
    opened = Spool(spool)
    try:
        lines = [shown(opened.progress())]
        for refused in opened.refused():
            remedy = refused.problem.remedy or ""
            lines.append(
                f"  refused {refused.operation} {refused.external_id}: {refused.problem.code} {remedy}".rstrip()
            )
        return "\n".join(lines)
    finally:
        opened.close()


def drain(spool: Path, config: Path) -> tuple[str, bool]:
    """Send what waits; the text, and whether nothing was refused. Raises what the client raises."""
    with settings.load(config).client() as client, Reporter(client, spool) as reporter:
        progress = reporter.drain(lambda now: print(shown(now), flush=True))
        return shown(progress), not progress.refused


def shown(progress: Progress) -> str:
    """One line."""
    trouble = f" (stopped: {progress.trouble})" if progress.trouble else ""
    return f"done {progress.done}, refused {progress.refused}, waiting {progress.waiting}{trouble}"


def _send(client: Client, spool: Path, layout: mapping.Mapping, fates: list[Fate]) -> Progress:
    kind = model_of(layout.schema)
    if kind is None:
        raise MappingError(f"operation: the SDK has no model of {layout.schema}")
    with Reporter(client, spool) as reporter:
        reporter.add_all(msgspec.convert(fate.record, type=kind) for fate in fates if fate.record is not None)
        return reporter.drain()


def _lookup(client: Client) -> Lookup:
    """Own reference -> identifier, asked once each."""

    @cache
    def found(collection: str, reference: str) -> str | None:
        listing = getattr(client, collection.replace("-", "_"))
        item = listing.find(reference)
        return None if item is None else str(item.id)

    return found


def _as_if_known(collection: str, reference: str) -> str:
    """Without a platform to ask: an identifier of the right form, so that everything else is judged."""
    for operation in operations().values():
        if operation.method == "GET" and operation.path.startswith(f"/v1/{collection}/{{"):
            pattern = next(item.schema for item in operation.parameters if item.location == "path")["pattern"]
            return f"{pattern.removeprefix('^').partition('_')[0]}_{'0' * 26}"
    raise MappingError(f"lookup: the contract has no resource {collection!r}")


def _write(path: Path, fates: list[Fate]) -> None:
    if path.suffix == ".json":
        listed = [asdict(fate) | {"record": None} for fate in fates]
        path.write_text(json.dumps(listed, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    else:
        path.write_bytes(report.as_csv(fates))
