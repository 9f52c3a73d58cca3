"""Lists by pages: nothing lost, nothing twice, and a cursor that is only good for the list that it came from."""

from __future__ import annotations

from offcampus_spec.operations import Operation

from offcampus_conformance import expect
from offcampus_conformance.families.family import Family, refused
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, StepMissing, View


def _paged(operation: Operation) -> bool:
    return any(item.name == "cursor" for item in operation.parameters)


def _whole_and_in_order(view: View, operation: Operation) -> None:
    for name in ("forged", "mismatched"):
        probe = f"op.{operation.operation_id}.page.{name}"
        if name == "forged" or view.steps(probe):
            refused(view.step(probe))
    whole = _items(view.step(f"op.{operation.operation_id}.page.whole"))
    pages = view.steps(f"op.{operation.operation_id}.page.by_one.")
    if len(whole) < 2 or not pages:
        raise StepMissing(f"op.{operation.operation_id}.page.*", f"the list has {len(whole)} entries; two are needed")
    seen = [entry for page in pages for entry in _items(page)]
    for page in pages:
        if len(_items(page)) > 1:
            deviate("at most one entry per page (limit=1)", len(_items(page)), page, where="/items")
    expect.equal(whole[: len(seen)], seen, "the entries, page by page", *pages)
    complete = pages[-1].json().get("next_cursor") is None
    if complete:
        expect.equal(len(whole), len(seen), "number of entries, page by page", *pages)
    _linked(pages[0])


def _items(page: Exchange) -> list[str]:
    body = expect.status(page, 200).json()
    name = "items" if "items" in body or "lines" not in body else "lines"
    return [str(entry.get("id", entry)) for entry in expect.member(body, name, page)]


def _linked(page: Exchange) -> None:
    """A client that follows `next` or the Link header needs to make no address of its own."""
    body = page.json()
    if body.get("next_cursor") is None or "next" not in body:
        return
    link = expect.header(page, "link")
    expect.equal(f'<{expect.member(body, "next", page)}>; rel="next"', link, "header Link", page)


PAGE = Family(
    "PAGE",
    "Page by page comes what the whole list holds, each entry once and in its order.",
    "逐页所得与整表一致，不缺不重",
    sends="the list at once, then one entry per page; a cursor made up, and the cursor of another list",
    remedy_en="Page {method} {path} over a key that only grows; end by next_cursor: null alone; authenticate the cursor and bind it "
    "to party, operation and filters (400 cursor.invalid, cursor.mismatch); give the next address in `next` and Link.",
    remedy_zh="{method} {path} 按单调键分页，仅以 next_cursor 为空结束；游标须认证并绑定接入方、操作与筛选条件"
    "（400 cursor.invalid、cursor.mismatch）；在 next 与 Link 中给出下一页地址。",
    applies=_paged,
    judge=_whole_and_in_order,
    promises=lambda operation: ("cursor.invalid", "cursor.mismatch"),
)
