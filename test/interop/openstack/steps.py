"""Steps of a program, each with what came of it, a line of JSON."""
import json
from contextlib import contextmanager

import rados
import rbd


def attempt(step, action):
    """Gives the value, or None where it failed."""
    value = None
    try:
        value = action()
        told = {"step": step, "value": value}
    except (rados.Error, rbd.Error) as error:
        told = {"step": step, "error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(told), flush=True)
    return value


@contextmanager
def pool(conf, user, name):
    """As the services connect: by the name of their user, and nothing else."""
    cluster = rados.Rados(rados_id=user, clustername="ceph", conffile=conf)
    cluster.connect()
    try:
        with cluster.open_ioctx(name) as io:
            yield cluster, io
    finally:
        cluster.shutdown()


@contextmanager
def image(io, name, snapshot=None, read_only=False):
    with rbd.Image(io, name, snapshot=snapshot, read_only=read_only) as opened:
        yield opened


def default_features(cluster):
    return int(cluster.conf_get("rbd_default_features") or 0) or rbd.RBD_FEATURE_LAYERING
