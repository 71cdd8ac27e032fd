"""The module that a new reranker ends with: late interaction of token states that have seen both texts.

It is written into the folder of each model that is trained, so that sentence-transformers can load that without this
package. The folder of the built-in one names this module in its place.
"""

from pathlib import Path
from typing import Any

import torch
from sentence_transformers.base.modules.module import Module

SAVED_NAME = "interaction.LateInteraction"
"""What `modules.json` calls the class where this file lies beside it."""

FIRST_SCALE = 40.0
"""What the softmax over a query's passages wants of all-MiniLM-L6-v2's cosines before any training."""


class LateInteraction(Module):
    """From token states of query and passage read together, shape (texts, tokens, width), to (texts, width + 1).

    First the mean state through a tanh layer that starts as the identity. Last, for each token of the query the
    greatest cosine with a token of the passage (MaxSim; Khattab and Zaharia, 2020, ColBERT), averaged with weights
    that are learned from the states. A sentence encoder's layers order passages well by the latter before they are
    trained, and keep more of what they know than under a fresh classifier. Token types must tell the query (0)
    from the passage (1).
    """

    config_keys: list[str] = ["width"]  # noqa: RUF012 - as the base class has it

    def __init__(self, width: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.width = width
        self.inner = torch.nn.Linear(width, width)
        self.importance = torch.nn.Linear(width, 1)
        self.scale = torch.nn.Parameter(torch.tensor([FIRST_SCALE]))
        with torch.no_grad():
            self.inner.weight.copy_(torch.eye(width))
            self.inner.bias.zero_()
            self.importance.weight.zero_()
            self.importance.bias.zero_()

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        states = features["token_embeddings"].to(self.scale.dtype)  # some layers end in what autocast computes in
        with torch.autocast(states.device.type, enabled=False):  # bfloat16 cannot tell cosines this close apart
            real = features["attention_mask"].to(states.dtype)
            passage = features["token_type_ids"].to(states.dtype) * real
            parts = [self._read(states, real), self._match(states, real, passage)]
            features["sentence_embedding"] = torch.cat(parts, dim=-1)
        return features

    def _read(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        mean = (states * real.unsqueeze(-1)).sum(dim=1) / real.sum(dim=1, keepdim=True)
        return torch.tanh(self.inner(mean))

    def _match(self, states: torch.Tensor, real: torch.Tensor, passage: torch.Tensor) -> torch.Tensor:
        unit = torch.nn.functional.normalize(states, dim=-1)
        cosines = unit @ unit.transpose(1, 2) - 4.0 * (1.0 - passage).unsqueeze(1)
        weights = torch.softmax(self.importance(states).squeeze(-1) - 1e4 * (1.0 - real + passage), dim=-1)
        return self.scale * (weights * cosines.amax(dim=-1)).sum(dim=-1, keepdim=True)

    def get_embedding_dimension(self) -> int:
        return self.width + 1

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        Path(output_path).mkdir(parents=True, exist_ok=True)
        self.save_config(output_path)
        self.save_torch_weights(output_path, safe_serialization=safe_serialization)

    @classmethod
    def load(
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: bool | str | None = None,
        cache_folder: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        init_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> "LateInteraction":
        place: dict[str, Any] = {
            "subfolder": subfolder,
            "token": token,
            "cache_folder": cache_folder,
            "revision": revision,
            "local_files_only": local_files_only,
        }
        module = cls(**cls.load_config(model_name_or_path=model_name_or_path, **place))
        loaded: LateInteraction = cls.load_torch_weights(model_name_or_path=model_name_or_path, model=module, **place)
        return loaded
