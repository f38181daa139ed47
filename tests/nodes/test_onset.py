import numpy as np
import pytest

from graphvoip.nodes import Gain, Onset, Pcm, Sine

RATE = 8000


def pluck(freq, seed):
    """A plucked string of a second (Karplus and Strong)."""
    period = round(RATE / freq)
    y = np.zeros(RATE + period)
    y[:period] = np.random.default_rng(seed).uniform(-1, 1, period)
    for i in range(period, len(y)):
        y[i] = 0.498 * (y[i - period] + y[i - period - 1])
    return y[:RATE]


def plucks(level=0.5):
    """Ten seconds of them over each other, and the samples at which they begin."""
    random = np.random.default_rng(1)
    samples, at, t = np.zeros(10 * RATE), [], 1003
    while t < 9 * RATE:
        samples[t : t + RATE] += level * pluck(random.choice([98, 131, 196, 330, 441]), t)
        at.append(t)
        t += int(random.uniform(1200, 4000))
    return samples, np.array(at)


def attacks(run, source, frames=500, **values):
    out, events = run(Onset(source, **values), frames)
    found = np.flatnonzero(out)
    assert set(out) <= {0, 1}
    assert [at for _, at, _ in events] == list(found)
    assert all(name == "attack" for name, _, _ in events)
    return found


@pytest.mark.parametrize("noise", [0, 0.002])
@pytest.mark.parametrize("level", [0.05, 0.5])
def test_every_pluck_is_heard_once_within_15_ms(run, signal, level, noise):
    samples, at = plucks(level)
    samples = samples + noise * level * np.random.default_rng(2).standard_normal(len(samples))
    found = attacks(run, signal(samples))
    found = found[found > 1000]  # before that the noise begins, too
    assert len(found) == len(at)
    assert np.all((found >= at) & (found - at < 120))


def test_what_goes_on_has_no_attacks(run, signal):
    t = np.arange(40000) / RATE
    steady = {
        "noise": np.random.default_rng(1).standard_normal(40000) * 0.2,
        "dial tone": 0.3 * np.sin(2 * np.pi * 350 * t) + 0.3 * np.sin(2 * np.pi * 440 * t),
        "pulses": (80.3 * t % 1 < 0.02) - 0.02,
        "vibrato": np.sin(2 * np.pi * 441 * t + 5 * np.sin(2 * np.pi * 6 * t)),
        "swelling": np.sin(2 * np.pi * 441 * t) * t / 5,
    }
    for name, samples in steady.items():
        found = attacks(run, signal(samples), 250)
        assert not np.any(found > 400), name


def test_sensitivity_decides_which_rises_count(run, signal):
    steps = np.repeat([0.05, 0.1, 0.05, 0.2, 0.05, 0.5], 4000)  # + 6, 12 and 20 dB
    noise = np.random.default_rng(1).standard_normal(len(steps)) * steps
    heard = {}
    for sensitivity in (0.0, 0.9):
        found = attacks(run, signal(noise), 150, sensitivity=sensitivity)
        heard[sensitivity] = [at // 4000 for at in found if at > 400]
    assert heard[0.0] == [3, 5]
    assert heard[0.9] == [1, 3, 5]


def test_nothing_comes_within_the_gap(run, signal):
    clicks = np.zeros(8000)
    clicks[400::800] = 0.9  # every 100 ms
    for gap, step in ((0.05, 800), (0.15, 1600), (0.25, 2400)):
        found = attacks(run, signal(clicks), 50, gap=gap)
        assert set(np.diff(found)) == {step}


def test_silence_and_what_is_below_55_db_have_none(run):
    assert not len(attacks(run, Pcm(), 50))
    assert not len(attacks(run, Gain(Sine(freq=441), 1e-4), 50))


def test_values_out_of_range_are_refused():
    for values, words in (({"sensitivity": 2}, "sensitivity 2 x"), ({"gap": 0}, "gap 0 s is outside")):
        with pytest.raises(ValueError, match=words):
            Onset(Sine(), **values)
