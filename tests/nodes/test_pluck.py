import numpy as np
import pytest

from graphvoip.nodes import Pluck

RATE = 8000


def partial(samples, freq):
    """How one partial of a tone goes: its pitch in Hz, and its fall in dB a second, from 0.1 s to 0.5 s."""
    n = np.arange(len(samples)) / RATE
    width = round(RATE / freq * max(4, round(freq / 30)))
    window = np.hanning(width)
    moved = np.convolve(samples * np.exp(-2j * np.pi * freq * n), window / window.sum(), "valid")[800:4000]
    time = n[: len(moved)]
    turns = np.unwrap(np.angle(moved)) / (2 * np.pi)
    pitch = freq + np.polyfit(time, turns, 1, w=np.abs(moved))[0]
    return pitch, np.polyfit(time, 20 * np.log10(np.abs(moved)), 1)[0]


@pytest.mark.parametrize("brightness", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("freq", [60, 97.3, 220, 441, 1000.7, 1999])
def test_its_pitch_is_right_to_a_fifth_of_a_cent_and_its_decay_to_one_percent(run, freq, brightness):
    for decay in (0.3, 1.0, 4.0):
        samples, _ = run(Pluck(freq=freq, decay=decay, brightness=brightness, seed=3), 50)
        pitch, fall = partial(samples, freq)
        assert abs(1200 * np.log2(pitch / float(np.float32(freq)))) < 0.2
        assert fall == pytest.approx(-60 / decay, rel=0.01)


def test_overtones_fade_faster_the_less_bright_it_is(run):
    falls = []
    for brightness in (1.0, 0.6, 0.2):
        samples, _ = run(Pluck(freq=220, decay=2, brightness=brightness, seed=4), 50)
        falls.append(partial(samples[:2400], 880)[1] / -30)
    assert falls[0] == pytest.approx(1, rel=0.1)
    assert falls[2] > 1.5 * falls[1] > 1.5 * 1.5 * falls[0]


def test_it_sounds_from_the_sample_at_which_the_trigger_rises_and_as_loud_as_that_is(run, signal):
    trigger = np.zeros(8000)
    trigger[1003:3000], trigger[1500] = 0.5, 0.9  # a gate that moves while it is on is one pluck
    samples, _ = run(Pluck(freq=441, trigger=signal(trigger), seed=1), 50)
    whole, _ = run(Pluck(freq=441, seed=1), 50)
    assert not np.any(samples[:1003])
    np.testing.assert_allclose(samples[1003:], 0.5 * whole[: 8000 - 1003], atol=1e-6)


def test_each_pluck_is_as_loud_but_not_the_same(run, signal):
    samples, _ = run(Pluck(freq=441, trigger=signal(np.arange(8000) % 2000 < 5), seed=1), 50)
    plucks = samples.reshape(4, 2000)
    levels = plucks[:, :200].std(1)
    assert levels.max() < 1.6 * levels.min()
    assert 0.1 < np.abs(plucks).max() < 1
    assert np.abs(plucks[0] - plucks[1]).max() > 0.1


def test_a_seed_is_a_sound(run):
    one, same, other = (run(Pluck(freq=220, seed=seed), 5)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1


def test_a_bend_is_followed(run, signal):
    freq = np.concatenate([np.full(1600, 330.0), np.linspace(330, 370, 1600), np.full(12800, 370.0)])
    samples, _ = run(Pluck(freq=signal(freq), decay=6, seed=2), 100)
    pitch, _ = partial(samples[4000:], 370)
    assert abs(1200 * np.log2(pitch / 370)) < 0.5


@pytest.mark.parametrize("hold", [1, 16, 100])
def test_a_string_that_is_shaken_does_not_build_itself_up(run, signal, hold):
    freq = np.repeat(np.exp(np.random.default_rng(1).uniform(3, 8, 40000 // hold)), hold)
    samples, _ = run(Pluck(freq=signal(freq), decay=100, brightness=1.0), 250)
    assert np.abs(samples).max() <= 2


def test_values_out_of_range_are_refused():
    for values, words in (({"freq": 19}, "20..3000"), ({"decay": 0}, "decay 0 s"), ({"brightness": 2}, "0..1")):
        with pytest.raises(ValueError, match=words):
            Pluck(**values)
