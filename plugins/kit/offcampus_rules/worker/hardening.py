"""The walls around a worker, from the outside in. Each answers with the names of those that stand.

`nursery`, once: no new privileges, an empty network namespace. `worker`, each: limits on memory, files and processes,
another user where we are root, a filter that leaves only the system calls of computing. The last wall is inside Python
(`traps`) and is not counted: it tells honest mistakes early, it holds nobody back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys

MEMORY_BYTES = 192 * 1024 * 1024
"""What a plugin may need beyond the interpreter."""

_NOBODY = 65534
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 1, 38, 22, 2
_SIGKILL = 9

# Numbers of the calls that computing, reading and writing the two open streams, and ending need (asm/unistd.h).
_CALLS: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (0xC000003E, (
        0, 1, 3, 7, 9, 10, 11, 12, 13, 14, 15, 20, 24, 25, 28, 35, 39, 44, 45, 46, 47, 60, 72, 96, 131, 186, 202, 228,
        230, 231, 271, 318,
    )),
    "aarch64": (0xC00000B7, (
        63, 64, 57, 73, 222, 226, 215, 214, 134, 135, 139, 66, 124, 216, 233, 101, 172, 206, 207, 211, 212, 93, 25,
        169, 132, 178, 98, 113, 115, 94, 278,
    )),
}  # fmt: skip


def nursery() -> tuple[str, ...]:
    """Walls that every worker inherits."""
    if sys.platform != "linux":
        return ()
    standing = []
    if _prctl(_PR_SET_NO_NEW_PRIVS, 1):
        standing.append("no_new_privs")
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    if libc.unshare(flags) == 0:
        standing.append("empty_network")
    return tuple(standing)


def worker() -> tuple[str, ...]:
    """Walls of one worker; called after the fork, before any of the plugin's code."""
    standing = ["limits"]
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    used = _address_space()
    for limit, amount in (
        (resource.RLIMIT_AS, used + MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 8),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower hard limit stands already
            resource.setrlimit(limit, (amount, amount))
    if sys.platform == "linux" and os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            standing.append("nobody")
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if sys.platform == "linux" and _filter_calls():
        standing.append("call_filter")
    return tuple(standing)


def _prctl(option: int, argument: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0) == 0)


def _address_space() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 256 * 1024 * 1024


def _filter_calls() -> bool:
    """A seccomp filter: the listed calls pass, every other fails with EPERM. False where it cannot be had."""
    known = _CALLS.get(platform.machine())
    if known is None:
        return False
    architecture, allowed = known
    load, equal, answer = 0x20, 0x15, 0x06
    refuse, permit, kill = 0x00050001, 0x7FFF0000, 0x80000000
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, kill), (load, 0, 0, 0)]
    program += [(equal, len(allowed) - index, 0, number) for index, number in enumerate(allowed)]
    program += [(answer, 0, 0, refuse), (answer, 0, 0, permit)]
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HxxxxxxP", len(program), ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(head, len(head))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(pointer), 0, 0) == 0)
