"""What a vendor's system sends: by contract, signed, once in effect, and mended when it was refused."""

from __future__ import annotations

from collections import defaultdict

from offcampus_conformance.check import check
from offcampus_conformance.expect import equal, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, View

P = "institution-system"
PUBLIC = ("issueToken", "getServerMetadata", "getJwks", "getCapabilities")


def arrived(view: View) -> list[Exchange]:
    """Every request of the vendor's system to the operations of the contract, but for the public ones."""
    return [e for e in view.steps("arrived.") if e.operation_id is not None and e.operation_id not in PUBLIC]


def writes(view: View) -> list[Exchange]:
    """Every write of the vendor's system."""
    return [exchange for exchange in arrived(view) if exchange.method != "GET"]


def done(view: View, label: str) -> None:
    """The driver says that it carried the step out."""
    status(view.step(label), 200)


@check(
    "IS-AUTH-001", profile=P, level="MUST", requirements=("M-10.1",),
    sends="the played platform takes client assertions at /v1/token",
    remedy_en="Build assertions by RFC 7523: aud is the issuer as one text, at most 60 s long, a fresh jti each.",
    remedy_zh="按 RFC 7523 构造断言：aud 为签发者字符串，有效期不超过60秒，每次使用新的 jti。",
)  # fmt: skip
def assertions_are_lawful(view: View) -> None:
    """Client assertions name the issuer as a text, live at most a minute, and are never used twice."""
    asked = view.of_operation("issueToken")
    if not asked:
        deviate("a token request", "none arrived")
    used: set[str] = set()
    for exchange in asked:
        facts = exchange.facts["assertion"]
        if not facts["aud_is_text"]:
            deviate("aud as one text", "another shape", exchange)
        if facts["lifetime_s"] is None or facts["lifetime_s"] > 60:
            deviate("a lifetime of at most 60 s", f"{facts['lifetime_s']} s", exchange)
        if facts["jti"] is None or facts["jti"] in used:
            deviate("a fresh jti", "none, or one used before", exchange)
        used.add(facts["jti"])


@check(
    "IS-AUTH-002", profile=P, level="MUST", requirements=("M-10.1",),
    remedy_en="Send Authorization: Bearer with every request that is not public, and renew the token before it expires.",
    remedy_zh="除公开接口外每次请求携带 Authorization: Bearer，并在过期前更新令牌。",
)  # fmt: skip
def every_request_carries_a_token(view: View) -> None:
    """No request arrives without a token that is alive."""
    for exchange in arrived(view):
        if exchange.facts.get("token"):
            deviate("a token that is alive", exchange.facts["token"], exchange)


@check(
    "IS-SIGN-001", profile=P, level="MUST", requirements=("M-10.1", "M-14.1"),
    remedy_en="Sign every write by RFC 9421 over the request as it is sent, covering all that the security chapter lists.",
    remedy_zh="每次写操作按 RFC 9421 对实际发送的请求签名，并覆盖安全章节所列全部项。",
)  # fmt: skip
def every_write_is_signed(view: View) -> None:
    """Each write carries a signature that holds, covers enough, and is fresh."""
    for exchange in writes(view):
        if (trouble := exchange.facts.get("signature")) is not None:
            deviate("a signature that holds and covers enough", trouble, exchange)
        skew = exchange.facts.get("created_skew_s")
        if skew is None or not -300 <= skew <= 10:
            deviate("created within -300/+10 s of now", f"{skew} s", exchange)


@check(
    "IS-SIGN-002", profile=P, level="MUST", requirements=("M-10.1",), needs=("IS-SIGN-001",),
    remedy_en="Make a new nonce for each attempt, retries included; only the Idempotency-Key stays.",
    remedy_zh="每次尝试（含重试）使用新的 nonce，仅 Idempotency-Key 保持不变。",
)  # fmt: skip
def nonces_are_used_once(view: View) -> None:
    """No nonce is used twice, not even by a retry."""
    seen: dict[str, Exchange] = {}
    for exchange in writes(view):
        nonce = str(exchange.facts.get("nonce"))
        if nonce in seen:
            deviate("a fresh nonce", "one used before", seen[nonce], exchange)
        seen[nonce] = exchange


@check(
    "IS-CONTRACT-001", profile=P, level="MUST", requirements=("M-07.2", "M-10.1"),
    remedy_en="Validate what you send against the published schemas; no unknown members, no floats, offsets on all times.",
    remedy_zh="发送前按公布的模式校验：无未知成员、无浮点数、时间均带时区。",
)  # fmt: skip
def what_is_sent_fits_the_contract(view: View) -> None:
    """Every body fits its schema."""
    for exchange in writes(view):
        if errors := exchange.facts.get("contract"):
            deviate("a body that fits the contract", "; ".join(errors[:5]), exchange, where=errors[0].partition(":")[0])


@check(
    "IS-IDEM-001", profile=P, level="MUST", requirements=("M-14.1",),
    sends="503 at createInstitution and reportConsumption, a lost answer at createCampus and createOrder",
    remedy_en="Make the Idempotency-Key before the first attempt, store it with the intent, and send it with every retry.",
    remedy_zh="首次尝试前生成 Idempotency-Key，与意图一同保存，每次重试原样携带。",
)  # fmt: skip
def retries_keep_their_key(view: View) -> None:
    """After a 503 or a lost answer the same request comes again under the same key, with the same body."""
    attempts: dict[str, list[Exchange]] = defaultdict(list)
    for name in ("createInstitution", "createCampus", "createOrder"):
        found = view.of_operation(name)
        attempts[name] = found
        if len(found) < 2:
            deviate(f"a retry of {name} after the trouble", f"{len(found)} attempt(s)", *found)
        keys = {exchange.sent_header("idempotency-key") for exchange in found}
        if len(keys) != 1 or None in keys:
            deviate(f"one key over all attempts of {name}", f"{len(keys)} keys", *found)
        if len({exchange.facts["body_digest"] for exchange in found}) != 1:
            deviate(f"the same body in all attempts of {name}", "another body", *found)


@check(
    "IS-IDEM-002",
    profile=P,
    level="MUST",
    requirements=("M-14.1",),
    sends="two materials",
    remedy_en="One key stands for one intended effect: never use it for another.",
    remedy_zh="一个键代表一个意图，不得用于其他请求。",
)  # fmt: skip
def keys_are_not_shared_by_intents(view: View) -> None:
    """No key is used for two different requests."""
    used: dict[tuple[str, str], Exchange] = {}
    for exchange in writes(view):
        key = exchange.sent_header("idempotency-key")
        if key is None or exchange.operation_id is None:
            continue
        first = used.setdefault((exchange.operation_id, key), exchange)
        if first.facts["body_digest"] != exchange.facts["body_digest"]:
            deviate("a key of its own for another body", "the key of an earlier request", first, exchange)


@check(
    "IS-ONCE-001", profile=P, level="MUST", requirements=("M-14.1", "M-07.2"), sends="lost answers",
    remedy_en="After a lost answer repeat with the same key or look the resource up by external_id; never report it as new.",
    remedy_zh="应答丢失后以同键重试或按 external_id 查询，不得作为新记录再次上报。",
)  # fmt: skip
def a_lost_answer_makes_no_double(view: View) -> None:
    """No two different external_ids stand for one thing: one institution, one campus, one order arrive."""
    for name in ("createInstitution", "createCampus", "createOrder"):
        found = view.of_operation(name)
        references = {(exchange.sent() or {}).get("external_id") for exchange in found}
        equal(1, len(references), f"external_ids sent to {name}", *found)


@check(
    "IS-BATCH-001", profile=P, level="MUST", requirements=("M-07.2",),
    sends="one item of the batch is refused; then the vendor is asked to report the same again",
    remedy_en="Read every result of a 207; set a refused record aside with its problem, do not send it again unchanged.",
    remedy_zh="逐条读取207结果；将被拒记录连同问题搁置，未修改不得再次发送。",
)  # fmt: skip
def a_refused_item_is_set_aside(view: View) -> None:
    """A record that was refused is not sent again as it is."""
    done(view, "driver.report_first")
    done(view, "driver.report_again")
    refused: dict[str, Exchange] = {}
    for exchange in view.of_operation("reportConsumption"):
        items = (exchange.sent() or {}).get("items", [])
        for item in items:
            if (first := refused.get(str(item))) is not None:
                deviate("the refused record set aside", "the same record sent again unchanged", first, exchange)
        for result in (exchange.json() or {}).get("results", []) if exchange.status == 207 else []:
            if result["outcome"] == "refused":
                refused[str(items[result["index"]])] = exchange
    if not refused:
        deviate("a batch with a refused item", "no report arrived", where="reportConsumption")


@check(
    "IS-BATCH-002", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"),
    remedy_en="Report every lesson once; after trouble repeat the batch under its key until it is answered.",
    remedy_zh="每次课仅上报一次；遇故障以同键重试整批直至得到应答。",
)  # fmt: skip
def every_lesson_is_reported_once(view: View) -> None:
    """All three records are accepted or answered, none under two external_ids."""
    done(view, "driver.report_first")
    lessons: dict[str, set[str]] = defaultdict(set)
    for exchange in view.of_operation("reportConsumption"):
        for item in (exchange.sent() or {}).get("items", []):
            lessons[str(item.get("lesson_id"))].add(str(item.get("external_id")))
    equal(3, len(lessons), "lessons reported")
    for lesson, references in lessons.items():
        equal(1, len(references), f"external_ids of lesson {lesson}")


@check(
    "IS-COND-001", profile=P, level="MUST", requirements=("M-07.2",),
    remedy_en="Send If-Match with the version that the change is based on; on 412 read again.",
    remedy_zh="变更须携带所依据版本的 If-Match；遇412重新读取。",
)  # fmt: skip
def changes_name_the_version_they_are_based_on(view: View) -> None:
    """An update carries the current ETag."""
    done(view, "driver.change_contact")
    found = view.of_operation("updateInstitution")
    if not found:
        deviate("an update", "none arrived")
    for exchange in found:
        equal(200, exchange.status, "the played platform's answer to the update", exchange)


@check(
    "IS-TEXT-001", profile=P, level="MUST", requirements=("M-07.2",),
    sends="a pupil whose name has a rare ideograph (U+20BB7) and a middle dot",
    remedy_en="Keep names as Unicode text end to end: UTF-8 in storage and on the wire, no cutting by bytes or UTF-16 units.",
    remedy_zh="姓名全程保持 Unicode：存储与传输均为 UTF-8，不按字节或 UTF-16 单元截断。",
)  # fmt: skip
def names_arrive_whole(view: View) -> None:
    """A name with a rare ideograph arrives with every character (its length shows through the redaction)."""
    done(view, "driver.register_pupil.pupil")
    found = view.of_operation("registerPupil")
    if not found:
        deviate("a pupil", "none arrived")
    for exchange in found:
        name = (exchange.sent() or {}).get("name", "")
        equal(5, len(name), "characters of the name", exchange)


@check(
    "IS-TIME-001", profile=P, level="MUST", requirements=("M-07.2",),
    remedy_en="Report a lesson after it has ended, with the offset of its place: 2026-03-01T10:00:00+08:00.",
    remedy_zh="课后上报并带时区偏移，例如 2026-03-01T10:00:00+08:00。",
)  # fmt: skip
def times_have_an_offset(view: View) -> None:
    """Every time in a record carries an offset."""
    for exchange in view.of_operation("reportConsumption"):
        for item in (exchange.sent() or {}).get("items", []):
            for name in ("occurred_from", "occurred_until", "notified_at"):
                text = str(item.get(name, ""))
                if not (text.endswith("Z") or text[-6:-5] in ("+", "-")):
                    deviate(f"an offset in {name}", text, exchange, where=f"/items/{name}")
