import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Meter, Pcm, Sine


def test_a_sine_has_its_effective_value_and_its_peak(run):
    meter = Meter(Sine(freq=441, amp=0.5))
    levels, _ = run(meter, 200)
    assert levels[-160:] == pytest.approx(0.5 / 2**0.5, rel=0.002)
    assert meter.samples("peak") == pytest.approx(0.5, rel=0.012)
    assert meter.decibels() == pytest.approx((-9.03, -6.02), abs=0.1)


def test_the_effective_value_is_the_root_of_an_exponential_window_of_the_squares(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 3200).astype(np.float32)
    levels, _ = run(Meter(signal(noise), time=0.02), 20)
    keep = np.exp(-1 / 160)
    squares = design.lfilter([1 - keep], [1, -keep], noise.astype(float) ** 2)
    np.testing.assert_allclose(levels, np.sqrt(squares), atol=1e-6)


def test_the_peak_is_taken_at_once_and_falls_by_so_many_decibels_a_second(run, signal):
    meter = Meter(signal([0, 0, -0.8]), fall_db=30.0)
    peaks = []
    for _ in range(50):
        run(meter)
        peaks.append(meter.samples("peak").copy())
    peaks = np.concatenate(peaks)
    expected = 0.8 * 10 ** (-30 / 20 * np.arange(7998) / 8000)
    np.testing.assert_allclose(peaks, [0, 0, *expected], rtol=1e-5)


def test_silence_is_at_the_least_decibels(run):
    meter = Meter(Pcm())
    run(meter)
    assert meter.decibels() == (-120, -120)


@pytest.mark.parametrize(("values", "words"), [({"time": 0}, "time 0 s"), ({"fall_db": -1}, "fall_db -1 dB/s")])
def test_values_out_of_range_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Meter(Sine(), **values)
