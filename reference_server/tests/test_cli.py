"""The command: each thing does what it says, and what is wrong is told in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from offcampus_server.cli import main
from offcampus_server.kernel import keyring


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {
        "OFFCAMPUS_DATABASE_URL": f"sqlite:///{tmp_path / 'a.db'}",
        "OFFCAMPUS_KEY_FILE": str(tmp_path / "keys" / "server.json"),
        "OFFCAMPUS_SECRETS_FILE": str(tmp_path / "keys" / "secrets.json"),
    }


def run(settings: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(main, list(words), env=settings, catch_exceptions=False)


def prepared(settings: dict[str, str]) -> None:
    assert run(settings, "keys", "generate").exit_code == 0
    assert run(settings, "db", "upgrade").exit_code == 0


def test_from_nothing_to_ready(settings: dict[str, str], tmp_path: Path) -> None:
    """Keys, database, a party, the ledger: step by step."""
    assert run(settings, "db", "check").exit_code == 1
    prepared(settings)
    assert run(settings, "db", "check").exit_code == 0
    public = tmp_path / "vendor.json"
    public.write_text(json.dumps(keyring.generate().as_dict(private=False)))
    added = run(
        settings, "party", "add", "某厂商", "--role", "institution_system", "--region", "110105", "--key", str(public)
    )
    party_id = added.output.strip()
    assert party_id.startswith("pty_")
    assert party_id in run(settings, "party", "list").output
    assert run(settings, "party", "disable", party_id).exit_code == 0
    assert "disabled" in run(settings, "party", "list").output
    assert run(settings, "ledger").output.strip() == "0 finding(s)"
    assert run(settings, "work", "--once").exit_code == 0


def test_keys_rotate_and_are_never_overwritten(settings: dict[str, str]) -> None:
    """Generating twice changes nothing; rotating puts a new key in front; files are the owner's alone."""
    run(settings, "keys", "generate")
    before = json.loads(run(settings, "keys", "jwks").output)["keys"]
    assert run(settings, "keys", "generate").output == ""
    run(settings, "keys", "rotate")
    after = json.loads(run(settings, "keys", "jwks").output)["keys"]
    assert len(after) == 2
    assert after[1] == before[0]
    assert all("d" not in key for key in after)
    for name in ("OFFCAMPUS_KEY_FILE", "OFFCAMPUS_SECRETS_FILE"):
        assert Path(settings[name]).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("extra", "words", "says"),
    [
        ({"OFFCAMPUS_COLOUR": "red"}, ("db", "check"), "unknown setting OFFCAMPUS_COLOUR"),
        ({"OFFCAMPUS_DEVELOPMENT": "yes"}, ("db", "check"), "must be one of 0, 1"),
        ({"OFFCAMPUS_CLOCK_FILE": "x"}, ("db", "check"), "production time is not shifted"),
        ({"OFFCAMPUS_MAX_BODY_BYTES": "1"}, ("db", "check"), "at least 1024"),
        ({}, ("serve",), "db upgrade"),
        ({}, ("work", "--once"), "db upgrade"),
        ({}, ("party", "list"), "keys generate"),
        ({}, ("keys", "jwks"), "server.json"),
        ({}, ("party", "disable", "pty_x"), "keys generate"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told(
    settings: dict[str, str], extra: dict[str, str], words: tuple[str, ...], says: str
) -> None:
    """One line with what to do, exit code 1, no trace."""
    result = run({**settings, **extra}, *words)
    assert result.exit_code == 1
    assert says in result.output
    assert "Traceback" not in result.output


def test_wrong_parties_are_refused(settings: dict[str, str], tmp_path: Path) -> None:
    """An unknown role, a key that is none."""
    prepared(settings)
    public = tmp_path / "vendor.json"
    public.write_text("{}")
    assert (
        "not a key of a suite that is offered"
        in run(settings, "party", "add", "x", "--role", "bank", "--key", str(public)).output
    )
    assert "allowed: authority" in run(settings, "party", "add", "x", "--role", "king", "--key", str(public)).output


def test_a_sandbox_is_prepared_once(settings: dict[str, str], tmp_path: Path) -> None:
    """It is ready to serve, and a second one does not overwrite it."""
    folder = tmp_path / "sandbox"
    first = run({}, "sandbox", str(folder), "--port", "9999")
    assert first.exit_code == 0
    assert (folder / "conformance.toml").exists()
    again = run({}, "sandbox", str(folder))
    assert again.exit_code == 1
    assert "holds a sandbox already" in again.output
