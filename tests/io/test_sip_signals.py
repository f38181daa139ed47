"""Signals over real calls, both ways: what we send is recorded by baresip and read by others; what others send, by us.

A packet that is late on a busy machine spoils a sign or a bit, so what is short is sent twice; once must come through.
"""

import asyncio
import shutil

import numpy as np
import pytest
import soundfile
from independent import minimodem_reads, minimodem_reads_caller_id, minimodem_sends, multimon_reads
from sip import Phone
from test_pjsip import decoded, dial_and_play, packets_of, serving

from graphvoip import RecordController, render
from graphvoip.nodes import Beep, CallerId, CallProgress, DialTone, Fsk, FskReceive, Morse, MorseReceive, Pcm
from graphvoip.plan import Plan
from graphvoip.telegraph import caller_id_decode, caller_id_encode, fsk_decode, fsk_encode, morse_encode

RATE = 8000
PAUSE = np.zeros(RATE // 4)  # longer than what baresip throws away of the end, 0.1 s
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("baresip", "minimodem", "multimon-ng"))),
    reason="the programs baresip, minimodem and multimon-ng are not all installed",
)


async def nothing(writer):
    pass


async def read(receiver, call, text: str) -> None:
    """Wait until a receiver of characters has read it."""
    so_far = ""
    while text not in so_far:
        await call.when(receiver.received)
        so_far += receiver.take()


def events_of(node, samples: np.ndarray) -> list[tuple[str, int]]:
    """What a node that listens to samples says: names and values."""
    plan, names, found = Plan([node]), list(node.slots.events), []
    for _ in range(len(samples) // 160):
        plan.run()
        found += [(names[token & 15], value) for token, _, value in plan.taken_events() if token >> 4 == node.id]
    return found


def test_what_we_send_is_read_by_others(tmp_path):
    """Caller ID, text, Morse code, keys, tones of an exchange and of a machine, as baresip has recorded them."""

    async def handler(call):
        for _ in range(2):
            await call.play(CallerId(number="5551234", caller="ADA", when="11231945"))
            await call.play(Fsk(text="V.21 over SIP", standard="v21"))
            await call.play(Fsk(text="HI 73 GA", standard="tdd"))
        await call.play(Morse(text="CQ DE SIP", wpm=25))
        await call.sendDTMF("159D", how="tones")
        await call.playTone(1000, 0.4)
        await call.playPCM(np.concatenate([PAUSE, render(DialTone(country="uk", kind="busy"), 2), PAUSE]))

    async def main():
        async with serving(handler) as server:
            soundfile.write(tmp_path / "silence.wav", np.zeros(25 * RATE), RATE)
            await dial_and_play(tmp_path, server.port, tmp_path / "silence.wav", nothing)

    asyncio.run(main())
    (path,) = tmp_path.glob("dump-*-dec.wav")
    heard, rate = soundfile.read(path)
    assert rate == RATE
    caller = " ".join(minimodem_reads_caller_id(heard, "bell202", tmp_path).split())
    assert "Time: 11/23 19:45 Phone: 5551234 Name: ADA" in caller
    assert "V.21 over SIP" in minimodem_reads(heard, "v21", tmp_path)
    assert "HI 73 GA" in minimodem_reads(heard, "tdd", tmp_path)
    assert "DE SIP" in multimon_reads(heard, "MORSE_CW")
    assert multimon_reads(heard, "DTMF").split() == ["DTMF:", "1", "DTMF:", "5", "DTMF:", "9", "DTMF:", "D"]
    assert ("busy", 0) in events_of(CallProgress(Pcm(data=heard), country="uk"), heard)
    assert ("beep", 1000) in events_of(Beep(Pcm(data=heard), lowest=900), heard)


def test_what_others_send_is_read_on_the_call(tmp_path):
    """minimodem's texts, Morse code, caller ID, the tones of an exchange and of a machine, played by baresip."""
    parts = [np.zeros(RATE)]
    for _ in range(2):
        parts += [caller_id_encode("5551234", "ADA", "11231945"), PAUSE]
        parts += [0.5 * minimodem_sends("V.21 over SIP", "v21", tmp_path), PAUSE]
        parts += [0.5 * minimodem_sends("HI 73 GA", "tdd", tmp_path), PAUSE]
    parts += [morse_encode("CQ DE SIP", 25), PAUSE, render(DialTone(country="uk", kind="busy"), 2), PAUSE]
    parts += [0.3 * np.sin(2 * np.pi * 1000 / RATE * np.arange(RATE // 2)), np.zeros(10 * RATE)]
    soundfile.write(tmp_path / "sent.wav", np.concatenate(parts), RATE)
    recorder, pitches = RecordController(), []

    async def handler(call):
        call.recordPCM(recorder)
        await asyncio.gather(
            read(FskReceive(call.voice, standard="v21"), call, "V.21 over SIP"),
            read(FskReceive(call.voice, standard="tdd"), call, "HI 73 GA"),
            read(MorseReceive(call.voice), call, "DE SIP"),
            call.when(CallProgress(call.voice, country="uk").busy),
        )
        pitches.append(await call.when(Beep(call.voice, lowest=900).beep))

    async def main():
        async with serving(handler) as server:
            await dial_and_play(tmp_path, server.port, tmp_path / "sent.wav", nothing)
            assert await server.reason() == "the handler is done"

    asyncio.run(main())
    assert pitches == [1000]
    assert caller_id_decode(recorder.recorded) == {"number": "5551234", "name": "ADA", "when": "11231945"}


def test_two_text_telephones_talk_at_once():
    """V.21, the caller in its lower channel and the handler in the upper, on one call."""
    found = []

    async def handler(call):
        call.play(Fsk(text="I have answered " * 2, standard="v21_answer"))
        await read(FskReceive(call.voice, standard="v21"), call, "I am the caller")
        found.append("I am the caller")
        await call.play(Fsk(text="bye", standard="v21_answer"))

    async def main():
        async with serving(handler) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.talk(packets_of(fsk_encode("I am the caller " * 2, "v21")))
            await call.is_ended()
            return decoded(b"".join(packet.payload for packet in call.packets))

    heard = asyncio.run(main())
    assert found
    assert "I have answered" in fsk_decode(heard, "v21_answer")
