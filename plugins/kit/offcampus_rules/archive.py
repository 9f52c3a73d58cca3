"""Keeps a rule set in one file, found by its digest, so that a stored decision can be decided again years later.

The file holds the text of everything the plugins' content came from, hooks included. Reading it back builds the same
rule set or fails: the digest is computed again and must be the file's name.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from offcampus_rules import plugin as plugins_module
from offcampus_rules.errors import RuleKitError
from offcampus_rules.plugin import Plugin
from offcampus_rules.ruleset import RuleSet, build

_FORMAT = 1
_HOOKS = "hooks.py"
_KEPT = ("plugin.yaml", "parameters/**/*", "rules/**/*", "messages/**/*", "exceptions/**/*", "extensions/*")


class ArchiveError(RuleKitError):
    """A rule set cannot be archived or read back; the message says which and why."""


def file_of(folder: Path, digest: str) -> Path:
    """Where a rule set of that digest stands."""
    return folder / f"{digest.replace(':', '-')}.json"


def write(ruleset: RuleSet, folder: Path) -> Path:
    """Archive a rule set, once. Raises ArchiveError when its files are no longer what was loaded."""
    file = file_of(folder, ruleset.digest)
    if file.is_file():
        return file
    content = {
        "format": _FORMAT,
        "digest": ruleset.digest,
        "official_only": ruleset.official_only,
        "plugins": [_packed(plugin) for plugin in ruleset.assembly.plugins],
    }
    folder.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")
    if _built(content).digest != ruleset.digest:
        draft.unlink()
        raise ArchiveError(f"the plugins' files have changed since {ruleset.digest} was loaded; load and archive again")
    draft.replace(file)
    return file


def read(folder: Path, digest: str) -> RuleSet:
    """The rule set of that digest. Raises ArchiveError when it is not there, or is another one."""
    file = file_of(folder, digest)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArchiveError(f"{digest} is not archived in {folder}") from error
    except ValueError as error:
        raise ArchiveError(f"{file} is no archive: {error}") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ArchiveError(f"{file} is not in the format {_FORMAT} that this kit reads")
    ruleset = _built(content)
    if ruleset.digest != digest:
        raise ArchiveError(f"{file} holds {ruleset.digest}; it was changed, or this kit reads it otherwise")
    return ruleset


def _packed(plugin: Plugin) -> dict[str, Any]:
    files = {
        path.relative_to(plugin.root).as_posix(): path.read_text(encoding="utf-8")
        for pattern in _KEPT
        for path in sorted(plugin.root.glob(pattern))
        if path.is_file()
    }
    if plugin.code is not None:
        files[_HOOKS] = plugin.code.source
    return {"distribution": plugin.info.distribution, "version": plugin.info.version, "files": files}


def _built(content: dict[str, Any]) -> RuleSet:
    with tempfile.TemporaryDirectory() as folder:
        found = [_unpacked(item, Path(folder) / str(index)) for index, item in enumerate(content["plugins"])]
        return build(found, official_only=content["official_only"])


def _unpacked(packed: dict[str, Any], root: Path) -> Plugin:
    for name, text in packed["files"].items():
        file = (root / name).resolve()
        if not file.is_relative_to(root.resolve()):
            raise ArchiveError(f"{name} would lie outside the archive")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    hooks = root / _HOOKS
    return plugins_module.read(root, packed["distribution"], packed["version"], hooks if hooks.is_file() else None)
