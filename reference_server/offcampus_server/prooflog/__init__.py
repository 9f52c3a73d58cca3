"""The provable log: every fact of ledger and audit trail as a leaf of one Merkle tree, with signed tree heads."""
