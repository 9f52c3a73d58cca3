"""Operations of pupils."""

from __future__ import annotations

from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.pupils import service
from offcampus_server.pupils.tables import pupils

handlers = Handlers()


@handlers("registerPupil")
def register_pupil(call: Call, work: Work) -> Answer:
    """Register a pupil (M-19.1, M-19.3)."""
    return service.register(call, work)


@handlers("listPupils")
def list_pupils(call: Call, work: Work) -> Answer:
    """Pupils, masked."""
    return resources.page(call, work, pupils, lambda row: service.present(work, [row])[0])


@handlers("getPupil")
def get_pupil(call: Call, work: Work) -> Answer:
    """One pupil, masked."""
    return resources.read(call, work, pupils, call.path["pupil_id"], lambda row: service.present(work, [row])[0])
