"""Everything read at the end: subscriptions, the event feed, the decisions, the log, and every list by pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from offcampus_spec.operations import Operation, operations

from offcampus_conformance.families.paging import PAGE
from offcampus_conformance.families.request import Request
from offcampus_conformance.platform_scenario.day import Day
from offcampus_conformance.record import Exchange

LOG_WAIT_S = 8.0
"""How long the suite waits for a signed head of the log: it is made beside the requests, not in them."""
PAGES = 4
READERS = {"institution-connect": "vendor", "bank": "bank", "management": "authority", "public": "vendor"}


def subscribe(day: Day) -> None:
    """A subscription made, read, wound back and ended; a target that must not be called."""
    body = {
        "external_id": f"sub-{day.make.tag}", "url": "https://school.example.com/offcampus/events",
        "event_types": ["cn.offcampus.order.paid.v1"],
    }  # fmt: skip
    day.act("createSubscription", "vendor", body, keep="subscription", before=lambda sent: _bad_targets(day, sent))
    second = {**body, "external_id": f"sub-{day.make.tag}-2"}
    day.act("createSubscription", "vendor", second, label="subscription.second")
    third = {**body, "external_id": f"sub-{day.make.tag}-3"}
    day.act("createSubscription", "vendor", third, label="subscription.third")
    day.act("listSubscriptions", "vendor")
    day.act("getSubscription", "vendor")
    events = day.act("listEvents", "vendor", query={"limit": "50"})
    items = (events.json() or {}).get("items", [])
    if items:
        day.act("redeliverEvents", "vendor", {"from_event_id": items[0]["id"]})
    day.etag("subscription", day.act("getSubscription", "vendor", label="subscription.version"))
    day.act("deleteSubscription", "vendor")
    day.act("getSubscription", "vendor", label="subscription.gone")


def _bad_targets(day: Day, sent: Request) -> None:
    targets = {
        "plain_http": "http://school.example.com/hooks", "private": "https://10.0.0.1/hooks",
        "link_local": "https://169.254.169.254/latest", "mapped": "https://[::ffff:10.0.0.1]/hooks",
        "octal": "https://0177.0.0.1/hooks", "user": "https://a:b@school.example.com/hooks",
    }  # fmt: skip
    for name, url in targets.items():
        request = sent.but(body={**sent.body, "url": url})
        day.probe(request, f"subscription.{name}", codes=["schema.invalid"], pointer="/url")


def read_all(day: Day) -> None:
    """The feed to its end, decisions, the log, the lists."""
    _read_events(day)
    decisions = day.act("listDecisions", "authority", query={"limit": "50"})
    found = (decisions.json() or {}).get("items", [])
    if found:
        day.act("getDecision", "authority", where={"decision_id": found[-1]["id"]})
    _read_log(day)
    for operation in operations().values():
        if PAGE.applies(operation) and day.wants(PAGE.check_id(operation)):
            _read_pages(day, operation)
    if day.wants("P-PAGE-001"):
        _read_while_growing(day)
    day.actors["rival"].get("events.rival", "/v1/events?limit=200", operation_id="listEvents")
    day.actors["rival"].get("orders.rival", "/v1/orders?limit=200", operation_id="listOrders")


def _read_events(day: Day) -> None:
    after: str | None = None
    for page in range(1, 41):
        query = {"limit": "50"} | ({"after": after} if after else {})
        exchange = day.act("listEvents", "vendor", query=query, label=f"events.page.{page:02d}")
        body = exchange.json() or {}
        after = body.get("next_cursor")
        if not body.get("items") or after is None:
            return


def _read_log(day: Day) -> None:
    """The checkpoint as soon as there is one, then proofs about it."""
    request = day.request("getLogCheckpoint", "vendor")
    deadline, number = time.monotonic() + LOG_WAIT_S, 0
    while time.monotonic() < deadline:
        number += 1
        if day.probe(request, f"log.waiting.{number}").status != 404:
            break
        time.sleep(0.25)
    checkpoint = day.act("getLogCheckpoint", "vendor").json() or {}
    size = (checkpoint.get("head") or {}).get("size")
    if type(size) is not int:
        return
    day.act("getLogConsistency", "vendor", query={"first": "1", "second": str(size)})
    day.act("getLogLeafHashes", "vendor", query={"start": "0", "limit": "10"})
    beyond = day.request("getLogConsistency", "vendor", query={"first": "1", "second": str(size + 1_000_000)})
    day.probe(beyond, "log.beyond", codes=["request.query"])


def _read_pages(day: Day, operation: Operation) -> None:
    """The whole list, then one entry at a time; a forged cursor, and one of another list."""
    by = READERS[operation.document]
    prefix = f"op.{operation.operation_id}.page"
    filters = _filters(day, operation)
    most = next(item.schema["maximum"] for item in operation.parameters if item.name == "limit")
    whole = day.act(operation.operation_id, by, query={**filters, "limit": str(most)}, label=f"{prefix}.whole")
    cursor: str | None = None
    for number in range(1, PAGES + 1):
        query = {**filters, "limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = day.act(operation.operation_id, by, query=query, label=f"{prefix}.by_one.{number}")
        cursor = _next(page)
        if cursor is None:
            break
    forged = day.request(operation.operation_id, by, query={**filters, "cursor": "Zm9yZ2Vk"})
    day.probe(forged, f"{prefix}.forged", codes=["cursor.invalid"])
    first = day.request(operation.operation_id, by, query={**filters, "limit": "1"})
    elsewhere = _next(day.probe(first, f"{prefix}.first_again"))
    other = _another_filter(operation, filters)
    if elsewhere is not None and other is not None and len(_items(whole)) > 1:
        query = {**other, "limit": "1", "cursor": elsewhere}
        mismatched = day.request(operation.operation_id, by, query=query)
        day.probe(mismatched, f"{prefix}.mismatched", codes=["cursor.mismatch"])


def _filters(day: Day, operation: Operation) -> dict[str, str]:
    """What narrows the list down to the run's own, where the list can be narrowed."""
    names = {item.name for item in operation.parameters if item.location == "query"}
    own = {"institution_id": day.ids["institution"], "account_id": day.ids.get("account", "")}
    return {name: value for name, value in own.items() if name in names and value}


def _another_filter(operation: Operation, filters: Mapping[str, str]) -> dict[str, str] | None:
    names = {item.name for item in operation.parameters if item.location == "query"}
    if "external_id" in names:
        return {**filters, "external_id": "zz-none"}
    if filters:
        return {}
    return None


def _next(page: Exchange) -> str | None:
    cursor: Any = (page.json() or {}).get("next_cursor")
    return cursor if isinstance(cursor, str) else None


def _items(page: Exchange) -> list[Any]:
    return list((page.json() or {}).get("items", []))


def _read_while_growing(day: Day) -> None:
    """Lessons two by two, with one added after the first page."""
    ids, cursor = day.ids, ""
    for page in range(1, 21):
        query = {"class_id": ids["class"], "limit": "2"} | ({"cursor": cursor} if cursor else {})
        exchange = day.act("listLessons", "vendor", query=query, label=f"lessons.page.{page:02d}")
        if page == 1:
            times = {"starts_at": day.make.at(12, 9), "ends_at": day.make.at(12, 10, 30)}
            added = day.make.lesson(20, ids["institution"], ids["class"], ids["staff"], **times)
            day.act("scheduleLessons", "vendor", {"items": [added]}, label="lessons.added")
        cursor = _next(exchange) or ""
        if not cursor:
            return
