"""Health, metrics, logs: what an operator needs, and no personal datum."""

from __future__ import annotations

import pytest
from world import World, problem


def test_health_and_readiness(world: World) -> None:
    """Alive and ready, with the reasons."""
    assert world.http.get("/healthz").status_code == 200
    answer = world.http.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"database": True, "migrations": True, "rules": True})


def test_not_ready_without_its_database(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database at an older shape is not ready."""
    with sqlite_world.platform.storage.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    assert sqlite_world.http.get("/readyz").status_code == 503


def test_metrics_count_operations_and_problems(sqlite_world: World) -> None:
    """By operation, status and code; never by identifier."""
    problem(sqlite_world.vendor.get("/v1/institutions?colour=red"), 400, "request.query")
    text = sqlite_world.http.get("/metrics").get_data(as_text=True)
    assert 'offcampus_requests_total{operation="listInstitutions",status="400"} 1.0' in text
    assert 'offcampus_problems_total{code="request.query"} 1.0' in text
    assert "ins_" not in text


def test_logs_hold_no_personal_datum(sqlite_world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither in good times nor in an error."""
    from offcampus_server.kernel.observe import configure_logs

    configure_logs("debug")
    sqlite_world.open_institution()
    document = sqlite_world.pupil_document()
    sqlite_world.ok(sqlite_world.vendor.post("/v1/pupils", document))
    sqlite_world.vendor.post("/v1/pupils", {**document, "external_id": "other"})
    said = "".join(capfd.readouterr())
    assert '"operation": "registerPupil"' in said
    for canary in (document["name"], document["id_number"], "艾比布力", "13900000007"):
        assert canary not in said


def test_our_own_fault_shows_nothing(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 500 says only how to ask about it."""
    from offcampus_server.institutions import service

    def broken(*_: object) -> None:
        raise RuntimeError("SECRET in a message")

    monkeypatch.setattr(service, "file", broken)
    answer = sqlite_world.vendor.post("/v1/institutions", sqlite_world.institution_document())
    problem(answer, 500, "server.error")
    text = answer.get_data(as_text=True)
    assert "SECRET" not in text
    assert "Traceback" not in text
    assert answer.json["request_id"].startswith("req_")
