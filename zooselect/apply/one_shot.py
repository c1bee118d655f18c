"""One-shot pruning and quantization of an ONNX model, really done and measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from zooselect.apply.calibrate import calibrate
from zooselect.apply.choose import choose, excluded_weights, planned_layers
from zooselect.apply.measure import (
    Comparison,
    Outputs,
    compressed_size,
    operators,
    weights_in,
)
from zooselect.apply.model_path import model_path
from zooselect.apply.network import Network, check, open_network, parse_model
from zooselect.apply.options import DEFAULT_SAMPLES, Options
from zooselect.apply.prepare import Prepared, prepare
from zooselect.apply.prune import zero_smallest
from zooselect.apply.quantize import places, quantize
from zooselect.apply.report import LayerReport, Measured, Report
from zooselect.apply.runtime import Session, latencies
from zooselect.apply.samples import Samples, inputs_of, make_up, read_folder
from zooselect.apply.tensors import external_files, sha256
from zooselect.apply.weighted import LayerNode, layer_nodes, unreached
from zooselect.apply.write import (
    copy_model,
    publish,
    refuse_overwriting,
    sign,
    working_folder,
    write_network,
)
from zooselect.errors import IntegrityError, UsageError
from zooselect.level import DEFAULT_LEVEL, ONE_SHOT, parse_level
from zooselect.plan.already import refuse_quantized, refuse_sparse
from zooselect.plan.plan import Plan, plan_for

#: Told the step, how far it is and how far it goes.
Progress = Callable[[str, int, int], None]

MB = 1_000_000
#: Bytes from which on a model is run in less memory, and a little slower.
LARGE = 1000 * MB


def apply(
    model: str | os.PathLike[str],
    optim_level: float = DEFAULT_LEVEL,
    output: str | os.PathLike[str] | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    synthetic_data: int = 0,
    samples: int = DEFAULT_SAMPLES,
    exclude: Sequence[str] = (),
    prune_ends: bool = False,
    scope: str = "layer",
    force: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Prune and quantize an ONNX model as the one-shot policy says, and measure the result.

    Level 0.0 copies the model; (0, 0.3) quantizes to INT8; [0.3, 1] prunes by magnitude and
    then quantizes. The output is written only if reading it back shows what was planned.

    Args:
        model: an ONNX file, or a folder with model.onnx or deployment/model.onnx.
        optim_level: 0.0 to 1.0.
        output: file to write; None for `NAME-optimLEVEL.onnx` beside the model.
        data: folder of .npz samples; see `zooselect.apply.samples`.
        synthetic_data: make up so many samples instead.
        samples: use at most so many of the folder's, the first by name.
        exclude: layers to leave as they are: names of weights, modules or nodes.
        prune_ends: also prune the first convolution and the last layers; they are
            quantized in any case.
        scope: `layer` prunes each layer to the sparsity, `global` all of them together.
        force: take a model that is already quantized or sparse.
        dry_run: say what would be done; write nothing, and run nothing.
        progress: told how far it is.

    Raises:
        UsageError: options or samples that do not fit the model, a model already quantized
            or sparse, no layer to do anything in, missing packages.
        LocalFileError: a file cannot be read or written.
        IntegrityError: a file is not what it must be, or the result not what was planned;
            then nothing was written.
    """
    options = Options(
        parse_level(optim_level), output, data, synthetic_data, samples, tuple(exclude),
        prune_ends, scope, force, dry_run,
    )  # fmt: skip
    return carry_out(model, options, progress)


def carry_out(
    model: str | os.PathLike[str], options: Options, progress: Progress | None = None
) -> Report:
    """As `apply`, with its options as one value."""
    source, level = model_path(model), options.optim_level
    options.check()
    target = Path(options.output) if options.output else _default_output(source, level)
    # Links are followed, as all that writes here does.
    target = Path(os.path.realpath(target))
    parsed = parse_model(source)
    beside = external_files(source, parsed)
    refuse_overwriting(source, beside, target)
    job = _Job(source, beside, target, progress or (lambda step, done, of: None))
    plan = plan_for(ONE_SHOT, "", level)
    if plan.quantization is None:
        return job.copy(plan, options.dry_run)
    # A dry run leaves the output's folder alone.
    with working_folder(Path(gettempdir()) if options.dry_run else target.parent) as folder:
        job.open(folder, parsed, options.force)
        del parsed
        nodes = job.choose(options)
        inputs = inputs_of(job.network)
        if options.data is not None:
            found = read_folder(Path(options.data), inputs, options.samples)
        else:
            found = make_up(inputs, options.synthetic_data)
        if options.dry_run:
            return job.report(found)
        job.run(nodes, found)
        return job.finish(found)


class _Job:
    """One model on its way through the steps of `apply`."""

    network: Network
    prepared: Prepared
    plan: Plan

    def __init__(
        self, source: Path, beside: dict[str, Path], target: Path, progress: Progress
    ) -> None:
        self.source, self.beside, self.target = source, beside, target
        self.progress = progress
        self.layers: dict[str, LayerReport] = {}
        self.size = sum(one.stat().st_size for one in (source, *beside.values()))
        self.lean = self.size > LARGE

    def copy(self, plan: Plan, dry_run: bool) -> Report:
        """Level 0.0: the output is the input."""
        digest = sha256(self.source)
        if dry_run:
            return Report(str(self.source), digest, str(self.target), None, plan)
        missing = {}
        for location, path in self.beside.items():
            final = self.target.parent / location
            if not final.exists():
                missing[location] = path
            elif not final.samefile(path) and sha256(final) != sha256(path):
                raise UsageError(
                    f"the model keeps weights in {location}, and {final} is another file",
                    hint="give an output in a folder of its own",
                )
        with working_folder(self.target.parent) as folder:
            files = copy_model(self.source, missing, folder, self.target.name)
            if sha256(files[-1]) != digest:
                raise IntegrityError("the model changed while it was copied", hint="try again")
            publish(files, folder, self.target)
        target = str(self.target)
        return Report(str(self.source), digest, target, target, plan)

    def open(self, folder: Path, parsed: Any, force: bool) -> None:
        """Read the model and prepare it."""
        self.progress("reading", 0, 1)
        self.folder = folder
        self.digests = {
            "source_sha256": sha256(self.source),
            **{f"source_sha256.{location}": sha256(path) for location, path in self.beside.items()},
        }
        self.network = open_network(self.source, folder, parsed)
        # The same model; its weights are mapped from the working folder, not held twice.
        self.as_given = self.network.save("source.onnx")
        if not force:
            refuse_quantized(self.network.model.graph)
        self.prepared = prepare(self.network)
        self.progress("reading", 1, 1)
        self.force = force

    def choose(self, options: Options) -> list[LayerNode]:
        """Plan; return the layers to quantize."""
        network, self.scope = self.network, options.scope
        nodes = layer_nodes(network)
        self.unreached = unreached(network, nodes)
        if not nodes:
            raise UsageError(
                "the model has no convolution or linear layer with a constant float32 weight",
                hint="nothing to prune or to quantize"
                if not self.unreached
                else f"its weights stand in {self.unreached[0].name}"
                f" ({'/'.join(self.unreached[0].used_by)}), out of reach",
            )
        excluded = excluded_weights(nodes, options.exclude)
        chosen = [one for one in nodes if one.weight not in excluded]
        if not chosen:
            raise UsageError(
                "every layer is excluded",
                hint=f"--exclude {','.join(options.exclude)} leaves none: name fewer;"
                " level 0.0 is no change",
            )
        self.plan = plan = choose(network, nodes, options.optim_level, excluded, options.prune_ends)
        for layer in planned_layers(network, nodes, plan, excluded, options.scope):
            self.layers[layer.name] = layer
        if not self.force:
            refuse_sparse(
                sum(one.zeros_before for one in self.layers.values()),
                sum(one.numel for one in self.layers.values()),
            )
        return chosen

    def run(self, nodes: list[LayerNode], samples: Samples) -> None:
        """Prune, calibrate, run the input model, quantize, write."""
        network, folder, self.int8_nodes = self.network, self.folder, len(nodes)
        pruned = [one for one in self.layers.values() if one.planned_zeros]
        for at, layer in enumerate(pruned):
            self.progress("pruning", at, len(pruned))
            assert layer.planned_zeros is not None
            network.set(layer.name, zero_smallest(network.get(layer.name), layer.planned_zeros))
        where = places(network, nodes)
        self.kept = Outputs(folder, "pruned")
        count = len(samples)
        done = 0

        def keep(outputs: Sequence[object]) -> None:
            nonlocal done
            self.kept.add(outputs)  # type: ignore[arg-type]
            done += 1
            self.progress("calibrating", done, count)

        ranges = calibrate(network, where.watched, samples, keep)
        self.before = Outputs(folder, "source")
        session = Session(self.as_given, lean=self.lean)
        for at, outputs in enumerate(samples.runs(session)):
            self.progress("running the input model", at + 1, count)
            self.before.add(outputs)
        self.interface = session.interface
        del session
        self.progress("quantizing", 0, 1)
        quantize(network, nodes, where, ranges)
        sign(network, {"optim_level": repr(self.plan.optim_level), **self.digests})
        (folder / "out").mkdir()
        self.files = write_network(network, folder / "out" / self.target.name)

    def finish(self, samples: Samples) -> Report:
        """Read the file back, run it, compare with the plan, and publish."""
        path = self.files[-1]
        check(path, "the result")
        (self.folder / "back").mkdir()
        written = open_network(path, self.folder / "back")
        self._check(written)
        session = Session(path, "the result", lean=self.lean, watch=self.folder)
        if session.interface != self.interface:
            raise IntegrityError(
                f"inputs and outputs changed from {self.interface} to {session.interface}",
                hint="nothing was written; this is a bug",
            )
        source, pruned = Comparison(self.before), Comparison(self.kept)
        ran: dict[str, int] = {}
        for at, outputs in enumerate(samples.runs(session)):
            ran = ran or session.operators()
            self.progress("measuring", at + 1, len(samples))
            source.add(outputs)
            pruned.add(outputs)
        packed = compressed_size(
            self.files,
            lambda done, of: self.progress("compressing", done // MB, -(-of // MB)),
        )
        given = Session(self.as_given, lean=self.lean)
        before, after = latencies(given, session, next(iter(samples)))
        measured = Measured(
            self.size,
            sum(one.stat().st_size for one in self.files),
            packed,
            operators(written),
            ran,
            self.int8_nodes,
            source.drift,
            pruned.drift,
            before,
            after,
        )
        publish(self.files, path.parent, self.target)
        self.progress("done", 1, 1)
        return self.report(samples, measured)

    def report(self, samples: Samples, measured: Measured | None = None) -> Report:
        """All that is known so far."""
        return Report(
            str(self.source), self.digests["source_sha256"], str(self.target),
            None if measured is None else str(self.target),
            self.plan, self.scope, self.prepared, tuple(self.layers.values()), self.unreached,
            len(samples), samples.synthetic and len(samples) > 0, measured,
        )  # fmt: skip

    def _check(self, written: Network) -> None:
        """Hold the written file to the plan."""
        from dataclasses import replace

        found = weights_in(written)
        for name, layer in self.layers.items():
            weight = found.get(name)
            if weight is None or weight.int8 != layer.int8 or weight.numel != layer.numel:
                raise IntegrityError(
                    f"the layer {name!a} is not {'INT8' if layer.int8 else 'float'} in the result",
                    hint="nothing was written; this is a bug",
                )
            if layer.planned_zeros is not None and weight.zeros < layer.planned_zeros:
                raise IntegrityError(
                    f"the layer {name!a} has {weight.zeros} zeros in the result, and"
                    f" {layer.planned_zeros} were planned",
                    hint="nothing was written; this is a bug",
                )
            self.layers[name] = replace(layer, zeros=weight.zeros)


def _default_output(source: Path, level: float) -> Path:
    return source.with_name(f"{source.stem}-optim{level!r}.onnx")
