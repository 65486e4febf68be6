# SPDX-License-Identifier: BSD-3-Clause
"""Containers on eBPF ports: the first packet of a kind goes through the data plane, the others are
handled by the kernel."""
import json
import re
import time

import pytest

from netlab import lab  # noqa: F401
from replaying import config, flow, from_port, output

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


def read_tap(lab, number):
    """Frames that went up to the data plane by a port."""
    out = lab.run(None, "ip", "-s", "-j", "link", "show", "tn%d" % number)
    return json.loads(out)[0]["stats64"]["tx"]["packets"]


def wait_for_sessions(lab):
    """Until a ping is handled by the kernel alone."""
    deadline = time.monotonic() + 10
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
    wait_for_sessions(lab)
    up = read_tap(lab, 1)
    lab.run("c1", "ping", "-c", "200", "-i", "0.002", "10.0.0.2")
    assert read_tap(lab, 1) - up < 5
    ports = lab.stop_switch()
    # What the kernel handled is in the counters of the ports.
    for name in ("veth1", "veth2"):
        assert ports[name]["rx_packets"] > 400 and ports[name]["tx_packets"] > 400, ports
        assert ports[name]["rx_bytes"] > 2 * TCP_BYTES
        assert not ports[name]["wire_rx_errors"] and not ports[name]["wire_tx_errors"], ports
    assert abs(ports["veth1"]["rx_packets"] - ports["veth2"]["tx_packets"]) < 20, ports


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


def test_other_programs_are_left_alone(lab):
    containers(lab)
    lab.run(None, "tc", "qdisc", "add", "dev", "veth1", "clsact")
    lab.run(None, "tc", "filter", "add", "dev", "veth1", "ingress", "prio", "9", "bpf",
            "bytecode", "1,6 0 0 0,", "flowid", "1:1")
    lab.start_switch(config([port(1), port(2)], by_mac(lab)))
    lab.ping("c1", "10.0.0.2")
    shown = lab.run(None, "tc", "filter", "show", "dev", "veth1", "ingress")
    assert "pref 9 bpf" in shown and "pref 1 bpf" in shown, shown
    lab.stop_switch()
    shown = lab.run(None, "tc", "filter", "show", "dev", "veth1", "ingress")
    assert "pref 9 bpf" in shown and "pref 1 bpf" not in shown, shown
    assert not re.search(r"\btn1\b", lab.run(None, "ip", "link"))


# --- across hosts: the uplink is the kernel's ---

VNI = 100
FAR = {4: "198.51.100.1", 6: "2001:db8:ffff::1"}
HERE = {4: "198.51.100.2", 6: "2001:db8:ffff::2"}
OVERHEAD = {4: 50, 6: 70}
PREFIX = {4: 24, 6: 64}


def far_host(lab, version):
    """Another host with the kernel's own VXLAN; a wire between the two hosts' stacks."""
    lab.host("far")
    lab.run(None, "ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns",
            "far")
    lab.addresses(None, "up0", "%s/%d" % (HERE[version], PREFIX[version]))
    lab.addresses("far", "eth0", "%s/%d" % (FAR[version], PREFIX[version]))
    zero = "udp6zerocsumtx udp6zerocsumrx" if version == 6 else ""
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
    out = lab.run(None, "ip", "-s", "-j", "link", "show", "tnt50")
    return json.loads(out)[0]["stats64"]["tx"]["packets"]


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
    up, tunnel = read_tap(lab, 1), read_tunnel(lab)
    lab.run("c1", "ping", "-c", "200", "-i", "0.002", "10.0.0.9")
    assert read_tap(lab, 1) - up < 10 and read_tunnel(lab) - tunnel < 10
    ports = lab.stop_switch()
    assert ports["vtep"]["tx_bytes"] > TCP_BYTES and ports["vtep"]["rx_bytes"] > TCP_BYTES, ports
    assert ports["veth1"]["rx_bytes"] / ports["veth1"]["rx_packets"] > 1400, ports
    assert "tnvx50" not in lab.run(None, "ip", "link")


def test_undeclared_endpoints_are_refused(lab):
    containers(lab, 1)
    far_host(lab, 4)
    lab.ip(None, "addr add 198.51.100.7/24 dev up0")
    ports = underlay(4)
    ports[1]["options"]["remote"] = "198.51.100.77"  # not who is there
    lab.start_switch(config([port(1)] + ports, [flow(1, [from_port(10)], [output(1)])]))
    deadline = time.monotonic() + 10
    while "tnvx50" not in lab.run(None, "ip", "link"):
        assert time.monotonic() < deadline, lab.log()
    lab.run("far", "ping", "-c", "3", "-i", "0.1", "-W", "1", "10.0.0.1", check=False)
    dropped = lab.stop_switch()["underlay"]["dropped"]
    assert dropped.get("vxlan_unknown_peer", 0) >= 1, dropped  # its ARP
