# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces of namespaces as wires: frames as they are, VLAN tags included, in and out.

The kernel takes the outer tag off before a socket sees the frame and tells it beside (packet(7),
PACKET_AUXDATA); here it is put back.
"""
import ctypes
import os
import select
import socket
import struct
import time

SOL_PACKET, PACKET_IGNORE_OUTGOING, PACKET_AUXDATA, ETH_P_ALL = 263, 23, 8, 3
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x10, 0x40
AUXDATA = struct.Struct("=IIIHHHH")
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        if LIBC.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), path)
    finally:
        os.close(fd)


class Wire:
    """An interface of a host of the lab."""

    def __init__(self, lab, host, device="eth0"):
        home = "/proc/thread-self/ns/net"
        back = os.open(home, os.O_RDONLY)
        try:
            enter("/proc/%s/root/run/netns/%s" % (lab.init, host))
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        finally:
            LIBC.setns(back, CLONE_NEWNET)
            os.close(back)
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.name = host
        self.seen = []

    def close(self):
        self.socket.close()

    def send(self, frame):
        self.socket.send(bytes(frame))

    def take(self):
        """All that has come by now goes to `seen`."""
        while select.select([self.socket], [], [], 0)[0]:
            frame, beside, _, _ = self.socket.recvmsg(65536, 256)
            for level, kind, data in beside:
                if level == SOL_PACKET and kind == PACKET_AUXDATA:
                    status, _, _, _, _, tci, tpid = AUXDATA.unpack(data[:AUXDATA.size])
                    if status & TP_STATUS_VLAN_VALID:
                        if not status & TP_STATUS_VLAN_TPID_VALID:
                            tpid = 0x8100
                        frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
            self.seen.append(frame)
        return self.seen

    def until(self, wanted, limit=30):
        """The frames, once `wanted` of them is something."""
        deadline = time.monotonic() + limit
        while not wanted(self.take()):
            left = deadline - time.monotonic()
            assert left > 0, "%s got %s" % (self.name, [f.hex() for f in self.seen[-20:]])
            select.select([self.socket], [], [], left)
        return self.seen
