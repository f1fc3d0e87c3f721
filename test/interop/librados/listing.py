"""Listing a pool: namespaces, locators, positions, cursors, slices."""

import ctypes
from ctypes import byref, c_size_t, c_void_p

from api import ALL_NAMESPACES, C, ListItem, list_next, list_rest, start
from steps import step

io = start()


def opened():
    context = c_void_p()
    C.rados_nobjects_list_open(io.io, byref(context))
    return context


def page(begin, end, most, filter_bytes=b""):
    """What rados_object_list gives, and the cursor to go on from."""
    items = (ListItem * max(1, most))()
    # The library writes into a cursor that is there.
    following = c_void_p(C.rados_object_list_begin(io.io))
    result = C.rados_object_list(io.io, begin, end, most, filter_bytes, len(filter_bytes), items, byref(following))
    found = [
        tuple(
            ctypes.string_at(pointer, length) if length else b""
            for pointer, length in (
                (item.nspace, item.nspace_length),
                (item.locator, item.locator_length),
                (item.name, item.name_length),
            )
        )
        for item in items[: max(0, result)]
    ]
    if result > 0:
        C.rados_object_list_free(result, items)
    return result, found, following


def pages(begin, end, most):
    """All pages from one cursor to another: the sizes and what they hold."""
    counts, found = [], []
    while True:
        result, items, following = page(begin, end, most)
        counts.append(result)
        found += items
        if result <= 0 or C.rados_object_list_is_end(io.io, following) or len(counts) > 1000:
            return counts, found
        if C.rados_object_list_cursor_cmp(io.io, following, end) >= 0:
            return counts, found
        begin = following


step("an empty pool", io.list())
step("an empty pool, next twice", [list_next(context := opened()), list_next(context)])
begin, end = C.rados_object_list_begin(io.io), C.rados_object_list_end(io.io)
step("an empty pool, cursors", pages(begin, end, 10)[1])
step("begin is not the end", C.rados_object_list_is_end(io.io, begin))
step("end is the end", C.rados_object_list_is_end(io.io, end))
step("cursor comparisons", [C.rados_object_list_cursor_cmp(io.io, *pair) for pair in ((begin, end), (end, begin), (begin, begin), (end, end))])

for index in range(40):
    io.write_full(b"object-%02d" % index, b"x")
step("one namespace", io.list())
for name in (b"\xff", b"with space", b"with/slash", b"a\nb", b"%", b"_", b"A" * 300):
    io.write_full(name, b"x")
step("odd names", io.list())
io.set_namespace(b"space")
step("an empty namespace", io.list())
for index in range(10):
    io.write_full(b"in-%d" % index, b"x")
io.write_full(b"object-00", b"x")
step("another namespace", io.list())
io.set_namespace(b"\xc3\xa9")
io.write_full(b"in-0", b"x")
step("a third namespace", io.list())
io.set_namespace(b"")
step("no namespace does not show those of others", io.list())
io.set_namespace(ALL_NAMESPACES)
step("all namespaces", io.list())
step("all namespaces, write", io.write_full(b"x", b"x"))
io.set_namespace(b"")

io.set_locator(b"key")
for index in range(5):
    io.write_full(b"located-%d" % index, b"x")
step("with a locator", io.list())
step("with a locator, read", io.read(b"located-0"))
io.set_locator(b"other")
step("with another locator, read", io.read(b"located-0"))
io.set_locator(None)
step("without a locator, read", io.read(b"located-0"))
step("without a locator", io.list())
io.set_locator(b"own")
step("a locator that is the name", [io.write_full(b"own", b"x"), io.read(b"own")])
io.set_locator(None)
step("a locator that is the name, without it", io.read(b"own"))
step("a locator that is the name, list", [entry for entry in io.list() if entry[2] == b"own"])
io.set_locator(b"object-01")
step("a locator that is another object", [io.write_full(b"object-01x", b"x"), io.read(b"object-01x")])
io.set_locator(None)

context = opened()
positions = []
entries = []
while not isinstance(entry := list_next(context), int):
    entries.append(entry)
    positions.append(C.rados_nobjects_list_get_pg_hash_position(context))
step("positions", "positions " + " ".join(map(str, positions)))
step("next behind the end", [list_next(context), list_next(context)])
step("seek to 0", [C.rados_nobjects_list_seek(context, 0), list_rest(context) == entries])
step("seek to a PG", [C.rados_nobjects_list_seek(context, 3), list_rest(context)])
step("seek to a large position", [C.rados_nobjects_list_seek(context, 1 << 31), list_rest(context)])
step("seek to each position", [C.rados_nobjects_list_seek(context, each) == each for each in sorted(set(positions))])

context = opened()
for _ in range(10):
    list_next(context)
cursor = c_void_p()
step("get_cursor", C.rados_nobjects_list_get_cursor(context, byref(cursor)))
rest = list_rest(context)
C.rados_nobjects_list_seek_cursor(context, cursor)
step("seek_cursor", list_rest(context) == rest)
step("cursor to the end", pages(cursor, end, 1000)[1] == rest)
step("cursor to the end, entries", pages(cursor, end, 1000)[1])
step("begin to cursor", pages(begin, cursor, 1000)[1])

step("page of all", page(begin, end, 1000)[1])
for most in (1, 2, 3, 7, 50, 1000):
    counts, found = pages(begin, end, most)
    step("pages of %d" % most, ["counts %s" % counts, len(found), found == entries])
step("page of none", page(begin, end, 0)[0])
step("page from the end", page(end, end, 10)[0])
step("page from begin to begin", page(begin, begin, 10)[0])
for parts in (2, 3, 5):
    slices = []
    for part in range(parts):
        first, last = (c_void_p(C.rados_object_list_begin(io.io)) for _ in range(2))
        C.rados_object_list_slice(io.io, begin, end, part, parts, byref(first), byref(last))
        slices.append(pages(first, last, 1000)[1])
    step("slices of %d" % parts, [len(each) for each in slices])
    step("slices of %d hold all" % parts, sum(slices, []) == entries)
io.set_namespace(b"space")
step("page of another namespace", pages(begin, end, 100)[1])
io.set_namespace(ALL_NAMESPACES)
step("page of all namespaces", pages(begin, end, 5)[1])
io.set_namespace(b"")
step("an unknown filter", page(begin, end, 10, b"\x04\0\0\0nope")[0])
step("a filter that does not decode", page(begin, end, 10, b"\x01")[0])

for entry in entries[::2]:
    io.set_locator(entry[1] or None)
    io.remove(entry[2])
io.set_locator(None)
step("after removals", io.list() == entries[1::2])
