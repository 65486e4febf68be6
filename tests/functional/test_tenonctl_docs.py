# SPDX-License-Identifier: BSD-3-Clause
"""What tenonctl says of itself in its help, its manual page and its completion is the same."""
import functools
import os
import re
import subprocess

from test_tenonctl_parse import OK, TENONCTL, TOP, call

with open(os.path.join(TOP, "tools/tenonctl/tenonctl.1"), encoding="utf-8") as f:
    MANUAL = f.read()


def complete(*words):
    return subprocess.run([TENONCTL, "complete", "--", *words], capture_output=True, text=True,
                          check=True, timeout=30).stdout.split()


@functools.cache
def commands():
    """Each as a tuple of its words. Not before a test runs: names are listed before anything is
    built."""
    return tuple(ask_for_commands())


def ask_for_commands():
    for noun in complete(""):
        if noun == "help":
            continue
        verbs = [] if call(noun, "--help").stdout.startswith("usage:") else complete(noun, "")
        yield from [(noun, verb) for verb in verbs] or [(noun,)]


def test_there_are_commands():
    assert len(commands()) > 40 and ("flow", "add") in commands() and ("trace",) in commands()


def test_help_names_every_command():
    done = call("--help")
    assert done.returncode == OK and not done.stderr
    told = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)  +\S", done.stdout, re.M)
    assert sorted(told) == sorted(" ".join(c) for c in commands())
    assert all(len(line) <= 100 for line in done.stdout.split("\n"))
    assert call("help").stdout == done.stdout
    assert call("--version").stdout.startswith("tenonctl ")


def test_manual_names_every_command():
    told = set()
    for line in re.findall(r"^\.It Cm (.*)", MANUAL, re.M):
        told.add(re.match(r"([a-z-]+(?: [a-z-]+)*)", line).group(1).strip())
    assert told == {" ".join(c) for c in commands()}


def options_of_help(text):
    return re.findall(r"^  (?:-\w, |    )--([a-z-]+)", text, re.M)


def test_general_options():
    in_help = options_of_help(call("--help").stdout)
    assert ["--" + o for o in in_help] == complete("--")
    assert set(in_help) <= set(options_of_manual())


def options_of_manual():
    """Fl -name, Fl -other in the items of the list of options; the letters' names follow."""
    section = MANUAL[MANUAL.index(".Sh OPTIONS"):MANUAL.index(".Sh ENVIRONMENT")]
    for line in re.findall(r"^\.It (Fl .*)", section, re.M):
        yield from re.findall(r"(?:Fl|,) -([a-z][a-z-]+)", line)


def test_manual_has_every_option_once():
    told = list(options_of_manual())
    known = {o for c in commands() for o in options_of_help(call(*c, "--help").stdout)} | \
        set(options_of_help(call("--help").stdout))
    assert sorted(told) == sorted(known)


def test_manual_is_well_formed():
    done = subprocess.run(["man", "--warnings", "-l", "-Tutf8",
                           os.path.join(TOP, "tools/tenonctl/tenonctl.1")],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_help_of_every_command():
    for command in commands():
        check_help(command)


def check_help(command):
    done = call(*command, "--help")
    assert done.returncode == OK and not done.stderr
    usage, rest = done.stdout.split("\n", 1)
    assert usage.startswith("usage: tenonctl " + " ".join(command))
    assert call("help", *command).stdout == done.stdout
    # Options: those that completion offers beside the general ones, and no other is taken.
    own = options_of_help(rest)
    offered = complete(*command, "--")
    assert ["--" + o for o in own] == [o for o in offered if o not in complete("--")]
    # Examples are of this command, and of options that it has.
    examples = rest[rest.index("Examples:\n"):].split("\n")[1:]
    mine = [e for e in examples if "tenonctl" in e and
            (" ".join(command) in e or e.strip() == "tenonctl " + command[0])]
    assert mine, examples
    for example in mine:
        for option in re.findall(r" --([a-z-]+)", example):
            assert "--" + option in offered, example
    assert all(len(line) <= 100 for line in rest.split("\n"))


def test_examples_of_text_are_right():
    """Those of flow, group and meter, with the ports that they name by number."""
    seen = 0
    for noun in ("flow", "group", "meter"):
        for verb in ("add", "mod", "parse"):
            text = call(noun, verb, "--help").stdout
            for example in text[text.index("Examples:\n"):].split("\n")[1:]:
                match = re.match(r"  tenonctl (?:--json )?%s (?:add|mod|parse) (?:--strict )?"
                                 r"('?[a-z_]+=.*|tcp.*)" % noun, example)
                if match:
                    words = re.sub("vm-a", "1", re.sub("vm-b", "2", match.group(1)))
                    done = subprocess.run("%s %s parse %s" % (TENONCTL, noun, words), shell=True,
                                          capture_output=True, text=True, timeout=30)
                    assert done.returncode == OK, done
                    seen += 1
    assert seen >= 8
