import numpy as np
import pytest
from scipy.special import jv

from graphvoip.nodes import Fm

RATE = 8000


def lines(samples):
    """The height of the sine at each whole Hz, of one second."""
    assert len(samples) == RATE
    return np.abs(np.fft.rfft(samples.astype(float))) * 2 / RATE


@pytest.mark.parametrize("index", [0.3, 1.0, 1.7])
def test_its_lines_are_bessel_functions_of_the_index(run, index):
    samples, _ = run(Fm(freq=1648, ratio=0.125, index=index), 50)  # the modulator: 206 Hz
    found, expected = lines(samples), np.zeros(RATE // 2 + 1)
    for k in range(-8, 9):
        expected[1648 + 206 * k] = abs(jv(k, float(np.float32(index))))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("feedback", [0.4, 0.8])
def test_feedback_gives_the_modulator_overtones(run, feedback):
    """sin(wt + b y) has lines of 2 Jn(nb) / nb; a weak modulation brings them to both sides of the carrier."""
    samples, _ = run(Fm(freq=2048, ratio=1 / 128, index=0.004, feedback=feedback), 100)
    found = lines(samples[RATE:])
    for n in range(1, 5):
        expected = 0.004 / 2 * 2 / (n * feedback) * jv(n, n * feedback)
        assert found[2048 + 16 * n] == pytest.approx(expected, rel=0.03)


def test_pitch_ratio_index_and_level_may_be_signals(run, signal):
    n = np.arange(1600)
    freq, ratio = 300 + 200 * np.sin(n / 90), 1 + n / 1600
    index, amp = 3 * n / 1600, np.linspace(1, 0.2, 1600)
    samples, _ = run(Fm(signal(freq), signal(ratio), signal(index), amp=signal(amp)), 10)
    freq, ratio, index = (one.astype(np.float32).astype(float) for one in (freq, ratio, index))
    carrier = np.concatenate([[0], np.cumsum(freq)[:-1]]) / RATE
    modulator = np.concatenate([[0], np.cumsum(freq * ratio)[:-1]]) / RATE
    expected = amp * np.sin(2 * np.pi * carrier + index * np.sin(2 * np.pi * modulator))
    np.testing.assert_allclose(samples, expected, atol=3e-6)


def test_a_pitch_that_stays_sounds_the_same_beside_one_that_moves(run, signal):
    """The loop for numbers and the one for signals that move are two."""
    still = np.full(1600, 441.3)
    moves = np.where(np.arange(1600) % 160 == 159, 441.30002, still)
    (one, _), (other, _) = (run(Fm(freq=signal(freq), ratio=1.4, index=5), 10) for freq in (still, moves))
    np.testing.assert_allclose(one, other, atol=2e-4)


def test_values_out_of_range_are_refused():
    for values, words in (({"freq": 4001}, "0..4000"), ({"ratio": -1}, "0..32"), ({"feedback": 1.1}, "0..1")):
        with pytest.raises(ValueError, match=words):
            Fm(**values)
