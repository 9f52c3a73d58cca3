"""Whether a report can be acted on: form, signature, completeness against the frozen set, evidence, and time.

A vendor may sign anything. So a report is held to what a vendor cannot choose: the authority's nonce, the frozen set,
known builds of the suite, the chain of its evidence, and the verdicts that this suite reaches over that evidence.
Levels: A unsigned, or without the authority's nonce; B signed by a known vendor over the nonce; C judged again and
signed by the authority; D run and signed by the authority. The level follows from the key, never from the report.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from offcampus_spec import SPEC_VERSION
from offcampus_spec.schemas import validator

from offcampus_conformance import signing
from offcampus_conformance.check import Check, checks_of
from offcampus_conformance.evidence import Stored, broken_links, digest, stored
from offcampus_conformance.finding import Verdict
from offcampus_conformance.reports.as_json import VALID_FOR, plan_digest, result_json
from offcampus_conformance.trust import Trust
from offcampus_conformance.verdict import GREEN, JUDGED, Exit, judge, own_faults

CLOCK_SKEW = timedelta(minutes=5)
Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One reason why a report cannot be relied on."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True)
class Verification:
    """What holds of a report. `level` is None when anything is wrong with it."""

    level: str | None
    faults: tuple[Fault, ...]
    conformant: bool = False
    signed_by: str | None = None
    waived: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Nothing is wrong with the report; whether the target conforms is another question."""
        return not self.faults


@dataclass(frozen=True)
class Given:
    """What comes with a report, and what the verifier knows."""

    report: bytes
    evidence: bytes | None
    signature: str | None
    trust: Trust
    now: datetime
    nonce: str | None = None
    build_digest: str | None = None
    waivers: tuple[str, ...] = ()
    used_nonces: frozenset[str] = frozenset()


def verify(given: Given) -> Verification:
    """Everything that must hold of a report; never raises for what a report holds."""
    try:
        document = json.loads(given.report.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        return Verification(None, (Fault("report.unreadable", str(error)[:200]),))
    misfits = [
        f"/{'/'.join(map(str, error.instance_path))}: {error.schema_path[-1]}"
        for error in validator("conformance-report").iter_errors(document)
    ]
    if misfits:
        return Verification(None, (Fault("report.schema", "; ".join(misfits[:5])),))
    faults = [fault for rule in RULES for fault in rule(document, given)]
    role, holder, unsigned = _signer(given)
    faults += unsigned
    waived, void = _waivers(document, given)
    faults += void
    red = {r["check"] for r in document["results"] if _reddens(r)}
    conforms = document["footer"]["conformant"] or (_whole(document) and red <= set(waived) and not _erred(document))
    level = None if faults else _level(document, role, given)
    return Verification(level, tuple(faults), conforms and not faults, holder, tuple(waived))


def _level(document: Json, role: str | None, given: Given) -> str:
    if role == "authority":
        return "C" if document["header"]["mode"] == "rejudged" else "D"
    return "B" if role == "vendor" and given.nonce is not None else "A"


def _signer(given: Given) -> tuple[str | None, str | None, list[Fault]]:
    if given.signature is None:
        return None, None, []
    try:
        key = given.trust.keys.get(signing.key_id(given.signature))
        if key is None:
            return None, None, [Fault("signature.stranger", "the key is not in the trust list")]
        if key.not_after is not None and key.not_after < given.now:
            return None, None, [Fault("signature.key_expired", f"the key of {key.holder} is no longer valid")]
        signing.check_detached(given.signature, given.report, key.jwk)
    except signing.SignatureInvalid as error:
        return None, None, [Fault("signature.invalid", str(error))]
    return key.role, key.holder, []


def _waivers(document: Json, given: Given) -> tuple[list[str], list[Fault]]:
    """The checks that an authority waived for this product, and the waivers that are void."""
    waived, void = [], []
    for token in given.waivers:
        try:
            key = given.trust.keys.get(signing.key_id(token))
            if key is None or key.role != "authority":
                void.append(Fault("waiver.issuer", "only an authority in the trust list can waive a check"))
                continue
            waiver = json.loads(signing.check(token, key.jwk, signing.WAIVER_TYPE))
        except (signing.SignatureInvalid, ValueError) as error:
            void.append(Fault("waiver.invalid", str(error)))
            continue
        if not validator("conformance-waiver").is_valid(waiver):
            void.append(Fault("waiver.invalid", "it does not fit the schema conformance-waiver"))
        elif datetime.fromisoformat(waiver["not_after_at"]) < given.now:
            void.append(Fault("waiver.expired", f"the waiver of {waiver['check']} has ended"))
        elif (waiver["profile"], waiver["product"]) != (
            document["header"]["profile"], document["header"]["product"]["name"],
        ):  # fmt: skip
            void.append(Fault("waiver.other_product", f"it is for {waiver['product']} ({waiver['profile']})"))
        else:
            waived.append(str(waiver["check"]))
    return waived, void


def _whole(document: Json) -> bool:
    return bool(document["header"]["plan"]["whole"] and document["footer"]["complete"])


def _erred(document: Json) -> bool:
    return any(r["verdict"] == "error" for r in document["results"]) or bool(document["footer"]["suite_faults"])


def _reddens(result: Mapping[str, Any]) -> bool:
    scored = result["level"] == "MUST" and result["lifecycle"] == "scored"
    return scored and result["verdict"] not in {*GREEN, Verdict.WARN}


def _set(document: Json, given: Given) -> Iterator[Fault]:
    told = document["header"]["set"]
    if (told["id"], told["digest"]) not in given.trust.sets:
        yield Fault("set.unknown", f"requirement set {told['id']} {told['digest'][:20]}… is not one that is accepted")
    suite = document["header"]["suite"]
    if (suite["version"], suite["digest"]) not in given.trust.suites:
        yield Fault("suite.unknown", f"suite {suite['version']} {suite['digest'][:20]}… is not a known build")
    if document["header"]["spec_version"] != SPEC_VERSION:
        yield Fault("spec.other", f"the report is about {document['header']['spec_version']}, not {SPEC_VERSION}")


def _plan(document: Json, given: Given) -> Iterator[Fault]:
    head, results = document["header"], document["results"]
    wanted = [check.id for check in checks_of(head["profile"])]
    listed = [result["check"] for result in results]
    if not _whole(document):
        yield Fault("plan.partial", "a part of the profile was run, or the run was cut short")
    if missing := sorted(set(wanted) - set(listed)):
        yield Fault("plan.missing", f"not judged: {', '.join(missing[:8])}")
    if strange := sorted(set(listed) - set(wanted)):
        yield Fault("plan.strange", f"the profile has no {', '.join(strange[:8])}")
    if len(listed) != len(set(listed)):
        yield Fault("plan.twice", "a check stands twice")
    if head["plan"]["checks"] != listed:
        yield Fault("plan.order", "the results are not those that were planned, in their order")
    if head["plan"]["digest"] != plan_digest(head["profile"], head["plan"]["checks"], head["seed"]):
        yield Fault("plan.digest", "plan, profile and seed are not those that the digest binds")


def _results(document: Json, given: Given) -> Iterator[Fault]:
    known = {check.id: check for check in checks_of(document["header"]["profile"])}
    for result in document["results"]:
        check = known.get(result["check"])
        if check is not None and not _as_declared(result, check):
            yield Fault("result.altered", f"{check.id}: level, life cycle or requirements are not the check's own")
        if (result["finding"] is None) != (result["verdict"] in GREEN):
            yield Fault("result.finding", f"{result['check']}: a finding where it is green, or none where it is not")
        elif result["finding"] is not None and any(
            result["finding"][name] != result[name] for name in ("check", "level", "lifecycle", "verdict")
        ):
            yield Fault("result.finding", f"{result['check']}: the finding is of another result")
        claimed = check is not None and (check.claims is None or check.claims in document["header"]["claims"])
        if result["verdict"] == "skip" and claimed:
            yield Fault("result.skip", f"{result['check']} is skipped although its capability is claimed")


def _as_declared(result: Mapping[str, Any], check: Check) -> bool:
    told = (result["level"], result["lifecycle"], result["requirements"])
    return told == (check.level, check.lifecycle, list(check.requirements))


def _footer(document: Json, given: Given) -> Iterator[Fault]:
    foot, results = document["footer"], document["results"]
    verdicts = Counter(result["verdict"] for result in results)
    if foot["summary"] != dict(verdicts) or foot["judged"] != sum(verdicts[v.value] for v in JUDGED):
        yield Fault("footer.counts", "the counts are not those of the results")
    if foot["results_digest"] != digest(results):
        yield Fault("footer.digest", "the results are not those that the footer binds")
    red = any(_reddens(result) for result in results)
    truly = _whole(document) and not red and not _erred(document) and foot["judged"] > 0
    if foot["conformant"] != truly:
        yield Fault("footer.verdict", "the conclusion does not follow from the results")
    if foot["conformant"] and foot["exit_code"] not in (Exit.CONFORMANT, Exit.BASELINE_STALE):
        yield Fault("footer.exit", f"exit code {foot['exit_code']} beside a conforming result")


def _time(document: Json, given: Given) -> Iterator[Fault]:
    begun = datetime.fromisoformat(document["header"]["started_at"])
    ended = datetime.fromisoformat(document["footer"]["finished_at"])
    until = datetime.fromisoformat(document["footer"]["not_after_at"])
    if begun > ended:
        yield Fault("time.order", "it ended before it began")
    if ended > given.now + CLOCK_SKEW:
        yield Fault("time.future", "it says that it ended in the future")
    if until < given.now:
        yield Fault("time.expired", f"it was valid until {until.isoformat()}")
    if until > ended + VALID_FOR + CLOCK_SKEW:
        yield Fault("time.too_long", "it claims to be valid for longer than a report is")


def _identity(document: Json, given: Given) -> Iterator[Fault]:
    told = document["header"]["nonce"]
    if given.nonce is not None and told != given.nonce:
        yield Fault("nonce.other", "the nonce is not the one that was given for this run")
    if told is not None and told in given.used_nonces:
        yield Fault("nonce.used", "a report with this nonce was already handed in")
    if given.build_digest is not None and document["header"]["product"]["build_digest"] != given.build_digest:
        yield Fault("product.other", "the report is about another build of the product")


def _evidence(document: Json, given: Given) -> Iterator[Fault]:
    if given.evidence is None:
        yield Fault("evidence.missing", "a report without its evidence cannot be judged again")
        return
    try:
        har = json.loads(given.evidence.decode("utf-8"), object_pairs_hook=_once)
        run, broken = stored(har), broken_links(har)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield Fault("evidence.unreadable", str(error)[:200])
        return
    head, told = document["header"], document["footer"]["evidence"]
    if broken:
        yield Fault("evidence.chain", f"edited, moved, or taken from elsewhere at {', '.join(broken[:5])}")
    if told["chain"] != run.chain or told["count"] != len(run.record):
        yield Fault("evidence.other", "the evidence is not that of this report")
    if (run.run_id, run.profile, run.target, sorted(run.claims), run.seed) != (
        head["run_id"], head["profile"], head["target"], head["claims"], head["seed"],
    ):  # fmt: skip
        yield Fault("evidence.run", "run, profile, target, claims or seed are not those of the evidence")
    yield from _outside(document, run)
    yield from _rejudged(document, run)


def _outside(document: Json, run: Stored) -> Iterator[Fault]:
    """Exchanges that lie outside the run's time; a judgement made again says nothing of when the run was."""
    if document["header"]["mode"] != "live":
        return
    begun = datetime.fromisoformat(document["header"]["started_at"]) - CLOCK_SKEW
    ended = datetime.fromisoformat(document["footer"]["finished_at"]) + CLOCK_SKEW
    strange = [e.label for e in run.record if not begun <= _moment(e.started_at, begun) <= ended]
    if strange:
        yield Fault("evidence.time", f"exchanged outside the run's time: {', '.join(strange[:5])}")


def _moment(text: str, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return otherwise - CLOCK_SKEW * 2
    return found if found.tzinfo is not None else otherwise - CLOCK_SKEW * 2


def _rejudged(document: Json, run: Stored) -> Iterator[Fault]:
    """The verdicts that this suite reaches over the evidence are those of the report."""
    head = document["header"]
    fresh = judge(run.record, checks_of(head["profile"]), frozenset(head["claims"]))
    ours = {result.check.id: result_json(result, head["seed"]) for result in fresh}
    for result in document["results"]:
        mine = ours.get(result["check"])
        if mine is not None and mine["verdict"] != result["verdict"]:
            yield Fault("rejudged.verdict", f"{result['check']}: told {result['verdict']}, judged {mine['verdict']}")
        elif mine is not None and mine != result:
            yield Fault("rejudged.finding", f"{result['check']}: its finding is not what the evidence shows")
    faults = own_faults(run.record)
    if bool(faults) and not document["footer"]["suite_faults"]:
        yield Fault("rejudged.suite", "the evidence shows a fault of the suite that the report leaves out")


RULES: tuple[Callable[[Json, Given], Iterator[Fault]], ...] = (
    _set, _plan, _results, _footer, _time, _identity, _evidence,
)  # fmt: skip


def _once(pairs: list[tuple[str, Any]]) -> Json:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)
