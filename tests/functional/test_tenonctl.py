# SPDX-License-Identifier: BSD-3-Clause
"""tenonctl against tenond and tenon-dataplane: every command, as text and as JSON."""
import hashlib
import json
import os
import re
import subprocess
import time

import pytest

from tenon import BUILD, Tenon
from test_tenond import free_port
from test_tenonctl_parse import DIFFER, OK, REFUSED, TENONCTL, TOP, UNREACHABLE, USAGE

DOCUMENT = {
    "ports": [{"number": 1, "name": "vm-a", "type": "memory"},
              {"number": 2, "name": "vm-b", "type": "memory"},
              {"number": 3, "name": "spare", "type": "memory"}],
    "tables": [{"tableId": 1, "name": "policy"}],
}


class Ctl:
    """Calls with the daemon's socket; text() wants success and gives what was printed."""

    def __init__(self, tenon):
        self.tenon = tenon
        self.env = dict(os.environ, TENON_SOCKET=tenon.socket)

    def __call__(self, *words, stdin=""):
        return subprocess.run([TENONCTL, *map(str, words)], input=stdin, capture_output=True,
                              text=True, timeout=60, env=self.env)

    def text(self, *words, **kwargs):
        done = self(*words, **kwargs)
        assert done.returncode == OK and not done.stderr, (words, done, self.tenon.log())
        return done.stdout

    def json(self, *words, **kwargs):
        return json.loads(self.text("--json", *words, **kwargs))

    def refused(self, *words, code=REFUSED, **kwargs):
        """What it says."""
        done = self(*words, **kwargs)
        assert done.returncode == code and not done.stdout, done
        return done.stderr

    def flows(self, *words):
        return self.text("flow", "dump", "--no-stats", *words).strip().split("\n")


def eventually(look):
    """What a daemon does after it has answered."""
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start(tenon):
    """Returns when the daemon has the data plane."""
    tenon.start()
    ctl = Ctl(tenon)
    eventually(lambda: ctl("status").returncode == OK)
    return ctl


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    made = Tenon(tmp_path_factory.mktemp("tenonctl"), document=DOCUMENT)
    start(made)
    yield made
    made.close()


@pytest.fixture
def ctl(running):
    """The switch as DOCUMENT has it."""
    made = Ctl(running)
    made.text("config", "put", "-", stdin=json.dumps(DOCUMENT))
    return made


# --- flows ---

def test_add_mod_del_dump(ctl):
    assert ctl.text("flow", "add", "priority=10,in_port=vm-a,actions=output:vm-b",
                    "table=policy,tcp actions=drop") == ""
    assert ctl.flows() == ['priority=10,in_port="vm-a" actions=output:"vm-b"',
                           "table=policy, tcp actions=drop"]
    assert ctl.text("flow", "mod", "in_port=1", "actions=output:3") == "1 flow changed\n"
    assert ctl.flows("--no-names") == ["priority=10,in_port=1 actions=output:3",
                                       "table=1, tcp actions=drop"]
    assert ctl.text("flow", "mod", "--strict", "priority=9,in_port=1,actions=drop") == \
        "0 flows changed\n"
    assert ctl.flows("tcp") == ["table=policy, tcp actions=drop"]
    assert ctl.flows("out_port=spare") == ['priority=10,in_port="vm-a" actions=output:spare']
    assert ctl.text("flow", "del", "tcp") == "1 flow deleted\n"
    assert ctl.text("flow", "del") == "1 flow deleted\n"
    assert ctl.text("flow", "dump") == ""


def send(ctl, port, frame="ffffffffffff020000000001" + "88b5" + 46 * "00", times=1):
    for _ in range(times):
        ctl.text("packet-out", "in_port=%s,packet=%s,actions=table" % (port, frame))


def test_dump_has_what_was_counted_and_can_be_fed_back(ctl):
    ctl.text("flow", "add", "cookie=0x5,priority=7,idle_timeout=60,send_flow_rem,in_port=vm-a,"
             "actions=output:2")
    send(ctl, "vm-a", times=3)
    dump = ctl.text("flow", "dump")
    assert re.fullmatch(
        r' cookie=0x5, duration=\d+s, table=0, n_packets=3, n_bytes=180, idle_timeout=60, '
        r'send_flow_rem idle_age=\d+, priority=7,in_port="vm-a" actions=output:"vm-b"\n', dump), dump
    rules = ctl.text("flow", "dump", "--no-stats")
    ctl.text("flow", "del")
    ctl.text("flow", "add", "-", stdin="# what was there\n" + dump)
    assert ctl.text("flow", "dump", "--no-stats") == rules
    # As ovs-ofctl reads it.
    again = subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", "parse-flows", "-"],
                           input=ctl.text("flow", "dump", "--no-names"), capture_output=True,
                           text=True)
    assert again.returncode == 0, again


def test_files_of_text_and_json(ctl, tmp_path):
    text, document = tmp_path / "flows.txt", tmp_path / "flows.json"
    text.write_text("# two\npriority=1,udp actions=drop\n\npriority=2,tcp,actions=vm-b # that\n")
    ctl.text("flow", "add", "-f", text, "--app", "me")
    document.write_text(ctl.text("--json", "flow", "dump"))
    assert {f["appId"] for f in json.loads(document.read_text())["flows"]} == {"me"}
    ctl.text("flow", "del")
    ctl.text("flow", "add", "-f", document)
    assert {f["appId"] for f in ctl.json("flow", "dump")["flows"]} == {"me"}
    assert ctl.flows("--app", "me") == ['priority=2,tcp actions=output:"vm-b"',
                                        "priority=1,udp actions=drop"]
    assert ctl.flows("--app", "you") == [""]
    ctl.text("flow", "del", "-f", document)
    assert ctl.text("flow", "dump") == ""
    flow = {"priority": 3, "isPermanent": True, "treatment": {"instructions": []}}
    ctl.text("flow", "add", "--app", "me", "-", stdin=json.dumps([flow]))
    assert ctl.json("flow", "dump")["flows"][0]["appId"] == "me"


def test_replace_and_diff(ctl, tmp_path):
    rules, other = tmp_path / "rules", tmp_path / "other"
    rules.write_text("priority=5,tcp actions=output:1\npriority=4,udp actions=output:2\n"
                     "priority=3 actions=drop\n")
    assert ctl.text("flow", "replace", rules) == "3 added, 0 changed, 0 deleted, 0 as they were\n"
    ctl.text("flow", "add", "--app", "another", "priority=77,arp,actions=normal")
    send(ctl, "vm-a")
    assert ctl("flow", "diff", "--app", "tenonctl", rules).returncode == OK
    done = ctl("flow", "diff", rules)
    assert done.returncode == DIFFER and done.stdout == "+priority=77,arp actions=NORMAL\n"
    other.write_text("priority=5,tcp actions=output:1\npriority=4,udp actions=output:3\n"
                     "priority=3 actions=drop\npriority=2,icmp,actions=drop\n")
    dry = ctl.text("flow", "replace", other, "--dry-run")
    assert dry.endswith("2 changes; nothing was done (--dry-run)\n")
    assert "+flow priority=2,icmp actions=drop\n" in dry
    assert '-flow priority=4,udp actions=output:"vm-b"\n+flow priority=4,udp actions=output:spare\n' \
        in dry
    assert ctl.text("flow", "replace", other) == "1 added, 1 changed, 0 deleted, 2 as they were\n"
    # What was the same has its counters.
    assert "n_packets=1, n_bytes=60" in ctl.text("flow", "dump", "--app", "tenonctl")
    assert ctl.json("flow", "replace", "-", stdin="") == {
        "added": 0, "changed": 0, "removed": 4, "unchanged": 0}
    assert ctl.flows() == ["priority=77,arp actions=NORMAL"]


def test_refusals_name_the_line(ctl, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text("priority=1 actions=drop\n\npriority=2,in_port=vm-a actions=group:77\n")
    said = ctl.refused("flow", "add", "-f", rules)
    assert "%s:3: OFPBAC_BAD_OUT_GROUP: group 77" % rules in said
    assert "  priority=2,in_port=vm-a actions=group:77\n" in said and "nothing was changed" in said
    assert ctl.text("flow", "dump") == ""
    said = ctl.refused("flow", "add", "priority=2 actions=group:77")
    assert said.startswith("tenonctl: OFPBAC_BAD_OUT_GROUP") and "nothing" not in said
    said = ctl.refused("flow", "add", "in_port=vm-c actions=drop", code=USAGE)
    assert 'unknown port "vm-c"; did you mean "vm-a"?' in said
    said = ctl.refused("flow", "dump", "table=polcy", code=USAGE)
    assert 'unknown table "polcy"; did you mean "policy"?' in said
    problem = json.loads(ctl.refused("--json", "flow", "add", "actions=group:77"))
    assert problem["status"] == 422 and problem["ofName"] == "OFPBAC_BAD_OUT_GROUP"
    rules.write_text(json.dumps({"flows": [{"priority": 1, "isPermanent": True, "treatment": {
        "instructions": [{"type": "GROUP", "groupId": 8}]}}]}))
    assert "%s: /flows/0: OFPBAC_BAD_OUT_GROUP" % rules in ctl.refused("flow", "add", "-f", rules)


def test_dry_run_and_confirm(ctl):
    said = ctl.text("flow", "add", "--dry-run", "tcp,actions=drop")
    assert said == "+flow tcp actions=drop\n1 change; nothing was done (--dry-run)\n"
    assert ctl.text("flow", "dump") == ""
    said = ctl.text("flow", "add", "--confirm-within", "300", "tcp,actions=drop")
    assert ctl.flows() == ["tcp actions=drop"]
    number = re.search(r"tenonctl confirm (\d+)", said).group(1)
    ctl.text("confirm", number)
    assert "no transaction" in ctl.refused("confirm", number)
    said = ctl.text("flow", "del", "--confirm-within", "300")
    ctl.text("cancel", re.search(r"tenonctl confirm (\d+)", said).group(1))
    assert ctl.flows() == ["tcp actions=drop"]


# --- groups, meters, bundles ---

GROUP = "group_id=1,type=select,bucket=bucket_id:0,actions=output:1," \
        "bucket=bucket_id:1,weight:3,actions=output:2"


def test_groups(ctl, tmp_path):
    ctl.text("group", "add", GROUP)
    assert ctl.text("group", "dump", "--no-names") == GROUP + "\n"
    ctl.text("group", "insert-buckets", "group_id=1,command_bucket_id=last,bucket=bucket_id:7,weight:2,output:3")
    assert ctl.text("group", "dump", "1").endswith("bucket=bucket_id:7,weight:2,actions=output:spare\n")
    ctl.text("group", "remove-buckets", "group_id=1,command_bucket_id=7")
    assert ctl.text("group", "dump", "--no-names") == GROUP + "\n"
    ctl.text("flow", "add", "in_port=vm-a,actions=group:1")
    send(ctl, "vm-a", times=2)
    stats = ctl.text("stats", "groups").split("\n")
    assert re.split(r"  +", stats[0].strip()) == \
        ["GROUP", "TYPE", "BUCKET", "WEIGHT", "PACKETS", "BYTES", "FLOWS"]
    assert stats[1].split() == ["1", "SELECT", "all", "-", "2", "120", "1"]
    document = tmp_path / "groups.json"
    document.write_text(ctl.text("--json", "group", "dump"))
    assert "deleted" in ctl.text("group", "del", "group_id=1")
    assert ctl.text("flow", "dump") == "" == ctl.text("group", "dump")
    ctl.text("group", "add", "-f", document)
    assert ctl.text("group", "dump", "--no-names") == GROUP + "\n"
    ctl.text("group", "mod", "group_id=1,type=all,bucket=output:2")
    assert "type=all" in ctl.text("group", "dump")
    assert "there is no group 9" in ctl.refused("group", "dump", "9")
    assert "OFPGMFC_GROUP_EXISTS" in ctl.refused("group", "add", "group_id=1,type=all")
    ctl.text("group", "del", "group_id=all")


def test_meters(ctl):
    meter = "meter=1,kbps,burst,bands=type=drop,rate=1000,burst_size=100"
    ctl.text("meter", "add", meter)
    assert ctl.text("meter", "dump") == meter + "\n"
    ctl.text("meter", "mod", meter.replace("1000", "2000"))
    assert "rate=2000" in ctl.text("meter", "dump", "1")
    assert "2000 kbit/s" in ctl.text("stats", "meters")
    assert ctl.json("meter", "dump", "1")["unit"] == "KB_PER_SEC"
    ctl.text("meter", "del", "meter=1")
    assert ctl.text("meter", "dump") == ""


def test_bundle(ctl, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.write_text("group add %s\nmeter add meter=2,pktps,bands=type=drop,rate=5\n"
                      "flow add table=1,actions=group:1\nflow add tcp,actions=meter:2,output:1\n"
                      "packet-out in_port=vm-a,packet=%s,actions=table\n" % (GROUP, 30 * "00"))
    ctl.text("bundle", bundle)
    assert len(ctl.flows()) == 2
    bundle.write_text("flow delete tcp\ngroup delete group_id=all\nflow add actions=group:1\n")
    said = ctl.refused("bundle", bundle)
    assert "%s:3: OFPBAC_BAD_OUT_GROUP" % bundle in said and "nothing was changed" in said
    assert len(ctl.flows()) == 2
    bundle.write_text("flow delete tcp\nflow addd tcp,actions=drop\ngroup add group_id=x\n")
    said = ctl.refused("bundle", bundle, code=USAGE)
    assert "%s:2:" % bundle in said and "%s:3:20:" % bundle in said and "nothing was sent" in said
    operations = json.dumps({"operations": [{"op": "delete", "flow": {}}]})
    ctl.text("bundle", "-", stdin=operations)
    assert ctl.text("flow", "dump") == ""


# --- ports, tables, the device ---

def test_ports(ctl):
    lines = ctl.text("port", "list").split("\n")
    assert re.split("  +", lines[0].strip()) == \
        ["PORT", "NAME", "TYPE", "ADMIN", "LINK", "STATE", "OPTIONS"]
    assert lines[1].split() == ["1", "vm-a", "memory", "up", "up", "ADDED"]
    assert ctl.text("port") == ctl.text("port", "list")
    assert ctl.text("port", "add", "new", "type=memory", "mtu=1400") == "port 4\n"
    ctl.text("port", "add", "nine", "number=9", "type=memory")
    assert ctl.json("port", "show", "new")["mtu"] == 1400
    assert ctl.json("port", "show", "9")["name"] == "nine"
    ctl.text("port", "down", "new")
    assert "admin     down\n" in ctl.text("port", "show", "new")
    ctl.text("port", "up", "4")
    ctl.text("port", "mod", "new", "no-packet-in")
    ctl.text("port", "mod", "new", "no-receive")
    assert ctl.json("port", "show", "new")["config"] == ["NO_RECV", "NO_PACKET_IN"]
    ctl.text("port", "mod", "new", "receive")
    assert "setting   NO_PACKET_IN\n" in ctl.text("port", "show", "new")
    assert 'did you mean "nine"?' in ctl.refused("port", "show", "nin")
    assert "there is no port 77" in ctl.refused("port", "del", "77")
    assert "4" in ctl.refused("port", "add", '{"number": 4, "name": "x", "type": "memory"}')
    said = ctl.refused("port", "add", "x", "type=pcap", "in=/nonexistent")
    assert "/nonexistent" in said
    ctl.text("port", "del", "new")
    ctl.text("port", "del", "nine")
    ctl.text("port", "add", "vx", "type=vxlan", "local=192.0.2.1", "remote=flow", "vni=flow",
             "vnis=100,200", "peers=192.0.2.2")
    assert ctl.json("port", "show", "vx")["options"]["vnis"] == [100, 200]
    assert "vnis=100,200" in ctl.text("port", "list")
    ctl.text("port", "del", "vx")


def test_tables(ctl):
    ctl.text("table", "mod", "2", "name=output", "max_entries=2", "evict")
    assert ctl.text("table", "list").split("\n")[2].split()[:4] == ["2", "output", "0", "2"]
    ctl.text("flow", "add", "table=output,tcp,actions=drop", "table=2,udp,actions=drop")
    assert ctl.text("flow", "dump", "table=output").count("\n") == 2
    ctl.text("table", "mod", "output", "noevict", "vacancy:20,80")
    assert ctl.json("table")["tables"][1]["vacancyUp"] == 80
    assert "no table xyz" in ctl.refused("table", "mod", "xyz", "evict")
    assert 'did you mean "output"' in ctl.refused("table", "mod", "outptu", "evict")
    for word, near in (("evcit", "evict"), ("nmae=x", "name="), ("max_entires=5", "max_entries="),
                       ("vacncy:1,2", "vacancy:")):
        said = ctl.refused("table", "mod", "2", word, code=USAGE)
        assert 'no setting "%s"; did you mean "%s"?' % (word, near) in said
    assert "novacancy" in ctl.refused("table", "mod", "2", "colour=red", code=USAGE)
    before = ctl.json("table")
    for word in ("max_entries=", "max_entries=abc", "max_entries=5x", "max_entries=-1",
                 "vacancy:1", "vacancy:1,2,3", "vacancy:-1,2", "vacancy:1,2x"):
        assert word in ctl.refused("table", "mod", "2", word, code=USAGE)
    assert ctl.json("table") == before
    assert "nw_dst" not in ctl.text("table", "features") and ctl.json("table", "features", "1")
    ctl.text("flow", "del")
    assert ctl.text("stats", "tables").split("\n")[0].split() == \
        ["TABLE", "NAME", "FLOWS", "LOOKUPS", "MATCHES", "MISSES"]


def test_words_of_ports_and_watches(ctl):
    for words, near in (("typ=dpdk", "type"), ("type=dpkd", "dpdk"),
                        ("type=vehost-user", "vhost-user")):
        assert 'did you mean "%s"?' % near in ctl.refused("port", "add", "x", words, code=USAGE)
    assert "say what kind of port" in ctl.refused("port", "add", "x", "mtu=1500", code=USAGE)
    assert 'no driver for type "quantum"' in ctl.refused("port", "add", "x", "type=quantum")
    assert 'not "flwo" (did you mean "flow"?)' in ctl.refused("watch", "--kinds", "group,flwo")


def test_device_status_stats(ctl):
    assert "device       of:0000000000000001\n" in ctl.text("device")
    assert ctl.text("device").split("\n")[0] == ctl.text("device", "show").split("\n")[0]
    assert ctl.json("device")["available"] is True
    status = ctl.text("status")
    assert "in step      yes\n" in status and "3 ports" in status and ", admin\n" in status
    assert ctl.json("status")["objects"]["ports"] == 3
    ctl.text("flow", "add", "in_port=spare,actions=drop")
    send(ctl, "spare")
    eventually(lambda: "spare" in ctl.text("stats", "drops"))
    drops = [line.split(None, 4) for line in ctl.text("stats", "drops").strip().split("\n")[1:]]
    assert ["3", "spare", "no_action"] in [[d[0], d[1], d[3]] for d in drops]
    assert "no_action: the flow" in ctl.text("port", "show", "spare")
    networks = ctl.text("stats", "networks").split("\n")
    assert networks[0].split() == ["NETWORK", "ID", "PACKETS", "REASON", "MEANING"]
    assert ["none", "-", "no_action"] in [[*row.split()[:2], row.split()[3]]
                                          for row in networks[1:] if row]
    assert ctl.json("stats", "networks")["statistics"][0]["networks"]
    assert ctl.text("stats", "ports").split("\n")[1].split()[:2] == ["1", "vm-a"]
    assert ctl.json("stats", "ports")["statistics"][0]["ports"][0]["port"] == 1
    assert ctl.json("stats", "drops")["ports"]


# --- packets ---

RULES = ["priority=200,ip,in_port=vm-a,nw_dst=10.0.0.9,actions=drop",
         "priority=10,in_port=vm-a,actions=set_field:5->reg3,goto_table:policy",
         "table=policy,priority=9,tcp,tp_dst=443,actions=drop",
         "table=policy,priority=1,ip actions=dec_ttl,output:vm-b,controller"]


def test_trace(ctl):
    ctl.text("flow", "add", *RULES)
    said = ctl.text("trace", "in_port=vm-a,tcp,nw_src=10.0.0.2,nw_dst=10.0.0.1,tp_dst=80")
    flow = r"           flow -?\d+ of tenonctl\n"
    assert re.fullmatch(
        r"in by port 1 \(vm-a\): 60 bytes\n"
        r"  tcp,nw_src=10\.0\.0\.2,nw_dst=10\.0\.0\.1,nw_ttl=64,tp_dst=80\n"
        r"table 0\n"
        r'  matches  priority=10,in_port="vm-a" actions=load:0x5->NXM_NX_REG3\[\],goto_table:policy\n'
        + flow +
        r'  not      priority=200,ip,in_port="vm-a",nw_dst=10\.0\.0\.9 actions=drop\n'
        r"           because the packet has nw_dst=10\.0\.0\.1\n"
        r"  with     reg3=0x5\n"
        r"table 1 \(policy\)\n"
        r'  matches  priority=1,ip actions=dec_ttl,output:"vm-b",CONTROLLER:65535\n' + flow +
        r"  not      priority=9,tcp,tp_dst=443 actions=drop\n"
        r"           because the packet has tp_dst=80\n"
        r"out by port 2 \(vm-b\): 60 bytes\n"
        r"  tcp,nw_src=10\.0\.0\.2,nw_dst=10\.0\.0\.1,nw_ttl=63,tp_dst=80\n"
        r"  [0-9a-f]{120}\n"
        r"to the controller, from table 1: 60 bytes\n"
        r"  tcp,nw_src=10\.0\.0\.2,nw_dst=10\.0\.0\.1,nw_ttl=63,tp_dst=80\n"
        r"  [0-9a-f]{120}\n", said.replace("set_field:0x5->reg3", "load:0x5->NXM_NX_REG3[]")), said
    said = ctl.text("trace", "in_port=vm-a,tcp,tp_dst=443")
    assert "\ndropped: no_action\n" in said
    said = ctl.text("trace", "in_port=vm-b,arp")
    assert "  no rule matches\n" in said and "dropped: table_miss\n" in said
    assert "because the packet has in_port=\"vm-b\"" in said
    assert "n_packets=1" not in ctl.text("flow", "dump")
    steps = ctl.json("trace", "in_port=1,udp,nw_dst=10.0.0.1")["steps"]
    assert [s["tableId"] for s in steps] == [0, 1]
    assert {"type": "IP_TTL", "ttl": 64} in steps[1]["packet"]["criteria"]


def test_trace_of_frames(ctl):
    ctl.text("flow", "add", "in_port=vm-a,actions=output:vm-b")
    frame = "ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c0000202"
    said = ctl.text("trace", "in_port=vm-a", frame + 36 * "0")
    assert "  arp,dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,arp_spa=192.0.2.1," \
           "arp_tpa=192.0.2.2,arp_op=1,arp_sha=02:00:00:00:00:01\n" in said
    capture = os.path.join(TOP, "tests/data/kernel-vxlan/uplink4-in.pcap")
    said = ctl.text("trace", "in_port=vm-a", capture, "--packet", "86")
    assert re.search(r"udp,.*tp_dst=4789 vxlan\(vni=200,", said), said
    assert ctl.json("trace", "in_port=vm-a", capture, "--packet", "1")["outputs"][0]["frame"]
    for words, what in [(["in_port=vm-a", "zz"], "hex digits"), (["in_port=vm-a", "00"], "14 bytes"),
                        (["in_port=vm-a", "/nonexistent.pcap"], "no such file"),
                        (["in_port=vm-a", capture, "--packet", "9999"], "no packet 9999"),
                        (["in_port=vm-a,tcp", frame], "the frame itself"),
                        (["tcp"], "in_port=PORT"), (["in_port=vm-a,reg1=3"], "reg1")]:
        assert what in ctl.refused("trace", *words, code=USAGE)


def test_trace_out_of_a_tunnel(ctl):
    ctl.text("port", "add", "vx", "number=8", "type=vxlan", "local=192.0.2.1", "remote=flow",
             "vni=flow", "vnis=100,200")
    ctl.text("flow", "add", "in_port=vx,tun_id=100,tun_src=192.0.2.2,actions=output:vm-b",
             "in_port=vx,tun_id=200,actions=drop")
    said = ctl.text("trace", "in_port=vx,tun_id=100,tun_src=192.0.2.2,tun_dst=192.0.2.1,icmp")
    assert "out of the tunnel: tun_id=100\n" in said and "out by port 2 (vm-b)" in said
    said = ctl.text("trace", "in_port=vx,tun_id=200,icmp")
    assert "dropped: no_action" in said and "because the packet has tun_id=0xc8\n" in said
    ctl.text("flow", "del")
    ctl.text("port", "del", "vx")


def test_packet_out_and_watch(ctl):
    ctl.text("flow", "add", "in_port=vm-a,actions=controller")
    watch = subprocess.Popen(
        [TENONCTL, "watch", "--kinds", "packet-in,flow", "--count", "3"], env=ctl.env,
        stdout=subprocess.PIPE, text=True)
    lines = [watch.stdout.readline(), watch.stdout.readline()]
    assert ' INITIAL flow in_port="vm-a" actions=CONTROLLER:65535\n' in lines[0]
    assert lines[1].startswith("SYNCED") or " SYNCED" in lines[1]
    send(ctl, "vm-a")
    line = watch.stdout.readline()
    assert re.search(r" PACKET_IN packet-in in_port=vm-a table=0 60 bytes: "
                     r"dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,dl_type=0x88b5\n$", line), line
    assert watch.wait(20) == OK
    for words, what in [(["packet=00,actions=drop"], "14 bytes"), (["actions=drop"], "packet=HEX"),
                        (["in_prt=1,packet=00,actions=drop"], "in_prt"),
                        (["packet=%s,actions=outptu:1" % (30 * "00")], 'did you mean "output"')]:
        assert what in ctl.refused("packet-out", *words, code=USAGE)


def test_watch_goes_on(ctl):
    event = json.loads(ctl.text("--json", "watch", "--kinds", "flow", "--count", "1"))
    assert event["event"] == "SYNCED"
    sequence = ctl.json("status")["sequence"]
    ctl.text("flow", "add", "tcp,actions=drop")
    since = ["watch", "--kinds", "flow", "--since", str(sequence), "--count", "1"]
    assert ctl.text(*since).endswith(" ADDED flow tcp actions=drop\n")
    assert json.loads(ctl.text("--json", *since))["object"]["priority"] == 32768
    said = ctl.refused("watch", "--kinds", "flwo")
    assert "flwo" in said
    assert "410" in ctl.refused("--json", "watch", "--since", "1")


def test_top(ctl):
    ctl.text("flow", "add", "in_port=vm-a,actions=output:vm-b")
    top = subprocess.Popen([TENONCTL, "--json", "top", "flows", "--interval", "0.2", "--count", "50"],
                           env=ctl.env, stdout=subprocess.PIPE, text=True)
    seen = False
    for line in top.stdout:
        look = json.loads(line)
        seen |= any(f["packetsPerSecond"] > 0 for f in look["flows"])
        if seen:
            break
        send(ctl, "vm-a")
    top.kill()
    top.wait()
    top.stdout.close()
    assert seen
    lines = ctl.text("top", "--interval", "0.1", "--count", "2").strip("\n").split("\n")
    assert len(lines) == 10 and re.split("  +", lines[0].strip())[2] == "RX PACKET/s"
    assert len(set(len(line) for line in lines)) == 1
    assert ctl.json("top", "ports", "--interval", "0.1", "--count", "1")["ports"][0]["name"] == "vm-a"
    assert ctl.text("top", "flows", "--interval", "0.1", "--count", "1") == \
        "PACKET/s  BIT/s  FLOW\n"


# --- the whole ---

def test_config(ctl, tmp_path):
    ctl.text("flow", "add", "tcp,actions=drop")
    document = tmp_path / "switch.json"
    document.write_text(ctl.text("config", "get"))
    subprocess.run([os.path.join(BUILD, "tools/replay/tenon-replay"), "--config", document,
                    "--check"], check=True, capture_output=True)
    ctl.text("flow", "add", "udp,actions=drop")
    dry = ctl.text("config", "put", document, "--dry-run")
    assert dry == "-flow udp actions=drop\n1 change; nothing was done (--dry-run)\n"
    assert ctl.text("config", "put", document) == "1 object changed\n"
    assert ctl.flows() == ["tcp actions=drop"]
    assert ctl.text("config", "put", document) == "0 objects changed\n"
    document.write_text('{"flows": [\n {"priority": 70000}]}')
    assert "/flows/0" in ctl.refused("config", "put", document)
    document.write_text('{"flows": [}')
    assert "%s:1:12:" % document in ctl.refused("config", "put", document, code=USAGE)


# --- what is much ---

def rules(n):
    return "".join("priority=%d,tcp,tp_dst=%d,actions=drop\n" % (i % 1000, i // 1000)
                   for i in range(n))


def count(ctl):
    return ctl.json("status")["objects"]["flows"]


def test_many_flows_are_one_transaction(ctl, tmp_path):
    """As many as tenond takes in one request: over 65,536, over 16 MB as JSON."""
    text = tmp_path / "rules"
    text.write_text(rules(70000))
    before = ctl.json("config", "get", "--no-names")
    assert ctl.text("flow", "add", "-f", text, "--dry-run").endswith(
        "70000 changes; nothing was done (--dry-run)\n")
    said = ctl.text("flow", "add", "-f", text, "--confirm-within", "300")
    assert count(ctl) == 70000
    ctl.text("cancel", re.search(r"tenonctl confirm (\d+)", said).group(1))
    assert ctl.json("config", "get", "--no-names") == before


@pytest.mark.parametrize("limits", [{"elements": 64}, {"bodyBytes": 20000}])
def test_what_is_too_much_for_one(tmp_path, limits):
    """The daemon says what is: then in several, unless it was to be all or nothing."""
    tenon = Tenon(tmp_path, document=DOCUMENT, config={"limits": limits})
    ctl = start(tenon)
    try:
        text = tmp_path / "rules"
        text.write_text(rules(1000))
        for words in (("flow", "add", "--confirm-within", "300", "-f"), ("bundle",)):
            said = ctl.refused(*words, text)
            assert "limits/bodyBytes" in said or "elements" in said, said
            assert count(ctl) == 0
        done = ctl("flow", "add", "-f", text)
        assert done.returncode == OK and "sent as several" in done.stderr, done
        assert done.stderr.count("\n") == 1 and count(ctl) == 1000
        text.write_text(rules(990) + "priority=1,actions=group:9\n")
        done = ctl("flow", "add", "-f", text)
        assert done.returncode == REFUSED and "%s:991: OFPBAC_BAD_OUT_GROUP" % text in done.stderr
        assert re.search(r"the first [1-9]\d+ operations were done", done.stderr), done
        # One that alone is too large is not divided.
        text.write_text("actions=" + ",".join(["output:1,output:2"] * 500) + "\n")
        if "bodyBytes" in limits:
            assert "limits/bodyBytes" in ctl.refused("flow", "add", "-f", text)
    finally:
        tenon.close()


# --- what is away ---

def test_data_plane_away(tmp_path):
    tenon = Tenon(tmp_path, document=DOCUMENT)
    ctl = start(tenon)
    ctl.text("flow", "add", "priority=1,tcp,actions=drop")
    tenon.dataplane.kill()
    eventually(lambda: "away" in ctl("status").stdout)
    assert ctl("status").returncode == UNREACHABLE
    done = ctl("flow", "add", "priority=2,tcp,actions=drop")
    assert done.returncode == OK and "is stored, and made when it is back" in done.stderr
    assert "PENDING_ADD" in ctl.text("flow", "dump")
    assert ctl.refused("trace", "in_port=1,tcp", code=UNREACHABLE)
    tenon.tenond.kill()
    assert "is tenond running?" in ctl.refused("flow", "dump", code=UNREACHABLE)
    tenon.close()


# --- from elsewhere ---

SECRET = "correct horse battery staple"


def make_certificates(folder):
    """ca.pem, server.pem and client.pem with their keys, for 127.0.0.1 and a client "root"."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=test ca", "-keyout", "ca.key", "-out", "ca.pem")
    for name, subject in (("server", "/CN=127.0.0.1"), ("client", "/CN=root")):
        (folder / (name + ".ext")).write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                subject, "-keyout", name + ".key", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", name + ".ext", "-out", name + ".pem")


def test_over_tls(tmp_path):
    make_certificates(tmp_path)
    port, plain = free_port(), free_port()
    tenon = Tenon(tmp_path, document=DOCUMENT, config={
        "listen": [{"address": "127.0.0.1", "port": port, "key": str(tmp_path / "server.key"),
                    "certificate": str(tmp_path / "server.pem"),
                    "clientCa": str(tmp_path / "ca.pem")},
                   {"address": "127.0.0.1", "port": plain}],
        "tokens": [{"name": "looker", "role": "viewer",
                    "sha256": hashlib.sha256(SECRET.encode()).hexdigest()},
                   {"name": "root", "role": "admin"}]})
    ctl = start(tenon)
    token, wrong = tmp_path / "token", tmp_path / "wrong"
    token.write_text(SECRET + "\n")
    wrong.write_text("something else")
    ca = ["--ca", tmp_path / "ca.pem"]
    there = ["--server", "https://127.0.0.1:%d" % port, *ca]
    assert ", viewer\n" in ctl.text(*there, "--token-file", token, "status")
    assert "looker" in ctl.text(*there, "--token-file", token, "status")
    assert "operator" in ctl.refused(*there, "--token-file", token, "flow", "add", "actions=drop")
    client = ["--cert", tmp_path / "client.pem", "--key", tmp_path / "client.key"]
    assert ", admin\n" in ctl.text(*there, *client, "status")
    ctl.text(*there, *client, "flow", "add", "in_port=vm-a actions=drop")
    assert ctl.flows() == ['in_port="vm-a" actions=drop']
    assert "--token-file" in ctl.refused(*there, "status")
    assert "--token-file" in ctl.refused(*there, "--token-file", wrong, "status")
    # What is wrong with the connection is said.
    for words, says in [
            (["--server", "https://127.0.0.1:%d" % port], "--ca FILE"),
            (["--server", there[1], "--ca", wrong], "--ca"),
            (["--server", "https://127.0.0.1:%d" % plain, *ca], "http://"),
            (["--server", "http://127.0.0.1:%d" % port], "https://"),
            (["--server", "https://127.0.0.1:1", *ca], "nobody answers"),
            (["--server", "https://tenon.invalid", *ca], "resolve")]:
        assert says in ctl.refused(*words, "--token-file", token, "status", code=UNREACHABLE)
    assert "nonexistent" in ctl.refused(*there, "--token-file", "/nonexistent", "status",
                                        code=USAGE)
    # The same by the environment; an option comes before it.
    ctl.env.update(TENON_SERVER=there[1], TENON_TOKEN_FILE=str(token), TENON_CA=str(ca[1]))
    assert ", viewer\n" in ctl.text("status")
    assert ", admin\n" in ctl.text("--socket", tenon.socket, "status")
    assert ", viewer\n" in ctl.text("--server", "http://127.0.0.1:%d" % plain, "status")
    tenon.close()


# --- terminals ---

def on_terminal(ctl, *words, env=None):
    """What it prints there."""
    command = " ".join("'%s'" % w for w in [TENONCTL, *words])
    return subprocess.run(["script", "-qec", command, "/dev/null"], env=dict(ctl.env, **(env or {})),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60).stdout


def test_colour_on_a_terminal_alone(ctl):
    ctl.text("flow", "add", "tcp,actions=drop")
    for words in (["port", "list"], ["flow", "dump"], ["status"], ["trace", "in_port=1,tcp"]):
        assert "\x1b[" not in ctl.text(*words)
        assert "\x1b[" in ctl.text("--color", "always", *words)
        assert "\x1b[" in on_terminal(ctl, *words, env={"TERM": "xterm"})
        assert "\x1b[" not in on_terminal(ctl, *words, env={"TERM": "dumb"})
        assert "\x1b[" not in on_terminal(ctl, *words, env={"TERM": "xterm", "NO_COLOR": "1"})
        assert "\x1b[" not in on_terminal(ctl, "--color", "never", *words, env={"TERM": "xterm"})


def test_completion_knows_the_switch(ctl):
    def complete(*words):
        return ctl.text("complete", "--", *words).split()

    ctl.text("group", "add", "group_id=17,type=all")
    ctl.text("meter", "add", "meter=4,pktps,bands=type=drop,rate=5")
    assert complete("port", "show", "vm") == ["vm-a", "vm-b"]
    assert complete("port", "mod", "vm-a", "no-p") == ["no-packet-in"]
    assert complete("flow", "add", "in_port=sp") == ["in_port=spare"]
    assert complete("flow", "add", "tcp,actions=output:vm") == \
        ["tcp,actions=output:vm-a", "tcp,actions=output:vm-b"]
    assert complete("flow", "dump", "table=po") == ["table=policy"]
    assert complete("flow", "add", "actions=goto_table:p") == ["actions=goto_table:policy"]
    assert complete("flow", "add", "actions=group:") == ["actions=group:17"]
    assert complete("group", "dump", "") == ["17"]
    assert complete("group", "del", "group_id=") == ["group_id=17"]
    assert complete("meter", "dump", "") == ["4"]
    assert "policy" in complete("table", "mod", "")
    ctl.text("group", "del", "group_id=all")
    ctl.text("meter", "del", "meter=all")
