"""Load recipes with sparseml as old scripts do: `python sparseml_client.py STUB...`.

Runs in the environment of sparseml 1.8.0. Prints one JSON list, an outcome a stub, as its
last line.
"""

import json
import sys

from sparseml.optim import load_recipe_yaml_str
from sparseml.pytorch.optim import ScheduledModifierManager


def load(stub):
    manager = ScheduledModifierManager.from_yaml(stub)
    return {
        "modifiers": sorted(type(one).__name__ for one in manager.iter_modifiers()),
        "epochs": manager.max_epochs,
        "text": load_recipe_yaml_str(stub),
    }


if __name__ == "__main__":
    outcomes = [load(stub) for stub in sys.argv[1:]]
    print(json.dumps(outcomes))
