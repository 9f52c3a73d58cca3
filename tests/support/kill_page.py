"""Writes docs/conformance/kill-table.md; `python tests/support/kill_page.py` runs the whole gate first (minutes)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import in_process
import kill_gate
from kill_gate import Tally
from offcampus_conformance.standins.platform_faults import faults
from offcampus_conformance.standins.platform_variations import VARIATIONS

DOCS = Path(__file__).parents[2] / "docs" / "conformance"
PAGE, FIGURES = DOCS / "kill-table.md", DOCS / "kill-figures.json"
HEAD = """# Kill table of the profile `platform`

Written by `tests/support/kill_page.py`; a test compares it. Each named fault is a sound platform with one deviation
([platform_faults](../../conformance/offcampus_conformance/standins/platform_faults/__init__.py)); it is killed when the
check that is named for it deviates on an exchange where the fault was active. A fault that does nothing must survive.

本页由脚本生成并经测试核对：每个缺陷平台只有一处偏差，须由指定的检查在该偏差生效的报文上判为不符合。

See one yourself: prepare a sandbox for port 8080, serve it on port 8081, and put the faulty platform in front of it:

```sh
python -m offcampus_conformance.standins.faulty_platform --port 8080 --upstream http://127.0.0.1:8081 --fault refunds_twice
```
"""


def figures(tallies: Mapping[str, Tally]) -> str:
    """The figures of a gate, as they are kept."""
    kept = {
        kind: {
            "killed": sum(tally.killed.values()), "of": tally.total, "equivalent": tally.equivalent,
            "survivors": tally.survivors,
        }
        for kind, tally in tallies.items()
    }  # fmt: skip
    return json.dumps(kept, ensure_ascii=False, indent=1) + "\n"


def page() -> str:
    """The page, from the faults as they are and the figures of the last whole gate."""
    kept = json.loads(FIGURES.read_text(encoding="utf-8"))
    lines = [
        HEAD,
        "## Figures of the last whole gate",
        "",
        "| mutants | killed | of | equivalent |",
        "|---|---|---|---|",
    ]
    lines += [f"| {kind} | {row['killed']} | {row['of']} | {row['equivalent']} |" for kind, row in kept.items()]
    lines += [
        "",
        "Equivalent: a constraint that nothing can break alone, because another one refuses the same document.",
    ]
    lines += ["", "Survivors: no document of the suite's day reaches them, or the record hides the member.", ""]
    lines += [f"- {kind}: {name}" for kind, row in kept.items() for name in row["survivors"]]
    lines += ["", f"## Lawful variations that stay green ({len(VARIATIONS)})", ""]
    lines += [
        f"- {name.replace('_', ' ')}: {(alter.__doc__ or '').strip()}" for name, alter in sorted(VARIATIONS.items())
    ]
    lines += ["", f"## Named faults ({len(faults())})", "", "| fault | what it does | named by |", "|---|---|---|"]
    lines += [f"| {name} | {fault.title} | {fault.killed_by} |" for name, fault in faults().items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the whole gate and write figures and page."""
    with tempfile.TemporaryDirectory() as folder:
        record = in_process.run(Path(folder) / "sandbox").record
    FIGURES.write_text(figures(kill_gate.tallies(record)), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
