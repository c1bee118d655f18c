"""Recipes: a plan as text that an engine runs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from zooselect import __version__
from zooselect.errors import UsageError
from zooselect.level import POLICY
from zooselect.plan.llm_compressor import llm_compressor_recipe
from zooselect.plan.plan import Plan
from zooselect.plan.sparseml import sparseml_recipe

FORMATS = ("sparseml", "llm-compressor", "plan-json")


def recipe(plan: Plan, format: str, settings: Mapping[str, str | float]) -> str | None:
    """Return the recipe of a plan in a format; None when there is nothing to do.

    The same plan and settings give the same bytes.

    Raises:
        UsageError: an unknown format, one that cannot express the plan, or a setting the
            recipe does not have.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown recipe format {format!r}", hint="formats: " + ", ".join(FORMATS))
    if format != "sparseml" and settings:
        raise UsageError(
            f"a {format} recipe has no variables to set", hint="only sparseml recipes have them"
        )
    if format == "plan-json":
        return _plan_json(plan)
    if plan.quantization is None:
        if settings:
            raise UsageError(
                f"level {plan.optim_level!r} has no recipe, and so no variables to set",
                hint="any level above 0.0 has one",
            )
        return None
    body = sparseml_recipe(plan, settings) if format == "sparseml" else llm_compressor_recipe(plan)
    return _header(plan, format) + body


def _header(plan: Plan, format: str) -> str:
    lines = [
        f"{format} recipe for {plan.task}, {plan.mode}, optim level {plan.optim_level!r}",
        f"zooselect {__version__}, policy {POLICY}: {plan}",
        *plan.notes,
    ]
    if plan.layers is None and plan.sparsity is not None:
        lines.append(
            "The layers were not known: they are told by their names. Measure what was pruned,"
        )
        lines.append("or give the names: zooselect resolve ... --layers FILE")
    return "".join(f"# {line}\n" for line in lines)


def _plan_json(plan: Plan) -> str:
    document = {
        "schema": 1,
        "policy": POLICY,
        "tool": f"zooselect {__version__}",
        "task": plan.task,
        "mode": plan.mode,
        "optim_level": plan.optim_level,
        **plan.to_dict(),
    }
    return json.dumps(document, indent=2) + "\n"
