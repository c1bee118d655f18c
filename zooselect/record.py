"""What a catalog says of one model, as small frozen types.

An absent value means *not on record*, never *no*. Field names are those of the
`schema: 1` catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

BASE, QUANTIZED, PRUNED, PRUNED_QUANTIZED, OTHER = OPTIMIZATIONS = (
    "base", "quantized", "pruned", "pruned_quantized", "other",
)  # fmt: skip

#: How surely a record existed under its name, best first.
CONFIDENCES = ("high", "medium", "low")

#: Endings that name the data an upstream model was trained on before it was
#: transferred (SparseZoo v2 names write `squad_wikipedia_bookcorpus`).
UPSTREAM_SUFFIXES = (
    "_wikipedia_bookcorpus", "_coco", "_llama2_pretrain", "_mistral_pretrain",
    "_mpt_pretrain", "_codellama_pretrain",
)  # fmt: skip


#: Other names of a data set that results are stated on: the same data, the same split.
#: What Hugging Face's hub calls `squad` is version 1.1, by its card, and by the 87,599 and
#: 10,570 questions of its splits, which are those that TensorFlow Datasets has for
#: `squad/v1.1`; version 2.0 has 130,319 and 11,873. Both sorts of results are on the 10,570.
DATASET_SYNONYMS = {"squad v1.1": "squad"}


def downstream_dataset(source_dataset: str) -> str:
    """Return a source data set's name without one trailing upstream part."""
    for suffix in UPSTREAM_SUFFIXES:
        if source_dataset.endswith(suffix) and len(source_dataset) > len(suffix):
            return source_dataset[: -len(suffix)]
    return source_dataset


def evaluated_dataset(name: str) -> str:
    """Return the one name under which results on a data set are compared."""
    return DATASET_SYNONYMS.get(name, name)


class Result(NamedTuple):
    """One measured quality, as its source states it.

    Attributes:
        metric: what was measured, e.g. `top1_accuracy`, `mAP@0.5`, `F1`.
        value: the figure, in `units`.
        units: `%`, `mAP@0.5 (0-1)`, …; None where the source names none.
        dataset: what it was measured on.
        suspect: why the figure is not believed; None when it is.
        source: where the figure stands.
    """

    metric: str
    value: float
    units: str | None = None
    dataset: str | None = None
    suspect: str | None = None
    source: str | None = None

    @property
    def percent(self) -> float:
        """The value on the scale 0 to 100: fractions of 1 are scaled up.

        The units decide (`(0-1)` is a fraction, `%` and `(0-100)` are not); where
        they do not say, a value of at most 1 is taken for a fraction.
        """
        units = self.units or ""
        if "%" in units or "0-100" in units:
            return self.value
        return self.value * 100 if "0-1" in units or self.value <= 1 else self.value


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One model of a catalog.

    Attributes:
        stub: the model's name in the catalog, v1 or v2, with `zoo:`.
        architecture, sub_architecture: the network, e.g. `resnet_v1` and `50`.
        source_dataset: data set the model was trained on.
        sparse_tag: how it was optimized, as the zoo spelled it.
        optimization: `base`, `quantized`, `pruned`, `pruned_quantized` or `other`.
        domain, sub_domain: where its task stands, e.g. `cv` and `classification`.
        framework, repo, training_scheme: stated by v1 stubs only.
        dataset: the downstream data set, `source_dataset` less its upstream part.
        sparsity_percent: stated share of zero weights, 0 to 100.
        confidence: `high`, `medium` or `low`; None where the catalog does not say.
        results: measured qualities.
        parameters_millions: dense parameter count, in millions, stated for this very model.
        onnx_size_bytes: size of its uncompressed `model.onnx`.
        compressed_size_bytes: size of its compressed ONNX.
        recipe_types: names of the recipes published with it.
        aliases: other stubs of the same model.
        ambiguous_with: v1 stubs this v2 name may equally mean.
        raw: the whole record as the catalog has it, less what was unreadable.
    """

    stub: str
    architecture: str
    source_dataset: str
    sparse_tag: str
    optimization: str
    dataset: str
    domain: str | None = None
    sub_domain: str | None = None
    sub_architecture: str | None = None
    framework: str | None = None
    repo: str | None = None
    training_scheme: str | None = None
    sparsity_percent: float | None = None
    confidence: str | None = None
    results: tuple[Result, ...] = ()
    parameters_millions: float | None = None
    onnx_size_bytes: int | None = None
    compressed_size_bytes: int | None = None
    recipe_types: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ambiguous_with: tuple[str, ...] = ()
    raw: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def network(self) -> str:
        """`architecture-sub_architecture`, e.g. `resnet_v1-50`."""
        if self.sub_architecture is None:
            return self.architecture
        return f"{self.architecture}-{self.sub_architecture}"

    def quality(self, metric: str | None) -> float | None:
        """Best believed result on a metric, 0 to 100; None where none is on record."""
        if metric is None:
            return None
        believed = [
            result.percent
            for result in self.results
            if result.metric == metric and result.suspect is None
        ]
        return max(believed, default=None)

    def to_dict(self) -> dict[str, object]:
        """The record as it stands in JSON output: everything the catalog says of it."""
        return dict(self.raw)
