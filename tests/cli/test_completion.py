"""Shell completion: click's protocol, and real shells."""

import os
import select
import shutil
import subprocess
import sys
import time

import pytest

from zooselect import Catalog
from zooselect.cli.main import _COMMANDS
from zooselect.task import TASKS

NAMES = sorted(name for task in TASKS for name in (task.name, *task.aliases))
SEGMENTATION = sorted(
    name
    for one in Catalog.embedded().at("cv", "segmentation")
    for name in (one.stub, *one.aliases)
    if name.startswith("zoo:cv/segm")
)
(YOLOV8_N,) = (name for name in SEGMENTATION if "/yolov8-n/" in name)


def shell(name):
    found = shutil.which(name)
    return pytest.param(
        found or name,
        id=name,
        marks=pytest.mark.skipif(found is None, reason=f"{name} is not installed"),
    )


@pytest.fixture
def path(tmp_path):
    """A PATH on which `zooselect` is the code under test."""
    script = tmp_path / "bin" / "zooselect"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m zooselect "$@"\n')
    script.chmod(0o755)
    return f"{script.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def ask(process):
    """Ask for completions as bash does: the words, the last of them not yet finished."""

    def call(*words, kind="bash_complete", **env):
        done = process(
            env={
                "_ZOOSELECT_COMPLETE": kind,
                "COMP_WORDS": " ".join(["zooselect", *words]),
                "COMP_CWORD": str(len(words)),
                **env,
            }
        )
        assert (done.code, done.err) == (0, "")
        return [line.partition(",")[2] for line in done.out.splitlines() if line]

    return call


def test_commands_and_options(ask):
    assert ask("re") == ["resolve", "report"]
    assert sorted(ask("")) == sorted(_COMMANDS)
    assert "--optim-level" in ask("resolve", "ic", "--op")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("image-c", ["image-classification"]),
        ("image_c", ["image_classification"]),
        ("question", ["question-answering"]),
        ("named-", ["named-entity-recognition"]),
        ("mlm", ["mlm"]),
        ("nothing", []),
    ],
)
def test_tasks(ask, typed, expected):
    assert ask("resolve", typed) == expected


@pytest.mark.parametrize("command", ["levels", "search", "compare", "report"])
def test_tasks_of_other_commands(ask, command):
    assert ask(command, "named-") == ["named-entity-recognition"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("compare", "--objective", ""), ["size", "quality", "throughput"]),
        (("compare", "--format", "c"), ["csv"]),
        (("scan", ".", "--fail-on", "m"), ["missing", "misspelt"]),
    ],
)
def test_words_of_options(ask, words, expected):
    assert ask(*words) == expected


def test_all_tasks(ask):
    assert sorted(ask("resolve", "")) == sorted(name.replace("_", "-") for name in NAMES)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        # bash breaks words at colons, and puts back only what follows the last one.
        (("zoo", ":", "cv/segm"), "zoo:"),
        (("zoo:cv/segm",), "zoo:"),
        (("cv/segm",), "zoo:"),
    ],
)
def test_stubs_in_bash(ask, words, kept):
    assert ask("show", *words) == [stub.removeprefix(kept) for stub in SEGMENTATION]


@pytest.mark.parametrize("words", [("zoo", ":"), ("zoo", ":", "")])
def test_all_stubs_after_the_colon(ask, words):
    found = ask("show", *words)
    assert len(found) >= 430
    assert not any(stub.startswith("zoo:") for stub in found)


def test_stubs_before_the_colon(ask):
    assert len(ask("show", "zo")) >= 430
    assert all(stub.startswith("zoo:") for stub in ask("show", "zo"))


@pytest.mark.parametrize("how", ["option", "environment"])
def test_stubs_of_another_catalog(ask, catalog_file, how):
    file = str(catalog_file([{"stub": "zoo:a-b-c"}, {"stub": "bad"}]))
    if how == "option":
        assert ask("show", "--catalog", file, "zoo", ":", "a") == ["a-b-c"]
    else:
        assert ask("show", "zoo", ":", "a", ZOOSELECT_CATALOG=file) == ["a-b-c"]


def test_a_catalog_that_cannot_be_read_completes_to_nothing(ask, tmp_path):
    assert ask("show", "zo", ZOOSELECT_CATALOG=str(tmp_path)) == []


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_scripts(process, name):
    if name == "bash" and shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    done = process(env={"_ZOOSELECT_COMPLETE": f"{name}_source"})
    assert (done.code, done.err) == (0, "")
    assert f"_ZOOSELECT_COMPLETE={name}_complete" in done.out


@pytest.mark.parametrize("value", ["", "bash", "bash_nothing", "csh_source"])
def test_a_protocol_nobody_speaks(process, value):
    done = process("resolve", "ic", env={"_ZOOSELECT_COMPLETE": value})
    assert "Traceback" not in done.err


def run(command, path):
    done = subprocess.run(
        command, env={**os.environ, "PATH": path},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("bash", [shell("bash")])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("resolve image-c", ["image-classification"]),
        ("show zoo : cv/segm", [stub.removeprefix("zoo:") for stub in SEGMENTATION]),
        ("lev", ["levels"]),
    ],
)
def test_bash_function(bash, path, words, expected):
    script = f"""
        eval "$(_ZOOSELECT_COMPLETE=bash_source zooselect)"
        COMP_WORDS=(zooselect {words})
        COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
        _zooselect_completion zooselect
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert run([bash, "--norc", "--noprofile", "-c", script], path) == expected


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
@pytest.mark.parametrize("bash", [shell("bash")])
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("zooselect resolve image-c", "zooselect resolve image-classification "),
        ("zooselect show zoo:cv/segm", "zooselect show zoo:cv/segmentation/yol"),
        ("zooselect show zoo:cv/segmentation/yolov8-n/", "zooselect show " + YOLOV8_N + " "),
    ],
)
def test_bash_with_tab(bash, path, typed, line):
    """The key pressed in an interactive bash: what the line is afterwards."""
    import fcntl
    import struct
    import termios

    terminal, inside = os.openpty()
    # Wide enough that no line is folded or scrolled.
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
    shown = {"PS1": "ready> ", "TERM": "dumb", "INPUTRC": "/dev/null", "HISTFILE": ""}
    with subprocess.Popen(
        [bash, "--norc", "--noprofile", "-i"],
        stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
        env={**os.environ, **shown, "PATH": path},
    ) as child:  # fmt: skip
        os.close(inside)
        try:
            _until(terminal, "ready> ")
            _send(terminal, 'eval "$(_ZOOSELECT_COMPLETE=bash_source zooselect)"; echo lo""aded\n')
            _until(terminal, "loaded\r\nready> ")
            _send(terminal, typed + "\t")
            assert line in _until(terminal, line)
        finally:
            child.kill()
            os.close(terminal)


def _send(terminal, text):
    os.write(terminal, text.encode())


def _until(terminal, wanted, seconds=30):
    """Read a terminal until it shows a text."""
    seen = ""
    end = time.monotonic() + seconds
    while wanted not in seen:
        left = end - time.monotonic()
        assert left > 0, f"{wanted!r} never appeared in {seen!r}"
        if select.select([terminal], [], [], left)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace").replace("\a", "")
    return seen


@pytest.mark.parametrize("zsh", [shell("zsh")])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("resolve image-c", ["image-classification"]),
        ("show zoo:cv/segm", SEGMENTATION),
    ],
)
def test_zsh_function(zsh, path, words, expected):
    """Without a terminal: the completion system's own functions are stood in for."""
    script = f"""
        compdef() {{ : }}
        compadd() {{ print -l -- "${{completions[@]}}" }}
        eval "$(_ZOOSELECT_COMPLETE=zsh_source zooselect)"
        words=(zooselect {words})
        CURRENT=$#words
        _zooselect_completion
    """
    assert run([zsh, "-f", "-c", script], path) == expected


@pytest.mark.parametrize("fish", [shell("fish")])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("zooselect resolve image-c", ["image-classification"]),
        ("zooselect show zoo:cv/segm", SEGMENTATION),
    ],
)
def test_fish(fish, path, line, expected):
    script = f"_ZOOSELECT_COMPLETE=fish_source zooselect | source; complete -C '{line}'"
    assert run([fish, "--no-config", "-c", script], path) == expected
