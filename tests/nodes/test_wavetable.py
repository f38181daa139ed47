import numpy as np
import pytest

from graphvoip.nodes import Sine, Wavetable

TURN = np.sin(2 * np.pi * np.arange(256) / 256)


def test_a_sine_in_the_table_is_a_sine_for_a_minute(run):
    samples, _ = run(Wavetable(table=TURN, freq=441.7), 3000)
    expected = np.sin(2 * np.pi * float(np.float32(441.7)) * np.arange(len(samples)) / 8000)
    assert 20 * np.log10(np.std(samples - expected) / np.std(expected)) < -100


def test_between_two_samples_it_is_a_cubic_curve_that_joins_its_ends(run):
    table = np.random.default_rng(1).uniform(-1, 1, 7).astype(np.float32)
    samples, _ = run(Wavetable(table=table, freq=123.4), 5)
    turns = np.arange(800) * float(np.float32(123.4)) / 8000 % 1
    k, f = np.divmod(turns * 7, 1)
    a, b, c, d = (table[(k.astype(int) + j) % 7].astype(float) for j in (-1, 0, 1, 2))
    # Hermite: through b and c, with half the way from a to c and from b to d as slopes
    h = [2 * f**3 - 3 * f**2 + 1, f**3 - 2 * f**2 + f, -2 * f**3 + 3 * f**2, f**3 - f**2]
    np.testing.assert_allclose(samples, h[0] * b + h[1] * (c - a) / 2 + h[2] * c + h[3] * (d - b) / 2, atol=2e-6)


def test_at_a_pitch_of_its_length_it_is_the_table_bit_for_bit(run):
    table = np.random.default_rng(1).uniform(-1, 1, 64).astype(np.float32)
    samples, _ = run(Wavetable(table=table, freq=125), 10)
    np.testing.assert_array_equal(samples, np.tile(table, 25))


def test_without_a_table_it_has_eight_harmonics_and_a_peak_of_1(run):
    samples, _ = run(Wavetable(freq=100), 50)
    levels = np.abs(np.fft.rfft(samples))[::100] / 4000
    np.testing.assert_allclose(levels[1:9], levels[1] / np.arange(1, 9), rtol=0.01)
    assert np.all(levels[9:] < 1e-3)
    assert abs(levels[0]) < 1e-6
    assert np.abs(samples).max() == pytest.approx(1, abs=0.05)


def test_position_goes_from_the_first_wave_over_the_others_to_the_last(run, signal):
    waves = [TURN, TURN**3, np.roll(TURN, 64)]
    path = np.linspace(0, 1, 1600)
    found, _ = run(Wavetable(table=np.concatenate(waves), waves=3, freq=441, position=signal(path)), 10)
    one = np.stack([run(Wavetable(table=wave, freq=441), 10)[0] for wave in waves])
    expected = [np.interp(2 * p, [0, 1, 2], one[:, i]) for i, p in enumerate(path)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    beyond, _ = run(Wavetable(table=np.concatenate(waves), waves=3, freq=441, position=signal(path * 0 + 9)), 10)
    np.testing.assert_allclose(beyond, one[2], atol=1e-6)


def test_two_samples_are_a_table_and_level_and_pitch_may_be_signals(run, signal):
    sweep = np.linspace(100, 900, 800).astype(np.float32)
    samples, _ = run(Wavetable(table=[1, -1], freq=signal(sweep), amp=Sine(freq=3)), 5)
    turns = np.concatenate([[0], np.cumsum(sweep.astype(float) / 8000)[:-1]]) % 0.5 * 2
    wave = 1 - 6 * turns**2 + 4 * turns**3  # level at both ends
    wave[np.cumsum(np.diff(turns, prepend=0) < 0) % 2 == 1] *= -1
    np.testing.assert_allclose(samples, wave * np.sin(2 * np.pi * 3 * np.arange(800) / 8000), atol=1e-5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"table": [1.0]}, "wavetable: table has 1 samples; 1 waves of equal length, 2 samples or more"),
        ({"table": [1.0] * 10, "waves": 3}, "table has 10 samples; 3 waves"),
        ({"waves": 0}, "waves 0 is outside 1..4096"),
        ({"position": 2}, "position 2 x is outside 0..1"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Wavetable(**values)
