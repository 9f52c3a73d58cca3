"""What a step gives to an action: members as they are, references to what is known, and documents to make.

In a scenario, `{make: order, number: 2}` is a lawful document about invented people, `$order.2` the identifier that the
platform gave, `$at 3 10:00` an instant and `$day 3` a date. Everything else is taken
as it is; `$own x` is the party's own reference x of this run, `$made ins 1` an identifier that there was before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from offcampus_conformance.played_platform.dressing import new_id
from offcampus_conformance.synthetic import Document, Synthetic


class NotKnown(Exception):
    """A step refers to something that never came about; the message names it."""


class Known(dict[str, str]):
    """Identifiers by the names that the scenario gives them."""

    def __missing__(self, name: str) -> str:
        raise NotKnown(f"there is no {name}: the step that makes it did not")


Maker = Callable[[Synthetic, Known, Mapping[str, Any]], Document]


def resolve(value: Any, make: Synthetic, known: Known) -> Any:
    """A value of a scenario with everything made and every reference replaced. Raises NotKnown."""
    if isinstance(value, str) and value.startswith("$"):
        return _reference(value[1:], make, known)
    if isinstance(value, list):
        return [resolve(item, make, known) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "make" in value:
        document = MAKERS[value["make"]](make, known, value)
        return {**document, **resolve(value.get("with", {}), make, known)}
    return {name: resolve(item, make, known) for name, item in value.items()}


def _reference(text: str, make: Synthetic, known: Known) -> Any:
    head, _, rest = text.partition(" ")
    if head == "at":
        day, _, time = rest.partition(" ")
        hour, _, minute = time.partition(":")
        return make.at(int(day), int(hour), int(minute))
    if head == "day":
        return make.day(int(rest))
    if head == "made":  # an identifier that the platform made before this scenario began
        return new_id(rest.partition(" ")[0], f"{make.tag} {rest}")
    if head == "own":  # the party's own reference, unique to this run
        return f"{rest}-{make.tag}"
    return known[head]


def _order(make: Synthetic, known: Known, what: Mapping[str, Any]) -> Document:
    number = what.get("number", 1)
    names = {"institution": "institution", "course": "course", "class": f"class.{what.get('class', 1)}"}
    names |= {name: f"{name}.{number}" for name in ("pupil", "guardian", "contract")}
    return make.order({name: known[key] for name, key in names.items()}, number)


def _consumption(make: Synthetic, known: Known, what: Mapping[str, Any]) -> Document:
    lesson, order = what["lesson"], what["order"]
    ids = {name: known[name] for name in ("institution", "staff", "campus")} | {"order": known[f"order.{order}"]}
    return make.consumption(lesson, ids, known[f"lesson.{lesson}"], external_id=f"con-{make.tag}-{lesson}-{order}")


def _contract(make: Synthetic, known: Known, what: Mapping[str, Any]) -> Document:
    number = what.get("number", 1)
    people = known[f"pupil.{number}"], known[f"guardian.{number}"]
    return make.contract(known["institution"], known["course"], *people, number)


def _class(make: Synthetic, known: Known, what: Mapping[str, Any]) -> Document:
    document = make.school_class(known["institution"], known["course"], known["campus"], known["staff"])
    return {**document, "external_id": f"{document['external_id']}-{what.get('number', 1)}"}


def _assessment(make: Synthetic, known: Known, what: Mapping[str, Any]) -> Document:
    return {
        "external_id": f"risk-{make.tag}-{what.get('number', 1)}",
        "institution_id": new_id("ins", f"{make.tag} ins 1"), "model_name": "流水偏离", "model_version": "2025.1",
        "score": 120 + what.get("number", 1), "reasons": ["本月入账与课时进度相符"], "assessed_at": make.at(-12, 9),
    }  # fmt: skip


MAKERS: Mapping[str, Maker] = {
    "institution": lambda make, known, what: make.institution(),
    "campus": lambda make, known, what: make.campus(known["institution"]),
    "staff": lambda make, known, what: make.staff(known["institution"]),
    "material": lambda make, known, what: make.material(known["institution"], what.get("number", 1)),
    "course": lambda make, known, what: make.course(known["institution"], known["campus"]),
    "class": _class,
    "lesson": lambda make, known, what: make.lesson(
        what["number"], known["institution"], known[f"class.{what.get('class', 1)}"], known["staff"]
    ),
    "pupil": lambda make, known, what: make.pupil(known["institution"], what.get("number", 1)),
    "contract": _contract,
    "order": _order,
    "consumption": _consumption,
    "assessment": _assessment,
}
