"""What the generated groups of operations stand on: one call, one list, one batch, one step of a resource.

A list is fetched page by page as it is read, and can be resumed from a cursor. A step of a resource sends the version
that was read (If-Match), so that nobody overwrites what he has not seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from offcampus_sdk import models
from offcampus_sdk.async_transport import AsyncTransport
from offcampus_sdk.exchange import Answer, decoded
from offcampus_sdk.transport import Transport

Item = TypeVar("Item")
Answered = TypeVar("Answered")


class Versioned(Protocol):
    """A resource as the platform answers it."""

    id: str
    version: int


class BatchRefusals(Exception):
    """Items of a batch were refused; `result` tells which and why. The others are stored."""

    def __init__(self, result: models.BatchResult) -> None:
        self.result = result
        refused = [entry for entry in result.results if entry.outcome == "refused"]
        codes = sorted({entry.problem.code for entry in refused if isinstance(entry.problem, models.Problem)})
        super().__init__(f"{len(refused)} of {len(result.results)} items refused: {', '.join(codes)}")


def raise_refusals(result: models.BatchResult) -> models.BatchResult:
    """The result of a batch; raises BatchRefusals when an item was refused: no partial failure is overlooked."""
    if result.summary.refused:
        raise BatchRefusals(result)
    return result


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list. Keep `next_cursor` to go on from here another time; None: it is the last page."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """All that match; fetched page by page while it is read. Each reading begins anew."""

    transport: Transport
    operation_id: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    item: type[Item]

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[Item]]:
        """Page by page, each with the cursor to go on from."""
        query = dict(self.query)
        while True:
            page = _page(self.transport.call(self.operation_id, path=self.path, query=query), self.item)
            yield page
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    def first(self) -> Item | None:
        """The first that matches, if there is one."""
        return next(iter(self), None)


@dataclass(frozen=True)
class AsyncListing(Generic[Item]):
    """The asynchronous twin of `Listing`."""

    transport: AsyncTransport
    operation_id: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    item: type[Item]

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Page[Item]]:
        """Page by page, each with the cursor to go on from."""
        query = dict(self.query)
        while True:
            page = _page(await self.transport.call(self.operation_id, path=self.path, query=query), self.item)
            yield page
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    async def first(self) -> Item | None:
        """The first that matches, if there is one."""
        async for item in self:
            return item
        return None


@dataclass(frozen=True)
class Group:
    """The operations on one kind of resource."""

    transport: Transport

    def _one(self, operation_id: str, answered: type[Answered], **sent: Any) -> Answered:
        return decoded(self.transport.call(operation_id, **sent), answered)

    def _none(self, operation_id: str, **sent: Any) -> None:
        self.transport.call(operation_id, **sent)

    def _list(
        self, operation_id: str, item: type[Item], path: Mapping[str, str], query: Mapping[str, Any]
    ) -> Listing[Item]:
        return Listing(self.transport, operation_id, path, query, item)


@dataclass(frozen=True)
class AsyncGroup:
    """The asynchronous twin of `Group`."""

    transport: AsyncTransport

    async def _one(self, operation_id: str, answered: type[Answered], **sent: Any) -> Answered:
        return decoded(await self.transport.call(operation_id, **sent), answered)

    async def _none(self, operation_id: str, **sent: Any) -> None:
        await self.transport.call(operation_id, **sent)

    def _list(
        self, operation_id: str, item: type[Item], path: Mapping[str, str], query: Mapping[str, Any]
    ) -> AsyncListing[Item]:
        return AsyncListing(self.transport, operation_id, path, query, item)


def id_of(resource: Versioned | str) -> str:
    """The identifier of a resource that was read, or the identifier itself."""
    return resource if isinstance(resource, str) else resource.id


def version_of(resource: Versioned | str, version: int | None) -> int:
    """The version that a step is based on. Raises TypeError when nothing tells it."""
    if version is not None:
        return version
    if isinstance(resource, str):
        raise TypeError("a step is based on what was read: pass the resource itself, or its id with version=")
    return resource.version


def items_of(records: Sequence[Any]) -> dict[str, Any]:
    """The body of a batch. Raises ValueError when it has none or more than 1,000 records."""
    if not 1 <= len(records) <= 1000:
        raise ValueError(f"a batch has 1 to 1,000 records, not {len(records)}")
    return {"items": list(records)}


def _page(answer: Answer, item: type[Item]) -> Page[Item]:
    raw = decoded(answer, dict[str, msgspec.Raw])
    items = msgspec.json.decode(raw["items"], type=list[item])  # type: ignore[valid-type]
    return Page(items, msgspec.json.decode(raw.get("next_cursor", msgspec.Raw(b"null")), type=str | None))
