# SPDX-License-Identifier: BSD-3-Clause
"""A container behind tenon-dataplane talks by VXLAN to a kernel VXLAN device on another host; the
switch's own host keeps its network on the uplink."""
import pytest

from netlab import kernel_has, lab, needs_large_frames  # noqa: F401
from replaying import config, flow, from_port, output

TCP_BYTES = 4 << 20
HERE = {4: "198.51.100.2", 6: "2001:db8:ffff::2"}
FAR = {4: "198.51.100.1", 6: "2001:db8:ffff::1"}
PREFIX = {4: 24, 6: 64}
VNI = 100
OVERHEAD = {4: 50, 6: 70}


def far_host(lab, version, mtu, options):
    """Another host with a VXLAN device, its interface and ours at the two ends of a wire."""
    if not kernel_has("vxlan id 1 dstport 4789"):
        pytest.skip("this kernel has no VXLAN device")
    lab.host("far")
    lab.wire("up0", "far", mtu=mtu)
    lab.addresses("far", "eth0", "%s/%d" % (FAR[version], PREFIX[version]))
    lab.ip("far", "link add vx0 type vxlan id %d local %s remote %s dstport 4789 %s"
           % (VNI, FAR[version], HERE[version], options))
    lab.ip("far", "link set vx0 mtu %d" % (mtu - OVERHEAD[version]))
    lab.addresses("far", "vx0", "10.0.0.1/24", "fd00::1/64")


def document(lab, version, **vxlan):
    return config(
        [{"number": 1, "name": "up0", "type": "veth", "options": {"shadow": "uplink0"}},
         {"number": 2, "name": "veth2", "type": "veth"},
         {"number": 10, "name": "vtep", "type": "vxlan",
          "options": dict({"local": HERE[version], "remote": FAR[version], "vni": VNI}, **vxlan)}],
        [flow(1, [from_port(2)], [output(10)]), flow(1, [from_port(10)], [output(2)])],
        underlay={"addresses": [{"address": "%s/%d" % (HERE[version], PREFIX[version]),
                                 "mac": lab.mac(None, "up0"), "port": 1}],
                  "neighbours": [{"address": FAR[version], "mac": lab.mac("far", "eth0"),
                                  "port": 1}]})


def start(lab, version, mtu=1500, options="", **vxlan):
    far_host(lab, version, mtu, options)
    lab.host("c2")
    lab.wire("veth2", "c2", mtu=mtu - OVERHEAD[version])
    lab.addresses("c2", "eth0", "10.0.0.2/24", "fd00::2/64")
    lab.start_switch(document(lab, version, **vxlan), *["--max-frame", "9216"] * (mtu > 1500))
    while "uplink0" not in lab.run(None, "ip", "link"):
        assert not lab.ended(), lab.log()
    lab.run(None, "sysctl", "-qw", "net.ipv6.conf.uplink0.accept_dad=0")
    lab.addresses(None, "uplink0", "%s/%d" % (HERE[version], PREFIX[version]))


def check_tenant(lab, mtu):
    """From the container over the tunnel, with frames as large as fit."""
    for address, less in (("10.0.0.1", 28), ("fd00::1", 48)):
        lab.ping("c2", address)
        lab.ping("c2", address, size=mtu - less, options=["-M", "do"])
        lab.talk("far", "c2", address, "tcp", TCP_BYTES)
        lab.talk("far", "c2", address, "udp", mtu - less)
    lab.talk("c2", "far", "10.0.0.2", "tcp", TCP_BYTES)


def check_host(lab, version):
    """The host of the switch and the far one, by the uplink itself."""
    lab.ping(None, FAR[version])
    lab.ping("far", HERE[version])
    lab.ping("far", HERE[version], size=4000)  # in fragments
    lab.talk("far", None, FAR[version], "tcp", TCP_BYTES)
    lab.talk(None, "far", HERE[version], "udp", 1000)


def check_counters(ports):
    """The host's TCP finds its rate by what its budget drops."""
    ports["up0"]["dropped"].pop("punt_full", 0)
    for p in ports.values():
        assert p["dropped"].pop("port_down", 0) < 20
        assert not p["dropped"] and not p["wire_rx_errors"] and not p["wire_tx_errors"], p
    assert ports["vtep"]["rx_packets"] > 100 and ports["vtep"]["tx_packets"] > 100


@pytest.mark.parametrize("version, options, checksum", [
    (4, "", False),
    (4, "udpcsum", True),
    (6, "udp6zerocsumtx udp6zerocsumrx", False),
    (6, "", True),
])
def test_kernel_vtep(lab, version, options, checksum):
    start(lab, version, options=options, udpChecksum=checksum)
    check_host(lab, version)
    check_tenant(lab, 1500 - OVERHEAD[version])
    check_counters(lab.stop_switch())


def test_large_frames(lab):
    needs_large_frames()
    start(lab, 4, mtu=9000)
    check_host(lab, 4)
    check_tenant(lab, 8950)
    check_counters(lab.stop_switch())


def test_host_and_tenant_at_once(lab):
    """A stream by the tunnel does not push the host's own traffic out."""
    start(lab, 4)
    lab.ping("c2", "10.0.0.1")
    stream = lab.start("c2", "ping", "-n", "-q", "-f", "-c", "20000", "10.0.0.1")
    lab.ping("far", HERE[4], count=50)
    out, _ = stream.communicate(timeout=60)
    assert stream.returncode == 0, out
    lab.stop_switch()


def test_flooded_host(lab):
    """The host gets what its budget allows; the tenant is still served, and all is well again
    when it is over."""
    start(lab, 4)
    lab.ping("c2", "10.0.0.1")
    lab.ping("far", HERE[4])
    flood = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             "for i in range(60000): s.sendto(b'x', ('%s', 9))" % HERE[4])
    storm = lab.start("far", "/usr/bin/python3", "-c", flood)
    out = lab.run("c2", "ping", "-n", "-c", "20", "-i", "0.05", "-W", "2", "10.0.0.1", check=False)
    assert out.count("bytes from 10.0.0.1") >= 3, out
    storm.communicate(timeout=60)
    lab.ping("far", HERE[4])
    lab.ping("c2", "10.0.0.1")
    ports = lab.stop_switch()
    assert set(ports["up0"]["dropped"]) <= {"punt_full", "port_down"}


@pytest.mark.parametrize("options, words", [
    ({"shadow": 3}, ["shadow", "a string"]),
    ({"shadow": "up0"}, ["'up0'", "another kind"]),
    ({"shadowNetns": "router"}, ["shadow", "a string"]),
    ({"shadow": "uplink0", "shadowNetns": "none-such"}, ["none-such", "ip netns"]),
])
def test_refused_shadows(lab, options, words):
    far_host(lab, 4, 1500, "")
    doc = document(lab, 4)
    doc["ports"][0]["options"] = options
    doc["ports"][1] = {"number": 2, "name": "x", "type": "memory"}
    lab.start_switch(doc)
    assert lab.switch.wait(30) == 2, lab.log()
    lab.switch = None
    for word in words:
        assert word in lab.log()
    assert "xdp" not in lab.run(None, "ip", "link", "show", "up0")


def test_shadow_in_another_namespace(lab):
    """The uplink's addresses may belong to a routing daemon's own namespace."""
    far_host(lab, 4, 1500, "")
    lab.host("c2")
    lab.wire("veth2", "c2")
    lab.host("router")
    doc = document(lab, 4)
    doc["ports"][0]["options"]["shadowNetns"] = "router"
    lab.start_switch(doc)
    while "uplink0" not in lab.run("router", "ip", "link"):
        assert not lab.ended(), lab.log()
    lab.addresses("router", "uplink0", "198.51.100.2/24")
    assert lab.mac("router", "uplink0") == lab.mac(None, "up0")
    lab.ping("router", FAR[4])
    lab.stop_switch()
    assert "uplink0" not in lab.run("router", "ip", "link")
