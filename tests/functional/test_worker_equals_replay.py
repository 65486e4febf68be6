# SPDX-License-Identifier: BSD-3-Clause
"""Every golden case through a worker, with sessions and without, as through tenon-replay: the same
frames, counters and packet-ins, also when the frames come again and meet the sessions."""
import collections
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from replaying import REPLAY, TOP

sys.path.insert(0, os.path.join(TOP, "tests", "golden"))
import golden  # noqa: E402

WORKER = os.environ.get("TENON_THROUGH_WORKER") or \
    os.path.join(TOP, "build/opt/tests/golden/replay_through_worker")
LOOPS = 3
# A worker never sees a frame that a capture cut.
NOT_FOR_WORKERS = {"set/cut-capture", "set/cut-header"}


def cases():
    return [n for n in golden.case_names()
            if n not in NOT_FOR_WORKERS and "refused" not in golden.load(n)]


def outcome(program, folder, command):
    """What was sent, and the counters that both engines keep."""
    done = subprocess.run([program] + command + ["--out", folder + "/out", "--report",
                                                 folder + "/report.json"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    with open(folder + "/report.json") as f:
        report = json.load(f)
    drops = collections.Counter()
    for d in report["drops"]:
        for place in d["places"]:
            drops[d["reason"], place.get("network")] += place["packets"]
    got = {"drops": drops,
           "packetIns": report["packetIns"]["total"],
           "removed": report["events"]["flowRemoved"]}
    for key in ("flows", "groups", "meters"):
        got[key] = report[key]
    for name in os.listdir(folder + "/out"):
        with open(os.path.join(folder, "out", name), "rb") as f:
            got[name] = f.read()
    return got


def differences(name, folder):
    """Names of what differs between the two for this case, sent LOOPS times."""
    case = golden.load(name)
    config = folder + "/config.json"
    with open(config, "w") as f:
        json.dump(case["config"], f)
    command = ["--config", config, "--loop", str(LOOPS)]
    for port in sorted({i["port"] for i in case["in"]}):
        path = "%s/in-%d.pcap" % (folder, port)
        golden.write_capture(path, [(i["ms"], bytes.fromhex(i["frame"]), len(i["frame"]) // 2)
                                    for i in case["in"] if i["port"] == port])
        command += ["--in", "%d=%s" % (port, path)]
    want, got = (outcome(p, folder + sub, command) for p, sub in
                 ((REPLAY, "/exact"), (WORKER, "/worker")))
    return ["%s: %s" % (name, k) for k in sorted(want) if want[k] != got.get(k)]


def one(name, folder):
    for sub in ("/exact", "/worker"):
        os.makedirs(folder + sub)
    return differences(name, folder)


@pytest.mark.parametrize("sessions", ["1024", "0"])
def test_golden_cases(tmp_path, monkeypatch, sessions):
    monkeypatch.setenv("TENON_SESSIONS", sessions)
    names = cases()
    assert len(names) > 300
    folders = [str(tmp_path / n.replace("/", "-")) for n in names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [d for ds in pool.map(one, names, folders) for d in ds]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("sessions", ["1024", "0"])
def test_golden_wants(monkeypatch, sessions):
    """The cases' own expectations."""
    monkeypatch.setenv("TENON_SESSIONS", sessions)
    wrong = [(name, error) for name, error, _ in
             golden.run_cases([WORKER], cases(), False, os.cpu_count()) if error]
    assert not wrong, wrong
