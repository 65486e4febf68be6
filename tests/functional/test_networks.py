# SPDX-License-Identifier: BSD-3-Clause
"""Tenants' networks over HTTP: declared, filled in, refused with reasons, kept."""
import json
import subprocess
import time

import pytest

from northbound import (DEVICE, FRAME, PORTS, Watch, flow, free_port, operations,
                        secret_of, start, token)
from test_tenonctl_parse import TENONCTL

ANY = {"If-Match": "*"}

H1 = {"id": "h1", "vtep_addresses": ["192.0.2.1"]}
H2 = {"id": "h2", "vtep_addresses": ["192.0.2.2"], "underlay_mtu": 9000}
TOKENS = [token("boss", "admin"), token("oscar", "operator"),
          token("red", "operator", tenant="red"), token("blue", "operator", tenant="blue"),
          token("viewer", "viewer", tenant="red")]


@pytest.fixture(scope="module")
def networked(tmp_path_factory):
    port = free_port()
    site = start(tmp_path_factory.mktemp("networks"), host="h1", tokens=TOKENS,
                 listen=[{"address": "127.0.0.1", "port": port}])
    site.port = port
    yield site
    site.close()


@pytest.fixture
def api(networked):
    """An administrator's, with nothing declared but two hosts."""
    client = networked.api()
    client.put("/v1/config", {"device": {"id": DEVICE}, "hosts": [H1, H2]}, headers=ANY, want=200)
    yield client
    client.close()


@pytest.fixture
def as_(networked, api):
    """as_("red"): that client."""
    made = []

    def client(name):
        made.append(networked.tcp(networked.port, secret_of(name)))
        return made[-1]
    yield client
    for c in made:
        c.close()


def town(api, tenant="red"):
    return api.post("/v1/transactions", operations(
        {"op": "add", "network": {"id": "n", "tenant_id": tenant}},
        {"op": "add", "subnet": {"id": "s", "network_id": "n", "cidr": "10.0.0.0/24"}},
        {"op": "add", "port": {"id": "p1", "network_id": "n", "binding": {
            "kind": "vm", "host": "h1", "vhost_socket": "/tmp/never-%s.sock" % tenant}}},
        {"op": "add", "port": {"id": "p2", "network_id": "n", "binding": {
            "kind": "vm", "host": "h2"}}}), want=200)


def errors(answer):
    return [(e["pointer"], e["detail"]) for e in answer.json["errors"]]


def installed(api):
    return sum(f["appId"] == "tenant" for f in api.get("/v1/flows").json["flows"])


# --- what is answered ---

def test_a_network_is_filled_in(api):
    made = api.post("/v1/networks", {"name": "web"}, want=201)
    network = made.json
    assert made.headers["location"] == "/v1/networks/" + network["id"]
    assert len(network["id"]) == 36 and 4096 <= network["vni"] < 1 << 24
    assert network["mtu"] == 1450 and network["status"] == "ACTIVE"
    assert network["provider:segmentation_id"] == network["vni"]
    assert network["port_security_enabled"] is True and network["subnets"] == []
    api.post("/v1/subnets", {"id": "web4", "network_id": network["id"], "cidr": "10.1.0.0/24",
                             "dns_nameservers": ["10.1.0.53"]}, want=201)
    api.post("/v1/subnets", {"id": "web6", "network_id": network["id"], "cidr": "2001:db8:1::/64",
                             "ipv6_address_mode": "slaac"}, want=201)
    port = api.post("/v1/ports", {"network_id": network["id"]}, want=201).json
    assert port["mac_address"].startswith("02:") and port["status"] == "DOWN"
    assert [i["subnet_id"] for i in port["fixed_ips"]] == ["web4", "web6"]
    assert port["fixed_ips"][0]["ip_address"] == "10.1.0.2"
    shown = api.get("/v1/networks/" + network["id"], want=200).json
    assert sorted(shown["subnets"]) == ["web4", "web6"]


def test_what_was_read_can_be_written(api):
    """And changes nothing."""
    town(api)
    api.put("/v1/routers/r", {"tenant_id": "red", "interfaces": [{"subnet_id": "s"}]}, want=201)
    for path in ("/v1/networks/n", "/v1/subnets/s", "/v1/ports/p1", "/v1/ports/p2", "/v1/routers/r",
                 "/v1/hosts/h1"):
        before = api.get(path, want=200)
        answer = api.put(path, before.json, want=200)
        assert answer.headers["etag"] == before.headers["etag"], path
        assert api.get(path).json == before.json
    assert api.get("/v1/routers/r").json["interfaces"] == [
        {"subnet_id": "s", "ip_address": "10.0.0.1"}]


def test_addresses_that_machines_make(api):
    """Who has another one is told of what that comes to."""
    api.put("/v1/networks/n", {}, want=201)
    subnet = {"network_id": "n", "cidr": "fd00::/64", "ipv6_address_mode": "slaac"}
    api.put("/v1/subnets/s", subnet, want=201)
    port = {"network_id": "n", "mac_address": "02:00:00:00:00:0b"}
    formed = "fd00::ff:fe00:b"
    made = api.put("/v1/ports/p", port, want=201).json
    assert made["fixed_ips"][0]["ip_address"] == formed and "warnings" not in made
    port["fixed_ips"] = [{"ip_address": "fd00::b"}]
    made = api.put("/v1/ports/p", port, want=200).json
    assert len(made["warnings"]) == 1 and formed in made["warnings"][0], made
    # What was answered can be said again.
    assert api.put("/v1/ports/p", made, want=200).json["warnings"] == made["warnings"]
    for more in ({"allowed_address_pairs": [{"ip_address": formed}]},
                 {"port_security_enabled": False},
                 {"fixed_ips": [{"ip_address": "fd00::b"}, {"ip_address": formed}]}):
        assert "warnings" not in api.put("/v1/ports/p", {**port, **more}, want=200).json, more
    api.put("/v1/ports/p", port, want=200)
    api.put("/v1/subnets/s", {**subnet, "ipv6_address_mode": "dhcpv6-stateful"}, want=200)
    assert "warnings" not in api.get("/v1/ports/p").json


def test_names_of_neutron(api):
    """Bodies under their name, several at once, provider:segmentation_id, project_id."""
    answer = api.post("/v1/networks", {"network": {
        "id": "n", "project_id": "red", "provider:segmentation_id": 77}}, want=201)
    assert answer.json["network"]["vni"] == 77 and answer.json["network"]["tenant_id"] == "red"
    answer = api.post("/v1/ports", {"ports": [{"network_id": "n"}, {"network_id": "n"}]}, want=201)
    assert len(answer.json["ports"]) == 2
    answer = api.patch("/v1/networks/n", {"network": {"name": "N"}}, want=200)
    assert answer.json["network"]["name"] == "N"
    assert api.get("/v1/networks?project_id=red&name=N").json["networks"][0]["id"] == "n"


def test_lists_are_filtered_and_paged(api):
    town(api)
    api.put("/v1/networks/other", {}, want=201)
    ids = [p["id"] for p in api.get("/v1/ports?network_id=n").json["ports"]]
    assert ids == ["p1", "p2"]
    assert [p["id"] for p in api.get("/v1/ports?host=h2").json["ports"]] == ["p2"]
    assert [p["id"] for p in api.get("/v1/ports?ip_address=10.0.0.3").json["ports"]] == ["p2"]
    assert api.get("/v1/ports?kind=tenant&binding=container").json["ports"] == []
    mac = api.get("/v1/ports/p1").json["mac_address"]
    assert [p["id"] for p in api.get("/v1/ports?mac_address=" + mac.upper()).json["ports"]] == [
        "p1"]
    assert [n["id"] for n in api.get("/v1/networks?tenant_id=red").json["networks"]] == ["n"]
    assert [s["id"] for s in api.get("/v1/subnets?network_id=n").json["subnets"]] == ["s"]
    page = api.get("/v1/ports?kind=tenant&limit=1", want=200)
    assert [p["id"] for p in page.json["ports"]] == ["p1"]
    where = page.headers["link"].split(">")[0][1:]
    assert [p["id"] for p in api.get(where).json["ports"]] == ["p2"]
    api.get("/v1/networks?after=nothing", want=400)
    api.get("/v1/ports?kind=other", want=400)
    # Ports of the switch are there, too, under their own names.
    assert {p["type"] for p in api.get("/v1/ports").json["ports"]} == {"vxlan", "vhost-user"}


def test_ports_of_the_switch_stand_beside(api):
    town(api)
    port = api.get("/v1/ports/p1").json
    number = port["binding"]["switch_port"]
    assert port["binding"]["socket"] == "/tmp/never-red.sock"
    assert api.get("/v1/ports/%d" % number).json["type"] == "vhost-user"
    assert api.get("/v1/ports/p2").json["status"] == "N/A"
    api.delete("/v1/ports/%d" % number, want=403)
    api.patch("/v1/ports/%d" % number, {"isEnabled": False}, want=403)
    api.put("/v1/ports/5", {"number": 5, "name": "five", "type": "dpdk",
                            "options": {"devargs": "net_null5,no-rx=1"}}, want=201)
    answer = api.put("/v1/ports/five", {"network_id": "n"}, want=409)
    assert "port 5 of the switch" in answer.json["detail"]
    api.delete("/v1/ports/p1", want=204)
    api.get("/v1/ports/%d" % number, want=404)


# --- changes ---

def test_patch(api):
    town(api)
    before = api.get("/v1/ports/p1").json
    answer = api.patch("/v1/ports/p1", {"name": "one", "admin_state_up": False,
                                        "fixed_ips": [{"ip_address": "10.0.0.9"}]}, want=200)
    assert answer.json["status"] == "DOWN" and answer.json["mac_address"] == before["mac_address"]
    assert answer.json["fixed_ips"] == [{"subnet_id": "s", "ip_address": "10.0.0.9"}]
    assert answer.json["binding"]["host"] == "h1"
    # What is in an object is merged, too; a binding of another kind begins anew.
    answer = api.patch("/v1/ports/p1", {"binding": {"host": "h2"}}, want=200)
    assert (answer.json["binding"]["kind"], answer.json["binding"]["host"]) == ("vm", "h2")
    assert answer.json["binding"]["vhost_socket"] == "/tmp/never-red.sock"
    api.patch("/v1/ports/p1", {"binding": {"vhost_socket": None}}, want=200)
    api.patch("/v1/ports/p1", {"binding": {"kind": "remote", "vtep": "192.0.2.9"}}, want=200)
    answer = api.patch("/v1/ports/p1", {"binding": None}, want=200)
    assert answer.json["binding"] == {}
    answer = api.patch("/v1/subnets/s", {"gateway_ip": None, "allocation_pools": None}, want=200)
    assert answer.json["gateway_ip"] is None
    assert answer.json["allocation_pools"][0]["start"] == "10.0.0.1"
    answer = api.patch("/v1/ports/p1", {"colour": "red"}, want=400)
    assert errors(answer)[0][0] == "/colour"
    api.patch("/v1/networks/nowhere", {"name": "x"}, want=404)
    api.patch("/v1/networks/n", [1], want=400)


def test_conditions(api):
    made = api.put("/v1/networks/n", {}, headers={"If-None-Match": "*"}, want=201)
    api.put("/v1/networks/n", {}, headers={"If-None-Match": "*"}, want=412)
    api.post("/v1/networks", {"id": "n"}, want=409)
    tag = made.headers["etag"]
    api.patch("/v1/networks/n", {"name": "N"}, headers={"If-Match": tag}, want=200)
    api.patch("/v1/networks/n", {"name": "M"}, headers={"If-Match": tag}, want=412)
    api.delete("/v1/networks/n", headers={"If-Match": tag}, want=412)
    api.delete("/v1/networks/n", want=204)
    api.delete("/v1/networks/n", want=204)
    api.put("/v1/networks/m", {"id": "other"}, want=400)
    api.put("/v1/networks/a%20b", {}, want=400)


def test_every_contradiction_is_named(api):
    town(api)
    before = api.get("/v1/config").headers["etag"]
    answer = api.post("/v1/transactions", operations(
        {"op": "add", "port": {"id": "x", "network_id": "n", "mac_address":
                               api.get("/v1/ports/p1").json["mac_address"],
                               "fixed_ips": [{"ip_address": "10.0.0.2"}, {"ip_address": "10.9.0.1"}],
                               "binding": {"kind": "vm", "host": "h9"}}},
        {"op": "add", "subnet": {"id": "y", "network_id": "n", "cidr": "10.0.0.128/25"}},
        {"op": "delete", "host": {"id": "h2"}}), want=409)
    found = dict(errors(answer))
    assert set(found) == {
        "/operations/0/port/mac_address", "/operations/0/port/fixed_ips/0",
        "/operations/0/port/fixed_ips/1", "/operations/0/port/binding/host",
        "/operations/1/subnet/cidr", "/operations/2"}
    assert 'in use by port "p2"' in found["/operations/2"]
    assert "overlaps 10.0.0.0/24" in found["/operations/1/subnet/cidr"]
    assert api.get("/v1/config").headers["etag"] == before


def test_in_use(api):
    town(api)
    answer = api.delete("/v1/networks/n", want=409)
    assert 'in use by subnet "s", port "p1", port "p2"' in answer.json["detail"]
    api.delete("/v1/subnets/s", want=409)
    api.delete("/v1/hosts/h1", want=409)
    api.post("/v1/transactions", operations(
        {"op": "delete", "network": {"id": "n"}}, {"op": "delete", "subnet": {"id": "s"}},
        {"op": "delete", "port": {"id": "p1"}}, {"op": "delete", "port": {"id": "p2"}}), want=200)
    assert installed(api) == 0


def test_quotas(api, as_):
    api.put("/v1/quotas/red", {"port": 1}, want=201)
    api.put("/v1/networks/n", {"tenant_id": "red"}, want=201)
    red = as_("red")
    red.post("/v1/ports", {"network_id": "n"}, want=201)
    answer = red.post("/v1/ports", {"network_id": "n"}, want=409)
    assert "quota" in answer.json["detail"]
    assert red.get("/v1/quotas/red").json["used"]["port"] == 1
    as_("blue").get("/v1/quotas/red", want=404)
    red.put("/v1/quotas/red", {"port": 9}, want=403)


# --- whose it is ---

def test_tenants_see_their_own(api, as_):
    town(api)
    red, blue = as_("red"), as_("blue")
    assert [n["id"] for n in red.get("/v1/networks").json["networks"]] == ["n"]
    assert blue.get("/v1/networks").json["networks"] == []
    assert {p["id"] for p in red.get("/v1/ports").json["ports"]} == {"p1", "p2"}
    blue.get("/v1/networks/n", want=404)
    blue.get("/v1/ports/p1", want=404)
    blue.patch("/v1/ports/p1", {"name": "mine"}, want=404)
    blue.delete("/v1/networks/n", want=204)  # as if it had never been there
    blue.put("/v1/networks/n", {}, want=403)
    answer = blue.post("/v1/ports", {"network_id": "n"}, want=409)
    assert "there is no network" in answer.json["detail"]
    assert red.get("/v1/flows").json["flows"] == []
    # The same addresses and MACs are anybody's.
    blue.put("/v1/networks/b", {}, want=201)
    blue.put("/v1/subnets/b", {"network_id": "b", "cidr": "10.0.0.0/24"}, want=201)
    twin = blue.put("/v1/ports/b1", {"network_id": "b", "mac_address": api.get(
        "/v1/ports/p1").json["mac_address"]}, want=201).json
    assert twin["tenant_id"] == "blue" and twin["fixed_ips"][0]["ip_address"] == "10.0.0.2"


def test_what_is_the_providers(api, as_):
    town(api)
    red = as_("red")
    answer = red.post("/v1/ports", {"network_id": "n", "binding": {
        "kind": "baremetal", "host": "h1", "device": "eth0"}}, want=409)
    assert errors(answer)[0][0] == "/binding"
    answer = red.patch("/v1/ports/p1", {"binding": {"kind": "vm", "host": "h2"}}, want=409)
    assert "the provider's to say" in answer.json["detail"]
    answer = red.post("/v1/networks", {"vni": 5}, want=409)
    assert errors(answer)[0][0] == "/vni"
    red.post("/v1/networks", {"tenant_id": "blue"}, want=409)
    renamed = red.patch("/v1/ports/p1", {"name": "mine"}, want=200).json
    assert renamed["binding"]["host"] == "h1"
    red.put("/v1/ports/p1", {"network_id": "n"}, want=200)
    assert api.get("/v1/ports/p1").json["binding"]["host"] == "h1"
    red.get("/v1/hosts/h1", want=403)
    as_("viewer").post("/v1/ports", {"network_id": "n"}, want=403)
    as_("oscar").post("/v1/ports", {"network_id": "n"}, want=201)
    as_("oscar").post("/v1/hosts", {"id": "h3", "vtep_addresses": ["192.0.2.3"]}, want=403)
    as_("oscar").post("/v1/transactions", operations(
        {"op": "add", "host": {"id": "h3", "vtep_addresses": ["192.0.2.3"]}}), want=403)


# --- what is made of it ---

def test_flows_come_and_go_with_ports(networked, api):
    town(api)
    n = installed(api)
    assert n > 10
    answer = api.post("/v1/ports?dryRun=true", {"network_id": "n", "binding": {
        "kind": "vm", "host": "h1"}}, want=200)
    kinds = {c["kind"] for c in answer.json["changes"]}
    assert {"flow", "port", "tenant-port"} <= kinds and installed(api) == n
    api.delete("/v1/ports/p1", want=204)
    assert installed(api) == 0
    assert api.get("/v1/ports").json["ports"] == []


def test_flows_of_networks_are_not_an_operators(api):
    town(api)
    n = installed(api)
    api.post("/v1/flows/" + DEVICE, flow(7), want=201)
    ours = [f for f in api.get("/v1/flows").json["flows"] if f["appId"] == "tenant"]
    answer = api.delete("/v1/flows/%s/%s" % (DEVICE, ours[0]["id"]), want=403)
    assert "made of tenant networks" in answer.json["detail"]
    api.delete("/v1/flows/application/tenant")
    api.post("/v1/transactions", operations({"op": "delete", "flow": {"tableId": "ALL"}}), want=200)
    assert installed(api) == n
    assert len(api.get("/v1/flows").json["flows"]) == n


def test_confirm_within(api):
    api.post("/v1/transactions?confirmWithin=60", operations(
        {"op": "add", "network": {"id": "n"}}), want=200)
    transaction = api.post("/v1/networks?confirmWithin=60", {"id": "m"}, want=201)
    assert transaction.json["id"] == "m"
    body = api.post("/v1/transactions?confirmWithin=60", operations(
        {"op": "set", "network": {"id": "m", "name": "M"}}), want=200).json
    api.post("/v1/transactions/%s/cancel" % body["transaction"], want=204)
    assert api.get("/v1/networks/m").json["name"] == ""


def seen_until(watch, wanted):
    """Events of objects by kind and id, until these were among them."""
    seen = {}
    while not wanted.items() <= seen.items():
        line = watch.line()
        if "object" in line:
            seen[line["kind"], line["object"]["id"]] = line["event"]
    return seen


def declared(api):
    """The whole document, whatever the order of its arrays."""
    return {key: sorted(value, key=json.dumps) if isinstance(value, list) else value
            for key, value in api.get("/v1/config", want=200).json.items()}


def made_of(api):
    """What is in the switch, without what counts or has a time."""
    keys = ("id", "selector", "treatment", "buckets", "bands", "options", "state")
    return {kind: sorted(json.dumps({k: v for k, v in o.items() if k in keys}, sort_keys=True)
                         for o in api.get("/v1/%s?stats=false" % kind).json[kind])
            for kind in ("flows", "groups", "meters", "ports")}


@pytest.mark.parametrize("how", ["cancelled", "expired", "expired while away"])
def test_unconfirmed_networks_are_as_before(networked, api, how):
    """Objects that were added, changed and removed, what is made of them, and who is told."""
    town(api)
    api.put("/v1/routers/r", {"tenant_id": "red", "interfaces": [{"subnet_id": "s"}]}, want=201)
    before, made = declared(api), made_of(api)
    seconds = 1 if how == "expired" else 3600 if how == "cancelled" else 2
    with Watch(networked.socket, "?kinds=network,tenant-port,router&initial=false") as watch:
        watch.until(event="SYNCED")
        done = api.post("/v1/transactions?confirmWithin=%d" % seconds, operations(
            {"op": "add", "network": {"id": "new", "tenant_id": "red"}},
            {"op": "add", "port": {"id": "p3", "network_id": "n", "binding": {
                "kind": "vm", "host": "h1", "vhost_socket": "/tmp/never-3.sock"}}},
            {"op": "set", "network": dict(api.get("/v1/networks/n").json, name="N", mtu=1300)},
            {"op": "delete", "port": {"id": "p1"}},
            {"op": "delete", "router": {"id": "r"}}), want=200).json
        seen_until(watch, {("network", "new"): "ADDED", ("tenant-port", "p3"): "ADDED",
                           ("network", "n"): "MODIFIED", ("tenant-port", "p1"): "REMOVED",
                           ("router", "r"): "REMOVED"})
        if how == "cancelled":
            api.post("/v1/transactions/%s/cancel" % done["transaction"], want=204)
        if how != "expired while away":
            seen_until(watch, {("network", "new"): "REMOVED", ("tenant-port", "p3"): "REMOVED",
                               ("network", "n"): "MODIFIED", ("tenant-port", "p1"): "ADDED",
                               ("router", "r"): "ADDED"})
    if how == "expired while away":
        networked.tenond.kill()
        api.close()
        networked.tenond.start()
        networked.wait_connected()
        with Watch(networked.socket, "?kinds=router") as watch:
            while not any(line.get("object", {}).get("id") == "r" for line in [watch.line()]):
                pass
    assert declared(api) == before
    assert made_of(api) == made
    api.post("/v1/transactions/%s/confirm" % done["transaction"], want=404)


def send(api, port, n=1):
    """A frame of a stranger into a port, through the tables."""
    for _ in range(n):
        api.post("/v1/packet-out", {"inPort": port, "frame": FRAME, "treatment": {
            "instructions": [{"type": "OUTPUT", "port": "TABLE"}]}}, want=204)


def drops_of_networks(api):
    """By the network's id, or what is said in place of a VNI."""
    networks = api.get("/v1/statistics/networks", want=200).json["statistics"][0]["networks"]
    assert all(n["packetsDropped"] == sum(n["dropped"].values()) for n in networks)
    return {n.get("network_id", n["network"]): n["packetsDropped"] for n in networks}


def test_drops_by_network(api, as_):
    """Whose a packet was when it ended. A tenant hears of its own networks alone."""
    before = drops_of_networks(api).get("none", 0)
    api.put("/v1/config", {"device": {"id": DEVICE}, "ports": PORTS, "hosts": [H1]}, headers=ANY,
            want=200)
    for number, tenant in ((1, "red"), (2, "blue")):
        api.post("/v1/networks", {"id": tenant, "tenant_id": tenant, "vni": 7000 + number},
                 want=201)
        api.post("/v1/ports", in_network(tenant, "p%d" % number), want=201)
    send(api, 1, 3)
    send(api, 2)
    send(api, 3, 2)
    wanted = {"red": 3, "blue": 1, "none": 2 + before}
    deadline = time.monotonic() + 30
    while not wanted.items() <= drops_of_networks(api).items():
        assert time.monotonic() < deadline, api.get("/v1/statistics/networks")
    assert drops_of_networks(as_("red")) == {"red": 3}
    assert drops_of_networks(as_("viewer")) == {"red": 3}
    assert drops_of_networks(as_("blue")) == {"blue": 1}
    # Of a network that is gone its VNI is left.
    api.delete("/v1/ports/at-p2", want=204)
    api.delete("/v1/networks/blue", want=204)
    assert {"red": 3, "7002": 1}.items() <= drops_of_networks(api).items()
    assert drops_of_networks(as_("blue")) == {}


def in_network(name, device):
    return {"id": "at-" + device, "network_id": name, "mac_address": "02:00:00:00:00:0" + device[1],
            "binding": {"kind": "baremetal", "host": "h1", "device": device}}


# What is changed while the data plane is away: the request, its answers, which say whether it waits.
WHILE_AWAY = (
    ("POST", "/v1/networks", {"id": "m", "tenant_id": "red", "vni": 5002}, 201),
    ("POST", "/v1/subnets", {"id": "ms", "network_id": "m", "cidr": "10.1.0.0/24"}, 201),
    ("POST", "/v1/ports", in_network("m", "p2"), 202),
    ("PUT", "/v1/routers/r", {"tenant_id": "red", "interfaces": [
        {"subnet_id": "s"}, {"subnet_id": "ms"}]}, 202),
    ("PATCH", "/v1/networks/n", {"mtu": 1400}, 202),
    ("PATCH", "/v1/networks/n", {"name": "N"}, 200),
    ("PUT", "/v1/qos-policies/slow", {"tenant_id": "red", "rules": [
        {"type": "bandwidth_limit", "max_kbps": 1000}]}, 201),
    ("PATCH", "/v1/ports/at-p3", {"qos_policy_id": "slow"}, 202),
    ("DELETE", "/v1/ports/at-p1", None, 202),
    ("PUT", "/v1/hosts/h2", dict(H2, vtep_addresses=["192.0.2.9"]), 202),
    ("POST", "/v1/transactions", operations(
        {"op": "add", "port": in_network("m", "p4")}, {"op": "set", "network": {
            "id": "n", "tenant_id": "red", "vni": 5001, "mtu": 1300}}), 202))


def before_it_went(api):
    api.put("/v1/config", {"device": {"id": DEVICE}, "ports": PORTS, "hosts": [H1, H2]},
            headers=ANY, want=200)
    api.post("/v1/networks", {"id": "n", "tenant_id": "red", "vni": 5001}, want=201)
    api.post("/v1/subnets", {"id": "s", "network_id": "n", "cidr": "10.0.0.0/24"}, want=201)
    for device in ("p1", "p3"):
        api.post("/v1/ports", in_network("n", device), want=201)
    api.post("/v1/ports", {"id": "far", "network_id": "n", "mac_address": "02:00:00:00:00:09",
                           "binding": {"kind": "vm", "host": "h2"}}, want=201)


def gone(site):
    """The data plane, which tenond knows."""
    with Watch(site.socket, "?kinds=dataplane") as watch:
        site.dataplane.stop()
        watch.until(event="DISCONNECTED")


def test_networks_while_the_data_plane_is_away(tmp_path):
    """What waits is said to; when it is back it has what it would have had at once."""
    site = start(tmp_path, host="h1")
    try:
        api = site.api()
        before_it_went(api)
        for method, path, body, _ in WHILE_AWAY:
            assert api.request(method, path, body).status in (200, 201, 204)
        wanted, made = made_of(api), declared(api)
        before_it_went(api)
        gone(site)
        # What contradicts something is refused as ever, and a dry run tells all.
        assert "no network" in api.post("/v1/ports", in_network("x", "p2"), want=409).json["detail"]
        assert api.post("/v1/ports?dryRun=true", in_network("n", "p2"), want=200).json["total"] > 9
        for method, path, body, status in WHILE_AWAY:
            api.request(method, path, body, want=status)
        assert api.get("/v1/ports/at-p2", want=200).json["status"] == "BUILD"
        assert api.get("/v1/status").json["pending"] > 20
        # A restart in between forgets nothing.
        site.tenond.kill()
        site.tenond.start()
        api = site.api()
        assert api.get("/v1/ports/at-p2", want=200).json["status"] == "BUILD"
        site.dataplane.start()
        site.wait_connected()
        assert api.get("/v1/ports/at-p2", want=200).json["status"] == "ACTIVE"
        status = api.get("/v1/status").json
        assert status["pending"] == 0 and status["failed"] == 0
        assert declared(api) == made
        assert made_of(api) == wanted
    finally:
        site.close()


def become(api, *names):
    """(state, status) of objects, which all have the same; a subnet's status is None."""
    found = set()
    for name in names:
        found |= {(o["state"], o.get("status")) for kind in ("networks", "subnets", "routers")
                  for o in api.get("/v1/" + kind, want=200).json[kind] if o["id"] == name}
    assert len(found) == 1, found
    return found.pop()


def ctl_of(site, *words):
    return subprocess.run([TENONCTL, "--socket", site.socket, *words], check=True, text=True,
                          capture_output=True, timeout=30).stdout


BRIDGE = 5  # the table of the tenants' pipeline where networks flood
PENDING, DONE, FAILED = ("PENDING_ADD", "BUILD"), ("ADDED", "ACTIVE"), ("FAILED", "ERROR")


def states_told(lines):
    return [(line["object"]["id"], line["object"]["state"]) for line in lines
            if line.get("object")]


def build_two_networks(api):
    """A network with a port here and a router, and another with nothing here."""
    before_it_went(api)
    for body in ({"id": "idle", "tenant_id": "red", "vni": 5003},
                 {"id": "m", "tenant_id": "red", "vni": 5002}):
        api.post("/v1/networks", body, want=201)
    api.post("/v1/subnets", {"id": "ms", "network_id": "m", "cidr": "10.1.0.0/24"}, want=201)
    api.post("/v1/subnets", {"id": "is", "network_id": "idle", "cidr": "10.9.0.0/24"}, want=201)
    api.put("/v1/routers/r", {"tenant_id": "red", "interfaces": [
        {"subnet_id": "s"}, {"subnet_id": "ms"}]}, want=201)
    assert become(api, "n", "idle", "r") == DONE and become(api, "s", "is") == ("ADDED", None)


def test_networks_tell_what_waits(tmp_path):
    """A network or router has the state of what is made of it, also where it was not said again."""
    site = start(tmp_path, host="h1")
    watched = "?kinds=network,subnet,router,dataplane&initial=false"
    try:
        api = site.api()
        build_two_networks(api)
        gone(site)
        assert become(api, "n", "r") == PENDING and become(api, "s") == ("PENDING_ADD", None)
        assert become(api, "idle") == DONE and become(api, "is") == ("ADDED", None)
        with Watch(site.socket, watched) as watch:
            watch.until(event="SYNCED")
            made = api.post("/v1/networks", {"id": "later", "tenant_id": "red"}, want=201).json
            assert (made["state"], made["status"]) == DONE
            made = api.put("/v1/networks/n", {"tenant_id": "red", "vni": 5001, "mtu": 1300},
                           want=202).json
            assert (made["state"], made["status"]) == PENDING
            assert states_told([watch.line() for _ in range(2)]) == [
                ("later", "ADDED"), ("n", "PENDING_ADD")]
            api.post("/v1/ports", in_network("idle", "p2"), want=202)
            assert sorted(states_told([watch.line() for _ in range(2)])) == [
                ("idle", "PENDING_ADD"), ("is", "PENDING_ADD")]
            assert become(api, "idle") == PENDING and become(api, "is") == ("PENDING_ADD", None)
        api.close()
        site.tenond.kill()
        site.tenond.start()
        assert become(api, "n", "r", "idle") == PENDING and become(api, "later") == DONE
        assert ctl_of(site, "network", "list").count("BUILD") == 3
        with Watch(site.socket, watched) as watch:
            watch.until(event="SYNCED")
            site.dataplane.start()
            lines = watch.until(event="CONNECTED")
            while ("n", "ADDED") not in states_told(lines):
                lines.append(watch.line())
        assert states_told(lines)[-1] == ("n", "ADDED")
        assert "PENDING_ADD" not in dict(states_told(lines)).values()
        assert become(api, "n", "idle", "r", "later") == DONE
        assert become(api, "s", "is") == ("ADDED", None)
        assert "BUILD" not in ctl_of(site, "network", "list")
    finally:
        site.close()


def test_networks_tell_what_was_refused(tmp_path):
    """Stored while the data plane was away, and then too much for one of its tables."""
    site = start(tmp_path, host="h1")
    try:
        api = site.api()
        build_two_networks(api)
        bridge = "/v1/tables/%d" % BRIDGE
        api.put(bridge, {"tableId": BRIDGE, "maxEntries": 1}, want=200)
        gone(site)
        api.post("/v1/ports", in_network("idle", "p2"), want=202)
        site.dataplane.start()
        site.wait_connected()
        assert become(api, "idle") == FAILED and become(api, "is") == ("FAILED", None)
        network = api.get("/v1/networks/idle", want=200).json
        assert "may hold 1" in network["failure"] and network["failureName"] == "OFPFMFC_TABLE_FULL"
        assert api.get("/v1/ports/at-p2", want=200).json["status"] == "ERROR"
        assert become(api, "n", "r") == DONE
        assert "ERROR" in ctl_of(site, "network", "list")
        # It is tried again when the data plane is there anew.
        api.put(bridge, {"tableId": BRIDGE}, want=200)
        gone(site)
        site.dataplane.start()
        site.wait_connected()
        assert become(api, "n", "idle", "r") == DONE and become(api, "is") == ("ADDED", None)
        assert "failure" not in api.get("/v1/networks/idle", want=200).json
    finally:
        site.close()


def test_a_policy_refuses_networks_while_it_is_away(tmp_path):
    """All that would wait; what is nothing to the data plane is done."""
    site = start(tmp_path, host="h1", dataplane={"whenAway": "refuse"})
    try:
        api = site.api()
        before_it_went(api)
        gone(site)
        waiting = [request[:3] for request in WHILE_AWAY if request[3] == 202]
        for method, path, body, status in WHILE_AWAY:
            if status != 202:
                api.request(method, path, body, want=status)
        before, made = declared(api), made_of(api)
        for request in waiting:
            answer = api.request(*request, want=503)
            assert answer.headers["retry-after"] == "1" and "data plane" in answer.json["detail"]
        assert declared(api) == before and made_of(api) == made
        site.dataplane.start()
        site.wait_connected()
        for request in waiting:
            assert api.request(*request).status in (200, 201, 204)
        assert api.get("/v1/ports/at-p2", want=200).json["status"] == "ACTIVE"
    finally:
        site.close()


def test_a_port_says_what_it_waits_for(api):
    api.put("/v1/config", {"device": {"id": DEVICE}, "hosts": [H1]}, headers=ANY, want=200)
    api.post("/v1/networks", {"id": "n", "tenant_id": "red"}, want=201)
    made = api.post("/v1/ports", in_network("n", "p9"), want=201).json
    assert made["status"] == "BUILD" and made["state"] == "PENDING_ADD"
    assert 'no port "p9" yet' in made["failure"]
    api.put("/v1/ports/at-p9", api.get("/v1/ports/at-p9").json, want=200)
    api.post("/v1/ports", dict(PORTS[0], name="p9"), want=201)
    there = api.get("/v1/ports/at-p9", want=200).json
    assert there["status"] == "ACTIVE" and there["state"] == "ADDED" and "failure" not in there


def test_a_port_says_why_it_failed(tmp_path):
    """What was stored while the data plane was away, and then refused by it."""
    site = start(tmp_path, host="h1")
    try:
        api = site.api()
        before_it_went(api)
        gone(site)
        path = api.post("/v1/ports", {"id": "c", "network_id": "n", "binding": {
            "kind": "container", "host": "h1", "device": "tn-nosuch"}},
            want=202).headers["location"]
        assert api.get(path, want=200).json["state"] == "PENDING_ADD"
        site.dataplane.start()
        site.wait_connected()
        port = api.get(path, want=200).json
        assert port["status"] == "ERROR" and port["state"] == "FAILED", port
        assert "tn-nosuch" in port["failure"] and port["failureName"] == "OFPBRC_BAD_PORT"
        api.put(path, port, want=200)
    finally:
        site.close()


def test_the_document(api):
    """Everything in one piece: told again it changes nothing, told shorter it removes."""
    town(api)
    api.put("/v1/qos-policies/gold", {"rules": [
        {"type": "bandwidth_limit", "max_kbps": 1000}]}, want=201)
    before = api.get("/v1/config", want=200)
    document = before.json
    assert {p["id"] for p in document["ports"]} == {"p1", "p2"}
    assert document["flows"] == [] and document["hosts"][0]["id"] == "h1"
    answer = api.put("/v1/config", document, headers=ANY, want=200)
    assert answer.json["changed"] == 0
    document["ports"] = [p for p in document["ports"] if p["id"] == "p2"]
    document["qos_policies"] = []
    answer = api.put("/v1/config", document, headers=ANY, want=200)
    assert answer.json["changed"] == 2 and installed(api) == 0
    document["networks"].append({"id": "n"})
    answer = api.put("/v1/config", document, headers=ANY, want=400)
    assert errors(answer)[0] == ("/networks/1", 'network "n" stands twice; keep one')
    document["networks"][1] = {"name": "nameless"}
    answer = api.put("/v1/config", document, headers=ANY, want=400)
    assert errors(answer)[0][0] == "/networks/1"


def test_watch(networked, api):
    town(api)
    with Watch(networked.socket, "?kinds=network,tenant-port") as watch:
        seen = watch.synced()
        assert [(line["kind"], line["object"]["id"]) for line in seen] == [
            ("network", "n"), ("tenant-port", "p1"), ("tenant-port", "p2")]
        api.patch("/v1/networks/n", {"name": "N"}, want=200)
        line = watch.line()
        assert (line["kind"], line["event"], line["object"]["name"]) == ("network", "MODIFIED", "N")
        api.delete("/v1/ports/p2", want=204)
        line = watch.line()
        assert (line["kind"], line["event"], line["object"]["id"]) == (
            "tenant-port", "REMOVED", "p2")


# --- what is kept ---

def test_restart(networked, api):
    town(api)
    before = api.get("/v1/config").json, api.get("/v1/ports/p1").json
    flows = {f["id"] for f in api.get("/v1/flows").json["flows"]}
    networked.tenond.kill()
    networked.tenond.start()
    api.connection.close()
    networked.wait_connected()
    assert api.get("/v1/config").json == before[0]
    after = api.get("/v1/ports/p1").json
    assert {k: v for k, v in after.items() if k != "status"} == {
        k: v for k, v in before[1].items() if k != "status"}
    assert {f["id"] for f in api.get("/v1/flows").json["flows"]} == flows


def test_bodies_that_are_wrong(api):
    for body, pointer in (({"vni": "x"}, "/vni"), ({"network": {"mtu": 1}}, "/network/mtu"),
                          ({"networks": [{}, {"vni": -1}]}, "/networks/1/vni")):
        answer = api.post("/v1/networks", body, want=400)
        assert errors(answer)[0][0] == pointer, answer
    api.post("/v1/networks", {"networks": []}, want=400)
    api.post("/v1/networks", json.dumps([1]), want=400)
    assert api.get("/v1/networks").json["networks"] == []
