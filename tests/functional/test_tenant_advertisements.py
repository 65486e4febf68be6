# SPDX-License-Identifier: BSD-3-Clause
"""Router advertisements that nobody asked for, by the kernel of a container that never asks: by tenond,
while it is dead, and after the data plane alone was started again."""
import json
import os
import re
import signal
import time

import pytest

from netlab import lab  # noqa: F401
from tenon import Tenon
from wires import Wire

ANY = {"If-Match": "*"}
NIC, VLAN = "nic0", 20
# Three within 16 seconds of each other; links come up late on a busy machine.
PATIENCE = 90


def port(name, last, **binding):
    return {"id": name, "network_id": "n", "mac_address": "02:00:00:00:00:%02x" % last,
            "fixed_ips": [{"ip_address": "fd00::%x" % last}], "binding": dict(binding, host="hv1")}


DOCUMENT = {
    "hosts": [{"id": "hv1", "vtep_addresses": ["198.51.100.1"]}],
    "networks": [{"id": "n", "vni": 1001, "mtu": 1400}],
    "subnets": [{"id": "s", "network_id": "n", "cidr": "fd00::/64", "gateway_ip": "fd00::1",
                 "enable_dhcp": True, "ipv6_address_mode": "slaac"}],
    "routers": [{"id": "r", "interfaces": [{"subnet_id": "s"}]}],
    "ports": [port("c1", 11, kind="container", device="v-c1"),
              port("server", 12, kind="baremetal", device=NIC, vlan=VLAN),
              {"number": 9, "name": NIC, "type": "veth", "options": {"interface": NIC}}]}


class Container:
    def __init__(self, lab):
        self.lab = lab

    def run(self, *command):
        return self.lab.run("c1", *command)

    def state(self):
        """(has an address by autoconfiguration, its default route)"""
        return (re.search(r"inet6 fd00::\S+/64 scope global dynamic",
                          self.run("ip", "-6", "-o", "addr", "show", "eth0")) is not None,
                "default via fe80::5eff:fe00:101" in self.run("ip", "-6", "route"))

    def until(self, wanted):
        deadline = time.monotonic() + PATIENCE
        while self.state() != wanted:
            assert time.monotonic() < deadline, self.run("ip", "-6", "route")
            time.sleep(0.05)

    def forget(self):
        self.run("ip", "-6", "addr", "flush", "dev", "eth0", "scope", "global")
        self.run("ip", "-6", "route", "flush", "dev", "eth0", "proto", "ra")
        assert self.state() == (False, False)

    def asked(self):
        return int(re.search(r"Icmp6OutRouterSolicits\s+(\d+)",
                             self.run("cat", "/proc/net/snmp6")).group(1))


@pytest.fixture
def hv1(lab, tmp_path):
    for name, device in (("c1", "v-c1"), ("server", NIC)):
        lab.host(name)
        lab.wire(device, name)
        lab.run(name, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=2",
                "net.ipv6.conf.eth0.router_solicitations=0")
    lab.ip("c1", "link set eth0 address 02:00:00:00:00:0b\nlink set eth0 up")
    lab.run("server", "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")
    lab.ip("server", "link set eth0 up")
    made = Tenon(tmp_path, lab=lab, config={"host": "hv1"})
    yield made
    made.close()


def apply(tenon, document):
    answer = tenon.client().put("/v1/config", document, headers=ANY)
    assert answer.status == 200, answer


def kill(daemon):
    """The program itself, which who entered the namespace for it waits for."""
    parent = daemon.process.pid
    with open("/proc/%d/task/%d/children" % (parent, parent)) as f:
        os.kill(int(f.read()), signal.SIGKILL)
    daemon.wait()


def test_a_kernel_that_never_asks(lab, hv1):
    container = Container(lab)
    wire = Wire(lab, "server")
    hv1.start()
    try:
        apply(hv1, DOCUMENT)
        container.until((True, True))
        assert container.run("sysctl", "-n", "net.ipv6.conf.eth0.mtu").strip() == "1400"
        # On a trunk in its VLAN.
        wire.until(lambda seen: any(f[12:18] == b"\x81\x00\x00\x14\x86\xdd" and f[58] == 134
                                    for f in seen), PATIENCE)
        # Who tells the rules is dead; what was told is told again.
        kill(hv1.tenond)
        kill(hv1.dataplane)
        container.forget()
        hv1.dataplane.start()
        container.until((True, True))
        # The router goes: so does the default route, and the prefix stays.
        hv1.tenond.start()
        without = json.loads(json.dumps(DOCUMENT))
        without["routers"] = []
        apply(hv1, without)
        container.until((True, False))
        assert container.asked() == 0
    finally:
        wire.close()
