# SPDX-License-Identifier: BSD-3-Clause
"""The unit of configs/, with the drop-in for small hosts, under a systemd of its own: what its sandbox
lets the data plane do, and what not."""
import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import time

import pytest

import netlab
from netlab import DATAPLANE, TOP, Lab, why_not
from replaying import config, flow, from_port, output

SYSTEMD = "/lib/systemd/systemd"
UNIT = "tenon-dataplane.service"
PREFIX = "tenon-test-"
DROP_IN = """[Unit]
DefaultDependencies=no
[Service]
StandardOutput=file:/run/dataplane.log
StandardError=file:/run/dataplane.log
"""
# Its folders are its own; PID 1 of the lab becomes systemd.
SETUP = """set -e
echo 0 >{cgroup}/cgroup.procs
mount -t tmpfs none /run; mkdir -p /run/netns /run/tenon /run/systemd/system/{unit}.d
cp {files}/unit /run/systemd/system/{unit}
cp {files}/edge.conf {files}/test.conf /run/systemd/system/{unit}.d
cp {files}/site.json {program} /run
for folder in /tmp /var/tmp /var/lib; do mount -t tmpfs none $folder; done
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
echo "[Unit]" >/run/systemd/system/nothing.target
export container=lab
exec unshare --uts --ipc --cgroup sh -ec 'umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
echo ready
exec {systemd} --system --unit=nothing.target --log-target=null --show-status=no >/dev/null 2>&1'
"""


def cgroup2():
    """Where a cgroup can be made; None: nowhere."""
    with open("/proc/mounts") as f:
        mounts = [line.split()[1] for line in f if line.split()[2] == "cgroup2"]
    with open("/proc/self/cgroup") as f:
        own = [line.strip()[3:] for line in f if line.startswith("0::")]
    return mounts[0] + own[0] if mounts and own and os.access(mounts[0] + own[0], os.W_OK) else None


def remove(cgroup):
    """With those that systemd made in it, when their last process is gone."""
    deadline = time.monotonic() + 30
    while os.path.isdir(cgroup):
        for folder, _, _ in os.walk(cgroup, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                assert time.monotonic() < deadline, folder
                time.sleep(0.05)


@contextlib.contextmanager
def locked(folder, wait=True):
    """Nobody else has it meanwhile, or what had it is gone; gives False where somebody has it."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)


def remove_left(parent):
    """What runs that were killed left; a last process in it may take until the run after this."""
    for name in os.listdir(parent):
        cgroup = os.path.join(parent, name)
        if not name.startswith(PREFIX) or not os.path.isdir(cgroup):
            continue
        # What another run removes just now is gone by itself.
        with contextlib.suppress(FileNotFoundError), locked(cgroup, wait=False) as is_left:
            for folder, _, _ in os.walk(cgroup, topdown=False) if is_left else ():
                with contextlib.suppress(OSError):
                    os.rmdir(folder)


@contextlib.contextmanager
def own_cgroup(parent):
    """Whose it is tells its lock, which ends with this process however that ends."""
    with contextlib.ExitStack() as stack:
        with locked(parent):
            remove_left(parent)
            cgroup = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
            stack.enter_context(locked(cgroup))
        try:
            yield cgroup
        finally:
            remove(cgroup)


def write_files(folder):
    """The unit as shipped, but for where its program is and what it begins with."""
    with open(TOP + "/configs/" + UNIT) as f:
        unit = f.read()
    with open(TOP + "/configs/tenon-dataplane-edge.conf") as f:
        edge = f.read()
    started = "/usr/sbin/tenon-dataplane --mode kernel"
    assert started in edge
    site = config([{"number": i, "name": "veth%d" % i, "type": "veth",
                    "options": {"datapath": "ebpf"}} for i in (1, 2)],
                  [flow(1, [from_port(i)], [output(3 - i)]) for i in (1, 2)])
    for name, text in (("unit", unit), ("test.conf", DROP_IN), ("site.json", netlab.json.dumps(site)),
                       ("edge.conf", edge.replace(started, "/run/tenon-dataplane --load "
                                                  "/run/site.json --mode kernel"))):
        with open("%s/%s" % (folder, name), "w") as f:
            f.write(text)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    parent = cgroup2()
    missing = why_not() or (None if os.path.exists(SYSTEMD) else "needs systemd") or \
        (None if parent else "needs a cgroup (version 2) to write to")
    if missing:
        pytest.skip(missing)
    write_files(tmp_path)
    with own_cgroup(parent) as cgroup:
        monkeypatch.setattr(netlab.namespaces, "SETUP", SETUP.format(
            cgroup=cgroup, unit=UNIT, files=tmp_path, program=DATAPLANE, systemd=SYSTEMD))
        with contextlib.closing(Lab(str(tmp_path))) as made:
            for i in (1, 2):
                made.host("c%d" % i)
                made.wire("veth%d" % i, "c%d" % i)
                made.addresses("c%d" % i, "eth0", "10.0.0.%d/24" % i)
            yield made


def said(lab):
    return lab.run(None, "cat", "/run/dataplane.log")


def main_pid(lab):
    return int(lab.run(None, "systemctl", "show", "-p", "MainPID", "--value", UNIT))


def start(lab):
    for _ in range(100):  # until systemd takes commands
        if "running" in lab.run(None, "systemctl", "is-system-running", check=False):
            break
        time.sleep(0.1)
    lab.run(None, "systemctl", "start", UNIT)
    lab.ping("c1", "10.0.0.2")


def test_kernel_ports_outlive_it(lab):
    """Pinned, so that the kernel goes on while the unit is stopped and when it was killed."""
    start(lab)
    assert "no BPF file system" not in said(lab), said(lab)
    lab.run(None, "systemctl", "stop", UNIT)
    assert main_pid(lab) == 0
    out = lab.run("c1", "ping", "-c", "20", "-i", "0.01", "10.0.0.2")
    assert " 20 received" in out, out
    lab.run(None, "systemctl", "start", UNIT)
    lab.ping("c1", "10.0.0.2")
    before = main_pid(lab)
    lab.run(None, "systemctl", "kill", "-s", "KILL", UNIT)
    deadline = time.monotonic() + 30
    while main_pid(lab) in (0, before):  # Restart=always
        assert time.monotonic() < deadline, said(lab)
    lab.ping("c1", "10.0.0.2")


def test_what_it_may_write_to(lab):
    start(lab)
    assert lab.run(None, "cat", "/proc/sys/net/ipv6/conf/tn1/disable_ipv6") == "1\n"
    inside = ["nsenter", "--target", str(main_pid(lab)), "--mount"]
    for path in ("/proc/sys/kernel/panic", "/sys/kernel/mm/ksm/run", "/usr/x", "/etc/x"):
        out = lab.run(None, *inside, "sh", "-c", "echo 0 >" + path, check=False)
        assert "Read-only file system" in out, (path, out)
    assert "Permission denied" in lab.run(None, *inside, "cat", "/proc/kcore", check=False) or \
        not os.path.exists("/proc/kcore")
    mounted = lab.run(None, *inside, "cat", "/proc/mounts")
    assert any(line.split()[1] == "/sys/fs/bpf" and "rw" in line.split()[3].split(",")
               for line in mounted.strip().split("\n")), mounted


def test_a_run_that_was_killed_leaves_nothing():
    """Its cgroup, with one in it, goes with the next run, and that of a run beside it does not."""
    parent = cgroup2()
    if not parent:
        pytest.skip("needs a cgroup (version 2) to write to")
    script = "import sys, test_unit\nwith test_unit.own_cgroup(sys.argv[1]) as cgroup:\n" \
        "    print(cgroup, flush=True)\n    sys.stdin.read()\n"
    runs = [subprocess.Popen([sys.executable, "-B", "-c", script, parent], text=True,
                             cwd=os.path.dirname(os.path.abspath(__file__)),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        killed, beside = [run.stdout.readline().strip() for run in runs]
        os.mkdir(killed + "/init.scope")
        runs[0].kill()
        runs[0].wait()
        with own_cgroup(parent) as cgroup:
            assert os.path.isdir(cgroup) and os.path.isdir(beside) and not os.path.exists(killed)
        assert not os.path.exists(cgroup)
        runs[1].communicate("")
        assert runs[1].returncode == 0 and not os.path.exists(beside)
    finally:
        for run in runs:
            run.kill()
            run.wait()
            run.stdin.close()
            run.stdout.close()
