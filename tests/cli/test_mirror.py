"""`zooselect mirror`, as people and scripts use it."""

import json
import sys

import pytest

from tests.mirror.samples import V1, V2, everything, files_of, network, write

OTHER = "zoo:other-imagenet-base"
COMMANDS = ("init", "add", "import", "verify", "export", "ls", "rm")


@pytest.fixture
def zoo(cli, tmp_path):
    """A mirror of one model."""
    folder = tmp_path / "zoo"
    assert cli("mirror", "init", folder).code == 0
    model = write(tmp_path / "model", files_of())
    assert cli("mirror", "add", folder, V1, model, "--alias", V2).code == 0
    return folder


@pytest.fixture
def model(tmp_path):
    """A model folder."""
    return write(tmp_path / "model", files_of())


def damage(zoo):
    path = next((zoo / "models").rglob("recipe.md"))
    path.write_bytes(b"x")
    return path.relative_to(zoo).as_posix()


def test_init(cli, tmp_path):
    done = cli("mirror", "init", tmp_path / "zoo")
    assert (done.code, done.out, done.err) == (0, f"{tmp_path / 'zoo'}\n", "")
    done = cli("mirror", "init", tmp_path / "zoo", "--json")
    assert done.json == {"schema": 1, "mirror": str(tmp_path / "zoo"), "models": 0}
    assert cli("mirror", "init", tmp_path).code == 2


def test_init_of_one_that_is_there(cli, zoo):
    before = everything(zoo)
    done = cli("mirror", "init", zoo)
    assert (done.code, done.err) == (0, "note: a mirror of 1 model was there already\n")
    assert everything(zoo) == before


def test_add(cli, zoo, model):
    done = cli("mirror", "add", zoo, OTHER, model)
    assert (done.code, done.out, done.err) == (0, OTHER + "\n", "")
    done = cli("mirror", "add", zoo, OTHER, model)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {OTHER} is in the mirror\nhint: --replace replaces it\n"
    done = cli("mirror", "add", zoo, OTHER, model, "--replace", "--json")
    assert (done.code, done.err) == (0, "")
    answer = done.json
    assert set(answer) == {"schema", "mirror", "stub", "names", "model_id", "folder", "bytes",
                           "files", "replaced", "notes"}  # fmt: skip
    assert (answer["schema"], answer["stub"], answer["replaced"]) == (1, OTHER, True)
    assert [file["name"] for file in answer["files"]] == sorted(files_of())


def test_notes_go_to_stderr(cli, zoo, model):
    write(model, {"LICENSE": b"x"})
    (model / "model.onnx").unlink()
    done = cli("mirror", "add", zoo, OTHER, model)
    assert done.out == OTHER + "\n"
    assert done.err == (
        "note: LICENSE: not a file of a model\nnote: model.onnx: taken from model.onnx.tar.gz\n"
    )
    assert cli("mirror", "add", zoo, OTHER, model, "--replace", "-q").err == ""
    assert len(cli("mirror", "add", zoo, OTHER, model, "--replace", "--json").json["notes"]) == 2


def test_results(cli, zoo, model, tmp_path):
    results = tmp_path / "results.json"
    results.write_text('{"results": [{"metric": "top1_accuracy", "value": 61.5, "units": "%"}]}')
    stub = V1.replace("pruned90_quant", "base")
    assert cli("mirror", "add", zoo, stub, model, "--results", results).code == 0
    shown = cli("show", stub, "--catalog", zoo / "catalog.json", "--json").json
    assert (shown["metric"], shown["quality"]) == ("top1_accuracy", 61.5)
    results.write_text("{}")
    assert cli("mirror", "add", zoo, OTHER, model, "--results", results).code == 6


def test_the_rest_of_zooselect_answers_from_it(cli, zoo, model):
    stub = V1.replace("pruned90_quant", "base")
    assert cli("mirror", "add", zoo, stub, model).code == 0
    catalog = ("--catalog", zoo / "catalog.json")
    done = cli("resolve", "image-classification", "--optim-level", "0.5", *catalog, "--json")
    assert (done.code, done.json["stub"]) == (0, V1)
    provenance = done.json["provenance"]
    assert (provenance["skipped"], provenance["repaired"]) == ([], [])
    assert cli("resolve", "image-classification", "-l", "0", *catalog).out == stub + "\n"
    assert cli("show", V2, *catalog).out.startswith(V1 + "\n")


def test_import(cli, zoo, tmp_path):
    cache = tmp_path / "cache"
    write(cache / "neuralmagic" / OTHER.removeprefix("zoo:"), files_of())
    write(cache / "neuralmagic" / "cut-imagenet-base", {"model.onnx": network()[:-9]})
    write(cache / "neuralmagic" / V2.removeprefix("zoo:"), files_of())
    done = cli("mirror", "import", zoo, cache)
    assert done.code == 0
    assert done.out.splitlines() == [
        f"adopted  {OTHER}",
        "skipped  zoo:cut-imagenet-base  model.onnx: not an ONNX network, or cut short",
        f"skipped  {V2}  in the mirror already as {V1}",
    ]
    assert done.err == "note: 1 model adopted, 2 skipped\n"
    done = cli("mirror", "import", zoo, cache, "--json", "--quiet")
    assert (done.code, done.err, done.json["adopted"]) == (0, "", [])
    assert {(one["stub"], one["present"]) for one in done.json["skipped"]} == {
        (OTHER, True),
        (V2, True),
        ("zoo:cut-imagenet-base", False),
    }
    assert cli("mirror", "import", zoo, tmp_path / "absent").code == 7
    (tmp_path / "empty").mkdir()
    assert cli("mirror", "import", zoo, tmp_path / "empty").code == 3


def test_verify(cli, zoo):
    done = cli("mirror", "verify", zoo)
    size = sum(map(len, files_of().values()))
    assert (done.code, done.out) == (0, "")
    assert done.err == f"note: 1 model, {len(files_of())} files, {size:,} bytes\n"
    assert cli("mirror", "verify", zoo, "--quiet").err == ""
    document = cli("mirror", "verify", zoo, "--json").json
    assert (document["schema"], document["ok"], document["damage"]) == (1, True, [])


def test_verify_finds_damage(cli, zoo):
    path = damage(zoo)
    done = cli("mirror", "verify", zoo, "--quiet")
    assert (done.code, done.out) == (6, f"changed  {path}  its content has changed\n")
    assert done.errors == ["error: 1 file of the mirror missing or changed"]
    done = cli("mirror", "verify", zoo, "--json")
    assert (done.code, done.json["ok"]) == (6, False)
    assert done.errors == ["error: 1 file of the mirror missing or changed"]
    assert done.json["damage"] == [
        {"path": path, "kind": "changed", "reason": "its content has changed", "stub": V1}
    ]


def test_verify_tells_strays_and_compiles(cli, zoo):
    (zoo / "models" / V1.removeprefix("zoo:") / "more").write_bytes(b"x")
    (zoo / "catalog.json").unlink()
    done = cli("mirror", "verify", zoo)
    assert (done.code, done.out) == (0, f"stray    models/{V1.removeprefix('zoo:')}/more\n")
    assert "compiled anew" in done.err


def test_ls(cli, zoo, tmp_path):
    done = cli("mirror", "ls", zoo)
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == ["stub", V1]
    answer = cli("mirror", "ls", zoo, "--json").json
    (model,) = answer["models"]
    assert (model["stub"], model["names"], answer["skipped"]) == (V1, [V1, V2], [])
    cli("mirror", "init", tmp_path / "empty")
    done = cli("mirror", "ls", tmp_path / "empty")
    assert (done.code, done.out, done.err) == (0, "", "note: no model in it yet\n")


def test_ls_of_a_catalog_with_a_bad_model(cli, zoo):
    document = json.loads((zoo / "catalog.json").read_bytes())
    document["models"].append({"stub": "zoo:bad-\x1b[2J"})
    (zoo / "catalog.json").write_text(json.dumps(document))
    done = cli("mirror", "ls", zoo)
    assert done.code == 0
    assert V1 in done.out
    assert "unusable" in done.err
    assert "\x1b" not in done.err


@pytest.mark.parametrize("name", [V1, V2])
def test_rm(cli, zoo, name):
    done = cli("mirror", "rm", zoo, name)
    assert (done.code, done.out, done.err) == (0, V1 + "\n", "")
    done = cli("mirror", "rm", zoo, name, "--json")
    assert (done.code, done.json["error"]["type"]) == (3, "NotFoundError")
    assert set(everything(zoo)) == {"catalog.json"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "ZOO", OTHER), 2),
        (("add", "ZOO", "no stub", "MODEL"), 2),
        (("add", "ZOO", "zoo:../../x/y/z/w/..", "MODEL"), 2),
        (("add", "ZOO", OTHER, "MODEL", "--alias", "zoo:x-y-z"), 2),
        (("add", "ZOO", OTHER, "absent"), 7),
        (("add", "ZOO", OTHER, "BROKEN"), 6),
        (("add", "ZOO", OTHER, "MODEL", "--results", "absent"), 7),
        (("add", "absent", OTHER, "MODEL"), 7),
        (("import", "absent", "MODEL"), 7),
        (("verify", "absent"), 7),
        (("ls", "absent"), 7),
        (("rm", "absent", OTHER), 7),
        (("rm", "ZOO", OTHER), 3),
        (("rm", "ZOO", "x"), 2),
        (("nothing",), 2),
        ((), 2),
    ],
)
def test_errors(cli, zoo, model, tmp_path, arguments, code):
    before = everything(zoo)
    places = {
        "ZOO": zoo,
        "MODEL": model,
        "BROKEN": write(tmp_path / "broken", {"model.onnx": b"<html>"}),
        "absent": tmp_path / "absent",
    }
    done = cli("mirror", *(places.get(one, one) for one in arguments), "--json")
    assert done.code == code
    assert len(done.errors) == 1
    if arguments:
        assert done.json["error"]["exit_code"] == code
        assert done.json["error"]["hint"]
    assert everything(zoo) == before


def test_a_broken_catalog(cli, zoo, model):
    (zoo / "catalog.json").write_text("<html>")
    for arguments in (("ls",), ("add", OTHER, model), ("rm", V1)):
        done = cli("mirror", arguments[0], zoo, *arguments[1:])
        assert done.code == 6
    assert cli("mirror", "verify", zoo).code == 0
    assert cli("mirror", "ls", zoo).code == 0


def test_without_the_onnx_package(cli, zoo, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    done = cli("mirror", "add", zoo, OTHER, model)
    assert (done.code, "hint: pip install 'zooselect[onnx]'" in done.err) == (2, True)
    assert cli("mirror", "verify", zoo).code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_help(cli, name):
    done = cli("mirror", name, "--help")
    assert done.code == 0
    assert "--json" in done.out
    assert "--quiet" in done.out


def test_help_names_all(cli):
    done = cli("mirror", "--help")
    assert all(name in done.out for name in COMMANDS)


def test_in_a_process_of_its_own(process, tmp_path, model):
    assert process("mirror", "init", tmp_path / "zoo").code == 0
    done = process("mirror", "add", tmp_path / "zoo", V2, model)
    assert (done.code, done.out, done.err) == (0, V2 + "\n", "")


def test_export(cli, zoo, tmp_path):
    target = tmp_path / "web"
    done = cli("mirror", "export", zoo, target)
    assert (done.code, done.out) == (0, f"{target}\n")
    assert done.err.startswith(f"note: 1 model: {len(files_of())} files copied (")
    answer = cli("mirror", "export", zoo, target, "--json", "-q").json
    assert (answer["copied"], answer["present"]) == (0, len(files_of()))
    assert cli("show", V2, "--catalog", target / "catalog.json").code == 0
    assert cli("mirror", "export", zoo, "nothing://x").code == 2
    assert cli("mirror", "export", tmp_path / "absent", target).code == 7
