"""Erasing the personal part of a logged row: its salt is destroyed, the leaf and every proof stay as they are.

That a salt was destroyed is itself an audited, logged fact: a salt that is missing without one was taken by somebody
who wanted to edit what it covered.
"""

from __future__ import annotations

from sqlalchemy import delete

from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.prooflog.tables import salts

DESTROYED = "log.salt_destroyed"
_SUBJECT = "log_entry/"


def destroy_salt(work: Work, seq: int) -> None:
    """Destroy the salt of an entry. Raises ValueError when it has none (any more)."""
    if work.connection.execute(delete(salts).where(salts.c.seq == seq)).rowcount != 1:
        raise ValueError(f"entry {seq} has no salt: it has no personal part, or was erased before")
    work.audit(DESTROYED, f"{_SUBJECT}{seq}", None)


def seq_of(subject: str) -> int:
    """The entry that such a line of the audit trail is about; -1 when it is about none."""
    number = subject.removeprefix(_SUBJECT)
    return int(number) if subject.startswith(_SUBJECT) and number.isascii() and number.isdigit() else -1
