"""What an ear would say of samples: which tones sound, how loud it is, whether it is quiet. For tests and scripts."""

import numpy as np

from .rings import RATE

WINDOW = 800  # samples, 0.1 s: tones 20 Hz apart are told apart
_BINS = 8192  # of the padded transform: 1 Hz apart
QUIET = -50.0  # dBFS
MOST = 4  # tones at once
VOICE = 390.0  # Hz: a voice has a harmonic below it
REST = 0.08  # share of the power, at most, that is not of the tones;
LOW_REST = 0.014  # where the strongest is as low as a voice,
OCTAVE_REST = 0.006  # and where one so low comes with its octave, as in every voice


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
    from scipy.signal import find_peaks
    from scipy.signal.windows import hann

    samples = np.asarray(samples, float)
    if samples.size < WINDOW // 4:
        return []
    window = hann(samples.size)
    size = max(_BINS, samples.size)
    spectrum = np.abs(np.fft.rfft(samples * window, size)) / window.sum() * np.sqrt(2)  # RMS of a sine
    peaks, _ = find_peaks(spectrum, max(10 ** (floor / 20), np.sqrt(share) * spectrum.max()))
    peaks = peaks[np.argsort(-spectrum[peaks])]
    below, top, above = (np.log(spectrum[peaks + k] + 1e-12) for k in (-1, 0, 1))  # a parabola through each peak
    places = peaks + 0.5 * (below - above) / (below - 2 * top + above - 1e-12)
    return [(float(at) * RATE / size, float(20 * np.log10(spectrum[k]))) for at, k in zip(places, peaks, strict=True)]


def has_tone(samples: np.ndarray, frequency: float) -> bool:
    """Tell whether a tone sounds, to 1.5 % or 5 Hz, alone or beside few others of like strength.

    A tone is steady from the first sample to the last: sines that keep their pitch, and below 390 Hz their level, leave
    hardly anything of the samples. The harmonics of a voice do not; so a tone below 390 Hz is judged more strictly, and
    one that comes with its octave most strictly.
    """
    samples = np.asarray(samples, float)
    found = [one for one, _ in tones(samples)[:MOST]]
    near = max(5.0, 0.015 * frequency)
    if not any(abs(one - frequency) <= near for one in found):
        return False
    if any(low < VOICE and abs(high / low - 2) < 0.06 for low in found for high in found):
        return _rest(samples, found, fades=False) < OCTAVE_REST
    high = found[0] > VOICE
    return _rest(samples, found, fades=high) < (REST if high else LOW_REST)


def _rest(samples: np.ndarray, frequencies: list[float], fades: bool) -> float:
    """Return the share of the power that sines of these frequencies leave, fitted by least squares.

    fades: their levels may rise or fall in a straight line.
    """
    at = np.arange(samples.size)
    turns = 2 * np.pi / RATE * np.outer(at, frequencies)
    sines = np.concatenate([np.cos(turns), np.sin(turns)], 1)
    if fades:
        sines = np.concatenate([sines, (at / samples.size - 0.5)[:, None] * sines], 1)
    weights, *_ = np.linalg.lstsq(sines, samples, rcond=None)
    return float(np.sum((samples - sines @ weights) ** 2) / np.sum(samples**2))
