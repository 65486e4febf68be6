# SPDX-License-Identifier: BSD-3-Clause
"""Group types, liveness and chaining."""
from case import Case
from frames import MAC_C, make
from rules import PORTS, bucket, document, flow, group, group_to, output, port, set_field

TCP = make("tcp4")
DOWN = [PORTS[0], port(2, isEnabled=False)] + PORTS[2:]


def group_case(name, says, groups, ports=None, instructions=None):
    flows = [flow([], instructions or [group_to(1)])]
    return Case("group/" + name, says, document(flows, groups=groups, ports=ports))


def all_groups():
    with group_case("all", "a copy to each bucket, each with its own rewrites",
                    [group(1, "ALL", bucket([set_field("ip_ttl", 9), output(2)]),
                           bucket([output(3)]),
                           bucket([set_field("eth_dst", MAC_C), output(4)]))]) as case:
        case.send(1, TCP).expect(2, make("tcp4", ttl=9)).expect(3, TCP)
        case.expect(4, make("tcp4", eth_dst=MAC_C))
        size = len(TCP)
        case.group_counts(1, 1, size, [[1, size], [1, size], [1, size]])
    with group_case("all-ingress", "the bucket of the ingress port does not send back",
                    [group(1, "ALL", bucket([output(1)]), bucket([output(2)]))]) as case:
        case.send(1, TCP).expect(2, TCP).drop("to_ingress")
    with group_case("all-then-more", "the packet goes on after the group as it was",
                    [group(1, "ALL", bucket([set_field("ip_ttl", 9), output(2)]))],
                    instructions=[group_to(1), output(3)]) as case:
        case.send(1, TCP).expect(2, make("tcp4", ttl=9)).expect(3, TCP)
    with Case("group/resubmit", "a bucket's copy goes where a table says",
              document([flow([], [group_to(1)]),
                        flow([{"type": "REG", "reg": 2, "value": 7}], [output(3)], table=6)],
                       groups=[group(1, "ALL", bucket([output(2)]), bucket(
                           [set_field("reg2", 7), {"type": "RESUBMIT", "tableId": 6}]))])) as case:
        case.send(1, TCP).expect(2, TCP).expect(3, TCP)
    with group_case("all-empty", "a group without buckets drops", [group(1, "ALL")]) as case:
        case.send(1, TCP).drop("group_empty")
    with group_case("clone", "ONOS's CLONE groups are P4's",
                    [group(1, "CLONE", bucket([output(2)]), bucket([output(3)]))]) as case:
        case.refused("/groups/0/type", "OFPGMFC_BAD_TYPE")


def indirect():
    with group_case("indirect", "one bucket that many flows share",
                    [group(1, "INDIRECT", bucket([set_field("eth_dst", MAC_C), output(2)]))]) as case:
        case.send(1, TCP).expect(2, make("tcp4", eth_dst=MAC_C))
        case.group_counts(1, 1, len(TCP), [[1, len(TCP)]])
    with group_case("bucket-order", "a bucket is an action set: output last",
                    [group(1, "INDIRECT", bucket([output(2), set_field("ip_ttl", 9)]))]) as case:
        case.send(1, TCP).expect(2, make("tcp4", ttl=9))


def select():
    with group_case("select-one", "with one bucket of weight it is always that one",
                    [group(1, "SELECT", bucket([output(2)], weight=0),
                           bucket([output(3)], weight=5))]) as case:
        for sport in range(1, 9):
            packet = make("tcp4", sport=sport)
            case.send(1, packet).expect(3, packet)
        case.group_counts(1, 8, 8 * len(TCP), [[0, 0], [8, 8 * len(TCP)]])
    with group_case("select", "each connection takes one bucket, always the same",
                    [group(1, "SELECT", bucket([output(2)], weight=1),
                           bucket([output(3)], weight=1))]) as case:
        case.body["sameBucket"] = "frame"
        for sport in range(1, 17):
            packet = make("tcp4", sport=sport)
            for _ in range(2):
                case.send(1, packet).expect([2, 3], packet)
    config = [group(1, "SELECT", bucket([output(2)], weight=1), bucket([output(3)], weight=1),
                    selectionMethod="hash", hashFields=["eth_src"])]
    with group_case("select-fields", "by the fields that the group names: here one station, "
                    "whatever it sends", config) as case:
        case.body["sameBucket"] = "source"
        for station in range(8):
            mac = "02:00:00:00:01:%02x" % station
            for packet in (make("tcp4", eth_src=mac), make("udp6", eth_src=mac, dport=9)):
                case.send(1, packet).expect([2, 3], packet)
    with group_case("select-liveness", "a bucket whose port is down is not taken",
                    [group(1, "SELECT", bucket([output(2)], weight=9, watchPort=2),
                           bucket([output(3)], weight=1, watchPort=3))], ports=DOWN) as case:
        for sport in range(1, 9):
            packet = make("udp4", sport=sport)
            case.send(1, packet).expect(3, packet)
    with group_case("select-none-live", "no bucket is live",
                    [group(1, "SELECT", bucket([output(2)], weight=1, watchPort=2))],
                    ports=DOWN) as case:
        case.send(1, TCP).drop("group_no_live")


def fast_failover():
    buckets = [bucket([output(2)], watchPort=2), bucket([output(3)], watchPort=3)]
    with group_case("ff", "the first live bucket", [group(1, "FAILOVER", *buckets)]) as case:
        case.send(1, TCP).expect(2, TCP)
        case.group_counts(1, 1, len(TCP), [[1, len(TCP)], [0, 0]])
    with group_case("ff-down", "the next one when its port is down", [group(1, "FF", *buckets)],
                    ports=DOWN) as case:
        case.send(1, TCP).expect(3, TCP)
    dead = [PORTS[0], port(2, isEnabled=False), port(3, isEnabled=False), PORTS[3]]
    with group_case("ff-none", "none is live", [group(1, "FAILOVER", *buckets)],
                    ports=dead) as case:
        case.send(1, TCP).drop("group_no_live")
    groups = [group(1, "FAILOVER", bucket([group_to(2)], watchGroup=2),
                    bucket([output(4)], watchPort=4)),
              group(2, "FAILOVER", bucket([output(2)], watchPort=2),
                    bucket([output(3)], watchPort=3))]
    with group_case("ff-group", "a watched group is live while one of its buckets is", groups,
                    ports=DOWN) as case:
        case.send(1, TCP).expect(3, TCP)
    with group_case("ff-group-dead", "and dead when none is", groups, ports=dead) as case:
        case.send(1, TCP).expect(4, TCP)


def chains():
    with group_case("chain", "a bucket leads to another group",
                    [group(1, "ALL", bucket([set_field("ip_ttl", 9), group_to(2)]),
                           bucket([output(2)])),
                     group(2, "INDIRECT", bucket([output(3)]))]) as case:
        case.send(1, TCP).expect(3, make("tcp4", ttl=9)).expect(2, TCP)

    def chain(n):
        first = [group(i, "INDIRECT", bucket([group_to(i + 1)])) for i in range(1, n)]
        return first + [group(n, "INDIRECT", bucket([output(2)]))]

    with group_case("chain-deep", "as deep as the switch follows", chain(8)) as case:
        case.send(1, TCP).expect(2, TCP)
    with Case("group/chain-too-deep", "deeper than that", document([], groups=chain(9))) as case:
        case.refused("/groups/0", "OFPGMFC_CHAINING_UNSUPPORTED")


def cases():
    all_groups()
    indirect()
    select()
    fast_failover()
    chains()
