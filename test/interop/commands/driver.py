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
        if words == ["settle"]:
            return self.settle()
        output_format, words = take_format(words)
        target = ceph_argparse.find_cmd_target(words)
        if words[0] == "tell":
            words = words[2:]
        try:
            arguments = ceph_argparse.validate_command(self.signatures_of(target), words)
        except ceph_argparse.ArgumentError as error:
            return -errno.EINVAL, b"", str(error)
        if not arguments:
            return -errno.EINVAL, b"", "invalid command"
        if output_format:
            arguments["format"] = output_format
        return ceph_argparse.json_command(
            self.cluster, target=target, argdict=arguments, inbuf=data, timeout=COMMAND_SECONDS
        )

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
        """Until every PG is active+clean, and the manager has told the monitors so."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            _, output, _ = self.cluster.mon_command('{"prefix": "status", "format": "json"}', b"")
            pgmap = json.loads(output)["pgmap"]
            _, output, _ = self.cluster.mon_command('{"prefix": "osd dump", "format": "json"}', b"")
            expected = sum(pool["pg_num"] for pool in json.loads(output)["pools"])
            clean = sum(each["count"] for each in pgmap["pgs_by_state"] if each["state_name"] == "active+clean")
            if clean == expected == pgmap["num_pgs"]:
                return 0, b"", ""
            if time.monotonic() > deadline:
                return -errno.ETIMEDOUT, output, "not clean"
            time.sleep(0.2)


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
