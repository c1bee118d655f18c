"""Catalogs to test with: records as plain dicts, hand-made by `plain` or random.

Plain dicts are what the reference takes; `catalog_of` makes of them what zooselect takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from hypothesis import strategies as st

import zooselect
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.dense_size import architecture_sizes
from zooselect.catalog.parse import parse_models
from zooselect.catalog.provenance import Provenance
from zooselect.record import ModelRecord
from zooselect.selection.selection import Selection

from .reference import TASKS, Record, Sizes

#: The table of architecture sizes, as the reference takes it.
SIZES: Sizes = {network: size.millions for network, size in architecture_sizes().items()}
PROVENANCE = Provenance("file", "some.json", "sha256:0", compiled="2026-01-31")


def parsed(models: Iterable[Record]) -> tuple[ModelRecord, ...]:
    """The records as zooselect reads them; not one may be lost."""
    found = parse_models(models)
    assert not found.skipped
    return found.records


def catalog_of(models: Iterable[Record]) -> Catalog:
    """A catalog of plain records."""
    return Catalog.from_records(parsed(models), PROVENANCE)


def answer(models: Iterable[Record], task: str, level: float, **options: Any) -> Selection | None:
    """What zooselect answers; None for no candidate."""
    try:
        return zooselect.resolve(task, level, catalog=catalog_of(models), **options)
    except zooselect.NoCandidateError:
        return None


def plain(
    tag: str = "base-none",
    architecture: str = "foo",
    sub: str | None = None,
    *,
    task: str = "image_classification",
    optimization: str | None = None,
    millions: float | None = 10.0,
    dataset: str | None = None,
    framework: str | None = "pytorch",
    repo: str | None = "sparseml",
    quality: float | None = None,
    sparsity: float | None = None,
    confidence: str | None = "high",
    version: int = 1,
    **more: Any,
) -> Record:
    """A record by hand. `foo` and `bar` are not in the table of architecture sizes."""
    domain, sub_domain, default, metric = TASKS[task]
    dataset = dataset or default or "gsm8k"
    network = architecture if sub is None else f"{architecture}-{sub}"
    if version == 1:
        stub = f"zoo:{domain}/{sub_domain}/{network}/{framework}/{repo}/{dataset}/{tag}"
    else:
        framework = repo = None
        stub = f"zoo:{network}-{dataset}-{tag}"
    if optimization is None:
        quantized, pruned = "quant" in tag, "pruned" in tag
        optimization = {
            (False, False): "base",
            (True, False): "quantized",
            (False, True): "pruned",
            (True, True): "pruned_quantized",
        }[quantized, pruned]
    record = {
        "stub": stub,
        "domain": domain,
        "sub_domain": sub_domain,
        "architecture": architecture,
        "sub_architecture": sub,
        "framework": framework,
        "repo": repo,
        "source_dataset": dataset,
        "sparse_tag": tag,
        "optimization": optimization,
        "parameters_millions": millions,
        "sparsity_percent": sparsity,
        "confidence": confidence,
        "results": None
        if quality is None
        else [{"metric": metric, "value": quality, "units": "%"}],
        **more,
    }
    return {key: value for key, value in record.items() if value is not None}


# Random catalogs. Few names and few figures, so that records meet: ties in every step,
# sizes on both sides of the factor 1.10, rungs that are missing, sizes nobody knows.

#: In the table of architecture sizes; 25.56, 25.3 and 23.83 are one class.
_KNOWN = [
    ("resnet_v1", "50"),
    ("mobilebert", None),
    ("inception_v3", None),
    ("vgg", "16"),
    ("vgg", "11"),
    ("mobilenet_v1", "1.0"),
]
_UNKNOWN = [("foo", None), ("foo", "a"), ("foo", "b"), ("bar", "b"), ("baz", None)]


def _around(value: float) -> list[float]:
    return [math.nextafter(value, 0), value, math.nextafter(value, math.inf)]


_MILLIONS = [
    *(1, 10, 12.1, 23.83, 200.0),
    *_around(11.0),
    *_around(10 / 1.1),
    *_around(1.10 * 25.56),
    *_around(25.56 / 1.10),
]
_BYTES = [4, 40_000_000, 44_000_000, 48_400_000, 4 * 25_560_000]

_TAGS = {
    "base": (["base-none", "base", "base-none-vnni"], ["base", "base_none"]),
    "quantized": (["base_quant-none", "quantW8A8-none"], ["base_quantized", "quantW8A8"]),
    "pruned": (
        ["pruned80-none", "pruned-moderate", "pruned70-none-vnni", "pruned70-none-arm"],
        ["pruned90", "pruned90.4block"],
    ),
    "pruned_quantized": (
        [
            "pruned80_quant-none",
            "pruned80_quant-none-vnni",
            "pruned_quant-aggressive",
            "pruned90_quant-none-4block",
        ],
        ["pruned95_quantized", "pruned80.4block_quantized", "pruned80.4block_quant_vnni"],
    ),
    "other": (["arch-moderate"], ["3layer_base"]),
}
_KINDS = [
    (optimization, version, tag)
    for optimization, tags in _TAGS.items()
    for version in (1, 2)
    for tag in tags[version - 1]
]
_FRAMEWORKS = ["pytorch", "keras"]
_REPOS = ["sparseml", "torchvision"]

#: (value, units); units and value never contradict one another here.
_FIGURES = [
    *((value, "%") for value in (0.5, 1, 75, 76.3)),
    *((value, "mAP@0.5 (0-100)") for value in (0.75, 76.3)),
    *((value, "mAP@0.5 (0-1)") for value in (0, 0.5, 0.75, 0.763, 1)),
    *((value, None) for value in (0.5, 0.763, 1, 1.5, 75)),
    *((value, "%") for value in ("76.3", True, None)),
]


# A record is drawn in four draws from long lists, for a draw is what costs time.
_SUSPECT = [None, None, None, "", "a copy of another figure", True]
_MEASURED = [
    {
        "value": value,
        **({"units": units} if units else {}),
        **({} if suspect is None else {"suspect": suspect}),
        **({"metric": "speed"} if unwanted else {}),
    }
    for (value, units), suspect, unwanted in product(_FIGURES, _SUSPECT, (0, 0, 0, 1))
]
_RESULTS: list[list[Record] | None] = [
    *[None] * len(_MEASURED),
    *([one] for one in _MEASURED),
    *([one, other] for one, other in zip(_MEASURED, _MEASURED[7::11] * 11, strict=False)),
]
_OPTIONAL = [
    {
        "confidence": confidence,
        "sparsity_percent": sparsity,
        "parameters_millions": millions,
        **bytes_,
    }
    for confidence, sparsity, millions, bytes_ in product(
        ["high", "high", "high", "medium", "low", None],
        [None, None, 0, 50, 80, 80.0, 95.5],
        [None, *_MILLIONS],
        [
            {},
            *({"onnx_size_bytes": size} for size in _BYTES),
            *({"compressed_size_bytes": size} for size in _BYTES),
            {"onnx_size_bytes": 44_000_000, "compressed_size_bytes": 4},
        ],
    )
]


def one_of_many(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Like `sampled_from`, without printing all the values when an example fails."""
    return st.integers(0, len(values) - 1).map(lambda index: values[index])


def datasets_of(task: str) -> list[str]:
    """Data sets the random records of a task are for, as `source_dataset`."""
    default = TASKS[task][2] or "gsm8k"
    return [default, default, default, default, f"{default}_coco", "voc", "voc_coco"]


Network = tuple[str, "str | None"]


def records(
    task: str, datasets: Sequence[str] = (), networks: Sequence[Network] = ()
) -> st.SearchStrategy[Record]:
    """Random records of a task, of some data sets and networks or of all."""
    domain, sub_domain, _, metric = TASKS[task]

    def build(
        what: tuple[tuple[str, str | None], tuple[str, int, str]],
        place: tuple[str, str, str, str],
        optional: dict[str, Any],
        results: list[Record] | None,
    ) -> Record:
        ((architecture, sub), (optimization, version, tag)) = what
        dataset, framework, repo, scheme = place
        name = architecture if sub is None else f"{architecture}-{sub}"
        record: Record = {"stub": f"zoo:{name}-{dataset}-{tag}"}
        if version == 1:
            data = dataset + scheme
            record["stub"] = f"zoo:{domain}/{sub_domain}/{name}/{framework}/{repo}/{data}/{tag}"
            record |= {"framework": framework, "repo": repo}
        record |= {
            "domain": domain,
            "sub_domain": sub_domain,
            "architecture": architecture,
            "source_dataset": dataset,
            "sparse_tag": tag,
            "optimization": optimization,
        }
        if sub is not None:
            record["sub_architecture"] = sub
        for key, value in optional.items():
            if value is not None and (optimization == "base" or "bytes" not in key):
                record[key] = value
        if results is not None:
            record["results"] = [{"metric": metric or "accuracy", **one} for one in results]
        return record

    places = list(
        product(datasets or datasets_of(task), _FRAMEWORKS, _REPOS, ["", "", "-augmented"])
    )
    return st.builds(
        build,
        one_of_many(list(product(networks or [*_KNOWN, *_UNKNOWN], _KINDS))),
        one_of_many(places),
        one_of_many(_OPTIONAL),
        one_of_many(_RESULTS),
    )


@st.composite
def catalogs(draw: st.DrawFn, task: str) -> list[Record]:
    """Random catalogs, most of whose records are of one task; no stub twice."""
    # Few networks to a catalog, so that several records meet on one rung.
    some = st.lists(st.sampled_from([*_KNOWN, *_UNKNOWN]), min_size=1, max_size=3)
    networks = draw(some | st.just([]))
    others = st.sampled_from(sorted(TASKS)).flatmap(records)
    of_task = records(task, networks=networks)
    mostly = st.integers(0, 9).flatmap(lambda n: others if n == 9 else of_task)
    size = draw(st.sampled_from([10, 6, 14, 3, 14, 1, 0]))
    return draw(
        st.lists(mostly, min_size=size, max_size=size, unique_by=lambda record: record["stub"])
    )


@st.composite
def options(draw: st.DrawFn, task: str) -> dict[str, Any]:
    """Random options of `resolve`; most filters are most often off, or nothing is left."""
    datasets = [*[None] * 6, TASKS[task][2], "voc", "voc_coco", "my_own", "gsm8k"]
    filters = [
        *[{}] * 30,
        *({"architecture": name} for name in _ARCHITECTURES),
        *({"framework": name} for name in ("pytorch", "keras", "onnx")),
        *({"repo": name} for name in _REPOS),
        {"framework": "pytorch", "repo": "sparseml"},
        {"architecture": "resnet_v1", "framework": "keras"},
    ]
    strict, all_sizes, include_unverified = draw(st.sampled_from(_SWITCHES))
    return {
        "dataset": draw(st.sampled_from(datasets)),
        "architecture": None,
        "framework": None,
        "repo": None,
        **draw(st.sampled_from(filters)),
        "target": draw(st.sampled_from([None, None, "vnni", "4block", "arm", "nope"])),
        "strict": strict,
        "all_sizes": all_sizes,
        "include_unverified": include_unverified,
    }


_ARCHITECTURES = ("resnet_v1", "resnet_v1-50", "foo", "foo-a", "50", "nope")
_SWITCHES = list(product([False] * 5 + [True], [False, True], [False, True]))


#: Each edge of a band, and the floats next to it, with the tier and optimization it means.
EDGES: dict[float, tuple[str, str]] = {
    0.0: ("largest", "base"),
    math.nextafter(0.0, 1): ("largest", "quantized"),
    math.nextafter(0.25, 0): ("largest", "quantized"),
    0.25: ("largest", "pruned_quantized"),
    math.nextafter(0.25, 1): ("largest", "pruned_quantized"),
    math.nextafter(0.5, 0): ("largest", "pruned_quantized"),
    0.5: ("medium", "pruned_quantized"),
    math.nextafter(0.5, 1): ("medium", "pruned_quantized"),
    math.nextafter(0.75, 0): ("medium", "pruned_quantized"),
    0.75: ("smallest", "pruned_quantized"),
    math.nextafter(0.75, 1): ("smallest", "pruned_quantized"),
    math.nextafter(1.0, 0): ("smallest", "pruned_quantized"),
    1.0: ("smallest", "pruned_quantized"),
}

#: A level inside each band.
INSIDE = (0.0, 0.1, 0.3, 0.6, 0.9)


def levels() -> st.SearchStrategy[float]:
    """Random levels, the edges of the bands often among them."""
    return st.sampled_from(sorted(EDGES)) | st.floats(0.0, 1.0)


def tasks() -> st.SearchStrategy[str]:
    """Random tasks; the one with a metric in mixed units and the one of any data set often."""
    return st.sampled_from(
        ["object_detection", "image_classification", "text_generation", *sorted(TASKS)]
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Record], str, dict[str, Any]]:
    """A random catalog, a task and options."""
    task = draw(tasks())
    return draw(catalogs(task)), task, draw(options(task))
