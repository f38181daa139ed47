"""What becomes of each SIP request before PJSIP sees it.

PJSUA's defaults are for a softphone: it keeps presence, takes messages, and leaves out of a dialog most methods without
an answer. A line takes calls and keys and nothing else, and says so, each time with one small response and without
remembering anything. docs/sip.md has the table.
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from graphvoip.io.pjsip.hook import Hook, Packet
from graphvoip.io.pjsip.message import Request, contact_at, response
from graphvoip.notes import KEYS

Answer = tuple[int, tuple[str, ...]]

ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE"
ACCEPT = "Accept: application/sdp"
KEY_TYPES = "application/dtmf-relay", "application/dtmf"
SIGNALS = {key: key for key in KEYS} | {str(event): key for event, key in enumerate(KEYS)}  # the events of RFC 4733
EXTENSIONS = {"100rel", "timer", "norefersub"}  # what PJSIP may be required to know
RETRY_AFTER = 10  # seconds
TOLD_EVERY = 1.0  # seconds between two reports of what was refused


class Refusals:
    """Counts what is refused, and tells it no more often than once a second, however much comes."""

    def __init__(self, tell: Callable[..., None]):
        self.tell, self.next, self.counts = tell, 0.0, Counter[tuple[str, str, int]]()
        self.source: dict[tuple[str, str, int], str] = {}

    def add(self, method: str, source: tuple[str, int], code: int) -> None:
        if len(self.counts) < 1000:  # forged addresses are without number
            self.counts[method, source[0], code] += 1
            self.source[method, source[0], code] = f"{source[0]}:{source[1]}"

    def report(self) -> None:
        if not self.counts or time.monotonic() < self.next:
            return
        self.next = time.monotonic() + TOLD_EVERY
        for kind, times in self.counts.most_common(3):
            self.tell(event="refused", what=kind[0], source=self.source[kind], code=kind[2], times=times)
        rest = self.counts.total() - sum(times for _, times in self.counts.most_common(3))
        if rest:
            self.tell(event="refused", what="other requests", source="others", code=0, times=rest)
        self.counts.clear()
        self.source.clear()


class Requests:
    """The requests of one line. PJSIP gets those that belong to calls; the others are answered here."""

    def __init__(self, library: Any, line: Any):
        self.line = line
        self.refusals = Refusals(line.tell)
        self.hook = Hook(library, self.look, lambda error: line.tell(event="trouble", what=f"a request: {error!r}"))

    def look(self, packet: Packet) -> bool:
        """Answer a request, or say True: PJSIP is to have it."""
        request = Request(packet.data)
        if request.method == "ACK":
            if welcome := self.line.is_welcome(packet.source):
                self.confirm(request)
            return welcome
        if answer := self.judge(request, packet.source):
            code, fields = answer
            if code >= 300:
                self.refusals.add(request.method, packet.source, code)
            self.hook.send(*response(request, packet.source, code, *fields))
            return False
        if request.method in ("INVITE", "UPDATE"):
            if not request.is_through_proxies:
                self.follow_source(packet, request)
            self.line.moved(request, packet.source)
        return True

    def confirm(self, ack: Request) -> None:
        if self.hook.has_dialog(ack.get("call-id"), ack.tag("to"), ack.tag("from")):
            self.line.confirmed(ack)

    def judge(self, request: Request, source: tuple[str, int]) -> Answer | None:
        if not self.line.is_welcome(source):
            return 403, ()
        if request.get("cseq").split()[-1:] != [request.method]:
            return 400, ()
        if re.search(r";\s*maddr\s*=", "".join(request.all("via")[:1]), re.IGNORECASE):
            return 400, ()  # PJSIP would send its answers there, to whomever a stranger names
        if request.method == "CANCEL":
            return None
        unknown = [name for name in request.all("require") if name.lower() not in EXTENSIONS]
        if unknown:
            return 420, (f"Unsupported: {', '.join(unknown)}",)
        ours = request.tag("to")
        in_dialog = bool(ours) and self.hook.has_dialog(request.get("call-id"), ours, request.tag("from"))
        if ours and not in_dialog:
            return 481, ()
        match request.method:
            case "INVITE" | "OPTIONS" if not in_dialog and self.line.is_deaf():
                return 503, (f"Retry-After: {RETRY_AFTER}",)
            case "INVITE":
                return self.judge_body(request)
            case "OPTIONS":
                return 200, (ALLOW, ACCEPT)
            case "BYE" | "UPDATE":
                return None if in_dialog else (481, ())
            case "PRACK":
                return 481, ()  # we send nothing that it could confirm
            case "INFO":
                return self.take_info(request) if in_dialog else (481, ())
            case "SUBSCRIBE" | "NOTIFY":
                return 489, ()  # RFC 6665: we know no event
            case "REFER":
                return 603, ()  # or a caller could make us call anybody
            case "MESSAGE" | "PUBLISH" | "REGISTER":
                return 405, (ALLOW,)
        return 501, (ALLOW,)

    @staticmethod
    def judge_body(request: Request) -> Answer | None:
        """An offer is SDP, plain or as a part of several; a part that must be understood is refused (RFC 5621)."""
        if request.get("content-encoding").lower() not in ("", "identity"):
            return 415, ("Accept-Encoding: identity",)
        if request.content.startswith("multipart/"):
            boundary = re.search(r'boundary="?([^";\s]+)', request.get("content-type"), re.IGNORECASE)
            parts = request.body.split(f"--{boundary[1]}") if boundary else []
            heads = [part.partition("\r\n\r\n")[0].lower() for part in parts]
            strange = [head for head in heads if "handling=required" in head and "application/sdp" not in head]
            return (415, (ACCEPT,)) if strange or not boundary else None
        known = request.content in ("", "application/sdp") or not request.body.strip()
        return None if known else (415, (ACCEPT,))

    def take_info(self, request: Request) -> Answer:
        """A key by INFO, as application/dtmf-relay ("Signal=5") or application/dtmf ("5"). Nothing else comes so."""
        if request.get("info-package"):
            return 469, ("Recv-Info:",)  # RFC 6086: we know no package
        if not request.body.strip() and request.content not in KEY_TYPES:
            return 200, ()
        if request.content not in KEY_TYPES:
            return 415, (f"Accept: {', '.join(KEY_TYPES)}",)
        if (key := key_of(request)) is None:
            return 400, ()
        if key:
            self.line.pressed(request, key)
        return 200, ()

    def follow_source(self, packet: Packet, request: Request) -> None:
        """Let our own requests go where this one came from: a phone behind a router names an address of its own net."""
        contact = request.get("contact")
        if contact and contact != "*":
            packet.replace("Contact", contact_at(contact, packet.source))


def key_of(request: Request) -> str | None:
    """The key of an INFO's body: nothing for a hook flash, None where there is none.

    Signal is the key itself or its number as an event: 10 is the star, 11 the hash, 12 to 15 are A to D, 16 is a flash.
    """
    body = request.body.strip()
    if request.content == "application/dtmf-relay":
        found = re.search(r"^\s*signal\s*=[ \t]*(\S*)", body, re.IGNORECASE | re.MULTILINE)
        body = found[1] if found else ""
    body = body.upper()
    if body in ("16", "!", "FLASH"):
        return ""
    return SIGNALS.get(body)
