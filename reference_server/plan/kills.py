"""T2: kill -9 at any moment, under load: several processes play on one order, and all are killed at once.

What each had asked and was answered is known from its pipe; what was on its way is sent again under its key. The whole
history, last look included, must then be one that the pure model allows: nothing that was acknowledged is lost.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
from collections import Counter
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from random import Random
from typing import Any

from simulation.house import PostgresDisk

from plan.ground import Ground, Site, ground
from plan.jobs import Inside, Player, Sent
from plan.linear import Event
from plan.measure import Figures, Options
from plan.races import ON_ONE_DATABASE, begin, check_books, judge, warm

MOST_PROCESSES, MOST_OPERATIONS, MOST_MESSAGES, LATEST_S = 4, 60, 60, 0.02


def run(options: Options) -> Figures:
    """`count` kills. Raises Failed."""
    figures: Counter[str] = Counter()
    with ground(options.server) as made:
        warm(made)
        site = made.fresh()
        for number, seed in enumerate(options.seeds):
            if number and number % ON_ONE_DATABASE == 0:
                check_books(site, seed - 1)
                made.drop(site)
                site = made.fresh()
            figures.update(killed(made, site, seed))
        check_books(site, options.seeds[-1])
        made.drop(site)
    return Figures(figures)


def killed(ground: Ground, site: Site, seed: int) -> Counter[str]:
    """Let processes play, kill them all, retry what was on its way, and judge. Raises Failed."""
    random = Random(seed)
    story, start = begin(site, seed)
    order = (story.order_id, story.payment_id)
    site.engine.dispose()
    context = multiprocessing.get_context("fork")
    children: list[tuple[Any, Connection]] = []
    for number in range(random.randint(1, MOST_PROCESSES)):
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_play, args=(number, site, order, seed, theirs), daemon=True)
        process.start()
        theirs.close()
        children.append((process, mine))
    heard = _hear_some(children, random.randrange(MOST_MESSAGES))
    time.sleep(random.uniform(0, LATEST_S))
    alive = sum(process.is_alive() for process, _ in children)
    for process, _ in children:
        os.kill(process.pid, signal.SIGKILL)
    events: list[Event] = []
    unanswered: list[Sent] = []
    for (process, end), first in zip(children, heard, strict=True):
        told, sent = _heard(end, first)
        process.join()
        events += told
        unanswered += sent
    _wait_until_gone(ground, site)
    retried = _retry(site, order, unanswered)
    judge(seed, start, [*events, *retried], site, order)
    acknowledged = sum(event.outcome == "ok" for event in events)
    return Counter({
        "trials": 1, "killed": alive, "acknowledged": acknowledged, "retried": len(retried), "acknowledged and lost": 0,
        "unbalanced": 0,
    })  # fmt: skip


def _play(number: int, site: Site, order: tuple[str, str], seed: int, end: Connection) -> None:
    mine = site.opened()
    random = Random(f"{seed}/{number}")
    Player(
        number, mine, Inside(mine), *order, random, order[0][-12:], lambda said: end.send_bytes(pickle.dumps(said))
    ).play(MOST_OPERATIONS)
    os._exit(0)


def _hear_some(children: list[tuple[Any, Connection]], wanted: int) -> list[list[Any]]:
    """What children say until they have said so much in all, or have come to their end."""
    heard: list[list[Any]] = [[] for _ in children]
    left = {end: number for number, (_, end) in enumerate(children)}
    while left and sum(map(len, heard)) < wanted:
        for end in wait(list(left)):
            assert isinstance(end, Connection)
            try:
                heard[left[end]].append(pickle.loads(end.recv_bytes()))
            except (EOFError, OSError):
                del left[end]
    return heard


def _heard(end: Connection, first: list[Any]) -> tuple[list[Event], list[Sent]]:
    """The events that a child has told, and what it had sent and not told the end of."""
    said = list(first)
    while True:
        try:
            said.append(pickle.loads(end.recv_bytes()))
        except (EOFError, OSError):
            break
    pending = said[-1:] if said and isinstance(said[-1], Sent) else []
    return [each for each in said if isinstance(each, Event)], pending


def _retry(site: Site, order: tuple[str, str], unanswered: list[Sent]) -> list[Event]:
    player = Player(98, site, Inside(site), *order, Random(0), f"retry-{order[0]}")
    found = []
    for number, sent in enumerate(unanswered):
        event = player.repeat(sent)
        found.append(replace(event, process=50 + number))
    return found


def _wait_until_gone(ground: Ground, site: Site) -> None:
    """PostgreSQL notices dead clients a little later; their locks go with them."""
    if not isinstance(ground.house.disk, PostgresDisk):
        return
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    for _ in range(1000):
        if site.rows(others)[0][0] == 0:
            return
        time.sleep(0.01)
