"""The plan: how much to prune and whether to quantize, at a level."""

from __future__ import annotations

from typing import NamedTuple

from zooselect.level import band_of


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
        optim_level: the level it was made for.
        sparsity: fraction of each pruned layer's weights to set to zero; None for none.
        quantization: None for none.
    """

    mode: str
    optim_level: float
    sparsity: float | None
    quantization: Quantization | None

    @property
    def sparsity_structure(self) -> str | None:
        """`unstructured` when anything is pruned."""
        return None if self.sparsity is None else "unstructured"

    def to_dict(self) -> dict[str, object]:
        """The plan as it stands in JSON output."""
        return {
            "sparsity": self.sparsity,
            "sparsity_structure": self.sparsity_structure,
            "quantization": None if self.quantization is None else self.quantization.to_dict(),
            "recipe_format": None,
            "recipe": None,
        }

    def __str__(self) -> str:
        head = f"{self.mode} {self.optim_level:g}: "
        if self.quantization is None:
            return head + "no change, the input model is the baseline"
        pruning = "" if self.sparsity is None else f"prune {self.sparsity:.2%} unstructured, "
        return head + pruning.replace("%", " %") + "INT8 weights and activations"


def plan_for(mode: str, level: float) -> Plan:
    """Return the plan of the one-shot or training-aware policy at a level in [0, 1]."""
    band = band_of(level, mode)
    return Plan(mode, level, band.sparsity_at(level), Quantization() if band.quantized else None)
