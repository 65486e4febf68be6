# SPDX-License-Identifier: BSD-3-Clause
"""Containers on veth pairs and TAPs, joined by tenon-dataplane."""
import json

import pytest

from netlab import DATAPLANE, lab, needs_large_frames  # noqa: F401
from replaying import config, flow, from_port, output

TCP_BYTES = 4 << 20
LARGE = ["--max-frame", "9216"]


def wires(*ports, **more):
    """Two ports and all that comes by one goes out by the other."""
    return config([dict(p, number=i + 1) for i, p in enumerate(ports)],
                  [flow(1, [from_port(1)], [output(2)]), flow(1, [from_port(2)], [output(1)])],
                  **more)


def port(name, kind, **options):
    return {"name": name, "type": kind, "options": options}


def check_traffic(lab, one, two, payload):
    """one, two: hosts 10.0.0.1 and 10.0.0.2, fd00::1 and fd00::2; payload: the longest of UDP."""
    for address, less in (("10.0.0.2", 0), ("fd00::2", 20)):
        lab.ping(one, address)
        lab.ping(one, address, size=payload - less, options=["-M", "do"])
        lab.talk(two, one, address, "tcp", TCP_BYTES)
        lab.talk(two, one, address, "udp", payload - less)
        lab.talk(two, one, address, "udp", 1)
    lab.talk(one, two, "10.0.0.1", "tcp", TCP_BYTES)


def check_counters(ports, least=100):
    """Before the switch saw that both links are up it may have dropped a frame or two."""
    for p in ports.values():
        assert p["rx_packets"] >= least and p["tx_packets"] >= least
        assert p["dropped"].pop("port_down", 0) < 20
        assert not p["dropped"] and not p["wire_rx_errors"] and not p["wire_tx_errors"], p


def two_containers(lab, mtu=1500):
    for n in (1, 2):
        lab.host("c%d" % n)
        lab.wire("veth%d" % n, "c%d" % n, mtu=mtu)
        lab.addresses("c%d" % n, "eth0", "10.0.0.%d/24" % n, "fd00::%d/64" % n)


@pytest.mark.parametrize("mtu", [1450, 1500, 3000, 9000])
def test_veth(lab, mtu):
    if mtu > 3000:
        needs_large_frames()
    two_containers(lab, mtu)
    lab.start_switch(wires(port("a", "veth", interface="veth1"), port("veth2", "veth")),
                     *LARGE * (mtu > 1500))
    check_traffic(lab, "c1", "c2", mtu - 28)
    check_counters(lab.stop_switch())
    # What is left behind works without us.
    assert "xdp" not in lab.run(None, "ip", "link", "show", "veth1")


def test_veth_of_many_queues_and_workers(lab):
    """More transmit than receive queues on one side, fewer on the other."""
    lab.host("c1")
    lab.host("c2")
    for n in (1, 2):
        queues = ["numrxqueues", "2", "numtxqueues", "2"]
        lab.run(None, "ip", "link", "add", "veth%d" % n, *queues, "type", "veth", "peer", "name",
                "eth0", "netns", "c%d" % n, *queues)
        lab.addresses("c%d" % n, "eth0", "10.0.0.%d/24" % n, "fd00::%d/64" % n)
    lab.run("c2", "ethtool", "-L", "eth0", "tx", "1")
    lab.run(None, "ethtool", "-L", "veth2", "rx", "1")
    lab.start_switch(wires(port("veth1", "veth"), port("veth2", "veth")), "--workers", "0,1")
    check_traffic(lab, "c1", "c2", 1472)
    check_counters(lab.stop_switch())


def test_tap(lab):
    for n in (1, 2):
        lab.host("c%d" % n)
    mac = "02:00:00:00:00:0a"
    lab.start_switch(wires(port("a", "tap", interface="tap0", netns="c1", mac=mac),
                           dict(port("tap1", "tap", netns="c2", queues=2), mtu=1500)),
                     "--workers", "0,1")
    for n in (1, 2):
        while "tap%d" % (n - 1) not in lab.run("c%d" % n, "ip", "link"):
            assert lab.switch.poll() is None, lab.log()
        lab.addresses("c%d" % n, "tap%d" % (n - 1), "10.0.0.%d/24" % n, "fd00::%d/64" % n)
    assert lab.mac("c1", "tap0") == mac
    check_traffic(lab, "c1", "c2", 1472)
    check_counters(lab.stop_switch())
    assert "tap0" not in lab.run("c1", "ip", "link")


def test_tap_to_veth_in_another_namespace(lab):
    """A switch in one namespace, its veth ends in another: it moves there only to open them."""
    lab.host("c1")
    lab.host("c2")
    lab.host("plumbing")
    lab.wire("veth1", "c1")
    lab.ip(None, "link set veth1 netns plumbing")
    lab.addresses("c1", "eth0", "10.0.0.1/24", "fd00::1/64")
    lab.start_switch(wires(port("veth1", "veth", netns="plumbing"),
                           port("tap0", "tap", netns="c2")))
    while "tap0" not in lab.run("c2", "ip", "link"):
        assert lab.switch.poll() is None, lab.log()
    lab.addresses("c2", "tap0", "10.0.0.2/24", "fd00::2/64")
    check_traffic(lab, "c1", "c2", 1472)
    check_counters(lab.stop_switch())


def test_link_that_goes_and_comes(lab):
    two_containers(lab)
    lab.start_switch(wires(port("veth1", "veth"), port("veth2", "veth")))
    lab.ping("c1", "10.0.0.2")
    lab.ip("c2", "link set eth0 down")
    lab.run("c1", "ping", "-n", "-c", "3", "-W", "1", "10.0.0.2", check=False)
    lab.ip("c2", "link set eth0 up")
    lab.ping("c1", "10.0.0.2")
    check_counters(lab.stop_switch(), 10)


def test_killed_and_started_again(lab):
    two_containers(lab)
    document = wires(port("veth1", "veth"), port("veth2", "veth"))
    for _ in range(3):
        lab.start_switch(document)
        lab.ping("c1", "10.0.0.2")
        lab.kill_switch()
    lab.start_switch(document)
    lab.ping("c1", "10.0.0.2")
    lab.stop_switch()


def test_pcap(lab):
    """From a container into a capture, and from a capture into a container."""
    lab.host("c1")
    lab.wire("veth1", "c1")
    lab.addresses("c1", "eth0", "10.0.0.1/24")
    out = lab.folder + "/out.pcap"
    lab.start_switch(wires(port("veth1", "veth"), port("file", "pcap", out=out)))
    lab.ip("c1", "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0")
    while True:  # until it forwards
        lab.run("c1", "ping", "-n", "-c", "1", "-W", "1", "-p", "ab", "10.0.0.2", check=False)
        if "prog/xdp" in lab.run(None, "ip", "link", "show", "veth1"):
            break
    lab.run("c1", "ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", "10.0.0.2", check=False)
    ports = lab.stop_switch()
    assert ports["file"]["tx_packets"] >= 3
    text = lab.run(None, "tcpdump", "-nr", out, "icmp")
    assert text.count("10.0.0.1 > 10.0.0.2: ICMP echo request") >= 3
    lab.start_switch(wires(port("veth1", "veth"),
                           port("file", "pcap", **{"in": out, "loop": True, "paced": True})))
    seen = lab.run("c1", "timeout", "10", "tcpdump", "-Q", "in", "-nc", "5", "-i", "eth0", "icmp")
    assert seen.count("echo request") == 5
    lab.stop_switch()


@pytest.mark.parametrize("bad, words", [
    (port("nowhere", "veth"), ["no interface 'nowhere'"]),
    (port("veth1", "veth", netns="none-such"), ["none-such", "ip netns"]),
    (port("veth1", "veth", frames=3), ["frames", "64 to 4096"]),
    (port("t", "tap", mac="ff:ff:ff:ff:ff:ff"), ["no MAC address"]),
    (port("veth1", "tap"), ["'veth1'", "another kind"]),
    (port("t", "pcap", **{"in": "/nowhere/x.pcap"}), ["/nowhere/x.pcap"]),
    (port("t", "memory", size=3), ["no option", "size"]),
])
def test_refused(lab, bad, words):
    lab.host("c1")
    lab.wire("veth1", "c1")
    lab.start_switch(wires(bad, port("x", "memory")))
    assert lab.switch.wait(30) == 2, lab.log()
    lab.switch = None
    for word in words + ["/ports/0"]:
        assert word in lab.log()


def test_foreign_program_is_left_alone(lab):
    """Another tenon-dataplane's interface is foreign too."""
    two_containers(lab)
    lab.start_switch(wires(port("veth1", "veth"), port("veth2", "veth")))
    lab.ping("c1", "10.0.0.2")
    with open(lab.folder + "/second.json", "w") as f:
        json.dump(wires(port("veth1", "veth"), port("x", "memory")), f)
    text = lab.run(None, DATAPLANE, "--load", lab.folder + "/second.json", "--no-huge", "--memory",
                   "16", "--seconds", "1", check=False)
    assert "another tenon-dataplane" in text
    lab.ping("c1", "10.0.0.2")
    lab.stop_switch()
