"""Answers without end, on every stream it finds."""

import os
import sys

from offcampus_rules.hookspecs import Finding, hookimpl


@hookimpl
def check_charge(case):
    print("x" * 1_000_000)
    sys.stderr.write("x" * 1_000_000)
    for stream in range(3, 8):
        try:
            os.write(stream, b"\x00\x00\x00\x02[]" * 1000)
        except OSError:
            continue
    one = Finding("EX-LOC-001", "sale.hours_exceeded", "M-07.3", "amount_fen", 1, 0, "fen", "at_most", "sale.hours_max")
    return (one,) * 10_000
