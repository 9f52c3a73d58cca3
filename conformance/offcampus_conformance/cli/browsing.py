"""`serve`: the same in a browser on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from offcampus_conformance.cli.group import FILE, config_errors, main, with_config
from offcampus_conformance.config import load
from offcampus_conformance.run import planned
from offcampus_conformance.web.server import WebFace
from offcampus_conformance.web.session import Session


@main.command()
@with_config
@click.option("--report", "folder", type=FILE, default=Path("offcampus-report"), show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one")
def serve(path: Path, folder: Path, port: int) -> None:
    """Start a run, watch it, read what failed, run one check again: in a browser on this machine only."""
    with config_errors():
        config = load(path)
        planned(config)
    face = WebFace(Session(config, folder), port)
    click.echo(f"open {face.address}  (Ctrl-C ends it)")
    try:
        face.serve()
    except KeyboardInterrupt:
        click.echo("ended")
    finally:
        face.close()
