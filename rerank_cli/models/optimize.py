"""A graph as onnxruntime would run it, written down: loading it has little left to do.

Its weights lie in a file of their own, which is mapped where a file of both would be copied. Both together take a
quarter of the time, and the numbers are the same to the bit.
"""

from __future__ import annotations

from pathlib import Path

from rerank_cli.models.catalogue import Kind
from rerank_cli.models.compiled import GRAPH_NAME, WEIGHTS_NAME

LEAST_BYTES = 1024
"""Smaller constants stay in the graph."""


def optimize(source: Path, folder: Path, *, kind: Kind) -> None:
    """Write *source*, the graph of a model of this *kind*, to *folder* with what makes it quicker on any processor."""
    import onnxruntime

    from rerank_cli.models.onnx import unwanted_fusions

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it has no threads to start then
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    (folder / WEIGHTS_NAME).unlink(missing_ok=True)  # a session may still have an earlier one mapped
    options.optimized_model_filepath = str(folder / GRAPH_NAME)
    for key, value in (("file_name", WEIGHTS_NAME), ("min_size_in_bytes", str(LEAST_BYTES))):
        options.add_session_config_entry(f"session.optimized_model_external_initializers_{key}", value)
    onnxruntime.InferenceSession(
        str(source), options, providers=["CPUExecutionProvider"], disabled_optimizers=unwanted_fusions(kind)
    )
