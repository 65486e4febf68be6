# SPDX-License-Identifier: BSD-3-Clause
"""A client of tenon-dataplane's socket, written after dataplane/api/README.md and messages.h alone."""
import ipaddress
import select
import socket
import struct
import time

HEADER = struct.Struct("<4sHHIIQ")
TYPES = ["", "HELLO", "HELLO_REPLY", "BUNDLE", "RECEIPT", "PORT_ADD", "PORT_REMOVE",
         "PORT_CONFIGURE", "TABLE_CONFIGURE", "UNDERLAY", "DUMP", "PART", "END", "SUBSCRIBE",
         "EVENT", "TRACE", "TRACE_REPLY", "PACKET_OUT", "ERROR"]
DUMP_PORTS = 5
PORT_STATUS = 1  # kinds of event
ADDED, DELETED, MODIFIED = range(3)
LINK_DOWN, BLOCKED, LIVE = 1, 2, 4
ANY = 0xffffffff


class Refused(Exception):
    """A receipt of version 0, or an ERROR: its sentence."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        form = "<" + form
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values if len(values) > 1 else values[0]

    def text(self):
        n = self.take("I")
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def address(self):
        self.at += 16
        number = int.from_bytes(self.data[self.at - 16:self.at], "little")
        ip = ipaddress.IPv6Address(number)
        return str(ip.ipv4_mapped or ip)

    def items(self, one):
        return [one() for _ in range(self.take("I"))]


def text(s):
    return struct.pack("<I", len(s.encode())) + s.encode()


def address(s):
    """None: zero."""
    if s is None:
        return bytes(16)
    ip = ipaddress.ip_address(s)
    number = int(ip) + (0xffff << 32 if ip.version == 4 else 0)
    return number.to_bytes(16, "little")


def items(encoded):
    return struct.pack("<I", len(encoded)) + b"".join(encoded)


def mac(s):
    return bytes.fromhex(s.replace(":", ""))


def option(key, value):
    if isinstance(value, bool):
        return text(key) + struct.pack("<BB", 3, value)
    if isinstance(value, int):
        return text(key) + struct.pack("<Bq", 2, value)
    return text(key) + b"\1" + text(value)


def vxlan(local=None, remote=None, vni=None, udpDestPort=4789, udpChecksum=False, ttl=64, dscp=-1,
          df=True, peers=(), vnis=()):
    """remote, vni None: of the flow."""
    return struct.pack("<B", local is not None) + address(local) + \
        struct.pack("<B", remote is None) + address(remote) + \
        struct.pack("<BIHBBhB", vni is None, vni or 0, udpDestPort, udpChecksum, ttl, dscp, df) + \
        items([address(p) for p in peers]) + items([struct.pack("<I", v) for v in vnis])


def underlay(addresses=(), routes=(), neighbours=()):
    """As in the configuration document; routes: (prefix, via, port)."""
    def one_address(a):
        ip, length = a["address"].split("/")
        return address(ip) + struct.pack("<B", int(length)) + mac(a["mac"]) + \
            struct.pack("<I", a["port"])

    def one_route(prefix, via, port):
        net = ipaddress.ip_network(prefix)
        return address(str(net.network_address)) + \
            struct.pack("<BB", net.prefixlen, net.version == 4) + address(via) + \
            struct.pack("<I", port)
    return items([one_address(a) for a in addresses]) + items([one_route(*r) for r in routes]) + \
        items([address(n["address"]) + mac(n["mac"]) + struct.pack("<I", n["port"])
               for n in neighbours])


class Client:
    """One request at a time; events that come meanwhile are kept in .events."""

    def __init__(self, path, wait=30, limit=30):
        deadline = time.monotonic() + wait
        self.limit, self.events, self.ids, self.bytes = limit, [], 0, b""
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < deadline, "nobody listens at %s" % path
                time.sleep(0.02)
        kind, body = self.ask("HELLO", struct.pack("<Q", 0) + text("test"))
        assert kind == "HELLO_REPLY"
        self.dpid = struct.unpack_from("<Q", body, 8)[0]

    def close(self):
        self.socket.close()

    def send(self, kind, body):
        self.ids += 1
        self.socket.sendall(HEADER.pack(b"TNAP", 1, TYPES.index(kind), 0, len(body), self.ids)
                            + body)
        return self.ids

    def receive(self, limit):
        """(type, id, body) of the next message; None: none in that time."""
        deadline = time.monotonic() + limit
        while True:
            if len(self.bytes) >= HEADER.size:
                _, _, kind, _, length, number = HEADER.unpack_from(self.bytes)
                if len(self.bytes) >= HEADER.size + length:
                    body = self.bytes[HEADER.size:HEADER.size + length]
                    self.bytes = self.bytes[HEADER.size + length:]
                    return TYPES[kind], number, body
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            more = self.socket.recv(1 << 16)
            assert more, "the switch closed the connection"
            self.bytes += more

    def answer(self, number):
        while True:
            message = self.receive(self.limit)
            assert message, "no answer in %d seconds" % self.limit
            if message[0] == "EVENT":
                self.events.append(message[2])
            elif message[1] in (number, 0):
                return message[0], message[2]

    def ask(self, kind, body):
        return self.answer(self.send(kind, body))

    def change(self, kind, body):
        """The version that a receipt names."""
        answered, body = self.ask(kind, body)
        r = Reader(body)
        version = r.take("Q") if answered == "RECEIPT" else 0
        if version:
            return version
        if answered == "RECEIPT":
            r.take("Q")
        r.take("HHI")
        raise Refused(r.text())

    # --- requests ---

    def port_add(self, number, name, kind, mtu=0, enabled=True, tunnel=None, **options):
        return self.change("PORT_ADD", struct.pack("<I", number) + text(name) + text(kind) +
                           struct.pack("<BII", enabled, 0, mtu) +
                           items([option(k, v) for k, v in options.items()]) +
                           (b"\1" + vxlan(**tunnel) if tunnel else b"\0"))

    def port_remove(self, number):
        return self.change("PORT_REMOVE", struct.pack("<I", number))

    def port_configure(self, number, enabled, config=0):
        return self.change("PORT_CONFIGURE", struct.pack("<IBI", number, enabled, config))

    def set_underlay(self, **what):
        return self.change("UNDERLAY", underlay(**what))

    def subscribe(self, *kinds):
        return self.change("SUBSCRIBE", struct.pack("<I", sum(1 << k for k in kinds)))

    def ports(self):
        """By number: {"name", "type", "state", "rx", "tx", "drops": {reason number: packets}}."""
        number = self.send("DUMP", struct.pack("<BBQQIIB", DUMP_PORTS, 255, 0, 0, ANY, ANY, 0))
        found = {}
        while True:
            kind, body = self.answer(number)
            if kind == "END":
                return found
            assert kind == "PART", body
            r = Reader(body)
            assert r.take("B") == DUMP_PORTS
            found.update(r.items(lambda: read_port_info(r)))

    def port_status(self, limit=30):
        """The next event of a port: (reason, number, state)."""
        while True:
            if not self.events:
                message = self.receive(limit)
                assert message and message[0] == "EVENT", message
                self.events.append(message[2])
            r = Reader(self.events.pop(0))
            kind, _ = r.take("BQ")
            if kind == PORT_STATUS:
                reason, number, _, _, state = r.take("BIBII")
                return reason, number, state


def read_port_info(r):
    number = r.take("I")
    port = {"name": r.text(), "type": r.text()}
    port["enabled"], port["config"], port["mtu"] = r.take("BII")
    port["options"] = dict(r.items(lambda: read_option(r)))
    port["tunnel"] = read_vxlan(r) if r.take("B") else None
    port["state"] = r.take("I")
    port["rx"], port["rx_bytes"], port["tx"], port["tx_bytes"] = r.take("QQQQ")
    port["wire_rx_dropped"], port["wire_rx_errors"], port["wire_tx_errors"] = r.take("QQQ")
    port["drops"] = dict(r.items(lambda: r.take("HQ")))
    return number, port


def read_option(r):
    key, kind = r.text(), r.take("B")
    return key, r.text() if kind == 1 else r.take("q") if kind == 2 else bool(r.take("B"))


def read_vxlan(r):
    r.take("B")
    v = {"local": r.address()}
    r.take("B")
    v["remote"] = r.address()
    _, v["vni"], v["udpDestPort"], v["udpChecksum"], v["ttl"], v["dscp"], v["df"] = \
        r.take("BIHBBhB")
    v["peers"] = r.items(r.address)
    v["vnis"] = r.items(lambda: r.take("I"))
    return v
