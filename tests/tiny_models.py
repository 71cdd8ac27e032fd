"""Random models of one layer: they read and score as large ones do, and are built in no time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WORDS = (
    "the a an to of and is are in on for with how do i my it not from pan rust iron oil water password list sort "
    "function salt stove tired pale food vitamin account mail ferry sunday weather merge sequence memory blood count "
    "cold radiator boiler bleed key bread dough starter . , ? ( ) [ ] ; : ' - 1"
).split()
VOCABULARY = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *WORDS,
    *"bcdefghjklmnopqrsuvwxyz",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tiny models of the session lie."""
    return tmp_path_factory.mktemp("models")


def random_bert(folder: Path, *, window: int, labels: int | None, seed: int = 1) -> Path:
    """A random BERT of one layer in *folder*, with a small WordPiece vocabulary."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY), encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=window)
    tokenizer.save_pretrained(str(folder))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=window,
        initializer_range=0.5,
        num_labels=labels or 1,
    )
    model: Any = BertForSequenceClassification(config) if labels else BertModel(config)
    model.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(models: Path) -> Path:
    """A SentenceTransformer folder with prompts for queries and documents."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    transformer = Transformer(str(random_bert(models / "bert", window=64, labels=None)))
    modules = [transformer, Pooling(32), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu", prompts={"query": "key : ", "document": "list : "})
    model.save(str(models / "encoder"))
    return models / "encoder"


@pytest.fixture(scope="session")
def tiny_reranker(models: Path) -> Path:
    """A CrossEncoder folder of the sequence-classification kind; its scores are raw."""
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    folder = random_bert(models / "classifier", window=64, labels=1, seed=2)
    model = CrossEncoder(str(folder), device="cpu", activation_fn=Identity())
    model.save_pretrained(str(models / "reranker"))
    return models / "reranker"


@pytest.fixture(scope="session")
def tiny_modular_reranker(models: Path) -> Path:
    """A CrossEncoder folder of the modules kind, with Pooling and Dense; its scores pass a sigmoid."""
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer

    transformer = Transformer(str(random_bert(models / "scored", window=64, labels=None, seed=3)))
    dense = Dense(32, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    model = CrossEncoder(modules=[transformer, Pooling(32), dense], device="cpu", activation_fn=torch.nn.Sigmoid())
    model.save_pretrained(str(models / "modular"))
    return models / "modular"


@pytest.fixture(scope="session")
def tiny_interaction_reranker(models: Path, tiny_encoder: Path) -> Path:
    """A CrossEncoder folder that ends as a new reranker does, with a module of ours; nothing trained it."""
    import torch

    from rerank_cli.training.model_folder import save_half_precision
    from rerank_cli.training.new_reranker import new_cross_encoder

    torch.manual_seed(4)
    save_half_precision(new_cross_encoder(tiny_encoder, device="cpu"), models / "interaction", window=64)
    return models / "interaction"


def rewrite_json(path: Path, **changes: object) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, **changes}), encoding="utf-8")
