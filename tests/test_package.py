"""The package as a whole: what importing it costs, what it exports, how it is layered."""

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import zooselect

ROOT = Path(zooselect.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

#: What each part may import of the others.
LAYERS = {
    "errors": set(),
    "files": {"errors"},
    "settings": {"errors"},
    "stub": {"errors"},
    "level": {"errors"},
    "task": {"errors"},
    "record": {"errors"},
    "plan": {"onnx_graph", "catalog", "level", "task", "record", "stub", "errors", "__init__"},
    "namesake": {"record", "stub", "errors"},
    "names": set(),
    "onnx_graph": set(),
    "archive": {"names"},
    "net": {"errors", "__init__"},
    "object_store": {"errors"},
    "catalog": {
        "net", "cache", "object_store", "namesake", "record", "stub", "task", "errors",
    },
    "selection": {"plan", "catalog", "level", "task", "record", "stub", "errors"},
    "cache": {"errors"},
    "mirror": {
        "catalog", "object_store", "archive", "names", "onnx_graph", "task", "record", "stub",
        "files", "errors",
    },
    "source": {"catalog", "net", "cache", "settings", "errors"},
    "compare": {"selection", "catalog", "level", "task", "record", "errors"},
    "scan": {"namesake", "record", "stub", "errors"},
    "apply": {"plan", "onnx_graph", "level", "stub", "errors", "__init__"},
    "api": {
        "source", "selection", "plan", "catalog", "level", "task", "record", "stub", "errors",
    },
    "downloads": {
        "source", "cache", "catalog", "mirror", "net", "selection", "archive", "names", "files",
        "settings", "record", "stub", "errors",
    },
    "interop": {"downloads", "selection", "source", "stub", "errors"},
    "lock": {
        "downloads", "selection", "catalog", "cache", "settings", "level", "task", "stub", "names",
        "files", "errors",
    },
    "report": {
        "api", "selection", "catalog", "level", "task", "record", "errors", "__init__",
    },
    "serve": {
        "report", "mirror", "object_store", "selection", "catalog", "record", "stub", "errors",
    },
    "cli": {
        "api", "apply", "source", "cache", "downloads", "lock", "report", "compare", "scan",
        "serve", "mirror", "selection", "plan", "catalog", "level", "task", "record", "stub",
        "settings", "files", "errors", "__init__",
    },
    "__main__": {"cli"},
    "__init__": {"api", "source", "downloads", "selection", "catalog", "record", "stub", "errors"},
}  # fmt: skip

WATCHED = """
import json, sys
events = []
before = set(sys.modules)
sys.addaudithook(lambda name, args: events.append((name, str(args[0]) if args else "")))
{statement}
seen = list(events)
print(json.dumps([seen, sorted(set(sys.modules) - before)]))
"""


def watched(statement):
    """The audit events a statement raises in a fresh interpreter, and what it imports."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED.format(statement=statement)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_does_nothing_else():
    events, modules = watched("import zooselect")
    names = {name for name, _ in events}
    assert not [name for name in names if name.startswith(("socket.", "subprocess.", "urllib."))]
    opened = [path for name, path in events if name == "open"]
    assert [path for path in opened if not path.endswith((".py", ".pyc"))] == []
    assert [name for name in modules if name.startswith("zooselect")] == ["zooselect"]
    assert not {"requests", "click", "json", "typing", "dataclasses", "socket"} & set(modules)


@pytest.mark.parametrize(
    "statement",
    [
        "import zooselect; zooselect.resolve('ic')",
        "from zooselect.cli.main import run; run(['resolve', 'ic'])",
    ],
)
def test_an_answer_opens_no_socket(statement):
    events, modules = watched(statement)
    assert [name for name, _ in events if name.startswith("socket.")] == []
    heavy = {"requests", "urllib3", "http.client", "ssl", "asyncio", "rich", "numpy"}
    assert not heavy & set(modules)


def test_public_names():
    names = zooselect.__all__
    assert names == sorted(names)
    assert len(names) == len(set(names))
    assert 12 <= len(names) <= 20
    for name in names:
        assert getattr(zooselect, name).__name__ == name
        assert getattr(zooselect, name).__module__.startswith("zooselect.")
    assert set(names) <= set(dir(zooselect))
    assert {"resolve", "levels", "search", "Stub", "Catalog", "Selection"} <= set(names)


def test_star_import_brings_the_public_names():
    space = {}
    exec("from zooselect import *", space)
    assert set(space) - {"__builtins__"} == set(zooselect.__all__)


def test_type_checkers_see_the_same_names():
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    branch = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.name: getattr(import_module(node.module), alias.name)
        for node in branch.body
        for alias in node.names
    }
    assert told == {name: getattr(zooselect, name) for name in zooselect.__all__}


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        zooselect.nothing  # noqa: B018
    assert not hasattr(zooselect, "_nothing")


def test_typed():
    assert (ROOT / "py.typed").is_file()


def _part(path):
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def _imported(path):
    """The parts of the package that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module, names = node.module, [alias.name for alias in node.names]
            if module == "zooselect":
                for name in names:
                    yield name if name in LAYERS else "__init__"
            elif module.startswith("zooselect."):
                yield module.split(".")[1]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "zooselect":
                    yield [*alias.name.split("."), "__init__"][1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_flow_one_way(path):
    part = _part(path)
    assert part in LAYERS, f"say in LAYERS what {part} may import"
    assert set(_imported(path)) - {part} <= LAYERS[part]


def test_the_layers_have_an_order():
    done = set()
    waiting = {part: allowed - {"__init__"} for part, allowed in LAYERS.items()}
    while waiting:
        ready = {part for part, allowed in waiting.items() if allowed <= done}
        assert ready, f"a cycle among {sorted(waiting)}"
        done |= ready
        waiting = {part: allowed for part, allowed in waiting.items() if part not in ready}


def test_the_parser_of_imports_sees_them():
    assert {"errors", "level", "task", "catalog", "selection"} <= set(_imported(ROOT / "api.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path):
    assert len(path.read_text("utf-8").splitlines()) <= 350
