"""Checks of a fund-supervision bank's system: it pulls instructions, moves money once, and reports what it booked."""
