"""Is the harness right? Asked before anything is judged, so that a wrong key is not taken for a wrong product.

Each trouble says what to do, and the command that shows it alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module

import httpx2

from offcampus_conformance.config import Config, ConfigError
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.run import SCENARIOS
from offcampus_conformance.signature import Key
from offcampus_conformance.wire import Actor, TargetGone, Wire

PATIENCE_S = 5.0


def smoke(config: Config) -> list[str]:
    """What is wrong with the way to the target; empty when it is ready."""
    if config.profile == "platform":
        return _platform(config)
    if config.profile == "rules":
        plugin = config.plugin
        return [] if plugin is not None and (plugin / "plugin.yaml").exists() else [f"{plugin} holds no plugin.yaml"]
    own: Callable[[Config], list[str]] | None = getattr(
        import_module(f"offcampus_conformance.{SCENARIOS[config.profile]}"), "smoke", None
    )
    return own(config) if own is not None else _driver(config)


def _platform(config: Config) -> list[str]:
    record = Record()
    with Wire(config.base_url, record, http=_client()) as wire:
        metadata = wire.send("smoke.metadata", "GET", "/.well-known/oauth-authorization-server")
        if metadata.status != httpx2.codes.OK:
            return [f"{config.base_url} cannot be reached: {_said(metadata)}; try: curl -i {metadata.url}"]
        troubles = []
        for name in sorted(config.parties):
            answer = _sign_in(config, wire, name)[1]
            if answer.status != httpx2.codes.OK:
                troubles.append(
                    f"[parties.{name}] gets no token: {_said(answer)}; is {config.party(name).key_file} the key that"
                    f" the platform has for {config.party(name).client_id}?"
                )
    return troubles


def access_token(config: Config, party: str) -> str:
    """An access token of a party. Raises ConfigError when the target gives none."""
    try:
        with Wire(config.base_url, Record(), http=_client()) as wire:
            actor, answer = _sign_in(config, wire, party)
    except TargetGone as gone:
        raise ConfigError(str(gone)) from None
    if actor.token is None:
        raise ConfigError(f"[parties.{party}] gets no token: {_said(answer)}")
    return actor.token


def _sign_in(config: Config, wire: Wire, name: str) -> tuple[Actor, Exchange]:
    party = config.party(name)
    try:
        key = Key.load(party.key_file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"parties.{name}.key_file: {error}") from None
    metadata = wire.send(f"smoke.issuer.{name}", "GET", "/.well-known/oauth-authorization-server").json()
    issuer = metadata.get("issuer") if isinstance(metadata, dict) else None
    actor = Actor(name, party.client_id, key, wire, str(issuer or config.base_url))
    return actor, actor.authenticate(f"smoke.token.{name}")


def _driver(config: Config) -> list[str]:
    if config.driver_url is None:
        return []
    with Wire(config.driver_url.rstrip("/"), Record(), http=_client()) as wire:
        answer = wire.send("smoke.driver", "GET", "/")
    listed = answer.json()
    if answer.status != httpx2.codes.OK or not isinstance(listed, dict) or not listed.get("actions"):
        return [f"the driver lists no actions: {_said(answer)}; try: curl -i {config.driver_url}"]
    return []


def _client() -> httpx2.Client:
    return httpx2.Client(timeout=PATIENCE_S, follow_redirects=False, trust_env=False)


def _said(exchange: Exchange) -> str:
    if exchange.status is None:
        return exchange.trouble or "no answer"
    try:
        document = json.loads(exchange.response_body or "")
        code = document.get("code") if isinstance(document, dict) else None
    except ValueError:
        code = None
    return f"status {exchange.status}" + (f" ({code})" if code else "")
