import numpy as np
import pytest

from graphvoip.nodes import Allpass, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)


@pytest.mark.parametrize("gain", [0.5, 0.7, -0.8])
@pytest.mark.parametrize("time", [0.00025, 0.0012345, 0.0371, 0.1])
def test_its_magnitude_is_flat_and_its_phase_that_of_schroeder(run, signal, time, gain):
    samples, _ = run(Allpass(signal([1]), time=time, gain=gain), 800)
    spectrum, at = np.fft.rfft(samples.astype(float)), np.fft.rfftfreq(len(samples), 1 / RATE)
    assert np.abs(20 * np.log10(np.abs(spectrum))).max() < 0.001
    low = at < 600  # where the delay between samples is exact
    delay = np.exp(-2j * np.pi * at[low] * time)
    np.testing.assert_allclose(spectrum[low], (delay - gain) / (1 - gain * delay), atol=0.03)


def test_a_click_becomes_a_row_of_clicks(run, signal):
    samples, _ = run(Allpass(signal([1]), time=0.01, gain=0.5), 2)
    assert np.flatnonzero(np.abs(samples) > 1e-6).tolist() == [0, 80, 160, 240]
    np.testing.assert_allclose(samples[[0, 80, 160, 240]], [-0.5, 0.75, 0.375, 0.1875], atol=1e-7)


@pytest.mark.parametrize("time", [0.00025, 0.0123456, 0.0330011, 0.1])
def test_without_gain_it_is_a_delay_to_a_fraction_of_a_sample(run, signal, time):
    samples, _ = run(Allpass(Sine(freq=441), time=time, gain=0), 20)
    expected = np.sin(2 * np.pi * 441 * (np.arange(len(samples)) / RATE - time))
    np.testing.assert_allclose(samples[1600:], expected[1600:], atol=2e-3)


def test_a_time_that_glides_does_not_click(run, signal):
    times = np.linspace(0.02, 0.01, RATE)
    samples, _ = run(Allpass(Sine(freq=441), time=signal(times), gain=0), 50)
    expected = np.sin(2 * np.pi * 441 * (np.arange(RATE) / RATE - times))
    np.testing.assert_allclose(samples[400:], expected[400:], atol=1e-2)


def test_no_time_or_gain_from_a_wire_breaks_it(run, signal):
    random = np.random.default_rng(2)
    noise = random.uniform(-1, 1, 16000)
    for time, gain in ((random.uniform(0, 0.1, 16000), np.full(16000, 5.0)), (np.full(16000, np.nan), noise * 1e30)):
        samples, _ = run(Allpass(signal(noise), time=signal(time), gain=signal(gain)), 150)
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() < 1e4


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[300:303], silent[300:303] = FAULTS, 0
    (heard, _), (expected, _) = (run(Allpass(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[300:303], FAULTS)
    heard[300:303] = expected[300:303]
    np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    for values, words in (({"time": 0.2}, "time 0.2 s is outside"), ({"gain": 1}, "outside -0.99..0.99")):
        with pytest.raises(ValueError, match=words):
            Allpass(Sine(), **values)
