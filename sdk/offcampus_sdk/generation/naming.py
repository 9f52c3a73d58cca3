"""Where an operation stands in the client: a group and a method, both from the contract.

The group is the first segment of the path (`/v1/custody-accounts/…` -> `custody_accounts`), the method the operationId
without the group's own noun (`freezeCustodyAccount` -> `freeze`, `getOrderStatement` -> `get_statement`). So a new
operation of the contract has its name without anybody writing it down.
"""

from __future__ import annotations

import keyword
import re

from offcampus_spec.operations import Operation


def placed(operation: Operation) -> tuple[str, str] | None:
    """Group and method; None for what the client itself uses and nobody calls (token and metadata)."""
    if operation.operation_id in ("issueToken", "getServerMetadata"):
        return None
    segments = [part for part in operation.path.split("/") if part and not part.startswith("{")]
    group = "_".join(segments[1:3] if segments[1] == "public" else segments[1:2]).replace("-", "_")
    if segments[0] == ".well-known":
        group = segments[1].removesuffix(".json")
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+", operation.operation_id)]
    method = "_".join([words[0], *_without(words[1:], [_singular(word) for word in group.split("_")])])
    return group, safe(method)


def safe(name: str) -> str:
    """The name, or the name with an underscore where Python needs the word itself."""
    return f"{name}_" if keyword.iskeyword(name) else name


def _without(words: list[str], noun: list[str]) -> list[str]:
    """The words without the noun, or without as much of it as stands there (`Consumption` of consumption record)."""
    for length in range(len(noun), 0, -1):
        for start in range(len(words) - length + 1):
            if [_singular(word) for word in words[start : start + length]] in (noun[:length], noun[-length:]):
                return words[:start] + words[start + length :]
    return words


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "uses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word
