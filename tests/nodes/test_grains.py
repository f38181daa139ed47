import numpy as np
import pytest

from graphvoip.nodes import Grains

RATE = 8000
RAMP = np.linspace(0, 1, RATE)


def hann(count):
    return 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(count) + 0.5) / count)


def still(**values):
    """Grains without any chance in them."""
    return Grains(**{"spread": 0.0, "jitter": 0.0} | values)


def test_a_grain_is_a_piece_of_the_sound_under_a_hann_window(run):
    samples, _ = run(still(data=RAMP, density=2, size=0.1, position=0.3), 50)
    begin = 0.3 * (RATE - 1 - 800)
    piece = np.interp(begin + np.arange(800), np.arange(RATE), RAMP)
    np.testing.assert_allclose(samples[:800], hann(800) * piece, atol=1e-5)
    np.testing.assert_array_equal(samples[800:3990], 0)
    assert np.any(samples[4002:4800])  # the next one, half a second later


@pytest.mark.parametrize(("position", "rate"), [(0.0, 1.0), (1.0, 1.0), (0.5, 2.0), (0.5, -1.0), (1.0, -0.5)])
def test_position_runs_from_the_first_sample_to_the_last_whatever_the_rate(run, position, rate):
    samples, _ = run(still(data=RAMP, density=1, size=0.05, position=position, rate=rate), 3)
    span = 400 * abs(rate)
    begin = position * (RATE - 1 - span) + (span if rate < 0 else 0)
    piece = np.interp(begin + rate * np.arange(400), np.arange(RATE), RAMP)
    np.testing.assert_allclose(samples[:400], hann(400) * piece, atol=1e-4)


@pytest.mark.parametrize("rate", [0.5, 0.9, 1.5, 2.0])
def test_rate_moves_the_pitch(run, sine, rate):
    samples, _ = run(Grains(data=sine(441, 2), rate=rate, density=20, size=0.2, seed=1), 200)
    spectrum = np.abs(np.fft.rfft(samples[8000:24000] * np.hanning(16000)))
    assert np.argmax(spectrum) / 2 == pytest.approx(441 * rate, abs=6)


def begins(run, seconds, **values):
    """The samples at which grains begin, when none is over another."""
    samples, _ = run(Grains(data=np.ones(RATE), size=0.002, **values), 50 * seconds)
    return np.flatnonzero((samples > 0) & (np.concatenate([[0], samples[:-1]]) == 0))


def test_without_jitter_grains_begin_at_equal_distances(run):
    found = begins(run, 2, density=70, jitter=0.0)
    assert len(found) == 140
    assert set(np.diff(found)) <= {114, 115}


def test_with_jitter_there_are_as_many_at_uneven_distances(run):
    found = begins(run, 20, density=20, jitter=1.0, seed=1)
    assert len(found) == pytest.approx(400, rel=0.08)
    gaps = np.diff(found) / 400
    assert gaps.min() < 0.2
    assert gaps.max() > 1.8


def test_spread_takes_grains_from_all_over(run):
    """The sound is a staircase: each grain says where it is from."""
    data = np.repeat(np.arange(1, 11) / 10, 800)
    for spread, places in ((0.1, {5, 6, 7}), (1.0, set(range(1, 11)))):
        cloud = Grains(data=data, size=0.01, density=50, position=0.55, spread=spread, jitter=0.0, seed=2)
        heights = run(cloud, 250)[0].reshape(-1, 160).max(1)
        assert set(np.rint(10 * heights)) == places


def test_the_level_hardly_depends_on_density(run):
    noise = np.random.default_rng(1).uniform(-1, 1, 4 * RATE)
    levels = [run(Grains(data=noise, spread=1, density=d, seed=1), 300)[0].std() for d in (10, 30, 100, 250)]
    assert 20 * np.log10(max(levels) / min(levels)) < 1.5
    assert levels[0] == pytest.approx(noise.std() * 0.375**0.5, rel=0.15)


def test_more_grains_than_there_is_room_for_are_thinned_out(run):
    samples, _ = run(Grains(density=1000, size=2, rate=1.01, jitter=1), 150)
    assert np.all(np.isfinite(samples))
    assert 0.01 < np.abs(samples[8000:]).max() < 3


@pytest.mark.parametrize("data", [[0.5], [0.5, -0.5], [np.nan, np.inf, 1e30, 0.1]])
def test_the_shortest_sounds_and_faulty_ones_are_played(run, data):
    for rate in (-7, 0.3, 7):
        samples, _ = run(Grains(data=data, rate=rate, size=0.01), 20)
        assert np.all(np.isfinite(samples))
        assert 0.05 < np.abs(samples).max() < 1


def test_a_seed_is_a_cloud_and_without_a_sound_there_is_a_tone(run):
    one, same, other = (run(Grains(seed=seed), 20)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.05
    assert np.abs(one).max() > 0.05


def test_values_out_of_range_and_two_rows_are_refused():
    for values, words in (({"size": 0}, "0.002..2"), ({"position": 2}, "0..1"), ({"data": [[1.0]]}, "one row")):
        with pytest.raises(ValueError, match=words):
            Grains(**values)
