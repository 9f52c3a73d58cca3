"""Makes the generated modules from the standard: `python -m offcampus_sdk.generate [--check]`.

`models.py` from the schemas; `surface.py` and `async_surface.py` from the contracts. CI proves that they are fresh.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from offcampus_sdk.generation import models, surface

HERE = Path(__file__).parent
MODULES: Mapping[str, Callable[[], str]] = {
    "models.py": models.render,
    "surface.py": lambda: surface.render(asynchronous=False),
    "async_surface.py": lambda: surface.render(asynchronous=True),
}


def rendered(name: str) -> str:
    """The text of a generated module, formatted."""
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "--stdin-filename", name, "-"]
    text = MODULES[name]()
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Write the modules, or with --check say whether they are fresh."""
    stale = []
    for name in MODULES:
        text, target = rendered(name), HERE / name
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv[1:]:
            target.write_text(text, encoding="utf-8")
    if "--check" not in sys.argv[1:]:
        return 0
    print(f"stale: {', '.join(stale)}: run python -m offcampus_sdk.generate" if stale else "the modules are fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
