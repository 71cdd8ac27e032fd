"""int8 graphs against what they were made of, on a feed-forward layer built for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from rerank_cli.models.quantize import quantize

WIDTH = 32


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """states → square MatMul → feed-forward (32 → 128 → 32) → one number a token, in float32."""
    rng = np.random.default_rng(7)

    def weights(rows: int, columns: int, name: str) -> Any:
        values = rng.normal(size=(rows, columns)) / np.sqrt(rows)
        return numpy_helper.from_array(values.astype(np.float32), name)

    nodes = [
        helper.make_node("MatMul", ["states", "square"], ["mixed"], name="mix"),
        helper.make_node("MatMul", ["mixed", "up"], ["wide"], name="widen"),
        helper.make_node("Relu", ["wide"], ["active"], name="activate"),
        helper.make_node("MatMul", ["active", "down"], ["result"], name="shrink"),
        helper.make_node("MatMul", ["result", "score"], ["logit"], name="weigh"),
    ]
    shape = [1, None, WIDTH]
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, shape)],
        [
            weights(WIDTH, WIDTH, "square"),
            weights(WIDTH, 4 * WIDTH, "up"),
            weights(4 * WIDTH, WIDTH, "down"),
            weights(WIDTH, 1, "score"),
        ],
    )
    graph.output.append(helper.make_tensor_value_info("logit", TensorProto.FLOAT, [1, None, 1]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(tmp_path / "float32.onnx"))
    return tmp_path / "float32.onnx"


def run(graph: Path, states: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    result: np.ndarray[Any, Any] = session.run(["result"], {"states": states})[0]
    return result


def states(outlier: float) -> np.ndarray[Any, Any]:
    """Ten tokens alike in size, the first times *outlier*."""
    values = np.random.default_rng(8).normal(size=(1, 10, WIDTH)).astype(np.float32)
    values[0, 0] *= outlier
    return values


def error(graph: Path, exact: Path, given: np.ndarray[Any, Any]) -> float:
    """Root mean square over all tokens but the first."""
    difference = (run(graph, given) - run(exact, given))[0, 1:]
    return float(np.sqrt((difference**2).mean()))


def test_a_token_that_stands_out_does_not_make_the_others_coarse(layer: Path, tmp_path: Path) -> None:
    for by_token in (False, True):
        quantize(layer, tmp_path / f"{by_token}.onnx", by_token=by_token)
    shared, own = (error(tmp_path / f"{by_token}.onnx", layer, states(30.0)) for by_token in (False, True))
    assert own < 0.7 * shared, "what is left comes from the square weights"
    assert error(tmp_path / "True.onnx", layer, states(1.0)) < 0.03


def test_a_token_of_zeros_stays_one(layer: Path, tmp_path: Path) -> None:
    quantize(layer, tmp_path / "int8.onnx", by_token=True)
    result = run(tmp_path / "int8.onnx", states(0.0))
    assert np.isfinite(result).all() and np.abs(result[0, 0]).max() < 0.1


@pytest.mark.parametrize("by_token", [False, True])
def test_what_weighs_many_numbers_into_one_stays_float(layer: Path, tmp_path: Path, by_token: bool) -> None:
    quantize(layer, tmp_path / "int8.onnx", by_token=by_token)
    kinds = [node.op_type for node in onnx.load(str(tmp_path / "int8.onnx")).graph.node]
    assert (kinds.count("MatMulInteger"), kinds.count("MatMul")) == (3, 1)
    assert kinds.count("Reciprocal") == (2 if by_token else 0), "the square weights need none"
