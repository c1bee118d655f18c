"""zooselect: which pruned and quantized model, for this task, at this optim level.

    >>> import zooselect
    >>> print(zooselect.resolve("question_answering", 0.5))
    zoo:nlp/question_answering/obert-base/pytorch/huggingface/squad/pruned90_quant-none

Importing the package does no I/O and opens no socket; each name below is imported when
it is first used.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [
    "Catalog",
    "Filters",
    "IntegrityError",
    "LocalFileError",
    "ModelRecord",
    "NetworkError",
    "NoCandidateError",
    "NotFoundError",
    "OfflineError",
    "Selection",
    "Stub",
    "StubError",
    "UsageError",
    "ZooSelectError",
    "download",
    "levels",
    "open_catalog",
    "resolve",
    "search",
]

# Type checkers take this branch; `typing` itself would double the time of the import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from zooselect.api import levels, resolve, search
    from zooselect.catalog.catalog import Catalog
    from zooselect.catalog.search import Filters
    from zooselect.downloads.model import download
    from zooselect.errors import (
        IntegrityError,
        LocalFileError,
        NetworkError,
        NoCandidateError,
        NotFoundError,
        OfflineError,
        StubError,
        UsageError,
        ZooSelectError,
    )
    from zooselect.record import ModelRecord
    from zooselect.selection.selection import Selection
    from zooselect.source import open_catalog
    from zooselect.stub import Stub

_HOME = {
    "Catalog": "zooselect.catalog.catalog",
    "Filters": "zooselect.catalog.search",
    "ModelRecord": "zooselect.record",
    "Selection": "zooselect.selection.selection",
    "Stub": "zooselect.stub",
    "download": "zooselect.downloads.model",
    "levels": "zooselect.api",
    "open_catalog": "zooselect.source",
    "resolve": "zooselect.api",
    "search": "zooselect.api",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME.get(name, "zooselect.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
