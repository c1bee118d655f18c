"""Notes: the few things a person must be told beside an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zooselect.level import SPARSE_TRANSFER
from zooselect.selection.variant import hardware_targets

if TYPE_CHECKING:
    from zooselect.selection.selection import Selection


def notes_on(selection: Selection) -> tuple[str, ...]:
    """Return what a person must be told beside the answer, a line each."""
    lines = []
    fallback, dataset, model = selection.fallback, selection.dataset, selection.model
    if fallback is not None:
        moved = f"wanted {fallback.wanted}, got {fallback.got}: "
        same = fallback.wanted == fallback.got  # base, of another size
        lines.append(f"fallback: {'' if same else moved}{fallback.reason}")
    if selection.mode != SPARSE_TRANSFER and model is not None and dataset is not None:
        lines.append(f"no --model given: the medium tier's base model, {model.stub}")
    if selection.plan is not None:
        lines.extend(selection.plan.notes)
    if dataset is not None and dataset.requested is not None and dataset.transfer:
        base = dataset.used or "any data set"
        meant = f" (did you mean {dataset.closest}?)" if dataset.closest else ""
        lines.append(
            f"no model on record is for {dataset.requested!r}{meant}: transfer to it from {base}"
        )
    if selection.dense_basis in ("estimate", "inferred"):
        lines.append(
            f"dense size {selection.dense_millions:g} M is "
            + ("estimated from a base model's file" if selection.dense_basis == "estimate"
               else "inferred: the network itself is an inference")
        )  # fmt: skip
    target = selection.target
    if target is not None and model is not None and target not in hardware_targets(model):
        lines.append(f"no model on the rung is made for {target!r}")
    if model is not None and model.ambiguous_with:
        lines.append("its v2 name may mean any of: " + ", ".join(model.ambiguous_with))
    if model is not None and model.confidence == "low":
        lines.append("unverified: this model may never have been published")
    return tuple(lines)
