"""The security profile: the numbers that server, SDK and suite share, held against the RFCs and against our texts."""

from __future__ import annotations

import pytest
from offcampus_spec import codelists
from offcampus_spec.operations import operations
from offcampus_spec.problems import problems
from offcampus_spec.security import PROFILE, roles

BASE = ("@method", "@authority", "@path", "@query", "authorization")
BODY = ("content-digest", "content-type")


@pytest.mark.parametrize(
    ("headers", "has_body", "covered"),
    [
        ({}, False, BASE),
        ({}, True, (*BASE, *BODY)),
        ({"idempotency-key": "k"}, True, (*BASE, *BODY, "idempotency-key")),
        ({"if-match": '"1"'}, False, (*BASE, "if-match")),
        ({"idempotency-key": "k", "if-match": '"1"'}, True, (*BASE, *BODY, "idempotency-key", "if-match")),
        ({"x-other": "1", "accept-language": "en"}, False, BASE),
    ],
)
def test_what_a_request_signature_covers(headers: dict[str, str], has_body: bool, covered: tuple[str, ...]) -> None:
    """Method, authority, path and query against moving a signature; the token against a stolen one; the body; the key
    and the version when they are sent. Nothing that a proxy may change."""
    assert PROFILE.request.components(headers, has_body=has_body) == covered


def test_target_uri_is_not_covered() -> None:
    """`@target-uri` and `@scheme` break where TLS ends at a proxy."""
    for profile in (PROFILE.request, PROFILE.event):
        assert not {"@target-uri", "@scheme", "@request-target"} & {*profile.always, *profile.with_body}


def test_an_event_is_bound_to_its_receiver_and_its_attempt() -> None:
    """With one platform key, an event for one receiver must not replay at another."""
    assert {"@authority", "@path", "content-digest", "webhook-id", "webhook-timestamp"} <= {*PROFILE.event.always}


def test_tags_keep_requests_and_events_apart() -> None:
    """A signature of one kind never passes for the other."""
    assert PROFILE.request.tag == "ofc-request"
    assert PROFILE.event.tag == "ofc-event"


def test_the_two_windows_of_a_request_are_separate() -> None:
    """One symmetric tolerance would double the life of a replay."""
    assert PROFILE.request.ahead_s_max < PROFILE.request.age_s_max
    assert PROFILE.request.lifetime_s_max <= PROFILE.request.age_s_max


def test_assertions_are_short_lived_and_asymmetric() -> None:
    """A shared secret or `none` would let the platform, or anybody, speak for a party."""
    assert PROFILE.assertion_lifetime_s_max <= 60
    assert PROFILE.token_lifetime_s <= 300
    assert PROFILE.token_type == "at+jwt"
    assert not [name for name in PROFILE.assertion_algorithms if name.upper().startswith(("HS", "NONE", "RS"))]


def test_the_nonce_has_at_least_128_bits() -> None:
    """Sixteen characters of base64url hold 96 bits: a nonce is longer."""
    assert PROFILE.request.nonce_length_min * 6 >= 128


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("signature.expired", PROFILE.request.age_s_max),
        ("signature.clock_skew", PROFILE.request.ahead_s_max),
        ("auth.client_assertion", PROFILE.assertion_lifetime_s_max),
    ],
)
def test_remedies_name_the_profiles_numbers(code: str, number: int) -> None:
    """A remedy that tells another number than the server enforces sends people in circles."""
    assert str(number) in problems()[code].remedy_en
    assert str(number) in problems()[code].remedy_zh


def test_the_coverage_remedy_names_every_component() -> None:
    names = (*PROFILE.request.always, *PROFILE.request.with_body, *PROFILE.request.if_present)
    remedy = problems()["signature.coverage"]
    assert [name for name in names if name not in remedy.remedy_en or name not in remedy.remedy_zh] == []


def test_roles_hold_scopes_that_exist_and_no_role_holds_all() -> None:
    scopes = set(codelists.load("scopes").codes)
    for role, held in roles().items():
        assert held <= scopes, role
        assert held < scopes, role


def test_signed_operations_can_be_refused_for_each_fault_of_a_signature() -> None:
    """Seven ways to get it wrong, each with its own code, at every signed operation."""
    kinds = {code for code in problems() if code.startswith("signature.")}
    assert len(kinds) == 7
    for operation in operations().values():
        if operation.signed:
            assert kinds <= set(operation.problems), operation.operation_id
