"""sparsezoo 1.8.1, unmodified, against a real server of a small real zoo."""

import hashlib
import json
import tarfile

import pytest

from tests.legacy.conftest import BARE, FULL, LONE, NET, SCHEME, digests

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PRUNED = NET + "pruned80_quant-none"
PRUNED_V2 = "zoo:samplenet-small-imagenette-pruned80_quantized"
BASE_V2 = "zoo:samplenet-small-imagenette-base"
TEXT = "zoo:nlp/sentiment_analysis/samplebert-small/pytorch/zooselect/sst2/"
TEXT_V2 = "zoo:samplebert-small-sst2-pruned80_quantized"
IMAGES = {"domain": "cv", "sub_domain": "classification"}


@pytest.fixture(scope="module")
def python(python_of):
    return python_of("sparsezoo")


def stubs(outcomes):
    return [sorted(outcome) for outcome in outcomes]


def test_search_gives_every_match(python, server, ask):
    wanted = {"domain": "nlp", "sub_domain": "sentiment_analysis"}
    models, names, two, none, partial, scheme = ask(
        python,
        server.url,
        ["search", wanted],
        ["search", {**wanted, "return_stubs": True}],
        ["search", {**wanted, "return_stubs": True, "sparse_name": "base", "page_length": 1}],
        ["search", {"domain": "cv", "sub_domain": "detection"}],
        ["search", {**wanted, "return_stubs": True, "sparse_name": "pruned80_quant"}],
        ["search", {**IMAGES, "return_stubs": True, "training_scheme": "augmented"}],
    )
    assert sorted(names) == [
        "zoo:samplebert-small-sst2-base",
        "zoo:samplebert-small-sst2-base_quantized",
        TEXT_V2,
    ]
    assert [model["source"] for model in models] == names
    assert two == ["zoo:samplebert-small-sst2-base"]
    assert none == []
    assert partial == [TEXT_V2]
    assert len(scheme) == 1


def test_search_by_every_argument(python, server, ask):
    exact = {
        **IMAGES,
        "architecture": "samplenet",
        "sub_architecture": "small",
        "framework": "pytorch",
        "repo": "zooselect",
        "dataset": "imagenette",
        "sparse_name": "pruned80_quant",
        "sparse_category": "none",
        "return_stubs": True,
    }
    others = [{**exact, name: "other"} for name in exact if name != "return_stubs"]
    found, *missed = ask(python, server.url, *(["search", one] for one in [exact, *others]))
    assert found == [PRUNED_V2]
    assert missed == [[]] * len(others)


def test_a_model_by_either_name(python, server, ask, zoo):
    v1, v2, bare = ask(
        python,
        server.url,
        ["model", {"stub": PRUNED}],
        ["model", {"stub": PRUNED_V2}],
        ["model", {"stub": PRUNED_V2.removeprefix("zoo:")}],
    )
    assert {**v1, "source": ""} == {**v2, "source": ""} == {**bare, "source": ""}
    assert v1["folder"].endswith("/zoo/neuralmagic/samplenet-small-imagenette-pruned80_quantized")
    assert v1["recipes"] == ["recipe", "recipe_transfer-classification"]
    archive = zoo.file(PRUNED, "model.onnx.tar.gz")
    assert v1["compressed_size"] == archive.stat().st_size
    assert isinstance(v1["compressed_size"], int)


def test_a_model_nobody_has(python, server, ask):
    outcomes = ask(
        python,
        server.url,
        ["model", {"stub": "zoo:nothing-here-base"}],
        ["model", {"stub": NET.replace("small", "huge") + "base-none"}],
        ["model", {"stub": 'zoo:samplenet-small-imagenette-base") { stub } }'}],
    )
    assert "No matching models found" in outcomes[0]["error"]
    assert "No matching models found" in outcomes[1]["error"]
    assert "error" in outcomes[2]


@pytest.mark.parametrize("parameter", ["recipe", "recipe_type"])
@pytest.mark.parametrize("stub", [PRUNED, PRUNED_V2])
def test_a_recipe_is_chosen_in_the_stub(python, server, ask, zoo, stub, parameter):
    (paths,) = ask(
        python,
        server.url,
        ["paths", {"stub": f"{stub}?{parameter}=transfer", "deployment": False}],
    )
    name = "recipe_transfer-classification.md"
    assert paths["recipe"].endswith("/" + name)
    assert sha256(paths["recipe"]) == zoo.files(PRUNED)[name]


@pytest.mark.parametrize("stub", [PRUNED_V2, TEXT + "base-none"], ids=["v2", "v1"])
def test_download_is_the_mirror(python, server, ask, zoo, tmp_path, stub):
    folder = tmp_path / "model"
    outcome = ask(python, server.url, ["download", {"stub": stub, "folder": str(folder)}])
    assert outcome == [True]
    held = zoo.files(PRUNED if stub == PRUNED_V2 else stub)
    got = digests(folder)
    assert {name: got.get(name) for name in held} == held
    unpacked = {name for name in got if name not in held}
    assert unpacked == {
        f"sample-{kind}/{kind[:3]}-{number:04}.npz"
        for kind in ("inputs", "outputs", "labels")
        for number in range(3)
    }
    for archive in folder.glob("sample-*.tar.gz"):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member).read()
                name = f"{archive.name.removesuffix('.tar.gz')}/{member.name}"
                assert got[name] == hashlib.sha256(content).hexdigest()


def test_files_of_every_kind(python, server, ask, zoo, tmp_path):
    folder = tmp_path / "model"
    model, outcome = ask(
        python,
        server.url,
        ["model", {"stub": FULL}],
        ["download", {"stub": FULL, "folder": str(folder)}],
    )
    assert model["recipes"] == ["recipe", "recipe_sparse-transfer"]
    assert outcome is True
    held, got = zoo.files(FULL), digests(folder)
    # Beside the plain ones, these would make 1.6 refuse the model.
    del held["sample-outputs_deepsparse.tar.gz"]
    assert {name: got.get(name) for name in held} == held


def test_a_model_of_few_files(python, server, ask, zoo, tmp_path):
    folder = tmp_path / "model"
    model, outcome, paths = ask(
        python,
        server.url,
        ["model", {"stub": LONE}],
        ["download", {"stub": LONE, "folder": str(folder)}],
        ["paths", {"stub": LONE}],
    )
    assert model["recipes"] is None
    assert outcome is True
    held, got = zoo.files(LONE), digests(folder)
    assert {name: got.get(name) for name in held} == held
    assert sha256(paths["onnx"]) == held["model.onnx"]


def test_files_are_fetched_when_asked_for(python, server, ask, zoo, tmp_path):
    (paths,) = ask(python, server.url, ["paths", {"stub": TEXT_V2}])
    held = zoo.files(TEXT + "pruned80_quant-none")
    root = tmp_path / "home" / "zoo" / "neuralmagic" / TEXT_V2.removeprefix("zoo:")
    assert paths == {
        "onnx": str(root / "model.onnx"),
        "deployment": str(root / "deployment"),
        "recipe": str(root / "recipe.md"),
    }
    got = digests(root)
    fetched = {"model.onnx", "model.onnx.tar.gz", "deployment.tar.gz", "recipe.md"}
    deployment = {name for name in held if name.startswith("deployment/")}
    assert got == {name: held[name] for name in fetched | deployment}


def test_files_come_in_ranges_and_once(python, server, ask):
    before = len(server.requests())
    first, second = (["paths", {"stub": PRUNED_V2, "deployment": False}] for _ in range(2))
    ask(python, server.url, first, second)
    asked = [(one["method"], one["path"].split("/")[-1], one["status"])
             for one in server.requests()[before:]]  # fmt: skip
    archive = [(method, status) for method, name, status in asked if name == "model.onnx.tar.gz"]
    assert archive == [("HEAD", 200), ("HEAD", 200), ("GET", 206)]
    assert asked.count(("POST", "graphql", 200)) == 2


def test_models_that_old_clients_cannot_tell_apart(python, server, ask):
    """They drop the training scheme, and send nothing where there is no sub-architecture."""
    plain, scheme, bare, scheme_v2 = ask(
        python,
        server.url,
        ["model", {"stub": NET + "base-none"}],
        ["model", {"stub": SCHEME}],
        ["model", {"stub": BARE}],
        ["search", {**IMAGES, "training_scheme": "augmented"}],
    )
    assert plain["folder"].endswith("/samplenet-small-imagenette-base")
    assert scheme["folder"] == plain["folder"]
    assert bare["folder"].endswith("/samplenet-imagenette-base")
    assert scheme_v2[0]["folder"].endswith("/samplenet-small-imagenette-augmented-base")


def test_incomplete_results_are_left_out(python, server, ask):
    (model,) = ask(python, server.url, ["model", {"stub": BASE_V2}])
    (quality,), (throughput,) = model["results"]["validation"], model["results"]["throughput"]
    assert quality["recorded_value"] == 70.5
    assert quality["recorded_units"] == "top1 accuracy"
    assert quality["dataset_name"] == "imagenette"
    assert throughput["recorded_value"] == 1000.5
    assert (throughput["num_cores"], throughput["batch_size"]) == (24, 64)


def test_a_trailing_slash(python, server, ask, zoo):
    model, paths = ask(
        python, server.url + "/", ["model", {"stub": PRUNED}], ["paths", {"stub": PRUNED}]
    )
    assert model["recipes"]
    assert sha256(paths["onnx"]) == zoo.files(PRUNED)["model.onnx"]


def test_a_base_url_with_a_path(python, zoo, serve, ask):
    server = serve(zoo.root, base_path="/some/zoo")
    (paths,) = ask(python, server.url, ["paths", {"stub": PRUNED}])
    assert sha256(paths["onnx"]) == zoo.files(PRUNED)["model.onnx"]
    asked = {one["path"] for one in server.requests()} - {"/healthz"}
    assert asked
    assert all(path.startswith("/some/zoo/v2/") for path in asked)


def test_sparsezoo_search(python, server, old):
    out = old(server.url, [python.parent / "sparsezoo", "search", "--domain", "nlp",
                           "--sub-domain", "sentiment_analysis"])  # fmt: skip
    assert TEXT_V2 in out
    assert "zoo:samplebert-small-sst2-base" in out


def test_sparsezoo_download(python, server, old, zoo, tmp_path):
    folder = tmp_path / "saved"
    old(server.url, [python.parent / "sparsezoo.download", PRUNED, "--save-dir", folder])
    held, got = zoo.files(PRUNED), digests(folder)
    assert {name: got.get(name) for name in held} == held


def test_sparsezoo_analyze(python, server, old):
    # It cannot read the INT8 weights of an onnxruntime model, wherever that comes from.
    out = old(server.url, [python.parent / "sparsezoo.analyze", BASE_V2])
    assert "sparsity" in out.lower()


def test_the_apis_own_queries(python, server, old):
    """What the client's public query interface can ask, beyond models."""
    script = (
        "import json; from sparsezoo.api.graphql import GraphQLAPI; fetch = GraphQLAPI().fetch;"
        "print(json.dumps(["
        "fetch(operation_body='files', arguments={'display_name': 'recipe.md'}),"
        "fetch(operation_body='benchmark_results', arguments={'batch_size': 64,"
        " 'device_info': 'c6a.12xlarge'}),"
        "fetch(operation_body='training_results', arguments={'dataset_type': 'downstream'}),"
        "fetch(operation_body='models', arguments={'stub': 'STUB'}, fields=['repo_name'])]))"
    ).replace("STUB", BASE_V2)
    out = old(server.url, [python, "-c", script])
    files, benchmarks, qualities, models = json.loads(out.splitlines()[-1])
    assert len(files) == 9
    assert {row["recorded_value"] for row in benchmarks} == {1000.5}
    assert {row["recorded_value"] for row in qualities} == {70.5}
    assert models == [{"repo_name": "samplenet-small-imagenette-base"}]


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
