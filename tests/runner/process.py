# SPDX-License-Identifier: BSD-3-Clause
"""Runs commands so that nothing of them is left behind: own process group, time limit, log; and where
that is allowed a PID namespace, whose processes all die with its first one, however that ends."""
import ctypes
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import namedtuple

# status: "ok", "FAIL" or "skip"; log: output of a failure, reason of a skip
Result = namedtuple("Result", "name status seconds log")

EXIT_SKIP = 77  # what a test answers that cannot run here; its last line is the reason
LOG_MAX = 200000

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)
# sh stays: a test that were process 1 itself would be deaf to signals.
ISOLATE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
           "sh", "-c", '"$@"; exit $?', "sh"]
if subprocess.run(ISOLATE + ["true"], stderr=subprocess.DEVNULL).returncode != 0:
    ISOLATE = []
running = set()
running_lock = threading.Lock()


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def kill_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_all():
    with running_lock:
        for child in running:
            kill_group(child)


def run(command, timeout, env=None, cwd=None, isolate=()):
    """Returns (exit status, output, seconds); the status is None after a timeout."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(list(isolate) + command, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True,
                                 env={**os.environ, **(env or {})}, preexec_fn=die_with_parent)
        with running_lock:
            running.add(child)
        try:
            status = child.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            kill_group(child)  # also what it left running
            child.wait()
            with running_lock:
                running.discard(child)
        size = out.seek(0, os.SEEK_END)
        out.seek(max(0, size - LOG_MAX))
        log = out.read().decode(errors="replace")
    if status is None:
        log += "\nkilled: still running after %d s\n" % timeout
    return status, log, time.monotonic() - started


def test(name, command, timeout, env=None, cwd=None):
    """Runs one test: exit 0 is ok, 77 is a skip, all else a failure."""
    status, log, seconds = run(command, timeout, env, cwd, ISOLATE)
    if status == 0:
        return Result(name, "ok", seconds, log)
    if status == EXIT_SKIP:
        lines = log.strip().split("\n")
        return Result(name, "skip", seconds, lines[-1] or "not possible here")
    if status is not None and status != 1:
        died = -status if status < 0 else status - 128 if 128 < status < 160 else 0
        how = "signal %d" % died if died else "exit status %d" % status
        log += "\n%s: %s\n" % (how, " ".join(command))
    return Result(name, "FAIL", seconds, log)
