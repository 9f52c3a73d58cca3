"""The expectations that checks share, each raising a `Deviation` that says expected, got and where."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.difference import within
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, NotMet, Untestable, View


def answered(exchange: Exchange) -> Exchange:
    """The target gave an answer at all (no reset, hang or time-out)."""
    if exchange.status is None:
        deviate("an HTTP answer", exchange.trouble or "no answer", exchange)
    return exchange


def status(exchange: Exchange, *allowed: int) -> Exchange:
    """The answer has one of the allowed statuses."""
    answered(exchange)
    if exchange.status not in allowed:
        wanted = " or ".join(str(code) for code in allowed)
        deviate(f"status {wanted}", f"status {exchange.status}{_code_of(exchange)}", exchange, where="status")
    return exchange


def problem(exchange: Exchange, http_status: int, code: str, pointer: str | None = None) -> dict[str, Any]:
    """The answer is a problem document with this status and code, and points at the given place.

    A refusal for another reason never passes: the probe must be refused for what is wrong with it.
    """
    status(exchange, http_status)
    media_type = (exchange.header("content-type") or "").partition(";")[0].strip()
    if media_type != "application/problem+json":
        deviate("application/problem+json", media_type or "no content-type", exchange, where="content-type")
    body = exchange.json()
    if not isinstance(body, dict) or body.get("code") != code:
        got = body.get("code") if isinstance(body, dict) else exchange.response_body
        deviate(f"problem code {code!r}", f"{got!r}", exchange, where="/code")
    if pointer is not None:
        pointers = [violation.get("pointer") for violation in body.get("violations", [])]
        if pointer not in pointers:
            deviate(f"a violation at {pointer}", f"violations at {pointers}", exchange, where="/violations")
    return body


def header(exchange: Exchange, name: str) -> str:
    """The answer carries this header."""
    value = exchange.header(name)
    if value is None:
        deviate(f"a {name} header", "none", exchange, where=f"header {name}")
    return value


def equal(expected: Any, got: Any, what: str, *exchanges: Exchange) -> None:
    """Two values are the same."""
    if expected != got:
        deviate(f"{what} = {expected!r}", f"{got!r}", *exchanges, where=what)


def member(body: Any, name: str, exchange: Exchange) -> Any:
    """The answer's object has this member."""
    if not isinstance(body, dict) or name not in body:
        deviate(f"a member {name!r}", "an answer without it", exchange, where=f"/{name}")
    return body[name]


def some(items: Any, what: str, *exchanges: Exchange) -> list[Any]:
    """A list that holds something. Raises NotMet: what is judged item by item over an empty list is not judged."""
    if not isinstance(items, list):
        deviate(f"a list of {what}", items, *exchanges)
    if not items:
        raise NotMet(f"there were no {what} to judge")
    return items


def silence(view: View, after: str, unwanted: list[Exchange], what: str) -> None:
    """Nothing of `unwanted` came. Raises Untestable unless the prerequisite step was seen to succeed."""
    if not view.step(after).accepted:
        raise Untestable(f"{after!r} did not succeed: that {what} did not come shows nothing")
    if unwanted:
        deviate(f"no {what} after {after}", f"{len(unwanted)} came", *unwanted)


def differs_only_at(control: Exchange, probe: Exchange, *pointers: str) -> None:
    """The suite's own proof that a negative probe differs from its control in just the declared places of the body.

    Raises ValueError: a fault here is the suite's, never the target's. `View.probe` compares the whole request.
    """
    found = sorted(within(control.sent(), probe.sent()))
    unexpected = [pointer for pointer in found if not pointer.startswith(pointers)]
    if unexpected or not found:
        raise ValueError(f"the probe {probe.label!r} differs from {control.label!r} at {found}, declared {pointers}")


def _code_of(exchange: Exchange) -> str:
    body = exchange.json()
    return f" ({body['code']})" if isinstance(body, dict) and "code" in body else ""
