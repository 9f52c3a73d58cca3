"""What a bank reports of accounts, lines and days: complete, in time, once, and adding up to the fen."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

from offcampus_conformance.check import check
from offcampus_conformance.checks.bank.books import Line, account, asked, lines, told
from offcampus_conformance.checks.traffic import done, during, items, nothing_after, sent, tried
from offcampus_conformance.expect import equal
from offcampus_conformance.finding import Sure, deviate
from offcampus_conformance.record import Exchange, NotMet, View

P = "bank"
BOOKS = ("M-14.1", "M-18.1")
SHANGHAI = ZoneInfo("Asia/Shanghai")
DEPOSITS = ("deposit-one", "deposit-two-parts", "deposit-at-night", "deposit-in-outage", "deposit-later-in-outage")
CREDITS = frozenset({"receipt"})


def statements(view: View) -> list[tuple[Exchange, str, str, Line]]:
    """Every statement that was taken: request, account, day, body. Raises NotMet when there is none."""
    found = []
    for exchange in sent(view, "submitStatement"):
        parts = exchange.url.split("?")[0].split("/")
        if exchange.accepted and isinstance(body := exchange.sent(), dict):
            found.append((exchange, parts[-2], parts[-1], body))
    if not found:
        raise NotMet("no statement was taken")
    return found


@check(
    "B-ACC-001", profile=P, level="MUST", requirements=("M-09.1", "M-11.5"), title_zh="账户尾号正确",
    remedy_en="account_tail is the last four digits of the account's number; the number itself never travels.",
    remedy_zh="account_tail 为账号末四位，账号本身不得报送。",
)  # fmt: skip
def tails_are_those_of_the_accounts(view: View) -> None:
    """The tail of each account is the end of its number."""
    for step in ("open-account-one", "open-account-two", "open-account-three"):
        wanted, found = asked(view, step), during(view, step, "openCustodyAccount")
        if not found:
            raise NotMet("no account was opened")
        equal(wanted["account_number"][-4:], (found[0].sent() or {}).get("account_tail"), "/account_tail", found[0])


@check(
    "B-ACC-002", profile=P, level="MUST", requirements=("M-09.1", "M-18.1"), title_zh="有余额的账户不得注销",
    sends="somebody tries to close an account that holds money",
    remedy_en="Let the system refuse to close an account that holds money: it is paid out first.",
    remedy_zh="账户尚有余额时系统应拒绝注销。",
)  # fmt: skip
def accounts_with_money_are_not_closed(view: View) -> None:
    """No closure of an account arrives that holds money."""
    tried(view, "close-full")
    first = account(view, "account.1")
    nothing_after(
        view, "moment.platform-back", "step.close-full",
        lambda e: e.operation_id == "closeCustodyAccount" and first in e.url, "closure of the account",
    )  # fmt: skip


@check(
    "B-ACC-003", profile=P, level="MUST", requirements=("M-09.1",), title_zh="销户须报送",
    remedy_en="Send closeCustodyAccount when an empty account was closed.",
    remedy_zh="账户注销后调用 closeCustodyAccount。",
)  # fmt: skip
def closed_accounts_are_told(view: View) -> None:
    """The empty account that is closed at the bank is closed at the platform."""
    closed = done(view, "close-empty")
    found = during(view, "close-empty", "closeCustodyAccount")
    if not any(asked(view, "close-empty")["id"] in exchange.url for exchange in found):
        deviate("the closure of the account", "none arrived", closed, *found, sure=Sure.SILENCE)


@check(
    "B-ACC-004", profile=P, level="MUST", requirements=("M-09.1",), title_zh="账户变更须报送",
    remedy_en="Send changeCustodyAccount when the agreement of an account is renewed.",
    remedy_zh="账户协议变更后调用 changeCustodyAccount。",
)  # fmt: skip
def changes_of_accounts_are_told(view: View) -> None:
    """The renewed agreement arrives, and is taken."""
    changed, found = done(view, "change-account"), during(view, "change-account", "changeCustodyAccount")
    wanted = asked(view, "change-account")["agreement_number"]
    if not any(e.status == 200 and (e.sent() or {}).get("agreement_number") == wanted for e in found):
        deviate(f"agreement_number {wanted}, taken", f"{len(found)} request(s)", changed, *found)


@check(
    "B-MOV-001", profile=P, level="MUST", requirements=BOOKS, title_zh="每笔流水仅以一个编号报送",
    sends="lost answers, an outage and a restart between booking and report",
    remedy_en="Give a line its external_id when it is booked, and keep it for ever.",
    remedy_zh="记账时即赋予流水编号并永久不变。",
)  # fmt: skip
def lines_have_one_reference(view: View) -> None:
    """No line is reported under two own references."""
    seen: dict[tuple[str, ...], tuple[str, Exchange]] = {}
    for exchange, line in told(view):
        if line.get("payment_id") or line.get("instruction_id"):
            what = tuple(str(line.get(name)) for name in ("payment_id", "part_no", "instruction_id", "direction"))
            first = seen.setdefault(what, (str(line.get("external_id")), exchange))
            if first[0] != str(line.get("external_id")) and line.get("payment_id"):
                deviate("one own reference of a line", "two", first[1], exchange, where="/items/external_id")


@check(
    "B-MOV-002", profile=P, level="MUST", requirements=BOOKS, title_zh="流水后余额逐笔连续",
    remedy_en="balance_after_fen of a line is that of the line before, plus or minus the amount.",
    remedy_zh="每笔流水后余额等于上一笔余额加减本笔金额。",
)  # fmt: skip
def balances_chain(view: View) -> None:
    """The balance after each line follows from the line before."""
    last: dict[str, tuple[int, Exchange]] = {}
    for exchange, line in _once(told(view)):
        change = line["amount_fen"] if line["direction"] == "credit" else -line["amount_fen"]
        before = last.get(line["account_id"])
        expected = (before[0] if before else 0) + change
        if line["balance_after_fen"] != expected:
            deviate(f"{expected}", f"{line['balance_after_fen']}", exchange, where="/items/balance_after_fen")
        last[line["account_id"]] = (line["balance_after_fen"], exchange)


@check(
    "B-MOV-003", profile=P, level="MUST", requirements=BOOKS, title_zh="到账流水对应付款及分项",
    remedy_en="Name payment_id and part_no in the line of a receipt: without them nobody knows whose money it is.",
    remedy_zh="到账流水须填写 payment_id 与 part_no。",
)  # fmt: skip
def receipts_name_their_payment(view: View) -> None:
    """Each receipt names the payment and the part that it is of."""
    for step in (*DEPOSITS, "deposit-second-part"):
        wanted = asked(view, step)
        same = [(e, line) for e, line in told(view)
                if line["kind"] == "receipt" and line["amount_fen"] == wanted["amount_fen"]]  # fmt: skip
        for exchange, line in same:
            for name in ("payment_id", "part_no"):
                equal(wanted[name], line.get(name), f"/items/{name}", exchange)


@check(
    "B-MOV-004", profile=P, level="MUST", requirements=BOOKS, title_zh="起息日按北京时间",
    sends="money that arrives half an hour after midnight",
    remedy_en="value_on is the day in Asia/Shanghai, whatever the server's zone.",
    remedy_zh="value_on 按 Asia/Shanghai 日期。",
)  # fmt: skip
def value_days_are_those_of_shanghai(view: View) -> None:
    """The value date of each line is the day of its booking in Shanghai."""
    for exchange, line in told(view):
        booked = datetime.fromisoformat(line["booked_at"])
        if booked.tzinfo is not None:
            equal(booked.astimezone(SHANGHAI).date().isoformat(), line["value_on"], "/items/value_on", exchange)


@check(
    "B-MOV-005", profile=P, level="MUST", requirements=BOOKS, title_zh="被拒流水搁置，不原样重发",
    sends="one line of a batch is refused",
    remedy_en="Read every result of a 207; set a refused line aside with its problem for a person to look at.",
    remedy_zh="逐条读取207结果；被拒流水搁置并交人处理。",
)  # fmt: skip
def a_refused_line_is_set_aside(view: View) -> None:
    """A line that was refused is not sent again as it is."""
    done(view, "report-two-parts")
    done(view, "report-again")
    refused: dict[str, Exchange] = {}
    for exchange in sent(view, "reportCustodyMovements"):
        for item in items(exchange):
            if (first := refused.get(str(item))) is not None:
                deviate("the refused line set aside", "the same line sent again", first, exchange)
        for result in (exchange.json() or {}).get("results", []) if exchange.status == 207 else []:
            if result["outcome"] == "refused":
                refused[str(items(exchange)[result["index"]])] = exchange
    if not refused:
        raise NotMet("no batch with a refused line arrived")


@check(
    "B-MOV-006", profile=P, level="MUST", requirements=BOOKS, title_zh="手续费等如实分类",
    sends="the bank takes a fee",
    remedy_en="Report a fee as a fee, a sweep as a sweep: they are explained by their kind, never hidden in another line.",
    remedy_zh="手续费、归集等按类别如实报送，不得并入其他流水。",
)  # fmt: skip
def fees_are_called_fees(view: View) -> None:
    """The fee arrives as a line of its own kind."""
    booked, wanted = done(view, "fee"), asked(view, "fee")
    done(view, "report-fee")
    found = [(e, line) for e, line in told(view)
             if line["amount_fen"] == wanted["amount_fen"] and line["direction"] == "debit"]  # fmt: skip
    if not found:
        deviate("a line of the fee", "none", booked, *during(view, "report-fee", "reportCustodyMovements"),
                sure=Sure.SILENCE)  # fmt: skip
    equal("fee", found[0][1]["kind"], "/items/kind", found[0][0])


@check(
    "B-MOV-007", profile=P, level="MUST", requirements=BOOKS, title_zh="到账流水无一遗漏",
    remedy_en="Report every line that is booked on a custody account, with its amount to the fen.",
    remedy_zh="监管账户的每笔记账均须按分报送。",
)  # fmt: skip
def every_receipt_is_reported(view: View) -> None:
    """Each deposit arrives with its amount."""
    for step in DEPOSITS:
        booked, wanted = done(view, step), asked(view, step)
        found = [line for _, line in told(view) if line["account_id"] == wanted["account_id"]
                 and line["amount_fen"] == wanted["amount_fen"] and line["direction"] == "credit"]  # fmt: skip
        if not found:
            deviate(f"a line of {wanted['amount_fen']} fen", "none", booked, *(e for e, _ in told(view)),
                    sure=Sure.SILENCE)  # fmt: skip


@check(
    "B-MOV-008", profile=P, level="SHOULD", requirements=("M-10.1",), title_zh="同一轮流水合并报送",
    remedy_en="Put the lines of one round into one batch (up to 1,000), not into a request each.",
    remedy_zh="同一轮流水合并为一批（至多1000条）。",
)  # fmt: skip
def lines_come_in_batches(view: View) -> None:
    """The two lines that waited come in one request."""
    done(view, "report-two-parts")
    found = during(view, "report-two-parts", "reportCustodyMovements")
    if not found:
        raise NotMet("no line was reported in that step")
    if len({str(exchange.facts["body_digest"]) for exchange in found}) > 1:
        deviate("one batch", f"{len(found)} requests", *found)


@check(
    "B-MOV-009", profile=P, level="MUST", requirements=BOOKS, title_zh="对账单前流水已报送",
    remedy_en="Report every line of a day before its statement: a line that stands in the statement alone is a difference.",
    remedy_zh="日终对账单提交前，当日流水须已报送。",
)  # fmt: skip
def lines_are_reported_before_their_statement(view: View) -> None:
    """Every line of a statement was reported before it."""
    reported = {str(line["external_id"]): e.facts["arrived_s"] for e, line in reversed(told(view))}
    for exchange, _, day, body in statements(view):
        for line in body["lines"]:
            when = reported.get(str(line["external_id"]))
            if when is None or when > exchange.facts["arrived_s"]:
                deviate(f"the line reported before the statement of {day}", "not, or later", exchange, where="/lines")


@check(
    "B-MOV-010", profile=P, level="MUST", requirements=BOOKS, title_zh="收支方向正确",
    remedy_en="A receipt is a credit; release, refund and fee are debits of the custody account.",
    remedy_zh="收款为贷方；拨付、退费、手续费为监管账户借方。",
)  # fmt: skip
def directions_are_right(view: View) -> None:
    """The direction of each line is that of its kind."""
    for exchange, line in told(view):
        if line["kind"] in ("receipt", "release", "refund", "fee"):
            equal("credit" if line["kind"] in CREDITS else "debit", line["direction"],
                  f"/items/direction of a {line['kind']}", exchange)  # fmt: skip


@check(
    "B-OUT-003", profile=P, level="MUST", requirements=BOOKS, title_zh="流水按记账顺序报送", needs=("B-OUT-001",),
    remedy_en="Send what waited in the order in which it was booked.",
    remedy_zh="积压流水按记账顺序报送。",
)  # fmt: skip
def lines_come_in_the_order_of_booking(view: View) -> None:
    """The lines of one account come in the order in which they were booked."""
    last: dict[str, tuple[datetime, Exchange]] = {}
    for exchange, line in lines(view):
        booked = datetime.fromisoformat(line["booked_at"])
        before = last.get(line["account_id"])
        if before is not None and before[0] > booked:
            deviate("the earlier line first", "a later one before it", before[1], exchange, where="/items")
        last[line["account_id"]] = (booked, exchange)


@check(
    "B-STMT-001", profile=P, level="MUST", requirements=BOOKS, title_zh="对账单期初期末与明细相符",
    remedy_en="closing = opening + credits - debits of the lines, to the fen.",
    remedy_zh="期末余额等于期初加贷方减借方，分毫不差。",
)  # fmt: skip
def statements_add_up(view: View) -> None:
    """Opening, lines and closing of each statement add up."""
    for exchange, _, _, body in statements(view):
        moved = sum(line["amount_fen"] if line["direction"] == "credit" else -line["amount_fen"]
                    for line in body["lines"])  # fmt: skip
        equal(body["opening_balance_fen"] + moved, body["closing_balance_fen"], "/closing_balance_fen", exchange)


@check(
    "B-STMT-002", profile=P, level="MUST", requirements=BOOKS, title_zh="期初等于上日期末",
    remedy_en="The opening balance of a day is the closing balance of the day before that had lines.",
    remedy_zh="期初余额等于上一有账日的期末余额。",
)  # fmt: skip
def statements_chain(view: View) -> None:
    """The opening balance of each statement is the closing balance of the one before."""
    newest: dict[tuple[str, str], tuple[Exchange, Line]] = {}
    for exchange, of, day, body in statements(view):
        newest[(of, day)] = (exchange, body)
    closing: dict[str, int] = defaultdict(int)
    for (of, _), (exchange, body) in sorted(newest.items(), key=lambda entry: entry[0]):
        equal(closing[of], body["opening_balance_fen"], "/opening_balance_fen", exchange)
        closing[of] = body["closing_balance_fen"]


@check(
    "B-STMT-003", profile=P, level="MUST", requirements=BOOKS, title_zh="对账单明细与当日流水一致",
    remedy_en="A statement holds every line of its account and day, as it was reported, and no other.",
    remedy_zh="对账单含该账户当日全部流水，与所报一致，不多不少。",
)  # fmt: skip
def statements_hold_the_lines_of_the_day(view: View) -> None:
    """Each statement holds the lines of its account and day, as they were reported."""
    for exchange, of, day, body in statements(view):
        before = [(e, line) for e, line in _once(told(view)) if e.facts["arrived_s"] < exchange.facts["arrived_s"]]
        wanted = {str(line["external_id"]): line["amount_fen"] for _, line in before
                  if line["account_id"] == of and line["value_on"] == day}  # fmt: skip
        got = {str(line["external_id"]): line["amount_fen"] for line in body["lines"]}
        left_out = sorted(wanted.keys() - got.keys())
        if left_out:
            deviate(f"all {len(wanted)} lines of {day}", f"{len(left_out)} left out", exchange, where="/lines")
        equal(wanted, {name: got[name] for name in wanted}, "/lines/amount_fen", exchange)


@check(
    "B-STMT-004", profile=P, level="MUST", requirements=BOOKS, title_zh="有账之日均有对账单",
    remedy_en="Submit a statement of every day that has lines.",
    remedy_zh="每个有账日均须提交对账单。",
)  # fmt: skip
def every_day_with_lines_has_a_statement(view: View) -> None:
    """Each day with lines of the two accounts has a statement at the end."""
    last = done(view, "statement-last")
    done(view, "statement-two")
    of = {account(view, "account.1"): last.started_at, account(view, "account.2"): view.step(
        "step.statement-two").started_at}  # fmt: skip
    days = {(line["account_id"], line["value_on"]) for e, line in told(view)
            if e.started_at < of.get(line["account_id"], "")}  # fmt: skip
    given = {(account_id, day) for _, account_id, day, _ in statements(view)}
    if missing := sorted(day for _, day in days - given):
        deviate(f"statements of {len(days)} days", f"none of {', '.join(missing)}", last, sure=Sure.SILENCE)


@check(
    "B-STMT-005", profile=P, level="MUST", requirements=BOOKS, title_zh="明细归属对账日",
    remedy_en="A line stands in the statement of its value date: the address of the statement says the day.",
    remedy_zh="明细归入其起息日的对账单，对账单地址即日期。",
)  # fmt: skip
def lines_stand_under_their_day(view: View) -> None:
    """The value date of every line of a statement is the day of the statement."""
    for exchange, _, day, body in statements(view):
        for line in body["lines"]:
            equal(day, line["value_on"], "/lines/value_on", exchange)


@check(
    "B-RISK-001", profile=P, level="MUST", requirements=("M-09.3",), title_zh="评估内容如实",
    remedy_en="Submit the assessment that your model made: score and reasons as they are, for the institution that it is.",
    remedy_zh="如实提交模型评估的机构、分值与理由。",
)  # fmt: skip
def assessments_arrive_as_they_were_made(view: View) -> None:
    """Institution, score and reasons of an assessment arrive as they were made."""
    for step in ("assess-throttled", "assess-late"):
        wanted, found = asked(view, step), during(view, step, "submitRiskAssessment")
        if not found:
            raise NotMet("no assessment arrived")
        body = found[0].sent() or {}
        for name in ("institution_id", "score", "reasons"):
            equal(wanted[name], body.get(name), f"/{name}", found[0])


def _once(found: list[tuple[Exchange, Line]]) -> list[tuple[Exchange, Line]]:
    """Each line at its first report."""
    first: dict[str, tuple[Exchange, Line]] = {}
    for exchange, line in found:
        first.setdefault(str(line["external_id"]), (exchange, line))
    return list(first.values())
