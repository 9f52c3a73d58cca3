"""Parties: the registered systems, their keys, what they may act for, and how they get a token."""
