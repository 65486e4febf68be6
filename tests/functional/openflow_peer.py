# SPDX-License-Identifier: BSD-3-Clause
"""A switch for ovs-ofctl to talk to: keeps what it is told and tells it back, so that what
ovs-ofctl prints is its own reading of its own text. OpenFlow 1.5 over a Unix socket."""
import os
import socket
import struct
import threading

VERSION = 6
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, FLOW_MOD = 0, 1, 2, 3, 14
MULTIPART_REQUEST, MULTIPART_REPLY, BARRIER_REQUEST, BARRIER_REPLY, METER_MOD = 18, 19, 20, 21, 29
FLOW_DESC = 1
MORE = 1


def message(kind, xid, body=b""):
    return struct.pack("!BBHI", VERSION, kind, 8 + len(body), xid) + body


def padded(data):
    return data + bytes(-len(data) % 8)


def stats(duration_ns, idle_s, packets, bytes_):
    """ofp_stats: fields of the basic class."""
    fields = b"".join(struct.pack("!HBB", 0x8002, number << 1, len(value)) + value
                      for number, value in (
                          (0, struct.pack("!II", *divmod(duration_ns, 10**9))),
                          (1, struct.pack("!II", idle_s, 0)),
                          (4, struct.pack("!Q", packets)),
                          (5, struct.pack("!Q", bytes_))))
    return padded(struct.pack("!HH", 0, 4 + len(fields)) + fields)


class Peer:
    """Keeps flow_mods and meter_mods. counters: what each flow is said to have counted."""

    def __init__(self, path, counters=(0, 0, 0, 0)):
        self.path, self.counters = path, counters
        self.flow_mods, self.meter_mods = [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        os.unlink(self.path)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                try:
                    connection.sendall(message(HELLO, 0))
                    self.talk(connection, stream)
                except OSError:
                    pass  # the client left

    def talk(self, connection, stream):
        while True:
            header = stream.read(8)
            if len(header) < 8:
                return
            _, kind, length, xid = struct.unpack("!BBHI", header)
            body = stream.read(length - 8)
            if kind == ECHO_REQUEST:
                connection.sendall(message(ECHO_REPLY, xid, body))
            elif kind == BARRIER_REQUEST:
                connection.sendall(message(BARRIER_REPLY, xid))
            elif kind == FLOW_MOD:
                self.flow_mods.append(body)
            elif kind == METER_MOD:
                self.meter_mods.append(header + body)
            elif kind == MULTIPART_REQUEST and struct.unpack("!H", body[:2])[0] == FLOW_DESC:
                self.send_flows(connection, xid)
            else:  # OFPBRC_BAD_TYPE
                connection.sendall(message(ERROR, xid, struct.pack("!HH", 1, 1) + header))

    def send_flows(self, connection, xid):
        for i, body in enumerate(self.flow_mods):
            flags = MORE if i + 1 < len(self.flow_mods) else 0
            reply = struct.pack("!HH4x", FLOW_DESC, flags) + self.describe(body)
            connection.sendall(message(MULTIPART_REPLY, xid, reply))

    def describe(self, body):
        """ofp_flow_desc of the flow that an ofp_flow_mod adds."""
        (cookie, _mask, table, _command, idle, hard, priority, _buffer, _port, _group, flags,
         importance) = struct.unpack("!QQBBHHHIIIHH", body[:40])
        match_length = struct.unpack("!H", body[42:44])[0]
        end_of_match = 40 + match_length + -match_length % 8
        rest = (body[40:end_of_match] + stats(*self.counters) + body[end_of_match:])
        if table == 0xff:
            table = 0
        return struct.pack("!HxxBxHHHHHQ", 24 + len(rest), table, priority, idle, hard, flags,
                           importance, cookie) + rest
