"""Environments of the old clients: made once in the repository, each from a pinned file here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from tests.engines.prove import working

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
#: Folder `.venv-NAME` and the packages in it.
REQUIREMENTS = {
    "sparsezoo": HERE / "requirements-sparsezoo-1.8.1.txt",
    "sparsezoo-1.7.0": HERE / "requirements-sparsezoo-1.7.0.txt",
    "sparsezoo-1.6.1": HERE / "requirements-sparsezoo-1.6.1.txt",
    "sparsezoo-1.5.2": HERE / "requirements-sparsezoo-1.5.2.txt",
    "sparsezoo-1.4.0": HERE / "requirements-sparsezoo-1.4.0.txt",
    "sparsezoo-1.3.1": HERE / "requirements-sparsezoo-1.3.1.txt",
    "sparsezoo-1.2.0": HERE / "requirements-sparsezoo-1.2.0.txt",
    "sparsezoo-1.1.0": HERE / "requirements-sparsezoo-1.1.0.txt",
    "deepsparse": HERE / "requirements-deepsparse-1.8.0.txt",
    "sparseml": HERE.parent / "engines" / "requirements-sparseml.txt",
}


class NoEnvironmentError(Exception):
    """An environment cannot be made here; the message says why."""


def environment(name: str, python: str | None = None) -> Path:
    """Return the Python of an old client's environment, made if need be.

    Args:
        name: of `REQUIREMENTS`.
        python: what to make it with, as `python3.8`; None for the running Python, which
            must then be 3.10 or 3.11.

    Raises:
        NoEnvironmentError: that Python is missing, or a package cannot be installed.
    """
    folder = REPOSITORY / f".venv-{name}"
    # Tests run in several processes, and the first that needs it makes it for all.
    with FileLock(f"{folder}.lock"):
        return _made(name, folder, python)


def _made(name: str, folder: Path, python: str | None) -> Path:
    wanted = REQUIREMENTS[name].read_text()
    ours, stamp = folder / "bin" / "python", folder / ".installed"
    if stamp.exists() and stamp.read_text() == wanted and ours.exists():
        return ours
    if python is None and sys.version_info[:2] not in ((3, 10), (3, 11)):
        raise NoEnvironmentError(f"{name} needs Python 3.10 or 3.11")
    found = sys.executable if python is None else working(python)
    if found is None:
        raise NoEnvironmentError(f"{name} needs {python}, which is not on this machine")
    print(f"making the environment of {name}, once", file=sys.stderr)
    for command in (
        [found, "-m", "venv", "--clear", str(folder)],
        [str(ours), "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "--retries", "1", "-r", str(REQUIREMENTS[name])],
    ):  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no reason"]
            raise NoEnvironmentError(f"{name} cannot be installed: {errors[-1]}")
    stamp.write_text(wanted)
    return ours
