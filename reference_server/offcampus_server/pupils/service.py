"""Register a pupil with guardians and consent; afterwards only pseudonyms travel (M-19.1, M-19.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, insert, select

from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import extensions, resources
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.personal import stripped
from offcampus_server.kernel.problems import Problem, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.kernel.vault import mask_id, mask_name, mask_phone
from offcampus_server.pupils.tables import guardians, pupils

_GUARDIANS = select(guardians.c.id).where(guardians.c.pupil_id == bindparam("pupil"))


@dataclass(frozen=True)
class Pupil:
    """What other capabilities need of a pupil: pseudonyms."""

    id: str
    institution_id: str
    guardian_ids: frozenset[str]


def register(call: Call, work: Work) -> Answer:
    """Register a pupil. Raises `resource.exists` for a child that is already registered at the institution."""
    sent = call.body
    if (row := resources.known(work, pupils, sent)) is not None:
        return Answer(200, present(work, [row])[0], row["version"])
    institution = institutions.require(work, sent["institution_id"], approved=False)
    extensions.check(work, sent)
    _check_guardians(sent["guardians"])
    blind = work.vault.blind(f"{sent['id_type']}:{sent['id_number']}") if "id_number" in sent else None
    same_child = (pupils.c.institution_id == institution.id) & (pupils.c.id_number_blind == blind)
    if blind is not None and work.connection.execute(select(pupils.c.id).where(same_child)).first() is not None:
        raise Problem("resource.exists", "a child with this number is already registered at the institution")
    row = resources.create(
        work, pupils, "pup", sent, institution_id=institution.id, region_code=institution.region_code,
        stored=_kept(sent), sealed=work.vault.seal(sent), id_number_blind=blind,
    )  # fmt: skip
    work.connection.execute(insert(guardians), [_guardian(row["id"], n, g) for n, g in enumerate(sent["guardians"])])
    work.audit("registerPupil", row["id"], institution.id)
    work.emit(
        "pupil", "registered", row["id"], institution.id, 1, external_id=row["external_id"],
        region_code=row["region_code"],
    )  # fmt: skip
    return resources.created(row, "pupils", present(work, [row])[0])


def require(work: Work, pupil_id: str) -> Pupil | None:
    """A pupil by pseudonym, whoever's; callers check the institution."""
    row = resources.by_ids(work, pupils, [pupil_id]).get(pupil_id)
    if row is None:
        return None
    found = work.connection.execute(_GUARDIANS, {"pupil": pupil_id}).scalars()
    return Pupil(row["id"], row["institution_id"], frozenset(found))


def present(work: Work, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Pupils, masked, with their guardians."""
    by_pupil: dict[str, list[dict[str, Any]]] = defaultdict(list)
    query = select(guardians).where(guardians.c.pupil_id.in_([row["id"] for row in rows]))
    for row in work.connection.execute(query.order_by(guardians.c.pupil_id, guardians.c.position)).mappings():
        by_pupil[row["pupil_id"]].append({**row["document"], "id": row["id"], "external_id": row["external_id"]})
    return [resources.presented(row, roll_check="unknown", guardians=by_pupil[row["id"]]) for row in rows]


def _kept(sent: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in sent.items() if name not in ("name", "guardians", "born_on")}
    return {
        **stripped(rest),
        "name_masked": mask_name(sent["name"]),
        "id_number_masked": mask_id(sent["id_number"]) if "id_number" in sent else None,
        "born_year": int(sent["born_on"][:4]),
    }


def _guardian(pupil_id: str, position: int, sent: Mapping[str, Any]) -> dict[str, Any]:
    document = {
        "name_masked": mask_name(sent["name"]),
        "relation": sent["relation"],
        "phone_masked": mask_phone(sent["phone"]),
    }
    return {
        "id": new_id("grd"), "pupil_id": pupil_id, "external_id": sent["external_id"], "position": position,
        "document": document,
    }  # fmt: skip


def _check_guardians(sent: Sequence[Mapping[str, Any]]) -> None:
    references = [guardian["external_id"] for guardian in sent]
    for index, reference in enumerate(references):
        if reference in references[:index]:
            entry = violation("schema.unique_items", f"/guardians/{index}/external_id", given=reference)
            raise Problem("schema.invalid", "two guardians have the same external_id", [entry])
