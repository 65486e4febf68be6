# SPDX-License-Identifier: BSD-3-Clause
"""tenon-replay --diff: packets that fare differently under two configurations."""
import json

from replaying import START, call, config, flow, frame, from_port, output, pcap, port, replay, wire

LEFT = [(START + i, frame(i)) for i in range(10)]


def diff(folder, a, b, inputs, *options, trace=False):
    (folder / "other.json").write_text(json.dumps(b))
    return replay(folder, a, inputs, "--diff", folder / "other.json", *options, trace=trace)


def three(*flows, **more):
    return config([port(n, "p%d" % n) for n in (1, 2, 3)], list(flows), **more)


def test_same(tmp_path):
    run = diff(tmp_path, wire(), wire(), {"left": LEFT})
    assert run.status == 0 and run.stdout == "0 of 10 packets differ\n"
    assert run.report["diff"]["differing"] == 0 and run.report["diff"]["first"] == []


def test_same_by_other_means(tmp_path):
    """Other tables, groups, order among ports and flow ids are no difference of fate."""
    a = three(flow(1, [from_port(1)], [output(2), output(3)]))
    b = three(flow(9, [], [{"type": "TABLE", "tableId": 7}]),
              flow(3, [], [{"type": "GROUP", "groupId": 1}], table=7),
              groups=[{"id": 1, "type": "ALL", "appCookie": "0x01", "buckets": [
                  {"treatment": {"instructions": [output(n)]}} for n in (3, 2)]}])
    run = diff(tmp_path, a, b, {"p1": LEFT})
    assert run.status == 0, run.stdout


def test_other_port(tmp_path):
    a = three(flow(1, [from_port(1)], [output(2)]))
    b = three(flow(1, [from_port(1)], [output(2)]),
              flow(9, [{"type": "ETH_DST", "mac": "02:00:00:00:00:05"}], [output(3)]))
    other = frame(5).replace(b"\2\0\0\0\0\2", b"\2\0\0\0\0\5", 1)
    run = diff(tmp_path, a, b, {"p1": LEFT[:5] + [(START + 99, other)]}, trace=True)
    assert run.status == 1
    lines = run.stdout.split("\n")
    assert lines[0] == "packet 6 at 1700000000.000000099 in p1 (60 bytes)"
    assert lines[1].endswith("config.json: sent p2 (60 bytes)")
    assert lines[2].endswith("other.json: sent p3 (60 bytes)")
    assert lines[3] == "1 of 6 packets differ"
    one, = run.trace
    assert one["number"] == 6 and one["port"] == "p1"
    assert one["config"]["outputs"] == [{"port": "p2", "bytes": 60}]
    assert one["other"]["outputs"] == [{"port": "p3", "bytes": 60}]
    assert one["config"]["path"][0]["priority"] == 1 and one["other"]["path"][0]["priority"] == 9
    assert run.report["diff"]["first"] == [one]
    assert run.report["diff"]["differing"] == 1
    # --out and the counters are about the first configuration.
    assert len(run.sent("p2")) == 6 and run.sent("p3") == []


def test_other_bytes(tmp_path):
    b = wire([flow(1, [from_port(1)], [{"type": "L2MODIFICATION", "subtype": "ETH_SRC",
                                        "mac": "02:00:00:00:00:09"}, output(2)])])
    run = diff(tmp_path, wire(), b, {"left": LEFT[:1]})
    assert run.status == 1 and "the frames differ from byte 11 on" in run.stdout


def test_other_drop_and_packet_in(tmp_path):
    a = wire([flow(1, [from_port(1)], [{"type": "NOACTION"}])])
    run = diff(tmp_path, a, wire([]), {"left": LEFT[:1]})
    assert run.status == 1
    assert "dropped no_action (table 0)" in run.stdout
    assert "dropped table_miss (table 0)" in run.stdout
    run = diff(tmp_path, a, wire([flow(0, [], [output("CONTROLLER")])]), {"left": LEFT[:1]})
    assert run.status == 1 and "packet-in NO_MATCH (60 bytes)" in run.stdout
    # Same bytes, other reason.
    b = wire([flow(1, [], [output("CONTROLLER")])])
    run = diff(tmp_path, b, wire([flow(0, [], [output("CONTROLLER")])]), {"left": LEFT[:1]})
    assert run.status == 1


def test_one_copy_more(tmp_path):
    a = three(flow(1, [from_port(1)], [output(2), output(2)]))
    b = three(flow(1, [from_port(1)], [output(2)]))
    assert diff(tmp_path, a, b, {"p1": LEFT}).status == 1


def test_state_of_the_two_is_their_own(tmp_path):
    """Each switch learns, meters and ages by itself."""
    a = three(flow(1, [], [output("NORMAL")]))
    run = diff(tmp_path, a, a, {"p1": LEFT, "p2": LEFT})
    assert run.status == 0
    meter = dict(meters=[{"index": 1, "unit": "PKTS_PER_SEC", "burst": True,
                          "bands": [{"type": "DROP", "rate": 1, "burstSize": 4}]}])
    a = three(flow(1, [from_port(1)], [output(2)]))
    b = three(flow(1, [from_port(1)], [{"type": "METER", "meterId": 1}, output(2)]), **meter)
    run = diff(tmp_path, a, b, {"p1": LEFT})
    assert run.status == 1 and "6 of 10 packets differ" in run.stdout


def test_ports_are_known_by_name(tmp_path):
    b = config([port(7, "left"), port(8, "right")], [flow(1, [from_port(7)], [output(8)])])
    assert diff(tmp_path, wire(), b, {"left": LEFT}).status == 0
    run = diff(tmp_path, wire(), config([port(1, "a"), port(2, "b")], []), {"left": LEFT})
    assert run.status == 2 and "other.json has no port left" in run.stderr


def test_standard_output(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(wire()))
    (tmp_path / "b.json").write_text(json.dumps(wire([])))
    (tmp_path / "in").write_bytes(pcap(LEFT))
    base = ["--config", tmp_path / "a.json", "--diff", tmp_path / "b.json", "--in",
            "1=%s" % (tmp_path / "in")]
    done = call(*base, "--trace", "-")
    assert done.returncode == 1
    assert len([json.loads(l) for l in done.stdout.strip().split("\n")]) == 10
    assert "10 of 10 packets differ" in done.stderr
    done = call(*base, "--report", "-")
    assert done.returncode == 1 and json.loads(done.stdout)["diff"]["differing"] == 10


def test_a_broken_capture_is_no_difference(tmp_path):
    run = diff(tmp_path, wire(), wire([]), {"left": pcap(LEFT)[:-1]})
    assert run.status == 3 and "9 of 9 packets differ" in run.stdout
