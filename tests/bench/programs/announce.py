"""Keeps processes that are known to irmd and do nothing: `announce.py SOCKET COUNT`. Says `ready` when all are."""
import json, os, signal, socket, sys

path, count = sys.argv[1], int(sys.argv[2])
for index in range(count):
    reader, writer = os.pipe()
    if os.fork() == 0:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        request = {"jsonrpc": "2.0", "id": 1, "method": "process.announce", "params": {"program": f"idle{index}"}}
        connection.sendall(json.dumps(request).encode() + b"\n")
        connection.recv(4096)
        os.write(writer, b".")
        signal.pause()
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
print("ready", flush=True)
signal.pause()
