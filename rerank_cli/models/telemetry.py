"""Keeps the libraries that run models from telling anybody of it."""

from __future__ import annotations

import os
import sys

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime: a device id, a queue of events, and their upload
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub and transformers: what runs here, told with each request
    "HF_XET_TELEMETRY_ENABLED": "0",  # hf_xet: how a download went
    "DISABLE_SAFETENSORS_CONVERSION": "1",  # transformers: asks a service to convert a model that was loaded
    "DO_NOT_TRACK": "1",  # whoever else heeds it
}
"""Each is read once, when its library is loaded or first used."""


def switch_off() -> None:
    """Turn off what is read later, and in libraries that were loaded before us what still can be.

    onnxruntime makes its device id when it is loaded; after that, it can only be told to send no more events.
    """
    os.environ.update(SWITCHES)
    if "onnxruntime" in sys.modules:
        sys.modules["onnxruntime"].disable_telemetry_events()
    if "huggingface_hub.constants" in sys.modules:
        vars(sys.modules["huggingface_hub.constants"])["HF_HUB_DISABLE_TELEMETRY"] = True
