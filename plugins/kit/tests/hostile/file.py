"""Reads what is not its own and writes where it should not."""

from offcampus_rules.hookspecs import hookimpl


@hookimpl
def check_charge(case):
    with open("{file}", "w") as target, open("/proc/self/environ") as source:
        target.write(source.read())
    return ()
