from ..codes import SENDING, STANDARDS, characters, framed, loaded, transmit
from ..kernel import kernel
from ..node import Event, Node, Option, Output, Signal, State


class Fsk(Node):
    """A text as a modem sends it: by two tones, one for 1 and one for 0 (frequency shift keying).

    bell103 and v21 are the modems of 300 bits a second, as the caller sends, and as the one who answers
    (bell103_answer, v21_answer). bell202 and v23 have 1200. These send bytes: one start bit, eight bits, one stop bit,
    a text in UTF-8. rtty, rtty50, tdd and tdd50 are teletypes with 45.45 and 50: five bits, in ITA2, which has capital
    letters, digits and some signs; tdd is what text telephones of the deaf send (ITU-T V.18, annex A).

    The phase goes on from tone to tone, and edges lie between samples where they should: nothing is rounded.

    >>> Fsk(text="HELLO", standard="tdd", amp=0.5)
    """

    group = "sources"
    known_as = "modem, bell 103, bell 202, v.21, v.23, rtty, baudot, tdd, tty, text telephone, afsk"
    amp = Signal(0.5, "x", doc="level; 1 is full scale")
    text = Option("HELLO", "what is sent")
    standard = Option("bell103", "which modem", tuple(STANDARDS))
    lead = Option(0.2, "mark before the first character, by which a receiver finds it", unit="s", low=0, high=60)
    tail = Option(0.1, "mark after the last one", unit="s", low=0.01, high=60)
    out = Output()
    done = Event("the last sample has been made")
    state = State(**SENDING)

    def start(self):
        if not isinstance(self.text, str):
            raise ValueError(f"fsk: text is {self.text!r}; it is a text")
        standard = STANDARDS[self.standard]
        sent = framed(characters(self.text, standard, "fsk"), standard)
        levels = [(1, self.lead * standard.baud), *sent, (1, self.tail * standard.baud)]
        self.table = loaded(self.state, levels, standard)

    @kernel
    def process(state, amp, out):
        transmit(state, amp, out)
