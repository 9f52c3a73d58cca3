"""The web face and the report in a real browser, by keyboard alone, in Chinese and in English."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import PROGRAM, Chromium
from mini_profile import Mini
from offcampus_conformance import output
from offcampus_conformance.config import Config
from offcampus_conformance.record import Record
from offcampus_conformance.web.server import WebFace
from test_running import scenario
from test_web import CARD
from test_web import face as face

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine (Debian: apt-get install chromium)"),
]


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromium]:
    """A browser of its own."""
    browser = Chromium(tmp_path)
    yield browser
    browser.close()


def shot(browser: Chromium, name: str) -> None:
    """Keep a picture where somebody asked for one."""
    if folder := os.environ.get("OFFCAMPUS_SCREENSHOTS"):
        browser.screenshot(Path(folder) / f"{name}.png")


def test_a_run_by_keyboard(face: WebFace, chromium: Chromium) -> None:
    """Start, a step by hand, watch, read a failure side by side, run it again, change the language."""

    def by_hand(config: Config, record: Record, progress: Callable[[str], None]) -> None:
        progress("a step by hand")
        assert config.show is not None
        config.show(CARD)
        scenario(bad=201)(config, record, progress)

    face.play(by_hand)  # type: ignore[attr-defined]
    chromium.goto(face.address)
    assert chromium.see("document.activeElement.id") == "only", "the first field has the focus"
    chromium.tab_to("e.id == 'start'")
    chromium.press("Enter")
    chromium.until("document.getElementById('card') != null")
    assert "登记学员" in chromium.see("document.body.innerText")
    assert "Register a pupil" not in chromium.see("document.body.innerText")
    shot(chromium, "by-hand-zh")
    chromium.tab_to("e.value == 'done'")
    chromium.press("Enter")
    chromium.until("document.getElementById('conclusion') && document.body.innerText.includes('不符合')")
    shot(chromium, "run-zh")
    chromium.tab_to("e.textContent == 'X-ONE-002'")
    chromium.press("Enter")
    chromium.until("document.getElementById('sides') != null")
    boxes = chromium.see(
        "JSON.stringify([...document.querySelectorAll('#sides > div')].map(e => e.getBoundingClientRect().top))"
    )
    assert len(set(boxes.strip("[]").split(","))) == 1, "expected and got stand side by side"
    chromium.tab_to("e.id == 'language'")
    chromium.press("Enter")
    chromium.until("document.documentElement.dataset.lang == 'en' && document.getElementById('sides') != null")
    text = chromium.see("document.body.innerText")
    assert "Expected" in text
    assert "Accepted lawful twin" in text
    assert "应为" not in text
    shot(chromium, "check-en")
    face.play(scenario())  # type: ignore[attr-defined]
    chromium.tab_to("e.id == 'again'")
    chromium.press("Enter")
    chromium.until("document.body.innerText.includes('conforms') && !document.body.innerText.includes('NOT')")
    shot(chromium, "again-en")
    outside = [url for url in chromium.requests if not url.startswith(("about:", face.address))]
    assert outside == [], "nothing is fetched from elsewhere"


@pytest.mark.parametrize(
    ("lang", "seen", "unseen"), [("zh", "不符合", "does NOT conform"), ("en", "does NOT conform", "不符合")]
)
def test_the_report_reads_offline_in_both_languages(
    mini: Mini, tmp_path: Path, chromium: Chromium, lang: str, seen: str, unseen: str
) -> None:
    """One file: its first line is the verdict, the switch works by keyboard, printing opens everything."""
    output.write(mini.report(mini.record(bad=201)), tmp_path / "out")
    chromium.goto((tmp_path / "out" / "report.html").as_uri())
    if lang == "en":
        chromium.tab_to("e.name == 'lang'")
        chromium.see("document.getElementById('lang-en').focus()")
        chromium.press("Space")
        chromium.until("document.getElementById('lang-en').checked")
    head = chromium.see("document.querySelector('h1').innerText")
    assert seen in head
    assert unseen not in chromium.see("document.body.innerText")
    shot(chromium, f"report-{lang}")
    requested: list[Any] = [url for url in chromium.requests if not url.startswith(("file:", "about:"))]
    assert requested == []
