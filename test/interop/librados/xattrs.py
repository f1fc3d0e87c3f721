"""Setting, reading, listing and removing xattrs."""

from api import start, writing as w
from steps import step

io = start()

step("set on no object", io.setxattr(b"new", b"x", b"1"))
step("set on no object, stat", io.stat(b"new"))
step("get", io.getxattr(b"new", b"x"))
step("get of none", io.getxattr(b"new", b"y"))
step("get of no object", io.getxattr(b"none", b"x"))
# Where it is not refused it shows what the OSD itself keeps of the object.
step("get without a name", type(io.getxattr(b"new", b"")).__name__)
step("get into exactly enough room", io.getxattr(b"new", b"x", 1))
step("get into too little room", [io.setxattr(b"new", b"long", b"0123456789"), io.getxattr(b"new", b"long", 5)])
step("get into no room", io.getxattr(b"new", b"long", 0))
step("overwrite", [io.setxattr(b"new", b"x", b"two"), io.getxattr(b"new", b"x")])
step("empty value", [io.setxattr(b"new", b"empty", b""), io.getxattr(b"new", b"empty")])
step("binary value", [io.setxattr(b"new", b"bin", b"\0\xff\0"), io.getxattr(b"new", b"bin")])
step("list", io.getxattrs(b"new"))
step("list of no object", io.getxattrs(b"none"))
step("list of an object without", [io.write_full(b"bare", b""), io.getxattrs(b"bare")])
step("remove", io.rmxattr(b"new", b"long"))
step("remove, get", io.getxattr(b"new", b"long"))
step("remove twice", io.rmxattr(b"new", b"long"))
step("remove of no object", io.rmxattr(b"none", b"x"))
step("remove of no object makes none", io.stat(b"none"))
step("remove without a name", io.rmxattr(b"new", b""))
step("set without a name", io.setxattr(b"named", b"", b"v"))
step("set without a name, list", io.getxattrs(b"named"))
step("set without a name, stat", io.stat(b"named"))
step("object after that", [io.write_full(b"named", b"data"), io.read(b"named")])
for name in (b"_", b"__", b"snapset", b"user.name", b"with space", b"with/slash", b"\xc3\xa9\xff", b"@", b"lock"):
    step("name " + repr(name), [io.setxattr(b"names", name, b"v"), io.getxattr(b"names", name)])
step("names, list", io.getxattrs(b"names"))
step("survive a write_full", [io.write_full(b"names", b"x"), len(io.getxattrs(b"names"))])
step("survive a truncation", [io.trunc(b"names", 0), len(io.getxattrs(b"names"))])
step("do not survive a removal", [io.remove(b"names"), io.write_full(b"names", b"x"), io.getxattrs(b"names")])
step("many", [io.write_op(b"many", *[w.setxattr(b"%03d" % i, b"v%d" % i) for i in range(200)]), len(io.getxattrs(b"many"))])
step("many, list", b"".join(key + value for key, value in io.getxattrs(b"many").items()))
