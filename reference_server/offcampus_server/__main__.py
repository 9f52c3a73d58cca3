"""`python -m offcampus_server`: the same as `offcampus-server`."""

from offcampus_server.cli import main

main()
