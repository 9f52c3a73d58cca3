"""What a system sends, as text and by contract; and what it must not say."""

from __future__ import annotations

import re

from offcampus_spec.operations import operations

from offcampus_conformance.checks.connecting.declare import connecting
from offcampus_conformance.checks.traffic import PUBLIC, arrived, done, sent, writes
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import NotMet, View

KEY_FORM = re.compile(r'"?[A-Za-z0-9._:-]{8,128}"?')
INSTANT = re.compile(r"[0-9]{4}-[0-9][0-9]-[0-9][0-9][Tt ][0-9][0-9]:[0-9][0-9]")
OFFSET = re.compile(r"([Zz]|[+-][0-9][0-9]:[0-9][0-9])$")


def _of_an_instant(error: str) -> bool:
    pointer, _, keyword = error.partition(": ")
    return keyword == "format" and pointer.endswith(("_at", "occurred_from", "occurred_until"))


@connecting(
    "CONTRACT-001", requirements=("M-07.2", "M-10.1"), title_zh="请求正文符合契约",
    remedy_en="Validate what you send against the published schemas: no unknown members, all required ones, right forms.",
    remedy_zh="发送前按公布的模式校验：无未知成员、必填齐全、格式正确。",
)  # fmt: skip
def what_is_sent_fits_the_contract(view: View) -> None:
    """Every body fits its schema."""
    for exchange in writes(view):
        # An instant that is none is named by TIME-001.
        if errors := [text for text in exchange.facts.get("contract", []) if not _of_an_instant(text)]:
            deviate("a body that fits the contract", "; ".join(errors[:5]), exchange, where=errors[0].partition(":")[0])


@connecting(
    "CONTRACT-002", requirements=("M-10.1",), title_zh="不发送未知或重复的查询参数",
    remedy_en="Send only the query parameters of the contract, each once; no cache busters, no own filters.",
    remedy_zh="仅发送契约规定的查询参数且各一次，不加防缓存参数或自定义筛选。",
)  # fmt: skip
def queries_are_those_of_the_contract(view: View) -> None:
    """No query parameter is unknown or repeated."""
    for exchange in arrived(view):
        if names := exchange.facts.get("query"):
            deviate(
                "only query parameters of the contract, once", ", ".join(names), exchange, where=f"query {names[0]}"
            )


@connecting(
    "CONTRACT-003", requirements=("M-10.1",), title_zh="仅调用契约规定的地址",
    remedy_en="Take paths and methods from the contract as they are: no trailing slash, no old version, no guess.",
    remedy_zh="按契约使用路径与方法：不带末尾斜杠，不用旧版本，不猜测地址。",
)  # fmt: skip
def addresses_are_those_of_the_contract(view: View) -> None:
    """No request arrives at an address that the contract does not have."""
    arrived(view)
    for exchange in view.steps("arrived."):
        if exchange.operation_id is None and "/elsewhere/" not in exchange.url:
            deviate("a path and method of the contract", f"{exchange.method} {exchange.url}", exchange, where="path")


@connecting(
    "JSON-001", requirements=("M-10.1",), title_zh="JSON 文本合规：UTF-8、无 BOM、无重复成员",
    remedy_en="Write JSON as UTF-8 without byte order mark, each member once, no lone surrogates.",
    remedy_zh="JSON 以 UTF-8 编码，无字节序标记，成员不重复，无孤立代理项。",
)  # fmt: skip
def bodies_are_clean_json(view: View) -> None:
    """Bodies are UTF-8 without byte order mark, without repeated members or lone surrogates."""
    for exchange in writes(view):
        troubles = [text for text in exchange.facts.get("json", []) if not text.startswith("json.number")]
        if troubles:
            deviate("clean JSON (chapter 4.6)", "; ".join(troubles), exchange, where="body")


@connecting(
    "JSON-002", requirements=("M-10.1", "M-14.1"), title_zh="数字均为整数：金额以分、课时以百分之一计",
    remedy_en="Send money in fen and hours in hundredths as integers: 480000, never 480000.0, 4.8e5 or 4800.00.",
    remedy_zh="金额以分、课时以百分之一课时的整数发送：480000，不得为 480000.0、4.8e5 或 4800.00。",
)  # fmt: skip
def numbers_are_integers(view: View) -> None:
    """No number has a point or an exponent, not even a whole one."""
    for exchange in writes(view):
        if any(text.startswith("json.number") for text in exchange.facts.get("json", [])):
            deviate("integers only", "a number with a point or an exponent", exchange, where="body")


@connecting(
    "JSON-003", requirements=("M-10.1",), title_zh="媒体类型正确",
    remedy_en="Send application/json, and application/merge-patch+json for changes (PATCH).",
    remedy_zh="正文使用 application/json，变更（PATCH）使用 application/merge-patch+json。",
)  # fmt: skip
def media_types_are_right(view: View) -> None:
    """The content type is the one of the contract."""
    for exchange in writes(view):
        wanted = operations()[str(exchange.operation_id)].request_media_type
        given = (exchange.sent_header("content-type") or "").partition(";")[0].strip().lower()
        if wanted is not None and exchange.request_body and given != wanted:
            deviate(wanted, given or "no Content-Type", exchange, where="header Content-Type")


@connecting(
    "IDEM-003", requirements=("M-14.1",), title_zh="写操作均带形式正确的幂等键",
    remedy_en="Send Idempotency-Key (8 to 128 of A-Z a-z 0-9 . _ : -) with every write that the contract marks.",
    remedy_zh="契约标明的写操作均须携带 Idempotency-Key（8–128 位规定字符）。",
)  # fmt: skip
def every_write_has_a_key(view: View) -> None:
    """Each write that needs an Idempotency-Key carries one of the right form."""
    for exchange in writes(view):
        if operations()[str(exchange.operation_id)].idempotency == "key":
            key = exchange.sent_header("idempotency-key")
            if key is None or KEY_FORM.fullmatch(key) is None:
                got = "none" if key is None else f"{len(key)} characters, or others than allowed"
                deviate("8 to 128 of the allowed characters", got, exchange, where="header Idempotency-Key")


@connecting(
    "TIME-001", requirements=("M-07.2",), title_zh="时刻均带时区偏移",
    remedy_en="Write instants with the offset of their place: 2026-03-01T10:00:00+08:00.",
    remedy_zh="时刻须带时区偏移，例如 2026-03-01T10:00:00+08:00。",
)  # fmt: skip
def times_have_an_offset(view: View) -> None:
    """Every instant in what is sent carries an offset."""
    met = False
    for exchange in writes(view):
        if errors := [text for text in exchange.facts.get("contract", []) if _of_an_instant(text)]:
            deviate("an instant, as 2026-03-01T10:00:00+08:00", errors[0], exchange, where=errors[0].partition(":")[0])
        for text in re.findall(r'"([0-9]{4}-[0-9][0-9]-[0-9][0-9][Tt ][^"]*)"', exchange.request_body or ""):
            met = True
            if INSTANT.match(text) and OFFSET.search(text) is None:
                deviate("an offset, as in +08:00", text, exchange, where="body")
    if not met:
        raise NotMet("no instant was sent")


@connecting(
    "PRIV-001", requirements=("M-19.1", "M-19.3"), title_zh="个人信息仅出现在规定成员中",
    sends="invented people whose names, numbers and phones are looked for everywhere else",
    remedy_en="Keep names, identity numbers, phones and account numbers out of addresses, headers, keys, references and "
    "free texts: send them only in the members made for them.",
    remedy_zh="姓名、证件号、电话、账号不得出现在地址、请求头、幂等键、自有编号或自由文本中，仅在规定成员中报送。",
)  # fmt: skip
def personal_data_stays_in_its_members(view: View) -> None:
    """Personal data of the scenario stands nowhere but in the members that the contract has for it."""
    for exchange in [*arrived(view), *sent(view, *PUBLIC)]:
        if places := exchange.facts.get("leaks"):
            deviate("personal data only in its own members", "; ".join(places[:3]), exchange, where=places[0])


@connecting(
    "STEP-001", level="SHOULD", requirements=("M-07.2",), title_zh="写操作均对应已请求的步骤",
    remedy_en="Let the product send only what somebody did in it; the finding names the step that the traffic fits best.",
    remedy_zh="系统仅发送对应实际操作的请求；发现中列出最接近的步骤。",
)  # fmt: skip
def every_write_belongs_to_a_step(view: View) -> None:
    """No write arrives that no step of the scenario asked for."""
    for exchange in writes(view):
        if exchange.facts.get("expected") is False:
            nearest = exchange.facts.get("nearest") or "none"
            deviate(f"nothing of the kind in the step {exchange.facts['step']!r}",
                    f"{exchange.operation_id}; the nearest step is {nearest!r}", exchange)  # fmt: skip


@connecting(
    "ANS-001", requirements=("M-10.1",), title_zh="容忍应答中的未知成员",
    sends="answers with members that this version of the standard does not have",
    remedy_en="Ignore members of answers that you do not know: a later platform sends more.",
    remedy_zh="忽略应答中的未知成员，后续版本会增加成员。",
)  # fmt: skip
def unknown_members_are_ignored(view: View) -> None:
    """The system goes on when answers hold members that it does not know, and understands the rest."""
    for step in ("tomorrow-one", "tomorrow-two"):
        exchange = view.step(f"step.{step}")
        if exchange.status not in (200, 202):
            deviate("the step carried out", exchange.trouble or f"the driver answered {exchange.status}", exchange)


@connecting(
    "ANS-002", requirements=("M-14.1",), title_zh="平台答复“已存在”视为成功",
    sends="the same once more; the platform answers 200 with what it has",
    remedy_en="Take 200 of a creation like 201: the platform has it already, under the id that it answers.",
    remedy_zh="创建操作返回200（已存在）与201同样视为成功，采用其标识。",
)  # fmt: skip
def known_already_is_success(view: View) -> None:
    """A creation that is answered 200 is a success: it is not sent again as something new."""
    asked = view.step("step.known-already")
    if asked.status not in (200, 202):
        deviate("the step carried out", asked.trouble or f"the driver answered {asked.status}", asked)


@connecting(
    "ANS-003", requirements=("M-10.1", "M-19.3"), title_zh="不跟随重定向",
    sends="307 to another address, and a place that would hear the request there",
    remedy_en="Do not follow redirections: token, signature and personal data would go to another address.",
    remedy_zh="不跟随重定向，以免令牌、签名与个人信息泄往他处。",
)  # fmt: skip
def redirections_are_not_followed(view: View) -> None:
    """Nothing arrives at the address that a redirection names."""
    redirected = [e for e in view.steps("arrived.") if e.facts.get("trick") == "redirect"]
    if not redirected:
        raise NotMet("no request met the redirection")
    followed = [e for e in view.steps("arrived.") if "/elsewhere/" in e.url]
    if followed:
        deviate("nothing at the other address", f"{followed[0].method} {followed[0].url}", redirected[0], followed[0])


@connecting(
    "RUN-001", requirements=("M-10.1",), title_zh="重启后继续工作",
    sends="the system is started anew while work is waiting",
    remedy_en="Keep intents, keys, cursors and events on disk: after a restart the product goes on where it stood.",
    remedy_zh="意图、键、游标与事件须落盘，重启后从原处继续。",
)  # fmt: skip
def a_restart_is_survived(view: View) -> None:
    """The system comes back after a restart and carries out the next step."""
    done(view, "restart")
    back = view.step("step.work-after-outage")
    if back.status not in (200, 202):
        deviate("work going on after the restart", back.trouble or f"the driver answered {back.status}", back)
