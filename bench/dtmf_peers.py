"""Other DTMF receivers, as functions of samples: spandsp by its library, multimon-ng as a command. None: not installed.

sudo apt-get install libspandsp2 multimon-ng
"""

import ctypes
import re
import shutil
import subprocess

import numpy as np

RATE = 8000


def _library() -> ctypes.CDLL | None:
    for name in ("libspandsp.so.2", "libspandsp.so.3"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            pass
    return None


_spandsp = _library()


def _by_spandsp(samples: np.ndarray, dial_tone_filter: int = 0) -> str:
    """dtmf_rx, in frames of 20 ms. Its parameters are the library's own but for the notch filter."""
    assert _spandsp
    _spandsp.dtmf_rx_init.restype = ctypes.c_void_p
    state = ctypes.c_void_p(_spandsp.dtmf_rx_init(None, None, None))
    if dial_tone_filter:
        _spandsp.dtmf_rx_parms(state, 1, -1, -1, -99)
    data = np.ascontiguousarray(np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16))
    found, text = "", ctypes.create_string_buffer(129)
    for at in range(0, len(data), 160):
        size = min(160, len(data) - at)
        _spandsp.dtmf_rx(state, ctypes.c_void_p(data.ctypes.data + 2 * at), size)
        count = _spandsp.dtmf_rx_get(state, text, 128)
        found += text.raw[:count].decode()
    _spandsp.dtmf_rx_free(state)
    return found


def _by_multimon(samples: np.ndarray) -> str:
    """multimon-ng works at 22050 Hz."""
    import soxr

    data = soxr.resample(np.asarray(samples, np.float32), RATE, 22050, "VHQ")
    raw = np.clip(np.rint(data * 32767), -32768, 32767).astype("<i2").tobytes()
    done = subprocess.run(
        ["multimon-ng", "-q", "-t", "raw", "-a", "DTMF", "-"], input=raw, capture_output=True, check=True
    )
    return "".join(re.findall(r"DTMF: (\S)", done.stdout.decode())).replace("E", "*").replace("F", "#")


PEERS = {}
if _spandsp:
    PEERS["spandsp"] = _by_spandsp
    PEERS["spandsp, notch"] = lambda samples: _by_spandsp(samples, 1)
if shutil.which("multimon-ng"):
    PEERS["multimon-ng"] = _by_multimon
