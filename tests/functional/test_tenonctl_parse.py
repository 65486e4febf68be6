# SPDX-License-Identifier: BSD-3-Clause
"""tenonctl without a daemon: command line, flow parse, flow diff of files, completion."""
import json
import os
import shlex
import socket
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("TENON_BUILD") or os.path.join(TOP, "build/opt")
TENONCTL = os.path.join(BUILD, "tools/tenonctl/tenonctl")

OK, REFUSED, DIFFER, USAGE, UNREACHABLE = range(5)


def call(*arguments, text=""):
    return subprocess.run([TENONCTL, *arguments], input=text, capture_output=True, text=True,
                          timeout=30, env=dict(os.environ, TENON_SOCKET="/nonexistent/socket"))


def flow_lines():
    with open(os.path.join(TOP, "tests/functional/data/flows.txt"), encoding="utf-8") as f:
        return [line for line in f.read().split("\n")
                if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("words, says", [
    ([], "tenonctl --help"),
    (["flwo", "add", "x"], 'did you mean "flow"'),
    (["flow"], "flow what?"),
    (["flow", "dmp"], 'did you mean "dump"'),
    (["flow", "rep"], 'did you mean "replace"'),
    (["dump-flows", "br0"], "tenonctl flow dump"),
    (["flow", "replace"], "takes: FILE"),
    (["flow", "add"], "give a flow"),
    (["flow", "del", "--strict"], "say which flow"),
    (["--timeout", "0", "status"], "from 1 to"),
    (["--color", "blue", "status"], "auto, always or never"),
    (["--server", "host", "status"], "https://host:port"),
    (["--dryrun", "flow", "add"], "did you mean --dry-run?"),
    (["-x"], "no option -x"),
    (["--json=1", "status"], "takes nothing"),
    (["flow", "add", "--file"], "is missing"),
    (["port", "list", "--strict"], "port list has no option --strict"),
    (["flow", "parse", "-f", "/nonexistent/flows"], "No such file"),
    (["port", "add"], "tenonctl port add --help"),
    (["port", "add", "x"], "type="),
    (["port", "mod", "x", "dwon"], 'did you mean "down"'),
])
def test_wrong_usage(words, says):
    done = call(*words)
    assert done.returncode == USAGE and says in done.stderr and not done.stdout


def test_no_daemon():
    for command in (["flow", "dump"], ["flow", "add", "actions=drop"], ["status"], ["watch"],
                    ["top"], ["trace", "in_port=1"], ["config", "get"]):
        done = call(*command)
        assert done.returncode == UNREACHABLE, command
        assert "is tenond running?" in done.stderr and "systemctl start" in done.stderr


def test_socket_of_others(tmp_path):
    if os.geteuid():
        pytest.skip("needs root to be somebody else")
    path = tmp_path / "tenond.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    os.chmod(tmp_path, 0o755)
    path.chmod(0o600)
    done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", TENONCTL, "status"],
                          env={"TENON_SOCKET": str(path)}, capture_output=True, text=True)
    server.close()
    assert done.returncode == UNREACHABLE and "its group" in done.stderr or \
        "there is no" in done.stderr  # a folder above may be closed to others


def test_parse_prints_canonical_text():
    done = call("flow", "parse", "table=0, priority=100,nw_dst=10.0.0.1,tcp,actions=2",
                "delete cookie=0x1/0xff table=3,out_port=4,ip", "modify_strict priority=5 actions=")
    assert done.returncode == OK and not done.stderr
    assert done.stdout.split("\n")[:3] == [
        "priority=100,tcp,nw_dst=10.0.0.1 actions=output:2",
        "delete table=3,cookie=0x1/0xff,out_port=4,ip",
        "modify_strict table=0,priority=5 actions=drop"]


def test_canonical_text_is_a_fixed_point():
    """Of every line that is accepted; JSON of both is the same."""
    good = 0
    accepted = []
    for line in flow_lines():
        if call("flow", "parse", "-", text=line + "\n").returncode == OK:
            accepted.append(line)
            good += 1
        if good >= 120:
            break
    text = "\n".join(accepted) + "\n"
    once = call("flow", "parse", "-", text=text).stdout
    assert once.count("\n") == len(accepted)
    assert call("flow", "parse", "-", text=once).stdout == once
    assert call("--json", "flow", "parse", "-", text=text).stdout == \
        call("--json", "flow", "parse", "-", text=once).stdout


def test_parse_says_where_and_what_is_near(tmp_path):
    flows = tmp_path / "flows.txt"
    flows.write_text("# rules\nactions=drop\n\ntcp,nw_dts=10.0.0.1,actions=output:2\n"
                     "priority=70000,actions=drop\n")
    done = call("flow", "parse", str(flows))
    assert done.returncode == USAGE
    assert done.stdout == "actions=drop\n"
    assert '%s:4:5: unknown key or field "nw_dts"; did you mean "nw_dst"?' % flows in done.stderr
    assert "  tcp,nw_dts=10.0.0.1,actions=output:2\n      ^\n" in done.stderr
    assert "%s:5:10: OFPFMFC_BAD_PRIORITY" % flows in done.stderr


def test_parse_as_json():
    done = call("--json", "flow", "parse", "delete_strict priority=7,tcp,tp_dst=80")
    assert json.loads(done.stdout) == {
        "op": "delete_strict",
        "flow": {"tableId": 0, "priority": 7, "selector": {"criteria": [
            {"type": "ETH_TYPE", "ethType": "0x800"}, {"type": "IP_PROTO", "protocol": 6},
            {"type": "TCP_DST", "tcpPort": 80}]}}}


def test_parse_of_groups_and_meters():
    done = call("group", "parse", "group_id=1 type=ff bucket=watch_port:2,actions=2")
    assert done.stdout == "group_id=1,type=ff,bucket=bucket_id:0,watch_port:2,actions=output:2\n"
    assert call("group", "parse", "group_id=1,type=some").returncode == USAGE
    done = call("meter", "parse", "meter=3 kbps bands=type=drop rate=100")
    assert done.returncode == OK and "meter=3" in done.stdout and "rate=100" in done.stdout


def test_diff_of_files(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("priority=5,tcp,actions=1\npriority=4,udp,actions=2\ntable=1,actions=drop\n")
    b.write_text("table=1,actions=drop\npriority=4,udp,actions=3\npriority=9,arp,actions=normal\n")
    assert call("flow", "diff", str(a), str(a)).returncode == OK
    done = call("flow", "diff", str(a), str(b))
    assert done.returncode == DIFFER
    assert done.stdout.split("\n") == [
        "+priority=9,arp actions=NORMAL", "-priority=5,tcp actions=output:1",
        "-priority=4,udp actions=output:2", "+priority=4,udp actions=output:3", ""]


def test_hostile_text_cannot_play_with_a_terminal():
    done = call("flow", "parse", "\x1b[2Jfoo=1,actions=drop")
    assert done.returncode == USAGE and "\x1b" not in done.stderr + done.stdout


def test_comments_and_columns_of_files(tmp_path):
    flows = tmp_path / "flows.txt"
    flows.write_text('# all\npriority=1,tcp actions=drop # one\n\tactions=2\t#two\n'
                     'in_port="a#b" actions=drop\n')
    done = call("flow", "parse", str(flows))
    assert done.stdout == "priority=1,tcp actions=drop\nactions=output:2\n"
    assert 'unknown port ""a#b""' in done.stderr and "names are not known here" in done.stderr


def test_words_that_are_one_flow():
    """What the shell took apart."""
    done = call("flow", "parse", "tcp,tp_dst=80", "actions=drop", "udp,actions=2", "actions=3")
    assert done.stdout == "tcp,tp_dst=80 actions=drop\nudp actions=output:2\nactions=output:3\n"


def test_json_becomes_text(tmp_path):
    path = tmp_path / "flows.json"
    flow = {"priority": 7, "isPermanent": True, "treatment": {"instructions": [
        {"type": "OUTPUT", "port": "2"}]}, "selector": {"criteria": [
            {"type": "ETH_TYPE", "ethType": "0x800"}, {"type": "IPV4_DST", "ip": "10.0.0.1/32"}]}}
    path.write_text(json.dumps({"flows": [flow]}))
    assert call("flow", "parse", str(path)).stdout == \
        "priority=7,ip,nw_dst=10.0.0.1 actions=output:2\n"
    path.write_text(json.dumps([flow, flow]))
    assert call("flow", "parse", str(path)).stdout.count("\n") == 2
    flow["selector"]["criteria"][1]["ip"] = "10.0.0.300"
    path.write_text('{"flows": [\n%s],\n"group": []}' % json.dumps(flow))
    done = call("flow", "parse", str(path))
    assert done.returncode == USAGE
    assert "%s:2:" % path in done.stderr and "/flows/0/selector/criteria/1/ip: " in done.stderr
    assert '%s:3:1: "group" has no place here' % path in done.stderr
    path.write_text("[1")
    assert call("flow", "parse", str(path)).returncode == USAGE
    path.write_text('{"groups": [{"type": "ALL", "groupId": 3, "appCookie": "0x3", "buckets": []}]}')
    assert call("group", "parse", "-f", str(path)).stdout == "group_id=3,type=all\n"


def test_diff_as_json(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("priority=5,tcp,actions=1\n")
    b.write_text("priority=5,tcp,actions=drop\npriority=5,tcp,actions=2\nactions=drop\n")
    done = call("--json", "flow", "diff", str(a), str(b))
    assert done.returncode == DIFFER
    answer = json.loads(done.stdout)
    assert answer["total"] == 2
    assert [c["change"] for c in answer["changes"]] == ["ADDED", "MODIFIED"]
    assert json.loads(call("--json", "flow", "diff", str(a), str(a)).stdout)["total"] == 0


def complete(*words, pieces=None, typed=None):
    """What bash would offer for the last word; pieces: the words as it takes them apart."""
    script = """
        PATH=%s:$PATH
        compopt() { :; }
        . %s/tools/tenonctl/tenonctl.bash
        COMP_WORDS=(tenonctl %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMP_LINE=%s; COMP_POINT=${#COMP_LINE}
        _tenonctl; printf '%%s\\n' "${COMPREPLY[@]}"
    """ % (os.path.dirname(TENONCTL), TOP, " ".join(map(shlex.quote, pieces or words)),
           shlex.quote(typed or " ".join(("tenonctl",) + words)))
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                          timeout=30).stdout.split()


def test_completion():
    assert complete("fl") == ["flow"]
    assert complete("flow", "d") == ["del", "dump", "diff"]
    assert complete("--json", "meter", "pa") == ["parse"]
    assert complete("--socket", "/x", "config", "") == ["get", "put"]
    assert complete("flow", "replace", TOP + "/READ") == [TOP + "/README.md"]
    assert complete("flow", "add", "--d") == ["--dry-run"]
    assert complete("port", "list", "--d") == []
    assert complete("--color", "n") == ["never"]
    assert complete("watch", "--kinds", "flow,po") == ["flow,port"]
    assert complete("help", "port", "mo") == ["mod"]


def test_completion_of_flows():
    assert complete("flow", "add", "ip,nw_ds") == ["ip,nw_dst="]
    # What the shell takes apart, and does not where it is quoted.
    assert complete(pieces=["flow", "add", "in_port", "=", "1,actions", "=", "outp"],
                    typed="tenonctl flow add in_port=1,actions=outp") == ["output:"]
    assert complete(pieces=["flow", "add", "'in_port=1,acti"],
                    typed="tenonctl flow add 'in_port=1,acti") == ["in_port=1,actions="]
    assert complete("flow", "add", "tcp,prio") == ["tcp,priority="]
    assert "arp," in complete("trace", "ar")
    assert complete("flow", "add", "tcp actions=dec") == ["dec_ttl"]
    assert complete("flow", "add", "tcp,actions=dec_ttl,outp") == ["dec_ttl,output:"]
