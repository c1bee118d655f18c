"""What a user may ask of `apply`, checked before any model is opened or fetched."""

from __future__ import annotations

import os
from typing import NamedTuple

from zooselect.apply.prune import SCOPES
from zooselect.errors import LocalFileError, UsageError
from zooselect.level import ONE_SHOT
from zooselect.plan.plan import plan_for

DEFAULT_SAMPLES = 64


class Options(NamedTuple):
    """The options of `apply`, by the names and with the meanings they have there."""

    optim_level: float
    output: str | os.PathLike[str] | None = None
    data: str | os.PathLike[str] | None = None
    synthetic_data: int = 0
    samples: int = DEFAULT_SAMPLES
    exclude: tuple[str, ...] = ()
    prune_ends: bool = False
    scope: str = "layer"
    force: bool = False
    dry_run: bool = False

    def check(self) -> None:
        """Refuse all that can be known to be wrong without the model.

        Raises:
            UsageError: an option is wrong, two do not go together, or a package is missing.
            LocalFileError: the output's folder is not there.
        """
        if self.scope not in SCOPES:
            raise UsageError(f"unknown scope {self.scope!r}", hint="scopes: " + ", ".join(SCOPES))
        if self.samples < 1 or self.synthetic_data < 0:
            raise UsageError(
                "the number of samples is not positive", hint="64 are enough for most models"
            )
        if self.data is not None and self.synthetic_data:
            raise UsageError("real and made-up samples were both asked for", hint="leave out one")
        folder = os.path.dirname(os.path.realpath(self.output or ""))
        if not os.path.isdir(folder):
            raise LocalFileError(f"no such folder: {folder}", hint="make it first")
        quantizes = plan_for(ONE_SHOT, "", self.optim_level).quantization is not None
        if quantizes and not (self.dry_run or self.synthetic_data or self.data is not None):
            raise UsageError(
                "INT8 needs samples of the model's input, to calibrate with",
                hint="--data FOLDER with .npz files; or --synthetic-data 16 for a first try",
            )
        _need_packages()


def _need_packages() -> None:
    from importlib.util import find_spec

    for name in ("numpy", "onnx", "onnxruntime"):
        if find_spec(name) is None:
            raise UsageError(
                f"apply needs the package {name}", hint="pip install 'zooselect[onnx]'"
            )
