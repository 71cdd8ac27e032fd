"""From a float32 ONNX graph to one that multiplies in int8."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LEAST_SCALE = 1e-6
"""Keeps a token whose numbers are all 0 from being divided by 0."""


def quantize(source: Path, target: Path, *, by_token: bool) -> None:
    """Write *source* to *target* with weights in int8, and activations too, on a scale that each text gives anew.

    onnxruntime has one scale for all tokens of a text, which the few that stand out, [CLS] above all, make coarse
    for the rest. With *by_token*, where that costs most each token is brought to one size first (Yao et al., 2022,
    ZeroQuant): a twelfth of the time for half of the error of a reranker's logits. A sentence vector, which is
    a mean over tokens, gains little.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(source))
    narrow = _narrow_nodes(model.graph)
    if by_token:
        _scale_tokens(model.graph, leave=narrow)
    quantize_dynamic(model, str(target), weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=narrow)


def _narrow_nodes(graph: Any) -> list[str]:
    """The nodes that weigh many numbers into one: it takes no time, and int8 has no room for weights so unlike.

    The quantizer makes a MatMul of each Gemm before it asks, and names it so.
    """
    narrow = {weights.name for weights in graph.initializer if len(weights.dims) == 2 and 1 in weights.dims}
    nodes = [node for node in graph.node if narrow & set(node.input)]
    return [node.name for node in nodes] + [f"{node.name}_MatMul" for node in nodes if node.op_type == "Gemm"]


def _scale_tokens(graph: Any, *, leave: list[str]) -> None:
    """Divide what enters a feed-forward layer by each token's greatest magnitude, and multiply what leaves it.

    A feed-forward layer is known by its weights, which are not square. Attention's inputs differ less.
    """
    from onnx import numpy_helper

    shapes = {weights.name: tuple(weights.dims) for weights in graph.initializer}
    floor = numpy_helper.from_array(np.array(LEAST_SCALE, dtype=np.float32), "least_scale")
    nodes: list[Any] = []
    scaled: set[str] = set()
    for node in graph.node:
        shape = shapes.get(node.input[1], ()) if node.op_type == "MatMul" and node.name not in leave else ()
        if len(shape) == 2 and shape[0] != shape[1]:
            states, result = node.input[0], node.output[0]
            if states not in scaled:
                nodes.extend(_token_scale(states, floor.name))
                scaled.add(states)
            node.input[0], node.output[0] = f"{states}_even", f"{result}_even"
            nodes += [node, _node("Mul", [f"{result}_even", f"{states}_size"], result)]
        else:
            nodes.append(node)
    if scaled:
        graph.initializer.append(floor)
    del graph.node[:]
    graph.node.extend(nodes)


def _token_scale(states: str, floor: str) -> Iterator[Any]:
    """Nodes for `states_size`, shape (texts, tokens, 1), and `states_even`, which is *states* over it."""
    yield _node("Abs", [states], f"{states}_magnitude")
    yield _node("ReduceMax", [f"{states}_magnitude"], f"{states}_greatest", axes=[-1], keepdims=1)
    yield _node("Max", [f"{states}_greatest", floor], f"{states}_size")
    yield _node("Reciprocal", [f"{states}_size"], f"{states}_inverse")
    yield _node("Mul", [states, f"{states}_inverse"], f"{states}_even")


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes)
