# SPDX-License-Identifier: BSD-3-Clause
"""Answers that the switch gives itself, and what has none."""
from case import Case
from frames import DATA, IP_A, IP_B, IP6_A, IP6_B, MAC_A, MAC_B, ether, ip6, make
from rules import (ARP, ICMP4, ICMP6, IPV4, IPV6, NS, UDP4, UDP6, bucket, c, document, flow, group,
                   group_to, in_port, l2, output)
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import (DHCP6_Advertise, DHCP6_Confirm, DHCP6_Decline, DHCP6_InfoRequest,
                                DHCP6_Rebind, DHCP6_Release, DHCP6_Renew, DHCP6_Reply,
                                DHCP6_Request, DHCP6_Solicit, DHCP6OptClientId, DHCP6OptIA_NA,
                                DHCP6OptIAAddress, DHCP6OptDNSServers, DHCP6OptRapidCommit,
                                DHCP6OptServerId, DHCP6OptStatusCode, DUID_LL)
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU,
                                ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig,
                                ICMPv6TimeExceeded, IPv6)
from scapy.layers.l2 import ARP as ARPHeader
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

GATEWAY = "02:00:5e:00:01:01"
EVERYONE = "ff:ff:ff:ff:ff:ff"
GW4, GW6, LL_GW, LL_A = "10.0.0.254", "2001:db8::fe", "fe80::fe", "fe80::a"
TAG = [(0x8100, 5, 3)]
RS = ICMP6 + [c("ICMPV6_TYPE", icmpv6Type=133)]


def reply(kind, **more):
    return {"type": "REPLY", "reply": kind, **more}


def answer_case(name, says, action, criteria, exchanges, drops=()):
    """exchanges: (packet, answer); drops: (packet, reason)."""
    with Case("reply/" + name, says, document([flow(criteria, [action, output("IN_PORT")])])) as case:
        for packet, answer in exchanges:
            case.send(1, packet).expect(1, answer)
        for packet, reason in drops:
            case.send(1, packet).drop(reason)


def arp(src=MAC_A, dst=EVERYONE, op=1, sha=MAC_A, spa=IP_A, tha="00:00:00:00:00:00", tpa=IP_B,
        vlans=()):
    return ether(eth_src=src, eth_dst=dst, vlans=vlans) / ARPHeader(
        op=op, hwsrc=sha, psrc=spa, hwdst=tha, pdst=tpa)


def arps():
    def told(spa=IP_A, **more):
        return arp(src=GATEWAY, dst=MAC_A, op=2, sha=GATEWAY, spa=IP_B, tha=MAC_A, tpa=spa, **more)

    answer_case("arp", "whoever asks is told the MAC of the rule", reply("ARP", mac=GATEWAY), ARP,
                [(arp(), told()), (arp(vlans=TAG), told(vlans=TAG)),
                 (arp(spa="0.0.0.0"), told(spa="0.0.0.0")),
                 (bytes(arp()) + bytes(18), told())],
                [(arp(op=2), "reply_unfit"), (arp(spa=IP_B), "reply_none"),
                 (arp(sha=GATEWAY), "reply_none")])


def solicit(src=IP6_A, dst="ff02::1:ff00:2", target=IP6_B, hops=255, sll=MAC_A, code=0, **o):
    packet = ether(eth_dst="33:33:ff:00:00:02", **o) / IPv6(src=src, dst=dst, hlim=hops) / \
        ICMPv6ND_NS(tgt=target, code=code)
    return packet / ICMPv6NDOptSrcLLAddr(lladdr=sll) if sll else packet


def advertise(dst=IP6_A, eth_dst=MAC_A, router=0, solicited=1, **o):
    return ether(eth_src=GATEWAY, eth_dst=eth_dst, **o) / IPv6(src=IP6_B, dst=dst, hlim=255) / \
        ICMPv6ND_NA(tgt=IP6_B, R=router, S=solicited, O=1) / ICMPv6NDOptDstLLAddr(lladdr=GATEWAY)


def neighbours():
    answer_case("nd", "a solicitation is answered with an advertisement", reply("ND", mac=GATEWAY),
                NS, [(solicit(), advertise()), (solicit(vlans=TAG), advertise(vlans=TAG)),
                     (solicit(sll=None), advertise()),
                     (solicit(src="::", sll=None),
                      advertise(dst="ff02::1", eth_dst="33:33:00:00:00:01", solicited=0))],
                [(solicit(hops=64), "reply_unfit"), (solicit(code=1), "reply_unfit"),
                 (solicit(target="ff02::2"), "reply_unfit"),
                 (solicit(eth_src=GATEWAY), "reply_none")])
    answer_case("nd-router", "from a router", reply("ND", mac=GATEWAY, router=True), NS,
                [(solicit(), advertise(router=1))])


def echoes():
    there = {"eth_src": MAC_A, "eth_dst": GATEWAY}
    back = {"eth_src": GATEWAY, "eth_dst": MAC_A, "src": IP_B, "dst": IP_A}
    big = bytes(range(256)) * 5
    answer_case("echo", "a ping is answered, however long", reply("ECHO"), ICMP4,
                [(make("icmp4", ttl=9, **there), make("icmp4", icmp_type=0, **back)),
                 (make("icmp4", data=big, tos=7, **there),
                  make("icmp4", data=big, tos=7, icmp_type=0, **back)),
                 (make("icmp4", vlans=TAG, **there),
                  make("icmp4", vlans=TAG, icmp_type=0, **back))],
                [(make("icmp4", icmp_type=0, **there), "reply_unfit"),
                 (make("icmp4", icmp_type=15, **there), "reply_unfit"),
                 (make("icmp4", flags="MF", **there), "reply_unfit"),
                 (make("icmp4", eth_dst=EVERYONE, dst="255.255.255.255"), "reply_unfit"),
                 (make("icmp4", src="0.0.0.0", **there), "reply_unfit")])
    back6 = {**back, "src": IP6_B, "dst": IP6_A}

    def echo6(**o):
        return ether(**o) / ip6(**o) / ICMPv6EchoReply(id=7, seq=1, data=o.get("data", DATA))

    answer_case("echo-ipv6", "the same of IPv6", reply("ECHO"), ICMP6,
                [(make("icmp6", ttl=9, **there), echo6(**back6)),
                 (make("icmp6", data=big, **there), echo6(data=big, **back6))],
                [(make("icmp6", icmp_type=129, **there), "reply_unfit"),
                 (make("icmp6", eth_dst="33:33:00:00:00:01", dst="ff02::1"), "reply_unfit"),
                 (make("icmp6", src="::", **there), "reply_unfit")])


def error4(kind, code, quoted, mtu=0, **o):
    return ether(eth_src=GATEWAY, eth_dst=MAC_A, **o) / \
        IP(src=GW4, dst=IP_A, tos=0xc0, ttl=64, id=0) / \
        ICMP(type=kind, code=code, **({"nexthopmtu": mtu} if mtu else {})) / Raw(quoted)


def error6(layer, quoted, **o):
    return ether(eth_src=GATEWAY, eth_dst=MAC_A, **o) / IPv6(src=GW6, dst=IP6_A, hlim=64) / \
        layer / Raw(quoted)


def quote(packet, limit, layer=IP):
    return bytes(packet[layer])[:limit]


def errors():
    router4 = {"mac": GATEWAY, "ip": GW4}
    router6 = {"mac": GATEWAY, "ip": GW6}
    late, small = make("udp4", ttl=1), make("udp4", data=b"")
    big = make("udp4", ttl=1, data=bytes(range(256)) * 4)
    never4 = [(make("icmp4", icmp_type=t), "no_icmp_error") for t in (3, 5, 11, 12)] + [
        (make("udp4", frag=5), "no_icmp_error"), (make("udp4", eth_dst=EVERYONE), "no_icmp_error"),
        (make("udp4", dst="224.0.0.5"), "no_icmp_error"),
        (make("udp4", dst="255.255.255.255"), "no_icmp_error"),
        (make("udp4", src="0.0.0.0"), "no_icmp_error"),
        (make("udp4", src="127.0.0.1"), "no_icmp_error"),
        (make("udp4", src="240.0.0.1"), "no_icmp_error")]
    answer_case("time_exceeded", "what is told quotes the packet, up to 576 bytes in all",
                reply("TIME_EXCEEDED", **router4), IPV4,
                [(late, error4(11, 0, quote(late, 548))), (big, error4(11, 0, quote(big, 548))),
                 (bytes(small) + bytes(20), error4(11, 0, quote(small, 548))),
                 (make("icmp4"), error4(11, 0, quote(make("icmp4"), 548))),
                 (make("udp4", flags="MF"), error4(11, 0, quote(make("udp4", flags="MF"), 548))),
                 (make("udp4", vlans=TAG), error4(11, 0, quote(make("udp4"), 548), vlans=TAG))],
                never4)
    answer_case("unreachable", "with the code of the rule",
                reply("UNREACHABLE", code=13, **router4), IPV4,
                [(late, error4(3, 13, quote(late, 548)))], never4[:1])
    answer_case("too_big", "with the MTU of the rule", reply("TOO_BIG", mtu=1400, **router4), IPV4,
                [(late, error4(3, 4, quote(late, 548), mtu=1400))], never4[:1])

    late6 = make("udp6", ttl=1)
    big6 = make("udp6", data=bytes(range(256)) * 6)
    never6 = [(make("icmp6", icmp_type=t), "no_icmp_error") for t in (1, 2, 3, 137)] + [
        (make("udp6", src="::"), "no_icmp_error"), (make("udp6", src="ff02::1"), "no_icmp_error")]
    group6 = [(make("udp6", dst="ff02::1"), "no_icmp_error"),
              (make("udp6", eth_dst="33:33:00:00:00:01"), "no_icmp_error")]
    answer_case("time_exceeded-ipv6", "up to 1280 bytes in all", reply("TIME_EXCEEDED", **router6),
                IPV6, [(late6, error6(ICMPv6TimeExceeded(), quote(late6, 1232, IPv6))),
                       (big6, error6(ICMPv6TimeExceeded(), quote(big6, 1232, IPv6)))],
                never6 + group6)
    answer_case("unreachable-ipv6", "with the code of the rule",
                reply("UNREACHABLE", code=1, **router6), IPV6,
                [(late6, error6(ICMPv6DestUnreach(code=1), quote(late6, 1232, IPv6)))], group6)
    many = make("udp6", dst="ff0e::1", eth_dst="33:33:00:00:00:01")
    answer_case("too_big-ipv6", "also of what went to a group",
                reply("TOO_BIG", mtu=1280, **router6), IPV6,
                [(p, error6(ICMPv6PacketTooBig(mtu=1280), quote(p, 1232, IPv6)))
                 for p in (big6, many)], never6)


# --- DHCP ------------------------------------------------------------------------------------------

LEASE = {"lease_time": 3600, "subnet_mask": "255.255.255.0", "router": GW4}
CHADDR = bytes.fromhex(MAC_A.replace(":", ""))


def ask(kind, ciaddr="0.0.0.0", flags=0, giaddr="0.0.0.0", src="0.0.0.0", dst="255.255.255.255",
        eth_dst=EVERYONE, options=(), end="end", **more):
    return Ether(src=MAC_A, dst=eth_dst) / IP(src=src, dst=dst) / UDP(sport=68, dport=67) / \
        BOOTP(op=1, xid=0x01020304, chaddr=CHADDR, ciaddr=ciaddr, flags=flags, giaddr=giaddr,
              **more) / DHCP(options=[("message-type", kind)] + list(options) + [end])


def tell(kind, dst=IP_A, eth_dst=MAC_A, yiaddr=IP_A, ciaddr="0.0.0.0", flags=0, lease=(), ident=None,
         **more):
    options = [("message-type", kind), ("server_id", GW4)]
    if ident:
        options.append(("client_id", ident))
    message = bytes(BOOTP(op=2, xid=0x01020304, chaddr=CHADDR, yiaddr=yiaddr, ciaddr=ciaddr,
                          flags=flags, **more) /
                    DHCP(options=options + list(lease) + ["end"]))
    return Ether(src=GATEWAY, dst=eth_dst) / IP(src=GW4, dst=dst, id=0) / \
        UDP(sport=67, dport=68) / Raw(message + bytes(max(0, 300 - len(message))))


def hex_options(*options):
    """Without the magic cookie that scapy leaves to BOOTP."""
    return bytes(DHCP(options=list(options))).hex()


def dhcp4():
    lease = [("lease_time", 3600), ("subnet_mask", "255.255.255.0"), ("router", GW4)]
    action = reply("DHCP4", mac=GATEWAY, ip=GW4, yourIp=IP_A, options=hex_options(*lease))
    mine, other = ("requested_addr", IP_A), ("requested_addr", IP_B)
    us, them = ("server_id", GW4), ("server_id", IP_B)
    cast = {"dst": "255.255.255.255", "eth_dst": EVERYONE}
    nak = tell("nak", yiaddr="0.0.0.0", **cast)
    ident = b"\x01" + CHADDR
    answer_case(
        "dhcp4", "a client gets the address of its rule, and no other", action, UDP4,
        [(ask("discover"), tell("offer", lease=lease)),
         (ask("discover", flags=0x8000), tell("offer", flags=0x8000, lease=lease, **cast)),
         (ask("discover", options=[("client_id", ident), other]),
          tell("offer", lease=lease, ident=ident)),
         (ask("request", options=[mine, us]), tell("ack", lease=lease)),
         (ask("request", options=[other, us]), nak),
         (ask("request", options=[mine]), tell("ack", lease=lease)),
         (ask("request", options=[other]), nak),
         (ask("request", ciaddr=IP_A, src=IP_A, dst=GW4, eth_dst=GATEWAY),
          tell("ack", ciaddr=IP_A, lease=lease)),
         (ask("request", ciaddr=IP_B, src=IP_B), nak),
         (ask("inform", ciaddr=IP_A, src=IP_A),
          tell("ack", ciaddr=IP_A, yiaddr="0.0.0.0", lease=lease[1:])),
         (ask("discover", end="pad"), tell("offer", lease=lease))],
        [(ask("request", options=[mine, them]), "reply_none"),
         (ask("release", ciaddr=IP_A), "reply_none"),
         (ask("decline", options=[mine, us]), "reply_none"),
         (ask("offer"), "reply_none"),
         (ask("discover", giaddr=IP_B), "reply_unfit"),
         (ask("discover", hlen=16), "reply_unfit"),
         (ask(9), "reply_unfit"),
         (make("udp4", dport=67), "reply_unfit"),
         (make("udp4", dport=53), "reply_unfit")])
    boot = [(66, b"boot.example"), (67, b"pxelinux.0"),
            (150, bytes([192, 0, 2, 9]))]
    answer_case("dhcp4-boot", "a boot loader finds server and file in the header, too",
                reply("DHCP4", mac=GATEWAY, ip=GW4, yourIp=IP_A, options=hex_options(*boot)), UDP4,
                [(ask("discover"), tell("offer", lease=boot, siaddr="192.0.2.9",
                                        sname=b"boot.example", file=b"pxelinux.0"))])


def dhcp6():
    own, other = "2001:db8::a", "2001:db8::b"
    client, server = DHCP6OptClientId(duid=DUID_LL(lladdr=MAC_A)), \
        DHCP6OptServerId(duid=DUID_LL(lladdr=GATEWAY))
    stranger = DHCP6OptServerId(duid=DUID_LL(lladdr=MAC_B))
    dns = DHCP6OptDNSServers(dnsservers=["2001:db8::53"])
    action = reply("DHCP6", mac=GATEWAY, ip=LL_GW, address=own, leaseTime=1000,
                   options=bytes(dns).hex())

    def question(message, *options, src=LL_A, **udp):
        packet = Ether(src=MAC_A, dst="33:33:00:01:00:02") / IPv6(src=src, dst="ff02::1:2") / \
            UDP(sport=546, **{"dport": 547, **udp}) / message(trid=0x010203)
        for o in options:
            packet /= o
        return packet

    def told(message, *options):
        packet = Ether(src=GATEWAY, dst=MAC_A) / IPv6(src=LL_GW, dst=LL_A, hlim=64) / \
            UDP(sport=547, dport=546) / message(trid=0x010203)
        for o in options:
            packet /= o
        return packet

    def ia(*addresses, iaid=7):
        return DHCP6OptIA_NA(iaid=iaid, T1=0, T2=0, ianaopts=[
            DHCP6OptIAAddress(addr=a, preflft=0, validlft=0) for a in addresses])

    def lease(*gone):
        return DHCP6OptIA_NA(iaid=7, T1=500, T2=800, ianaopts=[
            DHCP6OptIAAddress(addr=own, preflft=1000, validlft=1000)] + [
                DHCP6OptIAAddress(addr=a, preflft=0, validlft=0) for a in gone])

    def refusal(iaid=7):
        return DHCP6OptIA_NA(iaid=iaid, T1=0, T2=0, ianaopts=[DHCP6OptStatusCode(statuscode=2)])

    success, off_link = DHCP6OptStatusCode(statuscode=0), DHCP6OptStatusCode(statuscode=4)
    answer_case(
        "dhcp6", "a client gets the address of its rule, and no other", action, UDP6,
        [(question(DHCP6_Solicit, client, ia()),
          told(DHCP6_Advertise, client, server, lease(), dns)),
         (question(DHCP6_Solicit, client, ia(other), DHCP6OptRapidCommit()),
          told(DHCP6_Reply, client, server, lease(), DHCP6OptRapidCommit(), dns)),
         (question(DHCP6_Request, client, server, ia(own)),
          told(DHCP6_Reply, client, server, lease(), dns)),
         (question(DHCP6_Renew, client, server, ia(own, other)),
          told(DHCP6_Reply, client, server, lease(other), dns)),
         (question(DHCP6_Rebind, client, ia(own)),
          told(DHCP6_Reply, client, server, lease(), dns)),
         (question(DHCP6_Solicit, client, ia(), ia(iaid=8)),
          told(DHCP6_Advertise, client, server, lease(), refusal(8), dns)),
         (question(DHCP6_Confirm, client, ia(own)),
          told(DHCP6_Reply, client, server, success)),
         (question(DHCP6_Confirm, client, ia(other)),
          told(DHCP6_Reply, client, server, off_link)),
         (question(DHCP6_Release, client, server, ia(own)),
          told(DHCP6_Reply, client, server, success)),
         (question(DHCP6_Decline, client, server, ia(own)),
          told(DHCP6_Reply, client, server, success)),
         (question(DHCP6_InfoRequest, client), told(DHCP6_Reply, client, server, dns)),
         (question(DHCP6_InfoRequest), told(DHCP6_Reply, server, dns))],
        [(question(DHCP6_Request, client, stranger, ia(own)), "reply_none"),
         (question(DHCP6_Confirm, client, ia()), "reply_none"),
         (question(DHCP6_Request, client, ia(own)), "reply_unfit"),
         (question(DHCP6_Solicit, ia()), "reply_unfit"),
         (question(DHCP6_Solicit, client, server, ia()), "reply_unfit"),
         (question(DHCP6_Solicit, client, client), "reply_unfit"),
         (question(DHCP6_Advertise, client, server), "reply_unfit"),
         (question(DHCP6_Solicit, client, ia(), Raw(b"\0\1\0")), "reply_unfit"),
         (question(DHCP6_Solicit, client, src="::"), "reply_unfit"),
         (question(DHCP6_Solicit, client, dport=546), "reply_unfit")])
    answer_case("dhcp6-stateless", "where there are no addresses to give",
                reply("DHCP6", mac=GATEWAY, ip=LL_GW, options=bytes(dns).hex()), UDP6,
                [(question(DHCP6_InfoRequest, client), told(DHCP6_Reply, client, server, dns)),
                 (question(DHCP6_Solicit, client, ia()),
                  told(DHCP6_Advertise, client, server, refusal(), dns))])


def advertisements():
    options = ICMPv6NDOptSrcLLAddr(lladdr=GATEWAY) / ICMPv6NDOptMTU(mtu=1450) / \
        ICMPv6NDOptPrefixInfo(prefix="2001:db8::", prefixlen=64)
    body = bytes(ICMPv6ND_RA(chlim=64, M=0, O=1, routerlifetime=1800, cksum=0) / options)[4:]

    def ask_router(src=LL_A, hops=255, code=0):
        return ether(eth_dst="33:33:00:00:00:02") / IPv6(src=src, dst="ff02::2", hlim=hops) / \
            ICMPv6ND_RS(code=code)

    def told(dst=LL_A, eth_dst=MAC_A):
        return ether(eth_src=GATEWAY, eth_dst=eth_dst) / IPv6(src=LL_GW, dst=dst, hlim=255) / \
            ICMPv6ND_RA(chlim=64, M=0, O=1, routerlifetime=1800) / options

    answer_case("ra", "a router solicitation is answered",
                reply("RA", mac=GATEWAY, ip=LL_GW, body=body.hex()), RS,
                [(ask_router(), told()),
                 (ask_router(src="::"), told(dst="ff02::1", eth_dst="33:33:00:00:00:01"))],
                [(ask_router(hops=64), "reply_unfit"), (ask_router(code=1), "reply_unfit")])
    everybody = dict(dst="ff02::1", eth_dst="33:33:00:00:00:01")
    unasked = [{"type": "ADVERTISE", "least": 3, "most": 4},
               reply("RA", mac=GATEWAY, ip=LL_GW, body=body.hex()), group_to(5)]
    with Case("reply/advertise", "unasked: first within 4 s, then every 3 to 4 s, and as the flow "
              "says to whom; nobody's packet is the flow's", document(
                  [flow(RS, unasked, table=3), flow([in_port(1)], [output(4)])],
                  [group(5, "ALL", bucket([output(2)]),
                         bucket([l2("VLAN_PUSH"), l2("VLAN_ID", vlanId=7), output(3)]))])) as case:
        # In 11 s these are two to four; by the seed of a replay three.
        case.send(1, ask_router(), at_ms=0).expect(4, ask_router())
        case.send(1, ask_router(), at_ms=11000).expect(4, ask_router())
        for _ in range(3):
            said = told(**everybody)
            case.expect(2, said)
            case.expect(3, Ether(src=said.src, dst=said.dst) / Dot1Q(vlan=7, type=said.type) /
                        said.payload)


# --- what surrounds an answer ----------------------------------------------------------------------

def surroundings():
    with Case("reply/and-on", "what follows works on the answer, tables too", document([
            flow(ARP, [l2("VLAN_PUSH"), l2("VLAN_ID", vlanId=7), reply("ARP", mac=GATEWAY),
                       {"type": "RESUBMIT", "tableId": 1}]),
            flow([c("ETH_SRC", mac=GATEWAY), c("VLAN_VID", vlanId=7)] + ARP +
                 [c("ARP_OP", arpOp=2)], [output(2)], table=1)])) as case:
        case.send(1, arp()).expect(2, arp(src=GATEWAY, dst=MAC_A, op=2, sha=GATEWAY, spa=IP_B,
                                          tha=MAC_A, tpa=IP_A, vlans=[(0x8100, 7, 0)]))
    with Case("reply/clone", "a copy is answered, the packet goes on", document([
            flow(ICMP4, [{"type": "CLONE", "instructions": [reply("ECHO"), output("IN_PORT")]},
                         output(2)])])) as case:
        ping = make("icmp4", eth_dst=GATEWAY)
        case.send(1, ping).expect(2, ping)
        case.expect(1, make("icmp4", icmp_type=0, eth_src=GATEWAY, eth_dst=MAC_A, src=IP_B,
                            dst=IP_A))
    with Case("reply/if_longer", "longer packets take another way, and only that", document([
            flow(IPV4, [{"type": "IF_LONGER", "maxLen": 100, "instructions": [
                reply("TOO_BIG", mtu=100, mac=GATEWAY, ip=GW4), output("IN_PORT")]},
                output(2)])])) as case:
        fits, long = make("udp4", data=b"x" * 72), make("udp4", data=b"x" * 73)
        tagged, longer = make("udp4", data=b"x" * 72, vlans=TAG), \
            make("udp4", data=b"x" * 73, vlans=TAG)
        for packet in (fits, fits, tagged):
            case.send(1, packet).expect(2, packet)
        case.send(1, bytes(fits) + bytes(100), what="padding does not count").expect(
            2, bytes(fits) + bytes(100), judge=False)
        case.send(1, long).expect(1, error4(3, 4, quote(long, 548), mtu=100))
        case.send(1, longer).expect(1, error4(3, 4, quote(long, 548), mtu=100, vlans=TAG))
        case.send(1, fits).expect(2, fits)
        case.flow_counts(0, 100, 7, 5 * len(fits) + len(tagged) + 100 + len(long) + len(longer) -
                         len(fits))
    with Case("reply/if_longer-on", "counts are of the way that was taken", document([
            flow(IPV4, [{"type": "IF_LONGER", "maxLen": 100, "instructions": [
                {"type": "RESUBMIT", "tableId": 2}, output(3)]},
                {"type": "RESUBMIT", "tableId": 1}, output(2)]),
            flow([], [], table=1),
            flow([], [output(4)], table=2)])) as case:
        fits, long = make("udp4", data=b"x" * 72), make("udp4", data=b"x" * 73)
        for _ in range(2):
            case.send(1, fits).expect(2, fits)
            case.send(1, long).expect(4, long).expect(3, long)
        case.flow_counts(1, 100, 2, 2 * len(fits)).flow_counts(2, 100, 2, 2 * len(long))
        case.flow_counts(0, 100, 4, 2 * (len(fits) + len(long)))
    with Case("reply/if_longer-none", "nothing to do is a drop", document([
            flow(IPV4, [{"type": "IF_LONGER", "maxLen": 100, "instructions": []},
                        output(2)])])) as case:
        fits, long = make("udp4", data=b"x" * 72), make("udp4", data=b"x" * 73)
        case.send(1, fits).expect(2, fits).send(1, long).drop("no_action")
    with Case("reply/if_longer-other", "what is not IP counts behind its Ethernet header", document([
            flow([], [{"type": "IF_LONGER", "maxLen": 100, "instructions": [output(3)]},
                      output(2)])])) as case:
        for n, to in ((100, 2), (101, 3)):
            frame = bytes(Ether(src=MAC_A, dst=MAC_B, type=0x88b5)) + bytes(n)
            case.send(1, frame, what="%d bytes" % n).expect(to, frame, judge=False)


def refusals():
    bad = [reply("ARP", mac="01:00:5E:00:00:01"), reply("TIME_EXCEEDED", mac=GATEWAY, ip="224.0.0.1"),
           reply("TOO_BIG", mac=GATEWAY, ip=GW4, mtu=67), reply("TOO_BIG", mac=GATEWAY, ip=GW6, mtu=1279)]
    for i, action in enumerate(bad):
        criteria = ARP if i == 0 else IPV6 if i == 3 else IPV4
        bad[i] = flow(criteria, [action, output("IN_PORT")], priority=i + 1)
    with Case("reply/refused", "arguments that no answer can have", document(bad)) as case:
        for i in range(len(bad)):
            case.refused("/flows/%d/treatment/instructions/0" % i, "OFPBAC_BAD_ARGUMENT")
    with Case("reply/refused-match", "an answer needs to know what is asked",
              document([flow(IPV4, [reply("ARP", mac=GATEWAY)]),
                        flow(IPV4, [reply("ECHO")], priority=1)])) as case:
        for i in range(2):
            case.refused("/flows/%d/treatment/instructions/0" % i, "OFPBAC_MATCH_INCONSISTENT")


def cases():
    arps()
    neighbours()
    echoes()
    errors()
    dhcp4()
    dhcp6()
    advertisements()
    surroundings()
    refusals()
