"""Refunds: the unconsumed rest goes back through the channels that paid, with the working shown."""
