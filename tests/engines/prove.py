"""Run the emitted recipes in the real engines and compare plan with measurement.

    python prove.py            both engines, all six levels: `make test-engines`

Each engine lives in an environment of its own, made once from its requirements file beside
this script; an engine whose Python is missing is skipped, saying so. The recipes come from
the command line, as a user gets them. Prints the table of the README; exit code 1 when a
check did not hold.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
LEVELS = ("0.0", "0.1", "0.3", "0.5", "0.77", "1.0")
#: Engine: Python, task, modes, further arguments of its proof.
ENGINES = {
    "sparseml": ("python3.10", "image-classification", ("one-shot", "training-aware")),
    "llm-compressor": ("python3.11", "text-generation", ("one-shot",)),
}


def working(python: str) -> str | None:
    """Return a Python of a version that really starts; pyenv's shims may not."""
    candidates = [python]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], check=True, capture_output=True, text=True)
        version = python.removeprefix("python")
        versions = Path(root.stdout.strip(), "versions").glob(f"{version}.*/bin/{python}")
        candidates += sorted(map(str, versions))
    for candidate in candidates:
        if shutil.which(candidate):
            started = subprocess.run([candidate, "-c", ""], check=False, capture_output=True)
            if started.returncode == 0:
                return candidate
    return None


def environment(engine: str, python: str) -> Path | None:
    """Return the Python of an engine's environment, made if need be; None where it cannot be."""
    folder = REPOSITORY / f".venv-{engine}"
    requirements = HERE / f"requirements-{engine}.txt"
    ours = folder / "bin" / "python"
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return ours
    found = working(python)
    if found is None:
        return None
    print(f"making the environment of {engine}: some GB, some minutes", file=sys.stderr)
    subprocess.run([found, "-m", "venv", "--clear", str(folder)], check=True)
    subprocess.run(
        [str(ours), "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "-r", str(requirements)],
        check=True,
    )  # fmt: skip
    stamp.write_text(requirements.read_text())
    return ours


def prove(
    engine: str, python: Path, task: str, mode: str, level: str, *more: str
) -> dict[str, Any]:
    """Resolve a level as a user does, apply the recipe in the engine, return what was measured."""
    script = HERE / f"{engine.replace('-', '')}_proof.py"
    with tempfile.TemporaryDirectory() as folder:
        recipe, plan, result = (Path(folder) / name for name in ("recipe", "plan", "result"))
        asked = subprocess.run(
            [sys.executable, "-m", "zooselect", "resolve", task, "--mode", mode, "-l", level,
             "--recipe-format", engine, "--recipe-out", str(recipe), "--json", "-q", *more],
            cwd=REPOSITORY, check=True, capture_output=True, text=True,
        )  # fmt: skip
        plan.write_text(asked.stdout)
        subprocess.run(
            [str(python), str(script), "--mode", mode, "--plan", str(plan), "--out", str(result),
             "--recipe", str(recipe) if recipe.exists() else "null", "--quiet"],
            env={**os.environ, "NM_DISABLE_ANALYTICS": "True", "HF_HUB_OFFLINE": "1"}, check=False,
        )  # fmt: skip
        if not result.exists():
            return {"ok": False, "checks": [{"name": "ran", "ok": False, "detail": "no result"}]}
        return json.loads(result.read_text())


def row(engine: str, mode: str, level: str, result: dict[str, Any]) -> str:
    """One line of the table: plan against measurement."""
    body = [one["sparsity"] for one in result.get("layers", ()) if one["role"] == "body"]
    plan = result.get("plan_sparsity")
    cells = (
        engine,
        mode,
        level,
        "none" if plan is None else f"{plan:.4f}",
        f"{min(body):.4f} to {max(body):.4f}" if body else "-",
        str(result.get("quantized_modules", result.get("quantized_weights", "-"))),
        str(result.get("epochs_run") or "-"),
        "all held" if result["ok"] else "FAILED",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    print("| engine | mode | level | planned | measured in the layers | INT8 | epochs | checks |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    failed = 0
    for engine, (wanted, task, modes) in ENGINES.items():
        python = environment(engine, wanted)
        if python is None:
            print(f"skipped {engine}: {wanted} is not on this machine", file=sys.stderr)
            continue
        names: list[str] = []
        for mode in modes:
            for level in LEVELS:
                result = prove(engine, python, task, mode, level)
                print(row(engine, mode, level, result), flush=True)
                failed += told(result)
                names = [one["name"] for one in result.get("layers", ()) if one["role"] == "body"]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as layers:
            layers.write("\n".join(names))
            layers.flush()
            for mode in modes:
                result = prove(engine, python, task, mode, "0.5", "--layers", layers.name)
                print(row(engine, f"{mode}, named layers", "0.5", result), flush=True)
                failed += told(result)
    print(f"{failed} checks did not hold", file=sys.stderr)
    return bool(failed)


def told(result: dict[str, Any]) -> int:
    """Name the checks that did not hold, and count them."""
    broken = [check for check in result["checks"] if not check["ok"]]
    for check in broken:
        print(f"  {check['name']}: {check['detail']}", file=sys.stderr, flush=True)
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
