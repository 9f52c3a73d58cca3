"""Two clocks. The business clock says what day it is for lessons, deadlines and money; it may be shifted in
development, so that fifteen working days pass in a second. The security clock is real time and is never shifted.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Clock:
    """The business clock; with `shift_file` it adds the file's `offset_seconds` (development only)."""

    shift_file: Path | None = None

    def now(self) -> datetime:
        """The business instant, in Shanghai's offset, to the microsecond."""
        return datetime.now(SHANGHAI) + timedelta(seconds=self._shift())

    def _shift(self) -> int:
        if self.shift_file is None or not self.shift_file.exists():
            return 0
        return int(json.loads(self.shift_file.read_text(encoding="utf-8"))["offset_seconds"])


def security_now() -> int:
    """Seconds since the epoch in real time, for tokens, assertions and signatures."""
    return int(time.time())


def security_instant() -> datetime:
    """Real time as an instant, for what is signed and held against us."""
    return datetime.now(SHANGHAI)


def rfc3339(moment: datetime) -> str:
    """An instant as the standard writes it: RFC 3339 in +08:00, whole seconds unless there are fractions.

    Raises ValueError for a naive time: written out, it would be another instant elsewhere.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive time cannot be written: it has no offset")
    return moment.astimezone(SHANGHAI).isoformat()


def parse(text: str) -> datetime:
    """An RFC 3339 instant that the contract has accepted, in Shanghai's offset; `t` and `z` in any case."""
    return datetime.fromisoformat(text.upper()).astimezone(SHANGHAI)
