"""Carries the facts away."""

import socket

from offcampus_rules.hookspecs import hookimpl

PORT = 9  # the test puts its own here


@hookimpl
def check_charge(case):
    with socket.create_connection(("127.0.0.1", PORT)) as stream:
        stream.sendall(repr(case.facts).encode())
    return ()
