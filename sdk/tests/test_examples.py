"""The examples do what they say."""

from __future__ import annotations

import io
import runpy
from pathlib import Path

import pytest
from offcampus_sdk import Key
from offcampus_sdk.webhooks import Receiver
from test_reporter import Platform
from test_webhooks import URL, World, event, signed

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("refused", [False, True])
def test_report_a_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refused: bool
) -> None:
    """The record arrives once; a refusal is told with its code and ends with 1."""
    Key.generate().save(tmp_path / "key.json")
    monkeypatch.chdir(tmp_path)
    example = runpy.run_path(str(EXAMPLES / "report_a_lesson.py"))
    platform = Platform()
    if refused:
        take = platform.take
        monkeypatch.setattr(platform, "take", lambda key, body: _refused(take(key, body)))
    try:
        code = example["main"](platform.url, "pty_1", "key.json", "ins_1", "ord_1")
    finally:
        platform.stop()
    said = capsys.readouterr().out
    assert code == (1 if refused else 0)
    assert f"done {0 if refused else 1}, refused {1 if refused else 0}, waiting 0" in said
    assert ("consumption.duplicate" in said) is refused


def _refused(answer: dict[str, list[dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
    problem = {"type": "t", "title": "t", "status": 422, "code": "consumption.duplicate", "request_id": "r"}
    for entry in answer["results"]:
        entry |= {"status": 422, "outcome": "refused", "problem": problem}
    return answer


def test_receive_webhooks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A delivery through WSGI is verified, handled and answered; a forged one is refused."""
    example = runpy.run_path(str(EXAMPLES / "receive_webhooks.py"))
    world = World(tmp_path)
    application = example["Application"](Receiver(URL, world.jwks, tmp_path / "handled.db", example["handle"]))
    headers, body = signed(world.key, event("1"))
    assert _post(application, headers, body) == "204 OK"
    assert "cn.offcampus.order.paid.v1 /v1/orders/ord_1" in capsys.readouterr().out
    assert _post(application, headers, body.replace(b"ord_1", b"ord_2")) == "401 Refused"


def _post(application: object, headers: dict[str, str], body: bytes) -> str:
    environ: dict[str, object] = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    environ |= {
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers["Content-Type"],
        "wsgi.input": io.BytesIO(body),
    }
    said: list[str] = []
    application(environ, lambda status, _: said.append(status))  # type: ignore[operator]
    return said[0]
