"""A badge (SVG): the verdict of one report, with its profile; never without the assurance level."""

from __future__ import annotations

from xml.sax.saxutils import escape

from offcampus_conformance.run import Report
from offcampus_conformance.verdict import Exit

GOOD, BAD, UNKNOWN = "#1a7f4b", "#b3261e", "#5c6470"


def badge_svg(report: Report, level: str = "A") -> str:
    """`profile | conforms (level A)`, readable without its colour."""
    if report.conformant:
        told, colour = "conforms", GOOD
    elif report.verdict in (Exit.CONFORMANT, Exit.NOTHING_JUDGED, Exit.UNREACHABLE, Exit.SUITE_ERROR):
        told, colour = "no verdict", UNKNOWN
    else:
        told, colour = "does not conform", BAD
    left, right = escape(f"offcampus {report.profile}"), escape(f"{told} · level {level}")
    wide, wider = 7 * len(left) + 12, 7 * len(right) + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide + wider}" height="20" role="img"'
        f' aria-label="{left}: {right}"><title>{left}: {right}</title>'
        f'<rect width="{wide}" height="20" fill="#1c1f23"/>'
        f'<rect x="{wide}" width="{wider}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{wide // 2}" y="14">{left}</text><text x="{wide + wider // 2}" y="14">{right}</text></g></svg>\n'
    )
