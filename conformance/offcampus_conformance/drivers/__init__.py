"""Three ways to make a system under test act: over HTTP, by a command, by hand. The checks are the same.

The contract is `spec/openapi/driver.yaml`. Whatever the way, an action comes back as an `Outcome`, and is recorded
with the class of evidence that it is: a driver's word, or a person's.
"""

from offcampus_conformance.drivers.contract import Card as Card
from offcampus_conformance.drivers.contract import Driver as Driver
from offcampus_conformance.drivers.contract import Outcome as Outcome
