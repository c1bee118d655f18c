"""Names the old protocol needs and a mirror does not keep: v2 names and flat file names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zooselect.mirror.store import MirrorFile, MirrorModel
from zooselect.stub import PREFIX, Stub

_OUTPUTS = "sample-outputs.tar.gz"
_OUTPUTS_BY_ENGINE = {"sample-outputs_deepsparse.tar.gz", "sample-outputs_onnxruntime.tar.gz"}
#: Characters with a meaning in URLs, which clients of 1.5 paste file names into.
_NOT_IN_URLS = set("#%?")

#: Folder under which old clients cache a model: `<cache>/<namespace>/<v2 name>`.
NAMESPACE = "neuralmagic"


def repo_names(models: Iterable[MirrorModel]) -> dict[str, str]:
    """Return each model's v2 name without `zoo:`, by stub; no two models get the same.

    Names on record come first; others are made up of the v1 name's parts, in the form
    the old client's v2 expression takes.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    waiting = []
    for model in models:
        known = [Stub.parse(name) for name in model.names]
        v2 = next((stub.path for stub in known if stub.version == 2), None)
        if v2 is None or v2 in taken:
            waiting.append(model)
        else:
            names[model.record.stub] = v2
            taken.add(v2)
    for model in waiting:
        name = made_up = _made_up(Stub.parse(model.record.stub))
        for number in range(2, 10_000):
            if name not in taken:
                break
            name = f"{made_up}.{number}"
        names[model.record.stub] = name
        taken.add(name)
    return names


def _made_up(stub: Stub) -> str:
    """A v2 name in the manner of the recorded pairs: `_quant-none` is `_quantized` there."""
    tag = stub.sparse_tag.replace("_quant-none", "_quantized").removesuffix("-none")
    tag = tag.replace("-none-vnni", ".4block").replace("-vnni", ".4block").replace("-", "_")
    parts = [stub.architecture, stub.sub_architecture, stub.source_dataset, stub.training_scheme]
    return "-".join([*(part for part in parts if part), tag])


def listable(files: Iterable[MirrorFile]) -> list[MirrorFile]:
    """Return the files that no old client stumbles over when they are listed.

    A name without an extension at the top level is taken for a folder. Sample outputs are
    either the plain ones or those of both engines: of another mixture some clients make
    nothing of the whole model.
    """
    kept = [file for file in files if "/" in file.name or "." in file.name[1:]]
    outputs = {file.name for file in kept if file.type == "outputs"}
    good = outputs if outputs == _OUTPUTS_BY_ENGINE else {_OUTPUTS}
    return [file for file in kept if file.type != "outputs" or file.name in good]


def flat_names(files: Iterable[MirrorFile]) -> Mapping[str, str]:
    """Return the flat name, as clients before 1.6 know it, of each file that has one.

    Deployment files are built by those clients from the training files, a name without an
    extension would be taken for a folder, and one with a character that means something in
    a URL cannot be fetched: none of these is listed.
    """
    flat: dict[str, str] = {}
    for file in files:
        folder, _, name = file.name.rpartition("/")
        if file.type == "deployment" or (folder and folder != "training"):
            continue
        if "." not in name[1:] or _NOT_IN_URLS & set(name):
            continue
        if file.type == "recipe":
            # Those clients put `recipe_` before the name themselves.
            name = name.removeprefix("recipe_")
            name = "original.md" if name == "recipe.md" else name
        if name not in flat.values():
            flat[file.name] = name
    return flat


def url_path(model: MirrorModel, name: str) -> str:
    """Return the path old clients fetch a file from; clients of 1.5 build it themselves."""
    return f"/v2/models/{model.model_id}/files/{name}"


def canonical(name: str) -> str:
    """A v2 name as a stub."""
    return PREFIX + name
