import numpy as np
import pytest

from graphvoip.nodes import Sine, Stutter

RANDOM = np.random.default_rng(11)
NOISE = RANDOM.uniform(-1, 1, 32000).astype(np.float32)


def gate(*spans, size=32000):
    data = np.zeros(size, np.float32)
    for first, last in spans:
        data[first:last] = 1
    return data


def test_while_the_gate_is_on_the_last_moment_is_repeated(run, signal):
    samples, _ = run(Stutter(signal(NOISE), gate=signal(gate((5003, 9000))), time=0.1), 100)
    np.testing.assert_array_equal(samples[:5003], NOISE[:5003])
    for turn in range(4):  # each without its faded joins
        first = 5003 + 800 * turn
        np.testing.assert_array_equal(samples[first + 40 : first + 760], NOISE[5003 - 760 : 5003 - 40])
    np.testing.assert_array_equal(samples[9040:], NOISE[9040:16000])


def test_the_joins_do_not_click(run, signal):
    spans = [(at, at + 1111) for at in range(3000, 30000, 1777)]
    samples, _ = run(Stutter(Sine(freq=441), gate=signal(gate(*spans)), time=0.0437), 200)
    assert np.abs(np.diff(samples, 2)).max() < 1.6 * (2 * np.pi * 441 / 8000) ** 2
    assert np.abs(samples).max() < 1.001


def test_a_new_rise_takes_the_newest_sound_even_before_the_last_has_faded(run, signal):
    samples, _ = run(Stutter(signal(NOISE), gate=signal(gate((5003, 7000), (7010, 9000))), time=0.1), 100)
    # It has been on for 40 samples at least, fades out for 40 from sample 7000, and begins then.
    np.testing.assert_array_equal(samples[7040 + 40 : 7040 + 760], NOISE[7040 - 760 : 7040 - 40])


def test_a_new_time_holds_from_the_next_repeat(run, signal):
    time = np.where(np.arange(32000) < 6000, 0.1, 0.05)
    samples, _ = run(Stutter(signal(NOISE), gate=signal(gate((5003, 9000))), time=signal(time)), 100)
    np.testing.assert_array_equal(samples[5843:6563], NOISE[5003 - 760 : 5003 - 40])
    for first in (6603, 7003):
        np.testing.assert_array_equal(samples[first : first + 360], NOISE[5003 - 400 : 5003 - 40])


def test_a_looper_repeats_what_came_in_while_the_gate_was_on(run, signal):
    silent = NOISE.copy()
    silent[4600:] = 0
    samples, _ = run(Stutter(signal(silent), gate=signal(gate((1003, 4003), (20001, 20050))), mode="looper"), 200)
    np.testing.assert_array_equal(samples[:4003], NOISE[:4003])
    np.testing.assert_allclose(samples[4043:4600], NOISE[4043:4600] + NOISE[1043:1600], atol=1e-6)
    for turn in range(1, 5):
        first = 4003 + 3000 * turn
        np.testing.assert_array_equal(samples[first : first + 2960], NOISE[1003 : 1003 + 2960])
    assert not samples[20041:].any()  # a short press ends it


def test_overdub_adds_to_the_loop(run, signal):
    wave = np.where(np.arange(32000) < 12000, NOISE, 0).astype(np.float32)
    wave[14000:] = 0
    node = Stutter(signal(wave), gate=signal(gate((1003, 4003))), overdub=signal(gate((8003, 9003))), mode="looper")
    samples, _ = run(node, 200)
    expected = NOISE[1003:4003].copy()
    expected[1040:2000] += NOISE[8043:9003]  # it has come up by its 40th sample
    np.testing.assert_allclose(samples[13003 + 1040 : 13003 + 2000], expected[1040:2000], atol=1e-6)
    np.testing.assert_allclose(samples[13003 + 2040 : 13003 + 2960], expected[2040:2960], atol=1e-6)


def test_an_overdub_over_the_loop_point_does_not_click(run, signal):
    tone = np.sin(2 * np.pi * 441 * np.arange(32000) / 8000)
    tone[:5000], tone[20000:] = 0, 0
    node = Stutter(signal(tone), gate=signal(gate((1003, 4003))), overdub=signal(gate((6103, 8003))), mode="looper")
    samples, _ = run(node, 200)
    heard = samples[20100:]
    assert heard.max() > 0.9
    assert np.abs(np.diff(heard, 2)).max() < 1.2 * (2 * np.pi * 441 / 8000) ** 2


def test_overdubs_without_end_stay_bounded_and_faults_are_not_kept(run, signal):
    wild = NOISE.copy()
    wild[::500] = np.nan
    for mode in ("stutter", "looper"):
        node = Stutter(signal(wild), gate=signal(gate((1003, 4003))), overdub=1.0, time=0.02, mode=mode)
        samples, _ = run(node, 400)
        assert np.all(np.isfinite(samples[32000:]))
        assert np.abs(samples[32000:]).max() <= 8


def test_an_unknown_mode_and_values_out_of_range_are_refused():
    for values, words in (({"mode": "loop"}, "none of stutter, looper"), ({"time": 3}, "time 3 s is outside 0.02..2")):
        with pytest.raises(ValueError, match=words):
            Stutter(Sine(), **values)
