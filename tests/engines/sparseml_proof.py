"""Apply a recipe with the real SparseML to a small real convolutional network, and measure.

Runs inside the environment of requirements-sparseml.txt and imports nothing of zooselect:

    python sparseml_proof.py --mode one-shot|training-aware --plan PLAN.json --out RESULT.json
                             [--recipe RECIPE.yaml|null] [--seed N] [--quiet]

PLAN.json is a plan (`sparsity`, `quantization`, ...) or a document with one under "plan".
`--recipe null` (or none) means that there is nothing to apply, as at level 0.0; the
measurement still runs.

RESULT.json is flat: what was run, one row per layer, totals, and `checks`, each a comparison
of the measurement with the plan. Exit code 0: every check held. 1: a check did not hold, or
the engine refused the recipe; one line on stderr says which. 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ["NM_DISABLE_ANALYTICS"] = "True"
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

STEM = "conv1"
CLASSIFIER = "fc"
CLASSES = 10
SAMPLES = 640
BATCH = 64
IMAGE = (3, 16, 16)
MARGIN = 1e-6


class ProofError(Exception):
    """The proof could not be run or did not hold; the message is one line."""


# --- the network and its data -----------------------------------------------------------


def build_network():
    """A residual network of about 0.14 M weights with torchvision's layer names."""
    from torch import nn

    class BasicBlock(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.relu = nn.ReLU(inplace=True)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.relu2 = nn.ReLU(inplace=True)
            self.downsample = None
            if stride != 1 or inputs != outputs:
                self.downsample = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            identity = x if self.downsample is None else self.downsample(x)
            out = self.relu(self.bn1(self.conv1(x)))
            return self.relu2(self.bn2(self.conv2(out)) + identity)

    class SmallResNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(IMAGE[0], 16, 3, 1, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(16)
            self.relu = nn.ReLU(inplace=True)
            self.layer1 = nn.Sequential(BasicBlock(16, 16, 1))
            self.layer2 = nn.Sequential(BasicBlock(16, 32, 2))
            self.layer3 = nn.Sequential(BasicBlock(32, 64, 2))
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.hidden = nn.Linear(64, 96)
            self.relu2 = nn.ReLU(inplace=True)
            self.fc = nn.Linear(96, CLASSES)

        def forward(self, x):
            x = self.relu(self.bn1(self.conv1(x)))
            x = self.layer3(self.layer2(self.layer1(x)))
            x = self.avgpool(x).flatten(1)
            return self.fc(self.relu2(self.hidden(x)))

    return SmallResNet()


def build_batches(seed: int):
    """Batches of a task that can be learnt: one pattern per class, shifted, with noise."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    patterns = torch.randn(CLASSES, *IMAGE, generator=generator)
    labels = torch.arange(SAMPLES) % CLASSES
    images = patterns[labels] + 0.8 * torch.randn(SAMPLES, *IMAGE, generator=generator)
    order = torch.randperm(SAMPLES, generator=generator)
    images, labels = images[order], labels[order]
    return [(images[i : i + BATCH], labels[i : i + BATCH]) for i in range(0, SAMPLES, BATCH)]


def accuracy(model, batches) -> float:
    import torch

    was_training = model.training
    model.eval()
    with torch.no_grad():
        right = sum(int((model(x).argmax(1) == y).sum()) for x, y in batches)
    model.train(was_training)
    return right / SAMPLES


# --- measuring ---------------------------------------------------------------------------


def weighted_modules(model):
    """(kind, module) of every Conv and Linear, in the order of definition.

    The engine renames modules (`hidden` -> `hidden.module`, conv + bn -> one fused module),
    but keeps their order, so layers are matched by position.
    """
    from torch import nn

    found = []
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.conv._ConvNd):
            found.append((name, "conv", module))
        elif isinstance(module, nn.Linear):
            found.append((name, "linear", module))
    return found


def batch_norms(model):
    from torch import nn

    kinds = (nn.modules.batchnorm._BatchNorm,)
    return [(n, m) for n, m in model.named_modules() if isinstance(m, kinds)]


def fake_quantizers(model):
    import torch

    base = getattr(torch.quantization, "FakeQuantizeBase", torch.quantization.FakeQuantize)
    return [(n, m) for n, m in model.named_modules() if isinstance(m, base)]


def count_zeros(tensor) -> int:
    return int((tensor.detach() == 0).sum())


def overall_sparsity(model) -> float:
    layers = [m.weight for _, _, m in weighted_modules(model)]
    return sum(count_zeros(w) for w in layers) / sum(w.numel() for w in layers)


def measure(model, original) -> dict:
    """Rows and totals. `original` is [(name, kind, weight)] from just before the engine ran."""
    import torch

    rows = []
    current = weighted_modules(model)
    if [(k, m.weight.shape) for _, k, m in current] != [(k, w.shape) for _, k, w in original]:
        raise ProofError("the network's Conv and Linear layers are not the ones it was built with")
    for (name, kind, before), (engine_name, _, module) in zip(original, current, strict=True):
        weight = module.weight.detach()
        fake = getattr(module, "weight_fake_quant", None)
        quantized = fake is not None and hasattr(fake, "scale")
        rows.append(
            {
                "name": name,
                "engine_name": engine_name,
                "kind": kind,
                "role": {STEM: "stem", CLASSIFIER: "classifier"}.get(name, "body"),
                "numel": weight.numel(),
                "zeros": count_zeros(weight),
                "sparsity": count_zeros(weight) / weight.numel(),
                "unchanged": bool(torch.equal(weight, before)),
                "quantized": quantized,
                "quantized_sparsity": (
                    count_zeros(fake(weight)) / weight.numel() if quantized else None
                ),
                "nan": bool(torch.isnan(weight).any()),
            }
        )
    norms = batch_norms(model)
    fakes = fake_quantizers(model)
    pruned = [r for r in rows if r["zeros"]]
    tensors = list(model.parameters()) + list(model.buffers())
    return {
        "layers": rows,
        "overall_sparsity": sum(r["zeros"] for r in rows) / sum(r["numel"] for r in rows),
        "pruned_sparsity": (
            sum(r["zeros"] for r in pruned) / sum(r["numel"] for r in pruned) if pruned else 0.0
        ),
        "pruned_layers": len(pruned),
        "quantized_modules": len(fakes),
        "quantized_weights": sum(r["quantized"] for r in rows),
        "quantized_bits": sorted({int(math.log2(f.quant_max - f.quant_min + 1)) for _, f in fakes}),
        "batchnorms": len(norms),
        "batchnorm_zeros": sum(count_zeros(m.weight) for _, m in norms),
        "nan": any(bool(torch.isnan(t).any()) for t in tensors if t.is_floating_point()),
    }


# --- applying ----------------------------------------------------------------------------


def warm_up(model, batches, epochs: int = 2) -> None:
    """A little ordinary training, so that one-shot starts from a network that has learnt."""
    import torch

    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()


def one_shot(manager, model, batches) -> None:
    manager.apply(model, calibration_dataloader=[x for x, _ in batches], finalize=True)


def training_aware(manager, model, batches) -> list[dict]:
    import torch

    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    optimizer = manager.modify(model, optimizer, steps_per_epoch=len(batches))
    history = []
    for epoch in range(math.ceil(manager.max_epochs)):
        model.train()
        total = 0.0
        for x, y in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += float(loss)
        history.append(
            {
                "epoch": epoch + 1,
                "loss": total / len(batches),
                "learning_rate": optimizer.param_groups[0]["lr"],
                "sparsity": overall_sparsity(model),
                "quantized_modules": len(fake_quantizers(model)),
            }
        )
    manager.finalize(model)
    return history


def run(recipe: str | None, mode: str, seed: int) -> dict:
    import torch

    random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # more only helps on an idle machine
    batches = build_batches(seed)
    model = build_network()
    history: list[dict] = []
    max_epochs = None
    version = "none"
    started = time.monotonic()
    if mode == "one-shot":
        warm_up(model, batches)
    before = accuracy(model, batches)
    original = [(n, k, m.weight.detach().clone()) for n, k, m in weighted_modules(model)]
    if recipe is not None:
        import sparseml
        from sparseml.pytorch.optim import ScheduledModifierManager

        version = sparseml.__version__
        manager = ScheduledModifierManager.from_yaml(recipe)
        max_epochs = float(manager.max_epochs)
        if mode == "one-shot":
            one_shot(manager, model, batches)
        else:
            history = training_aware(manager, model, batches)
    result = {
        "engine": "sparseml",
        "engine_version": version,
        "torch_version": torch.__version__,
        "mode": mode,
        "recipe_applied": recipe is not None,
        "max_epochs": max_epochs,
        "epochs_run": len(history),
        "history": history,
    }
    result.update(measure(model, original))
    result["accuracy_before"] = before
    result["accuracy_after"] = accuracy(model, batches)
    result["seconds"] = round(time.monotonic() - started, 2)
    return result


# --- comparing with the plan -------------------------------------------------------------


def compare(result: dict, plan: dict) -> list[dict]:
    """The checks. `plan["sparsity"]` is the target of every pruned layer, None for none."""
    checks = []

    def check(name: str, ok: bool, detail: str) -> None:
        checks.append({"name": name, "ok": bool(ok), "detail": detail})

    target = plan.get("sparsity")
    wants_quantization = plan.get("quantization") is not None
    body = [r for r in result["layers"] if r["role"] == "body"]
    if target is None:
        zeros = sum(r["zeros"] for r in result["layers"])
        check("nothing pruned", zeros == 0, f"{zeros} zeros")
    else:
        # rounding to whole weights: at most half a weight per layer
        wrong = [r for r in body if abs(r["sparsity"] - target) > 0.5 / r["numel"] + MARGIN]
        worst = max(abs(r["sparsity"] - target) for r in body)
        names = ", ".join(f"{r['name']} {r['sparsity']:.4f}" for r in wrong)
        check("layers at target", not wrong, names or f"target {target:.6f}, worst {worst:.2e} off")
        dead = [r["name"] for r in body if r["zeros"] == r["numel"]]
        check("no layer died", not dead, ", ".join(dead) or "none")
    for role in ("stem", "classifier"):
        row = next(r for r in result["layers"] if r["role"] == role)
        same = row["unchanged"] or result["mode"] == "training-aware"  # training moves weights
        check(f"{role} left dense", row["zeros"] == 0, f"{row['zeros']} zeros")
        how = "bit for bit the same" if row["unchanged"] else "weights differ"
        check(f"{role} untouched", same, how)
    zeros = result["batchnorm_zeros"]
    check("batch norms left alone", zeros == 0, f"{zeros} zeros in {result['batchnorms']} norms")
    found = result["quantized_modules"]
    check(
        "quantized as planned",
        (found > 0) == wants_quantization,
        f"{found} FakeQuantize modules, plan says {'some' if wants_quantization else 'none'}",
    )
    if wants_quantization:
        left = [r["name"] for r in body if not r["quantized"]]
        check("body weights quantized", not left, ", ".join(left) or "all")
        check("8 bits", result["quantized_bits"] == [8], str(result["quantized_bits"]))
    check("no NaN", not result["nan"], str(result["nan"]))
    if result["mode"] == "training-aware" and result["recipe_applied"]:
        whole = math.ceil(result["max_epochs"])
        check(
            "whole schedule", result["epochs_run"] == whole > 0, f"{result['epochs_run']}/{whole}"
        )
    return checks


def read_plan(path: str) -> dict:
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    plan = document.get("plan", document) if isinstance(document, dict) else None
    if not isinstance(plan, dict) or "sparsity" not in plan or "quantization" not in plan:
        raise ProofError(f"{path}: no plan with 'sparsity' and 'quantization'")
    return plan


def read_recipe(path: str | None, plan: dict) -> str | None:
    if path is not None and path != "null":
        text = Path(path).read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.split("#")[0].strip()]
        if lines and [line.strip() for line in lines] != ["null"]:
            return text
    if plan["sparsity"] is not None or plan["quantization"] is not None:
        raise ProofError("the plan wants a change, but there is no recipe")
    return None


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default=None, help="recipe file, or null")
    parser.add_argument("--mode", required=True, choices=["one-shot", "training-aware"])
    parser.add_argument("--plan", required=True, help="plan as JSON")
    parser.add_argument("--out", required=True, help="result as JSON")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args(argv)
    out = Path(args.out).resolve()
    home = os.getcwd()
    try:
        plan = read_plan(args.plan)
        recipe = read_recipe(args.recipe, plan)
        with tempfile.TemporaryDirectory(prefix="sparseml-proof-") as scratch:
            os.chdir(scratch)  # the engine writes sparse_logs/ where it runs
            try:
                result = run(recipe, args.mode, args.seed)
            finally:
                os.chdir(home)
        result["plan_sparsity"] = plan["sparsity"]
        result["plan_quantization"] = plan["quantization"]
        result["checks"] = compare(result, plan)
        result["ok"] = all(c["ok"] for c in result["checks"])
        out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    except Exception as error:  # one line, whatever the engine raised
        text = " ".join(str(error).split())[:300] or type(error).__name__
        name = "" if isinstance(error, ProofError) else f"{type(error).__name__}: "
        print(f"proof failed: {name}{text}", file=sys.stderr)
        return 1
    failed = [f"{c['name']} ({c['detail']})" for c in result["checks"] if not c["ok"]]
    if failed:
        print(f"proof failed: {'; '.join(failed)}", file=sys.stderr)
        return 1
    if not args.quiet:
        print(
            f"sparseml {args.mode}: layers {result['pruned_sparsity']:.4f} pruned, "
            f"model {result['overall_sparsity']:.4f}, {result['quantized_modules']} FakeQuantize, "
            f"{result['epochs_run']} epochs, {result['seconds']} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
