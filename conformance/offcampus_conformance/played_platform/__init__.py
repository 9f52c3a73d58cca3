"""The suite plays the platform: it answers a vendor's or a bank's system by contract, records all that comes, and
misbehaves on purpose where a lawful platform or network may (a lost answer, a 503, a refused item)."""
