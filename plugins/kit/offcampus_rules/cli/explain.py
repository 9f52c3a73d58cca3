"""`offcampus-rules explain`: one decision from a file of facts, as a tree, as JSON or as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import click

from offcampus_rules import explaining_html, rule_sources
from offcampus_rules.archive import ArchiveError
from offcampus_rules.asking import QUESTIONS
from offcampus_rules.cli.sources import SOURCE
from offcampus_rules.errors import RuleFileError
from offcampus_rules.explaining import full_tree, tree
from offcampus_rules.explanation import explain as explained
from offcampus_rules.messages import Language
from offcampus_rules.plain import FactsError
from offcampus_rules.rule_sources import SourceError


@click.command()
@click.argument("question", type=click.Choice(list(QUESTIONS)))
@click.argument("facts", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The decision as the standard writes it, and every rule.")
@click.option("--html", "as_html", is_flag=True, help="One page in both languages that needs nothing else.")
@click.option("--brief", is_flag=True, help="The decision alone, without the rules it met.")
@click.option("--official-only", is_flag=True, help="Let only values bind whose own text was read.")
@click.option(
    "--rules",
    multiple=True,
    type=SOURCE,
    help="Folders of plugins, or the digest of an archived rule set; default: the installed ones.",
)
@click.option(
    "--archive",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where archived rule sets are found by their digests.",
)
def explain(
    question: str,
    facts: Path,
    lang: str,
    as_json: bool,
    as_html: bool,
    brief: bool,
    official_only: bool,
    rules: tuple[Path | str, ...],
    archive: Path | None,
) -> None:
    """Decide QUESTION on the facts in a JSON file (- for standard input) and explain the answer.

    Every rule says whether it is satisfied, violated, not applicable or not evaluated, with each level's limit, who set
    it, and the nearest value that passes. Where facts are missing there is no decision, and the rules still tell.
    """
    with click.open_file(str(facts), encoding="utf-8") as file:
        text = file.read()
    try:
        ruleset = rule_sources.load(rules, official_only=official_only, archive=archive)
        found = explained(ruleset, question, _facts(text))
    except (FactsError, SourceError, RuleFileError, ArchiveError) as error:
        raise click.ClickException(str(error)) from error
    language = cast("Language", lang)
    if as_html:
        click.echo(explaining_html.page(found))
    elif as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    elif brief and found.answer is not None:
        click.echo(tree(found.answer, language))
    else:
        click.echo(full_tree(found, language))


def _facts(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise FactsError(f"the facts are not JSON: {error}") from error
    if not isinstance(content, dict):
        raise FactsError("the facts are a JSON object")
    return content
