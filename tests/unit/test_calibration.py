from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.errors import ModelError
from rerank_cli.models.calibration import (
    CALIBRATION_NAME,
    Calibration,
    read_calibration,
    sigmoid,
    write_calibration,
)
from tests.benchmarks.reliability import ReliabilityBin, expected_calibration_error, reliability


@given(st.floats(-1e6, 1e6))
def test_a_probability_lies_between_0_and_1_and_orders_as_the_logit_does(logit: float) -> None:
    calibration = Calibration(slope=0.7, intercept=-2.0)
    assert 0.0 <= calibration.probability(logit) <= calibration.probability(logit + 1.0) <= 1.0


def test_sigmoid_by_hand() -> None:
    assert (sigmoid(0.0), sigmoid(math.log(3))) == (0.5, pytest.approx(0.75))
    assert sigmoid(-math.log(3)) == pytest.approx(0.25)


def test_reliability_by_hand() -> None:
    bins = reliability([0.05, 0.15, 0.12, 1.0], [False, True, False, True], bins=10)
    assert bins == (
        ReliabilityBin(1, 0.05, 0.0),
        ReliabilityBin(2, pytest.approx(0.135), 0.5),
        ReliabilityBin(1, 1.0, 1.0),
    )
    assert expected_calibration_error(bins) == pytest.approx((0.05 + 2 * 0.365 + 0.0) / 4)


def test_what_was_written_is_read_and_no_file_means_none(tmp_path: Path) -> None:
    assert read_calibration(tmp_path) is None
    write_calibration(tmp_path, Calibration(0.75, -1.25))
    assert read_calibration(tmp_path) == Calibration(0.75, -1.25)


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"slope": 1}', '{"slope": "x", "intercept": 0}', '{"slope": 0, "intercept": 0}',
     '{"slope": -1, "intercept": 0}', '{"slope": NaN, "intercept": 0}', '{"slope": 1, "intercept": Infinity}'],
)  # fmt: skip
def test_a_broken_calibration_is_an_error_and_not_no_calibration(tmp_path: Path, content: str) -> None:
    (tmp_path / CALIBRATION_NAME).write_text(content)
    with pytest.raises(ModelError, match=CALIBRATION_NAME):
        read_calibration(tmp_path)


def test_it_is_two_numbers_that_a_person_can_read(tmp_path: Path) -> None:
    write_calibration(tmp_path, Calibration(0.75, -1.25))
    assert json.loads((tmp_path / CALIBRATION_NAME).read_text()) == {"slope": 0.75, "intercept": -1.25}


def test_a_calibration_that_cannot_be_read_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / CALIBRATION_NAME).write_text("{}")
    with pytest.raises(ModelError, match=r"no calibration \('slope' is missing\)$"):
        read_calibration(tmp_path)

    def fail(*_: object, **__: object) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_text", fail)
    with pytest.raises(ModelError, match=r"calibration.json: cannot be read \(Input/output error\)$") as raised:
        read_calibration(tmp_path)
    assert "disk" in raised.value.remedy
