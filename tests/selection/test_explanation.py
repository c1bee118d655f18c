from __future__ import annotations

import math
from datetime import date

import pytest

import zooselect
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.provenance import Provenance
from zooselect.selection.explanation import explain

from .catalogs import EDGES, PROVENANCE, answer, parsed, plain
from .reference import TASKS

BASE = plain("base-none", millions=20)
SPARSE = plain("pruned80_quant-none", millions=21, quality=75.5)
SECOND = plain("pruned85_quant-none", "foo", "a", millions=20, quality=75)
SMALL = plain("pruned80_quant-none", "bar", millions=5)
LOW = plain("pruned80_quant-none", "baz", millions=5, confidence="low")
KERAS = [plain(tag, framework="keras", millions=20) for tag in ("base-none", "pruned80-none")]
MODELS = [BASE, SPARSE, SECOND, SMALL, LOW, *KERAS]
TODAY = date(2026, 3, 2)


def explained(models=MODELS, level=0.1, **options):
    return explain(answer(models, "ic", level, **options), TODAY)


def test_the_whole_explanation():
    assert (
        explained(framework="pytorch", dataset="my_cats")
        == f"""\
image_classification, sparse-transfer, optim level 0.1 (policy 1)
band           (0, 0.25): largest size, quantized
data set       imagenet (to transfer from)
filters        framework pytorch (2 left out)
size classes   20-21 M           largest, medium
               5 M               smallest
pick           {SPARSE["stub"]}
why            first of 2 on its rung (pruned_quantized, 21 M)
note           fallback: wanted quantized, got pruned_quantized: no quantized
               model in the size class 20-21 M
               no model on record is for 'my_cats': transfer to it from imagenet
runner-up      {SECOND["stub"]}
                 top1_accuracy 75, below 75.5
not picked     {BASE["stub"]}
                 optimization base, not pruned_quantized
lower band     {BASE["stub"]}
higher band    {SPARSE["stub"]}
left out       {LOW["stub"]}
                 unverified: may never have been published
catalog        some.json, compiled 2026-01-31, 30 days ago
               sha256:0"""
    )


def test_the_level_is_told_as_it_is():
    """Also just beside an edge: 0.25 told to lie in (0, 0.25) would be no explanation."""
    for level in EDGES:
        told = " ".join(explained(level=level).split()).split("optim level ")[1].split()[0]
        assert float(told) == level


def test_a_data_set_on_record():
    models = [plain("base-none", dataset="voc")]
    text = explained(models, 0.0, dataset="voc")
    assert "data set       voc\n" in text
    assert "filters" not in text


def test_many_left_out_are_counted():
    models = [
        BASE,
        *(plain("pruned80-none", name, confidence="low") for name in ("a", "b", "c")),
        plain("arch-moderate", optimization="other"),
        plain("base-none", "unsized", millions=None),
    ]
    text = explained(models, 0.0)
    assert "3 unverified" in text
    assert "1 other optimization" in text
    assert "1 unranked" in text


def test_many_alternatives_are_counted():
    models = [plain(f"base-{name}", millions=20) for name in "abcdefg"]
    text = explained(models, 0.0)
    assert "and 2 more (--json has them all)" in text


def of(provenance: Provenance):
    return zooselect.resolve("ic", 0.0, catalog=Catalog.from_records(parsed([BASE]), provenance))


@pytest.mark.parametrize(
    ("compiled", "told"),
    [
        ("2026-03-02", "some.json, compiled 2026-03-02, 0 days ago"),
        ("2026-03-01", "some.json, compiled 2026-03-01, 1 day ago"),
        ("2025-03-02T10:00:00Z", "some.json, compiled 2025-03-02T10:00:00Z, 365 days ago"),
        ("last spring", "some.json, compiled last spring"),
        (None, "some.json, undated"),
    ],
)
def test_the_catalog_and_its_age(compiled, told):
    assert f"catalog        {told}\n" in explain(of(PROVENANCE._replace(compiled=compiled)), TODAY)


def test_what_the_catalog_lost_is_told():
    text = of(
        PROVENANCE._replace(
            skipped=(("record 3", "no stub"),),
            repaired=(("zoo:a-b-c", "field `confidence` is unreadable: 7"),),
        )
    ).explain()
    assert "skipped record 3: no stub" in text
    assert "repaired zoo:a-b-c: field `confidence` is unreadable: 7" in text


def test_the_embedded_catalog_is_named():
    text = zooselect.resolve("ic").explain()
    assert "catalog        the embedded snapshot, compiled 20" in text


def test_a_plan_is_told():
    text = answer(MODELS, "ic", 0.5, mode="one-shot").explain()
    assert "image_classification, one-shot, optim level 0.5" in text
    assert "plan  " in text
    assert BASE["stub"] in text or KERAS[0]["stub"] in text


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("mode", ["sparse-transfer", "one-shot", "training-aware"])
def test_80_columns(task, mode):
    """But for lines that hold a stub, which is to be copied whole."""
    for level in (0.0, 0.1, 0.123456789, 0.3, 0.5, 0.9):
        for more in ({}, {"dataset": "my_own", "framework": "pytorch", "repo": "huggingface"}):
            try:
                text = zooselect.resolve(task, level, mode, **more).explain()
            except zooselect.NoCandidateError:
                continue
            lines = [line for line in text.splitlines() if "sha256:" not in line]
            assert [line for line in lines if len(line) > 80 and "zoo:" not in line] == []


def test_80_columns_also_for_the_digest():
    lines = zooselect.resolve("ic").explain().splitlines()
    assert [line for line in lines if len(line) > 80 and "zoo:" not in line] == []


def test_80_columns_also_for_the_least_level():
    models = [plain("base-none", task="multilabel_text_classification")]
    text = answer(models, "multilabel_text_classification", math.nextafter(0, 1)).explain()
    assert [line for line in text.splitlines() if len(line) > 80 and "zoo:" not in line] == []
