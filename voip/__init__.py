"""The names of Quecey's VOIP library, for scripts that were written for it: `from voip import runVoipClient`.

Calls behave as they did there; docs/from-quecey-voip.md says where they differ. New programs import graphvoip.
"""

import importlib
from typing import TYPE_CHECKING, Any

# At once: imported later, the module would take the place of the function of the same name.
from .one_at_a_time import one_at_a_time as one_at_a_time

if TYPE_CHECKING:
    from ._client import runVoipClient
    from .engine import RecordController
    from .pcm import loadWAVtoPCM, normalizePCM, savePCMtoWAV
    from .tts import TTStoPCM

__all__ = [
    "RecordController",
    "TTStoPCM",
    "loadWAVtoPCM",
    "normalizePCM",
    "one_at_a_time",
    "runVoipClient",
    "savePCMtoWAV",
]

_HOME = {
    "RecordController": "engine",
    "TTStoPCM": "tts",
    "loadWAVtoPCM": "pcm",
    "normalizePCM": "pcm",
    "runVoipClient": "_client",
    "savePCMtoWAV": "pcm",
}
_MODULES = ("dtmf", "engine", "fake", "iface", "pcm", "pjsip", "tts")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, *_MODULES]
