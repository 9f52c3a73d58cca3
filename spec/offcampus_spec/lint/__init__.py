"""The house lint: what `openapi-spec-validator` lets pass and a vendor would stumble over.

`python -m offcampus_spec.lint` judges the standard that is installed; `lint(Sources.read(folder))` judges a copy.
"""

from offcampus_spec.lint.finding import RULES, Finding
from offcampus_spec.lint.judge import lint
from offcampus_spec.lint.sources import Sources

__all__ = ["RULES", "Finding", "Sources", "lint"]
