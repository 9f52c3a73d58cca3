"""The commands of whoever receives reports: verify, waive, trust."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from offcampus_conformance import signing, trust
from offcampus_conformance.check import PROFILES, all_checks
from offcampus_conformance.cli.group import EXISTING, config_errors, main
from offcampus_conformance.reports.as_html import LEVELS
from offcampus_conformance.sets import frozen_set, suite_digest
from offcampus_conformance.signature import Key
from offcampus_conformance.verification import Given
from offcampus_conformance.verification import verify as verify_report

DAY = click.DateTime(["%Y-%m-%d"])


@main.command()
@click.argument("folder", type=EXISTING)
@click.option("--trust", "trust_file", type=EXISTING, help="keys by role, accepted builds of the suite and sets (JSON)")
@click.option("--nonce", help="what was given for this run; without it no report is above level A")
@click.option("--build-digest", help="the build of the product that the report must be about")
@click.option("--waiver", "waivers", type=EXISTING, multiple=True, help="an authority's waiver (JWS)")
def verify(
    folder: Path, trust_file: Path | None, nonce: str | None, build_digest: str | None, waivers: tuple[Path, ...]
) -> None:
    """Can this report be relied on? Signature, completeness, evidence judged again, time; then its level A to D."""
    with config_errors():
        trusted = trust.load(trust_file) if trust_file is not None else trust.nobody()
    signature, har = folder / "report.jws", folder / "evidence.har"
    found = verify_report(
        Given(
            report=(folder / "report.json").read_bytes(),
            evidence=har.read_bytes() if har.exists() else None,
            signature=signature.read_text(encoding="ascii", errors="replace") if signature.exists() else None,
            trust=trusted,
            now=datetime.now(UTC),
            nonce=nonce,
            build_digest=build_digest,
            waivers=tuple(path.read_text(encoding="ascii", errors="replace").strip() for path in waivers),
        )
    )
    for fault in found.faults:
        click.echo(f"refused  {fault}")
    if found.level is None:
        sys.exit(1)
    click.echo(f"level {found.level}: {LEVELS[found.level][0]} / {LEVELS[found.level][1]}")
    click.echo(f"signed by {found.signed_by or 'nobody'}")
    if found.waived:
        click.echo(f"waived: {', '.join(found.waived)}")
    click.echo("conforms" if found.conformant else "does NOT conform")
    sys.exit(0 if found.conformant else 1)


@main.command()
@click.argument("check_id")
@click.option("--product", required=True, help="the product's name as its reports say it")
@click.option("--reason", required=True)
@click.option("--until", type=DAY, required=True, help="the last day, YYYY-MM-DD")
@click.option("--key", "key_file", type=EXISTING, required=True, help="the authority's private key (JWK)")
def waive(check_id: str, product: str, reason: str, until: datetime, key_file: Path) -> None:
    """Sign a waiver: an authority accepts one failure of one product for a time. Printed, for `verify --waiver`."""
    check = next((item for item in all_checks() if item.id == check_id), None)
    if check is None:
        raise click.ClickException(f"no check {check_id!r} in {', '.join(PROFILES)}")
    waiver = {
        "check": check.id, "profile": check.profile, "product": product, "reason": reason,
        "not_after_at": until.replace(hour=23, minute=59, second=59, tzinfo=UTC).isoformat(),
    }  # fmt: skip
    payload = json.dumps(waiver, ensure_ascii=False).encode()
    click.echo(signing.sign(payload, Key.load(key_file), signing.WAIVER_TYPE))


@main.command()
def identity() -> None:
    """Print what a trust list says of this build: suite and requirement set with their digests (JSON)."""
    from offcampus_conformance import SUITE_VERSION

    frozen = frozen_set()
    listed = {
        "suites": [{"version": SUITE_VERSION, "digest": suite_digest()}],
        "sets": [{"id": frozen.standard, "digest": frozen.digest}],
    }
    click.echo(json.dumps(listed, indent=2))
