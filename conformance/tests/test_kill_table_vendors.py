"""The kill table of the profile `institution-system`: the good vendor passes, every faulty one is found by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from offcampus_conformance.check import checks_of
from offcampus_conformance.config import Config, PartyConfig
from offcampus_conformance.demo.processes import free_port
from offcampus_conformance.finding import Verdict
from offcampus_conformance.run import Report, run
from offcampus_conformance.standins import driver
from offcampus_conformance.standins.faults.vendors import FAULTS, Fault
from offcampus_conformance.standins.good_vendor import GoodVendor
from offcampus_conformance.verdict import Exit
from offcampus_sdk import Key

CLIENT = "pty_01hq5z8w9mabcdefghjkmnpqrs"


def judged(kind: type[GoodVendor], folder: Path) -> Report:
    """Run the whole profile against one vendor."""
    key = Key.generate()
    (folder / "public.json").write_text(json.dumps(key.public_jwk()), encoding="utf-8")
    port = free_port()
    vendor = kind(f"http://127.0.0.1:{port}", CLIENT, key, folder / "state")
    server = driver.serve(vendor.actions(), 0, vendor.webhook)
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        vendor.address = f"{address}/webhooks"
        party = PartyConfig(CLIENT, folder / "public.json")
        config = Config("institution-system", "", {"vendor": party}, frozenset(), address, port, "110105", None)
        return run(config)
    finally:
        server.shutdown()
        server.server_close()
        vendor.client.close()
        vendor.books.close()


def verdicts(report: Report) -> dict[str, Verdict]:
    return {result.check.id: result.verdict for result in report.results}


def test_the_good_vendor_passes_every_check(tmp_path: Path) -> None:
    """No false alarm: a vendor that does everything right is told so."""
    report = judged(GoodVendor, tmp_path)
    assert {id: verdict for id, verdict in verdicts(report).items() if verdict is not Verdict.PASS} == {}
    assert report.exit is Exit.CONFORMANT


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_is_found_by_its_check(fault: Fault, tmp_path: Path) -> None:
    """The named check fails, with requirement, expected and got; and the suite itself makes no error."""
    report = judged(fault.vendor, tmp_path)
    found = {result.check.id: result for result in report.results}[fault.killed_by]
    assert found.verdict is Verdict.FAIL, f"{fault.name}: {found.verdict} {found.note}"
    assert found.deviation is not None
    assert found.deviation.expected
    assert found.deviation.got
    assert found.check.requirements
    assert Verdict.ERROR not in verdicts(report).values()


def test_every_check_finds_some_fault() -> None:
    """A check that no fault makes red may be a check that cannot fail."""
    without = {check.id for check in checks_of("institution-system")} - {fault.killed_by for fault in FAULTS}
    assert without == {"IS-AUTH-002", "IS-HOOK-004"}, "checks with no fault of their own are listed here"
