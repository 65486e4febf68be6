# SPDX-License-Identifier: BSD-3-Clause
"""/onos/v1: statuses and shapes of ONOS's REST interface, as its clients expect them."""
import time

import pytest

from northbound import DEVICE, bucket, flow, from_port, group, host, meter

BASE = "/onos/v1"
FLOWS, GROUPS, METERS = ("%s/%s/%s" % (BASE, kind, DEVICE)
                         for kind in ("flows", "groups", "meters"))
FLOW_KEYS = {"id", "tableId", "appId", "groupId", "priority", "timeout", "isPermanent", "deviceId",
             "state", "life", "packets", "bytes", "liveType", "lastSeen", "treatment", "selector",
             "tableName"}


def is_error(answer, status):
    """{"code","message"}, as ONOS has it."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["code"] == status and answer.json["message"]
    assert "title" not in answer.json and "detail" not in answer.json
    return answer


def test_flows(api):
    created = api.post(FLOWS + "?appId=org.example", flow(40000, [from_port(1)], 2), want=201)
    assert created.body == b""
    location = created.headers["location"]
    assert location.startswith(FLOWS + "/")
    assert api.post(FLOWS + "?appId=org.example", flow(40000, [from_port(1)], 2),
                    want=201).headers["location"] == location
    (shown,) = api.get(location, want=200).json["flows"]
    assert FLOW_KEYS <= set(shown)
    assert shown["id"] == location.rsplit("/", 1)[1] and isinstance(shown["id"], str)
    assert shown["state"] == "ADDED" and shown["appId"] == "org.example"
    assert shown["treatment"] == {"instructions": [{"type": "OUTPUT", "port": "2"}],
                                  "deferred": []}
    assert shown["selector"] == {"criteria": [{"type": "IN_PORT", "port": 1}]}
    many = api.post(BASE + "/flows", {"flows": [
        flow(1, deviceId=DEVICE), flow(2, deviceId=DEVICE)]}, want=200).json
    assert [set(f) for f in many["flows"]] == [{"deviceId", "flowId"}] * 2
    assert all(isinstance(f["flowId"], str) for f in many["flows"])
    for path in ("/flows", "/flows/" + DEVICE, "/flows/table/0"):
        assert len(api.get(BASE + path, want=200).json["flows"]) == 3
    assert api.get(BASE + "/flows/pending", want=200).json == {"flows": []}
    assert len(api.get(BASE + "/flows/application/org.example").json["flows"]) == 1
    api.request("DELETE", BASE + "/flows", many, want=204)
    api.delete(BASE + "/flows/application/org.example", want=204)
    assert api.get(FLOWS + "/77", want=200).json == {"flows": []}
    api.delete(FLOWS + "/77", want=204)
    assert api.get(BASE + "/flows").json == {"flows": []}


def test_bad_flows(api):
    is_error(api.post(FLOWS, flow(70000)), 400)
    is_error(api.post(FLOWS, "{"), 400)
    is_error(api.post(FLOWS, {"isPermanent": True}), 400)
    is_error(api.post(BASE + "/flows", {}), 400)
    is_error(api.post(BASE + "/flows", {"flows": [flow(1)]}), 400)  # no device
    is_error(api.post(FLOWS, flow(1, deviceId="of:00000000000000ff")), 400)
    # 422 of /v1 is 400 here, and the reason is told.
    answer = is_error(api.post(FLOWS, flow(1, [{"type": "IPV4_DST", "ip": "10.0.0.0/8"}])), 400)
    assert answer.json["ofName"] == "OFPBMC_BAD_PREREQ"
    is_error(api.get(BASE + "/flows/of:00000000000000ff"), 404)
    is_error(api.get(BASE + "/nothing"), 404)
    is_error(api.patch(FLOWS, "{}"), 405)


def test_groups(api):
    created = api.post(GROUPS, group(12, bucket(1, weight=2), bucket(2), type="SELECT",
                                     appCookie="0x0a01"))
    assert created.status == 400  # SELECT needs weights
    created = api.post(GROUPS, group(12, bucket(1, weight=2), bucket(2, weight=1), type="SELECT",
                                     appCookie="0x0a01"), want=201)
    assert created.body == b"" and created.headers["location"] == GROUPS + "/12"
    (shown,) = api.get(GROUPS + "/0x0a01", want=200).json["groups"]
    assert {"id", "state", "life", "packets", "bytes", "referenceCount", "type", "deviceId",
            "appId", "appCookie", "givenGroupId", "buckets"} <= set(shown)
    assert shown["appCookie"] == "0x0a01" and shown["givenGroupId"] == shown["id"] == 12
    assert {"type", "weight", "packets", "bytes", "bucketId", "treatment"} <= set(
        shown["buckets"][0])
    api.post(GROUPS + "/0x0a01/buckets", {"buckets": [
        bucket(3, type="SELECT", weight=1)]}, want=204)
    (shown,) = api.get(GROUPS + "/0x0a01").json["groups"]
    assert len(shown["buckets"]) == 3
    api.delete(GROUPS + "/0x0a01/buckets/%d" % shown["buckets"][2]["bucketId"], want=204)
    assert len(api.get(GROUPS).json["groups"]) == len(api.get(BASE + "/groups").json["groups"]) == 1
    is_error(api.get(GROUPS + "/0x0b"), 404)
    is_error(api.get(GROUPS + "/cookie"), 400)
    is_error(api.post(GROUPS, {"type": "ALL", "appCookie": "0x1", "groupId": 1}), 400)
    api.delete(GROUPS + "/0x0a01", want=204)
    api.delete(GROUPS + "/0x0a01", want=204)


def test_meters(api):
    created = api.post(METERS, meter(20000, deviceId=DEVICE), want=201)
    assert created.body == b"" and created.headers["location"] == METERS + "/1"
    for path in (METERS + "/1", METERS, BASE + "/meters",
                 BASE + "/meters/scope/%s/global" % DEVICE):
        (shown,) = api.get(path, want=200).json["meters"]
        assert shown["id"] == "1" and shown["unit"] == "KB_PER_SEC" and shown["burst"] is True
        assert {"life", "packets", "bytes", "referenceCount", "deviceId", "appId",
                "state"} <= set(shown)
        assert shown["bands"] == [{"type": "DROP", "rate": 20000, "packets": 0, "bytes": 0,
                                   "burstSize": 100}]
    is_error(api.get(METERS + "/9"), 404)
    is_error(api.post(METERS, {"unit": "KB_PER_SEC"}), 400)
    is_error(api.post(BASE + "/meters/of:00000000000000ff", meter()), 400)
    api.delete(METERS + "/1", want=204)
    api.delete(METERS + "/1", want=204)


def test_devices(api):
    (device,) = api.get(BASE + "/devices", want=200).json["devices"]
    assert {"id", "type", "available", "role", "mfr", "hw", "sw", "serial", "driver", "chassisId",
            "lastUpdate", "humanReadableLastUpdate", "annotations"} <= set(device)
    assert device["id"] == DEVICE and device["available"] is True and device["type"] == "SWITCH"
    assert api.get(BASE + "/devices/" + DEVICE).json["id"] == DEVICE
    ports = api.get(BASE + "/devices/ports", want=200).json["ports"]
    assert [p["port"] for p in ports] == ["1", "2", "3", "4"]
    assert {"element", "port", "isEnabled", "type", "annotations"} <= set(ports[0])
    assert ports[0]["annotations"]["portName"] == "p1"
    assert len(api.get(BASE + "/devices/%s/ports" % DEVICE).json["ports"]) == 4
    done = api.post(BASE + "/devices/%s/portstate/1" % DEVICE, {"enabled": False}, want=200)
    assert done.body == b""
    ports = api.get(BASE + "/devices/ports").json["ports"]
    assert [p["isEnabled"] for p in ports] == [False, True, True, True]
    is_error(api.post(BASE + "/devices/%s/portstate/1" % DEVICE, {}), 400)
    is_error(api.get(BASE + "/devices/of:00000000000000ff"), 404)
    # It comes by again at once, with all that it had.
    location = api.post(FLOWS, flow(5), want=201).headers["location"]
    assert api.delete(BASE + "/devices/" + DEVICE, want=200).json["id"] == DEVICE
    end = time.monotonic() + 20
    while not api.get(BASE + "/devices/" + DEVICE).json["available"]:
        assert time.monotonic() < end
    (found,) = api.get(location, want=200).json["flows"]
    assert found["state"] == "ADDED"
    is_error(api.delete(BASE + "/devices/of:00000000000000ff"), 404)


def test_hosts(api):
    created = api.post(BASE + "/hosts", host(10, mac="02:00:00:00:00:0a"), want=201)
    assert created.body == b""
    assert created.headers["location"] == BASE + "/hosts/02:00:00:00:00:0A/None"
    for path in ("/hosts/02:00:00:00:00:0a/None", "/hosts/02:00:00:00:00:0A/-1"):
        shown = api.get(BASE + path, want=200).json
        assert shown["id"] == "02:00:00:00:00:0A/None" and shown["mac"] == "02:00:00:00:00:0A"
        assert {"vlan", "innerVlan", "outerTpid", "configured", "suspended", "ipAddresses",
                "locations"} <= set(shown)
    assert len(api.get(BASE + "/hosts").json["hosts"]) == 1
    is_error(api.get(BASE + "/hosts/02:00:00:00:00:77/None"), 404)
    api.delete(BASE + "/hosts/02:00:00:00:00:0A/None", want=204)


def test_statistics(api):
    for path in ("ports", "ports/" + DEVICE, "delta/ports", "delta/ports/" + DEVICE):
        (device,) = api.get(BASE + "/statistics/" + path, want=200).json["statistics"]
        assert device["device"] == DEVICE and [p["port"] for p in device["ports"]] == [1, 2, 3, 4]
        assert set(device["ports"][0]) == {
            "port", "packetsReceived", "packetsSent", "bytesReceived", "bytesSent",
            "packetsRxDropped", "packetsTxDropped", "packetsRxErrors", "packetsTxErrors",
            "durationSec"}
    (device,) = api.get(BASE + "/statistics/ports/%s/1" % DEVICE).json["statistics"]
    assert len(device["ports"]) == 1
    api.post(FLOWS, flow(1), want=201)
    (device,) = api.get(BASE + "/statistics/flows/tables").json["statistics"]
    assert set(device["table"][0]) == {"tableId", "deviceId", "activeEntries", "packetsLookedUp",
                                       "packetsMatched"}
    assert device["table"][0]["tableId"] == "0"
    (device,) = api.get(BASE + "/statistics/flows/activeentries").json["statistics"]
    assert device == {"device": DEVICE, "activeEntries": 1}
    assert api.get(BASE + "/statistics/flows/link?device=%s&port=1" % DEVICE).json["loads"]


@pytest.mark.parametrize("path", ["/flows", "/groups", "/meters", "/hosts"])
def test_empty_is_an_empty_list(api, path):
    assert api.get(BASE + path, want=200).json == {path[1:]: []}


def test_what_onos_takes_and_never_read(api):
    """Parameters that we do not know, and headers of ours that it never had."""
    api.get(BASE + "/flows?colour=red", want=200)
    api.post(FLOWS + "?colour=red", flow(1), headers={"If-Match": '"1"'}, want=201)
    assert api.get("/v1/flows").json["flows"][0]["priority"] == 1
