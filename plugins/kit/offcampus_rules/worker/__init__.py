"""Runs a plugin's Python outside the server, in a process that can be killed.

    server ── control ──> nursery ── fork ──> one worker a plugin
       └────────────────── facts down, answers up ──────┘

- The nursery is a fresh interpreter without the server's memory, environment, files or network. It never runs a
  plugin's code; it stands ready to fork, so that a killed worker's successor answers at once.
- Down goes plain data (facts, values), up comes JSON that is checked member by member: nothing a plugin mutates or
  patches can reach the server. It gets no clock, no randomness, no file, no network, no process of its own.
- `hardening` says which walls stand on this machine; what cannot be had is said, never silently left out.
"""
