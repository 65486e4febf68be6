# SPDX-License-Identifier: BSD-3-Clause
"""tenon-replay's command line: options, messages, exit statuses, what it does to files."""
import json
import os
import signal
import subprocess
import time

import pytest

from replaying import (REPLAY, START, call, config, flow, frame, from_port, gz, output, pcap, port,
                       read_pcap, succeed, wire)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "wire.json").write_text(json.dumps(wire()))
    (tmp_path / "in.pcap").write_bytes(pcap([(START, frame(1))]))
    return tmp_path


def refused(status, *words, **kwargs):
    def check(*arguments):
        done = call(*arguments, **kwargs)
        assert done.returncode == status, done.stderr
        for word in words:
            assert word in done.stderr, done.stderr
        assert not done.stdout
    return check


def test_help_and_version():
    done = call("--help")
    assert done.returncode == 0 and "Examples:" in done.stdout and not done.stderr
    for option in ("--config", "--in", "--out", "--report", "--trace", "--diff", "--loop",
                   "--progress", "--check"):
        assert option in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.split("\n"))
    assert call("--version").stdout.startswith("tenon-replay ")


def test_man_page_knows_every_option():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "../../tools/replay/tenon-replay.1")) as f:
        page = f.read()
    with open(os.path.join(here, "../../tools/replay/tenon-replay.bash")) as f:
        completion = f.read()
    words = [w.strip(",:;") for w in call("--help").stdout.split("Examples:")[0].split()]
    options = {w for w in words if w.startswith("--")}
    assert len(options) >= 11
    for option in options:
        assert "Fl -" + option[2:] in page, option
        assert option in completion


def test_wrong_usage(files):
    c, i = ["--config", files / "wire.json"], ["--in", "left=%s" % (files / "in.pcap")]
    refused(2, "--config is missing")(*i)
    refused(2, "--in is missing")(*c)
    refused(2, "usage:")("--nonsense")
    refused(2, "not an option", "--in PORT=FILE")(*c, *i, files / "in.pcap")
    refused(2, "--config is given twice")(*c, *c, *i)
    refused(2, "--out is given twice")(*c, *i, "--out", "a", "--out", "b")
    refused(2, "names no file")(*c, *i, "--trace", "")
    refused(2, "cannot both go to standard output")(*c, *i, "--report", "-", "--trace", "-")
    refused(2, "cannot both go to x")(*c, *i, "--report", "x", "--trace", "x")
    refused(2, "--check reads only")(*c, *i, "--check")
    for n in ("0", "-1", "x", "", "1x", "99999999999999999999"):
        refused(2, "--loop")(*c, *i, "--loop", n)
    refused(2, "write it as PORT=FILE")(*c, "--in", "left")
    refused(2, "has no port middle", "left (1), right (2)")(*c, "--in", "middle=x.pcap")
    refused(2, "has no port 3")(*c, "--in", "3=x.pcap")
    refused(2, "names no file")(*c, "--in", "left=")
    refused(2, "only one file can be standard input")(*c, "--in", "left=-", "--in", "right=-")
    refused(2, "only one file can be standard input")("--config", "-", "--in", "left=-")
    refused(2, "--loop needs files")(*c, "--in", "left=-", "--loop", "2")


def test_configuration_that_is_wrong(files):
    i = ["--in", "left=%s" % (files / "in.pcap")]
    refused(2, "none.json: cannot open: No such file")("--config", files / "none.json", *i)
    refused(2, ": cannot read: ")("--config", files, *i)
    bad = wire()
    bad["flows"][0]["treatment"]["instructions"][0]["port"] = "77"
    bad["flows"].append(flow(1, [], [{"type": "GROUP", "groupId": 5}]))
    (files / "bad.json").write_text(json.dumps(bad, indent=1))
    # Every error in one run, each with its place, and before any capture is looked at.
    refused(2, "bad.json:")("--config", files / "bad.json", "--in", "left=none.pcap")
    (files / "bad.json").write_text('{"ports":[],\n "flows":[],\n "flowz":[]}')
    refused(2, "bad.json:3:")("--config", files / "bad.json", *i)
    refused(2, "bad.json:")("--config", files / "wire.json", "--diff", files / "bad.json", *i)


def test_all_errors_of_the_switch_are_told(files):
    bad = wire([flow(5, [], [{"type": "GROUP", "groupId": 5}]),
                flow(6, [], [output(2)]),
                flow(7, [], [{"type": "METER", "meterId": 9}, output(2)])])
    (files / "bad.json").write_text(json.dumps(bad, indent=1))
    done = call("--config", files / "bad.json", "--check")
    assert done.returncode == 2
    lines = [l for l in done.stderr.split("\n") if "bad.json:" in l]
    assert len(lines) == 2
    assert " /flows/0" in lines[0] and "OFPBAC_BAD_OUT_GROUP: " in lines[0]
    assert " /flows/2" in lines[1] and "METER: " in lines[1]
    text = (files / "bad.json").read_text().split("\n")
    for line in lines:
        number, column = [int(n) for n in line.split("bad.json:")[1].split(":")[:2]]
        assert text[number - 1][column - 1] == "{"


def test_documents_that_are_too_much(files):
    with open(files / "huge.json", "wb") as f:
        f.truncate(200 << 20)
    done = call("--config", files / "huge.json", "--check")
    assert done.returncode == 2 and "bytes; at most" in done.stderr
    (files / "deep.json").write_text('{"flows":' + "[" * 100 + "]" * 100 + "}")
    assert call("--config", files / "deep.json", "--check").returncode == 2
    (files / "nul.json").write_bytes(b'{"device":{"id":"of:\0"}}')
    assert call("--config", files / "nul.json", "--check").returncode == 2


def test_check(files):
    done = call("--config", files / "wire.json", "--check")
    assert done.returncode == 0 and "1 flow" in done.stdout and not done.stderr
    with open(files / "wire.json") as f:
        assert call("--config", "-", "--check", stdin=f).returncode == 0


def test_port_by_name_or_number_and_several_inputs(tmp_path):
    c = config([port(1, "a"), port(2, "b"), port(7, "c")],
               [flow(1, [from_port(n)], [output(2 if n != 2 else 1)]) for n in (1, 2, 7)])
    (tmp_path / "two.pcap").write_bytes(pcap([(START + 1, frame(2))]))
    run = succeed(tmp_path, c, {"a": [(START, frame(1))], "7": [(START + 2, frame(3))]},
                  "--in", "1=%s" % (tmp_path / "two.pcap"))
    assert run.frames("b") == [frame(1), frame(2), frame(3)]
    assert run.port("a")["packetsReceived"] == 2


def test_standard_input_and_output(files):
    with open(files / "in.pcap") as f:
        done = call("--config", files / "wire.json", "--in", "left=-", "--report", "-", stdin=f)
    assert done.returncode == 0
    assert json.loads(done.stdout)["summary"]["sent"] == 1
    done = call("--config", files / "wire.json", "--in", "1=%s" % (files / "in.pcap"),
                "--trace", "-")
    assert [json.loads(l)["verdict"] for l in done.stdout.strip().split("\n")] == ["sent"]


def test_summary_for_people(tmp_path):
    c = wire()
    c["flows"][0]["treatment"]["instructions"].append(output("CONTROLLER"))
    run = succeed(tmp_path, c, {"left": [(START + i * 10**9, frame(i)) for i in range(1234)],
                                "right": [(START, frame(1))]})
    for words in ("1,235 packets in 1233.000000000 s", "left", "right", "Dropped: 1",
                  "table_miss: no flow of the table matched", "To the controller: 1,234",
                  "Flows: 1 of 1 matched", "priority=1,in_port="):
        assert words in run.stdout, run.stdout
    # Numbers of the machine are not where the same input must give the same output.
    assert "a second" not in run.stdout and "million a second" in run.stderr


def test_nothing_on_standard_error_that_is_no_message(files):
    done = call("--config", files / "wire.json", "--in", "1=%s" % (files / "in.pcap"))
    assert done.returncode == 0
    assert len(done.stderr.strip().split("\n")) == 1 and "\r" not in done.stderr


def test_out_makes_its_directory_and_every_file(files):
    done = call("--config", files / "wire.json", "--in", "1=%s" % (files / "in.pcap"),
                "--out", files / "new")
    assert done.returncode == 0
    assert sorted(os.listdir(files / "new")) == ["controller.pcap", "left.pcap", "right.pcap"]
    assert read_pcap(files / "new/left.pcap") == []
    refused(5, "cannot make the directory")(
        "--config", files / "wire.json", "--in", "1=%s" % (files / "in.pcap"),
        "--out", files / "none/new")
    refused(5, "in.pcap")("--config", files / "wire.json", "--in", "1=%s" % (files / "in.pcap"),
                          "--out", files / "in.pcap")


def test_inputs_are_never_overwritten(tmp_path):
    (tmp_path / "out").mkdir()
    data = pcap([(START, frame(1))])
    for name in ("left", "right", "controller"):
        (tmp_path / "out" / (name + ".pcap")).write_bytes(data)
        (tmp_path / "config.json").write_text(json.dumps(wire()))
        path = tmp_path / "out" / (name + ".pcap")
        base = ["--config", tmp_path / "config.json", "--in", "left=%s" % path]
        refused(5, "is read by this run")(*base, "--out", tmp_path / "out")
        for option in ("--report", "--trace"):
            refused(5, "is read by this run")(*base, option, path)
            refused(5, "is read by this run")(*base, option, tmp_path / "config.json")
        assert path.read_bytes() == data
        assert json.loads((tmp_path / "config.json").read_text()) == wire()
        path.unlink()


def test_full_disk(files):
    many = files / "many.pcap"
    many.write_bytes(pcap([(START + i, frame(i, 1500)) for i in range(1000)]))
    base = ["--config", files / "wire.json", "--in", "1=%s" % many]
    for option in ("--report", "--trace"):
        refused_output = call(*base, option, "/dev/full")
        assert refused_output.returncode == 5
        assert "/dev/full: cannot write: No space left on device" in refused_output.stderr
    (files / "out").mkdir()
    (files / "out/right.pcap").symlink_to("/dev/full")
    done = call(*base, "--out", files / "out")
    assert done.returncode == 5 and "No space left on device" in done.stderr
    with open("/dev/full", "w") as full:
        done = subprocess.run([REPLAY] + [str(a) for a in base], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 5 and "standard output: cannot write" in done.stderr


def test_progress_only_where_it_is_wanted(files):
    many = files / "many.pcap.gz"
    many.write_bytes(gz(pcap([(START + i, frame(i)) for i in range(20000)])))
    base = ["--config", files / "wire.json", "--in", "1=%s" % many, "--loop", "100"]
    assert "%" not in call(*base).stderr
    done = call(*base, "--progress", "--report", "-")
    json.loads(done.stdout)
    assert "\r" not in done.stderr and "\033" not in done.stderr


def start_and_interrupt(files, number):
    """Frames come by a pipe that does not end, so the program waits for more."""
    process = subprocess.Popen(
        [REPLAY, "--config", files / "wire.json", "--in", "1=-", "--out", files / "out",
         "--report", files / "report.json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(pcap([(START + i, frame(i)) for i in range(5000)]))
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (files / "out/controller.pcap").exists():
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_finishes_the_files(files, number):
    status, out, err = start_and_interrupt(files, number)
    assert status == 128 + number, err
    with open(files / "report.json") as f:
        summary = json.load(f)["summary"]
    assert summary["complete"] is False
    assert summary["sent"] == summary["received"] == len(read_pcap(files / "out/right.pcap"))
    assert "stopped before the end" in out


def test_reader_that_goes_away(files):
    """tenon-replay ... --trace - | head -1"""
    many = files / "many.pcap"
    many.write_bytes(pcap([(START + i, frame(i)) for i in range(20000)]))
    process = subprocess.Popen(
        [REPLAY, "--config", files / "wire.json", "--in", "1=%s" % many, "--trace", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith(b'{"number":1,')
    process.stdout.close()
    process.stderr.read()
    assert process.wait(60) in (-signal.SIGPIPE, 5)
