"""Methods of object classes that are not there, nor may be."""

from api import C, start, reading as r, writing as w
from steps import step

io = start()
io.write_full(b"a", b"data")

step("exec of a missing class", io.exec(b"a", b"nope", b"method"))
step("exec of a missing class, of no object", io.exec(b"none", b"nope", b"method"))
step("exec of a missing class makes none", io.stat(b"none"))
step("exec without a class", io.exec(b"a", b"", b"method"))
step("exec without a method", io.exec(b"a", b"nope", b""))
step("exec with an odd class name", io.exec(b"a", b"../nope", b"method"))
step("exec with input", io.exec(b"a", b"nope", b"method", b"input" * 100))
step("exec in a write", io.write_op(b"a", w.append(b"x"), w.exec(b"nope", b"method")))
step("exec in a write, read", io.read(b"a"))
step("exec in a read", io.read_op(b"a", r.exec(b"nope", b"method")))
buffer = b"\0" * 64
step("exec, asynchronously", io.aio(C.rados_aio_exec, b"a", b"nope", b"method", b"", 0, buffer, 64))
