"""Runs `ceph` command lines, as that tool would, over one connection.

Arguments: the ceph.conf. Reads a JSON array of {"line", "input"} from standard input, prints a JSON object
{"code", "output", "status"} a line: the return code, what goes to standard output and what to standard error. The arguments
are checked against the cluster's own command descriptions, with the tool's own parser.
"""

import errno
import json
import shlex
import sys
import time

import ceph_argparse
import rados

SETTLE_SECONDS = 60
COMMAND_SECONDS = 60


class Commands:
    def __init__(self, conf):
        self.cluster = rados.Rados(conffile=conf)
        self.cluster.connect(timeout=30)
        self.signatures = {}

    def run(self, line, data):
        words = shlex.split(line)
        if words in (["settle"], ["placed"]):
            return wait_for(self.settle if words == ["settle"] else self.placed)
        output_format, words = take_format(words)
        target = ceph_argparse.find_cmd_target(words)
        if words[0] == "tell":
            words = words[2:]
        try:
            arguments = ceph_argparse.validate_command(self.signatures_like(target, words), words)
        except ceph_argparse.ArgumentError as error:
            return -errno.EINVAL, b"", str(error)
        if not arguments:
            return -errno.EINVAL, b"", "invalid command"
        if output_format:
            arguments["format"] = output_format
        return ceph_argparse.json_command(
            self.cluster, target=target, argdict=arguments, inbuf=data, timeout=COMMAND_SECONDS
        )

    def signatures_like(self, target, words):
        """Those that may match most of the words: of hundreds, the parser copies each before it finds that another matches more."""
        found = self.signatures_of(target)
        for at, word in enumerate(words):
            if not any(literal(each, at) == word for each in found.values()):
                break
            found = {key: each for key, each in found.items() if may_have(each, at, word)}
        return found

    def signatures_of(self, target):
        if target not in self.signatures:
            code, output, status = ceph_argparse.json_command(
                self.cluster, target=target, prefix="get_command_descriptions", timeout=COMMAND_SECONDS
            )
            if code:
                raise SystemExit("no command descriptions from %s: %d %s" % (target, code, status))
            self.signatures[target] = ceph_argparse.parse_json_funcsigs(output.decode(), "cli")
        return self.signatures[target]

    def settle(self):
        """Until every PG is active+clean where the map has it, and the manager has told the monitors so."""
        pgmap = self.ask("mon", prefix="status")["pgmap"]
        expected = sum(pool["pg_num"] for pool in self.ask("mon", prefix="osd dump")["pools"])
        clean = sum(each["count"] for each in pgmap["pgs_by_state"] if each["state_name"] == "active+clean")
        if not clean == expected == pgmap["num_pgs"]:
            return False
        stats = self.placed()
        return bool(stats) and all(each["state"] == "active+clean" for each in stats)

    def placed(self):
        """What the manager knows of PGs, if all were last told of from where the monitors' map has them."""
        stats = self.ask("mgr", prefix="pg dump", dumpcontents=["pgs_brief"])["pg_stats"]
        for stat in stats:
            place = self.ask("mon", prefix="pg map", pgid=stat["pgid"])
            if stat["up"] != place["up"] or stat["acting"] != place["acting"]:
                return None
        return stats

    def ask(self, target, **command):
        send = self.cluster.mon_command if target == "mon" else self.cluster.mgr_command
        code, output, status = send(json.dumps({**command, "format": "json"}), b"")
        if code:
            raise SystemExit("%s: %d %s" % (command, code, status))
        return json.loads(output)


def wait_for(holds):
    deadline = time.monotonic() + SETTLE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return -errno.ETIMEDOUT, b"", "not so"
        time.sleep(0.1)
    return 0, b"", ""


def literal(command, at):
    """The word that stands there in a command, if it is neither an argument nor behind one."""
    first = command["sig"][: at + 1]
    is_literal = len(first) > at and all(each.t is ceph_argparse.CephPrefix for each in first)
    return first[at].instance.prefix if is_literal else None


def may_have(command, at, word):
    word_there = literal(command, at)
    return len(command["sig"]) > at if word_there is None else word_there.startswith(word)


def take_format(words):
    """`-f FORMAT` and `--format FORMAT` are the tool's, wherever they stand."""
    for name in ("-f", "--format"):
        if name in words:
            at = words.index(name)
            return words[at + 1], words[:at] + words[at + 2 :]
    return None, words


def main():
    commands = Commands(sys.argv[1])
    for step in json.load(sys.stdin):
        data = step["input"].encode() if step.get("input") is not None else b""
        code, output, status = commands.run(step["line"], data)
        text = (output or b"").decode("utf-8", "backslashreplace")
        print(json.dumps({"code": code, "output": text, "status": status}), flush=True)
    commands.cluster.shutdown()


main()
