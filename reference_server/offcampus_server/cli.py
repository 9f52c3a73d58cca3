"""`offcampus-server`: serve, work, db, party, keys, ledger, rules, sandbox, demo."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import click

from offcampus_server import backups
from offcampus_server.fresh_secrets import write_secrets
from offcampus_server.kernel import keyring
from offcampus_server.kernel.db import make_engine
from offcampus_server.kernel.observe import configure_logs
from offcampus_server.ledger_commands import ledger
from offcampus_server.migrations import at_head, upgrade
from offcampus_server.parties import service as parties
from offcampus_server.prompt import open_storage, told
from offcampus_server.rules_commands import rules
from offcampus_server.rules_in_force import RulesInForce
from offcampus_server.settings import Secrets, Settings

FILE = click.Path(path_type=Path)


@click.group()
@click.version_option(package_name="offcampus-server")
def main() -> None:
    """The reference server of the open standard for off-campus training supervision (a draft)."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--workers", default=1, show_default=True, help="processes; on SQLite one is best, it has one writer")
@click.option("--migrate", is_flag=True, help="bring the database to the newest shape first")
@told
def serve(host: str, port: int, workers: int, migrate: bool) -> None:
    """Serve over HTTP with a production WSGI server, one request at a time per worker."""
    settings = Settings.from_environment()
    _require_head(settings, migrate=migrate)
    Secrets.load(settings.secrets_file)
    keyring.load(settings.key_file)
    RulesInForce.of(settings)
    from granian import Granian  # a server's import is paid by those who serve
    from granian.constants import Interfaces

    Granian(
        "offcampus_server.app:create_app", address=host, port=port, interface=Interfaces.WSGI, factory=True,
        workers=workers, blocking_threads=1, backpressure=256, log_access=False, respawn_failed_workers=True,
    ).serve()  # fmt: skip


@main.command()
@click.option("--every", "interval_s", default=1.0, show_default=True, help="seconds between rounds")
@click.option("--once", is_flag=True, help="do what is due and stop")
@told
def work(interval_s: float, once: bool) -> None:
    """Deliver webhooks, let deadlines run out, forget what can no longer be replayed."""
    from offcampus_server.app import make_platform
    from offcampus_server.workers.loop import run_forever, run_once

    settings = Settings.from_environment()
    configure_logs(settings.log_level)
    _require_head(settings, migrate=False)
    platform = make_platform(settings)
    if once:
        click.echo(json.dumps(run_once(platform)))
    else:
        run_forever(platform, interval_s)


@main.group()
def db() -> None:
    """The database's shape."""


@db.command("upgrade")
@told
def db_upgrade() -> None:
    """Bring the database to the newest shape; from empty too."""
    upgrade(make_engine(Settings.from_environment().database_url))
    click.echo("the database is at the newest shape")


@db.command("check")
@told
def db_check() -> None:
    """Exit 0 when the database has the newest shape, 1 when not."""
    if not at_head(make_engine(Settings.from_environment().database_url)):
        raise click.ClickException("the database is older; run `offcampus-server db upgrade`")
    click.echo("the database is at the newest shape")


@db.command("backup")
@click.argument("out", type=FILE)
@told
def db_backup(out: Path) -> None:
    """Write one consistent state of the database to a file, while the server serves."""
    backups.back_up(Settings.from_environment().database_url, out)
    click.echo(f"{out} written: keep it, a checkpoint of the log, and the secrets apart from this machine")


@db.command("restore")
@click.argument("source", type=FILE)
@told
def db_restore(source: Path) -> None:
    """Bring a backup into an empty database; verify the ledger before anybody serves from it."""
    backups.restore(Settings.from_environment().database_url, source)
    click.echo("restored; next: offcampus-server ledger verify --checkpoint FILE")


@main.group()
def party() -> None:
    """Registered parties."""


@party.command("add")
@click.argument("name")
@click.option("--role", required=True, help="institution_system, guardian_app, bank or authority")
@click.option("--region", default="000000", show_default=True, help="six digits; what the party may see lies here")
@click.option("--key", "key_files", type=FILE, multiple=True, required=True, help="public key as JWK; may be repeated")
@told
def party_add(name: str, role: str, region: str, key_files: tuple[Path, ...]) -> None:
    """Register a party; prints its client id."""
    storage = open_storage()
    keys = [json.loads(path.read_text(encoding="utf-8")) for path in key_files]
    party_id = storage.write(
        lambda work: parties.register(work.connection, work.now, name=name, role=role, region_code=region, jwks=keys)
    )
    click.echo(party_id)


@party.command("list")
@told
def party_list() -> None:
    """List parties."""
    with open_storage().reading() as work:
        for row in parties.listed(work.connection):
            state = "disabled" if row["disabled_at"] else "active"
            click.echo(f"{row['id']}  {row['role']:<18} {row['region_code']}  {state:<8}  {row['name']}")


@party.command("disable")
@click.argument("party_id")
@told
def party_disable(party_id: str) -> None:
    """Shut a party out from the next request on."""
    open_storage().write(lambda work: parties.disable(work.connection, party_id, work.now))


@party.command("grant")
@click.argument("party_id")
@click.argument("institution_id")
@told
def party_grant(party_id: str, institution_id: str) -> None:
    """Let a party act for an institution."""
    open_storage().write(lambda work: parties.grant(work.connection, party_id, institution_id, work.now))


@party.command("keys")
@click.argument("party_id")
@click.option("--key", "key_files", type=FILE, multiple=True, required=True)
@told
def party_keys(party_id: str, key_files: tuple[Path, ...]) -> None:
    """Replace a party's public keys; to rotate, name the new and the old one."""
    keys = [json.loads(path.read_text(encoding="utf-8")) for path in key_files]
    open_storage().write(lambda work: parties.replace_keys(work.connection, party_id, keys))


@main.group()
def keys() -> None:
    """The server's own keys."""


@keys.command("generate")
@told
def keys_generate() -> None:
    """Make the signing key and the secrets, where there are none; existing files are never touched."""
    settings = Settings.from_environment()
    if not settings.key_file.exists():
        keyring.rotate(settings.key_file)
        click.echo(f"{settings.key_file} written")
    if not settings.secrets_file.exists():
        write_secrets(settings.secrets_file)
        click.echo(f"{settings.secrets_file} written: keep a copy where the database is not")


@keys.command("rotate")
@told
def keys_rotate() -> None:
    """Put a new signing key in front; the old ones stay, so that nothing they signed is refused."""
    key = keyring.rotate(Settings.from_environment().key_file)
    click.echo(str(key.thumbprint()))


@keys.command("jwks")
@told
def keys_jwks() -> None:
    """Print the public keys."""
    click.echo(json.dumps({"keys": keyring.load(Settings.from_environment().key_file).public_jwks()}, indent=2))


main.add_command(ledger)
main.add_command(rules)


@main.command()
@click.argument("folder", type=FILE)
@click.option("--port", default=8080, show_default=True)
@click.option("--region", default="110105", show_default=True, help="the county that the sandbox plays in")
@click.option("--database-url", help="another database than SQLite in the folder; it must be empty")
@told
def sandbox(folder: Path, port: int, region: str, database_url: str | None) -> None:
    """Prepare a platform to try things on: database, keys, five parties, and a conformance.toml for the suite."""
    from offcampus_server.sandbox import prepare

    prepared = prepare(folder, port, region, database_url)
    click.echo(f"ready in {folder}; serve it with:\n  {prepared.command('serve', '--port', str(port))}")
    click.echo(f"and let deadlines and webhooks run with:\n  {prepared.command('work')}")
    click.echo(f"test it with:\n  offcampus-conformance run --config {folder / 'conformance.toml'}")


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def demo(options: tuple[str, ...]) -> None:
    """One institution's day from end to end, each party its own process, with every refusal shown.

    The story is told by the conformance suite's stand-ins over HTTP; this command only starts it. `demo --help` lists
    the story's options.
    """
    if importlib.util.find_spec("offcampus_conformance") is None:
        raise click.ClickException(
            "the demo's other parties are in offcampus-conformance: install it beside the server"
        )
    sys.exit(subprocess.call([sys.executable, "-m", "offcampus_conformance.demo", *options]))


def _require_head(settings: Settings, *, migrate: bool) -> None:
    engine = make_engine(settings.database_url)
    if migrate:
        upgrade(engine)
    elif not at_head(engine):
        raise click.ClickException("the database is older than this server; run `offcampus-server db upgrade`")
    engine.dispose()
