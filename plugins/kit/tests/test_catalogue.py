"""The table of parameters in a plugin's README says what the files say, or is found out."""

from __future__ import annotations

import pytest
from offcampus_rules import catalogue
from offcampus_rules.registry import read_folder

README = f"# A plugin\n\n{catalogue.BEGIN}\nold\n{catalogue.END}\n\nbelow\n"


@pytest.fixture
def root(write, nation_files):
    return write("000000", {**nation_files, "README.md": README})


def test_the_table_is_written_between_its_markers(root):
    """What stands around it stays."""
    assert catalogue.stale(root)
    catalogue.write(root)
    text = (root / "README.md").read_text(encoding="utf-8")
    assert not catalogue.stale(root)
    assert text.startswith("# A plugin\n")
    assert text.endswith("\nbelow\n")
    assert "old" not in text


def test_a_line_tells_unit_binding_judgement_values_and_sources(root):
    """One line a parameter; notes and open values are told as such."""
    lines = catalogue.table(read_folder(root)).splitlines()
    [hours] = [line for line in lines if line.startswith("| `sale.hours_max` |")]
    assert "| class_hours | floor, lower (" in hours
    assert "60 class hours (reported: " in hours


def test_a_changed_value_makes_the_table_stale(root, nation_files):
    """Which is what the plugin's own test asks."""
    catalogue.write(root)
    file = root / "parameters/sale/hours_max.yaml"
    file.write_text(nation_files["parameters/sale/hours_max.yaml"].replace("value: 60", "value: 59"), encoding="utf-8")
    assert catalogue.stale(root)


def test_a_readme_without_markers_is_refused(root):
    """Nothing is written anywhere else."""
    (root / "README.md").write_text("# A plugin\n", encoding="utf-8")
    with pytest.raises(ValueError, match="parameters: begin"):
        catalogue.write(root)
