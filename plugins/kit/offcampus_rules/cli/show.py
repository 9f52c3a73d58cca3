"""`offcampus-rules show`: a parameter's value at a place and date, or its whole history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import product
from typing import cast

import click

from offcampus_rules.calendar import SHANGHAI
from offcampus_rules.context import DELIVERIES, SECTORS, STAGES, Delivery, Scope, Sector, Stage
from offcampus_rules.decision import Value
from offcampus_rules.declarations import LEVELS, Field
from offcampus_rules.explaining import tree
from offcampus_rules.messages import Language
from offcampus_rules.registry import load_ruleset
from offcampus_rules.ruleset import RuleSet


@click.command()
@click.argument("parameter")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="The day whose law is asked for; default: today.")
@click.option("--region", default="000000", show_default=True, help="Six-digit division code.")
@click.option("--sector", type=click.Choice(SECTORS), help="Only this kind of training.")
@click.option("--stage", type=click.Choice(STAGES), help="Only this stage.")
@click.option("--delivery", type=click.Choice(DELIVERIES), help="Only this form.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def show(
    parameter: str,
    on: datetime | None,
    region: str,
    sector: str | None,
    stage: str | None,
    delivery: str | None,
    lang: str,
) -> None:
    """Show the value of PARAMETER on a day in a region, for every kind of training asked about.

    Of a province's extension (`x-<province>`) the fields that may be sent, and which file says so.
    """
    ruleset = load_ruleset()
    if parameter in ruleset.extension_schemas:
        for field in ruleset.extension_fields:
            if field.namespace == parameter:
                click.echo(_field(field))
        return
    if parameter not in ruleset.parameters:
        near = [name for name in sorted(ruleset.parameters) if parameter.split(".")[0] in name]
        raise click.ClickException(f"no parameter {parameter}; near: {', '.join(near) or 'see offcampus-rules list'}")
    day = on.date() if on else datetime.now(SHANGHAI).date()
    definition = ruleset.parameters[parameter]
    click.echo(f"{parameter}  {definition.title_zh} / {definition.title_en}")
    click.echo(f"  {definition.binding}, {definition.stricter} is stricter, protects the {definition.protects}")
    try:
        answers = _values(ruleset, parameter, day, region, (sector, stage, delivery))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for cells, value in answers:
        click.echo(f"  {cells}: {tree(value, cast('Language', lang))}")
    if parameter == LEVELS:
        for cells, level in _levels(ruleset, day, region, (sector, stage, delivery)):
            click.echo(f"  {cells}: {level}")


def _field(field: Field) -> str:
    told = "published" if field.published else "for the department"
    titles = f"{field.schema.get('x-title-zh', '')} / {field.schema.get('title', '')}"
    return f"  {field.name}  {titles}  {told}  ({field.place})"


def _levels(
    ruleset: RuleSet, day: date, region: str, wanted: tuple[str | None, str | None, str | None]
) -> list[tuple[str, str]]:
    """The levels of warning that Python declares, with what they rest on."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for scope, cell in _scopes(region, wanted):
        for item in ruleset.warning_levels(scope, day):
            if item.from_points is not None:
                text = f"{item.id} {item.title_zh} / {item.title_en}, from {item.from_points} points"
                groups.setdefault(f"{text} ({item.rests_on.source})", []).append(cell)
    return [(_summary(cells), text) for text, cells in groups.items()]


def _values(
    ruleset: RuleSet, parameter: str, day: date, region: str, wanted: tuple[str | None, str | None, str | None]
) -> list[tuple[str, Value]]:
    """One line per distinct value, with the combinations it holds for."""
    groups: dict[Value, list[tuple[str, str, str]]] = {}
    for scope, cell in _scopes(region, wanted):
        groups.setdefault(ruleset.value(parameter, scope, day), []).append(cell)
    return [(_summary(cells), value) for value, cells in groups.items()]


def _scopes(
    region: str, wanted: tuple[str | None, str | None, str | None]
) -> Iterator[tuple[Scope, tuple[str, str, str]]]:
    axes = [[choice] if choice else known for choice, known in zip(wanted, (SECTORS, STAGES, DELIVERIES), strict=True)]
    for sector, stage, delivery in product(*axes):
        scope = Scope(region, cast("Sector", sector), cast("Stage", stage), cast("Delivery", delivery))
        yield scope, (sector, stage, delivery)


def _summary(cells: list[tuple[str, str, str]]) -> str:
    """ "academic, online" where an axis is narrowed; "all" where it is not."""
    parts = []
    for index, known in enumerate((SECTORS, STAGES, DELIVERIES)):
        present = {cell[index] for cell in cells}
        if present != set(known):
            parts.append("|".join(name for name in known if name in present))
    return ", ".join(parts) or "all"
