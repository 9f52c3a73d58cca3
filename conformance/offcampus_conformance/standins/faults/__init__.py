"""Stand-ins with one named fault each, of a kind seen in practice. Each names the check that must find it.

A fault is written from the requirement that it breaks. The good stand-in with a fault's one change is the whole
difference: what else the suite says about it would be a false alarm.
"""
