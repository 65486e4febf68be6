# SPDX-License-Identifier: BSD-3-Clause
"""Tables, instructions, the action set, timeouts, counters, ports, frames that are no Ethernet."""
from case import Case
from frames import MAC_A, MAC_B, make, raw
from rules import (ARP, IPV4, TAGGED, TCP4, UDP4, band, bucket, c, document, flow, goto, group,
                   group_to, l2, l3, meter, meter_by, miss, output, port, set_field)

TCP = make("tcp4")
UDP = make("udp4")


def case_of(name, says, flows, **more):
    return Case("pipeline/" + name, says, document(flows, **more))


def tables():
    with case_of("empty", "a switch without flows drops", []) as case:
        case.send(1, TCP).drop("table_miss")
    with case_of("priority", "the highest priority wins, whatever the order of the document",
                 [flow(IPV4, [output(2)], priority=10), flow(TCP4, [output(3)], priority=300),
                  flow([], [output(4)], priority=20)]) as case:
        case.send(1, TCP).expect(3, TCP)
        case.send(1, UDP).expect(4, UDP)
        case.flow_counts(0, 10, 0, 0).flow_counts(0, 300, 1, len(TCP))
        case.flow_counts(0, 20, 1, len(UDP))
    with case_of("table-miss", "priority 0 and no criteria: what nothing else takes",
                 [flow(TCP4, [output(2)]), miss([output(3)])]) as case:
        case.send(1, TCP).expect(2, TCP)
        case.send(1, UDP).expect(3, UDP)
    with case_of("goto", "tables only go forward; each sees what the one before wrote",
                 [flow(IPV4, [set_field("ip_ttl", 9), goto(7)]),
                  flow(IPV4 + [c("IP_TTL", ttl=9)], [set_field("ip_ttl", 8), goto(254)], table=7),
                  flow(IPV4 + [c("IP_TTL", ttl=8)], [output(2)], table=254)]) as case:
        case.send(1, TCP).expect(2, make("tcp4", ttl=8))
        for table in (0, 7, 254):
            case.flow_counts(table, 100, 1, len(TCP))
    with case_of("goto-miss", "a miss in a later table drops",
                 [flow([], [output(2), goto(1)]), flow(ARP, [output(3)], table=1)]) as case:
        case.send(1, TCP).expect(2, TCP).drop("table_miss")
    with case_of("metadata", "bits written under masks add up",
                 [flow([], [{"type": "METADATA", "metadata": 0x1200, "metadataMask": 0xff00},
                            goto(1)]),
                  flow([], [{"type": "METADATA", "metadata": 0xff34, "metadataMask": 0x00ff},
                            goto(2)], table=1),
                  flow([c("METADATA", metadata=0x1234)], [output(2)], table=2)]) as case:
        case.send(1, TCP).expect(2, TCP)
    with case_of("metadata-large", "numbers that JSON readers round are strings",
                 [flow([], [{"type": "METADATA", "metadata": "0xfedcba9876543210"}, goto(1)]),
                  flow([c("METADATA", metadata="18364758544493064720")], [output(2)],
                       table=1)]) as case:
        case.send(1, TCP).expect(2, TCP)


def action_set():
    with case_of("write", "the action set runs when the pipeline ends",
                 [flow(IPV4, [output(3), goto(1)], deferred=[set_field("ip_ttl", 9), output(2)]),
                  flow([], [], table=1)]) as case:
        case.send(1, TCP).expect(3, TCP).expect(2, make("tcp4", ttl=9))
    with case_of("write-order", "in the standard's order, not the written one",
                 [flow(IPV4, [], deferred=[output(2), set_field("ip_ttl", 9),
                                           l2("VLAN_ID", vlanId=7), l3("DEC_TTL"),
                                           l2("VLAN_PUSH")])]) as case:
        # push, then DEC_TTL, then the fields: the TTL set last wins.
        case.send(1, TCP).expect(2, make("tcp4", ttl=9, vlans=[(0x8100, 7, 0)]))
    with case_of("write-overwrite", "one of each kind: the last written stays",
                 [flow(IPV4, [goto(1)], deferred=[set_field("ip_ttl", 9), output(2),
                                                  set_field("ip_dscp", 46)]),
                  flow(IPV4, [], deferred=[set_field("ip_ttl", 5), output(3)], table=1)]) as case:
        case.send(1, TCP).expect(3, make("tcp4", ttl=5, tos=46 << 2))
    with case_of("clear", "a later table empties the set",
                 [flow(IPV4, [goto(1)], deferred=[set_field("ip_ttl", 9), output(2)]),
                  flow([], [], clear=True, table=1)]) as case:
        case.send(1, TCP).drop("no_action")
    with case_of("clear-write", "cleared first, written after",
                 [flow(IPV4, [goto(1)], deferred=[set_field("ip_ttl", 9), output(2)]),
                  flow([], [], clear=True, deferred=[output(3)], table=1)]) as case:
        case.send(1, TCP).expect(3, TCP)
    with case_of("write-group", "a group in the set takes the place of the output",
                 [flow([], [], deferred=[output(3), group_to(1)])],
                 groups=[group(1, "INDIRECT", bucket([output(2)]))]) as case:
        case.send(1, TCP).expect(2, TCP)
    with case_of("write-no-output", "a set without output drops",
                 [flow(IPV4, [], deferred=[set_field("ip_ttl", 9)])]) as case:
        case.send(1, TCP).drop("no_action")
    with case_of("write-pop", "pop comes before push",
                 [flow(TAGGED, [], deferred=[l2("VLAN_PUSH", ethernetType="0x88a8"),
                                             l2("VLAN_POP"), output(2)])]) as case:
        case.send(1, make("tcp4", vlans=[(0x8100, 5, 3)]))
        case.expect(2, make("tcp4", vlans=[(0x88a8, 0, 0)]))


def instruction_order():
    """Meter, apply, clear, write, metadata, goto: whatever the order in the document."""
    meters = [meter(1, "PKTS_PER_SEC", band("REMARK", 1, 1, prec=1), burst=True)]
    flows = [flow(IPV4, [goto(1), {"type": "METADATA", "metadata": 5}, output(2), meter_by(1)],
                  deferred=[output(3)], clear=True),
             flow([c("METADATA", metadata=5)], [], table=1)]
    with case_of("instruction-order", "the meter comes first, so that the list sees the remark",
                 flows, meters=meters) as case:
        packet = make("tcp4", tos=10 << 2)
        case.send(1, packet).expect(2, packet).expect(3, packet)
        remarked = make("tcp4", tos=12 << 2)
        case.send(1, packet, at_ms=2).expect(2, remarked).expect(3, remarked)


def timeouts():
    second = 1000
    with case_of("idle-timeout", "gone after two seconds without a packet",
                 [flow(TCP4, [output(2)], timeout=2, flags=["SEND_FLOW_REM"])]) as case:
        case.send(1, TCP, at_ms=0).expect(2, TCP)
        case.send(1, TCP, at_ms=1900).expect(2, TCP)
        case.send(1, TCP, at_ms=3800).expect(2, TCP)
        case.send(1, TCP, at_ms=5800, what="two seconds later").drop("table_miss")
        case.removed(0, 100, "IDLE_TIMEOUT")
    with case_of("hard-timeout", "gone three seconds after it was made, used or not",
                 [flow(TCP4, [output(2)], hardTimeout=3, flags=["SEND_FLOW_REM"])]) as case:
        for at in (0, 1000, 2000, 2999):
            case.send(1, TCP, at_ms=at).expect(2, TCP)
        case.send(1, TCP, at_ms=3000).drop("table_miss")
        case.removed(0, 100, "HARD_TIMEOUT")
    with case_of("timeout-other-frames", "time passes by any frame",
                 [flow(TCP4, [output(2)], timeout=1), miss([output(3)])]) as case:
        case.send(1, UDP, at_ms=0).expect(3, UDP)
        case.send(1, UDP, at_ms=5 * second).expect(3, UDP)
        case.send(1, TCP, at_ms=5 * second + 1).expect(3, TCP)


def eviction():
    flows = [flow(TCP4, [output(2)], priority=3, importance=5, flags=["SEND_FLOW_REM"]),
             flow(UDP4, [output(2)], priority=2, importance=1, flags=["SEND_FLOW_REM"]),
             flow(ARP, [output(2)], priority=1, importance=9, flags=["SEND_FLOW_REM"])]
    with case_of("eviction", "a full table gives up its least important flow", flows,
                 tables=[{"tableId": 0, "maxEntries": 2, "eviction": True}]) as case:
        case.send(1, TCP).expect(2, TCP)
        case.send(1, UDP).drop("table_miss")
        case.send(1, make("arp")).expect(2, make("arp"))


def counters():
    with case_of("no-counts", "flags that leave counters alone",
                 [flow(TCP4, [output(2)], priority=3, flags=["NO_PKT_COUNTS"]),
                  flow(UDP4, [output(2)], priority=2, flags=["NO_BYT_COUNTS"]),
                  flow(ARP, [output(2)], priority=1)]) as case:
        arp = make("arp")
        for packet in (TCP, UDP, arp):
            case.send(1, packet).expect(2, packet)
        case.flow_counts(0, 3, 0, len(TCP)).flow_counts(0, 2, 1, 0).flow_counts(0, 1, 1, len(arp))


def ports():
    special = [port(1, isEnabled=False), port(2, config=["NO_RECV"]), port(3), port(4)]
    with case_of("port-receives", "ports that are down or take nothing",
                 [flow([], [output(4)])], ports=special) as case:
        case.send(1, TCP).drop("port_down")
        case.send(2, TCP).drop("port_no_recv")
        case.send(3, TCP).expect(4, TCP)
        case.flow_counts(0, 100, 1, len(TCP))


def strange_frames():
    with case_of("runt", "shorter than an Ethernet header", [flow([], [output(2)])]) as case:
        case.send(1, raw(TCP)[:13], what="13 bytes").drop("runt")
        case.send(1, raw(TCP)[:14], what="a header alone")
        case.expect(2, raw(TCP)[:14], judge=False)
    llc = bytes.fromhex("0180c2000000020000000001") + b"\x00\x26" + b"\x42\x42\x03" + b"\0" * 35
    snap = (bytes.fromhex("02000000000b02000000000a") + b"\x00\x30" + b"\xaa\xaa\x03\0\0\0" +
            b"\x08\x00" + raw(TCP)[14:])
    snap = snap[:12] + (len(snap) - 14).to_bytes(2, "big") + snap[14:]
    with case_of("llc", "IEEE 802.3 frames: a length is no type",
                 [flow(IPV4, [output(2)], priority=2), flow([], [output(3)], priority=1)]) as case:
        case.send(1, llc, what="spanning tree, LLC").expect(3, llc, judge=False)
        case.send(1, snap, what="IPv4 in SNAP").expect(2, snap, judge=False)
    bad = [("IHL 4", raw(TCP)[:14] + b"\x44" + raw(TCP)[15:]),
           ("version 5", raw(TCP)[:14] + b"\x55" + raw(TCP)[15:]),
           ("total length 10", raw(TCP)[:16] + b"\0\x0a" + raw(TCP)[18:]),
           ("cut in the IP header", raw(TCP)[:30])]
    with case_of("bad-ip", "a broken IP header is not looked into, the frame still switched",
                 [flow(IPV4 + [c("IPV4_DST", ip="10.0.0.2/32")], [output(2)], priority=2),
                  flow([c("ETH_DST", mac=MAC_B)], [output(3)], priority=1)]) as case:
        for what, frame in bad:
            case.send(1, frame, what=what).expect(3, frame, judge=False)
    padded = raw(make("tcp4", data=b"")) + b"\xaa" * 6
    wanted = raw(make("tcp4", data=b"", src="10.77.1.200")) + b"\xaa" * 6
    with case_of("padding", "bytes after the IP packet stay and count for no checksum",
                 [flow(IPV4, [set_field("ipv4_src", "10.77.1.200"), output(2)])]) as case:
        case.send(1, padded, what="padded to 60 bytes").expect(2, wanted)


def refusals():
    """One document, every error of it, each at its place."""
    flows = [flow([c("IPV4_DST", ip="10.0.0.0/8")], [output(2)]),
             flow([], [goto(0)]),
             flow([], [set_field("eth_type", 5)]),
             flow([], [output(77)]),
             flow(IPV4 + [c("IP_DSCP", ipDscp=64)], []),
             flow([c("ETH_SRC", mac=MAC_A), c("ETH_SRC", mac=MAC_B)], []),
             flow(IPV4, [set_field("tcp_src", 5)])]
    with case_of("refused", "all errors of a document in one go", flows) as case:
        case.refused("/flows/0/selector/criteria/0", "OFPBMC_BAD_PREREQ")
        case.refused("/flows/1/treatment/instructions/0", "OFPBIC_BAD_TABLE_ID")
        case.refused("/flows/2/treatment/instructions/0", "OFPBAC_BAD_SET_TYPE")
        case.refused("/flows/3/treatment/instructions/0/port", "OFPBAC_BAD_OUT_PORT")
        case.refused("/flows/4/selector/criteria/1/ipDscp", "OFPBMC_BAD_VALUE")
        case.refused("/flows/5/selector/criteria/1", "OFPBMC_DUP_FIELD")
        case.refused("/flows/6/treatment/instructions/0", "OFPBAC_MATCH_INCONSISTENT")
    with case_of("refused-references", "a flow names groups and meters that are not there",
                 [flow([], [group_to(5)]), flow([], [meter_by(6)], priority=2),
                  flow([], [output(2)], priority=3)]) as case:
        case.refused("/flows/0", "OFPBAC_BAD_OUT_GROUP")
        case.refused("/flows/1", "OFPBAC_BAD_METER")
    full = [{"tableId": 0, "maxEntries": 2}]
    three = [flow(IPV4, [], priority=n, importance=i, flags=["SEND_FLOW_REM"])
             for n, i in ((1, 5), (2, 1), (3, 9))]
    with case_of("refused-full", "more flows than the table holds", three, tables=full) as case:
        case.refused("/flows/2", "OFPFMFC_TABLE_FULL")
    overlapping = [flow(TCP4, [output(2)], flags=["CHECK_OVERLAP"]),
                   flow(IPV4 + [c("IP_DSCP", ipDscp=1)], [output(3)], flags=["CHECK_OVERLAP"])]
    with case_of("refused-overlap", "two flows of one priority that one packet could match",
                 overlapping) as case:
        case.refused("/flows/1", "OFPFMFC_OVERLAP")
    with case_of("refused-loop", "a group that leads to itself", [flow([], [group_to(1)])],
                 groups=[group(1, "INDIRECT", bucket([group_to(1)]))]) as case:
        case.refused("/groups/0", "OFPGMFC_LOOP")
    with case_of("refused-loop-of-two", "groups that lead to each other", [],
                 groups=[group(1, "INDIRECT", bucket([group_to(2)])),
                         group(2, "INDIRECT", bucket([group_to(1)]))]) as case:
        case.refused("/groups/1", "OFPGMFC_LOOP")


def limits():
    many = [group(1, "ALL", *[bucket([output(2)])] * 50)]
    with case_of("program-too-long", "more actions on one packet than the switch executes",
                 [flow([], [group_to(1)] * 100)], groups=many) as case:
        case.body["partial"] = True  # how many copies went out before is the engine's own limit
        case.send(1, TCP).drop("program_too_long")


def cases():
    tables()
    action_set()
    instruction_order()
    timeouts()
    eviction()
    counters()
    ports()
    strange_frames()
    limits()
    refusals()
