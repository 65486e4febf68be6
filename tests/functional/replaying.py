# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of tenon-replay share: configurations, capture files in every format, a run."""
import gzip
import json
import os
import struct
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REPLAY = os.environ.get("TENON_REPLAY") or os.path.join(TOP, "build/opt/tools/replay/tenon-replay")
NS = 1000000000
START = 1700000000 * NS


# Configurations

def port(number, name, **more):
    return dict({"number": number, "name": name, "type": "pcap"}, **more)


def flow(priority, criteria, instructions, table=0, **more):
    permanent = "timeout" not in more and "hardTimeout" not in more
    return dict({"tableId": table, "priority": priority, "isPermanent": permanent, "timeout": 0,
                 "selector": {"criteria": criteria},
                 "treatment": {"instructions": instructions}}, **more)


def from_port(number):
    return {"type": "IN_PORT", "port": number}


def output(where):
    return {"type": "OUTPUT", "port": str(where)}


def config(ports, flows, **more):
    return dict({"device": {"id": "of:00000000000000a1"}, "ports": ports, "flows": flows}, **more)


def wire(flows=None):
    """Port 1 to port 2."""
    return config([port(1, "left"), port(2, "right")],
                  [flow(1, [from_port(1)], [output(2)])] if flows is None else flows)


# Frames and captures

def frame(i=0, size=60):
    """A frame of no protocol that anything knows; i is in it."""
    return bytes.fromhex("020000000002020000000001" "88b5") + struct.pack("!I", i) + \
        bytes(size - 18)


def pcap(records, order="<", ns=True, link_type=1, snaplen=65535):
    """records: (time in ns, bytes[, length on the wire])."""
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D if ns else 0xA1B2C3D4, 2, 4, 0, 0, snaplen,
                      link_type)
    for time, data, *wire_len in records:
        out += struct.pack(order + "IIII", time // NS, time % NS // (1 if ns else 1000),
                           len(data), wire_len[0] if wire_len else len(data)) + data
    return out


def block(order, number, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", number, len(body) + 12) + body + \
        struct.pack(order + "I", len(body) + 12)


def pcapng(records, order="<", resolution=9):
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(order, 1, struct.pack(order + "HHI", 1, 0, 0) +
                 struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0))
    for time, data, *wire_len in records:
        ticks = time // 10 ** (9 - resolution)
        out += block(order, 6, struct.pack(
            order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data),
            wire_len[0] if wire_len else len(data)) + data)
    return out


def gz(data):
    return gzip.compress(data, mtime=0)


def read_pcap(path):
    """[(time in ns, bytes, length on the wire)] of a file that tenon-replay wrote."""
    with open(path, "rb") as f:
        data = f.read()
    assert struct.unpack("<IHH", data[:8]) == (0xA1B23C4D, 2, 4)
    at, out = 24, []
    while at < len(data):
        s, ns, n, wire_len = struct.unpack_from("<IIII", data, at)
        assert at + 16 + n <= len(data)
        out.append((s * NS + ns, data[at + 16:at + 16 + n], wire_len))
        at += 16 + n
    return out


# A run

class Run:
    """status, stdout, stderr; what came out is read when it is asked for."""

    def __init__(self, folder, done):
        self.folder = folder
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr

    @property
    def report(self):
        with open(self.folder / "report.json") as f:
            return json.load(f)

    @property
    def trace(self):
        with open(self.folder / "trace.json") as f:
            return [json.loads(line) for line in f]

    def sent(self, name):
        return read_pcap(self.folder / "out" / (name + ".pcap"))

    def frames(self, name):
        return [data for _, data, _ in self.sent(name)]

    def drops(self):
        return {d["reason"]: d["packets"] for d in self.report["drops"]}

    def port(self, name):
        return next(p for p in self.report["ports"] if p["name"] == name)


def call(*arguments, **more):
    """tenon-replay with any arguments at all."""
    return subprocess.run([REPLAY] + [str(a) for a in arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", timeout=120,
                          stdin=more.pop("stdin", subprocess.DEVNULL), **more)


def replay(folder, configuration, inputs, *options, trace=False):
    """inputs: {port: records or the bytes of a file}. Everything that can be written is."""
    with open(folder / "config.json", "w") as f:
        json.dump(configuration, f)
    arguments = ["--config", folder / "config.json", "--out", folder / "out",
                 "--report", folder / "report.json"]
    if trace:
        arguments += ["--trace", folder / "trace.json"]
    for i, (where, what) in enumerate(inputs.items()):
        path = folder / ("in%d" % i)
        path.write_bytes(what if isinstance(what, bytes) else pcap(what))
        arguments += ["--in", "%s=%s" % (where, path)]
    return Run(folder, call(*arguments, *options))


def succeed(folder, configuration, inputs, *options, **more):
    run = replay(folder, configuration, inputs, *options, **more)
    assert run.status == 0, run.stderr
    s = run.report["summary"]
    assert s["received"] + s["generated"] + s["copies"] == \
        s["sent"] + s["consumed"] + s["dropped"]
    return run
