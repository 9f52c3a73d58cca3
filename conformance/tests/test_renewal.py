"""A run may outlive a token: it is renewed before it expires, once, and never while it is fresh."""

from __future__ import annotations

import pytest
from offcampus_conformance import wire
from offcampus_conformance.record import Record
from offcampus_conformance.signature import Key
from offcampus_conformance.wire import Actor, Wire
from test_canaries import echo


@pytest.mark.parametrize(("before_s", "renewed"), [(0.0, 0), (-300.0, 1)])
def test_a_token_is_renewed_before_it_expires(before_s: float, renewed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The renewal is an exchange of its own."""
    record = Record()
    with echo() as address, Wire(address, record) as line:
        actor = Actor("vendor", "pty_1", Key.generate(), line, address)
        actor.authenticate("token.vendor")
        actor.token_until = wire.time.monotonic() + 100 + before_s
        actor.get("read.1", "/x", operation_id="noSuchOperation", wrong="x")
        actor.get("read.2", "/x", operation_id="noSuchOperation", wrong="x")
    assert [e.label for e in record if e.label.startswith("renewal.")] == ["renewal.vendor.001"][:renewed]
