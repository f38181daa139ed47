"""What the telephone network does to sound: G.711, GSM and G.729A, frame by frame as on a line.

The last two come from Debian's libgsm1 and libbcg729-0; each function is None where its library is not installed.
"""

import ctypes

import numpy as np


def shorts(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(np.asarray(samples, float) * 32768), -32768, 32767).astype(np.int16)


def floats(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / np.float32(32768)


def _law(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The levels of a law, and the edges between them."""
    levels = np.unique(np.concatenate([-steps, steps]))
    return levels, (levels[1:] + levels[:-1]) / 2


_segment, _step = np.meshgrid(np.arange(8), np.arange(16), indexing="ij")
ULAW = _law((((2 * _step + 33) << _segment) - 33).ravel() * 4 / 32768)
ALAW = _law(np.where(_segment == 0, 2 * _step + 1, (2 * _step + 33) << np.maximum(_segment - 1, 0)).ravel() * 8 / 32768)


def _through(law):
    levels, edges = law
    return lambda samples: levels[np.searchsorted(edges, np.asarray(samples, float))].astype(np.float32)


def ulaw(samples: np.ndarray) -> np.ndarray:
    """ITU-T G.711, mu-law."""
    return _through(ULAW)(samples)


def alaw(samples: np.ndarray) -> np.ndarray:
    """ITU-T G.711, A-law."""
    return _through(ALAW)(samples)


def _library(name: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


_gsm, _g729 = _library("libgsm.so.1"), _library("libbcg729.so.0")


def _gsm_fr(samples: np.ndarray) -> np.ndarray:
    """GSM 06.10 full rate, 13 kbit/s."""
    assert _gsm
    _gsm.gsm_create.restype = ctypes.c_void_p
    encoder, decoder = ctypes.c_void_p(_gsm.gsm_create()), ctypes.c_void_p(_gsm.gsm_create())
    data = shorts(samples)
    data = np.concatenate([data, np.zeros(-len(data) % 160, np.int16)]).reshape(-1, 160)
    made, packet = np.zeros_like(data), ctypes.create_string_buffer(33)
    for row, out in zip(data, made, strict=True):
        _gsm.gsm_encode(encoder, ctypes.c_void_p(row.ctypes.data), packet)
        _gsm.gsm_decode(decoder, packet, ctypes.c_void_p(out.ctypes.data))
    _gsm.gsm_destroy(encoder)
    _gsm.gsm_destroy(decoder)
    return floats(made.ravel()[: len(samples)])


def _g729a(samples: np.ndarray) -> np.ndarray:
    """ITU-T G.729 Annex A, 8 kbit/s, without silence suppression."""
    assert _g729
    _g729.initBcg729EncoderChannel.restype = _g729.initBcg729DecoderChannel.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(_g729.initBcg729EncoderChannel(0))
    decoder = ctypes.c_void_p(_g729.initBcg729DecoderChannel())
    data = shorts(samples)
    data = np.concatenate([data, np.zeros(-len(data) % 80, np.int16)]).reshape(-1, 80)
    made, packet, size = np.zeros_like(data), ctypes.create_string_buffer(16), ctypes.c_uint8()
    for row, out in zip(data, made, strict=True):
        _g729.bcg729Encoder(encoder, ctypes.c_void_p(row.ctypes.data), packet, ctypes.byref(size))
        _g729.bcg729Decoder(decoder, packet, size, 0, 0, 0, ctypes.c_void_p(out.ctypes.data))
    _g729.closeBcg729EncoderChannel(encoder)
    _g729.closeBcg729DecoderChannel(decoder)
    return floats(made.ravel()[: len(samples)])


gsm = _gsm_fr if _gsm else None
g729a = _g729a if _g729 else None
CODECS = {name: codec for name, codec in [("u-law", ulaw), ("A-law", alaw), ("GSM", gsm), ("G.729A", g729a)] if codec}
