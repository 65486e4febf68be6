# SPDX-License-Identifier: BSD-3-Clause
"""Tenants' networks under traffic, by the site of tools/demo without its virtual machines: containers
by AF_XDP and by eBPF, bare metal, a kernel and Open vSwitch as foreign tunnel endpoints, on an
underlay of 9,000 bytes."""
import json
import os
import re
import shutil
import sys
import time

import pytest

from netlab import PYTHON, TOP, kernel_has, takes_large_frames, why_not
from tenon import BUILD

sys.path.insert(0, os.path.join(TOP, "tools", "demo"))
import hosts  # noqa: E402 (found where the demonstration has it)
import matrix  # noqa: E402
from endpoint import Namespace  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = {name: os.path.join(BUILD, path, name) for name, path in (
    ("tenon-dataplane", "dataplane/agent"), ("tenond", "control"), ("tenonctl", "tools/tenonctl"))}
PLACES = [p for p in hosts.PLACES if p[0] != "vm"]
UNDERLAY = 9000 if takes_large_frames() else 3000
MTU = UNDERLAY - 50
OVS = "198.51.100.10"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
PATIENCE = 30


def until(what, limit=PATIENCE):
    """What it gives, once that is something."""
    deadline = time.monotonic() + limit
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Town(hosts.Site):
    """The site, and one more foreign endpoint: Open vSwitch in user space, in red's front network."""

    def __init__(self, folder):
        super().__init__(folder, PROGRAMS, underlay_mtu=UNDERLAY, mtu=MTU, places=PLACES)
        for host in self.document["hosts"]:
            host["underlay_mtu"] = UNDERLAY
        for subnet in self.document["subnets"]:
            if subnet["id"].endswith("-v6"):
                subnet["enable_dhcp"] = True
                subnet["ipv6_address_mode"] = \
                    "dhcpv6-stateful" if "back" in subnet["id"] else "slaac"
        port = hosts.port_of("red", "remote", "far", "front", 91, folder)
        port["id"] = port["name"] = "red-ovs"
        port["binding"]["vtep"] = OVS
        self.document["ports"].append(port)

    def make_endpoint(self, port):
        if port["name"] != "red-ovs":
            return super().make_endpoint(port)
        self.lab.host("red-ovs")
        self.lab.wire("to-ovs", "red-ovs", "wire", UNDERLAY)
        self.lab.ip(None, "link set to-ovs master br0")
        # The outer UDP checksum of the kernel's VXLAN is left to the device, which a veth pair
        # never does, and Open vSwitch drops what has a wrong one.
        self.lab.run("far", "ethtool", "-K", "up0", "tx", "off")
        self.start_ovs(port)
        return Namespace(self.lab, "red-ovs", "red-ovs", "red", "remote", "ovs", port)

    def start_ovs(self, port):
        folder = self.lab.folder + "/ovs"
        os.mkdir(folder)

        def run(*command):
            return self.lab.run("red-ovs", "env", *[name + "=" + folder for name in (
                "OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR")], *command)

        def configure(words):
            return run("ovs-vsctl", "--timeout=%d" % PATIENCE, "--db=unix:%s/db.sock" % folder,
                       *words.split())
        run("ovsdb-tool", "create", folder + "/conf.db", SCHEMA)
        run("ovsdb-server", "--remote=punix:%s/db.sock" % folder, "--detach", "--pidfile",
            "--log-file", folder + "/conf.db")
        configure("--no-wait init")
        run("ovs-vswitchd", "unix:%s/db.sock" % folder, "--disable-system", "--detach",
            "--pidfile", "--log-file")
        configure("add-br phy -- set bridge phy datapath_type=netdev -- add-port phy wire")
        configure("add-br int -- set bridge int datapath_type=netdev other_config:mac-aging-time=300")
        configure("add-port int eth0 -- set interface eth0 type=internal mtu_request=%d" % MTU)
        self.lab.ip("red-ovs", "link set wire up")
        self.lab.addresses("red-ovs", "phy", OVS + "/24")
        self.lab.ip("red-ovs", "link set eth0 address %s\nlink set eth0 up" % port["mac_address"])
        # What came by one tunnel goes into no other, here as on our hosts: foreign endpoints send
        # to each other themselves. The other one is told in make_far_vtep().
        for host, address in list(hosts.HOSTS.items()) + [("far", hosts.FAR)]:
            configure("add-port int %s -- set port %s protected=true -- set interface %s "
                      "type=vxlan options:remote_ip=%s options:local_ip=%s options:key=%d"
                      % (host, host, host, address, OVS, hosts.VNIS["red", "front"]))
        self.ovs = run

    def endpoint(self, name):
        return next(e for e in self.endpoints if e.name == name)


def serve(town, tmp_path_factory, programs=("ovs-vswitchd", "dhclient", "busybox"), missing=None):
    """One of that class, for as long as the fixture is asked for; missing: why it cannot be."""
    missing = why_not() or missing or (None if kernel_has("vxlan id 1 dstport 4789") else
                                       "this kernel has no VXLAN device")
    for program in programs:
        missing = missing or (None if shutil.which(program) else
                              "needs %s; tools/packages test" % program)
    if missing:
        pytest.skip(missing)
    made = town(str(tmp_path_factory.mktemp("town")))
    try:
        made.build()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    yield from serve(Town, tmp_path_factory)


def peers(town, e):
    """Whom it is to reach."""
    return [o for o in town.endpoints if o is not e and o.tenant == e.tenant]


def test_who_reaches_whom(town):
    """Every pair of a tenant by IPv4 and IPv6, ping and HTTP; nothing crosses tenants."""
    found = matrix.measure(town.endpoints)
    assert matrix.is_right(town.endpoints, found), "\n" + matrix.table(town.endpoints, found)
    # By Open vSwitch's own word its packets went by the tunnels.
    flows = town.ovs("ovs-appctl", "dpctl/dump-flows", "netdev@ovs-netdev")
    assert "tnl_push(" in flows, flows


def test_nothing_comes_twice(town):
    """An endpoint that does not learn is told of one host for the gateways' address."""
    for e in town.endpoints:
        for o in peers(town, e):
            said = town.lab.run(e.netns, "ping", "-n", "-c", "3", "-i", "0.01", "-W", "5",
                                o.addresses[0])
            assert "DUP!" not in said, said


PING = """for a in {addresses}; do
for i in 1 2 3 4 5; do
ping -c 1 -W 3 -s {size} {options} $a >/dev/null 2>&1 && echo "came $a" && break;
done;
done"""


def ping_all(town, sizes, options=""):
    """From everybody to everybody of a tenant at once; who got no answer."""
    for e in town.endpoints:
        own = [a for o in peers(town, e) for a in o.addresses]
        e.begin(";\n".join(PING.format(addresses=" ".join(
            a for a in own if (":" in a) == (version == 6)), size=size, options=options)
            for version, size in sizes.items()))
    lost = []
    for e in town.endpoints:
        said = e.end(check=False, limit=120)
        lost += [(e.name, a) for o in peers(town, e) for a in o.addresses
                 if "came %s\n" % a not in said]
    return lost


def test_packets_as_large_as_fit(town):
    """The networks' MTU is the underlay's less the tunnel's 50 bytes; DHCP tells it."""
    assert "mtu %d" % MTU in town.endpoint("red-baremetal-hv1").run("ip link show eth0")
    assert not ping_all(town, {4: MTU - 28, 6: MTU - 48})


def test_fragments(town):
    """Of 20,000 bytes three fragments each way."""
    assert not ping_all(town, {4: 20000, 6: 20000})


@pytest.mark.parametrize("protocol, size", [("tcp", 1 << 20), ("udp", 8000)])
def test_conversations(town, protocol, size):
    """Bytes there and back, between machines of every kind."""
    script = HERE + "/talk.py"
    for client, server in [(e, o) for e in town.endpoints if e.tenant == "red"
                           for o in peers(town, e)]:
        address = server.addresses[(client.name < server.name)]
        listening = town.lab.start(server.netns, PYTHON, script, protocol, "serve", address)
        try:
            assert listening.stdout.readline() == "ready\n", listening.stdout.read()
            town.lab.run(client.netns, PYTHON, script, protocol, "call", address, size)
        finally:
            listening.kill()
            listening.wait()
            listening.stdout.close()


# --- hosts' services, by those who use them ---

def drops(town, host):
    return json.loads(town.hosts[host].ctl("--json", "stats", "drops"))


def test_dhcpv4_by_udhcpc(town):
    e = town.endpoint("red-baremetal-hv2")
    said = e.run("ip addr flush dev eth0 scope global; ip link set eth0 mtu 1400;"
                 "udhcpc -q -n -f -t 10 -T 3 -i eth0 -s %s 2>&1; ip -4 addr show eth0; ip route"
                 % e.dhcp_script)
    assert "lease of %s obtained from 10.0.1.1" % e.addresses[0] in said, said
    assert "inet %s/24" % e.addresses[0] in said and "mtu %d" % MTU in said, said
    assert "default via 10.0.1.1" in said, said
    e.run("ip -6 addr add %s/64 dev eth0; ip -6 route replace default via fd00:0:0:1::1"
          % e.addresses[1])


def test_dhcpv6_by_dhclient(town):
    """A stateful network: the port's own address, by RFC 8415."""
    e = town.endpoint("blue-baremetal-hv1")
    files = town.lab.folder + "/dhclient"
    with open(files + ".sh", "w") as f:
        f.write("#!/bin/sh\nif [ -n \"$new_ip6_address\" ]; then "
                "echo $reason $new_ip6_address/$new_ip6_prefixlen >> %s.got; fi\n" % files)
    os.chmod(files + ".sh", 0o755)
    town.lab.run(e.netns, "dhclient", "-6", "-1", "-v", "-lf", files + ".leases", "-pf",
                 files + ".pid", "-cf", "/dev/null", "-sf", files + ".sh", "eth0", limit=90)
    with open(files + ".got") as f:
        assert "BOUND6 %s/" % e.addresses[1] in f.read()


def test_router_advertisements_by_the_kernel(town):
    """A network of SLAAC: prefix, route and MTU as the kernel of a container takes them."""
    e = town.endpoint("red-container-hv2")
    e.run("sysctl -qw net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.eth0.router_solicitations=-1;"
          "ip -6 route del default; ip link set eth0 down; ip link set eth0 up")

    def told():
        said = town.lab.run(e.netns, "ip", "-6", "-o", "addr", "show", "eth0") + \
            town.lab.run(e.netns, "ip", "-6", "route")
        return "default via fe80::5eff:fe00:101" in said and \
            re.search(r"inet6 fd00::\S+/64 scope global dynamic", said)
    until(told)
    assert town.lab.run(e.netns, "sysctl", "-n", "net.ipv6.conf.eth0.mtu").strip() == str(MTU)
    e.run("sysctl -qw net.ipv6.conf.eth0.accept_ra=0; ip -6 addr add %s/64 dev eth0;"
          "ip -6 route replace default via fd00::1" % e.addresses[1])
    e.run("ip route replace default via 10.0.0.1")


def test_router_advertisements_behind_a_tunnel(town):
    """A machine of a foreign endpoint that never asks: what is new, and what is there no more."""
    e = town.endpoint("red-far")
    document = json.loads(json.dumps(town.document))
    subnet = next(s for s in document["subnets"] if s["id"] == "red-front-v6")
    e.run("ip -6 route del default; sysctl -qw net.ipv6.conf.eth0.router_solicitations=0"
          " net.ipv6.conf.eth0.accept_ra=2")

    def told():
        said = e.run("ip -6 -o addr show eth0; ip -6 route show default")
        found = re.search(r"inet6 fd00::\S+/64 scope global (deprecated )?dynamic", said)
        return found and (bool(found.group(1)), "via fe80::5eff:fe00:101" in said)
    subnet["dns_nameservers"] = ["fd00::53"]
    town.apply(document)
    until(lambda: told() == (False, True))
    del subnet["ipv6_address_mode"]
    town.apply(document)
    until(lambda: told() == (True, False))
    e.run("sysctl -qw net.ipv6.conf.eth0.accept_ra=0; ip -6 addr flush dev eth0 dynamic;"
          "ip -6 route replace default via fd00::1")
    town.apply(town.document)


# --- numbered frames ---

class Counting:
    """Numbered datagrams, a thousand a second, from one to the other."""

    def __init__(self, town, source, sink, port=7778):
        script = HERE + "/numbered.py"
        self.files = "%s/numbers-%s-%s" % (town.lab.folder, source.name, sink.name)
        self.sink = town.lab.start(sink.netns, PYTHON, script, "sink", sink.addresses[0], port,
                                   self.files + ".got")
        assert self.sink.stdout.readline() == "ready\n", self.sink.stdout.read()
        self.source = town.lab.start(source.netns, PYTHON, script, "source",
                                     sink.addresses[0], port, self.files + ".sent")
        assert self.source.stdout.readline() == "ready\n", self.source.stdout.read()

    def sent(self):
        with open(self.files + ".sent", "rb") as f:
            return int.from_bytes(f.read(8), "little")

    def got(self):
        with open(self.files + ".got", "rb") as f:
            data = f.read()
        return {int.from_bytes(data[i:i + 8], "little") for i in range(0, len(data) - 7, 8)}

    def mark(self):
        """A number from which on nothing is on its way any more: it has come, or later ones have."""
        number = self.sent()
        until(lambda: max(self.got(), default=0) >= number)
        return number

    def end(self):
        """Those that did not come of those that were sent before now."""
        last = self.mark()
        got = self.got()
        for child in (self.source, self.sink):
            child.kill()
            child.wait()
            child.stdout.close()
        return [n for n in range(1, last) if n not in got]


def test_a_storm_of_one_tenant_leaves_the_other_alone(town):
    """Frames from ever new addresses, most of them ARP, as fast as they can be sent: what another
    tenant's machines on the same hosts say to each other all arrives."""
    counting = [Counting(town, town.endpoint("red-container-hv1"), town.endpoint(name))
                for name in ("red-baremetal-hv1", "red-container-hv2")]
    said = town.lab.run("blue-container-hv1", PYTHON, HERE + "/numbered.py", "storm", "eth0",
                        "30000", limit=PATIENCE * 4)
    assert said == "sent 30000\n"
    for c in counting:
        until(lambda c=c: c.sent() > 500)
    assert [c.end() for c in counting] == [[], []]


def test_a_port_moves_under_traffic(town):
    """A container goes from hv1 to hv2, with its interface: what is sent before the hosts are told
    and after they have answered arrives; nothing else may be missing. Open vSwitch, which learns,
    hears of it by the announcement."""
    lab, mover = town.lab, town.endpoint("red-container-hv1")
    speakers = [town.endpoint("red-container-hv2"), town.endpoint("red-baremetal-hv1")]
    lab.run("hv2", "ip", "link", "add", "c-moved", "mtu", MTU, "type", "veth", "peer", "name",
            "eth1", "mtu", MTU, "netns", mover.netns)
    lab.run("hv2", "sysctl", "-qw", "net.ipv6.conf.c-moved.disable_ipv6=1")
    lab.ip("hv2", "link set c-moved up")
    town.endpoint("red-ovs").run("ping -c 1 -W 5 " + mover.addresses[0])
    counting = [Counting(town, s, mover, 7778 + i) for i, s in enumerate(speakers)]
    marks = [c.mark() for c in counting]
    # Its second interface takes the place of the first: address, MAC, routes.
    mover.run("ip link set eth1 address %s; ip link set eth1 up; ip addr add %s/24 dev eth1;"
              "ip link set eth0 down; ip addr flush dev eth0; ip route replace default via 10.0.0.1"
              % (mover.mac, mover.addresses[0]))
    moved = json.loads(json.dumps(town.document))
    for port in moved["ports"]:
        if port["name"] == mover.name:
            port["binding"].update(host="hv2", device="c-moved", datapath="afxdp")
    town.apply(moved)
    told = [c.sent() for c in counting]
    for c, since in zip(counting, told):
        until(lambda c=c, since=since: c.sent() > since + 500)
    for c, mark, since in zip(counting, marks, told):
        missing = c.end()
        assert all(mark < n <= since + 1 for n in missing), (mark, since, missing)
    until(lambda: "1 packets received" in town.endpoint("red-ovs").run(
        "ping -c 1 -W 2 " + mover.addresses[0], check=False))
