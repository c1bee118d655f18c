"""What is wanted of a listing, and names no listing gets away with."""

import pytest

from tests.downloads.disk import check_nothing
from tests.downloads.zoo_server import kind_of
from zooselect.downloads.listing import ALL, DEFAULT_PARTS, PARTS, Listing, RemoteFile, wanted
from zooselect.errors import NotFoundError, ServerError

#: Names that lead out, that some system cannot store, or that are kept for the package.
HOSTILE = [
    "/etc/passwd", "//host/share", "../up", "deployment/../../up", "..", ".", "a//b", "a/", "",
    "./a", "C:\\x", "C:x", "\\\\host\\share", "a\\b", "..\\up", "a\0b", "a\nb", "a\x1b[2Jb",
    "con", "CON.txt", "deployment/nul", "aux.json", "COM1", "lpt9.onnx", "COM¹", "conin$",
    "dot.", "space ", "deployment./a", "a:stream", "what?", "star*", "pipe|", 'quote"', "<b>",
    "x" * 256, "ü" * 128, "a/" * 600 + "b", "\ud800", "a\u2028b",
    ".zooselect-model/manifest.json", ".ZOOSELECT-x", "deployment/.zooselect-x",
]  # fmt: skip
COLLIDING = [
    ("a.json", "A.json"), ("deployment/x", "Deployment/x"), ("\u00e9", "e\u0301"), ("a", "a/b"),
    ("STRASSE", "straße"),
]  # fmt: skip


def listing(*names, **kinds):
    files = [RemoteFile(name, kinds.get(name) or kind_of(name), name, 1) for name in names]
    return Listing("zoo:a-b-c", ("zoo:a-b-c",), tuple(files), "api", "http://zoo")


def names(found):
    return [one.file.name for one in found]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused(name):
    file = RemoteFile(name, "deployment", "x", 1)
    one = listing("model.onnx")
    with pytest.raises(ServerError, match="cannot be stored"):
        wanted(one._replace(files=(*one.files, file)), ())


@pytest.mark.parametrize("pair", COLLIDING)
def test_names_that_collide_are_refused(pair):
    files = tuple(RemoteFile(name, "deployment", "x", 1) for name in pair)
    with pytest.raises(ServerError, match="collide"):
        wanted(listing()._replace(files=files), ("deployment",))


@pytest.mark.parametrize("name", ["LICENSE", "training/ü + & = 100 %20 #1.json", "a..b", ".hidden"])
def test_an_odd_name_is_none_of_them(name):
    assert names(wanted(listing("model.onnx", name), (ALL,))) == sorted(["model.onnx", name])


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("mirror", [False, True], ids=["api", "mirror"])
@pytest.mark.parametrize(
    "name", [one for one in HOSTILE if one and one.isprintable() and one.isascii()]
)
def test_nothing_is_fetched_of_a_hostile_listing(zoo, get, tmp_path, name, mirror):
    zoo.files = {"model.onnx": b"x", "other": b"y"}
    key = "name" if mirror else "displayName"
    kind = "type" if mirror else "fileType"
    zoo.rows["other"] = {key: name, kind: "deployment"}
    outcome = get(mirror=mirror)
    assert outcome.code == 5, outcome
    assert len(outcome.errors) == 1
    assert zoo.asked("/models/") == []
    check_nothing(tmp_path / "model")


FULL = (
    "model.onnx", "model.onnx.tar.gz", "model.md", "recipe.md", "recipe_x.md", "training/w.pth",
    "deployment/model.onnx", "deployment/config.json", "deployment.tar.gz",
    "sample-inputs.tar.gz", "onnx/model.13.onnx",
)  # fmt: skip


def test_parts():
    assert names(wanted(listing(*FULL), ())) == [
        "deployment/config.json", "deployment/model.onnx", "model.onnx",
    ]  # fmt: skip
    assert names(wanted(listing(*FULL), ("recipes", "card"))) == [
        "model.md", "recipe.md", "recipe_x.md",
    ]  # fmt: skip
    everything = names(wanted(listing(*FULL), (ALL,)))
    assert everything == sorted({*FULL} - {"model.onnx.tar.gz", "deployment.tar.gz"})


@pytest.mark.parametrize("part", PARTS)
def test_a_part_nobody_has(part):
    with pytest.raises(NotFoundError) as caught:
        wanted(listing("onnx/model.13.onnx"), (part,))
    assert caught.value.hint == "it has nothing"


def test_no_network_at_all():
    assert DEFAULT_PARTS == ("model", "deployment")
    with pytest.raises(NotFoundError, match="no network") as caught:
        wanted(listing("recipe.md"), ())
    assert "recipes" in caught.value.hint


def test_archives_stand_in_for_what_is_not_listed_itself():
    (model, deployment) = wanted(listing("model.onnx.tar.gz", "deployment.tar.gz"), ())[::-1]
    assert (model.file.name, model.unpack_to) == ("model.onnx.tar.gz", "")
    assert (deployment.file.name, deployment.unpack_to) == ("deployment.tar.gz", "deployment")
    both = wanted(listing("deployment.tar.gz", "deployment/config.json"), ("deployment",))
    assert names(both) == ["deployment.tar.gz"]
