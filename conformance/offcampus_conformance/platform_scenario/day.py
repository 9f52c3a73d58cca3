"""The state of one run against a platform, and how a step is taken: the lawful request, with its probes around it.

Invariants:
- the first lawful request of an operation is recorded as `op.<operationId>`; the probes of the families that are
  wanted stand beside it, those that must be refused before it, those that build on its effect behind it;
- a probe differs from its control in the places that it declares, and nowhere else: the suite checks itself;
- a probe that is taken although it must be refused has had the step's effect: the step is then left out with that
  reason, so that one fault does not make the whole day fail.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offcampus_spec.operations import Operation, operations

from offcampus_conformance.families import FAMILIES, READ_BY
from offcampus_conformance.families.family import ACCEPTED, Family, Probe
from offcampus_conformance.families.request import FORM, Request, Signing, places, send
from offcampus_conformance.record import Exchange
from offcampus_conformance.synthetic import SHANGHAI, Document, Synthetic
from offcampus_conformance.wire import JSON, Actor, Wire

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
CREATED = (200, 201)


class Unfinished(Exception):
    """A lawful step failed: what builds on it cannot be carried out."""


class Ids(dict[str, str]):
    """Identifiers by the name of the step that made them; asking for one that was not made ends the part."""

    def __missing__(self, name: str) -> str:
        raise Unfinished(f"there is no {name}: an earlier step was not accepted")


@dataclass
class Day:
    """One run of the scenario: who acts, what was made, what is wanted."""

    wire: Wire
    make: Synthetic
    actors: dict[str, Actor]
    wanted: frozenset[str] | None = None
    """The ids of the checks that will be judged; None: all. Probes of other checks are not sent."""
    clock: Callable[[], datetime] = lambda: datetime.now(SHANGHAI)
    ids: Ids = field(default_factory=Ids)
    etags: dict[str, str] = field(default_factory=dict)
    shown: dict[str, Document] = field(default_factory=dict)
    """The documents as they were last sent, by identifier: what a merge patch leads from."""
    probed: set[str] = field(default_factory=set)

    @property
    def vendor(self) -> Actor:
        """The institution's system."""
        return self.actors["vendor"]

    def now(self) -> str:
        """The target's business time."""
        return self.clock().isoformat(timespec="seconds")

    def wants(self, check_id: str) -> bool:
        """Will this check be judged?"""
        return self.wanted is None or not self.wanted.isdisjoint((check_id, *READ_BY.get(check_id, ())))

    def act(
        self, operation_id: str, by: str, body: Any = None, *, label: str | None = None, keep: str | None = None,
        where: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None, if_match: str | None = None,
        before: Callable[[Request], None] | None = None, **changes: Any,
    ) -> Exchange:  # fmt: skip
        """Take one lawful step.

        Args:
            label: its label; by default `op.<operationId>`, and then the families' probes stand around it.
            keep: the name under which the identifier of the answer is remembered.
            where: path parameters that are not those of `ids`.
            if_match: by default the last ETag that was seen of what the path names.
            before: called with the request, to send probes of a particular kind in front of it.
        """
        request = self.request(operation_id, by, body, where=where, query=query, if_match=if_match, **changes)
        around = label is None and operation_id not in self.probed
        self.probed.add(operation_id)
        label = label or f"op.{operation_id}"
        taken = self._probe(request, label, before) if around else None
        if taken is not None:
            self.wire.record.omit(label, f"the probe {taken.label} was taken and has had its effect")
            exchange = taken
        else:
            if before is not None and not around:
                before(request)
            request = request.but(signing=Signing(nonce=secrets.token_urlsafe(16)))
            exchange = send(self.actors[by], label, request)
            if around and exchange.status in ACCEPTED:
                etag = exchange.header("etag") or request.if_match
                self._probe_behind(request.but(answered_etag=etag), label)
        self._remember(request, exchange)
        if keep is not None:
            self.created(keep, exchange)
        return exchange

    def request(
        self, operation_id: str, by: str, body: Any = None, *, where: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None, if_match: str | None = None, **changes: Any,
    ) -> Request:  # fmt: skip
        """The lawful request of an operation, as the contract and what was made so far have it."""
        operation = operations()[operation_id]
        named = dict(where or {})
        path = PLACEHOLDER.sub(lambda found: named.get(found[1]) or self._id_for(found[1]), operation.path)
        if operation.concurrency == "if-match" and if_match is None:
            if_match = self.etags.get(self._subject(operation, named), '"1"')
        given: dict[str, Any] = {
            "key": secrets.token_urlsafe(18) if operation.idempotency == "key" else None,
            "if_match": if_match,
            "media_type": operation.request_media_type or JSON,
            "leads_from": self.shown.get(self._subject(operation, named)) if operation.patch else None,
            **changes,
        }
        if given["media_type"] == FORM:
            given["raw"] = body
            body = None
        return Request(operation_id, by, path, tuple((query or {}).items()), body, **given)

    def probe(self, request: Request, label: str, *, wrong: str | None = None, **facts: Any) -> Exchange:
        """Send a request beside the lawful steps, under a label of its own; with facts it must be refused."""
        return send(self.actors[request.by], label, request, facts, wrong=wrong or (label if facts else None))

    def created(self, name: str, exchange: Exchange) -> Document:
        """Keep the id of what a lawful step created. Raises Unfinished when it was not created."""
        body = exchange.json()
        if exchange.status not in CREATED or not isinstance(body, dict) or "id" not in body:
            raise Unfinished(f"{exchange.label} was answered {exchange.status}")
        self.ids[name] = body["id"]
        return body

    def etag(self, name: str, exchange: Exchange) -> None:
        """Remember the version of what `name` stands for from an answer."""
        found = exchange.header("etag")
        if found is not None:
            self.etags[self.ids[name]] = found

    def _remember(self, request: Request, exchange: Exchange) -> None:
        body, etag = exchange.json(), exchange.header("etag")
        if exchange.status not in (200, 201) or not isinstance(body, dict) or "id" not in body:
            return
        if etag is not None:
            self.etags[body["id"]] = etag
        if isinstance(request.body, dict) and exchange.status == 201:
            self.shown[body["id"]] = request.body

    def _probe(self, request: Request, label: str, before: Callable[[Request], None] | None) -> Exchange | None:
        """The probes in front of the control; the first of them that was taken, if any."""
        taken: Exchange | None = None
        if before is not None:
            before(request)
        for family, probe in self._probes(request, after=False):
            exchange = self._send(family, probe, request, label)
            if request.operation.signed and exchange.accepted and not probe.items:
                taken = taken or exchange
        return taken

    def _probe_behind(self, request: Request, label: str) -> None:
        for family, probe in self._probes(request, after=True):
            self._send(family, probe, request, label)

    def _probes(self, request: Request, *, after: bool) -> list[tuple[Family, Probe]]:
        operation = request.operation
        wanted = [family for family in FAMILIES if family.applies(operation) and self.wants(family.check_id(operation))]
        return [
            (family, probe) for family in wanted for probe in family.probes(operation, request) if probe.after == after
        ]

    def _send(self, family: Family, probe: Probe, request: Request, label: str) -> Exchange:
        changed = probe.change(request)
        differing = changed.differences(request)
        if differing - set(probe.place) or (probe.place and not differing):
            raise ValueError(
                f"the probe {probe.name} of {label} differs in {sorted(differing)}, declared {probe.place}"
            )
        name = family.label(request.operation, probe.name)
        facts = probe.facts(label, places(request, changed))
        return send(self.actors[changed.by], name, changed, facts, wrong=f"{family.key} {probe.name}")

    def _subject(self, operation: Operation, named: Mapping[str, str]) -> str:
        """The identifier of what an operation changes."""
        found = PLACEHOLDER.search(operation.path)
        return (named.get(found[1]) or self._id_for(found[1])) if found else ""

    def _id_for(self, parameter: str) -> str:
        return self.ids[_short(parameter)]


def _short(parameter: str) -> str:
    return parameter.removesuffix("_id")
