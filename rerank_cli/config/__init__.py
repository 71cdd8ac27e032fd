"""The settings of a run: defaults < user file < project file < environment < flags, each with its origin.

Files and variables are read as text, and each key's own kind says what the text means. YAML's guesses
(`no` is false, `1:30` is 90, `!!python/…` is a call) never come in, and a value is written the same way
in a file, in a variable and in the output of `rerank-cli config`.
"""

from rerank_cli.config.load import Config, Line, as_yaml, changed, load_config
from rerank_cli.config.settings import (
    BUILT_IN,
    FILE_KEYS,
    HELP,
    KINDS,
    MODEL_KEYS,
    MOST_CANDIDATES,
    PREFIX,
    PROJECT_KEYS,
    SERVE_TOKEN_VARIABLE,
    STORE_TOKEN_VARIABLE,
    Color,
    Depth,
    Device,
    Format,
    Settings,
    WorkersChoice,
    flag_of,
    key_variable,
    variable_of,
)
from rerank_cli.config.sources import PROJECT_FILE

__all__ = [
    "BUILT_IN",
    "FILE_KEYS",
    "HELP",
    "KINDS",
    "MODEL_KEYS",
    "MOST_CANDIDATES",
    "PREFIX",
    "PROJECT_FILE",
    "PROJECT_KEYS",
    "SERVE_TOKEN_VARIABLE",
    "STORE_TOKEN_VARIABLE",
    "Color",
    "Config",
    "Depth",
    "Device",
    "Format",
    "Line",
    "Settings",
    "WorkersChoice",
    "as_yaml",
    "changed",
    "flag_of",
    "key_variable",
    "load_config",
    "variable_of",
]
