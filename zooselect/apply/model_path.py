"""Where the MODEL argument becomes a file."""

from __future__ import annotations

import os
from pathlib import Path

from zooselect.errors import LocalFileError, StubError, UsageError
from zooselect.plan.input_model import onnx_in_folder
from zooselect.stub import Stub

_HINT = "give an ONNX file or a model folder"


def model_path(model: str | os.PathLike[str]) -> Path:
    """Return the ONNX file a MODEL argument names: a file, or a model folder's network.

    What exists as a path is never taken for a stub.

    Raises:
        UsageError: a stub, whose files are not here, or a folder without a network.
        LocalFileError: no such file.
    """
    text = os.fspath(model)
    if os.path.isdir(text):
        inside = onnx_in_folder(text)
        if inside is None:
            raise UsageError(
                f"the folder {text} has neither model.onnx nor deployment/model.onnx",
                hint="give the ONNX file itself",
            )
        text = inside
    if os.path.isfile(text):
        return Path(text)
    if os.path.exists(text):
        raise LocalFileError(f"{text} is no regular file", hint=_HINT)
    if _is_stub(text):
        raise UsageError(
            f"{text} is a stub, and apply works on files",
            hint="download the model first, then give its model.onnx or folder",
        )
    raise LocalFileError(f"no such model: {text}", hint=_HINT)


def _is_stub(text: str) -> bool:
    try:
        Stub.parse(text)
    except StubError:
        return False
    return True
