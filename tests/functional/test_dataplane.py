# SPDX-License-Identifier: BSD-3-Clause
"""tenon-dataplane as a process: command line, configuration, forwarding, its end."""
import json
import os
import subprocess

import pytest

from replaying import START, config, flow, frame, from_port, output, pcap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATAPLANE = os.environ.get("TENON_DATAPLANE") or \
    os.path.join(TOP, "build/opt/dataplane/agent/tenon-dataplane")


def call(*arguments, **kwargs):
    return subprocess.run([DATAPLANE] + [str(a) for a in arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          **kwargs)


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
