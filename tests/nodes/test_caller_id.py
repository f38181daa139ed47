import time

import numpy as np
import pytest
from bad_line import noisy, padded, ulaw
from independent import minimodem_reads_caller_id, multimon_reads

from graphvoip.nodes import CallerId
from graphvoip.telegraph import caller_id_decode, caller_id_encode

WHO = {"number": "5551234", "name": "ADA LOVELACE", "when": "11231945"}


@pytest.mark.parametrize("standard", ["bell202", "v23"])
def test_two_others_read_it(standard, tmp_path):
    sent = padded(caller_id_encode(**WHO, standard=standard), 0.1, 1)
    assert multimon_reads(sent, "CLIPFSK") == "CLIPFSK: CS DATE=11231945 CID=5551234 CNT=ADA LOVELACE"
    said = minimodem_reads_caller_id(sent, standard, tmp_path)
    assert " ".join(said.split()) == "CALLER-ID Time: 11/23 19:45 Phone: 5551234 Name: ADA LOVELACE"


def test_a_single_message_is_read(tmp_path):
    sent = padded(caller_id_encode("5551234", when="11231945", form="single"), 0.1, 1)
    said = minimodem_reads_caller_id(sent, "bell202", tmp_path)
    assert " ".join(said.split()) == "CALLER-ID Time: 11/23 19:45 Phone: 5551234"
    assert caller_id_decode(sent) == {"number": "5551234", "when": "11231945"}


@pytest.mark.parametrize("standard", ["bell202", "v23"])
def test_it_comes_back_through_noise_and_mu_law(standard):
    sent = caller_id_encode(**WHO, standard=standard)
    for seed in range(5):
        assert caller_id_decode(ulaw(padded(noisy(sent, 20, seed))), standard) == WHO
    for values in ({"number": "P", "when": "01312359"}, {"number": "O", "name": "P"}):
        assert caller_id_decode(caller_id_encode(**values, standard=standard), standard) == values


def test_a_message_that_is_spoilt_is_none():
    sent = caller_id_encode(**WHO)
    sent[4500:4540] = 0
    assert caller_id_decode(sent) is None
    assert caller_id_decode(np.zeros(8000)) is None


def test_its_parts_are_as_long_as_they_should_be(run):
    """300 bits of 0101, 180 of mark, the message, 10 of mark; without the first, 80 of mark."""
    node = CallerId(number="5551234")
    samples, events = run(node, 60)
    bits = 300 + 180 + 10 * (2 + 2 + 7 + 1) + 10
    assert events == [("done", round(bits * 8000 / 1200) - 1, 0)]
    marks = samples[2020:3180]
    spectrum = np.abs(np.fft.rfft(marks * np.hanning(len(marks)), 8000))
    assert np.argmax(spectrum) == 1200
    assert len(caller_id_encode("5551234", seizure=False)) == round((bits - 300 - 100) * 8000 / 1200)


def test_now_is_the_time_of_the_machine():
    before = time.strftime("%m%d%H%M")
    found = caller_id_decode(caller_id_encode("1", when="now"))
    assert found
    assert found["when"] in (before, time.strftime("%m%d%H%M"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"number": "five"}, "number is 'five'; it is up to 20 digits, P or O"),
        ({"caller": "Zoë"}, "caller is 'Zoë'; it is up to 50 letters of ASCII"),
        ({"when": "13012359"}, 'when is .* MMDDhhmm or "now"'),
        ({"caller": "ADA", "form": "single"}, "a single message has no name"),
    ],
)
def test_wrong_options_are_refused(values, words):
    with pytest.raises(ValueError, match=f"^caller_id: {words}"):
        CallerId(**values)


def test_the_name_of_the_node_is_not_the_callers():
    words = "caller_id: name='ADA LOVELACE' names the node; the caller's name is caller='ADA LOVELACE'"
    with pytest.raises(ValueError, match=words):
        CallerId(number="5551234", name="ADA LOVELACE")
    assert CallerId(number="5551234", name="ring").name == "ring"
    assert CallerId(number="5551234", name="first ring", caller="ADA").caller == "ADA"
