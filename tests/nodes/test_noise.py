import numpy as np
import pytest
from scipy import signal as analysis

from graphvoip.nodes import Noise, Sine
from graphvoip.nodes.noise import COLOURS


@pytest.mark.parametrize(("colour", "fall"), [("white", 0), ("pink", 3.01), ("brown", 6.02)])
def test_its_power_falls_by_so_many_db_an_octave(run, colour, fall):
    samples, _ = run(Noise(colour=colour, seed=3), 10000)
    at, power = analysis.welch(samples.astype(float), 8000, nperseg=4096)
    bands = [power[(at >= low) & (at < 2 * low)].mean() for low in (62.5, 125, 250, 500, 1000, 2000)]
    decibels = 10 * np.log10(bands) + fall * np.arange(6)
    assert np.abs(decibels - decibels.mean()).max() < 0.5
    assert np.abs(np.diff(decibels)).max() < 1


@pytest.mark.parametrize(("colour", "rms"), [("white", 3**-0.5), ("pink", 0.25), ("brown", 0.25), ("crackle", 0.11)])
def test_its_level_is_so_much_and_its_peak_about_1_and_stays_so(run, colour, rms):
    samples, _ = run(Noise(colour=colour, seed=5), 6000)
    samples = samples.astype(float)
    assert np.std(samples) == pytest.approx(rms, rel=0.1)
    assert 0.85 < np.abs(samples).max() < 1.4
    tens = samples.reshape(12, 80000)
    assert np.abs(tens.mean(1)).max() < 0.25 * rms  # no drift
    assert np.ptp(tens.std(1)) < 0.15 * rms


def test_white_noise_is_even_and_each_sample_knows_nothing_of_the_others(run):
    samples, _ = run(Noise(seed=7), 5000)
    counts, _ = np.histogram(samples, 50, (-1, 1))
    assert counts.sum() == samples.size
    assert np.abs(counts - 16000).max() < 5 * 16000**0.5
    spectrum = np.abs(np.fft.rfft(samples.astype(float))) ** 2
    correlation = np.fft.irfft(spectrum)[1:1000] / samples.size / np.var(samples)
    assert np.abs(correlation).max() < 5 / samples.size**0.5


def test_crackle_is_chaotic_bursts_upwards_and_never_dies_out(run):
    ends = []
    for seed in range(20):
        samples, _ = run(Noise(colour="crackle", seed=seed), 500)
        assert samples.max() > 2 * -samples.min()
        ends.append(samples[-8000:])
        assert np.std(ends[-1]) > 0.08
        assert len(np.unique(ends[-1])) > 7500  # it never repeats itself
    assert np.abs(np.corrcoef(ends) - np.eye(20)).max() < 0.2  # no two starts end on the same path


@pytest.mark.parametrize("colour", COLOURS)
def test_the_same_seed_is_the_same_noise_and_another_one_is_another(run, colour):
    one, same, other = (run(Noise(colour=colour, seed=seed), 50)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.3


def test_its_level_may_be_a_signal(run):
    (plain, _), (scaled, _), (level, _) = (
        run(node, 5) for node in (Noise(colour="pink"), Noise(colour="pink", amp=Sine(freq=7)), Sine(freq=7))
    )
    np.testing.assert_array_equal(scaled, plain * level)


def test_an_unknown_colour_is_refused():
    with pytest.raises(ValueError, match="did you mean 'pink'"):
        Noise(colour="pinky")
