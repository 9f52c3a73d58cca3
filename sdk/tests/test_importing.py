"""Exports as products make them: read exactly, judged before anything is sent, every row with its fate."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_sdk.checking import check
from offcampus_sdk.importing import mapping, report, rows, sheets, values
from offcampus_sdk.importing.values import WrongValue
from openpyxl import Workbook

LESSONS = {"institution_id": "ins_01kwdpf480fk8v6gaja4c4a5hz", "campus_id": "cmp_01kwdpf480ee2v8jwm6yxy7zb3"}
IDS = {
    "orders": "ord_01m01nsaw0e5hbt45jqsn74mqw", "lessons": "les_01m0eeb280etmvs9f0tnprdnhb",
    "staff": "stf_01kwg8vv80f0wb33jrxk9z5z6m", "campuses": "cmp_01kwdpf480ee2v8jwm6yxy7zb3",
    "pupils": "pup_01kzsv5a80f8zawft5czpa69my", "courses": "crs_01kxym0s80fn0aj640g4hnv2tr",
    "contracts": "ctr_01m01jbf80fvwbpmqf1amnz7mp",
}  # fmt: skip


def known(collection: str, reference: str) -> str | None:
    """Everything is known to the platform but what is called strange."""
    return None if reference.startswith("strange") else IDS[collection]


def judged(name: str, path: Path, context: dict[str, str] | None = None) -> list[rows.Fate]:
    layout = mapping.load(name)
    table = sheets.read(path, layout.sheet)
    return list(rows.judge(layout, table, context=LESSONS if context is None else context, lookup=known, check=check))


# --- values ---


@pytest.mark.parametrize(
    ("read", "cell", "expected"),
    [
        (values.fen, "4,800.00", 480_000), (values.fen, "¥4800元", 480_000), (values.fen, "￥1,234,567.8", 123_456_780),
        (values.fen, 4800, 480_000), (values.fen, Decimal("0.01"), 1), (values.fen, "-12.30", -1230),
        (values.class_hours_centi, "1.5课时", 150), (values.class_hours_centi, 2, 200),
        (values.minutes, "45分钟", 45), (values.integer, "1,200", 1200),
        (values.day, "2026-09-05", date(2026, 9, 5)), (values.day, "2026/9/5", date(2026, 9, 5)),
        (values.day, "2026.9.5", date(2026, 9, 5)), (values.day, "2026年9月5日", date(2026, 9, 5)),
        (values.day, "2026年9月5日(周六)", date(2026, 9, 5)), (values.day, "20260905", date(2026, 9, 5)),
        (values.day, 46270, date(2026, 9, 5)), (values.day, datetime(2026, 9, 5, 18, 30), date(2026, 9, 5)),
        (values.day, "2026-09-05 18:30:00", date(2026, 9, 5)), (values.day, "2026-09-05T18:30", date(2026, 9, 5)),
        (values.clock, "18:30", time(18, 30)), (values.clock, "下午6:30", time(18, 30)),
        (values.clock, "18点30分", time(18, 30)), (values.clock, "上午 9:05:07", time(9, 5, 7)),
        (values.clock, Decimal("0.7708333333333334"), time(18, 30)), (values.clock, "中午12:10", time(12, 10)),
        (values.yes, "是", True), (values.yes, "否", False), (values.yes, "√", True),
        (values.span, "18:30-20:00", ("18:30", "20:00")), (values.span, "18:30~20:00", ("18:30", "20:00")),
        (values.span, "18:30 至 20:00", ("18:30", "20:00")), (values.text, 42, "42"),
    ],
)  # fmt: skip
def test_cells_are_read_as_people_mean_them(read: Callable[[Any], Any], cell: Any, expected: Any) -> None:
    """Dates in several shapes, yuan, hours, times of day."""
    assert read(cell) == expected


@pytest.mark.parametrize(
    ("read", "cell"),
    [
        (values.fen, "4800.001"), (values.fen, "约4800"), (values.fen, "4,80.00"), (values.fen, "1e3"), (values.fen, "四千"),
        (values.class_hours_centi, "1.234"), (values.class_hours_centi, -1), (values.minutes, "4.5"),
        (values.day, "05/06/2026"), (values.day, "9月5日"), (values.day, "2026-13-01"), (values.day, "2026-02-30"),
        (values.day, "2026-09-05 abc"), (values.day, 12), (values.day, True), (values.day, "2026090"),
        (values.clock, "25:00"), (values.clock, "傍晚"), (values.clock, "18:61"), (values.span, "18:30"), (values.yes, "也许"),
        (values.text, True), (values.text, 123_456_789_012_345_678), (values.text, None),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_or_none_is_wrong(read: Callable[[Any], Any], cell: Any) -> None:
    """Nothing is guessed."""
    with pytest.raises(WrongValue):
        read(cell)


@pytest.mark.parametrize("read", [values.fen, values.day, values.clock, values.span, values.yes, values.minutes])
def test_a_wrong_cell_is_not_repeated(read: Callable[[Any], Any]) -> None:
    """It may be personal: what is allowed is said, not what stood there."""
    with pytest.raises(WrongValue) as caught:
        read("贾小明 13800000000")
    assert "贾" not in str(caught.value)
    assert "138" not in str(caught.value)


@given(st.integers(-(10**12), 10**12))
def test_every_amount_comes_back_to_the_fen(fen: int) -> None:
    """Written with thousands and two decimals, as text and as a number."""
    yuan = Decimal(fen) / 100
    assert values.fen(f"{yuan:,.2f}") == fen
    assert values.fen(yuan) == fen


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))
def test_every_moment_comes_back(moment: datetime) -> None:
    """Written as a product writes it."""
    for shape in ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S"):
        found = values.moment(moment.strftime(shape), moment.strftime(shape))
        assert found == moment.replace(microsecond=0).isoformat() + "+08:00"


# --- files ---

LEDGER = (
    "流水号,订单编号,排课编号,老师编号,校区编号,教室,类型,开始时间,结束时间,扣课数,考勤单号,考勤时间,推送时间,状态\r\n"
    "C1,O1,L1,T1,K1,301,正课,2026-09-05 18:30,2026-09-05 20:00,2,R1,2026-09-05 18:35,2026-09-05 20:05,正常\r\n"
    "C2,O1,L1,T1,K1,301,补课,２０２６年９月６日 １８：３０,2026/9/6 20:00,1.5课时,R2,2026-09-06 18:35,2026-09-06 20:05,正常\r\n"
    "C3,O1,L1,T1,K1,301,正课,2026-09-07 18:30,2026-09-07 20:00,2,R3,2026-09-07 18:35,2026-09-07 20:05,已撤销\r\n"
    "C4,strange,L1,T1,K1,301,试听,2026-09-08 18:30,05/06/2026 20:00,2,R4,2026-09-08 18:35,2026-09-08 20:05,正常\r\n"
    "C5,O1,L1,T1,K1,301,正课,2026-09-09 20:00,2026-09-09 18:30,2,R5,2026-09-09 18:35,2026-09-09 20:05,正常\r\n"
    "C1,O1,L1,T1,K1,301,正课,2026-09-05 18:30,2026-09-05 20:00,2,R1,2026-09-05 18:35,2026-09-05 20:05,正常\r\n"
    "C2,O1,L1,T1,K1,301,正课,2026-09-05 18:30,2026-09-05 20:00,2,R1,2026-09-05 18:35,2026-09-05 20:05,正常\r\n"
    ",,,,,,,,,,,,,\r\n"
    "合计,,,,,,,,,11.5,,,,\r\n"
)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig", "utf-16"])
def test_a_ledger_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    """Same rows, same fates: ready, undone, wrong in three columns, running backwards, repeated, changed, empty, total."""
    path = tmp_path / "export.csv"
    path.write_bytes(LEDGER.encode(encoding))
    fates = judged("consumption-ledger", path)
    assert [(fate.number, fate.kind) for fate in fates] == [
        (2, "ready"), (3, "ready"), (4, "skipped"), (5, "wrong"), (6, "wrong"), (7, "skipped"), (8, "wrong"),
        (9, "skipped"), (10, "skipped"),
    ]  # fmt: skip
    assert [wrong.column for wrong in fates[3].wrong] == ["订单编号", "类型", "结束时间"]
    assert [(wrong.column, wrong.code) for wrong in fates[4].wrong] == [("结束时间", "consumption.time_mismatch")]
    assert fates[6].wrong[0].code == "import.repeated"
    second = fates[1].record
    assert second is not None
    assert (second["type"], second["class_hours_centi"]) == ("make_up", 150)
    assert second["occurred_from"] == "2026-09-06T18:30:00+08:00"
    assert second["order_id"] == IDS["orders"]


def workbook(fill: Callable[[Any], None], path: Path) -> Path:
    book = Workbook()
    fill(book.active)
    book.save(path)
    return path


def lessons(page: Any) -> None:
    """A title over everything, a merged class, a pupil who was absent, a total."""
    page.append(["2026年9月消课明细表"])
    page.merge_cells("A1:K1")
    page.append(
        [
            "班级",
            "学员姓名",
            "订单号",
            "课次编号",
            "任课教师编号",
            "上课日期",
            "上课时间",
            "消耗课时",
            "教室",
            "点名时间",
            "通知家长时间",
            "到课",
        ]
    )
    day, told = datetime(2026, 9, 5), datetime(2026, 9, 5, 20, 5)
    for number, came in ((1, "是"), (2, "是"), (3, "请假")):
        page.append(
            [
                "素描一班",
                f"学员{number}",
                f"O{number}",
                "L1",
                "T1",
                day,
                "18:30-20:00",
                2,
                "301",
                time(18, 35),
                told,
                came,
            ]
        )
    for column in "ADEFG":
        page.merge_cells(f"{column}3:{column}5")
    page.append(["合计", None, None, None, None, None, None, "=SUM(H3:H5)"])


def test_a_sheet_with_merged_cells_and_totals(tmp_path: Path) -> None:
    """A merged cell stands for all it covers; the title, the absent and the total are no records."""
    fates = judged("lessons-sheet", workbook(lessons, tmp_path / "export.xlsx"))
    assert [(fate.number, fate.kind) for fate in fates] == [(3, "ready"), (4, "ready"), (5, "skipped"), (6, "skipped")]
    first, second = fates[0].record, fates[1].record
    assert first is not None
    assert second is not None
    assert (first["external_id"], second["external_id"]) == ("O1-L1", "O2-L1")
    assert second["occurred_until"] == "2026-09-05T20:00:00+08:00"
    assert second["place"] == {"campus_id": LESSONS["campus_id"], "room": "301"}
    assert second["proof"]["recorded_at"] == "2026-09-05T18:35:00+08:00"


ORDERS = (
    "\ufeff订单号;学员编号;监护人编号;课程编号;合同号;购买课时;赠送课时;收费项目;应收金额;优惠金额;实收金额;开课日期;结课日期;"
    "收费方式;报名时间;是否续费;是否贷款;订单状态\n"
    'O1;P1;grd_01kzsv5a80e81rgmxgf3trhdv6;K1;H1;40;0;培训费;"4,800.00元";0;"4,800.00元";2026年9月5日;2026年12月5日;按课时;'
    "2026-08-15 11:00;否;否;正常\n"
    "O2;P1;grd_01kzsv5a80e81rgmxgf3trhdv6;K1;H1;40;0;培训费;4800;100;4800;2026年9月5日;2026年12月5日;按课时;"
    "2026-08-15 11:00;否;否;正常\n"
    "O3;P1;grd_01kzsv5a80e81rgmxgf3trhdv6;K1;H1;40;0;培训费;4800;0;4800;2026年9月5日;2026年12月5日;按课时;"
    "2026-08-15 11:00;否;否;已作废\n"
)


def test_orders_in_yuan(tmp_path: Path) -> None:
    """Amounts become fen exactly; a total that does not agree is found before the platform finds it."""
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS, encoding="utf-8")
    fates = judged("orders-sheet", path)
    assert [fate.kind for fate in fates] == ["ready", "wrong", "skipped"]
    record = fates[0].record
    assert record is not None
    assert record["price_lines"] == [{"kind": "tuition", "title": "培训费", "amount_fen": 480_000}]
    assert [(wrong.column, wrong.code) for wrong in fates[1].wrong] == [("实收金额", "money.sum_mismatch")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "XLS"), (b"PK\x03\x04broken", "no XLSX"), (b"\xff\xff\xff\xff", "neither"),
        (b"a,b\0c", "neither CSV"), (b'a,"b\n', "no CSV"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    """Which file, why, what to do; never a traceback."""
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    with pytest.raises(sheets.UnreadableFile, match=said):
        sheets.read(path)
    with pytest.raises(sheets.UnreadableFile, match="no file"):
        sheets.read(tmp_path / "nothing.csv")


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of it is unpacked; so is a sheet that is not there."""
    path = workbook(lessons, tmp_path / "export.xlsx")
    with pytest.raises(sheets.UnreadableFile, match="no sheet"):
        sheets.read(path, "消课")
    monkeypatch.setattr(sheets, "UNPACKED_BYTES_MAX", 1000)
    with pytest.raises(sheets.UnreadableFile, match="unpacks"):
        sheets.read(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"operation": "getOrder"}, "reports no records"), ({"header": []}, "header names no column"),
        ({"members": {"colour": {"constant": "red"}}}, "no such member"),
        ({"members": {"external_id": {"column": "a", "constant": "b"}}}, "exactly one"),
        ({"members": {"type": {"column": "a", "kind": "choice"}}}, "belong together"),
        ({"members": {"type": {"column": "a", "kind": "guess"}}}, "guess"),
        ({"skip": [{"column": "a", "matches": "("}]}, "skip a"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_a_broken_mapping_is_told_with_its_place(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """What is wrong and what is allowed."""
    import yaml

    good = {
        "title": "t",
        "operation": "reportConsumption",
        "header": ["a"],
        "members": {"external_id": {"column": "a"}},
    }
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump({**good, **change}), encoding="utf-8")
    with pytest.raises(mapping.MappingError, match=said):
        mapping.load(path)
    with pytest.raises(mapping.MappingError, match="those that come along"):
        mapping.load("nothing")


def test_missing_columns_and_values_are_told(tmp_path: Path) -> None:
    """Which columns were looked for, which values must be given."""
    path = tmp_path / "export.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(rows.NoHeader, match="订单号"):
        judged("lessons-sheet", path)
    with pytest.raises(ValueError, match="--set campus_id"):
        judged("lessons-sheet", path, {"institution_id": "ins_1"})


def test_the_report_has_every_row_and_no_formula(tmp_path: Path) -> None:
    """A summary by mistake, and a file that a spreadsheet opens without running anything."""
    path = tmp_path / "export.csv"
    path.write_text(LEDGER.replace("C4,", "=1+1,"), encoding="utf-8")
    fates = judged("consumption-ledger", path)
    assert "9 rows: 2 ready, 4 skipped, 3 wrong" in report.summary(fates)
    written = report.as_csv(fates)
    assert written[:3] == b"\xef\xbb\xbf"
    table = sheets._text(written, "report.csv")
    assert [row[0] for row in table[1:]] == [str(n) for fate in fates for n in [fate.number] * max(1, len(fate.wrong))]
    assert not any(isinstance(cell, str) and cell.startswith("=") for row in table for cell in row)
    assert io.BytesIO(written).read().decode("utf-8-sig")
