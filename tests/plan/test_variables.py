import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from zooselect.errors import UsageError
from zooselect.plan.variables import (
    CALIBRATION,
    EPOCHS,
    PRUNING,
    QUANTIZATION,
    parse_settings,
    settle,
)

ALL = (*EPOCHS, *PRUNING, *QUANTIZATION)


def test_every_default_is_documented_and_in_its_own_range():
    _, values = settle((*ALL, *CALIBRATION), {})
    for variable in (*ALL, *CALIBRATION):
        assert variable.meaning
        assert variable.source
        assert variable.lower <= values[variable.name] <= variable.upper


def test_derived_defaults_follow_what_is_set():
    texts, values = settle(ALL, {"num_epochs": "10", "qat_epochs": 2})
    assert values["pruning_end_epoch"] == 4.0
    assert values["quantization_start_epoch"] == 8.0
    assert values["freeze_epoch"] == 9.0
    assert texts["pruning_end_epoch"] == "eval(num_epochs * 0.5 - qat_epochs * 0.5)"
    assert texts["num_epochs"] == "10.0"


@given(st.floats(0, 1))
def test_numbers_are_numbers_to_yaml(value):
    text = settle(EPOCHS, {"init_lr": value})[0]["init_lr"]
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 3}, "no variable 'epochs'"),
        ({"num_epochs": "many"}, "not a number"),
        ({"num_epochs": "nan"}, "not a number"),
        ({"num_epochs": "inf"}, "not a number"),
        ({"num_epochs": 0}, "from 1"),
        ({"init_sparsity": -0.1}, "from 0"),
        ({"init_lr": True}, "not a number"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(UsageError, match=words):
        settle(ALL, settings)


def test_whole_numbers():
    assert settle(CALIBRATION, {"calibration_steps": "8"})[0] == {"calibration_steps": "8"}
    with pytest.raises(UsageError, match="whole"):
        settle(CALIBRATION, {"calibration_steps": "8.5"})


@pytest.mark.parametrize("items", [["a"], ["=1"], ["a="], ["a=1", "a=2"]])
def test_bad_texts(items):
    with pytest.raises(UsageError):
        parse_settings(items)


def test_good_texts():
    assert parse_settings(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
