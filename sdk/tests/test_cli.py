"""The command: from nothing to a first call, what is in the way, and what became of an export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx2
import pytest
from offcampus_sdk import Key
from offcampus_sdk.cli import doctor, main, settings
from offcampus_sdk.reporter import Reporter
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.serving import serving
from reporting_child import record
from test_importing import LEDGER, ORDERS


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePlatform]:
    """A platform on a local port, and a folder with settings for it."""
    monkeypatch.chdir(tmp_path)
    with serving(FakePlatform()) as made:
        assert main(["init", "--platform", made.base_url, "--name", "某系统"]) == 0
        made.key = Key.load(tmp_path / "vendor.json")
        text = (tmp_path / settings.NAME).read_text(encoding="utf-8")
        (tmp_path / settings.NAME).write_text(text.replace('client_id = ""', f'client_id = "{made.client_id}"'))
        yield made


def test_from_nothing_to_a_first_call(
    platform: FakePlatform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key for its owner only, a request without a secret, settings; then the platform answers."""
    request = json.loads((tmp_path / "registration.json").read_text(encoding="utf-8"))
    assert request["jwks"]["keys"][0]["kid"] == Key.load(tmp_path / "vendor.json").id
    assert "d" not in request["jwks"]["keys"][0]
    assert (tmp_path / "vendor.json").stat().st_mode & 0o077 == 0
    assert main(["first-call"]) == 0
    assert "standard 0.1" in capsys.readouterr().out
    assert main(["init", "--platform", "https://platform.example"]) == 2
    assert "nothing was changed" in capsys.readouterr().err


def test_a_healthy_connection(platform: FakePlatform, capsys: pytest.CaptureFixture[str]) -> None:
    """Every check is made and says what it saw."""
    assert main(["doctor"]) in (0, 1)
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    names = [line.split(":")[0].split()[1] for line in lines]
    assert names == ["settings", "key", "reachability", "clock", "identity", "standard", "rules"]
    assert all(line.startswith(("ok", "unclear")) for line in lines[:6])


def examined(tmp_path: Path, http: Any, **more: Any) -> dict[str, doctor.Diagnosis]:
    found = doctor.examine(tmp_path / settings.NAME, http=http, **more)
    return {item.name: item for item in found}


def prepared(tmp_path: Path, client_id: str = "pty_1") -> None:
    main(["init", str(tmp_path), "--platform", "https://platform.example"])
    text = (tmp_path / settings.NAME).read_text(encoding="utf-8")
    (tmp_path / settings.NAME).write_text(text.replace('client_id = ""', f'client_id = "{client_id}"'))


def trouble(error: Exception) -> httpx2.MockTransport:
    def handle(_: httpx2.Request) -> httpx2.Response:
        raise error

    return httpx2.MockTransport(handle)


def test_what_is_wrong_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Nothing there, no platform there, no client id, a stranger's key, a clock that is off, another standard."""
    assert examined(tmp_path, None)["settings"].outcome == "wrong"
    prepared(tmp_path)
    assert "firewall" in examined(tmp_path, trouble(httpx2.ConnectError("refused")))["reachability"].to_do
    page = httpx2.MockTransport(lambda _: httpx2.Response(200, text="<html>"))
    assert "no platform" in examined(tmp_path, page)["reachability"].seen
    stranger = FakePlatform(client_id="pty_2")
    found = examined(tmp_path, stranger.transport())
    assert found["identity"].outcome == "wrong"
    assert "registered" in found["identity"].to_do
    (tmp_path / "vendor.json").chmod(0o644)
    assert "chmod 600" in examined(tmp_path, stranger.transport())["key"].to_do
    prepared(tmp_path / "new", client_id="")
    assert "registration.json" in examined(tmp_path / "new", stranger.transport())["registration"].to_do


@pytest.mark.parametrize(("skew", "outcome"), [(0, "ok"), (9, "ok"), (-3600, "wrong"), (11, "wrong")])
def test_the_clock_is_compared_with_the_platforms(tmp_path: Path, skew: int, outcome: str) -> None:
    """Ten seconds are what the platform accepts of the future."""
    prepared(tmp_path)
    platform = FakePlatform(client_id="pty_1")

    def dated(request: httpx2.Request) -> httpx2.Response:
        answer = platform.respond(request)
        answer.headers["date"] = formatdate(1_800_000_000, usegmt=True)
        return answer

    found = examined(tmp_path, httpx2.MockTransport(dated), now=lambda: 1_800_000_000.0 + skew)
    assert found["clock"].outcome == outcome


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "base_url"), ("[platform]\nbase_url = 1", "missing"), ("=", "toml"),
     ('[platform]\nbase_url = "http://platform.example"\nclient_id = "p"\nkey = "k"', "https"),
     ('[platform]\nbase_url = "https://x"\nclient_id = 1\nkey = "k"', "must be a text")],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    """Which file, which key, what is allowed; exit 2."""
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["first-call", "--config", str(path)]) == 2
    assert said in capsys.readouterr().err


def test_an_export_is_judged_and_then_sent(
    platform: FakePlatform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run sends nothing; unknown references are told; the ready rows are sent once, however often it is run."""
    (tmp_path / "export.csv").write_bytes(LEDGER.encode("gb18030"))
    context = ["--set", "institution_id=ins_01kwdpf480fk8v6gaja4c4a5hz"]
    command = ["import", "export.csv", "--mapping", "consumption-ledger", *context, "--report", "fates.csv"]
    assert main([*command, "--dry-run"]) == 1
    assert "0 ready" in capsys.readouterr().out
    for collection, reference in (
        ("orders", "O1"), ("orders", "strange"), ("lessons", "L1"), ("staff", "T1"), ("campuses", "K1"),
    ):  # fmt: skip
        platform.store.create(collection, {"external_id": reference}, "2026-09-01T00:00:00+08:00")
    assert main([*command, "--dry-run"]) == 1
    out = capsys.readouterr().out
    assert "9 rows: 2 ready" in out
    assert "nothing was sent" in out
    assert "reportConsumption" not in platform.calls
    for _ in range(2):
        assert main(command) == 1
        assert "done 2, refused 0, waiting 0" in capsys.readouterr().out
    assert platform.store.effects["C1"] == platform.store.effects["C2"] == 1
    assert (tmp_path / "fates.csv").read_bytes()[:3] == b"\xef\xbb\xbf"


def test_a_dry_run_needs_no_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without settings, references are taken as known and everything else is judged."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    context = ["--set", "institution_id=ins_01kwdpf480fk8v6gaja4c4a5hz"]
    command = ["import", "orders.csv", "--mapping", "orders-sheet", *context, "--report", "fates.json"]
    assert main([*command, "--dry-run"]) == 1
    assert "3 rows: 1 ready, 1 skipped, 1 wrong" in capsys.readouterr().out
    fates = json.loads((tmp_path / "fates.json").read_text(encoding="utf-8"))
    assert [fate["kind"] for fate in fates] == ["ready", "wrong", "skipped"]
    assert all(fate["record"] is None for fate in fates)
    assert main(command) == 2
    for wrong in (["--mapping", "nothing"], ["--mapping", "orders-sheet", "--set", "institution_id"]):
        assert main(["import", "orders.csv", *wrong, "--dry-run"]) == 2


def test_a_spool_is_shown_and_drained(
    platform: FakePlatform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What waits, what was refused and why; an outage exits with 3 and loses nothing."""
    with Reporter(platform.client(), tmp_path / "spool.db") as reporter:
        reporter.add_all(record(number) for number in range(3))
    platform.fault("reportConsumption", "refuse", code="consumption.duplicate", items=[1])
    platform.down_until = platform.now() + 3600
    assert main(["drain", "spool.db"]) == 3
    platform.down_until = 0
    assert main(["drain", "spool.db"]) == 1
    capsys.readouterr()
    assert main(["status", "spool.db"]) == 0
    out = capsys.readouterr().out
    assert "done 2, refused 1, waiting 0" in out
    assert "con-1: consumption.duplicate" in out
    assert main(["status", "nothing.db"]) == 2
