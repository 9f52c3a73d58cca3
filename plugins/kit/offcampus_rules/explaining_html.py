"""An explanation as one page that needs nothing else: no script, no request, Chinese and English side by side.

Everything that comes from files or facts is escaped; the page may be attached to a file or printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from offcampus_rules.decision import Decision
from offcampus_rules.explaining import STATUS_MARKS, Words, limit_source, tree
from offcampus_rules.explanation import Explanation
from offcampus_rules.statuses import RuleStatus

_STYLE = """
body{font:16px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}
td,th{border:1px solid #ccc;padding:.4rem .6rem;text-align:left;vertical-align:top}
th{background:#f2f2f2}.violated{background:#fdecea}.not_evaluated{background:#fff8e1}.not_applicable{color:#666}
pre{white-space:pre-wrap;background:#f7f7f7;padding:.8rem}.en{color:#444}small{color:#555}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(explanation: Explanation) -> str:
    """The whole page."""
    return "\n".join(_page(explanation))


def _page(explanation: Explanation) -> Iterator[str]:
    zh, en = Words("zh"), Words("en")
    known = explanation.answer
    outcome = known.outcome if isinstance(known, Decision) else "undecidable" if known is None else ""
    title = f"{explanation.question}" + (f" · {zh[outcome]} · {en[outcome]}" if outcome else "")
    yield "<!doctype html>"
    yield f'<html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{_STYLE}</style></head><body>'
    yield f"<h1>{escape(title)}</h1>"
    if isinstance(known, Decision):
        yield from _decision(known)
    elif known is not None:
        yield f'<pre>{escape(tree(known, "zh"))}</pre><pre class="en" lang="en">{escape(tree(known, "en"))}</pre>'
    if explanation.missing:
        yield f"<p>{escape(', '.join(explanation.missing))}</p>"
    if explanation.rules:
        yield f"<h2>{zh['rules']} / {en['rules']}</h2><table><tr><th></th><th>规则 / Rule</th>"
        yield f"<th>{zh['given']} / {en['given']}</th><th>限值与依据 / Limits and sources</th></tr>"
        for status in explanation.rules:
            yield _status(status, zh, en)
        yield "</table>"
    if explanation.looser:
        yield f"<h2>{zh['without_effect']} / {en['without_effect']}</h2><ul>"
        for problem in explanation.looser:
            where = f"{problem.file.name}:{problem.position.line}"
            yield f"<li>{escape(where)} {_both(problem.message_zh, problem.message_en)}</li>"
        yield "</ul>"
    yield "</body></html>"


def _decision(decision: Decision) -> Iterator[str]:
    zh, en = Words("zh"), Words("en")
    yield f"<p>{zh['governing']} / {en['governing']}: {decision.governing_date}</p>"
    for item in decision.violations:
        yield f"<section><h3>[{escape(item.rule)}] {escape(item.code)}</h3>"
        yield f"<p>{_both(item.message_zh, item.message_en)}</p><p>{_both(item.remedy_zh, item.remedy_en)}</p>"
        seen = f"{zh[item.citation.confidence]} / {en[item.citation.confidence]}"
        yield f"<p><small>{escape(str(item.citation))} ({seen}; {item.level} {item.region})</small></p>"
        yield "</section>"
    for duty in decision.obligations:
        yield f"<p>[{escape(duty.rule)}] {_both(duty.text_zh, duty.text_en)}</p>"
    for alarm in decision.alarms:
        yield f"<p>{escape(alarm.plugin)} {escape(alarm.hook)}: {escape(alarm.problem)}</p>"
    plugins = ", ".join(f"{item.jurisdiction} {item.distribution} {item.version}" for item in decision.plugins)
    yield f"<p><small>{escape(plugins)}<br>{decision.ruleset_digest}<br>{decision.facts_digest}</small></p>"


def _status(status: RuleStatus, zh: Words, en: Words) -> str:
    given = _both(status.given_zh, status.given_en) if status.given_zh and status.given_en else ""
    limits = "".join(
        f"<p>{STATUS_MARKS['satisfied' if limit.passes else 'violated']} {_both(limit.allowed_zh, limit.allowed_en)}"
        f"<br><small>{escape(limit_source(limit, zh))}</small></p>"
        for limit in status.limits
    )
    if status.reason_zh and status.reason_en:
        limits += f"<p>{_both(status.reason_zh, status.reason_en)}</p>"
    if status.nearest_zh and status.nearest_en:
        limits += f"<p><b>{zh['nearest']} / {en['nearest']}:</b> {_both(status.nearest_zh, status.nearest_en)}</p>"
    name = f"{STATUS_MARKS[status.status]} {zh[status.status]}<br>{en[status.status]}"
    rule = f"{escape(status.rule)}<br><small>{escape(status.parameter)}<br>{escape(status.fact)}</small>"
    return f'<tr class="{status.status}"><td>{name}</td><td>{rule}</td><td>{given}</td><td>{limits}</td></tr>'


def _both(zh: str, en: str) -> str:
    return f'{escape(zh)}<br><span class="en" lang="en">{escape(en)}</span>'
