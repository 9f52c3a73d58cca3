"""Platforms that supervise carelessly: approvals, rules of teaching, freezes, statements, differences, warnings."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.standins.platform_faults.fault import (
    Answer,
    Memory,
    Seen,
    edited,
    fault,
    item_taken,
    problem,
    rule_forgotten,
    taken,
    taken_if_refused,
)


def _said(seen: Seen, operation: str, **members: Any) -> Answer | None:
    return edited(seen, lambda body: body | members) if seen.name == operation and seen.accepted else None


@fault("P-INST-001")
def approves_what_is_filed(seen: Seen, memory: Memory) -> Answer | None:
    """A filed institution is approved at once."""
    return _said(seen, "createInstitution", state="approved")


@fault("P-INST-002")
def leaves_the_approved_waiting(seen: Seen, memory: Memory) -> Answer | None:
    """An approval changes nothing."""
    return _said(seen, "approveInstitution", state="submitted")


@fault("P-COURSE-001")
def sells_what_is_filed(seen: Seen, memory: Memory) -> Answer | None:
    """A filed course is on sale at once."""
    return _said(seen, "createCourse", state="on_sale")


@fault("P-COURSE-002")
def teaches_small_children_online(seen: Seen, memory: Memory) -> Answer | None:
    """Preschool children may be trained online."""
    return rule_forgotten(seen, "course.preschool_online")


@fault("P-COURSE-003")
def teaches_small_children_subjects(seen: Seen, memory: Memory) -> Answer | None:
    """Preschool children may be trained in school subjects."""
    return rule_forgotten(seen, "course.preschool_academic")


@fault("P-COURSE-004")
def approves_what_was_returned(seen: Seen, memory: Memory) -> Answer | None:
    """A returned filing may be approved as it is."""
    names = ("approveCourse", "approveInstitution")
    state = next(
        (entry.get("given") for entry in (seen.body() or {}).get("violations", []) if isinstance(entry, dict)), None
    )
    return taken(seen) if seen.name in names and seen.refused("resource.state") and state == "returned" else None


@fault("P-COURSE-005")
def returns_without_a_reason(seen: Seen, memory: Memory) -> Answer | None:
    """The institution does not learn why its filing came back."""
    return _said(seen, "returnCourse", returned_reason=None)


@fault("P-STATE-approveCourse")
def approves_again(seen: Seen, memory: Memory) -> Answer | None:
    """An approved course may be approved once more."""
    return taken_if_refused(seen, "resource.state") if seen.name == "approveCourse" else None


@fault("P-STAFF-001")
def employs_whom_the_query_bars(seen: Seen, memory: Memory) -> Answer | None:
    """A hit in the clearance query is kept and has no effect."""
    return rule_forgotten(seen, "staff.barred")


@fault("P-LESSON-001")
def teaches_into_the_night(seen: Seen, memory: Memory) -> Answer | None:
    """Lessons may end at any time."""
    return item_taken(seen, "lesson.ends_too_late")


@fault("P-LESSON-002")
def lets_teachers_be_in_two_places(seen: Seen, memory: Memory) -> Answer | None:
    """Lessons of one teacher may overlap."""
    return item_taken(seen, "lesson.teacher_clash")


@fault("P-LESSON-003")
def lets_lessons_end_before_they_start(seen: Seen, memory: Memory) -> Answer | None:
    """Times are not compared."""
    return item_taken(seen, "lesson.time_order")


@fault("P-REF-createCourse")
def refers_to_nothing(seen: Seen, memory: Memory) -> Answer | None:
    """Identifiers in documents are not looked up."""
    return taken_if_refused(seen, "reference.not_found")


@fault("P-EXT-createCampus")
def keeps_any_extension(seen: Seen, memory: Memory) -> Answer | None:
    """Extensions of unknown namespaces are kept."""
    return taken_if_refused(seen, "extension.unknown")


@fault("P-FOUND-getCourse")
def breaks_on_odd_identifiers(seen: Seen, memory: Memory) -> Answer | None:
    """An identifier that is none is the server's own error."""
    odd = seen.name == "getCourse" and seen.values.get("course_id") == "zz"
    return problem(500, "server.error") if odd else None


@fault("P-FREEZE-001")
def freezes_when_the_bank_says_so(seen: Seen, memory: Memory) -> Answer | None:
    """An account is frozen when the bank has carried the order out."""
    return _said(seen, "freezeCustodyAccount", state="open")


@fault("P-FREEZE-001")
def unfreezes_at_once(seen: Seen, memory: Memory) -> Answer | None:
    """An unfreezing counts before the bank has carried it out."""
    return _said(seen, "unfreezeCustodyAccount", state="open")


@fault("P-DIFF-001")
def lets_one_person_settle(seen: Seen, memory: Memory) -> Answer | None:
    """Whoever proposed a settlement may approve it."""
    return taken_if_refused(seen, "settlement.same_person")


@fault("P-DIFF-002")
def books_whatever_is_proposed(seen: Seen, memory: Memory) -> Answer | None:
    """Any settlement fits any difference."""
    return taken_if_refused(seen, "settlement.not_applicable")


@fault("P-WARN-001")
def does_not_see_sweeps(seen: Seen, memory: Memory) -> Answer | None:
    """A sweep to headquarters is a line like others."""

    def blind(body: dict[str, Any]) -> None:
        body["items"] = [entry for entry in body["items"] if entry.get("sign") != "sweep"]

    return edited(seen, blind) if seen.name == "listWarnings" and seen.accepted else None


@fault("P-WARN-002")
def closes_warnings_unhandled(seen: Seen, memory: Memory) -> Answer | None:
    """A warning may be closed without a step."""
    return taken_if_refused(seen, "resource.state") if seen.name == "closeWarning" else None


@fault("P-STMT-001")
def agrees_with_every_statement(seen: Seen, memory: Memory) -> Answer | None:
    """A statement is reconciled when it arrives."""
    return _said(seen, "submitStatement", state="reconciled", breaks=[])


@fault("P-FILE-001")
def evaluates_formulas(seen: Seen, memory: Memory) -> Answer | None:
    """A cell that begins with = is read as a text."""
    told = (seen.body() or {}).get("violations", []) if seen.refused("statement.file_invalid") else []
    return taken(seen) if "file.formula" in [entry.get("code") for entry in told] else None


@fault("P-FILE-002")
def drops_separators(seen: Seen, memory: Memory) -> Answer | None:
    """1,000.30 is read as 1000.30."""
    told = (seen.body() or {}).get("violations", []) if seen.refused("statement.file_invalid") else []
    memory["files"] = memory.get("files", 0) + bool(told)
    return taken(seen) if told and memory["files"] > 2 else None


@fault("P-BAL-001")
def believes_every_balance(seen: Seen, memory: Memory) -> Answer | None:
    """A reported balance is taken as it is."""
    return _said(seen, "submitBalance", expected_fen=1, difference_id=None)


@fault("P-CLOSE-001")
def closes_full_accounts(seen: Seen, memory: Memory) -> Answer | None:
    """An account with money in it may be closed."""
    return taken_if_refused(seen, "custody.not_empty")


@fault("P-BANK-001")
def does_not_count_movements(seen: Seen, memory: Memory) -> Answer | None:
    """A bank's service is not measured."""

    def zero(body: dict[str, Any]) -> None:
        body["movements"]["count"] = 0

    return edited(seen, zero) if seen.name == "getBankServiceReport" and seen.accepted else None


@fault("P-LOG-001")
def proves_the_future(seen: Seen, memory: Memory) -> Answer | None:
    """A proof is made for any size."""
    return (
        taken_if_refused(seen, "request.query")
        if seen.name == "getLogConsistency" and len(seen.asked().get("second", "")) > 6
        else None
    )


@fault("P-DEC-001")
def keeps_no_refusals(seen: Seen, memory: Memory) -> Answer | None:
    """A decision that refused is not kept."""

    def forget(body: dict[str, Any]) -> None:
        body["items"] = [entry for entry in body["items"] if entry.get("outcome") != "refuse"]

    return edited(seen, forget) if seen.name == "listDecisions" and seen.accepted else None
