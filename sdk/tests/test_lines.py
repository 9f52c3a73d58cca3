"""What the SDK saves: the same four tasks with it and by plain HTTP, both run, their lines counted."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import Any

import pytest
from offcampus_sdk import Key
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example
from offcampus_sdk.testing.serving import serving

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "sdk/examples"
TASKS = ("place_an_order", "read_all_orders", "report_durably", "receive_an_event")
URL = "https://vendor.example/webhooks"


@pytest.mark.parametrize("program", ["with_the_sdk", "without_the_sdk"])
def test_both_programs_do_the_four_tasks(program: str, tmp_path: Path) -> None:
    """The same effects at the platform, through a busy answer and a lost one."""
    done: dict[str, Any] = runpy.run_path(str(EXAMPLES / f"{program}.py"))
    key = Key.generate()
    key.save(tmp_path / "key.json")
    with serving(FakePlatform(key=key)) as platform:
        who = (platform.base_url, platform.client_id, tmp_path / "key.json")
        platform.fault("createOrder", "busy")
        order = done["place_an_order"](*who, example("order"))
        for number in range(60):
            platform.store.create(
                "orders", {**example("order"), "external_id": f"o-{number}"}, "2026-09-01T00:00:00+08:00"
            )
        assert order in done["read_all_orders"](*who)
        assert len(done["read_all_orders"](*who)) == 61
        records = [{**example("consumption-record"), "external_id": f"c-{number}"} for number in range(3)]
        platform.fault("reportConsumption", "lost")
        assert done["report_durably"](*who, tmp_path / "spool.db", records) == 3
        assert done["report_durably"](*who, tmp_path / "spool.db", records) == 3
        assert [platform.store.effects[f"c-{number}"] for number in range(3)] == [1, 1, 1]
        handled: list[Any] = []
        headers, body = platform.deliveries(URL)[0]
        receive = (URL, platform.jwks(), tmp_path / "handled.db", handled.append)
        assert [done["receive_an_event"](*receive, headers, body) for _ in range(2)] == [204, 204]
        assert done["receive_an_event"](*receive, headers, body + b" ") == 401
        assert len(handled) == 1


def lines(program: str) -> dict[str, int]:
    """Lines of each task with all that only such tasks need, without blank lines and documentation."""
    source = (EXAMPLES / f"{program}.py").read_text(encoding="utf-8")
    bodies = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    text = source.splitlines()

    def needed(name: str, seen: set[str]) -> set[str]:
        for node in ast.walk(bodies[name]):
            if isinstance(node, ast.Name) and node.id in bodies and node.id not in seen:
                needed(node.id, seen | {name})
                seen |= {node.id} | needed(node.id, seen | {node.id})
        return seen | {name}

    def own(name: str) -> int:
        node = bodies[name]
        documentation = node.body[0].end_lineno if ast.get_docstring(node) else None
        first = (documentation or node.lineno) + 1
        return 1 + sum(1 for line in text[first - 1 : node.end_lineno] if line.strip())

    return {task: sum(own(name) for name in needed(task, set())) for task in TASKS}


def test_the_table_of_lines_is_what_the_programs_are() -> None:
    """The README's table, counted."""
    page = (ROOT / "docs/sdk/README.md").read_text(encoding="utf-8")
    with_it, without = lines("with_the_sdk"), lines("without_the_sdk")
    for task in TASKS:
        assert f"| {task.replace('_', ' ')} | {with_it[task]} | {without[task]} |" in page
        assert with_it[task] * 4 <= without[task]
