"""The driver over HTTP: a small contract in front of the product, `spec/openapi/driver.yaml`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import httpx2

from offcampus_conformance.drivers.contract import NOT_OFFERED, Card, Description, Outcome, description_of
from offcampus_conformance.record import EvidenceClass

STEP_TIMEOUT_S = 60.0
LONGEST_ANSWER = 4 * 1024 * 1024


@dataclass
class HttpDriver:
    """Asks at `{url}/v1/actions/{action}`."""

    url: str
    timeout_s: float = STEP_TIMEOUT_S
    evidence: EvidenceClass = "observed"
    _http: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        self._http = httpx2.Client(timeout=self.timeout_s, follow_redirects=False, trust_env=False)

    def describe(self) -> Description:
        """`GET /v1/driver`; a driver that does not answer it claims nothing."""
        try:
            answer = self._http.get(f"{self.url}/v1/driver").json()
        except (httpx2.HTTPError, ValueError, RecursionError):
            answer = None
        return description_of(answer if isinstance(answer, dict) else {})

    def act(self, card: Card) -> Outcome:
        """One request; whatever goes wrong is the outcome, never an error of the suite."""
        path = f"/v1/actions/{card.action.replace('_', '-')}"
        content = json.dumps(card.given, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Offcampus-Step": card.step, "Offcampus-Now": card.at}
        try:
            with self._http.stream("POST", self.url + path, content=content, headers=headers) as response:
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LONGEST_ANSWER:
                        return Outcome(0, trouble=f"the driver's answer is larger than {LONGEST_ANSWER} bytes")
            answer = json.loads(body) if body else {}
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            return Outcome(0, trouble=f"{type(error).__name__}: {error}")
        if not isinstance(answer, dict):
            return Outcome(0, trouble="the driver's answer is no JSON object")
        status = response.status_code
        return Outcome(NOT_OFFERED if status in (404, 405, 501) else status, answer)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
