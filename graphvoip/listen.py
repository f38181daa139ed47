"""What an ear would say of samples: which tones sound, how loud it is, whether it is quiet. For tests and scripts."""

import numpy as np

from .rings import RATE

WINDOW = 800  # samples, 0.1 s: tones 20 Hz apart are told apart
_BINS = 8192  # of the padded transform: 1 Hz apart
QUIET = -50.0  # dBFS


def level(samples: np.ndarray) -> float:
    """The level of samples in dBFS; a full-scale sine is -3 dB, silence is -inf."""
    samples = np.asarray(samples, float)
    power = float(np.mean(samples**2)) if samples.size else 0.0
    return 10 * np.log10(power) if power > 0 else -np.inf


def is_quiet(samples: np.ndarray) -> bool:
    return level(samples) < QUIET


def tones(samples: np.ndarray, floor: float = -45.0, share: float = 0.1) -> list[tuple[float, float]]:
    """The sines that samples are made of, the strongest first: (frequency in Hz, level in dBFS).

    floor: dBFS below which a peak is nothing; share: of the power of the strongest, below which it is only company.
    """
    samples = np.asarray(samples, float)
    if samples.size < WINDOW // 4:
        return []
    window = np.hanning(samples.size)
    size = max(_BINS, samples.size)
    spectrum = np.abs(np.fft.rfft(samples * window, size)) / window.sum() * np.sqrt(2)  # RMS of a sine
    peaks = np.flatnonzero((spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] >= spectrum[2:])) + 1
    peaks = peaks[spectrum[peaks] > max(10 ** (floor / 20), np.sqrt(share) * spectrum.max())]
    peaks = peaks[np.argsort(-spectrum[peaks])]
    return [(float(k) * RATE / size, float(20 * np.log10(spectrum[k]))) for k in peaks]


def has_tone(samples: np.ndarray, frequency: float) -> bool:
    """Does this tone sound, to 1.5 % or 5 Hz, alone or beside few others of like strength?"""
    near = max(5.0, 0.015 * frequency)
    return any(abs(found - frequency) <= near for found, _ in tones(samples)[:4])
