"""Answers for language models, by the Model Context Protocol: `answers` has what the tools do, `server` speaks it."""
