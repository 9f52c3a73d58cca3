"""What a product's test begins with, as data: one YAML file a scenario, played into a `FakePlatform`.

    ids = play(platform, "paid-order")
    client.refunds.request(models.Refund(order_id=ids["order"], ...))

Each step is one thing that happens at the platform: `create` a resource from the standard's own example (`with`
changes members; `$name` stands for the identifier of an earlier step), `change` members of one, or `pay` an order. A
scenario may begin with another one (`after`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from offcampus_sdk.testing.documents import example
from offcampus_sdk.testing.fake import FakePlatform

HERE = Path(__file__).parent


class Step(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One thing that happens; exactly one of create, change, pay."""

    create: str | None = None
    """A collection, as in the path (`consumption-records`)."""
    example: str | None = None
    """The schema whose example is created."""
    change: str | None = None
    pay: str | None = None
    collection: str | None = None
    """For a change: where the resource is."""
    members: dict[str, Any] = msgspec.field(default_factory=dict, name="with")
    name: str | None = msgspec.field(default=None, name="as")
    """Under which name the identifier is known from then on."""


class Scenario(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A scenario: what it is for, and its steps."""

    title: str
    title_zh: str
    steps: list[Step]
    after: str | None = None


def names() -> list[str]:
    """The scenarios that come along."""
    return sorted(path.stem for path in HERE.glob("*.yaml"))


def load(name: str) -> Scenario:
    """A scenario by name. Raises KeyError with the names that there are."""
    if name not in names():
        raise KeyError(f"no scenario {name!r}; there are {', '.join(names())}")
    return msgspec.yaml.decode((HERE / f"{name}.yaml").read_bytes(), type=Scenario)


def play(platform: FakePlatform, name: str) -> dict[str, str]:
    """Let it happen at the platform; the identifiers by the names of their steps."""
    scenario = load(name)
    ids = play(platform, scenario.after) if scenario.after is not None else {}
    for step in scenario.steps:
        _happen(platform, step, ids)
    return ids


def _happen(platform: FakePlatform, step: Step, ids: dict[str, str]) -> None:
    members = _resolved(step.members, ids)
    if step.pay is not None:
        platform.pay(ids[step.pay])
    elif step.change is not None and step.collection is not None:
        platform.change(step.collection, ids[step.change], **members)
    elif step.create is not None and step.example is not None:
        made = platform.create(step.create, {**example(step.example), **members})
        if step.name is not None:
            ids[step.name] = made["id"]


def _resolved(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _resolved(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, ids) for inner in value]
    return ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value
