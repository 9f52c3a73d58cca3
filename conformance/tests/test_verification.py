"""Forged reports: each kind is refused for its own reason, also when the vendor signs the forgery properly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from forgeries import FORGERIES, Forge, filed, waiver
from mini_profile import NONCE, Mini
from offcampus_conformance.evidence import stored
from offcampus_conformance.run import rejudge
from offcampus_conformance.trust import nobody


def test_an_honest_report_holds(mini: Mini) -> None:
    """Signed by a known vendor over the nonce: level B; unsigned or without nonce: A; a red report holds as well."""
    honest = filed(mini, mini.report())
    found = honest.judged()
    assert (found.faults, found.level, found.conformant, found.signed_by) == ((), "B", True, "某公司")
    honest.signature = None
    assert honest.judged().level == "A"
    honest.signature, honest.how = "", {"nonce": None}
    assert honest.judged().level == "A"
    red = filed(mini, mini.report(mini.record(bad=201))).judged()
    assert (red.holds, red.level, red.conformant) == (True, "B", False)


def test_only_an_authority_s_key_lifts_a_report_above_b(mini: Mini) -> None:
    """C: judged again by the authority. D: run by it. The report itself cannot claim either."""
    live = filed(mini, mini.report())
    live.key = mini.authority
    assert live.judged().level == "D"
    run, product = stored(live.har), mini.report().plan.product
    more: dict[str, Any] = {"run_id": run.run_id, "seed": run.seed, "nonce": NONCE, "product": product}
    twice = filed(mini, rejudge(run.profile, run.target, run.claims, run.record, **more))
    twice.how = {"now": datetime.now(UTC) + timedelta(hours=1)}
    assert twice.judged().level == "B", "a vendor's own judgement made again stays the vendor's"
    twice.key = mini.authority
    assert twice.judged().level == "C"


@pytest.mark.parametrize(
    ("answers", "forge", "kind"), [row[1:] for row in FORGERIES], ids=[row[0] for row in FORGERIES]
)
def test_a_forgery_is_refused(mini: Mini, answers: dict[str, Any], forge: Forge, kind: str) -> None:
    """For its own reason, whoever signed it; it has no level and conforms to nothing."""
    case = filed(mini, mini.report(mini.record(**answers)))
    assert case.judged().holds, "the case is honest before it is forged"
    forge(case)
    found = case.judged()
    assert kind in {fault.kind for fault in found.faults}, found.faults
    assert found.level is None
    assert not found.conformant


def test_a_waiver_by_the_authority_counts(mini: Mini) -> None:
    """The failure stays in the report; with every red check waived the product conforms for the time being."""
    case = filed(mini, mini.report(mini.record(read=500)))
    waiver("authority", check="X-ONE-001")(case)
    assert not case.judged().conformant, "another check's waiver does not help"
    waiver("authority", check="X-TWO-001")(case)
    found = case.judged()
    assert (found.holds, found.conformant, found.waived) == (True, True, ("X-ONE-001", "X-TWO-001"))


def test_without_a_trust_list_nobody_signs(mini: Mini) -> None:
    """A signature by a key that nobody vouches for is refused, not ignored."""
    case = filed(mini, mini.report())
    case.how = {"trust": nobody()}
    assert {fault.kind for fault in case.judged().faults} == {"signature.stranger"}
