# SPDX-License-Identifier: BSD-3-Clause
"""Runs commands so that nothing of them is left behind: own process group, time limit, log."""
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


def run(command, timeout, env=None, cwd=None):
    """Returns (exit status, output, seconds); the status of a command that took too long is None."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
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
    status, log, seconds = run(command, timeout, env, cwd)
    if status == 0:
        return Result(name, "ok", seconds, log)
    if status == EXIT_SKIP:
        lines = log.strip().split("\n")
        return Result(name, "skip", seconds, lines[-1] or "not possible here")
    if status is not None and status != 1:
        how = "signal %d" % -status if status < 0 else "exit status %d" % status
        log += "\n%s: %s\n" % (how, " ".join(command))
    return Result(name, "FAIL", seconds, log)
