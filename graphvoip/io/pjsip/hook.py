"""A look at each SIP request before PJSIP's dialogs see it: a module of PJSIP's own kind, in ctypes.

The layouts are those of pjsip/sip_module.h and pjsip/sip_transport.h of PJSIP 2.15. A packet that does not fit them is
not touched, and PJSIP answers it as it would without us.
"""

import ctypes
import socket
import struct
from collections.abc import Callable
from typing import Any

from graphvoip.io.pjsip.message import Address

AFTER_TRANSACTIONS = 24  # between PJSIP_MOD_PRIORITY_TSX_LAYER, which knows what is repeated, and ..._UA_PROXY_LAYER
UDP = 1  # PJSIP_TRANSPORT_UDP
PACKET = 4000  # PJSIP_MAX_PKT_LEN


class _RxData(ctypes.Structure):
    """pjsip_rx_data, of one packet."""

    _fields_ = [
        ("pool", ctypes.c_void_p),
        ("transport", ctypes.c_void_p * 37),
        ("time", ctypes.c_long * 2),
        ("packet", ctypes.c_char * PACKET),
        ("zero", ctypes.c_uint32),
        ("size", ctypes.c_ssize_t),
        ("family", ctypes.c_uint16),
        ("port", ctypes.c_uint8 * 2),
        ("host", ctypes.c_uint8 * 4),
        ("rest_of_address", ctypes.c_uint8 * 20),
        ("address_size", ctypes.c_int),
        ("host_name", ctypes.c_char * 46),
        ("port_number", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("length", ctypes.c_int),
        ("message", ctypes.c_void_p),
    ]


_OnRequest = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _Module(ctypes.Structure):
    """pjsip_module."""

    _fields_ = [
        ("previous", ctypes.c_void_p),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("name_size", ctypes.c_ssize_t),
        ("id", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("load_start_stop_unload", ctypes.c_void_p * 4),
        ("on_rx_request", _OnRequest),
        ("on_response_and_sent", ctypes.c_void_p * 4),
    ]


class _String(ctypes.Structure):
    """pj_str_t."""

    _fields_ = [("text", ctypes.c_char_p), ("size", ctypes.c_ssize_t)]


def _string(text: str) -> _String:
    data = text.encode(errors="surrogateescape")
    return _String(data, len(data))


class Packet:
    """A request that has come, as long as on_request runs."""

    def __init__(self, hook: "Hook", rdata: _RxData):
        self.hook, self.rdata = hook, rdata
        self.data = ctypes.string_at(ctypes.addressof(rdata) + _RxData.packet.offset, rdata.size)
        self.source: Address = (socket.inet_ntoa(bytes(rdata.host)), int.from_bytes(bytes(rdata.port), "big"))

    def replace(self, name: str, value: str) -> None:
        """Let PJSIP read this header instead of the one that came."""
        library, wanted = self.hook.library, _string(name)
        old = library.pjsip_msg_find_hdr_by_name(self.rdata.message, ctypes.byref(wanted), None)
        if not old:
            return
        data = value.encode(errors="surrogateescape")
        line = library.pj_pool_alloc(self.rdata.pool, len(data) + 1)  # PJSIP's header points into it
        ctypes.memmove(line, data + b"\0", len(data) + 1)
        new = library.pjsip_parse_hdr(self.rdata.pool, ctypes.byref(wanted), line, len(data), None)
        if new:
            library.pj_list_insert_after(old, new)
            library.pj_list_erase(old)


class Hook:
    """Show each request to on_request, which says whether PJSIP is to have it, too.

    What it raises goes to on_error, and the request to PJSIP.
    """

    def __init__(self, library: Any, on_request: Callable[[Packet], bool], on_error: Callable[[Exception], None]):
        self.library, self.on_request, self.on_error = library, on_request, on_error
        pointer, integer, size, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
        for name, arguments in {
            "pjsip_endpt_register_module": [pointer, pointer],
            "pjsip_endpt_get_tpmgr": [pointer],
            "pjsip_tpmgr_send_raw": [pointer, integer, pointer, pointer, text, size, text, integer, pointer, pointer],
            "pjsip_ua_find_dialog": [*[pointer] * 3, integer],
            "pjsip_msg_find_hdr_by_name": [pointer] * 3,
            "pjsip_parse_hdr": [pointer, pointer, pointer, size, pointer],
            "pj_pool_alloc": [pointer, size],
            "pj_list_insert_after": [pointer, pointer],
            "pj_list_erase": [pointer],
            "pjsua_get_pjsip_endpt": [],
        }.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, ctypes.c_void_p
        endpoint = library.pjsua_get_pjsip_endpt()
        self.transports = library.pjsip_endpt_get_tpmgr(endpoint)
        name = b"graphvoip"
        self.module = _Module(
            name=name,
            name_size=len(name),
            id=-1,
            priority=AFTER_TRANSACTIONS,
            on_rx_request=_OnRequest(self._look),
        )
        library.pjsip_endpt_register_module(endpoint, ctypes.byref(self.module))

    def _look(self, address: int) -> int:
        """PJSIP's callback: 1 if the request is dealt with."""
        try:
            rdata = _RxData.from_address(address)
            fits = rdata.buffer == address + _RxData.packet.offset and 0 < rdata.size <= PACKET
            if not fits or rdata.family != socket.AF_INET:
                return 0
            return int(not self.on_request(Packet(self, rdata)))
        except Exception as error:  # nothing may be raised through PJSIP
            self.on_error(error)
            return 0

    def send(self, data: bytes, target: Address) -> None:
        """Send a packet from the port of SIP."""
        address = (
            struct.pack("=H", socket.AF_INET) + target[1].to_bytes(2, "big") + socket.inet_aton(target[0]) + bytes(8)
        )
        self.library.pjsip_tpmgr_send_raw(
            self.transports, UDP, None, None, data, len(data), address, len(address), None, None
        )

    def has_dialog(self, call_id: str, ours: str, theirs: str) -> bool:
        """Whether PJSIP knows the dialog with this Call-ID and these tags."""
        words = [_string(word) for word in (call_id, ours, theirs)]
        return bool(self.library.pjsip_ua_find_dialog(*map(ctypes.byref, words), False))
