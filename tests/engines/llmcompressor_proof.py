"""Apply a recipe with the real LLM Compressor to a tiny transformer, and measure.

Runs inside the environment of requirements-llm-compressor.txt and imports nothing of zooselect:

    python llmcompressor_proof.py --plan PLAN.json --out RESULT.json [--recipe RECIPE.yaml|null]
                                  [--model llama|opt|gpt-neox] [--seed N] [--quiet]

The model is built from its configuration and the tokenizer in memory; nothing is downloaded.
PLAN.json is a plan (`sparsity`, `quantization`, ...) or a document with one under "plan".
`--recipe null` (or none) means that there is nothing to apply, as at level 0.0; the
measurement still runs.

RESULT.json is flat: what was run, one row per Linear, totals, and `checks`, each a comparison
of the measurement with the plan. Exit code 0: every check held. 1: a check did not hold, or
the engine refused the recipe; one line on stderr says which. 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import io
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

os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    LLM_COMPRESSOR_LOG_LEVEL="CRITICAL",  # LOG_DISABLED breaks the pruners: no METRIC level
    TOKENIZERS_PARALLELISM="false",
)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

HEAD = "lm_head"
VOCABULARY = 96
SAMPLES = 16
LENGTH = 32
BLOCK = 128  # columns that SparseGPT prunes at a time, by default
MARGIN = 1e-6


class ProofError(Exception):
    """The proof could not be run or did not hold; the message is one line."""


# --- the model and its data --------------------------------------------------------------


def build_model(kind: str):
    """Two layers, hidden size 64, the output head not tied to the embedding."""
    import transformers

    common = {
        "vocab_size": VOCABULARY,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "tie_word_embeddings": False,
        "pad_token_id": 1,
        "bos_token_id": 2,
        "eos_token_id": 3,
    }
    if kind == "llama":
        config = transformers.LlamaConfig(**common, num_key_value_heads=2, intermediate_size=128)
        return transformers.LlamaForCausalLM(config)
    if kind == "opt":
        config = transformers.OPTConfig(**common, ffn_dim=128, word_embed_proj_dim=64)
        return transformers.OPTForCausalLM(config)
    config = transformers.GPTNeoXConfig(**common, intermediate_size=128)
    return transformers.GPTNeoXForCausalLM(config)


def build_tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<pad>", "<s>", "</s>"]
    words = special + [f"w{i}" for i in range(VOCABULARY - len(special))]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
    )


def build_dataset(seed: int):
    from datasets import Dataset

    generator = random.Random(seed)
    rows = [[generator.randrange(4, VOCABULARY) for _ in range(LENGTH)] for _ in range(SAMPLES)]
    return Dataset.from_dict({"input_ids": rows, "attention_mask": [[1] * LENGTH] * SAMPLES})


# --- measuring ---------------------------------------------------------------------------


def linears(model):
    from torch import nn

    return [(n, m) for n, m in model.named_modules() if isinstance(m, nn.Linear)]


def count_zeros(tensor) -> int:
    return int((tensor.detach() == 0).sum())


def integer_weight(weight, scale):
    """What symmetric INT8 stores for this weight."""
    import torch

    return torch.clamp(torch.round(weight.float() / scale.float()), -128, 127)


def measure(model, original) -> dict:
    """Rows and totals. `original` is {name: weight} from just before the engine ran."""
    import torch

    rows = []
    for name, module in linears(model):
        weight = module.weight.detach()
        scheme = getattr(module, "quantization_scheme", None)
        scale = getattr(module, "weight_scale", None)
        weights = getattr(scheme, "weights", None)
        inputs = getattr(scheme, "input_activations", None)
        quantized = scheme is not None and scale is not None
        rows.append(
            {
                "name": name,
                "kind": "linear",
                "role": "head" if name == HEAD else "body",
                "numel": weight.numel(),
                "columns": weight.shape[1],
                "zeros": count_zeros(weight),
                "sparsity": count_zeros(weight) / weight.numel(),
                "unchanged": bool(torch.equal(weight, original[name])),
                "quantized": quantized,
                "weight_bits": getattr(weights, "num_bits", None),
                "activation_bits": getattr(inputs, "num_bits", None),
                "activations_dynamic": bool(inputs.dynamic) if inputs is not None else None,
                "quantized_sparsity": (
                    count_zeros(integer_weight(weight, scale)) / weight.numel()
                    if quantized
                    else None
                ),
                "nan": bool(torch.isnan(weight).any()),
            }
        )
    pruned = [r for r in rows if r["zeros"]]
    body = [r for r in rows if r["role"] == "body"]
    return {
        "layers": rows,
        "overall_sparsity": sum(r["zeros"] for r in rows) / sum(r["numel"] for r in rows),
        "body_sparsity": sum(r["zeros"] for r in body) / sum(r["numel"] for r in body),
        "pruned_layers": len(pruned),
        "quantized_modules": sum(
            getattr(m, "quantization_scheme", None) is not None for m in model.modules()
        ),
        "quantized_weights": sum(r["quantized"] for r in rows),
        "embedding_zeros": count_zeros(model.get_input_embeddings().weight),
        "nan": any(bool(torch.isnan(p).any()) for p in model.parameters()),
    }


# --- applying ----------------------------------------------------------------------------


def run(recipe: str | None, kind: str, seed: int, folder: str) -> dict:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # more only helps on an idle machine
    tokenizer = build_tokenizer()
    model = build_model(kind)
    # the engine looks the model's name up: give it a folder on this machine
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model.config._name_or_path = folder
    model.name_or_path = folder
    original = {n: m.weight.detach().clone() for n, m in linears(model)}
    embedding_zeros = count_zeros(model.get_input_embeddings().weight)
    sample = torch.tensor([build_dataset(seed)[0]["input_ids"]])
    version = "none"
    started = time.monotonic()
    if recipe is not None:
        import llmcompressor
        from llmcompressor import oneshot

        version = llmcompressor.__version__
        oneshot(
            model=model,
            recipe=recipe,
            dataset=build_dataset(seed),
            num_calibration_samples=SAMPLES,
            max_seq_length=LENGTH,
            processor=tokenizer,
        )
    result = {
        "engine": "llm-compressor",
        "engine_version": version,
        "torch_version": torch.__version__,
        "transformers_version": transformers.__version__,
        "mode": "one-shot",
        "model": kind,
        "recipe_applied": recipe is not None,
    }
    result.update(measure(model, original))
    result["embedding_zeros"] -= embedding_zeros
    with torch.no_grad():
        result["logits_finite"] = bool(torch.isfinite(model(sample).logits).all())
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
    head = next(r for r in result["layers"] if r["role"] == "head")
    if target is None:
        zeros = sum(r["zeros"] for r in result["layers"])
        check("nothing pruned", zeros == 0, f"{zeros} zeros")
    else:
        # SparseGPT zeroes int(n * target) + 1 weights of each block of columns
        wrong = [
            r
            for r in body
            if abs(r["sparsity"] - target) > math.ceil(r["columns"] / BLOCK) / r["numel"] + MARGIN
        ]
        worst = max(abs(r["sparsity"] - target) for r in body)
        names = ", ".join(f"{r['name']} {r['sparsity']:.4f}" for r in wrong)
        check("layers at target", not wrong, names or f"target {target:.6f}, worst {worst:.2e} off")
    check("head left dense", head["zeros"] == 0, f"{head['zeros']} zeros")
    check("head untouched", head["unchanged"], "same" if head["unchanged"] else "weights differ")
    check("head not quantized", not head["quantized"], str(head["quantized"]))
    zeros = result["embedding_zeros"]
    check("embedding left dense", zeros == 0, f"{zeros} new zeros")
    found = result["quantized_modules"]
    check(
        "quantized as planned",
        (found > 0) == wants_quantization,
        f"{found} modules with a scheme, plan says {'some' if wants_quantization else 'none'}",
    )
    if wants_quantization:
        left = [r["name"] for r in body if not r["quantized"]]
        check("body weights quantized", not left, ", ".join(left) or "all")
        bits = {(r["weight_bits"], r["activation_bits"]) for r in body}
        check("8 bits, weights and activations", bits == {(8, 8)}, str(sorted(bits, key=str)))
    check("no NaN", not result["nan"] and result["logits_finite"], str(result["nan"]))
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
    parser.add_argument("--mode", default="one-shot", choices=["one-shot"])
    parser.add_argument("--plan", required=True, help="plan as JSON")
    parser.add_argument("--out", required=True, help="result as JSON")
    parser.add_argument("--model", default="llama", choices=["llama", "opt", "gpt-neox"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args(argv)
    out = Path(args.out).resolve()
    home = os.getcwd()
    try:
        plan = read_plan(args.plan)
        recipe = read_recipe(args.recipe, plan)
        with tempfile.TemporaryDirectory(prefix="llmcompressor-proof-") as scratch:
            os.environ["HF_HOME"] = os.path.join(scratch, "hf")
            os.chdir(scratch)
            try:
                with contextlib.redirect_stderr(io.StringIO()):  # progress bars
                    result = run(recipe, args.model, args.seed, os.path.join(scratch, "model"))
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
            f"llm-compressor one-shot, {args.model}: layers {result['body_sparsity']:.4f} pruned, "
            f"all Linear {result['overall_sparsity']:.4f}, "
            f"{result['quantized_weights']} quantized, {result['seconds']} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
