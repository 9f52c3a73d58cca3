"""`check --mutate`: would the cases notice if a value, a day, an option or a flag of these files were wrong?

Each mutant (see `mutants`) replaces one file in memory, and the cases that touch its parameter are asked again; the
first one whose answer is no longer the expected one kills it. A mutant that the kit refuses to load, or reports as
looser than what stands above, cannot slip in either: it is counted as refused.

Invariants
- Nothing is written; the plugin under test is never changed.
- A survivor comes with a case that was asked of both and told them apart, or with none when no question can.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from offcampus_rules import exception_mutants, looser, mutants, suggesting, timeline, values
from offcampus_rules.asked import AskedCase
from offcampus_rules.assembly import Assembly
from offcampus_rules.decision import Decision
from offcampus_rules.errors import FileProblem
from offcampus_rules.mutants import Mutant
from offcampus_rules.parameters import Entry, ParameterFile, within
from offcampus_rules.plugin import Plugin
from offcampus_rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change that no case notices. `suggestion` is a case that would, as YAML."""

    mutant: Mutant
    suggestion: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """What became of all mutants; `excluded` counts places without mutants by reason."""

    killed: int
    refused: int
    survivors: tuple[Survivor, ...]
    excluded: Mapping[str, int]

    @property
    def total(self) -> int:
        return self.killed + self.refused + len(self.survivors)

    @property
    def percent(self) -> float:
        return 100.0 if not self.total else 100 * (1 - len(self.survivors) / self.total)

    def suggested(self) -> str:
        """A case file that would kill the survivors; empty when there is no case to write."""
        cases = [item for item in dict.fromkeys(item.suggestion for item in self.survivors) if item.startswith("-")]
        return "cases:\n" + "".join(textwrap.indent(case, "  ") + "\n" for case in cases) if cases else ""


def run(ruleset: RuleSet, plugin: Plugin, cases: Sequence[AskedCase]) -> Mutation:
    """Mutate every value and exception of `plugin`, which is part of `ruleset`; `cases` come out as expected."""
    killed = refused = 0
    survivors: list[Survivor] = []
    excluded: dict[str, int] = {}
    for file in plugin.parameter_files:
        family = _family(ruleset.assembly, plugin, file)
        for reason, count in family.excluded.items():
            excluded[reason] = excluded.get(reason, 0) + count
        touching = [case for case in cases if file.id in case.touched]
        for mutant in family.mutants:
            changed = _changed(ruleset.assembly, file, mutants.read(mutant, plugin.jurisdiction))
            if changed is None:
                refused += 1
                continue
            tried = ruleset.trying(changed)
            if any(case.fails(tried) for case in _likely_first(touching, file, mutant)):
                killed += 1
            elif _reported(ruleset.assembly, changed, file):
                refused += 1
            elif suggestion := suggesting.telling_apart(ruleset, tried, file, mutant, touching):
                survivors.append(Survivor(mutant, suggestion))
            else:
                excluded["no answer changes"] = excluded.get("no answer changes", 0) + 1
    for exception_file in plugin.exception_files:
        for mutant, changed in exception_mutants.of_file(exception_file, ruleset.assembly):
            tried = ruleset.trying(changed)
            if any(case.fails(tried) for case in cases if isinstance(case.answer, Decision)):
                killed += 1
            else:
                survivors.append(Survivor(mutant, _exception_hint(ruleset.assembly, mutant)))
    return Mutation(killed, refused, tuple(survivors), excluded)


def _exception_hint(assembly: Assembly, mutant: Mutant) -> str:
    lifted = ", ".join(assembly.exceptions[mutant.parameter].lifts)
    return (
        f"# write a case that breaks {lifted} and meets the conditions of {mutant.parameter}: expect "
        f"`outcome: allow, exceptions: [{mutant.parameter}]` on the first day, `outcome: refuse` on the day before and "
        "without each condition"
    )


def _family(assembly: Assembly, plugin: Plugin, file: ParameterFile) -> mutants.Family:
    entries = [entry for other in plugin.parameter_files if other.id == file.id for entry in other.entries]
    region = file.entries[0].region
    localities = any(entry.region != region and within(entry.region, region) for entry in entries)
    options = sorted({item for entry in assembly.entries[file.id] for item in _options(entry)})
    return mutants.of_file(file, assembly.definitions[file.id].unit, options, localities=localities)


def _options(entry: Entry) -> Iterator[str]:
    for listed in (entry.value, entry.options):
        if isinstance(listed, tuple):
            yield from (item for item in listed if isinstance(item, str))


def _changed(assembly: Assembly, original: ParameterFile, mutant: ParameterFile | None) -> Assembly | None:
    """The assembly with the changed file in the place of the original; None when the kit would refuse it."""
    if mutant is None:
        return None
    definitions = assembly.definitions
    if mutant.definition is not None:
        definitions = {**definitions, mutant.id: mutant.definition}
    kept = tuple(entry for entry in assembly.entries[original.id] if entry.file != original.document.file)
    entries = (*kept, *mutant.entries)
    if timeline.check(entries) or values.check(mutant.entries, definitions[mutant.id]):
        return None
    return replace(assembly, definitions=definitions, entries={**assembly.entries, original.id: entries})


def _reported(assembly: Assembly, changed: Assembly, file: ParameterFile) -> bool:
    """Whether `check` would report what it did not report before (R-LOOSE, R-DELEG)."""
    before, after = (
        {(problem.code, problem.position) for problem in _loose(each, file)} for each in (assembly, changed)
    )
    return bool(after - before)


def _loose(assembly: Assembly, file: ParameterFile) -> Iterable[FileProblem]:
    found = looser.find(assembly.definitions[file.id], assembly.entries[file.id])
    return (problem for problem in found if problem.file == file.document.file)


def _likely_first(cases: Sequence[AskedCase], file: ParameterFile, mutant: Mutant) -> Iterator[AskedCase]:
    """Cases of the mutant's place, the plain questions for its value before whole decisions."""
    entry = file.entries[mutant.entry]
    there = [case for case in cases if within(case.region, entry.region)]
    return iter(sorted(there, key=lambda case: case.case.question != "value"))
