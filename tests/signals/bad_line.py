"""A bad telephone line in numpy: noise, G.711, other clocks. For round trips in tests and benches."""

import numpy as np


def noisy(samples, db=20.0, seed=1):
    """White noise, so many dB below the sound's own power."""
    power = np.mean(np.square(samples[np.abs(samples) > 0])) if np.any(samples) else 0
    noise = np.random.default_rng(seed).normal(0, np.sqrt(power) * 10 ** (-db / 20), len(samples))
    return (samples + noise).astype(np.float32)


def ulaw(samples):
    """Through G.711 mu-law: 8 bits a sample, decoded again."""
    x = np.clip(np.rint(np.asarray(samples, float) * 32768), -32635, 32635)
    size = np.abs(x) + 132
    exponent = np.floor(np.log2(size)) - 7
    step = 2.0 ** (exponent + 3)
    return (np.sign(x) * (np.floor(size / step) * step + step / 2 - 132) / 32768).astype(np.float32)


def clocked(samples, ppm):
    """From a far end whose clock is off by so many millionths."""
    at = np.arange(0, len(samples) - 1, 1 + ppm * 1e-6)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def padded(samples, before=0.3, after=0.3):
    return np.concatenate([np.zeros(round(8000 * before)), samples, np.zeros(round(8000 * after))]).astype(np.float32)
