# SPDX-License-Identifier: BSD-3-Clause
"""The configuration documents that Tenon is given: the peers' rules in ONOS's JSON."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "peers")
UPLINK_MAC, PEER_MAC = "02:aa:00:00:00:01", "02:aa:00:00:00:02"
IN, SINK, TUNNEL = 1, 2, 10
ENDPOINTS, NETWORKS = 64, 250
FIXED = {"remote": "198.51.100.2", "vni": 100}
PER_FLOW = {"remote": "flow", "vni": "flow"}


def flow(criteria, instructions, priority=10, table=0):
    return {"tableId": table, "priority": priority, "isPermanent": True,
            "selector": {"criteria": criteria}, "treatment": {"instructions": instructions}}


def in_port(number):
    return {"type": "IN_PORT", "port": number}


def output(number):
    return {"type": "OUTPUT", "port": str(number)}


def udp(*criteria):
    return [{"type": "ETH_TYPE", "ethType": "0x0800"}, {"type": "IP_PROTO", "protocol": 17},
            *criteria]


def one_rule(_):
    return [flow([in_port(IN)], [output(TUNNEL)])]


def decap(_):
    return [flow([in_port(TUNNEL)], [output(SINK)])]


def l2(_):
    rules = [flow([in_port(IN), {"type": "ETH_DST", "mac": "02:00:00:00:01:%02x" % (i % 256)},
                   {"type": "VLAN_VID", "vlanId": 1 + i // 256}], [output(TUNNEL)])
             for i in range(1000)]
    return rules + [flow([in_port(IN), {"type": "ETH_DST", "mac": "02:00:00:00:00:02"}],
                         [output(TUNNEL)])]


def mesh_endpoint(i):
    """Network, address and MAC that rule i of the mesh sends to."""
    return (1000 + i % NETWORKS, "198.51.100.%d" % (100 + i % ENDPOINTS),
            "02:aa:00:00:01:%02x" % (i % ENDPOINTS))


def mesh(count):
    rules = []
    for i in range(count):
        vni, remote, _ = mesh_endpoint(i)
        mac = "02:00:01:%02x:%02x:%02x" % (i >> 16, i >> 8 & 255, i & 255)
        rules.append(flow(
            [in_port(IN), {"type": "ETH_DST", "mac": mac}],
            [{"type": "L2MODIFICATION", "subtype": "TUNNEL_ID", "tunnelId": vni},
             {"type": "L2MODIFICATION", "subtype": "TUNNEL_DST", "ip": remote}, output(TUNNEL)]))
    return rules


def tse(_):
    return [flow([in_port(IN), *udp()[:1], {"type": "IPV4_SRC", "ip": "10.0.0.77/32"}],
                 [output(TUNNEL)], 30),
            flow([in_port(IN), *udp({"type": "UDP_DST", "udpPort": 80})], [output(TUNNEL)], 20),
            flow([in_port(IN), *udp({"type": "UDP_SRC", "udpPort": 12345})], [output(TUNNEL)], 19),
            flow([in_port(IN)], [output(TUNNEL)], 1)]


def acl(_):
    """The peers' acl-rules, word by word."""
    text = subprocess.run([os.path.join(PEERS, "acl-rules"), "output:10"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    rules = []
    for line in text.split():
        match, actions = line.split(",actions=")
        words = dict(w.split("=") if "=" in w else (w, None) for w in match.split(","))
        criteria = [in_port(IN)]
        proto = "UDP" if "udp" in words else "TCP" if "tcp" in words else None
        if proto:
            criteria += [{"type": "ETH_TYPE", "ethType": "0x0800"},
                         {"type": "IP_PROTO", "protocol": 17 if proto == "UDP" else 6},
                         {"type": "IPV4_SRC", "ip": words["nw_src"]},
                         {"type": "IPV4_DST", "ip": words["nw_dst"]}]
        if "tp_dst" in words:
            criteria.append({"type": proto + "_DST", proto.lower() + "Port": int(words["tp_dst"])})
        rules.append(flow(criteria, [] if actions == "drop" else [output(TUNNEL)],
                          int(words["priority"])))
    return rules


def five_tuple(_):
    """One rule that reads the five-tuple and takes nothing, so that every flow has a session."""
    never = udp({"type": "IPV4_SRC", "ip": "192.0.2.1/32"}, {"type": "IPV4_DST", "ip": "192.0.2.2/32"},
                {"type": "UDP_SRC", "udpPort": 1}, {"type": "UDP_DST", "udpPort": 1})
    return [flow([in_port(IN), *never], [], 20), flow([in_port(IN)], [output(TUNNEL)], 1)]


def document(rules, source, sink, tunnel, decapsulates):
    """source, sink: devargs. The tunnel's side is where the frames with VXLAN are."""
    uplink = "src" if decapsulates else "sink"
    neighbours = [{"address": FIXED["remote"], "mac": PEER_MAC, "port": uplink}]
    for i in range(ENDPOINTS):
        _, address, mac = mesh_endpoint(i)
        neighbours.append({"address": address, "mac": mac, "port": uplink})
    return {"device": {"id": "of:0000000000000001"},
            "ports": [{"number": IN, "name": "src", "type": "dpdk", "options": {"devargs": source}},
                      {"number": SINK, "name": "sink", "type": "dpdk", "options": {"devargs": sink}},
                      {"number": TUNNEL, "name": "vx", "type": "vxlan", "options": tunnel}],
            "underlay": {"addresses": [{"address": "198.51.100.1/24", "mac": UPLINK_MAC,
                                        "port": uplink}], "neighbours": neighbours},
            "flows": rules}


def guests(sockets):
    """Two machines on vhost-user; what comes from one goes to the other."""
    return {"device": {"id": "of:0000000000000001"},
            "ports": [{"number": 1 + i, "name": "vm%d" % i, "type": "vhost-user",
                       "options": {"socket": path}} for i, path in enumerate(sockets)],
            "flows": [flow([in_port(1)], [output(2)]), flow([in_port(2)], [output(1)])]}
