"""
The C interface of librados 16.2, with the results it has: a return value below 0 is an errno, and nothing raises. Data
that a successful call gives stands in the place of the return value, or beside it in a tuple.
"""

import atexit
import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ubyte, c_uint32, c_uint64, c_void_p

C = ctypes.CDLL("librados.so.2")

EQ, NE, GT, GTE, LT, LTE = range(1, 7)
EXCL, FAILOK = 1, 2
BALANCE_READS, LOCALIZE_READS, ORDER_READS_WRITES = 1, 2, 4
IGNORE_CACHE, SKIP_RW_LOCKS, IGNORE_OVERLAY, FULL_TRY, FULL_FORCE = 8, 16, 32, 64, 128
IGNORE_REDIRECT, ORDER_SNAP, RETURNVEC = 256, 512, 1024
ALL_NAMESPACES = b"\x01"
XXHASH32, XXHASH64, CRC32C = range(3)

# A request that is never answered ends the step, not the program.
TIMEOUT_SECONDS = b"60"


def _declare(result, **functions):
    for name, arguments in functions.items():
        function = getattr(C, "rados_" + name)
        function.restype = result
        function.argtypes = arguments


_io = [c_void_p, c_char_p]
_name = [c_char_p]
_buffer = [c_void_p, c_size_t]
_strings = POINTER(c_char_p)
_sizes = POINTER(c_size_t)
_code = POINTER(c_int)
_out = POINTER(c_void_p)

_declare(
    c_int,
    create=[_out, c_char_p],
    conf_read_file=[c_void_p, c_char_p],
    conf_set=[c_void_p, c_char_p, c_char_p],
    connect=[c_void_p],
    ioctx_create=[c_void_p, c_char_p, _out],
    write=_io + _buffer + [c_uint64],
    write_full=_io + _buffer,
    writesame=_io + _buffer + [c_size_t, c_uint64],
    append=_io + _buffer,
    read=_io + _buffer + [c_uint64],
    checksum=_io + [c_int, c_char_p, c_size_t, c_size_t, c_uint64, c_size_t, c_void_p, c_size_t],
    remove=_io,
    trunc=_io + [c_uint64],
    cmpext=_io + _buffer + [c_uint64],
    getxattr=_io + _name + _buffer,
    setxattr=_io + _name + _buffer,
    rmxattr=_io + _name,
    getxattrs=_io + [_out],
    getxattrs_next=[c_void_p, POINTER(c_void_p), POINTER(c_void_p), _sizes],
    stat=_io + [POINTER(c_uint64), POINTER(ctypes.c_long)],
    exec=_io + [c_char_p, c_char_p] + _buffer + _buffer,
    lock_exclusive=_io + [c_char_p] * 3 + [c_void_p, c_ubyte],
    lock_shared=_io + [c_char_p] * 4 + [c_void_p, c_ubyte],
    unlock=_io + [c_char_p] * 2,
    break_lock=_io + [c_char_p] * 3,
    set_alloc_hint=_io + [c_uint64, c_uint64],
    set_alloc_hint2=_io + [c_uint64, c_uint64, c_uint32],
    write_op_operate=[c_void_p, c_void_p, c_char_p, c_void_p, c_int],
    write_op_operate2=[c_void_p, c_void_p, c_char_p, c_void_p, c_int],
    read_op_operate=[c_void_p, c_void_p, c_char_p, c_int],
    omap_get_next2=[c_void_p, POINTER(c_void_p), POINTER(c_void_p), _sizes, _sizes],
    aio_create_completion2=[c_void_p, c_void_p, _out],
    aio_wait_for_complete=[c_void_p],
    aio_get_return_value=[c_void_p],
    aio_write=_io[:1] + [c_char_p, c_void_p] + _buffer + [c_uint64],
    aio_append=_io[:1] + [c_char_p, c_void_p] + _buffer,
    aio_write_full=_io[:1] + [c_char_p, c_void_p] + _buffer,
    aio_writesame=_io[:1] + [c_char_p, c_void_p] + _buffer + [c_size_t, c_uint64],
    aio_remove=_io[:1] + [c_char_p, c_void_p],
    aio_read=_io[:1] + [c_char_p, c_void_p] + _buffer + [c_uint64],
    aio_cmpext=_io[:1] + [c_char_p, c_void_p] + _buffer + [c_uint64],
    aio_stat=_io[:1] + [c_char_p, c_void_p, POINTER(c_uint64), POINTER(ctypes.c_long)],
    aio_getxattr=_io[:1] + [c_char_p, c_void_p, c_char_p] + _buffer,
    aio_setxattr=_io[:1] + [c_char_p, c_void_p, c_char_p] + _buffer,
    aio_rmxattr=_io[:1] + [c_char_p, c_void_p, c_char_p],
    aio_exec=_io[:1] + [c_char_p, c_void_p, c_char_p, c_char_p] + _buffer + _buffer,
    aio_write_op_operate=[c_void_p, c_void_p, c_void_p, c_char_p, c_void_p, c_int],
    aio_read_op_operate=[c_void_p, c_void_p, c_void_p, c_char_p, c_int],
    ioctx_pool_stat=[c_void_p, c_void_p],
    cluster_stat=[c_void_p, c_void_p],
    nobjects_list_open=[c_void_p, _out],
    nobjects_list_next2=[c_void_p] + [POINTER(c_void_p)] * 3 + [_sizes] * 3,
    nobjects_list_get_cursor=[c_void_p, _out],
    object_list_is_end=[c_void_p, c_void_p],
    object_list_cursor_cmp=[c_void_p, c_void_p, c_void_p],
    object_list=[c_void_p, c_void_p, c_void_p, c_size_t, c_char_p, c_size_t, c_void_p, _out],
    pool_list=[c_void_p, c_void_p, c_size_t],
    pool_create=[c_void_p, c_char_p],
    pool_create_with_crush_rule=[c_void_p, c_char_p, c_ubyte],
    pool_delete=[c_void_p, c_char_p],
    pool_get_base_tier=[c_void_p, ctypes.c_int64, POINTER(ctypes.c_int64)],
    ioctx_pool_requires_alignment2=[c_void_p, _code],
    ioctx_pool_required_alignment2=[c_void_p, POINTER(c_uint64)],
    ioctx_get_pool_name=[c_void_p, c_void_p, ctypes.c_uint],
    wait_for_latest_osdmap=[c_void_p],
    mon_command=[c_void_p, _strings, c_size_t, c_char_p, c_size_t, _out, _sizes, _out, _sizes],
)
_declare(
    ctypes.c_int64,
    pool_lookup=[c_void_p, c_char_p],
)
_declare(
    ctypes.c_ssize_t,
    list_lockers=_io + [c_char_p, _code] + [c_char_p, _sizes] * 4,
)
_declare(
    c_uint32,
    nobjects_list_get_pg_hash_position=[c_void_p],
    nobjects_list_seek=[c_void_p, c_uint32],
    nobjects_list_seek_cursor=[c_void_p, c_void_p],
)
_declare(c_uint64, get_last_version=[c_void_p], get_instance_id=[c_void_p])
_declare(ctypes.c_uint, omap_iter_size=[c_void_p])
_declare(
    c_void_p, create_write_op=[], create_read_op=[], object_list_begin=[c_void_p], object_list_end=[c_void_p]
)
_declare(
    None,
    shutdown=[c_void_p],
    ioctx_destroy=[c_void_p],
    ioctx_locator_set_key=[c_void_p, c_char_p],
    ioctx_set_namespace=[c_void_p, c_char_p],
    getxattrs_end=[c_void_p],
    omap_get_end=[c_void_p],
    aio_release=[c_void_p],
    release_write_op=[c_void_p],
    release_read_op=[c_void_p],
    nobjects_list_close=[c_void_p],
    object_list_cursor_free=[c_void_p, c_void_p],
    object_list_free=[c_size_t, c_void_p],
    object_list_slice=[c_void_p, c_void_p, c_void_p, c_size_t, c_size_t, _out, _out],
    set_pool_full_try=[c_void_p],
    unset_pool_full_try=[c_void_p],
    write_op_set_flags=[c_void_p, c_int],
    write_op_assert_exists=[c_void_p],
    write_op_assert_version=[c_void_p, c_uint64],
    write_op_cmpext=[c_void_p, c_char_p, c_size_t, c_uint64, _code],
    write_op_cmpxattr=[c_void_p, c_char_p, c_ubyte, c_char_p, c_size_t],
    write_op_omap_cmp2=[c_void_p, c_char_p, c_ubyte, c_char_p, c_size_t, c_size_t, _code],
    write_op_setxattr=[c_void_p, c_char_p, c_char_p, c_size_t],
    write_op_rmxattr=[c_void_p, c_char_p],
    write_op_create=[c_void_p, c_int, c_char_p],
    write_op_write=[c_void_p, c_char_p, c_size_t, c_uint64],
    write_op_write_full=[c_void_p, c_char_p, c_size_t],
    write_op_writesame=[c_void_p, c_char_p, c_size_t, c_size_t, c_uint64],
    write_op_append=[c_void_p, c_char_p, c_size_t],
    write_op_remove=[c_void_p],
    write_op_truncate=[c_void_p, c_uint64],
    write_op_zero=[c_void_p, c_uint64, c_uint64],
    write_op_exec=[c_void_p, c_char_p, c_char_p, c_char_p, c_size_t, _code],
    write_op_omap_set2=[c_void_p, _strings, _strings, _sizes, _sizes, c_size_t],
    write_op_omap_rm_keys2=[c_void_p, _strings, _sizes, c_size_t],
    write_op_omap_rm_range2=[c_void_p, c_char_p, c_size_t, c_char_p, c_size_t],
    write_op_omap_clear=[c_void_p],
    write_op_set_alloc_hint2=[c_void_p, c_uint64, c_uint64, c_uint32],
    read_op_set_flags=[c_void_p, c_int],
    read_op_assert_exists=[c_void_p],
    read_op_assert_version=[c_void_p, c_uint64],
    read_op_cmpext=[c_void_p, c_char_p, c_size_t, c_uint64, _code],
    read_op_cmpxattr=[c_void_p, c_char_p, c_ubyte, c_char_p, c_size_t],
    read_op_omap_cmp2=[c_void_p, c_char_p, c_ubyte, c_char_p, c_size_t, c_size_t, _code],
    read_op_getxattrs=[c_void_p, _out, _code],
    read_op_stat=[c_void_p, POINTER(c_uint64), POINTER(ctypes.c_long), _code],
    read_op_read=[c_void_p, c_uint64, c_size_t, c_void_p, _sizes, _code],
    read_op_checksum=[
        *[c_void_p, c_int, c_char_p, c_size_t, c_uint64, c_size_t, c_size_t, c_void_p, c_size_t],
        _code,
    ],
    read_op_exec_user_buf=[
        *[c_void_p, c_char_p, c_char_p, c_char_p, c_size_t, c_void_p, c_size_t, _sizes],
        _code,
    ],
    read_op_omap_get_vals2=[c_void_p, c_char_p, c_char_p, c_uint64, _out, POINTER(c_ubyte), _code],
    read_op_omap_get_keys2=[c_void_p, c_char_p, c_uint64, _out, POINTER(c_ubyte), _code],
    read_op_omap_get_vals_by_keys2=[c_void_p, _strings, c_size_t, _sizes, _out, _code],
)


class PoolStat(ctypes.Structure):
    _fields_ = [
        (name, c_uint64)
        for name in (
            *("num_bytes", "num_kb", "num_objects", "num_object_clones", "num_object_copies"),
            *("num_objects_missing_on_primary", "num_objects_unfound", "num_objects_degraded"),
            *("num_rd", "num_rd_kb", "num_wr", "num_wr_kb", "num_user_bytes"),
            *("compressed_bytes_orig", "compressed_bytes", "compressed_bytes_alloc"),
        )
    ]


class ClusterStat(ctypes.Structure):
    _fields_ = [(name, c_uint64) for name in ("kb", "kb_used", "kb_avail", "num_objects")]


class ListItem(ctypes.Structure):
    _fields_ = [
        *[("name_length", c_size_t), ("name", c_void_p)],
        *[("nspace_length", c_size_t), ("nspace", c_void_p)],
        *[("locator_length", c_size_t), ("locator", c_void_p)],
    ]


class Cluster:
    def __init__(self, conf):
        handle = c_void_p()
        must(C.rados_create(byref(handle), None))
        self.handle = handle
        must(C.rados_conf_read_file(handle, conf.encode()))
        for option in (b"rados_osd_op_timeout", b"rados_mon_op_timeout"):
            must(C.rados_conf_set(handle, option, TIMEOUT_SECONDS))
        must(C.rados_connect(handle))
        self.contexts = []
        # Its threads would still be at work while the process takes down what they work with.
        atexit.register(self.shutdown)

    def shutdown(self):
        atexit.unregister(self.shutdown)
        for io in self.contexts:
            C.rados_ioctx_destroy(io)
        C.rados_shutdown(self.handle)

    def ioctx(self, pool):
        io = c_void_p()
        result = C.rados_ioctx_create(self.handle, pool.encode(), byref(io))
        if result != 0:
            return result
        self.contexts.append(io)
        return IoCtx(self, io)

    def stat(self):
        stat = ClusterStat()
        result = C.rados_cluster_stat(self.handle, byref(stat))
        return (result, stat)

    def command(self, text):
        out, size = c_void_p(), c_size_t()
        status, status_size = c_void_p(), c_size_t()
        result = C.rados_mon_command(
            *[self.handle, strings([text.encode()]), 1, b"", 0],
            *[byref(out), byref(size), byref(status), byref(status_size)],
        )
        return (result, bytes_at(out, size))


class IoCtx:
    def __init__(self, cluster, io):
        self.cluster = cluster
        self.io = io

    def set_namespace(self, nspace):
        C.rados_ioctx_set_namespace(self.io, nspace)

    def set_locator(self, key):
        C.rados_ioctx_locator_set_key(self.io, key)

    def write(self, name, data, offset=0):
        return C.rados_write(self.io, name, data, len(data), offset)

    def write_full(self, name, data):
        return C.rados_write_full(self.io, name, data, len(data))

    def writesame(self, name, data, length, offset=0):
        return C.rados_writesame(self.io, name, data, len(data), length, offset)

    def append(self, name, data):
        return C.rados_append(self.io, name, data, len(data))

    def read(self, name, length=4096, offset=0):
        buffer = ctypes.create_string_buffer(max(1, length))
        result = C.rados_read(self.io, name, buffer, length, offset)
        return buffer.raw[:result] if result >= 0 else result

    def checksum(self, name, kind, seed, length, offset, chunk, room=256):
        buffer = ctypes.create_string_buffer(max(1, room))
        result = C.rados_checksum(self.io, name, kind, seed, len(seed), length, offset, chunk, buffer, room)
        return (result, buffer.raw[:room].rstrip(b"\0").hex()) if result >= 0 else result

    def remove(self, name):
        return C.rados_remove(self.io, name)

    def trunc(self, name, size):
        return C.rados_trunc(self.io, name, size)

    def cmpext(self, name, data, offset=0):
        return C.rados_cmpext(self.io, name, data, len(data), offset)

    def getxattr(self, name, attr, room=4096):
        buffer = ctypes.create_string_buffer(max(1, room))
        result = C.rados_getxattr(self.io, name, attr, buffer, room)
        return buffer.raw[:result] if result >= 0 else result

    def setxattr(self, name, attr, value):
        return C.rados_setxattr(self.io, name, attr, value, len(value))

    def rmxattr(self, name, attr):
        return C.rados_rmxattr(self.io, name, attr)

    def getxattrs(self, name):
        iterator = c_void_p()
        result = C.rados_getxattrs(self.io, name, byref(iterator))
        return xattrs_of(iterator) if result >= 0 else result

    def stat(self, name):
        """The size; the time is left to the steps that set it."""
        size, mtime = c_uint64(), ctypes.c_long()
        result = C.rados_stat(self.io, name, byref(size), byref(mtime))
        return size.value if result == 0 else result

    def mtime(self, name):
        size, mtime = c_uint64(), ctypes.c_long()
        result = C.rados_stat(self.io, name, byref(size), byref(mtime))
        return mtime.value if result == 0 else result

    def exec(self, name, cls, method, data=b"", room=4096):
        buffer = ctypes.create_string_buffer(max(1, room))
        result = C.rados_exec(self.io, name, cls, method, data, len(data), buffer, room)
        return buffer.raw[:result] if result >= 0 else result

    def lock_exclusive(self, name, lock, cookie, description=b"", seconds=None, flags=0):
        return C.rados_lock_exclusive(self.io, name, lock, cookie, description, timeval(seconds), flags)

    def lock_shared(self, name, lock, cookie, tag, description=b"", seconds=None, flags=0):
        return C.rados_lock_shared(self.io, name, lock, cookie, tag, description, timeval(seconds), flags)

    def unlock(self, name, lock, cookie):
        return C.rados_unlock(self.io, name, lock, cookie)

    def break_lock(self, name, lock, client, cookie):
        return C.rados_break_lock(self.io, name, lock, client, cookie)

    def list_lockers(self, name, lock, room=1024):
        """(how many, whether exclusive, tag, clients, cookies, addresses)"""
        exclusive = c_int()
        buffers = [ctypes.create_string_buffer(room) for _ in range(4)]
        lengths = [c_size_t(room) for _ in range(4)]
        pairs = [each for buffer, length in zip(buffers, lengths) for each in (buffer, byref(length))]
        result = C.rados_list_lockers(self.io, name, lock, byref(exclusive), *pairs)
        if result < 0:
            return result
        tag, *lists = [buffer.raw[: length.value] for buffer, length in zip(buffers, lengths)]
        return (result, exclusive.value, tag, *[text.split(b"\0")[:-1] for text in lists])

    def set_alloc_hint(self, name, object_size, write_size, flags=None):
        if flags is None:
            return C.rados_set_alloc_hint(self.io, name, object_size, write_size)
        return C.rados_set_alloc_hint2(self.io, name, object_size, write_size, flags)

    def last_version(self):
        return C.rados_get_last_version(self.io)

    def pool_stat(self):
        stat = PoolStat()
        result = C.rados_ioctx_pool_stat(self.io, byref(stat))
        return (result, stat)

    def aio(self, start, *arguments):
        """What an asynchronous call comes to: a start that is refused, or the return value when it is complete."""
        completion = c_void_p()
        must(C.rados_aio_create_completion2(None, None, byref(completion)))
        result = start(self.io, arguments[0], completion, *arguments[1:])
        if result < 0:
            return ("refused", result)
        C.rados_aio_wait_for_complete(completion)
        result = C.rados_aio_get_return_value(completion)
        C.rados_aio_release(completion)
        return result

    def write_op(self, name, *ops, flags=0, mtime=None, asynchronous=False):
        return WriteOp(self, ops).operate(name, flags, mtime, asynchronous)

    def read_op(self, name, *ops, flags=0, asynchronous=False):
        return ReadOp(self, ops).operate(name, flags, asynchronous)

    def list(self):
        """All of the namespace, in the order of the cluster, as (namespace, locator, name)."""
        context = c_void_p()
        result = C.rados_nobjects_list_open(self.io, byref(context))
        if result < 0:
            return result
        found = list_rest(context)
        C.rados_nobjects_list_close(context)
        return found


def timeval(seconds):
    return None if seconds is None else (ctypes.c_long * 2)(int(seconds), int(seconds % 1 * 1000000))


def list_next(context):
    pointers = [c_void_p() for _ in range(3)]
    sizes = [c_size_t() for _ in range(3)]
    result = C.rados_nobjects_list_next2(context, *map(byref, pointers), *map(byref, sizes))
    if result < 0:
        return result
    name, key, nspace = [bytes_at(*each) for each in zip(pointers, sizes)]
    return (nspace, key, name)


def list_rest(context):
    found = []
    while True:
        entry = list_next(context)
        if entry == -2:
            return found
        if isinstance(entry, int):
            return entry
        found.append(entry)


class Op:
    """One of a compound; `add(op)` puts it in, `result()` is what it gave, when it gives something."""

    def __init__(self, add, result=None):
        self.add = add
        self.result = result
        self.flags = 0


def flagged(flags, op):
    op.flags = flags
    return op


class Compound:
    def __init__(self, ioctx, ops):
        self.ioctx = ioctx
        self.ops = ops
        self.handle = self.create()
        for op in ops:
            op.add(self.handle)
            if op.flags:
                self.set_flags(self.handle, op.flags)

    def outcome(self, result):
        given = [op.result() for op in self.ops if op.result]
        return (result, *given) if given else result


class WriteOp(Compound):
    create = C.rados_create_write_op
    set_flags = C.rados_write_op_set_flags

    def operate(self, name, flags, mtime, asynchronous):
        if mtime is not None:
            mtime = byref(ctypes.c_long(mtime))
        if asynchronous:
            start = lambda io, oid, completion: C.rados_aio_write_op_operate(
                self.handle, io, completion, oid, mtime, flags
            )
            result = self.ioctx.aio(start, name)
        else:
            result = C.rados_write_op_operate(self.handle, self.ioctx.io, name, mtime, flags)
        C.rados_release_write_op(self.handle)
        return self.outcome(result)


class ReadOp(Compound):
    create = C.rados_create_read_op
    set_flags = C.rados_read_op_set_flags

    def operate(self, name, flags, asynchronous):
        if asynchronous:
            start = lambda io, oid, completion: C.rados_aio_read_op_operate(self.handle, io, completion, oid, flags)
            result = self.ioctx.aio(start, name)
        else:
            result = C.rados_read_op_operate(self.handle, self.ioctx.io, name, flags)
        C.rados_release_read_op(self.handle)
        return self.outcome(result)


# Stands in a return value that the library has not written to.
UNTOUCHED = 12345


def code():
    return c_int(UNTOUCHED)


def shown(value):
    return "untouched" if value.value == UNTOUCHED else value.value


class _Both:
    """The ops that reads and writes have; `prefix` begins the names of their functions."""

    prefix = None

    @classmethod
    def function(cls, name):
        return getattr(C, cls.prefix + name)

    @classmethod
    def assert_exists(cls):
        return Op(cls.function("assert_exists"))

    @classmethod
    def assert_version(cls, version):
        return Op(lambda op: cls.function("assert_version")(op, version))

    @classmethod
    def cmpext(cls, data, offset=0):
        result = code()
        return Op(
            lambda op: cls.function("cmpext")(op, data, len(data), offset, byref(result)), lambda: shown(result)
        )

    @classmethod
    def cmpxattr(cls, name, comparison, value):
        return Op(lambda op: cls.function("cmpxattr")(op, name, comparison, value, len(value)))

    @classmethod
    def omap_cmp(cls, key, comparison, value):
        result = code()
        return Op(
            lambda op: cls.function("omap_cmp2")(op, key, comparison, value, len(key), len(value), byref(result)),
            lambda: shown(result),
        )


class writing(_Both):
    """The ops of a write."""

    prefix = "rados_write_op_"

    @staticmethod
    def setxattr(name, value):
        return Op(lambda op: C.rados_write_op_setxattr(op, name, value, len(value)))

    @staticmethod
    def rmxattr(name):
        return Op(lambda op: C.rados_write_op_rmxattr(op, name))

    @staticmethod
    def create(exclusive=False):
        return Op(lambda op: C.rados_write_op_create(op, 1 if exclusive else 0, None))

    @staticmethod
    def write(data, offset=0):
        return Op(lambda op: C.rados_write_op_write(op, data, len(data), offset))

    @staticmethod
    def write_full(data):
        return Op(lambda op: C.rados_write_op_write_full(op, data, len(data)))

    @staticmethod
    def writesame(data, length, offset=0):
        return Op(lambda op: C.rados_write_op_writesame(op, data, len(data), length, offset))

    @staticmethod
    def append(data):
        return Op(lambda op: C.rados_write_op_append(op, data, len(data)))

    @staticmethod
    def remove():
        return Op(C.rados_write_op_remove)

    @staticmethod
    def truncate(size):
        return Op(lambda op: C.rados_write_op_truncate(op, size))

    @staticmethod
    def zero(offset, length):
        return Op(lambda op: C.rados_write_op_zero(op, offset, length))

    @staticmethod
    def exec(cls, method, data=b""):
        result = code()
        return Op(
            lambda op: C.rados_write_op_exec(op, cls, method, data, len(data), byref(result)), lambda: shown(result)
        )

    @staticmethod
    def omap_set(entries):
        keys, values = list(entries), list(entries.values())
        return Op(
            lambda op: C.rados_write_op_omap_set2(
                op, strings(keys), strings(values), sizes(keys), sizes(values), len(keys)
            )
        )

    @staticmethod
    def omap_rm(*keys):
        return Op(lambda op: C.rados_write_op_omap_rm_keys2(op, strings(keys), sizes(keys), len(keys)))

    @staticmethod
    def omap_rm_range(first, last):
        return Op(lambda op: C.rados_write_op_omap_rm_range2(op, first, len(first), last, len(last)))

    @staticmethod
    def omap_clear():
        return Op(C.rados_write_op_omap_clear)

    @staticmethod
    def alloc_hint(object_size, write_size, flags=0):
        return Op(lambda op: C.rados_write_op_set_alloc_hint2(op, object_size, write_size, flags))


class reading(_Both):
    """The ops of a read. What each gives is (its return value, data)."""

    prefix = "rados_read_op_"

    @staticmethod
    def getxattrs():
        result, iterator = code(), c_void_p()
        return Op(
            lambda op: C.rados_read_op_getxattrs(op, byref(iterator), byref(result)),
            lambda: (shown(result), xattrs_of(iterator) if result.value == 0 else None),
        )

    @staticmethod
    def stat():
        result, size, mtime = code(), c_uint64(), ctypes.c_long()
        return Op(
            lambda op: C.rados_read_op_stat(op, byref(size), byref(mtime), byref(result)),
            lambda: (shown(result), size.value),
        )

    @staticmethod
    def read(offset=0, length=4096):
        result, length_read = code(), c_size_t()
        buffer = ctypes.create_string_buffer(max(1, length))
        return Op(
            lambda op: C.rados_read_op_read(op, offset, length, buffer, byref(length_read), byref(result)),
            lambda: (shown(result), buffer.raw[: length_read.value]),
        )

    @staticmethod
    def checksum(kind, seed, offset, length, chunk, room=256):
        result, buffer = code(), ctypes.create_string_buffer(room)
        return Op(
            lambda op: C.rados_read_op_checksum(
                op, kind, seed, len(seed), offset, length, chunk, buffer, room, byref(result)
            ),
            lambda: (shown(result), buffer.raw.rstrip(b"\0").hex()),
        )

    @staticmethod
    def exec(cls, method, data=b"", room=4096):
        result, used, buffer = code(), c_size_t(), ctypes.create_string_buffer(room)
        return Op(
            lambda op: C.rados_read_op_exec_user_buf(
                op, cls, method, data, len(data), buffer, room, byref(used), byref(result)
            ),
            lambda: (shown(result), buffer.raw[: used.value]),
        )

    @staticmethod
    def omap_vals(after=b"", most=1000, prefix=b""):
        result, iterator, more = code(), c_void_p(), c_ubyte(9)
        return Op(
            lambda op: C.rados_read_op_omap_get_vals2(
                op, after, prefix, most, byref(iterator), byref(more), byref(result)
            ),
            lambda: (shown(result), omap_of(iterator, result), more.value),
        )

    @staticmethod
    def omap_keys(after=b"", most=1000):
        result, iterator, more = code(), c_void_p(), c_ubyte(9)
        return Op(
            lambda op: C.rados_read_op_omap_get_keys2(op, after, most, byref(iterator), byref(more), byref(result)),
            lambda: (shown(result), keys_of(omap_of(iterator, result)), more.value),
        )

    @staticmethod
    def omap_vals_by_keys(*keys):
        result, iterator = code(), c_void_p()
        return Op(
            lambda op: C.rados_read_op_omap_get_vals_by_keys2(
                op, strings(keys), len(keys), sizes(keys), byref(iterator), byref(result)
            ),
            lambda: (shown(result), omap_of(iterator, result)),
        )


def xattrs_of(iterator):
    found = {}
    while True:
        name, value, size = c_void_p(), c_void_p(), c_size_t()
        if C.rados_getxattrs_next(iterator, byref(name), byref(value), byref(size)) < 0 or not name.value:
            break
        found[ctypes.string_at(name.value)] = bytes_at(value, size)
    C.rados_getxattrs_end(iterator)
    return found


def omap_of(iterator, result):
    if result.value != 0:
        return None
    found = {}
    for _ in range(C.rados_omap_iter_size(iterator)):
        key, value, key_size, value_size = c_void_p(), c_void_p(), c_size_t(), c_size_t()
        C.rados_omap_get_next2(iterator, byref(key), byref(value), byref(key_size), byref(value_size))
        found[bytes_at(key, key_size)] = bytes_at(value, value_size)
    C.rados_omap_get_end(iterator)
    return found


def keys_of(entries):
    return None if entries is None else list(entries)


def bytes_at(pointer, size):
    return ctypes.string_at(pointer.value, size.value) if pointer.value and size.value else b""


def strings(values):
    return (c_char_p * len(values))(*values)


def sizes(values):
    return (c_size_t * len(values))(*map(len, values))


def must(result):
    if result < 0:
        raise SystemExit("librados: error %d" % result)


def start():
    """The I/O context of a program that was called with a ceph.conf and the name of its pool."""
    ioctx = Cluster(sys.argv[1]).ioctx(sys.argv[2])
    if isinstance(ioctx, int):
        must(ioctx)
    return ioctx
