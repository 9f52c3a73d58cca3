"""The WSGI application: routes from the contract, problems for everything that goes wrong, health and metrics."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Request, Response, request
from offcampus_rules import RuleSet
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from offcampus_server.kernel.contract import Answer
from offcampus_server.kernel.db import make_engine
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.keyring import load as load_keyring
from offcampus_server.kernel.observe import Metrics, configure_logs, log
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Storage
from offcampus_server.migrations import at_head
from offcampus_server.pipeline import Platform, Received
from offcampus_server.registry import bound_operations
from offcampus_server.rules_in_force import RulesInForce
from offcampus_server.settings import Secrets, Settings

PROBLEM_TYPE = "application/problem+json"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")


def make_platform(settings: Settings, ruleset: RuleSet | None = None) -> Platform:
    """Open everything that a process needs. Raises ContractGap, SettingsError or FileNotFoundError at start."""
    secrets = Secrets.load(settings.secrets_file)
    keyring = load_keyring(settings.key_file)
    rules = (lambda: ruleset) if ruleset is not None else _watched(RulesInForce.of(settings))
    storage = Storage(
        make_engine(settings.database_url),
        settings.clock(),
        rules,
        secrets.vault(),
        settings.issuer,
        secrets.cursor_key,
    )
    return Platform(settings, storage, keyring, rules, bound_operations(keyring))


def _watched(rules: RulesInForce) -> RulesInForce:
    rules.watch()
    return rules


def create_app(settings: Settings | None = None, platform: Platform | None = None) -> Flask:
    """The application of one process."""
    if platform is None:
        platform = make_platform(settings or Settings.from_environment())
    configure_logs(platform.settings.log_level)
    app = Flask("offcampus_server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = platform.settings.max_body_bytes
    app.extensions["offcampus"] = platform
    metrics = Metrics()
    _add_operations(app, platform, metrics)
    _add_health(app, platform, metrics)
    development = platform.settings.development
    app.register_error_handler(Exception, lambda error: _failed(error, metrics, development))
    return app


def _add_operations(app: Flask, platform: Platform, metrics: Metrics) -> None:
    for operation_id, bound in platform.operations.items():
        rule = bound.operation.path.replace("{", "<").replace("}", ">")

        def view(operation_id: str = operation_id, **path: str) -> Response:
            started = time.perf_counter()
            received = _received(request)
            try:
                response = _response(platform.serve(operation_id, path, received))
            except Problem as problem:
                response = _problem(problem, received, metrics)
            _observe(metrics, operation_id, received, response, time.perf_counter() - started)
            return response

        app.add_url_rule(rule, operation_id, view, methods=[bound.operation.method], provide_automatic_options=False)


def _received(incoming: Request) -> Received:
    if not _PLAIN.issuperset(incoming.path) or "%" in incoming.environ.get("RAW_URI", "").partition("?")[0]:
        raise Problem("request.path")
    query = incoming.environ.get("QUERY_STRING", "")
    if not query.isascii():
        raise Problem("request.query", "a query is percent-encoded UTF-8 (RFC 3986 section 2.5)")
    headers = {name.lower(): value for name, value in incoming.headers.items()}
    return Received(incoming.method, incoming.path, query, headers, incoming.get_data(), new_id("req"))


def _response(answer: Answer) -> Response:
    body = orjson.dumps(answer.body) if answer.body is not None else b""
    response = Response(body, answer.status, dict(answer.headers), content_type="application/json")
    if answer.version is not None:
        response.headers["ETag"] = f'"{answer.version}"'
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _problem(problem: Problem, received: Received | None, metrics: Metrics) -> Response:
    metrics.problems.labels(problem.code).inc()
    request_id = received.request_id if received else new_id("req")
    language = received.language if received else "zh-CN"
    body = orjson.dumps(problem.to_json(request_id=request_id, language=language))
    response = Response(body, problem.status, dict(problem.headers), content_type=PROBLEM_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = language
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 15.5.2: every 401 says how
    return response


def _failed(error: Exception, metrics: Metrics, development: bool) -> Response:
    """What was raised outside or below an operation: a wrong path, a large body, or our own fault."""
    if isinstance(error, Problem):
        return _problem(error, None, metrics)
    if isinstance(error, RequestEntityTooLarge):
        return _problem(Problem("request.too_large"), None, metrics)
    if isinstance(error, HTTPException) and error.code == 404:
        return _problem(Problem("resource.not_found", "the contract has no such path"), None, metrics)
    if isinstance(error, HTTPException) and error.code == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or []))
        return _problem(Problem("method.not_allowed", headers={"Allow": allowed}), None, metrics)
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return _problem(Problem("request.header", "the request could not be read"), None, metrics)
    problem = Problem("server.error")
    response = _problem(problem, None, metrics)
    # A message may quote what was sent: only a development server writes it out.
    more = {"message": str(error)} if development else {}
    log().error("request_failed", error=error, request_id=orjson.loads(response.get_data())["request_id"], **more)
    return response


def _observe(metrics: Metrics, operation_id: str, received: Received, response: Response, seconds: float) -> None:
    metrics.requests.labels(operation_id, str(response.status_code)).inc()
    metrics.seconds.labels(operation_id).observe(seconds)
    log().info(
        "request", operation=operation_id, status=response.status_code, request_id=received.request_id,
        milliseconds=round(seconds * 1000, 1),
    )  # fmt: skip


def _add_health(app: Flask, platform: Platform, metrics: Metrics) -> None:
    def healthz() -> Response:
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    def readyz() -> tuple[dict[str, Any], int]:
        checks = {"database": _database_answers(platform), "migrations": False, "rules": bool(platform.rules().plugins)}
        if checks["database"]:
            checks["migrations"] = at_head(platform.storage.engine)
        return checks, 200 if all(checks.values()) else 503

    def expose() -> Response:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    for path, view in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", expose)):
        app.add_url_rule(path, path, view, methods=["GET"], provide_automatic_options=False)


def _database_answers(platform: Platform) -> bool:
    try:
        with platform.storage.reading() as work:
            work.connection.exec_driver_sql("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever the engine raises, the answer is "not ready"
        log().warning("database_unreachable", error=error)
        return False
    return True
