"""Names that the old protocol needs and a mirror does not keep."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.serve.zoos import BASE, BERT, FILES, model, type_of
from zooselect.mirror.store import MirrorFile, parse_model
from zooselect.serve.names import canonical, flat_names, listable, repo_names, url_path
from zooselect.stub import Stub

#: The old client's expression of a v2 stub (sparsezoo 1.8.1, `sparsezoo/model/utils.py`).
V2 = re.compile(
    r"^(zoo:)?(?P<architecture>[\.A-z0-9_]+)(-(?P<sub_architecture>[\.A-z0-9_]+))?"
    r"-(?P<source_dataset>[\.A-z0-9_]+)(-(?P<training_dataset>[\.A-z0-9_]+))?"
    r"-(?P<sparse_tag>[\.A-z0-9_]+)"
)


def of(stub, **facts):
    return parse_model(model(stub, **facts)[0])


def test_names_on_record_come_first():
    known = of(BERT + "base-none", stub_v2="zoo:bert-base-wikipedia-sst2-base")
    itself = of("zoo:resnet-50-imagenet-base")
    names = repo_names([of(BASE + "pruned90_quant-none"), known, itself])
    assert names == {
        BERT + "base-none": "bert-base-wikipedia-sst2-base",
        "zoo:resnet-50-imagenet-base": "resnet-50-imagenet-base",
        BASE + "pruned90_quant-none": "resnet_v1-50-imagenet-pruned90_quantized",
    }
    assert canonical(names[BERT + "base-none"]) == "zoo:bert-base-wikipedia-sst2-base"


def test_two_models_never_share_a_name():
    twice = [of(BASE + tag, stub_v2="zoo:a-b-c") for tag in ("base-none", "pruned-none")]
    names = repo_names(twice)
    assert names[BASE + "base-none"] == "a-b-c"
    assert len(set(names.values())) == 2


word = st.from_regex(r"[a-z0-9_.]{1,4}", fullmatch=True)
tag = st.lists(
    st.sampled_from(["base", "none", "quant", "pruned90_quant", "vnni", "4block"]) | word,
    min_size=1, max_size=4,
).map("-".join)  # fmt: skip


@given(st.lists(tag, min_size=1, max_size=6, unique=True), st.booleans())
def test_made_up_names_are_unique_v2_stubs(tags, scheme):
    head = BASE.replace("imagenet/", "imagenet-aug/") if scheme else BASE
    names = repo_names([of(head + one) for one in tags])
    assert len(set(names.values())) == len(tags)
    for name in names.values():
        assert Stub.parse(name).version == 2
        assert V2.fullmatch(name)


def test_flat_names():
    files = of(BASE + "base-none").files
    flat = dict(flat_names(files))
    assert flat == {
        "model.md": "model.md",
        "model.onnx": "model.onnx",
        "model.onnx.tar.gz": "model.onnx.tar.gz",
        "recipe.md": "original.md",
        "recipe_transfer.md": "transfer.md",
        "sample-inputs.tar.gz": "sample-inputs.tar.gz",
        "training/weights.pth": "weights.pth",
    }


@given(st.lists(st.sampled_from([*FILES, "training/model.onnx", "onnx/model.9.onnx", "x.md",
                                 "training/x.md", "recipe_original.md", "training/original.md"]),
                unique=True))  # fmt: skip
def test_flat_names_are_unique_and_have_an_extension(names):
    files = [MirrorFile(name, type_of(name), 1, "0" * 64, "0" * 32) for name in sorted(names)]
    flat = flat_names(files)
    assert len(set(flat.values())) == len(flat)
    assert all("." in name and "/" not in name for name in flat.values())
    if "model.onnx" in names:
        assert flat["model.onnx"] == "model.onnx"


def test_names_that_urls_cannot_hold_are_not_flat():
    odd = ["training/a#b.txt", "training/a%b.txt", "training/a b.txt"]
    files = [MirrorFile(name, "training", 1, "0" * 64, "0" * 32) for name in odd]
    assert list(flat_names(files).values()) == ["a b.txt"]


def test_listable():
    def names(*given):
        files = [MirrorFile(name, kind, 1, "0" * 64, "0" * 32) for name, kind in given]
        return [file.name for file in listable(files)]

    plain = ("sample-outputs.tar.gz", "outputs")
    engines = [(f"sample-outputs_{one}.tar.gz", "outputs") for one in ("deepsparse", "onnxruntime")]
    assert names(("LICENSE", "training"), (".gitattributes", "training")) == []
    assert names(("training/LICENSE", "training")) == ["training/LICENSE"]
    assert names(plain) == ["sample-outputs.tar.gz"]
    assert len(names(*engines)) == 2
    assert names(engines[0]) == []
    assert names(plain, *engines) == ["sample-outputs.tar.gz"]


def test_url_path():
    one = of(BASE + "base-none", model_id="a.b_c-1")
    assert url_path(one, "training/x.md") == "/v2/models/a.b_c-1/files/training/x.md"
