"""What the tests of the engine share."""

from __future__ import annotations

from mini_profile import mini as mini
