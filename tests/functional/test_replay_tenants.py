# SPDX-License-Identifier: BSD-3-Clause
"""A document with tenants' networks, replayed as one of its hosts: without tenond and without root."""
import json
import re
import subprocess

from scapy.all import ARP, IP, UDP, VXLAN, Ether

from replaying import NS, START, call, succeed
from tenon import DATAPLANE

MAC = {"web": "02:00:00:00:00:0b", "db": "02:00:00:00:00:0c", "other": "02:00:00:00:00:0b"}
GATEWAY = "02:00:5e:00:01:01"
VTEP = {"hv1": "198.51.100.1", "hv2": "198.51.100.2"}
UPLINK = {"hv1": "02:00:00:00:01:01", "hv2": "02:00:00:00:01:02"}


def port(name, tenant, network, ip, host):
    return {"id": name, "tenant_id": tenant, "network_id": network, "mac_address": MAC[name],
            "fixed_ips": [{"ip_address": ip}], "binding": {"kind": "vm", "host": host}}


def document(**more):
    return dict({
        "ports": [{"number": 1, "name": "uplink", "type": "pcap"},
                  port("web", "red", "n", "10.0.0.11", "hv1"),
                  port("db", "red", "n", "10.0.0.12", "hv2"),
                  port("other", "blue", "m", "10.0.0.11", "hv1")],
        "hosts": [{"id": h, "vtep_addresses": [a]} for h, a in VTEP.items()],
        "networks": [{"id": "n", "tenant_id": "red", "vni": 1001},
                     {"id": "m", "tenant_id": "blue", "vni": 2001}],
        "subnets": [{"id": "s", "tenant_id": "red", "network_id": "n", "cidr": "10.0.0.0/24"},
                    {"id": "t", "tenant_id": "blue", "network_id": "m", "cidr": "10.0.0.0/24"}],
        "routers": [{"id": "r", "tenant_id": "red", "interfaces": [{"subnet_id": "s"}]}],
        "underlay": {
            "addresses": [{"address": VTEP["hv1"] + "/24", "mac": UPLINK["hv1"], "port": "uplink"}],
            "neighbours": [{"address": VTEP["hv2"], "mac": UPLINK["hv2"], "port": "uplink"}]},
    }, **more)


def udp(src, dst, ip_src, ip_dst):
    return Ether(src=src, dst=dst) / IP(src=ip_src, dst=ip_dst) / UDP(sport=1, dport=2) / b"hello"


def out_of(host, vni, inner):
    other = "hv2" if host == "hv1" else "hv1"
    return Ether(src=UPLINK[host], dst=UPLINK[other]) / IP(src=VTEP[host], dst=VTEP[other]) / \
        UDP(sport=50000, dport=4789, chksum=0) / VXLAN(vni=vni, flags=8) / inner


def frames(*packets):
    return [(START + i * NS, bytes(p)) for i, p in enumerate(packets)]


def check(tmp_path, doc, *options):
    """What --check says, and its status."""
    (tmp_path / "config.json").write_text(json.dumps(doc))
    done = call("--config", tmp_path / "config.json", "--check", *options)
    return done.returncode, done.stderr


def test_a_tenants_network_is_replayed(tmp_path):
    """Into the tunnel, out of it, the gateway's answer, and nothing of another tenant's."""
    to_db = udp(MAC["web"], MAC["db"], "10.0.0.11", "10.0.0.12")
    to_web = udp(MAC["db"], MAC["web"], "10.0.0.12", "10.0.0.11")
    ask = Ether(src=MAC["web"], dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc=MAC["web"], psrc="10.0.0.11", pdst="10.0.0.1")
    spoofed = udp(MAC["web"], MAC["db"], "10.0.0.99", "10.0.0.12")
    run = succeed(tmp_path, document(), {
        "p-web": frames(to_db, ask, spoofed),
        "p-other": frames(udp(MAC["other"], MAC["db"], "10.0.0.11", "10.0.0.12")),
        "uplink": frames(out_of("hv2", 1001, to_web), out_of("hv2", 2001, to_web),
                         out_of("hv2", 3001, to_web))}, "--host", "hv1")
    went = [Ether(f) for f in run.frames("uplink")]
    assert [bytes(p[VXLAN].payload) for p in went] == [bytes(to_db)]
    assert went[0][VXLAN].vni == 1001 and went[0][IP].dst == VTEP["hv2"]
    came = [Ether(f) for f in run.frames("p-web")]
    answers = [p[ARP] for p in came if ARP in p]
    assert [(a.hwsrc, a.psrc) for a in answers] == [(GATEWAY, "10.0.0.1")]
    assert [bytes(p) for p in came if ARP not in p] == [bytes(to_web)]
    # Blue's network has the same addresses: its frame is its port's.
    assert run.frames("p-other") == [bytes(to_web)]
    assert run.drops()["vxlan_unknown_vni"] == 1


def test_it_is_said_which_host(tmp_path):
    status, said = check(tmp_path, document())
    assert status == 2 and "--host" in said
    status, said = check(tmp_path, document(), "--host", "hv9")
    assert status == 2 and 'there is no host "hv9"' in said
    assert check(tmp_path, document(), "--host", "hv2")[0] == 0


def test_contradictions_have_their_place(tmp_path):
    doc = document()
    doc["ports"][2]["mac_address"] = MAC["web"]
    doc["flows"] = [{"priority": 20000, "isPermanent": True, "tableId": 5}]
    status, said = check(tmp_path, doc, "--host", "hv1")
    assert status == 2
    assert re.search(r"config.json:\d+:\d+: /ports/[12]/mac_address", said), said
    assert re.search(r"config.json:\d+:\d+: /flows/0: .*tenant pipeline's", said), said
    doc = document()
    doc["ports"].append({"number": 5, "name": "p-web", "type": "pcap"})
    status, said = check(tmp_path, doc, "--host", "hv1")
    assert status == 2 and '"p-web"' in said


def test_the_data_plane_loads_it(tmp_path):
    """The same document live: --load and --host."""
    doc = document()
    doc["ports"][0] = {"number": 1, "name": "uplink", "type": "memory"}
    (tmp_path / "site.json").write_text(json.dumps(doc))
    words = [DATAPLANE, "--load", tmp_path / "site.json", "--no-socket", "--no-huge", "--memory", "32",
             "--sessions", "1000", "--seconds", "0.5", "--stats", tmp_path / "stats.json"]
    done = subprocess.run([*words, "--host", "hv1"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "stats.json") as f:
        ports = {p["name"] for p in json.load(f)["ports"]}
    assert ports == {"uplink", "vxlan4", "p-web", "p-other"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "--host" in done.stderr
