"""Files of more than one 500 MB range, with sparsezoo 1.8.1."""

import hashlib
import random
import shutil

import pytest

from tests.legacy.conftest import NET, digests, zooselect

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RANGE = 500_000_000
#: With the second size the client asks for a range that starts at the end: its 416 must be empty.
SIZES = {"training/model.pth": RANGE + 20_000_000, "training/other.pth": RANGE + 1}
BLOCK = 1_000_003


def test_two_ranges_and_a_range_past_the_end(python_of, zoo, serve, ask, tmp_path):
    python = python_of("sparsezoo")
    folder, root, saved = tmp_path / "model", tmp_path / "mirror", tmp_path / "saved"
    stub = NET.replace("small", "huge") + "base-none"
    base = NET + "base-none"
    shutil.copytree(zoo.root / zoo.model(base).folder, folder)
    digest = {}
    for name, size in SIZES.items():
        block, whole = random.Random(name).randbytes(BLOCK), hashlib.sha256()
        with (folder / name).open("wb") as file:
            for start in range(0, size, BLOCK):
                part = block[: size - start]
                file.write(part)
                whole.update(part)
        digest[name] = whole.hexdigest()
    zooselect("mirror", "init", root)
    zooselect("mirror", "add", root, stub, folder)
    shutil.rmtree(folder)
    server = serve(root)
    call = ["download", {"stub": stub, "folder": str(saved)}]
    assert ask(python, server.url, call, timeout=600) == [True]
    got = digests(saved)
    assert {name: got[name] for name in digest} == digest
    statuses = {
        name: [one["status"] for one in server.requests()
               if one["path"].endswith("/" + name) and one["method"] == "GET"]
        for name in SIZES
    }  # fmt: skip
    assert statuses == {"training/model.pth": [206, 206], "training/other.pth": [206, 416]}
    shutil.rmtree(saved)
    shutil.rmtree(root)
