"""What a vendor's system does with deliveries: verified over the raw bytes, each acted on once, in the right order."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.checks.traffic import known, saw
from offcampus_conformance.expect import answered, equal, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, View

P = "institution-system"
EVENTS = ("M-10.1", "M-17.1")
TAKEN = (200, 201, 202, 204)
REFUSED = (400, 401, 403)
QUICK_MS = 15_000
GOOD = ("IS-HOOK-001",)


def times(view: View, name: str) -> tuple[int, Exchange]:
    """How often the system says that it acted on a delivery."""
    seen = view.step("step.observe-notices")
    return int(saw(view, "observe-notices")["events"].get(seen.facts["events"].get(name), 0)), seen


def refused(view: View, name: str) -> None:
    """A wrong delivery is refused, although the right one was taken."""
    status(view.step("delivery.good"), *TAKEN)
    status(view.step(f"delivery.{name}"), *REFUSED)


@check(
    "IS-HOOK-001", profile=P, level="MUST", requirements=EVENTS, title_zh="接收有效推送，重复推送只处理一次",
    sends="one signed delivery, and the same once more",
    remedy_en="Take a good delivery with 2xx; remember event ids and act on each once, whatever is repeated.",
    remedy_zh="以2xx接收有效推送；记录事件标识，重复推送只处理一次。",
)  # fmt: skip
def each_event_is_acted_on_once(view: View) -> None:
    """A good delivery is taken; its repetition is taken too and changes nothing."""
    status(view.step("delivery.good"), *TAKEN)
    status(view.step("delivery.repeated"), *TAKEN)
    found, seen = times(view, "good")
    equal(1, found, "times that the event was acted on", seen, view.step("delivery.repeated"))


@check(
    "IS-HOOK-002", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="拒绝正文被篡改的推送",
    sends="a delivery whose body was changed after signing",
    remedy_en="Verify signature and Content-Digest over the raw bytes before parsing; refuse with 401.",
    remedy_zh="解析前对原始字节验证签名与 Content-Digest，不符返回401。",
)  # fmt: skip
def tampered_deliveries_are_refused(view: View) -> None:
    """A delivery with a changed body is refused."""
    refused(view, "tampered")


@check(
    "IS-HOOK-003", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="拒绝过期推送",
    sends="a delivery signed an hour ago",
    remedy_en="Refuse signatures older than 300 seconds.",
    remedy_zh="拒绝超过300秒的签名。",
)  # fmt: skip
def stale_deliveries_are_refused(view: View) -> None:
    """A delivery signed an hour ago is refused."""
    refused(view, "stale")


@check(
    "IS-HOOK-004", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="拒绝为他人签名的推送",
    sends="a delivery signed for another receiver's address",
    remedy_en="Verify over the address that you subscribed, not over the one that the delivery names.",
    remedy_zh="针对本方订阅地址验证签名。",
)  # fmt: skip
def deliveries_of_others_are_refused(view: View) -> None:
    """A delivery that was signed for another receiver is refused."""
    refused(view, "elsewhere")


@check(
    "IS-HOOK-005", profile=P, level="MUST", requirements=("M-10.1",), needs=GOOD, title_zh="接收并忽略未知类型",
    sends="an event of a type that does not exist yet",
    remedy_en="Take events of unknown types with 2xx and leave them alone: tomorrow's platform sends more.",
    remedy_zh="以2xx接收未知类型事件并忽略。",
)  # fmt: skip
def unknown_types_are_taken_and_ignored(view: View) -> None:
    """An event of an unknown type is taken."""
    status(view.step("delivery.unknown-type"), *TAKEN)


@check(
    "IS-HOOK-006", profile=P, level="MUST", requirements=("M-10.1", "M-14.1"), needs=GOOD, title_zh="旧事件不覆盖新状态",
    sends="the newer event of a subject before the older one",
    remedy_en="Keep the highest sequence per subject; an older event does not overwrite what a newer one said.",
    remedy_zh="按主体保留最大序号，旧事件不得覆盖新状态。",
)  # fmt: skip
def older_events_do_not_overwrite_newer_ones(view: View) -> None:
    """After newer and older arrived in the wrong order, the newer state stands."""
    newer, older = status(view.step("delivery.newer"), *TAKEN), status(view.step("delivery.older"), *TAKEN)
    seen = view.step("step.observe-notices")
    subject = saw(view, "observe-notices").get("subjects", {}).get(seen.facts["subjects"].get("reordered")) or {}
    if subject.get("state") != "closed":
        deviate("state closed, as the newer event said", f"{subject.get('state')}", newer, older, seen)


@check(
    "IS-HOOK-007", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="并发重复推送只处理一次",
    sends="the same delivery on two connections at once",
    remedy_en="Let the database decide who is first: a unique id inserted in the transaction that acts.",
    remedy_zh="以数据库唯一约束判定先后：在处理事务内插入事件标识。",
)  # fmt: skip
def twins_are_acted_on_once(view: View) -> None:
    """Two deliveries of one event at the same moment are acted on once."""
    one, two = answered(view.step("delivery.twins.one")), answered(view.step("delivery.twins.two"))
    if not (one.accepted or two.accepted):
        deviate("at least one of them taken", f"{one.status} and {two.status}", one, two)
    found, seen = times(view, "twins")
    equal(1, found, "times that the event was acted on", seen, one, two)


@check(
    "IS-HOOK-008", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="拒绝未签名的推送",
    sends="a delivery without any signature",
    remedy_en="A delivery without a signature is refused with 401; never fall back to trust.",
    remedy_zh="无签名的推送返回401，不得默认信任。",
)  # fmt: skip
def unsigned_deliveries_are_refused(view: View) -> None:
    """A delivery without a signature is refused."""
    refused(view, "unsigned")


@check(
    "IS-HOOK-009", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="拒绝签名未覆盖正文的推送",
    sends="a delivery whose signature does not cover content-digest",
    remedy_en="Demand that the signature covers all that chapter 4.3 lists before you verify it.",
    remedy_zh="验签前须确认签名覆盖第4.3节所列全部项。",
)  # fmt: skip
def signatures_that_cover_too_little_are_refused(view: View) -> None:
    """A delivery whose signature leaves the body out is refused."""
    refused(view, "uncovered")


@check(
    "IS-HOOK-010", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="拒绝签名时间在将来的推送",
    sends="a delivery that claims to be signed in an hour",
    remedy_en="Refuse signatures that lie more than 300 seconds ahead: they could be replayed until then.",
    remedy_zh="拒绝超前300秒以上的签名，以防届时重放。",
)  # fmt: skip
def deliveries_from_the_future_are_refused(view: View) -> None:
    """A delivery that is signed in the future is refused."""
    refused(view, "future")


@check(
    "IS-HOOK-011", profile=P, level="MUST", requirements=("M-10.1",), needs=GOOD, title_zh="非法正文不致中断服务",
    sends="a signed delivery that is no event, then a good one",
    remedy_en="Answer 400 to what is no event, and go on: one bad delivery must not stop the receiver.",
    remedy_zh="对非事件正文返回400并继续服务。",
)  # fmt: skip
def what_is_no_event_is_survived(view: View) -> None:
    """A signed delivery that is no event is refused as such, and the next good one is taken."""
    status(view.step("delivery.malformed"), *REFUSED, 422)
    status(view.step("delivery.after-malformed"), *TAKEN)


@check(
    "IS-HOOK-012", profile=P, level="MUST", requirements=("M-10.1",), needs=GOOD, title_zh="容忍事件中的未知成员",
    sends="an event with members that do not exist yet",
    remedy_en="Ignore members of events that you do not know.",
    remedy_zh="忽略事件中的未知成员。",
)  # fmt: skip
def unknown_members_of_events_are_ignored(view: View) -> None:
    """An event with unknown members is taken and acted on."""
    taken = status(view.step("delivery.unknown-members"), *TAKEN)
    found, seen = times(view, "unknown-members")
    equal(1, found, "times that the event was acted on", seen, taken)


@check(
    "IS-HOOK-013", profile=P, level="MUST", requirements=("M-10.1", "M-19.3"), needs=GOOD, title_zh="平台换钥后重新获取公钥",
    sends="deliveries under keys that the platform has published since",
    remedy_en="When a delivery names a key that you do not know, fetch the JWKS again (at most once a minute), then verify.",
    remedy_zh="推送使用未知密钥时重新获取 JWKS（每分钟至多一次）再验签。",
)  # fmt: skip
def new_keys_of_the_platform_are_fetched(view: View) -> None:
    """A delivery under a newly published key is taken, at the latest when it comes again after a minute."""
    for name in ("rotated", "rotated-again"):
        attempts = [
            e for e in view.steps(f"delivery.{name}") if e.label in (f"delivery.{name}",) or ".attempt" in e.label
        ]
        mine = [e for e in attempts if e.label.split(".")[1] == name]
        if not mine:
            view.step(f"delivery.{name}")
        if not any(exchange.accepted for exchange in mine):
            deviate("the delivery taken", f"{len(mine)} attempt(s), the last answered {mine[-1].status}", *mine)


@check(
    "IS-HOOK-014", profile=P, level="MUST", requirements=("M-10.1", "M-19.3"), needs=("IS-HOOK-013",),
    title_zh="拒绝已撤下密钥的签名",
    sends="a delivery under a key that the platform has withdrawn from its JWKS",
    remedy_en="Replace the keys that you know by the ones of the JWKS, do not add to them: a withdrawn key is worth nothing.",
    remedy_zh="以 JWKS 替换已知公钥而非追加，已撤下的密钥无效。",
)  # fmt: skip
def withdrawn_keys_are_not_trusted(view: View) -> None:
    """A delivery under a withdrawn key is refused."""
    status(view.step("delivery.withdrawn"), *REFUSED)


@check(
    "IS-HOOK-015", profile=P, level="SHOULD", requirements=("M-10.1",), needs=GOOD, title_zh="15秒内应答推送",
    remedy_en="Answer a delivery within 15 s and work afterwards: store it, answer, then act.",
    remedy_zh="15秒内应答推送：先保存并应答，再处理。",
)  # fmt: skip
def deliveries_are_answered_quickly(view: View) -> None:
    """Deliveries are answered within fifteen seconds."""
    for exchange in view.steps("delivery."):
        if exchange.elapsed_ms > QUICK_MS or (exchange.status is None and "Timeout" in (exchange.trouble or "")):
            deviate("an answer within 15 s", f"{exchange.elapsed_ms / 1000:.1f} s", exchange)


@check(
    "IS-HOOK-016", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="被拒推送不产生任何影响",
    sends="deliveries that are tampered with, stale, foreign or unsigned",
    remedy_en="Act on a delivery only after it was verified: not before, and not although.",
    remedy_zh="验签通过后方可处理，不得先处理后验签。",
)  # fmt: skip
def refused_deliveries_change_nothing(view: View) -> None:
    """What was refused was not acted on."""
    for name in ("tampered", "stale", "future", "elsewhere", "foreign-key", "unsigned", "uncovered"):
        delivered = view.step(f"delivery.{name}")
        found, seen = times(view, name)
        if delivered.status in REFUSED:
            equal(0, found, f"times that the {name} delivery was acted on", seen, delivered)


@check(
    "IS-HOOK-017", profile=P, level="MUST", requirements=EVENTS, needs=GOOD, title_zh="拒绝陌生密钥的推送",
    sends="a delivery signed by a key that the platform does not publish",
    remedy_en="Trust only keys of the platform's JWKS, never one that a delivery brings along.",
    remedy_zh="仅信任平台 JWKS 公布的密钥。",
)  # fmt: skip
def strangers_are_refused(view: View) -> None:
    """A delivery that a stranger signed is refused."""
    refused(view, "foreign-key")


@check(
    "IS-FEED-003", profile=P, level="MUST", requirements=EVENTS, needs=("IS-FEED-001",),
    title_zh="推送与拉取的同一事件只处理一次",
    sends="an event that is delivered, and stands in the feed too",
    remedy_en="Use one memory of event ids for webhooks and feed: an event may come both ways.",
    remedy_zh="推送与事件流共用一份事件标识记录，同一事件可能两路到达。",
)  # fmt: skip
def events_of_both_ways_are_acted_on_once(view: View) -> None:
    """An event that came by webhook and by feed is acted on once, and one that came by feed alone is not missed."""
    seen, answer = view.step("step.observe-last"), saw(view, "observe-last")
    for step in ("lesson-eighteen-disputed", "order-two-closed", "order-one-paid"):
        event = (view.step(f"moment.{step}").json() or {}).get("id")
        equal(1, answer["events"].get(event, 0), f"times that the event of {step!r} was acted on", seen)


@check(
    "IS-STATE-001", profile=P, level="MUST", requirements=("M-07.6", "M-14.1"), title_zh="据事件更新所知状态",
    sends="order.closed by webhook; the system is asked what it knows of the order",
    remedy_en="Take the state of a resource from the newest event, or read the resource that it names.",
    remedy_zh="以最新事件或其所指资源更新本地状态。",
)  # fmt: skip
def states_are_learned_from_events(view: View) -> None:
    """What the system knows of the closed order is that it is closed."""
    seen, answer = view.step("step.observe-last"), saw(view, "observe-last")
    subject = answer.get("subjects", {}).get(known(seen, "order.2")) or {}
    equal("closed", subject.get("state"), "state of the order", seen, view.step("delivery.order-two-closed"))
