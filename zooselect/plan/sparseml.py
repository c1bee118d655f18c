"""SparseML recipes, v1: the text that engine's managers load and run.

Proved with sparseml 1.8.0, its last real release: `make test-engines`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise

from zooselect.errors import UsageError
from zooselect.level import TRAINING_AWARE
from zooselect.plan.layers import Layers
from zooselect.plan.plan import Plan
from zooselect.plan.variables import CALIBRATION, EPOCHS, PRUNING, QUANTIZATION, Variable, settle

# Where the layers are not known, a pattern of parameter names has to do. It is made from
# the names that torchvision, timm, Ultralytics, Hugging Face and SparseML give their layers.
# A batch norm in a bare `Sequential` has no telling name, so the pattern takes only names
# that say they are a convolution or a linear layer, and leaves all others dense.
_HEADS = (
    "fc|classifier|classifier_[0-9]+|head|heads|head_dist|lm_head|embed_out|qa_outputs|score"
    "|cls|aux[a-z0-9_]*|logits|detector|output|last_linear"
)
_STEMS = (
    "conv1|conv_stem|conv_proj|stem|input|features[.](conv)?[0-9]+|model[.]0|conv2d_1a_3x3"
    "|sections[.]0[.]0[.](expand[.])?conv|section_1[.]0|blocks[.]0[.]conv"
)
_NOT_LAYERS = "norm|bn[0-9]*[._]|(^|[._])(ln|gn)[0-9]*[._]|patch_embed|pooler|[.]dfl[.]"
_LAYERS = (
    "[a-z0-9_]*(conv|proj|dense|lin|fc|qkv)[a-z0-9_]*|query|key|value|query_key_value|c_attn"
    "|[qkvo]|w[qkvio](_[01])?|cv[0-9]+|hidden[0-9]*|layer[0-9]+[.][0-9]+[.]downsample[.]0"
    "|shortcut[.]0"
)
#: What is not quantized: of the network, stems and heads, as prefixes of module names; of the
#: module classes, those that compute nothing of weights and break when they are wrapped.
_NOT_QUANTIZED = (
    "conv1", "conv_stem", "conv_proj", "stem", "input", "patch_embed", "features.0",
    "features.conv0", "model.0.", "Conv2d_1a_3x3", "fc", "classifier", "head", "lm_head",
    "qa_outputs", "score", "cls", "aux", "AuxLogits", "logits", "output", "last_linear",
)  # fmt: skip
_CLASSES = ("LayerNorm", "Softmax", "Upsample", "Concat")
PATTERN = (
    rf"(?i)^(?!(module[.])?(backbone[.](body[.])?)?({_HEADS}|{_STEMS})[.])(?!.*({_NOT_LAYERS}))"
    rf"(?!model[.][0-9]+[.]linear[.])(.*[.])?({_LAYERS})[.]weight$"
)


def recipe_variables(plan: Plan) -> tuple[Variable, ...]:
    """Return the variables a plan's recipe has, apart from its sparsity."""
    if plan.mode != TRAINING_AWARE:
        return CALIBRATION
    return (*EPOCHS, *(PRUNING if plan.sparsity is not None else ()), *QUANTIZATION)


def sparseml_recipe(plan: Plan, settings: Mapping[str, str | float]) -> str:
    """Return the recipe of a plan that changes something, without its header.

    Args:
        plan: what to do; without its layers, a pattern of names has to do.
        settings: values for its variables, by name.

    Raises:
        UsageError: a variable the recipe does not have, or a value it cannot take.
    """
    texts, values = settle(recipe_variables(plan), settings)
    if plan.sparsity is not None:
        texts = {"sparsity": repr(plan.layer_sparsity), **texts}
    _check_schedule(plan, values)
    lines = ["version: 1.1.0", *(f"{name}: {text}" for name, text in texts.items())]
    write = _training_aware if plan.mode == TRAINING_AWARE else _one_shot
    return "\n".join([*lines, *write(plan)]) + "\n"


def _training_aware(plan: Plan) -> list[str]:
    lines = [
        "training_modifiers:",
        "  - !EpochRangeModifier",
        "      start_epoch: 0.0",
        "      end_epoch: eval(num_epochs)",
        "  - !LearningRateFunctionModifier",
        "      start_epoch: 0.0",
        "      end_epoch: eval(num_epochs)",
        "      lr_func: linear",
        "      init_lr: eval(init_lr)",
        "      final_lr: eval(final_lr)",
    ]
    if plan.sparsity is not None:
        lines += [
            "pruning_modifiers:",
            "  - !MagnitudePruningModifier",
            "      init_sparsity: eval(init_sparsity)",
            "      final_sparsity: eval(sparsity)",
            "      start_epoch: eval(pruning_start_epoch)",
            "      end_epoch: eval(pruning_end_epoch)",
            "      update_frequency: eval(pruning_update_frequency)",
            *_pruned(plan.named_layers),
            "      inter_func: cubic",
        ]
    return [
        *lines,
        "quantization_modifiers:",
        "  - !QuantizationModifier",
        "      start_epoch: eval(quantization_start_epoch)",
        "      disable_quantization_observer_epoch: eval(freeze_epoch)",
        "      freeze_bn_stats_epoch: eval(freeze_epoch)",
        *_quantized(plan.named_layers),
    ]


def _one_shot(plan: Plan) -> list[str]:
    lines = ["modifiers:"]
    if plan.sparsity is not None:
        lines += [
            "  - !MagnitudePruningModifier",
            "      init_sparsity: eval(sparsity)",
            "      final_sparsity: eval(sparsity)",
            "      start_epoch: 0.0",
            "      end_epoch: 1.0",
            "      update_frequency: -1.0",
            *_pruned(plan.named_layers),
        ]
    return [
        *lines,
        "  - !QuantizationModifier",
        "      start_epoch: 1.0",
        "      num_calibration_steps: eval(calibration_steps)",
        *_quantized(plan.named_layers),
    ]


def _pruned(layers: Layers | None) -> list[str]:
    names = [f"re:{PATTERN}"] if layers is None else [one.name for one in layers.pruned]
    return [
        "      params:",
        *(f"        - {json.dumps(name)}" for name in names),
        "      leave_enabled: True",
        "      mask_type: unstructured",
    ]


def _quantized(layers: Layers | None) -> list[str]:
    return [
        "      scheme:",
        "        input_activations:",
        "          num_bits: 8",
        "          symmetric: False",
        "        weights:",
        "          num_bits: 8",
        "          symmetric: True",
        # Per channel is calibrated and run, but exported as what onnxruntime refuses.
        "          strategy: tensor",
        "      ignore:",
        *(f"        - {json.dumps(name)}" for name in (*_unquantized(layers), *_CLASSES)),
        # Names that match nothing, as most of these do in any one network, are no error.
        "      strict: False",
    ]


def _unquantized(layers: Layers | None) -> tuple[str, ...]:
    """Prefixes of the names of modules to leave unquantized."""
    if layers is None:
        return _NOT_QUANTIZED
    # The engine takes `fc` for the start of a name: it would leave out `fc1` with it. Bare
    # names say nothing of stem and head.
    pruned = [layer.module for layer in layers.pruned]
    dense = tuple(layer.module for layer, _ in layers.dense) or _NOT_QUANTIZED
    return tuple(one for one in dense if not any(name.startswith(one) for name in pruned))


def _check_schedule(plan: Plan, values: Mapping[str, float]) -> None:
    if plan.mode != TRAINING_AWARE:
        return
    order = ["pruning_start_epoch", "pruning_end_epoch"] if plan.sparsity is not None else []
    order += ["quantization_start_epoch", "freeze_epoch", "num_epochs"]
    for earlier, later in pairwise(order):
        strictly = earlier == "pruning_start_epoch" or later == "num_epochs"
        if values[earlier] > values[later] or (strictly and values[earlier] == values[later]):
            raise UsageError(
                f"the schedule runs backwards: {earlier} {values[earlier]:g} is not before"
                f" {later} {values[later]:g}",
                hint="set both with --set, or change num_epochs and qat_epochs alone",
            )
    if plan.sparsity is not None and values["init_sparsity"] >= plan.sparsity:
        raise UsageError(
            f"init_sparsity {values['init_sparsity']:g} is not below the final sparsity"
            f" {plan.sparsity:g}",
            hint="the final sparsity comes from the optim level",
        )
