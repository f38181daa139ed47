"""graphvoip: phone calls as graphs of sound.

async def handler(call):
    await call.playTone(420, .5)
    key = await call.getDTMF()

This is the whole public surface; nodes are in graphvoip.nodes, kernels in graphvoip.kernel. Each name is loaded when it
is first used, so importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .call import Call as Call
    from .call import RecordController as RecordController
    from .client import one_at_a_time as one_at_a_time
    from .client import runVoipClient as runVoipClient
    from .client import serve as serve
    from .dtmf import detect_dtmf as detect_dtmf
    from .io import DeviceError as DeviceError
    from .io.wav import loadWAVtoPCM as loadWAVtoPCM
    from .io.wav import savePCMtoWAV as savePCMtoWAV
    from .node import Event as Event
    from .node import File as File
    from .node import Node as Node
    from .node import Option as Option
    from .node import Output as Output
    from .node import Signal as Signal
    from .node import Signals as Signals
    from .node import Sound as Sound
    from .node import State as State
    from .offline import render as render
    from .patchfile import PatchError as PatchError
    from .patchfile import load_patch as load_patch
    from .patchwriter import save_patch as save_patch
    from .pcm import PCM as PCM
    from .pcm import normalizePCM as normalizePCM
    from .playback import Playback as Playback
    from .playback import Synth as Synth
    from .recipe import Param as Param
    from .recipe import Patch as Patch
    from .recipe import patch as patch
    from .recipe import poly as poly
    from .sstv import sstv_decode as sstv_decode
    from .sstv import sstv_encode as sstv_encode
    from .tts import TTStoPCM as TTStoPCM

__version__ = "0.1.0"

_HOMES = {
    "call": "Call RecordController",
    "client": "one_at_a_time runVoipClient serve",
    "dtmf": "detect_dtmf",
    "io": "DeviceError",
    "io.wav": "loadWAVtoPCM savePCMtoWAV",
    "node": "Event File Node Option Output Signal Signals Sound State",
    "recipe": "Param Patch patch poly",
    "patchfile": "PatchError load_patch",
    "patchwriter": "save_patch",
    "pcm": "PCM normalizePCM",
    "playback": "Playback Synth",
    "offline": "render",
    "sstv": "sstv_decode sstv_encode",
    "tts": "TTStoPCM",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'graphvoip' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value  # from now on the name, also where a module of ours is called so
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
