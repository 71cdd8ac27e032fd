from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rerank_cli.errors import UsageError
from rerank_cli.models import train as training
from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.interaction import LateInteraction
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.torch import load_cross_encoder, pair_logits
from rerank_cli.models.train import (
    Fit,
    Group,
    Watch,
    carries_code,
    last_checkpoint,
    new_cross_encoder,
    save_half_precision,
    train_reranker,
)
from tests.models.conftest import rewrite_json

TOPICS = ("boiler", "garden", "kettle", "ferry", "chisel", "wasp", "piano", "radio", "violin", "tram", "bread", "lamp")


def topic_groups() -> list[Group]:
    rng = random.Random(3)
    return [
        Group(f"where is the {topic}", (f"the {topic} is here", *rng.sample(others, 2)), (0.9, 0.05, 0.05))
        for topic in TOPICS
        for others in [[f"the {other} is here" for other in TOPICS if other != topic]]
    ]


def test_a_few_steps_teach_the_order_and_the_folder_needs_nothing_of_this_package(tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    from sentence_transformers import CrossEncoder

    groups = topic_groups()
    fit = Fit(max_tokens=32, batch_queries=4, learning_rate=3e-4, checkpoint_steps=1000, bf16=False)
    model = new_cross_encoder(find_model(BUILTIN_ENCODER, "encoder").folder)
    fitted = train_reranker(groups * 4, model=model, checkpoints=tmp_path / "work", fit=fit, resume=False)
    assert (fitted.steps, fitted.epochs, fitted.best) == (12, 1.0, None)
    save_half_precision(model, tmp_path / "model", window=512)
    assert not (tmp_path / "model" / "README.md").exists()
    options: Any = {"device": "cpu", "trust_remote_code": True, "model_kwargs": {"dtype": "float32"}}
    loaded = CrossEncoder(str(tmp_path / "model"), **options)
    assert type(loaded[1]).__module__.startswith("transformers_modules."), "the folder's own copy"
    loaded.float()
    assert loaded.max_seq_length == 512
    first = [int(np.argmax(loaded.predict([(g.query, passage) for passage in g.passages]))) for g in groups]
    assert sum(place == 0 for place in first) >= 10


def test_a_new_cross_encoder_orders_before_any_training_and_its_logits_are_low() -> None:
    model = new_cross_encoder(find_model(BUILTIN_ENCODER, "encoder").folder, device="cpu")
    logits = np.stack([pair_logits(model, query, PROBE_PASSAGES) for query in PROBE_QUERIES])
    assert logits.mean() == pytest.approx(-5.0, abs=0.01)
    answered = zip(logits, ([0], [2], [4], [6, 9]), strict=True)
    assert np.mean([row[answers].mean() - row.mean() for row, answers in answered]) > 1.0


def without_token_types(base: Path) -> None:
    rewrite_json(base / "tokenizer_config.json", model_input_names=["input_ids", "attention_mask"])


def with_equal_token_types(base: Path) -> None:
    rewrite_json(base / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    template = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))["post_processor"]
    for part in template["pair"]:
        next(iter(part.values()))["type_id"] = 0
    rewrite_json(base / "tokenizer.json", post_processor=template)


@pytest.mark.parametrize("spoil", [without_token_types, with_equal_token_types])
def test_a_base_whose_token_types_tell_nothing_gets_a_plain_head(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    base = tmp_path / "base"
    shutil.copytree(find_model(BUILTIN_ENCODER, "encoder").folder, base)
    spoil(base)
    model = new_cross_encoder(base, device="cpu")
    assert [type(module).__name__ for module in model] == ["Transformer", "Pooling", "Dense", "Dense"]
    assert not carries_code(model)
    logits = np.stack([pair_logits(model, query, PROBE_PASSAGES) for query in PROBE_QUERIES])
    assert logits.mean() == pytest.approx(-5.0, abs=0.01)


def test_a_folder_s_own_copy_of_our_module_is_not_run(tmp_path: Path) -> None:
    model = new_cross_encoder(find_model(BUILTIN_ENCODER, "encoder").folder, device="cpu")
    save_half_precision(model, tmp_path / "model", window=512)
    (tmp_path / "model" / "interaction.py").write_text("raise RuntimeError('run')")
    loaded = load_cross_encoder(find_model(str(tmp_path / "model"), "reranker"))
    assert type(loaded[1]) is LateInteraction


def test_a_new_cross_encoder_reads_as_much_as_its_base() -> None:
    base = find_model(BUILTIN_ENCODER, "encoder").folder
    assert new_cross_encoder(base, device="cpu").max_seq_length == 512


def test_of_a_pair_that_is_too_long_the_passage_is_cut_in_training_too(tiny_reranker: Path) -> None:
    """The window is 64 tokens; what counts as the longer half would else lose its end."""
    model = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
    query, passages = "salt " * 44 + "iron", ["water oil " * 30, "rust pan"]
    with torch.no_grad():
        logits = training._logits_in_length_order(model, [query], [passages]).numpy()
    assert logits[0] == pytest.approx(pair_logits(model, query, passages), abs=1e-5)
    with torch.no_grad():
        other = training._logits_in_length_order(model, ["salt " * 44 + "bread"], [passages]).numpy()
    assert np.abs(other - logits).min() > 1e-4


def watched(folder: Path, base: Path, qualities: list[float], *, patience: int = 2) -> training.Fitted:
    """Train for up to 12 steps and let *qualities* be what each validation says; each step costs one."""
    model = load_cross_encoder(find_model(str(base), "reranker"))
    given = iter(qualities)
    watch = Watch(quality=lambda: next(given), before=0.5, every_steps=1, patience=patience)
    fit = Fit(max_tokens=32, batch_queries=4, epochs=4, bf16=False)
    return train_reranker(topic_groups(), model=model, checkpoints=folder, fit=fit, resume=False, watch=watch)


def test_training_stops_early_and_the_best_checkpoint_is_kept(tmp_path: Path, tiny_reranker: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    fitted = watched(tmp_path, tiny_reranker, [0.6, 0.8, 0.7, 0.75])
    assert fitted.measured == ((1, 0.6), (2, 0.8), (3, 0.7), (4, 0.75))
    assert fitted.best == tmp_path / "checkpoint-2"
    assert (fitted.best / "model.safetensors").exists()
    assert [path for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077] == [], "others could read checkpoints"


def test_the_start_counts_as_the_first_best(tmp_path: Path, tiny_reranker: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    fitted = watched(tmp_path, tiny_reranker, [0.5, 0.4, 0.9])
    assert (fitted.steps, fitted.best) == (2, None)


def test_the_last_step_is_measured_and_kept_too(tmp_path: Path, tiny_reranker: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    model = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
    watch = Watch(quality=lambda: 0.9, before=0.5, every_steps=3, patience=9)
    fit = Fit(max_tokens=32, batch_queries=4, epochs=9, max_steps=4, bf16=False)
    fitted = train_reranker(topic_groups(), model=model, checkpoints=tmp_path, fit=fit, resume=False, watch=watch)
    assert [step for step, _ in fitted.measured] == [3, 4]
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-4"


def test_a_limit_of_steps_is_no_reason_to_go_beyond_the_epochs(tmp_path: Path, tiny_reranker: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    model = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
    fit = Fit(max_tokens=32, batch_queries=4, epochs=2, max_steps=100, bf16=False)
    fitted = train_reranker(topic_groups(), model=model, checkpoints=tmp_path, fit=fit, resume=False)
    assert fitted.steps == 6


def test_embeddings_stay_as_they_were(tmp_path: Path, tiny_reranker: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    model: Any = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    fit = Fit(max_tokens=32, batch_queries=4, learning_rate=1e-2, bf16=False)
    train_reranker(topic_groups(), model=model, checkpoints=tmp_path, fit=fit, resume=False)
    changed = {name for name, weights in model.named_parameters() if not weights.equal(before[name])}
    assert changed and not any("embeddings" in name for name in changed)


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((9, '{"global_step": 9}'), (50, '{"global_step"'), (100, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if state is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-late").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-9"
    assert last_checkpoint(tmp_path / "none") is None


def test_weights_beyond_half_precision_are_written_as_they_are(tmp_path: Path, tiny_reranker: Path) -> None:
    import torch
    from safetensors.torch import load_file

    for name, largest, dtype in (("half", 1.0, torch.float16), ("whole", 1e6, torch.float32)):
        model: Any = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
        with torch.no_grad():
            next(model.parameters()).view(-1)[0] = largest
        save_half_precision(model, tmp_path / name, window=48)
        saved = load_file(tmp_path / name / "model.safetensors")
        assert {weights.dtype for weights in saved.values() if weights.is_floating_point()} == {dtype}
        assert json.loads((tmp_path / name / "tokenizer_config.json").read_text())["model_max_length"] == 48


def test_a_missing_extra_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="accelerate and datasets") as caught:
        training.check_installed()
    assert caught.value.remedy.endswith("pip install 'rerank-cli[train]'")
