"""The conformance suite of the open standard: what a vendor, a province or a bank runs before connecting.

It is a black-box judge: it speaks HTTP, reads the standard, and never imports the server it judges.
"""

SUITE_VERSION = "0.1.0"
