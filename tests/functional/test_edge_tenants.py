# SPDX-License-Identifier: BSD-3-Clause
"""What test_tenant_traffic.py asks of two hosts, asked once more where all is the kernel's: containers
and bare metal by eBPF, tunnels by its VXLAN device, and on hv1 nothing polls."""
import pytest

import test_tenant_traffic as tenants
from edge_hosts import EdgeHost, KernelHost, all_by_ebpf

# Its tests, with the town below.
globals().update({n: test for n, test in vars(tenants).items() if n.startswith("test_")})


class Town(tenants.Town):
    def __init__(self, folder):
        super().__init__(folder)
        all_by_ebpf(self.document)

    def make_endpoint(self, port):
        made = super().make_endpoint(port)
        if port["name"] == "red-ovs":
            # Open vSwitch is given what a wire carries: finished checksums, no large frames.
            self.lab.run(None, "ethtool", "-K", "to-ovs", "tx", "off")
        return made

    def make_host(self, name, address):
        return (EdgeHost if name == "hv1" else KernelHost)(self, name, address)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    yield from tenants.serve(Town, tmp_path_factory)
