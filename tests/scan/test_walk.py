"""Which files are scanned, held against git itself."""

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zooselect.errors import LocalFileError
from zooselect.scan.walk import walk

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
SILENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder, *arguments):
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=SILENT, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def walked(*roots, notes=None):
    told = [] if notes is None else notes
    return list(walk([str(root) for root in roots], lambda path, why: told.append((path, why))))


def below(folder, **options):
    return [os.path.relpath(path, folder) for path in walked(folder, **options)]


def as_git_has_it(folder):
    """The files git would add: all that are not ignored."""
    listed = git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted(filter(None, listed.split("\0")))


NAMES = st.sampled_from(["a", "b", "build", "x.py", "x.log", "keep.log", "a.b", "ab"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.sampled_from(
    [
        "a", "/a", "a/", "/a/", "*", "!*/", "*.log", "!keep.log", "!x.log", "a/*", "!a/b", "a/**",
        "**/b", "a/**/b", "build", "!build", "!build/", "/build/x.py", "[ab]", "[!a]", "a?", "#a",
        "\\#a", "", "  ", "a ", "x.*", "!x.py", "/*", "!/a", "**", "a/b/", "/*/x.log", "*.b",
        "!a", "!**/b", "a**b", "**/*.py", "!a/**/b", "/**", "/**/a", "***", "a/***", "[]a]",
        "[a-b]*", "[[:alpha:]]", "[^[:digit:]]*", "[b-a]", "[", "a[", "a\\", "\\a", "\\*",
        "a\\ ", "!", "/", "//", "[a/]b", "x.py\r", "\\!a", "b/../a", "**a", "a/**b", "[!a-b]",
        "[a\\]]", "[a-]", "[-a]",
    ]
)  # fmt: skip
IGNORES = st.dictionaries(
    st.sampled_from([".", "a", "b", "a/b", "build"]), st.lists(PATTERNS, max_size=4), max_size=3
)


@needs_git
@settings(max_examples=examples(150), suppress_health_check=list(HealthCheck))
@given(st.sets(PATHS, max_size=12), IGNORES)
def test_as_git_does(tmp_path_factory, paths, ignores):
    folder = tmp_path_factory.mktemp("tree")
    git(folder, "init", "-q")
    for path in sorted(paths):
        # A name is a file or a folder, whichever comes first.
        target = folder / path
        if not target.exists() and not any(one.is_file() for one in target.parents):
            write(folder, {path: ""})
    for place, patterns in ignores.items():
        if (folder / place).is_dir():
            write(folder / place, {".gitignore": "\n".join(patterns)})
    assert sorted(below(folder)) == as_git_has_it(folder)
    for place in ("a", "build"):
        if (folder / place).is_dir():
            # Named itself, an ignored folder is scanned; any other as part of the whole.
            part = [f"{place}/{path}" for path in below(folder / place)]
            whole = [path for path in below(folder) if path.startswith(f"{place}/")]
            assert set(whole) <= set(part)
            ignored = subprocess.run(
                ["git", "-C", str(folder), "check-ignore", "-q", place], env=SILENT, check=False
            )
            if ignored.returncode:
                assert sorted(part) == sorted(whole)


@needs_git
def test_nested_and_negated_and_excluded(tmp_path):
    git(tmp_path, "init", "-q")
    write(
        tmp_path,
        {
            ".gitignore": "*.log\nout/\n",
            "a.log": "",
            "out/a.py": "",
            "sub/.gitignore": "!b.log\n*.tmp\n",
            "sub/b.log": "",
            "sub/c.log": "",
            "sub/d.tmp": "",
            "d.tmp": "",
            "private.py": "",
            ".git/info/exclude": "private.py\n",
        },
    )
    assert below(tmp_path) == [".gitignore", "d.tmp", "sub/.gitignore", "sub/b.log"]
    assert sorted(below(tmp_path)) == as_git_has_it(tmp_path)


def test_without_a_repository(tmp_path):
    write(tmp_path, {".gitignore": "a\n", "a": "", "b/a": "", "b/c": ""})
    assert below(tmp_path) == [".gitignore", "b/c"]
    # Above what is named, only a repository's files count.
    assert below(tmp_path / "b") == ["a", "c"]


@needs_git
def test_what_is_named_is_scanned(tmp_path):
    git(tmp_path, "init", "-q")
    write(
        tmp_path, {".gitignore": "venv/\n*.log\n", "venv/a.py": "", "venv/b.log": "", "c.log": ""}
    )
    assert below(tmp_path) == [".gitignore"]
    assert below(tmp_path / "venv") == ["a.py", "b.log"]
    assert walked(tmp_path / "c.log") == [str(tmp_path / "c.log")]


def test_nothing_twice_and_git_never(tmp_path):
    write(tmp_path, {"a": "", "b/c": "", ".git/config": ""})
    assert walked(tmp_path, tmp_path / "b", tmp_path / "a") == [
        str(tmp_path / "a"),
        str(tmp_path / "b" / "c"),
    ]


def test_links_are_not_followed(tmp_path):
    write(tmp_path, {"a": "", "b/c": ""})
    (tmp_path / "b" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    assert below(tmp_path) == ["a", "b/c"]
    # but the one that is named is
    assert walked(tmp_path / "link") == [str(tmp_path / "link")]
    assert below(tmp_path / "b" / "loop") == ["a", "b/c"]


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path, {"a": ""})
    assert below(tmp_path) == ["a"]


def test_an_unreadable_folder_is_noted(tmp_path, monkeypatch):
    write(tmp_path, {"a": "", "shut/b": ""})
    real = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    notes = []
    assert below(tmp_path, notes=notes) == ["a"]
    assert notes == [(str(tmp_path / "shut"), "Permission denied")]


def test_a_bad_ignore_file_is_noted(tmp_path):
    (tmp_path / ".gitignore").write_bytes(b"\xff\xfe\n[\nb\n")
    write(tmp_path, {"a": "", "b": ""})
    assert below(tmp_path) == [".gitignore", "a"]


@pytest.mark.parametrize("name", ["nothing", "a/b", "self", "nul\0"])
def test_a_root_that_does_not_exist(tmp_path, name):
    write(tmp_path, {"a": ""})
    (tmp_path / "self").symlink_to(tmp_path / "self")
    with pytest.raises(LocalFileError, match="cannot scan"):
        walked(tmp_path, os.path.join(tmp_path, name))


def test_a_very_deep_tree(tmp_path):
    depth = 1200
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("leaf", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    try:
        assert [os.path.basename(path) for path in walked(tmp_path)] == ["leaf"]
    finally:
        # Too deep for pytest to remove.
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True, timeout=60)
