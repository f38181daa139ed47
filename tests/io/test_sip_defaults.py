"""PJSIP's defaults, each met by the packet that would open it: a third party hears nothing, a call keeps its sound."""

import asyncio

import pytest
from sip import Phone
from test_pjsip import HOST, echo, noise, serving
from test_sip_requests import METHODS, asked

VICTIM = "127.0.0.2"


def is_silent(phone: Phone) -> bool:
    """Whether nothing has come to a phone. It must have no call: its own reader leaves nothing in the socket else."""
    try:
        phone.socket.recv(2048)
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("method", ["OPTIONS", *METHODS])
def test_a_strangers_request_sends_nothing_to_whom_it_names(method):
    async def main():
        async with serving(echo) as server, Phone() as phone, Phone("127.0.0.3") as stranger, Phone(VICTIM) as victim:
            asyncio.get_running_loop().remove_reader(victim.socket)
            call = await phone.dial(server.port)
            there = f"sip:bob@{VICTIM}:{victim.port}"
            forged = stranger.call(server.port, host=HOST)
            via = f"SIP/2.0/UDP {stranger.host}:{stranger.port};branch=z9hG4bKforged;rport"
            fields = dict.fromkeys(("Contact", "Refer_To", "Referred_By", "Reply_To"), f"<{there}>")
            fields |= {"Record_Route": f"<{there};lr>", "Event": "presence", "Expires": "3600", "Via": via}
            assert (await asked(forged, method, **fields)).code >= 200
            await call.talk(noise(20))
            await call.hears(20)
            assert await call.bye() == 200
            assert is_silent(victim)
            assert len(server.calls) == 1

    asyncio.run(main())


MORE = (
    "m=video 40000 RTP/AVP 31\r\n",
    "m=text 40002 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n",
    "m=audio 40004 RTP/AVP 0\r\n",
)
ASKED = (
    "a=rtcp-mux\r\n",
    "a=ice-ufrag:aaaa\r\na=ice-pwd:bbbbbbbbbbbbbbbbbbbbbb\r\na=candidate:1 1 UDP 1 127.0.0.2 40006 typ host\r\n",
    "a=X-nat:5\r\n",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n",
)


@pytest.mark.parametrize("more", [*MORE, *ASKED])
def test_what_an_offer_asks_beyond_one_stream_of_sound_is_left_out(more):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = phone.call(server.port)
            answer = await asked(call, "INVITE", body=call.sdp() + more, Content_Type="application/sdp")
            assert answer.code == 200
            media = [line.split()[:2] for line in answer.body.splitlines() if line.startswith("m=")]
            assert media[0][0] == "m=audio"
            assert media[0][1] != "0"
            assert media[1:] == ([[more.split()[0], "0"]] if more in MORE else [])
            for name in ("a=rtcp-mux", "a=ice-", "a=candidate", "a=X-nat", "a=crypto"):
                assert name not in answer.body
            call.take(answer)
            await call.talk(noise(20))
            await call.hears(20)
            assert await call.bye() == 200

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["RTP/SAVP", "UDP/TLS/RTP/SAVPF"])
def test_an_offer_of_encrypted_sound_alone_is_refused(kind):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = phone.call(server.port)
            body = call.sdp().replace("RTP/AVP", kind)
            assert (await asked(call, "INVITE", body=body, Content_Type="application/sdp")).code == 488

    asyncio.run(main())


@pytest.mark.parametrize(
    ("lead", "code"), [("maddr=127.0.0.2", 400), (" MADDR = 127.0.0.2", 400), ("received=127.0.0.2", 200)]
)
def test_the_answer_to_an_invite_goes_to_its_source(lead, code):
    """A Via may name a third party: PJSIP would send it a call's answer, again and again until it is confirmed."""

    async def main():
        async with serving(echo) as server, Phone() as phone, Phone(VICTIM) as victim:
            asyncio.get_running_loop().remove_reader(victim.socket)
            call = phone.call(server.port)
            via = f"SIP/2.0/UDP {HOST}:{victim.port};branch=z9hG4bKlead;{lead};rport"
            answer = await asked(call, "INVITE", Via=via, body=call.sdp(), Content_Type="application/sdp")
            assert answer.code == code
            if code == 200:
                call.take(answer)
                await call.hears(20)
                assert await call.bye() == 200
            assert is_silent(victim)

    asyncio.run(main())
