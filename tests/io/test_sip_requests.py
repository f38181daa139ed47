"""What a line answers to each SIP request, in a call and out of one, from friends and from strangers."""

import asyncio
import contextlib

import pytest
from sip import Call, Message, Phone
from test_pjsip import HOST, echo, keypad, noise, serving, until

METHODS = ("UPDATE", "REFER", "NOTIFY", "PUBLISH", "REGISTER", "MESSAGE", "SUBSCRIBE", "INFO", "PRACK", "BYE", "FOO")


@contextlib.asynccontextmanager
async def a_call(handler=echo, host: str = HOST):
    async with serving(handler) as server, Phone(host) as phone:
        yield server, phone, await phone.dial(server.port)


def ask(call: Call, method: str, **changed: str):
    """Send a request whose header fields are changed, or new; the CSeq that it has."""
    lines = {
        "Via": f"SIP/2.0/UDP {call.phone.host}:{call.phone.port};branch=z9hG4bK{call.cseq}{method}{call.id};rport",
        "Max-Forwards": "70",
        "From": f"<sip:ann@{call.phone.host}>;tag={call.tag}",
        "To": call.remote or "<sip:line@127.0.0.1>",
        "Call-ID": call.id,
        "CSeq": f"{call.cseq + 1} {method}",
        "Contact": f"<sip:ann@{call.phone.host}:{call.phone.port}>",
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    body = lines.pop("body", "")
    call.cseq += 1
    uri = call.contact or f"sip:line@{call.target[0]}:{call.target[1]}"
    text = [f"{method} {uri} SIP/2.0", *(f"{name}: {value}" for name, value in lines.items())]
    text += [f"Content-Length: {len(body)}", "", body]
    call.phone.socket.sendto("\r\n".join(text).encode(), call.target)
    return int(lines["CSeq"].split()[0]), lines["CSeq"].split()[1]


async def asked(call: Call, method: str, **changed: str) -> Message:
    return await call.final(*ask(call, method, **changed))


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("OPTIONS", 200),
        ("UPDATE", 481),
        ("INFO", 481),
        ("PRACK", 481),
        ("BYE", 481),
        ("CANCEL", 481),
        ("REFER", 603),
        ("NOTIFY", 489),
        ("SUBSCRIBE", 489),
        ("PUBLISH", 405),
        ("REGISTER", 405),
        ("MESSAGE", 405),
        ("FOO", 501),
    ],
)
def test_what_belongs_to_no_call(method, code):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = phone.call(server.port)
            answer = await asked(call, method, Event="presence", Refer_To="<sip:victim@127.0.0.3>")
            assert answer.code == code
            if code in (405, 501):
                assert "INVITE" in answer.headers["allow"]
            if method not in ("OPTIONS", "CANCEL"):
                call.remote = "<sip:line@127.0.0.1>;tag=guessed"
                assert (await asked(call, method, Event="presence")).code == 481
            assert server.calls == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("OPTIONS", 200),
        ("UPDATE", 200),
        ("PRACK", 481),
        ("REFER", 603),
        ("NOTIFY", 489),
        ("SUBSCRIBE", 489),
        ("PUBLISH", 405),
        ("REGISTER", 405),
        ("MESSAGE", 405),
        ("FOO", 501),
    ],
)
def test_what_comes_in_a_call(method, code):
    async def main():
        async with a_call() as (_, _, call):
            more = {"RAck": "1 1 INVITE"} if method == "PRACK" else {}
            answer = await asked(call, method, Event="presence", Refer_To="<sip:victim@127.0.0.3>", **more)
            assert answer.code == code
            await call.talk(noise(10))
            await call.hears(10)
            assert await call.bye() == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    ("content", "body", "code"),
    [
        ("application/dtmf-relay", "Signal=10\r\nDuration=160\r\n", "*"),
        ("application/dtmf-relay", "Signal=11\r\n", "#"),
        ("application/dtmf-relay", "Signal= 12", "A"),
        ("application/dtmf-relay", "Duration=100\r\nSIGNAL = d\r\n", "D"),
        ("application/dtmf-relay", "Signal=1\r\nDuration=100\r\n", "1"),
        ("application/dtmf-relay; charset=utf-8", "Signal=*\r\n", "*"),
        ("application/dtmf", "11", "#"),
        ("application/dtmf", "a\r\n", "A"),
        ("application/dtmf-relay", "Signal=16\r\n", 200),
        ("application/dtmf-relay", "Signal=hello\r\n", 400),
        ("text/plain", "hello", 415),
        ("application/media_control+xml", "<media_control/>", 415),
        ("", "", 200),
    ],
)
def test_what_an_info_means(content, body, code):
    heard: list = []

    async def main():
        async with a_call(keypad(heard)) as (_, _, call):
            more = {"Content_Type": content} if content else {}
            answer = await asked(call, "INFO", body=body, **more)
            assert answer.code == (200 if isinstance(code, str) else code)
            if answer.code == 415:
                assert answer.headers["accept"] == "application/dtmf-relay, application/dtmf"
            await asked(call, "INFO", body="Signal=5\r\n", Content_Type="application/dtmf-relay")
            await until(lambda: heard[-1:] == ["5"])
            await call.bye()

    asyncio.run(main())
    assert "".join(heard) == (code + "5" if isinstance(code, str) else "5")


def test_an_unknown_info_package_is_refused():
    async def main():
        async with a_call() as (_, _, call):
            assert (await asked(call, "INFO", Info_Package="nothing", body="x", Content_Type="text/plain")).code == 469
            await call.bye()

    asyncio.run(main())


def test_a_repeated_info_is_one_key():
    heard: list = []

    async def main():
        async with a_call(keypad(heard)) as (_, _, call):
            for again in ("first", "second", "third"):  # other branches, as if a proxy had forked it
                ask(call, "INFO", body="Signal=7\r\n", Content_Type="application/dtmf-relay", CSeq="77 INFO")
                assert (await call.final(77, "INFO")).code == 200, again
            await asked(call, "INFO", body="Signal=5\r\n", Content_Type="application/dtmf-relay", CSeq="78 INFO")
            await until(lambda: heard[-1:] == ["5"])
            call.cseq = 80
            await call.bye()

    asyncio.run(main())
    assert "".join(heard) == "75"


def test_a_stranger_who_guesses_a_call_presses_no_key_and_ends_nothing():
    heard: list = []

    async def main():
        async with a_call(keypad(heard)) as (server, _, call), Phone("127.0.0.2") as stranger:
            other = stranger.call(server.port, host=HOST)
            other.remote = "<sip:line@127.0.0.1>;tag=guessed"
            for method in ("INFO", "BYE", "UPDATE", "INVITE"):
                body = {"body": "Signal=9\r\n", "Content_Type": "application/dtmf-relay"} if method == "INFO" else {}
                theirs = {"Call_ID": call.id, "From": f"<sip:ann@{HOST}>;tag={call.tag}"}
                stranger.calls[call.id] = other  # so that the answers find him
                assert (await asked(other, method, **theirs, **body)).code == 481
            await call.key("5")
            await until(lambda: heard == ["5"])
            assert await call.bye() == 200
            del stranger.calls[call.id]

    asyncio.run(main())


@pytest.mark.parametrize("method", ["INFO", "OPTIONS", "BYE", "INVITE"])
def test_a_cseq_of_another_method_is_a_bad_request(method):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = phone.call(server.port)
            assert (await asked(call, method, CSeq="7 NOTIFY")).code == 400

    asyncio.run(main())


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "INFO"])
def test_an_extension_that_we_lack_is_named(method):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            answer = await asked(phone.call(server.port), method, Require="timer, teleport")
            assert answer.code == 420
            assert answer.headers["unsupported"] == "teleport"

    asyncio.run(main())


MIXED = (
    "--edge\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n"
    "--edge\r\nContent-Type: application/isup\r\n"
    "Content-Disposition: signal; handling={handling}\r\n\r\nx\r\n--edge--\r\n"
)


@pytest.mark.parametrize(
    ("content", "body", "encoding", "code"),
    [
        ("multipart/mixed;boundary=edge", MIXED.replace("{handling}", "required"), "", 415),
        ("multipart/mixed;boundary=edge", MIXED.replace("{handling}", "optional"), "", 200),
        ("application/isup", "x", "", 415),
        ("application/sdp", "{sdp}", "gzip", 415),
        ("application/sdp", "{sdp}", "identity", 200),
        ("Application/SDP", "{sdp}", "", 200),
    ],
)
def test_a_body_that_must_be_understood(content, body, encoding, code):
    async def main():
        async with serving(echo) as server, Phone() as phone:
            call = phone.call(server.port)
            more = {"Content_Encoding": encoding} if encoding else {}
            body_ = body.replace("{sdp}", call.sdp())
            answer = await asked(call, "INVITE", body=body_, Content_Type=content, **more)
            assert answer.code == code
            if code == 200:
                call.take(answer)
                await call.hears(5)
                await call.bye()
            else:
                assert answer.headers["accept-encoding" if encoding else "accept"] in ("identity", "application/sdp")

    asyncio.run(main())


async def ends_by_key(call) -> None:
    await call.getDTMF()


def test_a_phone_behind_a_router_is_told_the_end():
    """Its Contact names an address of its own net. Without a Record-Route the BYE goes where its INVITE came from."""

    async def main():
        async with serving(ends_by_key) as server, Phone() as phone, Phone("127.0.0.2") as elsewhere:
            call = phone.call(server.port)
            contact = f"<sip:5556667777@127.0.0.2:{elsewhere.port};ob>"
            call.take(await asked(call, "INVITE", Contact=contact, body=call.sdp(), Content_Type="application/sdp"))
            await call.key("1")
            await call.is_ended()
            assert call.requests[-1].first.startswith(f"BYE sip:5556667777@127.0.0.1:{phone.port};ob ")
            with pytest.raises(BlockingIOError):
                elsewhere.socket.recv(2048)

    asyncio.run(main())


@pytest.mark.parametrize("lead", ["maddr=127.0.0.2", "transport=tcp"])
def test_a_contact_leads_nowhere_else(lead):
    async def main():
        async with serving(ends_by_key) as server, Phone() as phone:
            call = phone.call(server.port)
            contact = f'"a > b" <sip:ann@127.0.0.1:{phone.port};{lead}>'
            call.take(await asked(call, "INVITE", Contact=contact, body=call.sdp(), Content_Type="application/sdp"))
            await call.key("1")
            await call.is_ended()

    asyncio.run(main())


def test_a_proxy_that_records_its_route_is_kept_to():
    async def main():
        async with serving(ends_by_key) as server, Phone() as phone, Phone("127.0.0.2") as proxy:
            call = phone.call(server.port)
            route = f"<sip:127.0.0.2:{proxy.port};lr>"
            sdp = {"body": call.sdp(), "Content_Type": "application/sdp"}
            contact = "<sip:ann@127.0.0.9:5070>"
            call.take(await asked(call, "INVITE", Contact=contact, Record_Route=route, **sdp))
            proxy.calls[call.id] = call  # what comes to the proxy
            await call.key("1")
            async with asyncio.timeout(30):
                await call.ended
            assert call.requests[-1].first.startswith("BYE sip:ann@127.0.0.9:5070 ")
            assert call.requests[-1].headers["route"] == route
            del proxy.calls[call.id]

    asyncio.run(main())


def test_strangers_are_refused_whatever_they_ask(monkeypatch, caplog):
    """Where IP_WHITELIST is set, it holds for every method, and the log does not grow with what they send."""
    caplog.set_level("INFO", "graphvoip")

    async def main():
        async with Phone() as phone, Phone("127.0.0.2") as stranger:
            monkeypatch.setenv("IP_WHITELIST", HOST)
            async with serving(echo) as server:
                call = await phone.dial(server.port)
                for method in ("INVITE", "OPTIONS", "CANCEL", *METHODS):
                    assert (await asked(stranger.call(server.port, host=HOST), method, Event="presence")).code == 403
                for _ in range(300):
                    ask(stranger.call(server.port, host=HOST), "REGISTER")
                await call.talk(noise(60))
                await call.hears(5)
                assert await call.bye() == 200
                await until(lambda: "times in the last second" in caplog.text)

    asyncio.run(main())
    lines = [one for one in caplog.messages if one.startswith("refused")]
    assert "refused a call from 127.0.0.2" in caplog.text
    assert "which is not in IP_WHITELIST" in caplog.text
    assert len(lines) < 30


def test_an_early_cancel_leaves_two_plain_lines_in_the_log(monkeypatch, caplog):
    """CANCEL comes with the INVITE, before the handler has taken its first step."""
    caplog.set_level("INFO", "graphvoip")
    monkeypatch.setattr("graphvoip.call.STUBBORN", 0.1)  # s after the end, when a handler that goes on is named

    async def main():
        async with serving(echo) as server, Phone() as phone:
            for _ in range(5):
                call = phone.call(server.port)
                call.send("INVITE", call.sdp())
                assert await call.cancel() == 487
            await until(lambda: not server.exchange.calls)
            friend = await phone.dial(server.port)
            await friend.hears(25)  # half a second
            assert await friend.bye() == 200

    asyncio.run(main())
    assert "its handler goes on" not in caplog.text
    assert "CancelledError" not in caplog.text
