# SPDX-License-Identifier: BSD-3-Clause
"""Hosts of tools/demo whose uplink stays the kernel's and whose containers have eBPF ports."""
import json

import hosts  # its folder is where netlab.py says


class KernelHost(hosts.Host):
    """Workers serve what the kernel's programs do not."""

    UPLINK = {}  # options of the port

    def make_uplink(self):
        self.site.lab.addresses(self.name, "up0", self.address + "/24")
        self.add_uplink(**self.UPLINK)

    def add_uplink(self, **options):
        self.ctl("port", "add", json.dumps(
            {"number": 1, "name": "up0", "type": "kernel-underlay",
             "options": dict(options, address=self.address, uplink="up0")}))

    def make_nic(self, device, number):
        self.ctl("port", "add", json.dumps({"number": number, "name": device, "type": "nic"}))


class EdgeHost(KernelHost):
    """Nothing polls."""

    OPTIONS = ["--mode", "kernel", "--memory", "8"]


class SharedHost(KernelHost):
    """Two workers have their part of the uplink, by an AF_XDP socket for each of its two queues."""

    OPTIONS = KernelHost.OPTIONS + ["--workers", "0,1"]
    UPLINK = {"shared": True}

    def make_uplink(self):
        lab = self.site.lab
        for host, device in ((self.name, "up0"), (None, "to-" + self.name)):
            lab.run(host, "ethtool", "-L", device, "rx", "2", "tx", "2")
        super().make_uplink()


class SharedEdgeHost(EdgeHost):
    """Nothing polls here either."""

    UPLINK = SharedHost.UPLINK


def all_by_ebpf(document):
    for port in document["ports"]:
        if port["binding"]["kind"] == "container":
            port["binding"]["datapath"] = "ebpf"
    return document
