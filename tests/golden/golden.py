#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Runs golden cases through tenon-replay and compares; README.md describes the case files.

usage: tests/golden/golden.py [--replay PROGRAM] [--no-judge] [CASE ...]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import judge

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases")
EPOCH = 1700000000  # time of the frames: so many seconds and the case's milliseconds


def case_names():
    """Every case as group/name, sorted."""
    names = []
    for folder, _, files in os.walk(CASES):
        for f in files:
            if f.endswith(".json"):
                names.append(os.path.relpath(os.path.join(folder, f), CASES)[:-5])
    return sorted(names)


def load(name):
    with open(os.path.join(CASES, name + ".json")) as f:
        return json.load(f)


# Captures: nanosecond pcap, little endian, as tenon-replay writes them.

def write_capture(path, frames):
    """frames: (milliseconds, bytes, length on the wire)."""
    with open(path, "wb") as f:
        for part in [b"\x4d\x3c\xb2\xa1\x02\x00\x04\x00" + b"\0" * 8 +
                     (262144).to_bytes(4, "little") + (1).to_bytes(4, "little")]:
            f.write(part)
        for ms, data, length in frames:
            head = (EPOCH + ms // 1000, ms % 1000 * 1000000, len(data), length)
            f.write(b"".join(n.to_bytes(4, "little") for n in head) + data)


def read_capture(path):
    """(bytes, length on the wire) of each record."""
    with open(path, "rb") as f:
        text = f.read()
    if text[:4] != b"\x4d\x3c\xb2\xa1":
        raise ValueError("%s is not a nanosecond pcap" % path)
    out, at = [], 24
    while at < len(text):
        captured, length = (int.from_bytes(text[at + i:at + i + 4], "little") for i in (8, 12))
        at += 16
        if at + captured > len(text):
            raise ValueError("%s ends in the middle of a record" % path)
        out.append((text[at:at + captured], length))
        at += captured
    return out


class Wrong(Exception):
    """What came out is not what the case wants; the text says how."""


def matches(data, length, want):
    text, frame = data.hex(), want["frame"]
    if len(text) != len(frame) or length != want.get("length", len(data)):
        return False
    return all(w in (".", c) for c, w in zip(text, frame))


def show(data, length):
    return "%s (%d bytes)" % (data.hex(), length)


def compare_port(port, got, want):
    """Frames in order; the first difference is told in full."""
    for i in range(max(len(got), len(want))):
        if i >= len(got):
            raise Wrong("port %s sent %d frames, not %d; missing:\n%s\n%s" % (
                port, len(got), len(want), want[i].get("what", ""), want[i]["frame"]))
        if i >= len(want):
            raise Wrong("port %s sent %d frames, not %d; too many:\n%s" % (
                port, len(got), len(want), show(*got[i])))
        if not matches(*got[i], want[i]):
            marks = "".join("^" if a not in (b, ".") else " " for a, b in
                            zip(want[i]["frame"], got[i][0].hex()))
            raise Wrong("port %s, frame %d: %s\nwanted %s (%d bytes)\ngot    %s\n       %s" % (
                port, i + 1, want[i].get("what", ""), want[i]["frame"],
                want[i].get("length", len(want[i]["frame"]) // 2), show(*got[i]), marks))


def compare_any(got, want, same_bucket):
    """Frames that may leave by any of some ports: each exactly once."""
    left = [(p, d, l) for p in got for d, l in got[p]]
    by_frame = {}
    for w in want:
        hits = [x for x in left if x[0] in w["port"] and matches(x[1], x[2], w)]
        if not hits:
            raise Wrong("by none of the ports %s: %s\n%s" % (w["port"], w.get("what", ""),
                                                             w["frame"]))
        left.remove(hits[0])
        key = w["frame"][12:24] if same_bucket == "source" else w["frame"]
        by_frame.setdefault(key, set()).add(hits[0][0])
    if left:
        raise Wrong("too many on port %s: %s" % (left[0][0], show(left[0][1], left[0][2])))
    if same_bucket:
        for key, ports in by_frame.items():
            if len(ports) > 1:
                raise Wrong("%s left by ports %s" % (key, sorted(ports)))
        if len(set.union(*by_frame.values())) == 1:
            raise Wrong("every connection took the same bucket")


def compare_frames(case, got):
    want = case["want"]["out"]
    anywhere = [w for w in want if isinstance(w["port"], list)]
    shared = {p for w in anywhere for p in w["port"]}
    for port in sorted(got):
        if port not in shared:
            compare_port(port, got[port], [w for w in want if w["port"] == port])
    if anywhere:
        compare_any({p: got[p] for p in shared}, anywhere, case.get("sameBucket"))


def expect_equal(what, got, want):
    if got != want:
        raise Wrong("%s: %s, not %s" % (what, json.dumps(got), json.dumps(want)))


def compare_counters(report, want):
    expect_equal("drops", {d["reason"]: d["packets"] for d in report["drops"]},
                 want.get("drops", {}))
    flows = {"%s/%d" % (f["tableId"], f["priority"]): [f["packets"], f["bytes"]]
             for f in report["flows"]}
    for key, counts in want.get("flows", {}).items():
        expect_equal("flow " + key, flows.get(key), counts)
    groups = {str(g["id"]): g for g in report["groups"]}
    for key, entry in want.get("groups", {}).items():
        g = groups.get(key, {})
        got = {"packets": g.get("packets"), "bytes": g.get("bytes")}
        if "buckets" in entry:
            got["buckets"] = [[b["packets"], b["bytes"]] for b in g.get("buckets", [])]
        expect_equal("group " + key, got, entry)
    meters = {str(m["id"]): m for m in report["meters"]}
    for key, entry in want.get("meters", {}).items():
        m = meters.get(key, {})
        got = {"packets": m.get("packets"), "bytes": m.get("bytes"),
               "bands": [[b["packets"], b["bytes"]] for b in m.get("bands", [])]}
        expect_equal("meter " + key, got, entry)
    removed = Counter(r["reason"] for r in want.get("removed", []))
    expect_equal("flow-removed", report["events"]["flowRemoved"], dict(removed))


def compare_packet_ins(report, frames, want, names):
    wanted = want.get("packetIns", [])
    expect_equal("number of packet-ins", report["packetIns"]["total"], len(wanted))
    for i, (w, got, frame) in enumerate(zip(wanted, report["packetIns"]["first"], frames), 1):
        expect_equal("reason of packet-in %d" % i, got["reason"], w["reason"])
        expect_equal("port of packet-in %d" % i, got["inPort"], names[w["port"]])
        expect_equal("table of packet-in %d" % i, got.get("table"), w["tableId"])
        if "cookie" in w:
            expect_equal("cookie of packet-in %d" % i, int(str(got.get("cookie")), 0),
                         int(w["cookie"], 0))
        expect_equal("length of packet-in %d" % i, got["totalLen"], w["length"])
        expect_equal("frame of packet-in %d" % i, frame[0].hex(), w["frame"])


def run_refused(program, folder, case):
    """A document with errors: all of them are told, nothing else, exit status 2."""
    done = subprocess.run(program + ["--config", os.path.join(folder, "config.json"), "--check"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    if done.returncode != 2:
        raise Wrong("exit status %d, not 2:\n%s" % (done.returncode, text))
    lines = text.split("\n")
    for error in case["refused"]:
        words = [error["pointer"] + ":"] + ([error["ofName"]] if "ofName" in error else [])
        hits = [l for l in lines if all(w in l for w in words)]
        if not hits:
            raise Wrong("no error says %s; all of them:\n%s" % (" and ".join(words), text))
        lines.remove(hits[0])
    left = [l for l in lines if ".json:" in l]
    if left:
        raise Wrong("errors that the case does not want:\n" + "\n".join(left))


def run_one(program, name):
    """Returns [(frame, length, wanted entry)] for the judge; raises Wrong."""
    case = load(name)
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "config.json")
        with open(config, "w") as f:
            json.dump(case["config"], f)
        if "refused" in case:
            run_refused(program, folder, case)
            return []
        command = program + ["--config", config, "--out", folder + "/out",
                             "--report", folder + "/report.json"]
        for port in sorted({i["port"] for i in case["in"]}):
            path = "%s/in-%d.pcap" % (folder, port)
            write_capture(path, [(i["ms"], bytes.fromhex(i["frame"]),
                                  i.get("length", len(i["frame"]) // 2))
                                 for i in case["in"] if i["port"] == port])
            command += ["--in", "%d=%s" % (port, path)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        if done.returncode != 0:
            raise Wrong("exit status %d:\n%s" % (done.returncode,
                                                 done.stdout.decode(errors="replace")))
        with open(folder + "/report.json") as f:
            report = json.load(f)
        names = {p["number"]: p["name"] for p in case["config"]["ports"]}
        got = {n: read_capture("%s/out/%s.pcap" % (folder, p)) for n, p in names.items()}
        controller = read_capture(folder + "/out/controller.pcap")
    want = case["want"]
    if not case.get("partial"):
        compare_frames(case, got)
    compare_counters(report, want)
    compare_packet_ins(report, controller, want, names)
    return list(frames_to_judge(got, want))


def frames_to_judge(got, want):
    for w in want["out"]:
        if w.get("judge") is False:
            continue
        for port in w["port"] if isinstance(w["port"], list) else [w["port"]]:
            for data, length in got[port]:
                if matches(data, length, w):
                    yield data, w
                    break


def run_cases(program, names, use_judge, jobs):
    """Yields (name, what is wrong or None, seconds)."""
    def one(name):
        started = time.monotonic()
        try:
            return run_one(program, name), None, time.monotonic() - started
        except Exception as e:  # a broken case or program fails this case, not the run
            text = str(e) if isinstance(e, Wrong) else "%s: %s" % (type(e).__name__, e)
            says = load(name)["says"]
            return [], "%s (tests/golden/cases/%s.json)\n%s" % (says, name, text), \
                time.monotonic() - started

    with ThreadPoolExecutor(jobs) as pool:
        results = dict(zip(names, pool.map(one, names)))
    verdicts = {}
    if use_judge:
        frames = [(name, data, want) for name in names for data, want in results[name][0]]
        verdicts = judge.judge(frames)
    for name in names:
        _, error, seconds = results[name]
        if not error and name in verdicts:
            error = "tshark: " + "\n".join(verdicts[name])
        yield name, error, seconds


def main():
    top = os.path.dirname(os.path.dirname(HERE))
    parser = argparse.ArgumentParser(prog="tests/golden/golden.py", description=__doc__.split("\n")[0])
    parser.add_argument("--replay", default=os.path.join(top, "build/opt/tools/replay/tenon-replay"),
                        help="the program to run (default: %(default)s)")
    parser.add_argument("--no-judge", action="store_true", help="do not ask tshark")
    parser.add_argument("case", nargs="*", help="group/name; default: all")
    args = parser.parse_args()
    names = [n for n in case_names()
             if not args.case or any(n == c or n.startswith(c + "/") for c in args.case)]
    failed = 0
    for name, error, _ in run_cases([args.replay], names, not args.no_judge, os.cpu_count()):
        if error:
            failed += 1
            print("FAIL %s: %s\n" % (name, error))
    print("%d passed, %d failed" % (len(names) - failed, failed))
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
