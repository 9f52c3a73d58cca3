"""One plugin: a manifest, parameters, rules, words, perhaps hooks, read from a folder.

    plugin.yaml   parameters/<area>/<name>.yaml   rules/<area>.yaml   messages/<area>.yaml   cases/<subject>.yaml
    exceptions/<name>.yaml   declared by the nation, activated by a locality
    <package>/hooks.py   only what data cannot say

The folder is the one beside the package in a working copy, or `data/` inside the installed wheel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import jsonschema_rs
from offcampus_spec.schemas import compile_schema
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from offcampus_rules import code_reading, digests, exceptions, messages, parameters, rules, yaml12
from offcampus_rules.decision import PluginInfo
from offcampus_rules.errors import FileProblem, Position, RuleFileError
from offcampus_rules.exceptions import ExceptionFile
from offcampus_rules.hook_code import HookCode
from offcampus_rules.messages import Text
from offcampus_rules.parameters import ParameterFile
from offcampus_rules.rules import RuleFile
from offcampus_rules.validation import valid_shape
from offcampus_rules.yaml12 import Document

API = "1.2"
"""The interface between kit and plugins (major.minor); a manifest names a range, or a major version."""

ReadT = TypeVar("ReadT")
NAMESPACE = re.compile(r"x-[a-z]{2,20}\Z")


@dataclass(frozen=True)
class Plugin:
    """What one plugin brings. Two plugins with the same content have the same `content`."""

    info: PluginInfo
    root: Path
    title_zh: str
    title_en: str
    parameter_files: tuple[ParameterFile, ...]
    rule_files: tuple[RuleFile, ...]
    texts: Mapping[str, Text]
    code: HookCode | None
    content: Mapping[str, Any] = field(repr=False, compare=False)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schemas of the province's extensions by namespace (`extensions/x-<province>.json`)."""
    exception_files: tuple[ExceptionFile, ...] = ()

    @property
    def jurisdiction(self) -> str:
        return self.info.jurisdiction

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks it has in Python, by name."""
        return self.code.hooks if self.code is not None else ()


def folder_of(package: Path) -> Path:
    """Where a plugin package keeps its data."""
    inside = package / "data"
    return inside if inside.is_dir() else package.parent


def read(root: Path, distribution: str, version: str, hooks: Path | None = None) -> Plugin:
    """Read a plugin's folder. Raises RuleFileError with every problem found, HookRefused for its Python.

    The Python in `hooks` is read as text, scanned, and run by a worker only.
    """
    problems: list[FileProblem] = []
    manifest = _manifest(root, problems)
    jurisdiction = str(manifest.get("jurisdiction", ""))
    documents: dict[str, Any] = {"manifest": manifest}
    parameter_files = _each(root, "parameters", problems, documents, lambda doc: parameters.read(doc, jurisdiction))
    documents.update(_attached_tables(root, parameter_files, problems))
    rule_files = _each(root, "rules", problems, documents, lambda doc: rules.read(doc, jurisdiction))
    exception_files = _each(root, "exceptions", problems, documents, lambda doc: exceptions.read(doc, jurisdiction))
    catalogues = _each(root, "messages", problems, documents, messages.read)
    extensions = _extensions(root, documents, problems)
    code = hooks.read_text(encoding="utf-8") if hooks is not None else None
    if code is not None and hooks is not None:
        problems.extend(item for item in code_reading.scan(code, hooks) if item.code == "R-PURE")
        documents["hooks"] = code
    if problems:
        raise RuleFileError(tuple(problems))
    return Plugin(
        info=PluginInfo(jurisdiction, distribution, version, digests.digest(documents)),
        root=root,
        title_zh=manifest["title"]["zh"],
        title_en=manifest["title"]["en"],
        parameter_files=parameter_files,
        rule_files=rule_files,
        texts={code: text for catalogue in catalogues for code, text in catalogue.items()},
        code=HookCode(distribution, code) if code is not None else None,
        content=documents,
        extensions=extensions,
        exception_files=exception_files,
    )


def _attached_tables(
    root: Path, files: tuple[ParameterFile, ...], problems: list[FileProblem]
) -> Iterator[tuple[str, str]]:
    """The CSV files of long tables count for the content; one that no parameter names is a mistake."""
    named = {file.document.file.parent / name for file in files for name in file.tables}
    for path in sorted((root / "parameters").rglob("*.csv")):
        if path in named:
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        else:
            problems.append(
                FileProblem(path, Position(1, 1), "R-FILE", "no value names this table", "无取值引用此表格")
            )


def _extensions(root: Path, documents: dict[str, Any], problems: list[FileProblem]) -> dict[str, Any]:
    """The schemas under `extensions/`; they count for the plugin's content like everything else."""
    found: dict[str, Any] = {}
    for file in sorted(root.glob("extensions/*.json")):
        try:
            schema = json.loads(file.read_text(encoding="utf-8"))
            compile_schema({"allOf": [schema]})
        except (ValueError, jsonschema_rs.ValidationError) as error:
            problems.append(_extension_problem(file, f"is no JSON Schema: {error}", "不是合法的 JSON Schema"))
            continue
        if not NAMESPACE.match(file.stem):
            problems.append(_extension_problem(file, "is not named x-<province>.json", "文件名须为 x-<省份>.json"))
        found[file.stem] = documents[f"extensions/{file.name}"] = schema
    return found


def _extension_problem(file: Path, en: str, zh: str) -> FileProblem:
    return FileProblem(file, Position(1, 1), "R-EXT", en, zh)


def _manifest(root: Path, problems: list[FileProblem]) -> dict[str, Any]:
    file = root / "plugin.yaml"
    if not file.is_file():
        raise RuleFileError((FileProblem(file, Position(1, 1), "R-FILE", "is missing", "缺失"),))
    document = yaml12.load(file)
    if found := valid_shape(document, "manifest"):
        raise RuleFileError(found)
    manifest = cast("dict[str, Any]", document.content)
    if not _meets(manifest["requires_api"]):
        problems.append(
            document.problem(
                ("requires_api",),
                "R-API",
                f"written for interface {manifest['requires_api']}, this kit has {API}",
                f"插件要求接口版本 {manifest['requires_api']}，本规则包为 {API}",
            )
        )
    return manifest


def _meets(required: int | str) -> bool:
    """Whether this kit's interface is one the plugin was written for; a whole number means all of that major."""
    try:
        wanted = SpecifierSet(required if isinstance(required, str) else f">={required},<{required + 1}")
    except InvalidSpecifier:
        return False
    return wanted.contains(API)


def _each(
    root: Path,
    folder: str,
    problems: list[FileProblem],
    documents: dict[str, Any],
    read_one: Callable[[Document], tuple[ReadT | None, tuple[FileProblem, ...]]],
) -> tuple[ReadT, ...]:
    """Read every file of a folder, in the order of their paths; one bad file does not hide the next one's faults."""
    results: list[ReadT] = []
    for file in sorted((root / folder).rglob("*.yaml")):
        try:
            document = yaml12.load(file)
        except RuleFileError as error:
            problems.extend(error.problems)
            continue
        result, found = read_one(document)
        problems.extend(found)
        if result is not None:
            results.append(result)
            documents[file.relative_to(root).as_posix()] = document.content
    return tuple(results)
