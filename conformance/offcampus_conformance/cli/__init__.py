"""`offcampus-conformance`: from a first configuration to a report that an authority can act on.

Exit codes: 0 conformant, 1 not conformant, 2 nothing judged or a wrong configuration, 3 the suite's own error,
4 the target gave no answer, 5 the baseline lists what is mended.
"""

from __future__ import annotations

from offcampus_conformance.cli import authority, browsing, reading, running
from offcampus_conformance.cli.group import main

__all__ = ["authority", "browsing", "main", "reading", "running"]
