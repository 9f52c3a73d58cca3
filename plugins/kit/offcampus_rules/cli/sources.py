"""A source of rules on the command line: a plugin's folder, an archived rule set, or what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from offcampus_rules import rule_sources


class Source(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """A folder, `sha-256:…` of an archived rule set, its file, or `installed`."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """A path for a folder or file, the text for a digest and for `installed`."""
        if isinstance(value, Path) or value == rule_sources.INSTALLED or rule_sources.is_archived(str(value)):
            return value  # type: ignore[no-any-return]  # a Path or a text, by what was just asked
        path = Path(value)
        if not path.is_dir() and not (path.is_file() and rule_sources.is_archived(path)):
            self.fail(f"{value!r} is no folder, no archived rule set (sha-256:… or its file), and not `installed`")
        return path


SOURCE = Source()
