"""Takes the nation's names: its rule ids and the words of its codes. Its data (see the test) claims them."""

from offcampus_rules.hookspecs import hookimpl


@hookimpl
def check_charge(case):
    return ()
