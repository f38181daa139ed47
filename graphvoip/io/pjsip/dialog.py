"""What a line has to know of a call so that another one can end it: a line that dies leaves callers behind."""

import os
import re

from graphvoip.io.pjsip.message import Address, Request, contact_at

CSEQ = 1 << 20  # PJSIP begins below 32768 and counts up: so this is higher than all that it has sent


class Dialog:
    """A dialog that a caller has begun by an INVITE from this source. local: our address on the way to it."""

    def __init__(self, invite: Request, source: Address, local: Address):
        self.id = invite.get("call-id"), invite.tag("from")
        self.local, self.routes = local, invite.all("record-route")
        self.ack: Request | None = None  # the latest: our tag is in it, too
        self.follow(invite, source)

    def follow(self, request: Request, source: Address) -> None:
        """Take the target of an INVITE or UPDATE: the source, unless proxies are between (RFC 3261, 12.2)."""
        self.source = source
        if contact := request.get("contact"):
            self.target = contact if request.is_through_proxies else contact_at(contact, source)

    def bye(self) -> str:
        """Write the BYE that ends it; it goes to the source, which is the caller or the proxy next to us."""
        assert self.ack
        target = re.search(r"<([^>]*)>", self.target) or re.search(r"([^\s;]*)", self.target)
        lines = [
            f"BYE {target[1] if target else self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.local[0]}:{self.local[1]};rport;branch=z9hG4bK{os.urandom(8).hex()}",
            "Max-Forwards: 70",
            *(f"Route: {route}" for route in self.routes),
            f"From: {self.ack.get('to')}",
            f"To: {self.ack.get('from')}",
            f"Call-ID: {self.id[0]}",
            f"CSeq: {CSEQ} BYE",
            "Content-Length: 0",
        ]
        return "\r\n".join(lines) + "\r\n\r\n"
