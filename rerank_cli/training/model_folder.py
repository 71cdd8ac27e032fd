"""Writes a trained model as a folder that sentence-transformers loads by itself."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer


def save_half_precision(model: CrossEncoder | SentenceTransformer, folder: Path, *, window: int) -> None:
    """Write *model* as a sentence-transformers folder that reads *window* tokens; in half precision where that fits.

    Weights beyond its range (65,504) stay in float32. The model card is left out: sentence-transformers' own
    would quote the training texts. The source of `LateInteraction` goes with it: sentence-transformers loads such a
    folder with `trust_remote_code=True`.
    """
    import torch

    from rerank_cli.models import interaction

    if all(float(weights.detach().abs().max()) <= torch.finfo(torch.float16).max for weights in model.parameters()):
        model.half()
    model.max_seq_length = window
    model.save_pretrained(str(folder), create_model_card=False)
    if carries_code(model):
        listing = folder / "modules.json"
        ours = f"{interaction.__name__}.LateInteraction"
        listing.write_text(listing.read_text(encoding="utf-8").replace(ours, interaction.SAVED_NAME), encoding="utf-8")
        shutil.copy(interaction.__file__, folder)


def carries_code(model: CrossEncoder | SentenceTransformer) -> bool:
    """Whether *model* has a module of ours, whose source goes into its folder."""
    from rerank_cli.models.interaction import LateInteraction

    return any(isinstance(module, LateInteraction) for module in model)
