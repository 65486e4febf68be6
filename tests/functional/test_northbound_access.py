# SPDX-License-Identifier: BSD-3-Clause
"""Who may do what: every operation by every role, tenants apart from each other, tokens,
certificates, sockets."""
import base64
import http.client
import json
import os
import re
import ssl
import subprocess

import pytest

from northbound import (
    DEVICE, FRAME, Watch, bearer, bucket, flow, free_port, from_port, group, host, meter,
    operations, path_of, secret_of, start, token)

FLOWS, GROUPS, METERS = ("/v1/%s/%s" % (kind, DEVICE) for kind in ("flows", "groups", "meters"))
ROLES = ("nobody", "viewer", "operator", "admin")
CLIENTS = {  # name: role, tenant
    "vic": ("viewer", None), "oscar": ("operator", None), "ada": ("admin", None),
    "red-viewer": ("viewer", "red"), "red": ("operator", "red"), "blue": ("operator", "blue")}


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    port = free_port()
    made = start(tmp_path_factory.mktemp("secured"), listen=[
        {"address": "127.0.0.1", "port": port}], tokens=[
            token(name, role, **({"tenant": tenant} if tenant else {}))
            for name, (role, tenant) in CLIENTS.items()])
    made.port = port
    yield made
    made.close()


@pytest.fixture
def clients(secured):
    """By name; "nobody" shows no token."""
    secured.reset()
    made = {name: secured.tcp(secured.port, secret_of(name)) for name in CLIENTS}
    made["nobody"] = secured.tcp(secured.port)
    yield made
    for client in made.values():
        client.close()


# --- roles ---

def test_every_operation_by_every_role(secured, clients):
    """Allowed are the role that the document names and those above; tenants where it says so."""
    tried = 0
    for method, path, _, operation in secured.document.operations:
        if operation["operationId"] == "watch":
            continue
        for name, client in clients.items():
            role, tenant = CLIENTS.get(name, ("nobody", None))
            answer = client.request(method, path_of(path), b"nonsense" if
                                    "requestBody" in operation else None)
            needed = ROLES.index(operation["x-role"])
            if needed == 0:
                assert answer.status == 200
            elif role == "nobody":
                assert answer.status == 401 and answer.headers["www-authenticate"], answer
            elif ROLES.index(role) < needed or (tenant and not operation["x-tenants"]):
                assert answer.status == 403 and answer.json["ofName"] == "OFPBRC_EPERM", (
                    name, method, path, answer)
            elif "x-role-switch" in operation and (role != "admin" or tenant):
                # what is asked for is of the switch, unless it is said to be a tenant's
                assert answer.status in (400, 403, 404, 204, 422), (name, method, path, answer)
            else:
                assert answer.status not in (401, 403), (name, method, path, answer)
            tried += 1
    assert tried > 400


def test_a_watch_needs_a_role(secured):
    with Watch(None, port=secured.port) as watch:
        assert watch.status == 401
    with Watch(None, port=secured.port, headers=bearer(secret_of("vic"))) as watch:
        assert watch.status == 200


def test_who_you_are(clients):
    for name, (role, tenant) in CLIENTS.items():
        status = clients[name].get("/v1/status", want=200).json
        assert status["you"] == dict({"name": name, "role": role},
                                     **({"tenant": tenant} if tenant else {}))
        assert ("workers" in status) == (tenant is None)


@pytest.mark.parametrize("value", [
    "", "Bearer", "Bearer ", "Bearer x", "bearer", "Basic", "Basic !!!", "Digest x",
    "Basic " + base64.b64encode(b"ada").decode(),
    "Basic " + base64.b64encode(b"vic:" + secret_of("ada").encode()).decode(),
    "Bearer " + "x" * 8000, secret_of("ada"), "Bearer " + secret_of("ada") + "x",
    "Bearer " + secret_of("ada")[:-1]])
def test_wrong_tokens(clients, value):
    clients["nobody"].get("/v1/flows", headers={"Authorization": value}, want=401)


def test_spellings_of_a_token(clients):
    basic = base64.b64encode(("ada:" + secret_of("ada")).encode()).decode()
    for value in ("bearer " + secret_of("ada"), "BASIC " + basic):
        clients["nobody"].get("/v1/config", headers={"Authorization": value}, want=200)


def test_the_token_counts_more_than_the_user(secured):
    """Whoever is root may act for a tenant."""
    api = secured.api(bearer(secret_of("red")))
    assert api.get("/v1/status").json["you"]["name"] == "red"
    secured.api({"Authorization": "Bearer wrong"}).get("/v1/flows", want=401)


# --- tenants ---

# What would change something of the switch, as paths below /v1 and bodies.
OF_THE_SWITCH = (
    ("POST", "/flows", {"flows": [flow(9, [from_port(1)], 2)]}),
    ("POST", FLOWS[3:], flow(9, [from_port(1)], 2)),
    ("PUT", FLOWS[3:] + "?appId=shared", {"flows": [flow(9)]}),
    ("PUT", FLOWS[3:] + "/FLOW", flow(1, [from_port(1)], 3)),
    ("DELETE", FLOWS[3:] + "/FLOW", None),
    ("DELETE", "/flows", {"flows": [{"deviceId": DEVICE, "flowId": "FLOW"}]}),
    ("DELETE", "/flows/application/shared", None),
    ("POST", GROUPS[3:], group(9, bucket(1))),
    ("PUT", GROUPS[3:] + "/1", group(1, bucket(2))),
    ("POST", GROUPS[3:] + "/1/buckets", {"buckets": [bucket(2)]}),
    ("DELETE", GROUPS[3:] + "/1/buckets/0", None),
    ("DELETE", GROUPS[3:] + "/1", None),
    ("POST", METERS[3:], meter()),
    ("PUT", METERS[3:] + "/1", meter(5)),
    ("DELETE", METERS[3:] + "/1", None),
    ("POST", "/hosts", host(9)),
    ("DELETE", "/hosts/02:00:00:00:00:01/None", None),
    ("POST", "/packet-out", {"frame": FRAME, "treatment": {}}),
    ("POST", "/trace", {"inPort": 1, "frame": FRAME}),
    ("POST", "/devices/%s/portstate/1" % DEVICE, {"enabled": False}),
    ("PUT", "/tables/0", {"tableId": 0, "name": "mine"}),
    ("PUT", "/config", {"device": {"id": DEVICE}}),
)
OPERATIONS_OF_THE_SWITCH = (
    {"op": "add", "flow": flow(9, [from_port(1)], 2)}, {"op": "delete", "flow": {}},
    {"op": "add", "group": group(9, bucket(1))}, {"op": "delete", "group": {"groupId": "ALL"}},
    {"op": "add", "meter": meter()}, {"op": "delete", "meter": {"index": "ALL"}},
    {"op": "packet-out", "packetOut": {"frame": FRAME, "treatment": {}}},
    {"op": "configure", "port": {"number": 1, "isEnabled": False}},
    {"op": "remove", "port": {"number": 1}})


def of_the_switch(api):
    """What an administrator made there: the path of its flow."""
    path = api.post(FLOWS + "?appId=shared", flow(1, [from_port(1)], 2),
                    want=201).headers["location"]
    api.post(GROUPS, group(1, bucket(1)), want=201)
    api.post(METERS, meter(index=1), want=201)
    api.post("/v1/hosts", host(1), want=201)
    return path


def whole(api):
    """All that is wanted of the switch."""
    return [api.get("/v1/" + path, want=200).json for path in ("config", "hosts")]


def test_the_switch_is_not_for_tenants(clients):
    """A flow matches what it likes, whosever packets those are."""
    ada = clients["ada"]
    flow_id = of_the_switch(ada).rsplit("/", 1)[1]
    before = whole(ada)
    for method, path, body in OF_THE_SWITCH:
        path = path.replace("FLOW", flow_id)
        body = json.loads(json.dumps(body).replace("FLOW", flow_id))
        for prefix in ("/v1", "/onos/v1"):
            answer = clients["red"].request(method, prefix + path, body, want=403)
            assert answer.json["ofName"] == "OFPBRC_EPERM" and answer.json["message"], answer
    for operation in OPERATIONS_OF_THE_SWITCH:
        # Also beside something that is the tenant's, which is then not done either.
        answer = clients["red"].post("/v1/transactions", operations(
            {"op": "add", "network": {"id": "mine"}}, operation), want=403)
        assert answer.json["ofName"] == "OFPBRC_EPERM"
        assert answer.json["errors"][0]["pointer"].startswith("/operations/1")
        clients["red"].post("/v1/transactions?dryRun=true", operations(operation), want=403)
    assert clients["red"].get("/v1/networks").json["networks"] == []
    assert whole(ada) == before
    # Who is bound to no tenant may.
    clients["oscar"].post(FLOWS, flow(9, [from_port(1)], 2), want=201)


def test_tenants_see_nothing_of_the_switch(secured, clients):
    flow_path = of_the_switch(clients["ada"])
    for name in ("red", "red-viewer"):
        for path in (flow_path, GROUPS + "/1", GROUPS + "/0x00000001", METERS + "/1",
                     "/v1/hosts/02:00:00:00:00:01/None", "/v1/ports/1"):
            clients[name].get(path, want=404)
        for listing, key in (("/v1/flows", "flows"), (FLOWS, "flows"), ("/v1/groups", "groups"),
                             ("/v1/meters", "meters"), ("/v1/hosts", "hosts"),
                             ("/v1/flows/table/0", "flows"), ("/v1/flows/pending", "flows"),
                             ("/v1/flows/application/shared", "flows"), ("/v1/ports", "ports")):
            assert clients[name].get(listing, want=200).json[key] == [], listing
        counts = {k: v for k, v in clients[name].get("/v1/status").json["objects"].items()
                  if k != "ports"}
        assert set(counts.values()) == {0}
        assert clients[name].get("/v1/statistics/flows/activeentries").json["statistics"][0][
            "activeEntries"] == 0


def test_tenants_see_their_own(clients):
    """What one makes is not there for the other: not in lists, not by id, not for changes."""
    red, blue, ada = clients["red"], clients["blue"], clients["ada"]
    of_red = {"networks": {"id": "n"}, "subnets": {"id": "n", "network_id": "n",
                                                   "cidr": "10.0.0.0/24"},
              "ports": {"id": "n", "network_id": "n"}, "routers": {"id": "n"},
              "qos-policies": {"id": "n"}, "address-groups": {"id": "n"}}
    for kind, body in of_red.items():
        red.post("/v1/" + kind, body, want=201)
        path, key = "/v1/%s/n" % kind, kind.replace("-", "_")
        for name in ("red", "red-viewer", "ada"):
            clients[name].get(path, want=200)
        assert len(red.get("/v1/" + kind).json[key]) == 1
        blue.get(path, want=404)
        assert blue.get("/v1/" + kind).json[key] == []
        blue.patch(path, {"name": "mine"}, want=404)
        blue.delete(path, want=204)  # of nothing
        blue.delete(path, headers={"If-Match": "*"}, want=412)
        clients["red-viewer"].patch(path, {"name": "x"}, want=403)
    for body in ({"op": "delete", "port": {"id": "n"}}, {"op": "delete", "network": {"id": "n"}}):
        blue.post("/v1/transactions", operations(body), want=200)  # of nothing
    for kind in of_red:
        assert ada.get("/v1/%s/n" % kind, want=200).json["tenant_id"] == "red"
    # Its ids and networks are not another's to use.
    blue.put("/v1/networks/n", {}, want=403)
    blue.post("/v1/subnets", {"network_id": "n", "cidr": "10.1.0.0/24"}, want=409)


def test_transactions_of_tenants(clients):
    red, blue = clients["red"], clients["blue"]
    number = red.post("/v1/transactions?confirmWithin=60", operations(
        {"op": "add", "network": {"id": "n"}}), want=200).json["transaction"]
    for verb in ("confirm", "cancel"):
        blue.post("/v1/transactions/%s/%s" % (number, verb), want=404)
    red.post("/v1/transactions/%s/confirm" % number, want=204)
    clients["oscar"].post("/v1/transactions", operations(
        {"op": "remove", "port": {"number": 1}}), want=403)
    # What a tenant would change is shown to it alone.
    shown = blue.post("/v1/transactions?dryRun=true", operations(
        {"op": "delete", "network": {"id": "n"}}), want=200).json
    assert shown["changes"] == []


def test_watches_of_tenants(secured, clients):
    clients["red"].put("/v1/networks/r1", {}, want=201)
    headers = bearer(secret_of("blue"))
    with Watch(None, "?kinds=flow,group,port,host,network,packet-in", headers,
               secured.port) as watch:
        assert watch.synced() == []
        clients["red"].put("/v1/networks/r2", {}, want=201)
        clients["ada"].post(FLOWS, flow(2), want=201)
        clients["oscar"].post("/v1/hosts", host(1), want=201)
        clients["ada"].patch("/v1/ports/1", {"isEnabled": False}, want=200)
        clients["blue"].put("/v1/networks/b3", {}, want=201)
        line = watch.line()
        assert line["object"]["id"] == "b3"
        clients["red"].put("/v1/networks/r4", {}, want=201)
        since = line["seq"]
    with Watch(None, "?since=%d" % (since - 1), headers, secured.port) as watch:
        assert [w["object"]["id"] for w in watch.synced()] == ["b3"]


def test_keys_of_tenants(clients):
    """An Idempotency-Key is the client's own."""
    key = {"Idempotency-Key": "same"}
    first = clients["red"].post("/v1/networks", {}, headers=key, want=201)
    second = clients["blue"].post("/v1/networks", {}, headers=key, want=201)
    assert first.json["id"] != second.json["id"]
    again = clients["red"].post("/v1/networks", {}, headers=key, want=201)
    assert again.json["id"] == first.json["id"]


# --- the Unix socket ---

def test_users_of_the_unix_socket(secured):
    """Others than root and the group may look, if the file's mode lets them in."""
    script = ("import sys; sys.path.insert(0, %r); from tenon import *; "
              "c = Client(UnixConnection(%r)); "
              "print(c.get('/v1/status').json['you']['role'], c.post(%r, {}).status)" % (
                  os.path.dirname(os.path.abspath(__file__)), secured.socket, FLOWS))
    if os.geteuid():
        pytest.skip("needs root to be somebody else")
    os.chmod(secured.socket, 0o666)
    folder = secured.folder
    while folder not in ("/", "/tmp"):
        os.chmod(folder, 0o755)
        folder = os.path.dirname(folder)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           "/usr/bin/python3", "-B", "-c", script], capture_output=True,
                          text=True, timeout=60)
    os.chmod(secured.socket, 0o660)
    assert done.stdout.split() == ["viewer", "403"], done


# --- TLS ---

def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr


def certificate(folder, name, authority=None, common_name=None):
    """NAME.pem and NAME.key; authority None: it signs itself."""
    common = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
              name + ".key", "-subj", "/CN=" + (common_name or name)]
    if authority is None:
        openssl(folder, "req", "-x509", *common, "-out", name + ".pem", "-days", "2", "-addext",
                "subjectAltName=IP:127.0.0.1")
        return
    openssl(folder, "req", *common, "-out", name + ".csr")
    openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", authority + ".pem", "-CAkey",
            authority + ".key", "-CAcreateserial", "-out", name + ".pem", "-days", "2")


class Tls:
    def __init__(self, site, folder, port):
        self.site, self.folder, self.port = site, folder, port

    def client(self, secret=None, shows=None, **limits):
        context = ssl.create_default_context(cafile=str(self.folder / "server.pem"))
        for key, value in limits.items():
            setattr(context, key, value)
        if shows:
            context.load_cert_chain(str(self.folder / (shows + ".pem")),
                                    str(self.folder / (shows + ".key")))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30,
                                                 context=context)
        made = self.site.api(bearer(secret) if secret else None)
        made.connection = connection
        return made


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder, "server")
    certificate(folder, "ca")
    certificate(folder, "ada", "ca")
    certificate(folder, "stranger", "ca")
    certificate(folder, "false-ca")
    certificate(folder, "forged", "false-ca", "ada")
    port = free_port()
    site = start(folder, listen=[{
        "address": "127.0.0.1", "port": port, "certificate": str(folder / "server.pem"),
        "key": str(folder / "server.key"), "clientCa": str(folder / "ca.pem")}], tokens=[
            {"name": "ada", "role": "admin"}, token("vic")])
    yield Tls(site, folder, port)
    site.close()


def test_tls(tls):
    client = tls.client(secret_of("vic"))
    assert client.get("/v1/status", want=200).json["you"] == {"name": "vic", "role": "viewer"}
    client.post(FLOWS, flow(1), want=403)
    assert client.connection.sock.version() in ("TLSv1.2", "TLSv1.3")
    tls.client().get("/v1/health", want=200)
    tls.client().get("/v1/flows", want=401)


def test_client_certificates(tls):
    """Signed by the authority, with the name of a token that is there: that one's rights."""
    client = tls.client(shows="ada")
    client.post(FLOWS, flow(1), want=201)
    assert len(client.get("/v1/flows").json["flows"]) == 1
    assert tls.client(secret_of("vic"), shows="ada").get("/v1/status").json["you"]["name"] == "vic"
    tls.client(shows="stranger").get("/v1/flows", want=401)
    try:
        assert tls.client(shows="forged").get("/v1/flows").status == 401
    except (ssl.SSLError, ConnectionError):
        pass


def test_old_tls_is_refused(tls):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        tls.client(maximum_version=ssl.TLSVersion.TLSv1_1).get("/v1/health")


def test_http_on_a_tls_port(tls):
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        tls.site.tcp(tls.port).get("/v1/health")
    tls.client().get("/v1/health", want=200)


def test_certificates_are_read_again(tls):
    """By SIGHUP, without ending a connection."""
    kept = tls.client(secret_of("vic"))
    kept.get("/v1/flows", want=200)
    sock = kept.connection.sock
    certificate(tls.folder, "server")
    tls.site.tenond.reload()
    kept.get("/v1/flows", want=200)
    assert kept.connection.sock is sock
    tls.client(secret_of("vic")).get("/v1/flows", want=200)
    # One that cannot be read changes nothing.
    (tls.folder / "server.pem").rename(tls.folder / "server.gone")
    tls.site.tenond.reload()
    (tls.folder / "server.gone").rename(tls.folder / "server.pem")
    assert re.search(r"server\.pem", tls.site.tenond.log())
    tls.client(secret_of("vic")).get("/v1/flows", want=200)
