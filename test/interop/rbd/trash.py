"""Restores or removes an image in the trash by the name it had: `trash.py POOL restore|remove NAME [NEW NAME|force]`."""

import sys

import images


def main():
    pool, action, name = sys.argv[1:4]
    rest = sys.argv[4:]
    io, rbd = images.connect(pool)
    identifier = next(each["id"] for each in rbd.trash_list(io) if each["name"] == name)
    if action == "restore":
        print(images.outcome(rbd.trash_restore, io, identifier, *(rest or [name])))
    else:
        print(images.outcome(rbd.trash_remove, io, identifier, rest == ["force"]))


main()
