"""What a v2 name means by its parts, where no catalog links it to the model's v1 name."""

from __future__ import annotations

from collections.abc import Iterable

from zooselect.errors import StubError
from zooselect.record import downstream_dataset
from zooselect.stub import PREFIX, Stub

#: How a v2 tag says what a v1 tag says: `pruned80.4block_quantized`, `pruned80_quant-none-vnni`.
_SPELT = {"quantized": "quant", "4block": "vnni"}


def v1_names(text: str, names: Iterable[str]) -> list[str]:
    """Return the v1 names of the very model that a v2 stub names; none for any other text.

    The network, the data set and the tag must be the same, each as its grammar spells it.
    What a v2 name does not state (task, framework, repository) may be any.

    Args:
        text: a stub, with or without `zoo:`.
        names: those on record, with or without `zoo:`.
    """
    if "/" in text:
        return []
    try:
        wanted = Stub.parse(text)
    except StubError:
        return []
    # Parsing is dear: of many names only those are taken apart that hold the network's.
    alike = (name for name in names if "/" in name and wanted.architecture in name)
    return sorted(
        PREFIX + name.removeprefix(PREFIX)
        for name in alike
        if _meaning(Stub.parse(name)) == _meaning(wanted)
    )


def _meaning(stub: Stub) -> tuple[object, ...]:
    words = stub.sparse_tag.replace(".", "_").replace("-", "_").split("_")
    return (
        stub.architecture,
        None if stub.sub_architecture == "none" else stub.sub_architecture,
        downstream_dataset(stub.source_dataset),
        stub.training_scheme or stub.training_dataset,
        sorted(_SPELT.get(word, word) for word in words if word != "none"),
    )
