# SPDX-License-Identifier: BSD-3-Clause
"""A container behind tenon-dataplane talks by VXLAN to one behind Open vSwitch, which runs in user
space (datapath type netdev) on another host."""
import os
import re
import shutil

import pytest

from netlab import lab, needs_large_frames  # noqa: F401
from test_uplink import FAR, HERE, OVERHEAD, PREFIX, VNI, check_counters, check_tenant, document

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class OpenVSwitch:
    """Open vSwitch: two bridges as its manual has them: one with the wire and the outer address, one with the
    tunnel and the container, whose interface is one of the bridge's own. All in a folder and a
    namespace of the lab, with which its processes end."""

    def __init__(self, lab):
        self.lab, self.folder = lab, lab.folder + "/ovs"
        os.mkdir(self.folder)
        self.run("ovsdb-tool", "create", self.folder + "/conf.db", SCHEMA)
        self.run("ovsdb-server", "--remote=punix:%s/db.sock" % self.folder, "--detach",
                 "--pidfile", "--log-file", self.folder + "/conf.db")
        self.configure("--no-wait init")
        self.run("ovs-vswitchd", "unix:%s/db.sock" % self.folder, "--disable-system", "--detach",
                 "--pidfile", "--log-file")

    def run(self, *command):
        variables = [name + "=" + self.folder for name in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR")]
        return self.lab.run("far", "env", *variables, *command)

    def configure(self, words):
        return self.run("ovs-vsctl", "--timeout=20", "--db=unix:%s/db.sock" % self.folder,
                        *words.split())

    def connect(self, version, mtu, options):
        self.configure("add-br phy -- set bridge phy datapath_type=netdev -- add-port phy eth0")
        self.configure("add-br int -- set bridge int datapath_type=netdev")
        self.configure("add-port int vm0 -- set interface vm0 type=internal mtu_request=%d"
                       % (mtu - OVERHEAD[version]))
        self.lab.ip("far", "link set eth0 up")
        self.lab.addresses("far", "phy", "%s/%d" % (FAR[version], PREFIX[version]))
        self.lab.addresses("far", "vm0", "10.0.0.1/24", "fd00::1/64")
        self.configure("add-port int vx -- set interface vx type=vxlan options:remote_ip=%s "
                       "options:local_ip=%s options:key=%d %s"
                       % (HERE[version], FAR[version], VNI, options))

    def decisions(self):
        return self.run("ovs-appctl", "dpctl/dump-flows", "netdev@ovs-netdev")


def start(lab, version, mtu=1500, options="", **vxlan):
    if not shutil.which("ovs-vswitchd") or not os.path.exists(SCHEMA):
        pytest.skip("needs openvswitch-switch; tools/packages test")
    lab.host("far")
    lab.wire("up0", "far", mtu=mtu)
    ovs = OpenVSwitch(lab)
    ovs.connect(version, mtu, options)
    lab.host("c2")
    lab.wire("veth2", "c2", mtu=mtu - OVERHEAD[version])
    lab.addresses("c2", "eth0", "10.0.0.2/24", "fd00::2/64")
    site = document(lab, version, **vxlan)
    site["underlay"]["neighbours"][0]["mac"] = lab.mac("far", "phy")
    lab.start_switch(site, *["--max-frame", "9216"] * (mtu > 1500))
    while "uplink0" not in lab.run(None, "ip", "link"):
        assert not lab.ended(), lab.log()
    lab.run(None, "sysctl", "-qw", "net.ipv6.conf.uplink0.accept_dad=0")
    lab.addresses(None, "uplink0", "%s/%d" % (HERE[version], PREFIX[version]))
    return ovs


@pytest.mark.parametrize("version, options, checksum", [
    (4, "options:csum=true", True),
    (6, "", False),
    (6, "options:csum=true", True),
])
def test_ovs_vtep(lab, version, options, checksum):
    ovs = start(lab, version, options=options, udpChecksum=checksum)
    check_tenant(lab, 1500 - OVERHEAD[version])
    # Its own word that this went through the tunnel, both ways.
    decisions = ovs.decisions()
    assert re.search(r"tunnel\(tun_id=0x%x,(ipv6_)?src=%s" % (VNI, HERE[version]), decisions), \
        decisions
    assert "tnl_push(" in decisions, decisions
    check_counters(lab.stop_switch())


def test_large_frames(lab):
    needs_large_frames()
    start(lab, 4, mtu=9000)
    check_tenant(lab, 8950)
    check_counters(lab.stop_switch())
