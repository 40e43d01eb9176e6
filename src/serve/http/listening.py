"""The end of listening: who has connected is answered, and nobody else connects."""

import contextlib
import ctypes
import socket
import struct

# Linux's number of the option, and a filter program for incoming TCP packets:
# byte 13 holds the flags; one that has SYN and no ACK asks for a connection.
SO_ATTACH_FILTER = 26
DROP_NEW = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the byte at 13
        (0x54, 0, 0, 0x12),  # keep SYN and ACK
        (0x15, 0, 1, 0x02),  # is it SYN alone?
        (0x06, 0, 0, 0),  # yes: drop
        (0x06, 0, 0, 0xFFFFFFFF),  # no: take all of it
    )
)


def turn_away(listener: socket.socket) -> None:
    """Let nobody connect any more, although the socket is still open.

    Closing it would reset the connections that wait to be accepted. What the
    filter drops is sent again by the client, which is refused once the socket
    is closed; connections that are being made are made. Where a container may
    not set filters, the moment between a worker's last accept and its close
    remains.
    """
    program = ctypes.create_string_buffer(DROP_NEW)
    option = struct.pack("HP", len(DROP_NEW) // 8, ctypes.addressof(program))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, option)
