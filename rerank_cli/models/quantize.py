"""From a float32 ONNX graph to one that multiplies in int8."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from rerank_cli.models.saturation import saturates, shift_weights

Inputs = Mapping[str, "NDArray[np.int64]"]
"""A graph's inputs by name, each of shape (texts, tokens)."""

LEAST = 1e-6
"""Keeps what is 0 throughout from being divided by 0."""

LEAST_SHARE = 1e-3
"""Of the greatest channel's magnitude: one that the samples hardly stir is not made as large as the others."""


def quantize(source: Path, target: Path, *, samples: Sequence[Inputs] = ()) -> None:
    """Write *source* to *target* with weights in int8, and activations too, on a scale that each text gives anew.

    onnxruntime has one scale for all numbers of a text, which the few that stand out make coarse for the rest.
    With *samples*, inputs of the kind that the graph will see, two kinds of them are brought to size before:
    channels that are large in every text, by constants that its weights take back (Xiao et al., 2023, SmoothQuant),
    and tokens that are, [CLS] above all, each by its own size (Yao et al., 2022, ZeroQuant). That leaves two fifths
    of the error of the built-in reranker's logits. A sentence vector, which is a mean over tokens, gains little.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(source), load_external_data=bool(samples))
    narrow = _narrow_nodes(model.graph)
    with tempfile.TemporaryDirectory(dir=source.parent, prefix="even-") as scratch, _kept_to(scratch):
        if samples:
            _even_channels(model.graph, source, samples, leave=narrow)
            _even_tokens(model.graph, leave=narrow)
            source = Path(scratch) / source.name
            onnx.save(model, str(source), save_as_external_data=True, location="weights")  # one file holds 2 GB at most
        quantize_dynamic(
            str(source), str(target), weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=narrow
        )
    if saturates():
        shift_weights(target, target)


@contextmanager
def _kept_to(scratch: str) -> Iterator[None]:
    """Have the quantizer work in *scratch*, which goes with the compile, and onnx name files without a look around.

    The quantizer saves the model to the system's folder for such files, where a killed one would leave it for ever.
    onnx makes a name of the network's hardware address, and opens a socket to learn it.
    """
    from onnx import external_data_helper

    elsewhere, library = tempfile.tempdir, vars(external_data_helper)
    names = library.get("uuid")
    tempfile.tempdir, library["uuid"] = scratch, SimpleNamespace(uuid1=uuid4)
    try:
        yield
    finally:
        tempfile.tempdir, library["uuid"] = elsewhere, names


def _narrow_nodes(graph: Any) -> list[str]:
    """The nodes that weigh many numbers into one, and those that read one vector a text, which torch exports as Gemm.

    They take no time, and stand near the end, where errors are no longer averaged out. The quantizer makes a MatMul
    of each Gemm before it asks, and names it so.
    """
    narrow = {weights.name for weights in graph.initializer if len(weights.dims) == 2 and 1 in weights.dims}
    gemms = [node.name for node in graph.node if node.op_type == "Gemm"]
    return [node.name for node in graph.node if narrow & set(node.input)] + [f"{name}_MatMul" for name in gemms]


def _products(graph: Any, leave: Sequence[str]) -> dict[str, list[tuple[Any, Any]]]:
    """What the quantizer will multiply in int8: (node, its weights of shape (inputs, outputs)), by the node's input."""
    weights = {each.name: each for each in graph.initializer if len(each.dims) == 2}
    products: dict[str, list[tuple[Any, Any]]] = {}
    for node in graph.node:
        if node.op_type == "MatMul" and node.name not in leave and node.input[1] in weights:
            products.setdefault(node.input[0], []).append((node, weights[node.input[1]]))
    return products


def _even_channels(graph: Any, source: Path, samples: Sequence[Inputs], *, leave: Sequence[str]) -> None:
    """Divide each channel that enters by sqrt(greatest magnitude / greatest weight), which its weights take back.

    *graph* is that of *source*, in memory.
    """
    from onnx import numpy_helper

    uses = Counter(name for node in graph.node for name in node.input)
    products = {
        states: readers
        for states, readers in _products(graph, leave).items()
        if all(uses[weights.name] == 1 for _, weights in readers)  # layers may share weights, as ALBERT's do
    }
    greatest = _greatest_of_channels(source, list(products), samples)
    before: dict[str, Any] = {}
    for states, readers in products.items():
        matrices = [numpy_helper.to_array(weights) for _, weights in readers]
        heaviest = np.maximum(np.abs(np.concatenate(matrices, axis=1)).max(axis=1), LEAST)
        magnitude = np.maximum(greatest[states], LEAST_SHARE * greatest[states].max() + LEAST)
        scale = np.sqrt(magnitude / heaviest)
        scale = (scale / scale.mean()).astype(np.float32)
        for (node, weights), matrix in zip(readers, matrices, strict=True):
            weights.CopyFrom(numpy_helper.from_array(matrix * scale[:, None], weights.name))
            node.input[0] = f"{states}_smooth"
        graph.initializer.append(numpy_helper.from_array(1.0 / scale, f"{states}_scale"))
        before[readers[0][0].name] = _node("Mul", [states, f"{states}_scale"], f"{states}_smooth")
    nodes = [new for node in graph.node for new in (before.get(node.name), node) if new is not None]
    del graph.node[:]
    graph.node.extend(nodes)


def _greatest_of_channels(
    source: Path, names: Sequence[str], samples: Sequence[Inputs]
) -> dict[str, NDArray[np.float32]]:
    """The greatest magnitude in *samples* of each channel of these intermediate values."""
    greatest: dict[str, NDArray[np.float32]] = {}
    if not names:
        return greatest
    session = _watching(source, names)
    inputs = {given.name for given in session.get_inputs()}  # the exporter drops those that the model does not read
    for sample in samples:
        asked = {name: values for name, values in sample.items() if name in inputs}
        for name, values in zip(names, session.run(list(names), asked), strict=True):
            found = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            greatest[name] = np.maximum(greatest.get(name, found), found)
    return greatest


def _watching(source: Path, names: Sequence[str]) -> Any:
    """A session of *source* that gives these intermediate values too."""
    import onnx
    import onnxruntime
    from onnx import helper

    watched = onnx.load(str(source), load_external_data=False)
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    path = source.with_name(f"watched-{source.name}")  # beside the weights, where they are in files of their own
    onnx.save(watched, str(path))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    path.unlink()
    return session


def _even_tokens(graph: Any, *, leave: Sequence[str]) -> None:
    """Divide what enters a product by each token's greatest magnitude, and multiply what leaves it."""
    from onnx import numpy_helper

    products = {node.name for readers in _products(graph, leave).values() for node, _ in readers}
    floor = numpy_helper.from_array(np.array(LEAST, dtype=np.float32), "least_size")
    nodes: list[Any] = []
    sized: set[str] = set()
    for node in graph.node:
        if node.name not in products:
            nodes.append(node)
            continue
        states, result = node.input[0], node.output[0]
        if states not in sized:
            nodes.extend(_sizing(states, floor.name))
            sized.add(states)
        node.input[0], node.output[0] = f"{states}_even", f"{result}_sized"
        nodes += [node, _node("Mul", [f"{result}_sized", f"{states}_size"], result)]
    if sized:
        graph.initializer.append(floor)
    del graph.node[:]
    graph.node.extend(nodes)


def _sizing(states: str, floor: str) -> Iterator[Any]:
    """Nodes for `states_size`, shape (texts, tokens, 1), and `states_even`, which is *states* over it."""
    yield _node("Abs", [states], f"{states}_magnitude")
    yield _node("ReduceMax", [f"{states}_magnitude"], f"{states}_greatest", axes=[-1], keepdims=1)
    yield _node("Max", [f"{states}_greatest", floor], f"{states}_size")
    yield _node("Reciprocal", [f"{states}_size"], f"{states}_inverse")
    yield _node("Mul", [states, f"{states}_inverse"], f"{states}_even")


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes)
