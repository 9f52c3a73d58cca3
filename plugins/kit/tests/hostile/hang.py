"""Never answers."""

from offcampus_rules.hookspecs import hookimpl


@hookimpl
def check_charge(case):
    while True:
        pass
