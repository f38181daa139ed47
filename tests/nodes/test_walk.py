import numpy as np
import pytest

from graphvoip.nodes import Walk


def test_after_a_second_it_has_strayed_by_its_rate(run):
    """200 walks: their standard deviation grows with the root of time, in the unit of low to high."""
    walks = np.array([run(Walk(rate=0.1, low=0, high=50, smooth=0, seed=seed), 50)[0] for seed in range(200)])
    assert np.abs(walks[:, 0] - 25).max() < 0.2  # from the middle
    for at, far in ((1999, 2.5), (7999, 5.0)):
        assert np.std(walks[:, at]) == pytest.approx(far, rel=0.15)
        assert abs(np.mean(walks[:, at]) - 25) < 3 * far / 200**0.5


def test_it_never_leaves_its_range_and_every_value_is_as_frequent(run):
    samples, _ = run(Walk(rate=10, low=-3, high=1, smooth=0, seed=1), 5000)
    assert samples.min() >= -3
    assert samples.max() <= 1
    np.testing.assert_allclose(np.histogram(samples, 8, (-3, 1))[0] / samples.size, 1 / 8, rtol=0.15)


def test_smoothing_takes_the_roughness_away(run):
    rough, smooth = (run(Walk(rate=0.5, smooth=smooth, seed=4), 1000)[0].astype(float) for smooth in (0, 0.02))
    assert np.abs(np.diff(rough)).max() < 2 * 0.5 * (3 / 8000) ** 0.5 * 1.0001  # one step, to the square root
    window = np.hanning(len(rough))
    above = np.fft.rfftfreq(len(rough), 1 / 8000) > 50
    levels = [np.sqrt(np.sum(np.abs(np.fft.rfft((x - x.mean()) * window)[above]) ** 2)) for x in (rough, smooth)]
    assert 20 * np.log10(levels[1] / levels[0]) < -30
    assert np.std(rough - np.roll(smooth, -320)) < 0.1  # the same walk, 40 ms later


def test_the_smoothing_is_two_averages(run):
    rough, smooth = (run(Walk(rate=1, smooth=smooth, seed=4), 10)[0].astype(float) for smooth in (0, 0.01))
    share, middle, end = 1 - np.exp(-1 / 80), 0.0, 0.0
    expected = []
    for x in rough:
        middle += (x - middle) * share
        end += (middle - end) * share
        expected.append(end)
    np.testing.assert_allclose(smooth, expected, atol=1e-6)


def test_a_seed_is_a_walk(run):
    one, again, other = (run(Walk(seed=seed), 10)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


def test_rate_0_stays_and_low_and_high_may_move(run, signal):
    low, high = np.linspace(0, 100, 1600), np.linspace(10, 400, 1600)
    samples, _ = run(Walk(rate=0, low=signal(low), high=signal(high)), 10)
    np.testing.assert_allclose(samples, (low + high) / 2, rtol=1e-6)


def test_wrong_values_are_refused():
    for values, words in (({"rate": -1}, "rate -1"), ({"smooth": -1}, "smooth -1 s")):
        with pytest.raises(ValueError, match=words):
            Walk(**values)
