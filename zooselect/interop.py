"""Handing models to the real `sparsezoo`, for code that still wants its `Model`.

With the extra `[sparsezoo]`, on Python 3.10 and 3.11: sparsezoo 1.8.1 needs an onnx that has
no wheels for newer ones, and its 1.9.0 is an empty package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zooselect.downloads.model import download
from zooselect.errors import LocalFileError, UsageError
from zooselect.source import CatalogLike

if TYPE_CHECKING:
    from zooselect.selection.selection import Selection
    from zooselect.stub import Stub

_NEWEST = (3, 11)


def sparsezoo_model(
    what: Selection | Stub | str | Path,
    *,
    only: str | Sequence[str] = (),
    catalog: CatalogLike = None,
) -> Any:
    """Return a `sparsezoo.Model` of a folder on this machine; it asks no server.

    Args:
        what: a selection or a stub, which is downloaded if need be; or, as a `Path`, the
            folder of a model that was.
        only: as in `download`.
        catalog: as in `download`.

    Raises:
        UsageError: sparsezoo does not run on this Python, or is not installed.
        LocalFileError: the path is no folder.
        ZooSelectError: as `download`.
    """
    model = _model_class()
    if isinstance(what, Path):
        if not what.is_dir():
            raise LocalFileError(
                f"{what} is no folder of a model", hint="`zooselect download` prints one"
            )
        folder = what
    else:
        folder = download(what, only=only, catalog=catalog)
    # A relative path that looks like a stub would be taken for one.
    return model(str(folder.resolve()))


def _model_class() -> Callable[[str], Any]:
    if sys.version_info[:2] > _NEWEST:
        raise UsageError(
            "sparsezoo does not run on Python 3.12 or newer: it needs onnx < 1.15,"
            " which has no wheels there",
            hint="use Python 3.10 or 3.11, or open the folder that `download` returns yourself",
        )
    # Importing sparsezoo asks an address service where it runs, unless this is set.
    os.environ.setdefault("NM_DISABLE_ANALYTICS", "1")
    try:
        model: Callable[[str], Any] = import_module("sparsezoo").Model
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"sparsezoo cannot be used: {error}", hint="pip install 'zooselect[sparsezoo]'"
        ) from error
    return model
