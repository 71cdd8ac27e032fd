"""Processors on which onnxruntime cuts off sums of int8 products, and the graph that it sums rightly there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from rerank_cli.models.compiled import WEIGHTS_NAME

PROBE = Path(__file__).with_name("saturation.onnx")
"""One product in int8: numbers of shape (8, 64) by 64 x 16 weights that are all 127."""


@cache
def saturates() -> bool:
    """Whether onnxruntime cuts off sums of int8 products here, as it does on x86 processors without VNNI.

    There it adds each two products of uint8 and int8 in 16 bits, which hold no more than 32,767.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it has no threads to start then
    session = onnxruntime.InferenceSession(PROBE.read_bytes(), options, providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"numbers": np.full((8, 64), 255, dtype=np.uint8)})
    return int(sums[0, 0]) != 64 * 127 * 255


def shift_weights(source: Path, target: Path) -> None:
    """Write *source* to *target* with its int8 weights as uint8, each 128 greater, with a zero point of 128.

    Their products are the same numbers, which such a processor then adds in 32 bits, as quickly. One with VNNI takes
    1.6 times as long for them. Weights lie in a file beside *target*.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(source))
    for each in model.graph.initializer:
        if each.data_type == onnx.TensorProto.INT8:
            shifted = (numpy_helper.to_array(each).astype(np.int16) + 128).astype(np.uint8)
            each.CopyFrom(numpy_helper.from_array(shifted, each.name))
    onnx.save(model, str(target), save_as_external_data=True, location=WEIGHTS_NAME)
