"""The driver as a command: one run per action, the step as JSON on standard input, the answer on standard output.

    your-command ACTION   <  {"step": "...", "now": "...", "given": {...}}   >  {...}

Exit code 0: done (a member `waiting` above nought: taken on); 3: refused; 4: no such action; anything else: trouble.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from offcampus_conformance.drivers.contract import (
    DONE,
    NOT_OFFERED,
    REFUSED,
    TROUBLE,
    Card,
    Description,
    Outcome,
    description_of,
)
from offcampus_conformance.record import EvidenceClass

STATUSES = {0: DONE, 3: REFUSED, 4: NOT_OFFERED}
LONGEST_ANSWER = 4 * 1024 * 1024


@dataclass
class CommandDriver:
    """Runs `command ACTION` for each step."""

    command: Sequence[str]
    timeout_s: float = 60.0
    evidence: EvidenceClass = "observed"

    def describe(self) -> Description:
        """What the action `describe` says; a command that does not know it claims nothing."""
        return description_of(self.act(Card("describe", "describe", "", "", {}, "")).answer)

    def act(self, card: Card) -> Outcome:
        """One run; a command that hangs, crashes or says no JSON is an outcome too."""
        text = json.dumps({"step": card.step, "now": card.at, "given": card.given}, ensure_ascii=False)
        try:
            done = subprocess.run(
                [*self.command, card.action], input=text.encode(), capture_output=True, timeout=self.timeout_s,
                check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return Outcome(0, trouble=f"{type(error).__name__}: {error}")
        if len(done.stdout) > LONGEST_ANSWER:
            return Outcome(0, trouble=f"the command said more than {LONGEST_ANSWER} bytes")
        status = STATUSES.get(done.returncode, TROUBLE)
        try:
            answer = json.loads(done.stdout) if done.stdout.strip() else {}
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            return Outcome(0, trouble="the command said no JSON object on standard output")
        return Outcome(status, answer)

    def close(self) -> None:
        """Nothing is held between two runs."""
