"""Makes the generated modules from the standard: `python -m offcampus_sdk.generate [--check]`.

`models.py` from the schemas, `surface.py` and `async_surface.py` from the contracts, and in a working copy of the
project the reference page from the docstrings. CI proves that they are fresh.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from offcampus_sdk.generation import models, reference, surface

HERE = Path(__file__).parent
MODULES: Mapping[str, Callable[[], str]] = {
    "models.py": models.render,
    "surface.py": lambda: surface.render(asynchronous=False),
    "async_surface.py": lambda: surface.render(asynchronous=True),
}
PAGE = HERE.parents[1] / "docs/sdk/reference.md"


def rendered(name: str) -> str:
    """The text of a generated module, formatted."""
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "--stdin-filename", name, "-"]
    text = MODULES[name]()
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Write what is stale, or with --check say what is."""
    only_say = "--check" in sys.argv[1:]
    wanted = {HERE / name: rendered(name) for name in MODULES}
    if PAGE.parent.is_dir():
        wanted[PAGE] = reference.render()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if not only_say:
        for path in stale:
            path.write_text(wanted[path], encoding="utf-8")
        return 0
    names = ", ".join(path.name for path in stale)
    print(f"stale: {names}: run python -m offcampus_sdk.generate" if stale else "all that is generated is fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
