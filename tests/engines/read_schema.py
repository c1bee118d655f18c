"""Read the fields of an engine's modifiers from the installed engine, into a JSON file.

    python read_schema.py sparseml       --date 2026-11-22 --out schema-sparseml.json
    python read_schema.py llm-compressor --date 2026-11-22 --out schema-llm-compressor.json

Each runs inside that engine's environment (requirements-*.txt). Names, types and defaults come
from the engine's own classes; `range` and `choices`, which the engines check in code, are
written below beside the place they were read from.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import logging
import os
import types
import typing
import warnings

os.environ["NM_DISABLE_ANALYTICS"] = "True"
os.environ["HF_HUB_OFFLINE"] = "1"
logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")

UNIT = {"min": 0.0, "max": 1.0}
OPEN_UNIT = {"min": 0.0, "max": 1.0, "exclusive": True}
INTERPOLATIONS = ["linear", "cubic", "inverse_cubic"]

ROOT = "sparseml.pytorch.sparsification"
SPARSEML = {
    "EpochRangeModifier": f"{ROOT}.training.modifier_epoch",
    "LearningRateFunctionModifier": f"{ROOT}.training.modifier_lr",
    "MagnitudePruningModifier": f"{ROOT}.pruning.modifier_pruning_magnitude",
    "QuantizationModifier": f"{ROOT}.quantization.modifier_quantization",
}
SPARSEML_TYPES = {
    "QuantizationScheme": f"{ROOT}.quantization.quantization_scheme",
    "QuantizationArgs": f"{ROOT}.quantization.quantization_scheme",
}
# sparseml.sparsification.modifier_pruning (validate), modifier_lr (validate),
# pruning.mask_creator (get_mask_creator_default), quantization_scheme (validate_strategy)
SPARSEML_LIMITS = {
    "MagnitudePruningModifier.init_sparsity": {"range": UNIT, "choices": ["__FROM_PARAM__"]},
    "MagnitudePruningModifier.final_sparsity": {"range": OPEN_UNIT},
    "MagnitudePruningModifier.inter_func": {"choices": INTERPOLATIONS},
    "LearningRateFunctionModifier.lr_func": {"choices": ["linear", "cosine", "cyclic_linear"]},
    "LearningRateFunctionModifier.init_lr": {"range": UNIT},
    "LearningRateFunctionModifier.final_lr": {"range": UNIT},
    "LearningRateFunctionModifier.update_frequency": {"choices": [-1.0]},
    "QuantizationModifier.end_epoch": {"choices": [-1.0]},
    "QuantizationArgs.strategy": {"choices": ["tensor", "channel"]},
}

LLM_COMPRESSOR = {
    "SparseGPTModifier": "llmcompressor.modifiers.pruning.sparsegpt.base",
    "QuantizationModifier": "llmcompressor.modifiers.quantization.quantization.base",
}
LLM_COMPRESSOR_TYPES = {
    "QuantizationScheme": "compressed_tensors.quantization.quant_scheme",
    "QuantizationArgs": "compressed_tensors.quantization.quant_args",
}
# llmcompressor.modifiers.pruning.sparsegpt.sgpt_sparsify indexes int(n * sparsity): 1.0 fails
LLM_COMPRESSOR_LIMITS = {
    "SparseGPTModifier.sparsity": {"range": {"min": 0.0, "max": 1.0, "max_exclusive": True}},
}


def type_name(annotation) -> str:
    """`Optional[Dict[str, Any]]` as "dict | null" and the like."""
    if annotation is inspect.Parameter.empty or annotation is typing.Any:
        return "any"
    if annotation is None or annotation is type(None):
        return "null"
    if isinstance(annotation, typing.ForwardRef):
        return annotation.__forward_arg__
    if isinstance(annotation, str):
        return annotation
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Union or origin is getattr(types, "UnionType", None):
        return " | ".join(dict.fromkeys(type_name(a) for a in args))
    if origin is typing.Annotated:
        return type_name(args[0])
    if origin in (list, set, tuple):
        return f"list[{type_name(args[0])}]" if args else "list"
    if origin is dict:
        return "dict"
    if origin is typing.Literal:
        return "str"
    return getattr(annotation, "__name__", str(annotation))


def plain(value):
    """A default as JSON; what JSON cannot say becomes its text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.value if hasattr(value, "value") else value
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if hasattr(value, "model_dump"):
        return {k: plain(v) for k, v in value.model_dump().items()}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return str(value)


def from_signature(cls) -> dict:
    fields = {}
    hints = typing.get_type_hints(cls.__init__)
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
        required = parameter.default is inspect.Parameter.empty
        fields[name] = {
            "type": type_name(hints.get(name, parameter.annotation)),
            "required": required,
            "default": None if required else plain(parameter.default),
        }
    return fields


def from_pydantic(cls) -> dict:
    fields = {}
    for name, field in cls.model_fields.items():
        if name.endswith("_"):  # the engine's own state, not for recipes
            continue
        required = field.is_required()
        default = None if required else field.get_default(call_default_factory=True)
        fields[name] = {
            "type": type_name(field.annotation),
            "required": required,
            "default": plain(default),
        }
    return fields


def read(classes: dict, limits: dict) -> dict:
    found = {}
    for name, module in classes.items():
        cls = getattr(importlib.import_module(module), name)
        fields = from_pydantic(cls) if hasattr(cls, "model_fields") else from_signature(cls)
        for field, entry in fields.items():
            entry.update(limits.get(f"{name}.{field}", {}))
        found[name] = {"fields": dict(sorted(fields.items()))}
    unknown = []
    for key in limits:
        name, field = key.split(".")
        if name in found and field not in found[name]["fields"]:
            unknown.append(key)
    if unknown:
        raise SystemExit(f"limits of fields that the engine does not have: {unknown}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=["sparseml", "llm-compressor"])
    parser.add_argument("--date", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.engine == "sparseml":
        import sparseml as engine

        classes, nested, limits = SPARSEML, SPARSEML_TYPES, SPARSEML_LIMITS
        layout = {
            "modifiers_in": "a list under a top-level key that contains 'modifiers'",
            "modifier_tag": "!Name, its fields as a block mapping",
            "variables": "top-level scalars, used as eval(expression)",
            "unknown_fields": "TypeError",
        }
    else:
        import llmcompressor as engine

        classes, nested, limits = LLM_COMPRESSOR, LLM_COMPRESSOR_TYPES, LLM_COMPRESSOR_LIMITS
        layout = {
            "modifiers_in": "stage (key ends in _stage) / group (key ends in _modifiers) / name",
            "stage_suffix": "_stage",
            "group_suffix": "_modifiers",
            "variables": "none, numbers only",
            "unknown_fields": "ValidationError",
        }
    document = {
        "engine": args.engine,
        "version": engine.__version__,
        "date": args.date,
        "read_from": sorted({*classes.values(), *nested.values()}),
        "layout": layout,
        "modifiers": read(classes, limits),
        "types": read(nested, limits),
    }
    with open(args.out, "w", encoding="utf-8") as stream:
        json.dump(document, stream, indent=2)
        stream.write("\n")


if __name__ == "__main__":
    main()
