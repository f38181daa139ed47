import numpy as np
import pytest

from graphvoip.nodes import Chorus, Sine

RATE = 8000
RANDOM = np.random.default_rng(3)


def delayed(x, back):
    """x as it was `back` samples before each sample, between samples by the cubic through four of them."""
    place = np.arange(len(x)) - back
    whole = np.floor(place).astype(int)
    padded = np.concatenate([np.zeros(300), x, np.zeros(300)])
    result = np.zeros(len(x))
    for k in range(-1, 3):
        weight = np.ones(len(x))
        for other in set(range(-1, 3)) - {k}:
            weight *= (place - whole - other) / (k - other)
        result += weight * padded[300 + whole + k]
    return result


@pytest.mark.parametrize("voices", [1, 3])
def test_it_is_the_sum_of_copies_that_swing(run, signal, voices):
    noise, t = RANDOM.uniform(-1, 1, 8000), np.arange(8000) / RATE
    samples, _ = run(Chorus(signal(noise), rate=1.7, depth=0.004, mix=0.4, voices=voices), 50)
    copies = sum(delayed(noise, 96 + 32 * np.sin(2 * np.pi * (1.7 * t + v / voices))) for v in range(voices))
    np.testing.assert_allclose(samples, 0.6 * noise + 0.4 * copies / voices**0.5, atol=2e-4)


def test_the_pitch_swings_by_rate_and_depth(run):
    samples, _ = run(Chorus(Sine(freq=441), rate=2, depth=0.003, mix=1, voices=1), 100)
    t = np.arange(16000) / RATE
    phase = np.unwrap(np.angle(np.convolve(samples * np.exp(-2j * np.pi * 441 * t), np.hanning(200), "same")))
    deviation = np.diff(phase)[1000:-1000] * RATE / (2 * np.pi)
    assert [deviation.min(), deviation.max()] == pytest.approx([-16.6, 16.6], abs=0.7)  # 441 * 2 pi * 2 * 0.003


def test_the_copies_together_are_as_loud_as_the_input(run, signal):
    noise = RANDOM.uniform(-0.5, 0.5, 40000)
    samples, _ = run(Chorus(signal(noise), mix=1, voices=4), 250)
    assert 0.8 < np.std(samples) / np.std(noise) < 1.05  # the cubic takes some of the highest tones away


def test_without_mix_the_input_passes_untouched_and_a_fault_is_not_remembered(run, signal):
    noise = RANDOM.uniform(-1, 1, 800).astype(np.float32)
    samples, _ = run(Chorus(signal(noise), mix=0), 5)
    np.testing.assert_array_equal(samples, noise)
    faulty, silent = noise.copy(), noise.copy()
    faulty[200:203], silent[200:203] = (np.nan, np.inf, -1e9), 0
    (heard, _), (expected, _) = (run(Chorus(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[200:203], faulty[200:203])
    np.testing.assert_array_equal(np.delete(heard, range(200, 203)), np.delete(expected, range(200, 203)))


def test_values_out_of_range_are_refused():
    for values, words in (({"voices": 9}, "voices 9 is outside 1..8"), ({"depth": 0.02}, "depth 0.02 s is outside")):
        with pytest.raises(ValueError, match=words):
            Chorus(Sine(), **values)
