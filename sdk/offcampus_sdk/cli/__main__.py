"""`python -m offcampus_sdk.cli`."""

import sys

from offcampus_sdk.cli import main

sys.exit(main())
