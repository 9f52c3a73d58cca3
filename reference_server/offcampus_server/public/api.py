"""Public operations about the standard and this platform; no personal datum is answered here."""

from __future__ import annotations

from offcampus_spec import SPEC_VERSION, schemas
from offcampus_spec.operations import DOCUMENTS
from offcampus_spec.problems import problems

from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.problems import not_found
from offcampus_server.kernel.unit_of_work import Work

handlers = Handlers()
CACHED = {"Cache-Control": "public, max-age=60"}
"""Public lists are at most a minute old (chapter Non-functional requirements)."""


@handlers("getCapabilities")
def get_capabilities(call: Call, work: Work) -> Answer:
    """What this platform implements; the conformance suite holds it to this."""
    rules = work.rules
    body = {
        "spec_version": SPEC_VERSION,
        "profiles": list(DOCUMENTS),
        "features": ["webhooks", "batch-strict"],
        "limits": {"batch_items": 1000, "page_items": 500, "body_bytes": 2 * 1024 * 1024},
        "rules": {"digest": rules.digest, "plugins": [plugin.to_json() for plugin in rules.plugins]},
        "extension_namespaces": sorted(rules.extension_schemas),
        "business_date": work.now.date().isoformat(),
    }
    return Answer(200, body, headers=CACHED)


@handlers("getSchema")
def get_schema(call: Call, work: Work) -> Answer:
    """A schema of the standard."""
    if call.path["name"] not in schemas.names():
        raise not_found()
    return Answer(200, schemas.load(call.path["name"]), headers=CACHED)


@handlers("getProblemType")
def get_problem_type(call: Call, work: Work) -> Answer:
    """What a problem code means and what to do about it."""
    found = problems().get(call.path["code"])
    if found is None:
        raise not_found()
    names = ("code", "status", "title_en", "title_zh", "remedy_en", "remedy_zh", "retry_safe")
    return Answer(200, {name: getattr(found, name) for name in names}, headers=CACHED)
