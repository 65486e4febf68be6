# SPDX-License-Identifier: BSD-3-Clause
"""Linux guests under QEMU: one with a device that has offloads, one with such a device and another
without, all in one tenant network with a kernel VXLAN endpoint on another host."""
import json
import time

import pytest

from netlab import HERE, PYTHON, Lab, kernel_has, why_not  # first: it tells where guest is
import guest
from replaying import config, flow, output

MB = 8
BLOB = "/tmp/blob"
MACS = {"one": "02:00:00:00:00:01", "two": "02:00:00:00:00:02", "plain": "02:00:00:00:00:03"}
PORTS = {"one": 11, "two": 12, "plain": 13}
NO_OFFLOADS = ",csum=off,guest_csum=off,gso=off,host_tso4=off,host_tso6=off,host_ecn=off," \
    "guest_tso4=off,guest_tso6=off,guest_ecn=off"
LOCAL, REMOTE = "198.51.100.2", "198.51.100.1"


class Site:
    """Two machines, another host and a switch that comes and goes."""

    def __init__(self, folder):
        self.lab = Lab(folder)
        self.machines = []
        sockets = {name: "%s/%s.sock" % (folder, name) for name in MACS}
        for name, interfaces in (("one", [("one", "")]),
                                 ("two", [("two", ""), ("plain", NO_OFFLOADS)])):
            self.machines.append(guest.Machine(
                self.lab, name, [(sockets[i], MACS[i], options) for i, options in interfaces]))
        self.make_far()
        self.document = self.make_document(sockets)
        self.lab.start_switch(self.document)  # without one QEMU waits
        self.one, self.two = (m.booted() for m in self.machines)
        for command in ("ip addr add 10.0.0.1/24 dev eth0", "ip addr add 10.1.0.1/24 dev eth0",
                        "ip addr add fd00::1/64 dev eth0"):
            self.one.run(command)
        for command in ("ip addr add 10.0.0.2/24 dev eth0", "ip addr add fd00::2/64 dev eth0",
                        "ip addr add 10.1.0.2/24 dev eth1", "ip link set eth1 mtu 1450 up"):
            self.two.run(command)
        for machine in self.machines:
            machine.run("ip link set eth0 mtu 1450 up")
            machine.run("dd if=/dev/urandom of=%s bs=1M count=%d" % (BLOB, MB))
        self.sums = {m: m.run("sha256sum <%s" % BLOB).split()[0] for m in self.machines}

    def make_far(self):
        lab = self.lab
        lab.host("far")
        lab.wire("up0", "far")
        lab.addresses("far", "eth0", REMOTE + "/24")
        lab.ip("far", "neigh add %s lladdr %s dev eth0" % (LOCAL, lab.mac(None, "up0")))
        lab.ip("far", "link add vx0 type vxlan id 100 local %s remote %s dstport 4789"
               % (REMOTE, LOCAL))
        lab.addresses("far", "vx0", "10.0.0.9/24", "10.1.0.9/24", "fd00::9/64")

    def make_document(self, sockets):
        lab = self.lab
        to = dict({lab.mac("far", "vx0"): 10}, **{MACS[n]: PORTS[n] for n in MACS})
        return config(
            [{"number": 1, "name": "up0", "type": "veth"},
             {"number": 10, "name": "vtep", "type": "vxlan",
              "options": {"local": LOCAL, "remote": REMOTE, "vni": 100}}]
            + [{"number": PORTS[n], "name": n, "type": "vhost-user",
                "options": {"socket": sockets[n]}} for n in MACS],
            [flow(2, [{"type": "ETH_DST", "mac": mac}], [output(port)])
             for mac, port in to.items()]
            + [flow(1, [], [output(port) for port in to.values()])],
            underlay={"addresses": [{"address": LOCAL + "/24", "mac": lab.mac(None, "up0"),
                                     "port": 1}],
                      "neighbours": [{"address": REMOTE, "mac": lab.mac("far", "eth0"),
                                      "port": 1}]})

    def start(self):
        if not self.lab.switch:
            self.lab.start_switch(self.document)
        self.one.ping("10.0.0.9")
        self.two.ping("10.0.0.1")
        self.two.ping("10.1.0.9")

    def stop(self):
        """Counters by port, and those of the worker."""
        ports = self.lab.stop_switch()
        with open(self.lab.folder + "/stats.json") as f:
            return ports, json.load(f)["workers"][0]

    def to_far(self, machine, address):
        """All of the machine's blob by TCP; how many seconds it took."""
        taking = self.lab.start("far", PYTHON, HERE + "/talk.py", "tcp", "take", address)
        try:
            assert taking.stdout.readline() == "ready\n"
            began = time.monotonic()
            machine.run("nc %s 7777 <%s" % (address, BLOB))
            assert taking.stdout.readline().strip() == self.sums[machine]
            return time.monotonic() - began
        finally:
            taking.kill()
            taking.wait()
            taking.stdout.close()

    def echo(self, machine, address):
        """The same from the other host and back."""
        serving = self.lab.start("far", PYTHON, HERE + "/talk.py", "tcp", "serve", address)
        try:
            assert serving.stdout.readline() == "ready\n"
            said = machine.run("nc %s 7777 <%s | sha256sum" % (address, BLOB))
            assert said.split()[0] == self.sums[machine]
        finally:
            serving.kill()
            serving.wait()
            serving.stdout.close()

    def to_machine(self, machine, other, address):
        """From one machine to an address of the other one."""
        # An end of its input would be the end of both directions: it waits on the console.
        other.begin("nc -l -p 7000 </dev/ttyS0 | sha256sum")
        machine.run("until nc %s 7000 <%s; do usleep 100000; done" % (address, BLOB))
        assert other.end().split()[0] == self.sums[machine]

    def close(self):
        for machine in self.machines:
            machine.close()
        self.lab.close()


@pytest.fixture(scope="module")
def booted(tmp_path_factory):
    missing = why_not() or guest.why_not()
    if not missing and not kernel_has("vxlan id 1 dstport 4789"):
        missing = "this kernel has no VXLAN device"
    if missing:
        pytest.skip(missing)
    made = Site(str(tmp_path_factory.mktemp("qemu")))
    yield made
    made.close()


@pytest.fixture
def site(booted):
    """With a switch that runs, whatever the last test did to it."""
    booted.start()
    yield booted
    if booted.lab.switch:
        booted.lab.kill_switch()


def assert_clean(ports):
    """The first frames may find links that are not up yet; a guest that is slow drops some."""
    for p in ports.values():
        allowed = {"port_down", "tx_full", "to_ingress"}
        assert not set(p["dropped"]) - allowed, p
        assert not p["wire_rx_errors"] and not p["wire_rx_dropped"] and not p["wire_tx_errors"], p


def test_tcp_over_vxlan(site):
    """Large frames of the guest are cut, each piece gets its tunnel header, no byte is lost."""
    site.echo(site.one, "10.0.0.9")
    large = site.to_far(site.one, "10.0.0.9")
    site.to_far(site.one, "fd00::9")
    plain = site.to_far(site.two, "10.1.0.9")
    ports, worker = site.stop()
    assert_clean(ports)
    print("%d MB over VXLAN: %.2f s with TSO, %.2f s without any offload" % (MB, large, plain))
    assert ports["one"]["wire_rx_large"] > 50
    assert ports["plain"]["wire_rx_large"] == 0
    assert worker["segments"] >= 2 * ports["one"]["wire_rx_large"]
    # Fewer frames by the guest than by the wire.
    assert ports["one"]["rx_packets"] < ports["vtep"]["tx_packets"]


def test_guest_to_guest(site):
    """Frames stay large where the other guest takes them, else they are finished for it."""
    site.to_machine(site.one, site.two, "10.0.0.2")
    site.to_machine(site.two, site.one, "fd00::1")
    site.to_machine(site.one, site.two, "10.1.0.2")
    ports, worker = site.stop()
    assert_clean(ports)
    for name in ("one", "two"):
        assert ports[name]["wire_rx_large"] > 50 and ports[name]["wire_tx_large"] > 50, ports
    assert ports["plain"]["wire_tx_large"] == 0
    assert worker["segments"] > 100


def test_guests_live_on(site):
    """The data plane is killed while a guest sends; the connection goes on with the next one."""
    taking = site.lab.start("far", PYTHON, HERE + "/talk.py", "tcp", "take", "10.0.0.9")
    assert taking.stdout.readline() == "ready\n"
    site.one.begin("nc 10.0.0.9 7777 <%s" % BLOB)
    site.lab.kill_switch()
    site.lab.start_switch(site.document)
    site.one.end()
    assert taking.stdout.readline().strip() == site.sums[site.one]
    taking.kill()
    taking.wait()
    taking.stdout.close()
    site.to_machine(site.one, site.two, "10.0.0.2")
    ports, _ = site.stop()
    assert ports["one"]["wire_rx_large"] > 0


def test_segments_of_a_peers_size(site):
    """The other host wants segments smaller than any MTU: they are cut to that size."""
    site.lab.ip("far", "route replace 10.0.0.1/32 dev vx0 src 10.0.0.9 advmss 700")
    site.echo(site.one, "10.0.0.9")
    site.lab.ip("far", "route del 10.0.0.1/32 dev vx0")
    ports, worker = site.stop()
    assert_clean(ports)
    assert ports["one"]["wire_rx_large"] > 50
    assert worker["segments"] >= 2 * ports["one"]["wire_rx_large"]
