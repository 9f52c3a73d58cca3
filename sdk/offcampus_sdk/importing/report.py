"""What became of every row, for the person who mends the export: a summary, and each row in a file of its own."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from offcampus_sdk.importing.rows import Fate

KINDS_ZH = {"ready": "可报送", "skipped": "跳过", "wrong": "有误"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def summary(fates: Sequence[Fate]) -> str:
    """How many rows are ready, skipped, wrong; and the commonest mistakes, most first."""
    kinds = Counter(fate.kind for fate in fates)
    lines = [f"{len(fates)} rows: {kinds['ready']} ready, {kinds['skipped']} skipped, {kinds['wrong']} wrong"]
    mistakes = Counter((wrong.column, wrong.code, wrong.message) for fate in fates for wrong in fate.wrong)
    for (column, code, message), count in mistakes.most_common(20):
        first = next(fate.number for fate in fates if any((w.column, w.code) == (column, code) for w in fate.wrong))
        lines.append(f"  {count} x {column}: {message} [{code}], first in row {first}")
    return "\n".join(lines)


def as_csv(fates: Sequence[Fate]) -> bytes:
    """Every row's fate, as a spreadsheet opens it: UTF-8 with BOM, no cell that could be taken for a formula.

    Cells of the export are not repeated: they may be personal, and the row's number leads back to them.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["row 行号", "fate 结果", "external_id 编号", "column 列", "code 代码", "what to do 说明"])
    for fate in fates:
        kind = f"{fate.kind} {KINDS_ZH[fate.kind]}"
        for column, code, message in [(w.column, w.code, w.message) for w in fate.wrong] or [("", "", fate.reason)]:
            cells = (fate.external_id, column, code, message)
            writer.writerow([fate.number, kind, *(f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
