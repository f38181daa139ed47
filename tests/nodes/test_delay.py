import numpy as np
import pytest

from graphvoip.nodes import Delay, Sine


@pytest.fixture
def noise():
    return np.random.default_rng(1).uniform(-1, 1, 8000).astype(np.float32)


@pytest.mark.parametrize("late", [0, 1, 2, 6, 7, 8, 159, 160, 161, 800, 4801, 7777])
def test_whole_samples_pass_bit_for_bit(run, signal, noise, late):
    expected = np.concatenate([np.zeros(late), noise])[:8000]
    samples, _ = run(Delay(signal(noise), time=late / 8000), 50)
    np.testing.assert_array_equal(samples, expected)


def test_a_minute_is_possible_and_still_exact(run, signal, noise):
    samples, _ = run(Delay(signal(noise), time=59.9, longest=60), 3050)
    np.testing.assert_array_equal(samples[479200:487200], noise)
    assert np.all(samples[:479200] == 0)


@pytest.mark.parametrize("frequency", [50.3, 441, 1234.5, 2000, 2800])
def test_between_samples_the_error_is_below_60_db(run, signal, frequency):
    for late in (7.5, 20.25, 100.5, 100.123, 800.9):
        samples, _ = run(Delay(Sine(freq=frequency), time=late / 8000), 20)
        t = np.arange(1600, 3200) / 8000 - float(np.float32(late / 8000))
        error = samples[1600:] - np.sin(2 * np.pi * float(np.float32(frequency)) * t)
        assert 20 * np.log10(np.std(error) / 0.5**0.5) < -60


def test_the_time_is_followed_sample_by_sample(run, signal):
    n = np.arange(8000)
    time = (0.05 + 0.002 * np.sin(2 * np.pi * 30 * n / 8000)).astype(np.float32)
    samples, _ = run(Delay(Sine(freq=1234.5), time=signal(time)), 50)
    expected = np.sin(2 * np.pi * 1234.5 * (n / 8000 - time.astype(float)))
    assert 20 * np.log10(np.std((samples - expected)[800:]) / 0.5**0.5) < -60


@pytest.mark.parametrize("speed", [0.1, -0.1, 0.5])
def test_a_time_that_moves_moves_the_pitch(run, signal, speed):
    time = 0.2 + speed * np.arange(8000) / 8000
    samples, _ = run(Delay(Sine(freq=1000), time=signal(time), longest=2.0), 50)
    spectrum = np.abs(np.fft.rfft(samples[-3200:] * np.hanning(3200), 80000))
    assert np.argmax(spectrum) / 10 == pytest.approx(1000 * (1 - speed), abs=0.5)


def test_near_the_present_it_stays_in_bounds_and_does_not_jump(run, signal):
    time = np.linspace(0, 12 / 8000, 8000)
    samples, _ = run(Delay(Sine(freq=441), time=signal(time)), 50)
    expected = np.sin(2 * np.pi * 441 * (np.arange(8000) / 8000 - time))
    assert np.abs(samples - expected).max() < 0.1
    assert np.abs(np.diff(samples)).max() < 2 * np.pi * 441 / 8000 * 1.2


def test_a_fault_becomes_silence_and_no_time_breaks_it(run, signal, noise):
    noise[100:103] = np.nan, np.inf, 1e30
    samples, _ = run(Delay(signal(noise), time=0.01), 50)
    np.testing.assert_array_equal(samples[180:183], 0)
    wild = np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30, -5, 0.3, 1e-40], 8000)
    samples, _ = run(Delay(signal(noise), time=signal(wild)), 50)
    assert np.all(np.abs(samples) < 2)


def test_its_memory_is_as_long_as_said_or_as_the_number_given(run, signal, noise):
    samples, _ = run(Delay(signal(noise), time=signal(np.full(8000, 0.9)), longest=0.05), 50)
    np.testing.assert_array_equal(samples[400:], noise[:-400])
    samples, _ = run(Delay(signal(noise), time=2.5), 130)
    np.testing.assert_array_equal(samples[20000:], noise[:800])
    with pytest.raises(ValueError, match=r"delay: longest 61 s is outside 0\.001\.\.60"):
        Delay(longest=61)
