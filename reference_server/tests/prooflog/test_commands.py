"""`offcampus-server ledger …`: what an operator and an auditor type, and the codes it ends with."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from offcampus_sdk.proofs import verify_entry
from offcampus_server.cli import main
from offcampus_server.kernel import keyring
from sqlalchemy import make_url
from world import World


@pytest.fixture(scope="module")
def lived(shared_world: World) -> World:
    """A world that has lived a little; each test works on a copy."""
    shared_world.ready().report(1)
    return shared_world


@pytest.fixture
def environment(lived: World, tmp_path: Path) -> dict[str, str]:
    """The settings of the copy."""
    copy = tmp_path / "copy"
    shutil.copytree(lived.folder, copy)
    settings = json.loads((copy / "environment.json").read_text().replace(str(lived.folder), str(copy)))
    original = lived.platform.storage.engine.url.database or ""
    with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy / "platform.db")) as target:
        source.backup(target)
    return {**settings, "OFFCAMPUS_DATABASE_URL": f"sqlite:///{copy / 'platform.db'}"}


def ledger(environment: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(main, ["ledger", *words], env=environment, catch_exceptions=False)


def kept(environment: dict[str, str], tmp_path: Path) -> list[str]:
    """A checkpoint with its list, as options."""
    checkpoint, leaves = tmp_path / "checkpoint.json", tmp_path / "leaves.txt"
    result = ledger(environment, "checkpoint", "--out", str(checkpoint), "--leaves", str(leaves))
    assert result.exit_code == 0, result.output
    return ["--checkpoint", str(checkpoint), "--leaves", str(leaves)]


def sql(environment: dict[str, str], *statements: str) -> list[Any]:
    """Statements on the copy's database, by somebody who owns it."""
    found: list[Any] = []
    with closing(sqlite3.connect(make_url(environment["OFFCAMPUS_DATABASE_URL"]).database or "")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            found = connection.execute(statement).fetchall()
        connection.commit()
    return found


def test_without_a_checkpoint_it_says_that_it_cannot_know(environment: dict[str, str], tmp_path: Path) -> None:
    """Nothing found and nothing from outside: 3, in plain words; with the checkpoint 0."""
    options = kept(environment, tmp_path)
    alone = ledger(environment, "verify")
    assert alone.exit_code == 3
    assert "cannot know whether the log was cut or written anew" in alone.output
    judged = ledger(environment, "verify", *options)
    assert judged.exit_code == 0, judged.output
    assert "the log begins with the" in judged.output
    assert ledger(environment, "verify", *options[:2], "--since-checkpoint").exit_code == 0


def test_an_edited_row_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    """1, the entry and the row; the replayed ledger says what it has found too."""
    options = kept(environment, tmp_path)
    sql(environment, "UPDATE ledger_transfers SET amount_fen = amount_fen + 1 WHERE seq = 2")
    judged = ledger(environment, "verify", *options)
    assert judged.exit_code == 1
    assert "entry 1 (transfer 2, created): row edited" in judged.output
    assert "is the sum of its transfers" in judged.output


def test_a_cut_is_named_only_against_a_checkpoint(environment: dict[str, str], tmp_path: Path) -> None:
    """Entries, heads and the count are cut: 3 alone, 1 with a checkpoint."""
    options = kept(environment, tmp_path)
    sql(
        environment,
        "DELETE FROM log_entries WHERE seq >= 9",
        "DELETE FROM log_heads",
        "UPDATE log_marks SET value = 9 WHERE name = 'size'",
    )
    assert ledger(environment, "verify").exit_code == 3
    judged = ledger(environment, "verify", *options)
    assert judged.exit_code == 1
    assert "entry 9 (the log): truncated: the checkpoint is over" in judged.output


def test_a_file_that_is_no_checkpoint_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    """2 for whatever is wrong with the file, never a verdict over the log."""
    options = kept(environment, tmp_path)
    good = json.loads((tmp_path / "checkpoint.json").read_text())
    other = dict(keyring.generate().as_dict(private=False))
    wrong = {
        "is not JSON": "{", "is no checkpoint": "{}",
        "is a checkpoint of": json.dumps({**good, "head": {**good["head"], "origin": "https://other.example"}}),
        "the signature does not hold": json.dumps({**good, "head": {**good["head"], "size": good["head"]["size"] - 1}}),
        "does not hold under the file": json.dumps({**good, "key": {name: other[name] for name in ("kty", "crv", "x")}}),
    }  # fmt: skip
    for text, content in wrong.items():
        (tmp_path / "checkpoint.json").write_text(content)
        result = ledger(environment, "verify", *options[:2])
        assert (result.exit_code, text in result.output) == (2, True), (text, result.output)
    (tmp_path / "checkpoint.json").write_text(json.dumps(good))
    lines = (tmp_path / "leaves.txt").read_text().splitlines()
    for changed in (lines[:-1], ["00" * 32, *lines[1:]], ["zz" * 32, *lines[1:]]):
        (tmp_path / "leaves.txt").write_text("\n".join(changed))
        assert ledger(environment, "verify", *options).exit_code == 2
    assert ledger(environment, "verify", "--since-checkpoint").exit_code == 2


def test_one_row_is_proven_on_the_spot(environment: dict[str, str], tmp_path: Path) -> None:
    """An auditor gets head, leaf and path of an audit line; a row that is not in a tree is said to be not."""
    kept(environment, tmp_path)
    proof = json.loads(ledger(environment, "prove", "audit", "3").output)
    [entry] = proof["entries"]
    verify_entry(entry, proof["head"])
    assert entry["leaf"]["row"]["seq"] == 3
    assert ledger(environment, "prove", "audit", "999").exit_code == 1


def test_erasing_is_audited(environment: dict[str, str], tmp_path: Path) -> None:
    """The salt is destroyed once, and the log goes on to hold."""
    options = kept(environment, tmp_path)
    seq = str(sql(environment, "SELECT min(seq) FROM log_salts")[0][0])
    assert ledger(environment, "erase", seq).exit_code == 0
    assert ledger(environment, "erase", seq).exit_code == 1
    kept(environment, tmp_path)
    judged = ledger(environment, "verify", *options)
    assert judged.exit_code == 0, judged.output
    assert "1 salt(s) destroyed" in judged.output
