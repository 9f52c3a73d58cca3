"""Did you mean …: the known name nearest to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN = 25


def known_or_near(name: str, known: Iterable[str]) -> tuple[str, str]:
    """What to write instead of `name`, in English and Chinese: the nearest name, else what there is if it is little."""
    names = sorted(known)
    if near := difflib.get_close_matches(name, names, n=3, cutoff=0.6):
        return f"did you mean {' or '.join(near)}?", f"是否指 {' 或 '.join(near)}？"
    if len(names) > _SHOWN:
        return f"known are {len(names)} names", f"已知共 {len(names)} 个名称"
    listed = ", ".join(names) or "none"
    return f"known: {listed}", f"已知：{listed}"
