"""The test plan as data: what each test is, how often it runs where, what it must show, and which code carries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from plan.measure import Figures, Options, timed

BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Test:
    """One test of the plan. `counted` says what `count` counts; `module` is carried out here, `paths` by pytest."""

    id: str
    what: str
    counted: str
    ci: int
    long: int
    passes: str
    engines: tuple[str, ...] = BOTH
    module: str = ""
    paths: tuple[str, ...] = ()

    def run(self, options: Options) -> Figures:
        """Carry it out in this process. Raises Failed."""
        found: Callable[[Options], Figures] = import_module(f"plan.{self.module}").run
        return timed(found)(options)


PLAN: dict[str, Test] = {
    test.id: test
    for test in (
        Test("T1", "a process is killed at each of 25 named points; another goes on from what it left",
             "kills at each point", 20, 100, "0 acknowledged lost, 0 unbalanced, 0 entries without event, every retry "
             "completes, all money comes to its end within 48 virtual hours", module="crashes"),
        Test("T2", "kill -9 at any moment: up to four processes play on one order and all are killed",
             "trials", 500, 10_000, "what was acknowledged is there, what was on its way is sent again, and the pure "
             "model allows the whole history", module="kills"),
        Test("T3", "the disk is full, read-only or broken, or the clock jumps back an hour or forward a day, at 12 points "
             "of the money operations", "faults at each point", 10, 50, "refused whole, nothing partial; afterwards the "
             "same request takes, once", module="disks"),
        Test("T4", "races on one order at service level, two to eight processes of twelve operations",
             "histories", 2_000, 50_000, "0 broken invariants; each history linearisable by the pure model",
             module="races"),
        Test("T5", "the same races over HTTP: 8 to 16 signing clients, some requests and answers lost on the way",
             "histories", 200, 2_000, "as T4; what is lost is unknown to the model until it is read", module="served"),
        Test("T6", "Hypothesis state machine of a ledger beside a pure model", "examples", 40, 2_000,
             "same as the model after every step", paths=("reference_server/tests/ledger/test_model.py",)),
        Test("T7", "the simulator: random histories on a virtual clock with faults at every write", "seeds", 500, 20_000,
             "every invariant after every step; after faults stop all money comes to its end within 48 virtual hours",
             module="simulated"),
        Test("T9", "allocation: prices up to 10^7 over up to 200 lessons", "divisions", 200_000, 200_000,
             "the whole is the whole, no step below 0, a fen between steps", engines=("sqlite",),
             paths=("reference_server/tests/ledger/test_shares.py",)),
        Test("T10", "one key, one effect: 14 situations of every money operation, then races of fifty threads for a key",
             "races", 50, 500, "one effect, one answer", module="idempotency"),
        Test("T11", "forged, replayed, stale, re-serialised and truncated requests beside lawful twins", "requests", 600,
             600, "all refused or deduplicated, no twin refused", engines=("sqlite",),
             paths=("reference_server/tests/kernel/test_forged_requests.py",)),
        Test("T12", "fourteen kinds of tampering behind the server's back", "tamperings", 700, 700,
             "all found, the first bad row named; without a checkpoint outside: cannot know", engines=("sqlite",),
             paths=("reference_server/tests/prooflog/test_tampering.py",)),
        Test("T13", "Merkle proofs: foreign vectors, every pair of sizes, forgeries, lying servers", "proofs", 12_476,
             12_476, "0 forgeries accepted", engines=("sqlite",),
             paths=("sdk/tests/test_proofs.py", "sdk/tests/test_witness.py")),
        Test("T14", "webhooks to a receiver that fails 30 %, is slow 5 %, redirects and says 410; two relays, killed once "
             "for every fifty events", "events", 10_000, 1_000_000, "0 events lost, one identifier each, versions of a "
             "subject rise", module="hooks"),
        Test("T15", "reconciliation: every kind of difference between bank and platform", "kinds and draws", 400, 400,
             "each named, none silent", paths=("reference_server/tests/funds/test_break_kinds.py",)),
        Test("T16", "backups under load, restored in another server, judged, and gone on from", "backups", 20, 200,
             "0 differences, the log stands on an outside checkpoint, no reader of the feed misses what follows",
             module="backups"),
    )
}  # fmt: skip

ROOT = Path(__file__).parents[2]
