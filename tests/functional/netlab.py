# SPDX-License-Identifier: BSD-3-Clause
"""Hosts as network namespaces (tools/demo/lab.py), and a switch among them."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tools", "demo"))
import lab as namespaces  # noqa: E402 (found where the demonstration has it)

kernel_has = namespaces.kernel_has
why_not = namespaces.why_not
DATAPLANE = os.environ.get("TENON_DATAPLANE") or \
    os.path.join(os.environ.get("TENON_BUILD", TOP + "/build/opt"),
                 "dataplane/agent/tenon-dataplane")
PYTHON = "/usr/bin/python3"


def takes_large_frames():
    """XDP sockets of the kernel have frames of several pieces: MTUs above 3000."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups())) >= (6, 6)


def needs_large_frames():
    if not takes_large_frames():
        pytest.skip("the kernel gives no XDP sockets for frames of several pieces")


class Lab(namespaces.Lab):
    """The switch's host is the lab's own namespace; others are made by host()."""

    def __init__(self, folder):
        self.switch = None
        super().__init__(folder)

    def close(self):
        super().close()
        if self.switch:
            self.switch.wait()

    # --- the switch ---

    def log(self):
        try:
            with open(self.folder + "/switch.log") as f:
                return f.read()
        except OSError:
            return ""

    def start_switch(self, document, *arguments, memory=32, socket=None):
        """Where it has a socket, whoever connects is served once it forwards."""
        with open(self.folder + "/site.json", "w") as f:
            json.dump(document, f)
        with open(self.folder + "/switch.log", "w") as log:
            self.switch = subprocess.Popen(
                self.enter + [DATAPLANE, "--load", self.folder + "/site.json", "--no-huge",
                              "--memory", str(memory), "--sessions", "10000",
                              "--stats", self.folder + "/stats.json"]
                + (["--socket", socket] if socket else ["--no-socket"]) + list(arguments),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop_switch(self):
        """Its statistics: {port name: counters}; what it dropped by network is network_drops."""
        self.run(None, "pkill", "-INT", "-x", "tenon-dataplane")
        assert self.switch.wait(30) == 0, self.log()
        self.switch = None
        with open(self.folder + "/stats.json") as f:
            statistics = json.load(f)
        self.network_drops = statistics["networkDrops"]
        return {p["name"]: p for p in statistics["ports"]}

    def ended(self):
        return self.switch is not None and self.switch.poll() is not None

    def kill_switch(self):
        self.run(None, "pkill", "-KILL", "-x", "tenon-dataplane")
        assert self.switch.wait(30) in (-signal.SIGKILL, 137)
        self.switch = None

    # --- traffic ---

    def ping(self, host, address, count=5, size=56, wait=30, options=()):
        """Waits until an answer comes; then `count` must be answered, late ones too: on a busy
        machine ping sends a few more meanwhile. What is lost the switch's counters tell."""
        ping = ["ping", "-n", "-s", str(size)] + list(options)
        deadline = time.monotonic() + wait
        while "1 received" not in self.run(host, *ping, "-c", "1", "-W", "1", address, check=False):
            if time.monotonic() > deadline or self.ended():
                raise AssertionError("%s does not reach %s\n%s" % (host, address, self.log()))
        out = self.run(host, *ping, "-c", str(count), "-i", "0.05", "-w", "10", address,
                       check=False)
        assert int(re.search(r"(\d+) received", out).group(1)) >= count, out + self.log()

    def talk(self, server, client, address, protocol, size):
        """Bytes to the server and back, compared by the client."""
        script = HERE + "/talk.py"
        listening = self.start(server, PYTHON, script, protocol, "serve", address)
        try:
            assert listening.stdout.readline() == "ready\n"
            self.run(client, PYTHON, script, protocol, "call", address, str(size))
        finally:
            listening.kill()
            listening.wait()
            listening.stdout.close()


@pytest.fixture
def lab(tmp_path):
    missing = why_not()
    if missing:
        pytest.skip(missing)
    made = Lab(str(tmp_path))
    yield made
    made.close()
