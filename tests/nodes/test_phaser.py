import numpy as np
import pytest

from graphvoip.nodes import Phaser, Sine

RATE = 8000
RANDOM = np.random.default_rng(5)


def notches(freq, stages):
    k = np.arange(1, stages, 2)
    return np.arctan(np.tan(np.pi * freq / RATE) * np.tan(np.pi * k / (2 * stages))) * RATE / np.pi


@pytest.mark.parametrize("stages", [4, 6, 12])
@pytest.mark.parametrize("feedback", [-0.8, 0, 0.8])
def test_the_response_is_that_of_the_allpass_chain(run, signal, stages, feedback):
    samples, _ = run(Phaser(signal([1.0]), rate=0, depth=0, freq=777, feedback=feedback, stages=stages), 100)
    heard = np.abs(np.fft.rfft(samples.astype(float)))
    z = np.exp(2j * np.pi * np.fft.rfftfreq(len(samples)))
    t = np.tan(np.pi * 777 / RATE)
    a = (t - 1) / (t + 1)
    chain = ((a + 1 / z) / (1 + a / z)) ** stages
    expected = np.abs(0.5 + 0.5 * (1 + feedback) * chain / (1 - feedback * chain))
    np.testing.assert_allclose(heard, expected, atol=2e-4 * expected.max())
    for notch in notches(777, stages):
        assert heard[round(2 * notch)] < 0.03


def test_the_notch_sweeps_by_octaves(run, signal):
    """A quarter of a second is the sweep's top, three quarters its bottom: white noise there has holes."""
    noise = RANDOM.normal(0, 0.1, 80 * 8000)
    samples, _ = run(Phaser(signal(noise), rate=1, depth=1, freq=800, feedback=0), 80 * 50)
    for at, middle in ((2000, 1600), (6000, 400)):
        pieces = samples.reshape(-1, 8000)[:, at - 128 : at + 128] * np.hanning(256)
        power = (np.abs(np.fft.rfft(pieces, 2048)) ** 2).mean(0)
        for notch in notches(middle, 4):
            bins = round(notch * 2048 / RATE) + np.arange(-5, 6)
            assert power[bins].min() < 0.12 * power.mean()


def test_no_sweep_makes_energy(run, signal):
    """Moved at every sample: with feedback g the chain's sum of squares stays below 1 / (1 - g)^2 of the input's."""
    noise, freq = RANDOM.uniform(-1, 1, 40000), RANDOM.choice([20.0, 300.0, 2000.0, 3900.0], 40000)
    for feedback in (0.0, 0.9):
        then = np.full(8000, 1000.0)
        samples, _ = run(
            Phaser(signal(noise), freq=signal([*freq, *then]), depth=0, feedback=feedback, mix=1, stages=12), 300
        )
        assert np.std(samples[:40000]) < 1.001 * (1 + feedback) / (1 - feedback) * np.std(noise)
        assert np.abs(samples[-160:]).max() < 1e-3


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = RANDOM.uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[200:203], silent[200:203] = (np.nan, np.inf, -1e9), 0
    (heard, _), (expected, _) = (run(Phaser(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[200:203], faulty[200:203])
    np.testing.assert_array_equal(np.delete(heard, range(200, 203)), np.delete(expected, range(200, 203)))


def test_values_out_of_range_are_refused():
    for values, words in (({"stages": 13}, "stages 13 is outside 2..12"), ({"stages": 4.5}, "not a whole number")):
        with pytest.raises(ValueError, match=words):
            Phaser(Sine(), **values)
