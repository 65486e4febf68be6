# SPDX-License-Identifier: BSD-3-Clause
"""Who reaches whom. Each endpoint pings every other of its tenant, by IPv4 and IPv6, and asks it for
its name by HTTP. And it sends to every one of the other tenant's, by that one's MAC address and an
address that only that one has: what arrives is counted by who gets it, since an answer would go
astray in its own tenant's network. That the counting works is seen on a neighbour."""

OK, SELF, NONE = "ok", "self", "none"  # as they must be
# Not reached; by one of two families; another answered; not tried; a stranger got it.
LOST, PART, STRANGER, UNTRIED, CROSSED = "lost", "part", "stranger", "untried", "crossed"

# Their lines end so that they may be one: a console takes one line a command. A machine without
# hardware help may be late once or twice on a busy host.
ASK = """for a in {addresses}; do
n=; case $a in *:*) h="[$a]";; *) h=$a;; esac;
for i in 1 2 3; do
ping -c 1 -W 2 $a >/dev/null && n=$(timeout 5 wget -q -O - http://$h/name) && break;
done;
echo "reach $a ${{n:-none}}";
done"""
TRY = """( for t in {targets}; do
a=${{t%,*}}; m=${{t#*,}};
ip route replace $a/32 dev eth0;
arp -s $a $m -i eth0;
ping -c 1 -W 1 $a >/dev/null &
done;
wait )"""
ALIAS = "ip addr replace {alias}/32 dev lo"
COUNT = "awk '/^Icmp:/ && $2 ~ /^[0-9]/ {{ print \"echos\", $10 }}' /proc/net/snmp"


def ask_all(endpoints, scripts):
    """Runs one script on each at once: {name: output}."""
    for e in endpoints:
        e.begin(scripts[e.name])
    return {e.name: e.end(limit=300) for e in endpoints}


def words(output, first):
    return [line.split() for line in output.split("\n") if line.startswith(first + " ")]


def reach(endpoints):
    """{from: {address: name of who answered}} within the tenants."""
    said = ask_all(endpoints, {e.name: ASK.format(addresses=" ".join(
        a for o in endpoints if o.tenant == e.tenant and o is not e for a in o.addresses))
        for e in endpoints})
    return {name: {address: who for _, address, who in words(output, "reach")}
            for name, output in said.items()}


def counts(endpoints):
    """Echo requests that each got so far."""
    said = ask_all(endpoints, {e.name: COUNT for e in endpoints})
    return {name: int(words(output, "echos")[0][1]) for name, output in said.items()}


def cross(endpoints):
    """{from: names of strangers that got something of it; None: the counting does not work}."""
    alias = {e.name: "10.9.0.%d" % (i + 1) for i, e in enumerate(endpoints)}
    ask_all(endpoints, {e.name: ALIAS.format(alias=alias[e.name]) for e in endpoints})
    got = {}
    for e in endpoints:
        friend = next(o for o in endpoints if o is not e and
                      o.port["network_id"] == e.port["network_id"])
        targets = [friend] + [o for o in endpoints if o.tenant != e.tenant]
        before = counts(endpoints)
        e.run(TRY.format(targets=" ".join(alias[o.name] + "," + o.mac for o in targets)))
        after = counts(endpoints)
        got[e.name] = None if after[friend.name] == before[friend.name] else {
            o.name for o in targets[1:] if after[o.name] != before[o.name]}
    return got


def measure(endpoints):
    """{from: {to: OK, ...}} for every ordered pair, whatever the tenants."""
    reached, crossed = reach(endpoints), cross(endpoints)
    return {e.name: row(e, endpoints, reached[e.name], crossed[e.name]) for e in endpoints}


def row(e, endpoints, reached, crossed):
    cells = {}
    for o in endpoints:
        if o is e:
            cells[o.name] = SELF
        elif o.tenant == e.tenant:
            names = {reached.get(a, "none") for a in o.addresses}
            cells[o.name] = OK if names == {o.name} else LOST if names == {"none"} else \
                PART if names <= {"none", o.name} else STRANGER
        else:
            cells[o.name] = UNTRIED if crossed is None else \
                CROSSED if o.name in crossed else NONE
    return cells


def is_right(endpoints, matrix):
    """All within a tenant, none across."""
    tenant = {e.name: e.tenant for e in endpoints}
    return all(cell == (SELF if a == b else OK if tenant[a] == tenant[b] else NONE)
               for a, cells in matrix.items() for b, cell in cells.items())


def table(endpoints, matrix):
    """For people: a line an endpoint, a column an endpoint."""
    names = [e.name for e in endpoints]
    wide = max(len(n) for n in names)
    lines = [" " * (wide + 2) + " ".join("%4d" % (i + 1) for i in range(len(names)))]
    shown = {NONE: ".", SELF: "-", OK: "ok"}
    for i, name in enumerate(names):
        lines.append("%-*s %2d %s" % (wide, name, i + 1, " ".join(
            "%4s" % shown.get(matrix[name][other], matrix[name][other].upper())[:4] for other in names)))
    return "\n".join(lines)
