"""What a model's folder holds, looked at without the code under test."""

import hashlib
import json
from pathlib import Path

STATE = ".zooselect-model"


def manifest(folder):
    """The manifest of a folder as JSON; None without one."""
    path = Path(folder) / STATE / "manifest.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def visible(folder):
    """All files of a folder that are the model's, with their content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and STATE not in path.parts
    }


def private(folder):
    """Names of what stands beside a model for the package itself, but what always does."""
    state = Path(folder) / STATE
    names = {path.name for path in state.iterdir()} if state.is_dir() else set()
    return sorted(names - {"manifest.json", "lock"})


def corrupt_files(folder):
    """Names of files that a manifest vouches for wrongly: none, whatever happened."""
    held = manifest(folder)
    wrong = []
    for name, said in (held["files"] if held else {}).items():
        path = Path(folder) / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != said["sha256"]:
            wrong.append(name)
    return wrong


def check_whole(folder, files):
    """Assert that a folder is the whole model of these files, and nothing else."""
    held = manifest(folder)
    assert held is not None
    assert set(held["files"]) == set(files)
    assert visible(folder) == files
    assert corrupt_files(folder) == []
    assert private(folder) == []


def check_nothing(folder):
    """Assert that a folder is no model for anyone."""
    assert manifest(folder) is None
    assert visible(folder) == {}
