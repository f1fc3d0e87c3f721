"""
usage: glance_api.py CONF FOLDER PORT

Debian's glance-api, unmodified, on the cluster that CONF leads to, as `spirula openstack init` has configured it: without Keystone, its tables in SQLite.
Images are uploaded, downloaded and deleted. Needs glance-api.
"""
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

SPIRULA = os.path.join(os.path.dirname(__file__), "../../../../packages/cli/bin/spirula.mjs")
CONF, FOLDER, PORT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
MIB = 1 << 20


def configuration():
    told = json.loads(subprocess.run(["node", SPIRULA, "openstack", "init", "-c", CONF, "--json"], check=True, capture_output=True).stdout)
    text = told["glance-api.conf"].replace(
        "[DEFAULT]\n",
        "[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = %d\nworkers = 0\nlog_file = %s/glance.log\nshow_multiple_locations = true\n" % (PORT, FOLDER),
    )
    path = os.path.join(FOLDER, "glance-api.conf")
    with open(path, "w") as conf:
        conf.write(text)
        conf.write("\n[database]\nconnection = sqlite:///%s/glance.sqlite\n" % FOLDER)
        conf.write("\n[paste_deploy]\nconfig_file = /usr/share/glance-common/glance-api-paste.ini\n")
    return path


def ask(method, path, body=None, kind="application/json"):
    """Status, headers and body of what glance-api answers."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    headers = {"Content-Type": kind, "X-Roles": "admin", "X-Project-Id": "one", "X-User-Id": "one"}
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (PORT, path), data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def upload(name, content, size_is_told):
    status, body = ask("POST", "/v2/images", {"name": name, "disk_format": "raw", "container_format": "bare"})
    assert status == 201, (status, body)
    image = json.loads(body)["id"]
    # A stream is sent in chunks: glance-api does not know its size.
    data = content if size_is_told else iter([content[i : i + 65_536] for i in range(0, len(content), 65_536)])
    status, body = ask("PUT", "/v2/images/%s/file" % image, data, "application/octet-stream")
    assert status == 204, (status, body)
    return image


def rbd(*words):
    return subprocess.run(["rbd", "-c", CONF, "-p", "images", *words], check=True, capture_output=True, text=True).stdout


def tell(step, value):
    print(json.dumps({"step": step, "value": value}), flush=True)


def wait_until_it_serves(server):
    for _ in range(300):
        if server.poll() is not None:
            sys.exit("glance-api has ended: %s/glance.log" % FOLDER)
        try:
            ask("GET", "/")
            return
        except OSError:
            time.sleep(0.2)
    sys.exit("glance-api does not serve")


def main():
    path = configuration()
    subprocess.run(["glance-manage", "--config-file", path, "db_sync"], check=True, capture_output=True)
    server = subprocess.Popen(["glance-api", "--config-file", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_it_serves(server)
        content = b"".join(hashlib.sha256(b"%d" % i).digest() * (MIB // 32) for i in range(20)) + b"the end"
        for size_is_told in [True, False]:
            image = upload("debian", content, size_is_told)
            shown = json.loads(ask("GET", "/v2/images/%s" % image)[1])
            kept = ["status", "size", "checksum", "os_hash_value", "disk_format"]
            tell("uploaded", {name: shown[name] for name in kept})
            tell("its place", [shown["direct_url"].startswith("rbd://"), shown["direct_url"].endswith("/images/%s/snap" % image)])
            tell("protected", [each["protected"] for each in json.loads(rbd("snap", "ls", image, "--format", "json"))])
            status, body = ask("GET", "/v2/images/%s/file" % image)
            tell("downloaded", [status, len(body), body == content])
            rbd("clone", "%s@snap" % image, "volumes/of-it")
            tell("deleted while there is a volume of it", [ask("DELETE", "/v2/images/%s" % image)[0]])
            rbd("rm", "--no-progress", "volumes/of-it")
            tell("deleted", [ask("DELETE", "/v2/images/%s" % image)[0]])
            tell("left", json.loads(rbd("ls", "--format", "json")))
    finally:
        server.terminate()
        server.wait()


main()
