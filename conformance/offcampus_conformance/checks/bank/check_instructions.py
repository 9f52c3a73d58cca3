"""What a bank does with instructions: each taken on, carried out once as it says, and told truthfully."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.checks.bank.books import account, debits, issued, lines, outcomes
from offcampus_conformance.checks.traffic import done, during, items, nothing_after, sent
from offcampus_conformance.expect import equal
from offcampus_conformance.finding import Sure, deviate
from offcampus_conformance.record import NotMet, View

P = "bank"
MONEY = ("M-14.1", "M-18.1")
REFUNDS = ("M-18.2", "M-14.1")
PAID = (
    ("release-issued", "release-work", 24000), ("refund-issued", "refund-work", 79999), ("many-one", "many-work", 1001),
    ("many-two", "many-work", 1002), ("many-three", "many-work", 1003),
    ("release-after", "after-work", 24000), ("release-in-outage", "work-after-outage", 24000),
)  # fmt: skip
"""Where money was to move: the moment, the round of work after it, the amount."""


@check(
    "B-INS-001", profile=P, level="MUST", requirements=MONEY, title_zh="先受理后报结果",
    remedy_en="Accept an instruction before you carry it out, and tell the outcome afterwards.",
    remedy_zh="执行前先受理指令，执行后再报结果。",
)  # fmt: skip
def acceptance_comes_first(view: View) -> None:
    """No execution of a release or refund is told that was not accepted before."""
    found = sent(view, "executeCustodyInstruction")
    accepted = sent(view, "acceptCustodyInstruction")
    if not found:
        raise NotMet("no execution was told")
    moving = {id for step, _, _ in PAID for _, id in [issued(view, step, step)]}
    for exchange in found:
        id = exchange.url.split("/")[-2]
        before = [e for e in accepted if id in e.url and e.facts["arrived_s"] < exchange.facts["arrived_s"]]
        if id in moving and not any(e.accepted for e in before):
            deviate("an acceptance before the execution", "none", exchange)


@check(
    "B-INS-002", profile=P, level="MUST", requirements=MONEY, title_zh="指令执行并报结果",
    sends="releases and refunds that the account can pay",
    remedy_en="Carry out every instruction that the account can pay, and report its execution.",
    remedy_zh="对余额足够的指令予以执行并报送执行结果。",
)  # fmt: skip
def instructions_are_carried_out(view: View) -> None:
    """Each release and refund that can be paid is told as executed."""
    for step, work, _ in PAID:
        moment, id = issued(view, step, step)
        done(view, work)
        if step.startswith("many"):
            continue  # named by B-INS-012
        if not any(exchange.accepted for exchange in outcomes(view, id, "executeCustodyInstruction")):
            deviate(f"the execution of the instruction of {step!r}", "none told", moment,
                    *outcomes(view, id), sure=Sure.SILENCE)  # fmt: skip


@check(
    "B-INS-003", profile=P, level="MUST", requirements=MONEY, title_zh="同一指令至多划款一次",
    sends="an execution whose answer is lost, a restart, repeated rounds of work",
    remedy_en="Make the instruction's id unique in your books: whatever is fetched twice is paid once.",
    remedy_zh="指令编号在账务中须唯一：重复取得的指令只划款一次。",
)  # fmt: skip
def money_moves_once(view: View) -> None:
    """No instruction has two lines that moved money."""
    for step, _, _ in PAID:
        _, id = issued(view, step, step)
        references = {str(line.get("external_id")) for _, line in debits(view, id)}
        references_of_bank = {str(line.get("bank_reference")) for _, line in debits(view, id)}
        if len(references_of_bank) > 1:
            deviate("one movement", f"{len(references)} movements of the instruction of {step!r}",
                    *(exchange for exchange, _ in debits(view, id)))  # fmt: skip


@check(
    "B-INS-004", profile=P, level="MUST", requirements=MONEY, title_zh="执行结果与流水的银行流水号一致",
    remedy_en="Tell the execution under the bank reference of the line that moved the money.",
    remedy_zh="执行结果填写该笔划款的银行流水号。",
)  # fmt: skip
def references_agree(view: View) -> None:
    """The bank reference of an execution is that of its line."""
    met = False
    for step, _, _ in PAID:
        _, id = issued(view, step, step)
        for exchange in outcomes(view, id, "executeCustodyInstruction"):
            for reported, line in debits(view, id):
                met = True
                if (exchange.sent() or {}).get("bank_reference") != line["bank_reference"]:
                    deviate(line["bank_reference"], (exchange.sent() or {}).get("bank_reference"), exchange, reported,
                            where="/bank_reference")  # fmt: skip
    if not met:
        raise NotMet("no execution with its line was told")


@check(
    "B-INS-005", profile=P, level="MUST", requirements=MONEY, title_zh="划款金额与账户符合指令",
    remedy_en="Pay exactly amount_fen out of the account that the instruction names; a fee is a line of its own.",
    remedy_zh="按指令金额自指定账户划款；手续费另立一笔。",
)  # fmt: skip
def amounts_are_those_instructed(view: View) -> None:
    """Each line of an instruction has its amount."""
    met = False
    for step, _, amount in PAID:
        _, id = issued(view, step, step)
        for exchange, line in debits(view, id):
            met = True
            equal(amount, line["amount_fen"], f"/amount_fen of the instruction of {step!r}", exchange)
    if not met:
        raise NotMet("no line of an instruction was reported")


@check(
    "B-INS-006", profile=P, level="MUST", requirements=REFUNDS, title_zh="冻结不影响退费",
    sends="a refund to a family while the account is frozen",
    remedy_en="Let refunds to families through a freeze: it stops releases only.",
    remedy_zh="冻结仅停止拨付，向家长退费照常办理。",
)  # fmt: skip
def refunds_go_out_of_a_frozen_account(view: View) -> None:
    """A refund that is instructed while the account is frozen is executed."""
    moment, id = issued(view, "refund-while-frozen", "frozenrefund")
    done(view, "frozen-work")
    if not any(exchange.accepted for exchange in outcomes(view, id, "executeCustodyInstruction")):
        deviate("the refund executed", "not executed", moment, *outcomes(view, id), sure=Sure.SILENCE)


@check(
    "B-INS-007", profile=P, level="MUST", requirements=MONEY, title_zh="冻结期间不得拨付",
    sends="a release while the account is frozen; its acceptance is answered 409 custody.frozen",
    remedy_en="On 409 custody.frozen move nothing: report the release as failed (account_frozen).",
    remedy_zh="收到409 custody.frozen 时不得划款，报送失败（account_frozen）。",
)  # fmt: skip
def nothing_is_released_from_a_frozen_account(view: View) -> None:
    """A release that is refused because of the freeze moves no money and is told as failed."""
    moment, id = issued(view, "release-while-frozen", "frozen")
    done(view, "frozen-work")
    if moved := debits(view, id):
        deviate("no movement", "money moved", moment, *(exchange for exchange, _ in moved))
    if not outcomes(view, id, "failCustodyInstruction"):
        deviate("the release told as failed", "nothing told", moment, *outcomes(view, id), sure=Sure.SILENCE)


@check(
    "B-INS-008", profile=P, level="MUST", requirements=MONEY, title_zh="余额不足如实报失败",
    sends="a release of more than the account holds",
    remedy_en="Report a failure with its code when the account does not hold enough; neither pay less nor stay silent.",
    remedy_zh="余额不足时以代码报失败，不得少付或沉默。",
)  # fmt: skip
def what_cannot_be_paid_is_told(view: View) -> None:
    """A release that the account cannot pay is told as failed."""
    moment, id = issued(view, "too-much-issued", "toomuch")
    done(view, "too-much-work")
    if not outcomes(view, id, "failCustodyInstruction"):
        deviate("a failure told", f"{len(outcomes(view, id))} other report(s)", moment, *outcomes(view, id),
                sure=Sure.SILENCE)  # fmt: skip


@check(
    "B-INS-009", profile=P, level="MUST", requirements=MONEY, title_zh="报失败后不得再划款", needs=("B-INS-008",),
    remedy_en="A failure is final: an instruction that was told as failed never moves money afterwards.",
    remedy_zh="失败为终局：已报失败的指令不得再划款。",
)  # fmt: skip
def after_a_failure_nothing_moves(view: View) -> None:
    """An instruction that was told as failed moves no money afterwards."""
    _, id = issued(view, "too-much-issued", "toomuch")
    nothing_after(
        view, "moment.too-much-issued", "step.work-after-failure",
        lambda e: any(line.get("instruction_id") == id for line in items(e)), "line of the instruction",
    )  # fmt: skip


@check(
    "B-INS-010", profile=P, level="MUST", requirements=("M-18.1",), title_zh="冻结与解冻指令须执行并报告",
    remedy_en="Carry out freeze and unfreeze orders and report them as executed; nothing moves by them.",
    remedy_zh="执行冻结与解冻指令并报告；此类指令不动账。",
)  # fmt: skip
def orders_of_departments_are_carried_out(view: View) -> None:
    """Freeze and unfreeze are told as executed."""
    for step, work in (("freeze-issued", "freeze-work"), ("unfreeze-issued", "unfreeze-work")):
        moment, id = issued(view, step, step)
        done(view, work)
        if not any(exchange.accepted for exchange in outcomes(view, id, "executeCustodyInstruction")):
            deviate(f"the execution of {step!r}", "none told", moment, sure=Sure.SILENCE)


@check(
    "B-INS-011", profile=P, level="MUST", requirements=("M-18.1",), title_zh="余额查询须答复并指明指令",
    sends="a department asks for the balance",
    remedy_en="Answer a balance instruction by submitBalance that names it in instruction_id.",
    remedy_zh="以 submitBalance 答复查询，并在 instruction_id 中指明指令。",
)  # fmt: skip
def balance_queries_are_answered(view: View) -> None:
    """A balance that is asked for is submitted, and names the instruction."""
    moment, id = issued(view, "balance-asked", "balance")
    done(view, "balance-work")
    found = during(view, "balance-work", "submitBalance")
    if not found:
        deviate("a balance", "none arrived", moment, sure=Sure.SILENCE)
    equal(id, (found[0].sent() or {}).get("instruction_id"), "/instruction_id", moment, found[0])


@check(
    "B-INS-012", profile=P, level="MUST", requirements=MONEY, title_zh="取令至末页",
    sends="three instructions at once, in pages of two",
    remedy_en="Fetch instructions page by page to the end: those of the last page are owed like the others.",
    remedy_zh="逐页取令直至末页，不得遗漏。",
)  # fmt: skip
def no_instruction_is_left_on_a_later_page(view: View) -> None:
    """Of three instructions in two pages, all are carried out in one round."""
    done(view, "many-work")
    for step in ("many-one", "many-two", "many-three"):
        moment, id = issued(view, step, step)
        if not during(view, "many-work", "executeCustodyInstruction"):
            raise NotMet("nothing was executed in that round")
        told_now = [e for e in outcomes(view, id) if e.facts.get("step") == "many-work"]
        if not told_now:
            deviate(f"the instruction of {step!r} carried out", "it was left", moment,
                    *during(view, "many-work", "listCustodyInstructions"), sure=Sure.SILENCE)  # fmt: skip


@check(
    "B-INS-013", profile=P, level="SHOULD", requirements=MONEY, title_zh="执行时间即记账时间",
    remedy_en="executed_at is the instant at which the line was booked, not that of the report.",
    remedy_zh="executed_at 为记账时刻，而非报送时刻。",
)  # fmt: skip
def executions_say_when_money_moved(view: View) -> None:
    """executed_at is the booking time of the line."""
    met = False
    for step, _, _ in PAID:
        _, id = issued(view, step, step)
        for exchange in outcomes(view, id, "executeCustodyInstruction"):
            for _, line in debits(view, id):
                met = True
                equal(line["booked_at"], (exchange.sent() or {}).get("executed_at"), "/executed_at", exchange)
    if not met:
        raise NotMet("no execution with its line was told")


@check(
    "B-BAL-001", profile=P, level="MUST", requirements=("M-18.1", "M-14.1"), title_zh="所报余额与账面一致",
    needs=("B-INS-011",),
    remedy_en="Submit the book balance at measured_at, after every line booked until then was reported.",
    remedy_zh="报送测量时点的账面余额，此前流水须已报送。",
)  # fmt: skip
def balances_are_those_of_the_books(view: View) -> None:
    """The balance that is submitted is the one after the last line that was reported of the account."""
    first = account(view, "account.1")
    found = sent(view, "submitBalance")
    if not found:
        raise NotMet("no balance was submitted")
    for exchange in found:
        before = [
            line for e, line in lines(view)
            if line["account_id"] == first and e.facts["arrived_s"] < exchange.facts["arrived_s"]
        ]  # fmt: skip
        if before:
            equal(before[-1]["balance_after_fen"], (exchange.sent() or {}).get("balance_fen"), "/balance_fen", exchange)
