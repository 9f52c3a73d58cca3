"""Bad input: refused with a clear problem, and nothing changes."""

from __future__ import annotations

import re

from offcampus_conformance.check import check
from offcampus_conformance.checks.platform.check_supply import item_refused
from offcampus_conformance.expect import equal, header, problem, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import View

P = "platform"
FRACTION = re.compile(r'"[a-z_]+":-?[0-9]+(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)(?=[,}])')
"""A member whose number is no plain integer."""


@check(
    "P-JSON-001", profile=P, level="MUST", requirements=("M-07.2", "M-10.1"),
    sends="bodies cut short, with a member twice, NaN, a float, a BOM, UTF-16, a lone surrogate, 2,000 levels",
    remedy_en="Parse strictly before anything else: refuse duplicate keys, NaN, floats, BOM, UTF-16, lone surrogates and deep nesting with their own code.",
    remedy_zh="先严格解析：重复键、NaN、浮点数、BOM、UTF-16、孤立代理项与过深嵌套分别以各自代码拒绝。",
)  # fmt: skip
def malformed_json_is_refused_by_name(view: View) -> None:
    """Each kind of malformed JSON gets its own 400, never a 500 and never a guess."""
    for name, code in (
        ("cut", "json.malformed"), ("member_twice", "json.duplicate_key"), ("byte_order_mark", "json.encoding"),
        ("half_character", "json.surrogate"), ("deep", "json.depth"),
    ):  # fmt: skip
        problem(view.step(f"op.createInstitution.body.{name}"), 400, code)
    for name, code in (("nan", "json.number"), ("float", "json.number"), ("utf16", "json.encoding")):
        problem(view.step(f"json.{name}"), 400, code)


@check(
    "P-JSON-004", profile=P, level="MUST", requirements=("M-07.2", "M-10.1"),
    sends="Infinity, 3e2, -0, 2^53+1 in the place of an area",
    remedy_en="Accept integers of -(2^53-1) to 2^53-1 in plain decimal and no other number.",
    remedy_zh="仅接受十进制整数且绝对值不超过 2^53-1。",
)  # fmt: skip
def numbers_are_plain_integers(view: View) -> None:
    """Every number that two parsers could read differently is refused as json.number."""
    for name in ("infinity", "exponent", "minus_zero", "huge"):
        problem(view.step(f"json.{name}"), 400, "json.number")


@check(
    "P-JSON-005", profile=P, level="MUST", requirements=("M-07.2", "M-10.1"),
    sends="a member twice deep inside, a lone low surrogate, UTF-32, a byte of Latin-1",
    remedy_en="Look for repeated members and lone surrogates at every depth; accept UTF-8 alone.",
    remedy_zh="在任意层级检查重复成员与孤立代理项；仅接受 UTF-8。",
)  # fmt: skip
def strictness_reaches_every_depth(view: View) -> None:
    """Repeated members, half characters and other encodings are refused wherever they stand."""
    for name, code in (
        ("nested_twice", "json.duplicate_key"), ("escaped_surrogate", "json.surrogate"), ("utf32", "json.encoding"),
        ("latin", "json.encoding"),
    ):  # fmt: skip
        problem(view.step(f"json.{name}"), 400, code)


@check(
    "P-JSON-006", profile=P, level="MUST", requirements=("M-10.1",),
    sends="a comment, a trailing comma, two values, single quotes, a raw control character",
    remedy_en="Use a parser of RFC 8259 without extensions; answer 400 json.malformed.",
    remedy_zh="使用不带扩展的 RFC 8259 解析器，返回400 json.malformed。",
)  # fmt: skip
def json_has_no_extensions(view: View) -> None:
    """What only some parsers take for JSON is malformed."""
    for name in ("comment", "trailing_comma", "two_values", "single_quotes", "control_character"):
        problem(view.step(f"json.{name}"), 400, "json.malformed")


@check(
    "P-JSON-002", profile=P, level="MUST", requirements=("M-10.1",),
    sends="a lawful body as text/plain; an unknown and a repeated query parameter",
    remedy_en="Accept only the media type and the query parameters of the contract, each once.",
    remedy_zh="仅接受契约规定的内容类型与查询参数，且各一次。",
)  # fmt: skip
def media_type_and_query_are_those_of_the_contract(view: View) -> None:
    """Another media type is 415; an unknown or repeated query parameter is 400."""
    problem(view.step("op.createInstitution.body.plain_text"), 415, "request.media_type")
    problem(view.step("op.listInstitutions.input.unknown"), 400, "request.query")
    problem(view.step("op.listInstitutions.input.twice:limit"), 400, "request.query")


@check(
    "P-JSON-003", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-ORDER-001",),
    sends="an order whose total_fen is written 480000.0",
    remedy_en="Money is integer fen: refuse any number with a point or an exponent.",
    remedy_zh="金额为整数分：拒绝带小数点或指数的数值。",
)  # fmt: skip
def money_is_never_a_float(view: View) -> None:
    """An amount written with a decimal point is refused although it is a whole number."""
    problem(view.step("order.float"), 400, "json.number")


@check(
    "P-SCHEMA-001", profile=P, level="MUST", requirements=("M-07.2", "M-11.1"), needs=("P-INST-001",),
    sends="the accepted institution file with one change each: a wrong check digit, small letters, full-width digits, a line break at the end",
    remedy_en="Assert every format and close every received object: point at the place and name what is allowed.",
    remedy_zh="断言所有格式并拒绝未知成员，指出位置与允许值。",
)  # fmt: skip
def each_fault_is_named_at_its_place(view: View) -> None:
    """A wrong check digit, small letters, full-width digits and a line break are refused at their place, the control is taken."""
    for label, code, pointer in (
        ("institution.check_digit", "identifier.check_digit", "/uscc"),
        ("institution.small_letters", "schema.invalid", "/uscc"),
        ("institution.full_width", "schema.invalid", "/region_code"),
        ("institution.line_break", "schema.invalid", "/region_code"),
    ):
        probe = view.probe(label, control="op.createInstitution", differs=(pointer,))
        problem(probe, 422, code, pointer)


@check(
    "P-IDEM-001", profile=P, level="MUST", requirements=("M-14.1", "M-10.1"), needs=("P-INST-001",),
    sends="the same request twice with one key, another body under that key, and a request without a key",
    remedy_en="Store key and answer in the effect's own transaction; replay the answer, refuse another body with 422, a missing key with 400.",
    remedy_zh="在同一事务中保存键与应答；重放应答，同键异文返回422，缺键返回400。",
)  # fmt: skip
def one_key_one_effect_one_answer(view: View) -> None:
    """A retry with the same key gets the first answer again; another body under it is refused; a key is required."""
    first, again = view.step("op.createInstitution"), view.step("op.createInstitution.idem.again")
    status(first, 201)
    status(again, 201)
    equal(first.json(), again.json(), "the replayed answer", first, again)
    equal("true", header(again, "idempotency-replayed"), "Idempotency-Replayed", again)
    problem(view.step("op.createInstitution.idem.other_request"), 422, "idempotency.key_reused")
    problem(view.step("op.createInstitution.idem.no_key"), 400, "idempotency.key_missing")


@check(
    "P-COND-001", profile=P, level="MUST", requirements=("M-07.2",), needs=("P-INST-001",),
    sends="a read with If-None-Match; updates without If-Match, with the current and with the old one",
    remedy_en="Give every resource a strong ETag that changes with it; answer 304, 428 and 412 accordingly.",
    remedy_zh="每个资源提供随之变化的强 ETag，并相应返回304、428、412。",
)  # fmt: skip
def changes_are_made_on_the_current_version_only(view: View) -> None:
    """304 for a known version, 428 without If-Match, 412 with an old one; the ETag changes with the resource."""
    read, updated = status(view.step("op.getInstitution"), 200), status(view.step("op.updateInstitution"), 200)
    status(view.step("op.getInstitution.etag.known_version"), 304)
    problem(view.step("op.updateInstitution.cond.no_if_match"), 428, "concurrency.if_match_missing")
    problem(view.step("op.updateInstitution.cond.another_version"), 412, "concurrency.stale")
    if header(read, "etag") == header(updated, "etag"):
        equal("another ETag", header(updated, "etag"), "ETag after the update", read, updated)


@check(
    "P-PAGE-001", profile=P, level="MUST", requirements=("M-07.6", "M-10.1"), needs=("P-LESSON-001",),
    sends="GET /v1/lessons page by page, two at a time, with a lesson added after the first page; a forged cursor",
    remedy_en="Page over a monotonic key, end only by a missing next_cursor, authenticate cursors.",
    remedy_zh="按单调键分页，仅以 next_cursor 为空结束，并对游标进行认证。",
)  # fmt: skip
def pages_lose_and_repeat_nothing(view: View) -> None:
    """Every lesson comes exactly once, also when one is added in between; a forged cursor is refused."""
    pages = [status(page, 200) for page in view.steps("lessons.page.")]
    seen = [item["id"] for page in pages for item in page.json()["items"]]
    batch = status(view.step("op.scheduleLessons"), 207)
    wanted = {result["id"] for result in batch.json()["results"] if "id" in result}
    equal(len(seen), len(set(seen)), "number of different lessons", *pages)
    equal(set(), wanted - set(seen), "lessons missing from the pages", *pages)
    equal(None, pages[-1].json().get("next_cursor"), "next_cursor of the last page", pages[-1])
    problem(view.step("op.listLessons.page.forged"), 400, "cursor.invalid")


@check(
    "P-BATCH-001", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"), needs=("P-PAY-001",),
    sends="four lawful records among three unlawful ones, twice; and an empty batch",
    remedy_en="Answer 207 with one result per item in order; store the valid ones, explain each invalid one at its index, answer repetitions as duplicates.",
    remedy_zh="返回207并按序逐条给出结果；保存有效条目，逐条说明无效条目，重复上报返回 duplicate。",
)  # fmt: skip
def batches_are_judged_item_by_item(view: View) -> None:
    """Valid items are stored, invalid ones explained at their index, and the whole may be sent again."""
    first, again = status(view.step("op.reportConsumption"), 207), status(view.step("consumption.batch_repeat"), 207)
    results, repeated = first.json()["results"], again.json()["results"]
    equal(list(range(4)), [result["index"] for result in results], "indices", first)
    equal([201] * 4, [result["status"] for result in results], "status of the lawful items", first)
    equal(["duplicate"] * 4, [result["outcome"] for result in repeated], "outcome when repeated", again)
    ids = [result["id"] for result in results]
    equal(ids, [result["id"] for result in repeated], "identifiers when repeated", first, again)
    mixed = status(view.step("consumption.in_future"), 207)
    told = [(result["index"], result["outcome"]) for result in mixed.json()["results"]]
    equal([(0, "refused"), (1, "accepted")], told, "index and outcome of one unlawful and one lawful item", mixed)


@check(
    "P-BATCH-002", profile=P, level="MUST", requirements=("M-07.2", "M-10.1"), needs=("P-BATCH-001",),
    sends="Prefer: handling=strict with one unlawful item among lawful ones",
    remedy_en="Under Prefer: handling=strict store all items of the batch or none: answer 422 batch.strict with each reason.",
    remedy_zh="Prefer: handling=strict 时整批要么全部保存要么全部不保存，返回422 batch.strict 并列出各项原因。",
)  # fmt: skip
def a_strict_batch_is_all_or_nothing(view: View) -> None:
    """One unlawful item refuses the whole batch, of lessons and of records alike."""
    for label in ("lessons.strict", "consumption.strict"):
        problem(view.step(label), 422, "batch.strict")


@check(
    "P-BATCH-003", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-BATCH-001",),
    sends="a record, a lesson and a movement that were taken, once more with another content",
    remedy_en="In a batch refuse an external_id that stands for another content: 409 resource.exists for the item.",
    remedy_zh="批量中 external_id 已对应其他内容的条目返回409 resource.exists。",
)  # fmt: skip
def a_reference_in_a_batch_stands_for_one_content(view: View) -> None:
    """What was reported is not changed by reporting it otherwise."""
    for label in ("lessons.known", "consumption.changed", "receipt.changed"):
        item_refused(view.step(label), "resource.exists")


@check(
    "P-FIX-001", profile=P, level="MUST", requirements=("M-12.1",), needs=("P-INST-002",),
    sends="patches of members that never change, or not after the approval",
    remedy_en="Refuse a merge patch that changes external_id, an account's purpose, or an approved institution's name: 422 at the member.",
    remedy_zh="合并补丁不得变更 external_id、账户用途及已批准机构的名称：返回422并指向该成员。",
)  # fmt: skip
def what_is_fixed_is_not_patched(view: View) -> None:
    """References, purposes and the name of what is approved stay as they are."""
    for label, pointer in (
        ("institution.fixed_member", "/external_id"), ("institution.rename_approved", "/name"),
        ("account.fixed_member", "/purpose"),
    ):  # fmt: skip
        problem(view.step(label), 422, "schema.invalid", pointer)


@check(
    "P-JSON-007", profile=P, level="MUST", requirements=("M-14.1", "M-10.1"), needs=("P-ORDER-001",),
    sends="nothing of its own: all answers of the run are read",
    remedy_en="Write every number of an answer as a plain integer: money in fen, hours in hundredths, never with a point or an exponent.",
    remedy_zh="应答中的数值一律为整数：金额以分、课时以百分之一计，不得带小数点或指数。",
)  # fmt: skip
def answers_hold_plain_integers(view: View) -> None:
    """No answer of the platform holds a number with a point or an exponent."""
    for exchange in view.steps(""):
        found = FRACTION.search(exchange.response_body or "") if exchange.accepted else None
        if found is not None:
            deviate("a plain integer", found[0].strip(), exchange, where="body")
