"""What is in the spectrum of an oscillator."""

import numpy as np

# Pitches at which aliases are worst, and others: a harmonic just above 4000 Hz comes back just below it.
PITCHES = (55.3, 110.7, 220.3, 441.7, 882.3, 1111.1, 1334, 1402.7, 1471.4, 1556.7, 1699, 1763.1, 2002, 2103.3, 2204.6,
           2305.9, 2516.1, 3001.3, 3500.9, 3923.1)  # fmt: skip


def harmonic_to_alias(samples, frequency):
    """dB of what is at harmonics of the frequency, and at 0, against all the rest."""
    power = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    at = np.fft.rfftfreq(len(samples), 1 / 8000)
    harmonic = np.abs(at - np.round(at / frequency) * frequency) < 4 * 8000 / len(samples)
    return 10 * np.log10(power[harmonic].sum() / power[~harmonic].sum())


def alias_below(samples, frequency, limit):
    """dB of the greatest of all that is no harmonic, below a limit in Hz, against the fundamental."""
    n = len(samples)
    at = np.arange(n // 2 + 1) * 8000 / n
    level = np.abs(np.fft.rfft(samples * np.blackman(n)))
    own = np.abs(at - np.round(at / frequency) * frequency) < 3
    return 20 * np.log10(level[~own & (at < limit)].max() / level[np.abs(at - frequency) < 3].max())
