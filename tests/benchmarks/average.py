#!/usr/bin/env python3
"""The mean of models that were trained from one base: `average.py OUTPUT MODEL…` (model soups; Wortsman et al., 2022).

OUTPUT becomes a copy of the first MODEL's folder with the mean of all their weights, in the precision of the first.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def main() -> None:
    output, first, *others = map(Path, sys.argv[1:])
    shutil.copytree(first, output)
    for path in sorted(output.rglob("*.safetensors")):
        place = path.relative_to(output)
        states = [load_file(model / place) for model in (first, *others)]
        mean = {name: torch.stack([each[name].double() for each in states]).mean(dim=0) for name in states[0]}
        kept = {name: weights.to(states[0][name].dtype) for name, weights in mean.items()}
        save_file(kept, path, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
