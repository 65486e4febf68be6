# SPDX-License-Identifier: BSD-3-Clause
"""Tunnels: what a vxlan port takes off and puts on, over IPv4 and IPv6, and what it refuses."""
from case import Case
from frames import make, raw
from rules import PORTS, bucket, c, document, flow, group, group_to, in_port, l2, output, port
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

HERE, THERE, OTHER = "198.51.100.1", "198.51.100.2", "198.51.100.3"
HERE6, THERE6 = "2001:db8:ffff::1", "2001:db8:ffff::2"
MAC_HERE, MAC_THERE, MAC_GW = "02:0a:00:00:00:01", "02:0a:00:00:00:02", "02:0a:00:00:00:fe"
TCP = make("tcp4")
SPORT = (34, 36)   # of an untagged IPv4 frame: the source port is free
SPORT6 = (54, 56)
LABEL6 = (15.5, 18)  # the flow label is, too (RFC 6438)
IDENT = [(18, 20), (24, 26)]  # without DF: identification, and the checksum over it

UNDERLAY = {
    "addresses": [{"address": HERE + "/24", "mac": MAC_HERE},
                  {"address": HERE6 + "/64", "mac": MAC_HERE}],
    "routes": [{"prefix": "0.0.0.0/0", "via": "198.51.100.254"}],
    "neighbours": [{"address": THERE, "mac": MAC_THERE}, {"address": THERE6, "mac": MAC_THERE},
                   {"address": "198.51.100.254", "mac": MAC_GW}],
}


def vtep(remote=THERE, vni=5001, local=HERE, **more):
    return port(10, "vtep", "vxlan",
                options={"local": local, "remote": remote, "vni": vni, **more})


def doc(flows, tunnel=None, underlay=None, **more):
    return document(flows, ports=PORTS[:2] + [tunnel or vtep()], underlay=underlay or UNDERLAY, **more)


def outer(inner, vni=5001, src=HERE, dst=THERE, mac_src=MAC_HERE, mac_dst=MAC_THERE, ttl=64, tos=0,
          checksum=False, flags="DF", ident=0, sport=49152, reserved=0, dport=4789):
    eth = Ether(src=mac_src, dst=mac_dst)
    if ":" in src:
        ip = IPv6(src=src, dst=dst, hlim=ttl, tc=tos)
    else:
        ip = IP(src=src, dst=dst, ttl=ttl, tos=tos, flags=flags, id=ident)
    udp = UDP(sport=sport, dport=dport)
    if not checksum:
        udp.chksum = 0
    return eth / ip / udp / VXLAN(vni=vni, flags=8, reserved2=reserved) / inner


def from_there(inner, **o):
    return outer(inner, **{"src": THERE, "dst": HERE, "mac_src": MAC_THERE, "mac_dst": MAC_HERE, **o})


def encap():
    to_tunnel = [flow([in_port(1)], [output(10)])]
    with Case("vxlan/encap", "IPv4 underlay, remote and VNI of the port", doc(to_tunnel)) as case:
        case.send(1, TCP).expect(10, outer(TCP), mask=[SPORT])
    with Case("vxlan/encap-checksum", "with an outer UDP checksum",
              doc(to_tunnel, vtep(udpChecksum=True))) as case:
        case.send(1, TCP).expect(10, outer(TCP, checksum=True), mask=[SPORT, (40, 42)])
    tagged = [make("tcp4", data=b"x" * n, vlans=[(0x8100, 5, 0)]) for n in (160, 161)]
    with Case("vxlan/encap-mtu-tags", "the tunnel's MTU: 200 bytes of IP over 200, tags not counted",
              doc(to_tunnel, {**vtep(), "mtu": 200})) as case:
        case.send(1, tagged[0]).expect(10, outer(tagged[0]), mask=[SPORT])
        case.send(1, tagged[1]).drop("mtu")
    with Case("vxlan/encap-ipv6", "IPv6 underlay",
              doc(to_tunnel, vtep(THERE6, local=HERE6, udpChecksum=True))) as case:
        case.send(1, TCP).expect(10, outer(TCP, src=HERE6, dst=THERE6, checksum=True),
                                 mask=[SPORT6, LABEL6, (60, 62)])
    with Case("vxlan/encap-ipv6-no-checksum", "IPv6 underlay without UDP checksum (RFC 6935)",
              doc(to_tunnel, vtep(THERE6, local=HERE6))) as case:
        case.send(1, TCP).expect(10, outer(TCP, src=HERE6, dst=THERE6), mask=[SPORT6, LABEL6])
    with Case("vxlan/encap-flow", "remote and VNI by the flow",
              doc([flow([in_port(1)], [l2("TUNNEL_ID", tunnelId=7), l2("TUNNEL_DST", ip=THERE),
                                       output(10)])], vtep("flow", "flow"))) as case:
        case.send(1, TCP).expect(10, outer(TCP, vni=7), mask=[SPORT])
    with Case("vxlan/encap-extension", "remote by ONOS's extension",
              doc([flow([in_port(1)], [l2("TUNNEL_ID", tunnelId=7),
                                       {"type": "EXTENSION",
                                        "extension": {"type": 0, "tunnelDst": THERE}}, output(10)])],
                  vtep("flow", "flow"))) as case:
        case.send(1, TCP).expect(10, outer(TCP, vni=7), mask=[SPORT])
    with Case("vxlan/encap-gateway", "a remote in another network is reached by the route",
              doc(to_tunnel, vtep("203.0.113.9"))) as case:
        case.send(1, TCP).expect(10, outer(TCP, dst="203.0.113.9", mac_dst=MAC_GW), mask=[SPORT])
    with Case("vxlan/encap-dscp", "the inner DSCP is copied, ECN by RFC 6040", doc(to_tunnel)) as case:
        for tos in (46 << 2, 46 << 2 | 2, 1):
            packet = make("tcp4", tos=tos)
            case.send(1, packet).expect(10, outer(packet, tos=tos), mask=[SPORT])
    with Case("vxlan/encap-options", "TTL, DSCP and fragment bit of the port; another UDP port",
              doc(to_tunnel, vtep(ttl=5, dscp=10, dontFragment=False, udpDestPort=8472))) as case:
        case.send(1, TCP).expect(10, outer(TCP, ttl=5, tos=10 << 2, flags=0, dport=8472),
                                 mask=[SPORT] + IDENT, judge=False)
    with Case("vxlan/encap-tagged", "tags of the guest travel inside", doc(to_tunnel)) as case:
        packet = make("tcp4", vlans=[(0x8100, 5, 3)])
        case.send(1, packet).expect(10, outer(packet), mask=[SPORT])
    with Case("vxlan/encap-group", "head-end replication: a bucket for each remote",
              doc([flow([in_port(1)], [l2("TUNNEL_ID", tunnelId=7), group_to(1)])],
                  vtep("flow", "flow"),
                  {**UNDERLAY, "neighbours": UNDERLAY["neighbours"] +
                   [{"address": OTHER, "mac": "02:0a:00:00:00:03"}]},
                  groups=[group(1, "ALL", bucket([l2("TUNNEL_DST", ip=THERE), output(10)]),
                                bucket([l2("TUNNEL_DST", ip=OTHER), output(10)]))])) as case:
        case.send(1, TCP).expect(10, outer(TCP, vni=7), mask=[SPORT])
        case.expect(10, outer(TCP, vni=7, dst=OTHER, mac_dst="02:0a:00:00:00:03"), mask=[SPORT])


def encap_drops():
    by_flow = vtep("flow", "flow")
    with Case("vxlan/no-remote", "no tunnel destination was set",
              doc([flow([in_port(1)], [l2("TUNNEL_ID", tunnelId=7), output(10)])], by_flow)) as case:
        case.send(1, TCP).drop("vxlan_no_remote")
    with Case("vxlan/no-vni", "a tunnel id that is no VNI",
              doc([flow([in_port(1)], [l2("TUNNEL_ID", tunnelId=1 << 24),
                                       l2("TUNNEL_DST", ip=THERE), output(10)])], by_flow)) as case:
        case.send(1, TCP).drop("vxlan_no_vni")
    no_route = {**UNDERLAY, "routes": []}
    with Case("vxlan/no-route", "nothing leads there",
              doc([flow([in_port(1)], [output(10)])], vtep("203.0.113.9"), no_route)) as case:
        case.send(1, TCP).drop("no_route")
    with Case("vxlan/no-neighbour", "nobody is known there",
              doc([flow([in_port(1)], [output(10)])], vtep("198.51.100.77"))) as case:
        case.send(1, TCP).drop("no_neighbour")


def decap():
    from_tunnel = [flow([in_port(10), c("TUNNEL_ID", tunnelId=5001)], [output(1)])]
    with Case("vxlan/decap", "the inner frame, with its VNI as tunnel id", doc(from_tunnel)) as case:
        case.send(10, from_there(TCP)).expect(1, TCP)
        case.send(10, from_there(TCP, checksum=True), what="with a UDP checksum").expect(1, TCP)
        case.flow_counts(0, 100, 2, 2 * len(TCP))
    with Case("vxlan/decap-ipv6", "IPv6 underlay, with and without UDP checksum",
              doc(from_tunnel, vtep(THERE6, local=HERE6))) as case:
        for checksum in (True, False):
            case.send(10, from_there(TCP, src=THERE6, dst=HERE6, checksum=checksum)).expect(1, TCP)
    with Case("vxlan/decap-flow", "VNI and outer addresses are fields",
              doc([flow([in_port(10), c("TUNNEL_ID", tunnelId=7), c("TUN_SRC", ip=THERE + "/32"),
                         c("TUN_DST", ip=HERE + "/32")], [output(1)], priority=2),
                   flow([in_port(10), c("TUNNEL_ID", tunnelId=8)], [output(2)], priority=1)],
                  vtep("flow", "flow"))) as case:
        case.send(10, from_there(TCP, vni=7)).expect(1, TCP)
        case.send(10, from_there(TCP, vni=8)).expect(2, TCP)
        case.send(10, from_there(TCP, vni=9)).drop("table_miss")
    with Case("vxlan/decap-reserved", "reserved bits are ignored on receipt (RFC 7348)",
              doc(from_tunnel)) as case:
        packet = raw(from_there(TCP, reserved=0x5a))
        case.send(10, packet[:42] + b"\xff\xab\xcd\xef" + packet[46:],
                  what="every reserved bit set").expect(1, TCP)
    with Case("vxlan/decap-ecn", "congestion on the way reaches the guest (RFC 6040)",
              doc(from_tunnel)) as case:
        case.send(10, from_there(make("tcp4", tos=2), tos=3)).expect(1, make("tcp4", tos=3))
        case.send(10, from_there(make("tcp4", tos=1), tos=2)).expect(1, make("tcp4", tos=1))
        case.send(10, from_there(TCP, tos=3), what="CE outside, not ECN-capable inside")
        case.drop("vxlan_malformed")
    with Case("vxlan/decap-padding", "bytes after the outer packet are not the guest's",
              doc(from_tunnel)) as case:
        case.send(10, raw(from_there(TCP)) + b"\0" * 9, what="nine bytes more").expect(1, TCP)
    with Case("vxlan/decap-tagged", "tags inside are the guest's own", doc(from_tunnel)) as case:
        packet = make("tcp4", vlans=[(0x8100, 5, 3)])
        case.send(10, from_there(packet)).expect(1, packet)
    with Case("vxlan/reflect", "from a tunnel into it again: a new outer header",
              doc([flow([in_port(10)], [output("IN_PORT")])])) as case:
        case.send(10, from_there(TCP)).expect(10, outer(TCP), mask=[SPORT])


def decap_drops():
    flows = [flow([in_port(10)], [output(1)])]

    def refuse(name, says, packet, reason, what=None, **more):
        with Case("vxlan/" + name, says, doc(flows, **more)) as case:
            case.send(10, packet, what=what).drop(reason)
            case.flow_counts(0, 100, 0, 0)

    good = raw(from_there(TCP))
    refuse("unknown-peer", "a sender that nobody declared", from_there(TCP, src=OTHER),
           "vxlan_unknown_peer")
    refuse("unknown-vni", "a network that is not here", from_there(TCP, vni=5002),
           "vxlan_unknown_vni")
    refuse("not-local", "for another host", from_there(TCP, dst="198.51.100.9"), "vxlan_not_local")
    refuse("no-vni-flag", "a header without the I bit", good[:42] + b"\0" + good[43:],
           "vxlan_malformed", what="I bit 0")
    short = outer(Raw(b"\1\2\3"), src=THERE, dst=HERE, mac_src=MAC_THERE, mac_dst=MAC_HERE)
    refuse("short-inner", "no room for an inner Ethernet header", short, "vxlan_malformed")
    refuse("bad-udp-checksum", "an outer UDP checksum that is wrong",
           good[:40] + b"\x12\x34" + good[42:], "vxlan_bad_checksum", what="UDP checksum 0x1234")
    refuse("bad-ip-checksum", "an outer IP checksum that is wrong",
           good[:24] + b"\x12\x34" + good[26:], "vxlan_bad_checksum", what="IP checksum 0x1234")
    refuse("fragment", "an outer fragment", from_there(TCP, flags="MF"), "underlay_fragment")
    refuse("not-vxlan", "ARP of the underlay: a replay has no host to take it",
           make("arp", eth_dst=MAC_HERE), "not_tunnelled")
    refuse("not-vxlan-udp", "another UDP port", from_there(TCP, dport=9), "not_tunnelled")
    with Case("vxlan/declared", "with remote and VNI by flow, only those that are declared",
              doc(flows, vtep("flow", "flow", peers=[THERE], vnis=[7, 8]))) as case:
        case.send(10, from_there(TCP, vni=8)).expect(1, TCP)
        case.send(10, from_there(TCP, vni=9)).drop("vxlan_unknown_vni")
        case.send(10, from_there(TCP, vni=8, src=OTHER)).drop("vxlan_unknown_peer")


def in_phy_port():
    with Case("vxlan/in_phy_port", "with an uplink of its own, a tunnel's frames came by that port",
              document([flow([in_port(10), c("IN_PHY_PORT", port=2)], [output(1)])],
                       ports=PORTS[:2] + [vtep()],
                       underlay={**UNDERLAY, "addresses": [
                           {"address": HERE + "/24", "mac": MAC_HERE, "port": 2}]})) as case:
        case.send(2, from_there(TCP)).expect(1, TCP)


def cases():
    encap()
    encap_drops()
    decap()
    decap_drops()
    in_phy_port()
