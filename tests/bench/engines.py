# SPDX-License-Identifier: BSD-3-Clause
"""Starts Tenon and its peers on the same captures, devices and core, and says what each did."""
import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time

import frames
import rules

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build", "bench")
DATAPLANE = "dataplane/agent/tenon-dataplane"
SOURCE = "tests/bench/libtenon_bench_source.so"
CHANGER = "tests/bench/change_rules"
TENON_FIRST_PORT, OVS_FIRST_PORT = 49152, 32768  # of the outer UDP source port
START_SECONDS = 30
CONNECT_SECONDS = 1.5  # until an engine forwards to a machine that it has connected to


class Failed(Exception):
    """Something cannot be measured; the text says why."""


def run(command, timeout, text=None, **options):
    """What it prints; text: what it reads."""
    done = subprocess.run(command, timeout=timeout, text=True, input=text or "",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if done.returncode:
        raise Failed("%s: exit %d\n%s" % (" ".join(command), done.returncode, (done.stderr + done.stdout)[-2000:]))
    return done.stdout


def build(targets=(DATAPLANE, SOURCE, CHANGER)):
    again = ["--reconfigure"] if os.path.exists(os.path.join(BUILD, "build.ninja")) else []
    run(["meson", "setup"] + again + [BUILD, TOP, "--buildtype=release", "-Dtests=true"], 120)
    run(["ninja", "-C", BUILD, *targets], 900)
    return os.path.join(BUILD, DATAPLANE)


def tsc_mhz():
    """Of the time stamp counter."""
    if not hasattr(tsc_mhz, "value"):
        binary = os.path.join(os.environ["TENON_BENCH_FOLDER"], "tsc")
        run(["cc", "-O2", "-o", binary, os.path.join(HERE, "tsc.c")], 60)
        tsc_mhz.value = float(run([binary], 10))
    return tsc_mhz.value


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.captures = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def capture(self, arguments):
        key = " ".join(arguments)
        if key not in self.captures:
            path = self.path("capture-%d.pcap" % len(self.captures))
            run([os.path.join(rules.PEERS, "mkpcap"), path] + arguments, 300)
            self.captures[key] = path
        return self.captures[key]

    # --- Tenon ---

    def write(self, name, document):
        path = self.path(name + ".json")
        with open(path, "w", encoding="ascii") as file:
            json.dump(document, file)
        return path

    def document(self, scenario, sent=None):
        if scenario.made:  # frames are made as they are received, without a buffer for each
            source = "net_nullG0"
        else:
            source = "net_pcap0,rx_pcap=%s%s" % (self.capture(scenario.capture),
                                                 "" if sent else ",infinite_rx=1")
        # Where the frames are wanted: the capture once, and what is sent into a file.
        sink = "net_pcap1,tx_pcap=%s" % sent if sent else "net_null1,no-rx=1"
        return rules.document(scenario.rules(scenario.count), source, sink, scenario.tunnel,
                              scenario.decapsulates)

    def command(self, document, scenario, seconds):
        return [self.options.program, "--load", document, "--workers", str(self.options.core),
                "--memory", str(scenario.memory), "--poll", "busy", "--seconds", str(seconds),
                "--stats", "-", "--socket", self.path("dataplane.sock")] + scenario.options

    def environment(self, scenario, once=False, gaps=None):
        if not scenario.made:
            return None
        source = os.path.join(BUILD, SOURCE)
        if not os.path.exists(source):
            raise Failed("%s is not built; run without --program" % source)
        more = {"TENON_BENCH_GAPS": gaps} if gaps else {}
        return dict(os.environ, LD_PRELOAD=source, TENON_BENCH_FLOWS=str(scenario.made),
                    TENON_BENCH_FRAMES=str(scenario.made if once else 0), **more)

    def tenon(self, name, scenario, sent=None, seconds=None):
        document = self.write(name, self.document(scenario, sent))
        seconds = seconds or self.options.seconds + 0.5 + scenario.warm
        text = run(self.command(document, scenario, seconds), seconds + 90,
                   env=self.environment(scenario, sent is not None))
        return tenon_result(json.loads(text))

    def tenon_changed(self, name, scenario, changes):
        """
        While a client changes rules, by arguments of change_rules; None: while nobody does. The
        process ends with the changes, so that its averages are those of the time they took.
        """
        document, seconds = self.write(name, self.document(scenario)), self.options.seconds + 1
        path, gaps = self.path("dataplane.sock"), self.path("gaps.json")
        child = subprocess.Popen(self.command(document, scenario, seconds + 90),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True,
                                 env=self.environment(scenario, gaps=gaps))
        try:
            await_socket(child, path)
            changed = None
            if changes:
                changed = json.loads(run([os.path.join(BUILD, CHANGER), "--socket", path,
                                          "--seconds", str(seconds)] + changes, seconds + 60))
            else:
                time.sleep(seconds)
            child.terminate()
            text, errors = child.communicate(timeout=30)
        finally:
            child.kill()
            child.wait()
        if child.returncode:
            raise Failed("tenon-dataplane: exit %d\n%s" % (child.returncode, errors[-2000:]))
        result = dict(tenon_result(json.loads(text)), changed=changed)
        if scenario.made:
            with open(gaps, encoding="ascii") as file:
                result["gaps"] = json.load(file)
        return result

    def check_tenon(self, name, scenario):
        """Every frame that Tenon sends for the capture. Returns how many."""
        sent = self.path(name + "-tenon.pcap")
        self.tenon(name, scenario, sent, 2 + scenario.warm)
        checked = frames.check(frames.read(self.capture(scenario.capture)), frames.read(sent),
                               scenario, TENON_FIRST_PORT)
        os.remove(sent)
        return checked

    # --- peers ---

    def ovs_line(self, scenario, source, sent=None):
        environment = dict(os.environ, FLOWS=str(scenario.count), SENT=sent or "")
        text = run([os.path.join(rules.PEERS, "ovs-dpdk"), scenario.peer, source,
                    str(self.options.seconds), str(self.options.core)], 180, env=environment)
        return json.loads(text.strip().splitlines()[-1])

    def ovs(self, scenario):
        line = self.ovs_line(scenario, self.capture(scenario.capture))
        if line["sent"] < 0.99 * line["received"] - 64:
            raise Failed("Open vSwitch sent %d of %d packets" % (line["sent"], line["received"]))
        return line

    def check_ovs(self, name, scenario):
        """
        What it sends for the capture, several times over as it drops while it starts: every frame,
        but in the scenario that it is too slow for.
        """
        capture, sent = self.capture(scenario.capture), self.path(name + "-ovs.pcap")
        repeated = self.path(name + "-repeated.pcap")
        taken = frames.read(capture)
        frames.repeat(capture, repeated, max(2, 20000 // len(taken)))
        self.ovs_line(scenario, repeated, sent)
        checked = frames.check(taken, frames.read(sent), scenario, OVS_FIRST_PORT, once=False,
                               all_of_them=scenario.peer != "tse")
        os.remove(repeated)
        os.remove(sent)
        return checked

    def io(self, scenario):
        text = run([os.path.join(rules.PEERS, "testpmd-io"), self.capture(scenario.capture),
                    str(self.options.seconds), str(self.options.core)], 60)
        line = json.loads(text.strip().splitlines()[-1])
        if not line["mpps"]:
            raise Failed("testpmd moved nothing")
        line["cycles_per_packet"] = tsc_mhz() / line["mpps"]
        return line

    # --- two machines on vhost-user ---

    def sockets(self):
        return [self.path("guest%d" % i) for i in range(2)]

    @contextlib.contextmanager
    def guests(self, devices, arguments, commands):
        """
        testpmd with both machines' devices; both of its threads on the core beside the engine's.
        When the engine has connected to both it gets the commands, and is asked for its counters
        once a second. Yields the path of its log.
        """
        for path in self.sockets():
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
        other = 1 if self.options.core == 0 else 0
        log = self.path("guests.log")
        command = ["dpdk-testpmd", "--lcores", "0@%d,1@%d" % (other, other), "-m", "256",
                   "--in-memory", "--single-file-segments", "--no-pci", "--no-telemetry",
                   "--file-prefix", "guests"]
        for device in devices:
            command += ["--vdev", device]
        with open(log, "w", encoding="ascii") as file:
            child = subprocess.Popen(
                command + ["--", "--interactive", "--nb-cores=1", "--no-mlockall", "--no-flush-rx",
                           "--total-num-mbufs=32768", "--rxd=1024", "--txd=1024"] + arguments,
                stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT, text=True)
        done = threading.Event()
        operator = threading.Thread(target=operate, args=(child, log, commands, done))
        try:
            await_words(child, log, "waiting for client connection", done)
            operator.start()
            yield log
        finally:
            done.set()
            if operator.ident:
                operator.join()
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            child.stdin.close()

    def devices(self):
        return ["net_virtio_user%d,path=%s,server=1,queue_size=1024,mac=02:00:00:00:00:0%d"
                % (i, path, i + 1) for i, path in enumerate(self.sockets())]

    def forward_between_guests(self, engine, name):
        """Runs the engine for a measurement."""
        if engine == "ovs-dpdk":
            scenario = Between("vhost")
            return self.ovs_line(scenario, self.folder)
        document = self.write(name, rules.guests(self.sockets()))
        seconds = self.options.seconds + 4  # as long as the peer, with the time it takes to connect
        text = run(self.command(document, Between("vhost"), seconds), seconds + 60)
        return tenon_result(json.loads(text))

    def between_guests(self, engine, name, size):
        """
        Packets go round: a machine sends back what it gets, and there are never more than its rings
        hold, so none is lost and the engine has always some to do.
        """
        arguments = ["--forward-mode=io", "--port-topology=loop", "--txonly-multi-flow",
                     "--txpkts=%d" % size]
        with self.guests(self.devices(), arguments, "start tx_first 8\n") as log:
            result = self.forward_between_guests(engine, name)
            rates = received_rates(log, 1)
        best = sorted(rates)[-self.options.seconds:]
        if not best or not best[-1]:
            raise Failed("%s: nothing came to the second machine" % engine)
        return dict(result, mpps=sum(best) / len(best) / 1e6)

    def check_between_guests(self, engine, name, size):
        """A capture from one machine to the other: what arrives, arrives as it was sent."""
        taken = self.capture(["--flows", "20000", "--size", str(size)])
        sent = self.path("between.pcap")
        devices = (["net_pcap0,rx_pcap=%s" % taken] + self.devices() +
                   ["net_pcap1,tx_pcap=%s" % sent])
        with self.guests(devices, ["--port-topology=paired"], "set fwd io retry\nstart\n"):
            self.forward_between_guests(engine, name)
        checked = frames.check_same(frames.read(taken), frames.read(sent))
        os.remove(sent)
        return checked


def await_socket(child, path):
    """Somebody listens there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        if child.poll() is not None:
            raise Failed("tenon-dataplane ends at once: " + child.stderr.read()[-2000:])
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(path)
            return
        if time.monotonic() > deadline:
            raise Failed("tenon-dataplane does not listen")
        time.sleep(0.01)


def await_words(child, log, words, done):
    """False: done was set before they came."""
    deadline = time.monotonic() + START_SECONDS
    while not done.wait(0.05):
        with open(log, encoding="ascii", errors="replace") as file:
            text = file.read()
        if words in text:
            return True
        if child.poll() is not None or time.monotonic() > deadline:
            raise Failed("testpmd does not get as far as '%s':\n%s" % (words, text[-2000:]))
    return False


def operate(child, log, commands, done):
    """What somebody at testpmd's prompt does."""
    with contextlib.suppress(OSError, Failed):
        if not await_words(child, log, "testpmd> ", done) or done.wait(CONNECT_SECONDS):
            return
        child.stdin.write(commands)
        while not done.is_set():
            child.stdin.write("show port stats all\n")
            child.stdin.flush()
            done.wait(1)


class Between:
    """What the two machines' scenarios have of a scenario."""
    memory, options, count = 64, [], 0

    def __init__(self, peer):
        self.peer = peer


def tenon_result(stats):
    worker = stats["workers"][0]
    if not worker["packets"]:
        raise Failed("Tenon received nothing")
    return {"cycles_per_packet": worker["cycles_per_packet"], "worker": worker,
            "mpps": worker["packets"] / stats["seconds"] / 1e6,
            "share": worker["cpu_seconds"] / stats["seconds"]}


def received_rates(log, port):
    """Packets a second that testpmd's port received, a number a second."""
    rates, current = [], None
    with open(log, encoding="ascii", errors="replace") as file:
        for line in file:
            found = re.search(r"NIC statistics for port (\d+)", line)
            if found:
                current = int(found.group(1))
            found = re.search(r"Rx-pps:\s+(\d+)", line)
            if found and current == port:
                rates.append(int(found.group(1)))
    return rates
