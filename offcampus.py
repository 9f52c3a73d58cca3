#!/usr/bin/env python3
"""One file that needs nothing but Python: makes the environment when it is missing or old, and runs a command.

    python3 offcampus.py demo [options]     one institution's day, every party its own process
    python3 offcampus.py test [options]     the tests; options go to pytest
    python3 offcampus.py lint               format, types, import directions, contracts, generated files
    python3 offcampus.py ci                 what .ci/run does
    python3 offcampus.py run COMMAND …      any command of the environment, for one `run offcampus-conformance --help`

With uv none of this is needed: `uv run offcampus-server demo`, `uv run pytest`.
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "offcampus-requirements.sha256"
REQUIREMENTS = ROOT / "requirements-dev.txt"

CHECK = ["offcampus-rules", "check", "--coverage", "--mutate"]
LINT = {
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "import directions": ["lint-imports"],
    "contracts, schemas, examples": ["python", "-m", "offcampus_spec.lint"],
    "traceability page is current": ["python", "-m", "offcampus_spec.traceability", "--check"],
    "pages of checks and coverage are current": ["python", "-m", "offcampus_conformance.pages", "--check"],
    "SDK models are current": ["python", "-m", "offcampus_sdk.generate", "--check"],
    "national rules": [*CHECK, "plugins/national"],
    "Beijing's rules": [*CHECK, "plugins/beijing"],
    "Guangdong's rules": [*CHECK, "plugins/guangdong"],
    "Hubei's rules": [*CHECK, "plugins/hubei"],
    "Shandong's rules": [*CHECK, "plugins/shandong"],
    "Zhejiang's rules": [*CHECK, "plugins/zhejiang"],
    "synthetic rules": [*CHECK, "plugins/stress"],
}


def main(arguments):
    """Run one of the commands above; returns the exit status."""
    if sys.version_info < OLDEST:
        return fail(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}")
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if name == "ci":
        return run(["bash", str(ROOT / ".ci" / "run"), *rest])
    if name == "lint":
        return prepare() or stages(LINT)
    commands = {"demo": ["offcampus-server", "demo"], "test": ["python", "-m", "pytest"], "run": []}
    if name not in commands or (name == "run" and not rest):
        print(__doc__)
        return 0 if name in ("--help", "-h", "help") else 2
    return prepare() or run([*commands[name], *rest])


def prepare():
    """Make the environment, or bring it to what requirements-dev.txt asks; returns the exit status."""
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted() and PYTHON.exists():
        return 0
    print(f"preparing {VENV.name} from {REQUIREMENTS.name} (a minute, once)", file=sys.stderr, flush=True)
    if not PYTHON.exists() and subprocess.call([sys.executable, "-m", "venv", "--without-pip", str(VENV)]):
        return fail("this Python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv)")
    if subprocess.call([str(PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL) and subprocess.call(
        [str(PYTHON), "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL
    ):
        return fail("this Python comes without ensurepip (on Debian and Ubuntu: apt install python3-venv)")
    install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    if subprocess.call(install, cwd=ROOT):
        return fail("pip could not install requirements-dev.txt; its message stands above")
    STAMP.write_text(wanted(), encoding="utf-8")
    return 0


def wanted():
    """What the environment is made from: the requirements, the members' own, this Python, this place."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    members = [line[3:].split("[")[0].strip() for line in lines(REQUIREMENTS) if line.startswith("-e ")]
    for path in [REQUIREMENTS, *(ROOT / member / "pyproject.toml" for member in members)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def stages(commands):
    """Run every stage, say how each ended and how long it took; 1 when any failed."""
    failed = []
    for name, command in commands.items():
        started = time.monotonic()
        status = run(command)
        print(f"{'ok' if status == 0 else 'FAILED':<7} {name} ({time.monotonic() - started:.1f} s)", flush=True)
        if status:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(command):
    """Run a command with the environment's programs first; returns its exit status."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(VENV)}
    program = {"python": str(PYTHON)}.get(command[0], command[0])
    found = BIN / program
    return subprocess.call([str(found) if found.exists() else program, *command[1:]], cwd=ROOT, env=environment)


def fail(message):
    print(f"offcampus.py: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
