import numpy as np
import pytest

from graphvoip.nodes import RingMod, Sine


def test_a_tone_becomes_two_at_the_sum_and_at_the_difference(run):
    samples, _ = run(RingMod(Sine(freq=1000.5), freq=303), 100)
    spectrum = np.abs(np.fft.rfft(samples.astype(float))) / 8000  # lines of 0.5 Hz
    for frequency in (697.5, 1303.5):
        assert spectrum[int(2 * frequency)] == pytest.approx(0.5, abs=1e-5)
        spectrum[int(2 * frequency)] = 0
    assert 20 * np.log10(spectrum.max() / 0.5) < -110


def test_the_mix_goes_from_the_input_to_the_product(run, signal):
    data = np.random.default_rng(1).uniform(-1, 1, 1600).astype(np.float32)
    carrier = np.sin(2 * np.pi * 441 * np.arange(1600) / 8000)
    for mix in (0, 0.25, 1):
        samples, _ = run(RingMod(signal(data), freq=441, mix=mix), 10)
        np.testing.assert_allclose(samples, data * (1 - mix + mix * carrier), atol=2e-6)
    samples, _ = run(RingMod(signal(data), mix=0), 10)
    np.testing.assert_array_equal(samples, data)


def test_the_carrier_follows_a_pitch_that_moves(run, signal):
    sweep = np.linspace(20, 3000, 1600)
    samples, _ = run(RingMod(signal(np.ones(1600)), freq=signal(sweep)), 10)
    phase = np.concatenate([[0], np.cumsum(sweep.astype(np.float32).astype(float) / 8000)[:-1]])
    np.testing.assert_allclose(samples, np.sin(2 * np.pi * phase), atol=2e-6)


def test_no_pitch_or_mix_breaks_it(run, signal):
    wild = np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30, -5], 1600)
    for inputs in ({"freq": signal(wild)}, {"mix": signal(wild)}, {"freq": signal(np.full(1600, np.nan))}):
        samples, _ = run(RingMod(Sine(), **inputs), 20)
        assert np.abs(samples).max() <= 1.00001


def test_a_pitch_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"ring_mod: freq 5000 Hz is outside 0\.\.4000"):
        RingMod(freq=5000)
