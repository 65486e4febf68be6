# SPDX-License-Identifier: BSD-3-Clause
"""Ports of every type come and go by the socket of a tenon-dataplane that forwards."""
import json
import os
import re
import time

import pytest

from dataplane_api import ADDED, DELETED, LINK_DOWN, LIVE, MODIFIED, Client, Refused
from netlab import lab  # noqa: F401
from replaying import START, config, flow, frame, output, pcap

ROUNDS = 5
NO_ROUTE = 28  # of drops.def


def containers(lab, *numbers):
    for n in numbers:
        lab.host("c%d" % n)
        lab.wire("veth%d" % n, "c%d" % n)
        lab.addresses("c%d" % n, "eth0", "10.0.0.%d/24" % n, "fd00::%d/64" % n)


def learning(*ports):
    """A switch that learns addresses."""
    return config(list(ports), [flow(1, [], [output("NORMAL")])])


def veth(number):
    return {"number": number, "name": "veth%d" % number, "type": "veth"}


@pytest.fixture
def site(lab):  # noqa: F811
    """Two containers on a switch, and a client."""
    containers(lab, 1, 2)
    lab.start_switch(learning(veth(1), veth(2)), "--workers", "0,1", socket=lab.folder + "/sock")
    client = Client(lab.folder + "/sock")
    yield lab, client
    client.close()


def switch_pid(lab):
    """As the kernel of the test sees it."""
    with open("/proc/%d/task/%d/children" % (lab.switch.pid, lab.switch.pid)) as f:
        inside = f.read().split()
    return int(inside[0]) if inside else lab.switch.pid


def kinds(lab):
    """A port of each type that can be made here: (type, arguments)."""
    with open(lab.folder + "/in.pcap", "wb") as f:
        f.write(pcap([(START, frame(i)) for i in range(3)]))
    return [
        ("veth", dict(interface="veth3")),
        ("tap", dict(interface="hot0", queues=2)),
        ("vhost-user", dict(socket=lab.folder + "/served", mode="server", queues=2)),
        ("vhost-user", dict(socket=lab.folder + "/nobody")),
        ("dpdk", dict(devargs="net_null7,no-rx=1")),
        ("dpdk", dict(devargs="net_tap7,iface=dtap7")),
        ("pcap", {"in": lab.folder + "/in.pcap", "out": lab.folder + "/out.pcap", "loop": True,
                  "paced": True}),
        ("memory", {}),
        ("tap", dict(interface="hot1", shadow="hotshadow")),
        ("vxlan", dict(tunnel=dict(remote="198.51.100.9", vni=7))),
    ]


def test_come_and_go(site):
    """Who talks meanwhile loses nothing; nothing is left behind."""
    lab, client = site
    containers(lab, 3)
    lab.ping("c1", "10.0.0.2")
    pid = switch_pid(lab)
    stream = lab.start("c1", "ping", "-n", "-q", "-i", "0.002", "-w", "60", "-c", "1500",
                       "10.0.0.2")
    before = None
    for _ in range(ROUNDS):
        versions = [client.port_add(20 + i, "hot%d" % i, kind, **arguments)
                    for i, (kind, arguments) in enumerate(kinds(lab))]
        assert versions == sorted(versions)
        lab.ping("c3", "10.0.0.1", count=1)
        listed = client.ports()
        assert set(listed) == {1, 2} | set(range(20, 30))
        assert [listed[20 + i]["type"] for i in range(10)] == [k for k, _ in kinds(lab)]
        for i in range(10):
            client.port_remove(20 + i)
        assert set(client.ports()) == {1, 2}
        now = len(os.listdir("/proc/%d/fd" % pid))
        assert before is None or now <= before  # the first round may load something for good
        before = now
    out, _ = stream.communicate(timeout=90)
    assert " 0% packet loss" in out, out
    links = lab.run(None, "ip", "-br", "link")
    for name in ("hot0", "hot1", "hotshadow", "dtap7"):
        assert name not in links
    assert "xdp" not in lab.run(None, "ip", "link", "show", "veth3")
    assert not os.path.exists(lab.folder + "/served")
    for p in client.ports().values():
        assert set(p["drops"]) <= {NO_ROUTE}, p  # what was flooded into the tunnel
    lab.stop_switch()


@pytest.mark.parametrize("kind, arguments, words", [
    ("veth", dict(interface="nowhere"), "no interface 'nowhere'"),
    ("tap", dict(interface="veth1"), "another kind"),
    ("tap", dict(interface="t0", shadow="veth1"), "another kind"),
    ("vhost-user", dict(socket="/nowhere/sock", mode="server"), "cannot serve"),
    ("dpdk", dict(devargs="net_nonsense0"), "DPDK cannot open"),
    ("pcap", {"in": "/nowhere/x"}, "/nowhere/x"),
    ("wormhole", {}, "no driver"),
    ("tap", dict(interface="t0", mtu=70000), "70000"),
    ("veth", dict(interface="veth3", mtu=9000), "--max-frame"),
    ("dpdk", dict(devargs="net_null0", mtu=9000), "--max-frame"),
])
def test_refused(site, kind, arguments, words):
    """A sentence, and the switch is as it was."""
    lab, client = site
    containers(lab, 3)
    lab.ping("c1", "10.0.0.2")
    pid = switch_pid(lab)
    seen = []
    for _ in range(3):
        with pytest.raises(Refused, match=re.escape(words)):
            client.port_add(9, "bad", kind, **arguments)
        seen.append((len(os.listdir("/proc/%d/fd" % pid)), set(client.ports())))
    assert seen[1] == seen[2] and seen[2][1] == {1, 2}  # the first may load something for good
    lab.ping("c1", "10.0.0.2")
    lab.stop_switch()


def test_links_are_told(site):
    """To who listens, and in the list."""
    lab, client = site
    lab.ping("c1", "10.0.0.2")
    client.subscribe(1)
    lab.ip("c2", "link set eth0 down")
    assert client.port_status() == (MODIFIED, 2, LINK_DOWN)
    assert client.ports()[2]["state"] == LINK_DOWN
    lab.ip("c2", "link set eth0 up")
    assert client.port_status() == (MODIFIED, 2, LIVE)
    client.port_configure(2, enabled=False)
    assert client.port_status() == (MODIFIED, 2, 0)
    client.port_configure(2, enabled=True)
    assert client.port_status() == (MODIFIED, 2, LIVE)
    client.port_add(5, "vm", "vhost-user", socket=lab.folder + "/nobody")
    assert client.port_status() == (ADDED, 5, LINK_DOWN)
    client.port_remove(5)
    assert client.port_status()[:2] == (DELETED, 5)
    # An interface that somebody deletes takes its port's link down, no more.
    lab.ip(None, "link del veth2")
    assert client.port_status() == (MODIFIED, 2, LINK_DOWN)
    client.port_remove(2)
    assert client.port_status()[:2] == (DELETED, 2)
    containers(lab, 4)
    client.port_add(2, "veth4", "veth")
    assert client.port_status()[:2] == (ADDED, 2)
    lab.ping("c1", "10.0.0.4")
    lab.stop_switch()


def test_idle(site):
    """Workers sleep until something comes, guests and interfaces that went away or not."""
    lab, client = site
    client.port_add(3, "doomed", "tap")
    client.port_add(4, "vm", "vhost-user", socket=lab.folder + "/served", mode="server")
    client.port_add(5, "vm2", "vhost-user", socket=lab.folder + "/nobody")
    client.port_add(6, "vtep", "vxlan", tunnel=dict(remote="198.51.100.9", vni=7))
    client.port_add(7, "file", "pcap", out=lab.folder + "/out.pcap")
    lab.ip(None, "link del doomed")
    lab.ping("c1", "10.0.0.2")
    time.sleep(3)
    lab.ping("c1", "10.0.0.2")
    lab.stop_switch()
    with open(lab.folder + "/stats.json") as f:
        stats = json.load(f)
    for worker in stats["workers"]:
        assert worker["naps"] < 500 + 20 * stats["seconds"], worker
