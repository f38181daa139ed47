"""What is in the spectrum of an oscillator."""

import numpy as np


def harmonic_to_alias(samples, frequency):
    """dB of what is at harmonics of the frequency, and at 0, against all the rest."""
    power = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    at = np.fft.rfftfreq(len(samples), 1 / 8000)
    harmonic = np.abs(at - np.round(at / frequency) * frequency) < 4 * 8000 / len(samples)
    return 10 * np.log10(power[harmonic].sum() / power[~harmonic].sum())
