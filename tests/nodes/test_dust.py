import numpy as np
import pytest
from scipy import stats

from graphvoip.nodes import Dust, Sine


@pytest.mark.parametrize("density", [2, 50, 1000])
def test_there_are_as_many_clicks_a_second_as_its_density(run, density):
    samples, _ = run(Dust(density=density, seed=1), 15000)  # 5 minutes
    expected = 300 * density
    assert abs(np.count_nonzero(samples) - expected) < 4 * expected**0.5


def test_its_pauses_are_those_of_chance(run):
    samples, _ = run(Dust(density=20, seed=1), 15000)
    pauses = np.diff(np.flatnonzero(samples)) / 8000
    assert stats.kstest(pauses, stats.expon(scale=1 / 20).cdf).pvalue > 0.01


@pytest.mark.parametrize(("bipolar", "low"), [(False, 0), (True, -0.5)])
def test_its_levels_are_spread_evenly_up_to_amp(run, bipolar, low):
    samples, _ = run(Dust(density=200, amp=0.5, bipolar=bipolar, seed=2), 3000)
    clicks = samples[samples != 0]
    assert low <= clicks.min() < low + 0.01
    assert 0.49 < clicks.max() <= 0.5
    assert stats.kstest(clicks, stats.uniform(low, 0.5 - low).cdf).pvalue > 0.01


def test_0_is_silence_and_8000_a_click_at_each_sample(run):
    assert not run(Dust(density=0, seed=1), 50)[0].any()
    assert run(Dust(density=8000, seed=1), 50)[0].all()


def test_density_and_level_may_be_signals(run, signal):
    density = np.where(np.arange(160000) < 80000, 0, 400)
    samples, _ = run(Dust(density=signal(density), amp=Sine(freq=1), seed=3), 1000)
    assert not samples[:80000].any()
    assert abs(np.count_nonzero(samples[80000:]) - 4000) < 4 * 4000**0.5
    level, _ = run(Sine(freq=1), 1000)
    assert np.all(np.abs(samples) <= np.abs(level))


def test_the_same_seed_is_the_same_dust_and_another_one_is_another(run):
    one, same, other = (run(Dust(density=100, seed=seed), 100)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
