"""Forgeries of a report, each with the kind of fault that must be found. Most are signed properly by the vendor."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from mini_profile import BEGUN, NONCE, Mini
from offcampus_conformance import output, signing
from offcampus_conformance.evidence import chain, digest, genesis
from offcampus_conformance.reports.as_json import evidence_of, plan_digest, report_json
from offcampus_conformance.run import Report
from offcampus_conformance.signature import Key
from offcampus_conformance.trust import trust
from offcampus_conformance.verification import Given, Verification, verify

NOW = BEGUN + timedelta(days=3)


@dataclass
class Filed:
    """What a vendor hands in, open to be forged."""

    report: dict[str, Any]
    har: dict[str, Any] | None
    mini: Mini
    key: Key
    how: dict[str, Any] = field(default_factory=dict)
    signature: str | None = ""
    raw: bytes | None = None

    @property
    def entries(self) -> list[Any]:
        """The exchanges of the evidence."""
        assert self.har is not None
        entries: list[Any] = self.har["log"]["entries"]
        return entries

    def refill(self) -> None:
        """Put the report's own digests and counts right again, as a skilful forger does."""
        results, head, foot = self.report["results"], self.report["header"], self.report["footer"]
        verdicts = [result["verdict"] for result in results]
        foot["results_digest"] = digest(results)
        foot["summary"] = {verdict: verdicts.count(verdict) for verdict in verdicts}
        foot["judged"] = sum(verdict in ("pass", "fail", "warn") for verdict in verdicts)
        head["plan"]["checks"] = [result["check"] for result in results]
        head["plan"]["digest"] = plan_digest(head["profile"], head["plan"]["checks"], head["seed"])

    def rechain(self) -> None:
        """Chain the evidence anew and name it in the report, as a skilful forger does."""
        assert self.har is not None
        log = self.har["log"]
        link = genesis(log["_run"], log["_omissions"])
        for entry in self.entries:
            link = chain(link, {name: value for name, value in entry.items() if name != "_chain"})
            entry["_chain"] = link
        log["_chain"] = link
        self.report["footer"]["evidence"] = {"count": len(self.entries), "chain": link}

    def judged(self) -> Verification:
        """What the authority finds."""
        payload = self.raw if self.raw is not None else output.document(self.report)
        signature = signing.sign_detached(payload, self.key) if self.signature == "" else self.signature
        keys = [
            {"jwk": self.mini.vendor.jwk(), "role": "vendor", "holder": "某公司"},
            {"jwk": self.mini.authority.jwk(), "role": "authority", "holder": "某教委"},
        ]
        har = None if self.har is None else output.document(self.har)
        given = Given(payload, har, signature, trust({"keys": keys}), NOW, NONCE)
        return verify(replace(given, **self.how))


def filed(mini: Mini, report: Report) -> Filed:
    """A report as it is handed in, signed by the vendor."""
    document, har = (json.loads(output.document(made)) for made in (report_json(report), evidence_of(report)))
    return Filed(document, har, mini, mini.vendor)


Forge = Callable[[Filed], None]


def _set(*path: Any, value: Any, refill: bool = False) -> Forge:
    def change(case: Filed) -> None:
        place: Any = case.report
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        if refill:
            case.refill()

    return change


def _how(**how: Any) -> Forge:
    return lambda case: case.how.update(how)


def _named(case: Filed, verdict: str) -> None:
    for result in case.report["results"]:
        if result["verdict"] in ("fail", "blocked"):
            result |= {"verdict": verdict, "finding": None, "note": None}
    case.report["footer"] |= {"conformant": True, "exit_code": 0}
    case.refill()


def _drop_check(case: Filed) -> None:
    case.report["results"] = [result for result in case.report["results"] if result["verdict"] != "fail"]
    case.refill()


def _add(**changes: Any) -> Forge:
    def change(case: Filed) -> None:
        case.report["results"].append({**copy.deepcopy(case.report["results"][0]), **changes})
        case.refill()

    return change


def _twice(case: Filed) -> None:
    case.report["results"].append(copy.deepcopy(case.report["results"][0]))


def _lower(case: Filed) -> None:
    result = case.report["results"][1]
    result["level"] = result["finding"]["level"] = "SHOULD"
    case.refill()


def _edit(case: Filed) -> None:
    case.entries[1]["response"]["status"] = 422


def _delete(case: Filed) -> None:
    del case.entries[1]


def _splice(case: Filed) -> None:
    case.entries[1] = filed(case.mini, case.mini.report(run_id="1" * 32)).entries[1]


def _other_run(case: Filed) -> None:
    other = filed(case.mini, case.mini.report(run_id="1" * 32))
    case.har, case.report["footer"]["evidence"] = other.har, other.report["footer"]["evidence"]


def _old_exchanges(case: Filed) -> None:
    for entry in case.entries:
        entry["startedDateTime"] = "2025-01-01T00:00:00+00:00"


def _own_fault(case: Filed) -> None:
    case.entries[2]["_breaks_contract"] = ["/: required"]


def _rechained(forge: Forge) -> Forge:
    def change(case: Filed) -> None:
        forge(case)
        case.rechain()

    return change


def _no_evidence(case: Filed) -> None:
    case.har = None


def _cut(case: Filed) -> None:
    del case.report["footer"]


def _doubled_member(case: Filed) -> None:
    case.raw = output.document(case.report).replace(b'"results":', b'"footer": {}, "results":', 1)


def _stranger(case: Filed) -> None:
    case.key = Key.generate()


def _bytes_after(case: Filed) -> None:
    case.signature = signing.sign_detached(output.document(case.report), case.key)
    case.report["header"]["target"] = "http://another.example"


def _head(token: str, **changes: Any) -> str:
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    return base64.urlsafe_b64encode(json.dumps({**head, **changes}).encode()).rstrip(b"=").decode()


def _no_algorithm(case: Filed) -> None:
    token = signing.sign_detached(output.document(case.report), case.key)
    case.signature = f"{_head(token, alg='none')}.."


def _another_purpose(case: Filed) -> None:
    case.signature = signing.sign_detached(output.document(case.report), case.key, signing.WAIVER_TYPE)


def _another_key(case: Filed) -> None:
    token = signing.sign_detached(output.document(case.report), Key.generate())
    case.signature = f"{_head(token, kid=case.key.thumbprint)}..{token.split('.')[2]}"


def _no_signature(case: Filed) -> None:
    case.signature = "not.a.signature"


def _key_expired(case: Filed) -> None:
    entry = {"jwk": case.mini.vendor.jwk(), "role": "vendor", "holder": "x", "not_after_at": BEGUN.isoformat()}
    case.how["trust"] = trust({"keys": [entry]})


def waiver(key: str, **changes: Any) -> Forge:
    """Hand in a waiver, signed with one of the two keys."""

    def add(case: Filed) -> None:
        told = {
            "check": "X-ONE-002", "profile": "rules", "product": "学务通", "reason": "ruling pending",
            "not_after_at": (NOW + timedelta(days=9)).isoformat(), **changes,
        }  # fmt: skip
        token = signing.sign(json.dumps(told).encode(), getattr(case.mini, key), signing.WAIVER_TYPE)
        case.how["waivers"] = (*case.how.get("waivers", ()), token)

    return add


NOUGHT = "sha-256:" + "0" * 64
TOMORROW, IN_TEN_YEARS = (NOW + timedelta(days=1)).isoformat(), (NOW + timedelta(days=3650)).isoformat()
RED: dict[str, Any] = {"bad": 201}
HONEST: dict[str, Any] = {}
FORGERIES: tuple[tuple[str, dict[str, Any], Forge, str], ...] = (
    ("a verdict is flipped, and all put right around it", RED, lambda case: _named(case, "pass"), "rejudged.verdict"),
    ("failures are called skipped", RED, lambda case: _named(case, "skip"), "result.skip"),
    ("a failed check is taken out", RED, _drop_check, "plan.missing"),
    ("a check stands twice", HONEST, _twice, "plan.twice"),
    ("a check that does not exist is added", HONEST, _add(check="X-NEW-001"), "plan.strange"),
    ("results in another order", HONEST, lambda case: case.report["results"].reverse(), "plan.order"),
    ("a MUST is made a SHOULD", RED, _lower, "result.altered"),
    ("a requirement is dropped", HONEST, _set("results", 0, "requirements", value=[], refill=True), "result.altered"),
    ("a check is made pending", HONEST, _set("results", 0, "lifecycle", value="pending", refill=True), "result.altered"),
    ("a finding is softened", RED, _set("results", 1, "finding", "got", value="200", refill=True), "rejudged.finding"),
    ("a finding is taken out", RED, _set("results", 1, "finding", value=None, refill=True), "result.finding"),
    ("the conclusion alone is changed", RED, _set("footer", "conformant", value=True), "footer.verdict"),
    ("the counts are changed", HONEST, _set("footer", "judged", value=99), "footer.counts"),
    ("the exit code is changed", HONEST, _set("footer", "exit_code", value=1), "footer.exit"),
    ("the results' digest is another", HONEST, _set("footer", "results_digest", value=NOUGHT), "footer.digest"),
    ("an exchange is edited", RED, _edit, "evidence.chain"),
    ("an exchange is edited, the chain renewed", RED, _rechained(_edit), "rejudged.finding"),
    ("an exchange is deleted", RED, _delete, "evidence.chain"),
    ("an exchange is deleted, the chain renewed", RED, _rechained(_delete), "rejudged.verdict"),
    ("exchanges are reordered", HONEST, lambda case: case.entries.reverse(), "evidence.chain"),
    ("an exchange is spliced in from another run", RED, _splice, "evidence.chain"),
    ("the evidence is that of another run", HONEST, _other_run, "evidence.run"),
    ("the exchanges are of last year", HONEST, _rechained(_old_exchanges), "evidence.time"),
    (
        "an exchange stands twice", HONEST,
        _rechained(lambda case: case.entries.append(copy.deepcopy(case.entries[0]))), "evidence.unreadable",
    ),
    ("a fault of the suite is left out", HONEST, _rechained(_own_fault), "rejudged.suite"),
    ("the evidence is withheld", HONEST, _no_evidence, "evidence.missing"),
    ("the footer is cut off", HONEST, _cut, "report.schema"),
    ("a member stands twice", HONEST, _doubled_member, "report.unreadable"),
    ("a part of the profile was run", HONEST, _set("header", "plan", "whole", value=False), "plan.partial"),
    ("the run was cut short", HONEST, _set("footer", "complete", value=False), "plan.partial"),
    ("another build of the suite", HONEST, _set("header", "suite", "digest", value=NOUGHT), "suite.unknown"),
    ("an easier requirement set", HONEST, _set("header", "set", "digest", value=NOUGHT), "set.unknown"),
    ("an older requirement set", HONEST, _set("header", "set", "id", value="0.9"), "set.unknown"),
    ("another version of the standard", HONEST, _set("header", "spec_version", value="0.0.9"), "spec.other"),
    ("it is out of date", HONEST, _how(now=NOW + timedelta(days=400)), "time.expired"),
    ("it is valid for ever", HONEST, _set("footer", "not_after_at", value=IN_TEN_YEARS), "time.too_long"),
    ("it ended in the future", HONEST, _set("footer", "finished_at", value=TOMORROW), "time.future"),
    ("it ended before it began", HONEST, _set("header", "started_at", value=NOW.isoformat()), "time.order"),
    ("the nonce of another run", HONEST, _set("header", "nonce", value="another"), "nonce.other"),
    ("no nonce", HONEST, _set("header", "nonce", value=None), "nonce.other"),
    ("a nonce for the second time", HONEST, _how(used_nonces=frozenset({NONCE})), "nonce.used"),
    ("another build of the product", HONEST, _how(build_digest="sha-256:" + "9" * 64), "product.other"),
    ("another seed", HONEST, _set("header", "seed", value=8), "plan.digest"),
    ("another target", HONEST, _set("header", "target", value="http://another.example"), "evidence.run"),
    ("other claims", HONEST, _set("header", "claims", value=["webhooks"]), "evidence.run"),
    ("signed by a stranger", HONEST, _stranger, "signature.stranger"),
    ("changed after signing", HONEST, _bytes_after, "signature.invalid"),
    ("no algorithm", HONEST, _no_algorithm, "signature.invalid"),
    ("a signature for another purpose", HONEST, _another_purpose, "signature.invalid"),
    ("another key under the vendor's id", HONEST, _another_key, "signature.invalid"),
    ("a signature that is none", HONEST, _no_signature, "signature.invalid"),
    ("a key that is no longer valid", HONEST, _key_expired, "signature.key_expired"),
    ("a waiver by the vendor itself", RED, waiver("vendor"), "waiver.issuer"),
    ("a waiver that has ended", RED, waiver("authority", not_after_at=BEGUN.isoformat()), "waiver.expired"),
    ("a waiver for another product", RED, waiver("authority", product="别的"), "waiver.other_product"),
    ("a waiver without a reason", RED, waiver("authority", reason=""), "waiver.invalid"),
)  # fmt: skip
