"""Removes the pools whose names begin with the one given."""

import os
import sys

import rados

cluster = rados.Rados(conffile=os.environ["CEPH_CONF"])
cluster.connect(timeout=30)
for pool in cluster.list_pools():
    if pool.startswith(sys.argv[1]):
        cluster.delete_pool(pool)
