"""Which files are scanned, held against git itself."""

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
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
        env=SILENT, check=False, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return os.fsdecode(done.stdout)


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def walked(*roots, notes=None, exclude=()):
    told = [] if notes is None else notes
    paths = [str(root) for root in roots]
    return list(walk(paths, lambda path, why: told.append((path, why)), exclude))


def below(folder, **options):
    return [os.path.relpath(path, folder) for path in walked(folder, **options)]


def as_git_has_it(folder):
    """The files git would add: all that are not ignored."""
    listed = git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted(filter(None, listed.split("\0")))


def ignored_by_git(folder, names):
    done = subprocess.run(
        ["git", "-C", str(folder), "check-ignore", "--stdin", "-z"],
        input=os.fsencode("\0".join(names)),
        env=SILENT, check=False, capture_output=True, timeout=60,
    )  # fmt: skip
    return set(os.fsdecode(done.stdout).split("\0"))


NAMES = st.sampled_from(["a", "b", "build", "x.py", "x.log", "keep.log", "a.b", "ab", "a\\b", "é"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
SAID = st.sampled_from(
    [
        "a", "/a", "a/", "/a/", "*", "!*/", "*.log", "!keep.log", "!x.log", "a/*", "!a/b", "a/**",
        "**/b", "a/**/b", "build", "!build", "!build/", "/build/x.py", "[ab]", "[!a]", "a?", "#a",
        "\\#a", "", "  ", "a ", "x.*", "!x.py", "/*", "!/a", "**", "a/b/", "/*/x.log", "*.b",
        "!a", "!**/b", "a**b", "**/*.py", "!a/**/b", "/**", "/**/a", "***", "a/***", "[]a]",
        "[a-b]*", "[[:alpha:]]", "[^[:digit:]]*", "[b-a]", "[", "a[", "a\\", "\\a", "\\*",
        "a\\ ", "!", "/", "//", "[a/]b", "x.py\r", "\\!a", "b/../a", "**a", "a/**b", "[!a-b]",
        "[a\\]]", "[a-]", "[-a]", "a**/b", "a\\\\ ", "[[:no:]]", "[[:alpha]", "**\\/b", "b/**/",
    ]
)  # fmt: skip
PIECES = st.sampled_from(
    ["a", "b", "/", "*", "**", "**/", "/**", "?", "[ab]", "[!a]", "[a-b]", "[", "]", "\\", "!", "-",
     ".", " ", "[[:alpha:]]", "[]-a]", "\\*", "\\/", "[\\]]", "\xe9", "x"]
)  # fmt: skip
PATTERNS = SAID | st.lists(PIECES, min_size=1, max_size=6).map("".join)
PLACES = st.sampled_from([".", "a", "b", "a/b", "build"])
IGNORES = st.dictionaries(PLACES, st.lists(PATTERNS, max_size=4), max_size=3)
TREES = st.lists(st.tuples(st.sets(PATHS, max_size=12), IGNORES), min_size=1, max_size=12)


# A process of git costs far more than a folder: so many trees stand in one repository.
@needs_git
@settings(max_examples=examples(40), suppress_health_check=list(HealthCheck))
@given(TREES, st.just([]) | st.lists(PATTERNS, max_size=2))
@example([({"a/a"}, {".": ["/**", "!*/"]})], [])
def test_as_git_does(tmp_path_factory, trees, outer):
    top = tmp_path_factory.mktemp("trees")
    git(top, "init", "-q")
    write(top, {".gitignore": "\n".join(outer)})
    for number, (paths, ignores) in enumerate(trees):
        folder = top / f"x{number}"
        for path in sorted(paths):
            # A name is a file or a folder, whichever comes first.
            target = folder / path
            if not target.exists() and not any(one.is_file() for one in target.parents):
                write(folder, {path: ""})
        for place, patterns in ignores.items():
            if (folder / place).is_dir():
                write(folder / place, {".gitignore": "\n".join(patterns)})
    assert sorted(below(top)) == as_git_has_it(top)
    folders = [f"x{at}/{name}" for at in range(len(trees)) for name in ("a", "build")]
    folders = [name for name in folders if (top / name).is_dir()]
    unseen = ignored_by_git(top, folders)
    for name in folders:
        # Named itself, an ignored folder is scanned; any other as part of the whole.
        part = [f"{name}/{path}" for path in below(top / name)]
        whole = [path for path in below(top) if path.startswith(f"{name}/")]
        assert set(whole) <= set(part)
        if name not in unseen:
            assert sorted(part) == sorted(whole)


CLASSES = (
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "xdigit",
)  # fmt: skip


@needs_git
def test_classes_of_characters_are_those_of_git(tmp_path):
    git(tmp_path, "init", "-q")
    names = [chr(code) for code in range(1, 128) if chr(code) not in "./"]
    for kind in CLASSES:
        write(tmp_path / kind, {".gitignore": f"x[[:{kind}:]]", **{f"x{one}": "" for one in names}})
    assert sorted(below(tmp_path)) == as_git_has_it(tmp_path)


# Fails by taking for ever.
@pytest.mark.parametrize("pattern", ["*a" * 60 + "b", "**/a/" * 60 + "b", "/" + "a*/" * 60 + "b"])
def test_no_pattern_takes_long(tmp_path, pattern):
    write(tmp_path, {".gitignore": pattern, "a" * 200: "", "a/" * 100 + "c": ""})
    assert len(below(tmp_path)) == 3


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


def test_what_is_excluded(tmp_path):
    write(
        tmp_path,
        {
            ".gitignore": "*.log\n", "a.log": "", "b/a.log": "", "b/c": "", "b/d/c": "", "c/e": "",
            "b/.gitignore": "!c\n",
        },
    )  # fmt: skip
    assert below(tmp_path, exclude=["/c", "d/"]) == [".gitignore", "b/.gitignore", "b/c"]
    # It decides before every file, for and against; a root has patterns of its own.
    assert below(tmp_path, exclude=["c", ".*", "!/b/*.log"]) == ["b/a.log"]
    assert walked(tmp_path / "b", tmp_path / "c", exclude=["/e", ".*", "d", "*.log"]) == [
        str(tmp_path / "b" / "c")
    ]
    # What is named itself is scanned.
    assert walked(tmp_path / "b" / "c", exclude=["*"]) == [str(tmp_path / "b" / "c")]
    assert below(f"{tmp_path}/", exclude=["b/*", "c"]) == [".gitignore"]


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
