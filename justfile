# Short names for the usual commands; `just` lists them. Nothing here is needed: offcampus.py does the same.
default:
    @just --list

# one institution's day, every party its own process
demo *options:
    uv run offcampus-server demo {{options}}

# the tests, without the slow ones
test *options:
    uv run pytest {{options}}

# format, types, import directions, contracts, generated files
lint:
    python3 offcampus.py lint

# mend what can be mended by machine, and rebuild what is generated
fix:
    uv run ruff check --fix .
    uv run ruff format .
    uv run python -m offcampus_sdk.generate
    uv run python -m offcampus_spec.traceability

# measure
bench *options:
    uv run python -m benchmarks {{options}}

# everything that CI does
ci:
    bash .ci/run
