# SPDX-License-Identifier: BSD-3-Clause
"""What is attached to a tenant's network. Each runs scripts of a busybox shell: begin(), then end();
what many do at once takes as long as the slowest.

An endpoint answers HTTP with its own name, so that who is asked can be told from who has the same
address in another tenant's network.
"""
import os

import guest
from lab import HERE

SERVE = "mkdir -p {folder}; echo {name} >{folder}/name; httpd -p 80 -h {folder}"


class Endpoint:
    """port: as declared (an object of the tenant document)."""

    def __init__(self, name, tenant, kind, where, port):
        self.name, self.tenant, self.kind, self.where, self.port = name, tenant, kind, where, port
        self.mac = port["mac_address"]
        self.addresses = [f["ip_address"] for f in port["fixed_ips"]]

    def run(self, script, check=True, limit=60):
        self.begin(script)
        return self.end(check, limit)

    def serve(self):
        self.run(SERVE.format(name=self.name, folder=self.folder))

    def dhcp(self):
        """IPv4 address, MTU and routes as the switch's DHCP tells them."""
        return self.run("udhcpc -q -n -f -t 10 -T 1 -i eth0 -s " + self.dhcp_script)


class Namespace(Endpoint):
    """A container, a bare-metal server, or a host behind another's VTEP."""

    dhcp_script = os.path.join(HERE, "dhcp")

    def __init__(self, lab, netns, *rest):
        super().__init__(*rest)
        self.lab, self.netns, self.child, self.script = lab, netns, None, None
        self.folder = "%s/www-%s" % (lab.folder, self.name)

    def begin(self, script):
        self.script = script
        self.child = self.lab.start(self.netns, "busybox", "sh", "-c", script)

    def end(self, check=True, limit=60):
        out, _ = self.child.communicate(timeout=limit)
        assert not check or self.child.returncode == 0, "%s: %s: status %d\n%s" % (
            self.name, self.script, self.child.returncode, out)
        return out


class Machine(Endpoint):
    """A virtual machine, whose one interface is a vhost-user port."""

    dhcp_script = "/dhcp"
    folder = "/tmp/www"

    def __init__(self, lab, socket, memory, *rest):
        super().__init__(*rest)
        self.guest = guest.Machine(lab, self.name, [(socket, self.mac, "")], memory)

    def boot(self):
        self.guest.booted()
        self.guest.run("ip link set eth0 up")

    def begin(self, script):
        # Its console takes one line a command.
        self.guest.begin(script.replace("\n", " "))

    def end(self, check=True, limit=60):
        return self.guest.end(check, limit)
