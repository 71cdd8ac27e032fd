"""The only door to models: whatever of it is imported, telemetry is off before a library that has some is loaded."""

from rerank_cli.models.telemetry import switch_off

switch_off()
