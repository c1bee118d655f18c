"""Stubs: the two grammars."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect import Stub, StubError

V1 = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet-augmented/pruned95_quant-none"
V2 = "zoo:resnet_v1-50-imagenet-pruned95_quantized"

# The expressions of sparsezoo 1.8.1 (`sparsezoo/model/utils.py`), with `A-z` written as the
# letters it was meant for. Here they are matched whole.
_P = "[.A-Za-z0-9_]+"
OLD_V1 = re.compile(
    rf"(zoo:)?(?P<domain>{_P})/(?P<sub_domain>{_P})"
    rf"/(?P<architecture>{_P})(-(?P<sub_architecture>{_P}))?"
    rf"/(?P<framework>{_P})/(?P<repo>{_P})"
    rf"/(?P<source_dataset>{_P})(-(?P<training_scheme>{_P}))?"
    r"/(?P<sparse_tag>[.A-Za-z0-9_-]+)"
)
OLD_V2 = re.compile(
    rf"(zoo:)?(?P<architecture>{_P})(-(?P<sub_architecture>{_P}))?"
    rf"-(?P<source_dataset>{_P})(-(?P<training_dataset>{_P}))?-(?P<sparse_tag>{_P})"
)

CHARACTERS = string.ascii_letters + string.digits + "_."
part = st.text(CHARACTERS, min_size=1, max_size=8)
prefix = st.sampled_from(["zoo:", ""])
tag = st.text(CHARACTERS + "-", min_size=1, max_size=12)
one_or_two = st.lists(part, min_size=1, max_size=2).map("-".join)
v1_path = st.tuples(part, part, one_or_two, part, part, one_or_two, tag).map("/".join)
v2_path = st.lists(part, min_size=3, max_size=5).map("-".join)
parameter = st.tuples(
    st.sampled_from(["recipe", "recipe_type", "checkpoint", "deployment"]), tag
).map("=".join)
query = st.one_of(
    st.just(""), st.lists(parameter, min_size=1, max_size=3).map(lambda all_: "?" + "&".join(all_))
)
valid = st.tuples(prefix, st.one_of(v1_path, v2_path), query).map("".join)
# Near misses: a valid stub with one character put in, or cut short.
broken = st.one_of(
    st.builds(
        lambda text, at, odd: text[: at % (len(text) + 1)] + odd + text[at % (len(text) + 1) :],
        valid,
        st.integers(0, 200),
        st.sampled_from(list("/-?&=:[\\]^` \n\0é٣")),
    ),
    st.builds(lambda text, at: text[: at % len(text)], valid, st.integers(0, 200)),
)
# The right separators, in wrong numbers.
some = st.lists(st.text("a1_.", min_size=1, max_size=2), min_size=1, max_size=3).map("-".join)
loose = st.lists(some, min_size=1, max_size=8).map("/".join)
seven = st.tuples(*[some] * 7).map("/".join)
anything = st.one_of(st.text(), st.text("ab0_.-/:?&=zo", max_size=40), broken, loose, seven)


def test_v1_fields():
    stub = Stub.parse(V1 + "?recipe=transfer&checkpoint=preqat")
    assert stub == Stub(
        version=1,
        domain="cv",
        sub_domain="classification",
        architecture="resnet_v1",
        sub_architecture="50",
        framework="pytorch",
        repo="sparseml",
        source_dataset="imagenet",
        training_scheme="augmented",
        sparse_tag="pruned95_quant-none",
        parameters=(("recipe", "transfer"), ("checkpoint", "preqat")),
        prefixed=True,
    )
    assert stub.training_dataset is None
    assert stub.canonical == V1
    assert stub.path == V1.removeprefix("zoo:")


@pytest.mark.parametrize(
    ("text", "sub_architecture", "source", "training"),
    [
        ("distilbert-squad-base", None, "squad", None),
        ("resnet_v1-50-imagenet-base", "50", "imagenet", None),
        ("yolov5-s-coco-voc-pruned", "s", "coco", "voc"),
    ],
)
def test_v2_fields(text, sub_architecture, source, training):
    stub = Stub.parse(text)
    assert stub.version == 2
    assert stub.architecture == text.split("-")[0]
    assert stub.sub_architecture == sub_architecture
    assert (stub.source_dataset, stub.training_dataset) == (source, training)
    assert stub.sparse_tag == text.split("-")[-1]
    assert (stub.domain, stub.framework, stub.repo, stub.training_scheme) == (None,) * 4
    assert stub.prefixed is False
    assert (str(stub), stub.canonical) == (text, "zoo:" + text)


@given(valid)
def test_valid_stubs_round_trip_exactly(text):
    stub = Stub.parse(text)
    assert str(stub) == text
    assert Stub.parse(stub.canonical).canonical == stub.canonical
    assert stub.canonical == "zoo:" + text.removeprefix("zoo:").partition("?")[0]
    assert len(stub.parameters) == text.count("=")


@given(anything)
def test_any_text_round_trips_or_is_refused_at_a_position(text):
    error = None
    try:
        stub = Stub.parse(text)
    except StubError as raised:
        error = raised
    if error is None:
        assert str(stub) == text
        return
    assert error.text == text
    assert 0 <= error.position <= len(text)
    assert error.exit_code == 2
    assert error.hint
    assert "\n" not in error.message
    if error.position < len(text):
        where = f"{text[error.position]!r} at character {error.position + 1} does not fit"
    else:
        where = "something is missing at its end"
    assert where in error.message


@given(st.one_of(valid, anything).map(lambda text: text.partition("?")[0]))
def test_agrees_with_the_old_client(text):
    first, second = OLD_V1.fullmatch(text), OLD_V2.fullmatch(text)
    if not first and not second:
        with pytest.raises(StubError):
            Stub.parse(text)
        return
    stub = Stub.parse(text)
    assert stub.version == (1 if first else 2)
    for name, value in (first or second).groupdict().items():
        assert getattr(stub, name) == value


@pytest.mark.parametrize(
    ("fits", "rest"),
    [
        ("", ""),
        ("zoo:", ""),
        ("", " " + V2),
        ("ZOO", ":" + V2[4:]),
        ("zoo:zoo", ":a-b-c"),
        (V1, "\n"),
        (V2, "\n"),
        (V2, "/"),
        (V1, "/more"),
        (V1.rpartition("/")[0] + "/", ""),
        (V1.rpartition("/")[0], ""),
        ("zoo:cv/", "/resnet/pytorch/sparseml/imagenet/base-none"),
        ("zoo:cv", "-x/classification/resnet/pytorch/sparseml/imagenet/base-none"),
        ("zoo:cv/classification/resnet-50", "-x/pytorch/sparseml/imagenet/base-none"),
        ("zoo:cv/classification/resnet/pytorch/sparseml/imagenet-aug", "-x/base-none"),
        ("zoo:cv/classification/resnet-", "/pytorch/sparseml/imagenet/base-none"),
        ("zoo:cv/classification/resnet/pytorch", "-x/sparseml/imagenet/base-none"),
        ("zoo:a-b", ""),
        ("zoo:a-", "-c"),
        ("zoo:a-b-c-d-e", "-f"),
        ("zoo:resnet_v", "٣-imagenet-base"),
        ("zoo:caf", "é-imagenet-base"),
        *((f"zoo:a{char}"[:5], f"{char}-b-c") for char in "[\\]^`"),
        (V2 + "?", ""),
        (V2 + "?", "recipe"),
        (V2 + "?", "nope=1"),
        (V2 + "?recipe=", ""),
        (V2 + "?recipe=a", " b"),
        (V2 + "?recipe=a", "?recipe=b"),
        (V2 + "?recipe=a&", ""),
        (V2 + "?recipe=a&", "Recipe=b"),
        (V2 + "?recipe=a", "=b"),
    ],
)
def test_errors_point_at_the_character(fits, rest):
    with pytest.raises(StubError, match="is not a stub") as caught:
        Stub.parse(fits + rest)
    assert caught.value.position == len(fits)


def test_a_tag_may_hold_any_hyphens():
    stub = Stub.parse("zoo:a/b/c/d/e/f/pruned-x-y-")
    assert stub.sparse_tag == "pruned-x-y-"


@pytest.mark.parametrize("value", [None, 5, b"zoo:a-b-c", ["zoo:a-b-c"]])
def test_only_texts_are_stubs(value):
    with pytest.raises(StubError, match="a stub is a text"):
        Stub.parse(value)


def test_a_long_text_is_shown_short():
    with pytest.raises(StubError) as caught:
        Stub.parse("x" * 10_000)
    assert len(caught.value.message) < 250
    assert caught.value.position == 10_000


def test_stubs_are_values():
    assert Stub.parse(V1) == Stub.parse(V1)
    assert len({Stub.parse(V1), Stub.parse(V1), Stub.parse(V2)}) == 2
    with pytest.raises(AttributeError):
        Stub.parse(V1).repo = "other"
