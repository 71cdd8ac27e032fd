from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.torch import load_cross_encoder
from rerank_cli.training.destination import last_checkpoint
from rerank_cli.training.fitting import Fit, Fitted, Watch, fit_reranker
from rerank_cli.training.groups import Group
from rerank_cli.training.model_folder import save_half_precision
from rerank_cli.training.new_reranker import new_cross_encoder

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
    fitted = fit_reranker(groups * 4, model=model, checkpoints=tmp_path / "work", fit=fit, resume=False)
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


def watched(folder: Path, base: Path, qualities: list[float], *, patience: int = 2) -> Fitted:
    """Train for up to 12 steps and let *qualities* be what each validation says; each step costs one."""
    model = load_cross_encoder(find_model(str(base), "reranker"))
    given = iter(qualities)
    watch = Watch(quality=lambda: next(given), before=0.5, every_steps=1, patience=patience)
    fit = Fit(max_tokens=32, batch_queries=4, epochs=4, bf16=False)
    return fit_reranker(topic_groups(), model=model, checkpoints=folder, fit=fit, resume=False, watch=watch)


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
    fitted = fit_reranker(topic_groups(), model=model, checkpoints=tmp_path, fit=fit, resume=False, watch=watch)
    assert [step for step, _ in fitted.measured] == [3, 4]
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-4"


def test_a_limit_of_steps_is_no_reason_to_go_beyond_the_epochs(tmp_path: Path, tiny_reranker: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    model = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
    fit = Fit(max_tokens=32, batch_queries=4, epochs=2, max_steps=100, bf16=False)
    fitted = fit_reranker(topic_groups(), model=model, checkpoints=tmp_path, fit=fit, resume=False)
    assert fitted.steps == 6


def test_embeddings_stay_as_they_were(tmp_path: Path, tiny_reranker: Path) -> None:
    pytest.importorskip("datasets", reason="training needs the extra `train`")
    model: Any = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    fit = Fit(max_tokens=32, batch_queries=4, learning_rate=1e-2, bf16=False)
    fit_reranker(topic_groups(), model=model, checkpoints=tmp_path, fit=fit, resume=False)
    changed = {name for name, weights in model.named_parameters() if not weights.equal(before[name])}
    assert changed and not any("embeddings" in name for name in changed)
