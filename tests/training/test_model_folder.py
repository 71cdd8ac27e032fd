from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.interaction import LateInteraction
from rerank_cli.models.torch import load_cross_encoder
from rerank_cli.training.model_folder import save_half_precision
from rerank_cli.training.new_reranker import new_cross_encoder


def test_a_folder_s_own_copy_of_our_module_is_not_run(tmp_path: Path) -> None:
    model = new_cross_encoder(find_model(BUILTIN_ENCODER, "encoder").folder, device="cpu")
    save_half_precision(model, tmp_path / "model", window=512)
    (tmp_path / "model" / "interaction.py").write_text("raise RuntimeError('run')")
    loaded = load_cross_encoder(find_model(str(tmp_path / "model"), "reranker"))
    assert type(loaded[1]) is LateInteraction


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
