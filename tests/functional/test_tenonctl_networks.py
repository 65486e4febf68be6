# SPDX-License-Identifier: BSD-3-Clause
"""tenonctl network, subnet, vport, router, host, ..., topology and apply."""
import json
import os
import re
import signal
import subprocess
import threading

import pytest

from northbound import (DEVICE, FRAME, flow, free_port, operations, secret_of, start, token)
from test_tenonctl_parse import OK, TENONCTL, USAGE


@pytest.fixture
def ctl(tmp_path):
    site = start(tmp_path, host="h1")

    def run(*words, want=OK, stdin=None):
        done = subprocess.run([TENONCTL, "--socket", site.socket, *words], input=stdin,
                              capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, LC_ALL="C"))
        assert done.returncode == want, done
        return done.stdout + done.stderr
    run.socket = site.socket
    run.complete = lambda *words: subprocess.run(
        [TENONCTL, "complete", "--", *words], capture_output=True, text=True, check=True,
        timeout=30, env=dict(os.environ, TENON_SOCKET=site.socket)).stdout.split()
    yield run
    site.close()


def test_a_network_by_commands(ctl):
    ctl("host", "create", "h1", 'vtep_addresses=["192.0.2.1"]')
    ctl("network", "create", "web", "tenant_id=red", "vni=700")
    ctl("subnet", "create", "web4", "network_id=web", "cidr=10.0.0.0/24")
    ctl("vport", "create", "vm1", "network_id=web", "binding.kind=vm", "binding.host=h1",
        "binding.vhost_socket=/tmp/never-vm1.sock")
    ctl("router", "create", "r1", "tenant_id=red", 'interfaces=[{"subnet_id":"web4"}]')
    table = ctl("vport", "list").split("\n")
    assert table[0].split() == ["ID", "NETWORK", "MAC", "ADDRESSES", "KIND", "HOST", "STATUS"]
    assert table[1].split()[0] == "vm1" and "10.0.0.2" in table[1] and "h1" in table[1]
    assert "700" in ctl("network", "list") and "10.0.0.1" in ctl("router", "list")
    ctl("network", "set", "web", "name=Web", "vni=701")
    assert json.loads(ctl("network", "show", "web"))["vni"] == 701
    told = ctl("network", "del", "web", want=1)
    assert 'in use by subnet "web4", port "vm1"' in told
    assert json.loads(ctl("vport", "del", "vm1", "--dry-run"))["total"] > 10
    ctl("vport", "del", "vm1")
    assert "vm1" not in ctl("vport", "list")
    ctl("network", "create", "x", "novalue", want=USAGE)


def test_apply(ctl, tmp_path):
    path = tmp_path / "town.json"
    town = {"hosts": [{"id": "h1", "vtep_addresses": ["192.0.2.1"]}],
            "networks": [{"id": "n"}],
            "subnets": [{"id": "s", "network_id": "n", "cidr": "10.0.0.0/24"}],
            "ports": [{"id": "a", "network_id": "n"}]}
    path.write_text(json.dumps(town))
    for _ in range(2):
        ctl("apply", str(path))
        assert "10.0.0.2" in ctl("vport", "list")
    town["ports"] += [{"id": "b", "network_id": "m"}, {"id": "c", "network_id": "n",
                                                      "fixed_ips": [{"ip_address": "10.0.0.2"}]}]
    path.write_text(json.dumps(town))
    told = ctl("apply", str(path), want=1)
    assert 'no network "m"' in told and 'an address of port "a"' in told
    # Where it stands in the file.
    assert "%s: /ports/1/network_id: " % path in told and "%s: /ports/2/fixed_ips/0" % path in told
    town["ports"][1:] = [{"id": "d", "netwrok_id": "n"}]
    assert '<stdin>: /ports/1/netwrok_id: unknown key "netwrok_id"' in ctl(
        "apply", "-", stdin=json.dumps(town), want=1)
    town["ports"][1:] = [{"id": "d", "network_id": "n"}]
    told = ctl("apply", "-", "--dry-run", stdin=json.dumps(town))
    assert "+tenant-port d network_id=n mac_address=02:" in told and "nothing was done (--dry-run)" in told
    told = ctl("apply", "-", "--confirm-within", "300", stdin=json.dumps(town))
    assert "d " in ctl("vport", "list")
    ctl("cancel", re.search(r"tenonctl confirm (\d+)", told).group(1))
    assert "d " not in ctl("vport", "list")
    path.write_text('{"nets": []}')
    assert '"nets"' in ctl("apply", str(path), want=USAGE)
    path.write_text('{"netwroks": []}')
    assert 'did you mean "networks"?' in ctl("apply", str(path), want=USAGE)
    path.write_text('[1,')
    assert "%s:1:3:" % path in ctl("apply", str(path), want=USAGE)


@pytest.fixture
def as_red(tmp_path):
    """With the token of an operator who is bound to tenant red."""
    port = free_port()
    site = start(tmp_path, host="h1", tokens=[token("red", "operator", tenant="red")],
                 listen=[{"address": "127.0.0.1", "port": port}])
    (tmp_path / "token").write_text(secret_of("red"))
    server = ["--server", "http://127.0.0.1:%d" % port, "--token-file", str(tmp_path / "token")]

    def run(*words, want=OK, stdin=None):
        done = subprocess.run([TENONCTL, *server, *words], input=stdin, capture_output=True,
                              text=True, timeout=30)
        assert done.returncode == want, done
        return done.stdout + done.stderr
    run.site = site
    yield run
    site.close()


def test_what_a_tenants_token_is_good_for(as_red):
    """Commands ask for no more of the switch than a tenant may know."""
    site, ctl = as_red.site, as_red
    town = {"networks": [{"id": n, "tenant_id": n} for n in ("red", "blue")],
            "ports": [{"id": n + "-1", "network_id": n} for n in ("red", "blue")]}
    site.api().post("/v1/flows/" + DEVICE, flow(7), want=201)
    ctl("apply", "-", stdin=json.dumps({key: values[:1] for key, values in town.items()}))
    site.api().post("/v1/transactions", operations(
        *({"op": "add", kind: town[kind + "s"][1]} for kind in ("network", "port"))), want=200)
    for words in (("network", "list"), ("vport", "list"), ("topology",)):
        told = ctl(*words)
        assert "red" in told and "blue" not in told, told
    for words in (("status",), ("device",), ("table", "features"), ("quota", "list"),
                  ("host", "list"), ("subnet", "list"), ("router", "list"),
                  ("watch", "--count", "3"), ("top", "--count", "1", "--interval", "0.1"),
                  ("top", "flows", "--count", "1", "--interval", "0.1"), ("stats", "ports"),
                  ("stats", "drops"), ("stats", "networks"), ("stats", "groups"), ("stats", "meters"), ("port", "list"),
                  ("flow", "dump"), ("group", "dump"), ("meter", "dump")):
        told = ctl(*words)
        assert "blue" not in told and "priority=7" not in told and "p1" not in told, (words, told)
    told = ctl("apply", "-", "--confirm-within", "300", stdin=json.dumps(
        {"networks": [{"id": "more", "tenant_id": "red"}]}))
    ctl("cancel", re.search(r"tenonctl confirm (\d+)", told).group(1))
    assert "more" not in ctl("network", "list")
    ctl("vport", "set", "red-1", "name=front")
    assert "front" in ctl("vport", "show", "red-1")
    assert 'no port "blue-1"' in ctl("vport", "set", "blue-1", "name=x", want=1)
    for words in (("flow", "add", "actions=drop"), ("table", "list"), ("trace", "in_port=1,tcp"),
                  ("group", "add", "group_id=1,type=all"), ("stats", "tables"),
                  ("packet-out", "packet=%s,actions=drop" % FRAME)):
        assert "OFPBRC_EPERM" in ctl(*words, want=1), words


# --- what networks are for an operator ---

def two_tenants():
    """With the same addresses: a front and a back network each, joined by a router; what is bare
    metal is on the four ports of the switch, the rest on another host."""
    town = {"hosts": [{"id": "h%d" % n, "vtep_addresses": ["192.0.2.%d" % n]} for n in (1, 2)],
            "networks": [], "subnets": [], "ports": [], "routers": []}
    for tenant in ("red", "blue"):
        for n, net in enumerate(("front", "back")):
            name, device = tenant + "-" + net, "p%d" % (len(town["networks"]) + 1)
            town["networks"].append({"id": name, "tenant_id": tenant, "name": net.upper()})
            town["subnets"] += [
                {"id": name + "4", "network_id": name, "cidr": "10.0.%d.0/24" % n},
                {"id": name + "6", "network_id": name, "cidr": "fd00:%d::/64" % n}]
            for k, binding in ((1, {"kind": "baremetal", "host": "h1", "device": device}),
                               (2, {"kind": "vm", "host": "h2"})):
                town["ports"].append({
                    "id": "%s-%d" % (name, k), "network_id": name, "name": "n%d" % k,
                    "mac_address": "02:00:00:00:0%d:0%d" % (n, k), "binding": binding,
                    "fixed_ips": [{"ip_address": "10.0.%d.1%d" % (n, k)},
                                  {"ip_address": "fd00:%d::1%d" % (n, k)}]})
        town["routers"].append({"id": tenant + "-router", "name": "gate", "tenant_id": tenant,
                                "interfaces": [{"subnet_id": "%s-%s%d" % (tenant, net, version)}
                                               for net in ("front", "back")
                                               for version in (4, 6)]})
    return town


@pytest.fixture
def town(ctl, tmp_path):
    path = tmp_path / "town.json"
    path.write_text(json.dumps(two_tenants()))
    ctl("apply", str(path))
    return ctl


def test_links_are_told_as_they_are(town):
    """Without counters being asked for, as from the first moment on."""
    rows = [line.split() for line in town("vport", "list").split("\n")[1:] if line]
    assert {r[-1] for r in rows if r[-2] == "h1"} == {"ACTIVE"}
    rows = [line.split() for line in town("port", "list").split("\n")[1:] if line]
    assert {r[1]: r[4] for r in rows} == dict.fromkeys(["p1", "p2", "p3", "p4", "vxlan4"], "up")


def purposes(told):
    """Of the rules that are of some object."""
    lines = [line.split(None, 1)[1] for line in told.split("\n") if line.startswith("  for ")]
    return [line for line in lines if "no other flow" not in line]


GATEWAY = "02:00:5e:00:01:01"


def test_a_trace_names_the_tenants_objects(town):
    """The same packet of either tenant: by which objects it goes where."""
    packet = ",icmp,dl_src=02:00:00:00:00:01,dl_dst=" + GATEWAY + \
        ",nw_src=10.0.0.11,nw_dst=10.0.1.11,icmp_type=8"
    for tenant, port, out in (("red", "p1", "p2"), ("blue", "p3", "p4")):
        told = town("trace", "in_port=" + port + packet)
        t = {"t": tenant}
        assert purposes(told) == [
            'frames of the port; port %(t)s-front-1 "n1", network %(t)s-front "FRONT"' % t,
            'port security: addresses that the port may send from; port %(t)s-front-1 "n1", '
            'subnet %(t)s-front4, network %(t)s-front "FRONT"' % t,
            'frames to the gateway are routed; network %(t)s-front "FRONT", '
            'router %(t)s-router "gate"' % t,
            'routed to the port; port %(t)s-back-1 "n1", subnet %(t)s-back4, '
            'network %(t)s-back "BACK", router %(t)s-router "gate"' % t,
            'bridged to the port; port %(t)s-back-1 "n1", network %(t)s-back "BACK"' % t,
            'to the port; port %(t)s-back-1 "n1", network %(t)s-back "BACK"' % t]
        assert "out by port " in told and "(%s)" % out in told
        steps = json.loads(town("--json", "trace", "in_port=" + port + packet))["steps"]
        routed, = [s["rule"] for s in steps if s["rule"]["purpose"] == "routed to the port"]
        assert routed["objects"] == [
            {"kind": "port", "id": tenant + "-back-1", "name": "n1"},
            {"kind": "subnet", "id": tenant + "-back4", "name": ""},
            {"kind": "network", "id": tenant + "-back", "name": "BACK"},
            {"kind": "router", "id": tenant + "-router", "name": "gate"}]
    echo = packet.replace("10.0.1.11", "10.0.0.1")
    assert purposes(town("trace", "in_port=p1" + echo))[-2:] == [
        'the gateway answers ping; router red-router "gate", subnet red-front4, '
        'network red-front "FRONT"',
        'to the port; port red-front-1 "n1", network red-front "FRONT"']
    # What an operator added by hand is of no tenant.
    town("flow", "add", "table=0,priority=60000,in_port=p1,tcp,actions=drop")
    told = town("trace", "in_port=p1,tcp")
    assert purposes(told) == [] and "of tenonctl" in told


# --- asking in the place of a port ---

def flows_of_ping(ctl):
    flows = json.loads(ctl("--json", "flow", "dump"))["flows"]
    return [f for f in flows if f["appId"] == "tenonctl-ping"]


@pytest.mark.parametrize("address,hop", [
    ("10.0.0.1", None), ("fd00:0::1", None), ("10.0.1.1", "10.0.0.1"), ("fd00:1::1", "fd00::1")])
def test_ping_of_gateways(town, address, hop):
    told = town("ping", "blue-front-1", address, "--count", "2", "--interval", "30")
    assert (", by gateway %s\n" % hop in told) == (hop is not None)
    assert "the gateway answers ping; router blue-router" in told and "red-" not in told
    assert "sequence 1, TTL 64" in told and "sequence 2, TTL 64" in told
    assert "2 sent, 2 answered; round trip " in told and "tenonctl-ping" not in told
    assert flows_of_ping(town) == []
    answer = json.loads(town("--json", "ping", "blue-front-1", address, "--interval", "30",
                             "--count", "1"))
    assert (answer["sent"], answer["answered"]) == (1, 1) and answer["path"]["steps"]
    assert answer["answers"][0]["answered"] and answer["answers"][0]["milliseconds"] > 0


def test_pings_without_an_answer(town):
    told = town("ping", "red-front-1", "10.0.1.11", "--count", "1", "--interval", "0.1", want=1)
    assert "routed to the port; port red-back-1" in told and "out by port 2 (p2)" in told
    assert "no answer: sequence 1" in told and "1 sent, 0 answered" in told
    told = town("ping", "red-front-1", "10.9.9.9", "--count", "1", "--interval", "30", want=1)
    assert "no route; router red-router" in told
    assert "10.0.0.1 says it cannot be reached (ICMP type 3 code 0): sequence 1" in told
    told = town("ping", "red-front-1", "fd00:9::9", "--count", "1", "--interval", "30", want=1)
    assert "cannot be reached (ICMP type 1 code 0)" in told
    told = town("ping", "red-front-1", "10.0.0.99", "--interval", "0.1", want=1)
    assert "nobody says that 10.0.0.99 is there: 3 ARP requests" in told
    assert "attached to this host, but to h2" in town("ping", "red-front-2", "10.0.0.1", want=1)
    assert "a port of the switch" in town("ping", "p1", "10.0.0.1", want=1)
    assert 'no port is "nobody"' in town("ping", "nobody", "10.0.0.1", want=1)
    assert "no address" in town("ping", "red-front-1", "nowhere", want=USAGE)
    town("port", "down", "p1")
    told = town("ping", "red-front-1", "10.0.0.1", "--interval", "0.1", want=1)
    assert "does not get far" in told and "administratively down" in told
    assert flows_of_ping(town) == []


def test_a_ping_that_is_stopped_leaves_nothing(town):
    process = subprocess.Popen(
        [TENONCTL, "--socket", town.socket, "ping", "red-front-1", "10.0.1.11", "--interval",
         "3600"], stdout=subprocess.PIPE, text=True)
    limit = threading.Timer(60, process.kill)
    limit.start()
    try:
        for line in process.stdout:
            if "out by port" in line:
                break
        assert len(flows_of_ping(town)) == 4
        process.send_signal(signal.SIGINT)
        assert "0 answered" in process.communicate(timeout=60)[0]
        assert flows_of_ping(town) == []
    finally:
        limit.cancel()
        process.kill()
        process.communicate()


# --- the tree ---

def test_topology(town):
    told = town("topology").split("\n")
    assert [line for line in told if line and line[0] not in " |`"] == [
        "tenant red", "tenant blue", "hosts"]
    red = town("topology", "red").split("\n")
    assert red[:3] == ["tenant red", red[1], "|  |- subnet red-front4  10.0.0.0/24  "
                       "gateway 10.0.0.1  DHCP"]
    assert red[1].startswith('|- network red-front "FRONT"  VNI ')
    assert [line for line in red if "port" in line][:2] == [
        '|  |- port red-front-1 "n1"  baremetal on h1 p1  02:00:00:00:00:01  '
        '10.0.0.11, fd00::11  ACTIVE',
        '|  `- port red-front-2 "n2"  vm on h2  02:00:00:00:00:02  10.0.0.12, fd00::12  elsewhere']
    assert red[-2].startswith('`- router red-router "gate"  10.0.0.1 of red-front4, fd00::1 of ')
    assert not any("blue" in line for line in red)
    assert "`- host h2  192.0.2.2" in told and "|- host h1  192.0.2.1  this one" in told
    tree = json.loads(town("--json", "topology"))
    front = tree["tenants"][1]["networks"][0]
    assert tree["tenants"][1]["id"] == "blue" and front["id"] == "blue-front"
    assert [s["id"] for s in front["subnets"]] == ["blue-front4", "blue-front6"]
    assert [p["status"] for p in front["ports"]] == ["ACTIVE", "N/A"]
    assert [h["id"] for h in tree["hosts"]] == ["h1", "h2"]
    assert "nothing" in town("topology", "nobody", want=1)


def test_policies_groups_and_quotas(ctl):
    ctl("quota", "create", "red", "port=20", "network=4")
    ctl("network", "create", "web", "tenant_id=red")
    table = [line.split() for line in ctl("quota", "list").split("\n")]
    assert table[:2] == [["TENANT", "NETWORKS", "SUBNETS", "PORTS", "ROUTERS", "QOS", "GROUPS"],
                         ["red", "1/4", "0", "0/20", "0", "0", "0"]]
    ctl("quota", "set", "red", "network=1")
    assert "quota" in ctl("network", "create", "other", "tenant_id=red", want=1)
    assert json.loads(ctl("quota", "show", "red"))["network"] == 1
    ctl("quota", "del", "red")
    ctl("qos-policy", "create", "slow", "tenant_id=red",
        'rules=[{"type":"bandwidth_limit","direction":"egress","max_kbps":8000},'
        '{"type":"dscp_marking","dscp_mark":10}]')
    assert "egress 8000 kbps,dscp 10" in ctl("qos-policy", "list")
    ctl("qos-policy", "set", "slow", 'rules=[{"type":"packet_rate_limit","direction":"ingress",'
                                     '"max_kpps":5}]')
    assert "ingress 5 kpps" in ctl("qos-policy", "list")
    ctl("network", "set", "web", "qos_policy_id=slow")
    assert "in use" in ctl("qos-policy", "del", "slow", want=1)
    ctl("address-group", "create", "office", "tenant_id=red", 'addresses=["10.0.0.0/24"]')
    ctl("address-group", "set", "office", 'addresses=["10.0.1.0/24","fd00::/64"]')
    assert "10.0.1.0/24,fd00::/64" in ctl("address-group", "list")
    assert json.loads(ctl("address-group", "show", "office"))["tenant_id"] == "red"
    ctl("address-group", "del", "office")
    assert "office" not in ctl("address-group", "list")
    assert ctl("address-group", "del", "office") == ""


def test_ids_are_offered(ctl):
    ctl("network", "create", "web", "tenant_id=red")
    ctl("network", "create", "wall", "tenant_id=red")

    def offered(*words):
        return ctl.complete(*words)
    assert offered("network", "show", "w") == ["web", "wall"]
    assert offered("network", "del", "wa") == ["wall"]
    assert offered("network", "create", "w") == [] and offered("quota", "show", "") == []
    assert {"qos-policy", "quota"} <= set(offered("q"))
