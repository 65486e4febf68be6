# SPDX-License-Identifier: BSD-3-Clause
"""Chooses tests by name, builds what they need, runs them and counts. Called by tests/run."""
import argparse
import difflib
import fcntl
import os
import re
import shutil
import signal
import sys
import tempfile
import time

import process
import suites


class Report:
    """One line a test, the log of a failure under it, and the count at the end."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = 0
        self.colour = sys.stdout.isatty() and not os.environ.get("CI")

    def paint(self, code, text):
        return "\033[%sm%s\033[0m" % (code, text) if self.colour else text

    def add(self, result):
        seconds = "%7.2f s" % result.seconds
        if result.status == "ok":
            self.passed += 1
            print("%s    %s  %s" % (self.paint("32", "ok"), seconds, result.name))
        elif result.status == "skip":
            self.skipped += 1
            print("%s  %s  %s: %s" % (self.paint("33", "skip"), seconds, result.name, result.log))
        else:
            self.failed.append(result.name)
            print("%s  %s  %s" % (self.paint("31;1", "FAIL"), seconds, result.name))
            for line in result.log.strip("\n").split("\n"):
                print("    | " + line)
        sys.stdout.flush()

    def finish(self):
        for name in self.failed:
            print("failed: " + name)
        print("%d passed, %d failed, %d skipped" % (self.passed, len(self.failed), self.skipped))
        return 1 if self.failed or not self.passed else 0


def means(word, name):
    """A whole name, the beginning of one or the end of one, in whole parts."""
    return (name == word or name.startswith((word + "/", word + "::", word + "[")) or
            name.endswith(("/" + word, ":" + word)))


def choose(names, wanted, suite_names):
    """The names that each word of `wanted` means; exits with near matches when there are none."""
    if not wanted:
        return list(names)
    chosen = set()
    for word in wanted:
        word = word.strip("/")
        hits = [n for n in names if means(word, n)]
        if not hits and word in suite_names:
            continue
        if not hits:
            near = [n for n in names if word in n]
            near += difflib.get_close_matches(word, names, 5, 0.6)
            tails = {re.split("/|::", n)[-1]: n for n in names}
            near += [tails[t] for t in difflib.get_close_matches(word, tails, 5, 0.6)]
            near = list(dict.fromkeys(near))[:8]
            sys.stderr.write("tests/run: no test is called '%s'\n" % word)
            if near:
                sys.stderr.write("near: " + " ".join(near) + "\n")
            sys.stderr.write("tests/run --list prints all names\n")
            sys.exit(2)
        chosen.update(hits)
    return [n for n in names if n in chosen]


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tests/run", add_help=False,
        usage="tests/run [options] [NAME ...]; tests/run --help tells them")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--lint", action="store_true")
    parser.add_argument("--fuzz-seconds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    if args.lint:
        args.names.append("lint")
    if args.jobs < 1 or args.fuzz_seconds < 0:
        parser.error("--jobs is at least 1, --fuzz-seconds at least 0")
    return args


def only_run_of_this_tree():
    """Two runs in one tree would build over each other."""
    lock = open(os.path.join(suites.BUILD, "lock"), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.stderr.write("tests/run: waiting for another run in this tree to end\n")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def make_scratch(alone):
    """In the tree, so that what a killed run left is found and removed by the next one."""
    if not alone:
        return tempfile.mkdtemp(prefix="lint.", dir=suites.BUILD)
    scratch = os.path.join(suites.BUILD, "tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    return scratch


def main():
    args = parse_arguments()
    os.chdir(suites.TOP)
    os.makedirs(suites.BUILD, exist_ok=True)
    wanted = {n.strip("/").split("/")[0] for n in args.names}
    # The lint builds nothing: it may run beside anything.
    lock = only_run_of_this_tree() if wanted != {"lint"} else None
    scratch = make_scratch(lock is not None)
    os.environ["TMPDIR"] = scratch
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    report = Report()
    started = time.monotonic()
    try:
        everything = suites.make(args)
        # Listing a suite may configure its build: do not pay for those that are not meant.
        if wanted and wanted <= {s.name for s in everything}:
            everything = [s for s in everything if s.name in wanted]
        names = [n for s in everything for n in s.tests()]
        chosen = choose(names, args.names, {s.name for s in everything})
        if args.list:
            print("\n".join(chosen))
            return 0
        for suite in everything:
            mine = [n for n in suite.tests() if n in set(chosen)]
            if mine:
                suite.run(mine, report.add)
        print("%.0f s in all" % (time.monotonic() - started))
        return report.finish()
    except suites.Broken as broken:
        report.add(process.Result(broken.name, "FAIL", 0, broken.log))
        return report.finish()
    finally:
        process.kill_all()
        shutil.rmtree(scratch, ignore_errors=True)
        if lock:
            lock.close()


if __name__ == "__main__":
    sys.exit(main())
