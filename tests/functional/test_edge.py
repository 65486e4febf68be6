# SPDX-License-Identifier: BSD-3-Clause
"""A small host: no hugepages, no core of its own, nothing that polls (--mode kernel). Its containers
are on a tenant's network with a host that runs the kernel's VXLAN."""
import os
import signal
import sys

import pytest

from dataplane_api import LINK_DOWN, PORT_STATUS, Client
from netlab import TOP, lab  # noqa: F401
from process import Process, child_named
from replaying import config, flow, from_port, output
from tenon import PATIENCE, Tenon

sys.path.insert(0, os.path.join(TOP, "tools", "demo"))
from endpoint import Namespace  # noqa: E402 (found where the demonstration has it)

VNI, FAR, HERE = 700, "198.51.100.1", "198.51.100.2"
RSS_MAX_KB = 60 << 10
# (name, datapath of its port); the rest of them is by the kernel's VXLAN.
CONTAINERS = [("c1", "ebpf"), ("c2", "ebpf"), ("c3", "afxdp")]


def addresses(last):
    return "10.0.0.%d" % last, "fd00::%x" % last


def tenant_port(name, last, **binding):
    return {"id": name, "name": name, "tenant_id": "red", "network_id": "n",
            "mac_address": "02:00:00:00:07:%02x" % last,
            "fixed_ips": [{"ip_address": a} for a in addresses(last)], "binding": binding}


def document():
    return {
        "hosts": [{"id": "edge", "vtep_addresses": [HERE]}],
        "networks": [{"id": "n", "tenant_id": "red", "vni": VNI}],
        "subnets": [{"id": "n4", "tenant_id": "red", "network_id": "n", "cidr": "10.0.0.0/24",
                     "gateway_ip": "10.0.0.1", "enable_dhcp": True},
                    {"id": "n6", "tenant_id": "red", "network_id": "n", "cidr": "fd00::/64",
                     "gateway_ip": "fd00::1", "enable_dhcp": False}],
        "routers": [{"id": "r", "tenant_id": "red", "interfaces": [
            {"subnet_id": "n4"}, {"subnet_id": "n6"}]}],
        "ports": [tenant_port(name, 11 + i, kind="container", host="edge", device="veth-" + name,
                              datapath=datapath)
                  for i, (name, datapath) in enumerate(CONTAINERS)]
        + [tenant_port("far", 90, kind="remote", vtep=FAR)]}


class Edge:
    def __init__(self, lab, folder):
        self.lab = lab
        self.tenon = Tenon(folder, lab=lab, config={"host": "edge"}, dataplane_options=[
            "--mode", "kernel", "--memory", "8", "--sessions", "65536"])
        self.endpoints = [self.container(p) for p in document()["ports"][:-1]]
        self.endpoints.append(self.far_host(document()["ports"][-1]))

    def container(self, port):
        name = port["id"]
        self.lab.host(name)
        self.lab.wire("veth-" + name, name)
        self.lab.ip(name, "link set eth0 address %s up" % port["mac_address"])
        return Namespace(self.lab, name, name, "red", "container", "edge", port)

    def far_host(self, port):
        lab = self.lab
        lab.host("far")
        lab.ip(None, "link add up0 type veth peer name eth1 netns far")
        lab.addresses(None, "up0", HERE + "/24")
        lab.addresses("far", "eth1", FAR + "/24")
        lab.ip("far", """link add eth0 type vxlan id %d local %s remote %s dstport 4789
            link set eth0 address %s mtu 1450""" % (VNI, FAR, HERE, port["mac_address"]))
        return Namespace(lab, "far", "far", "red", "remote", "far", port)

    def start(self):
        self.tenon.start()
        api = self.tenon.client()
        answer = api.post("/v1/ports", {"number": 1, "name": "underlay", "type": "kernel-underlay",
                                        "options": {"address": HERE}})
        assert answer.status == 201, answer
        answer = api.put("/v1/config", dict(document(), ports=document()["ports"] + [
            {"number": 1, "name": "underlay", "type": "kernel-underlay",
             "options": {"address": HERE}}]), headers={"If-Match": "*"})
        assert answer.status == 200, answer
        for e in self.endpoints:
            v4, v6 = e.addresses
            if e.kind == "container":
                e.dhcp()
            else:
                e.run("ip addr add %s/24 dev eth0; ip link set eth0 up" % v4)
            e.run("ip -6 addr add %s/64 dev eth0" % v6)
            assert v4 in e.run("ip addr show dev eth0")
        return self

    def all_pairs(self):
        for e in self.endpoints:
            for o in self.endpoints:
                for address in o.addresses if o is not e else ():
                    self.lab.ping(e.name, address, count=2)

    def process(self):
        return Process(child_named(self.tenon.dataplane.process.pid, "tenon-dataplane"))


@pytest.fixture
def edge(lab, tmp_path):  # noqa: F811
    made = Edge(lab, tmp_path)
    yield made.start()
    made.tenon.close()


def test_a_tenants_network(edge):
    """DHCP, ARP and ND by the switch, ping between all by IPv4 and IPv6, TCP with large frames; and
    then nothing, which takes nothing."""
    lab = edge.lab
    edge.all_pairs()
    for server, client in (("c2", "c1"), ("c3", "c1"), ("far", "c1"), ("c1", "far"), ("far", "c3")):
        address = next(e.addresses[0] for e in edge.endpoints if e.name == server)
        lab.talk(server, client, address, "tcp", 4 << 20)
    lab.ping("c1", "10.0.0.1")  # the gateway is in the data plane
    lab.ping("c3", "fd00::1")
    process = edge.process()
    process.await_idle()
    assert process.rss_kb() < RSS_MAX_KB, process.rss_kb()
    # Woken by a packet it is there again, and sleeps again.
    edge.all_pairs()
    process.await_idle()


def test_killed_and_back(edge):
    """What it had to do it does again, by events again."""
    os.kill(edge.process().pid, signal.SIGKILL)
    edge.tenon.dataplane.wait()
    edge.tenon.dataplane.start()
    edge.all_pairs()
    edge.process().await_idle()


def veth(number, datapath):
    return {"number": number, "name": "veth%d" % number, "type": "veth",
            "options": {"datapath": datapath}}


def test_links_are_told(lab):  # noqa: F811
    """Nothing looks at links, so that the kernel must have told of the change."""
    for i, datapath in ((1, "ebpf"), (2, "afxdp")):
        lab.host("c%d" % i)
        lab.wire("veth%d" % i, "c%d" % i)
        lab.addresses("c%d" % i, "eth0", "10.0.0.%d/24" % i)
    tap = {"number": 3, "name": "tap3", "type": "tap"}
    lab.start_switch(config([veth(1, "ebpf"), veth(2, "afxdp"), tap],
                            [flow(1, [from_port(1)], [output(2)]),
                             flow(1, [from_port(2)], [output(1)])]),
                     "--mode", "kernel", memory=8, socket=lab.folder + "/sock")
    lab.ping("c1", "10.0.0.2")
    client = Client(lab.folder + "/sock")
    client.subscribe(PORT_STATUS)

    def told(number, down):
        while True:
            _, told_of, state = client.port_status(PATIENCE)
            if told_of == number and bool(state & LINK_DOWN) == down:
                return
    for _ in range(3):
        for number in (1, 2):
            lab.ip("c%d" % number, "link set eth0 down")
            told(number, True)
            lab.ip("c%d" % number, "link set eth0 up")
            told(number, False)
        lab.ip(None, "link set tap3 down")
        told(3, True)
        lab.ip(None, "link set tap3 up")
        told(3, False)
    lab.ping("c1", "10.0.0.2")
    lab.ip(None, "link del veth2")
    told(2, True)
    client.close()
    lab.stop_switch()


def test_a_nic_of_dpdk_is_refused(lab):  # noqa: F811
    """It would have to be polled; the rest goes on."""
    lab.start_switch({"ports": [], "flows": []}, "--mode", "kernel", memory=8,
                     socket=lab.folder + "/sock")
    client = Client(lab.folder + "/sock")
    with pytest.raises(Exception, match="has to be polled"):
        client.port_add(1, "nic", "dpdk", devargs="net_null0")
    client.port_add(2, "tap2", "tap")
    client.close()
    lab.stop_switch()
