import numpy as np
import pytest

from graphvoip.nodes import Lfo, Sine


def turns_of(freq, count, phase=0.0):
    return phase + np.arange(count) * float(np.float32(freq)) / 8000


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.75])
@pytest.mark.parametrize(
    ("shape", "wave"),
    [
        ("sine", lambda t: np.sin(2 * np.pi * t)),
        ("triangle", lambda t: 2 / np.pi * np.arcsin(np.sin(2 * np.pi * t))),
        ("saw", lambda t: 2 * (t % 1) - 1),
    ],
)
def test_each_wave_is_its_formula_from_the_phase_on(run, shape, wave, phase):
    samples, _ = run(Lfo(freq=7.3, shape=shape, phase=phase), 100)
    expected = wave(turns_of(7.3, 16000, phase))
    far = np.abs(samples - expected)
    jumps = np.abs(np.diff(expected, prepend=expected[0])) > 0.5  # where a saw falls, a sample's rounding is all of it
    assert far[~jumps].max() < 1e-5
    assert samples[0] == pytest.approx(expected[0], abs=1e-6)


def test_a_square_changes_at_the_very_sample_for_ten_seconds(run):
    samples, _ = run(Lfo(freq=2.5, shape="square"), 500)
    np.testing.assert_array_equal(samples, np.where(np.arange(80000) % 3200 < 1600, 1.0, -1.0))


def test_low_and_high_are_reached_and_may_move(run, signal):
    low, high = np.linspace(200, 300, 1600).astype(np.float32), np.linspace(400, 1000, 1600).astype(np.float32)
    samples, _ = run(Lfo(freq=10, low=signal(low), high=signal(high), shape="square"), 10)
    np.testing.assert_array_equal(samples, np.where(np.arange(1600) % 800 < 400, high, low))
    samples, _ = run(Lfo(freq=10, low=0.1, high=0.7, shape="triangle"), 10)
    assert (samples.min(), samples.max()) == (np.float32(0.1), np.float32(0.7))


def test_random_holds_a_level_for_a_turn_and_the_levels_are_even_between_low_and_high(run):
    samples, _ = run(Lfo(freq=100, low=3, high=7, shape="random", seed=5), 2000)
    levels = samples.reshape(-1, 80)
    assert np.all(levels == levels[:, :1])
    levels = levels[:, 0]
    assert len(np.unique(levels)) > 3990
    np.testing.assert_allclose(np.histogram(levels, 4, (3, 7))[0], 1000, rtol=0.12)
    assert abs(np.corrcoef(levels[1:], levels[:-1])[0, 1]) < 0.06


def test_a_seed_is_a_row_of_levels(run):
    one, again, other = (run(Lfo(freq=50, shape="random", seed=seed), 10)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.any(one == other)


@pytest.mark.parametrize("shape", ["sine", "saw", "square", "random"])
def test_sync_begins_it_anew_at_its_sample(run, signal, shape):
    sync = np.zeros(1600)
    sync[333:700] = 0.5  # it is the rise that counts
    samples, _ = run(Lfo(freq=9.7, shape=shape, phase=0.2, sync=signal(sync)), 10)
    free, _ = run(Lfo(freq=9.7, shape=shape, phase=0.2), 10)
    np.testing.assert_array_equal(samples[:333], free[:333])
    if shape == "random":
        assert samples[332] != samples[333]
    else:
        np.testing.assert_array_equal(samples[333:], free[: 1600 - 333])


def test_its_pitch_may_be_a_signal(run, signal):
    freq = np.linspace(0, 100, 3200)
    samples, _ = run(Lfo(freq=signal(freq)), 20)
    phase = np.concatenate([[0], np.cumsum(freq.astype(np.float32).astype(float) / 8000)[:-1]])
    np.testing.assert_allclose(samples, np.sin(2 * np.pi * phase), atol=2e-6)


def test_wrong_values_are_refused():
    for values, words in (
        ({"shape": "triangel"}, "did you mean 'triangle'"),
        ({"freq": 101}, "outside 0..100"),
        ({"phase": 2}, "phase 2 turns is outside 0..1"),
    ):
        with pytest.raises(ValueError, match=words):
            Lfo(**values)
    assert Lfo(freq=Sine())
