import numpy as np
import pytest

from graphvoip.nodes import Decay


def decibels(x):
    return 20 * np.log10(x)


def test_it_strikes_once_at_the_start_and_falls_60_db_in_its_time(run):
    samples, events = run(Decay(time=0.6), 60)
    np.testing.assert_allclose(samples[:17], np.arange(17) / 16, atol=1e-7)  # 2 ms up
    np.testing.assert_allclose(decibels(samples[16 : 16 + 4801]), -60 * np.arange(4801) / 4800, atol=0.001)
    silent = 16 + 6400  # -80 dB
    assert events == [("done", pytest.approx(silent, abs=1), 0)]
    assert np.all(samples[1 : events[0][1]] > 0.99e-4)
    assert not samples[events[0][1] :].any()


def test_at_is_the_sample_at_which_it_is_struck(run):
    samples, events = run(Decay(time=1.2, at=0.5, attack=0), 120)
    assert not samples[:4000].any()
    np.testing.assert_allclose(decibels(samples[4000 : 4000 + 9601]), -60 * np.arange(9601) / 9600, atol=0.001)
    assert events == [("done", pytest.approx(4000 + 12800, abs=1), 0)]


def test_each_trigger_strikes_with_its_value_from_the_level_there_is(run, signal):
    trigger = np.zeros(8000)
    trigger[100:200], trigger[600], trigger[1000], trigger[5000] = 0.5, 0.8, 53.0, 0.25
    samples, events = run(Decay(signal(trigger), time=0.2), 50)
    assert not samples[:101].any()
    for at, peak in ((116, 0.5), (616, 0.8), (1016, 1.0), (5016, 0.25)):
        assert samples[at] == np.float32(peak)
        np.testing.assert_allclose(decibels(samples[at : at + 380] / peak), -60 * np.arange(380) / 1600, atol=0.001)
    assert np.abs(np.diff(samples)).max() < 1 / 16
    assert samples[600] == pytest.approx(0.5 * 10 ** (-3 * 484 / 1600), rel=1e-4)
    assert [name for name, _, _ in events] == ["done", "done"]  # the third strike and the last one died away


def test_with_a_wire_nothing_strikes_before_at(run, signal):
    trigger = np.zeros(1600)
    trigger[[100, 900]] = 1
    samples, _ = run(Decay(signal(trigger), at=0.05), 10)
    assert not samples[:901].any()
    assert samples[916] == 1


def test_its_time_may_move_while_it_sounds(run, signal):
    time = np.where(np.arange(8000) < 1016, 1.0, 0.1)
    samples, _ = run(Decay(time=signal(time)), 50)
    assert decibels(samples[1016]) == pytest.approx(-60 / 8, abs=0.01)
    assert decibels(samples[1416] / samples[1016]) == pytest.approx(-30, abs=0.01)


def test_wrong_values_are_refused():
    for values, words in (({"time": 0}, "time 0 s"), ({"at": -1}, "at -1 s"), ({"attack": "x"}, "attack 'x'")):
        with pytest.raises(ValueError, match=words):
            Decay(**values)
