"""The plan: how much to prune and whether to quantize, at a level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from zooselect.errors import UsageError
from zooselect.level import POLICY, band_of
from zooselect.plan.layers import Layers

#: What the level's sparsity is a share of: each pruned layer's weights, or all the
#: model's convolution and linear weights.
SCOPES = ("layers", "model")


class Quantization(NamedTuple):
    """How weights and activations are stored: scheme and number formats."""

    scheme: str = "INT8"
    weights: str = "int8"
    activations: str = "int8"

    def to_dict(self) -> dict[str, object]:
        """The quantization as it stands in JSON output."""
        return {"scheme": self.scheme, "weights": self.weights, "activations": self.activations}


class Plan(NamedTuple):
    """What to do to a model.

    Attributes:
        mode: `one-shot` or `training-aware`.
        task: the task, or the user's own name for theirs.
        optim_level: the level it was made for.
        sparsity: the level's sparsity, a fraction of 1; None for no pruning.
        quantization: None for none.
        layers: the model's layers; None where they are not known.
        scope: what the sparsity is a share of; see `SCOPES`.
    """

    mode: str
    task: str
    optim_level: float
    sparsity: float | None
    quantization: Quantization | None
    layers: Layers | None = None
    scope: str = "layers"

    @property
    def sparsity_structure(self) -> str | None:
        """`unstructured` when anything is pruned."""
        return None if self.sparsity is None else "unstructured"

    @property
    def named_layers(self) -> Layers | None:
        """The layers, where a recipe can write their names out; None where it cannot."""
        return self.layers if self.layers is not None and self.layers.named else None

    @property
    def layer_sparsity(self) -> float | None:
        """Fraction of each pruned layer's weights to set to zero.

        Above the level's sparsity where that is meant for the whole model, of which some
        layers stay dense.
        """
        if self.sparsity is None or self.scope == "layers":
            return self.sparsity
        assert self.layers is not None, "`plan_for` asks for the layers' shapes"
        assert self.layers.share is not None
        return self.sparsity / self.layers.share

    @property
    def model_sparsity(self) -> float | None:
        """What the pruned layers come to as a fraction of all convolution and linear weights.

        None where nothing is pruned or the layers' shapes are not known.
        """
        share = None if self.layers is None else self.layers.share
        if self.layer_sparsity is None or share is None:
            return None
        return self.layer_sparsity * share

    def recipe(
        self, format: str = "sparseml", settings: Mapping[str, str | float] | None = None
    ) -> str | None:
        """Return the recipe an engine runs; None when there is nothing to do.

        Args:
            format: `sparseml`, `llm-compressor` or `plan-json`.
            settings: values for the recipe's variables, by name.

        Raises:
            UsageError: a format that cannot express the plan, or a setting it has not.
        """
        from zooselect.plan.recipe import recipe

        return recipe(self, format, settings or {})

    def to_dict(self) -> dict[str, object]:
        """The plan as it stands in JSON output, but for the recipe."""
        layers = self.layers
        return {
            "sparsity": self.sparsity,
            "sparsity_structure": self.sparsity_structure,
            "sparsity_scope": None if self.sparsity is None else self.scope,
            "layer_sparsity": self.layer_sparsity,
            "model_sparsity": self.model_sparsity,
            "quantization": None if self.quantization is None else self.quantization.to_dict(),
            "rules": self.rules,
            "layers": None
            if layers is None
            else {
                "pruned": [one.name for one in layers.pruned],
                "dense": [{"name": one.name, "reason": why} for one, why in layers.dense],
            },
        }

    @property
    def rules(self) -> dict[str, str]:
        """The rule each part of the plan came from."""
        band = band_of(self.optim_level, self.mode)
        head = f"{self.mode} policy {POLICY}, band {band}: "
        if band.sparsity is None:
            sparsity = "none"
        else:
            start, end = band.sparsity
            line = f"(level - {band.lower:g}) / {band.upper - band.lower:g}"
            sparsity = f"{start:.2f} + {line} * {end - start:.2f}"
        quantization = "INT8, weights and activations" if band.quantized else "none"
        return {"sparsity": head + sparsity, "quantization": head + quantization}

    def __str__(self) -> str:
        head = f"{self.mode} {self.optim_level!r}: "
        if self.quantization is None:
            return head + "no change, the input model is the baseline"
        pruning = "" if self.sparsity is None else f"prune {_percent(self.sparsity)} unstructured, "
        return head + pruning + "INT8 weights and activations"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person must know of the layers: what comes to what, and what stays dense."""
        notes = []
        layers, each, whole = self.layers, self.layer_sparsity, self.model_sparsity
        if layers is not None and each is not None and whole is not None:
            dense = ", ".join(one.module for one, _ in layers.dense) or "nothing"
            notes.append(
                f"{_percent(each)} of {len(layers.pruned)} layers,"
                f" {_percent(whole)} of the model; left dense: {dense}"
            )
        if layers is not None and not layers.named:
            notes.append(
                "the file's weights have lost their parameters' names: the recipe goes by a"
                " pattern of names (--layers gives them)"
            )
        return tuple(notes)


def plan_for(
    mode: str, task: str, level: float, layers: Layers | None = None, scope: str = "layers"
) -> Plan:
    """Return the plan of the one-shot or training-aware policy at a level in [0, 1].

    Raises:
        UsageError: the level's sparsity is meant for the whole model, and its layers'
            shapes are not known or cannot hold so many zeros.
    """
    if scope not in SCOPES:
        raise UsageError(f"unknown sparsity scope {scope!r}", hint="scopes: " + ", ".join(SCOPES))
    band = band_of(level, mode)
    sparsity = band.sparsity_at(level)
    if sparsity is not None and scope == "model":
        share = None if layers is None else layers.share
        if share is None:
            raise UsageError(
                "the sparsity of the whole model needs the shapes of its layers",
                hint="give --model FILE.onnx, or --layers with names and dimensions",
            )
        if sparsity >= share:
            raise UsageError(
                f"{_percent(sparsity)} of the whole model cannot be zero: the layers to prune"
                f" hold {_percent(share)} of its weights",
                hint="take a lower level, or --sparsity-scope layers",
            )
    quantization = Quantization() if band.quantized else None
    return Plan(mode, task, level, sparsity, quantization, layers, scope)


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.2f} %"
