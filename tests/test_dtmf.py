"""Digits in recordings, by the standards' figures. The long runs, and other receivers, are in bench/dtmf.py."""

import array

import numpy as np
import pytest
from dtmf_cases import CASES, RATE, dial, judge, line
from dtmf_sounds import chords, machines, voices

from graphvoip import detect_dtmf


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_requirement(case):
    score = judge(case, detect_dtmf, seed=2)
    assert score.passed, score


def test_a_requirement_can_fail():
    """The judge itself: a receiver that is deaf, and one that hears everything twice."""
    first = CASES[0]
    assert not judge(first, lambda samples: []).passed
    assert not judge(first, lambda samples: [one for one in detect_dtmf(samples) for _ in (1, 2)]).passed
    assert not judge(first, lambda samples: [(key, a + 0.02, b) for key, a, b in detect_dtmf(samples)]).passed


def test_speech_has_no_digits():
    heard = list(machines(0.25))
    if not heard:
        pytest.skip("no espeak-ng and no flite here")
    for name, sound in heard:
        assert detect_dtmf(sound) == [], name


def test_singing_has_no_digits_and_chords_have_few():
    assert detect_dtmf(voices(5, 4)) == []
    assert len(detect_dtmf(chords(5, 4))) <= 2  # two pure notes can be those of a digit


@pytest.mark.parametrize("kind", [list, tuple, np.float64, np.float32, lambda x: array.array("f", x)])
def test_digits_and_their_times_whatever_the_samples_are_in(kind):
    signal = dial(np.random.default_rng(4), "159#", 0.07, 0.06)
    found = detect_dtmf(kind(line(signal.samples)))
    assert [key for key, _, _ in found] == list("159#")
    for (_, start, end), (_, begin, stop) in zip(found, signal.truth, strict=True):
        assert start == pytest.approx(begin, abs=0.002)
        assert end == pytest.approx(stop, abs=0.002)


def test_a_digit_at_either_end_of_a_recording():
    signal = dial(np.random.default_rng(4), "82", 0.06, 0.06)
    begin, end = round(signal.truth[0][1] * RATE), round(signal.truth[1][2] * RATE)
    found = detect_dtmf(signal.samples[begin:end])
    assert [key for key, _, _ in found] == ["8", "2"]
    assert found[0][1] == pytest.approx(0, abs=0.002)
    assert found[1][2] == pytest.approx((end - begin) / RATE, abs=0.002)


def test_nothing_in_nothing():
    assert detect_dtmf([]) == []
    assert detect_dtmf(np.zeros(100)) == []


def test_what_is_no_recording_is_told():
    with pytest.raises(ValueError, match="detect_dtmf: samples are floats"):
        detect_dtmf(np.zeros(100, np.int16))
