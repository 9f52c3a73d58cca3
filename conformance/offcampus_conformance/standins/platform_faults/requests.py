"""Platforms that read requests carelessly: bodies, keys, versions, pages, batches, problems."""

from __future__ import annotations

import re

from offcampus_conformance.standins.platform_faults.fault import (
    Answer,
    Memory,
    Seen,
    edited,
    fault,
    item_taken,
    problem,
    taken,
    taken_if_refused,
    with_headers,
)

WIDE = re.compile("[０-９]")


@fault("P-JSON-001")
def reads_json_as_it_comes(seen: Seen, memory: Memory) -> Answer | None:
    """The parser of the language decides what is JSON."""
    return taken_if_refused(seen, "json.number", "json.duplicate_key", "json.encoding", "json.surrogate", "json.depth")


@fault("P-JSON-003")
def takes_money_with_a_point(seen: Seen, memory: Memory) -> Answer | None:
    """480000.0 is as good as 480000."""
    return taken(seen) if seen.operation is not None and b'_fen":480000.0' in seen.raw else None


@fault("P-JSON-004")
def takes_numbers_in_any_form(seen: Seen, memory: Memory) -> Answer | None:
    """An exponent, minus zero and more than 53 bits are numbers too."""
    return taken(seen) if seen.refused("json.number") and b"NaN" not in seen.raw and b".0" not in seen.raw else None


@fault("P-JSON-005")
def is_strict_at_the_top_alone(seen: Seen, memory: Memory) -> Answer | None:
    """A member may stand twice in an inner object."""
    return taken_if_refused(seen, "json.duplicate_key") if b'"zz":1,"zz"' not in seen.raw else None


@fault("P-JSON-006")
def takes_javascript_for_json(seen: Seen, memory: Memory) -> Answer | None:
    """Comments, trailing commas and single quotes are read."""
    return taken_if_refused(seen, "json.malformed") if seen.raw.endswith((b"/* */}", b",}")) else None


@fault("P-BODY-createCourse")
def breaks_on_malformed_bodies(seen: Seen, memory: Memory) -> Answer | None:
    """A body that cannot be read is the server's own error."""
    return problem(500, "server.error") if seen.name == "createCourse" and seen.refused("json.malformed") else None


@fault("P-JSON-002")
def ignores_unknown_query_parameters(seen: Seen, memory: Memory) -> Answer | None:
    """What the contract does not have is passed over."""
    return (
        taken_if_refused(seen, "request.query") if seen.name == "listInstitutions" and seen.asked().get("zz") else None
    )


@fault("P-SCHEMA-001")
def takes_full_width_digits(seen: Seen, memory: Memory) -> Answer | None:
    """A digit is whatever Unicode calls a digit."""
    return taken_if_refused(seen, "schema.invalid") if WIDE.search(seen.raw.decode("utf-8", "replace")) else None


@fault("P-SCHEMA-createCampus")
def takes_unknown_members(seen: Seen, memory: Memory) -> Answer | None:
    """Objects are open: what nobody knows is kept."""
    told = (seen.body() or {}).get("violations", []) if seen.refused("schema.invalid") else []
    return taken(seen) if [entry.get("code") for entry in told] == ["schema.unknown_member"] else None


@fault("P-SCHEMA-createOrder")
def asserts_no_formats(seen: Seen, memory: Memory) -> Answer | None:
    """`format` is an annotation."""
    told = (seen.body() or {}).get("violations", []) if seen.refused("schema.invalid", "identifier.check_digit") else []
    return (
        taken(seen)
        if told and all(str(entry.get("code")).startswith(("format.", "identifier.")) for entry in told)
        else None
    )


@fault("P-SCHEMA-registerPupil")
def points_at_the_wrong_place(seen: Seen, memory: Memory) -> Answer | None:
    """The pointer of a violation lacks the place inside arrays."""

    def shorten(body: dict[str, list[dict[str, str]]]) -> None:
        for entry in body.get("violations", []):
            if "/0/" in entry.get("pointer", ""):
                entry["pointer"] = entry["pointer"].replace("/0/", "/")

    return edited(seen, shorten) if seen.refused("schema.invalid") else None


@fault("P-BODY-createOrder")
def takes_bodies_of_any_size(seen: Seen, memory: Memory) -> Answer | None:
    """There is no limit of a body."""
    return taken_if_refused(seen, "request.too_large")


@fault("P-BODY-requestRefund")
def takes_any_media_type(seen: Seen, memory: Memory) -> Answer | None:
    """Content-Type is not looked at."""
    return taken_if_refused(seen, "request.media_type")


@fault("P-IDEM-001")
def ignores_the_key(seen: Seen, memory: Memory) -> Answer | None:
    """Each request has its effect, whatever its key."""
    if seen.accepted and seen.answer.headers.get("idempotency-replayed"):
        memory["number"] = memory.get("number", 0) + 1
        return (
            edited(seen, lambda body: body | {"id": f"ins_{memory['number']:026d}"})
            if seen.name == "createInstitution"
            else None
        )
    return None


@fault("P-IDEM-createPayment")
def does_not_say_that_it_replays(seen: Seen, memory: Memory) -> Answer | None:
    """A replayed answer looks like a first one."""
    return with_headers(seen, idempotency_replayed=None)


@fault("P-IDEM-createOrder")
def replays_for_another_body(seen: Seen, memory: Memory) -> Answer | None:
    """The key alone decides: another body gets the first answer."""
    return taken_if_refused(seen, "idempotency.key_reused")


@fault("P-IDEM-approveRefund")
def needs_no_key(seen: Seen, memory: Memory) -> Answer | None:
    """Without a key the request is taken all the same."""
    return taken_if_refused(seen, "idempotency.key_missing")


@fault("P-EXISTS-createCourse")
def overwrites_under_a_known_reference(seen: Seen, memory: Memory) -> Answer | None:
    """A second document under the same external_id replaces the first."""
    return taken_if_refused(seen, "resource.exists")


@fault("P-COND-001")
def never_changes_the_etag(seen: Seen, memory: Memory) -> Answer | None:
    """The ETag is the resource's, not the version's."""
    return with_headers(seen, etag='"1"') if "etag" in seen.answer.headers else None


@fault("P-COND-updateCampus")
def ignores_if_match(seen: Seen, memory: Memory) -> Answer | None:
    """The last writer wins."""
    return taken_if_refused(seen, "concurrency.stale")


@fault("P-COND-handleWarning")
def changes_without_if_match(seen: Seen, memory: Memory) -> Answer | None:
    """Whoever sends no If-Match means whatever is there."""
    return taken_if_refused(seen, "concurrency.if_match_missing")


@fault("P-ETAG-getCourse")
def sends_weak_etags(seen: Seen, memory: Memory) -> Answer | None:
    """ETags are weak, and never match strongly."""
    etag = seen.answer.headers.get("etag")
    return with_headers(seen, etag=f"W/{etag}") if etag and not etag.startswith("W/") else None


@fault("P-ETAG-getOrder")
def sends_everything_every_time(seen: Seen, memory: Memory) -> Answer | None:
    """If-None-Match is not looked at."""
    return taken(seen) if seen.answer.status == 304 else None


@fault("P-PAGE-001")
def loses_the_last_of_a_page(seen: Seen, memory: Memory) -> Answer | None:
    """An entry between two pages is on neither."""
    body = seen.body()
    if seen.name != "listLessons" or not isinstance(body, dict) or body.get("next_cursor") is None:
        return None
    return edited(seen, lambda page: page | {"items": page["items"][:-1]})


@fault("P-PAGE-listCourses")
def repeats_the_last_of_a_page(seen: Seen, memory: Memory) -> Answer | None:
    """A page begins with the last entry of the one before."""
    body = seen.body()
    if seen.name != "listCourses" or not isinstance(body, dict) or not body.get("items"):
        return None
    last = memory.get("last")
    memory["last"] = body["items"][-1]
    return edited(seen, lambda page: page | {"items": [last]}) if last and seen.asked().get("cursor") else None


@fault("P-PAGE-listOrders")
def takes_any_cursor(seen: Seen, memory: Memory) -> Answer | None:
    """A cursor is an offset in clear, which anybody can make."""
    return taken_if_refused(seen, "cursor.invalid") if seen.name == "listOrders" else None


@fault("P-PAGE-listPupils")
def takes_cursors_of_other_lists(seen: Seen, memory: Memory) -> Answer | None:
    """A cursor is good under any filter."""
    return taken_if_refused(seen, "cursor.mismatch") if seen.name == "listPupils" else None


@fault("P-PAGE-listStaff")
def gives_no_link(seen: Seen, memory: Memory) -> Answer | None:
    """The next page has no address in the headers."""
    return with_headers(seen, link=None)


@fault("P-BATCH-001")
def counts_items_from_one(seen: Seen, memory: Memory) -> Answer | None:
    """The index of a result is one too high."""

    def count(body: dict[str, list[dict[str, int]]]) -> None:
        for result in body.get("results", []):
            result["index"] += 1

    return edited(seen, count) if seen.answer.status == 207 else None


@fault("P-BATCH-002")
def knows_no_strict_batches(seen: Seen, memory: Memory) -> Answer | None:
    """Prefer: handling=strict is passed over."""
    return taken_if_refused(seen, "batch.strict")


@fault("P-BATCH-003")
def lets_a_batch_overwrite(seen: Seen, memory: Memory) -> Answer | None:
    """An item that is known with another content replaces the first."""
    return item_taken(seen, "resource.exists")


@fault("P-PROBLEM-createOrder")
def refuses_without_a_code(seen: Seen, memory: Memory) -> Answer | None:
    """Problems have a title, and no code."""
    return (
        edited(seen, lambda body: {k: v for k, v in body.items() if k != "code"}) if seen.answer.status >= 400 else None
    )


@fault("P-PROBLEM-getOrder")
def refuses_in_html(seen: Seen, memory: Memory) -> Answer | None:
    """Errors are pages for people."""
    refused = seen.answer.status >= 400 and seen.name == "getOrder"
    headers = {**seen.answer.headers, "content-type": "text/html"}
    return Answer(seen.answer.status, headers, "<h1>Error</h1>") if refused else None


@fault("P-PROBLEM-createCourse")
def gives_every_problem_one_request_id(seen: Seen, memory: Memory) -> Answer | None:
    """The request id is the process's."""
    return edited(seen, lambda body: body | {"request_id": "req_1"}) if seen.answer.status >= 400 else None


@fault("P-PROBLEM-listOrders")
def invents_codes(seen: Seen, memory: Memory) -> Answer | None:
    """Codes are this platform's own."""
    return (
        edited(seen, lambda body: body | {"code": "own.code", "type": "https://x.example/own.code"})
        if seen.refused("request.query")
        else None
    )


@fault("P-LANG-001")
def speaks_english_only(seen: Seen, memory: Memory) -> Answer | None:
    """Accept-Language is passed over."""
    if seen.answer.status < 400 or seen.body() is None:
        return None
    return edited(seen, lambda body: body | {"title": "Wrong query", "remedy": "Mend it."})


@fault("P-HTTP-001")
def finds_no_method_wrong(seen: Seen, memory: Memory) -> Answer | None:
    """Another method of a known path is not found."""
    return problem(404, "resource.not_found") if seen.answer.status == 405 else None


@fault("P-FIX-001")
def patches_anything(seen: Seen, memory: Memory) -> Answer | None:
    """A merge patch may change every member."""
    told = (seen.body() or {}).get("violations", []) if seen.refused("schema.invalid") else []
    return taken(seen) if told and told[0].get("code") == "schema.fixed_member" else None


@fault("P-SUB-001")
def calls_any_address(seen: Seen, memory: Memory) -> Answer | None:
    """A webhook may go into a private network."""
    return taken(seen) if seen.name == "createSubscription" and b"10.0.0.1" in seen.raw and not seen.accepted else None


@fault("P-SUB-002")
def keeps_ended_subscriptions(seen: Seen, memory: Memory) -> Answer | None:
    """What was deleted can be read all the same."""
    if seen.name == "deleteSubscription" and seen.accepted:
        memory["gone"] = seen.values.get("subscription_id")
    return (
        taken(seen)
        if seen.name == "getSubscription" and seen.values.get("subscription_id") == memory.get("gone") and memory
        else None
    )


@fault("P-HEAD-001")
def lets_answers_be_cached(seen: Seen, memory: Memory) -> Answer | None:
    """What is not public may be cached for an hour."""
    return (
        with_headers(seen, cache_control="max-age=3600") if seen.name == "createInstitution" and seen.accepted else None
    )


@fault("P-ANSWER-createClass")
def does_not_say_where_it_is(seen: Seen, memory: Memory) -> Answer | None:
    """201 without Location."""
    return with_headers(seen, location=None) if seen.answer.status == 201 else None


@fault("P-ANSWER-getOrder")
def tells_times_without_an_offset(seen: Seen, memory: Memory) -> Answer | None:
    """Times are local, and do not say where."""
    naive = re.sub(r'("[a-z_]+_at":"[0-9T:.-]{19,26})(\+08:00|Z)"', r'\1"', seen.answer.body)
    return (
        Answer(seen.answer.status, seen.answer.headers, naive)
        if seen.name == "getOrder" and naive != seen.answer.body
        else None
    )


@fault("P-ANSWER-getCampus")
def leaves_out_what_is_empty(seen: Seen, memory: Memory) -> Answer | None:
    """Members that the reader could guess are left out."""
    return (
        edited(seen, lambda body: {k: v for k, v in body.items() if k != "version"})
        if seen.name == "getCampus" and seen.accepted
        else None
    )


@fault("P-DISC-001")
def does_not_name_its_rules(seen: Seen, memory: Memory) -> Answer | None:
    """The capability document has rules without a digest."""
    return (
        edited(seen, lambda body: body | {"rules": {"plugins": []}})
        if seen.name == "getCapabilities" and seen.accepted
        else None
    )


@fault("P-JSON-007")
def answers_money_with_a_point(seen: Seen, memory: Memory) -> Answer | None:
    """Amounts in answers are floats."""
    text = re.sub(r'(_fen":-?[0-9]+)(?=[,}])', r"\1.0", seen.answer.body)
    return (
        Answer(seen.answer.status, seen.answer.headers, text)
        if seen.name == "getOrder" and text != seen.answer.body
        else None
    )
