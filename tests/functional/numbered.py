#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Datagrams that are numbered from 1 on, a thousand a second, so that each that is missing is known.

    numbered.py source ADDRESS PORT FILE    FILE holds the number of the last that was sent (8 bytes)
    numbered.py sink ADDRESS PORT FILE      FILE gets the numbers that came
    numbered.py storm INTERFACE N           N frames from ever new addresses, as fast as they go
"""
import os
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33  # of Linux; not in the module


def source(address, port, path):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    number = 0
    os.pwrite(fd, struct.pack("<Q", number), 0)
    print("ready", flush=True)
    while True:
        try:
            out.sendto(struct.pack("<Q", number + 1), (address, port))
            number += 1
            os.pwrite(fd, struct.pack("<Q", number), 0)
        except OSError:  # nobody listens yet: an ICMP error
            pass
        time.sleep(0.001)


def sink(address, port, path):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    server.bind((address, port))
    with open(path, "wb", buffering=0) as f:
        print("ready", flush=True)
        while True:
            f.write(server.recv(64))


def storm(interface, n):
    """Two of three are ARP of addresses that are nobody's."""
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    for i in range(n):
        mac = struct.pack("!HI", 0x0206, i)
        ip = struct.pack("!BBH", 10, 0, i & 0xffff)
        if i % 3:
            frame = b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac + \
                ip + bytes(6) + bytes([10, 0, 0, i & 0xff])
        else:
            frame = b"\x02\x07" + mac[2:] + mac + struct.pack("!H", 0x88b5) + \
                bytes(46)
        while True:
            try:
                out.send(frame)
                break
            except OSError:  # its own queue is full
                time.sleep(0.0005)
    print("sent %d" % n, flush=True)


def main():
    role = sys.argv[1]
    if role == "storm":
        storm(sys.argv[2], int(sys.argv[3]))
    else:
        {"source": source, "sink": sink}[role](
            sys.argv[2], int(sys.argv[3]), sys.argv[4])


main()
