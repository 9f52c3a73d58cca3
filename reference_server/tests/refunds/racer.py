"""One of several processes that act at the same instant: reads jobs from standard input, answers on standard output.

Started by `test_races.py` with the folder of a sandbox; each job names who acts, how, and when.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from joserfc.jwk import OKPKey
from offcampus_server.app import create_app, make_platform
from offcampus_server.settings import Settings
from world import Party


def main() -> None:
    """Get ready, say so, then act job by job."""
    folder, clients = Path(sys.argv[1]), json.loads(sys.argv[2])
    settings = Settings.from_environment(json.loads((folder / "environment.json").read_text()))
    app = create_app(platform=make_platform(settings))
    parties = {}
    for name, client_id in clients.items():
        key = OKPKey.import_key(json.loads((folder / "keys" / f"{name}.json").read_text()))
        parties[name] = Party(client_id, key, app.test_client())
        parties[name].sign_in()
    tell({"ready": True})
    for line in sys.stdin:
        job = json.loads(line)
        while time.time() < job["at"]:
            pass
        answer = parties[job["who"]].post(job["path"], job["body"], **job["how"])
        tell({"status": answer.status_code, "body": answer.json})


def tell(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
