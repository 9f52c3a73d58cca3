"""Contract fuzzing: schemathesis against every published document, through a proxy that signs.

`.ci/fuzz` makes schemathesis an environment of its own and calls this: no 5xx, no status, media type or body that the
contract does not have. Deterministic; bounded in examples and time; prints a summary per document.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from offcampus_spec import SCHEMA_BASE, schemas
from offcampus_spec.operations import DOCUMENTS, load_document
from signing_proxy import proxied

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SEED, EXAMPLES, SECONDS = 20260701, 3, 40


def self_contained(document: str) -> dict[str, Any]:
    """A document with every schema inside, because a fuzzer has no registry of ours."""
    whole = load_document(document)
    inside = {name: _inner(schemas.load(name), name) for name in schemas.names()}
    made: dict[str, Any] = _inner(whole)
    made.setdefault("components", {})["schemas"] = {**made.get("components", {}).get("schemas", {}), **inside}
    return made


def _inner(node: Any, schema: str = "") -> Any:
    """References by `$id`, and those inside a schema of its own, turned into references inside the document."""
    if isinstance(node, list):
        return [_inner(item, schema) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _inner(value, schema) for key, value in node.items() if key not in ("$id", "$schema")}
    reference = moved.get("$ref")
    if isinstance(reference, str):
        moved["$ref"] = _moved(reference, schema)
    return moved


def _moved(reference: str, schema: str) -> str:
    if reference.startswith("#/") and schema:
        return f"#/components/schemas/{schema}{reference[1:]}"
    file, _, inside = reference.removeprefix(SCHEMA_BASE).partition("#")
    name = Path(file).name.removesuffix(".json")
    return f"#/components/schemas/{name}{inside}" if file.endswith(".json") else reference


def main() -> int:
    """Fuzz; the exit code is 1 when anything deviated or broke."""
    program, failed, started = sys.argv[1], [], time.monotonic()
    with tempfile.TemporaryDirectory() as folder, proxied(Path(folder) / "sandbox") as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        for document in sys.argv[2:] or DOCUMENTS:
            path = Path(folder) / f"{document}.json"
            path.write_text(json.dumps(self_contained(document), ensure_ascii=False), encoding="utf-8")
            command = [
                program, "run", str(path), "--url", url, "--checks", CHECKS, "--phases", "examples,fuzzing",
                "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--generation-deterministic", "--workers", "1",
                "--suppress-health-check", "all", "--no-color",
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
            sys.stdout.flush()
            summary = [line for line in done.stdout.splitlines() if line.strip()][-12:]
            print(f"== {document}: exit {done.returncode}", *summary, sep="\n  ")
            if done.returncode != 0:
                failed.append(document)
                print(done.stdout[-6000:], done.stderr[-2000:])
        print(f"{len(DOCUMENTS)} documents in {time.monotonic() - started:.0f} s; broken answers: {len(server.broken)}")
        return 1 if failed or server.broken else 0


if __name__ == "__main__":
    sys.exit(main())
