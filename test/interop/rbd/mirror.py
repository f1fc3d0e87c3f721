"""Changes a peer of a pool by its site's name: `mirror.py POOL peer set SITE site-name|client VALUE`, `peer remove SITE`."""

import sys

import images


def main():
    pool, _, action, site = sys.argv[1:5]
    io, rbd = images.connect(pool)
    uuid = next(each["uuid"] for each in rbd.mirror_peer_list(io) if each["site_name"] == site)
    if action == "remove":
        print(images.outcome(rbd.mirror_peer_remove, io, uuid))
    elif sys.argv[5] == "client":
        print(images.outcome(rbd.mirror_peer_set_client, io, uuid, sys.argv[6]))
    else:
        print(images.outcome(rbd.mirror_peer_set_name, io, uuid, sys.argv[6]))


main()
