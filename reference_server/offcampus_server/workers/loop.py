"""Rounds: sweeps over deadlines, webhook deliveries, forgetting, the provable log. Each step is a transaction of its
own; the log comes last, so that a tree that is broken stops nothing else.
"""

from __future__ import annotations

import signal
import threading

from offcampus_server.kernel.clock import security_instant, security_now
from offcampus_server.kernel.observe import log
from offcampus_server.kernel.problems import Problem
from offcampus_server.parties import service as parties
from offcampus_server.pipeline import Platform
from offcampus_server.prooflog import heads, sequencer
from offcampus_server.registry import SWEEPS
from offcampus_server.workers import deliver

AT_A_TIME = 200


def run_once(platform: Platform) -> dict[str, int]:
    """One round; says how much each step did."""
    done = {name: _sweep(platform, name) for name in SWEEPS}
    done["delivered"] = deliver.run(platform)
    done["forgotten"] = platform.storage.write(lambda work: parties.forget_expired(work.connection, security_now()))
    done["logged"] = sequencer.run(platform.storage, security_instant())
    every_s = platform.settings.log_head_seconds
    done["heads"] = heads.run(platform.storage, platform.keyring, security_instant(), every_s)
    return done


def run_forever(platform: Platform, interval_s: float) -> None:
    """Rounds until SIGTERM or SIGINT; an error in one round is logged and the next one comes."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            done = run_once(platform)
        except Exception as error:  # noqa: BLE001 - a worker outlives any one fault; the alarm is the log line
            log().error("round_failed", error=error)
            done = {}
        if any(done.values()):
            log().info("round", **done)
        stop.wait(interval_s)


def _sweep(platform: Platform, name: str) -> int:
    """Repeat a sweep until nothing is due; another worker's conflict is left for the next round."""
    total = 0
    while True:
        try:
            done = platform.storage.write(lambda work: SWEEPS[name](work, AT_A_TIME))
        except Problem as problem:
            log().warning("sweep_interrupted", sweep=name, code=problem.code)
            return total
        total += done
        if done < AT_A_TIME:
            return total
