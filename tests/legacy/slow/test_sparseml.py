"""sparseml 1.8.0, unmodified, loads recipes from stubs."""

import json
from pathlib import Path

import pytest

from tests.legacy.conftest import NET

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

CLIENT = Path(__file__).with_name("sparseml_client.py")
V1 = NET + "pruned80_quant-none"
V2 = "zoo:samplenet-small-imagenette-pruned80_quantized"


def test_recipes_from_stubs(python_of, server, old, zoo):
    python = python_of("sparseml", "python3.10")
    stubs = (V1, V2, f"{V2}?recipe=transfer", f"{V1}?recipe_type=transfer")
    out = old(server.url, [python, CLIENT, *stubs], timeout=300)
    plain, same, transfer, other = json.loads(out.splitlines()[-1])
    assert plain == same
    assert transfer == other
    for recipe, name in ((plain, "recipe.md"), (transfer, "recipe_transfer-classification.md")):
        front = zoo.file(V1, name).read_text().split("---")[1]
        assert recipe["text"].strip() == front.strip()
        assert recipe["epochs"] > 0
    assert "MagnitudePruningModifier" in plain["modifiers"]
    assert "ConstantPruningModifier" in transfer["modifiers"]
    assert "QuantizationModifier" in plain["modifiers"]
