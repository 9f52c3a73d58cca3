"""What the lint finds, and the table of its rules: each with what to do about it.

A rule without a planted fault in `tests/test_house_style.py` is a defect of the lint: the test says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Pointer = tuple[str, ...]


@dataclass(frozen=True, order=True)
class Finding:
    """One fault: where, which rule, and what is wrong there."""

    file: str
    pointer: Pointer
    rule: str
    message: str

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise KeyError(f"the lint has no rule {self.rule}")

    @property
    def place(self) -> str:
        """File and JSON Pointer."""
        return self.file + "#" + "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in self.pointer)

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}: {self.message}\n    {RULES[self.rule]}"


RULES: Mapping[str, str] = {
    # files
    "file.unreadable": "Mend the syntax; the file must parse as UTF-8 YAML, JSON or CSV.",
    "file.duplicate_key": "Remove one of the two: parsers differ on which counts.",
    "file.shape": "Give the member what it can hold: a text, a list, an object.",
    "file.alias": "Write it out, or make it a shared component and refer to it: anchors are not JSON.",
    # references
    "ref.dangling": "Mend the address, or write what it refers to.",
    "component.unused": "Remove it, or refer to it.",
    # OpenAPI objects
    "openapi.keyword": "Mend the spelling, or remove it: nobody reads it.",
    "openapi.missing": "Add the member; OpenAPI 3.1 or the house asks for it.",
    "openapi.version": "Write openapi: 3.1.1 and jsonSchemaDialect 2020-12.",
    "language.pair": "Give the text in both languages: title with x-title-zh, description with x-description-zh.",
    "path.characters": "Use /v1/ and kebab-case nouns in plain ASCII: proxies treat the rest differently.",
    "path.ambiguous": "Make the templates differ in a literal segment: a router may take either.",
    "path.parameter": "Declare each template variable once as a required path parameter, and no other.",
    "parameter.style": "Use the default style: one plain value per parameter, no objects, no arrays.",
    "parameter.repeated": "Declare the parameter once.",
    # operations
    "operation.id": "Give a verbNoun in camelCase that no other operation has.",
    "operation.extension": "Set the x-key to one of its values.",
    "operation.tag": "Use a tag that the document declares, and declare none that nobody uses.",
    "operation.security": "Name declared schemes; httpSignature exactly where x-signed is true; [] for the public.",
    "operation.scope": "Name exactly one scope of codelists/scopes.csv.",
    "operation.requirement": "Cite ids of the requirement catalogue.",
    "operation.status": "Document the status: the flags of the operation make it possible.",
    "operation.header": "Declare the header component: the flags of the operation ask for it.",
    "operation.collection": "A list takes limit and cursor and answers a page.",
    "operation.body": "POST, PUT, PATCH take a required body of one media type; an answer but 204 carries JSON.",
    "operation.problem": "Name problems by their code: it stands in the catalogue, as an answer, with this status.",
    "webhook.response": "Say what each answer of the receiver means: a 2xx, 410 and the failures.",
    # examples
    "example.missing": "Give at least one example for each body and each answer.",
    "example.invalid": "Mend the example, or the schema that it breaks.",
    "example.problem": "Take title, status, remedy, retry and the codes of violations from codelists/problems.csv.",
    "default.invalid": "Mend the default, or the schema that it breaks.",
    # schemas
    "schema.keyword": "Mend the spelling: an unknown keyword is silently ignored by validators.",
    "schema.nullable": "Write anyOf with {type: null}: nullable is of OpenAPI 3.0 and means nothing here.",
    "schema.meta": "Mend the keyword's value as draft 2020-12 asks.",
    "schema.id": "Set $schema to draft 2020-12 and $id to the base with the file's name.",
    "schema.title": "Give title and x-title-zh; a schema also description and x-description-zh.",
    "schema.pattern": "Write ^…$ with classes such as [0-9]; no \\d \\w \\s \\b \\p, look-around, back-reference.",
    "schema.type": "Say its type: by type, enum, const or a reference.",
    "schema.unbounded": "Bound it: maxLength, maxItems, minimum and maximum, maxProperties.",
    "schema.number": "Use an integer of a named unit: floats do not survive a round trip.",
    "schema.closed": "Set unevaluatedProperties to false: what parties send is closed.",
    "schema.open": "Leave it open: receivers ignore members that they do not know.",
    "schema.format": "Use a format that offcampus_spec.formats asserts.",
    "schema.codelist": "Let enum and code list agree; an open list has pattern and examples instead of enum.",
    "schema.branch": "Title each branch of oneOf and tell it by a const.",
    "schema.name": "Use snake_case, the unit last: money _fen, instants _at, days _on, periods _from, _until.",
    # lists
    "list.code": "Keep codes unique, well formed, and with text in both languages.",
    "list.problem": "Set family, place, status and retry_safe to known values; let an operation name the code.",
    "list.scope": "Let every scope be used by an operation, held by a role, and declared by the oauth2 scheme.",
}
"""Rule -> what to do about a finding of it."""
