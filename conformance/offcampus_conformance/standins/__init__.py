"""Stand-ins: small systems of the other parties, good ones and ones with a named fault.

They show how a vendor's or a bank's system connects, let the demo and the suite run without any real one, and prove
that the suite finds what it should.
"""
