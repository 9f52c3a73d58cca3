"""`offcampus-rules new REGION [PATH]`: a plugin of one's own from the template, ready to be checked.

copier is run as a program of its own and never imported: it brings a filter library under the GPL along.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import click
from offcampus_spec import codelists

from offcampus_rules.calendar import SHANGHAI

TEMPLATE = Path(__file__).parents[1] / "template"
_REGION = re.compile(r"[0-9]{6}\Z")
_SLUG = re.compile(r"[a-z]{2,40}\Z")


@click.command()
@click.argument("region")
@click.argument("path", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--title-zh", help="The place's name in Chinese; default: from the standard's list of regions.")
@click.option("--title-en", help="The place's name in English; default: from the standard's list of regions.")
@click.option("--slug", help="A short name in small letters for the package; default: from the English name.")
@click.option("--with-hooks", is_flag=True, help="Also write a hooks.py, for what data cannot say.")
@click.option("--defaults", is_flag=True, help="Ask nothing: take the defaults, fail where there is none.")
@click.option("--template", help="Take the template from a repository, so that `copier update` brings its changes.")
def new(
    region: str,
    path: Path | None,
    title_zh: str | None,
    title_en: str | None,
    slug: str | None,
    with_hooks: bool,
    defaults: bool,
    template: str | None,
) -> None:
    """Make a data-only plugin for REGION (six-digit division code) in PATH."""
    if importlib.util.find_spec("copier") is None:
        raise click.ClickException("copier is needed for this: pip install 'offcampus-rules[new]'")
    if not _REGION.match(region):
        raise click.ClickException(f"{region} is no division code: six digits are needed (GB/T 2260), 440300 for one")
    known_zh, known_en = _titles(region)
    answers = {
        "title_zh": title_zh or _asked("Name in Chinese", known_zh, "--title-zh", defaults),
        "title_en": title_en or _asked("Name in English", known_en, "--title-en", defaults),
    }
    short = re.sub(r"[^a-z]", "", answers["title_en"].lower().split()[0])
    answers["slug"] = slug or _asked("Short name in small letters", short, "--slug", defaults)
    if not _SLUG.match(answers["slug"]):
        raise click.ClickException(
            f"{answers['slug']} is no short name: small letters a-z are needed, shenzhen for one"
        )
    target = path or Path(answers["slug"])
    if target.exists() and any(target.iterdir()):
        raise click.ClickException(f"{target} is not empty; choose another place")
    day = datetime.now(SHANGHAI).date().isoformat()
    data = {"region": region, **answers, "day": day, "with_hooks": str(with_hooks).lower()}
    given = [f"--data={name}={value}" for name, value in data.items()]
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet", *given, template or str(TEMPLATE)]
    done = subprocess.run([*command, str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"copier could not make {target}: {done.stderr.strip()}")
    click.echo(f"{target}: rules of {answers['title_en']} ({region}); next: offcampus-rules check {target}")


def _titles(region: str) -> tuple[str | None, str | None]:
    """The names of a region in the standard's list; None where it has none."""
    known = codelists.load("regions")
    if region not in known.codes:
        return None, None
    return known.title(region, "zh"), known.title(region, "en")


def _asked(question: str, default: str | None, option: str, silent: bool) -> str:
    if not silent:
        return str(click.prompt(question, default=default, err=True))
    if not default:
        raise click.ClickException(f"no default for {question.lower()}; give {option}")
    return default
