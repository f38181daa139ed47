import re
import time

from ..codes import LAST_MARKS, MARKS, SEIZURE, SENDING, STANDARDS, framed, loaded, message, transmit
from ..kernel import kernel
from ..node import Event, Node, Option, Output, Signal, State


class CallerId(Node):
    """Who calls, as a telephone shows it: the message that comes between the first two rings.

    By Telcordia GR-30 and ETSI EN 300 659: 300 bits of 0101 that wake the telephone, 180 bits of mark, and a message
    with its checksum, 1200 bits a second by two tones. The caller's name is `caller`: `name` is that of the node.

    >>> CallerId(number="5551234", caller="ADA LOVELACE", when="11231945")
    """

    group = "sources"
    known_as = "clip, cid, cnam, caller display, mdmf, sdmf"
    amp = Signal(0.2, "x", doc="level; 1 is full scale")
    number = Option("5551234", "digits; P: the caller does not want it told, O: it is not known")
    caller = Option("", "the caller's name, up to 50 letters; P and O as for the number")
    when = Option("", 'date and time as MMDDhhmm, or "now"')
    form = Option(
        "multiple", "the message: number, name and time (MDMF), or number and time (SDMF)", ("multiple", "single")
    )
    standard = Option("bell202", "the tones: bell202 in America, v23 in most of Europe", ("bell202", "v23"))
    seizure = Option(True, "the bits that wake the telephone; not while it is off the hook")
    out = Output()
    done = Event("the last sample has been made")
    state = State(**SENDING)

    def start(self):
        when = time.strftime("%m%d%H%M") if self.when == "now" else self.when
        for name, value, form, words in (
            ("number", self.number, r"[0-9*#+]{1,20}|P|O", "up to 20 digits, P or O"),
            ("caller", self.caller, r"[ -~]{0,50}", "up to 50 letters of ASCII"),
            ("when", when, r"|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d", 'MMDDhhmm or "now"'),
        ):
            if not isinstance(value, str) or not re.fullmatch(form, value):
                raise ValueError(f"caller_id: {name} is {value!r}; it is {words}")
        if self.name and not self.name.isidentifier() and not self.caller:
            raise ValueError(f"caller_id: name={self.name!r} names the node; the caller's name is caller={self.name!r}")
        if self.form == "single" and self.caller:
            raise ValueError("caller_id: a single message has no name; choose multiple")
        standard = STANDARDS[self.standard]
        levels = [(k % 2, 1.0) for k in range(10 * SEIZURE)] if self.seizure else []
        sent = framed(message(self.number, self.caller, when, self.form == "single"), standard)
        levels += [(1, MARKS if self.seizure else 80), *sent, (1, LAST_MARKS)]
        self.table = loaded(self.state, levels, standard)

    @kernel
    def process(state, amp, out):
        transmit(state, amp, out)
