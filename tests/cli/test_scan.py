"""`zooselect scan`."""

import json
import os
from pathlib import Path

import pytest

KNOWN = "zoo:resnet_v1-50-imagenet-pruned95"
MISSPELT = "zoo:resnet_v1_50-imagenet-pruned95"
AMBIGUOUS = "zoo:resnet_v1-50-imagenet-base"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("src").mkdir()
    Path("src/a.py").write_text(f'x = "{KNOWN}?recipe=original"\n\nz = "{MISSPELT}"\n')
    Path("src/b.yaml").write_text(f"m: {AMBIGUOUS}\nn: zoo:a-b-c\n")
    return "src"


def test_a_line_each(cli, tree):
    done = cli("scan", tree)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == f"src/a.py:1:6: known {KNOWN}?recipe=original"
    assert lines[1] == f"src/a.py:3:6: misspelt {MISSPELT} (did you mean {KNOWN}?)"
    assert lines[2].startswith(f"src/b.yaml:1:4: ambiguous {AMBIGUOUS} (may mean any of zoo:cv/")
    assert lines[3] == "src/b.yaml:2:4: unknown zoo:a-b-c"
    assert done.err == "note: 2 files, 1 known, 1 ambiguous, 1 misspelt, 1 unknown\n"


def test_quiet_tells_only_what_is_not_known(cli, tree):
    done = cli("scan", tree, "--quiet")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[1] for line in done.out.splitlines()] == [
        "misspelt", "ambiguous", "unknown",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (KNOWN, ["missing", "unknown", "misspelt", "ambiguous"], 0),
        (MISSPELT, ["missing"], 3),
        (MISSPELT, ["misspelt"], 3),
        (MISSPELT, ["unknown", "ambiguous"], 0),
        (AMBIGUOUS, ["ambiguous"], 3),
        (AMBIGUOUS, ["missing"], 0),
        ("zoo:a-b-c", ["unknown"], 3),
        ("zoo:a-b-c", ["missing"], 3),
        ("zoo:a-b-c", ["misspelt"], 0),
        ("zoo:a-b-c", [], 0),
    ],
)
def test_fail_on(cli, tmp_path, text, words, code):
    (tmp_path / "a").write_text(text)
    options = [part for word in words for part in ("--fail-on", word)]
    done = cli("scan", tmp_path, *options)
    assert (done.code, done.errors) == (code, [])
    # One document on stdout, failed or not.
    answer = cli("scan", tmp_path, *options, "--json")
    assert answer.code == code
    assert answer.json["hits"] == (code == 3)


def test_exclude(cli, tree):
    done = cli("scan", ".", "--exclude", "b.yaml", "--exclude", "nothing", "--fail-on", "unknown")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    answer = cli("scan", ".", "--exclude", "*", "--exclude", "\udcff", "--json").json
    assert (answer["files"], answer["exclude"]) == (0, ["*", "\udcff"])


def test_json(cli, tree):
    answer = cli("scan", tree, "--json").json
    assert answer["schema"] == 1
    assert (answer["files"], answer["binary_files"], answer["notes"]) == (2, 0, [])
    assert answer["counts"] == {"known": 1, "ambiguous": 1, "misspelt": 1, "unknown": 1}
    assert answer["provenance"]["source"] == "snapshot"
    known, misspelt, ambiguous, unknown = answer["stubs"]
    assert known == {
        "path": "src/a.py", "line": 1, "column": 6, "stub": KNOWN + "?recipe=original",
        "status": "known", "available": None, "model": KNOWN, "candidates": [],
        "unverified": False, "hint": None,
    }  # fmt: skip
    assert (misspelt["model"], misspelt["candidates"]) == (None, [KNOWN])
    assert len(ambiguous["candidates"]) > 1
    assert unknown["candidates"] == []


def test_a_mirror_has_what_it_knows(cli, tree, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    models = [{"stub": "zoo:a-b-c"}]
    (mirror / "catalog.json").write_text(json.dumps({"schema": 1, "models": models}))
    stubs = cli("scan", tree, "--json", "--catalog", mirror).json["stubs"]
    assert {(one["stub"], one["status"], one["available"]) for one in stubs} == {
        (KNOWN + "?recipe=original", "unknown", False), (MISSPELT, "unknown", False),
        (AMBIGUOUS, "unknown", False), ("zoo:a-b-c", "known", True),
    }  # fmt: skip


def test_sarif_beside_the_text(cli, tree, tmp_path):
    done = cli("scan", tree, "--sarif", "out.sarif", "--fail-on", "missing")
    assert done.code == 3
    assert len(done.out.splitlines()) == 4
    document = json.loads(Path("out.sarif").read_text())
    assert [one["ruleId"] for one in document["runs"][0]["results"]] == [
        "misspelt-stub", "ambiguous-stub", "unknown-stub",
    ]  # fmt: skip


def test_sarif_on_stdout_is_all_there(cli, tree):
    done = cli("scan", tree, "--sarif", "-")
    assert done.code == 0
    assert json.loads(done.out)["version"] == "2.1.0"
    assert not Path("-").exists()
    assert cli("scan", tree, "--sarif", "-", "--json").code == 2


def test_a_scan_that_read_nothing_says_so(cli, tmp_path):
    (tmp_path / "empty").mkdir()
    done = cli("scan", tmp_path / "empty")
    assert (done.code, done.out) == (0, "")
    assert "note: nothing was read: is there a file in " in done.err


def test_a_stub_of_the_embedded_catalog_is_not_misspelt_by_a_mirror(cli, tree, tmp_path):
    one = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/"
    (tmp_path / "c.json").write_text(
        json.dumps({"schema": 1, "models": [{"stub": one + "pruned95_quant-none"}]})
    )
    (tmp_path / "a.txt").write_text(f"{one}pruned95-none\n")
    done = cli("scan", tmp_path / "a.txt", "--catalog", tmp_path / "c.json")
    assert f"unknown {one}pruned95-none (the embedded catalog has it, and this one" in done.out


def test_wrong_questions(cli, tree):
    for arguments, code in (
        (["scan"], 2),
        (["scan", tree, "--fail-on", "broken"], 2),
        (["scan", "nothing"], 7),
        (["scan", tree, "--sarif", "no/such/folder.sarif"], 7),
    ):
        done = cli(*arguments)
        assert (done.code, len(done.errors)) == (code, 1), arguments


def test_names_cannot_write_to_the_terminal(cli, tmp_path):
    name = b"\x1b[31mred\xff\n.py"
    with open(os.path.join(os.fsencode(tmp_path), name), "w") as file:
        file.write(KNOWN)
    done = cli("scan", tmp_path)
    assert len(done.out.splitlines()) == 1
    assert "\x1b" not in done.out
    assert cli("scan", tmp_path, "--json", "--sarif", tmp_path / "s").json["counts"]["known"] == 1


def test_a_text_that_names_no_stub(cli, tmp_path):
    (tmp_path / "a").write_text("state-of-the-art\n")
    done = cli("scan", tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "note: 1 file, no stub\n")


def test_no_false_alarm_in_this_project(cli):
    """Bare words that are taken for stubs in the package itself: not one."""
    stubs = cli("scan", ROOT / "zooselect", "--json").json["stubs"]
    assert len(stubs) > 400
    assert [one for one in stubs if not one["stub"].startswith("zoo:")] == []


def test_no_false_alarm_in_other_packages(cli):
    """Everything installed beside, a few thousand files that know nothing of stubs."""
    import hypothesis

    packages = Path(hypothesis.__file__).parents[1]
    folders = [
        packages / name for name in ("hypothesis", "pip", "_pytest", "numpy", "onnx", "yaml")
    ]
    answer = cli("scan", *folders, "--json").json
    assert answer["files"] > 500
    assert answer["stubs"] == []
