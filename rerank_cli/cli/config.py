"""`rerank-cli config`: every setting with its value and where that came from."""

from __future__ import annotations

import json
from dataclasses import asdict

from rerank_cli.cli.options import ConfigFile, Json, configured, working_folder
from rerank_cli.cli.terminal import printable


def run(config: ConfigFile = None, as_json: Json = False) -> int:
    """Print every setting with its value and where that came from; the output is a file for --config.

    \b
    Examples:
      rerank-cli config
      RERANK_CLI_TOP_K=50 rerank-cli config > ../fewer.yaml
    """
    from rerank_cli.config import as_yaml

    merged = configured(working_folder(), config, {})
    if as_json:
        values = {
            key: {"value": value, "origin": merged.origins[key]} for key, value in asdict(merged.settings).items()
        }
        print(json.dumps(values, ensure_ascii=False, indent=2))
        return 0
    lines = as_yaml(merged)
    width = max(len(f"{line.key}: {line.value}") for line in lines)
    for line in lines:
        setting = f"{line.key}: {line.value}"
        print(printable(f"{setting:<{width}}  # {line.origin}"))
    return 0
