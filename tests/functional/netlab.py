# SPDX-License-Identifier: BSD-3-Clause
"""Hosts as network namespaces, and a switch among them.

All of it lives in namespaces (mounts, network, processes) of one process: when that ends, or is
killed with the test, the kernel removes every process, interface and namespace in it.
"""
import json
import os
import re
import signal
import subprocess
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DATAPLANE = os.environ.get("TENON_DATAPLANE") or \
    os.path.join(os.environ.get("TENON_BUILD", TOP + "/build/opt"),
                 "dataplane/agent/tenon-dataplane")
PYTHON = "/usr/bin/python3"
SETUP = "mount -t tmpfs none /run/netns && ip link set lo up && echo ready && exec sleep infinity"


def why_not():
    """What is missing on this machine; None: nothing."""
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    probe = "ip link add probe0 type veth peer name probe1"
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", probe],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        return "may not make network namespaces or veth pairs here"
    return None


def kernel_has(kind):
    return subprocess.run(["unshare", "--net", "ip", "link", "add", "probe0", "type"] + kind.split(),
                          stderr=subprocess.DEVNULL).returncode == 0


class Lab:
    """The switch's host is the lab's own namespace; others are made by host()."""

    def __init__(self, folder):
        self.folder = folder
        self.switch = None
        os.makedirs("/run/netns", exist_ok=True)
        self.top = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork",
             "--kill-child", "--mount-proc", "sh", "-c", SETUP],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.top.stdout.readline() == "ready\n"
        children = "/proc/%d/task/%d/children" % (self.top.pid, self.top.pid)
        with open(children) as f:
            init = f.read().split()[0]
        # Who is in there ends with the nsenter that brought it.
        self.enter = ["nsenter", "--target", init, "--mount", "--net", "--pid", "setpriv",
                      "--pdeathsig", "KILL"]

    def close(self):
        self.top.kill()
        self.top.wait()
        self.top.stdout.close()
        if self.switch:
            self.switch.wait()

    def start(self, host, *command, **kwargs):
        inside = ["ip", "netns", "exec", host] if host else []
        return subprocess.Popen(self.enter + inside + [str(c) for c in command],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **kwargs)

    def run(self, host, *command, check=True, limit=60):
        """Its output; host None: the switch's."""
        child = self.start(host, *command)
        try:
            out, _ = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            child.kill()
            out, _ = child.communicate()
        if check and child.returncode != 0:
            raise AssertionError("%s on %s: status %s\n%s\n%s" % (
                " ".join(str(c) for c in command), host, child.returncode, out, self.log()))
        return out

    def ip(self, host, words):
        """Several commands of ip(8), one a line."""
        for line in words.strip().split("\n"):
            self.run(host, "ip", *line.split())

    def host(self, name):
        self.run(None, "ip", "netns", "add", name)
        self.ip(name, "link set lo up")
        self.run(name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                 "net.ipv6.conf.default.router_solicitations=0")
        return name

    def wire(self, ours, host, theirs="eth0", mtu=1500):
        """A veth pair from the switch's host to another; offloads as the kernel likes them."""
        self.run(None, "ip", "link", "add", ours, "mtu", str(mtu), "type", "veth", "peer", "name",
                 theirs, "mtu", str(mtu), "netns", host)
        self.run(None, "sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % ours)
        self.ip(None, "link set %s up" % ours)

    def addresses(self, host, device, *addresses):
        for address in addresses:
            self.ip(host, "addr add %s dev %s" % (address, device)
                    + (" nodad" if ":" in address else ""))
        self.ip(host, "link set %s up" % device)

    def mac(self, host, device):
        return re.search(r"link/ether (\S+)", self.run(host, "ip", "link", "show", device)).group(1)

    # --- the switch ---

    def log(self):
        try:
            with open(self.folder + "/switch.log") as f:
                return f.read()
        except OSError:
            return ""

    def start_switch(self, document, *arguments, memory=32):
        """Returns when it forwards."""
        with open(self.folder + "/site.json", "w") as f:
            json.dump(document, f)
        with open(self.folder + "/switch.log", "w") as log:
            self.switch = subprocess.Popen(
                self.enter + [DATAPLANE, "--load", self.folder + "/site.json", "--no-huge",
                              "--no-socket", "--memory", str(memory), "--sessions", "10000",
                              "--stats", self.folder + "/stats.json"] + list(arguments),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop_switch(self):
        """Its statistics: {port name: counters}."""
        self.run(None, "pkill", "-INT", "-x", "tenon-dataplane")
        assert self.switch.wait(20) == 0, self.log()
        self.switch = None
        with open(self.folder + "/stats.json") as f:
            return {p["name"]: p for p in json.load(f)["ports"]}

    def ended(self):
        return self.switch is not None and self.switch.poll() is not None

    def kill_switch(self):
        self.run(None, "pkill", "-KILL", "-x", "tenon-dataplane")
        assert self.switch.wait(20) in (-signal.SIGKILL, 137)
        self.switch = None

    # --- traffic ---

    def ping(self, host, address, count=5, size=56, wait=20, options=()):
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
