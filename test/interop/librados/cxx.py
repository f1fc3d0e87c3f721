"""
What only librados' C++ interface has (stat2, sparse read, extents, omap headers, watchers, snap sets, copies), called
through the symbols of Debian's 16.2 for x86_64. The objects that pass are laid out as libstdc++ and Ceph 16.2 do it.
"""

import ctypes
import struct
from ctypes import byref, c_int, c_long, c_uint32, c_uint64, c_void_p

from api import Op, code, shown

LIB = ctypes.CDLL("librados.so.2")
COMMON = ctypes.CDLL("/usr/lib/x86_64-linux-gnu/ceph/libceph-common.so.2")

_STRING = "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
_EXTENTS = "St3mapImmSt4lessImESaISt4pairIKmmEEE"
_LIST = "N4ceph6buffer7v15_2_04listE"


def method(cls, name, parameters, result=None):
    """A method whose parameters are written as the compiler mangles them."""
    function = LIB["_ZN8librados7v14_2_0%d%s%d%sE%s" % (len(cls), cls, len(name), name, parameters)]
    function.restype = result
    return function


class String:
    """std::string"""

    def __init__(self, text):
        characters = ctypes.create_string_buffer(text, len(text) + 1)
        layout = struct.pack("=QQ16s", ctypes.addressof(characters), len(text), b"")
        self.memory = ctypes.create_string_buffer(layout, 32)
        # The memory refers to them, and shall not outlive them.
        self.memory.characters = characters


class BufferList:
    """ceph::buffer::list: hook, tail, carriage, length, count"""

    def __init__(self, data=b""):
        self.memory = ctypes.create_string_buffer(32)
        here = ctypes.addressof(self.memory)
        empty = ctypes.addressof(c_uint64.in_dll(COMMON, "_ZN4ceph6buffer7v15_2_04list17always_empty_bptrE"))
        struct.pack_into("=QQQII", self.memory, 0, here, here, empty, 0, 0)
        if data:
            append = COMMON["_ZN4ceph6buffer7v15_2_04list6appendEPKcj"]
            append(self.memory, data, c_uint32(len(data)))

    def data(self):
        length = struct.unpack_from("=I", self.memory, 24)[0]
        if length == 0:
            return b""
        flat = COMMON["_ZN4ceph6buffer7v15_2_04list5c_strEv"]
        flat.restype = c_void_p
        return ctypes.string_at(flat(self.memory), length)


class Extents:
    """std::map<uint64_t, uint64_t>: comparison; root's colour, parent, leftmost, rightmost; count"""

    def __init__(self):
        self.memory = ctypes.create_string_buffer(48)
        root = ctypes.addressof(self.memory) + 8
        struct.pack_into("=QQQQQQ", self.memory, 0, 0, 0, 0, root, root, 0)

    def items(self):
        found = []
        self._walk(struct.unpack_from("=Q", self.memory, 16)[0], found)
        return found

    def _walk(self, node, found):
        if node == 0:
            return
        _, _, left, right, key, value = struct.unpack("=QQQQQQ", ctypes.string_at(node, 48))
        self._walk(left, found)
        found.append((key, value))
        self._walk(right, found)


class List:
    """std::list: next, previous, count"""

    def __init__(self):
        self.memory = ctypes.create_string_buffer(24)
        here = ctypes.addressof(self.memory)
        struct.pack_into("=QQQ", self.memory, 0, here, here, 0)

    def __len__(self):
        return struct.unpack_from("=Q", self.memory, 16)[0]


class SnapSet:
    """librados::snap_set_t: a vector of clones, the sequence"""

    def __init__(self):
        self.memory = ctypes.create_string_buffer(32)

    def clones(self):
        """The id of each clone, -2 the head, and its size."""
        first, end, _, _ = struct.unpack("=QQQQ", self.memory.raw)
        # id, vector of snaps, vector of overlaps, size
        clones = [struct.unpack("=q6QQ", ctypes.string_at(at, 64)) for at in range(first, end, 64)]
        return [(clone[0], clone[-1]) for clone in clones]


class TimeSpec(ctypes.Structure):
    _fields_ = [("seconds", c_long), ("nanoseconds", c_long)]


def this(ioctx):
    """librados::IoCtx holds the pointer that is the C interface's handle."""
    return byref(c_void_p(ioctx.io.value))


def stat2(ioctx, name):
    size, mtime = c_uint64(), TimeSpec()
    function = method("IoCtx", "stat2", _STRING + "PmP8timespec", c_int)
    result = function(this(ioctx), String(name).memory, byref(size), byref(mtime))
    return (size.value, mtime.seconds, mtime.nanoseconds) if result == 0 else result


def mapext(ioctx, name, offset, length):
    extents = Extents()
    function = method("IoCtx", "mapext", _STRING + "mmR" + _EXTENTS, c_int)
    result = function(this(ioctx), String(name).memory, c_uint64(offset), c_uint64(length), extents.memory)
    return (result, extents.items()) if result >= 0 else result


def sparse_read(ioctx, name, length, offset):
    extents, data = Extents(), BufferList()
    function = method("IoCtx", "sparse_read", _STRING + "R" + _EXTENTS + "R" + _LIST + "mm", c_int)
    result = function(
        this(ioctx), String(name).memory, extents.memory, data.memory, c_uint64(length), c_uint64(offset)
    )
    return (result, extents.items(), data.data()) if result >= 0 else result


class CxxOp(Op):
    """An op that is added through the C++ interface."""


def operate(ioctx, name, kind, *ops):
    """A compound of `kind` Read or Write; the data of a read go where its ops say."""
    operation = ctypes.create_string_buffer(16)
    LIB["_ZN8librados7v14_2_015ObjectOperationC1Ev"](operation)
    # Behind the table of virtual functions is the pointer that is the C interface's handle.
    handle = c_void_p.from_buffer(operation, 8)
    for op in ops:
        op.add(operation if isinstance(op, CxxOp) else handle)
    cls = "ObjectReadOperation" if kind == "Read" else "ObjectWriteOperation"
    parameters = _STRING + "PNS0_%d%sE" % (len(cls), cls) + ("PN4ceph6buffer7v15_2_04listE" if kind == "Read" else "")
    arguments = [this(ioctx), String(name).memory, operation]
    if kind == "Read":
        arguments.append(None)
    result = method("IoCtx", "operate", parameters, c_int)(*arguments)
    given = [op.result() for op in ops if op.result]
    return (result, *given) if given else result


def read(ioctx, name, *ops):
    return operate(ioctx, name, "Read", *ops)


def write(ioctx, name, *ops):
    return operate(ioctx, name, "Write", *ops)


def op_sparse_read(offset, length):
    result, extents, data = code(), Extents(), BufferList()
    add = method("ObjectReadOperation", "sparse_read", "mmP" + _EXTENTS + "P" + _LIST + "Pi")
    return CxxOp(
        lambda op: add(op, c_uint64(offset), c_uint64(length), extents.memory, data.memory, byref(result)),
        lambda: (shown(result), extents.items(), data.data()),
    )


def op_stat2():
    result, size, mtime = code(), c_uint64(), TimeSpec()
    add = method("ObjectReadOperation", "stat2", "PmP8timespecPi")
    return CxxOp(
        lambda op: add(op, byref(size), byref(mtime), byref(result)),
        lambda: (shown(result), size.value, mtime.seconds, mtime.nanoseconds),
    )


def op_omap_header():
    result, data = code(), BufferList()
    add = method("ObjectReadOperation", "omap_get_header", "P" + _LIST + "Pi")
    return CxxOp(lambda op: add(op, data.memory, byref(result)), lambda: (shown(result), data.data()))


def op_list_watchers():
    result, watchers = code(), List()
    add = method("ObjectReadOperation", "list_watchers", "PNSt7__cxx114listI11obj_watch_tSaIS4_EEEPi")
    return CxxOp(lambda op: add(op, watchers.memory, byref(result)), lambda: (shown(result), len(watchers)))


def op_list_snaps():
    result, snaps = code(), SnapSet()
    add = method("ObjectReadOperation", "list_snaps", "PNS_10snap_set_tEPi")
    return CxxOp(lambda op: add(op, snaps.memory, byref(result)), lambda: (shown(result), snaps.clones()))


def op_is_dirty():
    result, dirty = code(), ctypes.c_bool(False)
    add = method("ObjectReadOperation", "is_dirty", "PbPi")
    return CxxOp(lambda op: add(op, byref(dirty), byref(result)), lambda: (shown(result), dirty.value))


def op_plain(cls, name):
    """An op without arguments, such as cache_flush."""
    return CxxOp(method(cls, name, "v"))


def op_set_omap_header(data):
    content = BufferList(data)
    add = method("ObjectWriteOperation", "omap_set_header", "RKN4ceph6buffer7v15_2_04listE")
    return CxxOp(lambda op: add(op, content.memory))


def op_copy_from(source, ioctx, version):
    add = method("ObjectWriteOperation", "copy_from", _STRING + "RKNS0_5IoCtxEmj")
    return CxxOp(lambda op: add(op, String(source).memory, this(ioctx), c_uint64(version), c_uint32(0)))
