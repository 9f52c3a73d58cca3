"""`offcampus-server ledger`: is every fen where it should be, and is the history the one that was?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from offcampus_server.funds import verification as funds
from offcampus_server.kernel import keyring
from offcampus_server.kernel.clock import security_instant
from offcampus_server.prompt import open_storage, told
from offcampus_server.prooflog import checkpoints, erasure, heads, proofs, sequencer, verification
from offcampus_server.prooflog.sources import SOURCES
from offcampus_server.settings import Settings

FILE = click.Path(path_type=Path)
MOST_LINES = 100
FLAWED, CANNOT_KNOW = 1, 3


@click.group("ledger", invoke_without_command=True)
@click.pass_context
@told
def ledger(context: click.Context) -> None:
    """Replay every transfer and compare with the stored balances; exit 1 when a fen is not where it should be."""
    if context.invoked_subcommand is None:
        found = _replay()
        click.echo(f"{found} finding(s)")
        sys.exit(FLAWED if found else 0)


@ledger.command("verify")
@click.option("--checkpoint", "checkpoint_file", type=FILE, help="a checkpoint that was kept outside this server")
@click.option("--leaves", "leaves_file", type=FILE, help="the list of leaf hashes beside it, to name the very entry")
@click.option("--since-checkpoint", is_flag=True, help="believe what lies before the checkpoint, judge what came later")
@told
def ledger_verify(checkpoint_file: Path | None, leaves_file: Path | None, since_checkpoint: bool) -> None:
    """Replay the ledger and judge the provable log against its rows, its heads and a checkpoint from outside.

    Exit codes: 0 all holds; 1 something does not; 2 the command or the checkpoint file is wrong; 3 nothing was found,
    but without a checkpoint nobody can know whether the log was cut or written anew.
    """
    if checkpoint_file is None and (since_checkpoint or leaves_file is not None):
        raise click.UsageError("--since-checkpoint and --leaves need --checkpoint")
    settings, storage = Settings.from_environment(), open_storage()
    try:
        checkpoint = checkpoints.load(checkpoint_file, settings.issuer, leaves_file) if checkpoint_file else None
    except (checkpoints.CheckpointError, OSError) as error:
        raise click.UsageError(str(error)) from None
    findings = _replay()
    keys = keyring.load(settings.key_file)
    with sequencer.snapshot(storage.engine) as connection:
        report = verification.verify(connection, keys, checkpoint, since=since_checkpoint)
    for flaw in report.flaws[:MOST_LINES]:
        click.echo(str(flaw))
    if len(report.flaws) > MOST_LINES:
        click.echo(f"… and {len(report.flaws) - MOST_LINES} more")
    judged = f"entries {report.start} to {report.size - 1}" if report.size > report.start else "no entries"
    click.echo(
        f"{judged}, {report.heads} head(s), {report.waiting} row(s) not yet logged, {report.erased} salt(s) destroyed:"
        f" {len(report.flaws)} flaw(s), {findings} ledger finding(s)"
    )
    if report.flaws or findings:
        sys.exit(FLAWED)
    if checkpoint is None:
        click.echo("cannot know whether the log was cut or written anew: give a --checkpoint that was kept outside")
        sys.exit(CANNOT_KNOW)
    click.echo(f"the log begins with the {checkpoint.size} entries of the checkpoint")


@ledger.command("checkpoint")
@click.option(
    "--out", "out", type=FILE, required=True, help="the file to write; keep it where this server cannot write"
)
@click.option("--leaves", "leaves_file", type=FILE, help="write the leaf hashes too (65 bytes an entry)")
@told
def ledger_checkpoint(out: Path, leaves_file: Path | None) -> None:
    """Log what waits, sign a head, and write it with its key as a checkpoint."""
    storage, keys = open_storage(), keyring.load(Settings.from_environment().key_file)
    sequencer.run(storage, security_instant())
    heads.run(storage, keys, security_instant())
    with storage.reading() as work:
        head = heads.newest(work.connection)
        if head is None:
            raise click.ClickException("the log has no entry yet")
        document = heads.checkpoint(head, keys, security_instant())
        checkpoints.write(work.connection, out, document, leaves_file)
    click.echo(f"{out}: {head['size']} entries, root {head['root_hash']}, key {head['key_id']}")


@ledger.command("prove")
@click.argument("source", type=click.Choice(sorted(SOURCES)))
@click.argument("number", type=int)
@told
def ledger_prove(source: str, number: int) -> None:
    """Print the proofs of one row, for an auditor: newest head, leaf and path of each of its facts."""
    with open_storage().reading() as work:
        head = heads.newest(work.connection)
        entries = proofs.one(work.connection, source, number)
    if head is None or not entries:
        raise click.ClickException(f"{source} {number} is not in a signed tree")
    click.echo(json.dumps({"head": heads.to_json(head), "entries": entries}, ensure_ascii=False, indent=2))


@ledger.command("erase")
@click.argument("seq", type=int)
@told
def ledger_erase(seq: int) -> None:
    """Destroy the salt of an entry's personal part, for good; its proofs go on to hold."""
    open_storage().write(lambda work: erasure.destroy_salt(work, seq))
    click.echo(f"the salt of entry {seq} is destroyed")


def _replay() -> int:
    with open_storage().reading() as work:
        findings = funds.verify(work)
    for finding in findings:
        click.echo(f"{finding.subject}: {finding.invariant}: expected {finding.expected}, got {finding.got}")
    return len(findings)
