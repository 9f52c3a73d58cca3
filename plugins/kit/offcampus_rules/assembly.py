"""Puts plugins together into one set of parameters, rules and words; what does not fit stays outside, whole.

The nation's plugin comes first, since it defines the parameters; the others follow by jurisdiction, so that the result
does not depend on the order in which they were found. A plugin with a problem is left out and its region's gates follow
their failure policy; everybody else goes on unharmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from offcampus_rules import declarations, exceptions, rules, timeline, values, yaml12
from offcampus_rules.declarations import DeclaredLevel
from offcampus_rules.errors import FileProblem, Position
from offcampus_rules.exceptions import Activation, NationalException
from offcampus_rules.messages import Text
from offcampus_rules.nearest import known_or_near
from offcampus_rules.parameters import Entry, Parameter, ParameterFile
from offcampus_rules.plugin import Plugin
from offcampus_rules.rules import ObligationRule, Rule, RuleFile, UndecidedRule
from offcampus_rules.yaml12 import Document


@dataclass(frozen=True)
class Assembly:
    """Everything the plugins say together."""

    plugins: tuple[Plugin, ...] = ()
    definitions: Mapping[str, Parameter] = field(default_factory=dict)
    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    obligations: tuple[ObligationRule, ...] = ()
    undecided: tuple[UndecidedRule, ...] = ()
    texts: Mapping[str, Text] = field(default_factory=dict)
    exceptions: Mapping[str, NationalException] = field(default_factory=dict)
    activations: tuple[Activation, ...] = ()
    levels: tuple[DeclaredLevel, ...] = ()

    def with_plugin(self, plugin: Plugin) -> tuple[Assembly, tuple[FileProblem, ...]]:
        """This assembly with one more plugin, or itself and the reasons why the plugin does not fit."""
        problems = list(_clashes(self, plugin))
        definitions = {**self.definitions, **{item.id: item for item in _definitions(plugin.parameter_files)}}
        entries = _merged(self.entries, plugin.parameter_files)
        texts = {**self.texts, **plugin.texts}
        for file in plugin.parameter_files:
            problems.extend(_check_parameter(file, definitions, entries))
        for rule_file in plugin.rule_files:
            problems.extend(rules.check_names(rule_file, definitions, frozenset(texts)))
        stated = entries.get(declarations.LEVELS, ())
        problems.extend(declarations.clashes(plugin, self.plugins, stated, frozenset(definitions)))
        declared = [file.declared for file in plugin.exception_files if file.declared is not None]
        known = {**self.exceptions, **{item.id: item for item in declared}}
        judged = {rule.id: rule for rule in (*self.rules, *(rule for file in plugin.rule_files for rule in file.rules))}
        for exception_file in plugin.exception_files:
            problems.extend(exceptions.check(exception_file, known, judged, definitions))
        above = (file for other in self.plugins for file in other.exception_files)
        problems.extend(exceptions.overlaps(plugin.exception_files, above))
        if problems:
            return self, tuple(dict.fromkeys(problems))
        return (
            Assembly(
                plugins=(*self.plugins, plugin),
                definitions=definitions,
                entries=entries,
                rules=(*self.rules, *(rule for file in plugin.rule_files for rule in file.rules)),
                obligations=(*self.obligations, *(item for file in plugin.rule_files for item in file.obligations)),
                undecided=(*self.undecided, *(item for file in plugin.rule_files for item in file.undecided)),
                texts=texts,
                levels=(*self.levels, *declarations.levels(plugin)),
                exceptions={name: item for name, item in known.items() if exceptions.binds(item)},
                activations=(
                    *self.activations,
                    *(
                        item
                        for file in plugin.exception_files
                        for item in file.activations
                        if exceptions.binds(item) and exceptions.binds(known[item.exception])
                    ),
                ),
            ),
            (),
        )


def _definitions(files: Iterable[ParameterFile]) -> Iterator[Parameter]:
    return (file.definition for file in files if file.definition is not None)


def _merged(known: Mapping[str, tuple[Entry, ...]], files: Iterable[ParameterFile]) -> dict[str, tuple[Entry, ...]]:
    merged = dict(known)
    for file in files:
        merged[file.id] = (*merged.get(file.id, ()), *file.entries)
    return merged


def _check_parameter(
    file: ParameterFile, definitions: Mapping[str, Parameter], entries: Mapping[str, tuple[Entry, ...]]
) -> Iterator[FileProblem]:
    definition = definitions.get(file.id)
    if definition is None:
        en, zh = known_or_near(file.id, definitions)
        yield file.document.problem(
            ("parameter",),
            "R-NAME",
            f"no parameter {file.id} is defined above; {en}",
            f"上级未定义参数 {file.id}；{zh}",
        )
        return
    yield from values.check(file.entries, definition)
    mine = {entry.file for entry in file.entries}
    yield from (problem for problem in timeline.check(entries[file.id]) if problem.file in mine)


def _clashes(known: Assembly, plugin: Plugin) -> Iterator[FileProblem]:
    """Ids are unique across plugins: nobody redefines a parameter, a rule, or the words of a code."""
    seen_parameters = dict.fromkeys(known.definitions)
    for file in plugin.parameter_files:
        if file.definition is not None and file.id in seen_parameters:
            yield file.document.problem(
                ("id",), "R-NAME", f"the parameter {file.id} is defined already", f"参数 {file.id} 已有定义"
            )
        if file.definition is not None:
            seen_parameters[file.id] = None
    seen_rules = {rule.id for rule in known.rules} | {rule.id for rule in known.obligations}
    seen_rules |= {rule.id for rule in known.undecided}
    for rule_file in plugin.rule_files:
        yield from _repeated_rules(rule_file, seen_rules)
    for namespace in sorted(plugin.extensions):
        if any(namespace in other.extensions for other in known.plugins):
            file_ = plugin.root / "extensions" / f"{namespace}.json"
            yield FileProblem(
                file_, Position(1, 1), "R-NAME", f"the namespace {namespace} is taken", f"命名空间 {namespace} 已被占用"
            )
    for code in sorted(set(plugin.texts) & set(known.texts)):
        owner = next(other for other in known.plugins if code in other.texts)
        yield _catalogue(plugin, code).problem(
            ("messages", code),
            "R-MSG",
            f"the words of {code} belong to {owner.info.distribution}",
            f"代码 {code} 的文案属于 {owner.info.distribution}",
        )


def _catalogue(plugin: Plugin, code: str) -> Document:
    """The file in which a plugin words a code."""
    names = [name for name in plugin.content if name.startswith("messages/")]
    return yaml12.load(plugin.root / next(name for name in names if code in plugin.content[name]["messages"]))


def _repeated_rules(file: RuleFile, seen: set[str]) -> Iterator[FileProblem]:
    for kind, items in file.sections():
        for index, item in enumerate(items):
            if item.id in seen:
                yield file.document.problem(
                    (kind, index, "id"), "R-NAME", f"the rule id {item.id} is used twice", f"规则标识 {item.id} 重复"
                )
            seen.add(item.id)
