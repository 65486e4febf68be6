# SPDX-License-Identifier: BSD-3-Clause
"""What there is to run: each suite lists its tests by name and runs those it is given."""
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor

import process
from process import Result

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
sys.path.insert(0, os.path.join(TOP, "tests", "golden"))
sys.path.insert(0, os.path.join(TOP, "tests", "bench"))
import callgrind  # noqa: E402 (where the bench's build is described)

PYTHON = "/usr/bin/python3"
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
    "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-14",
}
# Shadow memory wants its place: no address randomisation, whatever the kernel is set to.
NO_ASLR = ["setarch", os.uname().machine, "-R"]
if subprocess.run(NO_ASLR + ["true"], stderr=subprocess.DEVNULL).returncode != 0:
    NO_ASLR = []  # a container that forbids personality()


class Broken(Exception):
    """The run cannot go on: a build cannot even be configured."""

    def __init__(self, name, log):
        super().__init__(name)
        self.name, self.log = name, log


def starts_threads(program):
    """Does the source of a test, named by its path in the build, use threads?"""
    try:
        with open(os.path.join(TOP, program + ".c")) as source:
            return re.search(r"#include <(pthread|threads)\.h>", source.read()) is not None
    except OSError:
        return False


class Build:
    """One meson configuration, configured and compiled at most once a run."""

    def __init__(self, name, options, compiler="gcc", threads_only=False, only=(), env=None):
        self.threads_only, self.only = threads_only, list(only)
        self.env = {"CC": compiler, **(env or {})}
        self.name = "build/" + name
        self.dir = os.path.join(BUILD, name)
        self.options = options
        self.result = None
        self.configured = False

    def configure(self):
        if self.configured:
            return
        command = ["meson", "setup", self.dir, TOP] + self.options
        if os.path.exists(os.path.join(self.dir, "meson-private", "coredata.dat")):
            command.insert(2, "--reconfigure")
        status, log, _ = process.run(command, 300, self.env)
        if status != 0:
            raise Broken(self.name, log)
        self.configured = True

    def compile(self):
        if self.result is None:
            self.configure()
            command = ["ninja", "-k", "5", "-C", self.dir] + self.targets()
            self.result = process.test(self.name, command, 1800)
            log = self.result.log
            if self.result.status != "ok" and "FAILED: " in log:
                self.result = self.result._replace(log=log[log.index("FAILED: "):])
        return self.result

    def targets(self):
        """What to compile: all, some, or only the tests that start threads."""
        if not self.threads_only:
            return self.only
        paths = [os.path.relpath(t["cmd"][0], self.dir) for t in self.tests()]
        return [p for p in paths if starts_threads(p)] or ["meson-test-prereq"]

    def tests(self):
        self.configure()
        text = subprocess.run(["meson", "introspect", self.dir, "--tests"], check=True,
                              stdout=subprocess.PIPE).stdout
        return json.loads(text)

    def program(self, path):
        return os.path.join(self.dir, path)


class Suite:
    """tests(): names. run(names, report): one Result each, as they end."""

    def __init__(self, name, args, build=None):
        self.name, self.args, self.build = name, args, build

    def built(self, names, report):
        """Compiles; when that fails every test of the suite is a skip (the build is the failure)."""
        if self.build is None:
            return True
        first = self.build.result is None
        result = self.build.compile()
        if first:
            report(result)
        if result.status == "ok":
            return True
        for name in names:
            report(Result(name, "skip", 0, self.build.name + " failed"))
        return False

    def pool(self, work, report):
        """Runs (function, arguments) pairs, args.jobs at a time."""
        with ThreadPoolExecutor(self.args.jobs) as pool:
            try:
                for future in [pool.submit(f, *a) for f, *a in work]:
                    report(future.result())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                process.kill_all()
                raise


class Lint(Suite):
    def tests(self):
        folder = os.path.join(TOP, "tests", "lint")
        return ["lint/" + n for n in sorted(os.listdir(folder))
                if os.access(os.path.join(folder, n), os.X_OK)
                and os.path.isfile(os.path.join(folder, n))]

    def run(self, names, report):
        self.pool([(process.test, n, [os.path.join(TOP, "tests", n)], 120) for n in names], report)


class Builds(Suite):
    """Every configuration is a test: it compiles with warnings as errors."""

    def __init__(self, name, args, builds):
        super().__init__(name, args)
        self.builds = builds

    def tests(self):
        return [b.name for b in self.builds]

    def run(self, names, report):
        for build in self.builds:
            if build.name in names:
                report(build.compile())


class Unit(Suite):
    """The meson tests of suite `unit`, run one by one."""

    def __init__(self, name, args, build, wrapper=()):
        super().__init__(name, args, build)
        self.wrapper = list(wrapper)
        self.found = None

    def find(self):
        if self.found is None:
            self.found = {}
            for test in self.build.tests():
                if not any(s.split(":")[-1] == "unit" for s in test["suite"]):
                    continue
                path = os.path.relpath(test["cmd"][0], self.build.dir)
                if self.build.threads_only and not starts_threads(path):
                    continue
                room = os.path.basename(os.path.dirname(path)) + "/"
                if not path.startswith("tests/unit/"):
                    room = ""  # a tool that looks at the sources
                self.found["%s/%s%s" % (self.name, room, test["name"])] = test
        return self.found

    def tests(self):
        return sorted(self.find())

    def run(self, names, report):
        if not self.built(names, report):
            return
        work = []
        for name in names:
            test = self.found[name]
            env = {**SANITIZER_ENV, **test["env"]}
            limit = test["timeout"] * (4 if self.wrapper else 1)
            work.append((process.test, name, self.wrapper + test["cmd"], limit, env,
                         test["workdir"] or self.build.dir))
        self.pool(work, report)


class Golden(Suite):
    """Golden cases through tenon-replay; see tests/golden/README.md."""

    def __init__(self, name, args, build, judge, wrapper=()):
        super().__init__(name, args, build)
        self.judge, self.wrapper = judge, list(wrapper)

    def tests(self):
        try:
            import golden
        except ImportError:
            return []
        return ["%s/%s" % (self.name, case) for case in golden.case_names()]

    def run(self, names, report):
        import golden
        if not self.built(names, report):
            return
        replay = self.wrapper + [self.build.program("tools/replay/tenon-replay")]
        cases = [n.split("/", 1)[1] for n in names]
        os.environ.update(SANITIZER_ENV)
        for case, error, seconds in golden.run_cases(replay, cases, self.judge, self.args.jobs):
            report(Result("%s/%s" % (self.name, case), "FAIL" if error else "ok", seconds,
                          error or ""))


class Fuzz(Suite):
    """The libFuzzer targets tests/fuzz/fuzz_NAME.c: corpus and fossils, then a search."""

    def tests(self):
        folder = os.path.join(TOP, "tests", "fuzz")
        return ["fuzz/" + m.group(1) for m in
                (re.fullmatch(r"fuzz_(\w+)\.c", f) for f in sorted(os.listdir(folder))) if m]

    def one(self, name):
        short = name.split("/")[1]
        folder = os.path.join(TOP, "tests", "fuzz")
        command = [os.path.join(folder, "run-target"),
                   self.build.program("tests/fuzz/fuzz_" + short), folder, short]
        seconds = self.args.fuzz_seconds
        return process.test(name, command, seconds + 300,
                            {**SANITIZER_ENV, "TN_FUZZ_SECONDS": str(seconds)})

    def run(self, names, report):
        if self.built(names, report):
            self.pool([(self.one, n) for n in names], report)


class Functional(Suite):
    """pytest over tests/functional; each test function counts."""

    def pytest(self, arguments, limit):
        env = {"TENON_REPLAY": self.build.program("tools/replay/tenon-replay"),
               "TENON_BUILD": self.build.dir, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir", TOP]
        return process.run(command + arguments, limit, env, TOP, process.ISOLATE)

    def tests(self):
        if not os.path.isdir(os.path.join(TOP, "tests", "functional")):
            return []
        status, log, _ = self.pytest(["--collect-only", "tests/functional"], 120)
        if status == 5:  # pytest: nothing collected
            return []
        if status != 0:
            raise Broken("functional", log)
        ids = [l for l in log.split("\n") if l.startswith("tests/functional/") and "::" in l]
        return ["functional/" + i[len("tests/functional/"):] for i in ids]

    def run(self, names, report):
        if not self.built(names, report):
            return
        with tempfile.NamedTemporaryFile(suffix=".xml") as xml:
            ids = ["tests/" + n for n in names]
            _, log, seconds = self.pytest(["--junitxml", xml.name] + ids, 1500)
            try:
                cases = list(xml_cases(xml.name))
            except xml.etree.ElementTree.ParseError:
                cases = []
        seen = dict(cases)
        for name in names:
            status, took, text = seen.get(name, ("FAIL", 0, "did not run:\n" + log))
            report(Result(name, status, took, text))


def xml_cases(path):
    """(name, (status, seconds, log)) of each case in a JUnit file of pytest."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        parts = case.get("classname").split(".")
        where = parts[2:]
        # tests.functional.test_x[.TestClass]
        files = [i for i, p in enumerate(where) if p.startswith("test_")]
        cut = files[0] + 1 if files else len(where)
        name = "functional/%s.py::%s" % ("/".join(where[:cut]),
                                         "::".join(where[cut:] + [case.get("name")]))
        status, log = "ok", ""
        for child in case:
            text = (child.get("message") or "") + "\n" + (child.text or "")
            if child.tag in ("failure", "error"):
                status, log = "FAIL", log + text
            elif child.tag == "skipped":
                status, log = "skip", child.get("message") or "skipped"
            elif child.tag in ("system-out", "system-err") and status == "FAIL":
                log += "\n" + (child.text or "")
        yield name, (status, float(case.get("time") or 0), log)


class Instructions(Suite):
    """Instructions a packet takes, a test for each scenario of tests/bench/instructions.json."""

    def tests(self):
        with open(os.path.join(TOP, "tests", "bench", "instructions.json")) as file:
            return ["%s/%s" % (self.name, name) for name in json.load(file)["scenarios"]]

    def run(self, names, report):
        if not self.built(names, report):
            return
        command = [os.path.join(TOP, "tests", "bench", "instructions"), "--program",
                   self.build.program(callgrind.PROGRAM)]
        self.pool([(process.test, name, command + [name.split("/", 1)[1]], 300) for name in names],
                  report)


class Quickstart(Suite):
    def tests(self):
        exists = os.access(os.path.join(TOP, "tools", "quickstart"), os.X_OK)
        return ["quickstart"] if exists else []

    def run(self, names, report):
        report(process.test("quickstart", [os.path.join(TOP, "tests", "runner", "quickstart")],
                            600))


def make(args):
    opt = Build("opt", ["--buildtype=release"])
    asan = Build("asan", ["--buildtype=debugoptimized", "-Db_sanitize=address,undefined"])
    tsan = Build("tsan", ["--buildtype=debugoptimized", "-Db_sanitize=thread"],
                 threads_only=True)
    fuzz = Build("fuzz", ["--buildtype=debugoptimized", "-Db_sanitize=address,undefined",
                          "-Db_lundef=false", "-Dfuzzing=true", "-Dtests=false"], "clang-14")
    counted = Build("instructions", callgrind.BUILD_OPTIONS, only=[callgrind.PROGRAM],
                    env=callgrind.BUILD_ENVIRONMENT)
    return [
        Lint("lint", args),
        Builds("build", args, [opt]),
        Unit("unit", args, opt),
        Golden("golden", args, opt, judge=True),
        Functional("functional", args, opt),
        Builds("build", args, [asan]),
        Unit("unit-asan", args, asan, NO_ASLR),
        Golden("golden-asan", args, asan, judge=False, wrapper=NO_ASLR),
        Builds("build", args, [tsan]),
        Unit("unit-tsan", args, tsan, NO_ASLR),
        Builds("build", args, [counted]),
        Instructions("instructions", args, counted),
        Builds("build", args, [fuzz]),
        Fuzz("fuzz", args, fuzz),
        Quickstart("quickstart", args),
    ]
