"""A small profile of its own and a run of it, so that the engine is tested without any target."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from offcampus_conformance import check as catalogue
from offcampus_conformance.check import Check
from offcampus_conformance.config import Product
from offcampus_conformance.expect import problem, status
from offcampus_conformance.record import Exchange, Record, View
from offcampus_conformance.run import Report, rejudge
from offcampus_conformance.signature import Key

NONCE = "nonce-of-this-run"
BEGUN = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
GOOD = {"uscc": "1", "external_id": "a", "guardians": [{"name": "甄家长", "phone": "13900001234"}]}
PROBLEM = {"code": "identifier.check_digit", "violations": [{"pointer": "/uscc"}]}


def _accepts(view: View) -> None:
    status(view.step("create.good"), 201)


def _refuses(view: View) -> None:
    probe = view.probe("create.bad", control="create.good", differs=("/uscc",), fresh=("/external_id",))
    problem(probe, 422, "identifier.check_digit", "/uscc")


def _reads(view: View) -> None:
    status(view.step("read"), 200)


def _delivers(view: View) -> None:
    status(view.step("hook"), 204)


def _check(id: str, judge: Callable[[View], None], **more: Any) -> Check:
    return Check(id, "rules", "MUST", f"{id} holds.", ("M-14.1",), f"mend {id}", f"整改 {id}", judge, **more)


MINI = (
    _check("X-ONE-001", _accepts),
    _check("X-ONE-002", _refuses, needs=("X-ONE-001",)),
    _check("X-TWO-001", _reads, needs=("X-ONE-002",)),
    _check("X-TWO-002", _delivers, claims="webhooks"),
)


def exchange(label: str, answer: int | None, sent: Any = None, said: Any = None, **more: Any) -> Exchange:
    """One exchange of the small profile."""
    refused = answer is not None and answer >= 400
    made: dict[str, Any] = {
        "label": label, "method": "POST" if sent else "GET", "url": "http://target.example/v1/institutions",
        "request_headers": {"Content-Type": "application/json"},
        "request_body": None if sent is None else json.dumps(sent), "status": answer,
        "response_headers": {"Content-Type": "application/problem+json" if refused else "application/json"},
        "response_body": None if said is None else json.dumps(said),
        "started_at": (BEGUN + timedelta(seconds=5)).isoformat(), "elapsed_ms": 3.0, "actor": "vendor",
    }  # fmt: skip
    return Exchange(**{**made, **more})


@dataclass(frozen=True)
class Mini:
    """Makes runs of the small profile."""

    vendor: Key
    authority: Key

    def record(self, **answers: Any) -> Record:
        """What was exchanged; `good`, `bad` and `read` are the statuses of the answers."""
        return Record([
            exchange("create.good", answers.get("good", 201), GOOD, {"id": "x"}),
            exchange("create.bad", answers.get("bad", 422), {**GOOD, "uscc": "2", "external_id": "b"}, PROBLEM),
            exchange("read", answers.get("read", 200), None, {"id": "x"}),
        ])  # fmt: skip

    def report(self, record: Record | None = None, *, run_id: str = "0" * 32) -> Report:
        """A live report of a run."""
        product = Product("学务通", "某公司", "3.1", "sha-256:" + "1" * 64, "sha-256:" + "2" * 64)
        made = rejudge(
            "rules", "http://target.example", frozenset(), record or self.record(), run_id=run_id, seed=7, nonce=NONCE,
            product=product,
        )  # fmt: skip
        plan = replace(made.plan, mode="live", started_at=BEGUN.isoformat())
        return replace(made, plan=plan, finished_at=(BEGUN + timedelta(minutes=1)).isoformat())


@pytest.fixture
def mini(monkeypatch: pytest.MonkeyPatch) -> Mini:
    """The catalogue holds the small profile and nothing else."""
    monkeypatch.setattr(catalogue, "all_checks", lambda: MINI)
    return Mini(Key.generate(), Key.generate())
