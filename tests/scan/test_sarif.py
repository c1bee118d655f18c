"""SARIF 2.1.0, against what its JSON schema requires of each object used."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from zooselect import Catalog
from zooselect.scan.sarif import sarif
from zooselect.scan.scan import scan

#: Of each object: keys that must be there, and keys that may, by the OASIS schema.
LOG = ({"version", "runs"}, {"$schema"})
RUN = ({"tool"}, {"results", "invocations", "columnKind"})
DRIVER = ({"name"}, {"version", "rules"})
RULE = ({"id"}, {"shortDescription", "defaultConfiguration"})
RESULT = ({"message"}, {"ruleId", "ruleIndex", "level", "locations"})
INVOCATION = ({"executionSuccessful"}, {"toolExecutionNotifications"})
NOTIFICATION = ({"message"}, {"level", "locations"})
REGION = (set(), {"startLine", "startColumn", "endColumn"})
LEVELS = {"none", "note", "warning", "error"}


def check(thing, keys):
    must, may = keys
    assert must <= set(thing) <= must | may
    return thing


def located(result):
    (location,) = result["locations"]
    check(location, (set(), {"physicalLocation"}))
    physical = check(location["physicalLocation"], (set(), {"artifactLocation", "region"}))
    return check(physical["artifactLocation"], (set(), {"uri"}))["uri"], physical.get("region")


def checked(document):
    """Hold a document to the schema; return its only run."""
    document = json.loads(json.dumps(document, allow_nan=False))
    check(document, LOG)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    check(run, RUN)
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    driver = check(check(run["tool"], ({"driver"}, set()))["driver"], DRIVER)
    for rule in driver["rules"]:
        check(rule, RULE)
        assert check(rule["shortDescription"], ({"text"}, set()))["text"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
    for invocation in run["invocations"]:
        check(invocation, INVOCATION)
        for note in invocation["toolExecutionNotifications"]:
            assert check(note, NOTIFICATION)["level"] in LEVELS
    for result in run["results"]:
        check(result, RESULT)
        assert result["level"] in LEVELS
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert check(result["message"], ({"text"}, set()))["text"]
        uri, region = located(result)
        assert uri.isascii()
        assert " " not in uri
        check(region, REGION)
        assert region["startLine"] >= 1
        assert 1 <= region["startColumn"] < region["endColumn"]
    return run


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("a b")
    folder.mkdir()
    (folder / "ü#%.py").write_text(
        "zoo:a-b-c\n  zoo:yolo-a-b, zoo:resnet_v1-50-imagenet-pruned95\n"
    )
    (folder / "z.py").write_text(
        "zoo:resnet_v1_50-imagenet-pruned95 zoo:resnet_v1-50-imagenet-base"
    )
    (folder / "huge").write_bytes(b" " * (16 * 2**20 + 1))
    return folder


def test_against_the_schema(tree):
    run = checked(sarif(scan(["./a b"], Catalog.embedded()), "1.2"))
    assert run["tool"]["driver"]["version"] == "1.2"
    places = [
        (unquote(located(one)[0]), one["ruleId"], *located(one)[1].values())
        for one in run["results"]
    ]
    assert places == [
        ("a b/z.py", "misspelt-stub", 1, 1, 35),
        ("a b/z.py", "ambiguous-stub", 1, 36, 66),
        ("a b/ü#%.py", "unknown-stub", 1, 1, 10),
        ("a b/ü#%.py", "unknown-stub", 2, 3, 15),
    ]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert located(note)[0] == "a%20b/huge"


def test_absolute_paths_are_file_uris(tree):
    run = checked(sarif(scan([str(tree.absolute())], Catalog.embedded()), "1.2"))
    uris = {located(one)[0] for one in run["results"]}
    assert {urlsplit(uri).scheme for uri in uris} == {"file"}
    assert all(Path(unquote(urlsplit(uri).path)).is_file() for uri in uris)


def test_nothing_found(tmp_path):
    run = checked(sarif(scan([str(tmp_path)], Catalog.embedded()), "1.2"))
    assert run["results"] == []
