"""Messages on a stream: four bytes of length, then the message. A message that does not come in time is an error."""

from __future__ import annotations

import select
import socket
import struct
from time import monotonic

FRAME_MAX = 4_000_000
"""Bytes a worker may answer with: 200 findings for a batch fit, a flood does not."""

_HEAD = struct.Struct("!I")


class BrokenFrame(Exception):
    """The other side died, or sent what is no message."""


class TooLate(Exception):
    """The time budget ran out before the message was there."""


def send(stream: socket.socket, message: bytes, until: float | None = None) -> None:
    """Raises BrokenFrame when nobody listens, TooLate when nobody takes it."""
    _wait(stream, until)
    try:
        stream.sendall(_HEAD.pack(len(message)) + message)
    except TimeoutError as error:
        raise TooLate from error
    except OSError as error:
        raise BrokenFrame from error


def receive(stream: socket.socket, until: float | None = None) -> bytes:
    """The next message. Raises BrokenFrame at the end of the stream or for one that is too long; TooLate."""
    (length,) = _HEAD.unpack(_exactly(stream, _HEAD.size, until))
    if length > FRAME_MAX:
        raise BrokenFrame
    return _exactly(stream, length, until)


def ready(stream: socket.socket, until: float) -> bool:
    """Whether something can be read before then."""
    readable, _, _ = select.select([stream], [], [], max(0.0, until - monotonic()))
    return bool(readable)


def _exactly(stream: socket.socket, length: int, until: float | None) -> bytes:
    parts: list[bytes] = []
    while length:
        _wait(stream, until)
        try:
            part = stream.recv(length)
        except TimeoutError as error:
            raise TooLate from error
        except OSError as error:
            raise BrokenFrame from error
        if not part:
            raise BrokenFrame
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _wait(stream: socket.socket, until: float | None) -> None:
    if until is None:  # a worker's own end stays as it was made: it may not even change that
        return
    left = until - monotonic()
    if left <= 0:
        raise TooLate
    stream.settimeout(left)
