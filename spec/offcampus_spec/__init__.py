"""The open standard as Python objects: schemas, operations, requirements, code lists. A thin loader without logic.

The standard is the data beside this package; these modules only read it.
"""

SPEC_VERSION = "0.1.0"
SCHEMA_BASE = "https://spec.offcampus.example/v1/schemas/"
