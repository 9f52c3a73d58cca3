"""Scenarios: what the suite does to a system under test, written as data and played step by step."""
