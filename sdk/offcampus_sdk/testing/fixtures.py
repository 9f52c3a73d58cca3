"""pytest fixtures: `pytest_plugins = ["offcampus_sdk.testing.fixtures"]`. Needs pytest, which the SDK does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offcampus_sdk.client import AsyncClient, Client
from offcampus_sdk.testing.fake import FakePlatform


@pytest.fixture
def offcampus_platform() -> FakePlatform:
    """A fresh platform."""
    return FakePlatform()


@pytest.fixture
def offcampus_client(offcampus_platform: FakePlatform) -> Iterator[Client]:
    """A client of `offcampus_platform`."""
    with offcampus_platform.client() as client:
        yield client


@pytest.fixture
def offcampus_async_client(offcampus_platform: FakePlatform) -> AsyncClient:
    """An asynchronous client of `offcampus_platform`; close it in the event loop that uses it."""
    return offcampus_platform.async_client()
