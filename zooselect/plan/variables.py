"""Recipe variables: every number of a recipe, with its default, range and source."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from zooselect.errors import UsageError

#: SparseML 1.8.0's own recipe writer, whose schedule ours is.
_TEMPLATE = "sparseml 1.8.0, pytorch/recipe_template/main.py"


class Shares(NamedTuple):
    """A default that follows two others: a share of all epochs, less one of the last ones."""

    of_num_epochs: float
    of_qat_epochs: float

    def value(self, values: Mapping[str, float]) -> float:
        """The default as a number, given the two variables it follows."""
        return values["num_epochs"] * self.of_num_epochs - values["qat_epochs"] * self.of_qat_epochs

    def __str__(self) -> str:
        return (
            f"eval(num_epochs * {self.of_num_epochs:.4g} - qat_epochs * {self.of_qat_epochs:.4g})"
        )


class Variable(NamedTuple):
    """One number of a recipe.

    Attributes:
        name: what `--set` and the engine call it.
        default: a number, or what follows from other variables.
        meaning: what it does, in a few words.
        source: where the default comes from.
        lower, upper: the range a value must lie in, both included.
        whole: whether it must be a whole number.
    """

    name: str
    default: float | Shares
    meaning: str
    source: str
    lower: float = 0.0
    upper: float = math.inf
    whole: bool = False


EPOCHS = (
    Variable("num_epochs", 20.0, "epochs in all", _TEMPLATE, 1, 1e6),
    Variable("init_lr", 0.001, "learning rate at the start", _TEMPLATE, 0, 1),
    Variable("final_lr", 0.0, "learning rate at the end", _TEMPLATE, 0, 1),
    Variable("qat_epochs", 5.0, "last epochs, with quantization simulated", _TEMPLATE, 0, 1e6),
)
PRUNING = (
    Variable("init_sparsity", 0.05, "sparsity of the first pruning step", _TEMPLATE, 0, 1),
    Variable("pruning_start_epoch", 0.0, "when pruning starts", _TEMPLATE, 0, 1e6),
    Variable("pruning_end_epoch", Shares(0.5, 0.5), "when it is complete", _TEMPLATE, 0, 1e6),
    Variable(
        "pruning_update_frequency", Shares(0.025, 0.025),
        "epochs from step to step: twenty steps", _TEMPLATE, 1e-3, 1e6,
    ),
)  # fmt: skip
QUANTIZATION = (
    Variable(
        "quantization_start_epoch", Shares(1, 1), "when quantization is simulated from",
        _TEMPLATE, 0, 1e6,
    ),
    Variable(
        "freeze_epoch", Shares(1, 0.5), "when ranges and batch-norm statistics freeze",
        _TEMPLATE, 0, 1e6,
    ),
)  # fmt: skip
CALIBRATION = (
    Variable(
        "calibration_steps", 64, "batches that set the activation ranges",
        "our choice; with the engine's own default, the whole loader, a missing loader"
        " would go unnoticed and nothing be calibrated",
        1, 1e6, whole=True,
    ),
)  # fmt: skip


def parse_settings(items: Iterable[str]) -> dict[str, str]:
    """Read `name=value` texts.

    Raises:
        UsageError: a text of another form, or a name given twice.
    """
    settings: dict[str, str] = {}
    for item in items:
        name, mark, value = item.partition("=")
        if not mark or not name or not value:
            raise UsageError(
                f"--set {item!r} has not the form name=value", hint="such as --set num_epochs=30"
            )
        if name in settings:
            raise UsageError(f"recipe variable {name} is set twice", hint="set it once")
        settings[name] = value
    return settings


def settle(
    variables: Iterable[Variable], settings: Mapping[str, str | float]
) -> tuple[dict[str, str], dict[str, float]]:
    """Return each variable's text in the recipe, and the number it comes to.

    Raises:
        UsageError: a name no variable has, a value that is no number or out of range.
    """
    known = {variable.name: variable for variable in variables}
    for name in settings:
        if name not in known:
            raise UsageError(
                f"the recipe has no variable {name!r}",
                hint="it has " + (", ".join(known) or "none at this level and in this format"),
            )
    texts: dict[str, str] = {}
    values: dict[str, float] = {}
    for name, variable in known.items():
        if name in settings:
            values[name] = _number(variable, settings[name])
            texts[name] = _text(variable, values[name])
        elif isinstance(variable.default, Shares):
            values[name] = variable.default.value(values)
            texts[name] = str(variable.default)
        else:
            values[name] = variable.default
            texts[name] = _text(variable, variable.default)
    return texts, values


def _number(variable: Variable, given: str | float) -> float:
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = math.nan
    whole = not variable.whole or value == int(value) if math.isfinite(value) else False
    if isinstance(given, bool) or not whole or not variable.lower <= value <= variable.upper:
        kind = "a whole number" if variable.whole else "a number"
        raise UsageError(
            f"recipe variable {variable.name}={given} is not {kind}"
            f" from {variable.lower:,.10g} to {variable.upper:,.10g}",
            hint=f"{variable.name}: {variable.meaning}",
        )
    return value


def _text(variable: Variable, value: float) -> str:
    # YAML 1.1 takes `1e-05` for a text: it wants a point in the mantissa.
    if variable.whole:
        return str(int(value))
    text = repr(float(value))
    mantissa, mark, exponent = text.partition("e")
    return text if not mark or "." in mantissa else f"{mantissa}.0e{exponent}"
