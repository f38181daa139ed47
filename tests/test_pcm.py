import array
import math

import numpy as np
import pytest

from graphvoip.pcm import PCM, normalizePCM, samples


@pytest.mark.parametrize(
    "pcm",
    [
        [0, 0.5, -1],
        (0.0, 0.5, -1.0),
        array.array("f", [0, 0.5, -1]),
        array.array("d", [0, 0.5, -1]),
        np.array([0, 0.5, -1]),
        np.array([0, 0.5, -1], np.float16),
        np.array([0, 9, 0.5, 9, -1, 9], np.float32)[::2],
    ],
)
def test_any_sequence_of_floats_is_samples(pcm):
    x = samples(pcm, "test")
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    assert x.tolist() == [0, 0.5, -1]


def test_no_samples_are_samples():
    for empty in ([], (), np.zeros(0), array.array("h")):
        assert samples(empty, "test").shape == (0,)


def test_whole_numbers_in_a_list_are_samples():
    assert samples([0, 1, -1], "test").tolist() == [0, 1, -1]


def test_an_array_in_the_right_form_is_shared():
    x = np.zeros(160, np.float32)
    assert samples(x, "test") is x


@pytest.mark.parametrize(
    "pcm", [array.array("h", [0, 1]), np.array([0, 1], np.int16), [0, 12000, -7], bytearray(b"ab")]
)
def test_16_bit_integers_are_not_guessed_at(pcm):
    with pytest.raises(ValueError, match=r"^playPCM: samples are floats in \[-1, 1\], not integers; .* by 32768$"):
        samples(pcm, "playPCM")


@pytest.mark.parametrize(
    ("pcm", "words"),
    [
        (
            np.zeros((160, 2)),
            r"playPCM: samples are one channel, not an array of shape \(160, 2\); take one, or their mean",
        ),
        ([[0.0, 0.1], [0.2]], "playPCM: samples are one channel, a sequence of floats, not of lists"),
        ([0.0] * 17 + [math.nan], r"playPCM: sample 17 is nan; samples are finite floats in \[-1, 1\]"),
        (np.array([0, -np.inf], np.float32), r"playPCM: sample 1 is -inf; samples are .*"),
        ([1e300], r"playPCM: sample 0 is 1e\+300; samples are .*"),
    ],
)
def test_what_is_wrong_with_samples_is_said(pcm, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        samples(pcm, "playPCM")


@pytest.mark.parametrize(
    ("pcm", "kind"),
    [
        (None, "NoneType"),
        (0.5, "float"),
        ("sound.wav", r"str; load the file by loadWAVtoPCM\('sound\.wav'\)"),
        (b"sound", "bytes"),
        ((x for x in [0.5]), "generator"),
        ([0.5, None], "of NoneType"),
        (["a"], "of str"),
        ([1j], "of complex"),
    ],
)
def test_what_is_no_sequence_of_numbers_is_said(pcm, kind):
    with pytest.raises(TypeError, match=f"^playPCM: samples are a sequence of floats, not {kind}$"):
        samples(pcm, "playPCM")


def test_normalize_trims_and_scales():
    x = normalizePCM([0, 0.005, -0.1, 0, 0.25, -0.5, 0.006, -0.005, 0])
    assert isinstance(x, PCM)
    assert x == pytest.approx([-0.2, 0, 0.5, -1, 0.012])
    assert min(x) == -1  # exactly
    assert normalizePCM(x) == x


@pytest.mark.parametrize("kind", [np.array, lambda x: array.array("d", x), tuple])
def test_normalize_takes_any_sequence(kind):
    assert normalizePCM(kind([0.0, 0.25, 0.5, 0.0])) == [0.5, 1]


def test_normalize_of_silence_is_nothing():
    assert normalizePCM([]) == []
    assert normalizePCM([0.005, -0.004] * 100) == []


def test_normalize_names_what_is_not_finite():
    with pytest.raises(ValueError, match=r"^normalizePCM: sample 2 is inf;"):
        normalizePCM([0, 1, math.inf])
