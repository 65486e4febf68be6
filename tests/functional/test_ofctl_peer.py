# SPDX-License-Identifier: BSD-3-Clause
"""ovs-ofctl as the judge of Tenon's flow, group and meter text.

Both read the lines of data/*.txt. They must agree on which ones are right, and Tenon must print
what Open vSwitch prints, which here speaks OpenFlow 1.5. Where they differ on purpose, the tables
below say why; an entry that makes no difference any more is a failure too."""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from openflow_peer import Peer

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("TENON_BUILD") or os.path.join(TOP, "build/opt")
CANON = os.path.join(BUILD, "tests/functional/ofctl_canon")
OFCTL = ["ovs-ofctl", "--no-names", "-O", "OpenFlow15"]

# Flows that ovs-ofctl takes and Tenon refuses, by reason.
TENON_REFUSES = {
    "two conditions on a field that contradict each other: ovs-ofctl keeps the last one": """
        reg0=1,reg0=2,actions=1
        tcp,udp,actions=1
        tcp,nw_proto=17,actions=1
        dl_vlan=5,dl_vlan=6,actions=1
        ip,nw_src=10.1.2.3,nw_src=10.1.2.4,actions=1
        dl_vlan=0xffff,dl_vlan_pcp=3,actions=1""",
    "a key twice: ovs-ofctl keeps the last one": """
        priority=5,priority=6,actions=1
        table=1,table=1,actions=1""",
    "a value wider than its field: ovs-ofctl cuts it": """
        dl_vlan=4096,actions=1
        dl_vlan_pcp=8,actions=1
        vlan_vid=0x2000,actions=1
        ip,nw_src=10.1.2.256,actions=1
        ip,nw_tos=3,actions=1
        ip,ip_dscp=64,actions=1
        ip,nw_ecn=4,actions=1""",
    "a field without what it needs: ovs-ofctl leaves the field out of what it sends": """
        nw_src=10.0.0.1,actions=1
        nw_proto=6,actions=1
        nw_tos=4,actions=1
        ip_frag=no,actions=1
        ipv6_src=2001:db8::1,actions=1
        ip,ipv6_src=2001:db8::1,actions=1
        ipv6,nw_src=10.0.0.1,actions=1
        arp_op=1,actions=1
        ip,arp_op=1,actions=1
        tp_dst=80,actions=1
        ip,tp_dst=80,actions=1
        udp,tcp_dst=53,actions=1
        tcp,udp_dst=53,actions=1
        udp,tcp_flags=+syn,actions=1
        icmp6,icmp_type=128,nd_target=2001:db8::1,actions=1
        icmp,icmpv6_type=8,actions=1
        mpls_label=5,actions=1""",
    "a value that is missing, or one where none belongs: ovs-ofctl overlooks it": """
        send_flow_rem=1,actions=1
        reg0,actions=1
        tcp=5,actions=1
        tcp,tcp_flags=,actions=1
        actions=pop_queue:5
        actions=drop:1
        actions=mod_dl_dst:00:11:22:33:44:55/ff:ff:ff:00:00:00
        actions=clone(1""",
    "a mask that Tenon's fields do not take; one of zero that would do nothing": """
        vlan_tci=0x2000/0x2000,actions=1
        ip,actions=load:5->NXM_NX_IP_TTL[0..3]
        actions=set_field:0/0->reg1
        actions=write_metadata:5/0""",
    "fields and actions that Tenon does not have": """
        tun_flags=+oam,actions=1
        tun_gbp_id=5,actions=1
        tun_metadata0=5,actions=1
        conj_id=5,actions=1
        conj_id=1,actions=output:1
        ct_state=+trk,actions=1
        ct_zone=5,actions=1
        ct_mark=5,actions=1
        packet_type=(0,0),actions=1
        actions=set_field:5->tun_gbp_id
        actions=controller(id=5)
        actions=controller(userdata=00.01)
        actions=controller(pause)
        ip,actions=dec_ttl(1,2)
        ip,actions=move:NXM_OF_IP_TOS[]->NXM_NX_REG0[0..7]
        actions=output:reg0
        actions=output:NXM_NX_REG0[0..15]
        actions=output:reg0[]
        actions=ct_clear
        actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])
        actions=multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[])
        actions=bundle(eth_src,0,hrw,ofport,members:4,8)
        actions=conjunction(1,1/2)
        tcp,actions=fin_timeout(idle_timeout=1)
        actions=exit
        actions=push:NXM_NX_REG0[]
        actions=pop:NXM_NX_REG0[]
        actions=push_mpls:0x8847
        mpls,actions=pop_mpls:0x0800
        mpls,actions=dec_mpls_ttl
        actions=sample(probability=1,collector_set_id=1)
        actions=check_pkt_larger(1500)->reg0[0]""",
    "tables only go forward": """
        table=5,actions=resubmit(,5)
        table=5,actions=resubmit(,3)
        actions=resubmit:1
        actions=resubmit(1,)""",
    "an action set holds one of a kind, and nothing that is no member of OpenFlow's": """
        actions=write_actions(output:1,output:2)
        actions=write_actions(resubmit(,1))""",
    "numbers out of range that ovs-ofctl leaves to the switch": """
        table=255,actions=1
        in_port=65300,actions=1
        actions=output:0
        actions=table
        actions=output:table
        actions=output(port=1,max_len=65536)
        actions=group:4294967041
        actions=set_queue:65536
        actions=goto_table:255""",
}

# Flows that ovs-ofctl refuses and Tenon takes, by reason, with what Tenon makes of them.
OFCTL_REFUSES = {
    "hexadecimal port and table numbers; a port of hexadecimal digits is not one of OpenFlow 1.0": {
        "table=0x10,actions=1": "table=16, actions=output:1",
        "in_port=0x1,actions=1": "in_port=1 actions=output:1",
    },
    "any output may be cut": {
        "actions=output(port=all,max_len=100)": "actions=output(port=ALL,max_len=100)",
    },
    "ports go up to OpenFlow's 0xffffff00": {
        "in_port=70000,actions=1": "in_port=70000 actions=output:1",
    },
    "value bits outside the mask are cleared, as in a match": {
        "actions=set_field:0xff/0xf->reg1": "actions=set_field:0xf/0xf->reg1",
    },
    "bits of vlan_vid without the one that says a tag is present": {
        "dl_vlan=5,actions=set_field:5/0xf->vlan_vid":
            "dl_vlan=5 actions=set_field:5/0xf->vlan_vid",
        "dl_vlan=5,actions=load:7->OXM_OF_VLAN_VID[0..11]":
            "dl_vlan=5 actions=set_field:7/0xfff->vlan_vid",
    },
}

# Flows that both take and print otherwise, by reason, with what Tenon prints.
OTHER_TEXT = {
    "faults of ovs-ofctl 3.1: a cut value, another field": {
        "arp,arp_op=300,actions=1": "arp,arp_op=300 actions=output:1",
        "dl_vlan=5,actions=set_field:7->dl_vlan": "dl_vlan=5 actions=set_field:4103->vlan_vid",
    },
    "65280 is the 16-bit name of OpenFlow's highest port": {
        "in_port=65280,actions=1": "in_port=4294967040 actions=output:1",
    },
    "a reason that is given is kept, also where it is the usual one": {
        "actions=controller(reason=action)": "actions=controller(reason=action)",
    },
    "mod_vlan_vid and mod_vlan_pcp are actions of their own; OpenFlow 1.5 has no message for them": {
        "actions=mod_vlan_vid:7": "actions=mod_vlan_vid:7",
        "actions=mod_vlan_vid:4095": "actions=mod_vlan_vid:4095",
        "dl_vlan=5,actions=mod_vlan_vid:7": "dl_vlan=5 actions=mod_vlan_vid:7",
        "dl_vlan=5,actions=mod_vlan_pcp:7": "dl_vlan=5 actions=mod_vlan_pcp:7",
        "actions=mod_vlan_pcp:7": "actions=mod_vlan_pcp:7",
    },
    "vlan_tci, nw_tos, xreg and xxreg are views on fields of OpenFlow": {
        "dl_vlan=5,actions=set_field:0x1123->vlan_tci":
            "dl_vlan=5 actions=set_field:0->vlan_pcp,set_field:4387->vlan_vid",
        "dl_vlan=5,actions=load:7->NXM_OF_VLAN_TCI[0..11]":
            "dl_vlan=5 actions=set_field:7/0xfff->vlan_vid",
        "dl_vlan=5,actions=move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG0[0..11]":
            "dl_vlan=5 actions=move:OXM_OF_VLAN_VID[]->NXM_NX_REG0[0..11]",
        "ip,actions=set_field:16->nw_tos": "ip actions=set_field:4->ip_dscp",
        "actions=set_field:0x500000001->xreg0":
            "actions=set_field:0x5->reg0,set_field:0x1->reg1",
        "actions=set_field:5->xxreg0":
            "actions=set_field:0->reg0,set_field:0->reg1,set_field:0->reg2,set_field:0x5->reg3",
        "actions=load:0x1->OXM_OF_PKT_REG0[32]": "actions=set_field:0x1/0x1->reg0",
        "actions=move:OXM_OF_PKT_REG0[]->OXM_OF_METADATA[]":
            "actions=move:NXM_NX_REG1[]->OXM_OF_METADATA[0..31],"
            "move:NXM_NX_REG0[]->OXM_OF_METADATA[32..63]",
        "actions=move:NXM_NX_XXREG0[]->NXM_NX_XXREG1[]":
            "actions=move:NXM_NX_REG3[]->NXM_NX_REG7[],move:NXM_NX_REG2[]->NXM_NX_REG6[],"
            "move:NXM_NX_REG1[]->NXM_NX_REG5[],move:NXM_NX_REG0[]->NXM_NX_REG4[]",
    },
    "tunnel addresses are one field for IPv4 and IPv6": {
        "actions=move:NXM_NX_REG0[]->NXM_NX_TUN_IPV4_DST[]":
            "actions=set_field:::ffff:0.0.0.0/96->tun_ipv6_dst,"
            "move:NXM_NX_REG0[]->NXM_NX_TUN_IPV6_DST[0..31]",
    },
    "a whole field needs no mask": {
        "dl_vlan=5,actions=load:3->OXM_OF_VLAN_PCP[]": "dl_vlan=5 actions=set_field:3->vlan_pcp",
    },
    "mod_nw_ttl is set_field": {
        "ip,actions=mod_nw_ttl:64": "ip actions=set_field:64->nw_ttl",
        "ip,actions=set_nw_ttl:64": "ip actions=set_field:64->nw_ttl",
    },
    "a note keeps its length; OpenFlow's message fills it up": {
        "actions=note:00.11": "actions=note:00.11",
        "actions=note:": "actions=note:",
    },
    "value bits outside the mask are cleared, as in a match": {
        "actions=write_metadata:0x1ff/0xff": "actions=write_metadata:0xff/0xff",
    },
}

# The same for groups and meters, both ways: None where Tenon refuses.
GROUPS = {
    "a number for one group": {
        "group_id=all,type=all": None,
    },
    "a key twice": {
        "group_id=1,type=all,type=select": None,
    },
    "Tenon hashes whole fields": {
        "group_id=1,type=select,selection_method=hash,fields(ip_src=255.255.255.0),"
        "bucket=output:1": None,
    },
    "a bucket is an action set": {
        "group_id=1,type=all,bucket=actions=1,2": None,
        "group_id=1,type=all,bucket=actions=clone(1)": None,
    },
    "meter is an instruction": {
        "group_id=1,type=all,bucket=actions=meter:1": None,
    },
    "fault of ovs-ofctl 3.1: gives a number twice": {
        "group_id=1,type=all,bucket=bucket_id:1,actions=1,bucket=actions=2,"
        "bucket=bucket_id:0,actions=3,bucket=actions=4":
            "group_id=1,type=all,bucket=bucket_id:1,actions=output:1,"
            "bucket=bucket_id:2,actions=output:2,bucket=bucket_id:0,actions=output:3,"
            "bucket=bucket_id:3,actions=output:4",
    },
}
METERS = {
    "a key twice": {
        "meter=1,meter=2,kbps,bands=type=drop,rate=1000": None,
        "meter=1,kbps,bands=type=drop,rate=1000,rate=1000": None,
    },
    "a meter has one unit": {
        "meter=1,stats,bands=type=drop,rate=1000": None,
        "meter=1,kbps,pktps,bands=type=drop,rate=1000": None,
    },
    "a number for one meter; Tenon has no meter for packet-ins": {
        "meter=all,kbps,bands=type=drop,rate=1000": None,
        "meter=controller,kbps,bands=type=drop,rate=1000": None,
    },
    "a burst of 0 is what the rate gives": {
        "meter=1,kbps,burst,bands=type=drop,rate=1000,burst_size=0":
            "meter=1,kbps,burst,bands=type=drop,rate=1000,burst_size=0",
    },
}


def lines(name):
    with open(os.path.join(HERE, "data", name)) as f:
        found = [line for line in f.read().split("\n") if line and not line.startswith("#")]
    assert len(set(found)) == len(found), [l for l in found if found.count(l) > 1]
    return found


def listed(table):
    """The lines of one of the tables above."""
    return [line.strip() for text in table.values()
            for line in (text.strip().split("\n") if isinstance(text, str) else text)]


def wanted(table):
    return {line: ours for entries in table.values() for line, ours in entries.items()}


def has_command(line):
    return re.match(r"(add|modify|modify_strict|delete|delete_strict)\b", line) is not None


def run(command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def tenon(kind, texts):
    """{line: canonical text, or None where it is refused}"""
    status, out = run([CANON, kind], "".join(line + "\n" for line in texts))
    assert status == 0, out
    answers = out.split("\n")[:-1]
    assert len(answers) == len(texts)
    for line, answer in zip(texts, answers):
        assert re.match(r"(\w+ )?=|!\d+ \w+ .", answer), (line, answer)
    return {line: None if answer[0] == "!" else re.sub(r"^(\w+ )?=", r"\1", answer)
            for line, answer in zip(texts, answers)}


@pytest.fixture(name="peer")
def fixture_peer(tmp_path):
    found = Peer(str(tmp_path / "peer.sock"))
    yield found
    found.close()


@pytest.fixture(name="flows", scope="module")
def fixture_flows():
    return [line for line in lines("flows.txt") if not has_command(line)]


@pytest.fixture(name="ours", scope="module")
def fixture_ours(flows):
    return tenon("flow", flows)


def ofctl_accepts(line):
    """Reads the line, and then the message that it has made of it."""
    status, out = run(OFCTL + ["parse-flows", "-"], line + "\n")
    return status == 0 and "decode error" not in out


def each(function, texts):
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        return dict(zip(texts, pool.map(function, texts)))


def dump(peer, texts, *options):
    """What ovs-ofctl prints of flows that it was told to add."""
    del peer.flow_mods[:]
    status, out = run(OFCTL + ["add-flows", "unix:" + peer.path, "-"],
                      "".join(line + "\n" for line in texts))
    assert status == 0, out
    assert len(peer.flow_mods) == len(texts)
    status, out = run(OFCTL + ["dump-flows", *options, "unix:" + peer.path])
    assert status == 0, out
    printed = [line for line in out.split("\n") if line.startswith(" ") and "actions=" in line]
    assert len(printed) == len(texts), out
    return dict(zip(texts, printed))


def test_tables_name_lines_of_the_corpus(flows):
    for table, corpus in ((TENON_REFUSES, flows), (OFCTL_REFUSES, flows), (OTHER_TEXT, flows),
                          (GROUPS, lines("groups.txt")), (METERS, lines("meters.txt"))):
        assert not set(listed(table)) - set(corpus)
        assert len(set(listed(table))) == len(listed(table))


def test_refused_flows(flows, ours):
    """Whatever Tenon refuses ovs-ofctl refuses too, but for the table."""
    refused = [line for line in flows if ours[line] is None]
    taken = [line for line, ok in each(ofctl_accepts, refused).items() if ok]
    assert sorted(taken) == sorted(listed(TENON_REFUSES))


def test_taken_flows(ours):
    """Lines that ovs-ofctl refuses but Tenon takes are those of the table."""
    table = listed(OFCTL_REFUSES)
    assert not [line for line, ok in each(ofctl_accepts, table).items() if ok]
    assert {line: ours[line] for line in table} == wanted(OFCTL_REFUSES)


def test_text_of_flows(peer, flows, ours):
    """All the others are taken by both, and printed alike."""
    both = [line for line in flows
            if ours[line] is not None and line not in listed(OFCTL_REFUSES)]
    assert len(both) > 500
    theirs = dump(peer, both, "--no-stats")
    different = {line: ours[line] for line in both if theirs[line][1:] != ours[line]}
    assert different == wanted(OTHER_TEXT)


def test_ofctl_reads_what_tenon_prints(peer, ours):
    """Canonical text is a fixed point, and means the same to ovs-ofctl as to Tenon."""
    own = wanted(OFCTL_REFUSES), wanted(OTHER_TEXT)
    canonical = sorted({text for line, text in ours.items()
                        if text is not None and not any(line in o for o in own)})
    again = tenon("flow", canonical)
    assert {text: again[text] for text in canonical} == {text: text for text in canonical}
    theirs = dump(peer, canonical, "--no-stats")
    assert {t: theirs[t][1:] for t in canonical} == {t: t for t in canonical}


def test_dump_lines(peer, flows, ours):
    """With counters, which are zero, both print the same line, and both read it."""
    both = [line for line in flows if ours[line] is not None
            and line not in listed(OFCTL_REFUSES) and line not in listed(OTHER_TEXT)]
    theirs = dump(peer, both, "--stats")
    mine = tenon("dump", both)
    assert mine == theirs
    read = tenon("flow", [mine[line] for line in both])
    assert [read[mine[line]] for line in both] == [ours[line] for line in both]
    assert dump(peer, [mine[line] for line in both][:50], "--no-stats")


def test_counters_in_dump_lines(tmp_path):
    """A dump line with everything in it, from ovs-ofctl, reads as the flow that it shows."""
    peer = Peer(str(tmp_path / "counting.sock"), (1234000000, 1, 5, 500))
    try:
        line = ("cookie=7,table=2,idle_timeout=5,hard_timeout=9,send_flow_rem,importance=3,"
                "priority=100,tcp,in_port=1,nw_dst=10.0.0.0/8,actions=output:2")
        printed = dump(peer, [line], "--stats")[line]
    finally:
        peer.close()
    assert printed == (" cookie=0x7, duration=1.234s, table=2, n_packets=5, n_bytes=500, "
                       "idle_timeout=5, hard_timeout=9, send_flow_rem importance=3, idle_age=1, "
                       "priority=100,tcp,in_port=1,nw_dst=10.0.0.0/8 actions=output:2")
    assert tenon("flow", [printed]) == {printed: tenon("flow", [line])[line]}


def test_commands(peer):
    """Lines that start with a command: both take the same ones."""
    texts = [line for line in lines("flows.txt") if has_command(line)]
    ours = tenon("flow", texts)
    assert len(texts) > 20
    for line in texts:
        status, out = run(OFCTL + ["add-flows", "unix:" + peer.path, "-"], line + "\n")
        assert (status == 0) == (ours[line] is not None), (line, out)


def ofctl_group(line):
    status, out = run(OFCTL + ["parse-group", line])
    match = re.search(r"^ ADD (group_id=.*)$", out, re.M)
    return match.group(1).rstrip(",") if status == 0 and match else None


def test_groups():
    texts = lines("groups.txt")
    ours, theirs = tenon("group", texts), each(ofctl_group, texts)
    different = {line: ours[line] for line in texts if ours[line] != theirs[line]}
    assert different == wanted(GROUPS)
    canonical = [text for text in ours.values() if text]
    assert tenon("group", canonical) == {text: text for text in canonical}


def ofctl_meter(peer, line):
    del peer.meter_mods[:]
    status, _ = run(OFCTL + ["add-meter", "unix:" + peer.path, line])
    if status != 0 or not peer.meter_mods:
        return None
    _, out = run(["ovs-ofctl", "ofp-print", peer.meter_mods[0].hex()])
    return re.sub(r".* ADD ", "", out, count=1).split()


def test_meters(peer):
    """Tenon puts commas where ovs-ofctl puts spaces and line ends; the words are the same."""
    texts = lines("meters.txt")
    ours = tenon("meter", texts)
    different = {}
    for line in texts:
        words = ours[line] and re.split(r"[, ]|(?<=bands=)", ours[line])
        if words != ofctl_meter(peer, line):
            different[line] = ours[line]
    assert different == wanted(METERS)
    canonical = [text for text in ours.values() if text]
    assert tenon("meter", canonical) == {text: text for text in canonical}
