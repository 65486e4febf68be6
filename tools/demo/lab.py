# SPDX-License-Identifier: BSD-3-Clause
"""Hosts as network namespaces.

All of it lives in namespaces (mounts, network, processes) of one process: when that ends, or is
killed with who made it, the kernel removes every process, interface and namespace in it.
"""
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
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
    """A host of its own (named None here); others are made by host()."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs("/run/netns", exist_ok=True)
        self.top = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork",
             "--kill-child", "--mount-proc", "sh", "-c", SETUP],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.top.stdout.readline() == "ready\n"
        children = "/proc/%d/task/%d/children" % (self.top.pid, self.top.pid)
        with open(children) as f:
            self.init = f.read().split()[0]
        # Who is in there ends with the nsenter that brought it.
        self.enter = ["nsenter", "--target", self.init, "--mount", "--net", "--pid", "setpriv",
                      "--pdeathsig", "KILL"]

    def close(self):
        self.top.kill()
        self.top.wait()
        self.top.stdout.close()

    def log(self):
        """What goes with the message of a failure."""
        return ""

    def inside(self, host):
        return self.enter + (["ip", "netns", "exec", host] if host else [])

    def start(self, host, *command, **kwargs):
        return subprocess.Popen(self.inside(host) + [str(c) for c in command],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **kwargs)

    def run(self, host, *command, check=True, limit=60):
        """Its output."""
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
        """Its IPv6 addresses are those that it is given: it takes no advertisements."""
        self.run(None, "ip", "netns", "add", name)
        self.ip(name, "link set lo up")
        self.run(name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                 "net.ipv6.conf.default.router_solicitations=0",
                 "net.ipv6.conf.default.accept_ra=0")
        return name

    def wire(self, ours, host, theirs="eth0", mtu=1500, on=None):
        """A veth pair from a switch's host (`on`) to another; offloads as the kernel likes them."""
        self.run(on, "ip", "link", "add", ours, "mtu", str(mtu), "type", "veth", "peer", "name",
                 theirs, "mtu", str(mtu), "netns", host)
        self.run(on, "sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % ours)
        self.ip(on, "link set %s up" % ours)

    def addresses(self, host, device, *addresses):
        for address in addresses:
            self.ip(host, "addr add %s dev %s" % (address, device)
                    + (" nodad" if ":" in address else ""))
        self.ip(host, "link set %s up" % device)

    def mac(self, host, device):
        return re.search(r"link/ether (\S+)", self.run(host, "ip", "link", "show", device)).group(1)
