"""llm-compressor recipes: one-shot of Hugging Face transformers.

Proved with llmcompressor 0.14.0.1: `make test-engines`. That engine accepts several
layouts and silently does nothing; this is the one it really runs: stages end in `_stage`,
groups in `_modifiers`, targets are lists, numbers are written out.
"""

from __future__ import annotations

import json
import re

from zooselect.errors import UsageError
from zooselect.level import TRAINING_AWARE
from zooselect.plan.plan import Plan
from zooselect.task import Task

#: Output heads and poolers. The pruner matches `ignore` against the module's name with a
#: dot behind it, so a bare `lm_head` would not be honoured, nor one that ends in `$`.
_HEADS = (
    "re:(.*[.])?(lm_head|embed_out|qa_outputs|score|pre_classifier|classifier|cls|pooler)([.]|$)",
    "re:(output|head|logits)([.]|$)",
)


def llm_compressor_recipe(plan: Plan) -> str:
    """Return the recipe of a plan that changes something, without its header.

    Args:
        plan: what to do; without its layers, all linear layers but the heads are pruned.

    Raises:
        UsageError: this engine cannot do it.
    """
    if plan.mode == TRAINING_AWARE:
        raise UsageError(
            "llm-compressor has no training-aware recipe that works: its gradual pruning stays"
            " at 0 % and it has no quantization-aware training",
            hint="--recipe-format sparseml can express it; or take --mode one-shot",
        )
    task = Task.find(plan.task)
    if task is not None and task.domain == "cv":
        raise UsageError(
            "llm-compressor takes Hugging Face transformers only, and this is a vision task",
            hint="--recipe-format sparseml can express it",
        )
    layers = plan.named_layers
    sparsity = plan.layer_sparsity
    heads = [_exactly(one.module) for one, _ in layers.dense] if layers else []
    if not heads:
        # Bare names say nothing of the head; but what they name is never left out.
        named = [one.module for one in layers.pruned] if layers else []
        heads = [one for one in _HEADS if not any(re.match(one[3:], name) for name in named)]
    ignore = f"      ignore: {json.dumps(heads)}"
    stage = "quantize" if sparsity is None else "prune"
    lines = [f"{stage}_stage:", f"  {stage}_modifiers:"]
    if sparsity is not None:
        targets = ["Linear"] if layers is None else [_exactly(one.module) for one in layers.pruned]
        lines += [
            "    SparseGPTModifier:",
            f"      sparsity: {sparsity!r}",
            '      mask_structure: "0:0"',
            f"      targets: {json.dumps(targets)}",
            ignore,
        ]
    lines += ["    QuantizationModifier:", "      scheme: W8A8"]
    return "\n".join([*lines, '      targets: ["Linear"]', ignore]) + "\n"


def _exactly(module: str) -> str:
    escaped = (char if char.isalnum() or char == "_" else f"[{char}]" for char in module)
    return f"re:{''.join(escaped)}$"
