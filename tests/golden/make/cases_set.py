# SPDX-License-Identifier: BSD-3-Clause
"""Each field that can be written: by SET_FIELD, under a mask, and by the actions of ONOS."""
from case import Case
from frames import DATA, MAC_B, MAC_C, QUOTED4, QUOTED6, make, raw
from rules import (ARP, ICMP4, ICMP6, IPV4, IPV6, NA, NS, SCTP4, SCTP6, TAGGED, TCP4, TCP6, UDP4,
                   UDP6, bucket, c, document, flow, goto, group, group_to, in_port, l2, l3, l4,
                   output, set_field)
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

V = [(0x8100, 5, 3)]
NEW4, NEW6 = "10.77.1.200", "2001:db8:77::c8"

# name, prerequisites, action, frame before, what differs after
SET = [
    ("eth_dst", [], set_field("eth_dst", MAC_C), "tcp4", {}, {"eth_dst": MAC_C}),
    ("eth_src", [], set_field("eth_src", MAC_C), "tcp6", {}, {"eth_src": MAC_C}),
    ("vlan_vid", TAGGED, set_field("vlan_vid", 0x1000 | 77), "tcp4", {"vlans": V},
     {"vlans": [(0x8100, 77, 3)]}),
    ("vlan_pcp", TAGGED, set_field("vlan_pcp", 6), "tcp4", {"vlans": V},
     {"vlans": [(0x8100, 5, 6)]}),
    ("ip_dscp", IPV4, set_field("ip_dscp", 46), "tcp4", {"tos": 3}, {"tos": 46 << 2 | 3}),
    ("ip_dscp-ipv6", IPV6, set_field("ip_dscp", 46), "tcp6", {"tos": 2, "flabel": 0xabcde},
     {"tos": 46 << 2 | 2}),
    ("ip_ecn", IPV4, set_field("ip_ecn", 1), "udp4", {"tos": 46 << 2}, {"tos": 46 << 2 | 1}),
    ("ip_ecn-ipv6", IPV6, set_field("ip_ecn", 1), "udp6", {"tos": 46 << 2}, {"tos": 46 << 2 | 1}),
    ("ip_ttl", IPV4, set_field("ip_ttl", 9), "icmp4", {}, {"ttl": 9}),
    ("ip_ttl-ipv6", IPV6, set_field("ip_ttl", 9), "icmp6", {}, {"ttl": 9}),
    ("ipv4_src", IPV4, set_field("ipv4_src", NEW4), "tcp4", {}, {"src": NEW4}),
    ("ipv4_dst", IPV4, set_field("ipv4_dst", NEW4), "tcp4", {}, {"dst": NEW4}),
    ("ipv4_src-udp", IPV4, set_field("ipv4_src", NEW4), "udp4", {}, {"src": NEW4}),
    ("ipv4_src-icmp", IPV4, set_field("ipv4_src", NEW4), "icmp4", {}, {"src": NEW4}),
    ("ipv4_src-sctp", IPV4, set_field("ipv4_src", NEW4), "sctp4", {}, {"src": NEW4}),
    ("ipv4_src-tagged", IPV4, set_field("ipv4_src", NEW4), "tcp4",
     {"vlans": [(0x88a8, 100, 0), (0x8100, 5, 0)]}, {"src": NEW4}),
    ("tcp_src", TCP4, set_field("tcp_src", 40000), "tcp4", {}, {"sport": 40000}),
    ("tcp_dst", TCP4, set_field("tcp_dst", 40000), "tcp4", {}, {"dport": 40000}),
    ("tcp_src-ipv6", TCP6, set_field("tcp_src", 40000), "tcp6", {}, {"sport": 40000}),
    ("tcp_dst-ipv6", TCP6, set_field("tcp_dst", 40000), "tcp6", {}, {"dport": 40000}),
    ("udp_src", UDP4, set_field("udp_src", 40000), "udp4", {}, {"sport": 40000}),
    ("udp_dst", UDP4, set_field("udp_dst", 40000), "udp4", {}, {"dport": 40000}),
    ("udp_src-ipv6", UDP6, set_field("udp_src", 40000), "udp6", {}, {"sport": 40000}),
    ("udp_dst-ipv6", UDP6, set_field("udp_dst", 40000), "udp6", {}, {"dport": 40000}),
    ("sctp_src", SCTP4, set_field("sctp_src", 40000), "sctp4", {}, {"sport": 40000}),
    ("sctp_dst", SCTP4, set_field("sctp_dst", 40000), "sctp4", {}, {"dport": 40000}),
    ("sctp_dst-ipv6", SCTP6, set_field("sctp_dst", 40000), "sctp6", {}, {"dport": 40000}),
    ("icmpv4_type", ICMP4, set_field("icmpv4_type", 0), "icmp4", {}, {"icmp_type": 0}),
    ("icmpv4_code", ICMP4, set_field("icmpv4_code", 5), "icmp4", {"icmp_type": 3, "data": QUOTED4},
     {"icmp_code": 5}),
    ("icmpv6_type", ICMP6, set_field("icmpv6_type", 129), "icmp6", {}, {"icmp_type": 129}),
    ("icmpv6_code", ICMP6, set_field("icmpv6_code", 3), "icmp6", {"icmp_type": 1, "data": QUOTED6},
     {"icmp_code": 3}),
    ("arp_op", ARP, set_field("arp_op", 2), "arp", {}, {"op": 2}),
    ("arp_spa", ARP, set_field("arp_spa", NEW4), "arp", {}, {"spa": NEW4}),
    ("arp_tpa", ARP, set_field("arp_tpa", NEW4), "arp", {}, {"tpa": NEW4}),
    ("arp_sha", ARP, set_field("arp_sha", MAC_B), "arp", {}, {"sha": MAC_B}),
    ("arp_tha", ARP, set_field("arp_tha", MAC_B), "arp", {}, {"tha": MAC_B}),
    ("ipv6_src", IPV6, set_field("ipv6_src", NEW6), "tcp6", {}, {"src": NEW6}),
    ("ipv6_dst", IPV6, set_field("ipv6_dst", NEW6), "udp6", {}, {"dst": NEW6}),
    ("ipv6_src-icmpv6", IPV6, set_field("ipv6_src", NEW6), "icmp6", {}, {"src": NEW6}),
    ("ipv6_src-sctp", IPV6, set_field("ipv6_src", NEW6), "sctp6", {}, {"src": NEW6}),
    ("ipv6_flabel", IPV6, set_field("ipv6_flabel", 0xabcde), "tcp6", {"tos": 0xb9},
     {"flabel": 0xabcde}),
    ("ipv6_nd_target", NS, set_field("ipv6_nd_target", NEW6), "ns", {}, {"target": NEW6}),
    ("ipv6_nd_sll", NS, set_field("ipv6_nd_sll", MAC_C), "ns", {}, {"sll": MAC_C}),
    ("ipv6_nd_tll", NA, set_field("ipv6_nd_tll", MAC_C), "na", {}, {"tll": MAC_C}),
]

# The same frames by value and mask: bits outside the mask stay.
SET_MASKED = [
    ("eth_dst", [], set_field("eth_dst", "00:00:5e:00:00:0c", "00:00:ff:00:00:0f"), "tcp4", {},
     {"eth_dst": "02:00:5e:00:00:0c"}),
    ("eth_src", [], set_field("eth_src", "00:00:5e:00:00:00", "00:00:ff:00:00:00"), "tcp4", {},
     {"eth_src": "02:00:5e:00:00:0a"}),
    ("vlan_vid", TAGGED, set_field("vlan_vid", 0x0f0, 0x0f0), "tcp4", {"vlans": V},
     {"vlans": [(0x8100, 0xf5, 3)]}),
    ("ipv4_src", IPV4, set_field("ipv4_src", "10.9.0.0", "255.255.0.0"), "tcp4", {},
     {"src": "10.9.0.1"}),
    ("ipv4_dst", IPV4, set_field("ipv4_dst", "10.9.0.0", "255.255.0.0"), "udp4", {},
     {"dst": "10.9.0.2"}),
    ("tcp_src", TCP4, set_field("tcp_src", 0xff00, 0xff00), "tcp4", {}, {"sport": 0xff57}),
    ("tcp_dst", TCP4, set_field("tcp_dst", 0xff00, 0xff00), "tcp4", {}, {"dport": 0xffae}),
    ("udp_src", UDP4, set_field("udp_src", 0xff00, 0xff00), "udp4", {}, {"sport": 0xff57}),
    ("udp_dst", UDP4, set_field("udp_dst", 0xff00, 0xff00), "udp4", {}, {"dport": 0xffae}),
    ("sctp_src", SCTP4, set_field("sctp_src", 0xff00, 0xff00), "sctp4", {}, {"sport": 0xff57}),
    ("sctp_dst", SCTP4, set_field("sctp_dst", 0xff00, 0xff00), "sctp4", {}, {"dport": 0xffae}),
    ("arp_spa", ARP, set_field("arp_spa", "10.9.0.0", "255.255.0.0"), "arp", {},
     {"spa": "10.9.0.1"}),
    ("arp_tpa", ARP, set_field("arp_tpa", "10.9.0.0", "255.255.0.0"), "arp", {},
     {"tpa": "10.9.0.2"}),
    ("arp_sha", ARP, set_field("arp_sha", "00:00:5e:00:00:00", "00:00:ff:00:00:00"), "arp", {},
     {"sha": "02:00:5e:00:00:0a"}),
    ("arp_tha", ARP, set_field("arp_tha", "00:00:5e:00:00:00", "00:00:ff:00:00:00"), "arp", {},
     {"tha": "02:00:5e:00:00:0c"}),
    ("ipv6_src", IPV6, set_field("ipv6_src", "::9:0:0:0:0", "0:0:0:ffff::"), "tcp6", {},
     {"src": "2001:db8:0:9::1"}),
    ("ipv6_dst", IPV6, set_field("ipv6_dst", "::9:0:0:0:0", "0:0:0:ffff::"), "udp6", {},
     {"dst": "2001:db8:0:9::2"}),
    ("ipv6_flabel", IPV6, set_field("ipv6_flabel", 0xa0000, 0xf0000), "tcp6",
     {"flabel": 0x12345}, {"flabel": 0xa2345}),
    ("ipv6_nd_target", NS, set_field("ipv6_nd_target", "::9:0:0:0:0", "0:0:0:ffff::"), "ns", {},
     {"target": "2001:db8:0:9::2"}),
    ("ipv6_nd_sll", NS, set_field("ipv6_nd_sll", "00:00:5e:00:00:00", "00:00:ff:00:00:00"), "ns",
     {}, {"sll": "02:00:5e:00:00:0a"}),
    ("ipv6_nd_tll", NA, set_field("ipv6_nd_tll", "00:00:5e:00:00:00", "00:00:ff:00:00:00"), "na",
     {}, {"tll": "02:00:5e:00:00:0b"}),
]

# The actions that ONOS spells one by one.
SPELT = [
    ("eth_src", [], l2("ETH_SRC", mac=MAC_C), "tcp4", {}, {"eth_src": MAC_C}),
    ("eth_dst", [], l2("ETH_DST", mac=MAC_C), "tcp4", {}, {"eth_dst": MAC_C}),
    ("vlan_id", TAGGED, l2("VLAN_ID", vlanId=77), "tcp4", {"vlans": V},
     {"vlans": [(0x8100, 77, 3)]}),
    ("vlan_pcp", TAGGED, l2("VLAN_PCP", vlanPcp=6), "tcp4", {"vlans": V},
     {"vlans": [(0x8100, 5, 6)]}),
    ("ipv4_src", IPV4, l3("IPV4_SRC", ip=NEW4), "udp4", {}, {"src": NEW4}),
    ("ipv4_dst", IPV4, l3("IPV4_DST", ip=NEW4), "udp4", {}, {"dst": NEW4}),
    ("ipv6_src", IPV6, l3("IPV6_SRC", ip=NEW6), "udp6", {}, {"src": NEW6}),
    ("ipv6_dst", IPV6, l3("IPV6_DST", ip=NEW6), "udp6", {}, {"dst": NEW6}),
    ("ipv6_flabel", IPV6, l3("IPV6_FLABEL", flowLabel=0x1234), "udp6", {}, {"flabel": 0x1234}),
    ("ip_dscp", IPV4, l3("IP_DSCP", ipDscp=10), "udp4", {"tos": 1}, {"tos": 10 << 2 | 1}),
    ("ip_ecn", IPV4, l3("IP_ECN", ipEcn=2), "udp4", {"tos": 40}, {"tos": 42}),
    ("set_ttl", IPV4, l3("SET_TTL", ttl=200), "udp4", {}, {"ttl": 200}),
    ("arp_op", ARP, l3("ARP_OP", arpOp=2), "arp", {}, {"op": 2}),
    ("arp_spa", ARP, l3("ARP_SPA", ip=NEW4), "arp", {}, {"spa": NEW4}),
    ("arp_tpa", ARP, l3("ARP_TPA", ip=NEW4), "arp", {}, {"tpa": NEW4}),
    ("arp_sha", ARP, l3("ARP_SHA", mac=MAC_B), "arp", {}, {"sha": MAC_B}),
    ("arp_tha", ARP, l3("ARP_THA", mac=MAC_B), "arp", {}, {"tha": MAC_B}),
    ("tcp_src", TCP4, l4("TCP_SRC", tcpPort=9), "tcp4", {}, {"sport": 9}),
    ("tcp_dst", TCP6, l4("TCP_DST", tcpPort=9), "tcp6", {}, {"dport": 9}),
    ("udp_src", UDP6, l4("UDP_SRC", udpPort=9999), "udp6", {}, {"sport": 9999}),
    ("udp_dst", UDP4, l4("UDP_DST", udpPort=9999), "udp4", {}, {"dport": 9999}),
]

# Fields of the pipeline, written in table 0 and seen by table 1: the rest of the value under a mask.
PIPELINE_MASKED = [
    ("metadata", set_field("metadata", "0x1200", "0xff00"), c("METADATA", metadata=0x1234)),
    ("tunnel_id", set_field("tunnel_id", 0x1200, 0xff00), c("TUNNEL_ID", tunnelId=0x1234)),
    ("pkt_mark", set_field("pkt_mark", 0x1200, 0xff00), c("PKT_MARK", mark=0x1234)),
] + [("reg%d" % n, set_field("reg%d" % n, 0x1200, 0xff00), c("REG", reg=n, value=0x1234))
     for n in range(16)]


def one(name, says, prerequisites, action, kind, before, after):
    packet = make(kind, **before)
    wanted = make(kind, **{**before, **after})
    with Case(name, says, document([flow(prerequisites, [action, output(2)])])) as case:
        case.send(1, packet).expect(2, wanted)
        case.flow_counts(0, 100, 1, len(packet))


def fragments(kind, cut, **o):
    """A datagram in two: what IP does with a frame of frames.make."""
    whole = make(kind, **o)
    eth = bytes(whole)[:14]
    if kind.endswith("4"):
        body = bytes(whole[IP].payload)
        head = whole[IP].copy()
        head.remove_payload()
        out = []
        for flags, offset, part in (("MF", 0, body[:cut]), (0, cut // 8, body[cut:])):
            ip = head.copy()
            ip.flags, ip.frag, ip.len, ip.chksum, ip.proto = flags, offset, None, None, whole.proto
            out.append(eth + bytes(ip / Raw(part)))
        return out
    body = bytes(whole[IPv6].payload)
    head = whole[IPv6].copy()
    number = head.nh
    head.remove_payload()
    out = []
    for more, offset, part in ((1, 0, body[:cut]), (0, cut // 8, body[cut:])):
        ip = head.copy()
        ip.plen, ip.nh = None, 44
        out.append(eth + bytes(ip / IPv6ExtHdrFragment(nh=number, m=more, offset=offset, id=99) /
                               Raw(part)))
    return out


def over_fragments():
    """A checksum covers the whole datagram: the first fragment's must follow, the later has none."""
    for kind, prerequisites, action, after in (
            ("udp4", IPV4, set_field("ipv4_src", NEW4), {"src": NEW4}),
            ("tcp4", IPV4, set_field("ipv4_dst", NEW4), {"dst": NEW4}),
            ("udp6", IPV6, set_field("ipv6_src", NEW6), {"src": NEW6}),
            ("icmp6", IPV6, set_field("ipv6_dst", NEW6), {"dst": NEW6})):
        big = {"data": bytes(range(97, 123)) * 3}
        before, wanted = fragments(kind, 32, **big), fragments(kind, 32, **big, **after)
        with Case("set/fragments-" + kind, "addresses of both fragments of %s" % kind,
                  document([flow(prerequisites, [action, output(2)])])) as case:
            for what, a, b in zip(("first", "later"), before, wanted):
                case.send(1, a, what=what).expect(2, b, what=what)
    before = fragments("udp4", 32, data=DATA * 3)
    wanted = fragments("udp4", 32, data=DATA * 3, sport=40000)
    with Case("set/fragments-ports", "ports of a later fragment are not there to be written",
              document([flow(UDP4, [set_field("udp_src", 40000), output(2)])])) as case:
        case.send(1, before[0], what="first").expect(2, wanted[0], what="first")
        case.send(1, before[1], what="later").expect(2, before[1], what="later")
    before = fragments("sctp4", 16, data=DATA * 2)
    with Case("set/fragments-sctp", "SCTP's checksum cannot be known from a fragment",
              document([flow(SCTP4, [set_field("sctp_src", 40000), output(2)])])) as case:
        case.send(1, before[0], what="first").drop("sctp_fragment")


def udp_checksums():
    plain = make("udp4")
    none = make("udp4")
    none[UDP].chksum = 0
    wanted = make("udp4", src=NEW4)
    wanted[UDP].chksum = 0
    with Case("set/udp-no-checksum", "a UDP datagram without checksum stays without",
              document([flow(IPV4, [set_field("ipv4_src", NEW4), output(2)])])) as case:
        case.send(1, none).expect(2, wanted)
    # A source port after which the sum is 0, which UDP writes as 0xffff.
    base = raw(make("udp4", sport=0))
    start = int.from_bytes(base[40:42], "big")
    port = start
    for port in (start, start + 1, start - 1):
        wanted = raw(make("udp4", sport=port))
        if wanted[40:42] == b"\xff\xff":
            break
    assert wanted[40:42] == b"\xff\xff"
    with Case("set/udp-checksum-zero", "a sum of zero is sent as ffff",
              document([flow(UDP4, [set_field("udp_src", port), output(2)])])) as case:
        case.send(1, plain).expect(2, make("udp4", sport=port))
    wrong = make("tcp4")
    wrong = raw(wrong)[:50] + b"\x12\x34" + raw(wrong)[52:]
    good, changed = raw(make("tcp4")), raw(make("tcp4", src=NEW4))
    delta = (int.from_bytes(changed[50:52], "big") - int.from_bytes(good[50:52], "big")) % 0xffff
    sum16 = (0x1234 + delta) % 0xffff
    wanted = changed[:50] + sum16.to_bytes(2, "big") + changed[52:]
    with Case("set/wrong-checksum-stays-wrong", "a rewrite does not hide a broken checksum",
              document([flow(IPV4, [set_field("ipv4_src", NEW4), output(2)])])) as case:
        case.send(1, wrong, what="TCP with checksum 0x1234")
        case.expect(2, wanted, what="as wrong as before", judge=False)


def cut_captures():
    """Captures that hold only the first bytes of a frame."""
    packet, wanted = make("tcp4", data=DATA * 10), make("tcp4", data=DATA * 10, src=NEW4)
    with Case("set/cut-capture", "a checksum follows though its data was not captured",
              document([flow(IPV4, [set_field("ipv4_src", NEW4), output(2)])])) as case:
        case.send(1, packet, cut=80).expect(2, wanted, cut=80)
        case.flow_counts(0, 100, 1, len(packet))
    with Case("set/cut-header", "a header that was not captured cannot be written",
              document([flow(TCP4 + [c("TCP_DST", tcpPort=2222)], [output(3)], priority=200),
                        flow(TCP4, [set_field("tcp_src", 9), output(2)])])) as case:
        case.send(1, packet, cut=36, what="two bytes of the TCP header captured")
        case.drop("truncated_header")


def pipeline_fields():
    packet = make("tcp4")
    for field, action, criterion in PIPELINE_MASKED:
        first = set_field(field, 0x5534)
        config = document([flow([], [first, action, goto(1)]),
                           flow([criterion], [output(2)], table=1)])
        with Case("set/%s-masked" % field, "%s under a mask keeps its other bits" % field,
                  config) as case:
            case.send(1, packet).expect(2, packet)
    for field, value, mask, criterion in (
            ("tun_src", "198.51.0.0", "255.255.0.0", c("TUN_SRC", ip="198.51.0.9/32")),
            ("tun_dst", "198.51.0.0", "255.255.0.0", c("TUN_DST", ip="198.51.0.9/32"))):
        with Case("set/%s-masked" % field, "%s under a mask keeps its other bits" % field,
                  document([flow([], [set_field(field, "10.1.0.9"), set_field(field, value, mask),
                                      goto(1)]),
                            flow([criterion], [output(2)], table=1)])) as case:
            case.send(1, packet).expect(2, packet)
    config = document([flow([in_port(1)], [set_field("in_port", 3), goto(1)]),
                       flow([in_port(3)], [output(1)], table=1)])
    with Case("set/in_port", "later tables see the port that was set; the real one may be sent to",
              config) as case:
        case.send(1, packet).expect(1, packet)
    config = document([flow([], [set_field("in_port", 3), output("IN_PORT")])])
    with Case("set/in_port-output", "IN_PORT is the port that was set", config) as case:
        case.send(1, packet).expect(3, packet)
    config = document([flow([], [set_field("in_port", 99), output("IN_PORT")])])
    with Case("set/in_port-unknown", "no port has that number", config) as case:
        case.send(1, packet).drop("no_such_port")


def absent_fields():
    """Where nothing is known of the packet, a field that it has not is left alone."""
    actions = [set_field("ipv4_src", NEW4), set_field("tcp_dst", 9), output(2)]
    config = document([flow([], [group_to(1)])], groups=[group(1, "INDIRECT", bucket(actions))])
    with Case("set/absent-field", "a bucket writes only the fields that a packet has",
              config) as case:
        case.send(1, make("tcp4")).expect(2, make("tcp4", src=NEW4, dport=9))
        case.send(1, make("udp4")).expect(2, make("udp4", src=NEW4))
        case.send(1, make("tcp6")).expect(2, make("tcp6", dport=9))
        case.send(1, make("arp")).expect(2, make("arp"))


def cases():
    for name, prerequisites, action, kind, before, after in SET:
        one("set/" + name, "SET_FIELD " + name.split("-")[0], prerequisites, action, kind, before,
            after)
    for name, prerequisites, action, kind, before, after in SET_MASKED:
        one("set/" + name + "-masked", "SET_FIELD %s under a mask" % name, prerequisites, action,
            kind, before, after)
    for name, prerequisites, action, kind, before, after in SPELT:
        one("action/%s-%s" % (action["type"].lower(), name),
            "%s %s" % (action["type"], action["subtype"]), prerequisites, action, kind, before, after)
    over_fragments()
    udp_checksums()
    cut_captures()
    pipeline_fields()
    absent_fields()
