"""Operations on warnings."""

from __future__ import annotations

from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.warnings import service
from offcampus_server.warnings.tables import warnings

handlers = Handlers()


@handlers("listWarnings")
def list_warnings(call: Call, work: Work) -> Answer:
    """Warnings (M-09.1)."""
    return resources.page(call, work, warnings, service.present)


@handlers("getWarning")
def get_warning(call: Call, work: Work) -> Answer:
    """One warning."""
    return resources.read(call, work, warnings, call.path["warning_id"], service.present)


@handlers("handleWarning")
def handle_warning(call: Call, work: Work) -> Answer:
    """Handle."""
    return service.handle(call, work)


@handlers("closeWarning")
def close_warning(call: Call, work: Work) -> Answer:
    """Close."""
    return service.close(call, work)
