"""What a fault is, and the few things that faults do to an exchange."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl

from offcampus_spec._root import data_root
from offcampus_spec.operations import PROBLEM_TYPE, Operation

Memory = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A status, headers in lower case, and a body."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Seen:
    """One exchange as it passes: what was asked, when, and what the sound platform answers."""

    operation: Operation | None
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """In lower case."""
    raw: bytes
    answer: Answer
    at: float
    """Seconds since the epoch."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The path's parameters."""

    @property
    def name(self) -> str:
        """The operation's id, or nothing."""
        return self.operation.operation_id if self.operation else ""

    @property
    def accepted(self) -> bool:
        """The sound platform takes it."""
        return 200 <= self.answer.status < 300

    def sent(self) -> Any:
        """The request's body as JSON, or None."""
        return _loads(self.raw)

    def asked(self) -> dict[str, str]:
        """The query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def body(self) -> Any:
        """The answer's body as JSON, or None."""
        return _loads(self.answer.body)

    @cached_property
    def code(self) -> str | None:
        """The code of a refusal."""
        body = None if self.accepted else self.body()
        return body.get("code") if isinstance(body, dict) else None

    def refused(self, *codes: str) -> bool:
        """The sound platform refuses it with one of these codes."""
        return self.code in codes


Alter = Callable[[Seen, Memory], Answer | None]


@dataclass(frozen=True)
class Fault:
    """One named deviation, and the check that must name it."""

    name: str
    killed_by: str
    alter: Alter
    title: str


declared: list[Fault] = []


def fault(killed_by: str) -> Callable[[Alter], Alter]:
    """Declare a fault; the function's name and docstring are the fault's."""

    def declare(alter: Alter) -> Alter:
        declared.append(Fault(alter.__name__, killed_by, alter, (alter.__doc__ or "").strip()))
        return alter

    return declare


def taken(seen: Seen) -> Answer:
    """As though the platform had taken the request: the contract's own example of a success."""
    assert seen.operation is not None
    status = min(status for status in seen.operation.responses if status.startswith("2"))
    created = "201" if "201" in seen.operation.responses else status
    body = _example(json.dumps(seen.operation.responses[created]))
    headers = {"content-type": "application/json", "cache-control": "no-store", "etag": '"1"'}
    if created == "201":
        headers["location"] = f"{seen.path}/{(_loads(body) or {}).get('id')}"
    return Answer(int(created), headers, body)


def taken_if_refused(seen: Seen, *codes: str) -> Answer | None:
    """Take what the sound platform refuses for these reasons."""
    return taken(seen) if seen.operation is not None and seen.refused(*codes) else None


def edited(seen: Seen, edit: Callable[[Any], Any]) -> Answer | None:
    """The same answer with its body changed by `edit`, which changes in place or returns another; None: unchanged."""
    before = seen.body()
    if before is None:
        return None
    made = edit(before)
    after = before if made is None else made
    text = json.dumps(after, ensure_ascii=False, separators=(",", ":"))
    return None if _loads(text) == seen.body() else Answer(seen.answer.status, seen.answer.headers, text)


def with_headers(seen: Seen, **headers: str | None) -> Answer | None:
    """The same answer with headers changed, or left out (None)."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    after = {name: value for name, value in {**seen.answer.headers, **changed}.items() if value is not None}
    return None if after == dict(seen.answer.headers) else Answer(seen.answer.status, after, seen.answer.body)


def item_taken(seen: Seen, *codes: str) -> Answer | None:
    """Take the items of a batch that the sound platform refuses for these reasons."""

    def take(body: dict[str, Any]) -> None:
        for result in body.get("results", []):
            told = result.get("problem")
            if set(codes) & set(_codes(told)):
                result.pop("problem", None)
                result |= {"outcome": "accepted", "status": 201, "id": "con_01m89y2pdjehcvzpn3w2b9tgmg"}

    return edited(seen, take) if seen.answer.status == 207 else None


def problem(status: int, code: str, **more: Any) -> Answer:
    """A problem document."""
    body = {
        "type": f"https://spec.offcampus.example/v1/problems/{code}", "title": code, "status": status, "code": code,
        "request_id": "req_faulty", "violations": [], **more,
    }  # fmt: skip
    headers = {"content-type": PROBLEM_TYPE, "cache-control": "no-store"}
    return Answer(status, headers, json.dumps(body, ensure_ascii=False))


def rule_forgotten(seen: Seen, code: str) -> Answer | None:
    """Take what the sound platform refuses by this rule."""
    return taken(seen) if seen.refused("rules.refused") and code in _codes(seen.body()) else None


def _codes(told: Any) -> list[Any]:
    """The code of a problem and those of its violations."""
    if not isinstance(told, dict):
        return []
    return [told.get("code"), *(entry.get("code") for entry in told.get("violations", []))]


@cache
def _example(schema: str) -> str:
    reference = (json.loads(schema) or {}).get("$ref")
    if reference is None:
        return "{}"
    folder = data_root() / "examples" / PurePosixPath(reference).stem / "valid"
    found = sorted(folder.glob("*.json"))
    return found[0].read_text(encoding="utf-8") if found else "{}"


def _loads(text: str | bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
