# SPDX-License-Identifier: BSD-3-Clause
"""Guests on vhost-user: testpmd's virtio-user is the guest's device, a TAP of it the guest's stack."""
import os
import shutil
import time

import pytest

from netlab import lab  # noqa: F401
from replaying import config, flow, from_port, output

TESTPMD = shutil.which("dpdk-testpmd")
TCP_BYTES = 1 << 20

pytestmark = pytest.mark.skipif(not TESTPMD, reason="needs dpdk-testpmd")


def wires(*ports):
    """Two ports and all that comes by one goes out by the other."""
    return config([dict(p, number=i + 1) for i, p in enumerate(ports)],
                  [flow(1, [from_port(1)], [output(2)]), flow(1, [from_port(2)], [output(1)])])


def vhost(name, socket, **options):
    return {"name": name, "type": "vhost-user", "options": dict(options, socket=socket)}


class Guest:
    """A host whose eth0 is a TAP of testpmd, which hands its frames to virtio-user and back."""

    def __init__(self, lab, number, serves=True, queues=1, device=""):
        self.lab = lab
        self.name = "c%d" % number
        self.socket = "%s/guest%d" % (lab.folder, number)
        self.device = "net_virtio_user0,mac=02:00:00:00:00:0%d,path=%s,queues=%d%s%s" % (
            number, self.socket, queues, ",server=1" if serves else "", device)
        self.queues = queues
        self.number = number
        self.process = None
        lab.host(self.name)

    def start(self):
        self.process = self.lab.start(
            self.name, TESTPMD, "-l", "0,1", "--main-lcore", self.number % 2, "--no-huge", "-m",
            "128", "--no-pci", "--no-shconf", "--no-telemetry", "--file-prefix",
            "guest%d" % self.number, "--vdev", self.device, "--vdev",
            "net_tap0,iface=eth0,mac=02:00:00:00:01:0%d" % self.number, "--",
            "--forward-mode=io", "--total-num-mbufs=8192", "--no-mlockall", "--stats-period=3600",
            "--rxq=%d" % self.queues, "--txq=%d" % self.queues)
        deadline = time.monotonic() + 30
        while "eth0" not in self.lab.run(self.name, "ip", "-br", "link"):
            assert self.process.poll() is None, self.process.stdout.read()
            assert time.monotonic() < deadline, "testpmd makes no TAP"
            time.sleep(0.1)
        self.lab.addresses(self.name, "eth0", "10.0.0.%d/24" % self.number,
                           "fd00::%d/64" % self.number)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        while "eth0" in self.lab.run(self.name, "ip", "-br", "link"):
            time.sleep(0.05)


def check_traffic(lab):
    for address in ("10.0.0.2", "fd00::2"):
        lab.ping("c1", address, wait=40)
        lab.ping("c1", address, size=1450, options=["-M", "do"])
        lab.talk("c2", "c1", address, "tcp", TCP_BYTES)
        lab.talk("c2", "c1", address, "udp", 1400)


def await_path(path):
    deadline = time.monotonic() + 30
    while not os.path.exists(path):
        assert time.monotonic() < deadline, path
        time.sleep(0.05)


def check_counters(ports):
    for p in ports.values():
        assert p["rx_packets"] > 100 and p["tx_packets"] > 100
        assert not p["wire_rx_errors"] and not p["wire_rx_dropped"], p


def test_guest_to_guest(lab):
    """Rings of both kinds; the port goes while its guest is there."""
    one, two = Guest(lab, 1, device=",packed_vq=1"), Guest(lab, 2, device=",mrg_rxbuf=0")
    lab.start_switch(wires(vhost("vm1", one.socket), vhost("vm2", two.socket)))
    one.start()
    two.start()
    check_traffic(lab)
    check_counters(lab.stop_switch())


def test_guests_live_on(lab):
    """The data plane is killed, again and again; guests need nothing done to them."""
    one, two = Guest(lab, 1), Guest(lab, 2)
    document = wires(vhost("vm1", one.socket), vhost("vm2", two.socket, mode="client"))
    lab.start_switch(document)
    one.start()
    two.start()
    lab.ping("c1", "10.0.0.2", wait=40)
    for _ in range(2):
        lab.kill_switch()
        lab.start_switch(document)
        lab.ping("c1", "10.0.0.2", wait=40)
    check_traffic(lab)
    check_counters(lab.stop_switch())


def test_guests_come_and_go(lab):
    """The switch serves; a guest is killed under traffic and comes again, the switch too."""
    one, two = Guest(lab, 1, serves=False), Guest(lab, 2, serves=False)
    document = wires(vhost("vm1", one.socket, mode="server"),
                     vhost("vm2", two.socket, mode="server"))
    lab.start_switch(document)
    await_path(one.socket)
    one.start()
    for _ in range(3):
        two.start()
        lab.ping("c1", "10.0.0.2", wait=40)
        flood = lab.start("c1", "ping", "-f", "-w", "1", "10.0.0.2")
        time.sleep(0.2)
        two.kill()
        flood.communicate()
        assert not lab.ended()
    ports = lab.stop_switch()
    assert ports["vm1"]["rx_packets"] > 100 and not ports["vm1"]["wire_rx_errors"]
    # Where they came in when the link was known to be down, before that where they were to go.
    assert sum(sum(port["dropped"].values()) for port in ports.values()) > 0


def test_an_abandoned_socket(lab):
    one = Guest(lab, 1, serves=False)
    document = wires(vhost("vm1", one.socket, mode="server"), vhost("vm2", one.socket + "x"))
    lab.start_switch(document)
    await_path(one.socket)
    lab.kill_switch()
    lab.start_switch(document)
    one.start()
    lab.stop_switch()
    assert not os.path.exists(one.socket)


def test_queues_and_workers(lab):
    """More pairs than receive queues, more workers than pairs."""
    one, two = Guest(lab, 1, queues=3), Guest(lab, 2)
    lab.start_switch(wires(vhost("vm1", one.socket, queues=2), vhost("vm2", two.socket)),
                     "--workers", "0,1")
    one.start()
    two.start()
    check_traffic(lab)
    check_counters(lab.stop_switch())


@pytest.mark.parametrize("options, words", [
    ({}, ["needs the option", "socket"]),
    ({"socket": "/nowhere/a", "mode": "listen"}, ["mode", '"client"', '"server"']),
    ({"socket": "/nowhere/" + 100 * "a"}, ["1 to 107 bytes"]),
    ({"socket": ""}, ["1 to 107 bytes"]),
    ({"socket": "/nowhere/a", "mode": "server"}, ["cannot serve", "/nowhere/a"]),
    ({"socket": "/nowhere/a", "queues": 0}, ["queues", "1 to 64"]),
    ({"socket": "/nowhere/other"}, ["another port's socket"]),
])
def test_refused(lab, options, words):
    bad = {"name": "vm1", "type": "vhost-user", "options": options}
    lab.start_switch(wires(vhost("vm0", "/nowhere/other"), bad))
    assert lab.switch.wait(30) == 2
    for word in ["/ports/1"] + words:
        assert word in lab.log()
