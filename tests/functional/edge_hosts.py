# SPDX-License-Identifier: BSD-3-Clause
"""Hosts of tools/demo whose uplink stays the kernel's and whose containers have eBPF ports."""
import json

import hosts  # its folder is where netlab.py says


class KernelHost(hosts.Host):
    """Workers serve what the kernel's programs do not."""

    def make_uplink(self):
        self.site.lab.addresses(self.name, "up0", self.address + "/24")
        self.ctl("port", "add", json.dumps(
            {"number": 1, "name": "up0", "type": "kernel-underlay", "options": {
                "address": self.address, "uplink": "up0"}}))

    def make_nic(self, device, number):
        self.ctl("port", "add", json.dumps({"number": number, "name": device, "type": "nic"}))


class EdgeHost(KernelHost):
    """Nothing polls."""

    OPTIONS = ["--mode", "kernel", "--memory", "8"]


def all_by_ebpf(document):
    for port in document["ports"]:
        if port["binding"]["kind"] == "container":
            port["binding"]["datapath"] = "ebpf"
    return document
