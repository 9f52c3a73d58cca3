"""`offcampus-rules new`: from nothing to a plugin that passes everything, and later to a newer template."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from offcampus_rules.cli import main
from offcampus_rules.cli.new import TEMPLATE

pytest.importorskip("copier")


def run(*arguments, text=None):
    return CliRunner().invoke(main, [*map(str, arguments)], input=text)


def in_a_shell(*command, cwd, **environment):
    """A command as its user would call it; fails with what it said."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("hooks", [(), ("--with-hooks",)])
def test_a_new_plugin_is_green(tmp_path, hooks):
    """Made, checked with coverage and mutants, and its own tests run: nothing to mend."""
    root = tmp_path / "shenzhen"
    made = run("new", "440300", root, "--defaults", *hooks)
    assert made.exit_code == 0, made.output
    assert (root / "offcampus_rules_shenzhen" / "hooks.py").exists() == bool(hooks)
    assert "zh: 深圳市规则" in (root / "plugin.yaml").read_text(encoding="utf-8")
    checked = run("check", root, "--coverage", "--mutate")
    assert checked.exit_code == 0, checked.output
    if not hooks:
        bare = {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
        assert "3 passed" in in_a_shell(*command, cwd=root, **bare)


def test_what_is_asked(tmp_path):
    """A region that the standard's list does not have is asked about."""
    made = run("new", "440306", tmp_path / "p", text="宝安区\nBaoan District\n\n")
    assert made.exit_code == 0, made.output
    assert (tmp_path / "p" / "offcampus_rules_baoan" / "py.typed").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["4403"], "six digits"),
        (["999999", "--defaults"], "give --title-zh"),
        (["440300", "--defaults", "--slug", "Shen-Zhen"], "small letters"),
    ],
)
def test_what_is_refused(tmp_path, arguments, words):
    """Each with what to write instead; nothing is made."""
    made = run("new", arguments[0], tmp_path / "p", *arguments[1:])
    assert (made.exit_code, words in made.output) == (1, True)
    assert not (tmp_path / "p").exists()


def test_a_place_that_is_taken(tmp_path):
    """Nothing is written over."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert "is not empty" in run("new", "440300", tmp_path, "--defaults").output


@pytest.mark.slow
def test_the_template_can_be_updated(tmp_path):
    """From a repository: own edits stay, the template's changes arrive."""
    template, root = tmp_path / "template", tmp_path / "mine"
    shutil.copytree(TEMPLATE, template)
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")

    def commit(folder: Path, tag: str = "") -> None:
        in_a_shell(*git, "init", "-q", cwd=folder)
        in_a_shell(*git, "add", "-A", cwd=folder)
        in_a_shell(*git, "commit", "-qm", "x", cwd=folder)
        if tag:
            in_a_shell(*git, "tag", tag, cwd=folder)

    commit(template, "v1.0.0")
    made = run("new", "440300", root, "--defaults", "--template", f"git+file://{template}")
    assert made.exit_code == 0, made.output
    parameter = root / "parameters/precharge/amount_max.yaml"
    parameter.write_text(parameter.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    commit(root)
    recipe = template / "project/.gitlab-ci.yml"
    recipe.write_text(recipe.read_text(encoding="utf-8") + "# newer\n", encoding="utf-8")
    commit(template, "v1.1.0")
    in_a_shell(sys.executable, "-m", "copier", "update", "--defaults", "--quiet", cwd=root)
    assert (root / ".gitlab-ci.yml").read_text(encoding="utf-8").endswith("# newer\n")
    assert parameter.read_text(encoding="utf-8").endswith("# mine\n")


@pytest.mark.slow
def test_the_installed_template_can_be_applied_again(tmp_path):
    """Without a repository: what the plugin added stays, what the template brings is written anew, to be read as a diff."""
    root = tmp_path / "mine"
    assert run("new", "440300", root, "--defaults").exit_code == 0
    own = root / "parameters/precharge/hours_max.yaml"
    own.write_text("# mine\n", encoding="utf-8")
    (root / ".gitlab-ci.yml").write_text("older\n", encoding="utf-8")
    in_a_shell(sys.executable, "-m", "copier", "recopy", "--defaults", "--overwrite", "--quiet", cwd=root)
    assert (root / ".gitlab-ci.yml").read_text(encoding="utf-8") != "older\n"
    assert own.read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.slow
def test_a_new_plugin_as_a_wheel(tmp_path):
    """Built and installed by itself, it is found by its entry point with its data inside."""
    root, wheels, place = tmp_path / "shenzhen", tmp_path / "wheels", tmp_path / "place"
    assert run("new", "440300", root, "--defaults").exit_code == 0
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    in_a_shell(*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(root), cwd=tmp_path)
    [wheel] = wheels.glob("*.whl")
    in_a_shell(*pip, "install", "--no-deps", "--target", str(place), str(wheel), cwd=tmp_path)
    code = "from offcampus_rules.cli import main; main()"
    listed = in_a_shell(sys.executable, "-c", code, "list", "--plugins-only", cwd=tmp_path, PYTHONPATH=str(place))
    assert "440300  offcampus-rules-shenzhen 0.1.0  深圳市规则" in listed
