"""A line: PJSIP in a process of its own, stepped by the audio thread of its parent. trunk.py starts it, never a user.

One thread and one loop, which waits for the parent's wake-up or command, lets PJSIP handle its events and steps PJSIP's
conference bridge once a tick. A step takes a frame of every call from its out-ring, sends it, and puts the frame that
came for it into the in-ring.

The rules below were each paid for with a crash:
- PJSIP starts no thread, neither for SIP nor for media: every callback comes from our loop.
- A pj.Call is let go in its DISCONNECTED callback, not earlier and not later: its destructor hangs up whatever call has
  its id by then.
- A port that was made stays: PJSIP takes ports out of its bridge a step later than one asks for it. Nothing is ever
  disconnected by hand either; a stream that ends does that itself.
- Calls do not come too fast. Each opens two sockets, PJSIP has room for 64, takes half a second to free one and aborts
  when there is none. So SIP is left unread for a moment, and that is why the sockets for sound are polled apart.
- The process ends without tearing PJSIP down: that takes a second and is where it likes to abort.

The way to a stream that is documented, AudioMediaPort, is used. Reaching into the stream itself saves 10 ms of 30 of a
round trip but leans on the layout of structures that no header promises.
"""

import contextlib
import ctypes
import ipaddress
import json
import math
import mmap
import os
import re
import select
import signal
import socket
import sys
import time
from collections import deque
from typing import Any

from pjsua2 import pjsua2 as pj

from graphvoip.io.pjsip.dialog import Dialog
from graphvoip.io.pjsip.message import Request
from graphvoip.io.pjsip.requests import RETRY_AFTER, Requests
from graphvoip.io.pjsip.source_lock import SourceLock
from graphvoip.rings import (
    BEAT_BYTES,
    FRAME,
    FRAME_BYTES,
    IN_LOST,
    IN_START,
    IN_WRITTEN,
    OUT_READ,
    OUT_WRITTEN,
    RATE,
    RING_BYTES,
    SILENCE,
    LineRing,
)

MOST = 28  # calls we ask for; two sockets each, and PJSIP's select() takes 64
RINGS = 4  # rings for each call: one that has ended rests until its old graph has surely let go of it
DRAIN = 0.2  # seconds at most that the last frames of a call we end may take
SENT = None
LINGER = 0.2  # seconds of silence between them and BYE: a phone drops what its jitter buffer still holds
ACK_WAIT = 5.0  # seconds that a caller may take to confirm our answer
BYE_WAIT = 2.0  # seconds that a far end may take to confirm the end of a call, before its place is free
FAREWELL = 1.0  # seconds at most that far ends may take to confirm the end when the line stops
REPEATS = 0.0, 0.5, 1.5  # seconds after which a BYE for a call of the line before is sent: nobody sees its answer
DEAF = 2.0  # seconds without a beat of the trunk's event loop after which callers are sent away
STALL = 50  # ticks at most that are made up for after the process was held up

BURST = 50  # events that are worked off in one go
REST = 0.6  # seconds; when CROWD calls have come in them the next ones wait in the socket,
CROWD, FULL = 14, 26  # and when FULL have come with the rest of that packet's batch, everything waits
BATCH = 8192  # bytes of SIP that may wait; PJSIP reads all that is there in one go

ADDRESS_IN_USE = 120098  # PJSIP's number for EADDRINUSE

library = ctypes.CDLL(pj._pjsua2.__file__)  # the same library once more: it exports every C symbol


class Frame(ctypes.Structure):
    """pjmedia_frame."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("buf", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("time", ctypes.c_uint64),
        ("bits", ctypes.c_uint32),
    ]


AT_ONCE = (ctypes.c_long * 2)(0, 0)  # pj_time_val: do not wait
library.pjsua_get_pjmedia_endpt.restype = ctypes.c_void_p
library.pjmedia_endpt_stop_threads.argtypes = [ctypes.c_void_p]
library.pjmedia_endpt_get_ioqueue.restype = ctypes.c_void_p
library.pjmedia_endpt_get_ioqueue.argtypes = [ctypes.c_void_p]
library.pj_ioqueue_poll.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
for name, arguments in (
    ("pjsip_tsx_get_dlg", [ctypes.c_void_p]),
    ("pjsip_dlg_get_inv_session", [ctypes.c_void_p]),
    ("pjsip_inv_add_ref", [ctypes.c_void_p]),
    ("pjsip_inv_dec_ref", [ctypes.c_void_p]),
    ("pjsip_inv_terminate", [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
):
    getattr(library, name).argtypes = arguments
library.pjsip_tsx_get_dlg.restype = library.pjsip_dlg_get_inv_session.restype = ctypes.c_void_p
get_frame = library.pjmedia_port_get_frame
get_frame.argtypes = [ctypes.c_void_p, ctypes.POINTER(Frame)]


def data_of(vector: Any) -> int:
    """Where the bytes of a std::vector are: its first word says it.

    Reading one as a Python sequence takes 170 us a frame, a copy from its address 1.4 us.
    """
    return ctypes.c_size_t.from_address(int(vector.this)).value


class Port(pj.AudioMediaPort):
    """Joins a call's ring to PJSIP's bridge. Without a ring it is silent."""

    def __init__(self):
        super().__init__()
        self.ring: LineRing | None = None
        self.fresh = True  # nothing has been sent since the stream began
        self.silent = 0  # what OUT_WRITTEN is as long as the graph has not begun
        self.out = pj.ByteVector(SILENCE)
        self.out_address = data_of(self.out)
        form = pj.MediaFormatAudio()
        form.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 1_000_000 * FRAME // RATE, 16)
        self.createPort("call", form)

    def open(self, ring: LineRing) -> None:
        ring.open()
        self.ring, self.fresh, self.silent = ring, True, ring.words[OUT_WRITTEN]

    def onFrameRequested(self, frame: Any) -> None:
        address = self.next_out(self.ring) if self.ring else None
        if address is None:
            ctypes.memset(self.out_address, 0, FRAME_BYTES)
        else:
            ctypes.memmove(self.out_address, address, FRAME_BYTES)
        frame.type, frame.size, frame.buf = pj.PJMEDIA_FRAME_TYPE_AUDIO, FRAME_BYTES, self.out

    def next_out(self, ring: LineRing) -> int | None:
        """The next frame of the graph. A stream begins with the newest: an older one would be delay for seconds."""
        if self.fresh and ring.waiting() > 0:
            self.fresh, ring.words[OUT_READ] = False, ring.words[OUT_WRITTEN] - 1
        return ring.next_out()

    def onFrameReceived(self, frame: Any) -> None:
        ring = self.ring
        if ring is None:
            return
        if frame.size == FRAME_BYTES:
            ctypes.memmove(ring.next_in(), data_of(frame.buf), FRAME_BYTES)
            ring.words[IN_WRITTEN] += 1
        else:
            ring.send(SILENCE)  # nothing is connected: on hold
        if ring.words[OUT_WRITTEN] == self.silent:
            ring.words[IN_START] = ring.words[IN_WRITTEN] - 1  # and so does the graph


class Endpoint(pj.Endpoint):
    """Knows how fast calls come in: see the rule on that above."""

    def __init__(self):
        super().__init__()
        self.invited = deque([-REST] * FULL, maxlen=FULL)  # when the latest calls came

    def onSelectAccount(self, prm: Any) -> None:
        """The first that is heard of an INVITE, also of those that PJSIP refuses by itself."""
        time.sleep(max(0, self.invited[0] + REST - time.monotonic()))  # the last resort: sound stops too
        self.invited.append(time.monotonic())

    def is_crowded(self) -> bool:
        return time.monotonic() - self.invited[-CROWD] < REST


class Call(pj.Call):
    def __init__(self, line: "Line", account: pj.Account, call_id: int, number: int):
        super().__init__(account, call_id)
        self.line, self.number = line, number
        self.local = ""  # our address as this caller sees it, when PJSIP cannot know it
        self.begun, self.not_yet = False, 0  # this stream's first packet has come; ticks before it
        self.stream, self.packets, self.heard_at = -1, 0, 0.0  # the stream that should be sending, if one should
        self.pressed = -1  # when the latest key went down, in the caller's time
        self.slot = line.rings.popleft()
        self.ring = LineRing(line.memory, self.slot * RING_BYTES)
        self.port = line.ports.pop() if line.ports else Port()
        self.port.open(self.ring)
        self.session: int | None = None  # PJSIP's INVITE session
        self.waits = True  # for the trunk's answer
        self.ack_due = math.inf  # when our answer should have been confirmed
        self.signalling = ""  # the IP address that SIP comes from
        self.lock: SourceLock | None = None
        self.dialog: Dialog | None = None
        self.infos: deque[str] = deque(maxlen=100)  # the CSeq of those whose keys have been told

    def connect(self) -> None:
        """Every re-INVITE destroys the stream and makes a new one, which is not yet joined to anything."""
        self.stream = -1
        info = self.getInfo()  # kept by name: its media are gone when it is
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.audioConfSlot != pj.PJSUA_INVALID_ID:
                if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                    self.stream, self.heard_at = media.index, time.monotonic()
                self.expect_source(media.index)
                self.port.fresh = True
                stream = self.getAudioMedia(media.index)
                stream.startTransmit(self.port)
                self.port.startTransmit(stream)

    def expect_source(self, media: int) -> None:
        """Lock the sockets of a stream to its caller, or move the lock when a re-INVITE has moved the sound."""
        if self.lock is None:
            ports = self.getMedTransportInfo(media)
            self.lock = SourceLock(port_of(ports.localRtpName), port_of(ports.localRtcpName), self.signalling)
        host, _, port = self.getStreamInfo(media).remoteRtpAddress.rpartition(":")
        if host != "0.0.0.0":  # the old way to say "on hold"
            self.lock.expect((host, int(port)))

    def close(self) -> None:
        """Called in the DISCONNECTED callback only."""
        if self.lock:
            self.lock.close()
        self.port.ring = None
        self.line.ports.append(self.port)
        self.line.rings.append(self.slot)
        del self.line.calls[self.number]

    def look_for_begin(self) -> None:
        """Called once a tick: what the jitter buffer lacks before the first packet is not lost."""
        if self.stream >= 0 and not self.begun:
            state = self.getStreamStat(self.stream)
            self.begun, self.not_yet = state.rtcp.rxStat.pkt > 0, state.jbuf.empty

    def onStreamDestroyed(self, prm: Any) -> None:
        """Count what the jitter buffer of this stream did not have when it was due, or had too much of."""
        if self.begun and self.port.ring is self.ring:
            jitter = self.getStreamStat(prm.streamIdx).jbuf
            self.ring.words[IN_LOST] += jitter.lost + jitter.empty + jitter.discard - self.not_yet
        self.begun = False

    def onCallMediaState(self, prm: Any) -> None:
        self.connect()

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.ack_due = math.inf
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.line.tell(event="ended", call=self.number, code=info.lastStatusCode, reason=info.lastReason)
            self.close()

    def onCallSdpCreated(self, prm: Any) -> None:
        """PJSIP offers the address of the default route for sound, whichever way the caller came."""
        if self.local:
            theirs = re.search(r"^c=IN IP4 (\S+)", prm.sdp.wholeSdp, re.MULTILINE)
            if theirs:
                prm.sdp.wholeSdp = prm.sdp.wholeSdp.replace(f"IN IP4 {theirs[1]}", f"IN IP4 {self.local}")

    def is_lost(self, timeout: float) -> bool:
        """Whether the far end should be sending but has not for so long: it is gone and did not say so."""
        if self.stream < 0:
            return False
        packets = self.getStreamStat(self.stream).rtcp.rxStat.pkt
        if packets != self.packets:
            self.packets, self.heard_at = packets, time.monotonic()
        return time.monotonic() - self.heard_at > timeout

    def onDtmfEvent(self, prm: Any) -> None:
        """A key as a telephone event; all that is told of one press has its time. onDtmfDigit repeats it after 8 s."""
        if prm.method != pj.PJSUA_DTMF_METHOD_SIP_INFO and prm.timestamp != self.pressed:
            self.pressed = prm.timestamp
            self.line.tell(event="digit", call=self.number, digit=prm.digit.upper(), how="event")

    def onCallTsxState(self, prm: Any) -> None:
        if self.session is None:
            dialog = library.pjsip_tsx_get_dlg(int(prm.e.body.tsxState.tsx.pjTransaction))
            self.session = library.pjsip_dlg_get_inv_session(dialog) if dialog else None

    def onCallReplaceRequest(self, prm: Any) -> None:
        prm.statusCode = pj.PJSIP_SC_DECLINE


class Account(pj.Account):
    def __init__(self, line: "Line"):
        super().__init__()
        self.line = line

    def onIncomingCall(self, prm: Any) -> None:
        self.line.invited(self, prm)


class Line:
    """One PJSIP endpoint.

    option: see trunk.Line.start, which writes it.
    """

    def __init__(self, option: dict[str, Any]):
        self.pipe = socket.socket(fileno=option["pipe"])
        self.wake, self.port = option["wake"], option["port"]
        self.welcome = [(ipaddress.ip_network(network), port) for network, port in option["welcome"]]
        self.fixed_address = option["host"] or option["public"]
        self.media_timeout = option["media_timeout"]
        self.calls: dict[int, Call] = {}
        # Calls that end: the last frame that is to be sent, or SENT, and until when.
        self.ending: dict[int, tuple[int | None, float]] = {}
        # PJSIP's sessions that we have ended, and until when their far ends may confirm that.
        self.leaving: dict[int, float] = {}
        self.byes: list[tuple[float, bytes, str, int]] = []  # of the line before us: when, what, to where
        self.ears: list[Any] = [self.wake, self.pipe]
        self.count, self.stop_by, self.look_at, self.text = 0, 0.0, 0.0, b""
        self.frame, self.sink = Frame(), ctypes.create_string_buffer(FRAME_BYTES)
        self.limit = self.open(option)
        self.memory = mmap.mmap(option["memory"], 0)
        self.heart = ctypes.c_int64.from_buffer(self.memory, len(self.memory) - BEAT_BYTES)
        self.beat, self.unheard, self.turned_at = 0, 0.0, time.monotonic()
        self.rings = deque(range(self.limit * RINGS))
        self.ports: list[Port] = []  # those that rest

    def open(self, option: dict[str, Any]) -> int:
        """Start PJSIP; says how many calls it can hold."""
        self.endpoint = Endpoint()
        self.endpoint.libCreate()
        self.endpoint.libInit(endpoint_config())
        transport = transport_config(option, option["port"])
        transport.sockOptParams.sockOpts.append(pj.SockOpt(socket.SOL_SOCKET, socket.SO_RCVBUF, BATCH))
        self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.endpoint.libStart()
        media = library.pjsua_get_pjmedia_endpt()
        library.pjmedia_endpt_stop_threads(media)  # one starts with a queue of one's own, whatever threadCnt says
        self.sockets = library.pjmedia_endpt_get_ioqueue(media)
        self.bridge = int(self.endpoint.audDevManager().setNoDev())
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, {"PCMU": 255, "PCMA": 254}.get(codec.codecId[:4], 0))
        self.requests = Requests(library, self)
        self.account = Account(self)
        self.account.create(account_config(option))
        return library.pjsua_call_get_max_count()

    def tell(self, **message: Any) -> None:
        """Say something to the trunk."""
        try:
            self.pipe.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.stop()

    def invited(self, account: pj.Account, prm: Any) -> None:
        """An INVITE that Requests lets pass: it is shown to the trunk, which answers."""
        self.count += 1
        call = self.calls[self.count] = Call(self, account, prm.callId, self.count)
        source = prm.rdata.srcAddress
        request = Request(prm.rdata.wholeMsg.encode(errors="surrogateescape"))
        host, _, port = source.rpartition(":")
        call.signalling = host.strip("[]")
        call.local = "" if self.fixed_address else address_towards(source)
        local = self.fixed_address or call.local, self.port
        call.dialog = Dialog(request, (call.signalling, int(port)), local)
        uri = printable(call.getInfo().remoteUri)
        events = "telephone-event" in prm.rdata.wholeMsg.lower()  # offered; PJSIP agrees to them
        self.tell(event="incoming", call=call.number, ring=call.slot, uri=uri, source=source, events=events)

    def is_welcome(self, source: tuple[str, int]) -> bool:
        address = ipaddress.ip_address(source[0])
        return not self.welcome or any(address in net and port in (0, source[1]) for net, port in self.welcome)

    def is_deaf(self) -> bool:
        """Whether nobody would take a call."""
        return bool(self.stop_by) or self.unheard > DEAF

    def hear_beat(self) -> None:
        """Count how long the trunk's event loop has not turned, in turns of ours: the machine may have slept."""
        now = time.monotonic()
        self.unheard += min(now - self.turned_at, 0.1)
        self.turned_at = now
        if self.heart.value != self.beat:
            self.beat, self.unheard = self.heart.value, 0.0
        if self.is_deaf():
            for call in [call for call in self.calls.values() if call.waits]:
                self.answer(call, 503)

    def pressed(self, request: Request, key: str) -> None:
        """A key that has come by INFO; once, although INFOs are repeated."""
        call = self.call_of(request)
        if call and request.get("cseq") not in call.infos:
            call.infos.append(request.get("cseq"))
            self.tell(event="digit", call=call.number, digit=key, how="info")

    def call_of(self, request: Request) -> Call | None:
        """The call whose dialog a request of the caller belongs to."""
        dialog = request.get("call-id"), request.tag("from")
        return next((call for call in self.calls.values() if call.dialog and call.dialog.id == dialog), None)

    def confirmed(self, ack: Request) -> None:
        """Our answer has been confirmed: whoever comes after us can end the call from now on."""
        if (call := self.call_of(ack)) and call.dialog:
            call.dialog.ack = ack
            self.tell_dialog(call, call.dialog)

    def moved(self, request: Request, source: tuple[str, int]) -> None:
        """An INVITE or UPDATE; in a dialog it may come from elsewhere than the one before."""
        if (call := self.call_of(request)) and call.dialog:
            call.dialog.follow(request, source)
            if call.dialog.ack:
                self.tell_dialog(call, call.dialog)

    def tell_dialog(self, call: Call, dialog: Dialog) -> None:
        self.tell(event="dialog", call=call.number, bye=dialog.bye(), to=dialog.source)

    def answer(self, call: Call, code: int) -> None:
        prm = pj.CallOpParam()
        prm.statusCode = code
        if code == 503:
            later = pj.SipHeader()
            later.hName, later.hValue = "Retry-After", str(RETRY_AFTER)
            prm.txOption.headers.append(later)
        call.waits = False
        try:
            call.answer(prm)
            if code == 200:
                call.ack_due = time.monotonic() + ACK_WAIT
        except pj.Error as error:  # a CANCEL overtook us: its DISCONNECTED comes or has come
            self.tell(event="trouble", what=f"answer {code}: {error.reason}")
            if call.number in self.calls:
                self.hangup(call)

    def send_key(self, call: Call, key: str, ms: int) -> None:
        """A key as a telephone event."""
        prm = pj.CallSendDtmfParam()
        prm.method, prm.digits, prm.duration = pj.PJSUA_DTMF_METHOD_RFC2833, key, max(ms, 40)
        try:
            call.sendDtmf(prm)
        except pj.Error as error:
            self.tell(event="trouble", what=f"key {key}: {error.reason}")

    def part(self, call: Call) -> None:
        """End a call once what has been said so far is sent and heard; finish() sees to it."""
        self.ending.setdefault(call.number, (call.ring.words[OUT_WRITTEN], time.monotonic() + DRAIN))

    def finish(self) -> None:
        """Hang up the calls whose last frames are sent, LINGER later."""
        now = time.monotonic()
        for number, (last, until) in list(self.ending.items()):
            call = self.calls.get(number)
            if call is None:
                del self.ending[number]
            elif last is not SENT and (now > until or call.ring.words[OUT_READ] >= last):
                self.ending[number] = (SENT, now + LINGER)
            elif last is SENT and now > until:
                del self.ending[number]
                self.hangup(call)

    def hangup(self, call: Call) -> None:
        call.stream = -1  # it ends now, the call when the far end has confirmed it
        if call.session and call.session not in self.leaving:
            library.pjsip_inv_add_ref(call.session)
            self.leaving[call.session] = time.monotonic() + BYE_WAIT
        try:
            call.hangup(pj.CallOpParam())
        except pj.Error as error:
            self.tell(event="trouble", what=f"hangup: {error.reason}")

    def give_up(self, call: Call, reason: str) -> None:
        """End a call whose far end no longer takes part in it."""
        self.tell(event="ended", call=call.number, code=0, reason=reason)
        self.hangup(call)

    def watch(self) -> None:
        """End the calls whose far end has vanished, or four dead phones would close the line."""
        now = time.monotonic()
        for call in [call for call in self.calls.values() if now > call.ack_due]:
            call.ack_due = math.inf
            self.give_up(call, f"the caller has not confirmed the call for {ACK_WAIT:g} s")
        for session in [session for session, due in self.leaving.items() if now > due]:
            del self.leaving[session]
            library.pjsip_inv_terminate(session, pj.PJSIP_SC_REQUEST_TIMEOUT, True)  # nothing if it has ended
            library.pjsip_inv_dec_ref(session)
        if self.media_timeout and now > self.look_at:
            self.look_at = now + min(5, self.media_timeout / 2)
            for call in [call for call in self.calls.values() if call.is_lost(self.media_timeout)]:
                self.give_up(call, f"no sound for {self.media_timeout:g} s")

    def listen(self) -> None:
        """Commands of the trunk. When it is gone, so are we."""
        try:
            data = self.pipe.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.stop()
        *lines, self.text = (self.text + data).split(b"\n")
        for line in lines:
            self.obey(**json.loads(line))

    def obey(self, do: str, call: int = 0, code: int = 200, key: str = "", ms: int = 100, **bye: Any) -> None:
        if do == "stop":
            self.stop()
        elif do == "bye":
            now = time.monotonic()
            self.byes += [(now + wait, bye["bye"].encode(errors="surrogateescape"), *bye["to"]) for wait in REPEATS]
        elif found := self.calls.get(call):  # or it ended while the command was on its way
            if do == "answer":
                self.answer(found, code)
            elif do == "key":
                self.send_key(found, key, ms)
            else:
                self.part(found)

    def say_byes(self) -> None:
        """Send the BYEs for calls of the line before us."""
        now = time.monotonic()
        for _, packet, host, port in [one for one in self.byes if one[0] <= now]:
            self.requests.hook.send(packet, (host, port))
        self.byes = [one for one in self.byes if one[0] > now]

    def stop(self) -> None:
        """End all calls, then the loop."""
        if not self.stop_by:
            self.stop_by = time.monotonic() + DRAIN + LINGER + FAREWELL
            self.ears.remove(self.pipe)
            for call in self.calls.values():
                self.part(call)

    def learn_sources(self) -> None:
        """Of its own, so that no name here holds a call that ends while PJSIP handles its events."""
        for call in self.calls.values():
            if call.lock:
                call.lock.learn()

    def handle(self) -> None:
        """Let PJSIP work off what the network and its timers have brought."""
        self.learn_sources()
        for _ in range(BURST):
            if library.pj_ioqueue_poll(self.sockets, AT_ONCE) <= 0:
                break
        for _ in range(BURST):
            if self.endpoint.is_crowded() or self.endpoint.libHandleEvents(0) <= 0:
                break

    def step(self) -> None:
        """One tick of the bridge: 20 ms of every call, both ways."""
        frame = self.frame
        frame.type, frame.buf, frame.size = pj.PJMEDIA_FRAME_TYPE_AUDIO, ctypes.addressof(self.sink), FRAME_BYTES
        get_frame(self.bridge, ctypes.byref(frame))
        for call in self.calls.values():
            call.look_for_begin()

    def run(self) -> None:
        take(self.wake)  # ticks of the time before we were
        self.tell(event="ready", limit=self.limit)
        while not self.stop_by or (self.calls and time.monotonic() < self.stop_by):
            ready, _, _ = select.select(self.ears, [], [], 0.05)  # without ticks SIP still works
            if self.pipe in ready:
                self.listen()
            self.handle()
            if self.wake in ready:
                for _ in range(min(take(self.wake), STALL)):
                    self.step()
            self.finish()
            self.watch()
            self.hear_beat()
            self.say_byes()
            self.requests.refusals.report()


def take(wake: int) -> int:
    """How many ticks there were since the last look."""
    try:
        return sum(memoryview(os.read(wake, 8 * STALL)).cast("q"))
    except BlockingIOError:
        return 0


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2] or 0)


def address_towards(source: str) -> str:
    """Our address on the way to a caller."""
    host, _, port = source.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, int(port)))  # sends nothing
        except OSError:
            return ""
        return probe.getsockname()[0]


def printable(text: str) -> str:
    """What strangers call themselves, fit for a terminal and a file."""
    text = text.encode(errors="surrogateescape").decode(errors="replace")
    return "".join(character for character in text if character.isprintable())


def endpoint_config() -> pj.EpConfig:
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly, config.uaConfig.maxCalls = 0, True, MOST
    config.uaConfig.userAgent, config.uaConfig.natTypeInSdp = "graphvoip", 0
    config.uaConfig.mwiUnsolicitedEnabled = False
    media = config.medConfig
    media.threadCnt, media.hasIoqueue = 0, True  # sockets of their own, which Line.handle polls
    media.clockRate = media.sndClockRate = RATE
    media.audioFramePtime = media.ptime = 1000 * FRAME // RATE
    media.noVad, media.ecTailLen = True, 0
    return config


def transport_config(option: dict[str, Any], port: int, ports: int = 0) -> pj.TransportConfig:
    config = pj.TransportConfig()
    config.port, config.portRange = port, ports
    config.boundAddress, config.publicAddress = option["host"] or "", option["public"] or ""
    return config


def account_config(option: dict[str, Any]) -> pj.AccountConfig:
    config = pj.AccountConfig()
    config.idUri = f"sip:graphvoip@{option['public'] or option['host'] or 'localhost'}:{option['port']}"
    config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
    config.mediaConfig.lockCodecEnabled = False  # or an offer of two codecs is followed by a re-INVITE of ours
    config.mediaConfig.transportConfig = transport_config(option, *option["rtp"])
    return config


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C and systemd reach the whole group;
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the trunk tells us when to stop
    with contextlib.suppress(AttributeError, OSError):  # before all others, where we may, as the audio thread is
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    option = json.loads(sys.argv[1])
    try:
        line = Line(option)
    except pj.Error as error:
        failed = {"event": "failed", "in_use": error.status == ADDRESS_IN_USE, "what": error.reason}
        socket.socket(fileno=option["pipe"]).sendall(json.dumps(failed).encode() + b"\n")
        os._exit(1)
    line.run()
    os._exit(0)  # the system takes back the rest, see above


if __name__ == "__main__":
    main()
