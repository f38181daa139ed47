"""Numbers of SIP that the documentation promises, written out: a constant that changes fails here."""

import asyncio
import re
import socket
import time

import pytest
from sip import Call, Phone
from test_pjsip import PATIENCE, free_port, serving, wait

from graphvoip.io.pjsip.source_lock import SourceLock
from graphvoip.io.pjsip.trunk import Trunk


def test_ports_and_media_timeout_of_a_trunk(monkeypatch):
    monkeypatch.delenv("GRAPHVOIP_MEDIA_TIMEOUT", raising=False)
    trunk = Trunk(lines=3)
    assert [(line.port, line.rtp_port) for line in trunk.lines] == [(5060, 20000), (5062, 20100), (5064, 20200)]
    assert trunk.option["media_timeout"] == 30


def test_line_that_dies_within_10_s_waits_longer_each_time_up_to_10_s(caplog):
    (line,) = Trunk().lines

    def die(age):
        caplog.clear()
        line.started = time.monotonic() - age
        line.come_back("it died")
        return float(re.findall(r"starts again in ([\d.]+) s", caplog.text)[0])

    assert [die(9) for _ in range(9)] == [0, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10]
    assert die(11) == 0


class DeadPhone(Phone):
    """Confirms its calls, but no BYE: byes counts those that come."""

    def call(self, *args, **options) -> Call:
        call = super().call(*args, **options)
        answers, call.byes = call.on_message, 0

        def on_message(message):
            if message.first.startswith("BYE"):
                call.byes += 1
            else:
                answers(message)

        call.on_message = on_message
        return call


def test_place_of_a_phone_that_does_not_confirm_the_bye_is_free_after_2_s():
    """PJSIP repeats it after 0.5, 1.5 and 3.5 s, so a phone gets three until then."""

    async def main():
        async with serving(wait) as server, DeadPhone() as dead, Phone() as phone:
            calls = [await dead.dial(server.port) for _ in range(server.trunk.limit)]
            assert {call.code for call in calls} == {200}
            for call in server.calls:
                call._end("the test ends it", ours=True)
            async with asyncio.timeout(PATIENCE):
                while (call := await phone.dial(server.port)).code != 200:
                    await asyncio.sleep(0.05)
            assert [one.byes for one in calls] == [3] * len(calls)
            assert await call.bye() == 200

    asyncio.run(main())


# --- Who may send a call its sound: the lock on sockets of this process ---


@pytest.fixture
def udp():
    """udp(host): a socket on a port of its own, that does not block."""
    made = []

    def make(host="127.0.0.1"):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((host, free_port()))  # by number: the port that bind() chooses is let go when a socket is disconnected
        one.setblocking(False)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def lock(udp):
    """A lock whose caller's SIP comes from 127.0.0.1, and the address of its socket for sound."""
    rtp, rtcp = udp(), udp()
    lock = SourceLock(rtp.getsockname()[1], rtcp.getsockname()[1], "127.0.0.1")
    yield lock, rtp.getsockname()
    lock.close()


@pytest.mark.parametrize("named", ["127.0.0.1", "127.0.0.9"])
def test_source_that_sdp_does_not_name_is_believed_at_its_fifth_packet(lock, udp, named):
    lock, ours = lock
    lock.expect((named, 9))
    other = udp()
    for _ in range(4):
        other.sendto(b"sound", ours)
    lock.learn()
    assert lock.source is None
    other.sendto(b"sound", ours)
    lock.learn()
    assert lock.source == other.getsockname()


def test_source_from_another_port_is_waited_for_5_s(lock):
    lock, _ = lock
    before = time.monotonic()
    lock.expect(("127.0.0.1", 9))
    assert before + 5 <= lock.until <= time.monotonic() + 5


def test_kernel_drops_other_addresses_while_sdp_and_sip_name_the_same(lock, udp):
    lock, ours = lock
    stranger = udp("127.0.0.2")
    lock.expect(("127.0.0.1", 9))
    stranger.sendto(b"sound", ours)
    with pytest.raises(BlockingIOError):
        lock.rtp.recv(100, socket.MSG_DONTWAIT)
    lock.expect(("127.0.0.9", 9))  # a re-INVITE: now a router stands between, and any address may be his
    stranger.sendto(b"sound", ours)
    assert lock.rtp.recv(100, socket.MSG_DONTWAIT) == b"sound"


def test_kernel_lets_the_callers_own_address_pass(lock, udp):
    lock, ours = lock
    lock.expect(("127.0.0.1", 9))
    udp().sendto(b"sound", ours)
    assert lock.rtp.recv(100, socket.MSG_DONTWAIT) == b"sound"
