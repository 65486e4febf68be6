# SPDX-License-Identifier: BSD-3-Clause
"""The demonstration that tools/quickstart runs: see its --help."""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

import guest
import hosts
import matrix
from lab import why_not

PROGRAMS = {"tenon-dataplane": "dataplane/agent/tenon-dataplane", "tenond": "control/tenond",
            "tenonctl": "tools/tenonctl/tenonctl"}


def arguments():
    parser = argparse.ArgumentParser(prog="tools/quickstart")
    parser.add_argument("--build", required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", metavar="PIDFILE")
    return parser.parse_args()


class Show:
    """People read it; with --json they get one document in its place, and progress on stderr."""

    def __init__(self, as_json):
        self.out = sys.stderr if as_json else sys.stdout

    def head(self, text):
        print("\n== " + text, file=self.out, flush=True)

    def line(self, text):
        print(text, file=self.out, flush=True)

    def command(self, host, *words):
        """A tenonctl that the reader can type, too, and the first lines that it says."""
        self.line("$ tenonctl --socket %s %s" % (host.socket, " ".join(
            "'%s'" % w if " " in w or "," in w else w for w in words)))
        said = host.ctl(*words).rstrip("\n").split("\n")
        self.line("\n".join(said[:24] + (["... %d lines more" % (len(said) - 24)]
                                         if len(said) > 24 else [])) + "\n")


def tour(site, show):
    hv1 = site.hosts["hv1"]
    show.head("What the switch of hv1 holds")
    show.command(hv1, "network", "list")
    show.command(hv1, "vport", "list")
    show.command(hv1, "flow", "dump", "table=5")
    show.head("A packet of red's container on hv1 to red's virtual machine on hv2, step by step")
    ends = {e.name: e for e in site.endpoints}
    one, two = ends["red-container-hv1"], ends["red-vm-hv2"]
    show.command(hv1, "trace", "in_port=p-%s,icmp,dl_src=%s,dl_dst=%s,nw_src=%s,nw_dst=%s" % (
        one.name, one.mac, two.mac, one.addresses[0], two.addresses[0]))
    show.head("Counters and rates")
    show.command(hv1, "stats", "ports")


def run(args, folder, show):
    """The matrix, and whether it is as it must be; the site is kept for the caller to close."""
    programs = {name: os.path.join(args.build, path) for name, path in PROGRAMS.items()}
    show.head("Two hosts, two tenants with the same addresses, a foreign VTEP")
    site = hosts.Site(folder, programs, show.line)
    try:
        site.build()
        show.head("Who reaches whom")
        found = matrix.measure(site.endpoints)
        good = matrix.is_right(site.endpoints, found)
        show.line(matrix.table(site.endpoints, found))
        show.line("\n" + ("Every pair within a tenant, by IPv4 and IPv6; none across." if good
                          else "This is NOT as it must be."))
        if not args.json:
            tour(site, show)
    except BaseException:
        site.close()
        raise
    return site, found, good


def tell(args, site, found, good, show):
    if args.json:
        print(json.dumps({"ok": good, "tenants": {e.name: e.tenant for e in site.endpoints},
                          "matrix": found}, indent=1), flush=True)
        return
    show.head("Next")
    if not args.keep:
        show.line("tools/quickstart --keep leaves it running, to look around and to change things.")
        return
    hv1 = site.hosts["hv1"]
    show.line("""It is running, in namespaces of its own. Some things to type:

  alias hv1='%s --socket %s'
  hv1 network list
  hv1 vport list
  hv1 top
  hv1 stats drops
  nsenter -t %s -m -n -p ip netns exec red-container-hv1 ping 10.0.0.21

The declaration is %s/tenants.json: change it and "hv1 apply" it.
Logs: %s/hv1/*.log. End it by: tools/quickstart --stop""" % (
        site.program("tenonctl"), hv1.socket, site.lab.init, folder_of(site), folder_of(site)))


def folder_of(site):
    return site.lab.folder


def stay(pidfile):
    """Goes on in the background until it is told to end."""
    with open(pidfile, "w") as f:
        f.write("%d\n" % os.getpid())
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


def work(args, done):
    """All of it. done(status): the reader may have the terminal back."""
    show = Show(args.json)
    folder = tempfile.mkdtemp(prefix="tenon-")  # short: sockets have paths of 107 bytes
    try:
        site, found, good = run(args, folder, show)
        try:
            tell(args, site, found, good, show)
            if args.keep:
                done(0 if good else 1)
                stay(args.keep)
        finally:
            site.close()
        return 0 if good else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # Last: who waits for the end looks for this one.
        if args.keep and os.path.exists(args.keep):
            os.unlink(args.keep)


def in_background(args):
    """The processes of the site belong to the one that started them: that one stays."""
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        status = os.read(reader, 1)
        return status[0] if status else 1
    os.close(reader)
    os.setsid()
    status = 1
    try:
        status = work(args, lambda s: (os.write(writer, bytes([s])), os.close(writer)))
    finally:
        os._exit(status)


def main():
    args = arguments()
    missing = why_not() or guest.why_not()
    if missing:
        print("tools/quickstart: " + missing, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        return in_background(args) if args.keep else work(args, None)
    except AssertionError as e:
        print("tools/quickstart: %s" % e, file=sys.stderr)
        return 1


sys.exit(main())
