"""All rules over all files."""

from __future__ import annotations

from offcampus_spec.lint import answers, contract, dialect, examples, keywords, lists, references, shapes
from offcampus_spec.lint.finding import Finding
from offcampus_spec.lint.sources import Sources

RULE_MODULES = (references, keywords, contract, answers, dialect, lists, examples)


def lint(sources: Sources) -> list[Finding]:
    """Every finding, in order of place; of files that cannot be read as what they are, only that."""
    unreadable = [finding for finding in sources.findings if finding.rule == "file.unreadable"]
    if misshapen := [*unreadable, *shapes.check(sources)]:
        return sorted(set(misshapen))
    found = {finding for module in RULE_MODULES for finding in module.check(sources)}
    return sorted(found | set(sources.findings))
