# SPDX-License-Identifier: BSD-3-Clause
"""Addresses, routes and neighbours below a tunnel change by the socket while tenants talk; flows
spread over next hops of equal cost."""
import json
import re

import pytest

from dataplane_api import Client
from netlab import PYTHON, kernel_has, lab  # noqa: F401
from replaying import config, flow, from_port, output

LOCAL, REMOTE = "203.0.113.2", "203.0.113.1"
OURS = {1: "198.51.100.2", 2: "198.51.100.130"}
THEIRS = {1: "198.51.100.1", 2: "198.51.100.129"}
NO_NEIGHBOUR, NO_ROUTE = 29, 28  # of drops.def
# Its argument: how many flows of one datagram each.
MANY_FLOWS = """
import socket, sys
for i in range(int(sys.argv[1])):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 20000 + i))
    s.sendto(b"x", ("10.0.0.1", 9))
"""


class Site:
    """A container, two uplinks to another host, and the tunnel's ends on neither wire."""

    def __init__(self, lab):
        self.lab = lab
        lab.host("far")
        for n in (1, 2):
            lab.wire("up%d" % n, "far", theirs="eth%d" % n)
            lab.addresses("far", "eth%d" % n, THEIRS[n] + "/25")
            lab.ip("far", "neigh add %s lladdr %s dev eth%d"
                   % (OURS[n], lab.mac(None, "up%d" % n), n))
        lab.run("far", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
                "net.ipv4.conf.eth1.rp_filter=0", "net.ipv4.conf.eth2.rp_filter=0")
        lab.ip("far", """addr add %s/32 dev lo
            route add %s/32 via %s
            link add vx0 type vxlan id 100 local %s remote %s dstport 4789"""
               % (REMOTE, LOCAL, OURS[1], REMOTE, LOCAL))
        lab.addresses("far", "vx0", "10.0.0.1/24")
        lab.host("c2")
        lab.wire("veth3", "c2", mtu=1450)
        lab.addresses("c2", "eth0", "10.0.0.2/24")
        self.macs = {n: lab.mac("far", "eth%d" % n) for n in (1, 2)}
        document = config(
            [{"number": n, "name": "up%d" % n, "type": "veth"} for n in (1, 2)]
            + [{"number": 3, "name": "veth3", "type": "veth"},
               {"number": 10, "name": "vtep", "type": "vxlan",
                "options": {"local": LOCAL, "remote": REMOTE, "vni": 100}}],
            [flow(1, [from_port(3)], [output(10)]), flow(1, [from_port(10)], [output(3)])])
        lab.start_switch(document, "--workers", "0,1", socket=lab.folder + "/sock")
        self.client = Client(lab.folder + "/sock")

    def set(self, hops=(1, 2), neighbours=(1, 2), local=True):
        addresses = [{"address": OURS[n] + "/25", "mac": self.lab.mac(None, "up%d" % n), "port": n}
                     for n in (1, 2)]
        if local:
            addresses.append({"address": LOCAL + "/32", "mac": "02:00:00:00:00:00", "port": 0})
        self.client.set_underlay(
            addresses=addresses, routes=[(REMOTE + "/32", THEIRS[n], n) for n in hops],
            neighbours=[{"address": THEIRS[n], "mac": self.macs[n], "port": n}
                        for n in neighbours])

    def sent(self):
        ports = self.client.ports()
        return {n: ports[n]["tx"] for n in (1, 2)}

    def flows(self, n):
        """What each uplink sent for that many flows of one datagram."""
        before = self.sent()
        self.lab.run("c2", PYTHON, "-c", MANY_FLOWS, str(n))
        self.lab.ping("c2", "10.0.0.1", count=1)  # behind them
        return {k: v - before[k] for k, v in self.sent().items()}


@pytest.fixture
def site(lab):  # noqa: F811
    if not kernel_has("vxlan id 1 dstport 4789"):
        pytest.skip("this kernel has no VXLAN device")
    made = Site(lab)
    made.set()
    lab.ping("c2", "10.0.0.1", count=1)
    yield made
    made.client.close()


def test_flows_spread(site):
    """Many flows by both ways, one flow by one."""
    sent = site.flows(200)
    assert min(sent.values()) > 50, sent
    before = site.sent()
    site.lab.talk("far", "c2", "10.0.0.1", "tcp", 1 << 20)
    sent = sorted(v - before[k] for k, v in site.sent().items())
    assert sent[0] < 10 and sent[1] > 100, sent
    site.lab.stop_switch()
    # What goes into tunnels does not cost what comes out of them its sessions.
    with open(site.lab.folder + "/stats.json") as f:
        workers = json.load(f)["workers"]
    assert sum(w["hits"] for w in workers) > 500
    assert sum(w["uncached"] for w in workers) == 0, workers


def test_next_hops_change(site):
    """A way is taken out and put in again under traffic: nothing is lost, and at once all flows go
    by the other."""
    lab = site.lab
    stream = lab.start("c2", "ping", "-n", "-q", "-i", "0.002", "-c", "1000", "-w", "60",
                       "10.0.0.1")
    for _ in range(3):
        for hops in ((1,), (2,), (1, 2)):
            site.set(hops=hops)
            sent = site.flows(60)
            for n in (1, 2):
                assert (sent[n] > 10) == (n in hops), (hops, sent)
    out, _ = stream.communicate(timeout=90)
    assert " 0% packet loss" in out, out
    lab.stop_switch()


@pytest.mark.parametrize("change, port, reason", [
    (dict(neighbours=()), 3, NO_NEIGHBOUR),
    (dict(hops=()), 3, NO_ROUTE),
])
def test_what_is_missing_is_counted(site, change, port, reason):
    """And all is well once it is back."""
    site.set(**change)
    out = site.lab.run("c2", "ping", "-n", "-c", "5", "-i", "0.05", "-W", "1", "10.0.0.1",
                       check=False)
    assert re.search(r" 0 received", out), out
    assert site.client.ports()[port]["drops"].get(reason, 0) >= 5
    site.set()
    site.lab.ping("c2", "10.0.0.1")
    site.lab.stop_switch()


def test_an_address_goes(site):
    """What comes for an address that is ours no more is no tunnel's."""
    site.set(local=False)
    before = site.client.ports()[10]["rx"]
    site.lab.run("far", "ping", "-n", "-c", "5", "-i", "0.05", "-W", "1", "10.0.0.2", check=False)
    assert site.client.ports()[10]["rx"] == before
    site.set()
    site.lab.ping("far", "10.0.0.2")
    site.lab.stop_switch()
