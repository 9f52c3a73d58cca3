"""Hostile targets: whatever a socket can do to the suite. Each must end in a verdict on the target.

    with hostile("drip") as address: ...

Bytes are made as they are sent: a target that offers a gigabyte costs nobody a gigabyte.
"""

from __future__ import annotations

import os
import random
import socket
import ssl
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Behaviour = Callable[[socket.socket], None]
MEGABYTE = 1024 * 1024
PATIENCE_S = 60.0
JSON = b"Content-Type: application/json\r\n"


def _head(status: bytes = b"200 OK", *headers: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(headers) + b"\r\n"


def _whole(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    return _head(status, *(headers or (JSON,)), b"Content-Length: %d\r\n" % len(body), b"Connection: close\r\n") + body


def _says(answer: bytes) -> Behaviour:
    return lambda peer: peer.sendall(answer)


def _hang(peer: socket.socket) -> None:
    peer.settimeout(PATIENCE_S)
    while peer.recv(MEGABYTE):
        pass


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _half_then_reset(peer: socket.socket) -> None:
    peer.sendall(_head(b"200 OK", JSON, b"Content-Length: 1000\r\n") + b'{"issuer": "htt')
    _reset(peer)


def _gigabyte(peer: socket.socket) -> None:
    peer.sendall(_head(b"200 OK", JSON, b"Content-Length: %d\r\n" % (1024 * MEGABYTE)))
    for _ in range(1024):
        peer.sendall(b" " * MEGABYTE)


def _endless_chunks(peer: socket.socket) -> None:
    peer.sendall(_head(b"200 OK", JSON, b"Transfer-Encoding: chunked\r\n"))
    while True:
        peer.sendall(b"10000\r\n" + b"[" * 65_536 + b"\r\n")


def _drip(peer: socket.socket) -> None:
    peer.sendall(_head(b"200 OK", JSON, b"Content-Length: 100000\r\n"))
    for _ in range(int(PATIENCE_S * 10)):
        peer.sendall(b" ")
        time.sleep(0.1)


def _dripping_headers(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(int(PATIENCE_S * 10)):
        peer.sendall(b"X-%d: 1\r\n" % number)
        time.sleep(0.1)


def _endless_headers(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")


def _continues_for_ever(peer: socket.socket) -> None:
    while True:
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@cache
def _bomb() -> bytes:
    """A quarter of a megabyte that unpacks to a quarter of a gigabyte."""
    pack = zlib.compressobj(9, wbits=31)
    return b"".join([*(pack.compress(b" " * MEGABYTE) for _ in range(256)), pack.flush()])


def _gzip_bomb(peer: socket.socket) -> None:
    bomb = _bomb()
    peer.sendall(_head(b"200 OK", JSON, b"Content-Encoding: gzip\r\n", b"Content-Length: %d\r\n" % len(bomb)) + bomb)


def _garbage(peer: socket.socket) -> None:
    peer.sendall(random.Random(7).randbytes(4096))  # noqa: S311 - noise


BEHAVIOURS: Mapping[str, Behaviour] = {
    "hang": _hang,
    "reset": _reset,
    "reset_within_the_body": _half_then_reset,
    "close_at_once": lambda peer: None,
    "garbage": _garbage,
    "gigabyte": _gigabyte,
    "endless_chunks": _endless_chunks,
    "drip": _drip,
    "dripping_headers": _dripping_headers,
    "endless_headers": _endless_headers,
    "continues_for_ever": _continues_for_ever,
    "gzip_bomb": _gzip_bomb,
    "gzip_that_is_none": _says(_whole(b"plain", b"200 OK", JSON, b"Content-Encoding: gzip\r\n")),
    "redirect_loop": _says(_whole(b"", b"302 Found", b"Location: /v1/capabilities\r\n")),
    "redirect_to_a_file": _says(_whole(b"", b"302 Found", b"Location: file:///etc/passwd\r\n")),
    "body_shorter_than_it_says": _says(_head(b"200 OK", JSON, b"Content-Length: 500\r\n") + b"{}"),
    "two_lengths": _says(_head(b"200 OK", b"Content-Length: 2\r\n", b"Content-Length: 5\r\n") + b"{}..."),
    "negative_length": _says(_head(b"200 OK", b"Content-Length: -1\r\n") + b"{}"),
    "status_that_is_none": _says(b"HTTP/1.1 9999 Odd\r\n\r\n"),
    "another_protocol": _says(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "invalid_utf8": _says(_whole(b'{"issuer": "\xff\xfe\xc3\x28"}')),
    "lone_surrogate": _says(_whole(b'{"issuer": "\\ud800", "access_token": "\\udfff"}')),
    "nul_bytes": _says(_whole(b'{"issuer": "\\u0000\x00"}')),
    "a_list": _says(_whole(b"[1, [2, [3]]]")),
    "a_number": _says(_whole(b"12345678901234567890e999")),
    "null": _says(_whole(b"null")),
    "deep": _says(_whole(b"[" * 200_000)),
    "members_of_odd_types": _says(_whole(b'{"issuer": {"a": []}, "items": 7, "results": {}, "id": [], "keys": "x"}')),
    "html_for_everything": _says(_whole(b"<html>please log in</html>", b"200 OK", b"Content-Type: text/html\r\n")),
    "headers_with_markup": _says(_whole(b"{}", b"201 Created", b"ETag: \"<script>alert(1)</script>\"\r\n", JSON)),
    "bad_certificate": _says(_whole(b"{}")),
}  # fmt: skip


@contextmanager
def hostile(name: str) -> Iterator[str]:
    """Serve one behaviour on 127.0.0.1 until the end of the block; gives its address."""
    behave = BEHAVIOURS[name]
    listener = socket.create_server(("127.0.0.1", 0))
    context = _self_signed() if name == "bad_certificate" else None
    stopped = threading.Event()

    def accept() -> None:
        while not stopped.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_serve, args=(peer, behave, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        listener.close()


def _serve(peer: socket.socket, behave: Behaviour, context: ssl.SSLContext | None) -> None:
    peer.settimeout(PATIENCE_S)
    try:
        wrapped = context.wrap_socket(peer, server_side=True) if context else peer
        with wrapped:
            if behave is not _hang:
                wrapped.recv(MEGABYTE)
            behave(wrapped)
    except (OSError, ValueError):
        peer.close()


def _self_signed() -> ssl.SSLContext:
    """A certificate that nobody vouches for, for another name, and out of date."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=1)).sign(key, None)
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pair.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + made.public_bytes(Encoding.PEM))
        os.chmod(file, 0o600)
        context.load_cert_chain(file)
    return context
