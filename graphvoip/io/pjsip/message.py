"""SIP requests and responses as text: as much of RFC 3261 as it takes to answer without PJSIP."""

import hashlib
import re

from graphvoip.io import PORT

Address = tuple[str, int]

COMPACT = {
    "c": "content-type",
    "e": "content-encoding",
    "i": "call-id",
    "f": "from",
    "m": "contact",
    "t": "to",
    "v": "via",
}
REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    469: "Bad Info Package",
    481: "Call/Transaction Does Not Exist",
    489: "Bad Event",
    501: "Not Implemented",
    503: "Service Unavailable",
    603: "Decline",
}


class Request:
    """A request that PJSIP could parse: its method, its header fields by their long names in lower case, its body."""

    def __init__(self, packet: bytes):
        head, _, self.body = packet.decode(errors="surrogateescape").partition("\r\n\r\n")
        first, *lines = re.sub(r"\r\n[ \t]+", " ", head.lstrip("\r\n")).split("\r\n")  # folded lines are one
        self.method = first.partition(" ")[0]
        self.fields: list[tuple[str, str]] = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.fields.append((COMPACT.get(name, name), value.strip()))

    def all(self, name: str) -> list[str]:
        """Every value of a field; one line may hold several, separated by commas."""
        return [value.strip() for field, line in self.fields if field == name for value in line.split(",")]

    def get(self, name: str) -> str:
        """The first line of a field, or nothing."""
        return next((line for field, line in self.fields if field == name), "")

    def tag(self, name: str) -> str:
        """The tag of From or To; nothing in the To of a request that begins a dialog."""
        found = re.search(r";\s*tag\s*=\s*([^;\s>]+)", self.get(name).rpartition(">")[2], re.IGNORECASE)
        return found[1] if found else ""

    @property
    def content(self) -> str:
        """The type of the body, in lower case and without parameters."""
        return self.get("content-type").partition(";")[0].strip().lower()

    @property
    def is_through_proxies(self) -> bool:
        return len(self.all("via")) > 1 or bool(self.all("record-route"))


def response(request: Request, source: Address, code: int, *fields: str) -> tuple[bytes, Address]:
    """A response to a request from this source, and where it goes (RFC 3261, 8.2.6 and 18.2; RFC 3581).

    The same request gets the same response, with the same tag, so nothing has to be remembered.
    """
    via, rport = re.subn(r";\s*rport\b(\s*=\s*\d*)?", f";rport={source[1]}", request.get("via"), flags=re.IGNORECASE)
    first, comma, others = via.partition(",")
    lines = [f"SIP/2.0 {code} {REASONS[code]}", f"Via: {first};received={source[0]}{comma}{others}"]
    rest = [line for field, line in request.fields if field == "via"][1:]
    lines += [f"Via: {line}" for line in rest]
    to = request.get("to")
    if not request.tag("to"):
        seed = f"{request.get('call-id')} {via}".encode(errors="replace")
        to += f";tag={hashlib.sha256(seed).hexdigest()[:16]}"
    lines += [f"From: {request.get('from')}", f"To: {to}"]
    lines += [f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}", *fields, "Content-Length: 0"]
    target = source if rport else (source[0], _sent_by_port(first))
    return ("\r\n".join(lines) + "\r\n\r\n").encode(errors="surrogateescape"), target


def _sent_by_port(via: str) -> int:
    found = re.search(r"\s(?:\[[^\]]*\]|[^\s:;]+)\s*:\s*(\d+)", via.partition(";")[0].strip())
    return int(found[1]) if found else PORT


def contact_at(contact: str, source: Address) -> str:
    """A Contact whose host and port are the source of the packet: there a phone behind a router can be reached.

    maddr and transport, which would lead elsewhere, go.
    """
    uri = contact.partition("<")[2].partition(">")[0] or contact.partition(";")[0]
    uri = re.sub(r";(maddr|transport)=[^;?>]*", "", uri, flags=re.IGNORECASE)
    uri = re.sub(r"^(sips?:)([^@]*@)?(\[[^\]]*\]|[^:;?]+)(:\d+)?", rf"\1\g<2>{source[0]}:{source[1]}", uri, flags=re.I)
    return f"<{uri}>"
