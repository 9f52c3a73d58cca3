"""The test plan at its full counts: crashes, kills, races, failing disks, restored backups, each replayable by its seed.

`python -m plan` lists it, `python -m plan T4 --count 2000 --engine postgresql` carries a part of it out. It stands on the
simulation's town and invariants, and outside the distribution, because nobody who serves needs it.
"""
