# SPDX-License-Identifier: BSD-3-Clause
"""Multicast: who wants which group, and where packets to it go."""
from case import Case
from cases_learn import PEERS, arrive, at_trunk, circuit, leave, network, out_of_trunk
from cases_vxlan import OTHER, THERE, vtep
from frames import MAC_A, MAC_B, MAC_C
from rules import ICMP6, IPV4, PORTS, c, document, flow, in_port, l2, output
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mr
from scapy.layers.inet import IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (ICMPv6MLDMultAddrRec, ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLReport,
                                ICMPv6MLReport2, IPv6, IPv6ExtHdrHopByHop, RouterAlert)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

SNOOP, MCAST, LOCAL = {"type": "SNOOP"}, {"type": "MCAST"}, {"type": "MCAST", "local": True}
ROUTERS = {"type": "MCAST", "routers": True}
G1, G2, G6 = "239.1.1.1", "239.1.1.2", "ff0e::101"
# Reports go to routers; nobody else needs to hear them.
IGMP_RULE = [c("IP_PROTO", protocol=2)]


def mac4(group):
    b = [int(x) for x in group.split(".")]
    return "01:00:5e:%02x:%02x:%02x" % (b[1] & 127, b[2], b[3])


def data(group=G1, src=MAC_A):
    return Ether(src=src, dst=mac4(group)) / IP(src="10.0.0.1", dst=group, ttl=8) / \
        UDP(sport=1, dport=2) / Raw(b"to a group")


def data6(group=G6, src=MAC_A):
    return Ether(src=src, dst="33:33:00:00:01:01") / IPv6(src="2001:db8::1", dst=group) / \
        UDP(sport=1, dport=2) / Raw(b"to a group")


def igmp(kind, group, src, source="10.0.0.9", dst=None, ttl=1):
    dst = dst or group
    return Ether(src=src, dst=mac4(dst)) / IP(src=source, dst=dst, ttl=ttl,
                                              options=[IPOption_Router_Alert()]) / \
        IGMP(type=kind, gaddr=group)


def join(group, src):
    return igmp(0x16, group, src)


def leaving(group, src):
    return igmp(0x17, group, src, dst="224.0.0.2")


def query(src, source="10.0.0.254"):
    return igmp(0x11, "0.0.0.0", src, source, dst="224.0.0.1")


def report3(src, *records):
    """records: (type, group, sources)"""
    return Ether(src=src, dst=mac4("224.0.0.22")) / \
        IP(src="10.0.0.9", dst="224.0.0.22", ttl=1, options=[IPOption_Router_Alert()]) / \
        IGMPv3(type=0x22) / IGMPv3mr(records=[
            IGMPv3gr(rtype=t, maddr=g, srcaddrs=list(s)) for t, g, s in records])


def mld(message, src, source="fe80::9", dst="ff02::16", hops=1):
    return Ether(src=src, dst="33:33:00:00:00:16") / IPv6(src=source, dst=dst, hlim=hops) / \
        IPv6ExtHdrHopByHop(options=[RouterAlert()]) / message


def bridge(*ports):
    """Reports to routers or, where there is none, port 4; groups to members, else to port 4."""
    out = []
    for p in ports:
        out.append(flow([in_port(p)] + IPV4 + IGMP_RULE, [network(7), SNOOP, ROUTERS, output(4)],
                        priority=200))
        out.append(flow([in_port(p)] + ICMP6, [network(7), SNOOP, ROUTERS, output(4)],
                        priority=200))
        out.append(flow([in_port(p)], [network(7), MCAST, output(4)]))
    return out


def plain():
    with Case("mcast/igmp", "to members alone; others go on", document(bridge(1, 2, 3))) as case:
        case.send(1, data()).expect(4, data())
        case.send(2, join(G1, MAC_B)).expect(4, join(G1, MAC_B))
        case.send(1, data()).expect(2, data())
        case.send(1, data(G2)).expect(4, data(G2))
        case.send(3, igmp(0x12, G1, MAC_C), what="version 1").expect(4, igmp(0x12, G1, MAC_C))
        case.send(1, data()).expect(2, data()).expect(3, data())
        case.send(2, data(src=MAC_B), what="not back to where it came from").expect(
            3, data(src=MAC_B))
        case.send(2, leaving(G1, MAC_B)).expect(4, leaving(G1, MAC_B))
        case.send(1, data()).expect(3, data())
        case.send(3, leaving(G1, MAC_C)).expect(4, leaving(G1, MAC_C))
        case.send(1, data()).expect(4, data())
    with Case("mcast/routers", "a router gets reports and every group that is known",
              document(bridge(1, 2, 3))) as case:
        case.send(3, query(MAC_C), what="not known yet").expect(4, query(MAC_C))
        case.send(3, query(MAC_C), what="not back").drop("no_action")
        case.send(2, join(G1, MAC_B)).expect(3, join(G1, MAC_B))
        case.send(1, data()).expect(2, data()).expect(3, data())
        case.send(1, data(G2)).expect(4, data(G2))
        case.send(2, query(MAC_B, "0.0.0.0"), what="no router").expect(3, query(MAC_B, "0.0.0.0"))
        case.send(1, join(G2, MAC_A)).expect(3, join(G2, MAC_A))
    a = report3(MAC_B, (4, G1, ()), (3, G2, ("10.0.0.1",)))
    b = report3(MAC_B, (3, G1, ()), (6, G2, ("10.0.0.1",)))
    with Case("mcast/igmpv3", "records of a report", document(bridge(1, 2, 3))) as case:
        case.send(2, a).expect(4, a)
        case.send(1, data()).expect(2, data()).send(1, data(G2)).expect(2, data(G2))
        case.send(2, b).expect(4, b)
        case.send(1, data()).expect(4, data()).send(1, data(G2)).expect(2, data(G2))
    link = "224.0.0.251"
    bad = bytearray(bytes(join(G1, MAC_B)))
    bad[-1] ^= 1
    with Case("mcast/not-snooped", "groups of the link, broken messages, those from afar",
              document(bridge(1, 2, 3))) as case:
        for packet in (join(link, MAC_B), igmp(0x16, G1, MAC_B, ttl=2)):
            case.send(2, packet).expect(4, packet)
        case.send(2, bytes(bad), what="a wrong checksum").expect(4, bytes(bad), judge=False)
        case.send(1, data(link)).expect(4, data(link)).send(1, data()).expect(4, data())
    two = mld(ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=4, dst=G6)]), MAC_B)
    one, done = mld(ICMPv6MLReport(mladdr=G6), MAC_C), mld(ICMPv6MLDone(mladdr=G6), MAC_C)
    asks = mld(ICMPv6MLQuery(), MAC_A, dst="ff02::1")
    with Case("mcast/mld", "the same of IPv6", document(bridge(1, 2, 3))) as case:
        case.send(1, data6()).expect(4, data6())
        case.send(2, two).expect(4, two).send(3, one).expect(4, one)
        case.send(1, data6()).expect(2, data6()).expect(3, data6())
        case.send(3, done).expect(4, done)
        case.send(1, data6()).expect(2, data6())
        case.send(1, asks).expect(4, asks)
        case.send(3, data6(src=MAC_C)).expect(2, data6(src=MAC_C)).expect(1, data6(src=MAC_C))
    with Case("mcast/ages", "while a router asks, who does not answer is forgotten",
              document(bridge(1, 2, 3))) as case:
        case.send(2, join(G1, MAC_B), at_ms=0).expect(4, join(G1, MAC_B))
        case.send(1, data(), at_ms=1000000).expect(2, data())
        case.send(3, query(MAC_C), at_ms=1000001).expect(4, query(MAC_C))
        case.send(1, data(), at_ms=1250000).expect(2, data()).expect(3, data())
        case.send(1, data(), at_ms=1270000).send(1, data(), at_ms=1271000)
        case.expect(4, data()).expect(4, data())


def tunnels():
    ports = PORTS[:3] + [vtep("flow", "flow", peers=[THERE, OTHER])]
    rules = [flow([in_port(10)] + IPV4 + IGMP_RULE, [SNOOP, output(3)], priority=200),
             flow([in_port(1)] + IPV4 + IGMP_RULE, [network(100), SNOOP, output(3)], priority=200),
             flow([in_port(1)], [network(100), MCAST, output(3)]),
             flow([in_port(2)], [network(100), LOCAL, output(3)]),
             flow([in_port(10)], [LOCAL, output(3)])]
    with Case("mcast/tunnels", "members beyond tunnels; none from one to the other",
              document(rules, ports=ports, underlay=PEERS)) as case:
        for which in (0, 1):
            arrive(case, which, join(G1, MAC_B)).expect(3, join(G1, MAC_B))
        case.send(1, join(G1, MAC_A)).expect(3, join(G1, MAC_A))
        case.send(1, data())
        for which in (0, 1):
            leave(case, which, data())
        case.send(2, data()).expect(1, data())
        arrive(case, 0, data()).expect(1, data())


def circuits():
    rules = [out_of_trunk(10), out_of_trunk(20)]
    for vid in (10, 20):
        rules.append(flow([in_port(1), c("VLAN_VID", vlanId=vid)] + IPV4 + IGMP_RULE, [
            l2("VLAN_POP"), network(7), circuit(vid), SNOOP, output(4)], priority=200))
        rules.append(at_trunk(vid, learn=MCAST, then=[output(4)], number=7))
    rules.append(flow([in_port(2)] + IPV4 + IGMP_RULE, [network(7), SNOOP, output(4)],
                      priority=200))
    rules.append(flow([in_port(2)], [network(7), MCAST, output(4)]))

    def t(vid, packet):
        return Ether(src=packet.src, dst=packet.dst) / Dot1Q(vlan=vid, type=packet.type) / \
            packet.payload
    with Case("mcast/circuits", "members in VLANs of one port: each copy has its tag",
              document(rules)) as case:
        case.send(2, data(), what="nobody yet").expect(4, data())
        case.send(1, t(10, join(G1, MAC_B))).expect(4, join(G1, MAC_B))
        case.send(2, data()).expect(1, t(10, data()))
        case.send(1, t(20, join(G1, MAC_C))).expect(4, join(G1, MAC_C))
        case.send(2, data()).expect(1, t(10, data())).expect(1, t(20, data()))
        case.send(2, join(G1, MAC_A)).expect(4, join(G1, MAC_A))
        mine = data(src=MAC_C)
        case.send(1, t(20, mine), what="not back to its VLAN").expect(1, t(10, mine)).expect(
            2, mine)
        case.send(1, t(10, leaving(G1, MAC_B))).expect(4, leaving(G1, MAC_B))
        case.send(1, t(20, mine)).expect(2, mine)


def cases():
    plain()
    circuits()
    tunnels()
