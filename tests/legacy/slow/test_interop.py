"""The extra `[sparsezoo]`, installed as its users install it, and a folder in the real `Model`."""

import json
import os
import subprocess
import sys

import pytest

from tests.engines.prove import working
from tests.legacy.conftest import NET
from tests.legacy.environments import HERE, REPOSITORY

#: Beside the extra, the versions that are known to work; newer ones come without warning.
PINS = HERE / "requirements-sparsezoo-1.8.1.txt"

PROGRAM = """
import json, sys
import zooselect
from zooselect.interop import sparsezoo_model
folder = zooselect.download(sys.argv[1], catalog=sys.argv[2], only="all")

def refuse(event, arguments):
    assert event not in ("socket.connect", "socket.getaddrinfo"), arguments

sys.addaudithook(refuse)
selection = zooselect.resolve("ic", 1.0, catalog=sys.argv[2], dataset="imagenette")
found = [sparsezoo_model(one, catalog=sys.argv[2], only="all")
         for one in (sys.argv[1], folder, selection)]
print(json.dumps([
    [model.onnx_model.path, model.deployment.path, model.recipes.default.path,
     model.sample_inputs.name] for model in found
]))
"""


@pytest.mark.parametrize("python", ["python3.10", "python3.11"])
def test_a_model_in_the_real_sparsezoo(python, zoo, tmp_path):
    found = working(python)
    if found is None:
        pytest.skip(f"{python} is not on this machine")
    folder = REPOSITORY / f".venv-interop-{python}"
    ours, stamp = folder / "bin" / "python", folder / ".installed"
    if not stamp.exists():
        subprocess.run([found, "-m", "venv", "--clear", folder], check=True)
        install = [ours, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        pinned = [*install, "-c", PINS, "--editable", f"{REPOSITORY}[sparsezoo]"]
        subprocess.run(pinned, check=True, capture_output=True)
        stamp.touch()
    stub = NET + "pruned80_quant-none"
    environ = {**os.environ, "ZOOSELECT_CACHE_DIR": str(tmp_path), "ZOOSELECT_OFFLINE": "1"}
    done = subprocess.run(
        [ours, "-c", PROGRAM, stub, str(zoo.root)],
        env=environ, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    by_stub, by_folder, by_selection = json.loads(done.stdout.splitlines()[-1])
    assert by_stub == by_folder
    onnx, deployment, recipe, inputs = by_stub
    assert onnx.startswith(str(tmp_path))
    assert onnx.endswith("pruned80_quant-none/model.onnx")
    assert deployment.endswith("/deployment")
    assert recipe.endswith("/recipe.md")
    assert inputs == "sample-inputs"  # it unpacks what it reads
    assert by_selection[0].startswith(str(tmp_path))


def test_it_runs_here_or_says_why(tmp_path):
    from zooselect import UsageError
    from zooselect.interop import sparsezoo_model

    if sys.version_info[:2] <= (3, 11):
        pytest.skip("this Python is one that sparsezoo runs on")
    with pytest.raises(UsageError, match="onnx"):
        sparsezoo_model(tmp_path)
