"""A slow, plain reference for sparse-transfer selection: an oracle for differential tests.

It shares no code with the package. It works on plain dict records as they stand in the
catalog JSON, and prefers being obvious to being fast.
"""

from __future__ import annotations

import math
import re
from typing import Any

Record = dict[str, Any]
Sizes = dict[tuple[str, "str | None"], float]

# task: (domain, sub_domain, default dataset or None for any, quality metric or None)
TASKS: dict[str, tuple[str, str, str | None, str | None]] = {
    "image_classification": ("cv", "classification", "imagenet", "top1_accuracy"),
    "object_detection": ("cv", "detection", "coco", "mAP@0.5"),
    "segmentation": ("cv", "segmentation", "coco", "mAP@0.5 mask"),
    "question_answering": ("nlp", "question_answering", "squad", "F1"),
    "text_classification": ("nlp", "text_classification", "mnli", "accuracy"),
    "sentiment_analysis": ("nlp", "sentiment_analysis", "sst2", "accuracy"),
    "token_classification": ("nlp", "token_classification", "conll2003", "accuracy"),
    "document_classification": ("nlp", "document_classification", "imdb", "accuracy"),
    "multilabel_text_classification": (
        "nlp",
        "multilabel_text_classification",
        "goemotions",
        "average_F1",
    ),
    "masked_language_modeling": ("nlp", "masked_language_modeling", "wikipedia_bookcorpus", None),
    "text_generation": ("nlg", "text_generation", None, None),
}

UPSTREAM_PARTS = (
    "_wikipedia_bookcorpus",
    "_coco",
    "_llama2_pretrain",
    "_mistral_pretrain",
    "_mpt_pretrain",
    "_codellama_pretrain",
)

OPTIMIZATIONS = ("base", "quantized", "pruned", "pruned_quantized")

# What is tried inside the tier's class, the wanted optimization first.
RUNGS: dict[str, tuple[str, ...]] = {
    "base": ("base",),
    "quantized": ("quantized", "pruned_quantized", "base", "pruned"),
    "pruned_quantized": ("pruned_quantized", "pruned", "quantized", "base"),
}

CONFIDENCES = ("high", "medium", "low")


def is_number(value: object) -> bool:
    """Helper of the size classes and variant rules: a finite number, and not a boolean."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_size(value: object) -> bool:
    """Selection rule: size classes. A size is a number above zero; anything else is unknown."""
    return is_number(value) and value > 0  # type: ignore[operator]


def band(level: float) -> tuple[str, str]:
    """Selection rule: ladder and tier. The (tier, wanted optimization) of a level."""
    if not 0.0 <= level <= 1.0:
        raise ValueError("the level must lie in [0, 1]")
    if level == 0.0:
        return "largest", "base"
    if level < 0.25:
        return "largest", "quantized"
    if level < 0.5:
        return "largest", "pruned_quantized"
    if level < 0.75:
        return "medium", "pruned_quantized"
    return "smallest", "pruned_quantized"


def downstream_dataset(record: Record) -> str | None:
    """Selection rule: scope. The source dataset without one trailing upstream part."""
    dataset = record.get("source_dataset")
    if dataset is None:
        return None
    for part in UPSTREAM_PARTS:
        if dataset.endswith(part) and len(dataset) > len(part):
            return dataset[: -len(part)]
    return dataset


def records_of_task(models: list[Record], task: str) -> list[Record]:
    """Selection rule: scope. The records of the task's domain and sub_domain."""
    domain, sub_domain, _, _ = TASKS[task]
    return [r for r in models if r.get("domain") == domain and r.get("sub_domain") == sub_domain]


def choose_dataset(
    of_task: list[Record], task: str, requested: str | None
) -> tuple[str | None, bool]:
    """Selection rule: scope. (dataset used, transfer); a dataset of None means any."""
    if requested is not None:
        for record in of_task:
            if downstream_dataset(record) == requested:
                return requested, False
    return TASKS[task][2], True


def passes_filters(
    record: Record,
    architecture: str | None,
    framework: str | None,
    repo: str | None,
    include_unverified: bool,
) -> bool:
    """Selection rule: scope. The user's filters, and low confidence staying out."""
    if architecture is not None:
        names = [record.get("architecture")]
        if record.get("sub_architecture") is not None:
            names.append(f"{record.get('architecture')}-{record['sub_architecture']}")
        if architecture not in names:
            return False
    if framework is not None and record.get("framework") != framework:
        return False
    if repo is not None and record.get("repo") != repo:
        return False
    return not (record.get("confidence") == "low" and not include_unverified)


def network(record: Record) -> tuple[Any, Any]:
    """Selection rule: size classes. The key of a dense network."""
    return record.get("architecture"), record.get("sub_architecture")


def estimated_size(record: Record, same_dataset: list[Record]) -> float | None:
    """Selection rule: size classes. Millions of parameters, at 4 bytes each, of a base record.

    `same_dataset` holds the records of the same task and dataset, before the user's filters.
    """
    bases = [
        r for r in same_dataset if r.get("optimization") == "base" and network(r) == network(record)
    ]
    bases.sort(key=lambda r: r["stub"])
    for field in ("onnx_size_bytes", "compressed_size_bytes"):
        for base in bases:
            if is_size(base.get(field)):
                return base[field] / 4 / 1_000_000
    return None


def dense_size(record: Record, sizes: Sizes, same_dataset: list[Record]) -> float | None:
    """Selection rule: size classes. The table, else the record's own figure, else an estimate."""
    from_table = sizes.get(network(record))
    if is_size(from_table):
        return from_table
    if is_size(record.get("parameters_millions")):
        return record["parameters_millions"]
    return estimated_size(record, same_dataset)


def size_classes(distinct: set[float]) -> list[list[float]]:
    """Selection rule: size classes. Classes of sizes, largest first, as are the sizes in each."""
    classes: list[list[float]] = []
    for size in sorted(distinct, reverse=True):
        if classes and classes[-1][0] <= 1.10 * size:
            classes[-1].append(size)
        else:
            classes.append([size])
    return classes


def ladder_of(
    classes: list[list[float]], rankable: list[tuple[Record, float]], all_sizes: bool
) -> list[list[float]]:
    """Selection rule: ladder and tier. The classes holding a pruned_quantized record, or all."""
    pruned_quantized = {s for r, s in rankable if r["optimization"] == "pruned_quantized"}
    ladder = [c for c in classes if any(size in pruned_quantized for size in c)]
    if all_sizes or not ladder:
        return classes
    return ladder


def class_of_tier(ladder: list[list[float]], tier: str) -> list[float]:
    """Selection rule: ladder and tier. The class that a tier stands for."""
    n = len(ladder)
    return ladder[{"largest": 0, "medium": (n - 1) // 2, "smallest": n - 1}[tier]]


def quality(record: Record, task: str) -> float | None:
    """Selection rule: variant. The best non-suspect result on the task's metric, out of 100."""
    metric = TASKS[task][3]
    found: list[float] = []
    for result in record.get("results") or []:
        if metric is None or result.get("metric") != metric or result.get("suspect"):
            continue
        value = result.get("value")
        if not is_number(value):
            continue
        units = str(result.get("units") or "")
        if "(0-1)" in units:
            value = value * 100
        elif "%" in units or "(0-100)" in units:
            pass
        elif value <= 1:
            value = value * 100
        found.append(value)
    return max(found) if found else None


def stated_sparsity(record: Record) -> float | None:
    """Selection rule: variant. The sparsity the record states, in percent."""
    value = record.get("sparsity_percent")
    return value if is_number(value) else None


def third_part(record: Record) -> str | None:
    """Selection rule: variant. The third hyphen-separated part of a v1 tag."""
    parts = (record.get("sparse_tag") or "").split("-")
    is_v1 = "/" in record["stub"]
    return parts[2] if is_v1 and len(parts) >= 3 and parts[2] else None


def tag_components(record: Record) -> set[str]:
    """Selection rule: variant. The words of the sparse tag."""
    words = set(re.split(r"[-_.]", record.get("sparse_tag") or ""))
    words.discard("")
    third = third_part(record)
    if third is not None:
        words.add(third)
    return words


def has_hardware_target(record: Record) -> bool:
    """Selection rule: variant. Whether the tag names a hardware target."""
    words = tag_components(record)
    return "vnni" in words or "4block" in words or third_part(record) is not None


def variant_key(
    record: Record, task: str, target: str | None, least_sparse_first: bool
) -> tuple[Any, ...]:
    """Selection rule: variant. The lowest key is the pick."""
    wrong_target = target is not None and target not in tag_components(record)

    sparsity = stated_sparsity(record)
    if sparsity is None:
        lowest_sparsity_first = highest_sparsity_first = (1, 0.0)
    else:
        lowest_sparsity_first = (0, sparsity)
        highest_sparsity_first = (0, -sparsity)

    measured = quality(record, task)
    best_quality_first = (1, 0.0) if measured is None else (0, -measured)

    confidence = record.get("confidence")
    confidence_rank = (
        CONFIDENCES.index(confidence) if confidence in CONFIDENCES else len(CONFIDENCES)
    )

    return (
        wrong_target,
        lowest_sparsity_first if least_sparse_first else (0, 0.0),
        best_quality_first,
        highest_sparsity_first,
        has_hardware_target(record),
        confidence_rank,
        record.get("framework") != "pytorch",
        record["stub"],
    )


def rung(
    rankable: list[tuple[Record, float]], tier_class: list[float], wanted: str, strict: bool
) -> tuple[str, list[tuple[Record, float]]] | None:
    """Selection rule: rung. (optimization got, the records left), or None."""
    for got in RUNGS[wanted][:1] if strict else RUNGS[wanted]:
        left = [(r, s) for r, s in rankable if s in tier_class and r["optimization"] == got]
        if left:
            return got, left
    if wanted == "base" and not strict:
        bases = [(r, s) for r, s in rankable if r["optimization"] == "base"]
        above = [s for _, s in bases if s > tier_class[0]]
        below = [s for _, s in bases if s < tier_class[-1]]
        if above:
            return "base", [(r, s) for r, s in bases if s == min(above)]
        if below:
            return "base", [(r, s) for r, s in bases if s == max(below)]
    return None


def reference_resolve(
    models: list[Record],
    sizes: Sizes,
    task: str,
    level: float,
    *,
    dataset: str | None = None,
    architecture: str | None = None,
    framework: str | None = None,
    repo: str | None = None,
    target: str | None = None,
    strict: bool = False,
    all_sizes: bool = False,
    include_unverified: bool = False,
) -> dict[str, Any] | None:
    """Selection rules: scope, size classes, ladder and tier, rung, variant, one after another."""
    tier, wanted = band(level)

    of_task = records_of_task(models, task)
    dataset_used, transfer = choose_dataset(of_task, task, dataset)
    same_dataset = [
        r for r in of_task if dataset_used is None or downstream_dataset(r) == dataset_used
    ]
    in_scope = [
        r
        for r in same_dataset
        if passes_filters(r, architecture, framework, repo, include_unverified)
    ]

    rankable: list[tuple[Record, float]] = []
    for record in in_scope:
        size = dense_size(record, sizes, same_dataset)
        if size is not None and record.get("optimization") in OPTIMIZATIONS:
            rankable.append((record, size))
    if not rankable:
        return None

    classes = size_classes({size for _, size in rankable})
    tier_class = class_of_tier(ladder_of(classes, rankable, all_sizes), tier)

    reached = rung(rankable, tier_class, wanted, strict)
    if reached is None:
        return None
    got, left = reached

    least_sparse_first = wanted == "quantized" and got == "pruned_quantized"
    picked, picked_size = min(
        left, key=lambda pair: variant_key(pair[0], task, target, least_sparse_first)
    )
    return {
        "stub": picked["stub"],
        "exact": got == wanted and picked_size in tier_class,
        "wanted": wanted,
        "got": got,
        "class_largest_millions": tier_class[0],
        "class_smallest_millions": tier_class[-1],
        "picked_millions": picked_size,
        "dataset_used": dataset_used,
        "transfer": transfer,
    }
