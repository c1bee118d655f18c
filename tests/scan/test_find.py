"""Stubs in texts of many kinds, and what is none."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect import Catalog
from zooselect.catalog.parse import parse_models
from zooselect.scan.find import Finder
from zooselect.scan.names import Names

NAMES = Names(Catalog.embedded())
FINDER = Finder(NAMES)
V1 = "cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned95-none"
V2 = "yolov5-s-coco-pruned75"


def found(text, finder=FINDER):
    return [(one.text, one.judgement.status) for one in finder.find(text)]


FORMS = [
    'model = Model("{}")',
    "model = Model('{}')  # a comment",
    "model_path: {}",
    "- {}",
    '{{"stub": "{}", "n": 1}}',
    'stub = "{}"',
    "See `{}`.",
    "See {}.",
    "See **{}**, *{}*, ({}) or [{}](https://example.org).",
    "<td>{}</td>",
    "{}<br/>",
    "sparsezoo.download {} --save-dir x",
    "deepsparse.benchmark {} -s async",
    "STUB={}\n",
    "export STUB='{}'; echo",
    '    "stub = \\"{}\\"\\n",',
    '"a\\n{}\\n"',
    "| {} | 76.1 |",
    "x,{},y",
    "\ufeff{}",
    "{}\r\n",
    "Modèle : « {} »",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stub", ["zoo:" + V1, "zoo:" + V2, V1, V2, f"zoo:{V1}?recipe=transfer"])
def test_known_stubs_in_all_kinds_of_text(form, stub):
    text = form.format(*[stub] * 4)
    assert found(text) == [(stub, "known")] * form.count("{}")
    for one in FINDER.find(text):
        line = re.split("\r\n|\r|\n", text)[one.line - 1]
        assert line[one.column - 1 :].startswith(stub)


def test_a_notebook():
    cell = {"cell_type": "code", "source": [f"stub = 'zoo:{V1}'\n", f'm = Model("{V2}")\n']}
    text = json.dumps({"cells": [cell]}, indent=1)
    assert found(text) == [(f"zoo:{V1}", "known"), (V2, "known")]


def test_places_count_lines_and_characters():
    (one,) = FINDER.find(f"\n\n\u00fc\U0001f600 zoo:{V2}?recipe=original")
    assert (one.line, one.column) == (3, 4)
    assert (one.text, one.path) == (f"zoo:{V2}?recipe=original", V2)


def test_lines_are_those_of_editors():
    text = f"a\x0cb\u2028c\x85d\r\ne\rf\n{V2}"
    assert [one.line for one in FINDER.find(text)] == [4]


def test_every_name_of_the_catalog_is_found_in_every_form():
    for record in Catalog.embedded():
        for stub in (record.stub, *record.aliases):
            for text in (stub, stub.removeprefix("zoo:")):
                assert [one for one, _ in found(f'x = "{text}",')] == [text]
                assert FINDER.may_hold(text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zoo:a-b-c", [("zoo:a-b-c", "unknown")]),
        (f"zoo:{V1}x", [(f"zoo:{V1}x", "misspelt")]),
        ("zoo:cv/classification/new-1/pytorch/me/mine/base-none", "unknown"),
        ("cv/classification/new-1/pytorch/me/mine/base-none", "unknown"),
        ("resnet_v1-50-imagenet-pruned99", "unknown"),  # of known parts
        ('stub="mynet-1-mine-base_quantized"', [("mynet-1-mine-base_quantized", "unknown")]),
        ('Model("mynet-mine-pruned50")', [("mynet-mine-pruned50", "unknown")]),
        # one part too many, or too few, and yet near a name
        (f"zoo:{V1.replace('resnet_v1-50', 'resnet-v1-50')}", "misspelt"),
    ],
)
def test_not_known(text, expected):
    assert found(text) == ([(text, expected)] if isinstance(expected, str) else expected)


@pytest.mark.parametrize(
    "text",
    [
        "zoo:", "zoo:latest", "zoo: a-b-c", "zoo:8080/x", "my_zoo:a-b-c", "kazoo:a-b-c",
        "zoo:...", "zoo:cv/...", "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/",
        "zoo:domain/sub_domain", "zoo:cv/classification/*/pytorch/sparseml/imagenet/base-none",
        'f"zoo:yolov5-s-coco-pruned{n}"', "zoo:yolov5-s-coco-pruned$N", "zoo:yolov5-s-coco-pruned*",
        "zoo:yolov5-s-coco-prunedXX_quantized", "zoo:yolov5-s-coco-pruned<N>",
        "zoo:yolov5-s-coco-pru\u2026", "zoo:yolov5-s-coco-pru...",
        "a-b-c", "state-of-the-art", "bert-base-uncased", "bert-large-cased-whole-word-masking",
        "distilbert-base-uncased-finetuned-sst-2-english", "x86_64-linux-gnu-base",
        "role-based-access", "machine-id-based", "sparsezoo: machine-id-based",
        "data-driven-quantitative", "cost-quantity-base", "stub-less-design",
        "stub: some-test-server", "cv/a/b", "cv/b/c/d/e/f/g",
        "src/cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/x",
        "https://example.org/models/" + V2, "./" + V2, V2 + "/model.onnx", "x-" + V2, V2 + "-x-y-z",
        "docker.io/zoo/yolo", "2024-01-base", "python3-numpy-base",
        V2 + ".onnx", "resnet_v1-50-imagenet-pruned99.md", f"models/{V1}/model.onnx",
        f"/home/me/models/{V2}", f"https://zoo.example.org/models/{V2}", f"my-models/{V2}",
        f"https://example.org/models/{V2.replace('75', '99')}",
    ],
)  # fmt: skip
def test_none(text):
    assert found(text) == []


HALF = V1.index("imagenet")


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("end", ["", "  ", " \\", " +", " + \\"])
@pytest.mark.parametrize("tail", ["", ")", ",", "?recipe=transfer"])
def test_a_stub_split_between_literals(quote, end, tail):
    parts = "zoo:" + V1[:HALF], V1[HALF : HALF + 9], V1[HALF + 9 :]
    query, tail = (tail, "") if tail.startswith("?") else ("", tail)
    first, *others = [quote + part + quote for part in (*parts[:2], parts[2] + query)]
    text = f"x = ({first}{end}\n    {others[0]}{end}\n    {others[1]}{tail}\n)\ny = {V2!r}\n"
    one, other = FINDER.find(text)
    assert (one.line, one.column, one.text) == (1, 7, f"zoo:{V1}{query}")
    assert one.length == len(parts[0])
    assert one.judgement.status == "known"
    assert (other.line, other.text, other.length) == (5, V2, len(V2))


@pytest.mark.parametrize("start", ["f", "+ ", "    + f", "rb"])
def test_a_literal_that_goes_on_with_a_prefix_or_a_plus(start):
    assert found(f'x = ("zoo:{V1[:HALF]}"\n{start}"{V1[HALF:]}")') == [("zoo:" + V1, "known")]
    # With a placeholder, nobody knows what it is.
    assert found(f'x = ("zoo:{V1[:HALF]}"\n{start}"{V1[HALF:]}{{x}}")') == []


def test_a_stub_split_by_a_backslash():
    text = f"run zoo:{V1[:HALF]}\\\n{V1[HALF:]} --fast zoo:{V2}\nnext zoo:{V2}\n"
    one, two, three = FINDER.find(text)
    assert (one.line, one.column, one.length) == (1, 5, 4 + HALF)
    assert (one.text, one.judgement.status) == ("zoo:" + V1, "known")
    rest = V1[HALF:] + " --fast "
    assert [(two.line, two.column), (three.line, three.column)] == [(2, len(rest) + 1), (3, 6)]
    # What is whole ends there: a backslash may be a line break of Markdown, or of a shell.
    assert found(f"zoo:{V2}\\\nNext") == [("zoo:" + V2, "known")]
    assert found(f"run zoo:{V1}\\\n  --fast") == [("zoo:" + V1, "known")]


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_stub_split_between_lines_of_a_notebook(quote):
    source = [f"stub = ({quote}zoo:{V1[:HALF]}{quote}\n", f"    {quote}{V1[HALF:]}{quote})\n"]
    text = json.dumps({"cells": [{"source": source}]}, indent=1)
    assert found(text) == [("zoo:" + V1, "known")]


ENCODED = V1.replace("/", "%2F")
SITE = "https://sparsezoo.example.org/models/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[a]({SITE}{ENCODED}) b", V1),
        (f"<a href='{SITE}{V1}'>", V1),
        (f"{SITE}{V1}?tab=1 b", V1),
        (f"curl https://api.example.org/models/{V1}/model.onnx", V1),
        (f"https://example.org/?stub=zoo%3A{ENCODED.lower()}", f"zoo:{V1}"),
        (f"https://example.org/?stub=zoo%3a{ENCODED}%3Frecipe=x", f"zoo:{V1}?recipe=x"),
        (f"{SITE}{V2}?hardware=x", V2),
        (f'{{"a": "zoo:{V1}"}}'.replace("/", "\\/"), f"zoo:{V1}"),
        (f"{SITE}{V2.replace('75', '99')}", V2.replace("75", "99")),
    ],
)
def test_links_and_escapes(text, expected):
    (one,) = FINDER.find("\n\u00fc " + text)
    assert one.text == expected
    assert FINDER.may_hold(text.encode())
    there = text[one.column - 3 : one.column - 3 + one.length]
    assert unescaped(there) == expected
    assert one.judgement.status == ("known" if "99" not in text else "unknown")


def test_two_stubs_in_a_link():
    assert found(f"{SITE}{V2}?comparison={V1.replace('/', '%2F')}") == [
        (V2, "known"), (V1, "known"),
    ]  # fmt: skip


def unescaped(text):
    return re.sub("%[0-9A-Fa-f]{2}", lambda code: chr(int(code[0][1:], 16)), text).replace(
        "\\/", "/"
    )


@pytest.mark.parametrize("gap", [",", "\n", " # no"])
def test_literals_that_are_not_joined(gap):
    text = f'["zoo:{V2}"{gap}\n"zoo:a-b-c"]'
    assert found(text) == [("zoo:" + V2, "known"), ("zoo:a-b-c", "unknown")]
    assert found(f'["zoo:{V1[:HALF]}"{gap}\n"{V1[HALF:]}"]') == []


def test_a_bad_parameter_is_told():
    (one,) = FINDER.find(f"zoo:{V1}?recepe=transfer")
    assert one.judgement.status == "known"
    assert one.problem.startswith("known parameters: recipe")
    (good,) = FINDER.find(f"zoo:{V1}?recipe=transfer&checkpoint=x")
    assert good.problem is None


def test_names_of_another_catalog():
    own = parse_models([{"stub": "zoo:own-data-best"}, {"stub": "zoo:x/y/a/b/c/d/e"}])
    finder = Finder(Names(own.records))
    assert found("own-data-best and x/y/a/b/c/d/e", finder) == [
        ("own-data-best", "known"), ("x/y/a/b/c/d/e", "known"),
    ]  # fmt: skip
    assert found(V1, finder) == []
    assert finder.may_hold(b"the own-data-best model")
    assert found("zoo:a-b-c", Finder(Names([]))) == [("zoo:a-b-c", "unknown")]


PIECES = st.sampled_from(
    ["zoo:", "zoo%3A", V1, V1[:HALF], V1[HALF:], V2, ENCODED, SITE, "models/", "%2f", "%3F", "\\/"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(st.sampled_from("zo:/-_.?=&abc cv1*{<+f\\\n\"'"), max_size=4))


@given(TEXTS.map("".join) | st.text())
def test_any_text_is_taken(text):
    for one in FINDER.find(text):
        line = re.split("\r\n|\r|\n", text)[one.line - 1]
        there = line[one.column - 1 : one.column - 1 + one.length]
        assert there
        assert one.text.startswith(unescaped(there))
        assert FINDER.may_hold(text.encode("utf-8", "replace"))


@pytest.mark.parametrize("piece", ["a", "a-", "a.", "cv/", "zoo:", "a/", "base-", "x-base", "\\n"])
def test_long_lines_take_no_more_than_their_length(piece):
    """A million characters in a line: what backtracks would take hours."""
    list(FINDER.find("zoo:" + piece * 200_000))


@pytest.mark.parametrize(
    "text",
    [
        'zoo:a"' + " " * 1_000_000 + "x",
        'zoo:a"\n' + " " * 1_000_000 + "x",
        'x = "zoo:a/"\n' + '    "a/"\n' * 200_000,
        'x = "zoo:a/\\\n' + "a/\\\n" * 200_000,
        "https://" * 100_000 + "sparsezoo/models/" + V2,
    ],
    ids=range(5),
)
def test_long_texts_take_no_more_than_their_length(text):
    list(FINDER.find(text))


def test_a_line_of_many_stubs_takes_no_more_than_its_length():
    assert len(list(FINDER.find(f'"zoo:{V2}", {V2}, {SITE}{ENCODED}\t' * 4000))) == 12_000
