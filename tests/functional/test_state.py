# SPDX-License-Identifier: BSD-3-Clause
"""What tenon-dataplane keeps in its state folder: found again after a kill, whole or said."""
import json
import os
import re
import subprocess

from dataplane_api import LINK_DOWN, Client
from netlab import DATAPLANE, lab  # noqa: F401 (a fixture)
from replaying import START, config, flow, frame, from_port, output, pcap
from test_dataplane import call, dpdk, ports_of

CLIENT = os.path.join(os.path.dirname(DATAPLANE), "../../tests/functional/keep_rounds")
QUICK = ["--no-huge", "--no-socket", "--memory", "16", "--sessions", "1000"]


def wire_document(tmp_path, **more):
    """An endless capture to nowhere."""
    (tmp_path / "in.pcap").write_bytes(pcap([(START, frame(i)) for i in range(8)]))
    return config([dpdk(1, "in", "net_pcap0,rx_pcap=%s,infinite_rx=1" % (tmp_path / "in.pcap")),
                   dpdk(2, "out", "net_null0,no-rx=1")],
                  [flow(1, [from_port(1)], [output(2)])], **more)


def load(tmp_path, document, *arguments):
    (tmp_path / "site.json").write_text(json.dumps(document))
    return call("--state", tmp_path / "state", "--load", tmp_path / "site.json", "--stats", "-",
                "--seconds", "0.3", *QUICK, *arguments)


def again(tmp_path, *arguments):
    return call("--state", tmp_path / "state", "--stats", "-", "--seconds", "0.3", *QUICK,
                *arguments)


def check(tmp_path):
    return call("--check-state", tmp_path / "state")


def the_file(tmp_path, kind):
    found = sorted(f for f in (tmp_path / "state").iterdir() if f.name.startswith(kind))
    return found[-1]


def test_killed_at_any_moment(tmp_path):
    """A stream of bundles, kill -9, a start: whole bundles, all that were acknowledged, forwarding.
    Fifty times."""
    (tmp_path / "in.pcap").write_bytes(pcap([(START, frame(i)) for i in range(8)]))
    done = subprocess.run([CLIENT, "kill", DATAPLANE, tmp_path / "state", tmp_path / "in.pcap",
                           "50", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "DAMAGED" not in done.stderr
    assert re.match(r"50 rounds, \d{3,} bundles", done.stdout)


def test_a_document_becomes_the_state(tmp_path):
    """Loaded once; after that the folder says what there is, another document nothing."""
    done = load(tmp_path, wire_document(tmp_path))
    assert done.returncode == 0 and not done.stderr
    told = check(tmp_path)
    assert told.returncode == 0 and told.stdout.endswith("whole\n")
    assert "switch 0xa1: 1 flows, 0 groups, 0 meters, 2 ports" in told.stdout
    done = again(tmp_path)
    assert done.returncode == 0, done.stderr
    ports = ports_of(json.loads(done.stdout))
    assert ports["out"]["tx_packets"] > 0
    other = config([dict(number=7, name="x", type="memory")], [], device={"id": "of:00000000000000b2"})
    done = load(tmp_path, other)
    assert done.returncode == 0 and "is not read" in done.stderr
    assert set(ports_of(json.loads(done.stdout))) == {"in", "out"}
    (tmp_path / "site.json").write_text("not even JSON")
    done = call("--state", tmp_path / "state", "--load", tmp_path / "site.json", "--seconds", "0.1",
                *QUICK)
    assert done.returncode == 0, done.stderr


def test_a_refused_document_leaves_no_state(tmp_path):
    document = wire_document(tmp_path)
    document["ports"].append(dict(number=3, name="c", type="veth",
                                  options={"interface": "nothere0"}))
    assert load(tmp_path, document).returncode == 2
    assert "no change is kept here" in check(tmp_path).stdout
    done = load(tmp_path, config([dict(number=9, name="n", type="memory")], []))
    assert done.returncode == 0, done.stderr
    assert "0 flows, 0 groups, 0 meters, 1 ports" in check(tmp_path).stdout


def test_damaged_in_the_middle(tmp_path):
    assert load(tmp_path, wire_document(tmp_path)).returncode == 0
    journal = the_file(tmp_path, "journal")
    data = bytearray(journal.read_bytes())
    data[data.index(b"infinite_rx")] ^= 1
    journal.write_bytes(data)
    before = {f.name: f.read_bytes() for f in (tmp_path / "state").iterdir()}
    told = check(tmp_path)
    assert told.returncode == 1 and "DAMAGED: " in told.stdout and "at byte" in told.stdout
    assert {f.name: f.read_bytes() for f in (tmp_path / "state").iterdir()} == before
    done = again(tmp_path)
    assert done.returncode == 0
    assert "DAMAGED: %s at byte" % journal in done.stderr and ".damaged" in done.stderr
    assert (tmp_path / "state" / (journal.name + ".damaged")).read_bytes() == bytes(data)
    assert check(tmp_path).returncode == 0
    # A document is wanted now: nothing of the state was left.
    done = load(tmp_path, wire_document(tmp_path))
    assert done.returncode == 0 and not done.stderr
    assert "1 flows" in check(tmp_path).stdout


def test_torn_at_the_end(tmp_path):
    """As a power cut leaves it: said, and no damage."""
    assert load(tmp_path, wire_document(tmp_path)).returncode == 0
    journal = the_file(tmp_path, "journal")
    data = journal.read_bytes().rstrip(b"\0")
    journal.write_bytes(data + b"TNRC" + bytes(range(1, 100)))
    told = check(tmp_path)
    assert told.returncode == 0 and "cut at byte" in told.stdout
    done = again(tmp_path)
    assert done.returncode == 0 and "cut at byte" in done.stderr
    assert ports_of(json.loads(done.stdout))["out"]["tx_packets"] > 0
    assert "cut at byte" not in again(tmp_path).stderr


def test_a_newer_format_is_refused(tmp_path):
    assert load(tmp_path, wire_document(tmp_path)).returncode == 0
    journal = the_file(tmp_path, "journal")
    data = bytearray(journal.read_bytes())
    data[8] = 2
    data[52:56] = crc32c(data[:52]).to_bytes(4, "little")
    journal.write_bytes(data)
    done = again(tmp_path)
    assert done.returncode == 1 and "format 2" in done.stderr and "--state" in done.stderr
    assert journal.read_bytes() == bytes(data)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_a_full_disk(lab, tmp_path):  # noqa: F811
    """A clear refusal that leaves everything as it was; with room again it goes on."""
    folder, sock = tmp_path / "small", tmp_path / "sock"
    folder.mkdir()
    lab.run(None, "mount", "-t", "tmpfs", "-o", "size=7m", "none", folder)
    lab.run(None, "dd", "if=/dev/zero", "of=%s" % (folder / "filler"), "bs=1M", "count=2")
    start = [DATAPLANE, "--state", folder / "state", "--socket", sock] + \
        [a for a in QUICK if a != "--no-socket"]
    switch = lab.start(None, *start)
    wait_for_socket(lab, sock)
    said = lab.run(None, CLIENT, "fill", sock, folder / "filler")
    assert "No space left" in said and "free" in said
    lab.run(None, "pkill", "-KILL", "-x", "tenon-dataplane")
    switch.communicate()
    assert "whole" in lab.run(None, DATAPLANE, "--check-state", folder / "state")


def wait_for_socket(lab, path):  # noqa: F811
    """The switch listens before it is ready; whoever connects is served once it is."""
    lab.run(None, "sh", "-c", "until test -S %s; do sleep 0.02; done" % path)


def test_a_port_that_is_not_there_yet(lab, tmp_path):  # noqa: F811
    """It keeps its number, does not stop the rest, and forwards once its interface comes."""
    lab.run(None, "ip", "link", "add", "c1", "type", "veth", "peer", "name", "c1p")
    document = wire_document(tmp_path)
    document["ports"].append(dict(number=3, name="c", type="veth", options={"interface": "c1"}))
    (tmp_path / "site.json").write_text(json.dumps(document))
    start = [DATAPLANE, "--state", tmp_path / "state", "--load", tmp_path / "site.json"] + QUICK
    lab.run(None, *start, "--seconds", "0.1")
    lab.run(None, "ip", "link", "del", "c1")
    switch = lab.start(None, *[a for a in start if a != "--no-socket"], "--socket",
                       tmp_path / "sock")
    said = ""
    while "c) cannot be made now" not in said:
        line = switch.stdout.readline()
        assert line, said
        said += line
    assert "there is no interface 'c1'" in said
    client = Client(tmp_path / "sock")
    absent = client.ports()[3]
    assert absent["state"] == LINK_DOWN and absent["type"] == "veth" and not absent["tunnel"]
    assert absent["options"] == {"interface": "c1"}
    lab.run(None, "ip", "link", "add", "c1", "type", "veth", "peer", "name", "c1p")
    while "port 3 (c) is here now" not in said:
        line = switch.stdout.readline()
        assert line, said
        said += line
    client.close()
    lab.run(None, "pkill", "-INT", "-x", "tenon-dataplane")
    switch.communicate()
    assert switch.returncode == 0


def test_many_flows_are_back_quickly(tmp_path):
    """And a long journal was made short on the way."""
    flows = [flow(1 + i % 30000, [from_port(1), {"type": "ETH_DST", "mac": mac(i)}], [output(2)])
             for i in range(20000)]
    document = wire_document(tmp_path)
    document["flows"] = flows
    assert load(tmp_path, document).returncode == 0
    done = again(tmp_path)
    assert done.returncode == 0
    took = re.search(r"20000 flows and 2 ports are as they were, after (\d+) ms", done.stderr)
    assert took and int(took.group(1)) < 10000  # a hundredth of that on a quiet machine


def mac(i):
    return "02:00:00:%02x:%02x:%02x" % (i >> 16 & 255, i >> 8 & 255, i & 255)
