"""A process of a stack, as small as it can be: answers 200 to everything on a port until SIGTERM.

    tiny_process.py PORT [deaf] [parent FILE]

`deaf` ignores SIGTERM; `parent` starts a child of its own, as deaf, and writes its process id to FILE.
"""

import os
import signal
import socket
import sys
import time

port, words = int(sys.argv[1]), sys.argv[2:]
if "deaf" in words:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
if "parent" in words:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)
    with open(words[words.index("parent") + 1], "w") as file:
        file.write(str(child))
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen()
sys.stdout.write("listening\n")
sys.stdout.flush()
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    connection.close()
