# SPDX-License-Identifier: BSD-3-Clause
"""Captures as tenon-replay reads them: every format, and every way to be broken."""
import json
import os
import random
import resource
import subprocess

import pytest

from replaying import (NS, REPLAY, START, block, call, config, flow, frame, from_port, gz, output,
                       pcap, pcapng, port, read_pcap, replay, succeed, wire)

RECORDS = [(START + 1, frame(1)), (START + 999, frame(2, 1514)), (START + NS, frame(3, 61))]
COARSE = [(t // 1000 * 1000, d) for t, d in RECORDS]
FORMATS = {
    "pcap-us-le": (pcap(RECORDS, "<", False), COARSE),
    "pcap-us-be": (pcap(RECORDS, ">", False), COARSE),
    "pcap-ns-le": (pcap(RECORDS, "<"), RECORDS),
    "pcap-ns-be": (pcap(RECORDS, ">"), RECORDS),
    "pcapng-us-le": (pcapng(RECORDS, "<", 6), COARSE),
    "pcapng-us-be": (pcapng(RECORDS, ">", 6), COARSE),
    "pcapng-ns-le": (pcapng(RECORDS, "<"), RECORDS),
    "pcapng-ns-be": (pcapng(RECORDS, ">"), RECORDS),
    "two-sections": (pcapng(RECORDS[:1]) + pcapng(RECORDS[1:], resolution=9), RECORDS),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", FORMATS)
def test_format(tmp_path, name, packed):
    data, want = FORMATS[name]
    run = succeed(tmp_path, wire(), {"left": gz(data) if packed else data})
    assert run.sent("right") == [(t, d, len(d)) for t, d in want]


def test_wireshark_reads_what_is_written(tmp_path):
    run = succeed(tmp_path, wire(), {"left": RECORDS})
    out = subprocess.run(
        ["tshark", "-r", tmp_path / "out/right.pcap", "-T", "fields", "-e", "frame.time_epoch",
         "-e", "frame.len"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        check=True).stdout.split()
    assert out == [x for t, d in RECORDS for x in ("%d.%09d" % (t // NS, t % NS), str(len(d)))]
    assert run.status == 0


def test_what_was_written_can_be_read(tmp_path):
    first = succeed(tmp_path, wire(), {"left": RECORDS})
    (tmp_path / "again").mkdir()
    again = succeed(tmp_path / "again", wire(),
                    {"left": (tmp_path / "out/right.pcap").read_bytes()})
    assert again.sent("right") == first.sent("right")


def broken(tmp_path, data, *words, sent=None):
    run = replay(tmp_path, wire(), {"left": data})
    assert run.status == 3
    message = run.stderr.split("\n")[0]
    for word in ("tenon-replay: ", str(tmp_path / "in0")) + words:
        assert word in message, message
    if sent is not None:
        assert len(run.sent("right")) == sent
        assert run.report["summary"]["complete"] is False


def test_cut_at_any_byte(tmp_path):
    """Never a crash; a whole number of records, or the broken one with its place."""
    data = pcap([(START, frame(1)), (START + 1, frame(2))])
    for n in list(range(0, 24)) + [25, 39, 40, 41, 99]:
        if n < 24:
            broken(tmp_path, data[:n], "not a capture")
        else:
            broken(tmp_path, data[:n], "record 1 at byte 24 is broken", sent=0)
    for n in (101, 115, 116, 175):
        broken(tmp_path, data[:n], "record 2 at byte 100 is broken",
               "the records before it are whole: editcap -r FILE GOOD.pcap 1-1", sent=1)
    assert len(succeed(tmp_path, wire(), {"left": data[:100]}).sent("right")) == 1
    assert not succeed(tmp_path, wire(), {"left": data[:24]}).sent("right")


def test_broken_pcapng(tmp_path):
    head = pcapng([])
    one, two = [pcapng([(START + i, frame(i))])[len(head):] for i in range(2)]
    statistics = block("<", 5, bytes(12))
    broken(tmp_path, head + one + statistics + two[:-1],
           "record 2 at byte %d is broken" % len(head + one + statistics), sent=1)
    broken(tmp_path, head + one + statistics[:-2],
           "record 2 at byte %d is broken" % len(head + one), sent=1)
    wrong = bytearray(two)
    wrong[20:24] = b"\xff\xff\xff\x7f"  # captured length
    broken(tmp_path, head + one + bytes(wrong), "record 2 at byte %d" % len(head + one), sent=1)
    broken(tmp_path, head[:20], "not a capture")


def test_broken_gzip(tmp_path):
    many = [(START + i, os.urandom(900)) for i in range(100)]
    data = gz(pcap(many))
    broken(tmp_path, data[:len(data) // 2], "of the uncompressed data",
           "the gzip data ends before its end mark")
    damaged = bytearray(data)
    damaged[-5] ^= 1
    broken(tmp_path, bytes(damaged), "record 101 at byte %d" % len(pcap(many)), "incorrect")
    broken(tmp_path, gz(pcap(many)[:-1]), "record 100 at byte %d of the uncompressed data"
           % len(pcap(many[:-1])), sent=99)


def test_link_types(tmp_path):
    for link_type, name in ((113, "LINUX_SLL"), (276, "LINUX_SLL2"), (12, "RAW"), (101, "RAW"),
                            (105, "IEEE802_11"), (127, "IEEE802_11_RADIO")):
        broken(tmp_path, pcap(RECORDS, link_type=link_type), "not Ethernet")
    broken(tmp_path, b"", "not a capture")
    broken(tmp_path, b"\n".join([b"hello"] * 99), "not a capture")


def test_two_inputs_one_broken(tmp_path):
    """What came before the broken record, in time, is done; nothing after it."""
    run = replay(tmp_path, config([port(1, "left"), port(2, "right"), port(3, "up")],
                                  [flow(1, [], [output(3)])]),
                 {"left": [(START + 10 * i, frame(i)) for i in range(10)],
                  "right": pcap([(START + 10 * i + 5, frame(100 + i)) for i in range(4)])[:-1]})
    assert run.status == 3 and "in1: record 4 at byte" in run.stderr
    assert run.frames("up") == [frame(0), frame(100), frame(1), frame(101), frame(2), frame(102)]


def test_missing_and_unreadable(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(wire()))
    base = ["--config", tmp_path / "c.json", "--in"]
    assert "none: cannot open: No such file" in call(*base, "1=%s/none" % tmp_path).stderr
    assert call(*base, "1=%s/none" % tmp_path).returncode == 3
    assert "is a directory" in call(*base, "1=%s" % tmp_path).stderr
    # A configuration that is wrong comes first, whatever the captures are.
    (tmp_path / "c.json").write_text("{")
    assert call(*base, "1=%s/none" % tmp_path).returncode == 2


def test_frames_that_the_capture_cut(tmp_path):
    data = pcap([(START, frame(1, 60)[:40], 60), (START + 1, frame(2, 1514)[:96], 1514),
                 (START + 2, frame(3))])
    run = succeed(tmp_path, wire(), {"left": data})
    assert [(len(d), n) for _, d, n in run.sent("right")] == [(40, 60), (96, 1514), (60, 60)]
    assert run.report["summary"]["cut"] == 2
    assert run.port("left")["packetsCut"] == 2
    assert run.port("right")["bytesSent"] == 60 + 1514 + 60
    assert "2 of them were cut by the capture" in run.stdout


def test_frames_of_every_length(tmp_path):
    """From nothing at all to the longest one that libpcap takes."""
    lengths = [0, 1, 13, 14, 15, 59, 1518, 9018, 65535, 65550, 65551, 100000, 262144]
    run = succeed(tmp_path, wire(), {"left": pcap([(START + i, bytes(n)) for i, n
                                                   in enumerate(lengths)], snaplen=262144)})
    assert [len(d) for d in run.frames("right")] == [14, 15, 59, 1518, 9018, 65535, 65550]
    assert run.drops() == {"runt": 3, "too_long": 3}


def test_time_that_goes_back(tmp_path):
    run = succeed(tmp_path, wire(), {"left": [(START + 5, frame(1)), (START, frame(2)),
                                              (START + 9, frame(3))]})
    assert [t for t, _, _ in run.sent("right")] == [START + 5, START + 5, START + 9]
    assert run.report["summary"]["late"] == 1
    assert "1 of them had a time stamp before" in run.stdout


def test_any_bytes_end_in_a_status(tmp_path):
    """Bytes of good captures changed at random."""
    rnd = random.Random(5)
    seeds = [d for d, _ in FORMATS.values()]
    for _ in range(60):
        data = bytearray(rnd.choice(seeds))
        for _ in range(rnd.randrange(1, 6)):
            data[rnd.randrange(len(data))] = rnd.randrange(256)
        if rnd.random() < 0.3:
            data = data[:rnd.randrange(len(data))]
        run = replay(tmp_path, wire(), {"left": bytes(data)})
        assert run.status in (0, 3, 5), run.stderr
        if run.status == 0:
            s = run.report["summary"]
            assert s["received"] == s["sent"] + s["dropped"]


def peak_memory(command):
    """Of one process, in bytes."""
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0
    return usage.ru_maxrss * 1024


def test_memory_does_not_grow_with_the_capture(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(config(
        [port(1, "left"), port(2, "right")],
        [flow(1, [from_port(1)], [output(2), output("CONTROLLER")])])))
    one = pcap([(START + i, frame(i % 250, 300)) for i in range(1000)])
    peaks = []
    for copies in (50, 500):
        with open(tmp_path / "big.pcap", "wb") as f:
            f.write(one[:24])
            for _ in range(copies):
                f.write(one[24:])
        peaks.append(peak_memory([REPLAY, "--config", tmp_path / "c.json", "--in",
                                  "left=%s" % (tmp_path / "big.pcap"), "--out", tmp_path / "out",
                                  "--report", tmp_path / "r.json"]))
    assert peaks[1] < peaks[0] + (2 << 20), peaks
    assert len(read_pcap(tmp_path / "out/controller.pcap")) == 500000
    with open(tmp_path / "r.json") as f:
        report = json.load(f)
    assert report["packetIns"]["total"] == 500000 and len(report["packetIns"]["first"]) == 1000


def test_more_ports_than_descriptors(tmp_path):
    ports = [port(n, "p%d" % n) for n in range(1, 301)]
    (tmp_path / "c.json").write_text(json.dumps(config(ports, [flow(1, [], [output("FLOOD")])])))
    (tmp_path / "in").write_bytes(pcap([(START, frame(1))]))
    done = subprocess.run(
        [REPLAY, "--config", tmp_path / "c.json", "--in", "1=%s" % (tmp_path / "in"), "--out",
         tmp_path / "out"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1024)), check=False)
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(tmp_path / "out")) == 301
    assert len(read_pcap(tmp_path / "out/p300.pcap")) == 1
