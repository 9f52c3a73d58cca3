"""The nursery: an interpreter with the kit loaded and nothing else, which forks a worker on demand.

Run as `python -m offcampus_rules.worker.nursery FD`. Messages on FD: b"fork" with the worker's end of a socket pair
(answered by the pid), b"kill" and a pid (answered when it is dead and buried, so that no pid is ever used twice).
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys

from offcampus_rules.worker import frames, hardening, serving, traps

_MESSAGE = 64


def main(descriptor: int) -> None:
    control = socket.socket(fileno=descriptor)
    standing = hardening.nursery()
    traps.preload()
    gc.freeze()
    children: set[int] = set()
    while True:
        message, passed, _, _ = socket.recv_fds(control, _MESSAGE, 1)
        if not message:
            return
        if message.startswith(b"fork"):
            pid = os.fork()
            if pid == 0:
                control.close()
                _live(socket.socket(fileno=passed[0]), standing)
            os.close(passed[0])
            children.add(pid)
            control.sendall(b"%16d" % pid)
        else:
            _bury(int(message[4:]), children)
            control.sendall(b"%16d" % 0)


def _live(stream: socket.socket, standing: tuple[str, ...]) -> None:
    """A worker's life: say which walls stand, serve, and end without a trace."""
    try:
        walls = [*standing, *hardening.worker()]
        frames.send(stream, json.dumps(walls).encode())
        serving.serve(stream)
    finally:
        os._exit(0)


def _bury(pid: int, children: set[int]) -> None:
    if pid in children:
        children.discard(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
