"""Two versions or two places, parameter by parameter: what became stricter, for whom, from when."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner
from offcampus_rules import archive
from offcampus_rules.cli import main
from offcampus_rules.difference import Side, between, of_places, rules, scopes
from offcampus_rules.ruleset import build


@pytest.fixture
def versions(nation, read, local_hours):
    """Two versions of a province: 50 hours from 2022 on, and whatever the test writes."""

    def make(*texts: str):
        old = read("110000", {"parameters/sale/h.yaml": local_hours("110000", 50)}, name="old")
        files = {f"parameters/sale/h{number}.yaml": text for number, text in enumerate(texts)}
        return build([nation, old]), build([nation, read("110000", files, name="new")])

    return make


def told(found):
    return [(item.region_after, str(item.since), str(item.until), item.verdict) for item in found]


@pytest.mark.parametrize(
    ("hours", "verdict"), [(40, "stricter"), (55, "looser"), (50, None), (90, "looser")]
)  # fmt: skip
def test_a_changed_cap(versions, local_hours, hours, verdict):
    """Stricter, looser, the same; and 90, which has no effect, so that the nation's 60 stands again."""
    before, after = versions(local_hours("110000", hours))
    found = between(before, after)
    assert told(found) == ([("110000", "2022-01-01", "None", verdict)] if verdict else [])
    if hours == 90:
        assert found[0].after.value == 60


def test_only_the_period_that_differs(versions, local_hours):
    """The cap ends in 2024 and goes on as before: one difference from there on; a county's own cap is told apart."""
    ended = local_hours("110000", 50).replace("from: 2022-01-01", "from: 2022-01-01\n    until: 2024-01-01")
    before, after = versions(ended, local_hours("110105", 45))
    assert told(between(before, after)) == [
        ("110000", "2024-01-01", "None", "looser"),
        ("110105", "2022-01-01", "None", "stricter"),
    ]


def test_only_the_training_that_differs(versions, local_hours):
    """A cap that holds online alone: the rest becomes looser, and is named."""
    online = local_hours("110000", 50).replace("from: 2022-01-01", "from: 2022-01-01\n    scope: {delivery: [online]}")
    before, after = versions(online)
    [item] = between(before, after)
    assert (item.verdict, scopes(item.cells)) == ("looser", "offline")
    assert scopes({("sport", "compulsory", "online"), ("sci_tech", "compulsory", "online")}) == (
        "sport|sci_tech, compulsory, online"
    )
    mixed = {("sport", "compulsory", "online"), ("sci_tech", "senior_high", "online")}
    assert scopes(mixed) == "sport, compulsory, online; sci_tech, senior_high, online"


def test_places_and_rules(versions, read, nation_files, local_hours):
    """Two counties on a day; rules that came and went; a definition that was redefined."""
    before, after = versions(local_hours("110105", 45))
    sides = Side(after, "110105"), Side(after, "110106")
    assert [item.verdict for item in of_places(*sides, date(2026, 1, 1))] == ["looser"]
    assert of_places(*sides, date(2021, 6, 1)) == ()
    other = {
        **nation_files,
        "rules/sale.yaml": nation_files["rules/sale.yaml"].replace("EX-HRS-001", "EX-HRS-002"),
        "parameters/sale/hours_max.yaml": nation_files["parameters/sale/hours_max.yaml"].replace(
            "protects: payer", "protects: public"
        ),
    }
    changed = rules(before, build([read("000000", other, name="other")]))
    assert (changed.added, changed.removed) == (("EX-HRS-002",), ("EX-HRS-001",))
    assert changed.redefined == ("sale.hours_max",)


def test_archived_rule_sets_by_their_digests(versions, local_hours, tmp_path):
    """Two sets that a server decided with: by digest, by file, and the installed one beside them."""
    before, after = versions(local_hours("110000", 40))
    kept = tmp_path / "archive"
    files = [str(archive.write(ruleset, kept)) for ruleset in (before, after)]
    run, where = CliRunner().invoke, ["--archive", str(kept), "--lang", "en"]
    by_digest = run(main, ["diff", before.digest, after.digest, *where])
    assert by_digest.exit_code == 0, by_digest.output
    assert "110000, all training, 2022-01-01 –: stricter" in by_digest.output
    assert run(main, ["diff", *files, "--lang", "en"]).output == by_digest.output
    assert "precharge.hours_max" in run(main, ["diff", before.digest, "installed", *where]).output
    for wrong, told in [
        ([before.digest, after.digest], "say which, --archive FOLDER"),
        ([before.digest, str(tmp_path)], "a whole rule set is compared with another one"),
        (["sha-256:" + "0" * 64, "installed", *where], "is not archived"),
        (["sha-256:0", "installed", *where], "no archived rule set"),
    ]:
        refused = run(main, ["diff", *wrong])
        assert refused.exit_code != 0
        assert told in refused.output


def test_the_command(write, nation_files, local_hours):
    """Words in both languages, JSON, and what is wrong with the arguments."""
    nation = str(write("000000", nation_files))
    old = str(write("110000", {"parameters/sale/h.yaml": local_hours("110000", 50)}, name="old"))
    new = str(write("110000", {"parameters/sale/h.yaml": local_hours("110000", 40)}, name="new"))
    run = CliRunner().invoke
    english = run(main, ["diff", old, new, "--above", nation, "--lang", "en"]).output
    assert "110000, all training, 2022-01-01 –: stricter" in english
    assert "+ 40 class hours (province 110000; 地方示例办法; reported)" in english
    assert "更严" in run(main, ["diff", old, new, "--above", nation]).output
    assert "无差异" in run(main, ["diff", old, old, "--above", nation]).output
    document = json.loads(run(main, ["diff", old, new, "--above", nation, "--json"]).output)
    assert [item["verdict"] for item in document["differences"]] == ["stricter"]
    places = run(main, ["diff", "--on", "2026-03-01", "--region", "110105", "--region", "330106", "--lang", "en"])
    assert places.exit_code == 0
    assert "110105 → 330106" in places.output
    for wrong in ([], [old], ["--on", "2026-03-01", "--region", "1"], [old, new, "--on", "2026-03-01"]):
        assert run(main, ["diff", *wrong]).exit_code == 2
