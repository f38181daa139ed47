"""The outside world: a telephone in plain Python, independent of PJSIP, that sees every packet as it is.

    async with Phone() as phone:
        call = await phone.dial(5060)
        await call.talk(packets)
        await call.bye()

Whatever is waited for has a deadline.
"""

import asyncio
import random
import re
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

PATIENCE = 60.0  # seconds any answer may take
TIMESTAMPNS = 35 if sys.platform == "linux" else 0  # a socket option: tell when the kernel got a packet
KEYS = "0123456789*#ABCD"
NAMES = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 101: "telephone-event/8000"}


@dataclass
class Message:
    """A SIP request or response."""

    first: str
    headers: dict[str, str]
    body: str
    source: tuple[str, int]

    @classmethod
    def parse(cls, data: bytes, source: tuple[str, int]) -> "Message":
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
        return cls(first, headers, body, source)

    @property
    def code(self) -> int:
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def cseq(self) -> tuple[int, str]:
        number, method = self.headers["cseq"].split()
        return int(number), method


@dataclass
class Packet:
    """An RTP packet that came, and when, in seconds of the kernel's clock."""

    time: float
    kind: int
    number: int
    stamp: int
    payload: bytes


@dataclass
class Call:
    phone: "Phone"
    target: tuple[str, int]
    user: str
    codecs: tuple[int, ...]
    remote: str = ""  # the To header with its tag
    contact: str = ""
    provisional: list[int] = field(default_factory=list)
    code: int = 0  # the final answer
    events: bool = True  # it offers telephone events
    packets: list[Packet] = field(default_factory=list)
    sent: list[tuple[float, bytes]] = field(default_factory=list)

    def __post_init__(self):
        loop = asyncio.get_running_loop()
        self.id = f"{random.getrandbits(64):x}"
        self.tag = f"{random.getrandbits(32):x}"
        self.cseq = 0
        self.branch = ""
        self.answers: asyncio.Queue[Message] = asyncio.Queue()
        self.requests: list[Message] = []
        self.ended = loop.create_future()  # the BYE of the other side
        self.heard = asyncio.Event()
        self.sdp_host = self.phone.host  # where the SDP says that we want the sound
        self.open_rtp()
        self.number, self.stamp, self.source = random.getrandbits(15), random.getrandbits(31), random.getrandbits(32)
        self.rtp_target = ("", 0)

    def open_rtp(self) -> None:
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((self.phone.host, 0))
        self.rtp.setblocking(False)
        if TIMESTAMPNS:
            self.rtp.setsockopt(socket.SOL_SOCKET, TIMESTAMPNS, 1)
        asyncio.get_running_loop().add_reader(self.rtp, self.on_rtp)

    def move(self) -> None:
        """Take another port for sound, for the next INVITE to name; the old socket is the caller's to close."""
        asyncio.get_running_loop().remove_reader(self.rtp)
        self.open_rtp()

    def close(self) -> None:
        if self.rtp.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.rtp)
            self.rtp.close()
            del self.phone.calls[self.id]

    # --- SIP

    def sdp(self, direction: str = "sendrecv") -> str:
        kinds = (*self.codecs, 101) if self.events else self.codecs
        lines = [
            "v=0",
            f"o=- 1 {self.cseq} IN IP4 {self.phone.host}",
            "s=-",
            f"c=IN IP4 {self.sdp_host}",
            "t=0 0",
            f"m=audio {self.rtp.getsockname()[1]} RTP/AVP {' '.join(map(str, kinds))}",
            *(f"a=rtpmap:{kind} {NAMES[kind]}" for kind in kinds),
            *(["a=fmtp:101 0-15"] if self.events else []),
            f"a={direction}",
        ]
        return "\r\n".join(lines) + "\r\n"

    def send(self, method: str, body: str = "", content: str = "application/sdp", extra: tuple[str, ...] = ()) -> int:
        """Send a request of this dialog; the CSeq it has."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        if method != "CANCEL" and not (method == "ACK" and self.code >= 300):
            self.branch = f"z9hG4bK{random.getrandbits(64):x}"
        host, port = self.target
        uri = self.contact if self.contact and method != "CANCEL" else f"sip:{self.user}@{host}:{port}"
        own = f"{self.phone.host}:{self.phone.port}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {own};branch={self.branch};rport",
            "Max-Forwards: 70",
            f'From: "Ann" <sip:5556667777@{own}>;tag={self.tag}',
            f"To: {self.remote if self.remote and method != 'CANCEL' else f'<sip:{self.user}@{host}:{port}>'}",
            f"Call-ID: {self.id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: <sip:5556667777@{own}>",
            *extra,
            *([f"Content-Type: {content}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.phone.socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self.target)
        return self.cseq

    def on_message(self, message: Message) -> None:
        if message.code:
            self.answers.put_nowait(message)
            return
        self.requests.append(message)
        method = message.first.split()[0]
        if method != "ACK":
            names = {"via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
            lines = ["SIP/2.0 200 OK", *(f"{names[n]}: {v}" for n, v in message.headers.items() if n in names)]
            self.phone.socket.sendto(("\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n").encode(), message.source)
        if method == "BYE" and not self.ended.done():
            self.ended.set_result(time.time())

    async def final(self, cseq: int, method: str) -> Message:
        """The final answer to a request of ours."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.answers.get()
                if answer.cseq == (cseq, method):
                    if answer.code >= 200:
                        return answer
                    self.provisional.append(answer.code)

    async def request(self, method: str, *args, **options) -> Message:
        return await self.final(self.send(method, *args, **options), method)

    async def invite(self, direction: str = "sendrecv", ack: bool = True, extra: tuple[str, ...] = ()) -> Message:
        """INVITE or re-INVITE, and what came of it."""
        self.code = 0
        answer = await self.request("INVITE", self.sdp(direction), extra=extra)
        return self.take(answer, ack)

    def take(self, answer: Message, ack: bool = True) -> Message:
        self.code, self.remote = answer.code, answer.headers["to"]
        if answer.code == 200:
            self.contact = re.sub(r".*<(.*)>.*", r"\1", answer.headers["contact"])
            host, port = re.search(r"c=IN IP4 (\S+)", answer.body), re.search(r"m=audio (\d+)", answer.body)
            assert host is not None
            assert port is not None
            self.rtp_target = (host[1], int(port[1]))
        if ack:
            self.send("ACK")
        return answer

    async def cancel(self) -> int:
        """CANCEL; the final answer to the INVITE, which may have won."""
        self.send("CANCEL")
        answer = self.take(await self.final(self.cseq, "INVITE"))
        return answer.code

    async def bye(self) -> int:
        code = (await self.request("BYE")).code
        self.close()
        return code

    async def is_ended(self) -> None:
        """Wait for the BYE of the other side."""
        async with asyncio.timeout(PATIENCE):
            await self.ended
        self.close()

    # --- sound

    def on_rtp(self) -> None:
        while True:
            try:
                data, ancillary, _, _ = self.rtp.recvmsg(2048, 64)
            except OSError:
                return
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16]) if ancillary else (time.time(), 0)
            _, kind, number, stamp = struct.unpack("!BBHI", data[:8])
            self.packets.append(Packet(seconds + nanoseconds / 1e9, kind & 0x7F, number, stamp, data[12:]))
            self.heard.set()

    def say(self, payload: bytes, kind: int | None = None, marker: bool = False, hold: bool = False) -> None:
        """Send one RTP packet; hold keeps the timestamp, as the packets of one key do."""
        kind = self.codecs[0] if kind is None else kind
        head = struct.pack("!BBHII", 0x80, kind | marker << 7, self.number, self.stamp, self.source)
        self.sent.append((time.time(), payload))
        self.rtp.sendto(head + payload, self.rtp_target)
        self.number = self.number + 1 & 0xFFFF
        if not hold:
            self.stamp = self.stamp + 160 & 0xFFFFFFFF

    async def talk(self, payloads: list[bytes], after: float = 0.01) -> None:
        """Send packets, one each 20 ms, each so many seconds after one that came.

        Half-way between them no jitter moves one across the other side's tick, so that none is early or late there.
        """
        first = (await self.hears(1))[-1].time + after - time.time() + time.monotonic()
        for k, payload in enumerate(payloads):
            await asyncio.sleep(first + 0.02 * k - time.monotonic())
            self.say(payload)

    async def key(self, key: str) -> None:
        """A key as a telephone event: 60 ms and three end packets."""
        code = KEYS.index(key)
        for k in range(3):
            self.say(struct.pack("!BBH", code, 10, 160 * (k + 1)), 101, marker=k == 0, hold=True)
            await asyncio.sleep(0.02)
        for _ in range(3):
            self.say(struct.pack("!BBH", code, 0x80 | 10, 640), 101, hold=True)
        self.stamp += 800

    async def hears(self, count: int) -> list[Packet]:
        """Wait for so many more packets."""
        first = len(self.packets)
        async with asyncio.timeout(PATIENCE):
            while len(self.packets) < first + count:
                self.heard.clear()
                await self.heard.wait()
        return self.packets[first:]


class Phone:
    def __init__(self, host: str = "127.0.0.1"):
        self.host = host
        self.calls: dict[str, Call] = {}

    async def __aenter__(self) -> "Phone":
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.host, 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self.socket, self.on_sip)
        return self

    async def __aexit__(self, *error) -> None:
        for call in list(self.calls.values()):
            call.close()
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()

    def on_sip(self) -> None:
        while True:
            try:
                data, source = self.socket.recvfrom(65536)
            except OSError:
                return
            message = Message.parse(data, source)
            if call := self.calls.get(message.headers.get("call-id", "")):
                call.on_message(message)

    def call(self, port: int, user: str = "line", codecs: tuple[int, ...] = (0,), host: str = "") -> Call:
        """A call that is not yet dialled."""
        call = Call(self, (host or self.host, port), user, codecs)
        self.calls[call.id] = call
        return call

    async def dial(self, port: int, user: str = "line", codecs: tuple[int, ...] = (0,), **options) -> Call:
        call = self.call(port, user, codecs)
        await call.invite(**options)
        return call
