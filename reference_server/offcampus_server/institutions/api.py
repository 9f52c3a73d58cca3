"""Operations of the institution file."""

from __future__ import annotations

from functools import partial

from sqlalchemy import ColumnElement, true

from offcampus_server.institutions import service
from offcampus_server.institutions.tables import campuses, institutions, materials, staff
from offcampus_server.kernel import resources
from offcampus_server.kernel.access import within
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.problems import not_found
from offcampus_server.kernel.unit_of_work import Work

handlers = Handlers()
BY_REGION = frozenset({"region_code"})


@handlers("createInstitution")
def create_institution(call: Call, work: Work) -> Answer:
    """File an institution (M-07.1, M-11.1 to M-11.6)."""
    return service.file(call, work)


@handlers("listInstitutions")
def list_institutions(call: Call, work: Work) -> Answer:
    """The institutions that the caller may see."""
    return resources.page(
        call, work, institutions, lambda row: service.present(work, row), *_regional(call), special=BY_REGION
    )


@handlers("getInstitution")
def get_institution(call: Call, work: Work) -> Answer:
    """One institution."""
    id = call.path["institution_id"]
    return resources.read(call, work, institutions, id, lambda row: service.present(work, row))


@handlers("updateInstitution")
def update_institution(call: Call, work: Work) -> Answer:
    """Change the file (M-07.2)."""
    return service.change(call, work)


@handlers("approveInstitution")
def approve_institution(call: Call, work: Work) -> Answer:
    """Approve (M-05.1, M-06.2)."""
    return service.approve(call, work)


@handlers("returnInstitution")
def return_institution(call: Call, work: Work) -> Answer:
    """Return for correction."""
    return service.send_back(call, work)


@handlers("createCampus")
def create_campus(call: Call, work: Work) -> Answer:
    """Report a campus (M-11.2)."""
    return service.add_campus(call, work)


@handlers("listCampuses")
def list_campuses(call: Call, work: Work) -> Answer:
    """Campuses."""
    return resources.page(call, work, campuses, resources.presented)


@handlers("getCampus")
def get_campus(call: Call, work: Work) -> Answer:
    """One campus."""
    return resources.read(call, work, campuses, call.path["campus_id"], resources.presented)


@handlers("updateCampus")
def update_campus(call: Call, work: Work) -> Answer:
    """Change a campus."""
    return service.change_campus(call, work)


@handlers("createStaff")
def create_staff(call: Call, work: Work) -> Answer:
    """Report a staff member (M-11.3)."""
    return service.add_staff(call, work)


@handlers("listStaff")
def list_staff(call: Call, work: Work) -> Answer:
    """Staff, masked."""
    return resources.page(call, work, staff, service.present_staff)


@handlers("getStaff")
def get_staff(call: Call, work: Work) -> Answer:
    """One staff member, masked."""
    return resources.read(call, work, staff, call.path["staff_id"], service.present_staff)


@handlers("createMaterial")
def create_material(call: Call, work: Work) -> Answer:
    """Report a training material (M-11.3)."""
    return service.add_material(call, work)


@handlers("listMaterials")
def list_materials(call: Call, work: Work) -> Answer:
    """Training materials."""
    return resources.page(call, work, materials, resources.presented)


@handlers("getMaterial")
def get_material(call: Call, work: Work) -> Answer:
    """One training material."""
    return resources.read(call, work, materials, call.path["material_id"], resources.presented)


@handlers("listPublicInstitutions")
def list_public_institutions(call: Call, work: Work) -> Answer:
    """Search approved institutions (M-02.1, M-08.1)."""
    conditions = [institutions.c.state == "approved", *_regional(call)]
    if "name" in call.query:
        conditions.append(institutions.c.name.contains(call.query["name"], autoescape=True))
    shown = partial(service.as_public, work)
    return resources.page(call, work, institutions, shown, *conditions, scope=true(), special=BY_REGION | {"name"})


@handlers("getPublicInstitution")
def get_public_institution(call: Call, work: Work) -> Answer:
    """One approved institution."""
    row = service.public(work, call.path["institution_id"])
    if row is None:
        raise not_found()
    return Answer(200, service.as_public(work, row), headers={"Cache-Control": "public, max-age=60"})


def _regional(call: Call) -> list[ColumnElement[bool]]:
    region = call.query.get("region_code")
    return [within(institutions.c.region_code, region)] if region is not None else []
