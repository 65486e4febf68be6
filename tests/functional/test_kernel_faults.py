# SPDX-License-Identifier: BSD-3-Clause
"""Processes that end between two changes to the kernel's maps, and maps and programs that another
version of the data plane left: what is decided half forwards nothing.

There are two switches, one after the other on the same state's folder: each marks what c1 sends in its
own way and has its own container for it, and the interfaces have other numbers with the other. c4 may
send to nobody. So whatever arrives with the wrong mark, at the wrong one or from c4, was forwarded by
halves. KILL_SEED repeats a run; KILL_STRIDE=1 kills before each change.
"""
import os
import random
import time

import pytest

from netlab import HERE, PYTHON, lab  # noqa: F401
from replaying import config, flow, from_port, output
from tenon import BUILD

KILL_AT = os.path.join(BUILD, "tests/functional/kill_at.so")
STRIDE = int(os.environ.get("KILL_STRIDE") or 12)
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(1 << 32))
PATIENCE = 60
VETHS = ("veth1", "veth2", "veth3", "veth4")
MAC = "02:00:00:00:00:77"  # of c2 and of c3, whose address is the same, too
HERE_ENDPOINT = "198.51.100.2"
SOURCE = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
while True:
    s.sendto(sys.argv[1].encode(), ("10.0.0.2", 9))
    time.sleep(0.002)
"""
SINK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
s.bind(("10.0.0.2", 9))
with open(sys.argv[1], "wb", buffering=0) as f:
    print("ready", flush=True)
    while True:
        data, tos, _, _ = s.recvmsg(16, 64)
        f.write(tos[0][2][:1] + data)
"""


class Switch:
    """numbers: of veth1 to veth4; sink: who gets what c1 sends; mark: a DSCP."""

    def __init__(self, numbers, sink, mark):
        self.numbers, self.sink, self.mark = numbers, sink, mark

    def document(self):
        ports = [{"number": n, "name": "veth%d" % (i + 1), "type": "veth",
                  "options": {"datapath": "ebpf"}} for i, n in enumerate(self.numbers)]
        ports.append({"number": 50, "name": "underlay", "type": "kernel-underlay",
                      "options": {"address": HERE_ENDPOINT, "uplink": "up0", "guard": True}})
        return config(ports, [flow(1, [from_port(self.numbers[0]), {
            "type": "ETH_TYPE", "ethType": "0x800"}], [
                {"type": "L3MODIFICATION", "subtype": "IP_DSCP", "ipDscp": self.mark},
                output(self.numbers[self.sink - 1])])])

    def tap(self):
        """What c1 sends and the kernel does not know comes up by it."""
        return "tn%d" % self.numbers[0]


class Stream:
    """c1 and c4 send all the time; what c2 and c3 get is written down."""

    def __init__(self, lab):
        self.lab, self.children, self.seen = lab, [], {2: 0, 3: 0}
        for sink in self.seen:
            self.start("c%d" % sink, SINK, self.path(sink))
        for source in "14":
            self.start("c" + source, SOURCE, source)

    def path(self, sink):
        return "%s/sink%d" % (self.lab.folder, sink)

    def start(self, host, script, argument):
        child = self.lab.start(host, PYTHON, "-c", script, argument)
        assert child.stdout.readline() == "ready\n", child.stdout.read()
        self.children.append(child)

    def got(self, sink):
        return os.path.getsize(self.path(sink)) // 2

    def check(self, *switches):
        """Of all that came since the last check."""
        for s in switches:
            with open(self.path(s.sink), "rb") as f:
                f.seek(self.seen[s.sink])
                data = f.read()
            data = data[:len(data) & ~1]
            self.seen[s.sink] += len(data)
            kinds = {data[i:i + 2] for i in range(0, len(data), 2)}
            assert kinds <= {bytes([s.mark << 2]) + b"1"}, (s.sink, kinds)

    def arrives(self, switch, more=20):
        wanted, deadline = self.got(switch.sink) + more, time.monotonic() + PATIENCE
        while self.got(switch.sink) < wanted:
            assert time.monotonic() < deadline and not self.lab.ended(), self.lab.log()
            time.sleep(0.005)

    def close(self):
        for child in self.children:
            child.kill()
            child.wait()
            child.stdout.close()


class Town:
    def __init__(self, lab):
        self.lab = lab
        lab.run(None, "mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
        lab.host("far")
        lab.wire("up0", "far")
        lab.addresses(None, "up0", HERE_ENDPOINT + "/24")
        for i, last in enumerate((1, 2, 2, 4), 1):
            lab.host("c%d" % i)
            lab.wire("veth%d" % i, "c%d" % i)
            if last == 2:
                lab.ip("c%d" % i, "link set eth0 address " + MAC)
            lab.addresses("c%d" % i, "eth0", "10.0.0.%d/24" % last)
            if last != 2:
                lab.ip("c%d" % i, "neigh add 10.0.0.2 lladdr %s dev eth0" % MAC)
        self.switches = [Switch((1, 2, 3, 4), 2, 1), Switch((4, 3, 2, 1), 3, 2)]
        self.stream = Stream(lab)

    def start(self, switch, *before):
        enter = self.lab.enter
        self.lab.enter = enter + list(before)
        self.lab.start_switch(switch.document(), "--state", self.lab.folder + "/state", memory=16)
        self.lab.enter = enter

    def forget_state(self):
        self.lab.run(None, "rm", "-rf", self.lab.folder + "/state")

    def in_kernel(self, switch):
        """Until the kernel alone forwards what c1 sends."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.stream.arrives(switch)
            before = self.up(switch)
            self.stream.arrives(switch)
            if before is not None and self.up(switch) == before:
                return
            assert time.monotonic() < deadline, self.lab.log()

    def up(self, switch):
        """Frames; None: the process that takes them has not begun."""
        with open("/proc/%s/net/dev" % self.lab.init) as f:
            return next((line.split()[10] for line in f
                         if line.split()[0] == switch.tap() + ":"), None)

    def killed(self, switch, number):
        """It ends instead of that change. False: it forwards before it makes so many."""
        self.start(switch, "env", "LD_PRELOAD=" + KILL_AT, "KILL_AT=%d" % number)
        before, deadline = self.stream.got(switch.sink), time.monotonic() + PATIENCE
        while not self.lab.ended():
            if self.stream.got(switch.sink) > before + 100:
                # It may come to the change just now.
                self.lab.run(None, "pkill", "-KILL", "-x", "tenon-dataplane", check=False)
                self.await_killed()
                return False
            assert time.monotonic() < deadline, self.lab.log()
            time.sleep(0.01)
        self.await_killed()
        return True

    def await_killed(self):
        assert self.lab.switch.wait(PATIENCE) in (-9, 137), self.lab.log()
        self.lab.switch = None


@pytest.fixture
def town(lab):
    made = Town(lab)
    yield made
    made.stream.close()


def test_killed_between_changes(town):
    """Of the next process: what it had done when it ended never forwards with what the one before had
    decided. The one after it, which finds what both left, works."""
    print("KILL_SEED=%d" % SEED)
    number = 1 + SEED % STRIDE
    now, following = town.switches
    town.start(now)
    while True:
        town.in_kernel(now)
        town.lab.kill_switch()
        town.stream.arrives(now)
        town.forget_state()
        more = town.killed(following, number)
        time.sleep(0.05)  # what is forwarded now is what is there to be seen
        town.stream.check(now, following)
        town.start(following)
        town.in_kernel(following)
        town.stream.check(now, following)
        if not more:
            break
        now, following = following, now
        number += STRIDE
    assert number > 50  # it makes so many changes before it forwards


def pins(lab, name):
    return lab.run(None, "find", "/sys/fs/bpf", "-name", name).strip()


def attached(lab, device):
    """Programs at an interface's way in."""
    return int(lab.run(None, PYTHON, os.path.join(HERE, "tcx.py"), device))


@pytest.mark.parametrize("name, other", [
    ("tenon_config", ("abi", "3")), ("tenon_session4", ("layout",)), ("tenon_ports", ("layout",)),
    ("tenon_peers", ("layout",)), ("tn_ebpf_from_port", ("program",) + VETHS)])
def test_another_version_left_it(town, name, other):
    """It goes, and what was decided with it; no program of it stays at an interface."""
    now, following = town.switches
    town.start(now)
    town.in_kernel(now)
    town.lab.kill_switch()
    path = pins(town.lab, name)
    town.lab.run(None, PYTHON, HERE + "/pins.py", other[0], path, *other[1:])
    town.forget_state()
    town.start(following)
    town.in_kernel(following)
    last = town.stream.got(now.sink)
    town.stream.arrives(following, 200)
    assert town.stream.got(now.sink) == last
    town.stream.check(now, following)
    assert [attached(town.lab, device) for device in VETHS + ("up0",)] == [1] * 5
    # And it is taken over by one of its own version.
    town.lab.kill_switch()
    town.stream.arrives(following)
    town.start(following)
    town.in_kernel(following)
    town.lab.stop_switch()
    town.stream.check(now, following)
