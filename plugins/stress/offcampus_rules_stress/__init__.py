"""Synthetic rules that stretch every extension point. For tests only: no entry point, so no server finds them."""
