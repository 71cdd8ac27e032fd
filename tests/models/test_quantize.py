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


def run(graph: Path, states: np.ndarray[Any, Any], *, output: str = "result") -> np.ndarray[Any, Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    result: np.ndarray[Any, Any] = session.run([output], {"states": states})[0]
    return result


def states(outlier: float, *, seed: int = 8) -> np.ndarray[Any, Any]:
    """Ten tokens alike in size, the first times *outlier*."""
    values = np.random.default_rng(seed).normal(size=(1, 10, WIDTH)).astype(np.float32)
    values[0, 0] *= outlier
    return values


def error(graph: Path, exact: Path, given: np.ndarray[Any, Any]) -> float:
    """Root mean square over all tokens but the first."""
    difference = (run(graph, given) - run(exact, given))[0, 1:]
    return float(np.sqrt((difference**2).mean()))


def quantized(exact: Path, sample: np.ndarray[Any, Any] | None) -> Path:
    name = "plain" if sample is None else "even"
    quantize(exact, exact.with_name(f"{name}.onnx"), samples=[] if sample is None else [{"states": sample}])
    return exact.with_name(f"{name}.onnx")


def test_a_token_that_stands_out_does_not_make_the_others_coarse(layer: Path) -> None:
    asked = states(30.0)
    plain, even = (error(quantized(layer, sample), layer, asked) for sample in (None, states(1.0)))
    assert even < 0.2 * plain
    assert error(layer.with_name("even.onnx"), layer, states(1.0)) < 0.03


def test_a_channel_that_stands_out_in_every_text_does_not_make_the_others_coarse(layer: Path) -> None:
    asked, sample = states(1.0), states(1.0, seed=9)
    for values in (asked, sample):
        values[:, :, 3] *= 30.0
    plain, even = (error(quantized(layer, given), layer, asked) for given in (None, sample))
    assert even < 0.6 * plain


def test_weights_that_layers_share_are_changed_for_none_of_them(layer: Path) -> None:
    model = onnx.load(str(layer))
    again = helper.make_node("MatMul", ["result", "square"], ["again"], name="mix_again")
    model.graph.node.insert(4, again)
    model.graph.node[5].input[0] = "again"
    onnx.save(model, str(layer))
    asked = states(1.0)
    asked[:, :, 3] *= 30.0
    even = quantized(layer, asked)
    size = float(np.abs(run(layer, asked, output="logit")).max())
    assert np.abs(run(even, asked, output="logit") - run(layer, asked, output="logit")).max() < 0.1 * size


def test_what_reads_one_vector_of_a_text_stays_float(layer: Path) -> None:
    model = onnx.load(str(layer))
    pooled = [
        helper.make_node("ReduceMean", ["result"], ["pooled"], axes=[1], keepdims=0, name="pool"),
        helper.make_node("Gemm", ["pooled", "square"], ["mean"], name="read"),
    ]
    model.graph.node.extend(pooled)
    model.graph.output.append(helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, WIDTH]))
    onnx.save(model, str(layer))
    for sample in (None, states(1.0)):
        nodes = onnx.load(str(quantized(layer, sample))).graph.node
        reads = [node.op_type for node in nodes if node.name.startswith("read")]
        assert reads[0] in ("Gemm", "MatMul") and "MatMulInteger" not in reads


def test_an_input_that_the_graph_does_not_read_is_left_out(layer: Path) -> None:
    quantize(layer, layer.with_name("even.onnx"), samples=[{"states": states(1.0), "token_type_ids": states(0.0)}])
    assert error(layer.with_name("even.onnx"), layer, states(1.0)) < 0.03


def test_a_graph_without_anything_to_even_is_quantized_all_the_same(layer: Path) -> None:
    model = onnx.load(str(layer))
    del model.graph.node[:]
    model.graph.node.extend(
        [
            helper.make_node("MatMul", ["states", "square"], ["result"], name="mix"),
            helper.make_node("MatMul", ["result", "square"], ["twice"], name="mix_again"),
            helper.make_node("MatMul", ["twice", "score"], ["logit"], name="weigh"),
        ]
    )
    onnx.save(model, str(layer))
    even = quantized(layer, states(1.0))
    assert [node.op_type for node in onnx.load(str(even)).graph.node].count("MatMulInteger") == 2
    assert sorted(path.name for path in layer.parent.iterdir()) == ["even.onnx", "float32.onnx"]


def test_weights_in_files_of_their_own_are_found(layer: Path) -> None:
    wanted = run(quantized(layer, states(1.0)), states(2.0))
    model = onnx.load(str(layer))
    onnx.save(model, str(layer), save_as_external_data=True, location="weights", size_threshold=0)
    assert np.array_equal(run(quantized(layer, states(1.0)), states(2.0)), wanted)


def test_a_token_of_zeros_stays_one(layer: Path) -> None:
    result = run(quantized(layer, states(1.0)), states(0.0))
    assert np.isfinite(result).all() and np.abs(result[0, 0]).max() < 0.1


@pytest.mark.parametrize("sample", [None, states(1.0)])
def test_what_weighs_many_numbers_into_one_stays_float(layer: Path, sample: np.ndarray[Any, Any] | None) -> None:
    kinds = [node.op_type for node in onnx.load(str(quantized(layer, sample))).graph.node]
    assert (kinds.count("MatMulInteger"), kinds.count("MatMul")) == (3, 1)
    assert kinds.count("Reciprocal") == (0 if sample is None else 3)


def test_no_sum_is_cut_off_whatever_the_processor(layer: Path) -> None:
    model = onnx.load(str(layer))
    for each in model.graph.initializer:
        if each.name == "square":
            each.CopyFrom(numpy_helper.from_array(np.full((WIDTH, WIDTH), 0.5, dtype=np.float32), each.name))
    onnx.save(model, str(layer))
    asked = np.abs(states(1.0)) + 4.0
    for sample in (None, asked):
        assert error(quantized(layer, sample), layer, asked) < 0.02 * np.abs(run(layer, asked)).max()


@pytest.mark.parametrize("sample", [None, states(1.0)])
def test_weights_that_are_shifted_give_the_same_products(
    layer: Path, sample: np.ndarray[Any, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank_cli.models.quantize.saturates", lambda: True)
    shifted = quantized(layer, sample)
    kinds = {each.data_type for each in onnx.load(str(shifted)).graph.initializer}
    assert TensorProto.UINT8 in kinds and TensorProto.INT8 not in kinds
    assert error(shifted, layer, states(1.0)) < 0.03
