# SPDX-License-Identifier: BSD-3-Clause
"""tenon-dataplane as a process: command line, configuration, forwarding, its end."""
import json
import os
import signal
import socket
import subprocess

import pytest

from replaying import REPLAY, START, config, flow, frame, from_port, output, pcap, read_pcap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATAPLANE = os.environ.get("TENON_DATAPLANE") or \
    os.path.join(TOP, "build/opt/dataplane/agent/tenon-dataplane")


def call(*arguments, **kwargs):
    return subprocess.run([DATAPLANE, "--no-socket"] + [str(a) for a in arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, **kwargs)


def dpdk(number, name, devargs, **more):
    return dict({"number": number, "name": name, "type": "dpdk", "options": {"devargs": devargs}},
                **more)


def run(path, document, *arguments, seconds=1):
    """Its statistics after that many seconds."""
    (path / "site.json").write_text(json.dumps(document))
    done = call("--load", path / "site.json", "--no-huge", "--memory", "32", "--stats", "-",
                "--seconds", seconds, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ports_of(stats):
    return {p["name"]: p for p in stats["ports"]}


def endless(path, n):
    (path / "in.pcap").write_bytes(pcap([(START, frame(i)) for i in range(n)]))
    return "net_pcap0,rx_pcap=%s,infinite_rx=1" % (path / "in.pcap")


def test_help_and_version():
    done = call("--help")
    assert done.returncode == 0 and "Examples:" in done.stdout and not done.stderr
    assert all(len(line) <= 100 for line in done.stdout.split("\n"))
    assert call("--version").stdout.startswith("tenon-dataplane ")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["word"], ["--workers", "x"],
                                       ["--memory", "0"], ["--load", "/nowhere/x.json"]])
def test_wrong_usage(arguments):
    done = call(*arguments)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_every_error_of_a_document(tmp_path):
    (tmp_path / "bad.json").write_text('{"ports":[{"number":1}],"flows":[{}]}')
    done = call("--load", tmp_path / "bad.json")
    assert done.returncode == 2
    assert "bad.json:1:" in done.stderr and "/ports/0" in done.stderr and "/flows/0" in done.stderr


@pytest.mark.parametrize("ports, words", [
    ([dict(number=1, name="a", type="wormhole")], ["no driver", '"wormhole"', '"dpdk"']),
    ([dict(number=1, name="a", type="dpdk")], ["needs the option", "devargs"]),
    ([dpdk(1, "a", "net_null0", options={"devargs": "net_null0", "colour": "red"})],
     ["no option", "colour", "devargs"]),
    ([dpdk(1, "a", "net_null0", options={"devargs": 3})], ["devargs", "a string"]),
    ([dpdk(1, "a", "net_null0", options={"devargs": "net_null0", "queues": 0})],
     ["queues", "1 to 64"]),
    ([dpdk(1, "a", "net_null0"), dpdk(2, "b", "net_null0")], ["another port's device"]),
    ([dpdk(1, "a", "net_nonsense0")], ["DPDK cannot open"]),
])
def test_refused_ports(tmp_path, ports, words):
    (tmp_path / "bad.json").write_text(json.dumps(config(ports, [])))
    done = call("--load", tmp_path / "bad.json", "--no-huge", "--memory", "16", "--seconds", "1")
    assert done.returncode == 2, done.stderr
    for word in ["/ports/"] + words:
        assert word in done.stderr


@pytest.mark.parametrize("sessions", ["1000", "0"])
def test_forwards(tmp_path, sessions):
    document = config([dpdk(1, "in", endless(tmp_path, 10)), dpdk(2, "out", "net_null0,no-rx=1")],
                      [flow(1, [from_port(1)], [output(2)])])
    stats = run(tmp_path, document, "--poll", "busy", "--sessions", sessions)
    worker, ports = stats["workers"][0], ports_of(stats)
    assert worker["packets"] == ports["in"]["rx_packets"] == ports["out"]["tx_packets"] > 1000
    assert ports["out"]["tx_bytes"] == 60 * ports["out"]["tx_packets"]
    assert not ports["in"]["dropped"] and not ports["out"]["dropped"]
    assert (worker["hits"] > 0) == (sessions != "0")
    assert worker["cycles_per_packet"] > 0


def test_encapsulates(tmp_path):
    document = config(
        [dpdk(1, "in", endless(tmp_path, 10)), dpdk(2, "uplink", "net_null0,no-rx=1"),
         {"number": 10, "name": "vtep", "type": "vxlan",
          "options": {"local": "198.51.100.1", "remote": "198.51.100.2", "vni": 100}}],
        [flow(1, [from_port(1)], [output(10)])],
        underlay={"addresses": [{"address": "198.51.100.1/24", "mac": "02:aa:00:00:00:01",
                                 "port": 2}],
                  "neighbours": [{"address": "198.51.100.2", "mac": "02:aa:00:00:00:02",
                                  "port": 2}]})
    ports = ports_of(run(tmp_path, document))
    assert ports["vtep"]["tx_packets"] == ports["uplink"]["tx_packets"] > 1000
    assert ports["uplink"]["tx_bytes"] == 110 * ports["uplink"]["tx_packets"]


def test_an_empty_table_drops(tmp_path):
    document = config([dpdk(1, "in", endless(tmp_path, 10))], [])
    port = ports_of(run(tmp_path, document))["in"]
    assert port["dropped"] == {"table_miss": port["rx_packets"]}


# The process


class Running:
    """A tenon-dataplane that runs until the block ends; told to stop, it ends well."""

    def __init__(self, *arguments, **environment):
        self.command = [DATAPLANE, "--no-huge", "--no-socket", "--memory", "16"] + \
            [str(a) for a in arguments]
        self.environment = dict(os.environ, **environment)

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=self.environment)
        return self

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.out, self.err = self.process.communicate(timeout=20)
        return self.process.returncode

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Notices:
    """A socket as systemd gives it."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(30)

    def next(self):
        return self.socket.recv(1000).decode()


@pytest.fixture
def notices(tmp_path):
    n = Notices(tmp_path / "notify")
    yield n
    n.socket.close()


def test_tells_systemd_and_stops(tmp_path, notices):
    for number in (signal.SIGTERM, signal.SIGINT):
        with Running("--stats", tmp_path / "stats", NOTIFY_SOCKET=notices.path) as running:
            assert notices.next() == "READY=1"
            assert running.stop(number) == 0 and not running.err
            assert notices.next() == "STOPPING=1"
        assert json.loads((tmp_path / "stats").read_text())["ports"] == []


def test_one_process_a_state_folder(tmp_path, notices):
    state = tmp_path / "state"
    with Running("--state", state, NOTIFY_SOCKET=notices.path) as first:
        assert notices.next() == "READY=1"
        done = call("--state", state, "--no-huge")
        assert done.returncode == 3
        assert "in use" in done.stderr and "process %d" % first.process.pid in done.stderr
        first.process.kill()
        first.process.wait()
        with Running("--state", state, NOTIFY_SOCKET=notices.path) as second:
            assert notices.next() == "READY=1"
            assert second.stop() == 0
    assert state.stat().st_mode & 0o777 == 0o700


def test_a_state_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "no" / "such", "/proc/x"):
        done = call("--state", path, "--no-huge")
        assert done.returncode == 1 and str(path) in done.stderr


def capabilities(pid):
    """The sets of capabilities of each of its threads."""
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task)) as f:
            yield {k: v.strip() for k, v in (line.split(":", 1) for line in f)
                   if k in ("CapEff", "CapPrm", "CapInh", "NoNewPrivs")}


def test_gives_up_privileges(notices):
    # NET_ADMIN, NET_RAW, IPC_LOCK, PERFMON, BPF
    allowed = 1 << 12 | 1 << 13 | 1 << 14 | 1 << 38 | 1 << 39
    with Running(NOTIFY_SOCKET=notices.path) as running:
        assert notices.next() == "READY=1"
        seen = list(capabilities(running.process.pid))
        assert len(seen) > 2
        for sets in seen:
            assert not int(sets["CapEff"], 16) & ~allowed and not int(sets["CapPrm"], 16) & ~allowed
            assert int(sets["CapInh"], 16) == 0 and sets["NoNewPrivs"] == "1"
        assert running.stop() == 0


def test_man_page_knows_every_option():
    with open(os.path.join(TOP, "dataplane/agent/tenon-dataplane.8")) as f:
        page = f.read()
    words = [w.strip(",") for w in call("--help").stdout.split("Examples:")[0].split()]
    options = {w for w in words if w.startswith("--")} - {"--help", "--version"}
    assert len(options) >= 10
    for option in options:
        assert "Fl -%s\n" % option[2:] in page or "Fl -%s " % option[2:] in page, option


def test_leaves_nothing_behind(tmp_path, notices):
    """Killed at any time: no shared memory, no hugepage files, no runtime files."""
    folder = tmp_path / "run"
    folder.mkdir()
    with Running(NOTIFY_SOCKET=notices.path, RUNTIME_DIRECTORY=str(folder)) as running:
        assert notices.next() == "READY=1"
        running.process.kill()
        running.process.wait()
    assert not [f for _, _, files in os.walk(folder) for f in files]


def test_an_idle_worker_sleeps(tmp_path):
    """Less than a core by far; the exact share depends on the machine that tests."""
    stats = run(tmp_path, config([dpdk(1, "quiet", "net_null0,no-rx=1")], []), seconds=2)
    worker = stats["workers"][0]
    assert worker["naps"] > 100
    assert worker["cpu_seconds"] < 0.2 * stats["seconds"]


def test_a_busy_worker_does_not(tmp_path):
    stats = run(tmp_path, config([dpdk(1, "quiet", "net_null0,no-rx=1")], []), "--poll", "busy")
    assert stats["workers"][0]["naps"] == 0


# The same frames as tenon-replay


def vlan(vid):
    return [{"type": "L2MODIFICATION", "subtype": "VLAN_PUSH", "ethernetType": "0x8100"},
            {"type": "L2MODIFICATION", "subtype": "VLAN_ID", "vlanId": vid}]


def between_captures(path):
    """Plain, tagged, copied, tunnelled and dropped, by the address that a frame comes from."""
    ends = {1: "in", 2: "out", 3: "out", 4: "out", 5: "out"}
    ports = [{"number": n, "name": "p%d" % n, "type": "pcap",
              "options": {end: str(path / ("%s%d.pcap" % (end, n)))}} for n, end in ends.items()]
    ports.append({"number": 10, "name": "vtep", "type": "vxlan",
                  "options": {"local": "198.51.100.1", "remote": "198.51.100.2", "vni": 100}})

    def to(last, instructions):
        match = [from_port(1), {"type": "ETH_SRC", "mac": "02:00:00:00:00:0%d" % last}]
        return flow(2, match, instructions)
    flows = [to(1, [output(2)]), to(2, vlan(7) + [output(3)]), to(3, [output(2), output(4)]),
             to(4, [output(10)]), flow(1, [from_port(1)], [])]
    return config(ports, flows, underlay={
        "addresses": [{"address": "198.51.100.1/24", "mac": "02:aa:00:00:00:01", "port": 5}],
        "neighbours": [{"address": "198.51.100.2", "mac": "02:aa:00:00:00:02", "port": 5}]})


@pytest.mark.parametrize("sessions", ["1000", "0"])
def test_sends_what_replay_sends(tmp_path, sessions):
    frames = []
    for i in range(3000):
        data = bytearray(frame(i % 50, 60 + i % 7 * 100))
        data[11] = 1 + i % 5
        frames.append((START + i, bytes(data)))
    (tmp_path / "in1.pcap").write_bytes(pcap(frames))
    document = between_captures(tmp_path)
    stats = run(tmp_path, document, "--sessions", sessions, seconds=2)
    subprocess.run([REPLAY, "--config", tmp_path / "site.json", "--in", "1=%s" % (
        tmp_path / "in1.pcap"), "--out", tmp_path / "replay"], check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert ports_of(stats)["p1"]["rx_packets"] == 3000
    for n in range(2, 6):
        want = [r[1] for r in read_pcap(tmp_path / "replay" / ("p%d.pcap" % n))]
        assert len(want) >= 600
        assert [r[1] for r in read_pcap(tmp_path / ("out%d.pcap" % n))] == want
