"""The documented import names: `from voip import runVoipClient`. All of it is graphvoip's, looked up when asked for."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphvoip import (
        RecordController,
        TTStoPCM,
        loadWAVtoPCM,
        normalizePCM,
        one_at_a_time,
        runVoipClient,
        savePCMtoWAV,
    )

__all__ = [
    "RecordController",
    "TTStoPCM",
    "loadWAVtoPCM",
    "normalizePCM",
    "one_at_a_time",
    "runVoipClient",
    "savePCMtoWAV",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import graphvoip

    return getattr(graphvoip, name)


def __dir__() -> list[str]:
    return __all__
