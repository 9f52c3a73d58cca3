"""How long a stand-in tries: as a product does in the field, or as a test bench has time for."""

from __future__ import annotations

from offcampus_sdk.retries import RetryPolicy


class Steady(RetryPolicy):
    """The same short wait each time, and Retry-After kept."""

    def wait(self, attempt: int, retry_after_s: float | None) -> float:
        """How long to wait after the n-th attempt."""
        return max(0.12, retry_after_s or 0.0)


PATIENT = RetryPolicy(attempts=60, deadline_s=120.0, longest_wait_s=2.0)
HURRIED = Steady(attempts=6, deadline_s=20.0)
