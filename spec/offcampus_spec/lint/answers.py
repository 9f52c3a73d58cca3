"""What an operation may answer: the statuses that its flags make possible, their headers, and the problem codes."""

from __future__ import annotations

from collections.abc import Iterator

from offcampus_spec.lint.contract import Json, Place, operations, parameters
from offcampus_spec.lint.finding import Finding
from offcampus_spec.lint.sources import Sources
from offcampus_spec.lint.subschemas import below

PROBLEM_TYPE = "application/problem+json"
ALWAYS = ("400", "429", "500", "503")
OUTSIDE = frozenset({"method.not_allowed"})
"""Codes that no operation can carry: the request met none."""


def check(sources: Sources) -> Iterator[Finding]:
    """Every operation's answers; then codes that no operation names."""
    named: set[str] = set(OUTSIDE)
    for place in operations(sources):
        if place.webhook:
            yield from _webhook(place)
            continue
        yield from _statuses(place)
        yield from _headers(sources, place)
        yield from _collection(sources, place)
        yield from _closed(sources, place)
        yield from _codes(sources, place, named)
    for index, row in enumerate(sources.tables.get("problems", [])):
        if row["place"] == "answer" and row["code"] not in named:
            message = f"no operation names {row['code']}"
            yield Finding("codelists/problems.csv", (str(index),), "list.problem", message)


def responses(sources: Sources, place: Place) -> Iterator[tuple[str, str, Json]]:
    """Status, the file that the answer stands in, and the answer; dangling ones are left to their own rule."""
    for status in place.node.get("responses", {}):
        try:
            file, _, answer = sources.follow(place.file, (*place.pointer, "responses", status))
        except KeyError:
            continue
        yield status, file, answer


def _webhook(place: Place) -> Iterator[Finding]:
    statuses = place.node.get("responses", {})
    if not any(status.startswith("2") for status in statuses) or not {"400", "401", "410"} <= statuses.keys():
        yield place.fault("webhook.response", f"only {sorted(statuses)} are explained", "responses")


def _statuses(place: Place) -> Iterator[Finding]:
    given = place.node.get("responses", {})
    wanted = {*ALWAYS, *_wanted(place)}
    for status in sorted(wanted - given.keys()):
        yield place.fault("operation.status", f"{status} can occur and is not documented", "responses")
    success = [status for status in given if status.startswith("2")]
    for status in success:
        if ("application/json" in given[status].get("content", {})) != (status != "204"):
            yield place.fault("operation.body", "it answers JSON, or nothing by 204", "responses", status)
    if place.flag("batch") and success != ["207"]:
        yield place.fault("operation.status", f"a batch answers 207 and not {success}", "responses")
    if not success:
        yield place.fault("operation.status", "no success is documented", "responses")


def _wanted(place: Place) -> Iterator[str]:
    if place.secured:
        yield from ("401", "403")
    if "{" in place.path:
        yield "404"
    if "requestBody" in place.node:
        yield from ("413", "415", "422")
    if place.flag("idempotency") == "key":
        yield from ("409", "422")
    if place.flag("concurrency") == "if-match":
        yield from ("412", "428")


def _headers(sources: Sources, place: Place) -> Iterator[Finding]:
    sent = {item.get("name") for item in parameters(sources, place) if item.get("in") == "header"}
    wanted = {
        "Idempotency-Key": place.flag("idempotency") == "key",
        "If-Match": place.flag("concurrency") == "if-match",
        "If-None-Match": "304" in place.node.get("responses", {}),
        "Prefer": bool(place.flag("batch")),
        "Accept-Language": True,
    }
    for name, needed in wanted.items():
        if (name in sent) != needed:
            yield place.fault("operation.header", f"{name} is {'missing' if needed else 'of no use'}", "parameters")
    for status, _, answer in responses(sources, place):
        for name in sorted(_wanted_headers(place, status, answer) - answer.get("headers", {}).keys()):
            yield place.fault("operation.header", f"{status} does not declare {name}", "responses", status)


def _wanted_headers(place: Place, status: str, answer: Json) -> set[str]:
    wanted = set()
    if PROBLEM_TYPE in answer.get("content", {}):
        wanted.add("Content-Language")
    if status == "201":
        wanted |= {"ETag", "Location"}
    if status == "304" or (place.flag("concurrency") == "if-match" and status == "200"):
        wanted.add("ETag")
    if status in ("429", "503") or (status == "409" and place.flag("idempotency") == "key"):
        wanted.add("Retry-After")
    if status == "401":
        wanted.add("WWW-Authenticate")
    if status.startswith("2") and place.flag("idempotency") == "key":
        wanted.add("Idempotency-Replayed")
    return wanted


def _collection(sources: Sources, place: Place) -> Iterator[Finding]:
    if not str(place.node.get("operationId")).startswith("list"):
        return
    names = {item.get("name") for item in parameters(sources, place)}
    if "limit" not in names or not names & {"cursor", "after"}:
        yield place.fault("operation.collection", "limit or cursor is missing", "parameters")
    answer: Json = next((found for status, _, found in responses(sources, place) if status == "200"), {})
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    addresses = [part.get("$ref", "") for part in (schema, *schema.get("allOf", []))]
    if not any(address.endswith("page.json") for address in addresses):
        yield place.fault("operation.collection", "the answer is no page", "responses", "200")
    if "cursor" in names and "Link" not in answer.get("headers", {}):
        yield place.fault("operation.collection", "the answer declares no Link", "responses", "200")


def _closed(sources: Sources, place: Place) -> Iterator[Finding]:
    """What parties send is closed, at the root and in each object inside; what is answered is open at the root."""
    for name, content in place.node.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        if "x-patch-of" not in schema:
            steps = (*place.pointer, "requestBody", "content", name, "schema")
            yield from _open_objects(sources, place.file, steps, schema)
    for status, file, answer in responses(sources, place):
        for content in answer.get("content", {}).values():
            schema = content.get("schema", {})
            target = sources.referred(file, schema)
            node = target[2] if target else schema
            if node.get("unevaluatedProperties", node.get("additionalProperties")) is False:
                yield place.fault("schema.open", "the answer is closed", "responses", status)


def _open_objects(sources: Sources, file: str, pointer: tuple[str, ...], node: Json) -> Iterator[Finding]:
    todo, seen = [(file, pointer, node, False)], set()
    while todo:
        file, pointer, node, closed_above = todo.pop()
        if (file, pointer, closed_above) in seen:
            continue
        seen.add((file, pointer, closed_above))
        closed = closed_above or node.get("unevaluatedProperties") is False or node.get("additionalProperties") is False
        if "properties" in node and not closed and not isinstance(node.get("additionalProperties"), dict):
            yield Finding(file, pointer, "schema.closed", "a party may send members that nobody reads")
        for keyword in ("$ref", "x-item-schema"):
            target = sources.referred(file, {"$ref": node.get(keyword)})
            if target is not None:
                todo.append((*target, closed and keyword == "$ref"))
        for part in below(file, pointer, node):
            steps = part.pointer[len(pointer) :]
            if steps and not part.conditional and "$defs" not in steps and len(steps) <= 2:
                same_object = steps[0] in ("allOf", "anyOf", "oneOf")
                todo.append((file, part.pointer, part.node, closed and same_object))


def _codes(sources: Sources, place: Place, named: set[str]) -> Iterator[Finding]:
    catalogue = {row["code"]: row for row in sources.tables.get("problems", [])}
    for status, _, answer in responses(sources, place):
        for code in answer.get("content", {}).get(PROBLEM_TYPE, {}).get("examples", {}):
            named.add(code)
            row = catalogue.get(code)
            if row is None or row["status"] != status or row["place"] != "answer":
                message = f"{code} is no answer with status {status} in the catalogue"
                yield place.fault("operation.problem", message, "responses", status)
    for code in place.node.get("x-item-problems", []):
        named.add(code)
        if code not in catalogue or catalogue[code]["place"] != "answer":
            yield place.fault("operation.problem", f"{code} is no answer in the catalogue", "x-item-problems")
    if bool(place.node.get("x-item-problems")) != bool(place.flag("batch")):
        yield place.fault("operation.problem", "a batch, and only a batch, names the problems of its items")
