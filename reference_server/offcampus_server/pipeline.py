"""One request's way through the house: transport, identity, contract, idempotency, use case, answer.

Each step either hands on or raises a `Problem`; a refused request has changed nothing but the audit trail and the
nonce that it used up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from offcampus_rules import RuleSet

from offcampus_server.kernel import contract, idempotency, json_door, signatures
from offcampus_server.kernel.access import Party, require_scope
from offcampus_server.kernel.clock import security_now
from offcampus_server.kernel.contract import Answer, Bound, Call
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.signatures import Nonce
from offcampus_server.kernel.unit_of_work import Caller, Storage, Work
from offcampus_server.parties import service as parties
from offcampus_server.parties import tokens
from offcampus_server.parties.service import Credentials
from offcampus_server.settings import Settings

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str

    @property
    def language(self) -> str:
        """zh-CN unless English is asked for first."""
        asked = self.headers.get("accept-language", "").strip().lower()
        return "en" if asked.startswith("en") else "zh-CN"


@dataclass(frozen=True)
class Caught:
    """Who calls, as far as tokens and signatures tell."""

    claims: tokens.Claims
    nonce: Nonce | None = None


@dataclass
class Platform:
    """Everything that one server process holds."""

    settings: Settings
    storage: Storage
    keyring: Keyring
    rules: Callable[[], RuleSet]
    operations: Mapping[str, Bound] = field(default_factory=dict)

    def serve(self, operation_id: str, path: Mapping[str, str], received: Received) -> Answer:
        """Answer one request of an operation. Raises Problem."""
        bound = self.operations[operation_id]
        caught = self._identify(bound, received)
        body = _body(bound, received)
        query = parse_qsl(received.query, keep_blank_values=True, errors="replace")
        call: Call | None = None
        refused: Problem | None = None
        try:
            call = contract.check_request(bound, path, query, received.headers, body)
        except Problem as problem:
            refused = problem  # told only after the caller's scope is known: nobody probes shapes without the right
        if bound.operation.method == "GET" or (bound.operation.scope is None and caught is None):
            answer = self._read_or_issue(bound, call, refused, caught, received)
        else:
            answer = self._write(bound, call, refused, caught, received)
        self._check_answer(bound, answer)
        return answer

    def _read_or_issue(
        self, bound: Bound, call: Call | None, refused: Problem | None, caught: Caught | None, received: Received
    ) -> Answer:
        if bound.operation.method != "GET":
            whose = Caller(None, received.request_id, received.language)
            return self.storage.write(lambda work: bound.handler(_fit(call, refused), work), whose)
        with self.storage.reading(Caller(None, received.request_id, received.language)) as work:
            work.party = self._party(bound, caught, work)
            return bound.handler(_fit(call, refused), work)

    def _write(
        self, bound: Bound, call: Call | None, refused: Problem | None, caught: Caught | None, received: Received
    ) -> Answer:
        def use(work: Work) -> Answer:
            work.party = self._party(bound, caught, work)
            _spend(work, caught)
            return idempotency.once(_fit(call, refused), work, bound.handler)

        def note(work: Work, problem: Problem) -> None:
            if caught is None or problem.code in ("signature.replayed", "auth.token_invalid"):
                return
            work.party = parties.load(work.connection, caught.claims.party_id, caught.claims.scopes)
            if caught.nonce is not None:
                parties.use_once(work, "nonce", caught.nonce.key_id, caught.nonce.value, caught.nonce.expires_at)
            if problem.remember is not None:
                problem.remember(work)
            subject = next(iter(call.path.values()), "-") if call is not None else "-"
            work.audit(bound.operation.operation_id, subject, None, "refused", {"code": problem.code})
            work.flush()

        whose = Caller(None, received.request_id, received.language)
        return self.storage.write(use, whose, on_refusal=note)

    def _identify(self, bound: Bound, received: Received) -> Caught | None:
        operation = bound.operation
        if operation.scope is None:
            return None
        scheme, _, token = received.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Problem("auth.token_missing")
        now = security_now()
        claims = tokens.check_token(token.strip(), self.keyring, self.settings.issuer, now)
        if not operation.signed:
            return Caught(claims)
        url = self.settings.issuer + received.path + (f"?{received.query}" if received.query else "")
        keys = self._credentials(claims.party_id).jwks
        nonce = signatures.verify_request(
            received.method, url, received.headers, received.body, keys, claims.key_id, now
        )
        return Caught(claims, nonce)

    def _credentials(self, party_id: str) -> Credentials:
        with self.storage.reading() as work:
            found = parties.credentials(work.connection, party_id)
        if found is None:
            raise Problem("auth.token_invalid", "the party is not registered or is disabled")
        return found

    def _party(self, bound: Bound, caught: Caught | None, work: Work) -> Party | None:
        if caught is None:
            return None
        party = parties.load(work.connection, caught.claims.party_id, caught.claims.scopes)
        require_scope(party, bound.operation)
        return party

    def _check_answer(self, bound: Bound, answer: Answer) -> None:
        if not self.settings.validate_answers:
            return
        status = str(answer.status)
        if status not in bound.answers:
            raise AssertionError(f"{bound.operation.operation_id} answered {status}, which the contract has not")
        validator = bound.answers[status]
        if validator is not None and not validator.is_valid(answer.body):
            error = next(validator.iter_errors(answer.body))
            raise AssertionError(f"{bound.operation.operation_id} breaks its contract: {error.message}")


def _fit(call: Call | None, refused: Problem | None) -> Call:
    if refused is not None:
        raise refused
    assert call is not None
    return call


def _spend(work: Work, caught: Caught | None) -> None:
    if caught is None or caught.nonce is None:
        return
    nonce = caught.nonce
    if not parties.use_once(work, "nonce", nonce.key_id, nonce.value, nonce.expires_at):
        raise Problem("signature.replayed")


def _body(bound: Bound, received: Received) -> Any:
    wanted = bound.operation.request_media_type
    if wanted is None:
        return None
    given = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    accepted = {wanted, "application/json"} if bound.operation.patch else {wanted}
    if given not in accepted:
        raise Problem("request.media_type", f"this operation accepts {' or '.join(sorted(accepted))}")
    if wanted == FORM:
        return _form(received.body)
    return json_door.parse(received.body)


def _form(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        raise Problem("json.malformed", "the body is not a form") from None
    if len(dict(pairs)) != len(pairs):
        raise Problem("json.duplicate_key", "a form field stands twice")
    return dict(pairs)


def path_of(url: str) -> str:
    """The path of an address."""
    return urlsplit(url).path
