"""The tones of telephone exchanges: one table, from which DialTone makes them and CallProgress knows them."""

# country -> kind -> (level, burst, burst ...); the bursts are repeated for ever.
# level: dBm0 of each frequency. burst: (frequencies, seconds on, seconds off), 0 seconds on: it never ends.
# A frequency is a number, or (a number, dB above the level). A carrier with full amplitude modulation is itself and two
# sides 6 dB below it.
SIT = (-24, ((950,), 0.33, 0), ((1400,), 0.33, 0), ((1800,), 0.33, 0))  # ITU-T E.180
CNG = (-13, ((1100,), 0.5, 3))  # a fax machine calls, ITU-T T.30
CED = (-13, ((2100,), 3, 0))  # a fax machine or a modem answers
TONES: dict[str, dict[str, tuple]] = {
    "us": {  # precise tone plan, ITU-T E.300 supplement 3
        "dial": (-13, ((350, 440), 0, 0)),
        "ringback": (-19, ((440, 480), 2, 4)),
        "busy": (-24, ((480, 620), 0.5, 0.5)),
        "reorder": (-24, ((480, 620), 0.25, 0.25)),
        "call_waiting": (-13, ((440,), 0.3, 10)),
        "recording": (-13, ((1400,), 0.5, 15)),
        "off_hook": (-10, ((1400, 2060, 2450, 2600), 0.1, 0.1)),
        # What the information tones say in North America is in their pitches and lengths.
        "sit_intercept": (-24, ((913.8,), 0.274, 0), ((1370.6,), 0.274, 0), ((1776.7,), 0.38, 0)),
        "sit_vacant": (-24, ((985.2,), 0.38, 0), ((1370.6,), 0.274, 0), ((1776.7,), 0.38, 0)),
        "sit_reorder": (-24, ((913.8,), 0.274, 0), ((1428.5,), 0.38, 0), ((1776.7,), 0.38, 0)),
        "sit_no_circuit": (-24, ((985.2,), 0.38, 0), ((1428.5,), 0.38, 0), ((1776.7,), 0.38, 0)),
        "sit": SIT,
    },
    "uk": {  # BT SIN 350
        "dial": (-13, ((350, 440), 0, 0)),
        "ringback": (-13, ((400, 450), 0.4, 0.2), ((400, 450), 0.4, 2)),
        "busy": (-10, ((400,), 0.375, 0.375)),
        "reorder": (-16, ((400,), 0.4, 0.35), (((400, 6),), 0.225, 0.525)),
        "call_waiting": (-10, ((400,), 0.1, 4)),
        "unobtainable": (-10, ((400,), 0, 0)),
        "sit": (-24, ((950,), 0.33, 0.015), ((1400,), 0.33, 0.015), ((1800,), 0.33, 0)),
    },
    "de": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.48, 0.48)),
        "reorder": (-10, ((425,), 0.24, 0.24)),
        "call_waiting": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 5)),
        "recording": (-10, ((1400,), 0.08, 15)),
        "sit": SIT,
    },
    "fr": {
        "dial": (-10, ((440,), 0, 0)),
        "ringback": (-10, ((440,), 1.5, 3.5)),
        "busy": (-10, ((440,), 0.5, 0.5)),
        "reorder": (-10, ((440,), 0.25, 0.25)),
        "call_waiting": (-10, ((440,), 0.3, 10)),
        "sit": SIT,
    },
    "it": {
        "dial": (-10, ((425,), 0.2, 0.2), ((425,), 0.6, 1)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.5, 0.5)),
        "reorder": (-10, ((425,), 0.2, 0.2)),
        "call_waiting": (-10, ((425,), 0.4, 0.1), ((425,), 0.25, 0.1), ((425,), 0.15, 14)),
        "sit": SIT,
    },
    "es": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1.5, 3)),
        "busy": (-10, ((425,), 0.2, 0.2)),
        "reorder": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 0.2), ((425,), 0.2, 0.6)),
        "call_waiting": (-10, ((425,), 0.175, 0.175), ((425,), 0.175, 3.5)),
        "sit": SIT,
    },
    "ch": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.5, 0.5)),
        "reorder": (-10, ((425,), 0.2, 0.2)),
        "call_waiting": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 4)),
        "recording": (-10, ((1400,), 0.08, 15)),
        "sit": SIT,
    },
    "nl": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.5, 0.5)),
        "reorder": (-10, ((425,), 0.25, 0.25)),
        "call_waiting": (-10, ((425,), 0.5, 9.5)),
        "sit": SIT,
    },
    "jp": {
        "dial": (-10, ((400,), 0, 0)),
        "ringback": (-13, ((400, (384, -6), (416, -6)), 1, 2)),
        "busy": (-10, ((400,), 0.5, 0.5)),
        "reorder": (-10, ((400,), 0.5, 0.5)),
        "call_waiting": (-13, ((400, (384, -6), (416, -6)), 0.5, 8)),
        "sit": SIT,
    },
    "au": {  # ACIF S002
        "dial": (-13, ((413, 438), 0, 0)),
        "ringback": (-13, ((413, 438), 0.4, 0.2), ((413, 438), 0.4, 2)),
        "busy": (-10, ((425,), 0.375, 0.375)),
        "reorder": (-10, ((425,), 0.375, 0.375), (((425, -10),), 0.375, 0.375)),
        "call_waiting": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 4.4)),
        "unobtainable": (-10, ((425,), 2.5, 0.5)),
        "sit": SIT,
    },
}
for _kinds in TONES.values():
    _kinds |= {"cng": CNG, "ced": CED}
KINDS = tuple(dict.fromkeys(kind for kinds in TONES.values() for kind in kinds))
FULL = 3.14  # dBm0 of a sine of full scale, ITU-T G.711


def is_once(kind: str) -> bool:
    """Does it end after its last burst?"""
    return kind.startswith("sit") or kind == "ced"
