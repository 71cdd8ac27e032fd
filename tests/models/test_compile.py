"""Tiny random models, compiled: they agree with the original, or torch runs them."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import Busy, ModelError
from rerank_cli.models import compile as compiler
from rerank_cli.models.calibration import Calibration, write_calibration
from rerank_cli.models.catalogue import ModelSource, compiled_folder, find_model
from rerank_cli.models.compiled import GRAPH_NAME, find_compiled, model_state
from rerank_cli.models.loading import open_encoder, open_reranker, prepare
from rerank_cli.models.onnx import OnnxEncoder, OnnxReranker, _Runtime
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.torch import TorchEncoder, TorchReranker
from rerank_cli.models.window import combined, query_pieces, query_room
from rerank_cli.places import cache_folder
from rerank_cli.records import Progress
from tests.cli.conftest import Cli
from tests.clocks import IdleClock, WatchedClock
from tests.tiny_models import rewrite_json

QUERY = "how do i bleed a cold radiator"
FLOAT, UINT8, INT8 = 1, 2, 3
"""How ONNX numbers its types."""

PARTS = ["compiled.json", "model.onnx", "tokenizer.json"]
INT8_PARTS = [*PARTS, "weights"]

INT8_PRODUCTS = {"DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulInteger"}


@pytest.fixture
def encoder_source(tiny_encoder: Path) -> ModelSource:
    return find_model(str(tiny_encoder), "encoder")


@pytest.fixture(params=["tiny_reranker", "tiny_modular_reranker", "tiny_interaction_reranker"])
def reranker_source(request: pytest.FixtureRequest) -> ModelSource:
    return find_model(str(request.getfixturevalue(request.param)), "reranker")


@pytest.mark.usefixtures("compiled")
def test_a_compiled_encoder_gives_the_vectors_of_the_original_prompts_included(encoder_source: ModelSource) -> None:
    compiled = prepare(encoder_source)
    assert compiled.precision in ("int8", "float32")
    quick, original = OnnxEncoder(compiled), TorchEncoder(encoder_source, device="cpu")
    assert (quick.dimensions, quick.max_tokens) == (original.dimensions, original.max_tokens) == (32, 60)
    assert quick.count_tokens(["bleed a radiator", "x"]) == original.count_tokens(["bleed a radiator", "x"]) == [3, 1]
    vectors = quick.encode_passages(PROBE_PASSAGES)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (vectors * original.encode_passages(PROBE_PASSAGES)).sum(axis=1).min() > 0.97
    assert quick.encode_queries([QUERY])[0] @ original.encode_queries([QUERY])[0] > 0.97
    assert quick.encode_queries([QUERY])[0] @ quick.encode_passages([QUERY])[0] < 0.999, (
        "a query has a prompt of its own"
    )


@pytest.mark.usefixtures("compiled")
def test_a_compiled_reranker_ranks_as_the_original_does(reranker_source: ModelSource) -> None:
    compiled = prepare(reranker_source)
    assert compiled.precision in ("int8", "float32")
    quick, original = OnnxReranker(compiled), TorchReranker(reranker_source, device="cpu")
    pairs = [
        (quick.score_pairs(query, PROBE_PASSAGES).logits, original.score_pairs(query, PROBE_PASSAGES).logits)
        for query in PROBE_QUERIES
    ]
    assert compiler.rank_correlation(*(np.concatenate(side) for side in zip(*pairs, strict=True))) > 0.95


@pytest.mark.usefixtures("compiled")
def test_what_weighs_many_numbers_into_one_stays_float(tiny_interaction_reranker: Path) -> None:
    import onnx

    compiled = prepare(find_model(str(tiny_interaction_reranker), "reranker"))
    assert compiled.precision == "int8"
    weights = onnx.load(str(compiled.folder / GRAPH_NAME)).graph.initializer
    int8 = [list(each.dims) for each in weights if len(each.dims) == 2 and each.data_type in (INT8, UINT8)]
    floats = [list(each.dims) for each in weights if len(each.dims) == 2 and each.data_type == FLOAT]
    assert int8 and not any(1 in shape for shape in int8)
    assert sorted(shape for shape in floats if 1 in shape) == [[32, 1], [33, 1]]


@pytest.mark.usefixtures("compiled")
def test_the_activation_is_the_models_own_and_applied_once(tiny_reranker: Path, tiny_modular_reranker: Path) -> None:
    for folder, wanted in ((tiny_reranker, 1.5), (tiny_modular_reranker, 1 / (1 + np.exp(-1.5)))):
        source = find_model(str(folder), "reranker")
        for reranker in (OnnxReranker(prepare(source)), TorchReranker(source, device="cpu")):
            assert reranker.activate(1.5) == pytest.approx(wanted)
    source = find_model(str(tiny_modular_reranker), "reranker")
    from sentence_transformers import CrossEncoder

    raw = TorchReranker(source, device="cpu")
    logit = float(raw.score_pairs(QUERY, [PROBE_PASSAGES[0]]).logits[0])
    whole = CrossEncoder(str(tiny_modular_reranker), device="cpu").predict([(QUERY, PROBE_PASSAGES[0])])
    assert raw.activate(logit) == pytest.approx(float(whole[0]), abs=1e-5)


@pytest.mark.usefixtures("compiled")
def test_a_calibration_takes_the_activations_place_everywhere(tiny_modular_reranker: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_modular_reranker, tmp_path / "calibrated")
    plain = find_model(str(tiny_modular_reranker), "reranker")
    write_calibration(folder, Calibration(slope=0.5, intercept=-1.0))
    source = find_model(str(folder), "reranker")
    assert source.fingerprint != plain.fingerprint, "or the compiled form without it would be taken"
    for reranker in (OnnxReranker(prepare(source)), OnnxReranker(prepare(source)), TorchReranker(source, device="cpu")):
        assert reranker.calibrated
        assert reranker.activate(4.0) == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert open_reranker(str(folder)).calibrated
    assert not open_reranker(str(tiny_modular_reranker)).calibrated


def test_an_activation_that_is_not_supported_is_refused(tiny_modular_reranker: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_modular_reranker, tmp_path / "tanh")
    rewrite_json(
        tmp_path / "tanh" / "config_sentence_transformers.json", activation_fn="torch.nn.modules.activation.Tanh"
    )
    with pytest.raises(ModelError, match="pass through tanh"):
        prepare(find_model(str(tmp_path / "tanh"), "reranker"))


@pytest.mark.usefixtures("compiled")
def test_a_score_does_not_depend_on_batch_mates(reranker_source: ModelSource) -> None:
    reranker = OnnxReranker(prepare(reranker_source))
    together = reranker.score_pairs(QUERY, PROBE_PASSAGES).logits
    alone = [reranker.score_pairs(QUERY, [passage]).logits[0] for passage in PROBE_PASSAGES]
    assert together.tolist() == alone
    assert len(set(alone)) == len(alone)


@pytest.mark.usefixtures("compiled")
def test_a_vector_does_not_depend_on_batch_mates(encoder_source: ModelSource) -> None:
    encoder = OnnxEncoder(prepare(encoder_source))
    alone = np.concatenate([encoder.encode_passages([passage]) for passage in PROBE_PASSAGES])
    assert np.array_equal(encoder.encode_passages(PROBE_PASSAGES), alone)
    assert encoder.encode_passages([]).shape == (0, 32)


@pytest.mark.usefixtures("compiled")
def test_a_long_passage_is_cut_and_counted_and_the_query_is_whole(reranker_source: ModelSource) -> None:
    """Both runtimes: what lies past the window changes nothing, the query's last word does."""
    long = "salt water " * 100
    for reranker in (OnnxReranker(prepare(reranker_source)), TorchReranker(reranker_source, device="cpu")):
        query = "how do i remove rust from a pan with oil and salt on the stove in my account mail list ferry "
        scores = reranker.score_pairs(query + "iron", [long, long + "password", "salt water"])
        assert scores.truncated == 2
        assert scores.logits[0] == pytest.approx(scores.logits[1], abs=1e-5)
        other = reranker.score_pairs(query + "bread", [long])
        assert abs(other.logits[0] - scores.logits[0]) > 1e-4


@pytest.mark.usefixtures("compiled")
def test_the_longest_passage_is_read_whole_and_one_more_word_is_lost(encoder_source: ModelSource) -> None:
    """The passage prompt takes two tokens and [CLS] and [SEP] two more of a window of 64."""
    for encoder in (OnnxEncoder(prepare(encoder_source)), TorchEncoder(encoder_source, device="cpu")):
        most = encoder.max_tokens
        passages = ["salt " * (most - 1) + last for last in ("iron", "bread", "bread iron", "bread water")]
        assert encoder.count_tokens(passages) == [most, most, most + 1, most + 1]
        vectors = encoder.encode_passages(passages)
        assert np.abs(vectors[0] - vectors[1]).max() > 1e-4
        assert vectors[2] == pytest.approx(vectors[3], abs=1e-5)


@pytest.mark.usefixtures("compiled")
def test_a_query_longer_than_the_window_is_read_in_pieces_to_its_end(encoder_source: ModelSource) -> None:
    for encoder in (OnnxEncoder(prepare(encoder_source)), TorchEncoder(encoder_source, device="cpu")):
        long = "salt " * 120
        vector = encoder.encode_queries([long])[0]
        assert vector.shape == (32,) and np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)
        assert not np.allclose(vector, encoder.encode_queries([long + "rust iron oil " * 5])[0], atol=1e-3)
        assert np.allclose(encoder.encode_queries(["salt"])[0], encoder.encode_queries([" salt"])[0], atol=1e-5)


@pytest.mark.usefixtures("compiled")
def test_a_query_without_blanks_is_encoded_to_its_end(encoder_source: ModelSource) -> None:
    for encoder in (OnnxEncoder(prepare(encoder_source)), TorchEncoder(encoder_source, device="cpu")):
        vectors = encoder.encode_queries(["salt-" * 4000, "salt-" * 4000 + "rust-iron-oil-" * 500])
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)
        assert not np.allclose(*vectors, atol=1e-3)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("letter", ["s", "か", "ก", "한"])
def test_a_query_that_is_one_long_word_is_read_to_its_end(
    encoder_source: ModelSource, tiny_reranker: Path, letter: str
) -> None:
    """To the tokenizer 300 and 400 of them are the same unknown word."""
    short, long = letter * 300, letter * 400
    for encoder in (OnnxEncoder(prepare(encoder_source)), TorchEncoder(encoder_source, device="cpu")):
        assert not np.array_equal(*encoder.encode_queries([short, long]))
    source = find_model(str(tiny_reranker), "reranker")
    for reranker in (OnnxReranker(prepare(source)), TorchReranker(source, device="cpu")):
        few, more = (reranker.score_pairs(query, PROBE_PASSAGES) for query in (short, long))
        assert (few.pieces, few.logits.tolist()) != (more.pieces, more.logits.tolist())


@pytest.mark.usefixtures("compiled")
def test_a_reranker_asks_a_long_query_in_pieces_to_its_end(
    reranker_source: ModelSource, encoder_source: ModelSource
) -> None:
    """Both runtimes: the logits are those of the pieces combined, the same for a passage alone."""
    query = "salt water list. " * 60 + "bread dough starter. " * 3
    count_tokens = TorchEncoder(encoder_source, device="cpu").count_tokens
    pieces = query_pieces(query, room=query_room(64), count_tokens=count_tokens)
    for reranker in (OnnxReranker(prepare(reranker_source)), TorchReranker(reranker_source, device="cpu")):
        scores = reranker.score_pairs(query, PROBE_PASSAGES)
        apart = np.stack([reranker.score_pairs(piece, PROBE_PASSAGES).logits for piece in pieces])
        assert scores.pieces == len(pieces) > 7
        assert scores.logits == pytest.approx(combined(apart), abs=1e-4)
        assert reranker.score_pairs(query, PROBE_PASSAGES[:1]).logits == pytest.approx(scores.logits[:1], abs=1e-4)
        other = reranker.score_pairs(query + "rust iron oil. " * 3, PROBE_PASSAGES)
        assert np.abs(other.logits - scores.logits).max() > 1e-4


@pytest.mark.usefixtures("compiled")
def test_a_passage_that_is_whole_beside_a_short_query_is_whole_beside_a_long_one(reranker_source: ModelSource) -> None:
    short, passages = "salt " * query_room(64), ["water " * 29]
    for reranker in (OnnxReranker(prepare(reranker_source)), TorchReranker(reranker_source, device="cpu")):
        for query in (short, short * 9, "salt-" * 200):
            assert reranker.score_pairs(query, passages).truncated == 0
        assert reranker.score_pairs(short, ["water " * 30]).truncated == 1


# What does not compile well


def test_an_int8_graph_that_disagrees_gives_way_to_float32(
    encoder_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = iter([0.9, 0.99999])
    monkeypatch.setattr(compiler, "_agreement", lambda *_: next(agreement))
    compiled = prepare(encoder_source)
    assert (compiled.precision, compiled.agreement) == ("float32", 0.99999)
    original = TorchEncoder(encoder_source, device="cpu").encode_passages(PROBE_PASSAGES)
    assert (OnnxEncoder(compiled).encode_passages(PROBE_PASSAGES) * original).sum(axis=1).min() > 0.9999
    assert sorted(path.name for path in compiled.folder.iterdir()) == PARTS


@pytest.mark.usefixtures("compiled")
def test_a_reranker_that_int8_with_evened_channels_spoils_is_quantized_without(
    tiny_interaction_reranker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it disagrees or cannot be made; the graph of the other form knows no sizes of tokens."""
    import onnx

    source = find_model(str(tiny_interaction_reranker), "reranker")
    evened = [node.op_type for node in onnx.load(str(prepare(source).folder / GRAPH_NAME)).graph.node]
    assert "Reciprocal" in evened

    def fail(_: object) -> None:
        raise RuntimeError("no samples")

    agreement = iter([0.9, 0.99])
    for name, instead in (("_agreement", lambda *_: next(agreement)), ("_samples", fail)):
        with monkeypatch.context() as patch:
            patch.setattr(compiler, name, instead)
            compiled = prepare(source, afresh=True)
        assert compiled.precision == "int8"
        plain = [node.op_type for node in onnx.load(str(compiled.folder / GRAPH_NAME)).graph.node]
        assert set(plain) & INT8_PRODUCTS and "Reciprocal" not in plain


def test_a_graph_whose_weights_lie_in_files_of_their_own_is_moved_with_them(
    encoder_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one of more than 2 GB is exported."""
    import onnx

    export = compiler._export

    def apart(loaded: object, path: Path, *, output: str) -> None:
        export(loaded, path, output=output)
        onnx.save(onnx.load(str(path)), str(path), save_as_external_data=True, location="weights", size_threshold=0)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no int8")

    monkeypatch.setattr(compiler, "_export", apart)
    assert prepare(encoder_source).precision == "int8"
    monkeypatch.setattr(compiler, "quantize", fail)
    compiled = prepare(encoder_source, afresh=True)
    assert compiled.precision == "float32"
    assert sorted(path.name for path in compiled.folder.iterdir()) == [*PARTS, "weights"]
    original = TorchEncoder(encoder_source, device="cpu").encode_passages(PROBE_PASSAGES)
    assert (OnnxEncoder(compiled).encode_passages(PROBE_PASSAGES) * original).sum(axis=1).min() > 0.9999


def test_a_graph_that_disagrees_even_in_float32_is_not_used(
    encoder_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "_agreement", lambda *_: 0.5)
    compiled = prepare(encoder_source)
    assert (compiled.precision, compiled.reason) == ("none", "the compiled model disagrees with the original (0.500)")
    assert [path.name for path in compiled.folder.iterdir()] == ["compiled.json"]


def test_what_cannot_be_exported_is_run_by_torch_from_then_on(
    encoder_source: ModelSource, reranker_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator\nand more")

    monkeypatch.setattr(compiler, "_export", fail)
    compiled = prepare(encoder_source)
    assert (compiled.precision, compiled.reason) == ("none", "RuntimeError: no such operator")
    monkeypatch.setattr(compiler, "compile_model", fail)
    vectors = open_encoder(encoder_source.name).encode_passages(PROBE_PASSAGES)
    original = TorchEncoder(encoder_source, device="cpu").encode_passages(PROBE_PASSAGES)
    assert vectors == pytest.approx(original, abs=1e-5)


def wrapped(*_: object, **__: object) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError as error:
        raise RuntimeError("the graph cannot be saved") from error


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("step", ["_export", "quantize"])
@pytest.mark.parametrize(
    ("fail", "part"),
    [
        (raising(OSError(errno.ENOSPC, "No space left on device")), "cannot be written"),
        (raising(MemoryError()), "too little memory"),
        (raising(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 bytes")), "too little memory"),
        (wrapped, "cannot be written"),
    ],
)
def test_a_full_disk_or_memory_is_not_remembered_as_a_model_that_does_not_compile(
    encoder_source: ModelSource, monkeypatch: pytest.MonkeyPatch, step: str, fail: Callable[..., None], part: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(compiler, step, fail)
        with pytest.raises(ModelError, match=part):
            prepare(encoder_source)
    assert find_compiled(encoder_source) is None
    assert prepare(encoder_source).precision == "int8"


def test_an_exporters_own_error_beside_a_full_disk_is_not_taken_for_the_models(
    encoder_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_up(*_: object, **__: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        raise RuntimeError("the graph cannot be saved")

    monkeypatch.setattr(compiler, "quantize", fill_up)
    try:
        with pytest.raises(ModelError, match="File too large"):
            prepare(encoder_source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert find_compiled(encoder_source) is None


def test_a_model_that_leaves_its_prompt_out_of_the_pooling_is_not_compiled(tiny_encoder: Path, tmp_path: Path) -> None:
    """Pooling that leaves the prompt out is no part of the graph: torch has to run such a model."""
    shutil.copytree(tiny_encoder, tmp_path / "model")
    rewrite_json(tmp_path / "model" / "1_Pooling" / "config.json", include_prompt=False)
    source = find_model(str(tmp_path / "model"), "encoder")
    compiled = prepare(source)
    assert compiled.precision == "none" and "prompt" in compiled.reason


# What another process or a crash left


AT_WORK = """
import sys
from pathlib import Path
from rerank_cli.models.publish import _one_at_a_time

target, made = map(Path, sys.argv[1:])
with _one_at_a_time(target, target.name, lambda progress: None):
    print("at work", flush=True)
    sys.stdin.read()
    made.rename(target)
"""


@pytest.mark.usefixtures("compiled")
def test_of_two_processes_that_compile_at_once_the_second_takes_what_the_first_made(
    encoder_source: ModelSource, tmp_path: Path, watched_clock: WatchedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = compiled_folder(encoder_source.fingerprint)
    made = target.rename(tmp_path / "made")
    monkeypatch.setattr(compiler, "_compile_into", lambda *_, **__: pytest.fail("it compiles as well"))
    command = [sys.executable, "-c", AT_WORK, target, made]
    told: list[Progress] = []
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == "at work\n"
        ours = pool.submit(prepare, encoder_source, listener=told.append)
        watched_clock.until_others_wait(1)
        other.communicate()
        assert other.returncode == 0
        assert ours.result().folder == target
    assert told[0].stage.startswith("wait for another process")
    assert sorted(path.name for path in target.iterdir()) == INT8_PARTS


@pytest.mark.usefixtures("compiled")
def test_a_cut_off_record_is_made_again(encoder_source: ModelSource) -> None:
    record = prepare(encoder_source).folder / "compiled.json"
    record.write_text(record.read_text()[:40])
    assert find_compiled(encoder_source) is None
    assert prepare(encoder_source).precision == "int8"
    assert find_compiled(encoder_source) is not None


@pytest.mark.usefixtures("compiled")
def test_a_compiled_model_of_an_older_compiler_is_made_again(encoder_source: ModelSource) -> None:
    rewrite_json(prepare(encoder_source).folder / "compiled.json", compiler_version=0)
    assert find_compiled(encoder_source) is None


def flip(path: Path) -> None:
    """Change one bit in the middle, and put the time back."""
    stamp, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    ("name", "damage"),
    [*((name, flip) for name in INT8_PARTS), *((GRAPH_NAME, damage) for damage in (empty, cut, Path.unlink)),
     ("compiled.json", become_a_folder)],
)  # fmt: skip
def test_a_damaged_part_is_compiled_again_without_a_word(
    encoder_source: ModelSource, name: str, damage: Callable[[Path], None]
) -> None:
    before = open_encoder(encoder_source.name).encode_queries([QUERY])
    damage(compiled_folder(encoder_source.fingerprint) / name)
    assert find_compiled(encoder_source) is None
    assert model_state(encoder_source.name, "encoder").compiled is None
    told: list[Progress] = []
    after = open_encoder(encoder_source.name, listener=told.append).encode_queries([QUERY])
    assert np.array_equal(after, before)
    assert {each.stage for each in told} == {f"compile {encoder_source.name}"}
    assert [each.done for each in told] == [0, 1, 2, 3, 4, 5] and {each.total for each in told} == {5}
    assert all("once on a machine" in each.note for each in told)
    assert model_state(encoder_source.name, "encoder").compiled is not None


def test_weights_in_a_file_of_their_own_are_checked_as_well(
    encoder_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "_forms", float32_with_weights_apart)
    compiled = prepare(encoder_source, afresh=True)
    flip(compiled.folder / "weights")
    assert find_compiled(encoder_source) is None


def float32_with_weights_apart(folder: Path, *_: object, exact: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    def write() -> None:
        import onnx

        graph = onnx.load(str(exact / GRAPH_NAME))
        onnx.save(graph, str(folder / GRAPH_NAME), save_as_external_data=True, location="weights", size_threshold=0)

    yield "float32", write


@pytest.mark.usefixtures("compiled")
def test_what_was_compiled_of_another_model_is_not_run(
    encoder_source: ModelSource, tiny_reranker: Path, tmp_path: Path
) -> None:
    """Neither its graph, nor its whole folder, nor its folder with this model's fingerprint written into the record."""
    reranker = find_model(str(tiny_reranker), "reranker")
    encoders, rerankers = (prepare(source).folder for source in (encoder_source, reranker))
    before = open_reranker(reranker.name).score_pairs(QUERY, PROBE_PASSAGES).logits

    def swap_graph() -> None:
        shutil.copy(encoders / GRAPH_NAME, rerankers / GRAPH_NAME)

    def swap_all() -> None:
        shutil.rmtree(rerankers)
        shutil.copytree(encoders, rerankers)

    def swap_all_and_rename() -> None:
        swap_all()
        rewrite_json(rerankers / "compiled.json", fingerprint=reranker.fingerprint)

    for swap in (swap_graph, swap_all, swap_all_and_rename):
        swap()
        assert model_state(reranker.name, "reranker").damage
        assert str(rerankers) in model_state(reranker.name, "reranker").damage
        assert np.array_equal(open_reranker(reranker.name).score_pairs(QUERY, PROBE_PASSAGES).logits, before)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    "change", [{"max_tokens": 7}, {"activation": "identity"}, {"width": 3}, {"query_prompt": "x"}, {"parts": {}}]
)
def test_a_record_that_says_something_else_than_was_written_is_made_again(
    encoder_source: ModelSource, change: dict[str, object]
) -> None:
    record = prepare(encoder_source).folder / "compiled.json"
    rewrite_json(record, **change, reason="other")
    assert find_compiled(encoder_source) is None
    assert prepare(encoder_source).reason == ""


def test_the_state_of_a_model_says_what_is_here(encoder_source: ModelSource, tmp_path: Path) -> None:
    state = model_state(str(tmp_path / "none"), "encoder")
    assert (state.source, state.compiled, state.damage) == (None, None, "") and "no such encoder" in str(state.failure)
    state = model_state(encoder_source.name, "encoder")
    assert (state.source, state.failure, state.compiled, state.damage) == (encoder_source, None, None, "")
    compiled = prepare(encoder_source)
    assert model_state(encoder_source.name, "encoder").compiled == compiled


# What a killed compile left


KILLED = """
import os, signal, sys
from rerank_cli.models import compile
from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import prepare

def die(folder, source, loaded, step, *, exact):
    (exact / compile.GRAPH_NAME).write_text("a graph")
    print("at work", flush=True)
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)

compile.load_sentence_transformer = lambda source: None  # which takes long, and is no part of this
compile._compile_into = die
prepare(find_model(sys.argv[1], "encoder"), afresh=True)
"""


def test_what_a_compile_works_in_is_left_alone_and_removed_by_the_next_of_any_model_once_it_was_killed(
    encoder_source: ModelSource, tiny_reranker: Path, tmp_path: Path
) -> None:
    reranker = find_model(str(tiny_reranker), "reranker")
    command = [sys.executable, "-c", KILLED, encoder_source.name]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "at work\n"
        (works_in,) = compiled_folder(reranker.fingerprint).parent.glob(".compiling-*")
        prepare(reranker)
        assert (works_in / "float32" / GRAPH_NAME).is_file()
    finally:
        running.communicate()
    kept = shutil.copytree(works_in, tmp_path / "kept")
    for source in (encoder_source, reranker):
        shutil.copytree(kept, works_in, dirs_exist_ok=True)
        prepare(source, afresh=True)
        assert not list(works_in.parent.glob(".compiling-*"))


def test_the_cache_is_private_and_tightened_when_it_is_used_again(encoder_source: ModelSource) -> None:
    before = os.umask(0)
    try:
        prepare(encoder_source, afresh=True)
    finally:
        os.umask(before)
    kept = [cache_folder(), *cache_folder().rglob("*")]
    for loosened in (0, 0o055):
        for path in kept:
            path.chmod(path.stat().st_mode | loosened)
        find_model(encoder_source.name, "encoder")
        assert [path for path in kept if path.stat().st_mode & 0o077] == []


# What gives no number


def poison(folder: Path) -> None:
    """Make each weight that the last layer multiplies with infinite, so that its sums are no numbers."""
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    for name, values in weights.items():
        if "embeddings" not in name:
            weights[name] = np.full_like(values, np.inf)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_model_that_gives_no_numbers_is_an_error_with_its_name(
    tiny_encoder: Path, tiny_reranker: Path, tmp_path: Path
) -> None:
    encoder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    reranker = shutil.copytree(tiny_reranker, tmp_path / "reranker")
    for folder in (encoder, reranker):
        poison(folder)
    for ask in (
        lambda: open_encoder(str(encoder)).encode_queries([QUERY]),
        lambda: open_encoder(str(encoder)).encode_passages([QUERY]),
        lambda: open_reranker(str(reranker)).score_pairs(QUERY, PROBE_PASSAGES),
    ):
        with pytest.raises(ModelError, match="not finite") as refused:
            ask()
        assert str(tmp_path) in str(refused.value) and refused.value.exit_code == 4


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_graph_that_gives_no_numbers_is_an_error_with_its_models_name(
    encoder_source: ModelSource, tiny_reranker: Path, monkeypatch: pytest.MonkeyPatch, number: float
) -> None:
    encoder, reranker = open_encoder(encoder_source.name), open_reranker(str(tiny_reranker))
    assert len(encoder.encode_queries(["x"])) == len(reranker.score_pairs(QUERY, ["x"]).logits) == 1
    run = _Runtime.run

    def spoil(runtime: _Runtime, encoding: object) -> object:
        output = run(runtime, encoding).copy()
        output.flat[-1] = number
        return output

    monkeypatch.setattr(_Runtime, "run", spoil)
    for name, ask in (
        (encoder_source.name, lambda: encoder.encode_queries([QUERY])),
        (encoder_source.name, lambda: encoder.encode_passages([QUERY])),
        (str(tiny_reranker), lambda: reranker.score_pairs(QUERY, PROBE_PASSAGES)),
    ):
        with pytest.raises(ModelError, match="not finite") as refused:
            ask()
        assert str(refused.value).startswith(f"{name}: ")


@pytest.mark.usefixtures("compiled")
def test_a_vector_too_long_to_have_a_length_is_an_error(
    encoder_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = open_encoder(encoder_source.name)
    assert len(encoder.encode_queries(["x"])) == 1
    monkeypatch.setattr(_Runtime, "run", lambda *_: np.full((1, 32), 1e38, dtype=np.float32))
    with np.errstate(over="ignore"), pytest.raises(ModelError, match="not finite"):
        encoder.encode_queries([QUERY])


@pytest.mark.usefixtures("compiled")
def test_preparing_afresh_replaces_what_was_there(encoder_source: ModelSource) -> None:
    graph = prepare(encoder_source).folder / "model.onnx"
    before = graph.stat()
    prepare(encoder_source, afresh=True)
    assert graph.stat().st_ino != before.st_ino or graph.stat().st_mtime_ns != before.st_mtime_ns
    assert open_encoder(encoder_source.name).encode_queries(["x"])[0].shape == (32,)


def test_a_cache_that_cannot_be_written_is_an_error(
    encoder_source: ModelSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot be written"):
        prepare(encoder_source)


def test_a_model_that_does_not_load_is_an_error_of_one_line(tiny_encoder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_encoder, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="cannot be loaded") as refused:
        prepare(find_model(str(tmp_path / "model"), "encoder"))
    assert "\n" not in str(refused.value)


def test_a_classifier_of_several_classes_is_no_reranker(models: Path, tmp_path: Path) -> None:
    from tests.tiny_models import random_bert

    folder = random_bert(tmp_path / "classes", window=64, labels=3)
    with pytest.raises(ModelError, match="gives 3 scores a pair"):
        prepare(find_model(str(folder), "reranker"))


def test_opening_a_model_loads_nothing(reranker_source: ModelSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.models.loading.prepare", None)
    assert open_reranker(reranker_source.name).fingerprint == reranker_source.fingerprint


def test_rank_correlation_is_1_for_equal_order_and_minus_1_for_the_reverse() -> None:
    assert compiler.rank_correlation([1, 2, 5], [0.1, 0.2, 0.3]) == pytest.approx(1.0)
    assert compiler.rank_correlation([1, 2, 5], [3, 2, 1]) == pytest.approx(-1.0)


def test_what_was_prepared_is_listed_although_no_setting_names_it(tiny_encoder: Path, cli: Cli) -> None:
    assert cli("models", "prepare", f"encoder:{tiny_encoder}").code == 0
    listed = cli("models", "--json").json["models"]
    record = next(record for record in listed if record["name"] == str(tiny_encoder))
    assert (record["kind"], record["origin"], record["folder"]) == ("encoder", "folder", str(tiny_encoder))
    assert record["compiled"] and record["size_bytes"] > 0


def test_a_compile_that_hangs_elsewhere_is_told_of_and_not_waited_for_without_end(
    tiny_reranker: Path, model_cache: Path, idle_clock: IdleClock
) -> None:
    source = find_model(str(tiny_reranker), "reranker")
    target = compiled_folder(source.fingerprint)
    target.parent.mkdir(parents=True, exist_ok=True)
    hold = "import fcntl, os, sys, time; lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
    hold += "lock.write(f'{os.getpid()}\\n'); lock.flush(); print('held', flush=True); time.sleep(600)"
    lock = target.with_name(f".{target.name}.lock")
    holder = subprocess.Popen([sys.executable, "-c", hold, lock], stdout=subprocess.PIPE, text=True)
    told: list[Progress] = []
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)
        with pytest.raises(Busy, match=rf"another process .* \(process {holder.pid}\)"):
            prepare(source, afresh=True, listener=told.append)
    finally:
        holder.kill()
        holder.communicate()
    assert told and all("wait for another process" in progress.stage for progress in told)
    assert prepare(source, afresh=True).precision != ""
