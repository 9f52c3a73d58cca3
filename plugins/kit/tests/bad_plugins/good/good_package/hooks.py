"""A hook that behaves: cash is refused, whatever the sum."""

from __future__ import annotations

from offcampus_rules.hookspecs import Finding, hookimpl


@hookimpl
def check_charge(case):
    charge = case.facts
    if not charge.paid_in_cash:
        return ()
    return (
        Finding(
            rule="XP-CSH-001",
            code="sale.cash",
            requirement="M-07.3",
            fact="paid_in_cash",
            given=True,
            allowed=False,
            unit="flag",
            must_be="is_false",
            parameter="sale.amount_max",
        ),
    )
