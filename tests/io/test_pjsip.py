"""Real calls: PJSIP against telephones that are not PJSIP. Everything happens on loopback."""

import asyncio
import contextlib
import gc
import itertools
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import baresip
import numpy as np
import psutil
import pytest
import soundfile
from dtmf_cases import dial
from sip import KEYS, Call, Phone

from graphvoip import TTStoPCM, detect_dtmf
from graphvoip.client import Exchange
from graphvoip.digits import WITHIN
from graphvoip.engine import Engine
from graphvoip.io import DeviceError
from graphvoip.io.pjsip.trunk import Line, Trunk, whitelist
from graphvoip.io.virtual import dtmf_tone

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
PATIENCE = 60  # seconds that anything may take


class Server:
    """An exchange on a free port, in this process, and what became of its calls."""

    def __init__(self, handler, lines: int, limit: int, options: dict):
        self.port = free_port()
        self.handler = handler
        self.engine = Engine()
        self.exchange = Exchange(self.handle, self.engine, limit)
        self.trunk = Trunk(self.port, lines, **{"host": HOST} | options)
        self.calls = []

    async def handle(self, call) -> None:
        self.calls.append(call)
        await self.handler(call)

    async def reason(self) -> str:
        """Why the latest call ended, once it has."""
        return await asyncio.wait_for(self.calls[-1].ended, PATIENCE)

    async def idle(self) -> None:
        """Wait until no call is left, here or in the lines."""
        async with asyncio.timeout(PATIENCE):
            while self.exchange.calls or any(line.legs for line in self.trunk.lines):
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(handler, lines: int = 1, limit: int = 10, **options) -> AsyncIterator[Server]:
    server = Server(handler, lines, limit, options)
    server.engine.start()
    try:
        await server.trunk.open(server.engine, server.exchange.incoming)
        yield server
    finally:
        await server.exchange.close()
        await server.trunk.close()
        server.engine.stop()


async def echo(call) -> None:
    await call.play(call.voice, fade=0)


async def wait(call) -> None:
    await call.ended


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def open_files() -> int:
    gc.collect()
    return psutil.Process().num_fds()


def children() -> list[psutil.Process]:
    return psutil.Process().children()


def noise(packets: int) -> list[bytes]:
    """Random sound. 0x7F and 0xFF are both zero in PCMU, so the first does not come back as it was."""
    codes = [code for code in range(256) if code != 0x7F]
    return [bytes(random.choices(codes, k=160)) for _ in range(packets)]


async def missing(call: Call, packets: int) -> int:
    """Talk, and count what an echo does not give back bit for bit; end the call at once, or silence counts as lost.

    The first packet is left out: PJSIP blends what it fills in before it into it.
    """
    said, first = noise(packets), len(call.packets)
    await call.talk(said + [b"\xff" * 160] * 10)
    heard = b"".join(packet.payload for packet in call.packets[first:] if packet.kind == call.codecs[0])
    return sum(packet not in heard for packet in said[1:])


def lost(call, ways: tuple[str, ...] = ("in", "out")) -> int:
    """Count the frames that our side says were lost on a call that has ended: what came too late, say.

    On a busy machine a telephone of ours sends late, and others do.
    """
    counts = call._leg.ring.counts()
    return sum(counts[f"{way}_{kind}"] for way in ways for kind in ("missed", "skipped", "lost"))


SPOILT = 2  # packets that one lost frame spoils: itself, and the one that what is filled in is blended into


# What a byte of G.711, u-law, stands for.
_codes = 255 - np.arange(256)
ULAW = np.where(_codes & 128, -1, 1) * ((((_codes & 15) << 3) + 132 << ((_codes >> 4) & 7)) - 132) / 32768


def decoded(sound: bytes) -> np.ndarray:
    return ULAW[np.frombuffer(sound, np.uint8)]


def packets_of(samples: np.ndarray) -> list[bytes]:
    """Samples as packets of PCMU, 20 ms each."""
    order = np.argsort(ULAW, kind="stable")
    edges = (ULAW[order][1:] + ULAW[order][:-1]) / 2
    codes = order[np.searchsorted(edges, np.append(samples, np.zeros(-len(samples) % 160)))].astype(np.uint8)
    return [row.tobytes() for row in codes.reshape(-1, 160)]


# --- Sound ---


@pytest.mark.parametrize("codec", [0, 8], ids=["PCMU", "PCMA"])
def test_echo_is_exact(codec):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = await phone.dial(server.port, codecs=(codec,))
            gone = await missing(call, 100)
            assert {packet.kind for packet in call.packets} == {codec}
            numbers = [packet.number for packet in call.packets]
            assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
            assert await call.bye() == 200
            assert await server.reason() == "hung up"
            await server.idle()
            assert gone <= SPOILT * lost(server.calls[0])

    asyncio.run(main())


def test_all_that_was_said_is_sent_before_the_bye():
    sound = np.sin(np.arange(1600) * 0.3) * 0.5

    async def say(call):
        await call.playPCM(sound)

    async def main():
        async with serving(say) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.is_ended()
            heard = np.concatenate([decode(packet.payload) for packet in call.packets])
            assert np.count_nonzero(np.abs(heard) > 0.01) >= 0.98 * np.count_nonzero(np.abs(sound) > 0.01)

    asyncio.run(main())


def decode(payload: bytes) -> np.ndarray:
    """PCMU to samples."""
    code = ~np.frombuffer(payload, np.uint8)
    magnitude = ((((code & 15).astype(int) << 3) + 132) << (code >> 4 & 7)) - 132
    return np.where(code & 128, -magnitude, magnitude) / 32768


def test_hold_and_resume():
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call, gone = await phone.dial(server.port), 0
            for direction in ("sendonly", "inactive"):
                answer = await call.invite(direction)
                assert re.search("a=(recvonly|inactive)", answer.body)
                await call.invite("sendrecv")
                gone += await missing(call, 50)
            await call.bye()
            await server.idle()
            assert gone <= SPOILT * lost(server.calls[0])
            assert len(server.calls) == 1

    asyncio.run(main())


# --- Keys ---


def keypad(heard: list):
    """A handler that notes every key."""

    async def handler(call):
        while True:
            heard.append(await call.getDTMF())

    return handler


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def test_keys_as_telephone_events_from_baresip():
    heard = []

    async def main():
        async with serving(keypad(heard)) as server, softphone(server.port) as call:
            await call.send_dtmf(KEYS)
            await until(lambda: len(heard) >= len(KEYS))

    asyncio.run(main())
    assert "".join(heard) == KEYS


def test_keys_in_info_messages():
    heard = []

    async def main():
        async with serving(keypad(heard)) as server, Phone() as phone:
            call = await phone.dial(server.port)
            for key in KEYS:
                answer = await call.request("INFO", f"Signal={key}\r\nDuration=160\r\n", "application/dtmf-relay")
                assert answer.code == 200
            for key in KEYS:
                assert (await call.request("INFO", key, "application/dtmf")).code == 200
            for body in ("Signal=7", "Signal=8\n", "signal= 9"):  # PJSIP would abort at lines without an end
                assert (await call.request("INFO", body, "application/dtmf-relay")).code == 200
            for body in ("Signal=", "\r\n", "=", "Signal=17", "Signal=99", "Duration=160", "S" * 500):
                assert (await call.request("INFO", body, "application/dtmf-relay")).code == 400
            await asyncio.sleep(1.1 * WITHIN)  # or it would be the INFO's key once more
            await call.key("5")
            await until(lambda: len(heard) >= 2 * len(KEYS) + 4)
            await call.bye()

    asyncio.run(main())
    assert "".join(heard) == KEYS + KEYS + "7895"


def test_a_key_counts_once_whatever_becomes_of_its_packets():
    """Each press is told by several packets: they are late, lost, or too many to count in 16 bits."""
    heard = []

    async def main():
        async with serving(keypad(heard)) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.hears(2)
            presses = {
                "1": [(0, 160, False), (2, 480, False), (1, 320, False), (3, 640, True), (4, 640, True)],
                "2": [(0, 160, False), (1, 320, False), (3, 480, True), (4, 480, True), (2, 480, False)],
                "3": [(4, 480, True)],
                "4": [(0, 160, False), (1, 320, False)],
                "5": [(0, 65440, False), (1, 65535, False), (2, 64, False), (3, 224, False), (4, 224, True)],
            }
            for key, packets in presses.items():
                first = call.number
                for place, length, end in packets:
                    call.number = first + place & 0xFFFF
                    call.say(struct.pack("!BBH", KEYS.index(key), end << 7 | 10, length), 101, hold=True)
                call.number, call.stamp = first + 5 & 0xFFFF, call.stamp + 1600
            await call.key("5")
            await until(lambda: heard[-1:] == ["5"] and len(heard) >= 6)
            await call.bye()

    asyncio.run(main())
    assert "".join(heard) == "123455"


@pytest.mark.parametrize("offer", [True, False], ids=["events offered", "none offered"])
def test_keys_in_the_sound(offer):
    """As long as no key has come as an event, the sound is listened to, whatever was agreed on."""
    heard, tones = [], dial(np.random.default_rng(1), KEYS, on=0.06, off=0.06).samples

    async def main():
        async with serving(keypad(heard)) as server, Phone() as phone:
            call = phone.call(server.port)
            call.events = offer
            await call.invite()
            await call.talk(packets_of(tones))
            await until(lambda: len(heard) >= len(KEYS))
            await call.bye()

    asyncio.run(main())
    assert "".join(heard) == KEYS
    assert {key.how for key in heard} == {("tones",)}


def test_a_key_that_comes_as_event_and_tones_and_info_is_one():
    heard = []

    async def main():
        async with serving(keypad(heard)) as server, Phone() as phone:
            call = await phone.dial(server.port)
            for key in "1225":
                await call.talk(packets_of(np.concatenate([dtmf_tone(key, 0.08), np.zeros(640)])))
                await call.key(key)
                await call.request("INFO", f"Signal={key}\r\nDuration=160\r\n", "application/dtmf-relay")
                await asyncio.sleep(0.1)
            await call.bye()

    asyncio.run(main())
    assert "".join(heard) == "1225"


def test_keys_are_sent_as_events_or_as_tones():
    async def handler(call):
        await call.sendDTMF("12")
        await call.sendDTMF("345", how="tones")
        await call.sendDTMF("6A#")

    async def main():
        async with serving(handler) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.is_ended()
            events = [packet for packet in call.packets if packet.kind == 101]
            sound = b"".join(packet.payload for packet in call.packets if packet.kind == 0)
            return events, sound

    events, sound = asyncio.run(main())
    presses = dict.fromkeys((packet.stamp, packet.payload[0]) for packet in events)
    assert "".join(KEYS[code] for _, code in presses) == "126A#"
    assert {packet.payload[1] & 0x80 for packet in events} == {0, 0x80}  # each has its end
    assert "".join(digit for digit, _, _ in detect_dtmf(decoded(sound))) == "345"


@contextlib.asynccontextmanager
async def softphone(port: int):
    """A call by baresip's library."""
    runtime = baresip.Runtime()
    await runtime.start(baresip.Config(net_interface=HOST, max_concurrent_calls=None))
    try:
        agent = await baresip.UserAgent.create(runtime, baresip.Account("bob", HOST, "", reg_interval=0))
        call = await agent.dial(f"sip:line@{HOST}:{port}")
        await call.wait_established(PATIENCE)
        yield call
        await call.hangup()
    finally:
        await runtime.close()


# --- Set-up and end ---


def test_who_calls():
    async def main():
        async with serving(wait) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await until(lambda: server.calls)
            assert server.calls[0].getRemoteUri() == f'"Ann" <sip:5556667777@{HOST}>'
            await call.bye()

    asyncio.run(main())


def test_busy_beyond_the_limits():
    async def main():
        async with serving(wait) as server, Phone() as phone:
            assert server.trunk.limit == 4
            calls = [await phone.dial(server.port) for _ in range(5)]
            assert [call.code for call in calls] == [200, 200, 200, 200, 486]
            await calls[0].bye()
            await until(lambda: len(server.exchange.calls) == 3)
            assert (await phone.dial(server.port)).code == 200

        async with serving(wait, limit=1) as server, Phone() as phone:
            assert [(await phone.dial(server.port)).code for _ in range(2)] == [200, 486]

    asyncio.run(main())


def test_cancel_and_bye_at_any_moment():
    """The two sides end calls at random, before, while and after they are answered, and nothing sticks."""

    async def short(call):
        await asyncio.sleep(random.choice([0, 0.001, 0.01, 0.03, 0.1, 10]))

    async def caller(phone: Phone, port: int):
        for _ in range(12):
            call = phone.call(port)
            call.send("INVITE", call.sdp())
            await asyncio.sleep(random.choice([0, 0.001, 0.005, 0.01, 0.02, 0.03]))
            code = await call.cancel()
            assert code in (200, 487)
            if code == 200:
                await asyncio.wait([call.ended], timeout=random.choice([0, 0.005, 0.02, 0.1]))
                if call.ended.done():
                    call.close()
                else:
                    assert await call.bye() in (200, 481)  # 481: the two BYEs met

    async def main():
        async with serving(short) as server, Phone() as phone:
            await asyncio.gather(*(caller(phone, server.port) for _ in range(3)))
            await server.idle()
            assert (await phone.dial(server.port)).code == 200
            assert len(children()) == 1

    asyncio.run(main())


@pytest.mark.parametrize("codec", [0, 9], ids=["cancelled", "of unknown codecs"])
def test_a_flood_of_calls_does_not_disturb_the_one_that_is_up(codec):
    """PJSIP aborts if more than about 30 calls come within half a second."""

    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = await phone.dial(server.port)
            pid = pid_of(server.trunk.lines[0])
            flood = [phone.call(server.port, codecs=(codec,)) for _ in range(150)]
            for one in flood:
                one.send("INVITE", one.sdp())
                one.send("CANCEL")
                await asyncio.sleep(0.001)
            await call.hears(50)
            assert pid_of(server.trunk.lines[0]) == pid
            assert await call.bye() == 200
            await server.idle()
            kept = server.calls[0]
            assert kept._leg.ring.counts()["out_written"] - len(call.packets) <= lost(kept, ("out",)) + 5

    asyncio.run(main())


def test_200_calls_of_sipp_leave_nothing_behind():
    async def greet(call):
        await call.playTone(440, 0.04)
        await call.ended

    async def sipp(port: int, calls: int):
        command = ["sipp", "-sn", "uac", f"{HOST}:{port}", "-i", HOST, "-mi", HOST, "-p", str(free_port())]
        command += ["-m", str(calls), "-r", "40", "-l", "3", "-d", "50", "-nostdin", "-timeout", "60"]
        command += ["-mp", str(free_port())]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()

    def resources(server: Server):
        line = next(child for child in children() if "graphvoip.io.pjsip.line" in child.cmdline())
        memory = sum(process.memory_info().rss for process in (psutil.Process(), line))
        return open_files(), line.num_fds(), memory, line.pid

    async def main():
        async with serving(greet) as server:
            await sipp(server.port, 20)
            await server.idle()
            fds, line_fds, memory, pid = resources(server)
            await sipp(server.port, 200)
            await server.idle()
            assert len(server.calls) == 220
            server.calls.clear()
            fds_now, line_fds_now, memory_now, pid_now = resources(server)
            assert (fds_now, line_fds_now, pid_now) == (fds, line_fds, pid)
            assert memory_now - memory < 40 << 20  # PJSIP keeps what has ended for 32 s
            assert not server.engine.graphs

    asyncio.run(main())


def test_a_stopped_server_says_bye_and_leaves_nothing():
    async def once():
        async with Phone() as phone:
            async with serving(echo) as server:
                call = await phone.dial(server.port)
                assert len(children()) == 1
            await call.is_ended()
        assert children() == []

    async def main():
        await once()
        files = open_files()
        for _ in range(3):
            await once()
        await until(lambda: open_files() <= files)

    asyncio.run(main())


def test_a_caller_who_vanishes_is_given_up():
    async def main():
        async with serving(wait, media_timeout=0.5) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.talk(noise(50))
            assert not server.calls[0].ended.done()
            assert await server.reason() == "no sound for 0.5 s"
            await call.is_ended()

    asyncio.run(main())


def test_callers_who_never_confirm_do_not_hold_the_line():
    """Four INVITEs without ACK, which PJSIP would hold for a minute."""

    async def main():
        async with serving(wait) as server, Phone() as phone:
            for _ in range(server.trunk.limit):
                assert (await phone.call(server.port).invite(ack=False)).code == 200
            assert await server.reason() == "the caller has not confirmed the call for 5 s"
            async with asyncio.timeout(PATIENCE):
                while (call := await phone.dial(server.port)).code != 200:
                    assert call.code == 486
                    await asyncio.sleep(0.1)
            assert await call.bye() == 200

    asyncio.run(main())


def test_dead_phones_free_their_places():
    """Nobody answers the BYE to any of them."""

    async def main():
        async with serving(wait, media_timeout=0.2) as server, Phone() as phone:
            async with Phone() as dead:
                for _ in range(server.trunk.limit):
                    assert (await dead.dial(server.port)).code == 200
            async with asyncio.timeout(PATIENCE):
                while (call := await phone.dial(server.port)).code != 200:
                    assert call.code == 486
                    await asyncio.sleep(0.1)
            assert await call.bye() == 200

    asyncio.run(main())


def test_the_end_of_a_call_lingers_in_silence_before_the_bye():
    async def say(call):
        await call.playTone(441, 1)

    async def main():
        async with serving(say) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.is_ended()
            loud = [packet.time for packet in call.packets if np.abs(decode(packet.payload)).max() > 0.1]
            assert call.ended.result() - max(loud) > 0.18
            assert 8 <= len([packet for packet in call.packets if packet.time > max(loud)]) <= 30

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [0.3, 1.5])
def test_baresip_hears_all_of_the_last_tone(tmp_path, seconds):
    """It drops what its jitter buffer holds when the BYE comes."""

    async def say(call):
        await asyncio.sleep(0.5)
        await call.playTone(441, seconds)

    async def nothing(writer):
        pass

    async def main():
        async with serving(say) as server:
            soundfile.write(tmp_path / "silence.wav", np.zeros(80000), 8000)
            await dial_and_play(tmp_path, server.port, tmp_path / "silence.wav", nothing)

    asyncio.run(main())
    (path,) = tmp_path.glob("dump-*-dec.wav")
    heard, rate = soundfile.read(path)
    loud = np.abs(heard[: len(heard) // 80 * 80]).reshape(-1, 80).max(axis=1) > 0.1
    assert rate == 8000
    assert seconds - 0.02 <= 0.01 * np.count_nonzero(loud) <= seconds + 0.03


def test_a_line_gets_over_a_bye_that_nobody_answers():
    async def main():
        async with serving(wait, media_timeout=0.2) as server:
            async with Phone() as phone:
                call = await phone.dial(server.port)
                assert call.code == 200
            assert await server.reason() == "no sound for 0.2 s"
            async with Phone() as phone:
                call = await phone.dial(server.port)
                await call.hears(3)
                await call.is_ended()
            assert len(server.calls) == 2

    asyncio.run(main())


def test_nobody_can_make_us_call_somebody():
    async def main():
        async with serving(wait) as server, Phone() as phone:
            call = await phone.dial(server.port)
            answer = await call.request("REFER", extra=(f"Refer-To: <sip:victim@{HOST}:{phone.port}>",))
            assert answer.code == 603
            tag = call.remote.partition("tag=")[2]
            thief = phone.call(server.port)
            await thief.invite(extra=(f"Replaces: {call.id};to-tag={tag};from-tag={call.tag}",))
            assert thief.code == 603
            assert await call.bye() == 200

    asyncio.run(main())


def test_a_caller_on_another_interface_is_told_the_address_that_he_reached():
    """PJSIP would offer the address of the default route to everybody."""

    async def main():
        async with serving(echo, host=None) as server, Phone() as phone:
            call = await phone.dial(server.port)
            assert call.rtp_target[0] == HOST
            await call.hears(2)
            await call.bye()

    asyncio.run(main())


def test_behind_a_router_callers_are_told_its_address(monkeypatch):
    monkeypatch.setenv("GRAPHVOIP_PUBLIC_ADDRESS", "198.51.100.20")

    async def main():
        async with serving(wait, host="0.0.0.0") as server, Phone() as phone:
            call = await phone.dial(server.port)
            assert call.rtp_target[0] == "198.51.100.20"
            assert f"198.51.100.20:{server.port}" in call.contact

    asyncio.run(main())


def test_a_media_timeout_that_is_none_is_refused(monkeypatch):
    with pytest.raises(DeviceError, match=r"the media timeout is -1, expected seconds, 0 or more"):
        Trunk(5060, media_timeout=-1)
    monkeypatch.setenv("GRAPHVOIP_MEDIA_TIMEOUT", "soon")
    with pytest.raises(DeviceError, match="'soon'"):
        Trunk(5060)


def test_the_media_timeout_comes_from_the_environment(monkeypatch):
    """As runVoipClient takes it. The default is 30 s, docs say."""
    assert Trunk(5060).option["media_timeout"] == 30
    monkeypatch.setenv("GRAPHVOIP_MEDIA_TIMEOUT", "0.3")

    async def main():
        async with serving(wait) as server, Phone() as phone:
            await phone.dial(server.port)
            assert await server.reason() == "no sound for 0.3 s"

    asyncio.run(main())


@pytest.mark.parametrize("address", ["localhost", "1.2.3", "::1"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(DeviceError, match=f"^SIP: '{address}' is not an IPv4 address; "):
        Trunk(host=address)


# --- The example, as a user starts it ---


def test_baresip_speaks_presses_1234_and_hears_password_correct(tmp_path):
    async def main():
        port = free_port()
        server = await graphvoip("serve", "examples/password.py", "--port", str(port), "--host", HOST)
        try:
            async with Phone() as phone:
                await (await reached(phone, port)).bye()
            await dial_and_press(tmp_path, port, "1234")
        finally:
            server.terminate()
            assert await asyncio.wait_for(server.wait(), PATIENCE) == 0

    asyncio.run(main())
    (path,) = tmp_path.glob("dump-*-dec.wav")
    heard, _ = soundfile.read(path)
    correct, incorrect = (likeness(heard, f"password_{which}.wav") for which in ("correct", "incorrect"))
    assert correct > 0.95
    assert incorrect < 0.8


@pytest.mark.parametrize("how", ["serve", "script"])
def test_handler_that_fails_ends_its_call_and_neither_ends_the_server_nor_changes_its_status(tmp_path, how):
    async def main():
        port, file = free_port(), tmp_path / "bad.py"
        file.write_text(
            "from graphvoip import runVoipClient\n"
            "async def handler(call):\n    await call.playTone(440, 0.1)\n    raise KeyError('five')\n"
            f"if __name__ == '__main__':\n    runVoipClient(handler, port={port}, device='pjsip')\n"
        )
        words = ["-m", "graphvoip", "serve", str(file), "--port", str(port)] if how == "serve" else [str(file)]
        server = await asyncio.create_subprocess_exec(
            sys.executable, *words, env=environment(), cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with Phone() as phone:
                await (await reached(phone, port)).is_ended()
                await (await phone.dial(port)).is_ended()
        finally:
            server.terminate()
            said = (await asyncio.wait_for(server.communicate(), PATIENCE))[1].decode()
        assert said.count("KeyError: 'five'") == 2
        assert server.returncode == 0

    asyncio.run(main())


async def graphvoip(*arguments: str, **environ: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "graphvoip", *arguments]
    return await asyncio.create_subprocess_exec(*command, env=environment(**environ), cwd=ROOT)


async def dial_and_press(folder: Path, port: int, keys: str) -> None:
    """Call with baresip, which speaks all the time and records what it hears; until the server hangs up."""
    speech, rate = soundfile.read(ROOT / "assets" / "password_incorrect.wav")
    soundfile.write(folder / "speech.wav", np.tile(speech, 30), rate)

    async def press(writer: asyncio.StreamWriter) -> None:
        for key in keys:
            tell(writer, "sndcode", key)

    await dial_and_play(folder, port, folder / "speech.wav", press)


async def dial_and_play(folder: Path, port: int, sound: Path, act: Callable[[asyncio.StreamWriter], Any]) -> None:
    """Call with baresip, a program, which plays a file; do something, and wait for the end of the call."""
    control = free_port()
    modules = ("g711", "aufile", "aubridge", "sndfile", "ctrl_tcp")
    config = ["module_path /usr/lib/baresip/modules", *(f"module {name}.so" for name in modules)]
    config += ["module_app account.so", "module_app menu.so", f"sip_listen {HOST}:{free_port()}", "snd_path ."]
    config += [
        f"audio_source aufile,{os.path.relpath(sound, folder)}",
        "audio_player aubridge,heard",
        f"ctrl_tcp_listen {HOST}:{control}",
    ]
    (folder / "config").write_text("\n".join(config) + "\n")
    (folder / "accounts").write_text(f"<sip:bob@{HOST}>;regint=0;audio_codecs=PCMU\n")
    program = await asyncio.create_subprocess_exec(
        *("baresip", "-4", "-f", str(folder)),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout
    async with asyncio.timeout(3 * PATIENCE):
        while b"baresip is ready" not in await program.stdout.readline():
            pass
        reader, writer = await asyncio.open_connection(HOST, control)
        tell(writer, "dial", f"sip:line@{HOST}:{port}")
        await event(reader, "CALL_ESTABLISHED")
        await act(writer)
        await event(reader, "CALL_CLOSED")
        tell(writer, "quit")
        await program.communicate()
        writer.close()


def tell(writer: asyncio.StreamWriter, command: str, params: str = "") -> None:
    """A command to baresip: JSON in a netstring."""
    data = json.dumps({"command": command, "params": params})
    writer.write(f"{len(data)}:{data},".encode())


async def event(reader: asyncio.StreamReader, kind: str) -> None:
    """Wait until baresip tells of it."""
    while True:
        size = await reader.readuntil(b":")
        message = json.loads((await reader.readexactly(int(size[:-1]) + 1))[:-1])
        if message.get("type") == kind:
            return


def likeness(heard: np.ndarray, name: str) -> float:
    """How like a sound the likest part of what was heard is: 1 is the same, at any level."""
    sound, _ = soundfile.read(ROOT / "assets" / name)
    return likeness_of(heard, sound)


def likeness_of(heard: np.ndarray, sound: np.ndarray) -> float:
    products = np.correlate(heard, sound, "valid")
    energy = np.convolve(heard**2, np.ones(len(sound)), "valid")
    return float(np.max(products / np.sqrt(np.maximum(energy, 1e-9) * np.sum(sound**2))))


def test_baresip_hears_what_is_said(tmp_path):
    """A prompt that is spoken while it is heard, recorded by the other side: its sound and its spectrum."""
    text = "Your call is very important to us"

    async def handler(call):
        await asyncio.sleep(0.5)
        await call.say(text)
        await asyncio.sleep(0.3)

    async def nothing(writer):
        pass

    async def main():
        async with serving(handler) as server:
            soundfile.write(tmp_path / "silence.wav", np.zeros(80000), 8000)
            await dial_and_play(tmp_path, server.port, tmp_path / "silence.wav", nothing)

    asyncio.run(main())
    (path,) = tmp_path.glob("dump-*-dec.wav")
    heard, _ = soundfile.read(path)
    said = np.array(TTStoPCM(text))
    heard = np.pad(heard, (0, len(said)))
    assert likeness_of(heard, said) > 0.95
    at = int(np.argmax(np.correlate(heard, said, "valid")))
    spectra = [np.abs(np.fft.rfft(sound.reshape(-1, 400), axis=1)).ravel()
               for sound in (heard[at : at + len(said) // 400 * 400], said[: len(said) // 400 * 400])]  # fmt: skip
    assert np.corrcoef(*spectra)[0, 1] > 0.95


def test_keys_in_the_sound_of_baresip(tmp_path):
    """It offers telephone events, plays a recording with keys in it, and each of them is heard once."""
    heard = []

    async def hang_up_when_heard(writer):
        await until(lambda: len(heard) >= len(KEYS))
        await asyncio.sleep(0.3)
        tell(writer, "hangup")

    async def main():
        async with serving(keypad(heard)) as server:
            soundfile.write(tmp_path / "keys.wav", dial(np.random.default_rng(2), KEYS, lead=1.0).samples, 8000)
            await dial_and_play(tmp_path, server.port, tmp_path / "keys.wav", hang_up_when_heard)

    asyncio.run(main())
    assert "".join(heard) == KEYS
    assert {key.how for key in heard} == {("tones",)}


# --- Lines that die ---


def pid_of(line: Line) -> int:
    return line.process.pid


def test_a_killed_line_is_replaced_and_the_other_has_no_gap():
    async def main():
        async with serving(echo, lines=2) as server, Phone() as phone:
            assert server.trunk.limit == 8
            first, second = server.trunk.lines
            doomed, other = await phone.dial(first.port), await phone.dial(second.port)
            await other.hears(10)
            assert doomed.code == other.code == 200
            victim = next(call for call in server.calls if call._leg.line is first)
            os.kill(pid_of(first), signal.SIGKILL)
            assert await asyncio.wait_for(victim.ended, PATIENCE) == "the line's process died (exit code -9)"
            await asyncio.wait_for(first.ready, PATIENCE)
            again = await phone.dial(first.port)
            assert again.code == 200
            gone = await missing(again, 50)
            await again.bye()
            await other.bye()
            await server.idle()
            numbers = [packet.number for packet in other.packets]
            assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
            kept = next(call for call in server.calls if call._leg.line is second)
            on_their_way = 5
            assert kept._leg.ring.counts()["out_written"] - len(other.packets) <= lost(kept, ("out",)) + on_their_way
            assert gone <= SPOILT * lost(server.calls[-1])

    asyncio.run(main())


@pytest.mark.parametrize("moves", [False, True], ids=["in one place", "after a re-INVITE from another port"])
def test_callers_of_a_killed_line_get_a_bye_from_the_next_one(moves):
    async def main():
        async with serving(echo) as server, Phone() as phone, Phone() as other:
            (line,) = server.trunk.lines
            call, spare = await phone.dial(line.port), await phone.dial(line.port)
            await call.hears(5)
            assert await spare.bye() == 200
            if moves:
                call.phone = other  # whose packets have another source
                other.calls[call.id] = call
                assert (await call.invite()).code == 200
            os.kill(pid_of(line), signal.SIGKILL)
            async with asyncio.timeout(PATIENCE):
                await call.ended
            bye = call.requests[-1]
            assert bye.first == f"BYE sip:5556667777@{HOST}:{call.phone.port} SIP/2.0"
            assert bye.source == (HOST, line.port)
            assert bye.headers["from"] == call.remote
            assert bye.headers["to"].endswith(f">;tag={call.tag}")
            assert bye.cseq == (1048576, "BYE")
            await asyncio.wait_for(line.ready, PATIENCE)
            again = await phone.dial(line.port)
            assert again.code == 200
            await again.hears(5)
            byes = [one for one in call.requests if one.first.startswith("BYE")]
            await until(lambda: len([one for one in call.requests if one.first.startswith("BYE")]) == 3)
            assert {one.headers["via"] for one in call.requests if one.first.startswith("BYE")} == {
                one.headers["via"] for one in byes
            }  # repeated as one, as nobody sees what is answered
            assert await again.bye() == 200
            assert not [one for one in spare.requests if one.first.startswith("BYE")]

    asyncio.run(main())


def test_baresip_on_a_line_that_is_killed_learns_that_its_call_is_over(tmp_path):
    async def kill(writer):
        await asyncio.sleep(0.5)
        os.kill(pid_of(lines[0]), signal.SIGKILL)

    async def main():
        async with serving(echo) as server:
            lines.append(server.trunk.lines[0])
            soundfile.write(tmp_path / "silence.wav", np.zeros(80000), 8000)
            await dial_and_play(
                tmp_path, server.port, tmp_path / "silence.wav", kill
            )  # until baresip says it is closed

    lines = []
    asyncio.run(main())


def test_a_line_that_keeps_dying_waits_longer_each_time(caplog):
    async def main():
        async with serving(wait) as server:
            (line,) = server.trunk.lines
            waits, said = [], []
            loop = asyncio.get_running_loop()
            for _ in range(3):
                pid, died = pid_of(line), loop.time()
                os.kill(pid, signal.SIGKILL)
                await until(lambda pid=pid: pid_of(line) != pid)
                waits.append(loop.time() - died)
                said.append(float(re.findall(r"starts again in ([\d.]+) s", caplog.text)[-1]))
                assert await asyncio.wait_for(line.ready, PATIENCE) == ""
            assert said[0] == 0 < said[1] < said[2] < 1
            assert all(waited >= told for waited, told in zip(waits, said, strict=True))

    asyncio.run(main())


def test_lines_end_with_their_parent(tmp_path):
    """They see it even if it is killed, and say BYE for it."""
    script = tmp_path / "server.py"
    script.write_text(
        "import asyncio\nfrom graphvoip.client import run\nfrom graphvoip.io.pjsip.trunk import Trunk\n"
        "async def handler(call): await call.ended\n"
        f"run(handler, Trunk({(port := free_port())}, host='{HOST}'))\n"
    )

    async def main():
        process = await asyncio.create_subprocess_exec(sys.executable, str(script), env=environment())
        async with Phone() as phone:
            call = await reached(phone, port)
            lines = psutil.Process(process.pid).children()
            process.kill()
            await process.wait()
            await call.is_ended()
        _, alive = psutil.wait_procs(lines, timeout=3)
        assert not alive

    asyncio.run(main())


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)} | more


async def reached(phone: Phone, port: int, **options) -> Call:
    """A call to a server that is just starting: dialled as soon as it answers at all."""
    async with asyncio.timeout(3 * PATIENCE):
        while True:
            ping = phone.call(port)
            ping.send("OPTIONS")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ping.answers.get(), 0.1)
                ping.close()
                return await phone.dial(port, **options)
            ping.close()


# --- What a server says when it cannot ---


def test_a_port_in_use_is_named():
    async def refused(port: int):
        with pytest.raises(DeviceError, match=f"^UDP port {port} of {HOST} is in use; .* another port$"):
            await opened(Trunk(port, host=HOST))

    async def main():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((HOST, 0))
            port = other.getsockname()[1]
            await refused(port)
            files = open_files()
            for _ in range(3):
                await refused(port)
            await until(lambda: open_files() <= files)
            assert children() == []

    asyncio.run(main())


async def opened(trunk: Trunk) -> None:
    engine = Engine()
    engine.start()
    try:
        await trunk.open(engine, lambda leg: False)
    finally:
        engine.stop()


def test_an_address_that_is_not_ours_is_named():
    async def main():
        with pytest.raises(DeviceError, match=r"^SIP cannot have UDP port \d+ of 203\.0\.113\.9: .*assign"):
            await opened(Trunk(free_port(), host="203.0.113.9"))

    asyncio.run(main())


def test_without_pjsua2_the_remedy_is_named(tmp_path):
    script = tmp_path / "server.py"
    script.write_text(
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'pjsua2': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from graphvoip.client import runVoipClient\n"
        "async def handler(call): pass\n"
        "runVoipClient(handler)\n"
    )
    environ = environment(QUECEY_VOIP_REAL="1")
    result = subprocess.run([sys.executable, str(script)], env=environ, capture_output=True, text=True, timeout=30)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "graphvoip: SIP needs PJSIP, and there is no pjsua2 here: pip install 'graphvoip[sip]'"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("10.0.0.0/8", 403),
        (f"{HOST}:9", 403),
        (HOST, 200),
        ("127.0.0.0/8, 192.0.2.1", 200),
    ],
)
def test_who_may_call(text, code, monkeypatch):
    monkeypatch.setenv("IP_WHITELIST", text)

    async def main():
        async with serving(wait) as server, Phone() as phone:
            assert (await phone.dial(server.port)).code == code
            assert len(server.calls) == (code == 200)

    asyncio.run(main())


def test_the_documented_whitelist_is_one_address_and_port(monkeypatch):
    async def main():
        async with Phone() as phone:
            monkeypatch.setenv("IP_WHITELIST", f"{HOST}:{phone.port}")
            async with serving(wait) as server:
                assert (await phone.dial(server.port)).code == 200
                async with Phone() as stranger:
                    assert (await stranger.dial(server.port)).code == 403

    asyncio.run(main())


@pytest.mark.parametrize("text", ["1.2.3", "1.2.3.4:x", "1.2.3.4:0", "1.2.3.4:70000", "10.0.0.0/40", "a b", "1.2.3.4,"])
def test_a_whitelist_that_says_nothing_clear_is_refused(text, monkeypatch):
    monkeypatch.setenv("IP_WHITELIST", text)
    with pytest.raises(DeviceError, match=r"^IP_WHITELIST: '.*' is not IP:PORT, an address or a network; "):
        Trunk()


def test_whitelist_entries():
    assert whitelist("") == whitelist(" ") == []
    assert whitelist("1.2.3.4:5060, 10.0.0.0/8,1.2.3.4") == [("1.2.3.4/32", 5060), ("10.0.0.0/8", 0), ("1.2.3.4/32", 0)]
    assert whitelist("::1,[::1]:5060,fe80::/10") == [("::1/128", 0), ("::1/128", 5060), ("fe80::/10", 0)]
