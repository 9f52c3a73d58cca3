"""A simulator of the money side: random histories with faults on a virtual clock, every invariant checked all along.

It lives beside the server and not in its tests, because it is also a command (`python -m simulation`), and outside the
distribution, because nobody who serves needs it. It drives the operations as the pipeline binds them (everything but
tokens and signatures), so it follows the server's code and keeps no copy of its rules.
"""
