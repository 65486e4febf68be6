# SPDX-License-Identifier: BSD-3-Clause
"""Addresses of networks: where they were seen, and where packets to them go."""
from case import Case
from frames import MAC_A, MAC_B, MAC_C, make
from cases_vxlan import MAC_THERE, OTHER, SPORT, THERE, UNDERLAY, from_there, outer, vtep
from rules import (PORTS, band, c, document, flow, in_port, l2, meter, meter_by, output,
                   set_field)

LEARN, FDB, LOCAL = {"type": "LEARN"}, {"type": "FDB"}, {"type": "FDB", "local": True}
EVERYONE = "ff:ff:ff:ff:ff:ff"


def frame(src, dst, sport=1):
    return make("tcp4", eth_src=src, eth_dst=dst, sport=sport)


def network(number):
    return l2("TUNNEL_ID", tunnelId=number)


def bridge(*ports, number=5001, learn=LEARN):
    """Known ones to where they are, others to port 4."""
    return [flow([in_port(p)], [network(number), learn, FDB, output(4)]) for p in ports]


def plain():
    with Case("learn/fdb", "unknown, then known; not back; group addresses never", document(
            bridge(1, 2, 3))) as case:
        case.send(1, frame(MAC_A, MAC_B)).expect(4, frame(MAC_A, MAC_B))
        case.send(2, frame(MAC_B, MAC_A)).expect(1, frame(MAC_B, MAC_A))
        case.send(1, frame(MAC_A, MAC_B, 2)).expect(2, frame(MAC_A, MAC_B, 2))
        case.send(1, frame(MAC_C, MAC_A), what="to a station of the same port").drop("to_ingress")
        case.send(2, frame(MAC_B, EVERYONE)).expect(4, frame(MAC_B, EVERYONE))
        case.send(3, frame(MAC_B, MAC_A), what="B has moved").expect(1, frame(MAC_B, MAC_A))
        case.send(1, frame(MAC_A, MAC_B, 3)).expect(3, frame(MAC_A, MAC_B, 3))
        case.send(2, frame(MAC_B, MAC_A), what="and back").expect(1, frame(MAC_B, MAC_A))
        case.send(1, frame(MAC_A, MAC_B, 4)).expect(2, frame(MAC_A, MAC_B, 4))
    with Case("learn/networks", "the same addresses in two networks", document(
            bridge(1, 2) + bridge(3, number=5002))) as case:
        case.send(1, frame(MAC_A, MAC_B)).expect(4, frame(MAC_A, MAC_B))
        case.send(3, frame(MAC_B, MAC_A), what="A is not in this one").expect(
            4, frame(MAC_B, MAC_A))
        case.send(2, frame(MAC_B, MAC_A)).expect(1, frame(MAC_B, MAC_A))
    with Case("learn/no-learn", "who is only looked up is not learnt", document(
            [flow([], [network(5001), FDB, output(4)])])) as case:
        case.send(1, frame(MAC_A, MAC_B)).expect(4, frame(MAC_A, MAC_B))
        case.send(2, frame(MAC_B, MAC_A)).expect(4, frame(MAC_B, MAC_A))
    with Case("learn/and-on", "what was there before stays; nothing follows", document(
            [flow([], [network(5001), LEARN, output(3), FDB, l2("VLAN_PUSH"), output(4)])])) as case:
        tagged = make("tcp4", eth_src=MAC_A, eth_dst=MAC_B, sport=1, vlans=[(0x8100, 0, 0)])
        case.send(1, frame(MAC_A, MAC_B)).expect(3, frame(MAC_A, MAC_B)).expect(4, tagged)
        case.send(2, frame(MAC_B, MAC_A)).expect(3, frame(MAC_B, MAC_A)).expect(
            1, frame(MAC_B, MAC_A))
    with Case("learn/limit", "the oldest of a port gives way", document(
            bridge(1, 2, learn={"type": "LEARN", "limit": 2}))) as case:
        stations = ["02:00:00:00:01:%02x" % i for i in range(3)]
        for mac in stations:
            case.send(1, frame(mac, MAC_B)).expect(4, frame(mac, MAC_B))
        for mac, to in zip(stations, (4, 1, 1)):
            case.send(2, frame(MAC_B, mac)).expect(to, frame(MAC_B, mac))
    with Case("learn/ages", "forgotten after five minutes of silence", document(
            bridge(1, 2))) as case:
        case.send(1, frame(MAC_A, MAC_B), at_ms=0).expect(4, frame(MAC_A, MAC_B))
        case.send(2, frame(MAC_B, MAC_A), at_ms=299999).expect(1, frame(MAC_B, MAC_A))
        case.send(2, frame(MAC_B, MAC_A, 2), at_ms=311000).expect(4, frame(MAC_B, MAC_A, 2))
    with Case("learn/damped", "what moves too often stays where it is for a while", document(
            bridge(1, 2, 3))) as case:
        case.send(3, frame(MAC_B, MAC_C), at_ms=0).expect(4, frame(MAC_B, MAC_C))
        for i in range(8):
            case.send(1 + i % 2, frame(MAC_A, MAC_B), at_ms=100 * (i + 1)).expect(
                3, frame(MAC_A, MAC_B))
        case.send(3, frame(MAC_B, MAC_A), at_ms=1000, what="moved five times: to port 2").expect(
            2, frame(MAC_B, MAC_A))
        case.send(1, frame(MAC_A, MAC_C), at_ms=40000).expect(4, frame(MAC_A, MAC_C))
        case.send(3, frame(MAC_B, MAC_A, 2), at_ms=41000).expect(1, frame(MAC_B, MAC_A, 2))


def circuit(number, table=6):
    return {"type": "CIRCUIT", "number": number, "field": "reg2", "tableId": table}


def at_trunk(vid, learn=LEARN, then=(FDB, output(4)), number=5001):
    return flow([in_port(1), c("VLAN_VID", vlanId=vid)],
                [l2("VLAN_POP"), network(number), circuit(vid), learn, *then])


def out_of_trunk(vid, **more):
    # The frame may have come by the same port.
    return flow([c("REG", reg=2, value=vid)], [
        set_field("in_port", 0), l2("VLAN_PUSH"), l2("VLAN_ID", vlanId=vid), output(1)],
        table=6, **more)


def framed(src, dst, sport=1, vlans=()):
    return make("tcp4", eth_src=src, eth_dst=dst, sport=sport, vlans=list(vlans))


def circuits():
    rules = [at_trunk(10), at_trunk(20), out_of_trunk(10), out_of_trunk(20),
             flow([in_port(2)], [network(5001), LEARN, FDB, output(4)]),
             flow([in_port(3)], [network(5002), LEARN, FDB, output(4)])]

    def t(vid, src, dst, sport=1):
        return framed(src, dst, sport, [(0x8100, vid, 0)])
    with Case("learn/circuits", "two VLANs of one port in one network: each address has its tag",
              document(rules)) as case:
        case.send(1, t(10, MAC_A, MAC_B)).expect(4, framed(MAC_A, MAC_B))
        case.send(2, framed(MAC_B, MAC_A)).expect(1, t(10, MAC_B, MAC_A))
        case.send(1, t(20, MAC_C, MAC_A), what="from one VLAN to the other").expect(
            1, t(10, MAC_C, MAC_A))
        case.send(2, framed(MAC_B, MAC_C)).expect(1, t(20, MAC_B, MAC_C))
        case.send(1, t(20, MAC_A, MAC_B, 2), what="A moves to the other VLAN").expect(
            2, framed(MAC_A, MAC_B, 2))
        case.send(2, framed(MAC_B, MAC_A, 3)).expect(1, t(20, MAC_B, MAC_A, 3))
        case.send(1, t(20, MAC_C, MAC_A, 4), what="not back").drop("to_ingress")
        case.send(3, framed(MAC_B, MAC_A), what="not there in this network").expect(
            4, framed(MAC_B, MAC_A))
    slow = [at_trunk(10, then=[output(4)]), out_of_trunk(10),
            flow([in_port(2)], [network(5001), FDB, output(4)])]
    slow[1]["treatment"]["instructions"].insert(0, meter_by(7))
    with Case("learn/circuit-limit", "what is learnt behind a circuit goes by its meter",
              document(slow, meters=[meter(7, "PKTS_PER_SEC", band("DROP", 10, 2), burst=True)])) \
            as case:
        case.send(1, t(10, MAC_A, MAC_B), at_ms=0).expect(4, framed(MAC_A, MAC_B))
        for i in range(4):
            case.send(2, framed(MAC_B, MAC_A, i), at_ms=1)
            if i < 2:
                case.expect(1, t(10, MAC_B, MAC_A, i))
            else:
                case.drop("meter")


REMOTE = [(THERE, MAC_THERE), (OTHER, "02:0a:00:00:00:03")]
PEERS = {**UNDERLAY, "neighbours": [{"address": a, "mac": m} for a, m in REMOTE]}


def arrive(case, which, packet, what=None):
    return case.send(10, from_there(packet, vni=100, src=REMOTE[which][0]), what=what)


def leave(case, which, packet):
    address, mac = REMOTE[which]
    return case.expect(10, outer(packet, vni=100, dst=address, mac_dst=mac), mask=[SPORT])


def tunnels():
    ports = PORTS[:3] + [vtep("flow", "flow", peers=[THERE, OTHER])]
    a, b = "02:00:00:00:02:0a", "02:00:00:00:02:0b"
    rules = [flow([in_port(1)], [network(100), LEARN, FDB, output(3)]),
             flow([in_port(10)], [LEARN, LOCAL, output(3)])]
    with Case("learn/tunnels", "stations beyond two tunnels, and none from one to the other",
              document(rules, ports=ports, underlay=PEERS)) as case:
        arrive(case, 0, frame(a, MAC_A)).expect(3, frame(a, MAC_A))
        arrive(case, 1, frame(b, MAC_A)).expect(3, frame(b, MAC_A))
        leave(case.send(1, frame(MAC_A, a)), 0, frame(MAC_A, a))
        leave(case.send(1, frame(MAC_A, b)), 1, frame(MAC_A, b))
        arrive(case, 0, frame(a, MAC_A)).expect(1, frame(a, MAC_A))
        arrive(case, 0, frame(a, b), "from one tunnel to another").expect(3, frame(a, b))
        arrive(case, 1, frame(a, MAC_A), "a moved").expect(1, frame(a, MAC_A))
        leave(case.send(1, frame(MAC_A, a)), 1, frame(MAC_A, a))
    rules = [flow([in_port(10)], [LEARN, FDB, output(3)])]
    with Case("learn/between-tunnels", "from one to the other where that is wanted, not back",
              document(rules, ports=ports, underlay=PEERS)) as case:
        arrive(case, 0, frame(a, MAC_C)).expect(3, frame(a, MAC_C))
        leave(arrive(case, 1, frame(b, a)), 0, frame(b, a))
        arrive(case, 0, frame(MAC_C, a)).drop("to_ingress")


def cases():
    plain()
    circuits()
    tunnels()
