"""What was done to a model and what it came to, as values, JSON, Markdown and one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zooselect.apply.measure import INTEGER, Drift
from zooselect.apply.prepare import Prepared
from zooselect.apply.weighted import Unreached
from zooselect.level import POLICY
from zooselect.plan.plan import Plan

#: Bytes from which on a size is told in MB.
_KB_UP_TO = 100_000


@dataclass(frozen=True)
class LayerReport:
    """One layer's weight, before and after.

    Attributes:
        name: the weight's name in the file.
        operator: the first operator that multiplies by it.
        shape: its dimensions.
        zeros_before: zeros it came with.
        planned_zeros: how many it was to have at least; None where it was not to be pruned.
        zeros: how many it has in the written file; None where nothing was written. Rounding
            to INT8 makes some more.
        int8: whether it runs in INT8, or is to.
        reason: why it was left as it is, or dense; empty where it was pruned and quantized.
    """

    name: str
    operator: str
    shape: tuple[int, ...]
    zeros_before: int
    planned_zeros: int | None
    zeros: int | None
    int8: bool
    reason: str

    @property
    def numel(self) -> int:
        """How many numbers it holds."""
        from math import prod

        return prod(self.shape)

    def to_dict(self) -> dict[str, object]:
        """The layer as it stands in JSON output."""
        return {
            "name": self.name,
            "operator": self.operator,
            "shape": list(self.shape),
            "weights": self.numel,
            "zeros_before": self.zeros_before,
            "planned_zeros": self.planned_zeros,
            "zeros": self.zeros,
            "sparsity": None if self.zeros is None else self.zeros / self.numel,
            "int8": self.int8,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class Measured:
    """What reading back and running the written file showed.

    Attributes:
        bytes_before, bytes_after: sizes of model and external data.
        bytes_compressed: size of the output under gzip.
        operators: how many nodes the output has of each operator.
        operators_run: how often each ran for one sample in onnxruntime on this machine, which
            makes operators of its own of them.
        int8_nodes: nodes that get their weight and input from 8-bit integers.
        drift: outputs against those of the input model.
        drift_from_pruned: outputs against those of the pruned model in float: what
            quantization alone does.
        latency_before, latency_after: seconds a run of one sample takes on this machine.
    """

    bytes_before: int
    bytes_after: int
    bytes_compressed: int
    operators: dict[str, int]
    operators_run: dict[str, int]
    int8_nodes: int
    drift: Drift
    drift_from_pruned: Drift
    latency_before: float
    latency_after: float

    @property
    def latency_ratio(self) -> float:
        """Latency of the output, as a multiple of the input's."""
        return self.latency_after / self.latency_before

    @property
    def in_integers(self) -> int:
        """How many of the INT8 nodes onnxruntime multiplied in integers."""
        ran = sum(count for kind, count in self.operators_run.items() if kind in INTEGER)
        return min(ran, self.int8_nodes)

    def to_dict(self) -> dict[str, object]:
        """The measurements as they stand in JSON output."""
        return {
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "bytes_compressed": self.bytes_compressed,
            "operators": self.operators,
            "operators_run": self.operators_run,
            "int8_nodes": self.int8_nodes,
            "int8_nodes_run_in_integers": self.in_integers,
            "drift": self.drift.to_dict(),
            "drift_from_pruned": self.drift_from_pruned.to_dict(),
            "latency_ms_before": self.latency_before * 1e3,
            "latency_ms_after": self.latency_after * 1e3,
            "latency_ratio": self.latency_ratio,
        }


@dataclass(frozen=True)
class Report:
    """What `apply` did, or with `dry_run` would do.

    Attributes:
        source, source_sha256: the input model.
        target: the file that was to be written.
        output: it; None where nothing was written.
        plan: what the one-shot policy says at the level.
        scope: whose weights competed, `layer` or `global`.
        prepared: what was done before; None at level 0.0.
        layers: every layer.
        unreached: weights no layer multiplies by.
        samples: how many samples it was calibrated and compared with.
        synthetic: whether they were made up.
        measured: None where nothing was done.
    """

    source: str
    source_sha256: str
    target: str
    output: str | None
    plan: Plan
    scope: str = "layer"
    prepared: Prepared | None = None
    layers: tuple[LayerReport, ...] = ()
    unreached: tuple[Unreached, ...] = ()
    samples: int = 0
    synthetic: bool = False
    measured: Measured | None = None

    @property
    def pruned(self) -> tuple[LayerReport, ...]:
        """The layers that were pruned."""
        return tuple(one for one in self.layers if one.planned_zeros is not None)

    @property
    def sparsity(self) -> float | None:
        """Fraction of zeros in the pruned layers, as written or planned; None for none."""
        zeros = sum(
            one.planned_zeros or 0 if one.zeros is None else one.zeros for one in self.pruned
        )
        return zeros / sum(one.numel for one in self.pruned) if self.pruned else None

    @property
    def model_sparsity(self) -> float | None:
        """Fraction of zeros among all weights of two dimensions or more, as written."""
        if not self.layers or any(one.zeros is None for one in self.layers):
            return None
        weights = sum(one.numel for one in self.layers)
        weights += sum(one.numel for one in self.unreached)
        return sum(one.zeros or 0 for one in self.layers) / weights

    def to_dict(self) -> dict[str, Any]:
        """The report as it stands in JSON output."""
        plan = {key: value for key, value in self.plan.to_dict().items() if key != "layers"}
        return {
            "policy": POLICY,
            "mode": self.plan.mode,
            "optim_level": self.plan.optim_level,
            "source": {"path": self.source, "sha256": self.source_sha256},
            "target": self.target,
            "output": self.output,
            "plan": {**plan, "scope": self.scope},
            "prepared": None if self.prepared is None else self.prepared._asdict(),
            "layers": [one.to_dict() for one in self.layers],
            "pruned_layers": len(self.pruned),
            "sparsity": self.sparsity,
            "model_sparsity": self.model_sparsity,
            "unreached": [
                {"name": one.name, "weights": one.numel, "used_by": list(one.used_by)}
                for one in self.unreached
            ],
            "samples": {"count": self.samples, "synthetic": self.synthetic},
            "measured": None if self.measured is None else self.measured.to_dict(),
        }

    def __str__(self) -> str:
        if self.plan.quantization is None:
            will = "would be" if self.output is None else "is"
            return f"no change: the output {will} the input, byte for byte"
        parts = []
        sparsity = self.sparsity
        if sparsity is not None:
            parts.append(
                f"layers {len(self.pruned)} of {len(self.layers)} pruned to {percent(sparsity)}, "
            )
        parts.append("INT8 weights and activations")
        count = sum(one.int8 for one in self.layers)
        if count < len(self.layers):
            parts.append(f" in {count} of {len(self.layers)}")
        text = "".join(parts)
        measured = self.measured
        if measured is None:
            return f"would do: {text}"
        text += (
            f" · {size(measured.bytes_before)} → {size(measured.bytes_after)}"
            f" ({size(measured.bytes_compressed)} compressed)"
        )
        if measured.drift.top1_agreement is not None:
            agreement = percent(measured.drift.top1_agreement, 1)
            text += f" · top-1 agreement with the input {agreement}"
        if measured.drift.relative_error is not None:
            text += f" · relative error {measured.drift.relative_error:.2g} against the input"
        return text + (" · all of that on made-up samples" if self.synthetic else "")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person must know beside the line."""
        notes = [f"{'would write' if self.output is None else 'wrote'} {self.target}"]
        if self.measured is not None:
            notes.append(
                f"a run takes {self.measured.latency_ratio:.2f} times as long as the input's,"
                " in onnxruntime on this machine"
            )
            inside, nodes = self.measured.in_integers, self.measured.int8_nodes
            if inside < nodes:
                notes.append(
                    f"onnxruntime ran {inside} of {nodes} INT8 operators in integers, the others"
                    " in float"
                )
        if self.synthetic:
            notes.append(
                f"calibrated on {self.samples} MADE-UP samples: activations of real data may lie"
                " outside these ranges and be cut off, and the drift says nothing of real data;"
                " give --data before you use the output"
            )
        dense = [one for one in self.layers if one.planned_zeros is None and one.reason]
        if dense:
            names = ", ".join(f"{one.name} ({one.reason})" for one in dense[:6])
            notes.append(f"not pruned: {names}{more(dense[6:])}")
        if self.unreached:
            numel = sum(one.numel for one in self.unreached)
            share = numel / (numel + sum(one.numel for one in self.layers))
            names = ", ".join(f"{one.name} ({'/'.join(one.used_by)})" for one in self.unreached[:4])
            notes.append(
                f"out of reach: {numel:,} weights, {percent(share, 1)} of all, in"
                f" {names}{more(self.unreached[4:])}"
            )
        if self.prepared is not None and self.prepared.converted:
            notes.append(f"converted from opset {self.prepared.opset} to 13")
        if self.prepared is not None and self.prepared.left:
            notes.append(f"{self.prepared.left} batch norms stand behind no layer and stay float")
        return tuple(notes)


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction for people."""
    return f"{fraction * 100:.{digits}f} %"


def size(count: int) -> str:
    """A number of bytes for people, in MB of a million bytes, or kB of a thousand."""
    return f"{count / 1e6:.2f} MB" if count >= _KB_UP_TO else f"{count / 1e3:.1f} kB"


def more(left: tuple[Any, ...] | list[Any]) -> str:
    """Say that a list goes on."""
    return f" and {len(left)} more" if left else ""


def markdown(report: Report) -> str:
    """Return a report as Markdown, with a table of layers."""
    plan = report.plan
    lines = [
        f"# One-shot {plan.optim_level!r}",
        "",
        str(report),
        "",
        *(f"* {note}" for note in report.notes),
        f"* input: `{report.source}`, sha256 {report.source_sha256}",
        f"* policy {POLICY}: {plan}",
        f"* samples: {report.samples}{', made up' if report.synthetic else ''}",
    ]
    measured = report.measured
    if measured is not None:
        lines += [
            "",
            "| against | relative error | top-1 agreement |",
            "|---|---|---|",
            _drift_row("the input", measured.drift),
            _drift_row("the pruned model in float", measured.drift_from_pruned),
            "",
            f"Latency of a run: {measured.latency_before * 1e3:.3g} ms before,"
            f" {measured.latency_after * 1e3:.3g} ms after, x {measured.latency_ratio:.2f}.",
            "",
            "Operators onnxruntime ran: "
            + ", ".join(f"{count} x {kind}" for kind, count in measured.operators_run.items())
            + f"; {measured.in_integers} of {measured.int8_nodes} INT8 layers in integers.",
        ]
    if report.layers:
        lines += [
            "",
            "| layer | operator | shape | sparsity before | planned | measured | INT8 | |",
            "|---|---|---|---|---|---|---|---|",
            *(_layer_row(one) for one in report.layers),
        ]
    if report.unreached:
        lines += ["", "| out of reach | weights | used by |", "|---|---|---|"]
        lines += [
            f"| {_cell(one.name)} | {one.numel:,} | {', '.join(one.used_by)} |"
            for one in report.unreached
        ]
    return "\n".join(lines) + "\n"


def _drift_row(name: str, drift: Drift) -> str:
    error = "-" if drift.relative_error is None else f"{drift.relative_error:.4f}"
    agreement = "-" if drift.top1_agreement is None else percent(drift.top1_agreement, 1)
    return f"| {name} | {error} | {agreement} |"


def _layer_row(one: LayerReport) -> str:
    def share(zeros: int | None) -> str:
        return "-" if zeros is None else percent(zeros / one.numel)

    cells = (
        _cell(one.name), one.operator, " x ".join(map(str, one.shape)), share(one.zeros_before),
        share(one.planned_zeros), share(one.zeros), "yes" if one.int8 else "no", one.reason,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """A name as it can stand in a table, whatever a file calls its tensors."""
    printable = "".join(char if char.isprintable() else "?" for char in text)
    return printable.replace("\\", "\\\\").replace("|", "\\|").replace("`", "'")
