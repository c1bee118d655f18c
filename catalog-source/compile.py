"""Compile the embedded catalog: `python catalog-source/compile.py`.

Reads the two source files beside this script and writes `zooselect/data/`:
`architectures.json` (known dense sizes), and `catalog/` with one file of records a task
and an `index.json` of date, digest and counts. The same input gives the same bytes.
Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCE_MODELS = HERE / "sparsezoo-catalog.json"
SOURCE_SIZES = HERE / "architecture-sizes.json"
DATA = HERE.parent / "zooselect" / "data"


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, sort_keys=False)


def lines(values: list[Any]) -> str:
    """A JSON list with one value a line, so that a change shows as the lines it changes."""
    return "[\n" + ",\n".join(compact(value) for value in values) + "\n]\n"


def place(model: dict[str, Any]) -> tuple[str, str]:
    return model["domain"], model["sub_domain"]


def compiled_files() -> dict[str, str]:
    """Return the content of every embedded file, by its name below `zooselect/data/`."""
    source = json.loads(SOURCE_MODELS.read_text("utf-8"))
    models = sorted(source["models"], key=lambda model: model["stub"])
    files: dict[str, str] = {}
    shards = []
    for domain, sub_domain in sorted({place(model) for model in models}):
        name = f"{domain}-{sub_domain}.json"
        shard = [model for model in models if place(model) == (domain, sub_domain)]
        files[f"catalog/{name}"] = lines(shard)
        shards.append(
            {"domain": domain, "sub_domain": sub_domain, "file": name, "models": len(shard)}
        )
    content = json.dumps(
        {"compiled": source["compiled"], "models": models}, sort_keys=True, separators=(",", ":")
    )
    index = {
        "schema": source["schema"],
        "compiled": source["compiled"],
        "digest": "sha256:" + hashlib.sha256(content.encode()).hexdigest(),
        "models": len(models),
        "confidence": dict(sorted(Counter(one["confidence"] for one in models).items())),
        "optimization": dict(sorted(Counter(one["optimization"] for one in models).items())),
        "shards": shards,
    }
    files["catalog/index.json"] = json.dumps(index, indent=1) + "\n"
    sizes = json.loads(SOURCE_SIZES.read_text("utf-8"))
    known = sorted(
        (
            (
                row["architecture"],
                row.get("sub_architecture"),
                row["parameters_millions"],
                row["parameters_basis"],
            )
            for row in sizes["architectures"]
            if isinstance(row["parameters_millions"], (int, float))
        ),
        key=lambda row: (row[0], row[1] or ""),
    )
    files["architectures.json"] = (
        '{"schema":1,"compiled":' + json.dumps(sizes["compiled"])
        + ',"unit":"millions of parameters","architectures":' + lines(known).rstrip() + "}\n"
    )  # fmt: skip
    return files


def main() -> None:
    for name, content in compiled_files().items():
        path = DATA / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="\n")
        print(f"{path.relative_to(HERE.parent)}: {len(content)} bytes")


if __name__ == "__main__":
    main()
