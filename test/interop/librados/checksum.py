"""Checksums that the OSD computes."""

import struct

from api import CRC32C, FAILOK, XXHASH32, XXHASH64, flagged, reading as r, start
from steps import step

io = start()
io.write_full(b"a", bytes(range(100)))
io.write_full(b"empty", b"")
SEEDS = {XXHASH32: struct.pack("<I", 0), XXHASH64: struct.pack("<Q", 0), CRC32C: struct.pack("<I", 0xFFFFFFFF)}
KINDS = {XXHASH32: "xxhash32", XXHASH64: "xxhash64", CRC32C: "crc32c"}

for kind, name in KINDS.items():
    seed = SEEDS[kind]
    step(name + " of all", io.checksum(b"a", kind, seed, 100, 0, 0))
    step(name + " of a part", io.checksum(b"a", kind, seed, 10, 5, 0))
    step(name + " in chunks", io.checksum(b"a", kind, seed, 100, 0, 25))
    step(name + " in chunks that do not divide", io.checksum(b"a", kind, seed, 100, 0, 30))
    step(name + " of length 0", io.checksum(b"a", kind, seed, 0, 0, 0))
    step(name + " of length 0 in chunks", io.checksum(b"a", kind, seed, 0, 0, 10))
    step(name + " across the end", io.checksum(b"a", kind, seed, 200, 0, 0))
    step(name + " across the end in chunks", io.checksum(b"a", kind, seed, 200, 0, 50))
    step(name + " behind the end", io.checksum(b"a", kind, seed, 10, 1000, 0))
    step(name + " of an empty object", io.checksum(b"empty", kind, seed, 0, 0, 0))
    step(name + " of no object", io.checksum(b"none", kind, seed, 10, 0, 0))
    step(name + " with too short a seed", io.checksum(b"a", kind, seed[:2], 100, 0, 0))
    step(name + " with another seed", io.checksum(b"a", kind, b"\1" + seed[1:], 100, 0, 0))
    step(name + " in too little room", io.checksum(b"a", kind, seed, 100, 0, 10, 16))
    step(name + " in a compound", io.read_op(b"a", r.checksum(kind, seed, 0, 100, 50), r.read(0, 5)))
step("unknown kind", io.checksum(b"a", 9, b"\0" * 8, 100, 0, 0))
step("failok", io.read_op(b"a", flagged(FAILOK, r.checksum(CRC32C, SEEDS[CRC32C], 0, 100, 30)), r.read(0, 5)))
step("in a compound, failing", io.read_op(b"a", r.checksum(CRC32C, SEEDS[CRC32C], 0, 100, 30), r.read(0, 5)))
step("in a compound of no object", io.read_op(b"none", r.checksum(CRC32C, SEEDS[CRC32C], 0, 100, 0)))
