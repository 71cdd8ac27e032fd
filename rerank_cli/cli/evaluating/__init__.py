"""The work of `rerank-cli eval` and its commands, imported when one of them runs."""
