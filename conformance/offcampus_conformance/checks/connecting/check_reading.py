"""How a system reads: pages to the end, cursors as they came, versions, the event feed."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qsl, urlsplit

from offcampus_conformance.checks.connecting.declare import connecting
from offcampus_conformance.checks.traffic import arrived, done, during, sent, tricked
from offcampus_conformance.finding import Sure, deviate
from offcampus_conformance.record import Exchange, NotMet, View

LONGEST_PAGE = 500


def query(exchange: Exchange) -> dict[str, str]:
    """The query parameters of a request."""
    return dict(parse_qsl(urlsplit(exchange.url).query))


def _lists(view: View) -> list[Exchange]:
    found = [e for e in arrived(view) if (e.operation_id or "").startswith("list") and e.operation_id != "listEvents"]
    if not found:
        raise NotMet("no list was read")
    return found


@connecting(
    "PAGE-001", requirements=("M-10.1", "M-07.6"), title_zh="翻页直至末页",
    sends="lists in pages of three and two",
    remedy_en="Follow next_cursor until it is null: neither a short page nor an empty one ends a list.",
    remedy_zh="沿 next_cursor 翻页直至其为空；短页或空页不表示结束。",
)  # fmt: skip
def lists_are_read_to_the_end(view: View) -> None:
    """The list of the reconciliation is read until there is no next page."""
    done(view, "reconcile")
    pages = [e for e in during(view, "reconcile", *LISTS) if e.status == 200]
    if not pages:
        deviate("the list read page by page", "no list was read", view.step("step.reconcile"), sure=Sure.SILENCE)
    if (pages[-1].json() or {}).get("next_cursor") is not None:
        deviate("the last page", f"an end after {len(pages)} page(s), with a next_cursor left", pages[-1])


LISTS = ("listLessons", "listCustodyInstructions")


@connecting(
    "PAGE-002", requirements=("M-10.1",), title_zh="游标原样使用且筛选不变", needs=("PAGE-001",),
    remedy_en="Send next_cursor as it came, with the filters of the first page; build no cursor and no offset.",
    remedy_zh="原样使用 next_cursor 并保持首页筛选条件，不自造游标或偏移。",
)  # fmt: skip
def cursors_are_used_as_they_came(view: View) -> None:
    """Each further page is asked for with the cursor of the page before, and with the same filters."""
    pages = during(view, "reconcile", *LISTS)
    if len(pages) < 2:
        raise NotMet("there was only one page")
    for before, after in itertools.pairwise(pages):
        first, second = query(before), query(after)
        wanted = (before.json() or {}).get("next_cursor")
        if wanted is not None and second.get("cursor") != wanted:
            deviate("the cursor of the page before", "another one", before, after, where="query cursor")
        left = {name: value for name, value in first.items() if name != "cursor"}
        right = {name: value for name, value in second.items() if name != "cursor"}
        if wanted is not None and left != right:
            deviate(
                "the same filters", f"{sorted(set(left.items()) ^ set(right.items()))}", before, after, where="query"
            )


@connecting(
    "PAGE-003", requirements=("M-10.1",), title_zh="每页条数在 1–500 之间",
    remedy_en="Ask for 1 to 500 rows in a page.",
    remedy_zh="每页请求1至500条。",
)  # fmt: skip
def pages_are_not_too_long(view: View) -> None:
    """limit is between 1 and 500."""
    for exchange in [*_lists(view), *sent(view, "listEvents")]:
        limit = query(exchange).get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= LONGEST_PAGE):
            deviate(f"limit from 1 to {LONGEST_PAGE}", limit, exchange, where="query limit")


@connecting(
    "FEED-001", requirements=("M-10.1",), title_zh="事件流从上次游标继续",
    sends="the event feed, asked for several times",
    remedy_en="Store next_cursor of the feed with what you made of its events, and go on from there the next time.",
    remedy_zh="将事件流的 next_cursor 与处理结果一并保存，下次从该处继续。",
)  # fmt: skip
def the_feed_goes_on_from_its_cursor(view: View) -> None:
    """Only the very first request of the feed is without a cursor; each later one goes on from the one before."""
    asked = [e for e in sent(view, "listEvents") if e.status == 200]
    if len(asked) < 2:
        raise NotMet("the feed was not read twice")
    for before, after in itertools.pairwise(asked):
        if query(after).get("after") != (before.json() or {}).get("next_cursor"):
            deviate("the cursor of the last answer", query(after).get("after") or "none", before, after,
                    where="query after")  # fmt: skip


@connecting(
    "FEED-002", requirements=("M-10.1", "M-17.1"), title_zh="事件流读至最新",
    remedy_en="Read the feed until it gives no more events, in pages as long as it gives them.",
    remedy_zh="读取事件流直至无新事件。",
)  # fmt: skip
def the_feed_is_read_to_its_end(view: View) -> None:
    """Catching up ends with a page without events, or with one that holds the last."""
    for step in ("feed-first", "feed-last"):
        done(view, step)
        pages = [e for e in during(view, step, "listEvents") if e.status == 200]
        if not pages:
            deviate("the feed read", "no request", view.step(f"step.{step}"), sure=Sure.SILENCE)
        items = (pages[-1].json() or {}).get("items", [])
        if len(items) >= 2:
            deviate("an end at a page that is not full", f"an end after {len(pages)} page(s) of two", pages[-1])


@connecting(
    "COND-001", requirements=("M-07.2",), title_zh="变更携带所依据的版本",
    remedy_en="Send If-Match with the version that the change is based on, as the ETag says it.",
    remedy_zh="变更须携带所依据版本的 If-Match（即 ETag）。",
)  # fmt: skip
def changes_name_the_version_they_are_based_on(view: View) -> None:
    """Each change carries If-Match with one version, never without and never with a wildcard."""
    changes = [e for e in arrived(view) if e.facts.get("needs_version")]
    if not changes:
        raise NotMet("no change arrived")
    for exchange in changes:
        given = exchange.sent_header("if-match")
        if given is None or not (given.startswith('"') and given.strip('"').isdigit()):
            deviate('If-Match: "<version>"', given or "none", exchange, where="header If-Match")


@connecting(
    "COND-002", requirements=("M-07.2", "M-14.1"), title_zh="版本过期后重新读取再变更", needs=("COND-001",),
    sends="somebody else changes the resource first: 412 concurrency.stale",
    remedy_en="On 412 read the resource again, look at what changed, and send the change with the new version.",
    remedy_zh="收到412时重新读取资源、核对变更，再以新版本提交。",
)  # fmt: skip
def a_stale_version_is_read_again(view: View) -> None:
    """After 412 the resource is read, and the change comes again with the version that was read."""
    everything = arrived(view)
    for stale in [e for e in tricked(view, "overtaken") if e.status == 412]:
        later = [e for e in everything if e.facts["arrived_s"] > stale.facts["arrived_s"]]
        change = next((e for e in later if (e.method, e.url) == (stale.method, stale.url)), None)
        if change is None:
            deviate("the change again, with the new version", "it was given up", stale, sure=Sure.SILENCE)
        read = [e for e in later if e.method == "GET" and e.facts["arrived_s"] < change.facts["arrived_s"]]
        if not read or change.sent_header("if-match") == stale.sent_header("if-match"):
            deviate("the resource read again, then its new version", f"If-Match: {change.sent_header('if-match')}",
                    stale, change, where="header If-Match")  # fmt: skip


@connecting(
    "COND-003", level="SHOULD", requirements=("M-07.2",), title_zh="变更仅含实际改变的成员",
    remedy_en="Send in a merge patch only what changes: the rest may have been changed by somebody else.",
    remedy_zh="合并补丁仅含实际改变的成员，其余可能已被他人修改。",
)  # fmt: skip
def a_patch_holds_what_changes(view: View) -> None:
    """A merge patch holds only what was asked to change."""
    patches = [e for e in arrived(view) if e.method == "PATCH"]
    if not patches:
        raise NotMet("no merge patch arrived")
    for exchange in patches:
        members = sorted((exchange.sent() or {}).keys())
        if len(members) > 1:
            deviate("the one member that changes", ", ".join(members), exchange, where="body")
