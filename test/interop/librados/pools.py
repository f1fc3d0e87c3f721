"""Pools that programs make and remove by librados' own calls, without the monitors' commands."""

import api
from api import C, start
from steps import step

io = start()
cluster = io.cluster
NAME, OTHER = b"pools-made", b"pools-by-rule"


def exists(name):
    return C.rados_pool_lookup(cluster.handle, name) >= 0


step("create", C.rados_pool_create(cluster.handle, NAME))
step("create, there", exists(NAME))
step("create, again", C.rados_pool_create(cluster.handle, NAME))
step("create, without a name", C.rados_pool_create(cluster.handle, b""))
made = cluster.ioctx(NAME.decode())
step("write and read", [made.write_full(b"a", b"data"), made.read(b"a")])
base = api.ctypes.c_int64(-1)
number = C.rados_pool_lookup(cluster.handle, NAME)
step("base tier", [C.rados_pool_get_base_tier(cluster.handle, number, api.byref(base)), base.value == number])
step("base tier of none", C.rados_pool_get_base_tier(cluster.handle, 123456, api.byref(base)))
step("create with rule 0", C.rados_pool_create_with_crush_rule(cluster.handle, OTHER, 0))
step("create with a rule there is not", C.rados_pool_create_with_crush_rule(cluster.handle, b"pools-none", 200))
step("create with a rule there is not, there", exists(b"pools-none"))
step("delete", [C.rados_pool_delete(cluster.handle, name) for name in (NAME, OTHER)])
step("delete, there", [exists(name) for name in (NAME, OTHER)])
step("delete, again", C.rados_pool_delete(cluster.handle, NAME))
step("write into what is gone", made.write_full(b"a", b"data"))
