"""Locks of every kind, for properties, and small ones by hand."""

from hypothesis import strategies as st

from zooselect.lock.lock import CatalogSeen, Lock, LockedFile, LockedModel, Pin
from zooselect.selection.question import Question
from zooselect.task import TASKS, Task

STUBS = (
    "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/base-none",
    "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned95_quant-none",
    "zoo:cv/detection/yolov5-n/pytorch/ultralytics/coco/pruned40_quant-none",
    "zoo:bert-base-squad_wikipedia_bookcorpus-base",
)
SEEN = CatalogSeen("mirror", "zoo/catalog.json", "sha256:" + "0" * 64)
SHA, MD5 = "a" * 64, "b" * 32


def pin(
    stub=STUBS[1], level=0.9, *, task="ic", policy=1, wanted=None, got=None, seen=SEEN, **options
):
    """A pin by hand."""
    return Pin(Question(Task.parse(task), **options), level, policy, stub, wanted, got, seen)


def model(*files, stub=STUBS[1], location="zoo"):
    """A model of files by hand."""
    return LockedModel(stub, "mirror", location, files or (LockedFile("model.onnx", 7, SHA, MD5),))


_texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_hex = "0123456789abcdef"
_fallbacks = st.sampled_from([(None, None), ("quantized", "base"), ("a", "")])


@st.composite
def _pins(draw):
    question = Question(
        draw(st.sampled_from(TASKS)), *(draw(_texts) for _ in range(5)),
        *(draw(st.booleans()) for _ in range(3)),
    )  # fmt: skip
    level = draw(st.floats(0, 1)) + 0.0
    seen = CatalogSeen(*(draw(_texts) or "" for _ in range(3)))
    wanted, got = draw(_fallbacks)
    policy = draw(st.integers(0, 9))
    return Pin(question, level, policy, draw(st.sampled_from(STUBS)), wanted, got, seen)


@st.composite
def _models(draw):
    names = draw(
        st.sets(st.sampled_from(["model.onnx", "deployment/ü.json", 'a "b'[:1]]), min_size=1)
    )
    files = (
        LockedFile(
            name,
            draw(st.none() | st.integers(0, 1 << 50)),
            draw(st.none() | st.text(_hex, min_size=64, max_size=64)),
            draw(st.none() | st.text(_hex, min_size=32, max_size=32)),
        )
        for name in sorted(names)
    )
    return LockedModel(
        draw(st.sampled_from(STUBS)), draw(st.sampled_from(["api", "mirror"])),
        draw(_texts) or "", tuple(files),
    )  # fmt: skip


pins = st.lists(_pins(), max_size=5)
models = st.lists(_models(), max_size=4)
locks = st.builds(Lock.of, pins, models)
