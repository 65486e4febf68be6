# SPDX-License-Identifier: BSD-3-Clause
"""
What a run borrows from the machine, and gives back however it ends: hugepages, a folder, a lock,
and namespaces whose processes and mounts go with their first one.
"""
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import tempfile

HUGEPAGES = "/proc/sys/vm/nr_hugepages"
INSIDE = "TENON_BENCH_FOLDER"  # set: this is the process inside
PR_SET_PDEATHSIG = 1

# Lives on when everything else was killed; its standard input ends when the run does.
GUARDIAN = 'trap "" INT TERM HUP; cat >/dev/null; echo "$1" >%s; rm -rf "$2"' % HUGEPAGES
SETUP = """
mkdir -p /run/netns /dev/hugepages
mount -t tmpfs none /run/netns
mountpoint -q /dev/hugepages || mount -t hugetlbfs none /dev/hugepages
"$@"
exit $?
"""


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def lock():
    file = open("/run/lock/tenon-bench", "w", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("tests/bench/run: waiting for another run to end", file=sys.stderr)
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def enter(pages):
    """
    Runs this program once more, inside, and exits with its status. Returns the run's folder when it
    is the one inside. pages: hugepages of 2 MiB that it needs.
    """
    if INSIDE in os.environ:
        os.environ["TMPDIR"] = os.environ[INSIDE]
        return os.environ[INSIDE]
    held = lock()
    folder = tempfile.mkdtemp(prefix="tenon-bench-")
    with open(HUGEPAGES, encoding="ascii") as file:
        before = int(file.read())
    guardian = subprocess.Popen(["sh", "-c", GUARDIAN, "sh", str(before), folder],
                                stdin=subprocess.PIPE, start_new_session=True)
    status = 1
    try:
        with open(HUGEPAGES, "w", encoding="ascii") as file:
            file.write(str(max(before, pages)))
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh",
                   "-euc", SETUP, "sh"] + sys.argv
        child = subprocess.Popen(command, env=dict(os.environ, **{INSIDE: folder}),
                                 preexec_fn=die_with_parent)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        try:
            status = child.wait()
        finally:
            child.kill()
            child.wait()
    finally:
        guardian.stdin.close()
        guardian.wait()
        held.close()
    sys.exit(status)
