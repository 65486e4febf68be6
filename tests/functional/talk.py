#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""One end of a conversation: talk.py tcp|udp|udp-large serve|call ADDRESS [SIZE]. The server sends
back what it gets; the caller checks that it is the same. SIZE: bytes of a TCP stream, of each of 50 UDP
datagrams; of udp-large ten go down the stack as one (UDP_SEGMENT, udp(7)). talk.py tcp take ADDRESS: prints the SHA-256 of what comes. talk.py tcp pump ADDRESS:
calls for ever, 4 KB at a time, and says whenever they are back."""
import hashlib
import os
import socket
import sys
import threading

PORT = 7777
SECONDS = 20
UDP_SEGMENT, PIECES = 103, 10


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve_tcp(address):
    server = socket.create_server((address, PORT), family=family(address))
    print("ready", flush=True)
    connection, _ = server.accept()
    while True:
        data = connection.recv(1 << 16)
        if not data:
            return
        connection.sendall(data)


def take_tcp(address):
    server = socket.create_server((address, PORT), family=family(address))
    print("ready", flush=True)
    connection, _ = server.accept()
    digest = hashlib.sha256()
    for data in iter(lambda: connection.recv(1 << 16), b""):
        digest.update(data)
    print(digest.hexdigest(), flush=True)


def call_tcp(address, size):
    data = os.urandom(1 << 16) * (size >> 16)
    back = bytearray()
    with socket.create_connection((address, PORT), timeout=SECONDS) as connection:
        def send():
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        while len(back) < len(data):
            got = connection.recv(1 << 16)
            assert got, "the connection ended after %d bytes" % len(back)
            back += got
        sender.join()
    assert back == data, "other bytes came back"


def pump_tcp(address):
    with socket.create_connection((address, PORT), timeout=60) as connection:
        while True:
            data, back = os.urandom(4096), b""
            connection.sendall(data)
            while len(back) < len(data):
                got = connection.recv(4096)
                assert got, "the connection ended"
                back += got
            assert back == data, "other bytes came back"
            print("back", flush=True)


def serve_udp(address):
    server = socket.socket(family(address), socket.SOCK_DGRAM)
    server.bind((address, PORT))
    print("ready", flush=True)
    while True:
        data, peer = server.recvfrom(1 << 16)
        server.sendto(data, peer)


def call_udp(address, size):
    caller = socket.socket(family(address), socket.SOCK_DGRAM)
    caller.settimeout(5)
    caller.connect((address, PORT))
    for _ in range(50):
        data = os.urandom(size)
        caller.send(data)
        assert caller.recv(1 << 16) == data, "other bytes came back"


def call_udp_large(address, size):
    caller = socket.socket(family(address), socket.SOCK_DGRAM)
    caller.settimeout(5)
    caller.connect((address, PORT))
    caller.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
    for _ in range(50):
        data = os.urandom(PIECES * size)
        caller.send(data)
        back = [caller.recv(1 << 16) for _ in range(PIECES)]
        assert {len(piece) for piece in back} == {size}, "datagrams of other lengths came back"
        assert b"".join(back) == data, "other bytes came back"


def main():
    protocol, role, address = sys.argv[1:4]
    if role == "take":
        take_tcp(address)
    elif role == "pump":
        pump_tcp(address)
    elif role == "serve":
        {"tcp": serve_tcp, "udp": serve_udp, "udp-large": serve_udp}[protocol](address)
    else:
        {"tcp": call_tcp, "udp": call_udp, "udp-large": call_udp_large}[protocol](
            address, int(sys.argv[4]))


main()
