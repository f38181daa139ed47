import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Echo, Sine

IMPULSE = np.concatenate([[1.0], np.zeros(159)])


def test_echoes_come_at_multiples_of_the_time_each_softer_by_the_feedback(run, signal):
    samples, _ = run(Echo(signal(IMPULSE), time=0.1, feedback=0.6, tone=4000, mix=0.5), 100)
    expected = np.zeros(16000)
    expected[0] = 0.5
    expected[800::800] = 0.5 * float(np.float32(0.6)) ** np.arange(19)
    np.testing.assert_allclose(samples, expected, atol=1e-7)


def test_each_echo_has_been_through_the_tone_filter_once_more(run, signal):
    samples, _ = run(Echo(signal(IMPULSE), time=0.05, feedback=0.9, tone=700, mix=1), 10)
    a = np.exp(-2 * np.pi * 700 / 8000)
    echo = np.zeros(400)
    echo[0] = 1
    for k in range(1, 4):
        np.testing.assert_allclose(samples[400 * k : 400 * k + 400], echo, atol=1e-6)
        echo = design.lfilter([0.9 * (1 - a)], [1, -a], echo)


def test_mix_0_is_the_sound_bit_for_bit(run, signal):
    data = np.random.default_rng(1).uniform(-1, 1, 1600).astype(np.float32)
    samples, _ = run(Echo(signal(data), time=0.02, mix=0), 10)
    np.testing.assert_array_equal(samples, data)


def test_the_time_is_rounded_to_a_sample(run, signal):
    samples, _ = run(Echo(signal(IMPULSE), time=100.4 / 8000, mix=1), 2)
    assert np.flatnonzero(samples)[0] == 100
    assert samples[100] == 1


def test_a_new_time_is_glided_to_without_a_click(run, signal):
    time = np.where(np.arange(16000) < 4000, 0.1, 0.2)
    samples, _ = run(Echo(Sine(freq=441), time=signal(time), feedback=0, mix=1), 100)
    assert np.abs(np.diff(samples[900:])).max() < 2 * np.pi * 441 / 8000 * 1.05
    late = np.sin(2 * np.pi * 441 * (np.arange(16000) / 8000 - 0.2))
    np.testing.assert_allclose(samples[10500:], late[10500:], atol=1e-5)
    spectrum = np.abs(np.fft.rfft(samples[4200:5000] * np.hanning(800), 8000))
    assert np.argmax(spectrum) == pytest.approx(441 / 2, abs=8)  # at its greatest speed, half of the pitch


@pytest.mark.parametrize("feedback", [0.99, 1.0, 5.0, np.inf, 1e30])
def test_the_loop_never_grows(run, signal, feedback):
    data = np.concatenate([np.ones(800), np.zeros(800)])
    node = Echo(signal(data), time=0.1, feedback=signal(np.full(80000, feedback)), tone=4000, mix=1)
    samples, _ = run(node, 500)
    assert np.abs(samples).max() < 1.0001
    assert np.abs(samples[-1600:]).max() == pytest.approx(0.99**97, rel=0.02)


def test_a_fault_leaves_no_echo_and_no_value_breaks_it(run, signal):
    good = np.random.default_rng(1).uniform(-1, 1, 8000)
    faulty = good.copy()
    faulty[100:103] = np.nan, np.inf, 1e30
    samples, _ = run(Echo(signal(faulty), time=0.01, feedback=0.9), 50)
    assert np.all(np.isfinite(samples[103:]))
    assert np.abs(samples[103:]).max() < 20
    bad = np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30, -5, 0.3], 8000)
    for name in ("time", "feedback", "tone", "mix"):
        samples, _ = run(Echo(signal(good), **{name: signal(bad)}), 100)
        assert np.abs(samples).max() < 200, name


def test_its_memory_is_as_long_as_said_or_as_the_number_given(run, signal):
    samples, _ = run(Echo(signal(IMPULSE), time=signal(np.full(1600, 0.9)), longest=0.05, mix=1), 10)
    assert np.flatnonzero(samples)[0] == 400
    samples, _ = run(Echo(signal(IMPULSE), time=2.5, mix=1), 130)
    assert np.flatnonzero(samples)[0] == 20000
    with pytest.raises(ValueError, match=r"echo: longest 0 s is outside 0\.01\.\.60"):
        Echo(longest=0.0)
