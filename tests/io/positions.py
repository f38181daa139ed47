"""Where in a recording the parts of a sound are: what was lost on the way shows as a break, however late it came."""

import numpy as np

from graphvoip.rings import RATE

PART = 160  # samples that are looked for together


def locatable(seconds: float, seed: int = 1) -> np.ndarray:
    """Make noise below 1.5 kHz, each part of which is like no other; full scale is 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=round(RATE * seconds)))
    spectrum[round(1500 * seconds) :] = 0
    sound = np.fft.irfft(spectrum)
    return 0.3 * sound / np.abs(sound).max()


def positions(heard: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """Find where each part of what was sent begins in what was heard, in samples; NaN: it is not there as it was."""
    heard = np.pad(np.asarray(heard, float), (PART, PART))
    energy = np.convolve(heard**2, np.ones(PART), "valid")
    parts = sent[: len(sent) // PART * PART].reshape(-1, PART)
    return np.array([_position(heard, energy, part) - PART for part in parts])


def _position(heard: np.ndarray, energy: np.ndarray, part: np.ndarray) -> float:
    likeness = np.correlate(heard, part, "valid") / np.sqrt(np.maximum(energy * np.sum(part**2), 1e-9))
    at = int(np.argmax(likeness))
    if likeness[at] < 0.9 or not 0 < at < len(likeness) - 1:
        return np.nan
    before, here, after = likeness[at - 1 : at + 2]
    return at + (before - after) / (2 * (before - 2 * here + after))


def breaks(places: np.ndarray) -> int:
    """Count the holes, gaps and jumps: parts that are missing one after the other are one break."""
    # Where the clocks differ a block of 160 is made of 159 or 161 now and then. A missing part fails both comparisons.
    follows = abs(np.diff(places) - PART) < 1.5
    whole = np.concatenate(([True, not np.isnan(places[0])], follows, [not np.isnan(places[-1])]))
    return int(np.count_nonzero(whole[:-1] & ~whole[1:]))
