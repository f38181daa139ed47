import itertools

import numpy as np
import pytest

from graphvoip.nodes import DialTone, Gain, Sine
from graphvoip.nodes.dial_tone import TONES

RATE = 8000
ALL = [(country, kind) for country, kinds in TONES.items() for kind in kinds]


def fitted(samples, frequencies):
    """The heights of these sines, and how much of the sound is left without them."""
    turns = np.arange(len(samples))[:, None] / RATE * np.array(frequencies)
    basis = np.concatenate([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], 1)
    found = np.linalg.lstsq(basis, samples.astype(float), rcond=None)[0]
    return np.hypot(*found.reshape(2, -1)), np.std(samples - basis @ found)


def runs(samples):
    """The lengths in samples of sound, silence, sound ... Some zeros are a zero crossing, eleven are silence."""
    quiet = np.convolve(np.abs(samples) < 1e-9, np.ones(11), "same") > 10.5
    quiet = np.convolve(quiet, np.ones(11), "same") > 0.5
    return [(bool(value), sum(1 for _ in group)) for value, group in itertools.groupby(~quiet)]


@pytest.mark.parametrize(
    ("country", "kind", "frequencies", "dbm0", "cadence"),  # written down anew, from the plans
    [
        ("us", "ringback", (440, 480), -19, (2, 4)),
        ("us", "busy", (480, 620), -24, (0.5, 0.5)),
        ("us", "reorder", (480, 620), -24, (0.25, 0.25)),
        ("us", "call_waiting", (440,), -13, (0.3, 10)),
        ("uk", "ringback", (400, 450), -13, (0.4, 0.2, 0.4, 2)),
        ("uk", "busy", (400,), -10, (0.375, 0.375)),
        ("de", "ringback", (425,), -10, (1, 4)),
        ("de", "busy", (425,), -10, (0.48, 0.48)),
        ("fr", "ringback", (440,), -10, (1.5, 3.5)),
        ("it", "dial", (425,), -10, (0.2, 0.2, 0.6, 1)),
        ("es", "busy", (425,), -10, (0.2, 0.2)),
        ("es", "reorder", (425,), -10, (0.2, 0.2, 0.2, 0.2, 0.2, 0.6)),
        ("ch", "reorder", (425,), -10, (0.2, 0.2)),
        ("jp", "busy", (400,), -10, (0.5, 0.5)),
        ("au", "ringback", (413, 438), -13, (0.4, 0.2, 0.4, 2)),
        ("au", "call_waiting", (425,), -10, (0.2, 0.2, 0.2, 4.4)),
    ],
)
def test_frequencies_levels_and_cadences(run, country, kind, frequencies, dbm0, cadence):
    samples, events = run(DialTone(country=country, kind=kind), round(50 * (2 * sum(cadence) + 0.1)))
    assert events == []
    heard = runs(samples)
    assert [value for value, _ in heard[:2]] == [True, False]
    lengths = [length for _, length in heard][: 2 * len(cadence)]
    np.testing.assert_allclose(lengths, [RATE * seconds for seconds in 2 * cadence], atol=1)
    first = samples[32 : round(RATE * cadence[0]) - 32]
    heights, rest = fitted(first, frequencies)
    np.testing.assert_allclose(20 * np.log10(heights) + 3.14, dbm0, atol=0.01)
    assert rest < 1e-6


@pytest.mark.parametrize(("country", "kind"), ALL)
def test_every_tone_of_the_table_is_its_sines_and_does_not_click(run, country, kind):
    base, *bursts = TONES[country][kind]
    samples, _ = run(DialTone(country=country, kind=kind), round(50 * (sum(on + off for _, on, off in bursts) + 1)))
    slopes, begin = [], 0
    for frequencies, on, off in bursts:
        pairs = [one if isinstance(one, tuple) else (one, 0) for one in frequencies]
        levels = np.array([10 ** ((base + more - 3.14) / 20) for _, more in pairs])
        end = begin + round(RATE * on) if on else len(samples)
        heights, rest = fitted(samples[begin + 32 : end - 32], [frequency for frequency, _ in pairs])
        np.testing.assert_allclose(heights, levels, rtol=1e-3)
        assert rest < 1e-6
        slopes.append(2 * np.pi / RATE * sum(levels * [frequency for frequency, _ in pairs]))
        begin = end + round(RATE * off)
    assert np.abs(np.diff(np.concatenate([[0], samples]))).max() < 1.05 * max(slopes)


@pytest.mark.parametrize("country", TONES)
def test_every_country_has_the_six(country):
    assert {"dial", "ringback", "busy", "reorder", "call_waiting", "sit"} <= set(TONES[country])


def test_the_information_tones_rise_and_end(run):
    samples, events = run(DialTone(country="fr", kind="sit"), 60)
    assert events == [("done", 3 * 2640 - 1, 0)]
    assert not np.any(samples[7920:])
    for k, frequency in enumerate((950, 1400, 1800)):
        (height,), rest = fitted(samples[2640 * k + 32 : 2640 * (k + 1) - 32], [frequency])
        assert 20 * np.log10(height) + 3.14 == pytest.approx(-24, abs=0.01)
        assert rest < 1e-6


def test_a_dial_tone_goes_on_and_its_phase_stays_right(run):
    samples, _ = run(DialTone(), 3000)
    t = np.arange(160 * 2990, 160 * 3000) / RATE
    expected = np.sin(2 * np.pi * 350 * t) + np.sin(2 * np.pi * 440 * t)
    np.testing.assert_allclose(samples[-1600:], expected * 10 ** ((-13 - 3.14) / 20), atol=1e-6)


def test_the_level_may_be_a_signal(run):
    samples, _ = run(DialTone(Gain(Sine(freq=3), 0.5)), 20)
    plain, _ = run(DialTone(), 20)
    swing = 0.5 * np.sin(2 * np.pi * 3 * np.arange(3200) / RATE)
    np.testing.assert_allclose(samples, plain * swing, atol=1e-6)


def test_unknown_names_are_refused_with_what_there_is():
    for values, words in (
        ({"country": "xx"}, "country 'xx' is none of us, uk, de"),
        ({"kind": "bussy"}, "did you mean 'busy'"),
        ({"country": "de", "kind": "off_hook"}, "country 'de' has no 'off_hook'; it has dial, ringback, busy"),
    ):
        with pytest.raises(ValueError, match=words):
            DialTone(**values)
