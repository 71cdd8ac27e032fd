"""From a reranker's logit to the share of passages with such a logit that are relevant (Platt scaling)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from rerank_cli.errors import ModelError, in_words

CALIBRATION_NAME = "calibration.json"
"""Lies beside the weights of a reranker that is calibrated."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(relevant | logit) = 1 / (1 + exp(-(slope * logit + intercept))) (Platt, 1999)."""

    slope: float
    intercept: float

    def probability(self, logit: float) -> float:
        return sigmoid(self.slope * logit + self.intercept)


def sigmoid(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1.0 + math.exp(logit))


def read_calibration(folder: Path) -> Calibration | None:
    """The calibration of the reranker in *folder*, None where it has none.

    Raises:
        ModelError: the file is there but holds none, or cannot be read.
    """
    path = folder / CALIBRATION_NAME
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(float(record["slope"]), float(record["intercept"]))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({in_words(error)})", remedy="check the file and its disk") from error
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else in_words(error)
        raise ModelError(
            f"{path}: no calibration ({reason})", remedy="write a slope and an intercept, or delete the file"
        ) from error
    if not (math.isfinite(calibration.intercept) and 0 < calibration.slope < math.inf):
        raise ModelError(f"{path}: the slope must be positive and both finite", remedy="fit it again, or delete it")
    return calibration


def write_calibration(folder: Path, calibration: Calibration) -> None:
    (folder / CALIBRATION_NAME).write_text(json.dumps(asdict(calibration), indent=2) + "\n", encoding="utf-8")
