# SPDX-License-Identifier: BSD-3-Clause
"""Containers on eBPF ports: the first packet of a kind goes through the data plane, the others are
handled by the kernel."""
import json
import re
import time

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
