# SPDX-License-Identifier: BSD-3-Clause
"""Each action that is not a SET_FIELD, and the ways an action list may end."""
from case import Case
from frames import MAC_A, MAC_B, MAC_C, ether, ip4, ip6, l4_of, make
from rules import (ARP, IPV4, IPV6, NOACTION, PORTS, TAGGED, bucket, c, document, flow, goto,
                   group, group_to, in_port, l2, l3, miss, output, port, set_field)
from scapy.packet import Raw

TCP = make("tcp4")
V = [(0x8100, 5, 3)]


def apply_case(name, says, instructions, sends, expects, criteria=(), drops=(), **more):
    """sends: packets into port 1; expects: (port, packet) in the order of each port."""
    with Case("action/" + name, says, document([flow(criteria, instructions)], **more)) as case:
        for packet in sends:
            case.send(1, packet)
        for number, packet in expects:
            case.expect(number, packet)
        for reason in drops:
            case.drop(reason)
    return case


MANY_TAGS = [(), [(0x8100, 5, 0)], [(0x88a8, 6, 1), (0x8100, 5, 0)]]


def outputs():
    apply_case("output", "to a port", [output(2)], [TCP], [(2, TCP)])
    apply_case("output-in-port", "back by the port it came in by", [output("IN_PORT")], [TCP],
               [(1, TCP)])
    apply_case("output-to-ingress", "not back by its number", [output(1)], [TCP], [],
               drops=["to_ingress"])
    apply_case("output-twice", "copies in the written order", [output(3), output(2), output(3)],
               [TCP], [(2, TCP), (3, TCP), (3, TCP)])
    apply_case("output-to-ingress-and-on", "a copy that may not leave does not end the list",
               [output(1), output(2)], [TCP], [(2, TCP)], drops=["to_ingress"])
    for word in ("ALL", "FLOOD"):
        apply_case("output-" + word.lower(), "every port but the ingress port", [output(word)],
                   [TCP], [(2, TCP), (3, TCP), (4, TCP)])
    ports = PORTS[:1] + [port(2, isEnabled=False), port(3, config=["NO_FWD"]), port(4)]
    apply_case("output-flood-config", "ports that are down or forward nothing are left out",
               [output("FLOOD")], [TCP], [(4, TCP)], ports=ports)
    apply_case("output-port-down", "to a port that is down", [output(2)], [TCP], [], ports=ports,
               drops=["port_down"])
    apply_case("output-no-fwd", "to a port that forwards nothing", [output(3)], [TCP], [],
               ports=ports, drops=["port_no_fwd"])
    apply_case("output-local", "the switch has no LOCAL port here", [output("LOCAL")], [TCP], [],
               drops=["no_such_port"])
    big = make("tcp4", data=b"x" * 200)
    with Case("action/output-max-len", "this output alone is shortened",
              document([flow([], [output(2, maxLen=100), output(3)])])) as case:
        case.send(1, big).expect(2, bytes(big)[:100], what="first 100 bytes", judge=False)
        case.expect(3, big)
    with Case("action/truncate", "every output from here on is shortened",
              document([flow([], [output(2), {"type": "TRUNCATE", "maxLen": 80}, output(3),
                                  output(4)])])) as case:
        case.send(1, big).expect(2, big)
        case.expect(3, bytes(big)[:80], what="first 80 bytes", judge=False)
        case.expect(4, bytes(big)[:80], what="first 80 bytes", judge=False)
    apply_case("output-mtu", "larger than the port's MTU: 214 bytes of IP over 200", [output(2)],
               [big], [], ports=PORTS[:1] + [port(2, mtu=200)], drops=["mtu"])
    whole = [make("tcp4", data=b"x" * 160, vlans=tags) for tags in MANY_TAGS]
    more = [make("tcp4", data=b"x" * 161, vlans=tags) for tags in MANY_TAGS]
    for name, change in (("", []), ("-rewritten", [l2("ETH_SRC", mac=MAC_C)])):
        sent = [make("tcp4", data=b"x" * 160, vlans=tags, **({"eth_src": MAC_C} if name else {}))
                for tags in MANY_TAGS]
        apply_case("output-mtu-tags" + name, "200 bytes of IP over 200: tags do not count",
                   change + [output(2)], whole + more, [(2, p) for p in sent],
                   ports=PORTS[:1] + [port(2, mtu=200)], drops=["mtu"] * len(more))


def normal():
    there, back = TCP, make("tcp4", eth_src=MAC_B, eth_dst=MAC_A)
    with Case("action/output-normal", "a learning switch: floods, then knows",
              document([flow([], [output("NORMAL")])])) as case:
        case.send(1, there, what="to an unknown address: flooded")
        for number in (2, 3, 4):
            case.expect(number, there)
        case.send(3, back, what="its answer: to port 1 only").expect(1, back)
        case.send(1, there, what="again: to port 3 only").expect(3, there)
        case.send(2, make("tcp4", eth_src=MAC_C), what="a third station").expect(
            3, make("tcp4", eth_src=MAC_C))
        moved = make("tcp4", eth_src=MAC_B, eth_dst=MAC_A, sport=2)
        case.send(4, moved, what="B has moved to port 4").expect(1, moved)
        case.send(1, there, what="so A's frames follow").expect(4, there)
        local = make("tcp4", eth_src=MAC_C, eth_dst=MAC_A, sport=3)
        case.send(1, local, what="for a station on the same port").drop("to_ingress")
        everyone = make("arp", eth_dst="ff:ff:ff:ff:ff:ff")
        case.send(1, everyone, what="broadcast")
        for number in (2, 3, 4):
            case.expect(number, everyone)
    with Case("action/output-normal-vlan", "VLANs are networks of their own",
              document([flow([], [output("NORMAL")])])) as case:
        five = make("tcp4", vlans=[(0x8100, 5, 0)])
        back6 = make("tcp4", eth_src=MAC_B, eth_dst=MAC_A, vlans=[(0x8100, 6, 0)])
        case.send(1, five, what="A speaks in VLAN 5")
        for number in (2, 3, 4):
            case.expect(number, five)
        case.send(3, back6, what="to A in VLAN 6, where it is unknown")
        for number in (1, 2, 4):
            case.expect(number, back6)


def controller():
    big = make("tcp4", data=b"x" * 200)
    with Case("action/output-controller", "the whole packet goes to the controller",
              document([flow([], [output("CONTROLLER")], cookie="0xc0ffee")])) as case:
        case.send(1, big).packet_in(big, "APPLY_ACTION", cookie="0xc0ffee")
        case.flow_counts(0, 100, 1, len(big))
    with Case("action/output-controller-max-len", "only its first bytes",
              document([flow([], [output("CONTROLLER", maxLen=64), output(2)])])) as case:
        case.send(1, big).packet_in(big, "APPLY_ACTION", max_len=64).expect(2, big)
    with Case("action/output-controller-rewritten", "as it is at that moment",
              document([flow(IPV4, [set_field("ip_ttl", 5), output("CONTROLLER"),
                                    set_field("ip_ttl", 6), output(2)])])) as case:
        case.send(1, TCP).packet_in(make("tcp4", ttl=5), "APPLY_ACTION")
        case.expect(2, make("tcp4", ttl=6))
    with Case("action/output-controller-miss", "from the table-miss flow",
              document([flow(ARP, [output(2)]), miss([output("CONTROLLER")])])) as case:
        case.send(1, TCP).packet_in(TCP, "NO_MATCH")
        case.send(1, make("arp")).expect(2, make("arp"))
    with Case("action/output-controller-set", "from the action set",
              document([flow([], [goto(3)], deferred=[output("CONTROLLER")]),
                        flow([], [], table=3)])) as case:
        case.send(1, TCP).packet_in(TCP, "ACTION_SET")
    with Case("action/output-controller-group", "from a bucket",
              document([flow([], [group_to(1)])],
                       groups=[group(1, "INDIRECT", bucket([output("CONTROLLER")]))])) as case:
        case.send(1, TCP).packet_in(TCP, "GROUP")
    with Case("action/output-controller-reason", "with a reason of the flow's choice",
              document([flow([], [output("CONTROLLER", reason="INVALID_TTL")])])) as case:
        case.send(1, TCP).packet_in(TCP, "INVALID_TTL")
    with Case("action/output-controller-off", "a port with NO_PACKET_IN has no table-miss packet-in",
              document([miss([output("CONTROLLER")])],
                       ports=[port(1, config=["NO_PACKET_IN"])] + PORTS[1:])) as case:
        case.send(1, TCP).drop("controller_off")
        case.send(2, TCP).packet_in(TCP, "NO_MATCH", port=2)


def vlans():
    apply_case("vlan_push", "a tag with VID 0 by default", [l2("VLAN_PUSH"), output(2)], [TCP],
               [(2, make("tcp4", vlans=[(0x8100, 0, 0)]))])
    apply_case("vlan_push-set", "push, then name the VID and priority",
               [l2("VLAN_PUSH"), l2("VLAN_ID", vlanId=100), l2("VLAN_PCP", vlanPcp=5), output(2)],
               [TCP], [(2, make("tcp4", vlans=[(0x8100, 100, 5)]))])
    apply_case("vlan_push-8021ad", "a service tag around a customer tag, whose VID it copies",
               [l2("VLAN_PUSH", ethernetType="0x88a8"), output(3), l2("VLAN_ID", vlanId=200),
                output(2)], [make("tcp4", vlans=V)],
               [(2, make("tcp4", vlans=[(0x88a8, 200, 3), (0x8100, 5, 3)])),
                (3, make("tcp4", vlans=[(0x88a8, 5, 3), (0x8100, 5, 3)]))])
    apply_case("vlan_push-third", "a third tag",
               [l2("VLAN_PUSH", ethernetType="0x88a8"), l2("VLAN_ID", vlanId=9), output(2)],
               [make("tcp4", vlans=[(0x8100, 5, 0), (0x8100, 6, 0)])],
               [(2, make("tcp4", vlans=[(0x88a8, 9, 0), (0x8100, 5, 0), (0x8100, 6, 0)]))])
    apply_case("vlan_pop", "the outer tag goes", [l2("VLAN_POP"), output(2)],
               [make("tcp4", vlans=V), make("tcp4", vlans=[(0x88a8, 9, 0), (0x8100, 5, 3)])],
               [(2, TCP), (2, make("tcp4", vlans=V))], criteria=TAGGED)
    apply_case("vlan_pop-rewrite", "both tags go and what is behind them is found",
               [l2("VLAN_POP"), l2("VLAN_POP"), output(2)],
               [make("tcp4", vlans=[(0x88a8, 9, 0), (0x8100, 5, 3)])], [(2, TCP)],
               criteria=TAGGED + [c("INNER_VLAN_VID", innerVlanId=5)])
    apply_case("vlan_pop-third", "a third tag comes to light; its frame is matched in table 1",
               [l2("VLAN_POP"), goto(1)],
               [make("tcp4", vlans=[(0x8100, 1, 0), (0x8100, 2, 0), (0x8100, 3, 0)])], [],
               criteria=TAGGED, drops=["table_miss"])


def ttl():
    with Case("action/dec_ttl", "TTL and hop limit go down by one",
              document([flow(IPV4, [l3("DEC_TTL"), output(2)]),
                        flow(IPV6, [l3("DEC_TTL"), output(2)])])) as case:
        case.send(1, TCP).expect(2, make("tcp4", ttl=63))
        case.send(1, make("tcp6")).expect(2, make("tcp6", ttl=63))
        case.send(1, make("tcp4", ttl=2)).expect(2, make("tcp4", ttl=1))
    with Case("action/dec_ttl-expired", "what would reach zero is dropped and told",
              document([flow(IPV4, [l3("DEC_TTL"), output(2)]),
                        flow(IPV6, [l3("DEC_TTL"), output(2)])])) as case:
        for packet in (make("tcp4", ttl=1), make("tcp6", ttl=1), make("tcp4", ttl=0)):
            case.send(1, packet).drop("ttl_expired").packet_in(packet, "INVALID_TTL")
    outer = lambda t: ether() / ip4(ttl=t, src="198.51.100.1", dst="198.51.100.2")  # noqa: E731
    inner = lambda t: ip4(ttl=t) / l4_of("udp") / Raw(b"inside")  # noqa: E731
    apply_case("ttl_in", "the outer TTL becomes the inner one's", [l3("TTL_IN"), output(2)],
               [outer(9) / inner(64)], [(2, outer(9) / inner(9))], criteria=IPV4)
    apply_case("ttl_out", "the inner TTL becomes the outer one's", [l3("TTL_OUT"), output(2)],
               [outer(9) / inner(64)], [(2, outer(64) / inner(64))], criteria=IPV4)
    outer6 = lambda t: ether() / ip6(ttl=t)  # noqa: E731
    apply_case("ttl_in-ipv6", "from an IPv6 header to an IPv4 header inside",
               [l3("TTL_IN"), output(2)], [outer6(9) / inner(64)], [(2, outer6(9) / inner(9))],
               criteria=IPV6)
    apply_case("ttl_out-ipv6", "from an IPv4 header inside to an IPv6 header",
               [l3("TTL_OUT"), output(2)], [outer6(9) / inner(64)], [(2, outer6(64) / inner(64))],
               criteria=IPV6)
    apply_case("ttl_in-single", "with one IP header there is nothing to copy",
               [l3("TTL_IN"), l3("TTL_OUT"), output(2)], [TCP], [(2, TCP)], criteria=IPV4)


def others():
    apply_case("noaction", "an explicit drop", [NOACTION], [TCP], [], drops=["no_action"])
    apply_case("none", "no action at all is the same", [], [TCP], [], drops=["no_action"])
    apply_case("queue", "a queue changes nothing in the frame",
               [{"type": "QUEUE", "queueId": 3}, output(2)], [TCP], [(2, TCP)])
    apply_case("tunnel_id-plain", "a tunnel id means nothing to a plain port",
               [l2("TUNNEL_ID", tunnelId=5001), output(2)], [TCP], [(2, TCP)])
    apply_case("after-output", "what follows an output is not seen by it",
               [output(2), set_field("ip_ttl", 9), output(3)], [TCP],
               [(2, TCP), (3, make("tcp4", ttl=9))], criteria=IPV4)
    swap = [set_field("eth_src", MAC_B), set_field("eth_dst", MAC_A), output("IN_PORT")]
    apply_case("reflect", "both addresses changed, sent back", swap, [TCP],
               [(1, make("tcp4", eth_src=MAC_B, eth_dst=MAC_A))])


def extended():
    """Actions beyond OpenFlow and ONOS."""
    apply_case("move", "bits of a field into another",
               [{"type": "MOVE", "src": "ip_dscp", "dst": "ip_ttl", "dstOffset": 2, "bits": 6},
                output(2)],
               [make("tcp4", tos=46 << 2, ttl=3)], [(2, make("tcp4", tos=46 << 2, ttl=187))],
               criteria=IPV4)
    apply_case("move-whole", "an address into another",
               [{"type": "MOVE", "src": "eth_src", "dst": "eth_dst"},
                set_field("eth_src", MAC_C), output("IN_PORT")],
               [TCP], [(1, make("tcp4", eth_src=MAC_C, eth_dst=MAC_A))])
    apply_case("vlan_id-push", "a VID where there may be no tag yet",
               [l2("VLAN_ID", vlanId=7, pushIfNeeded=True), output(2)],
               [TCP, make("tcp4", vlans=V)],
               [(2, make("tcp4", vlans=[(0x8100, 7, 0)])), (2, make("tcp4", vlans=[(0x8100, 7, 3)]))])
    apply_case("vlan_pcp-push", "a priority where there may be no tag yet",
               [l2("VLAN_PCP", vlanPcp=6, pushIfNeeded=True), output(2)],
               [TCP, make("tcp4", vlans=V)],
               [(2, make("tcp4", vlans=[(0x8100, 0, 6)])), (2, make("tcp4", vlans=[(0x8100, 5, 6)]))])
    apply_case("pop_queue", "back to the port's own queue",
               [{"type": "QUEUE", "queueId": 3}, {"type": "POP_QUEUE"}, output(2)], [TCP],
               [(2, TCP)])
    apply_case("note", "a note does nothing", [{"type": "NOTE", "hex": "c0ffee"}, output(2)],
               [TCP], [(2, TCP)])
    clone = {"type": "CLONE", "instructions": [set_field("ip_ttl", 9), output(2)]}
    apply_case("clone", "what a clone does to its copy stays there", [clone, output(3)], [TCP],
               [(2, make("tcp4", ttl=9)), (3, TCP)], criteria=IPV4)
    nested = {"type": "CLONE", "instructions": [l2("VLAN_PUSH"), clone, output(4)]}
    apply_case("clone-nested", "a clone in a clone", [nested, output(3)], [TCP],
               [(2, make("tcp4", ttl=9, vlans=[(0x8100, 0, 0)])),
                (4, make("tcp4", vlans=[(0x8100, 0, 0)])), (3, TCP)], criteria=IPV4)
    apply_case("clone-no-output", "a copy without output is dropped, the packet goes on",
               [{"type": "CLONE", "instructions": [set_field("ip_ttl", 9)]}, output(2)], [TCP],
               [(2, TCP)], criteria=IPV4, drops=["no_action"])
    again = {"type": "RESUBMIT", "tableId": 5}
    with Case("action/resubmit", "look up in a later table, then go on with the list",
              document([flow(IPV4, [again, output(3)]),
                        flow(IPV4, [set_field("ip_ttl", 9), output(2)], table=5)])) as case:
        case.send(1, TCP).expect(2, make("tcp4", ttl=9)).expect(3, make("tcp4", ttl=9))
        case.flow_counts(5, 100, 1, len(TCP))
    with Case("action/resubmit-port", "as if it had come in by another port",
              document([flow([], [{"type": "RESUBMIT", "tableId": 5, "inPort": 4}, output(3)]),
                        flow([in_port(4)], [output(1)], table=5),
                        flow([in_port(1)], [output(2)], table=5)])) as case:
        case.send(1, TCP).expect(1, TCP).expect(3, TCP)
    with Case("action/resubmit-extension", "as ONOS spells it",
              document([flow([], [{"type": "EXTENSION", "extension": {"type": 14, "table": 5}}]),
                        flow([], [output(2)], table=5)])) as case:
        case.send(1, TCP).expect(2, TCP)


def cases():
    outputs()
    normal()
    controller()
    vlans()
    ttl()
    others()
    extended()
