"""What a page says is what `resolve` says."""

import json

import pytest

from tests.report.samples import large
from zooselect import Catalog, NoCandidateError, resolve
from zooselect.level import BANDS, SPARSE_TRANSFER, Band
from zooselect.report import facts as facts_module
from zooselect.report.facts import MOST_MODELS, data_of, facts_of, tasks_of
from zooselect.report.words import spoken
from zooselect.task import TASKS, Task

CATALOG = Catalog.embedded()


def holding(bands, level):
    """The bands of a page that hold a level: by the edges it was given alone."""
    keys = ("lower", "upper", "lower_inclusive", "upper_inclusive")
    return [one for one in bands if Band(*(one[key] for key in keys)).holds(level)]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_each_of_101_levels_is_what_resolve_says(task):
    bands = facts_of(CATALOG, task).to_dict()["bands"]
    for hundredth in range(101):
        level = hundredth / 100
        answer = resolve(task.name, level, catalog=CATALOG)
        (band,) = holding(bands, level)
        assert (band["stub"], band["exact"]) == (answer.stub, answer.exact)
        assert band["millions"] == answer.dense_millions
        assert band.get("quality") == answer.quality
        assert (band["kind"], band["network"]) == (answer.model.optimization, answer.model.network)
        assert band.get("sparsity") == answer.model.sparsity_percent
        assert (band["tier"], band["optimization"]) == (answer.band.tier, answer.band.optimization)
        told = " ".join(band["words"])
        assert spoken(answer.why, task) in told
        for note in answer.notes:
            assert spoken(note, task)[1:] in told
        listed = [(one["stub"], one["why_not"]) for one in band["next"]]
        assert listed == [(stub, spoken(why, task)) for stub, why in answer.alternatives[:3]]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_list_has_every_model_of_the_task(task):
    facts = facts_of(CATALOG, task).to_dict()
    records = {record.stub: record for record in CATALOG.at(task.domain, task.sub_domain)}
    models = {one["stub"]: one for one in facts["models"]}
    assert len(facts["models"]) == len(models) == facts["total"]
    assert set(models) == set(records)
    for stub, one in models.items():
        assert one.get("quality") == records[stub].quality(task.metric)
        assert one.get("bytes") == records[stub].compressed_size_bytes
        if "why_not" not in one:
            assert one["millions"] > 0
            assert records[stub].confidence != "low"
            assert task.dataset in (None, records[stub].dataset)
    for band in facts["bands"]:
        pick = models[band["stub"]]
        assert "why_not" not in pick
        assert (pick["millions"], pick["kind"]) == (band["millions"], band["kind"])


def test_why_a_model_may_not_be_picked():
    models = facts_of(CATALOG, Task.parse("ic")).to_dict()["models"]
    reasons = {one["why_not"].partition(":")[0] for one in models if "why_not" in one}
    assert reasons == {"unverified", "for another data set", "other optimization"}


def test_sizes_off_the_ladder_are_told(catalog_file):
    """Larger models that exist unpruned alone are no tier, and there the page says so."""
    told = "There are other sizes, none of them both pruned and quantized."
    names = ("resnet_v1-50/pytorch/sparseml/imagenet/pruned90_quant-none",
             "resnet_v1-152/pytorch/sparseml/imagenet/base-none")  # fmt: skip
    models = [{"stub": f"zoo:cv/classification/{name}"} for name in names]
    task = Task.parse("ic")
    for some, there in ((models, True), (models[:1], False), (models[1:], False)):
        facts = facts_of(Catalog.from_file(catalog_file(some)), task)
        assert facts.off_ladder is there
        assert (told in facts.to_dict()["sizes"]) is there


def test_tasks_of():
    assert tasks_of(CATALOG) == TASKS
    assert tasks_of(large(1)) == (Task.parse("ic"),)


def test_no_model_of_the_task():
    with pytest.raises(NoCandidateError, match="no segmentation models"):
        facts_of(large(1), Task.parse("segmentation"))


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"stub": "zoo:net-cifar10-base", "domain": "cv", "sub_domain": "classification"},
         "no image_classification models for imagenet"),
        ({"stub": "zoo:cv/classification/net-a/pytorch/x/imagenet/base-none"}, "unranked"),
    ],
)  # fmt: skip
def test_models_but_none_to_pick(catalog_file, model, told):
    catalog = Catalog.from_file(catalog_file([model]))
    facts = facts_of(catalog, Task.parse("ic"))
    bands = facts.to_dict()["bands"]
    assert [one["stub"] for one in bands] == [None] * 5
    assert all(told in one["words"][-1] for one in bands)
    assert [one.record.stub for one in facts.models] == [model["stub"]]
    assert facts.models[0].why_not


def of_another(dataset, *tags, network="resnet_v1-50"):
    base = f"zoo:cv/classification/{network}/pytorch/sparseml/{dataset}/"
    return [{"stub": base + tag, "confidence": "high"} for tag in tags]


def test_models_of_another_data_set_alone(catalog_file):
    """As on a mirror of one's own models: the page is of what is there, and says so."""
    models = [
        *of_another("cifar_10", "base-none", "base_quant-none", "pruned90-none", network="new-1"),
        *of_another("food", "base-none", "pruned95_quant-none"),
        *of_another("imagenette", "base-none"),
    ]
    catalog = Catalog.from_file(catalog_file(models))
    task = Task.parse("ic")
    facts = facts_of(catalog, task).to_dict()
    # Of cifar_10 there are more, of unknown size.
    assert (facts["asked"], facts["dataset"]) == ("food", "food")
    assert facts["title"] == "Image classification (food)"
    for hundredth in range(101):
        answer = resolve(task.name, hundredth / 100, catalog=catalog, dataset="food")
        (band,) = holding(facts["bands"], hundredth / 100)
        assert (band["stub"], band["exact"]) == (answer.stub, answer.exact)
    why = {one["stub"].split("/")[5]: one.get("why_not") for one in facts["models"]}
    assert why == {
        "food": None, "cifar_10": "for another data set: cifar_10",
        "imagenette": "for another data set: imagenette",
    }  # fmt: skip
    own = Catalog.from_file(catalog_file([*models, *of_another("imagenet", "base-none")]))
    assert "asked" not in facts_of(own, task).to_dict()
    assert facts_of(own, task).to_dict()["dataset"] == "imagenet"


def test_a_band_without_an_answer_among_others(catalog_file):
    stub = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/pruned90_quant-none"
    catalog = Catalog.from_file(catalog_file([{"stub": stub}]))
    bands = facts_of(catalog, Task.parse("ic")).to_dict()["bands"]
    assert [one["stub"] for one in bands] == [None, stub, stub, stub, stub]
    assert "no base model" in bands[0]["words"][1]


def test_a_large_catalog_is_cut_but_for_its_picks():
    catalog = large(3 * MOST_MODELS)
    facts = facts_of(catalog, Task.parse("ic"))
    assert (len(facts.models), facts.total) == (MOST_MODELS, 3 * MOST_MODELS)
    listed = {one.record.stub for one in facts.models}
    assert {one.selection.stub for one in facts.axis if one.selection} <= listed
    qualities = [one.quality for one in facts.models]
    assert qualities == sorted(qualities, reverse=True)


def test_the_order_of_records_changes_nothing(monkeypatch):
    monkeypatch.setattr(facts_module, "MOST_MODELS", 20)
    task = Task.parse("qa")
    turned = Catalog.from_records(reversed(CATALOG.models), CATALOG.provenance)
    assert facts_of(turned, task).to_dict() == facts_of(CATALOG, task).to_dict()


def test_data():
    data = data_of(CATALOG, [facts_of(CATALOG, TASKS[0])], "1.2", served=False)
    assert not data["served"]
    assert (data["schema"], data["policy"], data["version"]) == (1, 1, "1.2")
    assert data["optim_level"] == 0.5
    assert data["provenance"] == {
        "source": "snapshot", "compiled": CATALOG.provenance.compiled,
        "digest": CATALOG.provenance.digest, "models": len(CATALOG), "skipped": 0,
    }  # fmt: skip
    bands = data["tasks"][0]["bands"]
    edges = [Band(*(one[key] for key in Band._fields[:6])) for one in bands]
    assert edges == list(BANDS[SPARSE_TRANSFER])
    assert json.loads(json.dumps(data, allow_nan=False)) == data
