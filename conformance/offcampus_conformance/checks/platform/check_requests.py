"""Bad input: refused with a clear problem, and nothing changes."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.expect import equal, header, problem, status
from offcampus_conformance.record import View

P = "platform"


@check(
    "P-JSON-001", profile=P, level="MUST", requirements=("M-07.2", "M-10.1"),
    sends="bodies cut short, with a member twice, NaN, a float, a BOM, UTF-16, a lone surrogate, 2,000 levels",
    remedy_en="Parse strictly before anything else: refuse duplicate keys, NaN, floats, BOM, UTF-16, lone surrogates and deep nesting with their own code.",
    remedy_zh="先严格解析：重复键、NaN、浮点数、BOM、UTF-16、孤立代理项与过深嵌套分别以各自代码拒绝。",
)  # fmt: skip
def malformed_json_is_refused_by_name(view: View) -> None:
    """Each kind of malformed JSON gets its own 400, never a 500 and never a guess."""
    for name, code in (
        ("cut", "json.malformed"), ("duplicate_key", "json.duplicate_key"), ("nan", "json.number"),
        ("float", "json.number"), ("bom", "json.encoding"), ("utf16", "json.encoding"),
        ("surrogate", "json.surrogate"), ("deep", "json.depth"),
    ):  # fmt: skip
        problem(view.step(f"json.{name}"), 400, code)


@check(
    "P-JSON-002", profile=P, level="MUST", requirements=("M-10.1",),
    sends="a lawful body as text/plain; an unknown and a repeated query parameter",
    remedy_en="Accept only the media type and the query parameters of the contract, each once.",
    remedy_zh="仅接受契约规定的内容类型与查询参数，且各一次。",
)  # fmt: skip
def media_type_and_query_are_those_of_the_contract(view: View) -> None:
    """Another media type is 415; an unknown or repeated query parameter is 400."""
    problem(view.step("json.media_type"), 415, "request.media_type")
    problem(view.step("query.unknown"), 400, "request.query")
    problem(view.step("query.repeated"), 400, "request.query")


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
    sends="the accepted institution file with one change each: a wrong check digit, an unknown member, full-width digits",
    remedy_en="Assert every format and close every received object: point at the place and name what is allowed.",
    remedy_zh="断言所有格式并拒绝未知成员，指出位置与允许值。",
)  # fmt: skip
def each_fault_is_named_at_its_place(view: View) -> None:
    """A wrong check digit, an unknown member and full-width digits are refused at their place, the control is taken."""
    for label, code, pointer in (
        ("institution.check_digit", "identifier.check_digit", "/uscc"),
        ("institution.unknown_field", "schema.invalid", "/colour"),
        ("institution.full_width", "schema.invalid", "/region_code"),
    ):
        probe = view.probe(label, control="institution.create", differs=(pointer,), fresh=("/external_id",))
        problem(probe, 422, code, pointer)


@check(
    "P-IDEM-001", profile=P, level="MUST", requirements=("M-14.1", "M-10.1"), needs=("P-INST-001",),
    sends="the same request twice with one key, another body under that key, and a request without a key",
    remedy_en="Store key and answer in the effect's own transaction; replay the answer, refuse another body with 422, a missing key with 400.",
    remedy_zh="在同一事务中保存键与应答；重放应答，同键异文返回422，缺键返回400。",
)  # fmt: skip
def one_key_one_effect_one_answer(view: View) -> None:
    """A retry with the same key gets the first answer again; another body under it is refused; a key is required."""
    first, again = view.step("institution.create"), view.step("institution.repeat")
    status(first, 201)
    status(again, 201)
    equal(first.json(), again.json(), "the replayed answer", first, again)
    equal("true", header(again, "idempotency-replayed"), "Idempotency-Replayed", again)
    problem(view.step("institution.key_reused"), 422, "idempotency.key_reused")
    problem(view.step("institution.no_key"), 400, "idempotency.key_missing")


@check(
    "P-COND-001", profile=P, level="MUST", requirements=("M-07.2",), needs=("P-INST-001",),
    sends="a read with If-None-Match; updates without If-Match, with the current and with the old one",
    remedy_en="Give every resource a strong ETag that changes with it; answer 304, 428 and 412 accordingly.",
    remedy_zh="每个资源提供随之变化的强 ETag，并相应返回304、428、412。",
)  # fmt: skip
def changes_are_made_on_the_current_version_only(view: View) -> None:
    """304 for a known version, 428 without If-Match, 412 with an old one; the ETag changes with the resource."""
    read, updated = status(view.step("institution.read"), 200), status(view.step("institution.update"), 200)
    status(view.step("institution.unchanged"), 304)
    problem(view.step("institution.no_if_match"), 428, "concurrency.if_match_missing")
    problem(view.step("institution.stale"), 412, "concurrency.stale")
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
    batch = status(view.step("lessons.batch"), 207)
    wanted = {result["id"] for result in batch.json()["results"] if "id" in result}
    equal(len(seen), len(set(seen)), "number of different lessons", *pages)
    equal(set(), wanted - set(seen), "lessons missing from the pages", *pages)
    equal(None, pages[-1].json().get("next_cursor"), "next_cursor of the last page", pages[-1])
    problem(view.step("lessons.forged_cursor"), 400, "cursor.invalid")


@check(
    "P-BATCH-001", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"), needs=("P-PAY-001",),
    sends="four lawful records among three unlawful ones, twice; and an empty batch",
    remedy_en="Answer 207 with one result per item in order; store the valid ones, explain each invalid one at its index, answer repetitions as duplicates.",
    remedy_zh="返回207并按序逐条给出结果；保存有效条目，逐条说明无效条目，重复上报返回 duplicate。",
)  # fmt: skip
def batches_are_judged_item_by_item(view: View) -> None:
    """Valid items are stored, invalid ones explained at their index, and the whole may be sent again."""
    first, again = status(view.step("consumption.batch"), 207), status(view.step("consumption.batch_repeat"), 207)
    results, repeated = first.json()["results"], again.json()["results"]
    equal(list(range(7)), [result["index"] for result in results], "indices", first)
    equal([201] * 4, [result["status"] for result in results[:4]], "status of the lawful items", first)
    equal(["refused"] * 3, [result["outcome"] for result in results[4:]], "outcome of the unlawful items", first)
    equal(["duplicate"] * 4, [result["outcome"] for result in repeated[:4]], "outcome when repeated", again)
    ids = [result["id"] for result in results[:4]]
    equal(ids, [result["id"] for result in repeated[:4]], "identifiers when repeated", first, again)
    problem(view.step("consumption.empty"), 422, "schema.invalid", "/items")
