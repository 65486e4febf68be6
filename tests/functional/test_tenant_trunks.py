# SPDX-License-Identifier: BSD-3-Clause
"""Bare metal on a trunk, and ports with limits, under real frames: a NIC port with the VLANs of
several networks, containers of these networks, a server that speaks tagged frames. What is sent goes
to whom it is for, with its tag and by its limit, and to nobody else."""
import itertools
import os
import time

import pytest
from scapy.contrib.igmp import IGMP
from scapy.layers.inet import IP, UDP, IPOption_Router_Alert
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from netlab import lab  # noqa: F401
from tenon import PATIENCE, Tenon
from wires import Wire

ANY = {"If-Match": "*"}
NIC, NIC_PORT = "nic0", 9
BROADCAST = "ff:ff:ff:ff:ff:ff"
GROUP, GROUP_MAC = "239.1.1.1", "01:00:5e:01:01:01"
BEHIND = "02:aa:00:00:00:01"  # an address that is nobody's declared one
# Tenants have the same addresses. VLANs 10 and 40 of the trunk are one network.
VLANS = {10: "red", 20: "blue", 30: "green", 40: "red"}
VNIS = {"red": 1001, "blue": 1002, "green": 1003}
CONTAINERS = {"red": ["red-1", "red-2"], "blue": ["blue-1"], "green": ["green-1"]}


def address_of(last):
    return "10.0.0.%d" % last, "02:00:00:00:00:%02x" % last


def tenant_port(name, network, last, secure=True, **binding):
    ip, mac = address_of(last)
    return {"id": name, "tenant_id": network, "network_id": network, "mac_address": mac,
            "fixed_ips": [{"ip_address": ip}], "port_security_enabled": secure,
            "mac_learning_enabled": not secure, "binding": dict(binding, host="hv1")}


def document():
    ports = [tenant_port("trunk-%d" % vid, network, vid, secure=network != "red",
                         kind="baremetal", device=NIC, vlan=vid)
             for vid, network in VLANS.items()]
    for network, names in CONTAINERS.items():
        ports += [tenant_port(name, network, 101 + i, secure=network != "red", kind="container",
                              device="v-" + name) for i, name in enumerate(names)]
    return {
        "hosts": [{"id": "hv1", "vtep_addresses": ["198.51.100.1"]}],
        "networks": [{"id": n, "tenant_id": n, "vni": vni, "multicast_snooping": True}
                     for n, vni in VNIS.items()],
        "subnets": [{"id": n, "tenant_id": n, "network_id": n, "cidr": "10.0.0.0/24"}
                    for n in VNIS],
        "qos_policies": [{"id": "slow", "tenant_id": "red", "rules": [
            {"type": "packet_rate_limit", "direction": "ingress", "max_kpps": 1}]}],
        "ports": ports + [{"number": NIC_PORT, "name": NIC, "type": "veth",
                           "options": {"interface": NIC}}]}


class Town:
    """The switch, a wire to each container and one to the server on the trunk."""

    def __init__(self, lab, folder):
        self.lab = lab
        self.count = itertools.count(1)
        self.wires = {}
        for name in itertools.chain(*CONTAINERS.values()):
            self.connect(name, "v-" + name)
        self.connect("server", NIC)
        self.tenon = Tenon(folder, lab=lab, config={"host": "hv1"})
        self.tenon.start()
        self.api = self.tenon.client()
        self.document = document()
        self.apply()
        for name, last in [("red-1", 101), ("blue-1", 101), ("green-1", 101)]:
            self.await_link(name, last)
        for vid in VLANS:
            self.await_link("server", vid, vid)

    def connect(self, name, device):
        self.lab.host(name)
        self.lab.run(name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        self.lab.wire(device, name)
        self.lab.ip(name, "link set eth0 up")
        self.wires[name] = Wire(self.lab, name)

    def close(self):
        for wire in self.wires.values():
            wire.close()
        self.tenon.close()

    def apply(self):
        answer = self.api.put("/v1/config", self.document, headers=ANY)
        assert answer.status == 200, answer

    def port(self, name):
        return next(p for p in self.document["ports"] if p.get("id") == name)

    def await_link(self, name, last, vid=None):
        """Ports are up a moment after they were made."""
        deadline = time.monotonic() + PATIENCE
        wanted = self.everywhere(self.vlans()[vid] if vid else name.split("-")[0]) - {(name, vid)}
        came = set()
        while not wanted <= came:
            assert time.monotonic() < deadline, self.tenon.log()
            payload = b"first %08d." % next(self.count)
            self.send(name, self.packet(last, BROADCAST, payload), *[vid] * bool(vid))
            until = time.monotonic() + 0.2
            while time.monotonic() < until and not wanted <= came:
                came |= self.seen(payload)

    def vlans(self):
        """{VLAN of the trunk: its network}"""
        return {p["binding"]["vlan"]: p["network_id"] for p in self.document["ports"]
                if "vlan" in p.get("binding", ())}

    def everywhere(self, network):
        return {(name, None) for name in CONTAINERS[network]} | \
            {("server", vid) for vid, n in self.vlans().items() if n == network}

    def packet(self, last, dst, payload, ip=None, src=None):
        own, mac = address_of(last)
        return Ether(src=src or mac, dst=dst) / IP(src=own, dst=ip or "10.0.0.250", ttl=9) / \
            UDP(sport=5, dport=6) / Raw(payload)

    @staticmethod
    def tag(packet, *vids):
        for vid in vids:
            packet = Ether(src=packet.src, dst=packet.dst) / \
                Dot1Q(vlan=vid, type=packet.type) / packet.payload
        return packet

    def send(self, name, packet, *vids):
        self.wires[name].send(self.tag(packet, *vids))

    def arrive(self, name, last, dst, *vids, **more):
        """Where a packet like that comes out: {(who, VLAN)}."""
        payload = b"packet %08d." % next(self.count)
        self.send(name, self.packet(last, dst, payload, **more), *vids)
        self.settle()
        return self.seen(payload)

    def settle(self):
        """What was sent before is where it goes: a broadcast of each network has come that was
        sent after one that has come, when the worker had been at every port in between."""
        for _ in range(2):
            payload = b"marker %08d." % next(self.count)
            for names in CONTAINERS.values():
                self.send(names[0], self.packet(101, BROADCAST, payload))
            vids = {vid.to_bytes(2, "big") for vid in self.vlans()}
            self.wires["server"].until(
                lambda seen, p=payload, v=vids: {f[14:16] for f in seen if p in f} >= v)

    def seen(self, payload):
        found = []
        for name, wire in self.wires.items():
            for frame in wire.take():
                if payload in frame:
                    tagged = frame[12:14] == b"\x81\x00"
                    found.append((name, int.from_bytes(frame[14:16], "big") & 4095
                                  if tagged else None))
        assert len(found) == len(set(found)), found  # nothing comes twice
        return set(found)


@pytest.fixture
def town(lab, tmp_path):
    made = Town(lab, tmp_path)
    yield made
    made.close()


def test_several_networks_of_one_trunk(town):
    """Each VLAN is its network: broadcast, known unicast and answers, there and back; the other
    tenants, who have the same addresses, see nothing of it."""
    for vid, network in VLANS.items():
        everywhere = town.everywhere(network)
        assert town.arrive("server", vid, BROADCAST, vid) == everywhere - {("server", vid)}
        for name in CONTAINERS[network]:
            last = 101 + CONTAINERS[network].index(name)
            assert town.arrive("server", vid, address_of(last)[1], vid) == {(name, None)}
            assert town.arrive(name, last, address_of(vid)[1]) == {("server", vid)}
            assert town.arrive(name, last, BROADCAST) == everywhere - {(name, None)}
    # From one VLAN to the other of the same network, and not to one of another network.
    assert town.arrive("server", 10, address_of(40)[1], 10) == {("server", 40)}
    assert town.arrive("server", 10, address_of(20)[1], 10) <= town.everywhere("red")
    # The switch answers for known addresses, in the VLAN of who asks.
    ip, mac = address_of(20)
    town.send("server", Ether(src=mac, dst=BROADCAST) / ARP(
        hwsrc=mac, psrc=ip, pdst="10.0.0.101"), 20)
    answers = town.wires["server"].until(
        lambda seen: [f for f in seen if f[12:18] == bytes.fromhex("810000140806")])
    answer = Ether([f for f in answers if f[12:18] == bytes.fromhex("810000140806")][0])
    assert answer[ARP].op == 2 and answer[ARP].hwsrc == address_of(101)[1]


def test_frames_that_are_of_no_vlan_of_the_trunk(town):
    """Untagged, of a VLAN that no port has, with a second tag inside: nowhere."""
    for vids in ((), (99,), (4095,), (20, 10)):
        assert town.arrive("server", 10, BROADCAST, *vids) == set()
    # And another's address in a VLAN with port security.
    assert town.arrive("server", 10, BROADCAST, 20) == set()


def test_learnt_behind_a_vlan_and_behind_a_limit(town):
    """Unknown: to all who learn. Then to the one VLAN, or by the one limit, that it is behind."""
    everywhere = town.everywhere("red")
    assert town.arrive("red-2", 102, BEHIND) == everywhere - {("red-2", None)}
    for vid in (10, 40, 10):
        town.arrive("server", vid, address_of(101)[1], vid, src=BEHIND)
        await_places(town, BEHIND, {("server", vid)})
    assert town.arrive("server", 40, BEHIND, 40) == {("server", 10)}
    assert town.arrive("server", 10, BEHIND, 10) == set()
    # The VLAN of the port changes: what was learnt there is forgotten.
    town.port("trunk-10")["binding"]["vlan"] = 11
    town.apply()
    assert town.arrive("red-2", 102, BEHIND) == \
        town.everywhere("red") - {("red-2", None)}
    # Behind a container, which gets a limit later: by the limit, with nothing learnt anew.
    town.arrive("red-1", 101, address_of(102)[1], src=BEHIND)
    await_places(town, BEHIND, {("red-1", None)})
    assert flood_of(town, 400) == 400
    town.port("red-1")["qos_policy_id"] = "slow"
    town.apply()
    await_limit(town)
    assert town.arrive("red-1", 101, address_of(102)[1], src=BEHIND) == {("red-2", None)}


def await_places(town, dst, wanted):
    """Learning takes a moment."""
    deadline = time.monotonic() + PATIENCE
    while town.arrive("red-2", 102, dst) != wanted:
        assert time.monotonic() < deadline


def await_limit(town):
    """A thousand a second come and a burst of a hundred: of what is sent faster, and a busy machine
    does not always send so fast, some come and some do not."""
    deadline = time.monotonic() + PATIENCE
    while True:
        came = flood_of(town, 400)
        assert came > 0
        if came < 400:
            return
        assert time.monotonic() < deadline


def flood_of(town, n):
    """So many of n frames that are sent at once to BEHIND come to red-1; nobody else gets one."""
    payload = b"flood %08d." % next(town.count)
    frame = bytes(town.packet(102, BEHIND, payload))
    wire = town.wires["red-2"]
    for _ in range(n):
        wire.send(frame)
    town.settle()
    count = {name: sum(payload in f for f in w.take()) for name, w in town.wires.items()}
    assert all(name == "red-1" or not c for name, c in count.items()), count
    return count["red-1"]


def join(last):
    ip, mac = address_of(last)
    return Ether(src=mac, dst=GROUP_MAC) / \
        IP(src=ip, dst=GROUP, ttl=1, options=[IPOption_Router_Alert()]) / IGMP(type=0x16, gaddr=GROUP)


def test_multicast_with_tags_and_limits(town):
    """A network with a trunk and a limit: a group goes to its members alone, each as it gets
    everything; another tenant's group of the same address is another one."""
    town.port("red-1")["qos_policy_id"] = "slow"
    town.apply()
    red = town.everywhere("red")
    assert town.arrive("red-2", 102, GROUP_MAC, ip=GROUP) == red - {("red-2", None)}

    def await_members(wanted):
        deadline = time.monotonic() + PATIENCE
        while town.arrive("red-2", 102, GROUP_MAC, ip=GROUP) != wanted:
            assert time.monotonic() < deadline
    town.send("server", join(40), 40)
    await_members({("server", 40)})
    town.send("red-1", join(101))
    await_members({("server", 40), ("red-1", None)})
    assert town.arrive("server", 40, GROUP_MAC, 40, ip=GROUP) == {("red-1", None)}
    assert town.arrive("server", 10, GROUP_MAC, 10, ip=GROUP) == {("server", 40), ("red-1", None)}
    assert town.arrive("server", 20, GROUP_MAC, 20, ip=GROUP) == {("blue-1", None)}
    # A port that goes is a member no longer.
    town.document["ports"].remove(town.port("trunk-40"))
    town.apply()
    assert town.arrive("red-2", 102, GROUP_MAC, ip=GROUP) == {("red-1", None)}


def test_all_vlans_of_a_trunk(lab, tmp_path):
    """4,094 networks on one NIC port."""
    vids = (1, 2, 10, 2047, 4094)
    made = Town.__new__(Town)
    made.lab, made.wires, made.count = lab, {}, itertools.count(1)
    for vid in vids:
        made.connect("c%d" % vid, "v-c%d" % vid)
    made.connect("server", NIC)
    made.tenon = Tenon(tmp_path, lab=lab, config={"host": "hv1"})
    try:
        made.tenon.start()
        made.api = made.tenon.client()
        ports = [tenant_port("t%d" % vid, "n%d" % vid, 7, kind="baremetal", device=NIC, vlan=vid)
                 for vid in range(1, 4095)]
        ports += [tenant_port("c%d" % vid, "n%d" % vid, 8, kind="container", device="v-c%d" % vid)
                  for vid in vids]
        made.document = {
            "hosts": [{"id": "hv1", "vtep_addresses": ["198.51.100.1"]}],
            "networks": [{"id": "n%d" % vid, "tenant_id": "n%d" % vid, "vni": 10000 + vid}
                         for vid in range(1, 4095)],
            "subnets": [{"id": "n%d" % vid, "tenant_id": "n%d" % vid, "network_id": "n%d" % vid,
                         "cidr": "10.0.0.0/24"} for vid in range(1, 4095)],
            "ports": ports + [{"number": NIC_PORT, "name": NIC, "type": "veth",
                               "options": {"interface": NIC}}]}
        made.apply()
        for vid in vids:
            reach_both_ways(made, vid)
        # Each broadcast was of its VLAN alone.
        for vid in vids:
            heard = {f[42:46] for f in made.wires["c%d" % vid].take() if f[42:44] == b"v="}
            assert heard == {b"v=" + vid.to_bytes(2, "big")}
    finally:
        made.close()


def reach_both_ways(town, vid):
    """Links are up a moment after they were made: until it arrives."""
    payload = b"v=" + vid.to_bytes(2, "big") + os.urandom(16)
    deadline = time.monotonic() + PATIENCE
    for name, last, tag, there in (("server", 7, [vid], "c%d" % vid), ("c%d" % vid, 8, [], "server")):
        frame = town.packet(last, BROADCAST, payload)
        wanted = bytes(frame if tag else town.tag(frame, vid))
        while True:
            town.send(name, frame, *tag)
            try:
                town.wires[there].until(lambda seen, w=wanted: w in seen, 0.2)
                break
            except AssertionError:
                assert time.monotonic() < deadline, town.tenon.log()
