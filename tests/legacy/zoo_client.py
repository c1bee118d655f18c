"""Use sparsezoo as old scripts do: `python zoo_client.py '[["model", {"stub": "zoo:..."}]]'`.

Runs in an environment of sparsezoo 1.1 to 1.8, on Python 3.8 and later, and imports nothing
but that and the standard library. Prints one JSON list, an outcome a call, as its last line.
"""

import json
import sys

from sparsezoo import Model, search_models


def search(**arguments):
    found = search_models(**arguments)
    return [one if isinstance(one, str) else facts(one) for one in found]


def model(stub):
    return facts(Model(stub))


def download(stub, folder):
    return Model(stub, download_path=folder).download()


def path(stub):
    """Where the model is in the cache; asking for it fetches all of it."""
    return str(Model(stub).path)


def paths(stub, *, deployment=True):
    """What scripts mostly ask for; each is fetched by asking."""
    found = Model(stub)
    fetched = {"onnx": found.onnx_model.path}
    if deployment:
        fetched["deployment"] = found.deployment.path
    if found.recipes.available:
        fetched["recipe"] = found.recipes.default.path
    return fetched


def facts(found):
    results = getattr(found, "validation_results", None) or {}
    return {
        "source": found.source,
        "folder": str(found._path),
        "recipes": found.recipes.available,
        "recipe": found.recipes.default.name if found.recipes.available else None,
        "compressed_size": getattr(found, "compressed_size", None),
        "results": {
            kind: [json.loads(row.json()) for row in rows] for kind, rows in results.items()
        },
    }


CALLS = {one.__name__: one for one in (search, model, download, path, paths)}


def outcome(name, arguments):
    try:
        return CALLS[name](**arguments)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    outcomes = [outcome(*call) for call in json.loads(sys.argv[1])]
    print(json.dumps(outcomes))
