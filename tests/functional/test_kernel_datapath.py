# SPDX-License-Identifier: BSD-3-Clause
"""Containers on eBPF ports: the first packet of a kind goes through the data plane, the others are
handled by the kernel."""
import json
import os
import re
import time

import pytest

import dataplane_api
from netlab import DATAPLANE, PYTHON, lab  # noqa: F401
from replaying import config, flow, from_port, output

HERE_FOLDER = os.path.dirname(os.path.abspath(__file__))
TCP_BYTES = 16 << 20


def containers(lab, n=2):
    for i in range(1, n + 1):
        lab.host("c%d" % i)
        lab.wire("veth%d" % i, "c%d" % i)
        lab.addresses("c%d" % i, "eth0", "10.0.0.%d/24" % i, "fd00::%d/64" % i)


def port(i, **options):
    return {"number": i, "name": "veth%d" % i, "type": "veth",
            "options": dict({"datapath": "ebpf"}, **options)}


def by_mac(lab, n=2):
    """Unicast to who has the address, all else to everybody."""
    return [flow(2, [{"type": "ETH_DST", "mac": lab.mac("c%d" % i, "eth0")}], [output(i)])
            for i in range(1, n + 1)] + \
        [flow(1, [from_port(i)], [output(o) for o in range(1, n + 1) if o != i])
         for i in range(1, n + 1)]


def read_sent(lab, device):
    out = lab.run(None, "ip", "-s", "-j", "link", "show", device)
    return json.loads(out)[0]["stats64"]["tx"]["packets"]


def read_tap(lab, number):
    """Frames that went up to the data plane by a port."""
    return read_sent(lab, "tn%d" % number)


def wait_for_sessions(lab):
    """Until a ping is handled by the kernel alone."""
    deadline = time.monotonic() + 30
    while True:
        before = read_tap(lab, 1)
        lab.run("c1", "ping", "-c", "1", "-W", "2", "10.0.0.2", check=False)
        if read_tap(lab, 1) == before:
            return
        assert time.monotonic() < deadline, lab.log()


def test_same_host(lab):
    containers(lab)
    lab.start_switch(config([port(1), port(2)], by_mac(lab)))
    lab.ping("c1", "10.0.0.2")
    lab.ping("c1", "fd00::2")
    lab.talk("c2", "c1", "10.0.0.2", "tcp", TCP_BYTES)
    lab.talk("c2", "c1", "fd00::2", "tcp", TCP_BYTES)
    lab.talk("c2", "c1", "10.0.0.2", "udp", 1400)
    lab.talk("c2", "c1", "10.0.0.2", "udp-large", 1400)
    lab.talk("c2", "c1", "fd00::2", "udp-large", 1400)
    wait_for_sessions(lab)
    up, sent = read_tap(lab, 1), read_sent(lab, "veth2")
    lab.run("c1", "ping", "-c", "200", "-i", "0.002", "10.0.0.2")
    assert read_tap(lab, 1) - up < 5
    # Straight to the other end.
    assert read_sent(lab, "veth2") - sent < 5
    ports = lab.stop_switch()
    # What the kernel handled is in the counters of the ports.
    for name in ("veth1", "veth2"):
        assert ports[name]["rx_packets"] > 400 and ports[name]["tx_packets"] > 400, ports
        assert ports[name]["rx_bytes"] > 2 * TCP_BYTES
        assert not ports[name]["wire_rx_errors"] and not ports[name]["wire_tx_errors"], ports
    assert abs(ports["veth1"]["rx_packets"] - ports["veth2"]["tx_packets"]) < 20, ports


def test_where_the_other_end_is(lab):
    """In the host's own namespace, as the host's way into the network; moved, and moved back."""
    containers(lab, 1)
    lab.host("c2")
    lab.run(None, "ip", "link", "add", "veth2", "type", "veth", "peer", "name", "own2")
    lab.ip(None, "link set veth2 up")
    lab.addresses(None, "own2", "10.0.0.2/24", "fd00::2/64")
    flows = [flow(1, [from_port(i)], [output(3 - i)]) for i in (1, 2)]
    lab.start_switch(config([port(1), port(2)], flows), socket=lab.folder + "/socket")
    # The host answers itself who asks before the port is one.
    dataplane_api.Client(lab.folder + "/socket").close()
    lab.ping("c1", "10.0.0.2")
    wait_for_sessions(lab)
    lab.talk(None, "c1", "10.0.0.2", "tcp", TCP_BYTES)
    lab.talk("c1", None, "fd00::1", "tcp", TCP_BYTES)
    lab.run(None, "ip", "link", "set", "own2", "netns", "c2")
    lab.addresses("c2", "own2", "10.0.0.2/24", "fd00::2/64")
    lab.ping("c1", "10.0.0.2")
    wait_for_sessions(lab)
    lab.talk("c2", "c1", "10.0.0.2", "tcp", TCP_BYTES)
    lab.run("c2", "ip", "link", "set", "own2", "netns", "1")
    lab.addresses(None, "own2", "10.0.0.2/24", "fd00::2/64")
    lab.ping("c1", "10.0.0.2")
    wait_for_sessions(lab)
    lab.talk(None, "c1", "10.0.0.2", "tcp", TCP_BYTES)


def test_large_frames_stay_whole(lab):
    """As many bytes in as few frames as the sender made of them."""
    containers(lab)
    lab.start_switch(config([port(1), port(2)], by_mac(lab)))
    lab.talk("c2", "c1", "10.0.0.2", "tcp", TCP_BYTES)
    ports = lab.stop_switch()
    frames = ports["veth1"]["rx_packets"]
    assert ports["veth1"]["rx_bytes"] / frames > 4000, ports


def test_to_a_port_of_another_kind(lab):
    """The data plane carries what the kernel cannot."""
    containers(lab)
    other = {"number": 2, "name": "veth2", "type": "veth"}
    lab.start_switch(config([port(1), other], by_mac(lab)))
    lab.ping("c1", "10.0.0.2")
    lab.talk("c2", "c1", "10.0.0.2", "tcp", TCP_BYTES)
    lab.talk("c1", "c2", "fd00::1", "tcp", TCP_BYTES)
    ports = lab.stop_switch()
    assert ports["veth1"]["rx_bytes"] > TCP_BYTES and ports["veth2"]["tx_bytes"] > TCP_BYTES


TAKE_ALL = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.0.0.2", 9))
print("ready", flush=True)
while True:
    s.recv(2000)
"""
SEND_MANY = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(int(sys.argv[1])):
    s.sendto(b"many", ("10.0.0.2", 9))
"""


def test_learning_and_limits(lab):
    """What learns and what has a limit of its own is handled by the kernel, too; longer packets go
    where the rules say."""
    containers(lab)
    learn = [{"type": "LEARN", "limit": 8},
             {"type": "IF_LONGER", "maxLen": 1000, "instructions": []}, {"type": "FDB"}]
    flood = [output(1), output(2)]
    group = {"type": "ETH_DST", "mac": "ff:ff:ff:ff:ff:ff"}
    lab.start_switch(config([port(1), port(2)],
                            [flow(2, [group], learn[:1] + flood), flow(1, [], learn)]))
    lab.ping("c1", "10.0.0.2")
    wait_for_sessions(lab)
    up = read_tap(lab, 1)
    lab.run("c1", "ping", "-c", "200", "-i", "0.002", "10.0.0.2")
    assert read_tap(lab, 1) - up < 5
    lost = lab.run("c1", "ping", "-c", "3", "-i", "0.1", "-s", "1100", "-M", "do", "-W", "1",
                   "10.0.0.2", check=False)
    assert " 0 received" in lost, lost
    lab.stop_switch()


def test_a_meter_of_the_kernel(lab):
    """Policed where the packets are; what it dropped is in the counters of its port."""
    containers(lab)
    flows = by_mac(lab)
    flows += [flow(3, [from_port(1), {"type": "ETH_TYPE", "ethType": "0x800"},
                       {"type": "IP_PROTO", "protocol": 17}],
                   [{"type": "L2MODIFICATION", "subtype": "TUNNEL_ID", "tunnelId": 77},
                    {"type": "TABLE", "tableId": 1}]),
              flow(3, [], [{"type": "METER", "meterId": 1}, output(2)], tableId=1)]
    meter = {"index": 1, "unit": "PKTS_PER_SEC", "burst": True,
             "bands": [{"type": "DROP", "rate": 1, "burstSize": 50}]}
    lab.start_switch(config([port(1), port(2)], flows, meters=[meter]))
    lab.ping("c1", "10.0.0.2")
    wait_for_sessions(lab)
    taker = lab.start("c2", PYTHON, "-c", TAKE_ALL)
    assert taker.stdout.readline() == "ready\n"
    # One that makes the session: the kernel has it when nothing of a second comes up.
    deadline = time.monotonic() + 30
    while True:
        up = read_tap(lab, 1)
        lab.run("c1", PYTHON, "-c", SEND_MANY, "1")
        if read_tap(lab, 1) == up:
            break
        assert time.monotonic() < deadline
    up = read_tap(lab, 1)
    lab.run("c1", PYTHON, "-c", SEND_MANY, "500")
    assert read_tap(lab, 1) - up < 5
    taker.kill()
    taker.wait()
    taker.stdout.close()
    ports = lab.stop_switch()
    assert ports["veth1"]["dropped"]["meter"] > 300, ports
    assert lab.network_drops["77"] == {"meter": ports["veth1"]["dropped"]["meter"]}
    assert ports["veth1"]["rx_packets"] - ports["veth2"]["tx_packets"] > 300, ports


MANY_FLOWS = """
import socket, sys
for port in (1001, 1002):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.0.0.1", port))
    for to in range(1, 65536):
        s.sendto(b"one of many", ("10.0.0.2", to))
"""


def test_more_sessions_than_the_kernel_has_room_for(lab):
    """The others go by the data plane, as their packets do; it is counted and said."""
    containers(lab)
    told_apart = flow(3, [from_port(1), {"type": "ETH_TYPE", "ethType": "0x800"},
                          {"type": "IP_PROTO", "protocol": 17}, {"type": "UDP_DST", "udpPort": 7}],
                      [{"type": "NOACTION"}])
    lab.start_switch(config([port(1), port(2)], by_mac(lab) + [told_apart]))
    lab.ping("c1", "10.0.0.2")
    deadline = time.monotonic() + 120
    while "which are all taken" not in lab.log():
        assert time.monotonic() < deadline, lab.log()
        lab.run("c1", PYTHON, "-c", MANY_FLOWS)
    lab.talk("c2", "c1", "10.0.0.2", "udp", 1400)
    lab.talk("c2", "c1", "10.0.0.2", "tcp", 1 << 20)
    lab.ping("c1", "fd00::2")
    lab.stop_switch()
    with open(lab.folder + "/stats.json") as f:
        kernel = json.load(f)["kernel"]
    assert kernel["sessions"] > 60000 and kernel["no_room"] > 0, kernel
    assert kernel["misses"] > kernel["sessions"] and kernel["hits"] > 0, kernel


def test_other_programs_are_left_alone(lab):
    containers(lab)
    lab.run(None, "tc", "qdisc", "add", "dev", "veth1", "clsact")
    lab.run(None, "tc", "filter", "add", "dev", "veth1", "ingress", "prio", "9", "bpf",
            "bytecode", "1,6 0 0 0,", "flowid", "1:1")
    lab.start_switch(config([port(1), port(2)], by_mac(lab)))
    lab.ping("c1", "10.0.0.2")
    shown = lab.run(None, "tc", "filter", "show", "dev", "veth1", "ingress")
    assert "pref 9 bpf" in shown, shown
    lab.stop_switch()
    shown = lab.run(None, "tc", "filter", "show", "dev", "veth1", "ingress")
    assert "pref 9 bpf" in shown, shown
    assert not re.search(r"\btn1\b", lab.run(None, "ip", "link"))


def test_without_the_programs(lab):
    """What cannot be kept where it is to be: the ports work by AF_XDP, and it is said."""
    state = lab.folder + "/state"
    lab.run(None, "mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
    taken = "/sys/fs/bpf/tenon" + os.path.realpath(state).replace("/", "-").replace(".", "-")
    lab.run(None, "mkdir", "-p", taken + "/another")
    containers(lab)
    lab.start_switch(config([port(1), port(2)], by_mac(lab)), "--state", state)
    lab.ping("c1", "10.0.0.2")
    lab.talk("c2", "c1", "10.0.0.2", "tcp", 1 << 20)
    assert "port veth1 goes by AF_XDP" in lab.log(), lab.log()
    lab.stop_switch()


def test_an_interface_vanishes(lab):
    containers(lab, 3)
    lab.start_switch(config([port(i) for i in (1, 2, 3)], by_mac(lab, 3)))
    lab.ping("c1", "10.0.0.2")
    lab.ping("c1", "10.0.0.3")
    wait_for_sessions(lab)
    lab.ip(None, "link del veth2")
    lab.ping("c1", "10.0.0.3")
    lost = lab.run("c1", "ping", "-c", "2", "-i", "0.1", "-W", "1", "10.0.0.2", check=False)
    assert " 0 received" in lost, lost
    lab.ping("c1", "10.0.0.3")
    lab.stop_switch()


SEND_VXLAN = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(bytes.fromhex("0800000000006400" + "020000000009" + "020000000001" + "0800") + bytes(46),
         (sys.argv[1], 4789))
"""
TAKE_VXLAN = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 4789))
s.settimeout(30)
print("ready", flush=True)
print(s.recv(2000).hex(), flush=True)
"""


def test_what_a_container_forges(lab):
    """Another's MAC or address is dropped and counted, known sessions or not; VXLAN of a container's
    own is bytes for whom it sends them to."""
    containers(lab)
    own = [[from_port(i), {"type": "ETH_SRC", "mac": lab.mac("c%d" % i, "eth0")}] for i in (1, 2)]
    flows = [flow(10, own[i] + [{"type": "ETH_TYPE", "ethType": "0x800"},
                                {"type": "IPV4_SRC", "ip": "10.0.0.%d/32" % (i + 1)}],
                  [{"type": "TABLE", "tableId": 1}]) for i in range(2)] + \
            [flow(10, own[i] + [{"type": "ETH_TYPE", "ethType": "0x806"},
                                {"type": "ARP_SPA", "ip": "10.0.0.%d" % (i + 1)}],
                  [{"type": "TABLE", "tableId": 1}]) for i in range(2)] + \
            [flow(0, [], [{"type": "L2MODIFICATION", "subtype": "TUNNEL_ID", "tunnelId": 78},
                          {"type": "TABLE", "tableId": 2}]),
             flow(0, [], [{"type": "NOACTION"}], tableId=2)] + \
            [dict(f, tableId=1) for f in by_mac(lab)]
    lab.start_switch(config([port(1), port(2)], flows))
    lab.ping("c1", "10.0.0.2")
    wait_for_sessions(lab)
    taker = lab.start("c2", PYTHON, "-c", TAKE_VXLAN)
    assert taker.stdout.readline() == "ready\n"
    lab.run("c1", PYTHON, "-c", SEND_VXLAN, "10.0.0.2")
    assert taker.stdout.readline().startswith("08000000000064000200000000")
    taker.wait()
    taker.stdout.close()
    mac = lab.mac("c1", "eth0")
    lab.ip("c1", "addr add 10.0.0.77/24 dev eth0")

    def is_lost(*options):
        out = lab.run("c1", "ping", "-c", "2", "-i", "0.1", "-W", "1", *options, "10.0.0.2",
                      check=False)
        assert " 0 received" in out, out
    is_lost("-I", "10.0.0.77")
    lab.ip("c1", "link set eth0 address 02:00:00:00:00:66")
    is_lost()
    lab.ip("c1", "link set eth0 address " + mac)
    lab.ping("c1", "10.0.0.2")
    dropped = [p["dropped"].get("no_action", 0) for p in lab.stop_switch().values()]
    assert dropped[0] >= 4, dropped
    assert lab.network_drops["78"] == {"no_action": sum(dropped)}, lab.network_drops


# --- across hosts: the uplink is the kernel's ---

VNI = 100
FAR = {4: "198.51.100.1", 6: "2001:db8:ffff::1"}
HERE = {4: "198.51.100.2", 6: "2001:db8:ffff::2"}
OVERHEAD = {4: 50, 6: 70}
PREFIX = {4: 24, 6: 64}


def far_host(lab, version, more=""):
    """Another host with the kernel's own VXLAN; a wire between the two hosts' stacks."""
    lab.host("far")
    lab.run(None, "ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns",
            "far")
    lab.addresses(None, "up0", "%s/%d" % (HERE[version], PREFIX[version]))
    lab.addresses("far", "eth0", "%s/%d" % (FAR[version], PREFIX[version]))
    zero = "udp6zerocsumtx udp6zerocsumrx" if version == 6 else more
    lab.ip("far", "link add vx0 type vxlan id %d local %s remote %s dstport 4789 %s"
           % (VNI, FAR[version], HERE[version], zero))
    lab.ip("far", "link set vx0 mtu %d" % (1500 - OVERHEAD[version]))
    lab.addresses("far", "vx0", "10.0.0.9/24", "fd00::9/64")


def underlay(version, **options):
    key = "address" if version == 4 else "address6"
    return [{"number": 50, "name": "underlay", "type": "kernel-underlay",
             "options": dict({key: HERE[version]}, **options)},
            {"number": 10, "name": "vtep", "type": "vxlan",
             "options": {"local": HERE[version], "remote": FAR[version], "vni": VNI}}]


def read_tunnel(lab):
    return read_sent(lab, "tnt50")


@pytest.mark.parametrize("version", [4, 6])
def test_to_another_host(lab, version):
    containers(lab, 1)
    lab.ip("c1", "link set eth0 mtu %d" % (1500 - OVERHEAD[version]))
    far_host(lab, version)
    lab.start_switch(config([port(1)] + underlay(version),
                            [flow(1, [from_port(1)], [output(10)]),
                             flow(1, [from_port(10)], [output(1)])]))
    lab.ping("c1", "10.0.0.9")
    lab.ping("c1", "fd00::9")
    lab.talk("far", "c1", "10.0.0.9", "tcp", TCP_BYTES)
    lab.talk("c1", "far", "10.0.0.1", "tcp", TCP_BYTES)
    lab.talk("far", "c1", "fd00::9", "udp", 1300)
    for kind in "udp", "udp-large":
        lab.talk("far", "c1", "10.0.0.9", kind, 1300)
        lab.talk("c1", "far", "fd00::1", kind, 1300)
    up, tunnel = read_tap(lab, 1), read_tunnel(lab)
    lab.run("c1", "ping", "-c", "200", "-i", "0.002", "10.0.0.9")
    assert read_tap(lab, 1) - up < 10 and read_tunnel(lab) - tunnel < 10
    ports = lab.stop_switch()
    assert ports["vtep"]["tx_bytes"] > TCP_BYTES and ports["vtep"]["rx_bytes"] > TCP_BYTES, ports
    assert ports["veth1"]["rx_bytes"] / ports["veth1"]["rx_packets"] > 1400, ports
    assert "tnvx50" not in lab.run(None, "ip", "link")


def read_device(lab):
    out = lab.run(None, "ip", "-s", "-j", "link", "show", "tnvx50")
    return json.loads(out)[0]["stats64"]["rx"]["packets"]


def test_short_way_from_an_uplink(lab):
    """Where the uplink is named, what has a session does not even come to the VXLAN device."""
    containers(lab, 1)
    lab.ip("c1", "link set eth0 mtu 1450")
    far_host(lab, 4, "noudpcsum")
    lab.start_switch(config([port(1)] + underlay(4, uplink="up0"),
                            [flow(1, [from_port(1)], [output(10)]),
                             flow(1, [from_port(10)], [output(1)])]))
    lab.ping("c1", "10.0.0.9")
    lab.talk("far", "c1", "10.0.0.9", "tcp", TCP_BYTES)
    lab.talk("c1", "far", "10.0.0.1", "tcp", TCP_BYTES)
    lab.talk("c1", "far", "10.0.0.1", "udp", 1300)
    deadline = time.monotonic() + 30
    while True:
        before = read_device(lab)
        lab.run("c1", "ping", "-c", "50", "-i", "0.002", "10.0.0.9")
        if read_device(lab) - before < 5:
            break
        assert time.monotonic() < deadline
    # The host's own goes on as ever.
    lab.run("far", "ping", "-c", "3", "-i", "0.1", HERE[4])
    ports = lab.stop_switch()
    assert ports["vtep"]["rx_bytes"] > TCP_BYTES and not ports["underlay"]["wire_rx_errors"], ports


def test_guard_at_an_uplink(lab):
    """Forged VXLAN does not even come to the VXLAN device; it is counted and said."""
    containers(lab, 1)
    lab.ip("c1", "link set eth0 mtu 1450")
    far_host(lab, 4)
    lab.ip("far", """addr add 198.51.100.9/24 dev eth0
        link add vx1 type vxlan id 101 local 198.51.100.1 remote 198.51.100.2 dstport 4789
        link add vx2 type vxlan id 102 local 198.51.100.9 remote 198.51.100.2 dstport 4789""")
    lab.addresses("far", "vx1", "10.0.1.9/24")
    lab.addresses("far", "vx2", "10.0.2.9/24")
    lab.start_switch(config([port(1)] + underlay(4, uplink="up0", guard=True),
                            [flow(1, [from_port(1)], [output(10)]),
                             flow(1, [from_port(10)], [output(1)])]))
    lab.ping("c1", "10.0.0.9")
    before = read_device(lab)
    for address in ("10.0.1.1", "10.0.2.1"):
        lab.run("far", "ping", "-c", "3", "-i", "0.1", "-W", "1", address, check=False)
    came = read_device(lab) - before
    lab.ping("c1", "10.0.0.9")
    dropped = lab.stop_switch()["underlay"]["dropped"]
    assert dropped["vxlan_unknown_vni"] >= 1 and dropped["vxlan_unknown_peer"] >= 1, dropped
    assert came < 3 and "is refused" in lab.log(), (came, lab.log())
    assert "xdp" not in lab.run(None, "ip", "link", "show", "up0")


# --- from one process to the next ---

def attached(lab, device):
    """Programs at an interface's way in."""
    return int(lab.run(None, PYTHON, os.path.join(HERE_FOLDER, "tcx.py"), device))


def pins(lab):
    return lab.run(None, "find", "/sys/fs/bpf", "-path", "*tenon*").split()


class Pump:
    """One TCP connection that is never silent: 4 KB there and back, again and again."""

    def __init__(self, lab, server, client, address):
        self.lab = lab
        self.server = lab.start(server, PYTHON, HERE_FOLDER + "/talk.py", "tcp", "serve", address)
        assert self.server.stdout.readline() == "ready\n"
        self.client = lab.start(client, PYTHON, HERE_FOLDER + "/talk.py", "tcp", "pump", address)

    def goes_on(self, rounds=200):
        """That many more come back, in what is left of the connection's patience."""
        for _ in range(rounds):
            assert self.client.stdout.readline() == "back\n", self.lab.log()

    def close(self):
        for child in (self.client, self.server):
            child.kill()
            child.wait()
            child.stdout.close()


@pytest.fixture
def kept(lab):
    """A switch with a state folder, a far host and a connection to it that uses the kernel alone."""
    lab.run(None, "mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
    containers(lab, 2)
    lab.ip("c1", "link set eth0 mtu 1450")
    far_host(lab, 4, "noudpcsum")
    lab.sites = config([port(1), port(2)] + underlay(4, uplink="up0"),
                       [flow(1, [from_port(1)], [output(10)]),
                        flow(1, [from_port(10)], [output(1)])])
    lab.again = lambda: lab.start_switch(lab.sites, "--state", lab.folder + "/state",
                                         socket=lab.folder + "/socket")
    lab.again()
    lab.ping("c1", "10.0.0.9")  # it forwards
    pump = Pump(lab, "far", "c1", "10.0.0.9")
    pump.goes_on()
    yield lab, pump
    pump.close()


def test_connections_outlive_the_process(kept):
    lab, pump = kept
    device = lab.run(None, "cat", "/sys/class/net/tnvx50/ifindex", check=False)
    for kill in (lab.kill_switch, lab.stop_switch):
        kill()
        pump.goes_on()
        lab.again()
        client = dataplane_api.Client(lab.folder + "/socket")
        pump.goes_on()
        # Nothing that was decided before this process is used for what it changes.
        client.port_configure(1, False)
        lost = lab.run("c1", "ping", "-c", "3", "-i", "0.1", "-W", "1", "10.0.0.9", check=False)
        assert " 0 received" in lost, lost
        client.port_configure(1, True)
        pump.goes_on()
        client.close()
    assert device == lab.run(None, "cat", "/sys/class/net/tnvx50/ifindex", check=False)


def veth2_is_left(lab):
    """The next process has a port on that alone."""
    lab.run(None, "rm", "-r", lab.folder + "/state")
    lab.run(None, "mkdir", lab.folder + "/state")
    lab.sites = config([port(2)], [])
    lab.again()
    dataplane_api.Client(lab.folder + "/socket").close()
    assert attached(lab, "veth1") == 0 and attached(lab, "veth2") == 1
    lab.stop_switch()


def test_what_another_version_left_goes(kept):
    """Its program, too, where no port is any more: nothing would pass it."""
    lab, _ = kept
    lab.kill_switch()
    path = next(p for p in pins(lab) if p.endswith("/tn_ebpf_from_port"))
    lab.run(None, PYTHON, HERE_FOLDER + "/pins.py", "program", path, "veth1", "veth2")
    veth2_is_left(lab)


def test_what_is_gone_after_a_restart(kept):
    """An interface that has no port any more has no program either."""
    lab, pump = kept
    lab.kill_switch()
    assert attached(lab, "veth2") == 1
    lab.again()
    client = dataplane_api.Client(lab.folder + "/socket")
    client.port_remove(2)
    client.close()
    assert attached(lab, "veth2") == 0 and attached(lab, "veth1") == 1
    lab.kill_switch()
    pump.goes_on()
    veth2_is_left(lab)


def test_detach_leaves_nothing(kept):
    lab, _ = kept
    state = lab.folder + "/state"
    lab.run(None, "tc", "qdisc", "replace", "dev", "veth1", "clsact")
    lab.run(None, "tc", "filter", "add", "dev", "veth1", "ingress", "prio", "9", "bpf",
            "bytecode", "1,6 0 0 0,", "flowid", "1:1")
    refused = lab.run(None, DATAPLANE, "--detach", state, check=False)
    assert "in use by another" in refused, refused
    lab.kill_switch()
    assert pins(lab) and [attached(lab, d) for d in ("veth1", "veth2", "up0")] == [1, 1, 1]
    lab.run(None, DATAPLANE, "--detach", state)
    assert not pins(lab) and [attached(lab, d) for d in ("veth1", "veth2", "up0")] == [0, 0, 0]
    links = lab.run(None, "ip", "link")
    assert not re.search(r"\btn(vx|t)?\d+\b", links), links
    assert "pref 9 bpf" in lab.run(None, "tc", "filter", "show", "dev", "veth1", "ingress")
    lab.run(None, DATAPLANE, "--detach", state)  # there is nothing left to do


def test_undeclared_endpoints_are_refused(lab):
    containers(lab, 1)
    far_host(lab, 4)
    lab.ip(None, "addr add 198.51.100.7/24 dev up0")
    ports = underlay(4)
    ports[1]["options"]["remote"] = "198.51.100.77"  # not who is there
    lab.start_switch(config([port(1)] + ports, [flow(1, [from_port(10)], [output(1)])]))
    deadline = time.monotonic() + 30
    while "tnvx50" not in lab.run(None, "ip", "link"):
        assert time.monotonic() < deadline, lab.log()
    lab.run("far", "ping", "-c", "3", "-i", "0.1", "-W", "1", "10.0.0.1", check=False)
    dropped = lab.stop_switch()["underlay"]["dropped"]
    assert dropped.get("vxlan_unknown_peer", 0) >= 1, dropped  # its ARP
