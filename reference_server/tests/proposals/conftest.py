"""The tests of the money side share their steps (`money`)."""

from __future__ import annotations

import sys
from pathlib import Path

SHARED = str(Path(__file__).parents[1] / "ledger" / "shared")
if SHARED not in sys.path:
    sys.path.append(SHARED)
