"""What a replay found, for people and machines: a summary, JSON, a table of every change, one page with samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html import escape
from typing import Any

from offcampus_rules import units
from offcampus_rules.explaining import full_tree
from offcampus_rules.explanation import Explanation, explain
from offcampus_rules.messages import Language
from offcampus_rules.plain import FactsError
from offcampus_rules.replay_run import Job
from offcampus_rules.replaying import KINDS
from offcampus_rules.tally import Sample, Tally

_TOP = 10
_KIND_WORDS = {
    "newly_refused": ("newly refused", "新增拒绝"),
    "newly_allowed": ("newly allowed", "新增允许"),
    "other_outcome": ("other outcome", "结果改变"),
    "other_reasons": ("refused for other reasons", "拒绝理由改变"),
    "other_values": ("other values", "所用参数改变"),
    "other_answer": ("other deadline or sum", "期限或金额改变"),
}
_WORDS = {
    "rows": ("rows", "案例数"),
    "fen": ("amount", "金额合计"),
    "unchanged": ("unchanged", "无变化"),
    "not_evaluated": ("not evaluated for want of facts, by rule", "因缺少事实未评估（按规则）"),
    "unreadable": ("lines that are no case", "无法读取的行"),
    "rule": ("by rule", "按规则"),
    "region": ("by region", "按地区"),
    "institution": ("by institution", "按机构"),
    "samples": ("samples", "样例"),
    "before": ("before", "原规则"),
    "after": ("after", "新规则"),
    "same": ("answered alike, bit for bit", "逐位一致"),
    "different": ("answered differently", "答复不一致"),
    "other_rules": ("made with other rules", "由其他规则集作出"),
    "no_digest": ("without a stored digest", "未存摘要"),
}


def lines(job: Job, tally: Tally, language: Language) -> Iterator[str]:
    """The summary as text."""
    say = _speaker(language)
    yield f"{job.mode}: {job.before.digest}" + ("" if job.mode == "reproduce" else f" → {job.after.digest}")
    yield f"{say('rows')}: {tally.rows:,}; {say('fen')}: {units.readable(tally.fen, 'fen', language)}"
    if job.mode == "reproduce":
        yield from (f"  {say(name)}: {count:,}" for name, count in sorted(tally.reproduced.items()))
    else:
        yield f"  {say('unchanged')}: {tally.rows - tally.kinds.total():,}"
        for kind in KINDS:
            if tally.kinds[kind]:
                money = units.readable(tally.kind_fen[kind], "fen", language)
                yield f"  {_kind(kind, language)}: {tally.kinds[kind]:,} ({money})"
    if tally.not_evaluated:
        yield f"{say('not_evaluated')}:"
        ranked = sorted(tally.not_evaluated.items(), key=lambda item: (-item[1], item[0]))
        yield from (f"  {rule}: {count:,}" for rule, count in ranked[:_TOP])
    for by in tally.by:
        top = tally.top(by, _TOP)
        if top:
            yield f"{say(by)}:"
        for name, kinds, fen in top:
            counts = ", ".join(f"{_kind(kind, language)} {count:,}" for kind, count in kinds.items() if count)
            yield f"  {name or '—'}: {counts} ({units.readable(fen, 'fen', language)})"
    if tally.unreadable_rows:
        yield f"{say('unreadable')}: {tally.unreadable_rows:,}"
        yield from (f"  {job.file}:{item.number}: {item.reason}" for item in tally.unreadable)


def document(job: Job, tally: Tally) -> dict[str, Any]:
    """Everything that was counted, with both explanations of each sample."""
    return {
        "mode": job.mode,
        "history": job.file.name,
        "rules": job.before.digest,
        "against": None if job.mode == "reproduce" else job.after.digest,
        "rows": tally.rows,
        "fen": tally.fen,
        "outcomes": {"before": dict(tally.before), "after": dict(tally.after)},
        "reproduced": dict(tally.reproduced),
        "changes": {kind: {"rows": tally.kinds[kind], "fen": tally.kind_fen[kind]} for kind in KINDS},
        "not_evaluated": dict(tally.not_evaluated),
        "by": {
            by: [{"name": name, "rows": kinds, "fen": money} for name, kinds, money in tally.top(by, 1000)]
            for by in tally.by
        },
        "unreadable": {
            "lines": tally.unreadable_rows,
            "first": [{"line": item.number, "reason": item.reason} for item in tally.unreadable],
        },
        "samples": [
            {
                "line": sample.number,
                "kind": sample.kind,
                "case": sample.case,
                "question": sample.question,
                "region": sample.region,
                "institution": sample.institution,
                "rules": list(sample.rules),
                "fen": sample.fen,
                "before": _told(before),
                "after": _told(after),
            }
            for sample, before, after in _explained(job, tally)
        ],
    }


def table(tally: Tally) -> str:
    """Every change as CSV, in the order of the history (`Job.keep_all`)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ("line", "kind", "case", "question", "region", "institution", "before", "after", "rules", "amount_fen")
    )
    for item in tally.changes:
        writer.writerow(
            (
                item.number, item.kind, _cell(item.case), item.question, item.region, _cell(item.institution),
                item.before, item.after, " ".join(item.rules), item.fen,
            )
        )  # fmt: skip
    return text.getvalue()


def page(job: Job, tally: Tally) -> str:
    """One page with the summary in both languages and the samples side by side; no script, everything escaped."""
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>replay</title>',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem}"
        "pre{white-space:pre-wrap;background:#f7f7f7;padding:.8rem;margin:0}"
        "table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.4rem;vertical-align:top;"
        "width:50%;text-align:left}</style></head><body>",
    ]
    for language in ("zh", "en"):
        text = "\n".join(lines(job, tally, language))
        parts.append(f'<pre lang="{language}">{escape(text)}</pre>')
    parts.append(f"<h2>{' / '.join(reversed(_WORDS['samples']))}</h2>")
    for sample, before, after in _explained(job, tally):
        title = f"{job.file.name}:{sample.number} {sample.case} {' / '.join(reversed(_KIND_WORDS[sample.kind]))}"
        parts.append(f"<h3>{escape(title)}</h3><table><tr>")
        parts.extend(f"<th>{' / '.join(reversed(_WORDS[name]))}</th>" for name in ("before", "after"))
        parts.append("</tr>")
        for language in ("zh", "en"):
            parts.append("<tr>")
            for side in (before, after):
                told = full_tree(side, language) if side is not None else "—"  # type: ignore[arg-type]
                parts.append(f'<td><pre lang="{language}">{escape(told)}</pre></td>')
            parts.append("</tr>")
        parts.append("</table>")
    parts.append("</body></html>")
    return "".join(parts)


def _explained(job: Job, tally: Tally) -> Iterator[tuple[Sample, Explanation | None, Explanation | None]]:
    for kind in KINDS:
        for sample in tally.samples.get(kind, ()):
            yield sample, _one(job.before, sample), _one(job.after, sample)


def _one(ruleset: Any, sample: Sample) -> Explanation | None:
    try:
        return explain(ruleset, sample.question, sample.facts)
    except FactsError:
        return None


def _told(explanation: Explanation | None) -> dict[str, Any] | None:
    return None if explanation is None else explanation.to_json()


def _cell(text: str) -> str:
    """Spreadsheets run what begins like a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _speaker(language: Language) -> Any:
    return lambda name: _WORDS[name][language == "zh"]


def _kind(kind: str, language: Language) -> str:
    return _KIND_WORDS[kind][language == "zh"]
