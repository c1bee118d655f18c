"""Every generation of sparsezoo since 1.1, unmodified, against a real server."""

import pytest

from tests.legacy.conftest import BARE, FULL, LONE, NET, SCHEME, digests

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

V1 = NET + "pruned80_quant-none"
V2 = "zoo:samplenet-small-imagenette-pruned80_quantized"
TEXT = "zoo:nlp/sentiment_analysis/samplebert-small/pytorch/zooselect/sst2/"
CLIENTS = {
    "1.7.0": "python3.10",
    "1.6.1": "python3.10",
    "1.5.2": "python3.8",
    "1.4.0": "python3.8",
    "1.3.1": "python3.8",
    "1.2.0": "python3.8",
    "1.1.0": "python3.8",
}
#: Clients that know files by flat names, cache models by id and build `deployment` themselves.
FLAT = ("1.5.2", "1.4.0", "1.3.1", "1.2.0", "1.1.0")
#: Clients of the REST routes.
REST = ("1.4.0", "1.3.1", "1.2.0", "1.1.0")
#: Clients that know nothing of results and sizes.
BLIND = ("1.2.0", "1.1.0")
#: Files that only 1.7 and 1.8 know.
NEW = ("benchmark.yaml", "metrics.yaml")
#: Files that flat clients know nothing of or would stumble over.
NOT_FLAT = (
    "model.onnx.tar.gz", "deployment.tar.gz", "training/LICENSE", "training/.gitattributes",
)  # fmt: skip


@pytest.fixture(params=CLIENTS)
def version(request):
    return request.param


@pytest.fixture
def python(version, python_of):
    return python_of(f"sparsezoo-{version}", CLIENTS[version])


def test_search(version, python, server, ask):
    place = {"domain": "nlp", "sub_domain": "sentiment_analysis"}
    every, one, none, first, second = ask(
        python,
        server.url,
        ["search", place],
        ["search", {**place, "sparse_name": "base", "sparse_category": "none"}],
        ["search", {"domain": "cv", "sub_domain": "detection"}],
        ["search", {**place, "page": 1, "page_length": 2}],
        ["search", {**place, "page": 2, "page_length": 2}],
    )
    assert len({model["folder"] for model in every}) == len(every) == 3
    assert one == [model for model in every if model in one]
    assert len(one) == 1
    assert none == []
    # Clients of GraphQL take the page and never send it.
    assert (len(first), len(second)) == ((2, 1) if version in REST else (3, 3))


def test_model_by_either_name(version, python, server, ask, zoo):
    v1, v2, scheme, bare, missing = ask(
        python,
        server.url,
        *(["model", {"stub": stub}] for stub in (V1, V2, SCHEME, BARE, NET + "other-none")),
    )
    assert {**v1, "source": ""} == {**v2, "source": ""}
    name = zoo.model(V1).model_id if version in FLAT else V2.removeprefix("zoo:")
    assert v1["folder"].endswith("/" + name)
    size = zoo.file(V1, "model.onnx.tar.gz").stat().st_size
    assert v1["compressed_size"] == (None if version in BLIND else size)
    # Clients of GraphQL drop the training scheme, and get the plain model.
    held = zoo.model(SCHEME if version in REST else NET + "base-none").model_id
    if version in FLAT:
        assert scheme["folder"].endswith("/" + held)
        assert bare["folder"].endswith("/" + zoo.model(BARE).model_id)
    else:
        assert scheme["folder"].endswith("/samplenet-small-imagenette-base")
        assert bare["folder"].endswith("/samplenet-imagenette-base")
    assert "error" in missing


def test_recipes(version, python, server, ask, zoo):
    default, chosen = ask(
        python,
        server.url,
        ["paths", {"stub": V2}],
        ["paths", {"stub": V2 + "?recipe=transfer", "deployment": False}],
    )
    held = zoo.files(V1)
    for paths, name in ((default, "recipe.md"), (chosen, "recipe_transfer-classification.md")):
        with open(paths["recipe"], "rb") as file, zoo.file(V1, name).open("rb") as ours:
            assert file.read() == ours.read()
    got = digests(default["deployment"])
    assert got == {"model.onnx": held["deployment/model.onnx"]}


def test_results(version, python, server, ask):
    (model,) = ask(python, server.url, ["model", {"stub": NET + "base-none"}])
    if version in BLIND:
        assert model["results"] == {}
        return
    (quality,), (throughput,) = model["results"]["validation"], model["results"]["throughput"]
    assert quality["recorded_value"] == 70.5
    assert (throughput["recorded_value"], throughput["num_cores"]) == (1000.5, 24)


@pytest.mark.parametrize(
    "stub", [V1, "zoo:samplebert-small-sst2-base", FULL, LONE], ids=["v1", "v2", "full", "lone"]
)
def test_download_is_the_mirror(version, python, server, ask, zoo, tmp_path, stub):
    folder = tmp_path / "model"
    (outcome,) = ask(python, server.url, ["download", {"stub": stub, "folder": str(folder)}])
    # 1.6 leaves the recipes out and says so, whatever the server.
    assert outcome is (version != "1.6.1")
    got = {name_now(name): digest for name, digest in digests(folder).items()}
    held = zoo.files(TEXT + "base-none" if "bert" in stub else stub)
    if "sample-outputs.tar.gz" in held:
        held.pop("sample-outputs_deepsparse.tar.gz", None)  # not listed beside those
    wanted = {name for name in held if fetched(version, name)}
    assert {name: got.get(name) for name in wanted} == {name: held[name] for name in wanted}
    # Unpacked, or the copies that flat clients make.
    extra = {name.split("/")[0] for name in got if name not in held}
    assert all(name.startswith(("sample-", "deployment")) for name in extra)


def fetched(version, name):
    """Whether a download of all files fetches this one, by its v2 name."""
    if version in FLAT:
        folders = ("onnx/", "training/checkpoint-1/", "sample-outputs_")
        return not (name in NEW + NOT_FLAT or name.startswith(folders) or "#" in name)
    if version == "1.6.1":
        return not (name in NEW or name.startswith(("recipe", "deployment/")))
    return True


def name_now(name):
    """The v2 name of a file that a client of any version wrote."""
    name = name.removeprefix("recipe/").replace("sample_", "sample-")
    return "recipe.md" if name == "recipe_original.md" else name
