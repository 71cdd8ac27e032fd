"""The least time that a compiled model could take: its products, at the rate that the processor reaches in a plain one.

`rate` measures how many products of int8 numbers are added up in a second of processor time, whatever else runs beside.
`products` counts those that a compiled model needs for a text of so many tokens: those of its weights, and those of its
attention, which is no int8 but counts as if it were.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from rerank_cli.models.onnx import worker_count

ROWS, INNER, COLUMNS = 256, 384, 1536
"""A product as large as those of a small model over a passage; larger ones are no quicker."""

ROUNDS, SECONDS = 10, 0.2

WHOLE_NUMBERS = (TensorProto.INT8, TensorProto.UINT8)

PRODUCTS_OF_A_LAYER = 6
"""Query, key, value, what attention gives, and two of the feed-forward part."""


def rate() -> float:
    """Products in a second of processor time: the median of several rounds, on as many threads as the program has."""
    rng = np.random.default_rng(1)
    weights = numpy_helper.from_array(rng.integers(-127, 127, (INNER, COLUMNS)).astype(np.int8), "weights")
    zero = numpy_helper.from_array(np.uint8(128), "zero")
    node = helper.make_node("MatMulInteger", ["given", "weights", "zero"], ["sums"])
    given = helper.make_tensor_value_info("given", TensorProto.UINT8, [ROWS, INNER])
    sums = helper.make_tensor_value_info("sums", TensorProto.INT32, [ROWS, COLUMNS])
    graph = helper.make_graph([node], "product", [given], [sums], [weights, zero])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    numbers = rng.integers(0, 255, (ROWS, INNER)).astype(np.uint8)

    def multiply(_: int) -> int:
        end, done = time.perf_counter() + SECONDS, 0
        while time.perf_counter() < end:
            session.run(None, {"given": numbers})
            done += 1
        return done

    rates = []
    with ThreadPoolExecutor(worker_count()) as pool:
        for _ in range(ROUNDS):
            started = time.process_time()
            done = sum(pool.map(multiply, range(worker_count())))
            rates.append(done * ROWS * INNER * COLUMNS / (time.process_time() - started))
    return statistics.median(rates)


def products(graph: Path, lengths: Sequence[int]) -> int:
    """How many products the model in *graph* needs for texts of these *lengths* in tokens."""
    model = onnx.load(str(graph)).graph
    whole = {each.name: tuple(each.dims) for each in model.initializer if each.data_type in WHOLE_NUMBERS}
    second = [node.input[1] for node in model.node if len(node.input) > 1]
    weights = [whole[name] for name in second if len(whole.get(name, ())) == 2]
    a_token = sum(rows * columns for rows, columns in weights)
    layers, width = len(weights) // PRODUCTS_OF_A_LAYER, weights[0][0]
    return sum(length * a_token + 2 * layers * width * length * length for length in lengths)
