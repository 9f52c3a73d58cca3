"""The web face over plain HTTP: what it shows, and whom it answers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from mini_profile import Mini
from offcampus_conformance import run as engine
from offcampus_conformance.config import Config, load
from offcampus_conformance.record import Record
from offcampus_conformance.web.server import WebFace
from offcampus_conformance.web.session import Session
from test_running import scenario

Scenario = Callable[[Config, Record, Callable[[str], None]], None]
CARD = SimpleNamespace(
    step="enrol", action="register_pupil", title_en="Register a pupil", title_zh="登记学员",
    given={"external_id": "p-1"}, at="2026-09-01T10:00:00+08:00", arrives=("registerPupil",),
)  # fmt: skip


@pytest.fixture
def face(mini: Mini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebFace]:
    """The web face of the small profile; `face.play` sets what its scenario does."""
    config = tmp_path / "conformance.toml"
    config.write_text('[target]\nprofile = "rules"\nplugin = "."\n', encoding="utf-8")
    made = WebFace(Session(replace(load(config), tag="tag"), tmp_path / "out"))
    monkeypatch.setattr(engine, "find_spec", lambda name: object())
    play: list[Scenario] = [scenario()]
    monkeypatch.setattr(
        engine, "import_module", lambda name: SimpleNamespace(carry_out=lambda *given: play[-1](*given))
    )
    made.play = play.append  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.stop()
    thread.join()


@pytest.fixture
def browser(face: WebFace) -> Iterator[httpx2.Client]:
    """Something that asks like a browser on this machine."""
    with httpx2.Client(base_url=face.address, trust_env=False, timeout=10) as client:
        yield client


def ended(face: WebFace) -> None:
    """Wait for the end of the run."""
    deadline = time.monotonic() + 10
    while face.session.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not face.session.running


def post(browser: httpx2.Client, face: WebFace, path: str, **form: Any) -> httpx2.Response:
    return browser.post(path, data={"token": face.token, **form})


def test_a_run_from_start_to_download(face: WebFace, browser: httpx2.Client) -> None:
    """Start, read the failure side by side, take the report, run the one check again."""
    face.play(scenario(bad=201))  # type: ignore[attr-defined]
    start = browser.get("/").text
    assert "X-ONE-002" in start
    assert f'value="{face.token}"' in start
    assert post(browser, face, "/run").headers["location"] == "/run"
    ended(face)
    page = browser.get("/run").text
    assert "不符合" in page
    assert page.index("X-ONE-002") < page.index("X-ONE-001"), "what is red comes first"
    failed = browser.get("/check/X-ONE-002").text
    for text in ("应为", "status 422", "实为", "status 201", "被接受的合法对照", "create.good", "整改 X-ONE-002"):
        assert text in failed
    report = browser.get("/files/report.json")
    assert report.json()["footer"]["conformant"] is False
    assert "attachment" in report.headers["content-disposition"]
    face.play(scenario())  # type: ignore[attr-defined]
    post(browser, face, "/run", only="X-ONE-002")
    ended(face)
    assert face.session.report is not None
    assert [result.check.id for result in face.session.report.results] == ["X-ONE-001", "X-ONE-002"]


def test_it_speaks_english_when_asked(face: WebFace, browser: httpx2.Client) -> None:
    """A cookie, nothing else; and the way back leads nowhere but into the site."""
    assert 'data-lang="zh"' in browser.get("/").text
    assert browser.get("/language", params={"to": "en", "back": "/run"}).headers["location"] == "/run"
    assert 'data-lang="en"' in browser.get("/").text
    for back in ("//evil.example/", "https://evil.example/", "/\\evil.example", "/a\r\nSet-Cookie: x=1"):
        assert browser.get("/language", params={"to": "en", "back": back}).headers["location"] == "/"


def test_verdicts_are_watched_as_they_come(face: WebFace, browser: httpx2.Client) -> None:
    """Each row once, in order, and the end; a page that joins late catches up."""
    post(browser, face, "/run")
    ended(face)
    told = browser.get("/events").text
    assert re.findall(r"^id: (\d+)$", told, re.M) == [str(number) for number in range(1, 8)]
    assert re.findall(r"/check/(X-[A-Z]+-\d+)", told) == ["X-TWO-002", "X-ONE-001", "X-ONE-002", "X-TWO-001"]
    assert told.rstrip().endswith("event: end\ndata: .")
    late = browser.get("/events", params={"after": 6}).text
    assert re.findall(r"^id: (\d+)$", late, re.M) == ["7"]


def test_a_step_by_hand_is_shown_and_waited_for(face: WebFace, browser: httpx2.Client) -> None:
    """The card says what to do; the run goes on with what the person says, and an answer that is late is ignored."""
    said: list[str] = []

    def by_hand(config: Config, record: Record, progress: Callable[[str], None]) -> None:
        progress("by hand")
        assert config.show is not None
        said.append(config.show(CARD))
        scenario()(config, record, progress)

    face.play(by_hand)  # type: ignore[attr-defined]
    post(browser, face, "/run")
    deadline = time.monotonic() + 10
    while face.session.card is None and time.monotonic() < deadline:
        time.sleep(0.01)
    page = browser.get("/run").text
    for text in ("登记学员", "Register a pupil", "p-1", "registerPupil", "已完成"):
        assert text in page
    number = face.session.card_number
    post(browser, face, "/step", number=str(number + 7), reply="done")
    post(browser, face, "/step", number=str(number), reply="nonsense")
    assert said == []
    post(browser, face, "/step", number=str(number), reply="refused")
    ended(face)
    assert said == ["refused"]
    assert face.session.report is not None


def test_a_run_can_be_ended(face: WebFace, browser: httpx2.Client) -> None:
    """Also while it waits for a hand; what was judged is shown, and certifies nothing."""

    def waits(config: Config, record: Record, progress: Callable[[str], None]) -> None:
        progress("waits")
        assert config.show is not None
        config.show(CARD)
        progress("goes on")

    face.play(waits)  # type: ignore[attr-defined]
    post(browser, face, "/run")
    post(browser, face, "/stop")
    ended(face)
    assert face.session.report is not None
    assert not face.session.report.complete


def test_one_run_at_a_time(face: WebFace, browser: httpx2.Client) -> None:
    """A second start shows the run that is going on."""

    def waits(config: Config, record: Record, progress: Callable[[str], None]) -> None:
        assert config.show is not None
        config.show(CARD)

    face.play(waits)  # type: ignore[attr-defined]
    post(browser, face, "/run")
    post(browser, face, "/run")
    assert face.session.number == 1


def test_what_breaks_a_run_is_shown(face: WebFace, browser: httpx2.Client) -> None:
    """A selection that matches nothing is told where the run would have been."""
    post(browser, face, "/run", only="NOPE-*")
    ended(face)
    assert "no check of it matches" in browser.get("/run").text


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({"Host": "evil.example"}, {}),
        ({"Origin": "http://evil.example"}, {}),
        ({"Origin": "null"}, {}),
        ({}, {"token": ""}),
        ({}, {"token": "guessed"}),
    ],
    ids=["another host (DNS rebinding)", "another site", "a sandboxed page", "no token", "another token"],
)
def test_others_start_nothing(
    face: WebFace, browser: httpx2.Client, headers: dict[str, str], form: dict[str, str]
) -> None:
    """A page of another site, or a name that was pointed here, neither reads nor starts anything."""
    refused = browser.post("/run", headers=headers, data={"token": face.token, **form})
    assert refused.status_code == 403
    assert face.session.number == 0
    if headers:
        assert browser.get("/", headers=headers).status_code == 403


def test_nothing_comes_from_outside_and_nothing_else_is_served(face: WebFace, browser: httpx2.Client) -> None:
    """A strict policy on every page, no address of others, and only the report's own files."""
    page = browser.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page.text)
    for path in ("/files/../conformance.toml", "/files/%2e%2e/conformance.toml", "/files/report.json", "/nowhere"):
        assert browser.get(path).status_code == 404
    large = HTTPConnection("127.0.0.1", face.port, timeout=10)
    large.putrequest("POST", "/run")
    large.putheader("Content-Length", "999999999")
    large.endheaders()
    assert large.getresponse().status == 413
    large.close()
