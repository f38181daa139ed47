"""Words and characters on a call: what a caller says or sends, both ways."""

import numpy as np
import pytest

from graphvoip.nodes import CallerId, Fsk, FskReceive
from graphvoip.telegraph import caller_id_decode, fsk_decode, fsk_encode
from graphvoip.tts import spoken

RATE = 8000


async def test_a_text_telephone_is_read_and_answered(phone):
    async def handler(call):
        read, text = FskReceive(call.voice, standard="tdd"), ""
        while not text.endswith("GA"):
            await call.when(read.received)
            text += read.take()
        await call.play(Fsk(text=f"YOU SAID {text}", standard="tdd"))

    async with phone(handler) as p:
        await p.play(fsk_encode("HELLO 1 2 3 GA", "tdd"))
        assert await p.hung_up(60)
        assert fsk_decode(p.heard, "tdd") == "YOU SAID HELLO 1 2 3 GA"


async def test_a_telephone_is_told_who_calls(phone):
    async def handler(call):
        await call.play(CallerId(number=call.getRemoteUri().split('"')[1]))

    async with phone(handler, number="5556667777") as p:
        assert await p.hung_up(60)
        assert caller_id_decode(p.heard) == {"number": "5556667777"}


@pytest.mark.parametrize("said", ["yes", "no"])
async def test_a_word_is_recognized(phone, said):
    pytest.importorskip("pocketsphinx", reason="extra: listen")
    found = []

    async def handler(call):
        found.append(await call.listen(["Yes", "No"]))

    voice = 0.5 * spoken("test", said, engine="flite", voice="slt")
    async with phone(handler) as p:
        await p.wait(0.5)
        await p.play(np.concatenate([voice, np.zeros(RATE)]))
        assert await p.hung_up(60)
    assert found == [said.capitalize()]


async def test_nobody_says_anything(phone):
    pytest.importorskip("pocketsphinx", reason="extra: listen")
    found = []

    async def handler(call):
        found.append(await call.listen(["yes", "no"], timeout=2))
        found.append(call.time)

    async with phone(handler) as p:
        assert await p.hung_up(60)
    assert found == [None, pytest.approx(2, abs=0.05)]


async def test_phrases_that_cannot_be_recognized_are_told(phone):
    async def handler(call):
        for phrases, words in (
            ("yes", "it is a list such as"),
            ([], "it is a list such as"),
            (["yes", "<all>"], "'<all>' is no phrase of English words"),
        ):
            with pytest.raises(ValueError, match=words):
                await call.listen(phrases)
        pytest.importorskip("pocketsphinx", reason="extra: listen")
        with pytest.raises(ValueError, match="'klingonese' is not in pocketsphinx's dictionary"):
            await call.listen(["yes", "klingonese"])

    async with phone(handler) as p:
        assert await p.hung_up(60)
