"""Every form of a report says the same, says it whole, and holds what a target may throw at it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mini_profile import GOOD, Mini, exchange
from offcampus_conformance import output
from offcampus_conformance.evidence import broken_links, stored
from offcampus_conformance.record import Record
from offcampus_conformance.reports.as_html import html_page
from offcampus_conformance.reports.as_json import evidence_of, lines, read_lines, report_json
from offcampus_conformance.reports.as_junit import junit_xml
from offcampus_conformance.reports.as_text import conclusion
from offcampus_conformance.reports.finding_text import curl
from offcampus_conformance.run import rejudge
from offcampus_spec.schemas import validator

HOSTILE = "\x00\ud800<script>alert(1)</script>]]>{{7*7}}\u202e"


def misfits(document: Any) -> list[str]:
    """Where a report does not fit its schema."""
    errors = validator("conformance-report").iter_errors(document)
    return [f"{list(error.instance_path)} {error.message[:100]}" for error in errors]


@pytest.mark.parametrize("answers", [{}, {"bad": 201}, {"good": 500}, {"read": None}, {"good": None, "read": 404}])
def test_a_report_fits_its_schema(mini: Mini, answers: dict[str, Any]) -> None:
    """Whatever the run came to; each result that is not green has a finding with all that it must have."""
    document = report_json(mini.report(mini.record(**answers)))
    assert misfits(document) == []
    for result in document["results"]:
        assert (result["finding"] is None) == (result["verdict"] in ("pass", "skip"))
    assert misfits({**document, "results": [{**document["results"][0], "verdict": "perhaps"}]}) != []


def test_a_finding_names_probe_control_and_root(mini: Mini) -> None:
    """The accepted twin stands beside the probe, and what hangs on the failure names it."""
    results = {entry["check"]: entry for entry in report_json(mini.report(mini.record(bad=201)))["results"]}
    finding = results["X-ONE-002"]["finding"]
    assert finding["exchanges"] == {"probe": ["create.bad"], "control": ["create.good"], "setup": []}
    assert finding["reproduce"][0] == "offcampus-conformance run --only X-ONE-002 --seed 7"
    told = (finding["expected"], finding["got"], finding["where"])
    assert told == ("status 422", "status 201 (identifier.check_digit)", "status")
    blocked = results["X-TWO-001"]["finding"]
    assert (blocked["verdict"], blocked["root_causes"]) == ("blocked", ["X-ONE-002"])
    assert blocked["nothing_sent_because"] is not None


def test_the_stream_is_the_report_and_nothing_without_its_footer(mini: Mini) -> None:
    """Cut off anywhere, it is no report; whole, it is the very same."""
    document = report_json(mini.report())
    rows = list(lines(document))
    assert read_lines("".join(rows)) == document
    for broken in ("", "".join(rows[:-1]), "".join(rows[1:]), "".join([*rows, rows[1]]), "".join([rows[0], *rows])):
        with pytest.raises(ValueError, match=r"header|footer|something else"):
            read_lines(broken)


def test_the_same_run_gives_the_same_bytes(mini: Mini) -> None:
    """But for times, a report depends on seed and behaviour alone; evidence judged again gives the same verdicts."""
    first, second = mini.report(mini.record(bad=201)), mini.report(mini.record(bad=201))
    assert report_json(first)["results"] == report_json(second)["results"]
    run = stored(json.loads(output.document(evidence_of(first))))
    again = rejudge(run.profile, run.target, run.claims, run.record, run_id=run.run_id, seed=run.seed)
    assert report_json(again)["results"] == report_json(first)["results"]
    assert evidence_of(again)["log"]["_chain"] == evidence_of(first)["log"]["_chain"]


def test_the_chain_of_evidence_shows_where_it_was_touched(mini: Mini) -> None:
    """Whole, it holds; and an entry that was edited is named."""
    har = json.loads(output.document(evidence_of(mini.report())))
    assert broken_links(har) == []
    har["log"]["entries"][1]["response"]["status"] = 201
    assert broken_links(har) == ["create.bad"]


def test_hostile_answers_reach_no_page_as_they_are(mini: Mini, tmp_path: Path) -> None:
    """NUL, lone surrogates, markup, direction marks: every file is written, well-formed, and runs nothing."""
    record = Record([
        exchange("create.good", 201, GOOD, HOSTILE),
        exchange("create.bad", 422, {**GOOD, "uscc": "2"}, {"code": HOSTILE}),
        exchange("read", 200, None, HOSTILE),
    ])  # fmt: skip
    report = mini.report(record)
    output.write(report, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script" in page
    ET.fromstring((tmp_path / "junit.xml").read_text(encoding="utf-8"))
    ET.fromstring((tmp_path / "badge.svg").read_text(encoding="utf-8"))
    assert misfits(json.loads((tmp_path / "report.json").read_bytes())) == []
    assert len(stored(json.loads((tmp_path / "evidence.har").read_bytes())).record) == 3


def test_the_page_begins_with_the_verdict_and_folds_what_is_blocked(mini: Mini) -> None:
    """Verdict, root causes, what they block, the clauses; no outside address is fetched, no script is run."""
    page = html_page(mini.report(mini.record(bad=201)))
    places = [page.index(text) for text in ("<h1>", "不符合", 'id="X-ONE-002"', "因此受阻", 'id="M-14.1"')]
    assert places == sorted(places)
    assert [part for part in ("<script", "src=", "@import", "url(", "<link") if part in page] == []
    assert 'lang="zh"' in page
    assert 'lang="en"' in page


def test_junit_shows_what_is_not_green_as_a_failure(mini: Mini) -> None:
    """Blocked is red in CI too; what is not claimed is skipped; what the baseline knows is skipped by name."""
    report = mini.report(mini.record(bad=201))
    suite = ET.fromstring(junit_xml(report))
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("2", "0", "1")
    excused = replace(report, excused=frozenset({"X-ONE-002", "X-TWO-001"}))
    known = ET.fromstring(junit_xml(excused))
    assert (known.get("failures"), known.get("skipped")) == ("0", "3")
    assert "does NOT conform" in conclusion(excused), "the baseline never makes a target conform"


def test_a_command_is_printed_only_when_it_can_be_sent(mini: Mini) -> None:
    """No token in it, no signature that was used, no body whose names are hidden."""
    record = mini.record()
    plain, hidden = record.find("read"), record.find("create.good")
    assert plain is not None
    assert hidden is not None
    assert curl(hidden) is None, "the guardian's name is hidden, so curl cannot send it"
    command = curl(replace(plain, request_headers={"Authorization": "[hidden]", "Accept": "*/*"}))
    assert command == (
        'curl -sS -i -X GET http://target.example/v1/institutions -H "Authorization: Bearer $OFFCAMPUS_TOKEN_VENDOR"'
    )
    assert curl(replace(plain, request_headers={"Signature": "[hidden]"})) is None


def test_nothing_is_signed_that_says_nothing(mini: Mini, tmp_path: Path) -> None:
    """A signature stands beside a verdict only, and an older one does not stay."""
    output.write(mini.report(), tmp_path, mini.vendor)
    assert (tmp_path / "report.jws").exists()
    output.write(mini.report(mini.record(good=None, bad=None, read=None)), tmp_path, mini.vendor)
    assert not (tmp_path / "report.jws").exists()
