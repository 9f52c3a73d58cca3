"""`offcampus-server rules`: what was decided, as a history that `offcampus-rules replay` judges by other rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson
from offcampus_rules import digests
from offcampus_rules.calendar import day_start
from sqlalchemy import RowMapping, select

from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.decisions import decisions
from offcampus_server.kernel.files import written_whole
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.prompt import open_storage, told

FILE = click.Path(path_type=Path)
NOT_THE_RULES = ("id", "subject", "advised")
"""What storing a decision adds, and what plugins in advisory mode said beside it: the archived rules have neither."""


@click.group("rules")
def rules() -> None:
    """The province rules as this server uses them."""


@rules.command("history")
@click.option("--out", type=FILE, required=True, help="the file to write: one case a line (schema rule-history)")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="the first day, Shanghai")
@told
def history(out: Path, since: datetime | None) -> None:
    """Write every decision with the facts it judged; `offcampus-rules replay` asks what other rules would have said."""
    count = untold = 0
    with open_storage().reading() as work, written_whole(out) as target:
        for row in _decided(work, since):
            if row["facts"] is None:
                untold += 1
                continue
            target.write(orjson.dumps(case_of(row), option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    click.echo(f"{count} case(s) written to {out}")
    if untold:
        click.echo(f"{untold} decision(s) left out: they were taken before facts were kept")


def case_of(row: RowMapping) -> dict[str, Any]:
    """A stored decision as a line of a history (schema `rule-history`)."""
    document = {name: value for name, value in row["document"].items() if name not in NOT_THE_RULES}
    case = {
        "case": row["subject"], "question": row["kind"], "facts": row["facts"], "institution": row["institution_id"],
        "decided_at": rfc3339(row["decided_at"]), "outcome": row["outcome"],
        "ruleset_digest": document["ruleset_digest"], "answer_digest": digests.digest(document),
    }  # fmt: skip
    return {name: value for name, value in case.items() if value is not None}


def _decided(work: Work, since: datetime | None) -> Iterator[RowMapping]:
    query = select(decisions).order_by(decisions.c.decided_at, decisions.c.id)
    if since is not None:
        query = query.where(decisions.c.decided_at >= day_start(since.date()))
    yield from work.connection.execution_options(yield_per=1000).execute(query).mappings()
