"""List every distribution of the environment with its licence; fail on one that is unknown or not allowed."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions

ALLOWED = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|LGPL|Unlicense|Zlib|PostgreSQL)\b|BSD-",
    re.I,
)
"""LGPL stands for psycopg, MPL for hypothesis and the like: used as they are, as separate distributions."""
RUN_APART = {"jinja2-ansible-filters": "copier's; copier is run as a program of its own (`offcampus-rules new`)"}
"""Under the GPL, and allowed because our code neither imports nor ships them."""
KNOWN: dict[str, str] = {}
"""Distributions whose metadata name no licence, as read in their source."""


def licence(found: Distribution) -> str:
    """What a distribution says about its licence, in one line."""
    data = found.metadata
    said = [data.get("License-Expression"), *(data.get_all("Classifier") or []), data.get("License")]
    words = [word for word in said if word and (not word.count("::") or word.startswith("License ::"))]
    text = KNOWN.get(data["Name"].lower()) or " / ".join(word.rpartition(":: ")[2] for word in words)
    return " ".join(text.split())[:90]


def main() -> int:
    """Print the list; 1 when a licence is not among the allowed."""
    rows = sorted({(found.metadata["Name"], found.version, licence(found)) for found in distributions()})
    for name, version, said in rows:
        print(f"{name:<28} {version:<14} {said}")
    wrong = [name for name, _, said in rows if not ALLOWED.search(said) and name.lower() not in RUN_APART]
    if wrong:
        print(f"unknown or not allowed: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
