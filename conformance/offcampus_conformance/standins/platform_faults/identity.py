"""Platforms that do not look who calls, or whose message it is."""

from __future__ import annotations

import base64
import hashlib
import re

from offcampus_conformance.standins.platform_faults.fault import (
    Answer,
    Memory,
    Seen,
    edited,
    fault,
    problem,
    taken,
    taken_if_refused,
)

CREATED = re.compile(r"created=(-?[0-9]+)")
NONCE = re.compile(r'nonce="([^"]+)"')


def _created(seen: Seen) -> int | None:
    found = CREATED.search(seen.headers.get("signature-input", ""))
    return int(found[1]) if found else None


@fault("P-CALLER-listInstitutions")
def serves_without_a_token(seen: Seen, memory: Memory) -> Answer | None:
    """Reads need no token."""
    wanted = seen.operation is not None and seen.operation.scope is not None and seen.method == "GET"
    return taken(seen) if wanted and "authorization" not in seen.headers else None


@fault("P-AUTH-004")
def trusts_its_own_network(seen: Seen, memory: Memory) -> Answer | None:
    """The list of institutions is open to whoever can reach it."""
    return taken_if_refused(seen, "auth.token_missing") if seen.name == "listInstitutions" else None


@fault("P-PRIV-001")
def answers_names_in_clear(seen: Seen, memory: Memory) -> Answer | None:
    """A registered pupil comes back as it was sent."""
    if seen.name != "registerPupil" or not seen.accepted:
        return None
    return edited(seen, lambda body: body | {"name": (seen.sent() or {}).get("name")})


@fault("P-CALLER-getOrder")
def does_not_verify_tokens(seen: Seen, memory: Memory) -> Answer | None:
    """A token is decoded and its signature not verified."""
    return taken_if_refused(seen, "auth.token_invalid")


@fault("P-CALLER-approveCourse")
def forgets_the_scope_of_approvals(seen: Seen, memory: Memory) -> Answer | None:
    """Whoever has a token may approve."""
    return taken_if_refused(seen, "auth.scope") if seen.name in ("approveCourse", "approveInstitution") else None


@fault("P-AUTH-005")
def lets_a_vendor_confirm_for_the_guardian(seen: Seen, memory: Memory) -> Answer | None:
    """A vendor's confirmation counts."""
    return taken_if_refused(seen, "auth.scope") if seen.name == "confirmConsumption" else None


@fault("P-AUTH-003")
def takes_assertions_for_anybody(seen: Seen, memory: Memory) -> Answer | None:
    """The audience of an assertion is not compared, nor its times, nor its jti."""
    return taken_if_refused(seen, "auth.client_assertion")


@fault("P-AUTH-007")
def takes_the_client_from_the_subject_alone(seen: Seen, memory: Memory) -> Answer | None:
    """Every assertion with a subject is good, whoever signed it."""
    if seen.name == "issueToken" and seen.answer.status == 401:
        memory["refused"] = memory.get("refused", 0) + 1
        return taken(seen) if memory["refused"] > 4 else None
    return None


@fault("P-AUTH-002")
def gives_tokens_for_an_hour(seen: Seen, memory: Memory) -> Answer | None:
    """Tokens live for 3,600 seconds."""
    return (
        edited(seen, lambda body: body | {"expires_in": 3600}) if seen.name == "issueToken" and seen.accepted else None
    )


@fault("P-AUTH-001")
def publishes_its_private_key(seen: Seen, memory: Memory) -> Answer | None:
    """The key set holds the private member d."""
    if seen.name != "getJwks" or not seen.accepted:
        return None
    return edited(seen, lambda body: {"keys": [{**key, "d": "x" * 43} for key in body["keys"]]})


@fault("P-AUTH-008")
def widens_the_scopes_that_were_asked_for(seen: Seen, memory: Memory) -> Answer | None:
    """A token has all scopes of its role, whatever was asked for."""
    if seen.name != "issueToken" or not seen.accepted:
        return None
    return edited(seen, lambda body: body | {"scope": f"{body['scope']} zz:all"})


@fault("P-AUTH-009")
def lets_the_county_approve_online_schools(seen: Seen, memory: Memory) -> Answer | None:
    """Any authority approves anything that it sees."""
    return taken_if_refused(seen, "auth.region")


@fault("P-SIGN-createOrder")
def takes_unsigned_writes(seen: Seen, memory: Memory) -> Answer | None:
    """A write without a signature is taken."""
    return taken_if_refused(seen, "signature.missing")


@fault("P-SIGN-executeCustodyInstruction")
def does_not_verify_signatures(seen: Seen, memory: Memory) -> Answer | None:
    """A signature is looked for and not verified."""
    return taken_if_refused(seen, "signature.invalid")


@fault("P-SIGN-approveRefund")
def takes_yesterday_s_signatures(seen: Seen, memory: Memory) -> Answer | None:
    """The age of a signature does not matter."""
    created = _created(seen)
    return taken(seen) if seen.operation is not None and created is not None and seen.at - created > 3600 else None


@fault("P-SIGN-createPayment")
def takes_tomorrow_s_signatures(seen: Seen, memory: Memory) -> Answer | None:
    """A signature of the future is as good as one of now."""
    created = _created(seen)
    return taken(seen) if seen.operation is not None and created is not None and created - seen.at > 3600 else None


@fault("P-SIGN-001")
def forgets_nonces(seen: Seen, memory: Memory) -> Answer | None:
    """A request may be sent again as it is."""
    found = NONCE.search(seen.headers.get("signature-input", ""))
    if found is None or seen.operation is None:
        return None
    again = found[1] in memory
    memory[found[1]] = True
    return taken(seen) if again else None


@fault("P-SIGN-createCampus")
def lets_signatures_leave_the_path_out(seen: Seen, memory: Memory) -> Answer | None:
    """Whatever a signature covers is enough."""
    covered = seen.headers.get("signature-input", "")
    return taken(seen) if seen.operation is not None and covered and '"@path"' not in covered else None


@fault("P-SIGN-createCourse")
def does_not_compare_the_digest(seen: Seen, memory: Memory) -> Answer | None:
    """Content-Digest is signed, and not compared with the body."""
    given = seen.headers.get("content-digest")
    if given is None or seen.operation is None:
        return None
    right = f"sha-256=:{base64.b64encode(hashlib.sha256(seen.raw).digest()).decode()}:"
    return taken_if_refused(seen, "signature.digest") if given != right else None


@fault("P-AUTH-006")
def tells_foreign_from_missing(seen: Seen, memory: Memory) -> Answer | None:
    """What is another's is forbidden, what does not exist is not found: whoever asks learns which is which."""
    if (
        seen.name != "getInstitution"
        or seen.answer.status != 404
        or seen.values.get("institution_id", "").endswith("0" * 26)
    ):
        return None
    return problem(404, "resource.not_found", detail="this institution belongs to another party")


@fault("P-OWN-getInstitution")
def shows_what_is_another_s(seen: Seen, memory: Memory) -> Answer | None:
    """Whoever knows an identifier may read what it stands for."""
    known = seen.values.get("institution_id", "")
    unknown = known.endswith("0" * 26) or not known.startswith("ins_")
    return taken(seen) if seen.name == "getInstitution" and seen.answer.status == 404 and not unknown else None


@fault("P-OWN-listOrders")
def lists_everybody_s_orders(seen: Seen, memory: Memory) -> Answer | None:
    """The list of orders is one for all."""
    if seen.name != "listOrders" or not seen.accepted:
        return None
    items = (seen.body() or {}).get("items", [])
    memory.setdefault("all", []).extend(items)
    return edited(seen, lambda body: body | {"items": memory["all"]}) if not items else None


@fault("P-CALLER-freezeCustodyAccount")
def lets_anybody_freeze(seen: Seen, memory: Memory) -> Answer | None:
    """Freezing needs a token, and no scope."""
    return taken_if_refused(seen, "auth.scope") if seen.name == "freezeCustodyAccount" else None


@fault("P-PUB-001")
def shows_the_public_what_is_not_approved(seen: Seen, memory: Memory) -> Answer | None:
    """Submitted institutions are public at once."""
    if seen.name != "listPublicInstitutions" or not seen.accepted or "name" not in seen.asked():
        return None
    shown = {"id": "ins_01m89y2pdjehcvzpn3w2b9tgmg", "name": "x"}
    return edited(seen, lambda body: body | {"items": [shown]}) if not (seen.body() or {}).get("items") else None
