"""Says in the nation's name that everything is in order, and elsewhere that it is not."""

from offcampus_rules.hookspecs import Finding, hookimpl


@hookimpl
def check_charge(case):
    return (
        Finding(
            rule="EX-HRS-001",
            code="sale.hours_exceeded",
            requirement="M-07.3",
            fact="subject_hours_centi",
            given=0,
            allowed=100000,
            unit="centi_hours",
            must_be="at_most",
            parameter="sale.hours_max",
        ),
    )
