"""The house lint finds every fault that is planted, by rule and by place; and the standard itself has none.

Each row plants one fault in a copy of the standard. A rule of the lint that no row plants fails `test_every_rule…`.
"""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offcampus_spec._root import data_root
from offcampus_spec.lint import RULES, Sources, judge, lint
from offcampus_spec.lint.finding import Finding
from offcampus_spec.lint.sources import walk

INSTITUTION = "openapi/institution-connect.yaml#"
BANK, PUBLIC = "openapi/bank.yaml#", "openapi/public.yaml#"
PARAMETERS, HEADERS = "openapi/components/parameters.yaml#", "openapi/components/headers.yaml#"
RESPONSES, PROBLEMS = "openapi/components/responses.yaml#", "openapi/components/problems.yaml#"
SCOPES_OF_SCHEME = "openapi/components/security-schemes.yaml#/oauth2/flows/clientCredentials/scopes"
ORDERS = f"{INSTITUTION}/paths/~1v1~1orders"
CREATE, LIST = f"{ORDERS}/post", f"{ORDERS}/get"
ORDER_BODY = f"{CREATE}/requestBody/content/application~1json"
READ = f"{INSTITUTION}/paths/~1v1~1orders~1{{order_id}}/get"
CANCEL = f"{INSTITUTION}/paths/~1v1~1orders~1{{order_id}}~1cancellation/post"
LESSONS = f"{INSTITUTION}/paths/~1v1~1lessons~1batch/post"
WEBHOOK = f"{INSTITUTION}/webhooks/eventNotification/post"
SEARCH = f"{PUBLIC}/paths/~1v1~1public~1institutions/get"
PATCH_COURSE = f"{INSTITUTION}/paths/~1v1~1courses~1{{course_id}}/patch/requestBody/content"
ORDER = "schemas/order.json#/$defs/fields/properties"
STATE = "schemas/order-resource.json#/properties/state"
TEMPLATE = "schemas/contract.json#/$defs/fields/properties/template"
PAGE = f"{LIST}/responses/200/content/application~1json"
FLAGS = ("x-level", "x-audience", "x-governs", "x-signed", "x-idempotency", "x-concurrency", "x-batch")
STATUSES = ("400", "401", "403", "404", "409", "412", "413", "415", "422", "428", "429", "500", "503")
UNPORTABLE = (
    "[0-9A-Z]{5,20}", r"^\d{5,20}$", r"^\w+$", r"^[0-9]+\s?$", r"^\bX[0-9]$", "^(?!0)[0-9]{5}$", r"^\p{Han}+$",
    r"^([0-9])\1$", "^[0-9$", "^.*$",
)  # fmt: skip
TEXT = {"type": "string", "maxLength": 9}
COLOUR = {"description": "A colour.", "x-description-zh": "颜色。", "schema": TEXT}
LONE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://spec.offcampus.example/v1/schemas/lone.json",
    "title": "Lone", "x-title-zh": "孤", "description": "Lone.", "x-description-zh": "孤。", "type": "object",
}  # fmt: skip
IDLE_TAG = {"name": "idle", "x-title-zh": "闲", "description": "Idle.", "x-description-zh": "闲。"}


@dataclass(frozen=True)
class Plant:
    """How to spoil a copy of the standard, and the place that the lint must name."""

    spoil: Callable[[Sources], Any]
    place: str

    def at(self, place: str) -> Plant:
        """The same fault, to be found elsewhere than where it was made."""
        return Plant(self.spoil, place)


def put(address: str, value: Any) -> Plant:
    """Set a member, or a list's item."""

    def spoil(sources: Sources) -> None:
        holder, name = _holder(sources, address)
        holder[name] = value

    return Plant(spoil, address)


def drop(address: str) -> Plant:
    """Take a member away; what misses it is the object that held it."""

    def spoil(sources: Sources) -> None:
        holder, name = _holder(sources, address)
        del holder[name]

    return Plant(spoil, address.rpartition("/")[0])


def rename(address: str, to: str) -> Plant:
    """Give a member another name."""

    def spoil(sources: Sources) -> None:
        holder, name = _holder(sources, address)
        holder[to] = holder.pop(name)

    return Plant(spoil, f"{address.rpartition('/')[0]}/{to.replace('/', '~1')}")


def append(address: str, value: Any) -> Plant:
    """Add an item to a list."""
    return Plant(lambda sources: _node(sources, address).append(value), address)


def update(address: str, **members: Any) -> Plant:
    """Set members of an object; None takes one away."""

    def spoil(sources: Sources) -> None:
        node = _node(sources, address)
        node.update(members)
        for name in [name for name, value in members.items() if value is None]:
            del node[name]

    return Plant(spoil, address)


def cell(table: str, index: int, column: str, value: str) -> Plant:
    """Change a cell of a code list."""
    return Plant(
        lambda sources: sources.tables[table][index].update({column: value}), f"codelists/{table}.csv#/{index}"
    )


def row(table: str, **columns: str) -> Plant:
    """Add a row to a code list, like its first but for some columns."""
    return Plant(
        lambda sources: sources.tables[table].append({**sources.tables[table][0], **columns}),
        f"codelists/{table}.csv#/",
    )


def two_templates(sources: Sources) -> None:
    """The same path with its variable named in two ways, in two documents."""
    item = _node(sources, READ.rpartition("/")[0])
    _node(sources, f"{BANK}/paths")["/v1/orders/{id}"] = item


def _node(sources: Sources, address: str) -> Any:
    file, _, _ = address.partition("#")
    return sources.find(*sources.target(file, "#" + address.partition("#")[2]))


def _holder(sources: Sources, address: str) -> tuple[Any, Any]:
    file, _, fragment = address.partition("#")
    _, steps = sources.target(file, "#" + fragment)
    holder = sources.find(file, steps[:-1]) if steps else sources.files
    return holder, int(steps[-1]) if isinstance(holder, list) else steps[-1]


PLANTED: dict[str, dict[str, Plant]] = {
    # files
    "file.shape": {
        "a list where an object belongs": put(f"{CREATE}/responses", []),
        "a number where a text belongs": put(f"{CREATE}/summary", 7),
        "an object where a list belongs": put(f"{CREATE}/tags", {"orders": True}),
    },
    # references
    "ref.dangling": {
        "a body refers to no schema": put(f"{ORDER_BODY}/schema/$ref", "../schemas/oder.json"),
        "a parameter is misspelt": put(f"{CREATE}/parameters/0/$ref", "components/parameters.yaml#/IdempotencyKay"),
        "an example lies nowhere": put(
            f"{ORDER_BODY}/examples/typical/externalValue", "../examples/order/typical.json"
        ),
        "a schema refers out of the standard": put(f"{ORDER}/pupil_id/$ref", "../../../../elsewhere.json"),
        "the items of a batch have no schema": put(
            "schemas/lesson-batch.json#/properties/items/x-item-schema", "leson.json"
        ),
    },
    "component.unused": {
        "a parameter that nobody takes": put(
            f"{PARAMETERS}/Colour", {"name": "c", "in": "query", "required": False, **COLOUR}
        ),
        "a schema that no message follows": Plant(
            lambda s: s.files.update({"schemas/lone.json": LONE}), "schemas/lone.json#"
        ),
    },
    # OpenAPI objects
    "openapi.keyword": {
        "a misspelt member of an operation": rename(f"{CREATE}/x-summary-zh", "x-sumary-zh"),
        "a misspelt member of a media type": rename(f"{ORDER_BODY}/examples", "exmaples"),
        "a reference with something beside it": put(f"{CREATE}/parameters/0/required", True),
    },
    "openapi.missing": {
        "an answer without description": drop(f"{RESPONSES}/NotFound/description"),
        "an example that shows nothing": drop(f"{PROBLEMS}/resource.exists/value"),
        "an operation without answers": drop(f"{CREATE}/responses"),
    },
    "openapi.version": {
        "an older OpenAPI": put(f"{PUBLIC}/openapi", "3.0.3").at(PUBLIC),
        "another dialect": put(f"{PUBLIC}/jsonSchemaDialect", "https://json-schema.org/draft-07/schema").at(PUBLIC),
    },
    "language.pair": {
        "a summary in English only": drop(f"{CREATE}/x-summary-zh").at(f"{CREATE}/summary"),
        "Chinese that is a number": put(f"{ORDER}/total_fen/x-title-zh", 7),
        "Chinese that is English": put(f"{PARAMETERS}/Limit/x-description-zh", "At most so many."),
        "a member's title in English only": drop(f"{ORDER}/total_fen/x-title-zh").at(f"{ORDER}/total_fen/title"),
    },
    # paths and parameters
    "path.characters": {
        "capitals": rename(ORDERS, "/v1/Orders"),
        "a verb behind a colon": rename(f"{INSTITUTION}/paths/~1v1~1lessons~1batch", "/v1/lessons:batch"),
    },
    "path.ambiguous": {
        "two templates for one path": Plant(two_templates, f"{INSTITUTION}/paths/~1v1~1orders~1{{order_id}}")
    },
    "path.parameter": {
        "a variable that is not declared": drop(f"{PARAMETERS}/PathOrderId").at(READ),
        "an optional path parameter": put(f"{PARAMETERS}/PathOrderId/required", False).at(READ),
    },
    "parameter.style": {
        "a deep object": update(f"{PARAMETERS}/Name", style="deepObject", explode=True).at(SEARCH),
        "an array": put(f"{PARAMETERS}/Name/schema", {"type": "array", "maxItems": 3, "items": TEXT}).at(SEARCH),
    },
    "parameter.repeated": {
        "limit twice": append(f"{LIST}/parameters", {"$ref": "components/parameters.yaml#/Limit"}),
    },
    # operations
    "operation.id": {
        "an id that stands twice": put(f"{CREATE}/operationId", "createCourse"),
        "an id that is no verbNoun": put(f"{CREATE}/operationId", "order_create"),
        "an operation in two documents": Plant(
            lambda s: _node(s, f"{BANK}/paths").update({"/v1/orders": copy.deepcopy(_node(s, ORDERS))}),
            f"{BANK}/paths/~1v1~1orders",
        ),
    },
    "operation.extension": {
        "an unknown level": put(f"{CREATE}/x-level", "OUGHT"),
        "a flag as a text": put(f"{CREATE}/x-signed", "true"),
        **{f"no {flag}": drop(f"{CREATE}/{flag}") for flag in FLAGS},
    },
    "operation.tag": {
        "a tag that is not declared": put(f"{CREATE}/tags", ["sales"]),
        "a declared tag that nobody uses": append(f"{INSTITUTION}/tags", IDLE_TAG).at(f"{INSTITUTION}/tags/7"),
    },
    "operation.security": {
        "an unknown scheme": put(f"{CREATE}/security", [{"oauth": ["order:write"], "httpSignature": []}]),
        "signed by the flag only": put(f"{CREATE}/security", [{"oauth2": ["order:write"]}]),
        "money without security": put(f"{CREATE}/security", []),
    },
    "operation.scope": {
        "a scope that is none": put(f"{CREATE}/security", [{"oauth2": ["order:wright"], "httpSignature": []}]),
        "two scopes": put(f"{CREATE}/security", [{"oauth2": ["order:write", "order:read"], "httpSignature": []}]),
    },
    "operation.requirement": {
        "an unknown requirement": put(f"{CREATE}/x-requirements", ["M-99.9"]),
        "no requirement": put(f"{CREATE}/x-requirements", []),
    },
    "operation.status": {
        "a batch without 207": rename(f"{LESSONS}/responses/207", "200").at(f"{LESSONS}/responses"),
        "no success": drop(f"{LIST}/responses/200"),
        **{f"{status} is not documented": drop(f"{CANCEL}/responses/{status}") for status in STATUSES},
    },
    "operation.header": {
        "a key that cannot be sent": drop(f"{CREATE}/parameters/0"),
        "If-Match where nothing is compared": append(
            f"{CREATE}/parameters", {"$ref": "components/parameters.yaml#/IfMatch"}
        ),
        "created without Location": drop(f"{CREATE}/responses/201/headers/Location").at(f"{CREATE}/responses/201"),
        "a change without ETag": drop(f"{CANCEL}/responses/200/headers/ETag").at(f"{CANCEL}/responses/200"),
        "429 without Retry-After": drop(f"{RESPONSES}/TooManyRequests/headers/Retry-After").at(
            f"{CREATE}/responses/429"
        ),
        "401 without WWW-Authenticate": drop(f"{RESPONSES}/Unauthorized/headers/WWW-Authenticate").at(
            f"{LIST}/responses/401"
        ),
    },
    "operation.collection": {
        "a list without cursor": Plant(
            lambda s: _node(s, f"{LIST}/parameters").remove({"$ref": "components/parameters.yaml#/Cursor"}),
            f"{LIST}/parameters",
        ),
        "a list that answers an array": put(f"{PAGE}/schema", {"type": "array", "maxItems": 5, "items": TEXT}).at(LIST),
        "a list without Link": drop(f"{LIST}/responses/200/headers/Link").at(f"{LIST}/responses/200"),
    },
    "operation.body": {
        "a POST without a body": drop(f"{CREATE}/requestBody"),
        "an answer without a body": put(f"{CREATE}/responses/201/content", {}).at(f"{CREATE}/responses/201"),
        "an optional body": put(f"{CREATE}/requestBody/required", False).at(f"{CREATE}/requestBody"),
        "two media types": put(f"{CREATE}/requestBody/content/application~1xml", {"schema": TEXT}).at(
            f"{CREATE}/requestBody"
        ),
    },
    "operation.problem": {
        "a code that the catalogue has not": cell("problems", 0, "code", "json.malformd").at(f"{CREATE}/responses/400"),
        "a code under another status": rename(f"{CREATE}/responses/409", "410"),
        "a code that stands only in violations": cell("problems", 0, "place", "violation").at(
            f"{CREATE}/responses/400"
        ),
        "an item's problem that is none": append(f"{LESSONS}/x-item-problems", "lesson.boring"),
        "a batch silent about its items": drop(f"{LESSONS}/x-item-problems"),
    },
    "webhook.response": {"a receiver that may not unsubscribe": drop(f"{WEBHOOK}/responses/410")},
    # examples
    "example.missing": {
        "an answer without example": drop(f"{CREATE}/responses/201/content/application~1json/examples")
    },
    "example.invalid": {
        "money as text": put("examples/order/valid/typical.json#/total_fen", "4800.00").at(ORDER_BODY),
        "an item of a batch": put("examples/lesson-batch/valid/typical.json#/items/1/class_hours_centi", -1).at(
            LESSONS
        ),
        "an item of a page": put("openapi/examples/listOrders.json#/items/0/state", "lost").at(PAGE),
        "a patch that leads nowhere lawful": update(
            f"{PATCH_COURSE}/application~1merge-patch+json/examples/typical", value={"class_size_max": None}
        ),
        "a header's example": put(f"{HEADERS}/ETag/example", "1"),
        "a schema's own example": put(f"{TEMPLATE}/examples/0", "?"),
    },
    "example.problem": {
        "another title": put(f"{PROBLEMS}/resource.exists/value/title", "Exists").at(f"{PROBLEMS}/resource.exists"),
        "a violation with an unknown code": put(f"{PROBLEMS}/resource.exists/value/violations/0/code", "x.y").at(
            f"{PROBLEMS}/resource.exists"
        ),
        "another code": put(f"{PROBLEMS}/resource.exists/value/code", "resource.state").at(
            f"{PROBLEMS}/resource.exists"
        ),
    },
    "default.invalid": {"a default out of bounds": put(f"{PARAMETERS}/Limit/schema/default", 5000)},
    # schemas
    "schema.keyword": {
        "of a schema": put(f"{ORDER}/total_fen/maximun", 5),
        "of a parameter": rename(f"{PARAMETERS}/Limit/schema/maximum", "maximun"),
    },
    "schema.nullable": {"nullable": put(f"{ORDER}/class_id/nullable", True)},
    "schema.meta": {"a keyword of the wrong type": put(f"{ORDER}/total_fen/minimum", "0").at("schemas/order.json#")},
    "schema.id": {"the address of another file": put("schemas/order.json#/$id", LONE["$id"]).at("schemas/order.json#")},
    "schema.title": {
        "a member without title": update(f"{ORDER}/total_fen", **{"title": None, "x-title-zh": None}),
        "a schema without description": update(
            "schemas/order.json#", **{"description": None, "x-description-zh": None}
        ),
    },
    "schema.pattern": {
        f"{pattern} is not portable": put("schemas/pupil.json#/$defs/fields/properties/id_number/pattern", pattern)
        for pattern in UNPORTABLE
    },
    "schema.type": {
        "a parameter that may hold anything": put(f"{PARAMETERS}/Name/schema", {}),
        "a member that is just true": put(f"{ORDER}/total_fen", True),
        "a member that may hold anything": drop(f"{ORDER}/total_fen/type"),
    },
    "schema.unbounded": {
        "a text": drop("schemas/problem.json#/properties/title/maxLength"),
        "an array": drop(f"{ORDER}/price_lines/maxItems"),
        "an integer above": drop(f"{ORDER}/total_fen/maximum"),
        "an integer below": drop(f"{ORDER}/total_fen/minimum"),
        "a map": drop("schemas/common.json#/$defs/extensions/maxProperties"),
    },
    "schema.number": {"a float for hours": put(f"{ORDER}/class_hours_centi/type", "number")},
    "schema.closed": {
        "a body": drop("schemas/order.json#/unevaluatedProperties").at("schemas/order.json#/$defs/fields"),
        "an object inside a body": drop("schemas/payment.json#/$defs/fields/properties/payer/unevaluatedProperties"),
        "an object shared by bodies": drop("schemas/common.json#/$defs/price_line/unevaluatedProperties"),
        "an item of a batch": drop("schemas/lesson.json#/unevaluatedProperties").at(
            "schemas/lesson.json#/$defs/fields"
        ),
    },
    "schema.open": {
        "a closed answer": put("schemas/order-resource.json#/unevaluatedProperties", False).at(
            f"{CREATE}/responses/201"
        ),
    },
    "schema.format": {"a misspelt format": put("schemas/common.json#/$defs/date_time/format", "datetime")},
    "schema.codelist": {
        "a code more than the closed list": append(f"{STATE}/enum", "lost").at(f"{STATE}/x-codelist"),
        "a list that does not exist": put(f"{STATE}/x-codelist", "order-status"),
        "an enumeration without list": drop(f"{STATE}/x-codelist").at(f"{STATE}/enum"),
        "an open list with a foreign example": put(f"{TEMPLATE}/examples", ["GF-1999-0000"]).at(
            f"{TEMPLATE}/x-codelist"
        ),
    },
    "schema.branch": {
        "without title": put(f"{ORDER}/class_id/oneOf", [{"properties": {"kind": {"const": "a"}}}]),
        "without const": put(f"{ORDER}/class_id/oneOf", [{"title": "A", "properties": {"kind": TEXT}}]),
    },
    "schema.name": {
        "money without unit": rename(f"{ORDER}/total_fen", "total"),
        "fen as text": update(f"{ORDER}/total_fen", **TEXT),
        "an instant that is no _at": rename(f"{ORDER}/ordered_at", "order_time"),
        "a day that is no _on": rename("schemas/contract.json#/$defs/fields/properties/signed_on", "day"),
        "an _at that is a day": put(f"{ORDER}/ordered_at/$ref", "common.json#/$defs/date").at(f"{ORDER}/ordered_at"),
        "an _on that is no day": update(
            "schemas/contract.json#/$defs/fields/properties/signed_on", **{"$ref": "common.json#/$defs/digest"}
        ),
        "camelCase": rename(f"{ORDER}/total_fen", "totalFen"),
    },
    # lists
    "list.code": {
        "a code twice": cell("problems", 1, "code", "json.malformed"),
        "a remedy in one language": cell("problems", 1, "remedy_zh", ""),
        "a scope of another form": cell("scopes", 0, "code", "institutionRead"),
    },
    "list.problem": {
        "an unknown family": cell("problems", 1, "family", "weather"),
        "a server's fault with a caller's status": cell("problems", 1, "family", "server"),
        "an answer that no operation names": row("problems", code="json.ugly"),
    },
    "list.scope": {
        "a scope that nobody asks": row("scopes", code="moon:read"),
        "a role with an unknown scope": cell("roles", 0, "scopes", "moon:read"),
        "a scheme that declares less": drop(f"{SCOPES_OF_SCHEME}/order:write"),
    },
}
CASES = [
    pytest.param(rule, plant, id=f"{rule}: {what}")
    for rule, plants in PLANTED.items()
    for what, plant in plants.items()
]


@pytest.fixture(scope="module")
def standard() -> Sources:
    return Sources.read(data_root())


@pytest.fixture(scope="module")
def pickled(standard: Sources) -> bytes:
    """The standard, to be copied: a third of the time that `deepcopy` takes."""
    return pickle.dumps(standard)


def named(rule: str, place: str, found: Iterable[Finding]) -> list[Finding]:
    """The findings of a rule at a place."""
    return [finding for finding in found if finding.rule == rule and finding.place.startswith(place)]


def quickly(rule: str, sources: Sources) -> Iterator[Finding]:
    """What the modules find that speak of a rule: mostly that is enough, and a sixth of the work."""
    for module in judge.RULE_MODULES:
        if f'"{rule}"' in inspect.getsource(module):
            yield from module.check(sources)


def test_the_standard_is_clean(standard: Sources) -> None:
    """Nothing to say about what we publish."""
    assert [str(finding) for finding in lint(standard)] == []


@pytest.mark.parametrize(("rule", "plant"), CASES)
def test_a_planted_fault_is_named(rule: str, plant: Plant, pickled: bytes) -> None:
    """One fault in a copy: its rule names its place, and says what to do."""
    sources = pickle.loads(pickled)
    plant.spoil(sources)

    found = named(rule, plant.place, quickly(rule, sources)) or named(rule, plant.place, lint(sources))
    assert found, [str(finding) for finding in lint(sources)][:10]
    assert RULES[rule] in str(found[0])


@settings(max_examples=40, deadline=None, database=None)
@given(data=st.data())
def test_whatever_is_broken_the_lint_answers(data: st.DataObject, pickled: bytes) -> None:
    """Anything may stand anywhere in a half-edited file: that gives findings, never a traceback."""
    sources = pickle.loads(pickled)
    file = data.draw(st.sampled_from(sorted(sources.files)), label="file")
    places = [pointer for pointer, _ in walk(sources.files[file]) if pointer]
    *way, name = data.draw(st.sampled_from(places or [()]), label="place") or ("",)
    holder = sources.find(file, tuple(way))
    value = data.draw(st.sampled_from(["x", 7, None, True, [], {}, {"$ref": "#/nowhere"}]), label="value")
    holder[int(name) if isinstance(holder, list) else name] = value

    assert all(finding.rule in RULES for finding in lint(sources))


def test_every_rule_has_a_planted_fault() -> None:
    """A rule that nothing tries may have stopped working long ago."""
    assert RULES.keys() == PLANTED.keys() | {broken.rule for broken in BROKEN_FILES}


@dataclass(frozen=True)
class Broken:
    """A file that is broken as a file."""

    rule: str
    name: str
    edit: Callable[[str], str]


BROKEN_FILES = [
    Broken("file.unreadable", "openapi/public.yaml", lambda text: text.replace("openapi:", "openapi: [", 1)),
    Broken("file.unreadable", "schemas/order.json", lambda text: text[:-3]),
    Broken("file.duplicate_key", "schemas/order.json", lambda text: text.replace("{", '{"title": "Twice",', 1)),
    Broken("file.duplicate_key", "openapi/bank.yaml", lambda text: text + "tags: []\n"),
    Broken("file.alias", "openapi/components/headers.yaml", lambda text: text + "A: &a {b: c}\nD: *a\n"),
]


@pytest.mark.parametrize("broken", BROKEN_FILES, ids=lambda broken: f"{broken.rule} {broken.name}")
def test_a_broken_file_is_named(broken: Broken, tmp_path: Path) -> None:
    """Faults that a parser hides or that stop it are found when the files are read."""
    path = tmp_path / broken.name
    path.parent.mkdir(parents=True)
    path.write_text(broken.edit((data_root() / broken.name).read_text(encoding="utf-8")), encoding="utf-8")

    found = Sources.read(tmp_path).findings

    assert [(finding.rule, finding.file) for finding in found] == [(broken.rule, broken.name)]


def test_the_command_fails_on_a_fault_and_names_it(tmp_path: Path) -> None:
    """CI calls the module: exit code 0 on the standard, 1 with the finding printed, 2 when there is no standard."""
    for folder in ("openapi", "schemas", "examples", "codelists", "requirements"):
        shutil.copytree(data_root() / folder, tmp_path / folder)
    assert _run(tmp_path)[0] == 0

    path = tmp_path / "schemas" / "order.json"
    order = json.loads(path.read_text(encoding="utf-8"))
    order["$defs"]["fields"]["properties"]["total_fen"]["maximun"] = 5
    path.write_text(json.dumps(order), encoding="utf-8")
    code, printed = _run(tmp_path)
    assert code == 1
    assert "schemas/order.json#/$defs/fields/properties/total_fen/maximun: schema.keyword" in printed
    assert RULES["schema.keyword"] in printed

    assert _run(tmp_path / "schemas")[0] == 2


def _run(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "offcampus_spec.lint", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout
