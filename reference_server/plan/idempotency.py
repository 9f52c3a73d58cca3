"""T10: one key, one effect, one answer: situations × every money operation, and fifty threads that claim one key.

What is an effect is everything in the database but keys and the trail of refusals (`Site.state`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import orjson
from offcampus_server.kernel.contract import Answer
from offcampus_server.kernel.problems import Problem
from simulation.points import Crash, Points

from plan.ground import Ground, Site, ground
from plan.measure import Failed, Figures, Options
from plan.recipes import Asked, money_operations, recipe

KEY = "key-of-the-plan"
RACERS, CONNECTIONS = 50, 5
MAY_BE_ASKED_AGAIN = frozenset({"askForBalance"})
"""Under a new key each is another question to the bank; no money moves by it."""


@dataclass
class Case:
    """One operation on a site of its own, with a request that takes."""

    site: Site
    operation: str
    asked: Asked

    def send(self, key: str | None = KEY, **changed: Any) -> Answer:
        """The request, or one that differs in what is given."""
        asked = {"party": self.asked.party, "path": self.asked.path, "body": self.asked.body,
                 "if_match": self.asked.if_match} | changed  # fmt: skip
        return self.site.serve(asked.pop("party"), self.operation, key=key, **asked)

    def refused(self, *codes: str, **sent: Any) -> None:
        """The request is refused with one of these, and nothing has happened."""
        before = self.site.state()
        try:
            answer = self.send(**sent)
        except Problem as problem:
            _demand(problem.code in codes, f"refused with {problem.code}, allowed {codes}")
        else:
            raise AssertionError(f"answered {answer.status}, expected {codes}")
        _demand(self.site.state() == before, "a refusal has an effect")

    def takes(self, **sent: Any) -> Answer:
        """The request takes, and something has happened."""
        before = self.site.state()
        answer = self.send(**sent)
        if answer.status == 207:
            _demand(all(r["outcome"] == "accepted" for r in answer.body["results"]), f"refused items: {answer.body}")
        _demand(self.site.state() != before, "an accepted request has no effect")
        return answer

    def replays(self, first: Answer, **sent: Any) -> None:
        """The request gives the first answer again, and nothing has happened."""
        before = self.site.state()
        answer = self.send(**sent)
        _demand(answer.headers.get("Idempotency-Replayed") == "true", "the answer is not marked as replayed")
        same = (answer.status, answer.body, answer.version) == (first.status, first.body, first.version)
        _demand(same, "the answer is another")
        _demand(self.site.state() == before, "a repeated request has an effect")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


Situation = Callable[[Case], None]


def the_same_again(case: Case) -> None:
    """The same bytes: the first answer."""
    case.replays(case.takes())


def members_in_another_order(case: Case) -> None:
    """The same meaning in other bytes: the first answer."""
    first = case.takes()
    raw = orjson.dumps(dict(reversed(case.asked.body.items())), option=orjson.OPT_INDENT_2)
    case.replays(first, raw=raw)


def years_later(case: Case) -> None:
    """Keys are kept as long as money can move."""
    first = case.takes()
    case.site.clock.turn(timedelta(days=2000))
    case.replays(first)


def another_body(case: Case) -> None:
    """The key is bound to what was sent first."""
    case.takes()
    case.refused("idempotency.key_reused", "schema.invalid", body=another(case.asked.body))


def another_version(case: Case) -> None:
    """What is matched belongs to the request; an operation that matches nothing is asked with another path."""
    case.takes()
    if case.asked.if_match is not None:
        case.refused("idempotency.key_reused", if_match=case.asked.if_match + 7)
    elif case.asked.path:
        (name, value), *_ = case.asked.path.items()
        other = value[:-1] + ("0" if value[-1] != "0" else "1")
        case.refused("idempotency.key_reused", path={**case.asked.path, name: other})
    else:
        case.refused("idempotency.key_reused", "schema.invalid", body=another(another(case.asked.body)))


def no_key(case: Case) -> None:
    """Nothing happens without one."""
    case.refused("idempotency.key_missing", key=None)
    case.takes()


def no_proper_key(case: Case) -> None:
    """Too short, too long, of other characters: refused; the proper one takes afterwards."""
    for key in ("short", "x" * 129, "key with spaces", "schlüssel-1"):
        case.refused("request.header", key=key)
    case.takes()


def another_partys_key(case: Case) -> None:
    """Two parties' keys have nothing to do with each other: the other one learns nothing of the first answer."""
    first = case.takes()
    other = next(name for name in ("authority", "bank", "vendor", "guardian_app") if name != case.asked.party)
    try:
        answer = case.send(party=other)
    except Problem as problem:
        _demand(problem.code != "idempotency.key_reused", "another party's key is bound")
    else:
        _demand("Idempotency-Replayed" not in answer.headers, "another party is given the first answer")
    case.replays(first)


def another_operations_key(case: Case) -> None:
    """The same key on another operation is another key."""
    town = case.site.town
    material = {"external_id": "m-1", "institution_id": town.institution_id, "title": "x", "kind": "textbook"}
    try:
        case.site.serve("vendor", "createMaterial", body=material, key=KEY)
    except Problem as problem:
        _demand(not problem.code.startswith("idempotency"), problem.code)
    case.replays(case.takes())


def another_key(case: Case) -> None:
    """The same content under a new key, when the first key was lost: no second effect beyond what is told of it."""
    case.takes()
    before = case.site.state()
    try:
        answer = case.send(key="key-that-is-new")
    except Problem:
        pass
    else:
        repeated = answer.status != 207 or all(r["outcome"] == "duplicate" for r in answer.body["results"])
        _demand(repeated, "items are taken twice")
    if case.operation not in MAY_BE_ASKED_AGAIN:
        _demand(case.site.state() == before, "the same content has a second effect")


def refused_then_mended(case: Case) -> None:
    """A refusal binds no key."""
    case.refused("schema.invalid", body={**case.asked.body, "no_such_member": 1})
    if case.asked.if_match is not None:
        case.refused("concurrency.stale", if_match=case.asked.if_match + 7)
    case.replays(case.takes())


def crash_before_the_commit(case: Case) -> None:
    """The process dies with everything written and nothing committed: nothing has happened, and the retry takes."""
    before = case.site.state()
    points = Points(case.site.engine)
    points.arm("after insert idempotency_keys", _die)
    try:
        case.send()
    except Crash:
        case.site.engine.dispose()
    else:
        raise AssertionError("no key was written")
    _demand(case.site.state() == before, "an uncommitted request has an effect")
    case.replays(case.takes())


def answer_lost(case: Case) -> None:
    """The process dies after the commit: the retry gets the answer that nobody received, and nothing happens."""
    kept: list[Answer] = []
    real = case.site.platform._check_answer

    def die(bound: Any, answer: Answer) -> None:
        real(bound, answer)
        kept.append(answer)
        raise Crash

    with mock.patch.object(case.site.platform, "_check_answer", die):
        try:
            case.send()
        except Crash:
            case.site.engine.dispose()
    case.replays(kept[0])


def two_at_once(case: Case) -> None:
    """A second request while the first one's transaction is open: told to wait, or answered as the first; one effect."""
    second = case.site.opened()
    told: list[str] = []
    points = Points(case.site.engine)

    def meanwhile() -> None:
        def ask() -> None:
            try:
                answer = second.serve(
                    case.asked.party, case.operation, case.asked.path, case.asked.body, KEY, case.asked.if_match
                )
                told.append("replayed" if answer.headers.get("Idempotency-Replayed") else "took")
            except Problem as problem:
                told.append(problem.code)

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(0.02)  # on SQLite it waits for the first one's end
        waiting.append(thread)

    waiting: list[threading.Thread] = []
    points.arm("before insert idempotency_keys", meanwhile)
    first = case.takes()
    waiting[0].join()
    second.close()
    _demand(told in (["replayed"], ["idempotency.in_progress"], ["server.busy"]), f"the second was told {told}")
    case.replays(first)


SITUATIONS: Mapping[str, Situation] = {
    found.__name__: found
    for found in (
        the_same_again, members_in_another_order, years_later, another_body, another_version, no_key, no_proper_key,
        another_partys_key, another_operations_key, another_key, refused_then_mended, crash_before_the_commit,
        answer_lost, two_at_once,
    )
}  # fmt: skip


def another(body: dict[str, Any]) -> dict[str, Any]:
    """A document that differs in one text or number, or by a member where it is empty."""
    for name, value in body.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return {**body, name: [another(value[0]), *value[1:]]}
        if isinstance(value, str) and name in ("external_id", "note", "text", "reason", "bank_reference", "content"):
            return {**body, name: value + "x"}
    return {**body, "extensions": {}}


def _die() -> None:
    raise Crash


def cases() -> list[tuple[str, str]]:
    """Every situation of every money operation."""
    return [(operation, situation) for operation in money_operations() for situation in SITUATIONS]


def check(ground: Ground, operation: str, situation: str) -> None:
    """One situation of one operation. Raises AssertionError."""
    site = ground.fresh()
    try:
        SITUATIONS[situation](Case(site, operation, recipe(operation, site)))
    finally:
        ground.drop(site)


def race(ground: Ground, seed: int) -> int:
    """Fifty threads claim one key for one money operation; returns how many were given the answer."""
    operation = random.Random(seed).choice(money_operations())
    site = ground.fresh()
    asked = recipe(operation, site)
    before = {name: len(rows) for name, rows in site.state().items()}
    opened = [site.opened() for _ in range(CONNECTIONS)]
    answers: list[Answer] = []
    codes: list[str] = []
    start = threading.Barrier(RACERS)

    def claim(number: int) -> None:
        mine = opened[number % CONNECTIONS]
        start.wait()
        try:
            answers.append(mine.serve(asked.party, operation, asked.path, asked.body, KEY, asked.if_match))
        except Problem as problem:
            codes.append(problem.code)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in opened:
        each.close()
    after = {name: len(rows) for name, rows in site.state().items()}
    if not answers:  # all were told to wait: nobody may have had an effect, and the next one takes
        _demand(after == before, f"{operation}: nobody was answered, and something happened")
        answers.append(site.serve(asked.party, operation, asked.path, asked.body, KEY, asked.if_match))
        after = {name: len(rows) for name, rows in site.state().items()}
    ground.drop(site)
    alone = _alone(ground, operation)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    _demand(grown == alone, f"{operation}: fifty leave {grown}, one leaves {alone}")
    _demand(len({orjson.dumps(answer.body) for answer in answers}) == 1, f"{operation}: answers differ")
    fresh = [answer for answer in answers if "Idempotency-Replayed" not in answer.headers]
    _demand(len(fresh) == 1, f"{operation}: carried out {len(fresh)} times")
    _demand(set(codes) <= {"idempotency.in_progress", "server.busy"}, f"{operation}: {set(codes)}")
    return len(answers)


def _alone(ground: Ground, operation: str) -> dict[str, int]:
    site = ground.fresh()
    asked = recipe(operation, site)
    before = {name: len(rows) for name, rows in site.state().items()}
    site.serve(asked.party, operation, asked.path, asked.body, KEY, asked.if_match)
    after = {name: len(rows) for name, rows in site.state().items()}
    ground.drop(site)
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def run(options: Options) -> Figures:
    """All situations of all operations, then `count` races of fifty threads for one key."""
    figures = Figures()
    with ground(options.server) as made:
        for number, (operation, situation) in enumerate(cases()):
            try:
                check(made, operation, situation)
            except AssertionError as error:
                raise Failed(number, f"{operation}, {situation}: {error}") from error
            figures.counts["situations"] += 1
        figures.counts["operations"] = len(money_operations())
        for seed in options.seeds:
            try:
                figures.counts["answered"] += race(made, seed)
            except AssertionError as error:
                raise Failed(seed, f"race: {error}") from error
            figures.counts["races of 50"] += 1
    return figures
