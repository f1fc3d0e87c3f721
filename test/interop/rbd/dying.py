"""A client is killed while it has the exclusive lock of an image: the next one takes the lock away and keeps it out.

Arguments: the pool and an image."""

import os
import signal
import sys
import time

import images
import rbd

PATIENCE_SECONDS = 90


def hold(pool, name, ready):
    io, _ = images.connect(pool)
    image = rbd.Image(io, name)
    image.write(b"held", 0)
    os.write(ready, b"x")
    while True:
        time.sleep(1)


def main():
    pool, name = sys.argv[1:3]
    told, ready = os.pipe()
    child = os.fork()
    if child == 0:
        hold(pool, name, ready)
    os.read(told, 1)
    io, _ = images.connect(pool)
    with rbd.Image(io, name) as image:
        print("owners while it lives:", len(list(image.lock_get_owners())))
        print("watchers while it lives:", len(list(image.watchers_list())))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(list(image.watchers_list())) > 1 and time.monotonic() < deadline:
            time.sleep(1)
        print("watchers after its death:", len(list(image.watchers_list())))
        print("write:", images.outcome(image.write, b"next", 0))
        print("read:", image.read(0, 4))
        print("owners:", len(list(image.lock_get_owners())), image.is_exclusive_lock_owner())


main()
