"""The examples do what they say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from offcampus_sdk import Key
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example
from offcampus_sdk.testing.serving import serving
from test_adapters import URL, by_wsgi

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("refused", [False, True])
def test_report_a_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refused: bool
) -> None:
    """The record arrives once; a refusal is told with its code and ends with 1."""
    key = Key.generate()
    key.save(tmp_path / "key.json")
    monkeypatch.chdir(tmp_path)
    program = runpy.run_path(str(EXAMPLES / "report_a_lesson.py"))
    with serving(FakePlatform(key=key)) as platform:
        if refused:
            platform.fault("reportConsumption", "refuse", code="consumption.duplicate", items=[0])
        code = program["main"](platform.base_url, platform.client_id, "key.json")
    said = capsys.readouterr().out
    assert code == (1 if refused else 0)
    assert f"done {0 if refused else 1}, refused {1 if refused else 0}, waiting 0" in said
    assert ("consumption.duplicate" in said) is refused


def test_receive_webhooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What happened before it started is caught up; a delivery through WSGI is verified, handled and answered."""
    monkeypatch.chdir(tmp_path)
    program = runpy.run_path(str(EXAMPLES / "receive_webhooks.py"))
    platform = FakePlatform()
    client = platform.client()
    client.transport.call("createOrder", body=sent("o-1"))
    receiver = program["receiver"](client, URL)
    client.transport.call("createOrder", body=sent("o-2"))
    headers, body = platform.deliveries(URL)[1]
    post = by_wsgi(receiver)
    assert [post(headers, body), post(headers, body.replace(b"o-2", b"o-3"))] == [204, 401]
    assert capsys.readouterr().out.count("cn.offcampus.order.created.v1 /v1/orders/ord_") == 2


def sent(external_id: str) -> dict[str, object]:
    return {**example("order"), "external_id": external_id}
