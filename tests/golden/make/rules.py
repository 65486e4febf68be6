# SPDX-License-Identifier: BSD-3-Clause
"""Short ways to write the JSON of flows, groups, meters and ports."""

DEVICE = "of:00000000000000a1"

# What the criteria of a match must fix first.
IPV4 = [{"type": "ETH_TYPE", "ethType": "0x800"}]
IPV6 = [{"type": "ETH_TYPE", "ethType": "0x86dd"}]
ARP = [{"type": "ETH_TYPE", "ethType": "0x806"}]
TAGGED = [{"type": "VLAN_VID", "vlanId": 4096, "vlanIdMask": 4096}]


def proto(ip, number):
    return ip + [{"type": "IP_PROTO", "protocol": number}]


TCP4, UDP4, SCTP4, ICMP4 = (proto(IPV4, n) for n in (6, 17, 132, 1))
TCP6, UDP6, SCTP6, ICMP6 = (proto(IPV6, n) for n in (6, 17, 132, 58))
NS = ICMP6 + [{"type": "ICMPV6_TYPE", "icmpv6Type": 135}]
NA = ICMP6 + [{"type": "ICMPV6_TYPE", "icmpv6Type": 136}]


def c(kind, **values):
    return {"type": kind, **values}


def in_port(n):
    return c("IN_PORT", port=n)


# Instructions.

def output(port, **more):
    return {"type": "OUTPUT", "port": port if isinstance(port, str) else str(port), **more}


def l2(subtype, **values):
    return {"type": "L2MODIFICATION", "subtype": subtype, **values}


def l3(subtype, **values):
    return {"type": "L3MODIFICATION", "subtype": subtype, **values}


def l4(subtype, **values):
    return {"type": "L4MODIFICATION", "subtype": subtype, **values}


def set_field(field, value, mask=None):
    out = {"type": "SET_FIELD", "field": field, "value": value}
    if mask is not None:
        out["mask"] = mask
    return out


def group_to(number):
    return {"type": "GROUP", "groupId": number}


def meter_by(number):
    return {"type": "METER", "meterId": number}


def goto(table):
    return {"type": "TABLE", "tableId": table}


NOACTION = {"type": "NOACTION"}


def flow(criteria=(), instructions=(), priority=100, table=0, deferred=(), clear=False, **more):
    treatment = {"instructions": list(instructions)}
    if deferred:
        treatment["deferred"] = list(deferred)
    if clear:
        treatment["clearDeferred"] = True
    permanent = not more.get("timeout") and not more.get("hardTimeout")
    return {"tableId": table, "priority": priority, "isPermanent": permanent,
            "timeout": more.pop("timeout", 0), **more,
            "selector": {"criteria": list(criteria)}, "treatment": treatment}


def miss(instructions, table=0):
    """The table-miss flow."""
    return flow([], instructions, priority=0, table=table)


# Groups and meters.

def bucket(instructions, **more):
    return {**more, "treatment": {"instructions": list(instructions)}}


def group(number, kind, *buckets, **more):
    return {"groupId": number, "type": kind, "appCookie": "0x%04x" % number, **more,
            "buckets": list(buckets)}


def band(kind, rate, burst=0, **more):
    return {"type": kind, "rate": rate, "burstSize": burst, **more}


def meter(number, unit, *bands, burst=False):
    return {"index": number, "unit": unit, "burst": burst, "bands": list(bands)}


# Ports and the document.

def port(number, name=None, kind="pcap", **more):
    return {"number": number, "name": name or "p%d" % number, "type": kind, **more}


PORTS = [port(n) for n in (1, 2, 3, 4)]


def document(flows, groups=(), meters=(), ports=None, **more):
    out = {"device": {"id": DEVICE}, "ports": list(PORTS if ports is None else ports)}
    out.update(more)
    for name, items in (("meters", meters), ("groups", groups), ("flows", flows)):
        if items:
            out[name] = list(items)
    return out
