"""A check that holds for every system that connects: declared once, judged under `IS-…` and `B-…`."""

from __future__ import annotations

from collections.abc import Callable

from offcampus_conformance.check import Judge, Level, check

PROFILES = {"IS": "institution-system", "B": "bank"}


def connecting(
    number: str, *, level: Level = "MUST", requirements: tuple[str, ...], title_zh: str, remedy_en: str, remedy_zh: str,
    needs: tuple[str, ...] = (), sends: str = "", only: tuple[str, ...] = ("IS", "B"),
) -> Callable[[Judge], Judge]:  # fmt: skip
    """Declare a check for both profiles; `needs` are numbers without prefix."""

    def declare(judge: Judge) -> Judge:
        for prefix in only:
            check(
                f"{prefix}-{number}", profile=PROFILES[prefix], level=level, requirements=requirements,
                title_zh=title_zh, remedy_en=remedy_en, remedy_zh=remedy_zh, sends=sends,
                needs=tuple(f"{prefix}-{need}" for need in needs),
            )(judge)  # fmt: skip
        return judge

    return declare
