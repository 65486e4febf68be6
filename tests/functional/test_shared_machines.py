# SPDX-License-Identifier: BSD-3-Clause
"""What test_edge_machines.py asks, asked once more where both hosts share their uplinks: containers and
bare metal by the kernel, virtual machines by AF_XDP sockets; on hv1 nothing polls, hv2 has two workers.
A network's largest packet fills the underlay's to the last byte."""
import pytest

import test_edge_machines as machines
import guest
from edge_hosts import SharedEdgeHost, SharedHost
from test_tenant_traffic import until

# Its tests, with the town below.
globals().update({n: test for n, test in vars(machines).items() if n.startswith("test_")})

PINGS = 50


class Shared(machines.Mixed):
    HOSTS = {"hv1": SharedEdgeHost, "hv2": SharedHost}
    KILLED = ["hv1", "hv2"]
    KERNELS = ["red-far", "red-container-hv2"]

    def __init__(self, folder):
        super().__init__(folder, underlay_mtu=machines.MTU + 50)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    yield from machines.serve(Shared, tmp_path_factory, programs=(), missing=guest.why_not())


def count_ways(town, host):
    """Frames of the tunnels there and back: all that workers had of them, those of the VXLAN device,
    and those that went between the two."""
    frames = machines.count_frames(town, host)
    return {"workers": frames["workers"], "device": frames["tnvx1"], "between": frames["tnt1"]}


def by_sockets(moved):
    return moved["workers"] >= 2 * PINGS and max(moved["device"], moved["between"]) < machines.FEW


def by_the_device(moved):
    return min(moved.values()) >= 2 * PINGS


def by_the_kernel(moved):
    return moved["device"] >= PINGS and max(moved["workers"], moved["between"]) < machines.FEW


WAYS = {"vm": by_sockets, "container": by_the_kernel, "baremetal": by_the_kernel}


def assert_ways(town, source, sink, ways):
    """What pings of the network's MTU between these two took, at either host."""
    source, sink = town.endpoint(source), town.endpoint(sink)
    ends = [e for e in (source, sink) if e.where in town.hosts]
    moved = {}

    def right():
        before = {e.where: count_ways(town, e.where) for e in ends}
        source.run("ping -q -c %d -i 0.01 -s %d %s" % (PINGS, machines.MTU - headers, address))
        for e in ends:
            now = count_ways(town, e.where)
            moved[e.name] = {way: n - before[e.where][way] for way, n in now.items()}
        return all(ways[e.kind](moved[e.name]) for e in ends)
    for address, headers in zip(sink.addresses, (28, 48)):
        try:
            until(right)  # sessions come with the first packets
        except AssertionError:
            pytest.fail("%s to %s: %s" % (source.name, address, moved))


PAIRS = [("red-vm-hv1", "red-vm-hv2"), ("red-vm-hv1", "red-container-hv2"),
         ("red-container-hv1", "red-vm-hv2"), ("red-baremetal-hv1", "red-container-hv2"),
         ("red-vm-hv2", "red-baremetal-hv1"), ("red-far", "red-vm-hv1")]


def test_each_has_its_way(town):
    """Machines' packets are the workers', by their sockets alone; containers' never leave the kernel."""
    for source, sink in PAIRS:
        assert_ways(town, source, sink, WAYS)


def test_shared_and_not_and_shared(town):
    """The port goes and comes while all live on: no machine and no container needs anything done."""
    for shared in (False, True):
        for host in town.hosts.values():
            host.ctl("port", "del", "1")
            host.add_uplink(shared=shared)
        for source, sink in PAIRS[:2]:
            assert_ways(town, source, sink, WAYS if shared else dict(WAYS, vm=by_the_device))
