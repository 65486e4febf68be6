# SPDX-License-Identifier: BSD-3-Clause
"""Clients of tenond's HTTP that believe nothing: each answer is held against /v1/openapi.json.

    def test_x(site):                   # both daemons, four ports, nothing else
        api = site.api()                # an admin's client
        api.post("/v1/flows/" + DEVICE, flow(100), want=201)

A module shares its daemons; each test begins with the same empty configuration.
"""
import hashlib
import http.client
import json
import re
import socket
import urllib.parse

import jsonschema

from tenon import Client, Tenon, UnixConnection

DEVICE = "of:0000000000000001"
PORTS = [{"number": n, "name": "p%d" % n, "type": "dpdk",
          "options": {"devargs": "net_null%d,no-rx=1" % (n - 1)}} for n in (1, 2, 3, 4)]
EMPTY = {"device": {"id": DEVICE}, "ports": PORTS}
FRAME = "020000000002020000000001080045000014000000004011b6e8c0000201c0000202"


# --- what requests are made of ---

def flow(priority, criteria=(), *out, **keys):
    """A flow that sends to the ports of out; without any it drops."""
    return dict({"priority": priority, "isPermanent": True,
                 "selector": {"criteria": list(criteria)},
                 "treatment": {"instructions": [{"type": "OUTPUT", "port": str(p)} for p in out]
                               or [{"type": "NOACTION"}]}}, **keys)


def from_port(number):
    return {"type": "IN_PORT", "port": number}


def bucket(*out, **keys):
    return dict({"treatment": {"instructions": [
        {"type": "OUTPUT", "port": str(p)} for p in out]}}, **keys)


def group(number, *buckets, **keys):
    return dict({"type": "ALL", "groupId": number, "appCookie": "0x%08x" % number,
                 "buckets": list(buckets)}, **keys)


def meter(rate=1000, **keys):
    return dict({"unit": "KB_PER_SEC", "burst": True,
                 "bands": [{"type": "DROP", "rate": rate, "burstSize": 100}]}, **keys)


def host(n=1, **keys):
    return dict({"mac": "02:00:00:00:00:%02X" % n, "vlan": "None",
                 "ipAddresses": ["10.0.0.%d" % n],
                 "locations": [{"elementId": DEVICE, "port": "1"}]}, **keys)


def operations(*list_of, **keys):
    return dict({"operations": list(list_of)}, **keys)


# Examples of the words in paths.
WORDS = {"deviceId": DEVICE, "flowId": "1", "tableId": "0", "appId": "a", "appCookie": "0x01",
         "bucketIds": "1", "meterId": "1", "scope": "global", "port": "1",
         "mac": "02:00:00:00:00:01", "vlan": "None", "transactionId": "1", "networkId": "n",
         "subnetId": "n", "routerId": "n", "qosPolicyId": "n", "addressGroupId": "n",
         "tenantId": "n", "hostId": "n"}


def path_of(template, **other):
    return "/v1" + re.sub(r"\{([^}]*)\}", lambda m: dict(WORDS, **other)[m[1]], template)


# --- the document as judge ---

class Document:
    """/v1/openapi.json."""

    def __init__(self, text):
        self.json = json.loads(text)
        self.resolver = jsonschema.RefResolver("", self.json)
        self.operations = []  # (method, path below /v1, expression, operation)
        for path, methods in self.json["paths"].items():
            expression = re.sub(r"\{[^}]*\}", "[^/]+", path)
            for method, operation in methods.items():
                self.operations.append((method.upper(), path, expression, operation))

    def find(self, method, path):
        """The operation of a request; None: there is none."""
        if not path.startswith("/v1/"):
            return None
        path = urllib.parse.unquote(path[3:].split("?")[0])
        fitting = [o for o in self.operations if re.fullmatch(o[2], path)]
        for name, template, _, operation in fitting:
            if template == fitting[0][1] and name == method:
                return operation
        return None

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.resolver.resolve(schema["$ref"])[1]
        return schema

    def validate(self, instance, schema):
        jsonschema.Draft202012Validator(schema, resolver=self.resolver).validate(instance)

    def accepts(self, instance, schema):
        return jsonschema.Draft202012Validator(schema, resolver=self.resolver).is_valid(instance)

    def check(self, method, path, body, answer):
        """Is this what the document promises?"""
        operation = self.find(method, path)
        if operation is None:
            assert answer.status >= 400 or not path.startswith("/v1/"), answer
            return
        response = operation["responses"].get(str(answer.status))
        if response is None:
            assert answer.status >= 400, "%s %s: %d is not in the document" % (
                method, path, answer.status)
            response = operation["responses"]["default"]
        self.check_content(self.resolve(response), answer)
        if answer.status < 300 and body is not None and "requestBody" in operation:
            self.validate(json.loads(body), operation["requestBody"]["content"][
                "application/json"]["schema"])

    def check_content(self, response, answer):
        contents = response.get("content", {})
        if not contents:
            assert not answer.body and "content-type" not in answer.headers, answer
            return
        kind = answer.headers["content-type"]
        assert kind in contents, answer
        if kind == "application/x-ndjson":
            for line in answer.body.split(b"\n"):
                if line:
                    self.validate(json.loads(line), contents[kind]["schema"])
        elif kind != "text/event-stream":
            self.validate(answer.json, contents[kind]["schema"])


class Checked(Client):
    """want=N: the status that the answer must have."""

    def __init__(self, connection, document, headers=None):
        super().__init__(connection, headers)
        self.document = document

    def request(self, method, path, body=None, headers=None, want=None):
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        answer = super().request(method, path, body, headers)
        if want is not None:
            assert answer.status == want, "%s %s: %r" % (method, path, answer)
        if self.document and method not in ("HEAD", "OPTIONS"):
            self.document.check(method, path, body, answer)
        return answer

    def pointers(self, method, path, body, want):
        """Where the errors of a refused request are."""
        answer = self.request(method, path, body, want=want)
        return [e.get("pointer") for e in answer.json["errors"]]


# --- both daemons, for a module ---

class Site(Tenon):
    def __init__(self, folder, **keys):
        super().__init__(folder, **keys)
        self.document = None

    def start(self):
        super().start()
        self.wait_connected()
        self.document = Document(self.client().get("/v1/openapi.json").body)
        self.reset()
        return self

    def wait_connected(self):
        """Until tenond is in step with the data plane."""
        with Watch(self.socket, "?kinds=dataplane&initial=false") as watch:
            client = self.client()
            if not client.get("/v1/health").json["connected"]:
                watch.until(event="CONNECTED")
            client.close()

    def api(self, headers=None):
        client = Checked(UnixConnection(self.socket), self.document, headers)
        self.clients.append(client)
        return client

    def tcp(self, port, secret=None, address="127.0.0.1"):
        client = Checked(http.client.HTTPConnection(address, port, timeout=30), self.document,
                         bearer(secret) if secret else None)
        self.clients.append(client)
        return client

    def reset(self):
        """Nothing but the four ports."""
        api = self.api()
        api.put("/v1/config", EMPTY, headers={"If-Match": "*"}, want=200)
        for h in api.get("/v1/hosts").json["hosts"]:
            api.delete("/v1/hosts/" + h["id"], want=204)
        api.close()


def start(folder, **config):
    site = Site(folder, config=config)
    try:
        return site.start()
    except BaseException:
        site.close()
        raise


# --- who a client is ---

def secret_of(name):
    return "the long secret of " + name


def token(name, role="viewer", **keys):
    return dict(keys, name=name, role=role,
                sha256=hashlib.sha256(secret_of(name).encode()).hexdigest())


def bearer(secret):
    return {"Authorization": "Bearer " + secret}


def free_port():
    """One that nobody has now; the next to ask for any gets another."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- watching ---

class Watch:
    """GET /v1/watch on a connection of its own, line by line."""

    def __init__(self, path, query="", headers=None, port=None, timeout=30):
        if port is None:
            self.connection = UnixConnection(path, timeout)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.connection.request("GET", "/v1/watch" + query, headers=headers or {})
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def line(self):
        """The next one; None at the end."""
        text = self.response.readline()
        return json.loads(text) if text else None

    def until(self, **keys):
        """Lines up to the first that has these members."""
        lines = []
        while True:
            line = self.line()
            assert line is not None, "the watch ended after %r" % lines[-3:]
            lines.append(line)
            if all(line.get(k) == v for k, v in keys.items()):
                return lines

    def synced(self):
        """What there is."""
        return self.until(event="SYNCED")[:-1]

    def close(self):
        self.response.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
