"""T3: the disk is full, read-only or broken, or the clock jumps, from a named point of an operation on.

The database itself fails wherever that can be had: on SQLite a limit on its pages, `query_only`, and a limit on the size
of files that makes its write fail; on PostgreSQL a transaction that becomes read-only, and triggers that raise the
server's own codes for a full disk and for an input/output error, at commit by a deferred one. A disk that is really full
under PostgreSQL needs a file system of its own and is not tried here.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from offcampus_server.kernel.problems import Problem
from simulation.points import Points
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from plan.ground import Ground, Site, ground
from plan.measure import Failed, Figures, Options
from plan.races import check_books
from plan.recipes import Asked, money_operations, recipe

KEY = "key-of-a-bad-day"
POINTS = (
    "before insert idempotency_keys", "after insert idempotency_keys", "before insert ledger_transfers",
    "after insert ledger_transfers", "before insert events", "after insert events", "before insert audit",
    "before update orders", "after update orders", "before update ledger_accounts", "before insert custody_instructions",
    "before commit",
)  # fmt: skip
FAULTS = ("full", "read-only", "input/output error", "clock back an hour", "clock forward a day")
CODES = {"full": "53100", "input/output error": "58030"}


def run(options: Options) -> Figures:
    """`count` faults at each point. Raises Failed."""
    figures: Counter[str] = Counter({"points": len(POINTS), "partial entries": 0})
    with ground(options.server) as made:
        come = who_comes(made)
        for number, point in enumerate(POINTS):
            for seed in range(options.first + 1000 * number, options.first + 1000 * number + options.count):
                figures.update(one(made, come[point], point, seed))
    return Figures(figures)


def who_comes(ground: Ground) -> dict[str, list[str]]:
    """Which operations come to which point."""
    come: dict[str, list[str]] = {point: [] for point in POINTS}
    for operation in money_operations():
        site = ground.fresh()
        asked = recipe(operation, site)
        points = Points(site.engine)
        _send(site, operation, asked)
        ground.drop(site)
        for point in POINTS:
            come[point] += [operation] if points.seen[point] else []
    return come


def one(ground: Ground, operations: list[str], point: str, seed: int) -> Counter[str]:
    """One fault at a point of some operation that comes there: nothing of it stays, and afterwards it takes."""
    random = Random(f"{seed}/{point}")
    fault, operation = random.choice(FAULTS), random.choice(operations)
    site = ground.fresh()
    try:
        outcome = _strike(site, operation, point, fault, seed)
    finally:
        ground.drop(site)
    return Counter({"faults": 1, fault: 1, outcome: 1})


def _strike(site: Site, operation: str, point: str, fault: str, seed: int) -> str:
    asked = recipe(operation, site)
    before = site.state()
    points, struck = Points(site.engine), Struck(site)
    if fault.startswith("clock"):
        act: Callable[[], None] = lambda: site.clock.turn(timedelta(hours=-1) if "back" in fault else timedelta(days=1))  # noqa: E731
    else:
        act = struck.prepare(fault, point)
    points.arm(point, act)
    outcome = "took in spite of it"
    try:
        _send(site, operation, asked)
    except Problem as problem:
        outcome = f"refused with {problem.code}"
    except DBAPIError as error:
        outcome = f"refused with {type(error.orig).__name__}"
    points.disarm()
    struck.lift()
    if outcome.startswith("refused"):
        if site.state() != before:
            raise Failed(seed, f"{operation}, {fault} {point}: refused, and something of it stays")
        site.engine.dispose()
        _takes(site, operation, asked, f"{fault} {point}", seed)
    check_books(site, seed)
    return outcome


def _takes(site: Site, operation: str, asked: Asked, what: str, seed: int) -> None:
    """When the trouble is over, the same request takes, once."""
    try:
        first = _send(site, operation, asked)
        again = _send(site, operation, asked)
    except (Problem, DBAPIError) as error:
        raise Failed(seed, f"{operation}, {what}: does not take afterwards: {error}") from error
    if first.body != again.body or "Idempotency-Replayed" not in again.headers:
        raise Failed(seed, f"{operation}, {what}: two effects afterwards")


def _send(site: Site, operation: str, asked: Asked) -> Any:
    return site.serve(asked.party, operation, asked.path, asked.body, KEY, asked.if_match)


class Struck:
    """A database in trouble, and how the trouble ends."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.connection: Connection | None = None
        self.lifts: list[Callable[[], None]] = []
        event.listen(site.engine, "begin", self._begun)

    def prepare(self, fault: str, point: str) -> Callable[[], None]:
        """What to do at the point."""
        sqlite = self.site.url.startswith("sqlite")
        if fault == "read-only":
            return lambda: self._say("PRAGMA query_only=1" if sqlite else "SET TRANSACTION READ ONLY")
        if not sqlite:
            self._trigger(point, CODES[fault])
            return lambda: None
        if fault == "full":
            return self._no_more_pages
        return self._no_more_bytes

    def lift(self) -> None:
        """The trouble is over."""
        for lift in self.lifts:
            lift()
        event.remove(self.site.engine, "begin", self._begun)

    def _begun(self, connection: Connection) -> None:
        self.connection = connection

    def _say(self, statement: str) -> None:
        assert self.connection is not None
        cursor = self.connection.connection.cursor()
        cursor.execute(statement)
        cursor.close()

    def _no_more_pages(self) -> None:
        assert self.connection is not None
        cursor = self.connection.connection.cursor()
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.close()

    def _no_more_bytes(self) -> None:
        wal = Path(f"{self.site.url.removeprefix('sqlite:///')}-wal")
        size = wal.stat().st_size if wal.exists() else 0
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.lifts.append(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    def _trigger(self, point: str, code: str) -> None:
        words = point.split()
        table, verb = (words[2], words[1]) if len(words) == 3 else ("events", "insert")
        raised = (
            "CREATE FUNCTION in_trouble() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'in trouble' USING ERRCODE = '{code}'; END $$"
        )
        if point == "before commit":
            trigger = (
                f"CREATE CONSTRAINT TRIGGER in_trouble AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION in_trouble()"
            )
        else:
            trigger = f"CREATE TRIGGER in_trouble {words[0]} {verb} ON {table} EXECUTE FUNCTION in_trouble()"
        self._alone(raised, trigger)
        self.lifts.append(lambda: self._alone(f"DROP TRIGGER in_trouble ON {table}", "DROP FUNCTION in_trouble()"))

    def _alone(self, *statements: str) -> None:
        with self.site.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
