"""One request, one transaction: state, ledger, audit and outbox commit together or not at all.

A write is retried when the engine could not serialise it (PostgreSQL 40001, 40P01). A refusal rolls everything back;
that it was refused is then written by itself, with the nonce that the request used up.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from offcampus_rules import Decision
from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import DBAPIError

from offcampus_server.kernel import audit, observe, outbox
from offcampus_server.kernel.access import Party
from offcampus_server.kernel.clock import Clock
from offcampus_server.kernel.decisions import decisions
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.observe import log
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.vault import Vault

if TYPE_CHECKING:
    from offcampus_rules import RuleSet

Result = TypeVar("Result")
MOST_ATTEMPTS = 8
RETRIED_STATES = frozenset({"40001", "40P01"})
_NOTED = tuple(insert(table) for table in (decisions, audit.audit, outbox.events))


@dataclass(frozen=True)
class Caller:
    """On whose behalf, under which request, and in which language texts for people are written."""

    party: Party | None = None
    request_id: str = ""
    language: str = "zh-CN"


@dataclass
class Work:
    """One open transaction and everything a use case may use. What it emits is written at the end, in one go."""

    connection: Connection
    now: datetime
    rules: RuleSet
    vault: Vault
    source: str
    party: Party | None = None
    request_id: str = ""
    language: str = "zh-CN"
    cursor_secret: bytes = b""
    _audit: list[dict[str, Any]] = field(default_factory=list)
    _events: list[dict[str, Any]] = field(default_factory=list)
    _decisions: list[dict[str, Any]] = field(default_factory=list)

    def audit(
        self, action: str, subject: str, institution_id: str | None, outcome: str = "done", detail: Any = None
    ) -> None:
        """Note who did what to which resource; `detail` never holds personal data."""
        self._audit.append(audit.row(self, action, subject, institution_id, outcome, detail))

    def emit(  # the members of the event
        self, resource: str, verb: str, subject: str, institution_id: str | None, version: int, *,
        state: str | None = None, external_id: str | None = None, region_code: str, bank_id: str | None = None,
    ) -> None:  # fmt: skip
        """Tell subscribers of a change; `resource` and `verb` make the type, `version` orders events of one subject."""
        self._events.append(
            outbox.row(
                self.now,
                self.source,
                resource,
                verb,
                subject,
                institution_id,
                version,
                state=state,
                external_id=external_id,
                region_code=region_code,
                bank_id=bank_id,
            )
        )

    def record(self, decision: Decision, subject: str, institution_id: str | None) -> str:
        """Keep a decision and the facts it judged with the operation that it decided; returns its identifier."""
        decision_id, region_code = new_id("dec"), decision.facts.scope.region
        document, facts = decision.stored(id=decision_id, subject=subject)
        observe.alarms(decision.alarms, region_code)
        self._decisions.append(
            {
                "id": decision_id,
                "subject": subject,
                "institution_id": institution_id,
                "region_code": region_code,
                "outcome": decision.outcome,
                "kind": decision.kind,
                "decided_at": self.now,
                "document": orjson.Fragment(document),
                "facts": orjson.Fragment(facts),
            }
        )
        return decision_id

    def flush(self) -> None:
        """Write what was noted: decisions, audit, events."""
        for statement, rows in zip(_NOTED, (self._decisions, self._audit, self._events), strict=True):
            if rows:
                self.connection.execute(statement, rows)
                rows.clear()


@dataclass
class Storage:
    """Opens units of work on one engine."""

    engine: Engine
    clock: Clock
    rules: Callable[[], RuleSet]
    vault: Vault
    source: str
    cursor_secret: bytes = b""

    @contextmanager
    def reading(self, caller: Caller | None = None) -> Iterator[Work]:
        """A transaction that only reads."""
        with self.engine.connect().execution_options(reading=True) as connection, connection.begin():
            yield self._work(connection, caller or Caller())

    def write(
        self,
        use_case: Callable[[Work], Result],
        caller: Caller | None = None,
        on_refusal: Callable[[Work, Problem], None] | None = None,
    ) -> Result:
        """Run a use case in one transaction, retried when the engine asks for it.

        Raises Problem as the use case raised it, after `on_refusal` ran in a transaction of its own, and
        `server.busy` when the engine could not take the write in time.
        """
        whose = caller or Caller()
        try:
            return self._attempts(use_case, whose)
        except Problem as problem:
            if on_refusal is not None:
                note, refused = on_refusal, problem
                self._attempts(lambda work: note(work, refused), whose)
            raise

    def _attempts(self, use_case: Callable[[Work], Result], caller: Caller) -> Result:
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                with self.engine.begin() as connection:
                    work = self._work(connection, caller)
                    result = use_case(work)
                    work.flush()
                    return result
            except DBAPIError as error:
                if not _passing(error):
                    raise
                if not _may_retry(error) or attempt == MOST_ATTEMPTS:
                    log().warning("write_given_up", error=error, attempts=attempt)
                    raise Problem("server.busy", headers={"Retry-After": "1"}, retry_after_s=1) from error
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, no secret
        raise AssertionError("unreachable")

    def _work(self, connection: Connection, caller: Caller) -> Work:
        return Work(
            connection, self.clock.now(), self.rules(), self.vault, self.source, caller.party, caller.request_id,
            caller.language, self.cursor_secret,
        )  # fmt: skip


def _may_retry(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in RETRIED_STATES


def _passing(error: DBAPIError) -> bool:
    """A trouble that passes: a conflict, a lock held too long, a database that went away. The rest is our fault."""
    busy = getattr(error.orig, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return busy or error.connection_invalidated or _may_retry(error)
