# SPDX-License-Identifier: BSD-3-Clause
"""Each field as a criterion: exact, under a mask, and what must not match."""
from case import Case
from frames import DATA, QUOTED4, QUOTED6, MAC_A, MAC_B, MAC_C, make, ip4, ip6, ether
from rules import (ARP, ICMP4, ICMP6, IPV4, IPV6, NA, NS, SCTP4, SCTP6, TAGGED, TCP4, TCP6, UDP4,
                   UDP6, c, document, flow, goto, in_port, l2, output, set_field)
from scapy.layers.inet6 import (IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, IPv6)
from scapy.layers.inet import TCP, UDP
from scapy.layers.ipsec import AH, ESP
from scapy.packet import Raw

V1 = [(0x8100, 5, 3)]
UNREACHABLE4 = {"icmp_type": 3, "data": QUOTED4}
UNREACHABLE6 = {"icmp_type": 1, "data": QUOTED6}


def tag(vid, pcp=0):
    return [(0x8100, vid, pcp)]


# field, prerequisites, criterion, frame that matches, frames that do not
# A frame is (kind, options of frames.make).
EXACT = [
    ("eth_dst", [], c("ETH_DST", mac=MAC_B), ("tcp4", {}), [("tcp4", {"eth_dst": MAC_C})]),
    ("eth_src", [], c("ETH_SRC", mac=MAC_A), ("tcp4", {}), [("tcp4", {"eth_src": MAC_C})]),
    ("eth_type", [], c("ETH_TYPE", ethType="0x800"), ("tcp4", {}), [("tcp6", {}), ("arp", {})]),
    ("eth_type-tagged", [], c("ETH_TYPE", ethType="0x800"), ("tcp4", {"vlans": V1}),
     [("tcp6", {"vlans": V1})]),
    ("vlan_vid", [], c("VLAN_VID", vlanId=5), ("tcp4", {"vlans": V1}),
     [("tcp4", {}), ("tcp4", {"vlans": tag(6)})]),
    ("vlan_vid-8021ad", [], c("VLAN_VID", vlanId=5), ("tcp4", {"vlans": [(0x88a8, 5, 0)]}),
     [("tcp4", {"vlans": [(0x88a8, 6, 0)]})]),
    ("vlan_vid-untagged", [], c("VLAN_VID", vlanId=-1), ("tcp4", {}),
     [("tcp4", {"vlans": V1}), ("tcp4", {"vlans": tag(0, 3)})]),
    ("vlan_vid-zero", [], c("VLAN_VID", vlanId=0), ("tcp4", {"vlans": tag(0, 3)}),
     [("tcp4", {}), ("tcp4", {"vlans": V1})]),
    ("vlan_pcp", TAGGED, c("VLAN_PCP", priority=3), ("tcp4", {"vlans": V1}),
     [("tcp4", {"vlans": tag(5, 2)}), ("tcp4", {})]),
    ("inner_vlan_vid", TAGGED, c("INNER_VLAN_VID", innerVlanId=7),
     ("tcp4", {"vlans": [(0x88a8, 5, 0), (0x8100, 7, 0)]}),
     [("tcp4", {"vlans": [(0x88a8, 5, 0), (0x8100, 8, 0)]}), ("tcp4", {"vlans": tag(7)})]),
    ("inner_vlan_pcp", TAGGED, c("INNER_VLAN_PCP", innerPriority=6),
     ("tcp4", {"vlans": [(0x88a8, 5, 0), (0x8100, 7, 6)]}),
     [("tcp4", {"vlans": [(0x88a8, 5, 6), (0x8100, 7, 1)]})]),
    ("ip_dscp", IPV4, c("IP_DSCP", ipDscp=46), ("tcp4", {"tos": 46 << 2}),
     [("tcp4", {"tos": 10 << 2})]),
    ("ip_dscp-ipv6", IPV6, c("IP_DSCP", ipDscp=46), ("tcp6", {"tos": 46 << 2 | 1}),
     [("tcp6", {"tos": 10 << 2})]),
    ("ip_ecn", IPV4, c("IP_ECN", ipEcn=1), ("tcp4", {"tos": 46 << 2 | 1}), [("tcp4", {"tos": 2})]),
    ("ip_ecn-ipv6", IPV6, c("IP_ECN", ipEcn=2), ("tcp6", {"tos": 2}), [("tcp6", {"tos": 1})]),
    ("ip_proto", IPV4, c("IP_PROTO", protocol=17), ("udp4", {}), [("tcp4", {}), ("udp6", {})]),
    ("ip_proto-ipv6", IPV6, c("IP_PROTO", protocol=17), ("udp6", {}), [("tcp6", {})]),
    ("ip_ttl", IPV4, c("IP_TTL", ttl=9), ("tcp4", {"ttl": 9}), [("tcp4", {"ttl": 10})]),
    ("ip_ttl-ipv6", IPV6, c("IP_TTL", ttl=9), ("tcp6", {"ttl": 9}), [("tcp6", {"ttl": 10})]),
    ("ipv4_src", IPV4, c("IPV4_SRC", ip="10.0.0.1/32"), ("tcp4", {}),
     [("tcp4", {"src": "10.0.0.3"})]),
    ("ipv4_dst", IPV4, c("IPV4_DST", ip="10.0.0.2/32"), ("tcp4", {}),
     [("tcp4", {"dst": "10.0.0.3"})]),
    ("tcp_src", TCP4, c("TCP_SRC", tcpPort=1111), ("tcp4", {}),
     [("tcp4", {"sport": 1112}), ("udp4", {})]),
    ("tcp_dst", TCP4, c("TCP_DST", tcpPort=2222), ("tcp4", {}), [("tcp4", {"dport": 2223})]),
    ("tcp_src-ipv6", TCP6, c("TCP_SRC", tcpPort=1111), ("tcp6", {}), [("tcp6", {"sport": 1})]),
    ("tcp_dst-ipv6", TCP6, c("TCP_DST", tcpPort=2222), ("tcp6", {}), [("tcp6", {"dport": 1})]),
    ("tcp_flags", TCP4, c("TCP_FLAGS", flags=0x012), ("tcp4", {"tcp_flags": "SA"}),
     [("tcp4", {"tcp_flags": "S"}), ("tcp4", {"tcp_flags": "SAP"})]),
    ("udp_src", UDP4, c("UDP_SRC", udpPort=1111), ("udp4", {}), [("udp4", {"sport": 1})]),
    ("udp_dst", UDP4, c("UDP_DST", udpPort=2222), ("udp4", {}), [("udp4", {"dport": 1})]),
    ("udp_src-ipv6", UDP6, c("UDP_SRC", udpPort=1111), ("udp6", {}), [("udp6", {"sport": 1})]),
    ("udp_dst-ipv6", UDP6, c("UDP_DST", udpPort=2222), ("udp6", {}), [("udp6", {"dport": 1})]),
    ("sctp_src", SCTP4, c("SCTP_SRC", sctpPort=1111), ("sctp4", {}), [("sctp4", {"sport": 1})]),
    ("sctp_dst", SCTP4, c("SCTP_DST", sctpPort=2222), ("sctp4", {}), [("sctp4", {"dport": 1})]),
    ("sctp_dst-ipv6", SCTP6, c("SCTP_DST", sctpPort=2222), ("sctp6", {}),
     [("sctp6", {"dport": 1})]),
    ("icmpv4_type", ICMP4, c("ICMPV4_TYPE", icmpType=8), ("icmp4", {}),
     [("icmp4", {"icmp_type": 0})]),
    ("icmpv4_code", ICMP4, c("ICMPV4_CODE", icmpCode=1), ("icmp4", {**UNREACHABLE4, "icmp_code": 1}),
     [("icmp4", {**UNREACHABLE4, "icmp_code": 3})]),
    ("arp_op", ARP, c("ARP_OP", arpOp=2), ("arp", {"op": 2}), [("arp", {"op": 1})]),
    ("arp_spa", ARP, c("ARP_SPA", ip="10.0.0.1/32"), ("arp", {}), [("arp", {"spa": "10.0.0.9"})]),
    ("arp_tpa", ARP, c("ARP_TPA", ip="10.0.0.2/32"), ("arp", {}), [("arp", {"tpa": "10.0.0.9"})]),
    ("arp_sha", ARP, c("ARP_SHA", mac=MAC_A), ("arp", {}), [("arp", {"sha": MAC_B})]),
    ("arp_tha", ARP, c("ARP_THA", mac=MAC_C), ("arp", {}), [("arp", {"tha": MAC_B})]),
    ("ipv6_src", IPV6, c("IPV6_SRC", ip="2001:db8::1/128"), ("tcp6", {}),
     [("tcp6", {"src": "2001:db8::3"})]),
    ("ipv6_dst", IPV6, c("IPV6_DST", ip="2001:db8::2/128"), ("tcp6", {}),
     [("tcp6", {"dst": "2001:db8::3"})]),
    ("ipv6_flabel", IPV6, c("IPV6_FLABEL", flowLabel=0xabcde), ("tcp6", {"flabel": 0xabcde}),
     [("tcp6", {"flabel": 0xabcdf})]),
    ("icmpv6_type", ICMP6, c("ICMPV6_TYPE", icmpv6Type=128), ("icmp6", {}),
     [("icmp6", {"icmp_type": 129})]),
    ("icmpv6_code", ICMP6, c("ICMPV6_CODE", icmpv6Code=4),
     ("icmp6", {**UNREACHABLE6, "icmp_code": 4}), [("icmp6", {**UNREACHABLE6, "icmp_code": 0})]),
    ("ipv6_nd_target", NS, c("IPV6_ND_TARGET", targetAddress="2001:db8::2"), ("ns", {}),
     [("ns", {"target": "2001:db8::3"})]),
    ("ipv6_nd_sll", NS, c("IPV6_ND_SLL", mac=MAC_A), ("ns", {}), [("ns", {"sll": MAC_C})]),
    ("ipv6_nd_tll", NA, c("IPV6_ND_TLL", mac=MAC_B), ("na", {}), [("na", {"tll": MAC_C})]),
]

# field, prerequisites, criterion with a mask, frames that match, frames that do not
MASKED = [
    ("eth_dst", [], c("ETH_DST_MASKED", mac="02:00:00:00:00:00", macMask="ff:ff:ff:ff:ff:f0"),
     [("tcp4", {}), ("tcp4", {"eth_dst": MAC_C})], [("tcp4", {"eth_dst": "02:00:00:00:00:1b"})]),
    ("eth_dst-multicast", [], c("ETH_DST", mac="01:00:00:00:00:00", macMask="01:00:00:00:00:00"),
     [("tcp4", {"eth_dst": "01:00:5e:00:00:01"}), ("arp", {"eth_dst": "ff:ff:ff:ff:ff:ff"})],
     [("tcp4", {})]),
    ("eth_src", [], c("ETH_SRC_MASKED", mac="02:00:00:00:00:00", macMask="ff:ff:ff:ff:ff:f0"),
     [("tcp4", {}), ("tcp4", {"eth_src": MAC_C})], [("tcp4", {"eth_src": "02:00:00:00:01:0a"})]),
    ("vlan_vid", [], c("VLAN_VID", vlanId=0x1004, vlanIdMask=0x1ffc),
     [("tcp4", {"vlans": V1}), ("tcp4", {"vlans": tag(7)})],
     [("tcp4", {"vlans": tag(8)}), ("tcp4", {})]),
    ("vlan_vid-any", [], c("VLAN_VID", vlanId=4096),
     [("tcp4", {"vlans": V1}), ("tcp4", {"vlans": tag(0)})], [("tcp4", {})]),
    ("inner_vlan_vid", TAGGED, c("INNER_VLAN_VID", innerVlanId=0x1000, innerVlanIdMask=0x1000),
     [("tcp4", {"vlans": [(0x88a8, 5, 0), (0x8100, 7, 0)]})], [("tcp4", {"vlans": V1})]),
    ("ipv4_src", IPV4, c("IPV4_SRC", ip="10.0.0.0/24"),
     [("tcp4", {}), ("udp4", {"src": "10.0.0.255"})], [("tcp4", {"src": "10.0.1.1"})]),
    ("ipv4_src-netmask", IPV4, c("IPV4_SRC", ip="10.0.0.1/255.0.0.255"),
     [("tcp4", {}), ("udp4", {"src": "10.9.9.1"})], [("tcp4", {"src": "10.9.9.2"})]),
    ("ipv4_dst", IPV4, c("IPV4_DST", ip="10.0.0.0/30"),
     [("tcp4", {}), ("udp4", {"dst": "10.0.0.3"})], [("tcp4", {"dst": "10.0.0.4"})]),
    ("tcp_src", TCP4, c("TCP_SRC_MASKED", tcpPort=0x0450, tcpMask=0xfff0),
     [("tcp4", {}), ("tcp4", {"sport": 0x45f})], [("tcp4", {"sport": 0x460})]),
    ("tcp_dst", TCP4, c("TCP_DST_MASKED", tcpPort=2048, tcpMask=0xfc00),
     [("tcp4", {}), ("tcp4", {"dport": 2048})], [("tcp4", {"dport": 1024})]),
    ("tcp_flags", TCP4, c("TCP_FLAGS", flags=2, flagsMask=0x12),
     [("tcp4", {}), ("tcp4", {"tcp_flags": "SPU"})], [("tcp4", {"tcp_flags": "SA"})]),
    ("udp_src", UDP4, c("UDP_SRC_MASKED", udpPort=0x0450, udpMask=0xfff0),
     [("udp4", {}), ("udp4", {"sport": 0x45f})], [("udp4", {"sport": 0x460})]),
    ("udp_dst", UDP4, c("UDP_DST_MASKED", udpPort=2048, udpMask=0xfc00),
     [("udp4", {}), ("udp4", {"dport": 2048})], [("udp4", {"dport": 1024})]),
    ("sctp_src", SCTP4, c("SCTP_SRC_MASKED", sctpPort=0x0450, sctpMask=0xfff0),
     [("sctp4", {}), ("sctp4", {"sport": 0x45f})], [("sctp4", {"sport": 0x460})]),
    ("sctp_dst", SCTP4, c("SCTP_DST_MASKED", sctpPort=2048, sctpMask=0xfc00),
     [("sctp4", {}), ("sctp4", {"dport": 2048})], [("sctp4", {"dport": 1024})]),
    ("arp_spa", ARP, c("ARP_SPA", ip="10.0.0.0/24"),
     [("arp", {}), ("arp", {"spa": "10.0.0.200"})], [("arp", {"spa": "10.0.1.1"})]),
    ("arp_tpa", ARP, c("ARP_TPA", ip="10.0.0.0/24"),
     [("arp", {}), ("arp", {"tpa": "10.0.0.200"})], [("arp", {"tpa": "10.0.1.1"})]),
    ("arp_sha", ARP, c("ARP_SHA", mac=MAC_A, macMask="ff:ff:ff:ff:ff:fe"),
     [("arp", {}), ("arp", {"sha": MAC_B})], [("arp", {"sha": MAC_C})]),
    ("arp_tha", ARP, c("ARP_THA", mac=MAC_A, macMask="ff:ff:ff:ff:ff:fe"),
     [("arp", {"tha": MAC_A}), ("arp", {"tha": MAC_B})], [("arp", {"tha": MAC_C})]),
    ("ipv6_src", IPV6, c("IPV6_SRC", ip="2001:db8::/64"),
     [("tcp6", {}), ("tcp6", {"src": "2001:db8::9:1"})], [("tcp6", {"src": "2001:db8:0:1::1"})]),
    ("ipv6_dst", IPV6, c("IPV6_DST", ip="2001:db8::2/ffff:ffff::ffff"),
     [("tcp6", {}), ("tcp6", {"dst": "2001:db8:9::2"})], [("tcp6", {"dst": "2001:db8::3"})]),
    ("ipv6_flabel", IPV6, c("IPV6_FLABEL", flowLabel=0xa0000, flowLabelMask=0xf0000),
     [("tcp6", {"flabel": 0xabcde}), ("tcp6", {"flabel": 0xa0000})], [("tcp6", {"flabel": 0xbcde})]),
    ("ipv6_nd_target", NS, c("IPV6_ND_TARGET", targetAddress="2001:db8::/64"),
     [("ns", {}), ("ns", {"target": "2001:db8::77"})], [("ns", {"target": "2001:db8:1::2"})]),
    ("ipv6_nd_sll", NS, c("IPV6_ND_SLL", mac=MAC_A, macMask="ff:ff:ff:ff:ff:fe"),
     [("ns", {}), ("ns", {"sll": MAC_B})], [("ns", {"sll": MAC_C})]),
    ("ipv6_nd_tll", NA, c("IPV6_ND_TLL", mac=MAC_A, macMask="ff:ff:ff:ff:ff:fe"),
     [("na", {}), ("na", {"tll": MAC_A})], [("na", {"tll": MAC_C})]),
]

# Fields of the pipeline: a first table sets them by port, a second one matches.
# field, set to a value, criterion, the value that matches and one that does not
PIPELINE = [
    ("metadata", lambda v: {"type": "METADATA", "metadata": v}, lambda v: c("METADATA", metadata=v),
     0x1122334455667, 0x1122334455668),
    ("tunnel_id", lambda v: l2("TUNNEL_ID", tunnelId=v), lambda v: c("TUNNEL_ID", tunnelId=v),
     5001, 5002),
    ("tun_src", lambda v: l2("TUNNEL_SRC", ip=v), lambda v: c("TUN_SRC", ip=v),
     "198.51.100.1", "198.51.100.2"),
    ("tun_dst", lambda v: l2("TUNNEL_DST", ip=v), lambda v: c("TUN_DST", ip=v),
     "198.51.100.1", "198.51.100.2"),
    ("tun_dst-ipv6", lambda v: l2("TUNNEL_DST", ip=v), lambda v: c("TUN_DST", ip=v),
     "2001:db8:ffff::1", "2001:db8:ffff::2"),
    ("pkt_mark", lambda v: set_field("pkt_mark", v), lambda v: c("PKT_MARK", mark=v), 77, 78),
] + [
    ("reg%d" % n, lambda v, n=n: set_field("reg%d" % n, v),
     lambda v, n=n: c("REG", reg=n, value=v), 0x01020300 + n, 0x01020300 + n + 1)
    for n in range(16)
]

# field, set, criterion with a mask, values that match, value that does not
PIPELINE_MASKED = [
    ("metadata", PIPELINE[0][1], c("METADATA", metadata=0x100, metadataMask=0xf00),
     (0x100, 0x91ff), 0x200),
    ("tunnel_id", PIPELINE[1][1], c("TUNNEL_ID", tunnelId=0x1300, tunnelIdMask="0xff00"),
     (0x1300, 0x1389), 0x1400),
    ("tun_src", PIPELINE[2][1], c("TUN_SRC", ip="198.51.100.0/24"),
     ("198.51.100.1", "198.51.100.250"), "198.51.101.1"),
    ("tun_dst", PIPELINE[3][1], c("TUN_DST", ip="198.51.100.0/24"),
     ("198.51.100.1", "198.51.100.250"), "198.51.101.1"),
    ("pkt_mark", PIPELINE[5][1], c("PKT_MARK", mark=0x10, markMask=0xf0), (0x10, 0x1f), 0x20),
]
PIPELINE_MASKED += [
    ("reg%d" % n, PIPELINE[6 + n][1], c("REG", reg=n, value=0x10, valueMask=0xf0), (0x10, 0x1f), 0x20)
    for n in range(16)
]


def build(spec):
    kind, options = spec
    return make(kind, **options)


def frames_case(name, says, prerequisites, criterion, hits, misses):
    config = document([flow(prerequisites + [criterion], [output(2)])])
    with Case("match/" + name, says, config) as case:
        for spec in hits:
            packet = build(spec)
            case.send(1, packet).expect(2, packet)
        for spec in misses:
            case.send(1, build(spec)).drop("table_miss")
        case.flow_counts(0, 100, len(hits), sum(len(build(s)) for s in hits))


def pipeline_case(name, says, setter, criterion, hits, miss):
    values = list(hits) + [miss]
    first = [flow([in_port(n + 1)], [setter(v), goto(1)]) for n, v in enumerate(values)]
    second = [flow([criterion], [output(4)], table=1)]
    with Case("match/" + name, says, document(first + second)) as case:
        packet = make("tcp4")
        for n in range(len(hits)):
            case.send(n + 1, packet).expect(4, packet)
        case.send(len(values), packet).drop("table_miss")
        case.flow_counts(1, 100, len(hits), len(hits) * len(packet))


def ports():
    packet = make("tcp4")
    for field, criteria in (("in_port", [in_port(1)]),
                            ("in_phy_port", [in_port(1), c("IN_PHY_PORT", port=1)])):
        with Case("match/" + field, "port a frame came in by",
                  document([flow(criteria, [output(2)])])) as case:
            case.send(1, packet).expect(2, packet)
            case.send(3, packet).drop("table_miss")


def fragments():
    """The four kinds of IP_FRAG over a whole datagram, a first fragment and a later one."""
    whole, first, later = {}, {"flags": "MF"}, {"flags": 0, "frag": 3}
    specs = {"whole": ("udp4", whole), "first": ("udp4", first), "later": ("ip4", later)}
    wanted = {"no": ["whole"], "yes": ["first", "later"], "first": ["first"], "later": ["later"],
              "not_later": ["whole", "first"]}
    for word, hits in wanted.items():
        misses = [s for s in specs if s not in hits]
        frames_case("ip_frag-" + word, "IP_FRAG %s over IPv4" % word, IPV4,
                    c("IP_FRAG", frag=word), [specs[s] for s in hits], [specs[s] for s in misses])
    with Case("match/ip_frag-no-ports", "a later fragment has no ports to match",
              document([flow(UDP4 + [c("UDP_SRC", udpPort=1111)], [output(2)]),
                        flow(UDP4, [output(3)], priority=50)])) as case:
        later = ether() / ip4(frag=3)
        later.payload.proto = 17
        later = later / Raw(bytes(UDP(sport=1111, dport=2222, len=30, chksum=1)) + DATA)
        case.send(1, make("udp4", flags="MF"), what="first fragment")
        case.expect(2, make("udp4", flags="MF"), judge=False)
        case.send(1, later, what="later fragment that looks like ports 1111, 2222")
        case.expect(3, later, judge=False)


def extension_headers():
    """Each bit of IPV6_EXTHDR; HOP is set only where it stands first (OpenFlow 1.5, 7.2.3.8)."""
    tcp = TCP(sport=1111, dport=2222, flags="S", seq=1) / Raw(DATA)
    eth = ether()
    samples = [
        ("none", 0, eth / ip6() / tcp),
        ("nonext", 1, eth / IPv6(src="2001:db8::1", dst="2001:db8::2", nh=59)),
        ("esp", 2, eth / ip6() / ESP(spi=5, seq=1, data=b"\1" * 24)),
        ("auth", 4, eth / ip6() / AH(nh=6, spi=5, seq=1, icv=b"\0" * 12, payloadlen=4) / tcp),
        ("dest", 8, eth / ip6() / IPv6ExtHdrDestOpt() / tcp),
        ("frag", 16, eth / ip6() / IPv6ExtHdrFragment(nh=6, m=1, id=9) / tcp),
        ("router", 32, eth / ip6() / IPv6ExtHdrRouting(addresses=["2001:db8::9"]) / tcp),
        ("hop", 64, eth / ip6() / IPv6ExtHdrHopByHop() / tcp),
        ("unrep", 128 | 8, eth / ip6() / IPv6ExtHdrDestOpt(nh=60) / IPv6ExtHdrDestOpt() /
         IPv6ExtHdrDestOpt() / tcp),
        ("unseq", 256 | 8, eth / ip6() / IPv6ExtHdrDestOpt() / IPv6ExtHdrHopByHop() / tcp),
    ]
    for name, bits, packet in samples:
        flags = {1: "NONEXT", 2: "ESP", 4: "AUTH", 8: "DEST", 16: "FRAG", 32: "ROUTER", 64: "HOP",
                 128: "UNREP", 256: "UNSEQ"}
        config = document([flow(IPV6 + [c("IPV6_EXTHDR", exthdrFlags=bits)], [output(2)])])
        words = "|".join(w for b, w in flags.items() if bits & b) or "no extension header"
        with Case("match/ipv6_exthdr-" + name, "exactly " + words, config) as case:
            for other_name, _, other in samples:
                case.send(1, other, what=other_name)
                if other_name == name:
                    case.expect(2, other, what=name, judge=False)
                else:
                    case.drop("table_miss")
    config = document([flow(IPV6 + [c("IPV6_EXTHDR", exthdrFlags=64, exthdrFlagsMask=64)],
                            [output(2)])])
    with Case("match/ipv6_exthdr-masked", "hop-by-hop options, whatever else", config) as case:
        for name, bits, packet in samples:
            case.send(1, packet, what=name)
            if bits & 64:
                case.expect(2, packet, what=name, judge=False)
            else:
                case.drop("table_miss")
    behind = TCP6 + [c("TCP_DST", tcpPort=2222)]
    with Case("match/ipv6_exthdr-behind", "TCP is found behind extension headers",
              document([flow(behind, [output(2)])])) as case:
        for name, _, packet in samples:
            case.send(1, packet, what=name)
            if name in ("nonext", "esp"):
                case.drop("table_miss")
            else:
                case.expect(2, packet, what=name, judge=False)


def cases():
    ports()
    for field, prerequisites, criterion, hit, misses in EXACT:
        frames_case(field, field.split("-")[0] + " exactly", prerequisites, criterion, [hit], misses)
    for field, prerequisites, criterion, hits, misses in MASKED:
        frames_case(field + "-masked", field.split("-")[0] + " under a mask", prerequisites,
                    criterion, hits, misses)
    for field, setter, criterion, value, other in PIPELINE:
        pipeline_case(field, field.split("-")[0] + " set in one table, matched in the next", setter,
                      criterion(value), [value], other)
    for field, setter, criterion, hits, miss in PIPELINE_MASKED:
        pipeline_case(field + "-masked", field + " under a mask", setter, criterion, hits, miss)
    fragments()
    extension_headers()
