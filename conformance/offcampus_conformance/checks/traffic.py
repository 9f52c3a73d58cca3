"""What checks of a connecting system ask of the traffic: who sent what, at which step, and what came after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from offcampus_conformance.expect import status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, NotMet, StepMissing, Untestable, View

PUBLIC = ("issueToken", "getServerMetadata", "getJwks", "getCapabilities")
TRANSIENT = ("busy", "throttle", "in_progress", "broken", "drop", "lost", "truncated", "down")
"""Tricks after which the same request must come again, under the same key."""
CARRIED_OUT = (200, 202)


def arrived(view: View) -> list[Exchange]:
    """Every request of the system to the operations of the contract but the public ones, as they arrived."""
    found = [e for e in view.steps("arrived.") if e.operation_id is not None and e.operation_id not in PUBLIC]
    if not found:
        raise NotMet("no request of the system arrived")
    return sorted(found, key=lambda e: e.facts["arrived_s"])


def writes(view: View) -> list[Exchange]:
    """Every write of the system."""
    return [exchange for exchange in arrived(view) if exchange.method != "GET"]


def sent(view: View, *operation_ids: str) -> list[Exchange]:
    """The requests to some operations, as they arrived; may be empty."""
    found = [e for name in operation_ids for e in view.of_operation(name) if e.label.startswith("arrived.")]
    return sorted(found, key=lambda e: e.facts["arrived_s"])


def during(view: View, step: str, *operation_ids: str) -> list[Exchange]:
    """The requests to some operations that arrived in a step; may be empty."""
    return [exchange for exchange in sent(view, *operation_ids) if exchange.facts.get("step") == step]


def tricked(view: View, *tricks: str) -> list[Exchange]:
    """The requests that met one of these tricks. Raises NotMet when none did."""
    found = [e for e in view.steps("arrived.") if e.facts.get("trick") in tricks]
    if not found:
        raise NotMet(f"no request met {' or '.join(tricks)}")
    return found


def done(view: View, step: str) -> Exchange:
    """The system carried a step out. Raises StepMissing otherwise: what builds on it is blocked."""
    exchange = view.step(f"step.{step}")
    if exchange.status not in CARRIED_OUT:
        said = exchange.trouble or f"its driver answered {exchange.status}"
        raise StepMissing(f"step.{step}", f"the system did not carry it out ({said})")
    return exchange


def tried(view: View, step: str) -> Exchange:
    """The system was asked, and said something: done or refused. Raises StepMissing when it broke down."""
    exchange = view.step(f"step.{step}")
    if exchange.status is None or exchange.status >= 500:
        raise StepMissing(f"step.{step}", f"the system broke down ({exchange.trouble or exchange.status})")
    return exchange


def carried_out(view: View, step: str) -> Exchange:
    """The step itself is what is judged: the system must have carried it out."""
    return status(view.step(f"step.{step}"), *CARRIED_OUT)


def saw(view: View, step: str) -> dict[str, Any]:
    """What the system showed of itself at a step. Raises StepMissing when it does not offer `observe`."""
    exchange = done(view, step)
    answer = exchange.json()
    if not isinstance(answer, dict) or not isinstance(answer.get("events"), dict):
        deviate("an object with `events` and `subjects`", "another shape", exchange, where="observe")
    return answer


def known(exchange: Exchange, name: str) -> str:
    """An identifier by the scenario's name for it. Raises StepMissing when the scenario never came to know it."""
    found = exchange.facts.get("known", {}).get(name)
    if found is None:
        raise StepMissing(exchange.label, f"there is no {name}")
    return str(found)


def items(exchange: Exchange) -> list[dict[str, Any]]:
    """The items of a batch that was sent."""
    body = exchange.sent()
    found = body.get("items") if isinstance(body, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def records(view: View, operation_id: str = "reportConsumption") -> list[tuple[Exchange, dict[str, Any]]]:
    """Every item of every batch of an operation, with the request that carried it."""
    return [(exchange, item) for exchange in sent(view, operation_id) for item in items(exchange)]


def accepted(view: View, operation_id: str = "reportConsumption") -> list[tuple[Exchange, dict[str, Any]]]:
    """The items that the platform took, each once, in the order in which they were taken."""
    found: dict[str, tuple[Exchange, dict[str, Any]]] = {}
    for exchange in sent(view, operation_id):
        answer = exchange.json()
        results = answer.get("results", []) if exchange.status == 207 and isinstance(answer, dict) else []
        listed = items(exchange)
        for result in results:
            if result["outcome"] == "accepted" and result["index"] < len(listed):
                item = listed[result["index"]]
                found.setdefault(str(item.get("external_id")), (exchange, item))
    return list(found.values())


def intents(exchanges: Iterable[Exchange]) -> dict[tuple[str, str], list[Exchange]]:
    """Attempts by what is wanted: one operation, one address and one body. A batch is known by its body too."""
    grouped: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        path = exchange.url.partition("?")[0]
        grouped[(f"{exchange.method} {path}", str(exchange.facts["body_digest"]))].append(exchange)
    return grouped


def again(exchange: Exchange, among: list[Exchange]) -> list[Exchange]:
    """Later requests of the same operation that want the same: the same key, body or own reference."""
    key, body = exchange.sent_header("idempotency-key"), exchange.facts["body_digest"]
    reference = own_reference(exchange)
    return [
        later
        for later in among
        if later.operation_id == exchange.operation_id
        and later.facts["arrived_s"] >= exchange.facts["arrived_s"]
        and later.label != exchange.label
        and (
            later.facts["body_digest"] == body
            or (key is not None and later.sent_header("idempotency-key") == key)
            or (reference is not None and own_reference(later) == reference)
        )
    ]


def own_reference(exchange: Exchange) -> str | None:
    """The party's own reference in what was sent; of a batch that of its first item."""
    body = exchange.sent()
    if not isinstance(body, dict):
        return None
    listed = items(exchange)
    found = listed[0].get("external_id") if listed else body.get("external_id")
    return str(found) if found is not None else None


def nothing_after(view: View, seen: str, until: str, unwanted: Callable[[Exchange], bool], what: str) -> None:
    """Between two things that were seen, no request of a kind arrived. Raises StepMissing unless both were seen.

    Silence proves something only after the system was told, and only when it had its chance: `until` is a step that it
    was asked to carry out afterwards.
    """
    begun, ended = view.step(seen), view.step(until)
    if ended.status is None or ended.status >= 500:
        raise Untestable(f"{until!r} broke down: that no {what} came shows nothing")
    found = [e for e in view.steps("arrived.") if begun.started_at <= e.started_at <= ended.started_at and unwanted(e)]
    if found:
        deviate(f"no {what} after {seen}", f"{len(found)} arrived", *found[:3])
