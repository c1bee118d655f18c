"""The README's blocks run, and print what it says they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
BLOCKS = BLOCK.findall(README.read_text("utf-8"))
ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "HOME": "/nonexistent",
    "COLUMNS": "80",
}


def matches(shown, printed):
    """Whether a page shows what is printed; `...` on a line of its own is for lines left out."""
    parts = re.split(r"^\.\.\.\n", shown, flags=re.M)
    return re.fullmatch("(?s:.*)".join(map(re.escape, parts)), printed)


def sessions():
    for number, (language, text) in enumerate(BLOCKS):
        if language == "console":
            for part in re.split(r"^(?=\$ )", text, flags=re.M)[1:]:
                command, _, output = part.partition("\n")
                yield pytest.param(command[2:], output, id=f"block {number}: {command[2:42]}")


@pytest.mark.parametrize(("command", "output"), list(sessions()))
def test_console_blocks_print_what_they_say(command, output, tmp_path):
    done = subprocess.run(
        ["bash", "-c", command],
        env=ENVIRONMENT,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert "Traceback" not in printed
    assert matches(output, printed), printed


@pytest.mark.parametrize("text", [text for language, text in BLOCKS if language == "python"])
def test_python_blocks_run(text, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        env=ENVIRONMENT,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_has_blocks_of_both_kinds():
    assert {"console", "python", "sh"} <= {language for language, _ in BLOCKS}


def test_the_two_commands_are_targets_of_the_makefile():
    makefile = (README.parent / "Makefile").read_text()
    for target in re.findall(r"^make ([a-z-]+)", README.read_text("utf-8"), re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target
