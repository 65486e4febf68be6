# SPDX-License-Identifier: BSD-3-Clause
"""What tenon-replay makes of the switch: its clock, its traces, its report, its accounts."""
import random

from replaying import (NS, START, config, flow, frame, from_port, output, pcap, port, succeed,
                       wire)

MS = NS // 1000
IP = {"type": "ETH_TYPE", "ethType": "0x800"}


def ipv4(i, ttl=64, proto=17):
    header = bytearray(bytes.fromhex("45000020000000004011000a") + bytes([10, 0, 0, 1, 10, 0, 0, 2]))
    header[8], header[9] = ttl, proto
    header[10:12] = b"\0\0"
    total = sum(int.from_bytes(header[n:n + 2], "big") for n in range(0, 20, 2))
    total = (total & 0xFFFF) + (total >> 16)
    header[10:12] = (~total & 0xFFFF).to_bytes(2, "big")
    return bytes.fromhex("020000000002020000000001" "0800") + bytes(header) + \
        (1024 + i).to_bytes(2, "big") + bytes.fromhex("07d0" "000c" "0000") + bytes(22)


def test_idle_timeout_by_the_captures_clock(tmp_path):
    c = wire([flow(10, [from_port(1)], [output(2)], timeout=2, flags=["SEND_FLOW_REM"])])
    times = [0, 1900, 3800, 5799, 7799]  # the last one 2 s after the one before
    run = succeed(tmp_path, c, {"left": [(START + t * MS, frame(t)) for t in times]})
    assert run.frames("right") == [frame(t) for t in times[:4]]
    assert run.drops() == {"table_miss": 1}
    events = run.report["events"]
    assert events["flowRemoved"] == {"IDLE_TIMEOUT": 1}
    event = events["first"][-1]
    assert event["time"] == "%d.%09d" % (START // NS + 7, 799 * MS)
    assert event["flow"]["packets"] == 4


def test_hard_timeout_between_two_packets(tmp_path):
    """The flow goes at its own time, not when the next packet happens to come."""
    c = wire([flow(10, [from_port(1)], [output(2)], hardTimeout=5, flags=["SEND_FLOW_REM"])])
    run = succeed(tmp_path, c, {"left": [(START, frame(0)), (START + 4999 * MS, frame(1)),
                                         (START + 60 * NS, frame(2))]})
    assert run.frames("right") == [frame(0), frame(1)]
    assert run.report["events"]["first"][0]["time"] == "%d.000000000" % (START // NS + 5)
    assert run.report["flows"] == []


def test_timeout_at_the_very_moment_of_a_packet(tmp_path):
    c = wire([flow(10, [from_port(1)], [output(2)], hardTimeout=5)])
    run = succeed(tmp_path, c, {"left": [(START, frame(0)), (START + 5 * NS - 1, frame(1)),
                                         (START + 5 * NS, frame(2))]})
    assert run.frames("right") == [frame(0), frame(1)]


def test_meter_by_the_captures_clock(tmp_path):
    c = wire([flow(10, [from_port(1)], [{"type": "METER", "meterId": 1}, output(2)])])
    c["meters"] = [{"index": 1, "unit": "PKTS_PER_SEC", "burst": True,
                    "bands": [{"type": "DROP", "rate": 10, "burstSize": 10}]}]
    # 100 packets a second for 10 s, then again after a minute.
    times = [START + i * 10 * MS for i in range(1000)] + \
            [START + 70 * NS + i * 10 * MS for i in range(100)]
    run = succeed(tmp_path, c, {"left": [(t, frame(i)) for i, t in enumerate(times)]})
    first = sum(1 for t, _, _ in run.sent("right") if t < START + 60 * NS)
    assert 105 <= first <= 111
    assert 18 <= len(run.sent("right")) - first <= 21
    meter = run.report["meters"][0]
    assert meter["packets"] == 1100
    assert meter["bands"][0]["packets"] == run.drops()["meter"] == 1100 - len(run.sent("right"))
    place = run.report["drops"][0]["places"][0]
    assert place["port"] == "left" and place["flowId"] == run.report["flows"][0]["id"]


def test_loops_keep_the_clock_going(tmp_path):
    c = wire([flow(10, [from_port(1)], [output(2)], hardTimeout=10)])
    records = [(START + i * NS, frame(i)) for i in range(4)]
    run = succeed(tmp_path, c, {"left": records}, "--loop", "5")
    times = [t for t, _, _ in run.sent("right")]
    assert times == [START + i * NS for i in range(10)]
    assert run.report["summary"]["received"] == 20 and run.report["summary"]["loops"] == 5


def test_inputs_enter_in_the_order_of_time(tmp_path):
    rnd = random.Random(3)
    c = config([port(n, "p%d" % n) for n in range(1, 6)], [flow(1, [], [output(5)])])
    inputs, want = {}, []
    for n in range(1, 5):
        times = sorted(START + rnd.randrange(50) for _ in range(30))
        inputs["p%d" % n] = [(t, frame(n * 1000 + i)) for i, t in enumerate(times)]
        want += [(t, n, i) for i, t in enumerate(times)]
    run = succeed(tmp_path, c, inputs)
    assert run.frames("p5") == [frame(n * 1000 + i) for _, n, i in sorted(want)]


def outputs_of(folder, c, inputs, *options):
    folder.mkdir()
    run = succeed(folder, c, inputs, *options, trace=True)
    files = {f.name: f.read_bytes() for f in sorted((folder / "out").iterdir())}
    files["report"] = (folder / "report.json").read_bytes()
    files["trace"] = (folder / "trace.json").read_bytes()
    files["stdout"] = run.stdout
    return files


def test_the_same_input_gives_the_same_bytes(tmp_path):
    c = config([port(n, "p%d" % n) for n in range(1, 5)],
               [flow(9, [{"type": "ETH_TYPE", "ethType": "0x800"}],
                     [{"type": "METER", "meterId": 1}, {"type": "GROUP", "groupId": 7}],
                     timeout=1, flags=["SEND_FLOW_REM"]),
                flow(1, [], [output("NORMAL"), output("CONTROLLER")])],
               groups=[{"id": 7, "type": "SELECT", "appCookie": "0x07", "buckets": [
                   {"weight": n, "treatment": {"instructions": [output(n + 1)]}}
                   for n in range(1, 4)]}],
               meters=[{"index": 1, "unit": "PKTS_PER_SEC", "burst": False,
                        "bands": [{"type": "DROP", "rate": 500, "burstSize": 0}]}])
    inputs = {"p1": [(START + i * MS, ipv4(i % 97)) for i in range(1500)],
              "p2": [(START + i * MS * 3, frame(i % 7)) for i in range(400)]}
    first = outputs_of(tmp_path / "a", c, inputs, "--loop", "2")
    assert first == outputs_of(tmp_path / "b", c, inputs, "--loop", "2")


def test_trace(tmp_path):
    c = config([port(1, "left"), port(2, "right"), port(3, "off", isEnabled=False)],
               [flow(5, [from_port(1)], [{"type": "METADATA", "metadata": 3},
                                         {"type": "TABLE", "tableId": 4}]),
                flow(7, [{"type": "METADATA", "metadata": 3}, IP],
                     [{"type": "L2MODIFICATION", "subtype": "ETH_DST", "mac": "02:00:00:00:00:99"},
                      {"type": "L3MODIFICATION", "subtype": "DEC_TTL"},
                      {"type": "GROUP", "groupId": 1}, output(3), output("CONTROLLER")],
                     table=4, cookie="0xabc")],
               groups=[{"id": 1, "type": "INDIRECT", "appCookie": "0x01", "buckets": [
                   {"treatment": {"instructions": [output(2)]}}]}])
    run = succeed(tmp_path, c, {"left": [(START + 5, ipv4(1)), (START + 6, ipv4(1, ttl=1)),
                                         (START + 7, ipv4(1)[:50], 64)],
                                "2": [(START + 8, frame(1))]}, trace=True)
    first, expired, cut, missed = run.trace
    flows = {f["tableId"]: f["id"] for f in run.report["flows"]}
    assert first["number"] == 1 and first["time"] == "1700000000.000000005"
    assert first["port"] == "left" and first["bytes"] == 64 and "captured" not in first
    assert first["path"] == [
        {"table": 0, "flowId": flows[0], "priority": 5},
        {"table": 4, "flowId": flows[4], "priority": 7}]
    assert first["groups"] == [{"groupId": 1, "bucketId": first["groups"][0]["bucketId"]}]
    kinds = [(a["type"], a.get("subtype")) for a in first["actions"]]
    assert ("L2MODIFICATION", "ETH_DST") in kinds and ("L3MODIFICATION", "DEC_TTL") in kinds
    assert first["outputs"] == [{"port": "right", "bytes": 64}]
    assert first["packetIns"] == [{"reason": "APPLY_ACTION", "table": 4, "flowId": flows[4],
                                   "cookie": "0xabc", "bytes": 64}]
    assert first["drops"] == [{"reason": "port_down", "table": 4, "flowId": flows[4],
                               "port": "off"}]
    assert first["verdict"] == "sent" and first["dropReason"] == "port_down"

    assert expired["verdict"] == "consumed" and expired["dropReason"] == "ttl_expired"
    assert expired["packetIns"][0]["reason"] == "INVALID_TTL"
    assert expired["outputs"] == []
    assert cut["captured"] == 50 and cut["outputs"][0]["captured"] == 50
    assert missed["path"] == [{"table": 0, "flowId": None}]
    assert missed["verdict"] == "dropped" and missed["dropReason"] == "table_miss"
    assert missed["drops"] == [{"reason": "table_miss", "table": 0}]


def test_trace_changes_nothing(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    inputs = {"left": [(START + i, ipv4(i)) for i in range(100)]}
    a = succeed(tmp_path / "a", wire(), inputs)
    b = succeed(tmp_path / "b", wire(), inputs, trace=True)
    assert a.report == b.report and a.sent("right") == b.sent("right")
    assert len(b.trace) == 100


def test_report(tmp_path):
    c = config([port(1, "left"), port(2, "right"), port(3, "third", config=["NO_FWD"])],
               [flow(5, [from_port(1)], [output(2), output(3), output("CONTROLLER")],
                     cookie="0x12"),
                flow(4, [from_port(2)], [{"type": "NOACTION"}]),
                flow(1, [], [output(3)], table=9)],
               groups=[{"id": 1, "type": "ALL", "appCookie": "0x01", "buckets": []}],
               tables=[{"tableId": 9, "maxEntries": 10}])
    run = succeed(tmp_path, c, {"left": [(START + i * NS, frame(i, 60 + i)) for i in range(3)],
                                "right": [(START, frame(9))]})
    r = run.report
    assert r["device"] == "of:00000000000000a1"
    assert r["summary"] == {
        "complete": True, "start": "1700000000.000000000", "end": "1700000002.000000000",
        "duration": "2.000000000", "loops": 1, "received": 4, "bytes": 243, "generated": 0,
        "copies": 6, "sent": 3, "consumed": 3, "dropped": 4, "cut": 0, "late": 0}
    left, right, third = [run.port(n) for n in ("left", "right", "third")]
    assert (left["packetsReceived"], left["bytesReceived"]) == (3, 183)
    assert (right["packetsSent"], right["bytesSent"]) == (3, 183)
    assert right["packetsRxDropped"] == 1 and third["packetsTxDropped"] == 3
    flows = {(f["tableId"], f["priority"]): f for f in r["flows"]}
    assert len(flows) == 3 and flows[0, 5]["packets"] == 3 and flows[0, 5]["bytes"] == 183
    assert flows[0, 5]["state"] == "ADDED" and flows[0, 5]["life"] == 2
    drops = {d["reason"]: d for d in r["drops"]}
    assert drops["port_no_fwd"]["places"] == [
        {"port": "left", "outPort": "third", "table": 0, "flowId": flows[0, 5]["id"],
         "packets": 3, "bytes": 183}]
    assert drops["no_action"]["packets"] == 1 and drops["no_action"]["text"]
    assert [t["tableId"] for t in r["tables"]] == ["0", "9"]
    assert r["tables"][0]["packetsLookedUp"] == r["tables"][0]["packetsMatched"] == 4
    assert r["packetIns"]["total"] == 3
    assert r["packetIns"]["counts"] == [
        {"reason": "APPLY_ACTION", "table": 0, "cookie": "0x12", "packets": 3}]
    assert r["packetIns"]["first"][1] == {
        "record": 2, "packet": 3, "time": "1700000001.000000000", "reason": "APPLY_ACTION",
        "table": 0, "cookie": "0x12", "flowId": flows[0, 5]["id"], "inPort": "left",
        "totalLen": 61, "captured": 61}
    assert [len(d) for d in run.frames("controller")] == [60, 61, 62]
    assert len(r["groups"]) == 1 and r["meters"] == []


def test_drop_names_a_port_that_does_not_exist(tmp_path):
    c = wire([flow(5, [from_port(1)], [{"type": "GROUP", "groupId": 1}])])
    c["groups"] = [{"id": 1, "type": "ALL", "appCookie": "0x01", "buckets": [
        {"treatment": {"instructions": [output("LOCAL")]}},
        {"treatment": {"instructions": [output("IN_PORT")]}}]}]
    run = succeed(tmp_path, c, {"left": [(START, frame(1))]})
    assert run.drops() == {"no_such_port": 1}
    assert run.report["drops"][0]["places"][0]["outPort"] == 0xfffffffe
    assert run.frames("left") == [frame(1)]


def test_mtu(tmp_path):
    c = config([port(1, "left"), port(2, "right", mtu=100)], [flow(1, [from_port(1)], [output(2)])])
    tagged = frame(7, 118)[:12] + bytes.fromhex("81000005") + frame(7, 118)[12:-4]
    run = succeed(tmp_path, c, {"left": [(START, frame(1, 114)), (START + 1, frame(2, 115)),
                                         (START + 2, tagged)]})
    assert run.frames("right") == [frame(1, 114), tagged]
    assert run.drops() == {"mtu": 1}
    assert run.report["drops"][0]["places"][0]["outPort"] == "right"


def test_packet_in_is_cut_to_max_len(tmp_path):
    c = wire([flow(0, [], [{"type": "OUTPUT", "port": "CONTROLLER", "maxLen": 20}])])
    run = succeed(tmp_path, c, {"left": [(START, frame(1))]})
    assert run.sent("controller") == [(START, frame(1)[:20], 60)]
    assert run.report["packetIns"]["first"][0]["captured"] == 20
    assert run.report["packetIns"]["counts"][0]["reason"] == "NO_MATCH"


def test_many_kinds_of_drops_are_bounded_in_memory_not_in_truth(tmp_path):
    flows = [flow(10, [from_port(1), {"type": "ETH_TYPE", "ethType": 2048},
                       {"type": "UDP_SRC", "udpPort": 1024 + i}, {"type": "IP_PROTO", "protocol": 17}],
                  [{"type": "NOACTION"}]) for i in range(300)]
    run = succeed(tmp_path, wire(flows), {"left": [(START + i, ipv4(i % 300)) for i in range(900)]})
    drop = run.report["drops"][0]
    assert drop["packets"] == 900 and len(drop["places"]) == 300
    assert all(p["packets"] == 3 for p in drop["places"])
    assert "more places" in run.stdout


def test_nothing_comes_in(tmp_path):
    run = succeed(tmp_path, wire(), {"left": pcap([])}, "--loop", "3")
    assert run.report["summary"]["received"] == 0 and run.sent("right") == []


def test_random_switches_account_for_every_packet(tmp_path):
    """Random flows, groups and meters with copies, clones, drops; the accounts must balance."""
    rnd = random.Random(11)

    def actions(ip, depth=0):
        out = []
        for _ in range(rnd.randrange(1, 4)):
            kind = rnd.randrange(7)
            if kind == 0 and depth == 0:
                out.append({"type": "GROUP", "groupId": rnd.randrange(1, 5)})
            elif kind == 1:
                out.append({"type": "L3MODIFICATION", "subtype": "DEC_TTL"} if ip else
                           output("IN_PORT"))
            elif kind == 2:
                out.append(output("CONTROLLER"))
            elif kind == 3 and depth == 0:
                out.append({"type": "L2MODIFICATION", "subtype": "VLAN_PUSH"})
            elif kind == 4:
                out.append(output(rnd.choice(["FLOOD", "ALL", "NORMAL", "LOCAL"])))
            else:
                out.append(output(rnd.randrange(1, 6)))
        return out[:1] if depth else out

    for i in range(25):
        folder = tmp_path / str(i)
        folder.mkdir()
        c = config([port(n, "p%d" % n, **({"isEnabled": False} if n == 5 else {}))
                    for n in range(1, 6)],
                   [flow(p, [from_port(rnd.randrange(1, 5))] +
                         ([IP] if ip else []), actions(ip)) for p, ip in
                    ((p, rnd.random() < 0.7) for p in range(100, 108))],
                   groups=[{"id": g, "type": rnd.choice(["ALL", "SELECT"]), "appCookie": "0x%02x" % g,
                            "buckets": [{"weight": 1, "treatment": {"instructions": actions(False, 1)}}
                                        for _ in range(rnd.randrange(0, 4))]}
                           for g in range(1, 5)])
        inputs = {"p%d" % n: [(START + k, rnd.choice(
            [ipv4(k), ipv4(k, ttl=1), frame(k), frame(k)[:10]])) for k in range(40)]
            for n in range(1, 5)}
        run = succeed(folder, c, inputs, trace=True)
        s = run.report["summary"]
        ends = [(len(t["outputs"]), len(t["packetIns"]), len(t["drops"])) for t in run.trace]
        assert (s["sent"], s["consumed"], s["dropped"]) == tuple(map(sum, zip(*ends)))
        assert sum(p["packetsSent"] for p in run.report["ports"]) == s["sent"]
        assert sum(p["packetsRxDropped"] + p["packetsTxDropped"] for p in run.report["ports"]) == \
            s["dropped"]
        assert sum(len(run.sent("p%d" % n)) for n in range(1, 6)) == s["sent"]
        assert len(run.sent("controller")) == s["consumed"]
