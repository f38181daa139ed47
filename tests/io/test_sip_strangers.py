"""What strangers can do to a call that is up, and to a line: nothing. Everything happens on loopback."""

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest
from sip import Call, Phone
from test_pjsip import echo, noise, serving


@contextlib.asynccontextmanager
async def stranger(target: tuple[str, int], host: str, rate: int, packet) -> AsyncIterator[list[bytes]]:
    """Somebody who sends `rate` packets a second to a call's port; what he gets back."""
    got: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((host, 0))
        own.setblocking(False)

        async def send():
            begun, sent = time.monotonic(), 0
            while True:
                while sent < (time.monotonic() - begun) * rate:
                    with contextlib.suppress(OSError):  # the far end's queue is full, or refuses us
                        own.sendto(packet(sent), target)
                    sent += 1
                with contextlib.suppress(OSError):
                    while True:
                        got.append(own.recv(2048))
                await asyncio.sleep(0.002)

        task = asyncio.create_task(send())
        try:
            yield got
        finally:
            task.cancel()


async def is_intact(call: Call, packets: int) -> bool:
    """Talk, and whether the echo is ours. A busy machine may send some packets too late to be heard, but not half; and
    what came late is filled in from what was said, never from what strangers sent.
    """
    said, first = noise(packets), len(call.packets)
    await call.talk(said)
    await call.hears(5)
    heard = [packet.payload for packet in call.packets[first:]]
    echoed = b"".join(heard)
    return sum(packet in echoed for packet in said) > packets / 2 and not any(FOREIGN in packet for packet in heard)


FOREIGN = bytes([0x55] * 160)


def rtp(number: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, 160 * number & 0xFFFFFFFF, 0xBADBAD) + FOREIGN


def garbage(number: int) -> bytes:
    return random.randbytes(60)


def oversize(number: int) -> bytes:
    return rtp(number) + bytes(1300)


def same_caller(call: Call):
    """The caller's own SSRC and payload type, in case those are all that is looked at."""
    return lambda number: rtp(number)[:8] + struct.pack("!I", call.source) + rtp(number)[12:]


ATTACKS = [(50, rtp), (500, rtp), (5000, rtp), (500, garbage), (500, oversize)]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize(("rate", "packet"), ATTACKS)
def test_a_strangers_packets_change_nothing_for_a_caller_who_talks(rate, packet, host):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.talk(noise(10))
            async with stranger(call.rtp_target, host, rate, packet) as got:
                assert await is_intact(call, 50)
            numbers = [packet.number for packet in call.packets]
            assert numbers == [numbers[0] + k & 0xFFFF for k in range(len(numbers))]
            assert got == []
            await call.bye()

    asyncio.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("rate", [50, 500])
def test_a_caller_who_has_fallen_silent_keeps_the_call(rate, host):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = await phone.dial(server.port)
            await call.talk(noise(10))
            async with stranger(call.rtp_target, host, rate, same_caller(call)) as got:
                heard = await call.hears(100)
            assert all(set(packet.payload) <= {0xFF, 0x7F} for packet in heard[20:])  # nothing of the stranger's
            assert got == []
            await call.bye()

    asyncio.run(main())


def test_a_caller_who_never_speaks_keeps_the_call():
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = await phone.dial(server.port)
            async with stranger(call.rtp_target, "127.0.0.2", 500, rtp) as got:
                await call.hears(100)
            assert got == []
            await call.bye()

    asyncio.run(main())


def test_a_reinvite_moves_the_lock_with_the_sound():
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = await phone.dial(server.port)
            assert await is_intact(call, 25)
            old = call.rtp
            call.move()
            await call.invite()
            assert await is_intact(call, 25)
            with contextlib.suppress(OSError):
                while True:
                    old.recv(2048)  # what came before the move
            for number in range(20):
                old.sendto(rtp(number), call.rtp_target)
            await call.hears(50)
            with pytest.raises(BlockingIOError):
                old.recv(2048)
            old.close()
            await call.bye()

    asyncio.run(main())


def test_a_caller_behind_a_router_is_found_by_his_packets():
    """His SDP names an address where nobody is; his sound comes from another port."""

    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = phone.call(server.port)
            call.sdp_host = "127.0.0.9"
            await call.invite()
            for packet in noise(30):
                call.say(packet)
                await asyncio.sleep(0.02)
            await call.hears(10)
            assert await is_intact(call, 25)
            async with stranger(call.rtp_target, "127.0.0.2", 500, rtp) as got:
                assert await is_intact(call, 25)
            assert got == []
            await call.bye()

    asyncio.run(main())


def test_a_subscription_is_refused_and_logged(caplog):
    """PJSUA would send eleven NOTIFYs to whoever the Contact names, and forged packets name somebody else."""
    caplog.set_level("INFO", "graphvoip")

    async def main():
        async with serving(echo) as server, Phone() as phone, Phone("127.0.0.2") as victim:
            forged = phone.call(server.port)
            contact = f"Contact: <sip:victim@127.0.0.2:{victim.port}>"
            for event in ("presence", "message-summary", "dialog", "refer"):
                extra = (f"Event: {event}", contact, "Expires: 3600", "Accept: application/pidf+xml")
                answer = await forged.request("SUBSCRIBE", extra=extra)
                assert answer.code == 489  # Bad Event, RFC 6665
            call = await phone.dial(server.port)
            await call.hears(50)
            assert await call.bye() == 200
            with pytest.raises(BlockingIOError):
                victim.socket.recv(2048)

    asyncio.run(main())
    assert "refused a request (SUBSCRIBE) from 127.0.0.1" in caplog.text


def test_a_late_answer_of_two_codecs_is_not_followed_by_a_reinvite():
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = phone.call(server.port, codecs=(0, 8))
            call.take(await call.request("INVITE"), ack=False)
            call.send("ACK", call.sdp())
            await call.hears(50)
            assert call.requests == []
            await call.bye()

    asyncio.run(main())
