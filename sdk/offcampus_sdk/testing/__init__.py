"""For a product's own tests: a platform in the test's process, with the contract's behaviour and faults on demand.

With pytest: `pytest_plugins = ["offcampus_sdk.testing.fixtures"]` in `conftest.py`, then take `offcampus_platform`,
`offcampus_client` or `offcampus_async_client` as arguments.
"""

from offcampus_sdk.testing.fake import FakePlatform
from offcampus_sdk.testing.faults import Fault
from offcampus_sdk.testing.store import Answer, refusal

__all__ = ["Answer", "FakePlatform", "Fault", "refusal"]
