"""How a system shows who it is: assertions, tokens, keys."""

from __future__ import annotations

from offcampus_conformance.checks.connecting.declare import connecting
from offcampus_conformance.checks.traffic import again, arrived, done, sent, tricked, writes
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, NotMet, View

LIFETIME_S, AHEAD_S = 60, 10
REQUESTS_PER_TOKEN = 4


def token_requests(view: View) -> list[Exchange]:
    """Every token request. Raises NotMet when there was none."""
    found = [exchange for exchange in sent(view, "issueToken") if exchange.facts.get("trick") != "down"]
    if not found:
        raise NotMet("no token was asked for")
    return found


@connecting(
    "AUTH-001", requirements=("M-10.1",), title_zh="断言受众为文本，有效期不超过一分钟，不重复使用",
    sends="the played platform takes client assertions at /v1/token",
    remedy_en="Build assertions by RFC 7523: aud is the issuer as one text, at most 60 s long, a fresh jti each.",
    remedy_zh="按 RFC 7523 构造断言：aud 为签发者字符串，有效期不超过60秒，每次使用新的 jti。",
)  # fmt: skip
def assertions_are_lawful(view: View) -> None:
    """Client assertions name the issuer as a text, live at most a minute, and are never used twice."""
    used: set[str] = set()
    for exchange in token_requests(view):
        facts = exchange.facts["assertion"]
        if not facts["aud_is_text"]:
            deviate("aud as one text", "another shape", exchange)
        if facts["lifetime_s"] is None or facts["lifetime_s"] > LIFETIME_S:
            deviate(f"a lifetime of at most {LIFETIME_S} s", f"{facts['lifetime_s']} s", exchange)
        if facts["jti"] is None or facts["jti"] in used:
            deviate("a fresh jti", "none, or one used before", exchange)
        used.add(facts["jti"])


@connecting(
    "AUTH-002", requirements=("M-10.1",), title_zh="每次请求携带有效令牌",
    remedy_en="Send Authorization: Bearer with every request that is not public, and renew the token before it expires.",
    remedy_zh="除公开接口外每次请求携带 Authorization: Bearer，并在过期前更新令牌。",
)  # fmt: skip
def every_request_carries_a_token(view: View) -> None:
    """No request arrives without a token that is alive."""
    for exchange in arrived(view):
        if exchange.facts.get("token"):
            deviate("a token that is alive", exchange.facts["token"], exchange, where="header Authorization")


@connecting(
    "AUTH-003", requirements=("M-10.1",), title_zh="断言的签发者与主体均为接入方标识，签发时间不超前",
    remedy_en="Set iss and sub of the client assertion to your client id, and iat to the present second.",
    remedy_zh="断言的 iss 与 sub 均填 client_id，iat 为当前时间。",
)  # fmt: skip
def assertions_speak_for_the_client(view: View) -> None:
    """iss and sub of an assertion are the client id, and it is not made in the future."""
    for exchange in token_requests(view):
        facts = exchange.facts["assertion"]
        for name in ("iss", "sub"):
            if not facts[f"{name}_is_client"]:
                deviate(f"{name} = the client id", "another value", exchange, where=f"client_assertion {name}")
        if facts["ahead_s"] is None or facts["ahead_s"] > AHEAD_S:
            deviate(f"iat at most {AHEAD_S} s ahead", f"{facts['ahead_s']} s", exchange, where="client_assertion iat")


@connecting(
    "AUTH-004", requirements=("M-10.1",), title_zh="断言以已登记密钥按 Ed25519 签名",
    remedy_en="Sign the client assertion (JWT, alg Ed25519) with the private key whose public part is registered.",
    remedy_zh="以已登记公钥对应的私钥按 Ed25519 签署客户端断言。",
)  # fmt: skip
def assertions_are_signed_by_a_registered_key(view: View) -> None:
    """Each assertion holds under a registered key, with the algorithm of the profile."""
    for exchange in token_requests(view):
        facts = exchange.facts["assertion"]
        if facts["alg"] not in ("Ed25519", "EdDSA"):
            deviate("alg Ed25519", f"{facts['alg']}", exchange, where="client_assertion alg")
        if facts["key"] is None:
            deviate("a signature under a registered key", "none that holds", exchange, where="client_assertion")


@connecting(
    "AUTH-005", level="SHOULD", requirements=("M-10.1",), title_zh="令牌在有效期内重复使用",
    remedy_en="Keep the token until shortly before it expires (it lives 300 s); do not ask for one per request.",
    remedy_zh="令牌（有效期300秒）应缓存至临近过期，不要每次请求都重新获取。",
)  # fmt: skip
def tokens_are_used_while_they_live(view: View) -> None:
    """Not every request asks for a token of its own."""
    asked, others = token_requests(view), arrived(view)
    if len(asked) * REQUESTS_PER_TOKEN > len(others):
        deviate(f"at most one token for {REQUESTS_PER_TOKEN} requests", f"{len(asked)} for {len(others)}", *asked[:3])


@connecting(
    "AUTH-006", requirements=("M-10.1", "M-14.1"), title_zh="令牌失效后重新获取并以同键重发",
    sends="401 auth.token_invalid in the middle of the month: the token was taken back",
    remedy_en="On 401 auth.token_invalid get a new token and send the same request again under the same Idempotency-Key.",
    remedy_zh="收到 401 auth.token_invalid 时重新获取令牌，并以同一 Idempotency-Key 重发同一请求。",
)  # fmt: skip
def a_refused_token_is_replaced(view: View) -> None:
    """After a token was taken back, a new one is fetched and the same request comes again under its key."""
    for exchange in tricked(view, "revoke_token"):
        tokens = [e for e in token_requests(view) if e.facts["arrived_s"] >= exchange.facts["arrived_s"]]
        repeated = [e for e in again(exchange, writes(view)) if e.facts.get("step") == exchange.facts.get("step")]
        if not tokens or not repeated:
            deviate("a new token, and the same request again", "it was given up", exchange)
        if repeated[0].sent_header("idempotency-key") != exchange.sent_header("idempotency-key"):
            deviate("the same Idempotency-Key", "another one", exchange, repeated[0], where="header Idempotency-Key")


@connecting(
    "KEY-001", requirements=("M-10.1", "M-19.3"), title_zh="换钥后仅以新密钥签名", needs=("SIGN-001",),
    sends="the old key is taken off the register after the system has changed over to its new one",
    remedy_en="After changing over, sign every request with the new key; let no part of the product keep the old one.",
    remedy_zh="切换后所有请求均以新密钥签名，产品任何部分不得继续使用旧密钥。",
)  # fmt: skip
def after_rotation_the_new_key_signs(view: View) -> None:
    """After the change of keys no request is signed by the old one."""
    changed = done(view, "use-new-key")
    later = [e for e in writes(view) if e.started_at > changed.started_at and e.facts.get("signature")]
    if not later:
        raise NotMet("no write arrived after the change of keys")
    for exchange in later:
        if exchange.facts["signature"]["key"] == 0:
            deviate("a signature by the new key", "by the old one", changed, exchange, where="header Signature-Input")


@connecting(
    "KEY-002", requirements=("M-10.1", "M-19.3"), title_zh="换钥后以新密钥获取令牌", needs=("AUTH-004",),
    remedy_en="Sign client assertions with the same new key as requests: the token is bound to the key that asked for it.",
    remedy_zh="客户端断言须与请求使用同一新密钥签名，令牌与密钥绑定。",
)  # fmt: skip
def after_rotation_tokens_are_asked_with_the_new_key(view: View) -> None:
    """After the change of keys tokens are asked for with the new key."""
    changed = done(view, "use-new-key")
    later = [e for e in token_requests(view) if e.started_at > changed.started_at]
    if not later:
        deviate("a token asked for with the new key", "no token request after the change", changed)
    for exchange in later:
        if exchange.facts["assertion"]["key"] == 0:
            deviate("an assertion by the new key", "by the old one", changed, exchange, where="client_assertion")
