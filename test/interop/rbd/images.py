"""What the programs here share: a connection, and what became of a call."""

import os

import rados
import rbd


def connect(pool):
    cluster = rados.Rados(conffile=os.environ["CEPH_CONF"])
    cluster.connect(timeout=30)
    return cluster.open_ioctx(pool), rbd.RBD()


def outcome(function, *arguments, **named):
    """What a call returns, or the name and errno of what it raises."""
    try:
        return function(*arguments, **named)
    except (rbd.Error, KeyError, AttributeError) as error:
        return "%s %s" % (type(error).__name__, getattr(error, "errno", ""))
