"""Register parties, grant them institutions, know them again, and remember what they may use only once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offcampus_spec.security import roles
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from offcampus_server.kernel import party_keys
from offcampus_server.kernel.access import Party
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.parties.tables import parties, party_institutions, used_once

_CREDENTIALS = select(parties.c.role, parties.c.jwks).where(
    parties.c.id == bindparam("id"), parties.c.disabled_at.is_(None)
)
_LOAD = (
    select(
        parties.c.name, parties.c.role, parties.c.region_code, parties.c.disabled_at,
        party_institutions.c.institution_id,
    )
    .outerjoin(
        party_institutions,
        (party_institutions.c.party_id == parties.c.id) & (parties.c.role == "institution_system"),
    )
    .where(parties.c.id == bindparam("id"))
)  # fmt: skip


class PartyError(Exception):
    """A party cannot be registered or changed as asked; the message says why."""


@dataclass(frozen=True)
class Credentials:
    """What is needed to check a party's signatures and assertions."""

    party_id: str
    role: str
    jwks: list[dict[str, Any]]


def register(
    connection: Connection, now: datetime, *, name: str, role: str, region_code: str, jwks: list[dict[str, Any]]
) -> str:
    """Register a party with its public keys; returns its client id. Raises PartyError."""
    if role not in roles():
        raise PartyError(f"role {role!r} does not exist; allowed: {', '.join(sorted(roles()))}")
    if not jwks:
        raise PartyError("a party needs at least one public key")
    party_id = new_id("pty")
    public = [_public(jwk) for jwk in jwks]
    connection.execute(
        insert(parties),
        {"id": party_id, "name": name, "role": role, "region_code": region_code, "jwks": public, "created_at": now},
    )
    return party_id


def replace_keys(connection: Connection, party_id: str, jwks: list[dict[str, Any]]) -> None:
    """Set a party's public keys: to rotate, give the new and the old one together for a while."""
    changed = connection.execute(
        update(parties).where(parties.c.id == party_id).values(jwks=[_public(jwk) for jwk in jwks])
    )
    if changed.rowcount == 0:
        raise PartyError(f"there is no party {party_id}")


def disable(connection: Connection, party_id: str, now: datetime) -> None:
    """Shut a party out from the next request on. Raises PartyError when it does not exist."""
    changed = connection.execute(update(parties).where(parties.c.id == party_id).values(disabled_at=now))
    if changed.rowcount == 0:
        raise PartyError(f"there is no party {party_id}")


def grant(connection: Connection, party_id: str, institution_id: str, now: datetime) -> None:
    """Let a party act for an institution; granting twice changes nothing."""
    values = {"party_id": party_id, "institution_id": institution_id, "granted_at": now}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(party_institutions).values(values).on_conflict_do_nothing())


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every party, without its keys."""
    columns = (parties.c.id, parties.c.name, parties.c.role, parties.c.region_code, parties.c.disabled_at)
    return [dict(row) for row in connection.execute(select(*columns).order_by(parties.c.id)).mappings()]


def credentials(connection: Connection, party_id: str) -> Credentials | None:
    """The keys of a party that is not disabled."""
    row = connection.execute(_CREDENTIALS, {"id": party_id}).first()
    return Credentials(party_id, row.role, row.jwks) if row else None


def load(connection: Connection, party_id: str, scopes: frozenset[str]) -> Party:
    """A party as it stands now, with what its token and its role allow. Raises `auth.token_invalid`."""
    rows = connection.execute(_LOAD, {"id": party_id}).all()
    if not rows or rows[0].disabled_at is not None:
        raise Problem("auth.token_invalid", "the party is not registered or is disabled")
    granted = frozenset(row.institution_id for row in rows if row.institution_id is not None)
    who = rows[0]
    return Party(party_id, who.name, who.role, who.region_code, scopes & roles()[who.role], granted)


def use_once(work: Work, kind: str, owner: str, value: str, expires_at: int) -> bool:
    """Note that something was used; False when it was used before and has not expired."""
    dialect = sqlite if work.connection.dialect.name == "sqlite" else postgresql
    row = {"kind": kind, "owner": owner, "value": value, "expires_at": expires_at}
    claim = dialect.insert(used_once).values(row).on_conflict_do_nothing().returning(used_once.c.value)
    return work.connection.execute(claim).first() is not None


def forget_expired(connection: Connection, now: int) -> int:
    """Drop what can no longer be replayed; returns how many."""
    return connection.execute(delete(used_once).where(used_once.c.expires_at < now)).rowcount


def counted(connection: Connection) -> int:
    """How many parties there are."""
    return connection.execute(select(func.count()).select_from(parties)).scalar_one()


def _public(jwk: dict[str, Any]) -> dict[str, Any]:
    """The public members of a key that can be used here. Raises PartyError."""
    try:
        party_keys.load(jwk)
    except party_keys.UnusableKey as error:
        raise PartyError(str(error)) from None
    return {name: jwk[name] for name in ("kty", "crv", "x", "y", "alg", "kid", "use") if name in jwk}
