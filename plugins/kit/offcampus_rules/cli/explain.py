"""`offcampus-rules explain`: one decision from a file of facts, as a tree or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import click

from offcampus_rules.asking import QUESTIONS, ask
from offcampus_rules.decision import Decision, Value
from offcampus_rules.explaining import tree
from offcampus_rules.messages import Language
from offcampus_rules.plain import FactsError
from offcampus_rules.registry import load_ruleset
from offcampus_rules.testing import observed


@click.command()
@click.argument("question", type=click.Choice(list(QUESTIONS)))
@click.argument("facts", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The decision as the standard writes it.")
@click.option("--official-only", is_flag=True, help="Let only values bind whose own text was read.")
def explain(question: str, facts: Path, lang: str, as_json: bool, official_only: bool) -> None:
    """Decide QUESTION on the facts in a JSON file (- for standard input) and explain the answer."""
    with click.open_file(str(facts), encoding="utf-8") as file:
        text = file.read()
    try:
        answer = ask(load_ruleset(official_only=official_only), question, _facts(text))
    except FactsError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        document = answer.to_json() if isinstance(answer, Decision | Value) else observed(answer)
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        click.echo(tree(answer, cast("Language", lang)))


def _facts(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise FactsError(f"the facts are not JSON: {error}") from error
    if not isinstance(content, dict):
        raise FactsError("the facts are a JSON object")
    return content
