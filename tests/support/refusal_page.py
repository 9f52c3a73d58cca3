"""Writes docs/conformance/refusals.md: operation by problem code, which check provokes it, or why nothing can.

Worked out from a sound run: a cell is filled when an exchange of the operation was answered with this code and a check
other than those that read everything looks at it. `python tests/support/refusal_page.py` writes the page.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import in_process
from offcampus_conformance.check import checks_of
from offcampus_conformance.record import Record
from offcampus_conformance.verdict import judge
from offcampus_spec.operations import Operation, operations

PAGE = Path(__file__).parents[2] / "docs" / "conformance" / "refusals.md"
NEVER: Mapping[str, str] = {
    "rate.limited": "a run must not load a platform until it refuses; the limit is the platform's own",
    "server.error": "a platform's own fault: no request may bring it about, every check fails on it",
    "server.busy": "a platform's own state, which no request may bring about",
    "rules.unavailable": "a fault of a rule plugin, which no request brings about",
    "idempotency.in_progress": "needs two requests at the same moment; from outside nobody can make sure of the moment",
    "events.cursor_expired": "takes as long as events are kept",
    "signature.digest": "the operation has no body",
    "request.header": "the operation has no header whose form the contract binds",
    "request.too_large": "a form of this size is refused before it is read; the bodies of all other operations are probed",
}
READS_EVERYTHING = ("P-PROBLEM-", "P-ANSWER-", "P-PRIV-", "P-JSON-007")
HEAD = """# Refusals: operation by problem code

Written by `tests/support/refusal_page.py` from a run against the reference server. Each operation promises the problem
codes that its contract lists; for each, the check that provokes it and judges its status, code and place. What no check
provokes is listed below with the reason.

本页由脚本根据一次对参考服务器的运行生成：每个操作所承诺的每个问题代码，均列出触发并判定它的检查；无法触发者注明原因。
"""


def filled(record: Record) -> dict[tuple[str, str], str]:
    """(operation, code) -> the check that provokes it."""
    found: dict[tuple[str, str], str] = {}
    for result in judge(record, checks_of("platform")):
        if result.check.id.startswith(READS_EVERYTHING):
            continue
        for exchange in result.met:
            for code in _codes(exchange.json()):
                found.setdefault((exchange.operation_id or "", code), result.check.id)
    return found


def _codes(body: object) -> set[str]:
    if not isinstance(body, dict):
        return set()
    told = [body, *[entry.get("problem") or {} for entry in body.get("results", []) if isinstance(entry, dict)]]
    return {str(problem["code"]) for problem in told if "code" in problem and "status" in problem}


def page(record: Record) -> str:
    """The page for a run."""
    cells, lines, open_cells, never, total = filled(record), [], [], dict[str, int](), 0
    for operation in operations().values():
        codes = _promised(operation)
        total += len(codes)
        shown = [
            f"{code}: {cells[operation.operation_id, code]}"
            for code in codes
            if (operation.operation_id, code) in cells
        ]
        lines.append(f"| {operation.operation_id} | {', '.join(shown)} |")
        for code in (code for code in codes if (operation.operation_id, code) not in cells):
            if code in NEVER:
                never[code] = never.get(code, 0) + 1
            else:
                open_cells.append(f"{operation.operation_id}: {code}")
    judged = total - len(open_cells) - sum(never.values())
    head = [
        HEAD,
        f"{total} cells: {judged} judged, {sum(never.values())} that nothing can provoke, {len(open_cells)} open.",
        "",
    ]
    head += ["## What nothing can provoke", "", "| code | operations | why |", "|---|---|---|"]
    head += [f"| {code} | {count} | {NEVER[code]} |" for code, count in sorted(never.items())]
    head += ["", "## Open: promised, and not provoked by the suite's day", ""]
    head += [f"- {cell}" for cell in open_cells] or ["None."]
    return "\n".join([*head, "", "## Judged", "", "| operation | code: check |", "|---|---|", *lines]) + "\n"


def _promised(operation: Operation) -> list[str]:
    return list(dict.fromkeys((*operation.problems, *operation.item_problems)))


def main() -> None:
    """Run and write."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(in_process.run(Path(folder) / "sandbox").record), encoding="utf-8")


if __name__ == "__main__":
    main()
