"""What a system does when the platform, or the network before it, is in trouble: the same again, in time, once in effect."""

from __future__ import annotations

from offcampus_conformance.checks.connecting.declare import connecting
from offcampus_conformance.checks.traffic import (
    TRANSIENT,
    again,
    done,
    intents,
    own_reference,
    tricked,
    writes,
)
from offcampus_conformance.finding import Sure, deviate
from offcampus_conformance.record import Exchange, NotMet, View

CLOCK_GRAIN_S = 0.15
HASTY_S = 0.1
HASTY_ATTEMPTS = 5
MOST_IN_OUTAGE = 40
LEDGER = ("M-14.1",)


def comes_again(view: View, *tricks: str) -> None:
    """After each of these tricks the same request comes again."""
    for exchange in tricked(view, *tricks):
        if not again(exchange, writes(view)):
            deviate("the same request again", "it was given up", exchange, sure=Sure.SILENCE)


def retries(view: View) -> list[tuple[Exchange, Exchange]]:
    """Each write that met passing trouble, with the next attempt at the same."""
    everything = writes(view)
    pairs = [
        (first, later[0])
        for first in everything
        if first.facts.get("trick") in TRANSIENT and (later := again(first, everything))
    ]
    if not pairs:
        raise NotMet("nothing was sent again after trouble")
    return pairs


@connecting(
    "IDEM-001", requirements=LEDGER, title_zh="重试保持同一键与同一正文",
    sends="503, 429, lost and broken-off answers, closed connections, a day without the platform",
    remedy_en="Make the Idempotency-Key before the first attempt, store it with the intent, and send it with every retry.",
    remedy_zh="首次尝试前生成 Idempotency-Key，与意图一同保存，每次重试原样携带。",
)  # fmt: skip
def retries_keep_their_key(view: View) -> None:
    """After trouble the same request comes again under the same key, with the same body."""
    for first, later in retries(view):
        if first.sent_header("idempotency-key") != later.sent_header("idempotency-key"):
            deviate("the same Idempotency-Key", "another one", first, later, where="header Idempotency-Key")
        if first.facts["body_digest"] != later.facts["body_digest"]:
            deviate("the same body under the same key", "another body", first, later, where="body")


@connecting(
    "IDEM-002", requirements=LEDGER, title_zh="不同意图不共用键",
    remedy_en="One key stands for one intended effect: never use it for another.",
    remedy_zh="一个键代表一个意图，不得用于其他请求。",
)  # fmt: skip
def keys_are_not_shared_by_intents(view: View) -> None:
    """No key is used for two different requests of one operation."""
    used: dict[tuple[str, str], Exchange] = {}
    for exchange in writes(view):
        key = exchange.sent_header("idempotency-key")
        if key is None:
            continue
        first = used.setdefault((str(exchange.operation_id), key), exchange)
        same = own_reference(first) == own_reference(exchange) and first.url == exchange.url
        if not same and first.facts["body_digest"] != exchange.facts["body_digest"]:
            deviate("a key of its own", "the key of another request", first, exchange, where="header Idempotency-Key")


@connecting(
    "RETRY-001", requirements=("M-10.1",), title_zh="遵守 Retry-After",
    sends="503, 429 and 409 with Retry-After: 1",
    remedy_en="Wait at least as long as Retry-After says before the next attempt.",
    remedy_zh="下次尝试前至少等待 Retry-After 所示时长。",
)  # fmt: skip
def retry_after_is_kept(view: View) -> None:
    """The next attempt comes no sooner than Retry-After allows."""
    met = False
    for first, later in retries(view):
        wait = int(first.header("retry-after") or 0)
        if wait:
            met = True
            gap = later.facts["arrived_s"] - first.facts["answered_s"]
            if gap < wait - CLOCK_GRAIN_S:
                deviate(f"at least {wait} s between the attempts", f"{gap:.2f} s", first, later)
    if not met:
        raise NotMet("nothing was sent again after a Retry-After")


@connecting(
    "RETRY-002", level="SHOULD", requirements=("M-10.1",), title_zh="重试逐步退避",
    sends="503 five times without Retry-After",
    remedy_en="Back off with jitter between attempts; a loop without a wait is an attack on a platform in trouble.",
    remedy_zh="重试之间加入带抖动的退避；无等待的循环等同于攻击。",
)  # fmt: skip
def retries_back_off(view: View) -> None:
    """Between attempts that are not told how long to wait there is a wait."""
    hasty: list[Exchange] = []
    met = False
    for first, later in retries(view):
        if first.facts.get("trick") == "busy" and first.header("retry-after") is None:
            met = True
            if later.facts["arrived_s"] - first.facts["answered_s"] < HASTY_S:
                hasty.append(later)
    if not met:
        raise NotMet("nothing was sent again after a 503 without Retry-After")
    if len(hasty) >= HASTY_ATTEMPTS:
        deviate("a wait between attempts", f"{len(hasty)} attempts within {HASTY_S} s of the last", *hasty)


@connecting(
    "RETRY-003", requirements=LEDGER, title_zh="429 之后重试",
    remedy_en="Treat 429 like 503: nothing was done, the same request has to come again.",
    remedy_zh="429与503同样处理：未执行任何操作，须重发同一请求。",
)  # fmt: skip
def a_throttled_request_comes_again(view: View) -> None:
    """After 429 the same request comes again."""
    comes_again(view, "throttle")


@connecting(
    "RETRY-004", requirements=("M-10.1",), title_zh="被拒请求不原样重发",
    sends="422 with a problem document",
    remedy_en="Do not repeat what was refused (4xx but 409 idempotency.in_progress and 429): mend it, or tell a person.",
    remedy_zh="被拒绝的请求（4xx，409 idempotency.in_progress 与429除外）不得原样重发，应修正或交人处理。",
)  # fmt: skip
def refusals_are_not_repeated(view: View) -> None:
    """What was refused is not sent again unchanged."""
    everything = writes(view)
    refused = [e for e in everything if e.facts.get("trick") == "refuse" and e.status is not None]
    if not refused:
        raise NotMet("nothing was refused")
    step, first = refused[0].facts.get("step"), refused[0]
    later = [e for e in refused if e.facts["body_digest"] == first.facts["body_digest"] and e.facts.get("step") == step]
    if len(later) > 1:
        deviate("one attempt", f"{len(later)} attempts at what was refused", *later[:3])


@connecting(
    "RETRY-005", requirements=LEDGER, title_zh="请求仍在处理时等待后以同键重发",
    sends="409 idempotency.in_progress with Retry-After",
    remedy_en="409 idempotency.in_progress is no refusal: wait, and send the same again under the same key.",
    remedy_zh="409 idempotency.in_progress 不是拒绝：等待后以同键重发。",
)  # fmt: skip
def a_request_in_progress_is_asked_again(view: View) -> None:
    """After 409 idempotency.in_progress the same request comes again."""
    comes_again(view, "in_progress")


@connecting(
    "RETRY-006", requirements=LEDGER, title_zh="容忍中间代理的错误页",
    sends="502 with an HTML page, as a proxy in between answers",
    remedy_en="Judge an answer by its status before its body: 502 with a page is passing trouble, not an end.",
    remedy_zh="先看状态码再解析正文：代理返回的502页面属暂时故障，应重试。",
)  # fmt: skip
def a_page_of_a_proxy_is_passing_trouble(view: View) -> None:
    """After 502 with an HTML page the same request comes again."""
    comes_again(view, "broken")


@connecting(
    "RETRY-007", requirements=LEDGER, title_zh="应答中断后以同键重发",
    sends="an answer that breaks off in the middle, after the request was carried out",
    remedy_en="An answer that breaks off is a lost answer: send the same again under the same key, or look it up.",
    remedy_zh="应答中断视同应答丢失：以同键重发或查询。",
)  # fmt: skip
def a_broken_off_answer_is_settled(view: View) -> None:
    """After an answer that broke off the same request comes again."""
    comes_again(view, "truncated")


@connecting(
    "RETRY-008", requirements=LEDGER, title_zh="等待慢应答，不并发重发",
    sends="an answer that takes almost a second",
    remedy_en="Wait at least ten seconds for an answer, and never send the same while the first is still under way.",
    remedy_zh="至少等待十秒；首次请求未完成时不得重发。",
)  # fmt: skip
def slow_answers_are_waited_for(view: View) -> None:
    """The same is not sent again before the slow answer was given."""
    for exchange in tricked(view, "late"):
        doubled = [e for e in again(exchange, writes(view)) if e.facts["arrived_s"] < exchange.facts["answered_s"]]
        if doubled:
            waited = doubled[0].facts["arrived_s"] - exchange.facts["arrived_s"]
            deviate("one request until the answer", f"another after {waited:.1f} s", exchange, *doubled)


@connecting(
    "RETRY-009", requirements=LEDGER, title_zh="连接中断后重发",
    remedy_en="A connection that closes without an answer tells nothing: send the same again under the same key.",
    remedy_zh="连接无应答即关闭不说明任何结果：以同键重发。",
)  # fmt: skip
def a_closed_connection_is_tried_again(view: View) -> None:
    """After a connection that closed without an answer the same request comes again."""
    comes_again(view, "drop", "lost")


@connecting(
    "OUT-001", requirements=("M-07.2", "M-14.1"), title_zh="平台中断期间的数据恢复后补报",
    sends="a day without the platform, with work to report",
    remedy_en="Queue on disk what cannot be sent, and send it when the platform is back, without anybody's doing.",
    remedy_zh="无法发送的数据落盘排队，平台恢复后自动补报。",
)  # fmt: skip
def the_backlog_arrives(view: View) -> None:
    """Everything that was tried while the platform was away is taken when it is back."""
    done(view, "work-after-outage")
    everything = writes(view)
    for exchange in [e for e in everything if e.facts.get("trick") == "down"]:
        if not any(later.accepted for later in again(exchange, everything)):
            deviate("it arrives when the platform is back", "it never came again", exchange, sure=Sure.SILENCE)
    taken = [e for e in everything if e.facts.get("step") == "work-after-outage" and e.accepted]
    if not taken:
        deviate("the backlog", "nothing arrived", view.step("step.work-after-outage"), sure=Sure.SILENCE)


@connecting(
    "OUT-002", level="SHOULD", requirements=("M-10.1",), title_zh="平台中断期间不频繁冲击",
    remedy_en="When the platform cannot be reached, wait for minutes between rounds: it has to come back first.",
    remedy_zh="平台不可达时按分钟级间隔重试。",
)  # fmt: skip
def an_outage_is_waited_out(view: View) -> None:
    """While the platform is away it is not hammered."""
    away = [e for e in view.steps("arrived.") if e.facts.get("trick") == "down"]
    if not away:
        raise NotMet("nothing was tried while the platform was away")
    by_step: dict[str, list[Exchange]] = {}
    for exchange in away:
        by_step.setdefault(str(exchange.facts.get("step")), []).append(exchange)
    for step, tries in by_step.items():
        if len(tries) > MOST_IN_OUTAGE:
            deviate(f"at most {MOST_IN_OUTAGE} attempts in a step", f"{len(tries)} in {step!r}", *tries[:3])


@connecting(
    "ONCE-001", requirements=LEDGER, title_zh="应答丢失不产生重复",
    sends="lost and broken-off answers",
    remedy_en="After a lost answer send the same again under the same key, or look it up by external_id; never as new.",
    remedy_zh="应答丢失后以同键重试或按 external_id 查询，不得作为新记录再次上报。",
)  # fmt: skip
def a_lost_answer_makes_no_double(view: View) -> None:
    """After a lost or broken-off answer the same thing is not sent under another own reference."""
    everything = writes(view)
    for exchange in tricked(view, "lost", "truncated"):
        others = [
            later
            for later in everything
            if later.operation_id == exchange.operation_id
            and later.facts.get("step") == exchange.facts.get("step")
            and later.facts["arrived_s"] > exchange.facts["arrived_s"]
            and own_reference(later) != own_reference(exchange)
        ]
        if others:
            deviate("the same own reference", "another one", exchange, *others, where="/external_id")


@connecting(
    "ONCE-002", level="SHOULD", requirements=("M-10.1",), title_zh="已完成的请求不再发送",
    remedy_en="Remember what was answered: what is done is not sent again.",
    remedy_zh="记录已得到的应答，已完成的请求不再发送。",
)  # fmt: skip
def what_is_done_is_not_sent_again(view: View) -> None:
    """A write that was answered with success is not repeated within its step."""
    for attempts in intents(writes(view)).values():
        good = [e for e in attempts if e.accepted and e.facts.get("trick") not in (*TRANSIENT, "late")]
        repeated = [e for e in good[1:] if e.facts.get("step") == good[0].facts.get("step")]
        if repeated and "/acceptance" not in repeated[0].url:
            deviate("one successful request", f"{len(good)} of the same", good[0], *repeated)
