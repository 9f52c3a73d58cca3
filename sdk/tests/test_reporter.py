"""The durable reporter: kills, lost answers, outages, refusals; every record counts exactly once."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from offcampus_sdk import AuthProblem, Key, ServerTrouble, TransportTrouble, models
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.spool import Spool, SpoolBusy, prepare, put
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example
from offcampus_sdk.testing.serving import serving
from reporting_child import record

CHILD = Path(__file__).with_name("reporting_child.py")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def reporter(platform: FakePlatform, tmp_path: Path) -> Iterator[Reporter]:
    with Reporter(platform.client(), tmp_path / "spool.db", now=Clock()) as made:
        yield made


def counts(reporter: Reporter) -> tuple[int, int, int]:
    progress = reporter.progress()
    return progress.waiting, progress.done, progress.refused


@pytest.mark.parametrize(
    ("records", "kills", "outage_s"),
    [(300, 6, 600), pytest.param(100_000, 50, 3600, marks=pytest.mark.long)],
    ids=["some", "100,000 records, 50 kills, an hour of outage"],
)
def test_kills_and_an_outage_lose_nothing_and_double_nothing(
    tmp_path: Path, records: int, kills: int, outage_s: int
) -> None:
    """Killed at random moments, answers lost, the platform gone for a while: every record arrives, once in effect."""
    chance, speed, key = random.Random(11), 600.0, Key.generate()
    key.save(tmp_path / "key.json")
    began, largest = time.monotonic(), 0
    with serving(FakePlatform(key=key)) as platform:
        platform.fault("reportConsumption", "lost", times=kills // 2)
        command = [sys.executable, str(CHILD), platform.base_url, str(tmp_path), str(records), str(speed)]
        for number in range(kills):
            if number == kills // 2:
                platform.down_until = platform.now() + outage_s / speed
            child = subprocess.Popen(command)
            time.sleep(chance.uniform(0.2, 0.5) if records < 1000 else chance.uniform(0.5, 2.5))
            child.send_signal(signal.SIGKILL)
            child.wait()
        last = subprocess.Popen(command)
        while last.poll() is None:
            largest = max(largest, psutil.Process(last.pid).memory_info().rss if last.poll() is None else 0)
            time.sleep(0.05)
    assert last.returncode == 0
    assert platform.store.effects == {f"con-{number}": 1 for number in range(records)}
    spool = Spool(tmp_path / "spool.db")
    progress = spool.progress()
    spool.close()
    assert (progress.waiting, progress.done, progress.refused, progress.trouble) == (0, records, 0, "")
    seconds = time.monotonic() - began
    print(f"{records} records, {kills} kills: {seconds:.0f} s, {records / seconds:.0f}/s, {largest / 2**20:.0f} MiB")
    assert largest < 200 * 2**20


def test_a_lost_answer_is_repeated_under_the_same_key(platform: FakePlatform, reporter: Reporter) -> None:
    """Done but not answered: the batch is sent again as it was, and the platform gives the stored answer."""
    reporter.add(record(1))
    platform.fault("reportConsumption", "lost", times=99)
    with pytest.raises(TransportTrouble):
        reporter.drain()
    reporter.add(record(2))
    platform.faults.waiting.clear()
    assert reporter.drain().done == 2
    assert platform.store.effects == {"con-1": 1, "con-2": 1}


def test_refused_records_are_set_aside_with_their_problem(platform: FakePlatform, reporter: Reporter) -> None:
    """One bad record does not stop the others, is told with its reason, and is never sent again as it is."""
    assert [reporter.add(record(number)) for number in (0, 1, 2, 1)] == [True, True, True, False]
    platform.fault("reportConsumption", "refuse", code="consumption.exceeds_balance", items=[1])
    assert reporter.drain().refused == 1
    [refused] = reporter.refused()
    assert (refused.external_id, refused.problem.code) == ("con-1", "consumption.exceeds_balance")
    sent = len(platform.calls)
    reporter.drain()
    assert len(platform.calls) == sent
    assert reporter.id_of("con-0") is not None
    assert reporter.id_of("con-1") is None


def test_a_refused_record_is_mended_or_given_up(platform: FakePlatform, reporter: Reporter) -> None:
    """A mended one takes its place and goes out; one that is given up is gone; others cannot be touched."""
    reporter.add_all(record(number) for number in range(3))
    platform.fault("reportConsumption", "refuse", items=[0, 1])
    reporter.drain()
    reporter.spool.replace(msgspec.structs.replace(record(0), class_hours_centi=50))
    reporter.spool.discard("reportConsumption", "con-1")
    with pytest.raises(LookupError, match="no refused record"):
        reporter.spool.discard("reportConsumption", "con-2")
    reporter.drain()
    assert counts(reporter) == (0, 2, 0)


def test_a_whole_batch_that_is_refused_is_halved_to_the_bad_record(platform: FakePlatform, reporter: Reporter) -> None:
    """A record that breaks the contract takes only itself down, and says where it breaks."""
    bad = msgspec.structs.replace(record(5), class_hours_centi=-1)
    reporter.add_all(bad if number == 5 else record(number) for number in range(9))
    reporter.drain()
    assert counts(reporter) == (0, 8, 1)
    [refused] = reporter.refused()
    assert refused.external_id == "con-5"
    assert platform.store.effects.keys() == {f"con-{number}" for number in range(9)} - {"con-5"}


@pytest.mark.parametrize(
    ("kind", "error"), [("token", AuthProblem), ("busy", ServerTrouble), ("unreached", TransportTrouble)]
)
def test_trouble_refuses_no_record(
    platform: FakePlatform, reporter: Reporter, kind: Any, error: type[Exception]
) -> None:
    """A revoked key, a busy platform, a cut wire: the records wait, and the spool says why."""
    reporter.add_all(record(number) for number in range(3))
    platform.fault("reportConsumption", kind, times=99)
    with pytest.raises(error):
        reporter.drain()
    assert counts(reporter) == (3, 0, 0)
    assert reporter.progress().trouble
    platform.faults.waiting.clear()
    assert reporter.drain().trouble == ""


def test_it_waits_longer_each_time_and_as_long_as_it_is_told(platform: FakePlatform, reporter: Reporter) -> None:
    """1, 2, 4 … seconds up to a quarter of an hour, half of it by chance; Retry-After is the least."""
    reporter.add(record(1))
    platform.down_until = platform.now() + 3600
    waits = []
    for _ in range(12):
        with pytest.raises(TransportTrouble):
            reporter.drain()
        waits.append(reporter.spool.trouble()[1] - 1_000.0)
    for number, wait in enumerate(waits):
        ceiling = min(2.0**number, 900.0)
        assert ceiling / 2 <= wait <= ceiling
    platform.down_until = 0
    platform.fault("reportConsumption", "limited", times=99, retry_after_s=5000)
    with pytest.raises(ServerTrouble):
        reporter.drain()
    assert reporter.spool.trouble()[1] >= 6_000.0


def test_records_of_one_subject_leave_in_order(platform: FakePlatform, reporter: Reporter) -> None:
    """A refund of an order does not overtake its lessons; other orders' records may go ahead."""
    refund = msgspec.structs.replace(
        msgspec.convert(example("refund"), type=models.Refund), order_id=record(1).order_id, external_id="refund"
    )
    reporter.add_all([record(1), refund, msgspec.structs.replace(record(1001), external_id="after"), record(2)])
    reporter.drain()
    assert [call for call in platform.calls if call not in ("issueToken", "getServerMetadata")] == [
        "reportConsumption", "requestRefund", "reportConsumption",
    ]  # fmt: skip
    assert [event["data"]["external_id"] for event in platform.store.events] == ["con-1", "con-2", "refund", "after"]


def test_later_records_can_be_held_back_after_a_refusal(platform: FakePlatform, tmp_path: Path) -> None:
    """On demand: until the refused one is mended or given up, nothing later of its subject is sent."""
    with Reporter(platform.client(), tmp_path / "spool.db", batch_size=1, hold_after_refusal=True) as reporter:
        reporter.add_all([record(1), record(1001), record(2)])
        platform.fault("reportConsumption", "refuse", items=[0])
        reporter.drain()
        assert counts(reporter) == (1, 1, 1)
        reporter.spool.discard("reportConsumption", "con-1")
        reporter.drain()
        assert counts(reporter) == (0, 2, 0)


def test_a_record_is_written_in_the_products_own_transaction(platform: FakePlatform, tmp_path: Path) -> None:
    """What the product rolls back was never to be reported; what it commits is."""
    books = sqlite3.connect(tmp_path / "product.db", isolation_level=None)
    prepare(books)
    books.execute("CREATE TABLE lessons (id TEXT)")
    for number, end in ((1, "ROLLBACK"), (2, "COMMIT")):
        books.execute("BEGIN IMMEDIATE")
        books.execute("INSERT INTO lessons VALUES (?)", (f"con-{number}",))
        assert put(books, record(number))
        books.execute(end)
    books.close()
    with Reporter(platform.client(), tmp_path / "product.db") as reporter:
        reporter.drain()
    assert platform.store.effects == {"con-2": 1}


def test_one_process_at_a_time_sends(reporter: Reporter, tmp_path: Path) -> None:
    """The second is told; adding goes on meanwhile."""
    other = Spool(tmp_path / "spool.db")
    with other.sending():
        assert reporter.add(record(1))
        with pytest.raises(SpoolBusy):
            reporter.drain()
    other.close()
    assert reporter.drain().done == 1


def test_it_runs_by_itself_until_it_is_stopped(platform: FakePlatform, tmp_path: Path) -> None:
    """A thread sends what comes, through an outage, and ends when told."""
    stop = threading.Event()
    with Reporter(platform.client(), tmp_path / "spool.db") as reporter:
        platform.fault("reportConsumption", "unreached", times=5)
        thread = threading.Thread(target=reporter.run, args=(stop,), kwargs={"idle_s": 0.01})
        reporter.add(record(1))
        thread.start()
        deadline = time.monotonic() + 10
        while platform.store.effects != {"con-1": 1} and time.monotonic() < deadline:
            time.sleep(0.01)
        stop.set()
        thread.join(5)
        assert not thread.is_alive()
    assert platform.store.effects == {"con-1": 1}


def test_only_what_an_operation_reports_can_be_spooled(reporter: Reporter) -> None:
    """A part of something else has no operation of its own, and a batch has a size."""
    with pytest.raises(TypeError, match="no operation"):
        reporter.add(record(1).proof)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"1 to 1,000"):
        Spool(reporter.spool.path, batch_size=1001)


def test_the_spool_is_as_durable_and_private_as_it_says(reporter: Reporter) -> None:
    """WAL with full synchronisation, strict tables, for its owner only."""
    db = reporter.spool.db
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(
            "INSERT INTO offcampus_records (operation, external_id, subject, document) VALUES ('x', NULL, 's', 'x')"
        )
    assert reporter.spool.path.stat().st_mode & 0o077 == 0
