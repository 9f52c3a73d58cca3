"""Benchmarks: one command, a table; each figure beside a named baseline measured in the same run."""
