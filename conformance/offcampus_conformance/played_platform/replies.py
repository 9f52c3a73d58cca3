"""What the played platform answers a request that is known, in shape and identified: the contract's effect of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from offcampus_conformance.played_platform.bank_side import INSTRUCTION_STEPS, answer_query, instruct, put_statement
from offcampus_conformance.played_platform.conduct import Conduct, Trick
from offcampus_conformance.played_platform.contract import Matched, contract_errors, example_answer, query_names
from offcampus_conformance.played_platform.state import Answer, State, refusal

NEW_MEMBERS = {"x_tomorrow": {"note": "a later version of the standard"}, "x_list": [1, 2, 3]}


@dataclass
class Replies:
    """The played platform's use cases over its state."""

    state: State = field(default_factory=State)
    conduct: Conduct = field(default_factory=Conduct)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The business time of the scenario."""

    def reply(self, matched: Matched, body: Any, query: Mapping[str, str], headers: Mapping[str, str],
              trick: Trick | None) -> Answer:  # fmt: skip
        """The answer to one request; `headers` by names in lower case."""
        operation = matched.operation
        if errors := contract_errors(operation, matched.path, body):
            return refusal(422, "schema.invalid", "; ".join(errors[:5]))
        if operation.method == "GET":
            allowed = query_names(operation)
            return self._read(matched, {name: value for name, value in query.items() if name in allowed})
        if trick is not None and trick.do == "overtaken" and matched.id is not None:
            self.state.happens(matched.id, self.now)
        key = headers.get("idempotency-key")
        scope = f"{operation.operation_id} {' '.join(matched.path.values())}"
        answer = self.state.once(scope, key, body, lambda: self._write(matched, body, headers, trick))
        return self._extended(answer)

    def _read(self, matched: Matched, query: Mapping[str, str]) -> Answer:
        state, size = self.state, self.conduct.page_size
        if matched.operation.operation_id == "listEvents":
            return state.feed(query, size)
        if matched.id is None:
            return self._extended(state.list(matched.collection, query, size))
        if matched.operation.path.endswith("}") and matched.collection != "statements":
            return self._extended(state.read(matched.collection, matched.id))
        if matched.last == "balances":
            return state.list("balances", {**query, "account_id": matched.id}, size)
        if matched.id not in state.resources.get(matched.collection, {}) and matched.collection != "statements":
            return refusal(404, "resource.not_found", "no such resource")
        return Answer(200, example_answer(matched.operation.operation_id), {"ETag": '"1"'})

    def _write(self, matched: Matched, body: Any, headers: Mapping[str, str], trick: Trick | None) -> Answer:
        state, operation, collection, now = self.state, matched.operation, matched.collection, self.now
        if operation.batch:
            refuse = frozenset(trick.items) if trick is not None and trick.do == "refuse_items" else frozenset()
            return state.create_batch(collection, body["items"], now, refuse=refuse)
        if matched.id is None:
            if trick is not None and trick.do == "known":
                state.store(collection, body, now)
            return state.create(collection, body, now)
        if matched.last in INSTRUCTION_STEPS:
            return instruct(state, matched.last, matched.id, body, now)
        if collection == "statements":
            return put_statement(state, matched.path, body, now, from_file=matched.last == "file")
        if matched.last == "balances":
            answer_query(state, body.get("instruction_id"), now)
            return state.create("balances", body, now, account_id=matched.id)
        if operation.method == "DELETE":
            return self._delete(collection, matched.id, headers.get("if-match"))
        if matched.last == "redeliveries":
            return Answer(202, example_answer(operation.operation_id))
        changes = body if operation.patch else self._step(matched, body)
        return state.change(collection, matched.id, changes, headers.get("if-match"))

    def _step(self, matched: Matched, body: Any) -> dict[str, Any]:
        changes: dict[str, Any] = {"state": matched.transition}
        if matched.last == "objection":
            changes["objection"] = {**body, "at": self.now.isoformat(timespec="seconds")}
        return changes

    def _delete(self, collection: str, id: str, if_match: str | None) -> Answer:
        answer = self.state.change(collection, id, {"state": "disabled"}, if_match)
        if answer.status != 200:
            return answer
        del self.state.resources[collection][id]
        return Answer(204, None)

    def _extended(self, answer: Answer) -> Answer:
        if not self.conduct.extra_members or not isinstance(answer.body, dict) or answer.status >= 400:
            return answer
        return Answer(answer.status, {**NEW_MEMBERS, **answer.body}, answer.headers)
