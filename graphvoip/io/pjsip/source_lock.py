"""Who may speak on a call's ports for sound: the first plausible source, and from then on nobody else.

PJSIP follows whoever sends last (symmetric RTP), so a stranger who finds the port takes the call's sound. A socket that
is connected hears and answers one address only: the kernel drops the rest, at no cost to us.

Until the source is known nothing reaches PJSIP. The address that the caller's SDP names is believed at once. Behind a
router the sound comes from another port or address; then PROBATION packets of one source decide:
- from another port of the same address, for SETTLED seconds, if SDP and SIP name the same one; the kernel drops what
  comes from other addresses meanwhile;
- from anywhere, if they name two: then a router or a proxy stands between.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
import time
from collections import Counter

Address = tuple[str, int]

PROBATION = 5  # packets of one source that the SDP does not name
SETTLED = 5.0  # seconds in which a caller whose address is plain may still send from another port
MOST_READ = 1000  # packets of strangers that are dropped in one go: the loop has other calls
HIGH = 256  # the least number of a descriptor of ours: PJSIP's select() knows 64 and needs the low ones

# A connected socket may still be sent from with an address on Linux, as PJSIP does; elsewhere that is an error.
SUPPORTED = sys.platform == "linux"

# Socket filters, from Linux's <linux/filter.h>: an instruction is code, two jumps and a number.
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
LOAD_SOURCE = (0x20, 0, 0, 0xFFF00000 + 12)  # the word at 12 of the IPv4 header
JUMP_IF_EQUAL = 0x15
RETURN_ALL, RETURN_NOTHING = (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0)

_libc = ctypes.CDLL(None, use_errno=True)


class SourceLock:
    """Two sockets of one call, RTP and RTCP, and the address they belong to."""

    def __init__(self, rtp_port: int, rtcp_port: int, signalling: str):
        self.rtp, self.rtcp = _socket_at(rtp_port), _socket_at(rtcp_port)
        self.signalling = signalling  # the IP address that SIP comes from
        self.named: Address | None = None  # where the caller's SDP says that his sound comes from
        self.source: Address | None = None

    def close(self) -> None:
        """Let go of our copies of the descriptors; PJSIP closes its own."""
        for one in (self.rtp, self.rtcp):
            if one:
                one.close()

    def expect(self, named: Address) -> None:
        """Wait for sound of the source that an offer or answer names; a new one moves the lock."""
        if named == self.named:
            return
        self.named, self.source = named, None
        self.heard: Counter[Address] = Counter()
        self.until = time.monotonic() + SETTLED
        for one in (self.rtp, self.rtcp):
            if one:
                _disconnect(one)
                _accept_only(one, named[0] if self.is_plain() else None)

    def learn(self) -> None:
        """Drop what strangers have sent until the source is known; then lock the sockets to it."""
        if self.rtp is None or self.named is None or self.source:
            return
        if self.is_plain() and time.monotonic() > self.until:
            self._lock(self.named)
            return
        for _ in range(MOST_READ):
            source = _peek(self.rtp)
            if source is None:
                return
            if self._decides(source):
                self._lock(source)
                return
            _drop(self.rtp)

    def is_plain(self) -> bool:
        """Whether SDP and SIP name the same address: nothing stands between the caller and us."""
        return self.named is not None and self.named[0] == self.signalling

    def _decides(self, source: Address) -> bool:
        self.heard[source] += 1
        return source == self.named or self.heard[source] >= PROBATION

    def _lock(self, source: Address) -> None:
        self.source = source
        for one, port in ((self.rtp, source[1]), (self.rtcp, source[1] + 1)):
            if one and port < 65536:
                with contextlib.suppress(OSError):  # no way there: then PJSIP's packets do not arrive either
                    one.connect((source[0], port))
        # What strangers had in the queue before the kernel knew.
        for _ in range(MOST_READ):
            if self.rtp is None or _peek(self.rtp) in (None, source):
                return
            _drop(self.rtp)


def _peek(one: socket.socket) -> Address | None:
    """Who sent the next packet in the queue, which stays there."""
    try:
        return one.recvfrom(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)[1]
    except OSError:
        return None


def _drop(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.recvfrom(1, socket.MSG_DONTWAIT)


def _disconnect(one: socket.socket) -> None:
    """Hear everybody again: connect() to no family, which Python's own has no word for."""
    nobody = struct.pack("H14x", socket.AF_UNSPEC)
    _libc.connect(one.fileno(), nobody, len(nobody))


def _accept_only(one: socket.socket, host: str | None) -> None:
    """Let the kernel drop what does not come from an IPv4 address, with a socket filter. None: hear all addresses."""
    if host is None:
        with contextlib.suppress(OSError):  # there was none
            one.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        return
    address = int.from_bytes(socket.inet_aton(host), "big")
    program = struct.pack("=" + 4 * "HBBI", *LOAD_SOURCE, JUMP_IF_EQUAL, 0, 1, address, *RETURN_ALL, *RETURN_NOTHING)
    buffer = ctypes.create_string_buffer(program, len(program))
    with contextlib.suppress(OSError):  # a system that forbids filters: packets are judged one by one
        one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", 4, ctypes.addressof(buffer)))


def _socket_at(port: int) -> socket.socket | None:
    """A copy of this process's UDP socket on a port: PJSIP tells the port of a call, not its descriptor."""
    if not SUPPORTED:
        return None
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # not a socket, or closed by now
            one = socket.socket(fileno=int(name))
            try:
                if one.family == socket.AF_INET and one.type == socket.SOCK_DGRAM and one.getsockname()[1] == port:
                    return socket.socket(fileno=fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, HIGH))
            finally:
                one.detach()  # it is not ours to close
    return None
