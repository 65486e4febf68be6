# SPDX-License-Identifier: BSD-3-Clause
"""Virtual machines beside containers on eBPF ports and bare metal, on one host and one network: on hv1
nothing polls and the uplink is the kernel's, hv2 has a worker and an uplink of its own."""
import os
import signal
import time

import pytest

from test_tenant_traffic import PROGRAMS, ping_all, serve  # first: it tells where the demonstration is
import guest
import hosts
import matrix
from edge_hosts import EdgeHost, all_by_ebpf
from endpoint import Machine
from process import Process, child_named

MB = 2
PATIENCE = 60


class Mixed(hosts.Site):
    def __init__(self, folder):
        super().__init__(folder, PROGRAMS)
        all_by_ebpf(self.document)

    def make_host(self, name, address):
        return (EdgeHost if name == "hv1" else hosts.Host)(self, name, address)

    def endpoint(self, name):
        return next(e for e in self.endpoints if e.name == name)

    def dataplane(self, host):
        return Process(child_named(self.hosts[host].processes[0].pid, "tenon-dataplane"))


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    yield from serve(Mixed, tmp_path_factory, programs=(), missing=guest.why_not())


def assert_all_reach(town):
    found = matrix.measure(town.endpoints)
    assert matrix.is_right(town.endpoints, found), "\n" + matrix.table(town.endpoints, found)


def test_who_reaches_whom(town):
    """Every pair of a tenant by IPv4 and IPv6, ping and HTTP; nothing crosses tenants."""
    assert_all_reach(town)


def test_as_large_as_fit_and_larger(town):
    """One packet of the network's MTU, and one of three fragments."""
    mtu = 1450
    for e in town.endpoints:
        e.run("ip link set eth0 mtu %d" % mtu)
    assert not ping_all(town, {4: mtu - 28, 6: mtu - 48})
    assert not ping_all(town, {4: 4000, 6: 4000})


def test_streams_of_all_pairs(town):
    """Each fetches what each other of its tenant has, by IPv4 and IPv6 in turn."""
    sums = {}
    for e in town.endpoints:
        e.run("dd if=/dev/urandom of=%s/blob bs=1M count=%d 2>/dev/null" % (e.folder, MB))
        sums[e.name] = e.run("sha256sum <%s/blob" % e.folder).split()[0]
    for i, e in enumerate(town.endpoints):
        for j, o in enumerate(town.endpoints):
            if o is e or o.tenant != e.tenant:
                continue
            address = o.addresses[(i + j) % 2]
            said = e.run("wget -q -O - http://%s/blob | sha256sum" % (
                "[%s]" % address if ":" in address else address), limit=PATIENCE)
            assert said.split()[0] == sums[o.name], (e.name, o.name, address)


def test_a_machine_is_told_by_dhcp(town):
    e = town.endpoint("red-vm-hv1")
    said = e.run("ip addr flush dev eth0 scope global; udhcpc -q -n -f -t 10 -T 3 -i eth0 -s %s 2>&1;"
                 "ip -4 addr show eth0; ip route" % e.dhcp_script)
    assert "lease of %s obtained from 10.0.0.1" % e.addresses[0] in said, said
    assert "default via 10.0.0.1" in said, said
    e.run("ip -6 addr add %s/64 dev eth0; ip -6 route replace default via fd00::1" % e.addresses[1])


def test_it_sleeps_with_machines(town):
    """Machines that say nothing cost nothing where nothing polls."""
    town.dataplane("hv1").await_idle()


def test_killed_and_back(town):
    """The machines live on, and reach and are reached by all when the data plane is there again."""
    host = town.hosts["hv1"]
    os.kill(town.dataplane("hv1").pid, signal.SIGKILL)
    host.processes.pop(0).wait()
    os.unlink(host.dataplane)  # what says that it serves
    host.start_dataplane()
    host.processes.insert(0, host.processes.pop())
    e = town.endpoint("red-vm-hv1")
    deadline = time.monotonic() + PATIENCE
    while " 0% packet loss" not in e.run("ping -c 1 -W 1 10.0.0.1", check=False):
        assert time.monotonic() < deadline
    assert_all_reach(town)
    assert all(m.guest.process.poll() is None for m in town.endpoints if isinstance(m, Machine))
    town.dataplane("hv1").await_idle()
