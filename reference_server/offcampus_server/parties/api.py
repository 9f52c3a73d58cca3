"""Operations of the token endpoint: metadata, keys, tokens."""

from __future__ import annotations

from offcampus_spec.security import roles

from offcampus_server.kernel import party_keys
from offcampus_server.kernel.clock import security_now
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.parties import service, tokens

JTI_KEPT_S = 120


def make_handlers(keyring: Keyring) -> Handlers:
    """The handlers, bound to the server's keys."""
    handlers = Handlers()

    @handlers("getServerMetadata")
    def get_server_metadata(call: Call, work: Work) -> Answer:
        issuer = work.source
        return Answer(
            200,
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}/v1/token",
                "jwks_uri": f"{issuer}/.well-known/jwks.json",
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": party_keys.offered(),
                "grant_types_supported": ["client_credentials"],
                "scopes_supported": sorted(frozenset().union(*roles().values())),
            },
        )

    @handlers("getJwks")
    def get_jwks(call: Call, work: Work) -> Answer:
        return Answer(200, {"keys": keyring.public_jwks()}, headers={"Cache-Control": "public, max-age=600"})

    @handlers("issueToken")
    def issue_token(call: Call, work: Work) -> Answer:
        assertion_text, now = call.body["client_assertion"], security_now()
        credentials = service.credentials(work.connection, tokens.claimed_client(assertion_text))
        if credentials is None:
            raise Problem("auth.client_assertion", "no such client, or it is disabled")
        assertion = tokens.check_assertion(assertion_text, credentials, work.source, now)
        if not service.use_once(work, "jti", assertion.client_id, assertion.jti, now + JTI_KEPT_S):
            raise Problem("auth.client_assertion", "this jti was used before")
        body = tokens.issue(keyring, work.source, assertion, credentials.role, call.body.get("scope"), now)
        return Answer(200, body, headers={"Cache-Control": "no-store"})

    return handlers
