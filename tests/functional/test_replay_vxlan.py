# SPDX-License-Identifier: BSD-3-Clause
"""vxlan ports in tenon-replay: what they take off, what they put on, and who may come in."""
import struct
import subprocess

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vxlan import VXLAN

from replaying import START, config, flow, from_port, output, port, replay, succeed

V4 = dict(local="198.51.100.1", peer="198.51.100.2", other="198.51.100.3", length=24, ip=IP)
V6 = dict(local="2001:db8:ffff::1", peer="2001:db8:ffff::2", other="2001:db8:ffff::3", length=64,
          ip=IPv6)
MAC, PEER_MAC = "02:0a:00:00:00:01", "02:0a:00:00:00:02"
VM, UPLINK, TUNNEL = 1, 10, 100


def inner(i=0, src="10.0.0.1", dst="10.0.0.2", size=20):
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=src, dst=dst) /
                 UDP(sport=1000 + i, dport=2000) / bytes(size))


def outer(data, v=V4, src=None, dst=None, vni=5, **udp):
    layers = v["ip"](src=src or v["peer"], dst=dst or v["local"])
    return bytes(Ether(src=PEER_MAC, dst=MAC) / layers / UDP(sport=50000, dport=4789, **udp) /
                 VXLAN(vni=vni, flags=8) / data)


def lab(v=V4, uplink=True, flows=None, options=None, more_ports=(), neighbours=None):
    """A machine, a tunnel port, and an uplink if the underlay's addresses name one."""
    where = {"port": "uplink"} if uplink else {}
    ports = [port(VM, "vm"), port(TUNNEL, "vx0", type="vxlan", options=options or {
        "remote": v["peer"], "vni": 5})]
    if uplink:
        ports.append(port(UPLINK, "uplink"))
    return config(ports + list(more_ports), flows if flows is not None else [
        flow(1, [from_port(VM)], [output(TUNNEL)]),
        flow(1, [from_port(TUNNEL)], [output(VM)])],
        underlay={"addresses": [dict(address="%s/%d" % (v["local"], v["length"]), mac=MAC, **where)],
                  "neighbours": [dict(address=a, mac=PEER_MAC, **where)
                                 for a in neighbours or (v["peer"], v["other"])]})


def tshark(path, *fields):
    """A tuple of the fields for each frame; none may be malformed or have a bad checksum."""
    command = ["tshark", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-o",
               "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
    bad = subprocess.run(command + ["-Y", "_ws.malformed || ip.checksum.status == 0 || "
                                    "udp.checksum.status == 0 || tcp.checksum.status == 0"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                         check=True).stdout
    assert not bad, bad
    arguments = [a for f in fields for a in ("-e", f)]
    out = subprocess.run(command + ["-T", "fields"] + arguments, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return [tuple(line.split("\t")) for line in out.split("\n") if line]


@pytest.mark.parametrize("uplink", [True, False], ids=["uplink", "own"])
@pytest.mark.parametrize("v", [V4, V6], ids=["v4", "v6"])
def test_decapsulate(tmp_path, v, uplink):
    frames = [inner(i, size=20 + i) for i in range(5)]
    run = succeed(tmp_path, lab(v, uplink),
                  {"uplink" if uplink else "vx0": [(START + i, outer(f, v)) for i, f
                                                   in enumerate(frames)]}, trace=True)
    assert run.frames("vm") == frames
    assert run.trace[0]["tunnel"] == {"vni": 5, "local": v["local"], "remote": v["peer"],
                                      "port": "vx0"}
    # The tunnel port counts what came by it; the capture's frames are counted once in all.
    assert run.port("vx0")["packetsReceived"] == 5
    assert run.report["summary"]["received"] == 5
    if uplink:
        assert run.port("uplink")["packetsReceived"] == 5


@pytest.mark.parametrize("checksum", [False, True], ids=["zero", "checksum"])
@pytest.mark.parametrize("uplink", [True, False], ids=["uplink", "own"])
@pytest.mark.parametrize("v", [V4, V6], ids=["v4", "v6"])
def test_encapsulate(tmp_path, v, uplink, checksum):
    frames = [inner(i, size=20 + i) for i in range(30)]
    c = lab(v, uplink, options={"remote": v["peer"], "vni": 5, "udpChecksum": checksum, "ttl": 17})
    run = succeed(tmp_path, c, {"vm": [(START + i, f) for i, f in enumerate(frames)]}, trace=True)
    name = "uplink" if uplink else "vx0"
    assert len(run.sent("vx0")) == (0 if uplink else 30)
    ip = "ip" if v is V4 else "ipv6"
    rows = tshark(tmp_path / "out" / (name + ".pcap"), ip + ".src", ip + ".dst",
                  "ip.ttl" if v is V4 else "ipv6.hlim", "udp.dstport", "udp.srcport",
                  "udp.checksum", "vxlan.vni", "eth.src", "eth.dst")
    assert len(rows) == 30
    sources = set()
    for row, sent, frame in zip(rows, run.frames(name), frames):
        assert row[0].split(",")[0] == v["local"] and row[1].split(",")[0] == v["peer"]
        assert row[2].split(",")[0] == "17" and row[3].split(",")[0] == "4789"
        assert row[6] == "5"
        assert row[7].split(",")[0] == MAC and row[8].split(",")[0] == PEER_MAC
        assert (int(row[5].split(",")[0], 0) != 0) == checksum
        assert sent.endswith(frame) and len(sent) == len(frame) + (50 if v is V4 else 70)
        sources.add(int(row[4].split(",")[0]))
    # Flows are spread over source ports, which are dynamic ones (RFC 7348, 5).
    assert len(sources) > 15 and min(sources) >= 49152
    end = run.trace[0]["outputs"][0]
    assert end["port"] == "vx0" and end["tunnel"] == {"vni": 5, "local": v["local"],
                                                      "remote": v["peer"]}
    assert end.get("uplink") == ("uplink" if uplink else None)


def test_one_flow_keeps_its_source_port(tmp_path):
    run = succeed(tmp_path, lab(), {"vm": [(START + i, inner(1)) for i in range(5)]})
    assert len({f[34:36] for f in run.frames("uplink")}) == 1


def test_tunnel_fields(tmp_path):
    """From one peer and network to another: a flow reads and writes the outer addresses."""
    flows = [flow(1, [from_port(TUNNEL), {"type": "TUNNEL_ID", "tunnelId": 5},
                      {"type": "TUN_SRC", "ip": "198.51.100.2/32"},
                      {"type": "TUN_DST", "ip": "198.51.100.1/32"},
                      {"type": "IN_PHY_PORT", "port": UPLINK}],
                  [{"type": "L2MODIFICATION", "subtype": "TUNNEL_ID", "tunnelId": 6},
                   {"type": "L2MODIFICATION", "subtype": "TUNNEL_DST", "ip": "198.51.100.3"},
                   output("IN_PORT")])]
    c = lab(flows=flows, options={"remote": "flow", "vni": "flow"})
    run = succeed(tmp_path, c, {"uplink": [(START, outer(inner()))]})
    rows = tshark(tmp_path / "out/uplink.pcap", "ip.src", "ip.dst", "vxlan.vni")
    assert rows == [("198.51.100.1,10.0.0.1", "198.51.100.3,10.0.0.2", "6")]
    assert run.report["summary"]["sent"] == 1


def drops(tmp_path, c, name, *frames):
    run = succeed(tmp_path, c, {name: [(START + i, f) for i, f in enumerate(frames)]}, trace=True)
    return run.drops()


def test_who_may_come_in(tmp_path):
    c = lab(options={"remote": "flow", "vni": "flow", "peers": [V4["peer"]], "vnis": [5, 7]})
    good = [outer(inner(), vni=5), outer(inner(), vni=7)]
    assert drops(tmp_path, c, "uplink", *good) == {}
    assert drops(tmp_path, c, "uplink", outer(inner(), vni=6)) == {"vxlan_unknown_vni": 1}
    assert drops(tmp_path, c, "uplink", outer(inner(), src=V4["other"])) == \
        {"vxlan_unknown_peer": 1}
    # By its own capture the tunnel port sees what no uplink would have given it.
    assert drops(tmp_path, c, "vx0", outer(inner(), dst=V4["other"])) == {"vxlan_not_local": 1}
    assert drops(tmp_path, c, "vx0", bytes(Ether() / IP(dst=V4["local"]) / TCP()),
                 bytes(Ether() / ARP()), inner()) == {"not_tunnelled": 3}


def test_what_a_trace_says_of_a_stranger(tmp_path):
    run = succeed(tmp_path, lab(), {"uplink": [(START, outer(inner(), vni=99))]}, trace=True)
    assert run.trace[0]["dropReason"] == "vxlan_unknown_vni"
    assert run.trace[0]["tunnel"] == {"vni": 99, "local": V4["local"], "remote": V4["peer"]}


def test_malformed(tmp_path):
    good = outer(inner())
    bad_ip = bytearray(good)
    bad_ip[24] ^= 1
    bad_udp = bytearray(outer(inner()))
    bad_udp[40:42] = b"\x12\x34"
    no_flag = bytearray(outer(inner(), chksum=0))
    no_flag[42] = 0
    short = bytearray(outer(b""))
    fragment = bytearray(good)
    fragment[20] = 0x20
    fragment[24:26] = struct.pack("!H", struct.unpack("!H", good[24:26])[0] - 0x2000 & 0xFFFF)
    for name in ("uplink", "vx0"):
        assert drops(tmp_path, lab(), name, bytes(bad_ip), bytes(bad_udp)) == \
            {"vxlan_bad_checksum": 2}
        assert drops(tmp_path, lab(), name, bytes(no_flag), bytes(short)) == {"vxlan_malformed": 2}
        assert drops(tmp_path, lab(), name, bytes(fragment)) == {"underlay_fragment": 1}


def test_other_frames_of_an_uplink_are_its_packets(tmp_path):
    flows = [flow(1, [from_port(UPLINK)], [output(VM)]), flow(1, [from_port(TUNNEL)], [])]
    other = [bytes(Ether() / ARP()), outer(inner(), dst=V4["other"]),
             bytes(Ether() / IP(dst=V4["local"]) / UDP(dport=53)), bytes(20)]
    run = succeed(tmp_path, lab(flows=flows), {"uplink": [
        (START + i, f) for i, f in enumerate(other + [outer(inner())])]})
    assert run.frames("vm") == other
    assert run.drops() == {"no_action": 1}


def test_no_way_out(tmp_path):
    data = {"vm": [(START, inner())]}
    c = lab(options={"remote": "203.0.113.9", "vni": 5})
    assert succeed(tmp_path, c, data).drops() == {"no_route": 1}
    c = lab(neighbours=[V4["other"]])
    run = succeed(tmp_path, c, data)
    assert run.drops() == {"no_neighbour": 1}
    place = run.report["drops"][0]["places"][0]
    assert (place["port"], place["outPort"]) == ("vm", "vx0")
    c = lab(options={"remote": "flow", "vni": 5})
    assert succeed(tmp_path, c, data).drops() == {"vxlan_no_remote": 1}
    c = lab(options={"remote": V4["peer"], "vni": "flow"}, flows=[flow(1, [from_port(VM)], [
        {"type": "L2MODIFICATION", "subtype": "TUNNEL_ID", "tunnelId": 1 << 24},
        output(TUNNEL)])])
    assert succeed(tmp_path, c, data).drops() == {"vxlan_no_vni": 1}


def test_uplink_that_is_down_or_mute(tmp_path):
    for more, reason_in, reason_out in (({"isEnabled": False}, "port_down", "port_down"),
                                        ({"config": ["NO_RECV"]}, "port_no_recv", None),
                                        ({"config": ["NO_FWD"]}, None, "port_no_fwd")):
        c = lab()
        c["ports"][-1].update(more)
        run = succeed(tmp_path, c, {"uplink": [(START, outer(inner()))]})
        assert run.drops() == ({reason_in: 1} if reason_in else {})
        run = succeed(tmp_path, c, {"vm": [(START, inner())]})
        assert run.drops() == ({reason_out: 1} if reason_out else {})


def test_mtu_of_uplink_and_tunnel(tmp_path):
    c = lab()
    c["ports"][-1]["mtu"] = 1500
    # 1500 - IP 20 - UDP 8 - VXLAN 8 = 1464 bytes of inner frame
    fits, long = inner(size=1464 - 42), inner(size=1465 - 42)
    run = succeed(tmp_path, c, {"vm": [(START, fits), (START + 1, long)]})
    assert len(run.sent("uplink")) == 1 and run.drops() == {"mtu": 1}
    c = lab()
    c["ports"][1]["mtu"] = 1450
    run = succeed(tmp_path, c, {"vm": [(START, inner(size=1464 - 42)),
                                       (START + 1, inner(size=1465 - 42))]})
    assert len(run.sent("uplink")) == 1 and run.drops() == {"mtu": 1}


def test_copies_to_several_tunnels_and_a_port(tmp_path):
    """Outer headers of one copy must not show in another."""
    c = lab(flows=[flow(1, [from_port(VM)], [output(TUNNEL), output(2), output(101),
                                             {"type": "L2MODIFICATION", "subtype": "ETH_SRC",
                                              "mac": "02:00:00:00:00:77"}, output(2)])],
            more_ports=[port(2, "vm2"), port(101, "vx1", type="vxlan", options={
                "remote": V4["other"], "vni": 9})])
    run = succeed(tmp_path, c, {"vm": [(START, inner())]})
    first, second = run.frames("uplink")
    assert first.endswith(inner()) and second.endswith(inner())
    assert [f[46:49] for f in (first, second)] == [b"\0\0\5", b"\0\0\t"]
    plain, changed = run.frames("vm2")
    assert plain == inner() and changed == inner()[:6] + b"\2\0\0\0\0\x77" + inner()[12:]


def test_frames_that_the_capture_cut(tmp_path):
    whole = outer(inner(size=500), chksum=0)
    run = succeed(tmp_path, lab(), {"uplink": [(START, whole[:100], len(whole))]})
    assert run.sent("vm") == [(START, inner(size=500)[:50], 542)]
    run = succeed(tmp_path, lab(options={"remote": V4["peer"], "vni": 5, "udpChecksum": True}),
                  {"vm": [(START, inner(size=500)[:50], 542)]})
    (_, sent, wire_len), = run.sent("uplink")
    assert wire_len == 592 and len(sent) == 100
    assert sent[40:42] == b"\0\0"  # it cannot be known
    run = succeed(tmp_path, lab(), {"uplink": [(START, whole[:45], len(whole))]})
    assert run.drops() == {"truncated_header": 1}


def test_a_cut_output_is_a_good_tunnel_packet(tmp_path):
    c = lab(flows=[flow(1, [from_port(VM)], [{"type": "TRUNCATE", "maxLen": 20}, output(TUNNEL)])])
    run = succeed(tmp_path, c, {"vm": [(START, inner())]})
    (_, sent, wire_len), = run.sent("uplink")
    assert len(sent) == wire_len == 70 and sent.endswith(inner()[:20])
    assert struct.unpack("!H", sent[16:18]) == (56,) and struct.unpack("!H", sent[38:40]) == (36,)


def test_tenants_with_the_same_addresses(tmp_path):
    """Two networks, the same MAC and IP addresses, one uplink: nobody sees the other's frames."""
    ports = [port(1, "vm-a"), port(2, "vm-b"), port(UPLINK, "uplink"),
             port(TUNNEL, "vx0", type="vxlan", options={"remote": V4["peer"], "vni": "flow",
                                                        "vnis": [100, 200]})]
    flows = []
    for n, vni in ((1, 100), (2, 200)):
        flows.append(flow(1, [from_port(n)], [
            {"type": "L2MODIFICATION", "subtype": "TUNNEL_ID", "tunnelId": vni}, output(TUNNEL)]))
        flows.append(flow(1, [from_port(TUNNEL), {"type": "TUNNEL_ID", "tunnelId": vni}],
                          [output(n)]))
    c = dict(lab(), ports=ports, flows=flows)
    a = [inner(i) for i in range(10)]
    b = [inner(i) for i in range(10)]
    run = succeed(tmp_path, c, {
        "vm-a": [(START + i, f) for i, f in enumerate(a)],
        "vm-b": [(START + i, f + b"b") for i, f in enumerate(b)],
        "uplink": [(START + i, outer(inner(50 + i), vni=100 + 100 * (i % 3))) for i in range(30)]})
    assert run.frames("vm-a") == [inner(50 + i) for i in range(0, 30, 3)]
    assert run.frames("vm-b") == [inner(50 + i) for i in range(1, 30, 3)]
    assert run.drops() == {"vxlan_unknown_vni": 10}
    rows = tshark(tmp_path / "out/uplink.pcap", "vxlan.vni", "frame.len")
    assert sorted(rows) == [("100", "112")] * 10 + [("200", "113")] * 10


def test_ports_that_would_take_the_same(tmp_path):
    c = lab(more_ports=[port(101, "vx1", type="vxlan", options={"remote": V4["peer"], "vni": 5})])
    run = replay(tmp_path, c, {"vm": [(START, inner())]})
    assert run.status == 2
    assert "ports vx0 and vx1 would take the same VXLAN packets" in run.stderr


def test_icmp_errors_of_the_underlay_are_no_tunnel_packets(tmp_path):
    quoted = outer(inner())[14:]
    icmp = bytes(Ether(src=PEER_MAC, dst=MAC) / IP(src=V4["peer"], dst=V4["local"]) /
                 ICMP(type=3, code=4) / quoted)
    assert drops(tmp_path, lab(), "vx0", icmp) == {"not_tunnelled": 1}
