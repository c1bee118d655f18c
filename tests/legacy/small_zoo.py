"""Make the small members of the sample zoo in a folder: `python small_zoo.py FOLDER`.

In a process of its own, since the scripts in `fixtures/` import each other by bare names.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

import sample_zoo

SIZE = "small"


def main(folder: Path) -> None:
    entries = []
    for task in sample_zoo.tasks():
        dense = task.sizes[SIZE]().fitted(task.train)
        sparse = dense.pruned(sample_zoo.SPARSITY_PERCENT / 100).fitted(task.train)
        for member in sample_zoo.MEMBERS:
            network = sparse if member.pruned else dense
            # The pruned members get a second recipe, so that `?recipe=` has a choice.
            entry, files = sample_zoo.make_model(task, SIZE, member, network, member.pruned)
            entries.append(entry)
            for name, content in files.items():
                path = folder / entry["folder"] / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    (folder / "models.json").write_text(json.dumps(entries))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
