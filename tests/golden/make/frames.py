# SPDX-License-Identifier: BSD-3-Clause
"""Frames by scapy, which computes every length and checksum on its own."""
import logging

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,  # noqa: E402
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.layers.sctp import SCTP, SCTPChunkData  # noqa: E402
from scapy.packet import Raw  # noqa: E402

MAC_A, MAC_B, MAC_C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
IP_A, IP_B = "10.0.0.1", "10.0.0.2"
IP6_A, IP6_B = "2001:db8::1", "2001:db8::2"
DATA = b"golden frame of Tenon"
# What an ICMP error quotes.
QUOTED4 = bytes(IP(src=IP_A, dst=IP_B) / UDP(sport=1111, dport=2222))
QUOTED6 = bytes(IPv6(src=IP6_A, dst=IP6_B) / UDP(sport=1111, dport=2222))


def ether(eth_src=MAC_A, eth_dst=MAC_B, vlans=(), **_):
    """vlans: (tpid, vid, pcp) from the outside in."""
    out = Ether(src=eth_src, dst=eth_dst)
    for tpid, vid, pcp in vlans:
        out /= (Dot1AD if tpid == 0x88a8 else Dot1Q)(vlan=vid, prio=pcp)
    return out


def ip4(src=IP_A, dst=IP_B, tos=0, ttl=64, ident=1, flags=0, frag=0, options=(), **_):
    return IP(src=src, dst=dst, tos=tos, ttl=ttl, id=ident, flags=flags, frag=frag,
              options=list(options))


def ip6(src=IP6_A, dst=IP6_B, tos=0, ttl=64, flabel=0, **_):
    return IPv6(src=src, dst=dst, tc=tos, hlim=ttl, fl=flabel)


def l4_of(kind, sport=1111, dport=2222, tcp_flags="S", icmp_type=8, icmp_code=0, **_):
    if kind == "tcp":
        return TCP(sport=sport, dport=dport, flags=tcp_flags, seq=1, ack=0, window=1000)
    if kind == "udp":
        return UDP(sport=sport, dport=dport)
    if kind == "sctp":
        return SCTP(sport=sport, dport=dport, tag=0x01020304)
    return ICMP(type=icmp_type, code=icmp_code, id=7, seq=1)


def make(kind, data=DATA, **o):
    """kind: tcp4 udp4 sctp4 icmp4 tcp6 udp6 sctp6 icmp6 ns na arp, or ip4, ip6 alone."""
    eth = ether(**o)
    if kind == "arp":
        return eth / ARP(op=o.get("op", 1), hwsrc=o.get("sha", MAC_A), hwdst=o.get("tha", MAC_C),
                         psrc=o.get("spa", IP_A), pdst=o.get("tpa", IP_B))
    if kind in ("ns", "na"):
        o = {"ttl": 255, **o}
        target = o.get("target", IP6_B)
        if kind == "ns":
            nd = ICMPv6ND_NS(tgt=target, code=o.get("icmp_code", 0))
            return eth / ip6(**o) / nd / ICMPv6NDOptSrcLLAddr(lladdr=o.get("sll", MAC_A))
        nd = ICMPv6ND_NA(tgt=target, R=0, S=1, O=1, code=o.get("icmp_code", 0))
        return eth / ip6(**o) / nd / ICMPv6NDOptDstLLAddr(lladdr=o.get("tll", MAC_B))
    if kind == "icmp6":
        echo = ICMPv6EchoRequest(id=7, seq=1, data=data, type=o.get("icmp_type", 128),
                                 code=o.get("icmp_code", 0))
        return eth / ip6(**o) / echo
    network = ip6(**o) if kind.endswith("6") else ip4(**o)
    if kind in ("ip4", "ip6"):
        return eth / network / Raw(data)
    name = kind[:-1]
    l4 = l4_of(name, **o)
    if name == "sctp":
        return eth / network / l4 / SCTPChunkData(data=data + b"...", beginning=1, ending=1)
    return eth / network / l4 / Raw(data)


def raw(packet):
    return packet if isinstance(packet, bytes) else bytes(packet)


# Scapy's layers by the name that tshark gives them in frame.protocols.
TREE = {"Ether": "eth:ethertype", "Dot1Q": "vlan:ethertype", "Dot1AD": "ieee8021ad:ethertype", "IP": "ip",
        "IPv6": "ipv6", "TCP": "tcp", "UDP": "udp", "SCTP": "sctp", "ICMP": "icmp", "ARP": "arp",
        "VXLAN": "vxlan"}


def tree(packet):
    """The protocols that tshark must find, as far as scapy's layers say."""
    names = []
    for layer in packet.layers():
        name = "icmpv6" if layer.__name__.startswith("ICMPv6") else TREE.get(layer.__name__)
        if name is None or (name == "icmpv6" and "icmpv6" in names):
            break
        names.append(name)
        if name in ("icmp", "icmpv6", "arp"):
            break
    return ":".join(names)
