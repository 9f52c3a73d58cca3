"""The durable reporter: sends what is spooled, whatever happens meanwhile; nothing is lost, nothing counts twice.

Trouble of the platform or the wire stops the sending, and the next attempt waits longer each time, up to a quarter of
an hour, or as long as the platform says (Retry-After). A record that is refused is set aside with the platform's
reason and stops nobody else. A whole batch that is refused is halved until the one it is about is found.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from offcampus_sdk import models
from offcampus_sdk.client import Client
from offcampus_sdk.errors import AuthProblem, OffcampusError, ProblemError, ServerTrouble, TransportTrouble
from offcampus_sdk.spool import Batch, Progress, Refused, Spool, body_of

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 900.0


class Reporter:
    """Reports records durably.

    Args:
        spool: a SQLite file; it may be the product's own database.
        batch_size: records a request, 1 to 1,000.
        hold_after_refusal: keep later records of a subject back while an earlier one of it is refused.
    """

    def __init__(
        self, client: Client, spool: Path, *, batch_size: int = 500, hold_after_refusal: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._client, self._now = client, now
        self.spool = Spool(spool, batch_size=batch_size, hold_after_refusal=hold_after_refusal)

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the spool."""
        self.spool.close()

    def add(self, record: msgspec.Struct) -> bool:
        """Spool a record; False when one with this external_id was spooled before."""
        return self.spool.add([record]) == 1

    def add_all(self, records: Iterable[msgspec.Struct]) -> int:
        """Spool many in one transaction; how many were new."""
        return self.spool.add(records)

    def drain(self, told: Callable[[Progress], None] = lambda _: None) -> Progress:
        """Send everything that waits, batch by batch, now.

        Args:
            told: is told where the spool stands after each batch.

        Raises what the client raises (what was answered stays accounted for), and SpoolBusy.
        """
        with self.spool.sending():
            while (batch := self.spool.next_batch()) is not None:
                try:
                    self._send(batch)
                except (OffcampusError, msgspec.MsgspecError) as trouble:
                    self._note(trouble)
                    raise
                told(self.spool.progress())
        return self.spool.progress()

    def run(self, stop: threading.Event, *, idle_s: float = 5.0) -> None:
        """Send whatever comes, until `stop` is set: for a thread or a process of its own. Never raises trouble."""
        while not stop.is_set():
            wait = self.spool.trouble()[1] - self._now()
            if wait <= 0:
                try:
                    self.drain()
                    wait = idle_s
                except (OffcampusError, msgspec.MsgspecError):
                    wait = self.spool.trouble()[1] - self._now()
            stop.wait(max(0.0, min(wait, LONGEST_WAIT_S)))

    def progress(self) -> Progress:
        """How many records wait, are done, were refused, and why sending stopped last."""
        return self.spool.progress()

    def refused(self) -> list[Refused]:
        """The records that were set aside, with the platform's reasons."""
        return list(self.spool.refused())

    def id_of(self, external_id: str, operation: str = "reportConsumption") -> str | None:
        """The platform's identifier of a record that it has."""
        return self.spool.id_of(external_id, operation)

    def _send(self, batch: Batch) -> None:
        call = self._client.transport.call
        try:
            answer = call(batch.operation.operation_id, body=body_of(batch), key=batch.key)
        except (AuthProblem, ServerTrouble):
            raise  # not about these records
        except ProblemError as refusal:
            self._take_refusal(batch, refusal)
            return
        if batch.operation.batch:
            result = msgspec.json.decode(answer.body, type=models.BatchResult)
            self.spool.settle((batch.seqs[entry.index], *_outcome(entry)) for entry in result.results)
        else:
            created = msgspec.json.decode(answer.body, type=_Created)
            self.spool.settle([(batch.seqs[0], created.id, None)])

    def _take_refusal(self, batch: Batch, refusal: ProblemError) -> None:
        if len(batch.seqs) > 1:
            self.spool.split(batch)
            return
        problem = msgspec.convert(dict(refusal.problem), type=models.Problem)
        self.spool.settle([(batch.seqs[0], None, problem)])

    def _note(self, trouble: Exception) -> None:
        failures = self.spool.trouble()[0] + 1
        ceiling = min(FIRST_WAIT_S * 2 ** min(failures - 1, 20), LONGEST_WAIT_S)
        wait = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, no secret
        reason = trouble.code if isinstance(trouble, ProblemError) else type(trouble).__name__
        if isinstance(trouble, TransportTrouble):
            reason = "no answer"
        if isinstance(trouble, ProblemError) and trouble.retry_after_s is not None:
            wait = max(wait, trouble.retry_after_s)
        self.spool.note_trouble(reason, failures, self._now() + wait)


class _Created(msgspec.Struct):
    id: str


def _outcome(entry: models.BatchResultResult) -> tuple[str | None, models.Problem | None]:
    if entry.outcome == "refused" and isinstance(entry.problem, models.Problem):
        return None, entry.problem
    return entry.id if isinstance(entry.id, str) else None, None
