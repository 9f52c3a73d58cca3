"""What a report prints to show a finding again is executed, against the same faulty stand-in, and shows it again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from offcampus_conformance.cli import main

SAMPLE = (("vendor", "CutsNames"), ("vendor", "RepeatsItsNonce"))


def ran(*words: str) -> int:
    """Run the command in this process; gives its exit code."""
    return CliRunner().invoke(main, list(words), catch_exceptions=False).exit_code


@pytest.mark.slow
@pytest.mark.parametrize(("system", "fault"), SAMPLE, ids=[fault for _, fault in SAMPLE])
def test_a_printed_command_shows_the_finding_again(system: str, fault: str, tmp_path: Path) -> None:
    """The first command of each failed finding, as it is printed, gives the same expected and got."""
    where = ("--target", f"standin:{system},fault={fault}", "--quiet")
    assert ran("run", *where, "--report", str(tmp_path / "first")) == 1
    results = json.loads((tmp_path / "first" / "report.json").read_bytes())["results"]
    failed = [result["finding"] for result in results if result["verdict"] == "fail"]
    assert failed
    for number, finding in enumerate(failed):
        program, *words = shlex.split(finding["reproduce"][0])
        assert program == "offcampus-conformance"
        again = tmp_path / str(number)
        assert ran(*words, *where, "--report", str(again)) == 1
        by_id = {result["check"]: result for result in json.loads((again / "report.json").read_bytes())["results"]}
        shown = by_id[finding["check"]]["finding"]
        assert (shown["verdict"], shown["expected"]) == ("fail", finding["expected"])


def test_a_stand_in_that_does_not_exist_is_told() -> None:
    """Exit 2, what is allowed, and some of the faults that there are."""
    wrong = CliRunner().invoke(main, ["run", "--target", "standin:moon"])
    assert (wrong.exit_code, "allowed: standin:vendor or standin:bank" in wrong.output) == (2, True)
    fault = CliRunner().invoke(main, ["run", "--target", "standin:vendor,fault=Nothing"])
    assert (fault.exit_code, "names no fault; some of" in fault.output) == (2, True)
