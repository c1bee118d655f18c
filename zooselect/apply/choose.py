"""Which layers are pruned and quantized: the plan's rule, and what a user leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from zooselect.apply.measure import count_zeros
from zooselect.apply.network import Network
from zooselect.apply.prune import zeros_globally, zeros_per_layer
from zooselect.apply.report import LayerReport
from zooselect.apply.weighted import LayerNode
from zooselect.errors import UsageError
from zooselect.level import ONE_SHOT, band_of
from zooselect.plan.layers import Layers, sort_layers
from zooselect.plan.onnx_layers import graph_layers
from zooselect.plan.plan import Plan, plan_for

EXCLUDED = "excluded"


def excluded_weights(layers: Sequence[LayerNode], names: Sequence[str]) -> frozenset[str]:
    """Return the weights that names mean: of a weight, its module, or a node.

    Raises:
        UsageError: a name that means no layer.
    """
    known: dict[str, set[str]] = {}
    for layer in layers:
        for name in (layer.weight, layer.weight.removesuffix(".weight"), layer.node.name):
            known.setdefault(name, set()).add(layer.weight)
    found: set[str] = set()
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 3)
            raise UsageError(
                f"no layer is called {name!r}",
                hint="did you mean " + " or ".join(near) + "?"
                if near
                else "--dry-run --json lists the layers",
            )
        found |= known[name]
    return frozenset(found)


def choose(
    network: Network,
    nodes: Sequence[LayerNode],
    level: float,
    excluded: frozenset[str],
    prune_ends: bool,
) -> Plan:
    """Return the plan for a prepared network at a level: the one `resolve` gives.

    Args:
        network: the network.
        nodes: its layers.
        level: the optim level.
        excluded: weights to leave as they are.
        prune_ends: also prune the first convolution and the last layers.

    Raises:
        UsageError: there is something to prune, and no layer to do it in.
    """
    layers: Layers | None = None
    if band_of(level, ONE_SHOT).sparsity is not None:
        weights, roles = graph_layers(network.model.graph)
        reached = {layer.weight for layer in nodes}
        roles = {} if prune_ends else roles
        roles |= dict.fromkeys(excluded, EXCLUDED)
        layers = sort_layers([one for one in weights if one.name in reached], roles)
    return plan_for(ONE_SHOT, "", level, layers)


def planned_layers(
    network: Network,
    nodes: Sequence[LayerNode],
    plan: Plan,
    excluded: frozenset[str],
    scope: str,
) -> list[LayerReport]:
    """Return what is to be done to each layer; of shared weights, to each weight once."""
    counts: dict[str, int] = {}
    if plan.layers is not None and plan.layer_sparsity is not None:
        pruned, sparsity = plan.layers.pruned, plan.layer_sparsity
        counts = (
            zeros_per_layer(pruned, sparsity)
            if scope == "layer"
            else zeros_globally(pruned, sparsity, network.get)
        )
    reasons = {} if plan.layers is None else {one.name: why for one, why in plan.layers.dense}
    reasons |= dict.fromkeys(excluded, EXCLUDED)
    layers: dict[str, LayerReport] = {}
    for one in nodes:
        name = one.weight
        if name in layers:
            continue
        # The rules pass silently over what is called an embedding.
        unnamed = "an embedding by its name" if counts and name not in counts else ""
        layers[name] = LayerReport(
            name=name,
            operator=one.node.op_type,
            shape=tuple(network.tensor(name).dims),
            zeros_before=count_zeros(network, name),
            planned_zeros=counts.get(name),
            zeros=None,
            int8=name not in excluded,
            reason=reasons.get(name, unnamed),
        )
    return list(layers.values())
