import numpy as np
import pytest

from graphvoip.nodes import Bitcrush, Sine


@pytest.mark.parametrize("bits", [5, 6.5, 8, 12, 16])
def test_the_noise_of_a_full_sine_is_6_02_db_a_bit_and_1_76(run, bits):
    samples, _ = run(Bitcrush(Sine(freq=1234.567), bits=bits), 400)
    sine, _ = run(Sine(freq=1234.567), 400)
    noise = samples.astype(float) - sine
    heard = 10 * np.log10(np.mean(np.square(sine, dtype=float)) / np.mean(noise**2))
    assert heard == pytest.approx(6.02 * bits + 1.76, abs=0.5)


def test_levels_are_multiples_of_the_step_and_zero_is_one_of_them(run, signal):
    data = np.linspace(-1, 1, 1600).astype(np.float32)
    for bits in (1, 3, 4.5):
        samples, _ = run(Bitcrush(signal(data), bits=bits), 10)
        step = 2 ** (1 - bits)
        np.testing.assert_allclose(samples / step, np.round(samples / step), atol=1e-5)
        assert np.abs(samples - data).max() <= step / 2 * 1.00001
        assert np.all(samples[np.abs(data) < step / 2 * 0.999] == 0)
    samples, _ = run(Bitcrush(signal(data), bits=1), 10)
    assert set(samples) == {-1, 0, 1}


def test_bits_may_move_and_stay_within_1_and_16(run, signal):
    data = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    wild = np.resize([-3, np.nan, 1, 40, np.inf, 16], 800)
    samples, _ = run(Bitcrush(signal(data), bits=signal(wild)), 5)
    steps = np.where(wild >= 16, 2.0**-15, 1.0)
    np.testing.assert_array_equal(samples, np.floor(data / steps + 0.5) * steps)


def test_bits_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"bitcrush: bits 0 bits is outside 1\.\.16"):
        Bitcrush(bits=0)
