"""How a system signs its writes (RFC 9421), part by part: a fault in one part is named by one check."""

from __future__ import annotations

from offcampus_conformance.checks.connecting.declare import connecting
from offcampus_conformance.checks.traffic import writes
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, NotMet, View

AGE_S, AHEAD_S, LIFETIME_S, NONCE_LENGTH = 300, 10, 300, 22
REQUIREMENTS = ("M-10.1", "M-14.1")


def signed(view: View) -> list[Exchange]:
    """Every write that must be signed and carries a signature. Raises NotMet when there is none."""
    found = [exchange for exchange in writes(view) if exchange.facts.get("signature", {}).get("present")]
    if not found:
        raise NotMet("no signed write arrived")
    return found


@connecting(
    "SIGN-001", requirements=REQUIREMENTS, title_zh="每次写操作均有有效签名",
    remedy_en="Sign every write by RFC 9421 with your registered key, over the request exactly as it is sent.",
    remedy_zh="每次写操作均以登记密钥按 RFC 9421 对实际发送的请求签名。",
)  # fmt: skip
def every_write_is_signed(view: View) -> None:
    """Each write carries a signature that holds under a registered key."""
    for exchange in writes(view):
        facts = exchange.facts.get("signature")
        if facts is not None and facts["trouble"] is not None:
            deviate(
                "a signature that holds under a registered key", facts["trouble"], exchange, where="header Signature"
            )


@connecting(
    "SIGN-002", requirements=REQUIREMENTS, title_zh="随机数不重复使用", needs=("SIGN-001",),
    remedy_en="Make a new nonce for each attempt, retries included; only the Idempotency-Key stays.",
    remedy_zh="每次尝试（含重试）使用新的 nonce，仅 Idempotency-Key 保持不变。",
)  # fmt: skip
def nonces_are_used_once(view: View) -> None:
    """No nonce is used twice, not even by a retry."""
    seen: dict[str, Exchange] = {}
    for exchange in signed(view):
        nonce = str(exchange.facts["signature"]["nonce"])
        if nonce in seen:
            deviate("a fresh nonce", "one used before", seen[nonce], exchange, where="header Signature-Input nonce")
        seen[nonce] = exchange


@connecting(
    "SIGN-003", requirements=REQUIREMENTS, title_zh="签名覆盖全部必需项", needs=("SIGN-001",),
    remedy_en="Cover @method @authority @path @query authorization; with a body content-digest and content-type; "
    "if present idempotency-key and if-match.",
    remedy_zh="签名须覆盖 @method @authority @path @query authorization；有正文时加 content-digest 与 content-type；"
    "存在时加 idempotency-key 与 if-match。",
)  # fmt: skip
def signatures_cover_enough(view: View) -> None:
    """Each signature covers all that the security chapter lists for such a request."""
    for exchange in signed(view):
        if missing := exchange.facts["signature"]["uncovered"]:
            deviate(f"{', '.join(missing)} covered", "not covered", exchange, where="header Signature-Input")


@connecting(
    "SIGN-004", requirements=REQUIREMENTS, title_zh="签名时间新鲜且有效期不超过300秒", needs=("SIGN-001",),
    remedy_en="Set created from a clock that is in step (NTP) at each attempt, and expires at most 300 s later.",
    remedy_zh="每次尝试以已校准时钟设置 created，expires 不晚于其后300秒。",
)  # fmt: skip
def signatures_are_fresh(view: View) -> None:
    """created is the present, and expires at most 300 seconds later."""
    for exchange in signed(view):
        facts = exchange.facts["signature"]
        skew, life = facts["created_skew_s"], facts["lifetime_s"]
        if skew is None or not -AGE_S <= skew <= AHEAD_S:
            deviate(f"created within -{AGE_S}/+{AHEAD_S} s of now", f"{skew} s", exchange, where="created")
        if life is None or not 0 < life <= LIFETIME_S:
            deviate(f"expires at most {LIFETIME_S} s after created", f"{life} s", exchange, where="expires")


@connecting(
    "SIGN-005", requirements=REQUIREMENTS, title_zh="Content-Digest 与正文一致", needs=("SIGN-001",),
    remedy_en="Compute Content-Digest (sha-256, RFC 9530) over the very bytes that are sent, after any encoding.",
    remedy_zh="对实际发送的字节计算 Content-Digest（sha-256，RFC 9530）。",
)  # fmt: skip
def the_digest_is_that_of_the_body(view: View) -> None:
    """Content-Digest is the digest of the bytes that arrived."""
    for exchange in signed(view):
        if not exchange.facts["signature"]["digest"]:
            deviate("the digest of the body", "another one, or none", exchange, where="header Content-Digest")


@connecting(
    "SIGN-006", requirements=REQUIREMENTS, title_zh="随机数至少128位", needs=("SIGN-001",),
    remedy_en="Take 128 random bits for each nonce: at least 22 characters of base64url; no counter, no time.",
    remedy_zh="nonce 取128位随机数（base64url 至少22字符），不得用计数器或时间。",
)  # fmt: skip
def nonces_are_long_enough(view: View) -> None:
    """A nonce has at least 22 characters."""
    for exchange in signed(view):
        nonce = str(exchange.facts["signature"]["nonce"] or "")
        if len(nonce) < NONCE_LENGTH:
            deviate(
                f"at least {NONCE_LENGTH} characters", f"{len(nonce)}", exchange, where="header Signature-Input nonce"
            )


@connecting(
    "SIGN-007", requirements=REQUIREMENTS, title_zh="签名标签与用途符合规范，且不含算法参数", needs=("SIGN-001",),
    remedy_en="Use the label ofc and tag=\"ofc-request\"; leave alg out: the key says which algorithm.",
    remedy_zh="使用标签 ofc 与 tag=\"ofc-request\"，不含 alg 参数。",
)  # fmt: skip
def signatures_are_of_the_profile(view: View) -> None:
    """Label ofc, tag ofc-request, no alg."""
    for exchange in signed(view):
        facts = exchange.facts["signature"]
        wrong = [name for name in ("label", "tag") if not facts[name]] + (["alg"] if facts["alg"] else [])
        if wrong:
            deviate("label ofc, tag ofc-request, no alg", f"wrong: {', '.join(wrong)}", exchange,
                    where="header Signature-Input")  # fmt: skip
