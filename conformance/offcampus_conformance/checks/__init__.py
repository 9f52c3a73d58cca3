"""The checks: one package a profile, one module a capability. Written from the requirements, not from any server."""
