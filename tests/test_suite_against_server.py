"""The suite against the reference server: it passes, and each place that enforces something is missed by name.

Every fault switches one enforcement of the server off; the check that it names must fail. That is the kill table of
the profile `platform`, made by ablation: the suite itself never sees the server's code.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import in_process
import pytest
from offcampus_conformance.config import load
from offcampus_conformance.finding import Verdict
from offcampus_conformance.reports.as_json import evidence, read_evidence
from offcampus_conformance.run import rejudge, run
from offcampus_conformance.verdict import Exit, Result, own_faults
from offcampus_server import pipeline
from offcampus_server.app import create_app, make_platform
from offcampus_server.consumption import decisions as consumption
from offcampus_server.funds import accounts, orders_of_departments, service_quality, settlements, sheets
from offcampus_server.funds import service as funds
from offcampus_server.funds.tables import custody_accounts
from offcampus_server.kernel import batch, idempotency, json_door, resources, rulings, signatures, violations
from offcampus_server.kernel.contract import Answer
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger import shares
from offcampus_server.orders import service as order_service
from offcampus_server.parties import service as parties
from offcampus_server.parties import tokens
from offcampus_server.pupils import service as pupils
from offcampus_server.refunds import decisions as refunds
from offcampus_server.refunds import service as refund_service
from offcampus_server.sandbox import prepare
from offcampus_server.warnings import service as warnings
from offcampus_spec import coherence
from werkzeug.serving import WSGIRequestHandler, make_server

Patch = Callable[[pytest.MonkeyPatch], None]


class Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path, database_url: str | None = None, *, validate: bool = True) -> Iterator[Path]:
    """A sandbox served from this process; yields the suite's configuration file."""
    from offcampus_conformance.demo.processes import free_port

    port = free_port()
    prepared = prepare(folder, port, "110105", database_url)
    settings = prepared.settings
    if not validate:
        settings = type(settings)(**{**vars(settings), "validate_answers": False})
    platform = make_platform(settings)
    server = make_server(
        "127.0.0.1",
        port,
        in_process.with_rounds(create_app(platform=platform).wsgi_app, platform),
        request_handler=Quiet,
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield folder / "conformance.toml"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        platform.storage.engine.dispose()


def verdicts(results: Iterable[Result]) -> dict[str, Verdict]:
    return {result.check.id: result.verdict for result in results}


def not_green(results: Iterable[Result]) -> dict[str, tuple[str, str, str]]:
    """What is not a pass, with its reason."""
    shown = {r.check.id: (r.verdict.value, r.note, str(r.deviation)) for r in results}
    return {id: what for id, what in shown.items() if what[0] != "pass"}


@pytest.mark.slow
def test_the_reference_server_conforms(database_url: str, tmp_path: Path) -> None:
    """Every check passes, on both engines, and the suite itself sends nothing unlawful that it does not mean."""
    judged = in_process.run(tmp_path / "sandbox", database_url)
    assert not_green(judged.results.values()) == {}
    assert own_faults(judged.record) == []


SAMPLE = ("P-*-[0-9][0-9][0-9]", "P-*-getOrder", "P-*-approveRefund")


def test_a_run_over_http_conforms_and_may_be_judged_again(tmp_path: Path) -> None:
    """Over HTTP as a user runs it; the stored evidence judged again gives the same verdicts."""
    with served(tmp_path / "sandbox") as config:
        report = run(load(config), only=SAMPLE)
    assert not_green(report.results) == {}
    assert report.exit is Exit.CONFORMANT
    assert len(report.results) > 100
    stored = json.loads(json.dumps(evidence(report.record, profile="platform", target="t")))
    profile, target, claims, record = read_evidence(stored)
    assert verdicts(rejudge(profile, target, claims, record, SAMPLE).results) == verdicts(report.results)


@dataclass(frozen=True)
class Fault:
    """One enforcement switched off, and the check that must notice."""

    name: str
    killed_by: str
    patch: Patch


def _set(target: object, name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(target, name, value)


def _all(*patches: Patch) -> Patch:
    def apply(patch: pytest.MonkeyPatch) -> None:
        for one in patches:
            one(patch)

    return apply


def _account_as_it_is(call: Any, work: Any) -> Any:
    row = resources.find(work, custody_accounts, call.path["account_id"])
    return Answer(200, accounts.present(work, row), row["version"])


def _lax_json(raw: bytes) -> Any:
    return json.loads(raw.decode("utf-8-sig", "replace"), parse_constant=lambda _: False)


def _page_without_its_last(original: Callable[..., Any]) -> Callable[..., Any]:
    def page(call: Any, work: Any, *given: Any, **named: Any) -> Any:
        answer = original(call, work, *given, **named)
        if answer.body["next_cursor"] is not None:
            answer.body["items"] = answer.body["items"][:-1]
        return answer

    return page


def _reversed(original: Callable[..., Any]) -> Callable[..., Any]:
    def answer(self: Any) -> Any:
        made = original(self)
        made.body["results"].reverse()
        return made

    return answer


def _stale_etag(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(work: Any, table: Any, row: Any, if_match: Any, **columns: Any) -> Any:
        return original(work, table, row, None, **columns)

    return change


def _nothing(*_: Any, **__: Any) -> None:
    return None


FAULTS = (
    Fault(
        "a freeze changes nothing",
        "P-FREEZE-001",
        _set(orders_of_departments, "freeze", lambda call, work: _account_as_it_is(call, work)),
    ),
    Fault("one person settles alone", "P-DIFF-001", _set(settlements, "_check_second", _nothing)),
    Fault("files are read with their formulas", "P-FILE-001", _set(sheets, "_bare", lambda cell, row: cell)),
    Fault("nobody warns of a sweep", "P-WARN-001", _set(warnings, "line_came", _nothing)),
    Fault(
        "a bank's movements are not counted",
        "P-BANK-001",
        _set(
            service_quality,
            "movements",
            lambda rows: {"count": 0, "unmatched": 0, "reported_after": service_quality.timing(())},
        ),
    ),
    Fault("tokens for any audience", "P-AUTH-003", _set(tokens, "_check_claims", _nothing)),
    Fault("scopes are not checked", "P-AUTH-005", _set(pipeline, "require_scope", _nothing)),
    Fault(
        "everybody sees everything",
        "P-AUTH-006",
        _set(resources, "visible", lambda party, table: table.c.id.is_not(None)),
    ),
    Fault("nonces may be used again", "P-SIGN-001", _set(parties, "use_once", lambda *_: True)),
    Fault("signatures never age", "P-SIGN-001", _set(signatures, "_check_times", lambda p, *_: p.get("nonce"))),
    Fault("JSON is read as it comes", "P-JSON-001", _set(json_door, "parse", _lax_json)),
    Fault("formats are not asserted", "P-SCHEMA-001", _set(violations, "check", _nothing)),
    Fault("keys are ignored", "P-IDEM-001", _set(idempotency, "once", lambda call, work, handler: handler(call, work))),
    Fault(
        "any version may be changed",
        "P-COND-001",
        _all(
            _set(resources, "stale", lambda current: ValueError()),
            _set(resources, "merged", lambda document, patch, *_: {**document, **patch}),
            _set(resources, "change", _stale_etag(resources.change)),
        ),
    ),
    Fault("a page loses its last item", "P-PAGE-001", _set(resources, "page", _page_without_its_last(resources.page))),
    Fault("results come in another order", "P-BATCH-001", _set(batch.Batch, "answer", _reversed(batch.Batch.answer))),
    Fault(
        "repetitions are stored anew",
        "P-PAY-001",
        _set(batch.Batch, "check_known", lambda self, table: [setattr(item, "digest", "x") for item in self.open]),
    ),
    Fault(
        "rules do not bind",
        "P-ORDER-002",
        _all(_set(rulings, "require_allowed", _nothing), _set(order_service, "require_allowed", _nothing)),
    ),
    Fault("sums are not checked", "P-ORDER-003", _set(coherence, "order_sum", _nothing)),
    Fault("the future may be consumed", "P-CONS-001", _set(consumption, "check_times", _nothing)),
    Fault("shares are halved", "P-REL-001", _set(shares, "earned", lambda p, c, n: p * c // (2 * n))),
    Fault(
        "the working forgets what is undecided",
        "P-REF-001",
        _set(refunds, "_consumed", lambda account: [refunds.Line("consumed", -account.earned_confirmed, "x", "x")]),
    ),
    Fault("a refund may be asked for twice", "P-REF-002", _set(refund_service, "_check_order", _nothing)),
    Fault(
        "refunds go through one channel",
        "P-REF-003",
        _set(refunds, "parts", lambda amount, paid, back: [(paid[0], min(amount, paid[0].amount_fen))]),
    ),
    Fault("names come back in clear", "P-PRIV-001", _set(pupils, "mask_name", lambda name: name)),
    Fault(
        "an executed instruction may be executed otherwise",
        "P-REL-002",
        _set(funds, "_resolved", lambda row, **_: rulings.Problem("resource.state")),
    ),
    Fault(
        "money is not shown where it is",
        "P-PAY-001",
        _set(order_service, "_money", lambda sums: {**dict.fromkeys(MONEY, 0), "paid_fen": sums.paid}),
    ),
    Fault(
        "the ledger loses a line",
        "P-LEDG-001",
        _set(ledger, "lines", lambda work, order, made=ledger.lines: made(work, order)[:-1]),
    ),
)
MONEY = ("paid_fen", "released_fen", "refunded_fen", "escrow_fen", "pending_release_fen", "pending_refund_fen")


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_missing_enforcement_is_found(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The named check fails; the suite itself makes no error."""
    fault.patch(monkeypatch)
    judged = in_process.run(tmp_path / "sandbox", only=[fault.killed_by], validate=False)
    found = judged.results[fault.killed_by]
    expected = Verdict.WARN if found.check.level == "SHOULD" else Verdict.FAIL
    blamed = [id for id, result in judged.results.items() if result.verdict is expected]
    assert found.verdict is expected or set(blamed) & set(found.roots), f"{found.verdict} {found.note}; {blamed}"
    assert Verdict.ERROR not in verdicts(judged.results.values()).values()
