# SPDX-License-Identifier: BSD-3-Clause
"""Every operation of the northbound with every status that /v1/openapi.json promises, and what is
wrong with a request whatever it is for: method, parameters, body, device, conditions."""
import json
import os
import re
import socket

import pytest

from northbound import (
    DEVICE, FRAME, Watch, bucket, flow, from_port, group, host, meter, operations,
    path_of)
from tenon import UnixConnection

FLOWS, GROUPS, METERS = ("/v1/%s/%s" % (kind, DEVICE) for kind in ("flows", "groups", "meters"))
ANY = {"If-Match": "*"}
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def find_flow(api, priority):
    """The path of the flow that has it."""
    return [FLOWS + "/" + f["id"] for f in api.get("/v1/flows").json["flows"]
            if f["priority"] == priority][0]


def nth(n):
    return lambda api: find_flow(api, n)


def settle(verb):
    """The path of a transaction that waits."""
    def path(api):
        answer = api.post("/v1/transactions?confirmWithin=60", operations(
            {"op": "add", "flow": flow(901 if verb == "confirm" else 902)}), want=200)
        return "/v1/transactions/%s/%s" % (answer.json["transaction"], verb)
    return path


def tag_of(path):
    return lambda api: {"If-None-Match": api.get(path(api) if callable(path) else path)
                        .headers["etag"]}


def remove_those_of(app):
    return lambda api: {"flows": [
        {"deviceId": DEVICE, "flowId": f["id"]}
        for f in api.get("/v1/flows/application/" + app).json["flows"]]}


def networking(name, path, body, made="add"):
    """All that can be done with one kind of tenant objects; made=None: it is only PUT."""
    where = "/v1/%s/" % path
    steps = [
        ("put" + name, "PUT", where + "x", body, 201),
        ("put" + name, "PUT", where + "x", dict(body, name="X"), 200),
        ("put" + name, "PUT", where + "x?wait=none", dict(body, name="Y"), 202),
        ("patch" + name, "PATCH", where + "x", {"name": "Z"}, 200),
        ("patch" + name, "PATCH", where + "x?wait=none", {"description": "last"}, 202),
        ("get" + name, "GET", where + "x", None, 200),
        ("remove" + name, "DELETE", where + "x", None, 204),
        ("put" + name, "PUT", where + "x", body, 201),
        ("remove" + name, "DELETE", where + "x?wait=none", None, 202)]
    if made is None:
        return steps
    several = name[:-1] + "ies" if name.endswith("y") else name + "s"
    return steps + [
        ("add" + name, "POST", "/v1/" + path, dict(body, id="y"), 201),
        ("list" + several, "GET", "/v1/" + path, None, 200),
        ("remove" + name, "DELETE", where + "y", None, 204),
        ("add" + name, "POST", "/v1/%s?wait=none" % path, dict(body, id="y"), 202),
        ("remove" + name, "DELETE", where + "y", None, 204)]


# One after another: the operation, what is sent (path and body may be made by looking), the status.

STEPS = [
    ("addPort", "POST", "/v1/ports", {"number": 9, "name": "p9", "type": "dpdk",
                                     "options": {"devargs": "net_null9,no-rx=1"}}, 201),
    ("addPort", "POST", "/v1/ports?wait=none",
     {"number": 10, "name": "p10", "type": "dpdk", "options": {"devargs": "net_null8,no-rx=1"}},
     202),
    ("putPort", "PUT", "/v1/ports/11",
     {"number": 11, "name": "p11", "type": "dpdk", "options": {"devargs": "net_null7,no-rx=1"}},
     201),
    ("putPort", "PUT", "/v1/ports/11",
     {"number": 11, "name": "p11", "type": "dpdk", "isEnabled": False,
      "options": {"devargs": "net_null7,no-rx=1"}}, 200),
    ("putPort", "PUT", "/v1/ports/11?wait=none",
     {"number": 11, "name": "p11", "type": "dpdk", "options": {"devargs": "net_null7,no-rx=1"}},
     202),
    ("configurePort", "PATCH", "/v1/ports/p9", {"config": ["NO_FWD"]}, 200),
    ("configurePort", "PATCH", "/v1/ports/p9?wait=none", {"isEnabled": False}, 202),
    ("setPortState", "POST", "/v1/devices/%s/portstate/9" % DEVICE, {"enabled": True}, 200),
    ("setPortState", "POST", "/v1/devices/%s/portstate/9?wait=none" % DEVICE, {"enabled": False},
     202),
    ("listPorts", "GET", "/v1/ports", None, 200),
    ("getPort", "GET", "/v1/ports/p9", None, 200),
    ("removePort", "DELETE", "/v1/ports/11", None, 204),
    ("removePort", "DELETE", "/v1/ports/p10?wait=none", None, 202),

    ("addGroup", "POST", GROUPS, group(1, bucket(1)), 201),
    ("addGroup", "POST", GROUPS, group(1, bucket(1)), 200),
    ("addGroup", "POST", GROUPS + "?wait=none", group(2, bucket(2), bucket(3)), 202),
    ("putGroup", "PUT", GROUPS + "/0x00000003", group(3, bucket(2)), 201),
    ("putGroup", "PUT", GROUPS + "/3", group(3, bucket(1)), 200),
    ("putGroup", "PUT", GROUPS + "/3?wait=none", group(3, bucket(1), bucket(2)), 202),
    ("listGroups", "GET", "/v1/groups", None, 200),
    ("listDeviceGroups", "GET", GROUPS, None, 200),
    ("getGroup", "GET", GROUPS + "/0x00000001", None, 200),
    ("addBuckets", "POST", GROUPS + "/0x00000003/buckets",
     {"buckets": [bucket(4, bucketId=7)]}, 204),
    ("addBuckets", "POST", GROUPS + "/3/buckets?wait=none",
     {"buckets": [bucket(4, bucketId=8)]}, 202),
    ("removeBuckets", "DELETE", GROUPS + "/3/buckets/7,1", None, 204),
    ("removeBuckets", "DELETE", GROUPS + "/0x00000003/buckets/8?wait=none", None, 202),
    ("removeGroup", "DELETE", GROUPS + "/0x00000002", None, 204),
    ("removeGroup", "DELETE", GROUPS + "/3?wait=none", None, 202),

    ("addMeter", "POST", METERS, meter(), 201),
    ("addMeter", "POST", METERS, meter(index=1), 200),
    ("addMeter", "POST", METERS + "?wait=none", meter(), 202),
    ("putMeter", "PUT", METERS + "/7", meter(), 201),
    ("putMeter", "PUT", METERS + "/7", meter(2000), 200),
    ("putMeter", "PUT", METERS + "/7?wait=none", meter(3000), 202),
    ("listMeters", "GET", "/v1/meters", None, 200),
    ("listDeviceMeters", "GET", METERS, None, 200),
    ("listScopeMeters", "GET", "/v1/meters/scope/%s/global" % DEVICE, None, 200),
    ("getMeter", "GET", METERS + "/7", None, 200),
    ("removeMeter", "DELETE", METERS + "/2", None, 204),
    ("removeMeter", "DELETE", METERS + "/1?wait=none", None, 202),

    ("addFlows", "POST", "/v1/flows?appId=a",
     {"flows": [flow(1, [from_port(1)], 2), flow(2, [], 3)]}, 200),
    ("addFlows", "POST", "/v1/flows?wait=none", {"flows": [flow(3)]}, 202),
    ("addFlow", "POST", FLOWS, flow(4), 201),
    ("addFlow", "POST", FLOWS, flow(4), 200),
    ("addFlow", "POST", FLOWS + "?wait=none", flow(5), 202),
    ("replaceFlows", "PUT", FLOWS + "?appId=a",
     {"flows": [flow(1, [from_port(1)], 4), flow(6)]}, 200),
    ("replaceFlows", "PUT", FLOWS + "?appId=b&wait=none", {"flows": [flow(7)]}, 202),
    ("putFlow", "PUT", nth(7), flow(7, [], 1), 200),
    ("putFlow", "PUT", lambda api: find_flow(api, 7) + "?wait=none", flow(7, [], 2), 202),
    ("putFlow", "PUT", lambda api: (lambda p: (api.delete(p, want=204), p))(
        find_flow(api, 7))[1], flow(7), 201),
    ("listFlows", "GET", "/v1/flows", None, 200),
    ("listPendingFlows", "GET", "/v1/flows/pending", None, 200),
    ("listTableFlows", "GET", "/v1/flows/table/0", None, 200),
    ("listApplicationFlows", "GET", "/v1/flows/application/a", None, 200),
    ("listDeviceFlows", "GET", FLOWS, None, 200),
    ("getFlow", "GET", nth(4), None, 200),
    ("removeFlow", "DELETE", nth(4), None, 204),
    ("removeFlow", "DELETE", lambda api: find_flow(api, 5) + "?wait=none", None, 202),
    ("removeFlows", "DELETE", "/v1/flows", {"flows": [{"deviceId": DEVICE, "flowId": "1"}]}, 204),
    ("removeFlows", "DELETE", "/v1/flows?wait=none", remove_those_of("org.onosproject.rest"), 202),
    ("replaceFlows", "PUT", FLOWS + "?appId=b", {"flows": [flow(8)]}, 200),
    ("removeApplicationFlows", "DELETE", "/v1/flows/application/a", None, 204),
    ("removeApplicationFlows", "DELETE", "/v1/flows/application/b?wait=none", None, 202),

    ("listDevices", "GET", "/v1/devices", None, 200),
    ("listDevicePorts", "GET", "/v1/devices/ports", None, 200),
    ("getDevice", "GET", "/v1/devices/" + DEVICE, None, 200),
    ("getDevicePorts", "GET", "/v1/devices/%s/ports" % DEVICE, None, 200),
    ("removeDevice", "DELETE", "/v1/devices/" + DEVICE, None, 200),

    ("portStatistics", "GET", "/v1/statistics/ports", None, 200),
    ("devicePortStatistics", "GET", "/v1/statistics/ports/" + DEVICE, None, 200),
    ("onePortStatistics", "GET", "/v1/statistics/ports/%s/1" % DEVICE, None, 200),
    ("portDeltas", "GET", "/v1/statistics/delta/ports", None, 200),
    ("devicePortDeltas", "GET", "/v1/statistics/delta/ports/" + DEVICE, None, 200),
    ("onePortDeltas", "GET", "/v1/statistics/delta/ports/%s/p1" % DEVICE, None, 200),
    ("tableStatistics", "GET", "/v1/statistics/flows/tables", None, 200),
    ("deviceTableStatistics", "GET", "/v1/statistics/flows/tables/" + DEVICE, None, 200),
    ("networkStatistics", "GET", "/v1/statistics/networks", None, 200),
    ("resetStatistics", "POST", "/v1/stats/reset", None, 204),
    ("activeEntries", "GET", "/v1/statistics/flows/activeentries", None, 200),
    ("linkLoad", "GET", "/v1/statistics/flows/link?device=%s&port=1" % DEVICE, None, 200),

    ("addHost", "POST", "/v1/hosts", host(), 201),
    ("addHost", "POST", "/v1/hosts", host(ipAddresses=["10.0.0.9", "2001:db8::9"]), 200),
    ("addHost", "POST", "/v1/hosts?wait=none", host(2, vlan=5), 201),
    ("listHosts", "GET", "/v1/hosts", None, 200),
    ("getHost", "GET", "/v1/hosts/02:00:00:00:00:02/5", None, 200),
    ("removeHost", "DELETE", "/v1/hosts/02:00:00:00:00:02/5", None, 204),

    ("putTable", "PUT", "/v1/tables/5", {"tableId": 5, "name": "five", "maxEntries": 10}, 200),
    ("putTable", "PUT", "/v1/tables/five?wait=none", {"tableId": 5, "name": "five"}, 202),
    ("listTables", "GET", "/v1/tables", None, 200),
    ("getTable", "GET", "/v1/tables/five", None, 200),
    ("tableFeatures", "GET", "/v1/tables/features", None, 200),
    ("oneTableFeatures", "GET", "/v1/tables/5/features", None, 200),
    ("getPipeline", "GET", "/v1/pipeline", None, 200),

    ("sendPacket", "POST", "/v1/packet-out",
     {"inPort": "CONTROLLER", "frame": FRAME,
      "treatment": {"instructions": [{"type": "OUTPUT", "port": "1"}]}}, 204),
    ("trace", "POST", "/v1/trace", {"inPort": 1, "frame": FRAME, "explain": True}, 200),

    ("transaction", "POST", "/v1/transactions", operations(
        {"op": "add", "flow": flow(20)}, {"op": "add", "group": group(20, bucket(1))},
        {"op": "add", "meter": meter(index=20)},
        {"op": "configure", "port": {"number": 1, "config": []}}), 200),
    ("transaction", "POST", "/v1/transactions?wait=none",
     operations({"op": "delete", "flow": flow(20)}), 202),
    ("confirmTransaction", "POST", settle("confirm"), None, 204),
    ("cancelTransaction", "POST", settle("cancel"), None, 204),

    ("getConfig", "GET", "/v1/config", None, 200),
    ("putConfig", "PUT", "/v1/config", {"device": {"id": DEVICE}, "ports": []}, 200, ANY),
    ("putConfig", "PUT", "/v1/config?wait=none", {"device": {"id": DEVICE}, "flows": [flow(1)]},
     202, ANY),

] + networking("TenantHost", "hosts", {"vtep_addresses": ["192.0.2.9"]}, made=None) + [
    ("addHost", "POST", "/v1/hosts?wait=none",
     {"id": "h1", "vtep_addresses": ["192.0.2.1"]}, 202),
    ("listHosts", "GET", "/v1/hosts?kind=tenant", None, 200),
] + networking("Network", "networks", {}) + [
    ("putNetwork", "PUT", "/v1/networks/n", {"vni": 7}, 201),
] + networking("Subnet", "subnets", {"network_id": "n", "cidr": "10.7.0.0/24"}) + [
    ("putSubnet", "PUT", "/v1/subnets/s", {"network_id": "n", "cidr": "10.0.0.0/24"}, 201),
] + networking("Router", "routers", {"interfaces": [{"subnet_id": "s"}]}) \
  + networking("QosPolicy", "qos-policies", {"rules": [{"type": "dscp_marking", "dscp_mark": 9}]}) \
  + networking("AddressGroup", "address-groups", {"addresses": ["10.0.0.0/8"]}) \
  + networking("Quota", "quotas", {"port": 5}, made=None) + [
    ("listQuotas", "GET", "/v1/quotas", None, 200),
    ("addPort", "POST", "/v1/ports", {"id": "a", "network_id": "n"}, 201),
    ("addPort", "POST", "/v1/ports?wait=none", {"port": {"id": "b", "network_id": "n"}}, 202),
    ("addPort", "POST", "/v1/ports", {"ports": [{"network_id": "n"}, {"network_id": "n"}]}, 201),
    ("putPort", "PUT", "/v1/ports/c", {"network_id": "n"}, 201),
    ("putPort", "PUT", "/v1/ports/c", {"network_id": "n", "name": "C"}, 200),
    ("putPort", "PUT", "/v1/ports/c?wait=none", {"network_id": "n", "name": "D"}, 202),
    ("configurePort", "PATCH", "/v1/ports/a", {"admin_state_up": False}, 200),
    ("configurePort", "PATCH", "/v1/ports/a?wait=none", {"port": {"name": "A"}}, 202),
    ("listPorts", "GET", "/v1/ports?network_id=n", None, 200),
    ("getPort", "GET", "/v1/ports/a", None, 200),
    ("removePort", "DELETE", "/v1/ports/a", None, 204),
    ("removePort", "DELETE", "/v1/ports/b?wait=none", None, 202),
    ("transaction", "POST", "/v1/transactions", operations(
        {"op": "set", "network": {"id": "n", "vni": 7}}, {"op": "delete", "port": {"id": "c"}},
        {"op": "add", "port": {"id": "d", "network_id": "n"}}), 200),

    ("getStatus", "GET", "/v1/status", None, 200),
    ("getHealth", "GET", "/v1/health", None, 200),
    ("getOpenapi", "GET", "/v1/openapi.json", None, 200),
]


def try_first(api, operation, method, path, body, headers):
    """A dry run changes nothing; whether it was one."""
    if not any(p["name"] == "dryRun" for p in operation["parameters"]):
        return False
    before = api.get("/v1/config").headers["etag"], api.get("/v1/hosts").headers["etag"]
    answer = api.request(method, path + ("&" if "?" in path else "?") + "dryRun=true", body,
                         headers, want=200)
    assert answer.json["dryRun"] is True and answer.json["total"] == len(answer.json["changes"])
    assert before == (api.get("/v1/config").headers["etag"], api.get("/v1/hosts").headers["etag"])
    return True


def test_every_operation_with_every_status(site, api):
    """In the end nothing of the document is left that did not happen."""
    promised = {(o["operationId"], status) for _, _, _, o in site.document.operations
                for status in o["responses"] if status not in ("default", "304")}
    seen = set()
    for name, method, path, body, status, *headers in STEPS:
        path = path(api) if callable(path) else path
        body = body(api) if callable(body) else body
        operation = site.document.find(method, path)
        assert operation["operationId"] == name
        headers = headers[0] if headers else None
        if try_first(api, operation, method, path, body, headers):
            seen.add((name, "200"))
        answer = api.request(method, path, body, headers, want=status)
        seen.add((name, str(status)))
        assert answer.headers["cache-control"] in ("no-cache", "no-store")
    with Watch(site.socket, "?kinds=flow") as watch:
        assert watch.status == 200
        seen.add(("watch", "200"))
    assert promised - seen == set() and seen - promised == set()


# --- the document itself ---

def test_the_document_is_sound(site):
    document = site.document.json
    assert document["openapi"].startswith("3.1.")
    names = [o["operationId"] for _, _, _, o in site.document.operations]
    assert len(names) == len(set(names))
    for _, path, _, operation in site.document.operations:
        assert operation["summary"]
        in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert in_path == re.findall(r"\{([^}]*)\}", path)
        named = [(p["in"], p["name"]) for p in operation["parameters"]]
        assert len(named) == len(set(named))


def every_reference(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for v in value.values():
            yield from every_reference(v)
    elif isinstance(value, list):
        for v in value:
            yield from every_reference(v)


def test_every_schema_is_one_and_is_used(site):
    import jsonschema
    document = site.document.json
    used = set(every_reference(document))
    for reference in used:
        site.document.resolver.resolve(reference)
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "#/components/schemas/" + name in used, name


def test_the_judge_judges(site):
    """An answer that is not as promised is found out."""
    schema = {"$ref": "#/components/schemas/Flow"}
    good = {"id": "1", "priority": 1, "isPermanent": True, "tableId": 0, "appId": "a",
            "state": "ADDED", "treatment": {"instructions": []}, "selector": {"criteria": []}}
    assert site.document.accepts(good, schema)
    for bad in ({"state": "NEW"}, {"surplus": 1}, {"priority": None}, {"id": 1},
                {"selector": {"criteria": [{}]}}):
        assert not site.document.accepts(dict(good, **bad), schema), bad


def examples(heading):
    """Of control/model/README.md: the objects in the tables below a heading."""
    with open(os.path.join(TOP, "control/model/README.md"), encoding="utf-8") as f:
        section = re.split(r"^#+ ", f.read().split("\n### %s\n" % heading, 1)[1], flags=re.M)[0]
    for line in re.findall(r"^\| `.*", section, re.M):
        for text in re.findall(r"`(\{\"type\".*?\})`", line.split(" | ")[0]):
            yield json.loads(text)


@pytest.mark.parametrize("heading, schema, least", [
    ("Criteria", "Criterion", 50), ("Instructions", "Instruction", 45)])
def test_what_flows_are_made_of_is_typed(site, heading, schema, least):
    """Every example is of its schema, with no other member, and with none missing that it needs."""
    schema = {"$ref": "#/components/schemas/" + schema}
    seen = list(examples(heading))
    assert len(seen) >= least
    for example in seen:
        assert site.document.accepts(example, schema), example
        assert not site.document.accepts(dict(example, surplus=1), schema), example
        assert not site.document.accepts(dict(example, type="NEW"), schema), example
        if "subtype" in example:
            assert not site.document.accepts(dict(example, subtype="NEW"), schema), example


def test_what_flows_are_made_of_is_taken(api):
    """What the schemas have beside each other is read: each instruction in a flow of its own."""
    for n, example in enumerate(examples("Instructions")):
        if example["type"] in ("METER", "GROUP", "REPLY", "NOACTION") or "subtype" in example:
            continue  # they need what is not there, or a match of their own
        api.post(FLOWS, dict(flow(n + 1), treatment={"instructions": [example]}), want=201)
    api.get("/v1/flows", want=200)


# --- what is wrong whatever the request is for ---

def every(site):
    for method, path, _, operation in site.document.operations:
        if operation["operationId"] == "watch":
            continue
        yield method, path, operation


def test_methods(site, api):
    """405 with Allow, OPTIONS, and HEAD as GET without its body."""
    for path, methods in site.document.json["paths"].items():
        allowed = {m.upper() for m in methods} | {"OPTIONS"}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        where = path_of(path)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "HEAD"):
            if method in allowed or (method == "HEAD" and path == "/watch"):
                continue
            answer = api.request(method, where, want=405)
            assert set(answer.headers["allow"].split(", ")) == allowed, (method, path)
        answer = api.request("OPTIONS", where, want=204)
        assert set(answer.headers["allow"].split(", ")) == allowed


def test_head_is_get_without_body(site, api):
    for method, path, _ in every(site):
        if method != "GET":
            continue
        get, head = (api.request(m, path_of(path)) for m in ("GET", "HEAD"))
        assert head.status == get.status and head.body == b"", path
        assert head.headers.get("etag") == get.headers.get("etag"), path
        assert head.headers.get("content-type") == get.headers.get("content-type"), path


def test_nothing_stands_behind_a_head(site, api):
    for method, path, _ in every(site):
        if method != "GET":
            continue
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(30)
            raw.connect(site.socket)
            raw.sendall(("HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n" % path_of(path)).encode())
            stream = raw.makefile("rb")
            head = list(iter(stream.readline, b"\r\n"))
            assert head[0].startswith(b"HTTP/1.1 ")
            if b"Connection: close\r\n" in head:
                assert stream.read() == b"", path
                continue
            raw.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert stream.readline().startswith(b"HTTP/1.1 200 "), path


def test_head_of_a_watch_ends(site, api):
    answer = api.request("HEAD", "/v1/watch", want=200)
    assert answer.body == b""
    assert api.get("/v1/status").json["watchers"] == 0


def test_unknown_paths(api):
    for path in ("/", "/v1", "/v1/", "/v2/flows", "/v1/flow", "/v1/flows/a/b/c", "/onos/v1",
                 "/v1//flows", "/v1/flows/", "/etc/passwd", "/v1/../v1/flows"):
        answer = api.get(path, want=404)
        assert answer.json["status"] == 404, path


@pytest.mark.parametrize("path, near", [
    ("/v1/flow", "/flows"), ("/v1/netwroks/x", "/networks"), ("/onos/v1/metres", "/meters"),
    ("/v1/flows?tabel=1", "table"), ("/v1/ports?netwrok_id=n", "network_id"),
    ("/v1/ports/pp1", "p1"), ("/v1/flows?outPort=p22", "p2"), ("/v1/flows/table/polcy", "policy")])
def test_the_nearest_right_word_is_named(api, path, near):
    api.put("/v1/tables/1", {"tableId": 1, "name": "policy"}, want=200)
    said = api.get(path).json["message"]
    assert 'did you mean "%s"?' % near in said, said


@pytest.mark.parametrize("path", ["/v1/", "/v1/xyzzy", "/onos/v1/a/b", "/v1/flows?colour=red"])
def test_where_none_is_near_none_is_named(api, path):
    answer = api.get(path)
    assert answer.status in (400, 404) and "did you mean" not in answer.json["message"], answer


def test_unknown_devices(site, api):
    for method, path, _ in every(site):
        if "{deviceId}" in path:
            answer = api.request(method, path_of(path, deviceId="of:00000000000000ff"), want=404)
            assert DEVICE in answer.json["detail"]
            # ids have no case
            answer = api.request(method, path_of(path, deviceId=DEVICE.upper()), b"{}")
            assert answer.status != 404 or "evice" not in answer.json["detail"]


def test_parameters(site, api):
    for method, path, _ in every(site):
        where = path_of(path)
        answer = api.request(method, where + "?colour=red", want=400)
        assert '"colour"' in answer.json["detail"]
        answer = api.request(method, where + "?" + "&".join("a%d=" % i for i in range(40)),
                             want=400)


def test_parameters_stand_once(api):
    answer = api.get("/v1/flows?limit=1&limit=1", want=400)
    assert "twice" in answer.json["detail"]


@pytest.mark.parametrize("query", [
    "limit=0", "limit=-1", "limit=10001", "limit=x", "limit=", "limit=1&after=x",
    "after=99999999999999999999", "table=255", "table=nowhere", "cookie=x", "cookie=1/",
    "cookie=1/x", "outPort=nowhere", "outGroup=x", "outGroup=4294967295", "match=colour=red",
    "match=tcp,nw_dst=10.0.0.300", "stats=maybe"])
def test_bad_values_of_list_parameters(api, query):
    answer = api.get("/v1/flows?" + query)
    assert answer.status in (400, 404), answer


@pytest.mark.parametrize("query", ["wait=never", "wait=", "dryRun=perhaps", "confirmWithin=0",
                                   "confirmWithin=x", "confirmWithin=86401", "confirmWithin=-1",
                                   "confirmWithin=1e3"])
def test_bad_values_of_change_parameters(api, query):
    api.post(FLOWS + "?" + query, flow(1), want=400)
    assert api.get("/v1/flows").json["flows"] == []


BAD_BODIES = [
    b"", b"{", b"[", b"nonsense", b"{\"a\":1", b"\"\\ud800\"", b"\xff\xfe{}", b"{} {}", b"{}x",
    b"[" * 17 + b"]" * 17, b"{\"flows\":" * 20, b"null", b"1", b"\"text\"", b"{\"a\":1,\"a\":1}",
    b"{\"a\":NaN}", b"{\"a\":01}", b"{'a':1}", b"{\"a\":1,}", b"\x00", b"{\"a\":\"\x00\"}",
    b"{\"surplus\":true}", b"[]",
]


def test_bad_bodies(site, api):
    """All operations that take one; a 428 comes first where If-Match is needed."""
    for method, path, operation in every(site):
        if "requestBody" not in operation:
            continue
        for body in BAD_BODIES:
            answer = api.request(method, path_of(path), body, ANY)
            assert answer.status in (400, 404, 422) or (
                answer.status == 412 and method == "PUT"), (method, path, body, answer)
            assert answer.json["status"] == answer.status
    assert api.get("/v1/config").json["ports"]


def test_content_types(site, api):
    for method, path, operation in every(site):
        if "requestBody" not in operation:
            continue
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                     "multipart/form-data; boundary=x"):
            answer = api.request(method, path_of(path), b"{}", {"Content-Type": kind}, want=415)
            assert kind in answer.json["detail"]
    for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
                 "application/vnd.example+json"):
        api.post(FLOWS, json.dumps(flow(1)), headers={"Content-Type": kind})


def test_bodies_where_none_is_taken(site, api):
    """Are read and left alone."""
    for method, path, operation in every(site):
        if "requestBody" not in operation:
            query = "?port=1" if path.endswith("/link") else ""
            answer = api.request(method, path_of(path) + query, b"{}")
            assert answer.status in (200, 204, 404), (method, path, answer)


def test_words_of_paths(api):
    for path, statuses in (
            (FLOWS + "/x", {400}), (FLOWS + "/-9223372036854775809", {400}),
            (FLOWS + "/99999999999999999999", {400}), (FLOWS + "/1", {404}),
            (GROUPS + "/x", {400}), (GROUPS + "/0x", {400}), (GROUPS + "/0xg", {400}),
            (GROUPS + "/" + "0x" + "1" * 2000, {400}), (GROUPS + "/77", {404}),
            (METERS + "/x", {400}), (METERS + "/4294967296", {400}), (METERS + "/77", {404}),
            ("/v1/meters/scope/%s/local" % DEVICE, {404}),
            ("/v1/ports/nowhere", {404}), ("/v1/ports/0", {404}), ("/v1/ports/77", {404}),
            ("/v1/tables/255", {404}), ("/v1/tables/nowhere", {404}),
            ("/v1/hosts/x/None", {400}), ("/v1/hosts/02:00:00:00:00:01/4096", {400}),
            ("/v1/hosts/02:00:00:00:00:01/x", {400}), ("/v1/hosts/02:00:00:00:00:77/None", {404}),
            ("/v1/hosts/02:00:00:00:00:0g/None", {400}),
            ("/v1/statistics/ports/%s/77" % DEVICE, {404}),
            ("/v1/statistics/flows/link", {400}),
            ("/v1/statistics/flows/link?port=77", {404}),
            ("/v1/statistics/flows/link?port=1&device=of:00000000000000ff", {404}),
            ("/v1/flows/table/255", {404})):
        answer = api.get(path)
        assert answer.status in statuses, (path, answer)


def test_escapes_in_paths(api):
    """%2e is a dot; what is no escape, or stands for NUL, is refused."""
    api.get("/v1/fl%6Fws", want=200)
    for path in ("/v1/flows%00", "/v1/flows?appId=a%00b", "/v1/flows%", "/v1/flows%2",
                 "/v1/flows%zz", "/v1/flows?appId=%zz"):
        api.get(path, want=400)


# --- conditions ---

def declare_one_of_each(api):
    """A tenant's object of each kind, all of the id that paths here have."""
    api.put("/v1/hosts/n", {"vtep_addresses": ["192.0.2.1"]}, want=201)
    api.put("/v1/quotas/n", {"port": 9}, want=201)
    api.put("/v1/networks/n", {}, want=201)
    api.put("/v1/subnets/n", {"network_id": "n", "cidr": "10.0.0.0/24"}, want=201)
    for path in ("routers", "qos-policies", "address-groups"):
        api.put("/v1/%s/n" % path, {}, want=201)


def test_unchanged_since(site, api):
    """304 for every answer with an ETag, as long as nothing changes."""
    api.post(FLOWS, flow(1), want=201)
    api.post(GROUPS, group(1, bucket(1)), want=201)
    api.post(METERS, meter(), want=201)
    api.post("/v1/hosts", host(), want=201)
    declare_one_of_each(api)
    tagged = set()
    for method, path, operation in every(site):
        if method != "GET":
            continue
        where = find_flow(api, 1) if path.endswith("{flowId}") else path_of(path, appCookie="1")
        tag = api.get(where).headers.get("etag")
        assert ("304" in operation["responses"]) == (tag is not None), path
        if tag is None:
            continue
        tagged.add(operation["operationId"])
        assert re.fullmatch(r'"[0-9]+"', tag)
        for value in (tag, "*", '"0", ' + tag, 'W/"1",%s' % tag):
            answer = api.get(where, headers={"If-None-Match": value}, want=304)
            assert answer.headers["etag"] == tag and not answer.body
        for value in ('"0"', "W/" + tag, "x", ""):
            api.get(where, headers={"If-None-Match": value}, want=200)
    assert {"listFlows", "getFlow", "getGroup", "getMeter", "getPort", "getHost", "getTable",
            "getConfig", "listPorts"} <= tagged


def test_the_document_has_no_token(site):
    """It and health are for everybody: nothing to log in with yet."""
    for path in ("/v1/openapi.json", "/v1/health"):
        connection = UnixConnection(site.socket)
        connection.request("GET", path)
        assert connection.getresponse().status == 200
        connection.close()
