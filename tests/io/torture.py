"""SIP messages that are hard to read, after the ideas of RFC 4475: odd but right, plainly wrong, and right but absurd.

messages() has each once, mutated() spoils them at random, the same way for the same seed.
"""

import itertools
import random
from collections.abc import Iterator

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
PARTS = f"--b\r\n\r\n{SDP}\r\n--b--\r\n"
TWICE = "CSeq: 9 ACK\r\nCall-ID: b\r\nFrom: <sip:z@z>\r\nCSeq:"
_numbers = itertools.count(1)


def message(method: str = "OPTIONS", body: str = "", uri: str = "sip:line@127.0.0.1", first: str = "", **fields) -> str:
    """Write a request; fields replace headers by name (None leaves one out), or add them."""
    number = next(_numbers)
    headers = {
        "Via": f"SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKtorture{number}",
        "Max-Forwards": "70",
        "From": f"<sip:torture@127.0.0.1>;tag=t{number}",
        "To": "<sip:line@127.0.0.1>",
        "Call-ID": f"torture-{number}",
        "CSeq": f"1 {method}",
        "Contact": "<sip:torture@127.0.0.1:9>",
        "Content-Type": "application/sdp" if body else None,
        "Content-Length": str(len(body)),
    }
    headers |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([first or f"{method} {uri} SIP/2.0", *lines]) + "\r\n\r\n" + body


def messages() -> dict[str, bytes]:
    """Name each message for what is hard about it."""
    texts = {
        # Right, if one reads them well
        "spaces and folds": message(Subject="one\r\n  two\r\n\tthree", Max_Forwards="   70   "),
        "short names of headers": message().replace("Via:", "v:").replace("Call-ID:", "i :").replace("From:", "f\t:"),
        "names in odd case": message().replace("Via:", "vIA:").replace("CSeq:", "cSEQ:").replace("To:", "TO:"),
        "method of its own": message("!%`'~+_*.-"),
        "method almost INVITE": message("INVITEd"),
        "escaped characters": message(uri="sip:%6c%69n%65@127.0.0.1"),
        "escaped nul": message(uri="sip:null%00name@127.0.0.1"),
        "percent without code": message(uri="sip:100%@127.0.0.1"),
        "quoted quotes": message(From='"a \\"b\\" \\\\ <c>" <sip:q@127.0.0.1>;tag=1'),
        "names in UTF-8": message(From='"Gr\u00fc\u00dfe \u2603" <sip:q@127.0.0.1>;tag=2'),
        "semicolons in the user": message(uri="sip:user;par=u%40example.net@127.0.0.1"),
        "long values": message(Subject="a" * 1500, From=f'"{"b" * 500}" <sip:{"c" * 200}@127.0.0.1>;tag={"d" * 200}'),
        "many Vias": message(Via=", ".join(f"SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{n}" for n in range(40))),
        "many headers": message(**{f"X_{n}": "y" for n in range(100)}),
        "empty reason": "SIP/2.0 200 \r\n" + message().partition("\r\n")[2],
        "answer to nothing": "SIP/2.0 200 OK\r\n" + message("INVITE").partition("\r\n")[2],
        "unknown scheme": message(uri="soap.beep://127.0.0.1/x"),
        "telephone number": message(uri="tel:+1-201-555-0123"),
        "body of two parts": message("INVITE", PARTS, Content_Type="multipart/mixed;boundary=b"),
        "extra bytes after the body": message("INVITE", SDP) + "INVITE again SIP/2.0\r\n\r\n",
        # Wrong
        "no headers": "OPTIONS sip:line@127.0.0.1 SIP/2.0\r\n\r\n",
        "no Call-ID": message(Call_ID=None),
        "no From": message(From=None),
        "no To": message(To=None),
        "no CSeq": message(CSeq=None),
        "no Via": message(Via=None),
        "no end": message("INVITE", SDP)[:-200],
        "only a start line": "INVITE sip:line@127.0.0.1 SIP/2.0",
        "line feeds alone": message("INVITE", SDP).replace("\r\n", "\n"),
        "version 7": message(first="OPTIONS sip:line@127.0.0.1 SIP/7.0"),
        "spaces in the start line": message(first="OPTIONS  sip:line@127.0.0.1  SIP/2.0 "),
        "uri in brackets": message(uri="<sip:line@127.0.0.1>"),
        "uri with spaces": message(uri="sip:line@127.0.0.1; lr"),
        "headers in the uri": message(uri="sip:line@127.0.0.1?Route=%3Csip:x%3E"),
        "negative length": message("INVITE", SDP, Content_Length="-999"),
        "length too great": message("INVITE", SDP, Content_Length="9999"),
        "length beyond all numbers": message("INVITE", SDP, Content_Length="99999999999999999999"),
        "numbers too great": message(CSeq="36893488147419103232 OPTIONS", Max_Forwards="300", Expires="1" * 40),
        "CSeq of another method": message("INVITE", SDP, CSeq="1 OPTIONS"),
        "quote without end": message(From='"no end <sip:q@127.0.0.1>;tag=3'),
        "bracket without end": message(To="<sip:line@127.0.0.1"),
        "commas and semicolons": message(Contact=",,;;<sip:a@b>;;,;", Via="SIP/2.0/UDP 127.0.0.1;;,;,,"),
        "date of no calendar": message(Date="Fri, 31 Feb 2047 25:61:00 EST"),
        "status 4294967301": "SIP/2.0 4294967301 better not\r\n" + message().partition("\r\n")[2],
        # Right, and absurd
        "Require of the unknown": message("INVITE", SDP, Require="nothing-known, torture"),
        "no hops left": message("INVITE", SDP, Max_Forwards="0"),
        "two of each": message("INVITE", SDP).replace("CSeq:", TWICE),
        "a REGISTER for all contacts": message("REGISTER", Contact="*", Expires="0"),
        "SDP of nothing but lines": message("INVITE", "v=\r\nm=\r\nc=\r\na=\r\n" * 20),
        "SDP of 200 streams": message("INVITE", SDP + "m=audio 9 RTP/AVP 0\r\n" * 200),
        "INFO out of a dialog": message("INFO", "Signal", Content_Type="application/dtmf-relay"),
        "To with a tag of nobody": message("BYE", To="<sip:line@127.0.0.1>;tag=nobody"),
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}


def mutated(seed: int, count: int) -> Iterator[bytes]:
    """Spoil messages at random: bytes changed, left out, doubled, moved, cut off."""
    source = random.Random(seed)
    originals = [*messages().values(), *(message("INVITE", SDP).encode() for _ in range(10))]
    for _ in range(count):
        data = bytearray(source.choice(originals))
        for _ in range(source.randint(1, 6)):
            a, b = sorted(source.choices(range(len(data) + 1), k=2))
            b = min(b, a + source.choice((1, 4, 30)))
            match source.randrange(5):
                case 0:
                    data[a:b] = source.randbytes(b - a)
                case 1:
                    del data[a:b]
                case 2:
                    data[a:a] = data[a:b] * source.randint(1, 20)
                case 3:
                    data[a:b] = source.choice((b"\r\n", b"\0", b":", b";", b"<", b'"', b"99999999999", b"%", b"-1"))
                case 4:
                    del data[max(a, 20) :]
            if not data:
                break
        yield bytes(data[:1400])
