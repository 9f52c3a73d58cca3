"""What is made from the checks is current, and what is frozen stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from offcampus_conformance import pages, sets
from offcampus_conformance.check import all_checks
from offcampus_conformance.evidence import digest
from offcampus_spec import sets as files
from offcampus_spec.requirements import requirements


def test_the_set_says_what_its_digest_says() -> None:
    """An edited set is refused wherever it is read."""
    document = files.load(sets.STANDARD)
    assert sets.read(document).digest == document["digest"]
    with pytest.raises(ValueError, match="digest"):
        sets.read({**document, "status": "frozen"})


def test_a_frozen_set_holds_every_scored_check() -> None:
    """Once it is frozen, a new check may run beside it as pending or advisory, and may not count."""
    frozen = sets.frozen_set()
    scored = {check.id for check in all_checks() if check.lifecycle == "scored"}
    listed = {name for names in frozen.checks.values() for name in names}
    assert frozen.status == "open" or scored <= listed
    body = sets.content("1.0", "open", all_checks())
    assert digest({name: value for name, value in body.items() if name != "digest"}) == body["digest"]


def test_every_must_is_accounted_for() -> None:
    """Judged, by hand, attested, untestable with its reason, or missing: none in silence."""
    judged: dict[str, list[str]] = {}
    for check in all_checks():
        for name in check.requirements:
            judged.setdefault(name, []).append(check.id)
    for requirement in requirements().values():
        if requirement.level == "MUST":
            how, why = pages.account(requirement, judged)
            assert how in pages.WAYS
            assert why
    requirement = next(entry for entry in requirements().values() if entry.status == "implemented")
    with pytest.raises(ValueError, match="no check judges"):
        pages.account(type(requirement)(**{**vars(requirement), "id": "M-99.9"}), {})


def test_stale_pages_are_named_and_mended(tmp_path: Path, capsys: Any) -> None:
    """--check writes nothing and names each; without it all are written."""
    assert pages.main(["--root", str(tmp_path), "--check"]) == 1
    assert "checks.md" in capsys.readouterr().out
    assert pages.main(["--root", str(tmp_path)]) == 0
    assert pages.main(["--root", str(tmp_path), "--check"]) == 0
    (tmp_path / pages.COVERAGE).write_text("x", encoding="utf-8")
    assert pages.main(["--root", str(tmp_path), "--check"]) == 1
