"""Signals over real calls, both ways: what we send is read by others; what others send, and baresip plays, by us."""

import asyncio
import shutil

import numpy as np
import pytest
import soundfile
from independent import minimodem_reads, minimodem_reads_caller_id, minimodem_sends, multimon_reads
from sip import Phone
from test_pjsip import decoded, dial_and_play, lost, packets_of, serving

from graphvoip import render
from graphvoip.nodes import Beep, CallerId, CallProgress, DialTone, Fsk, FskReceive, Morse, MorseReceive, Pcm
from graphvoip.plan import Plan
from graphvoip.telegraph import caller_id_decode, caller_id_encode, fsk_decode, fsk_encode, morse_encode

RATE = 8000
PAUSE = np.zeros(RATE // 4)
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("baresip", "minimodem", "multimon-ng"))),
    reason="the programs baresip, minimodem and multimon-ng are not all installed",
)


async def nothing(writer):
    pass


def events_of(node, samples: np.ndarray) -> list[tuple[str, int]]:
    """What a node that listens to samples says: names and values."""
    plan, names, found = Plan([node]), list(node.slots.events), []
    for _ in range(len(samples) // 160):
        plan.run()
        found += [(names[token & 15], value) for token, _, value in plan.taken_events() if token >> 4 == node.id]
    return found


def test_what_we_send_is_read_by_others(tmp_path):
    """Caller ID, text, Morse code, keys, tones of an exchange and of a machine, out of the packets of a call."""
    pause = Pcm(data=np.concatenate([PAUSE, render(DialTone(country="uk", kind="busy"), 2), PAUSE]))
    sent = [CallerId(number="5551234", caller="ADA", when="11231945"), Fsk(text="V.21 over SIP", standard="v21")]
    sent += [Fsk(text="HI 73 GA", standard="tdd"), Morse(text="CQ DE SIP", wpm=25)]

    async def handler(call):
        for node in sent:
            await call.play(node)
        await call.sendDTMF("159D", how="tones")
        await call.playTone(1000, 0.4)
        await call.play(pause)

    async def main():
        async with serving(handler) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.is_ended()
            await server.idle()
            packets = [packet for packet in call.packets if packet.kind == 0]
            return decoded(b"".join(packet.payload for packet in packets)), lost(server.calls[0], ("out",))

    heard, gone = asyncio.run(main())
    caller = " ".join(minimodem_reads_caller_id(heard, "bell202", tmp_path).split())
    found = [
        "Time: 11/23 19:45 Phone: 5551234 Name: ADA" in caller,
        "V.21 over SIP" in minimodem_reads(heard, "v21", tmp_path),
        "HI 73 GA" in minimodem_reads(heard, "tdd", tmp_path),
        "DE SIP" in multimon_reads(heard, "MORSE_CW"),
        multimon_reads(heard, "DTMF").split() == ["DTMF:", "1", "DTMF:", "5", "DTMF:", "9", "DTMF:", "D"],
        ("busy", 0) in events_of(CallProgress(Pcm(data=heard), country="uk"), heard),
        ("beep", 1000) in events_of(Beep(Pcm(data=heard), lowest=900), heard),
    ]
    assert found.count(False) <= gone, found  # a frame that is lost on a busy machine spoils one of these at most


def test_what_others_send_is_read_on_the_call(tmp_path):
    """minimodem's texts, Morse code, caller ID, the tones of an exchange and of a machine, played by baresip."""
    once = [caller_id_encode("5551234", "ADA", "11231945")]
    once += [0.5 * minimodem_sends("V.21 over SIP", "v21", tmp_path)]
    once += [0.5 * minimodem_sends("HI 73 GA", "tdd", tmp_path)]
    once += [morse_encode("CQ DE SIP", 25), render(DialTone(country="uk", kind="busy"), 2)]
    once += [0.3 * np.sin(2 * np.pi * 1000 / RATE * np.arange(RATE // 2))]
    sent = np.concatenate([np.zeros(RATE), *(np.concatenate([part, PAUSE]) for part in once), np.zeros(2 * RATE)])
    soundfile.write(tmp_path / "sent.wav", np.concatenate([sent, np.zeros(10 * RATE)]), RATE)
    calls, recorded, live = [], [], []

    def receivers(voice=0.0):
        return {
            "v21": FskReceive(voice, standard="v21"),
            "tdd": FskReceive(voice, standard="tdd"),
            "morse": MorseReceive(voice),
            "busy": CallProgress(voice, country="uk"),
            "beep": Beep(voice, lowest=900),
        }

    async def handler(call):
        calls.append(call)
        nodes = receivers(call.voice)

        async def note(name, event, value):
            while True:
                live.append((name, value(await call.when(event))))

        texts = [(name, nodes[name]) for name in ("v21", "tdd", "morse")]
        waits = [note(name, node.received, lambda _, node=node: node.take()) for name, node in texts]
        waits += [note("busy", nodes["busy"].busy, lambda _: ""), note("beep", nodes["beep"].beep, str)]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        recorded[:] = await call.recordPCM(maxlen=len(sent) + RATE)  # counted in samples of the caller
        for task in tasks:
            task.cancel()

    async def main():
        receivers()  # their kernels are compiled before it rings
        async with serving(handler) as server:
            await dial_and_play(tmp_path, server.port, tmp_path / "sent.wav", nothing)
            assert await server.reason() == "the handler is done"
            await server.idle()

    asyncio.run(main())
    texts = {name: "".join(text for one, text in live if one == name) for name in ("v21", "tdd", "morse", "beep")}
    found = [
        "V.21 over SIP" in texts["v21"],
        "HI 73 GA" in texts["tdd"],
        "DE SIP" in texts["morse"],
        ("busy", "") in live,
        texts["beep"].endswith("1000"),
        caller_id_decode(recorded) == {"number": "5551234", "name": "ADA", "when": "11231945"},
    ]
    # A frame that is lost on a busy machine spoils the sign or the bit that it was in: one of these at most.
    assert found.count(False) <= lost(calls[0]), (found, texts)


def test_two_text_telephones_talk_at_once():
    """V.21, the caller in its lower channel and the handler in the upper, on one call."""
    asked = np.concatenate([PAUSE, fsk_encode("I am the caller", "v21"), PAUSE])
    calls, texts = [], []

    async def handler(call):
        calls.append(call)
        receiver = FskReceive(call.voice, standard="v21")

        async def note():
            while True:
                await call.when(receiver.received)
                texts.append(receiver.take())

        noting = asyncio.ensure_future(note())
        call.play(Fsk(text="I have answered", standard="v21_answer"))
        await call.recordPCM(maxlen=len(asked) + RATE)
        noting.cancel()

    async def main():
        async with serving(handler) as server, Phone() as phone:
            call = await phone.dial(server.port)
            talking = asyncio.ensure_future(call.talk(packets_of(np.concatenate([asked, np.zeros(20 * RATE)]))))
            await call.is_ended()
            talking.cancel()
            await server.idle()
            return decoded(b"".join(packet.payload for packet in call.packets))

    heard = asyncio.run(main())
    assert "I am the caller" in "".join(texts) or lost(calls[0], ("in",))
    assert "I have answered" in fsk_decode(heard, "v21_answer") or lost(calls[0], ("out",))
