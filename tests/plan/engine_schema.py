"""Checks a recipe against the fields of an engine's modifiers, without the engine.

The schemas in `tests/engines/` were read from the installed engines; they say from which
modules, which version and when.
"""

import json
import re
from pathlib import Path

import yaml

SCHEMAS = Path(__file__).resolve().parent.parent / "engines"
WORDS = {
    "float": (int, float),
    "int": int,
    "str": str,
    "bool": bool,
    "dict": dict,
    "null": type(None),
}


class _Loader(yaml.SafeLoader):
    """Reads `!Modifier` tags in block style, and refuses them in any other, as SparseML does."""


def _modifier(loader, suffix, node):
    assert isinstance(node, yaml.MappingNode)
    assert not node.flow_style, "SparseML refuses modifiers in flow style"
    return (suffix, loader.construct_mapping(node, deep=True))


_Loader.add_multi_constructor("!", _modifier)


def schema(engine):
    return json.loads((SCHEMAS / f"schema-{engine}.json").read_text())["modifiers"]


def sparseml_modifiers(text):
    """Return [(modifier, fields)] of a SparseML recipe, its variables put in."""
    document = yaml.load(text, _Loader)
    groups = {key: value for key, value in document.items() if "modifiers" in key}
    variables = {key: value for key, value in document.items() if key not in groups}
    assert all(isinstance(value, (str, int, float)) for value in variables.values())
    found = []
    for modifiers in groups.values():
        for name, fields in modifiers:
            found.append(
                (name, {key: _evaluated(value, variables) for key, value in fields.items()})
            )
    for name, fields in found:
        check(schema("sparseml"), name, fields)
    return found


def llm_compressor_modifiers(text):
    """Return [(modifier, fields)] of an llm-compressor recipe; only the layout that is run."""
    found = []
    for stage, groups in yaml.safe_load(text).items():
        assert stage.endswith("_stage"), "a stage of another name is silently not run"
        for group, modifiers in groups.items():
            assert group.endswith("_modifiers"), "a group of another name is silently not run"
            found.extend(modifiers.items())
    for name, fields in found:
        check(schema("llm-compressor"), name, fields)
    return found


def check(modifiers, name, fields):
    known = modifiers[name]["fields"]
    assert fields.keys() <= known.keys(), f"{name} has no {fields.keys() - known.keys()}"
    for field, rule in known.items():
        if field not in fields:
            assert not rule["required"], f"{name} needs {field}"
            continue
        value = fields[field]
        assert _is(value, rule["type"]), f"{name}.{field}: {value!r} is no {rule['type']}"
        limits = rule.get("range")
        if value in rule.get("choices", ()):
            continue
        assert limits or "choices" not in rule, f"{name}.{field}: {value!r}"
        if limits and value is not None and not isinstance(value, str):
            inside = limits.get("min", value) <= value <= limits.get("max", value)
            if limits.get("exclusive"):
                inside = limits["min"] < value < limits["max"]
            assert inside, f"{name}.{field}: {value!r} outside {limits}"


def _is(value, words):
    for word in words.split(" | "):
        if word.startswith("list"):
            if isinstance(value, list):
                return True
        elif isinstance(value, WORDS.get(word, dict)):
            return isinstance(value, bool) <= ("bool" in words)
    return False


def _evaluated(value, variables):
    match = re.fullmatch(r"eval\((.*)\)", value) if isinstance(value, str) else None
    if match is None:
        return value
    names = {
        name: _evaluated(variables[name], variables) for name in re.findall(r"[a-z_]\w+", match[1])
    }
    return eval(match[1], {"__builtins__": {}}, names)
