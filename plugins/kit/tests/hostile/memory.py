"""Eats."""

from offcampus_rules.hookspecs import hookimpl

EATEN = []


@hookimpl
def check_charge(case):
    while True:
        EATEN.append(bytearray(50_000_000))
