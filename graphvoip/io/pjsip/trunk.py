"""A trunk: lines, each a child process with PJSIP in it, seen from the event loop of the handlers.

The audio thread of the engine is the one clock. After each tick it wakes the lines, and each of them sends the frames
that the graphs have just made and fetches the next ones. So the loop here only carries signalling: it may be busy for a
second and no frame is late.
"""

import asyncio
import ctypes
import importlib.util
import ipaddress
import json
import logging
import math
import mmap
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...rings import BEAT_BYTES, RING_BYTES, LineRing, Wake
from .. import PORT, DeviceError, Leg

log = logging.getLogger("graphvoip")

RTP_PORT, RTP_PORTS = 20000, 100  # the first UDP port for sound, and how many a line may choose from
MEDIA_TIMEOUT = 30.0  # seconds without a packet of sound after which a caller is gone
MEMORY = 1 << 20  # bytes a line shares with us, more than it ever uses: pages that nobody touches are never made
START = 20.0  # seconds a line may take to start
BEAT = 0.1  # seconds between two signs to the lines that the event loop turns
STOP = 3.0  # seconds a line may take to say good-bye
YOUNG = 10.0  # seconds: a line that dies younger than that waits longer each time before it comes back,
LONGEST = 10.0  # but not longer than that

REASONS = {200: "hung up", 408: "the caller does not answer", 487: "cancelled"}  # else in the words of PJSIP
STOPPED = "the server stops"
# What pjsua2-python has wheels for. The extra `sip` in pyproject.toml says the same.
PREBUILT = {("linux", "x86_64"): "Linux x86-64", ("darwin", "arm64"): "macOS arm64"}
PYTHONS = (3, 11), (3, 12)
IN_USE = "is in use; stop that program (ss -lunp 'sport = {}' names it) or take another port"
NO_ENTRY = "IP_WHITELIST: {!r} is not IP:PORT, an address or a network; write for example 203.0.113.7:5060,10.0.0.0/8"


class SipLeg(Leg):
    def __init__(self, line: "Line", number: int, uri: str, ring: int, source: str, events: bool):
        super().__init__(uri, LineRing(line.memory, ring * RING_BYTES))
        self.line, self.number, self.source, self.events = line, number, source, events
        self.bye: dict[str, Any] = {}  # how another line can end the call

    def send_key(self, key: str, seconds: float) -> None:
        self.line.tell(do="key", call=self.number, key=key, ms=round(1000 * seconds))

    def hangup(self) -> None:
        self.line.hangup(self.number)


class Line:
    """One UDP port, and the process that serves it: when it dies there is a new one."""

    def __init__(self, trunk: "Trunk", port: int, rtp_port: int):
        self.trunk, self.port, self.rtp_port = trunk, port, rtp_port
        self.legs: dict[int, SipLeg] = {}
        self.byes: list[dict[str, Any]] = []  # for the callers of a process that has died
        self.memory: mmap.mmap | None = None
        self.limit, self.deaths = 0, 0
        self.wake: Wake | None = None
        self.return_timer: asyncio.TimerHandle | None = None

    # --- The process ---

    def open(self) -> None:
        self.wake = Wake()  # outlives the process, so that the audio thread need not know when one dies
        self.trunk.engine.add_wake(self.wake, after=1)
        self.start(self.wake.read_fd)

    def start(self, wake: int) -> None:
        """Start the process; self.ready will hold what went wrong, or nothing."""
        self.ready = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        self.failure, self.text = "", b""
        self.pipe, theirs = socket.socketpair()
        memory = shared_memory(
            MEMORY
        )  # a new one: graphs of calls that died with a line may still write to the old one
        self.memory = mmap.mmap(memory, MEMORY)
        descriptors = {"memory": memory, "wake": wake, "pipe": theirs.fileno()}
        option = self.trunk.option | descriptors | {"port": self.port, "rtp": [self.rtp_port, RTP_PORTS]}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "graphvoip.io.pjsip.line", json.dumps(option)],
            pass_fds=list(descriptors.values()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # PJSIP greets there before one can ask it not to
            env=os.environ | {"PYTHONPATH": python_path()},
        )
        self.started = time.monotonic()
        theirs.close()
        os.close(memory)
        self.pipe.setblocking(False)
        asyncio.get_running_loop().add_reader(self.pipe, self.listen)

    def lost(self) -> None:
        """The process is gone, and its calls with it; nobody else notices."""
        self.pipe.close()
        self.process.kill()  # in case it has only closed the pipe
        reason = f"the line's process died (exit code {self.process.wait()})"
        legs, self.legs, self.memory = self.legs, {}, None
        self.gone.set()
        settle(self.ready, self.failure or f"SIP on UDP {self.port}: {reason}")
        if self.trunk.opened:
            self.byes += [leg.bye for leg in legs.values() if leg.bye]
            self.come_back(self.failure or reason)
        for leg in legs.values():
            asyncio.get_running_loop().call_soon(leg.on_end, reason if self.trunk.opened else STOPPED)

    def come_back(self, reason: str) -> None:
        """At once, but who dies young waits longer each time."""
        self.deaths = self.deaths + 1 if time.monotonic() - self.started < YOUNG else 0
        wait = 0 if self.deaths < 2 else min(LONGEST, 0.1 * 2**self.deaths)
        log.error("SIP on UDP %d: %s; it starts again in %.1f s", self.port, reason, wait)
        if self.wake:
            self.return_timer = asyncio.get_running_loop().call_later(wait, self.start, self.wake.read_fd)

    async def close(self) -> None:
        """BYE to live calls, then the process ends."""
        if self.wake is None:
            return
        if self.return_timer:
            self.return_timer.cancel()
        self.tell(do="stop")
        try:
            await asyncio.wait_for(self.gone.wait(), STOP)
        except TimeoutError:
            self.process.kill()
            await self.gone.wait()
        self.trunk.engine.remove_wake(self.wake)
        self.wake = None

    # --- Signalling ---

    def beat(self) -> None:
        if self.memory:
            ctypes.c_int64.from_buffer(self.memory, MEMORY - BEAT_BYTES).value += 1

    def tell(self, **message: Any) -> None:
        try:
            self.pipe.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            pass  # it died; the pipe says so in a moment

    def listen(self) -> None:
        """Messages of the process. Each has a turn of its own, so that none suffers from another's error."""
        loop = asyncio.get_running_loop()
        try:
            data = self.pipe.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(self.pipe)
            loop.call_soon(self.lost)
        *messages, self.text = (self.text + data).split(b"\n")
        for message in messages:
            loop.call_soon(self.hear, json.loads(message))

    def hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"event": "ready", "limit": limit}:
                self.limit = limit
                settle(self.ready, "")
                while self.byes:
                    self.tell(do="bye", **self.byes.pop())
            case {"event": "failed", "in_use": in_use, "what": what}:
                where = f"UDP port {self.port}" + (f" of {self.trunk.host}" if self.trunk.host else "")
                self.failure = f"{where} {IN_USE.format(self.port)}" if in_use else f"SIP cannot have {where}: {what}"
            case {"event": "incoming", "call": number, "ring": ring, "uri": uri, **more} if self.memory:
                self.invited(SipLeg(self, number, uri, ring, more["source"], more["events"]))
            case {"event": "digit", "call": number, "digit": digit, "how": how}:
                if leg := self.legs.get(number):
                    leg.tones = leg.tones and how != "event"  # a phone that sends events sends all keys so
                    leg.on_digit(digit, how)
            case {"event": "dialog", "call": number, "bye": bye, "to": to}:
                if leg := self.legs.get(number):
                    leg.bye = {"bye": bye, "to": to}
            case {"event": "ended", "call": number, "code": code, "reason": reason}:
                if leg := self.legs.pop(number, None):
                    leg.on_end((REASONS.get(code) or reason) if self.trunk.opened else STOPPED)
            case {"event": "refused", "what": what, "source": source, "code": code, "times": times}:
                what = "a call" if what == "INVITE" else what if " " in what else f"a request ({what})"
                why = ", which is not in IP_WHITELIST" if code == 403 else f": {code}"
                again = f" ({times} times in the last second)" if times > 1 else ""
                log.info("refused %s from %s%s%s", what, source, why, again)
            case {"event": "trouble", "what": what}:
                log.debug("SIP on UDP %d: %s", self.port, what)

    def invited(self, leg: SipLeg) -> None:
        self.legs[leg.number] = leg
        taken = False
        try:
            taken = self.trunk.opened and self.trunk.incoming(leg)
        finally:
            if not taken:
                self.legs.pop(leg.number, None)
            self.tell(do="answer", call=leg.number, code=200 if taken else 486)

    def hangup(self, number: int) -> None:
        """The line sends what is in the ring, then BYE."""
        if self.legs.pop(number, None):
            self.tell(do="hangup", call=number)


class Trunk:
    """SIP calls from the network.

    port: the UDP port of the first line; line n listens on port + 2n and takes as many calls as PJSIP was compiled for.
    host: the address to listen on; all of them without it.
    rtp_port: the first UDP port for sound; line n uses rtp_port + 100n to rtp_port + 100n + 99.
    public: the address that callers reach us by when a router translates ours (or set GRAPHVOIP_PUBLIC_ADDRESS).
    media_timeout: seconds without a packet of sound after which a caller is taken to be gone (30, or set
        GRAPHVOIP_MEDIA_TIMEOUT); 0: never. A call on hold is not meant.

    IP_WHITELIST in the environment says who may call: addresses, networks and IP:PORT, separated by commas.
    """

    name = "pjsip"
    unattended = True

    def __init__(
        self,
        port: int = PORT,
        lines: int = 1,
        host: str | None = None,
        rtp_port: int = RTP_PORT,
        public: str | None = None,
        media_timeout: float | None = None,
    ):
        public = public or os.environ.get("GRAPHVOIP_PUBLIC_ADDRESS")
        for address in (host, public):
            if address and not is_address(address, 4):
                raise DeviceError(f"SIP: {address!r} is not an IPv4 address; write for example 203.0.113.7")
        self.host = None if host == "0.0.0.0" else host
        told = os.environ.get("GRAPHVOIP_MEDIA_TIMEOUT") or MEDIA_TIMEOUT
        timeout = seconds(told if media_timeout is None else media_timeout)
        welcome = whitelist(os.environ.get("IP_WHITELIST", ""))
        self.option = {"host": self.host or "", "public": public or "", "media_timeout": timeout, "welcome": welcome}
        self.limit = 0  # calls at once; known when the lines have started
        self.lines = [Line(self, port + 2 * n, rtp_port + RTP_PORTS * n) for n in range(lines)]
        self.opened = False
        self.heart: asyncio.TimerHandle | None = None

    async def open(self, engine: Any, incoming: Callable[[Leg], bool]) -> None:
        if not installed("pjsua2"):
            raise DeviceError(remedy(sys.platform, platform.machine(), sys.version_info[:2]))
        self.engine, self.incoming = engine, incoming
        try:
            async with asyncio.timeout(START):
                await self.open_lines()
        except TimeoutError:
            raise DeviceError(f"SIP: no line after {START:.0f} s; is this machine very busy?") from None
        finally:
            if not self.opened:
                await self.close()
        self.limit = sum(line.limit for line in self.lines)
        ports = ", ".join(str(line.port) for line in self.lines)
        log.info("SIP on UDP %s, %d calls at once (PJSIP's limit: %d a line)", ports, self.limit, self.lines[0].limit)

    def beat(self) -> None:
        """Show the lines that the event loop turns; when it does not, they send callers away."""
        for line in self.lines:
            line.beat()
        self.heart = asyncio.get_running_loop().call_later(BEAT, self.beat)

    async def open_lines(self) -> None:
        for line in self.lines:
            line.open()
        self.beat()
        for line in self.lines:
            if failure := await line.ready:
                raise DeviceError(failure)
        self.opened = True

    async def closed(self) -> None:
        """A server waits for ever."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        self.opened = False
        await asyncio.gather(*(line.close() for line in self.lines))
        if self.heart:
            self.heart.cancel()


def settle(future: asyncio.Future[str], result: str) -> None:
    if not future.done():
        future.set_result(result)


def installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def remedy(system: str, machine: str, python: tuple[int, int]) -> str:
    """Say what to do where there is no pjsua2."""
    if (system, machine) in PREBUILT and python in PYTHONS:
        return "SIP needs PJSIP, and there is no pjsua2 here: pip install 'graphvoip[sip]'"
    pythons, systems = (" and ".join(names) for names in ([f"{a}.{b}" for a, b in PYTHONS], PREBUILT.values()))
    return (
        f"SIP needs PJSIP, which comes prebuilt for Python {pythons} on {systems}: "
        f"got Python {python[0]}.{python[1]} on {system} {machine}. "
        "Use one of those, or build it: pip install pjsua2-python"
    )


def shared_memory(size: int) -> int:
    """A descriptor of memory without a name, so that nothing is left behind whoever dies."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("graphvoip")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd


def python_path() -> str:
    """Where a child finds this package, however we have found it ourselves."""
    ours = str(Path(__file__).parents[3])
    return os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH")]))


def is_address(text: str, version: int | None = None) -> bool:
    try:
        return version in (None, ipaddress.ip_address(text).version)
    except ValueError:
        return False


def seconds(value: float | str) -> float:
    """A media timeout, from code or from the environment."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise DeviceError(f"SIP: the media timeout is {value!r}, expected seconds, 0 or more. Write for example 30.")
    return number


def whitelist(text: str) -> list[tuple[str, int]]:
    """IP_WHITELIST as (network, port) pairs, port 0 for any; empty: everybody is welcome."""
    return [whitelist_entry(entry.strip()) for entry in text.split(",")] if text.strip() else []


def whitelist_entry(entry: str) -> tuple[str, int]:
    host, colon, port = entry.rpartition(":")
    try:
        if not colon or is_address(entry) or "/" in entry:  # the colons may be those of IPv6
            return str(ipaddress.ip_network(entry, strict=False)), 0
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(port)
        return str(ipaddress.ip_network(ipaddress.ip_address(host.strip("[]")))), int(port)
    except ValueError:
        raise DeviceError(NO_ENTRY.format(entry)) from None
