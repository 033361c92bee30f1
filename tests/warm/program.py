"""Stands for one warm program: `python program.py SOCKET ARGUMENT ...`, see `forking.py`.

It starts hundreds of times, so it imports little. It passes signals on, and ends as the program did.
"""

import json
import os
import signal
import socket
import sys


def main() -> None:
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(sys.argv[1])
    socket.send_fds(peer, [b"\n"], [0, 1, 2])
    peer.sendall(json.dumps([sys.argv[2:], dict(os.environ), os.getcwd()]).encode() + b"\n")
    told = peer.makefile("rb")
    child = int(told.readline())
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _: os.kill(child, number))
    for stream in range(3):
        os.close(stream)  # who reads or writes them is to see when the program closes them
    status = os.waitstatus_to_exitcode(int(told.readline()))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


main()
