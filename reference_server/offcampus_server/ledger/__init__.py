"""The custody ledger: double entry in integer fen, append-only, two-step where a bank must confirm."""
