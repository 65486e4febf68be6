# SPDX-License-Identifier: BSD-3-Clause
"""An uplink that the kernel and workers share: a virtual machine on vhost-user and a container on an
eBPF port of one network and one host, another host that runs the kernel's VXLAN, and the hosts' own
traffic, all by one interface and one tunnel endpoint."""
import json
import re
import time

import pytest

import dataplane_api
from netlab import DATAPLANE, lab, needs_large_frames  # noqa: F401
from northbound import DEVICE
from replaying import config, flow, from_port, output
from test_kernel_datapath import (FAR, HERE, OVERHEAD, PREFIX, Pump, attached, far_host, pins,
                                  underlay)
from tenon import Tenon
from test_vhost import TESTPMD, Guest, vhost

VM, CONTAINER, UNDERLAY, VTEP = 1, 2, 50, 10
TCP_BYTES = 4 << 20
ADDRESSES = {"c1": ("10.0.0.1", "fd00::1"), "c2": ("10.0.0.2", "fd00::2"),
             "far": ("10.0.0.9", "fd00::9")}


def flows(lab):
    macs = {VM: "02:00:00:00:01:01", CONTAINER: lab.mac("c2", "eth0"), VTEP: lab.mac("far", "vx0")}
    return [flow(2, [{"type": "ETH_DST", "mac": mac}], [output(number)])
            for number, mac in macs.items()] + \
        [flow(1, [from_port(number)], [output(o) for o in macs if o != number])
         for number in macs]


def next_hops(lab, version):
    """What tenond would tell of the kernel's routes."""
    return {"addresses": [{"address": "%s/%d" % (HERE[version], PREFIX[version]),
                           "mac": lab.mac(None, "up0"), "port": UNDERLAY}],
            "neighbours": [{"address": FAR[version], "mac": lab.mac("far", "eth0"),
                            "port": UNDERLAY}]}


def device(lab, name, way):
    """Frames of one of the kernel's devices."""
    out = lab.run(None, "ip", "-s", "-j", "link", "show", name)
    return json.loads(out)[0]["stats64"][way]["packets"]


class Site:
    def __init__(self, lab, version=4, knows_next_hops=True, options=(), far=""):
        self.lab, self.client = lab, None
        self.mtu = 1500 - OVERHEAD[version]
        if not TESTPMD:
            pytest.skip("needs dpdk-testpmd")
        self.options = ["--state", lab.folder + "/state"] + list(options)
        lab.run(None, "mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
        self.guest = Guest(lab, VM)
        lab.host("c2")
        lab.wire("veth2", "c2", mtu=self.mtu)
        lab.addresses("c2", "eth0", *["%s/%d" % a for a in zip(ADDRESSES["c2"], (24, 64))])
        far_host(lab, version, far)
        document = config(
            [dict(vhost("vm1", self.guest.socket), number=VM),
             {"number": CONTAINER, "name": "veth2", "type": "veth",
              "options": {"datapath": "ebpf"}}]
            + underlay(version, uplink="up0", shared=True), flows(lab))
        if knows_next_hops:
            document["underlay"] = next_hops(lab, version)
        self.document = document

    def start(self):
        self.lab.start_switch(self.document, *self.options, socket=self.lab.folder + "/socket")
        self.client = dataplane_api.Client(self.lab.folder + "/socket")
        return self

    def boot(self):
        self.guest.start()
        self.lab.ip("c1", "link set eth0 mtu %d" % self.mtu)
        return self

    def stop(self):
        self.client.close()
        return self.lab.stop_switch()

    def counts(self):
        """What came and went by the VXLAN device's TAP, by the device itself and by workers."""
        ports = self.client.ports()
        return {"tap_up": device(self.lab, "tnt50", "tx"),
                "tap_down": device(self.lab, "tnt50", "rx"),
                "device_up": device(self.lab, "tnvx50", "rx"),
                "device_down": device(self.lab, "tnvx50", "tx"),
                "workers": ports[UNDERLAY]["rx"], "vtep": ports[VTEP]["rx"]}

    def moved(self, host, address, count=200):
        """Of a ping of `count`: what each of these counted."""
        before = self.counts()
        out = self.lab.run(host, "ping", "-n", "-q", "-i", "0.002", "-c", str(count), address)
        # The kernel's sessions are counted once a second.
        deadline = time.monotonic() + 10
        while True:
            moved = {k: v - before[k] for k, v in self.counts().items()}
            if moved["vtep"] >= count or time.monotonic() > deadline:
                return moved, out
            time.sleep(0.1)


@pytest.fixture
def site(lab):  # noqa: F811
    return Site(lab).start().boot()


def all_pairs(lab):
    for host in ADDRESSES:
        for other, addresses in ADDRESSES.items():
            for address in addresses if other != host else ():
                lab.ping(host, address, count=2, wait=40)


def host_goes_on(lab, version):
    lab.run("far", "ping", "-n", "-c", "3", "-i", "0.1", HERE[version])
    lab.run(None, "ping", "-n", "-c", "3", "-i", "0.1", "-s", "4000", FAR[version])  # fragments
    lab.talk("far", None, FAR[version], "tcp", TCP_BYTES)


def until(site, host, address, holds, count=200):
    """Sessions and stations come when the first packets were decided."""
    deadline = time.monotonic() + 30
    while True:
        moved, _ = site.moved(host, address, count)
        if holds(moved):
            return moved
        assert time.monotonic() < deadline, (moved, site.lab.log())


@pytest.mark.parametrize("version, mode, far", [
    (4, "poll", "noudpcsum"), (4, "kernel", "udpcsum"), (6, "poll", "")])
def test_all_by_one_uplink(lab, version, mode, far):  # noqa: F811
    """All pairs, of large TCP too; and who handled it: a virtual machine's packets come and go by the
    worker's socket, a container's never leave the kernel, the host's are the host's."""
    site = Site(lab, version, options=["--mode", "kernel"] * (mode == "kernel"), far=far)
    site.start().boot()
    all_pairs(lab)
    for server in ADDRESSES:
        for client in ADDRESSES:
            if server != client:
                lab.talk(server, client, ADDRESSES[server][0], "tcp", TCP_BYTES)
    lab.talk("far", "c1", "fd00::9", "udp", 1300)
    lab.talk("far", "c2", "fd00::9", "udp", 1300)
    host_goes_on(lab, version)
    # By the socket both ways: the device and its TAP see nothing.
    vm = until(site, "c1", "10.0.0.9", lambda m: m["workers"] >= 200)
    assert max(vm["tap_up"], vm["tap_down"], vm["device_up"], vm["device_down"]) < 10, vm
    # By the kernel both ways: no worker sees anything.
    container = until(site, "c2", "10.0.0.9", lambda m: m["workers"] < 10 and m["vtep"] >= 200)
    assert max(container["tap_up"], container["tap_down"]) < 10, container
    # The far host begins.
    container = until(site, "far", "10.0.0.2", lambda m: m["workers"] < 10 and m["vtep"] >= 200)
    assert until(site, "far", "10.0.0.1", lambda m: m["workers"] >= 200)["tap_up"] < 10
    ports = site.stop()
    assert not ports["underlay"]["wire_rx_errors"] and not ports["underlay"]["wire_tx_errors"]
    assert not set(ports["underlay"]["dropped"]) - {"port_down"}, ports["underlay"]
    with open(lab.folder + "/stats.json") as f:
        kernel = json.load(f)["kernel"]
    assert kernel["to_workers"] >= 400 and kernel["hits"] >= 400, kernel


def test_the_kernel_finds_the_way(lab):  # noqa: F811
    """Nobody told of next hops: what workers send goes by the VXLAN device, what comes by the socket.
    A packet that does not fit into the uplink's MTU goes by the device, too."""
    site = Site(lab, knows_next_hops=False).start().boot()
    all_pairs(lab)
    vm = until(site, "c1", "10.0.0.9", lambda m: m["workers"] >= 200)
    assert vm["tap_down"] >= 200 and vm["device_down"] >= 200 and vm["tap_up"] < 10, vm
    host_goes_on(lab, 4)
    site.stop()


def test_an_endpoint_moves(site):
    """A container's address that becomes the machine's: no packet goes where it was decided before, and
    after a second the uplink's program has forgotten it, too."""
    lab = site.lab
    lab.ping("c2", "10.0.0.9")
    until(site, "far", "10.0.0.2", lambda m: m["workers"] < 10 and m["vtep"] >= 200)
    client = site.client
    client.port_configure(CONTAINER, False)
    lost = lab.run("far", "ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", "10.0.0.2", check=False)
    assert " 0 received" in lost, lost
    deadline = time.monotonic() + 30
    while True:  # its frames come to the worker now, which drops them
        before = site.counts()
        lab.run("far", "ping", "-n", "-c", "20", "-i", "0.01", "-W", "1", "10.0.0.2", check=False)
        if site.counts()["workers"] - before["workers"] >= 20 and \
                site.counts()["tap_up"] == before["tap_up"]:
            break
        assert time.monotonic() < deadline, lab.log()
    client.port_configure(CONTAINER, True)
    lab.ping("far", "10.0.0.2")
    until(site, "far", "10.0.0.2", lambda m: m["workers"] < 10 and m["vtep"] >= 200)
    site.stop()


def test_behind_a_routing_hop(lab):  # noqa: F811
    """The machine and the container have one MAC for the far host, a gateway's: each keeps its way."""
    gateway = "02:00:00:00:09:01"
    site = Site(lab)
    for number, host, mac in ((VM, "c1", "02:00:00:00:01:01"),
                              (CONTAINER, "c2", lab.mac("c2", "eth0"))):
        site.document["flows"].append(flow(
            9, [from_port(VTEP), {"type": "ETH_DST", "mac": gateway},
                {"type": "ETH_TYPE", "ethType": "0x800"},
                {"type": "IPV4_DST", "ip": ADDRESSES[host][0] + "/32"}],
            [{"type": "L2MODIFICATION", "subtype": "ETH_DST", "mac": mac}, output(number)]))
        lab.ip("far", "neigh replace %s lladdr %s dev vx0 nud permanent"
               % (ADDRESSES[host][0], gateway))
    site.start().boot()
    lab.ping("far", "10.0.0.1", wait=40)
    lab.ping("far", "10.0.0.2")
    for _ in range(2):
        until(site, "far", "10.0.0.2", lambda m: m["workers"] < 10 and m["vtep"] >= 200)
        vm = until(site, "far", "10.0.0.1", lambda m: m["workers"] >= 200)
        assert vm["tap_up"] < 10 and vm["device_up"] < 10, vm
    site.stop()


def test_forged_vxlan_ends_there(site):
    """The guard comes first: neither the kernel nor a worker gets to see it."""
    lab = site.lab
    lab.ip("far", """addr add 198.51.100.9/24 dev eth0
        link add vx1 type vxlan id 101 local 198.51.100.1 remote 198.51.100.2 dstport 4789
        link add vx2 type vxlan id 102 local 198.51.100.9 remote 198.51.100.2 dstport 4789""")
    lab.addresses("far", "vx1", "10.0.1.9/24")
    lab.addresses("far", "vx2", "10.0.2.9/24")
    lab.ping("c1", "10.0.0.9", wait=40)
    for address in ("10.0.1.1", "10.0.2.1"):
        lab.run("far", "ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", address, check=False)
    lab.ping("c1", "10.0.0.9")
    site.client.close()
    dropped = lab.stop_switch()["underlay"]["dropped"]
    assert dropped["vxlan_unknown_vni"] >= 1 and dropped["vxlan_unknown_peer"] >= 1, dropped
    assert "is refused" in lab.log(), lab.log()


def test_restart_and_detach(lab):  # noqa: F811
    """The container's connection goes on while no process is there, and by the next one; the machine is
    served again by that; --detach leaves nothing."""
    site = Site(lab).start().boot()
    lab.ping("c1", "10.0.0.9", wait=40)
    lab.ping("c2", "10.0.0.9")
    until(site, "c2", "10.0.0.9", lambda m: m["workers"] < 10)
    pump = Pump(lab, "far", "c2", "10.0.0.9")
    pump.goes_on()
    for end in (lab.kill_switch, lab.stop_switch):
        site.client.close()
        end()
        pump.goes_on()
        assert attached(lab, "up0") == 1 and "xdp" in lab.run(None, "ip", "link", "show", "up0")
        host_goes_on(lab, 4)
        site.start()
        pump.goes_on()
        lab.ping("c1", "10.0.0.9", wait=40)
        until(site, "c1", "10.0.0.9", lambda m: m["workers"] >= 200)
    pump.goes_on()
    pump.close()
    site.client.close()
    lab.kill_switch()
    lab.run(None, DATAPLANE, "--detach", lab.folder + "/state")
    assert not pins(lab) and [attached(lab, d) for d in ("veth2", "up0")] == [0, 0]
    assert "xdp" not in lab.run(None, "ip", "link", "show", "up0")
    assert not re.search(r"\btn(vx|t)?\d+\b", lab.run(None, "ip", "link"))


def test_shared_no_more(lab):  # noqa: F811
    """The next process has the uplink for the kernel alone, and the one after it shares it again."""
    site = Site(lab).start().boot()
    lab.ping("c1", "10.0.0.9", wait=40)
    options = next(p for p in site.document["ports"] if p["number"] == UNDERLAY)["options"]
    for shared in (False, True):
        site.client.close()
        lab.kill_switch()
        options["shared"] = shared
        lab.run(None, "rm", "-r", lab.folder + "/state")
        lab.run(None, "mkdir", lab.folder + "/state")
        site.start()
        lab.ping("c1", "10.0.0.9", wait=40)
        lab.ping("c2", "10.0.0.9")
        until(site, "c1", "10.0.0.9", lambda m: (m["tap_up"] < 10) == shared)
        assert ("xdp" in lab.run(None, "ip", "link", "show", "up0")) == shared
    site.stop()


def test_tenond_tells_of_next_hops(lab, tmp_path):  # noqa: F811
    """The kernel's neighbours of the shared uplink become the workers'; what they send goes by the VXLAN
    device until then and after that by the socket. By other interfaces it is the kernel's to send."""
    lab.host("c1")
    lab.wire("veth1", "c1", mtu=1450)
    lab.addresses("c1", "eth0", "10.0.0.1/24")
    far_host(lab, 4)
    lab.host("other")
    lab.run(None, "ip", "link", "add", "up1", "type", "veth", "peer", "name", "eth0", "netns", "other")
    lab.addresses(None, "up1", "192.0.2.2/24")
    lab.ip(None, "route add default via %s" % FAR[4])
    lab.addresses("other", "eth0", "192.0.2.1/24")
    lab.ip("other", """route add default via 192.0.2.2
        link add vx0 type vxlan id 101 local 192.0.2.1 remote %s dstport 4789""" % HERE[4])
    lab.addresses("other", "vx0", "10.0.0.8/24")
    tenon = Tenon(tmp_path, lab=lab)

    def goes(address, by_socket):
        deadline = time.monotonic() + 30
        while True:
            before = device(lab, "tnt50", "rx")
            lab.ping("c1", address, count=20)
            if (device(lab, "tnt50", "rx") - before < 5) == by_socket:
                return
            assert time.monotonic() < deadline, tenon.log()
    try:
        tenon.start()
        ports = [{"number": 1, "name": "veth1", "type": "veth"},
                 {"number": 11, "name": "other", "type": "vxlan",
                  "options": {"local": HERE[4], "remote": "192.0.2.1", "vni": 101}}]
        ways = [flow(1, [from_port(1)], [output(VTEP), output(11)]),
                flow(1, [from_port(VTEP)], [output(1)]), flow(1, [from_port(11)], [output(1)])]
        answer = tenon.client().put("/v1/config", config(
            ports + underlay(4, uplink="up0", shared=True), ways[1:] + [
                flow(2, [from_port(1), {"type": "ETH_DST", "mac": lab.mac("far", "vx0")}],
                     [output(VTEP)]),
                flow(2, [from_port(1), {"type": "ETH_DST", "mac": lab.mac("other", "vx0")}],
                     [output(11)])] + ways[:1],
            device={"id": DEVICE}), headers={"If-Match": "*"})
        assert answer.status == 200, answer
        goes("10.0.0.9", by_socket=True)
        goes("10.0.0.8", by_socket=False)
        # The far host's interface is another one.
        lab.ip("far", "link set eth0 address 02:00:00:00:00:77")
        lab.run(None, "ip", "neigh", "flush", "dev", "up0")
        goes("10.0.0.9", by_socket=True)
    finally:
        tenon.close()


def test_large_underlay(lab):  # noqa: F811
    """Frames of several pages come by the sockets, too; what is longer than the wire takes goes by the
    device, in fragments."""
    needs_large_frames()
    lab.host("c1")
    lab.wire("veth1", "c1", mtu=8950)
    lab.addresses("c1", "eth0", "10.0.0.1/24")
    far_host(lab, 4, "df unset")
    for host, name, mtu in ((None, "up0", 9000), ("far", "eth0", 9000), ("far", "vx0", 8950)):
        lab.ip(host, "link set %s mtu %d" % (name, mtu))
    ports = underlay(4, uplink="up0", shared=True)
    ports[1]["options"]["dontFragment"] = False
    lab.start_switch(config(
        [{"number": 1, "name": "veth1", "type": "veth"}] + ports,
        [flow(1, [from_port(1)], [output(VTEP)]), flow(1, [from_port(VTEP)], [output(1)])],
        underlay=next_hops(lab, 4)), "--max-frame", "9216")
    lab.ping("c1", "10.0.0.9")
    before = device(lab, "tnt50", "rx")
    lab.ping("c1", "10.0.0.9", size=8922, options=["-M", "do"])
    lab.talk("far", "c1", "10.0.0.9", "tcp", TCP_BYTES)
    lab.talk("c1", "far", "10.0.0.1", "tcp", TCP_BYTES)
    host_goes_on(lab, 4)
    assert device(lab, "tnt50", "rx") - before < 5
    for host, name in (("c1", "eth0"), (None, "veth1"), ("far", "vx0")):
        lab.ip(host, "link set %s mtu 8990" % name)
    lab.ping("c1", "10.0.0.9", size=8962, options=["-M", "do"])
    assert device(lab, "tnt50", "rx") - before >= 5
    ports = lab.stop_switch()
    assert not ports["underlay"]["wire_tx_errors"] and not ports["underlay"]["wire_rx_errors"], ports


def test_the_uplink_changes(lab):  # noqa: F811
    """Its MAC and MTU while it is shared, and it itself: packets keep to the sockets while these are good
    for them. The device carries the others: those too long for the wire, all while the uplink takes larger
    ones than the sockets were made for, and all when it is gone."""
    needs_large_frames()
    lab.host("c1")
    lab.wire("veth1", "c1", mtu=8950)
    lab.addresses("c1", "eth0", "10.0.0.1/24")
    far_host(lab, 4, "df unset")
    ports = underlay(4, uplink="up0", shared=True)
    ports[1]["options"]["dontFragment"] = False
    lab.start_switch(config(
        [{"number": 1, "name": "veth1", "type": "veth"}] + ports,
        [flow(1, [from_port(1)], [output(VTEP)]), flow(1, [from_port(VTEP)], [output(1)])],
        underlay=next_hops(lab, 4)), "--max-frame", "9216", socket=lab.folder + "/socket")
    client = dataplane_api.Client(lab.folder + "/socket")

    def goes(size, **device_has):
        """There and back: by the device, or by the sockets; tx is what comes in."""
        deadline = time.monotonic() + 30
        while True:
            before = {way: device(lab, "tnt50", way) for way in device_has}
            lab.ping("c1", "10.0.0.9", count=20, size=size - 28, options=["-M", "do"])
            by = {way: device(lab, "tnt50", way) - n >= 20 for way, n in before.items()}
            if by == device_has:
                return
            assert time.monotonic() < deadline, (by, lab.log())

    def mtu(n):
        for host, name, size in ((None, "up0", n), ("far", "eth0", n), ("far", "vx0", max(n - 50, 1450))):
            lab.ip(host, "link set %s mtu %d" % (name, size))
    goes(1450, tx=False, rx=False)
    lab.ip(None, "link set up0 address 02:00:00:00:00:78")
    lab.run("far", "ip", "neigh", "flush", "dev", "eth0")
    client.set_underlay(**next_hops(lab, 4))
    goes(1450, tx=False, rx=False)
    mtu(1400)
    goes(1450, rx=True)  # in fragments; the other host may cut what is within
    goes(1350, tx=False, rx=False)
    mtu(1500)
    goes(1450, tx=False, rx=False)
    mtu(9000)
    goes(8950, tx=True, rx=True)
    assert "MTU" in lab.log(), lab.log()
    mtu(1500)
    goes(1450, tx=False, rx=False)
    # Another one has its name.
    lab.ip(None, "link del up0")
    lab.ip(None, "link add up0 type veth peer name eth0 netns far")
    lab.addresses(None, "up0", "%s/%d" % (HERE[4], PREFIX[4]))
    lab.addresses("far", "eth0", "%s/%d" % (FAR[4], PREFIX[4]))
    client.set_underlay(**next_hops(lab, 4))
    goes(1450, tx=True, rx=True)
    assert "is gone" in lab.log(), lab.log()
    client.port_remove(UNDERLAY)
    client.port_add(UNDERLAY, "underlay", "kernel-underlay", address=HERE[4], uplink="up0", shared=True)
    goes(1450, tx=False, rx=False)
    client.close()
    ports = lab.stop_switch()
    assert not ports["underlay"]["wire_tx_errors"] and not ports["underlay"]["wire_rx_errors"], ports


def test_no_sockets(lab):  # noqa: F811
    """The kernel refuses them (there is no memory to lock): it works without, and that is said."""
    enter = lab.enter
    site = Site(lab)
    lab.enter = enter + ["prlimit", "--memlock=65536", "setpriv", "--bounding-set", "-ipc_lock"]
    site.start()
    lab.enter = enter
    site.boot()
    all_pairs(lab)
    vm = until(site, "c1", "10.0.0.9", lambda m: m["workers"] >= 200)
    assert vm["tap_up"] >= 200 and vm["tap_down"] >= 200, vm
    assert "is not shared" in lab.log() and "locked memory" in lab.log(), lab.log()
    site.stop()


@pytest.mark.parametrize("options, words", [
    ({"shared": True, "guard": False, "uplink": "up0"}, ["guard", "leave"]),
    ({"shared": True}, ["takes an \"uplink\""]),
    ({"shared": True, "uplink": "nowhere"}, ["no such interface"]),
    ({"frames": 64, "uplink": "up0"}, ["frames", "shared"]),
    ({"shared": True, "frames": 100, "uplink": "up0"}, ["power of two"]),
])
def test_refused(lab, options, words):  # noqa: F811
    far_host(lab, 4)
    ports = underlay(4)
    ports[0]["options"].update(options)
    lab.start_switch(config(ports, []))
    assert lab.switch.wait(30) == 2, lab.log()
    lab.switch = None
    for word in words:
        assert word in lab.log()
    assert "xdp" not in lab.run(None, "ip", "link", "show", "up0")


def test_foreign_program_is_left_alone(lab):  # noqa: F811
    far_host(lab, 4)
    veth = {"number": 1, "name": "up0", "type": "veth"}
    lab.start_switch(config([veth, {"number": 2, "name": "m", "type": "memory"}], []),
                     socket=lab.folder + "/socket")
    dataplane_api.Client(lab.folder + "/socket").close()
    with open(lab.folder + "/second.json", "w") as f:
        json.dump(config(underlay(4, uplink="up0", shared=True), []), f)
    text = lab.run(None, DATAPLANE, "--load", lab.folder + "/second.json", "--no-huge", "--memory",
                   "16", "--seconds", "1", check=False)
    assert "XDP program" in text and "xdp off" in text, text
    assert "xdp" in lab.run(None, "ip", "link", "show", "up0")
    lab.stop_switch()
