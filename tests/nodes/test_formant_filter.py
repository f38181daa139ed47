import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import FormantFilter, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)
TABLE = {  # Csound manual, tenor: Hz, dB, Hz of width
    "a": ((650, 1080, 2650, 2900), (0, -6, -7, -8), (80, 90, 120, 130)),
    "e": ((400, 1700, 2600, 3200), (0, -14, -12, -14), (70, 80, 100, 120)),
    "i": ((290, 1870, 2800, 3250), (0, -15, -18, -20), (40, 90, 100, 120)),
    "o": ((400, 800, 2600, 2800), (0, -10, -12, -12), (70, 80, 100, 130)),
    "u": ((350, 600, 2700, 2900), (0, -20, -17, -14), (40, 60, 100, 120)),
}


def response(freqs, levels, widths, at):
    """Four resonances side by side, each so wide between its points at -3 dB, with alternate signs."""
    total = 0
    for n, (freq, level, width) in enumerate(zip(freqs, levels, widths, strict=True)):
        # By the bilinear rule, the corner at its place and the width that is asked for.
        w = np.tan(np.pi * freq / RATE)
        damp = np.pi * width / RATE * (1 + w * w)
        b, a = design.bilinear([damp, 0], [1, damp, w * w], fs=0.5)
        total = total + (-1) ** n * 10 ** (level / 20) * design.freqz(b, a, at, fs=RATE)[1]
    return total


def spectrum_of(run, node):
    samples, _ = run(node, 400)
    return np.fft.rfft(samples.astype(float)), np.fft.rfftfreq(len(samples), 1 / RATE)


@pytest.mark.parametrize(("vowel", "name"), list(enumerate("aeiou")))
def test_each_vowel_has_the_formants_of_the_table(run, signal, vowel, name):
    spectrum, at = spectrum_of(run, FormantFilter(signal([1]), vowel=vowel))
    expected = response(*TABLE[name], at)
    heard = np.abs(expected) > 1e-3
    assert np.abs(20 * np.log10(np.abs(spectrum[heard] / expected[heard]))).max() < 0.1

    peaks = at[design.find_peaks(np.abs(spectrum))[0]]
    levels = dict(zip(at, 20 * np.log10(np.abs(spectrum) + 1e-9), strict=True))
    for freq, level in zip(*TABLE[name][:2], strict=True):
        near = peaks[np.argmin(np.abs(peaks - freq))]
        leans = freq == 600  # the second of u is as soft as the skirt of the first, 20 dB below
        assert near == pytest.approx(freq, rel=0.05 if leans else 0.02)
        assert levels[near] == pytest.approx(level, abs=5 if leans else 2.5)


def test_the_width_of_a_high_formant_is_right_too(run, signal):
    spectrum, at = spectrum_of(run, FormantFilter(signal([1]), vowel=2))
    size = np.where((at > 3000) & (at < 3600), np.abs(spectrum), 0)
    loud = at[size > size.max() * 0.5**0.5]
    assert loud[-1] - loud[0] == pytest.approx(120, rel=0.15)


def test_between_two_vowels_are_formants_between_theirs(run, signal):
    spectrum, at = spectrum_of(run, FormantFilter(signal([1]), vowel=0.5))
    assert at[np.argmax(np.abs(spectrum))] == pytest.approx((650 + 400) / 2, rel=0.01)


def test_shift_moves_the_formants_together(run, signal):
    for shift in (0.6, 1.2):
        spectrum, at = spectrum_of(run, FormantFilter(signal([1]), shift=shift))
        peaks = at[design.find_peaks(np.abs(spectrum))[0]]
        for freq in (650, 1080, 2650, 2900):
            assert np.abs(peaks / (freq * shift) - 1).min() < 0.02


def test_a_vowel_that_jumps_at_every_sample_stays_calm(run, signal):
    random = np.random.default_rng(4)
    noise, vowel = random.uniform(-1, 1, 16000), random.uniform(-1, 6, 16000)
    vowel[::17] = np.nan
    samples, _ = run(FormantFilter(signal(noise), vowel=signal(vowel), shift=signal(vowel)), 100)
    assert np.abs(samples).max() < 5


def test_a_vowel_beyond_the_last_is_the_last(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800)
    beyond, _ = run(FormantFilter(signal(noise), vowel=signal(np.full(800, 1e30))), 5)
    last, _ = run(FormantFilter(signal(noise), vowel=4), 5)
    np.testing.assert_array_equal(beyond, last)


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[300:303], silent[300:303] = FAULTS, 0
    (heard, _), (expected, _) = (run(FormantFilter(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[300:303], FAULTS)
    heard[300:303] = expected[300:303]
    np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    for values, words in (({"vowel": 5}, "outside 0..4"), ({"shift": 3}, "outside 0.5..2")):
        with pytest.raises(ValueError, match=words):
            FormantFilter(Sine(), **values)
