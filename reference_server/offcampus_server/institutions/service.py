"""The institution file: filed, approved by whoever is competent, returned, changed; and who works where with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from offcampus_rules import Decision, Scope, StaffRecord
from sqlalchemy import RowMapping, select

from offcampus_server.institutions.tables import campuses, institutions, materials, staff
from offcampus_server.kernel import extensions, resources
from offcampus_server.kernel.access import NATION, owns_region, region_prefix
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.personal import stripped
from offcampus_server.kernel.problems import Problem, missing_reference, violation, wrong_state
from offcampus_server.kernel.rulings import require_allowed
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.kernel.vault import mask_id, mask_name
from offcampus_server.parties import service as parties

FIXED_ONCE_APPROVED = ("external_id", "name", "uscc", "region_code", "delivery", "sectors", "stages")
"""Key particulars: they change by the procedure of Article 12, which is not yet built (M-12.1)."""


@dataclass(frozen=True)
class Institution:
    """What other capabilities need of an institution."""

    id: str
    region_code: str
    delivery: str
    state: str


def require(work: Work, institution_id: str, pointer: str = "/institution_id", *, approved: bool = True) -> Institution:
    """An institution that the caller acts for. Raises `reference.not_found`, or `resource.state` when not approved."""
    if (row := resources.seen(work, institutions, institution_id)) is None:
        raise missing_reference(pointer, institution_id)
    if approved and row["state"] != "approved":
        raise wrong_state(row["state"], "approved")
    return _facts(row)


def seen(work: Work, institution_id: str) -> str:
    """The identifier of an institution that the caller may see. Raises the one 404."""
    return str(resources.find(work, institutions, institution_id)["id"])


def public(work: Work, institution_id: str) -> RowMapping | None:
    """An approved institution, for everybody."""
    row = resources.by_ids(work, institutions, [institution_id]).get(institution_id)
    return row if row is not None and row["state"] == "approved" else None


def as_public(work: Work, row: RowMapping) -> dict[str, Any]:
    """What everybody may see of an institution (schema `public-institution`)."""
    document = row["document"]
    names = ("name", "uscc", "region_code", "delivery", "sectors", "stages")
    return {
        "id": row["id"],
        **{name: document[name] for name in names},
        "credentials": document["qualification"]["credentials"],
        "state": row["state"],
        **extensions.published(work, document),
    }


def any_approved(work: Work, institution_id: str) -> Institution:
    """An approved institution, whoever asks: a bank opens accounts before it sees any of its records."""
    row = resources.by_ids(work, institutions, [institution_id]).get(institution_id)
    if row is None:
        raise missing_reference("/institution_id", institution_id)
    if row["state"] != "approved":
        raise wrong_state(row["state"], "approved")
    return _facts(row)


def facts(work: Work, institution_id: str) -> Institution:
    """An institution by identifier, for the platform's own use: nobody's access is checked."""
    return _facts(resources.by_ids(work, institutions, [institution_id])[institution_id])


def row(work: Work, institution_id: str) -> RowMapping:
    """An institution's whole file, sealed members aside, for the platform's own use."""
    return resources.by_ids(work, institutions, [institution_id])[institution_id]


def file(call: Call, work: Work) -> Answer:
    """File an institution; whoever files it may act for it from then on."""
    assert work.party is not None
    sent = call.body
    if (row := resources.known(work, institutions, sent)) is not None:
        return Answer(200, present(work, row), row["version"])
    extensions.check(work, sent)
    row = resources.create(
        work, institutions, "ins", sent, institution_id="", region_code=sent["region_code"], state="submitted",
        stored=stripped(sent), **_columns(work, sent),
    )  # fmt: skip
    # An institution belongs to itself, so that one rule of access fits every table.
    row = resources.change(work, institutions, row, None, institution_id=row["id"], version=1)
    parties.grant(work.connection, work.party.id, row["id"], work.now)
    _noted(work, "createInstitution", "submitted", row)
    return resources.created(row, "institutions", present(work, row))


def change(call: Call, work: Work) -> Answer:
    """Change an institution file by merge patch; a returned file is submitted again by it."""
    row = resources.find(work, institutions, call.path["institution_id"])
    if call.if_match != row["version"]:
        raise resources.stale(row["version"])
    if row["state"] not in ("submitted", "returned", "approved"):
        raise wrong_state(row["state"], "submitted", "returned", "approved")
    fixed = FIXED_ONCE_APPROVED if row["state"] == "approved" else ("external_id",)
    document = resources.merged(work.vault.open(row["sealed"]), call.body, "institution", *fixed)
    extensions.check(work, document)
    state = "submitted" if row["state"] == "returned" else row["state"]
    row = resources.change(
        work, institutions, row, call.if_match, state=state, document=stripped(document),
        region_code=document["region_code"], returned_reason=None, **_columns(work, document),
    )  # fmt: skip
    _noted(work, "updateInstitution", "changed", row)
    return Answer(200, present(work, row), row["version"])


def approve(call: Call, work: Work) -> Answer:
    """Approve a file: the county for offline, the province for online institutions (Articles 5 and 6)."""
    row = resources.find(work, institutions, call.path["institution_id"])
    _require_competence(work, row)
    row = resources.transition(work, institutions, row, call.if_match, "approved", "submitted")
    _noted(work, "approveInstitution", "approved", row)
    return Answer(200, present(work, row), row["version"])


def send_back(call: Call, work: Work) -> Answer:
    """Return a file for correction, with the reason."""
    row = resources.find(work, institutions, call.path["institution_id"])
    _require_competence(work, row)
    reason = call.body["reason"]
    row = resources.transition(work, institutions, row, call.if_match, "returned", "submitted", returned_reason=reason)
    _noted(work, "returnInstitution", "returned", row)
    return Answer(200, present(work, row), row["version"])


def present(work: Work, row: RowMapping) -> dict[str, Any]:
    """The whole file, for the institution itself and the authorities."""
    body = resources.presented(row, institution=False, returned_reason=row["returned_reason"])
    return {**work.vault.open(row["sealed"]), **{k: v for k, v in body.items() if k not in row["document"]}}


def add_campus(call: Call, work: Work) -> Answer:
    """Report a campus."""
    return _add(call, work, "campus")


def change_campus(call: Call, work: Work) -> Answer:
    """Change a campus by merge patch."""
    row = resources.find(work, campuses, call.path["campus_id"])
    if call.if_match != row["version"]:
        raise resources.stale(row["version"])
    document = resources.merged(row["document"], call.body, "campus", "external_id", "institution_id")
    extensions.check(work, document)
    row = resources.change(work, campuses, row, call.if_match, document=document, region_code=document["region_code"])
    _emit(work, "updateCampus", "campus", "changed", row)
    return Answer(200, resources.presented(row), row["version"])


def add_material(call: Call, work: Work) -> Answer:
    """Report a training material."""
    return _add(call, work, "material")


def add_staff(call: Call, work: Work) -> Answer:
    """Report a person who works at the institution; the rules say who may, by the clearance query among others."""
    sent = call.body
    if (row := resources.known(work, staff, sent)) is not None:
        return Answer(200, present_staff(row), row["version"])
    institution = require(work, sent["institution_id"], approved=False)
    extensions.check(work, sent)
    decision = _admission(work, institution.id, sent)
    require_allowed(work, decision, institution.id)
    blind = work.vault.blind(f"{sent['id_type']}:{sent['id_number']}")
    same_person = (staff.c.institution_id == institution.id) & (staff.c.id_number_blind == blind)
    if work.connection.execute(select(staff.c.id).where(same_person)).first() is not None:
        raise Problem("resource.exists", "this person is already reported at the institution")
    kept = {
        **stripped({name: value for name, value in sent.items() if name != "name"}),
        "name_masked": mask_name(sent["name"]),
        "id_number_masked": mask_id(sent["id_number"]),
    }
    row = resources.create(
        work, staff, "stf", sent, institution_id=institution.id, region_code=institution.region_code, stored=kept,
        sealed=work.vault.seal(sent), id_number_blind=blind,
    )  # fmt: skip
    work.record(decision, row["id"], institution.id)
    _emit(work, "createStaff", "staff", "reported", row)
    return resources.created(row, "staff", present_staff(row))


def scopes(work: Work, institution_id: str) -> list[Scope]:
    """Every sector and stage of an institution: a value may be set for one of them alone."""
    return scopes_of(row(work, institution_id))


def scopes_of(file: RowMapping) -> list[Scope]:
    """The same of a file that is read already."""
    pairs = product(file["document"]["sectors"], file["document"]["stages"])
    return [Scope(file["region_code"], sector, stage, file["delivery"]) for sector, stage in pairs]


def _admission(work: Work, institution_id: str, sent: Mapping[str, Any]) -> Decision:
    """Whoever may work in one of the institution's sectors and stages may be reported; else what the first one says."""
    clearance = sent["clearance"]
    facts = [
        StaffRecord(
            scope, work.now.date(), sent["role"], cleared_on=date.fromisoformat(clearance["checked_on"]),
            clearance_hit=clearance["result"] == "hit",
        )
        for scope in scopes(work, institution_id)
    ]  # fmt: skip
    found = [work.rules.check_staff(case) for case in facts]
    return next((decision for decision in found if decision.outcome == "allow"), found[0])


def present_staff(row: RowMapping) -> dict[str, Any]:
    """A staff member, masked."""
    return resources.presented(row)


def require_campus(work: Work, campus_id: str | None, institution_id: str, pointer: str = "/campus_id") -> None:
    """A campus, where one is named, belongs to the institution."""
    if campus_id is None:
        return
    row = resources.by_ids(work, campuses, [campus_id]).get(campus_id)
    if row is None or row["institution_id"] != institution_id:
        raise missing_reference(pointer, campus_id)


def lease_until(work: Work, campus_id: str | None) -> date | None:
    """The last day of a campus's lease; None where it is owned, unknown, or there is no campus."""
    row = resources.by_ids(work, campuses, [campus_id]).get(campus_id) if campus_id else None
    text = row["document"].get("lease_until") if row is not None else None
    return date.fromisoformat(text) if text else None


def campus_ids(work: Work, ids: Sequence[str]) -> Mapping[str, str]:
    """Which of these campuses exist, and whose they are."""
    return {id: row["institution_id"] for id, row in resources.by_ids(work, campuses, list(ids)).items()}


def staff_ids(work: Work, ids: Sequence[str]) -> Mapping[str, str]:
    """Which of these staff members exist, and where they work."""
    return {id: row["institution_id"] for id, row in resources.by_ids(work, staff, list(ids)).items()}


def require_staff(work: Work, ids: Sequence[str], institution_id: str, pointer: str) -> None:
    """Every named staff member works at the institution."""
    known = staff_ids(work, ids)
    for index, id in enumerate(ids):
        if known.get(id) != institution_id:
            raise missing_reference(f"{pointer}/{index}", id)


def require_materials(work: Work, ids: Sequence[str], institution_id: str) -> None:
    """Every named material belongs to the institution."""
    known = resources.by_ids(work, materials, list(ids))
    for index, id in enumerate(ids):
        if id not in known or known[id]["institution_id"] != institution_id:
            raise missing_reference(f"/material_ids/{index}", id)


def competent(work: Work, region_code: str, delivery: str) -> bool:
    """May the caller decide about an institution here? The county for offline, the province for online ones."""
    assert work.party is not None
    own = work.party.region_code
    if own == NATION or not owns_region(work.party, region_code):
        return False
    level = len(region_prefix(own))
    return level == 2 if delivery == "online" else level == 6


def _add(call: Call, work: Work, kind: str) -> Answer:
    table, prefix, collection, operation = {
        "campus": (campuses, "cmp", "campuses", "createCampus"),
        "material": (materials, "mat", "materials", "createMaterial"),
    }[kind]
    sent = call.body
    if (row := resources.known(work, table, sent)) is not None:
        return Answer(200, resources.presented(row), row["version"])
    institution = require(work, sent["institution_id"], approved=False)
    extensions.check(work, sent)
    region = sent.get("region_code", institution.region_code)
    row = resources.create(work, table, prefix, sent, institution_id=institution.id, region_code=region)
    _emit(work, operation, kind, "reported", row)
    return resources.created(row, collection, resources.presented(row))


def _columns(work: Work, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": document["name"],
        "uscc": document["uscc"],
        "delivery": document["delivery"],
        "sealed": work.vault.seal(dict(document)),
    }


def _require_competence(work: Work, row: RowMapping) -> None:
    if not competent(work, row["region_code"], row["delivery"]):
        who = "the province" if row["delivery"] == "online" else "the county"
        given = violation("auth.region", allowed=f"{who} of {row['region_code']}", requirement="M-05.1, M-06.2")
        raise Problem("auth.region", f"{row['delivery']} institutions are decided by {who}", [given])


def _facts(row: RowMapping) -> Institution:
    return Institution(row["id"], row["region_code"], row["delivery"], row["state"])


def _noted(work: Work, action: str, verb: str, row: RowMapping) -> None:
    _emit(work, action, "institution", verb, row)


def _emit(work: Work, action: str, resource: str, verb: str, row: RowMapping) -> None:
    work.audit(action, row["id"], row["institution_id"])
    work.emit(
        resource, verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip
