# SPDX-License-Identifier: BSD-3-Clause
"""Router advertisements that nobody asked for, by the kernel of a container that never asks: by tenond,
while it is dead, and after the data plane alone was started again; what is taken away is told off."""
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
# What is taken away is told within half a second, but three after the last advertisement.
AT_ONCE = 10


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

    def addresses(self):
        """By autoconfiguration: {prefix of 64 bits: is it deprecated?}"""
        found = re.findall(r"inet6 (\S+)::\S+/64 scope global (deprecated )?dynamic",
                           self.run("ip", "-6", "-o", "addr", "show", "eth0"))
        return {prefix: bool(deprecated) for prefix, deprecated in found}

    def until(self, wanted, patience=PATIENCE):
        """A state, or what it is a function of."""
        deadline = time.monotonic() + patience
        while not (wanted() if callable(wanted) else self.state() == wanted):
            assert time.monotonic() < deadline, (self.run("ip", "-6", "addr", "show", "eth0"),
                                                 self.run("ip", "-6", "route"))
            time.sleep(0.05)

    def forget(self):
        self.run("ip", "-6", "addr", "flush", "dev", "eth0", "scope", "global")
        self.run("ip", "-6", "route", "flush", "dev", "eth0", "proto", "ra")
        assert self.state() == (False, False)

    def count(self, what):
        return int(re.search(r"Icmp6%s\s+(\d+)" % what,
                             self.run("cat", "/proc/net/snmp6")).group(1))

    def asked(self):
        return self.count("OutRouterSolicits")

    def heard(self):
        return self.count("InRouterAdvertisements")


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
        container.until((True, False), AT_ONCE)
        assert container.addresses() == {"fd00": False}
        assert container.asked() == 0
    finally:
        wire.close()


def test_what_is_taken_away(lab, hv1):
    """Guests hear it at once, also if who took it away dies with its answer."""
    container = Container(lab)
    document = json.loads(json.dumps(DOCUMENT))
    document["subnets"].append(dict(DOCUMENT["subnets"][0], id="t", cidr="fd00:1::/64",
                                    gateway_ip="fd00:1::1"))
    document["routers"][0]["interfaces"].append({"subnet_id": "t"})
    hv1.start()
    apply(hv1, document)
    container.until((True, True))
    container.until(lambda: container.addresses() == {"fd00": False, "fd00:1": False})
    # One of two prefixes: the other and the router stay.
    heard = container.heard()
    apply(hv1, DOCUMENT)
    kill(hv1.tenond)
    container.until(lambda: container.addresses() == {"fd00": False, "fd00:1": True}, AT_ONCE)
    assert "fd00:1::/64" not in container.run("ip", "-6", "route")
    container.until(lambda: container.heard() == heard + 3, PATIENCE)
    assert container.state() == (True, True)
    # It is there again, and told so.
    hv1.tenond.start()
    apply(hv1, document)
    container.until(lambda: container.addresses() == {"fd00": False, "fd00:1": False}, AT_ONCE)
    # Nothing is advertised any more.
    for subnet in document["subnets"]:
        del subnet["ipv6_address_mode"]
    apply(hv1, document)
    kill(hv1.tenond)
    container.until(lambda: container.addresses() == {"fd00": True, "fd00:1": True}, AT_ONCE)
    assert container.run("ip", "-6", "route", "show", "default") == ""
    assert container.asked() == 0
    hv1.tenond.start()
