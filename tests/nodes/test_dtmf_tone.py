import numpy as np
import pytest

from graphvoip.nodes import DtmfTone

RATE = 8000
LOW = dict(zip("123A456B789C*0#D", np.repeat([697, 770, 852, 941], 4), strict=True))
HIGH = dict(zip("123A456B789C*0#D", [1209, 1336, 1477, 1633] * 4, strict=True))


def levels(samples, frequencies):
    """The levels in dB of these sines, and of what is left without them."""
    turns = np.arange(len(samples))[:, None] / RATE * np.array(frequencies)
    basis = np.concatenate([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], 1)
    found = np.linalg.lstsq(basis, samples.astype(float), rcond=None)[0]
    rest = np.std(samples - basis @ found) * 2**0.5
    return 20 * np.log10([*np.hypot(*found.reshape(2, -1)), rest])


def decoded(samples, tone=560, step=1120):
    """The digits, by the strongest row and column of each, which are at equal distances."""
    found = ""
    for begin in range(0, len(samples) - tone + 1, step):
        piece = samples[begin : begin + tone] * np.hanning(tone)
        if np.abs(piece).max() < 1e-3:
            found += " "
            continue

        def power(frequency, piece=piece):
            return abs(np.sum(piece * np.exp(-2j * np.pi * frequency / RATE * np.arange(tone))))

        found += max(LOW, key=lambda digit: power(LOW[digit]) + power(HIGH[digit]))
    return found


@pytest.mark.parametrize("digit", "123A456B789C*0#D")
def test_each_digit_is_its_two_frequencies_and_nothing_else(run, digit):
    samples, _ = run(DtmfTone(text=digit, on=0.5), 25)
    low, high, rest = levels(samples[16:-16], [LOW[digit], HIGH[digit]])
    assert low == pytest.approx(-10, abs=0.001)
    assert high - low == pytest.approx(2, abs=0.001)
    assert rest < -120


@pytest.mark.parametrize(("level", "twist"), [(-20.0, 0.0), (-6.0, -8.0), (-30.0, 4.0)])
def test_level_and_twist(run, level, twist):
    samples, _ = run(DtmfTone(text="8", on=0.2, level_db=level, twist_db=twist), 10)
    low, high, _ = levels(samples[16:-16], [852, 1336])
    assert low == pytest.approx(level, abs=0.001)
    assert high == pytest.approx(level + twist, abs=0.001)


def test_tones_gaps_and_the_end_are_right_to_the_sample(run):
    samples, events = run(DtmfTone(text="15", on=0.0611, off=0.0433, pause=0.1), 20)
    on, off = 489, 346
    assert events == [("done", 2 * (on + off) - 1, 0)]
    sounds = np.zeros(len(samples), bool)
    for begin in (0, on + off):
        sounds[begin : begin + on] = True
        assert np.all(samples[[begin + 1, begin + on - 1]] != 0)
    assert not np.any(samples[~sounds])
    assert np.abs(np.diff(np.concatenate([[0], samples]))).max() < 1.05 * 2 * np.pi / RATE * 0.398 * (1.26 * 1336 + 770)


def test_a_text_is_heard_as_it_is_written(run):
    samples, events = run(DtmfTone(text="0123 456-789*#abcd"), 130)
    assert decoded(samples).strip() == "0123456789*#ABCD"
    assert events == [("done", 16 * 1120 - 1, 0)]


def test_a_comma_is_a_pause(run):
    samples, events = run(DtmfTone(text="1,,2", pause=0.28), 50)
    assert decoded(samples).rstrip() == "1    2"
    assert events == [("done", 6 * 1120 - 1, 0)]


def test_keys_are_sent_from_the_sample_of_their_press_on(run, signal):
    presses = np.zeros(9600)
    for at, key in ((1003, "5"), (4007, "#"), (7001, "d")):
        presses[at] = ord(key)
    samples, events = run(DtmfTone(signal(presses)), 60)
    assert events == []
    for at, key in ((1003, "5"), (4007, "#"), (7001, "D")):
        assert not np.any(samples[at - 100 : at])
        assert np.all(samples[at + 1 : at + 4] != 0)
        assert decoded(samples[at : at + 560]) == key
        assert not np.any(samples[at + 560 : at + 1120])


def test_keys_that_come_too_fast_wait_and_what_is_none_is_left_out(run, signal):
    presses = np.zeros(320)
    presses[100:110] = [ord(key) for key in "12x3,é45 6"]
    samples, _ = run(DtmfTone(signal(presses)), 60)
    assert decoded(samples[100:]).strip() == "123456"


def test_a_thousand_keys_at_once_and_faulty_ones_do_no_harm(run, signal):
    samples, _ = run(DtmfTone(signal(np.full(1600, ord("7")))), 560)
    assert decoded(samples).rstrip() == "7" * 66  # two that have begun in 1600 samples, 64 that wait
    for bad in (np.nan, np.inf, -np.inf, 1e30, -5.0):
        samples, _ = run(DtmfTone(signal(np.full(1600, bad))), 20)
        assert not np.any(samples)


def test_keys_follow_a_text_that_is_being_sent(run, signal):
    samples, events = run(DtmfTone(signal([0, ord("9"), ord("8")]), text="12"), 40)
    assert decoded(samples).rstrip() == "1298"
    assert events == [("done", 4 * 1120 - 1, 0)]


def test_wrong_options_are_refused():
    for values, words in (
        ({"text": "12E"}, "dtmf_tone: text has 'E'; it may have 0-9"),
        ({"text": 12}, "digits in quotes"),
        ({"on": 0}, "on 0 s is outside"),
        ({"level_db": 3}, "level_db 3 dB"),
    ):
        with pytest.raises(ValueError, match=words):
            DtmfTone(**values)
