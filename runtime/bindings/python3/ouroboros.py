"""Ouroboros flows for Python 3.8 and later, on the standard library alone.

    import ouroboros
    with ouroboros.Session() as session:
        flow = session.allocate("oecho")
        flow.write(b"Client says hi!")
        print(flow.read(timeout=10))
        flow.deallocate()

A server binds its process to a name (`irm bind process PID name NAME`) and calls `accept`. Flows carry messages: each is
read as it was written, or not at all. This binding has flows without order (QoS `RAW`, and `RAW_NO_ERRORS` with a CRC) that are
not encrypted; others are given back, with ENOTSUP. Times are seconds; None waits without limit.

It speaks what docs/rpc.md of o7s-testbed describes. Calls of a session may come from several threads; a flow is to be read by
one thread at a time.
"""

import collections
import json
import os
import queue
import secrets
import select
import selectors
import socket
import struct
import sys
import threading
import time
import zlib

__all__ = ["EventLoop", "Flow", "OuroborosError", "RAW", "RAW_NO_ERRORS", "Session", "accept", "allocate", "join"]

_ANY = 0xFFFFFFFF

#: A flow that asks for nothing: messages may be lost and reordered.
RAW = {
    "delay": _ANY,
    "bandwidth": "0",
    "availability": 0,
    "loss": 1,
    "ber": 1,
    "inOrder": 0,
    "maxGap": _ANY,
    "timeout": 120000,
}
#: The same with a CRC: a message that was altered on its way is dropped.
RAW_NO_ERRORS = {**RAW, "ber": 0}

_CODES = {
    1: "EPERM", 2: "ENOENT", 9: "EBADF", 11: "EAGAIN", 12: "ENOMEM", 17: "EEXIST", 22: "EINVAL", 32: "EPIPE",
    90: "EMSGSIZE", 95: "ENOTSUP", 104: "ECONNRESET", 110: "ETIMEDOUT", 125: "ECANCELED", 1000: "ENOTALLOC",
    1001: "EIPCPTYPE", 1002: "EIRMD", 1003: "EIPCP", 1004: "EIPCPSTATE", 1005: "EFLOWDOWN", 1006: "EFLOWPEER",
    1007: "ENAME", 1008: "ECRYPT", 1009: "EAUTH",
}  # fmt: skip

_PACKET, _HELLO, _STATE, _ROOMY, _DROPPED, _LIMIT = 0, 1, 2, 3, 5, 6
_ROOM_BYTES = 60
_TOKEN_BYTES = 16
_CRC_BYTES = 4
_FRAME = struct.Struct(">I")
_LINE_BYTES_MAX = 16 * 1024 * 1024
_MESSAGE_BYTES_MAX = 1048260
#: How long the other end of a flow between two processes of the node may take to come.
_DIRECT_PATIENCE = 2.0
#: How long an end that came is kept for a thread that may be busy when it is to pick it up.
_ARRIVED_PATIENCE = 10.0
_STRANGERS_MAX = 64
#: How long no connection is accepted after one could not be, for want of descriptors say.
_ACCEPT_PAUSE = 0.1
#: Messages of one flow an event loop hands out before it looks at the others.
_MESSAGES_PER_TURN = 64
_NOT_SERVED = {"code": -95, "message": "not served by a process"}


class OuroborosError(Exception):
    """An error of irmd or of a flow. `code` is its name, such as "ENAME"; `hint` what to do, or None."""

    def __init__(self, code, message, hint=None):
        super().__init__(message if hint is None else f"{message}; {hint}")
        self.code = code
        self.hint = hint


def _address(path):
    return "\0" + path[1:] if path.startswith("@") else path


def _wait(streams, event, timeout):
    """Those of the streams for which the event came, or that have ended, within the time."""
    poll = select.poll()
    by_fd = {stream.fileno(): stream for stream in streams}
    for fd in by_fd:
        poll.register(fd, event)
    return [by_fd[fd] for fd, _ in poll.poll(None if timeout is None else max(0, timeout) * 1000)]


class _Call:
    """A request that is not answered yet."""

    def __init__(self, done=None):
        self._done = done
        self._event = threading.Event()
        self.result = None
        self.error = None
        self.late = None

    def settle(self, result, error):
        self.result, self.error = result, error
        self._event.set()
        if error is None and self.late is not None:
            self.late(result)
        if self._done is not None:
            self._done(self)

    def wait(self):
        self._event.wait()
        return self.get()

    def get(self):
        if self.error is not None:
            raise self.error
        return self.result


class Session:
    """A process' connection to its irmd. Closing it ends the process for irmd, with all flows of it.

    `program` is what bindings of programs go by (default: the name of the script); `path` is irmd's socket.
    """

    def __init__(self, program=None, path=None):
        directory = os.environ.get("O7S_RUN_DIR", "/run/ouroboros")
        self._path = path or os.path.join(directory, "irmd.sock")
        self._rpc = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._rpc.connect(self._path)
        except OSError as error:
            self._rpc.close()
            raise OuroborosError("EIRMD", f"no irmd answers at {self._path}", "start irmd") from error
        self._lock = threading.Lock()
        self._send_lock = threading.Lock()
        self._calls = {}
        self._next_id = 1
        self._partial = b""
        self._closed = None
        self._flows = set()
        self._listener = None
        self._listen = f"@o7s-py-{os.getpid()}-{secrets.token_hex(8)}"
        #: Connections that have not shown a token yet: what came of it, and until when they may.
        self._strangers = {}
        #: Until when no connection is accepted, while that is so.
        self._accept_from = None
        #: Ends of flows that came, with until when they are kept, and those that are expected, by token.
        self._arrived = {}
        self._expected = {}
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._thread = threading.Thread(target=self._serve, name="ouroboros", daemon=True)
        self._thread.start()
        name = program or os.path.basename(sys.argv[0] or "python3")
        try:
            #: The pid irmd knows this process by.
            self.pid = self._call("process.announce", {"program": name})["pid"]
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def closed(self):
        """Whether irmd has gone, or the session was closed."""
        return self._closed is not None

    def allocate(self, name, qos=None, timeout=None):
        """Requests a flow to whoever accepts for `name`. Without a timeout irmd gives up after 20 s."""
        params = {"name": name, "qos": qos or RAW, "timeoutMs": _ms(timeout)}
        return self._pick_up(self._call("flow.allocate", params, self._give_back))

    def join(self, layer, timeout=None):
        """Joins a broadcast layer by its name: what is written goes to all others that have joined."""
        params = {"layer": layer, "timeoutMs": _ms(timeout)}
        return self._pick_up(self._call("flow.join", params, self._give_back))

    def accept(self, timeout=None):
        """Takes the next flow to a name this process, or its program, is bound to."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            try:
                return self._pick_up(self._call("flow.accept", self._accept_params(left), self._give_back))
            except OuroborosError as error:
                # A requester that went away, or wants what is not to be had here: the next one may come.
                if error.code not in ("EFLOWDOWN", "ENOTSUP"):
                    raise

    def close(self):
        """Drops all flows and takes leave of irmd."""
        for flow in list(self._flows):
            flow._drop()
        if self._closed is None:
            self._send({"jsonrpc": "2.0", "method": "process.leave", "params": {}})
        self._end(OuroborosError("EIRMD", "the session was closed"))

    # What follows is internal.

    def _accept_params(self, timeout):
        with self._lock:
            if self._listener is None:
                listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                listener.bind(_address(self._listen))
                listener.listen(64)
                listener.setblocking(False)
                self._listener = listener
        self._wake()
        return {"timeoutMs": _ms(timeout), "listen": self._listen}

    def _call(self, method, params, late=None):
        call, number = self._ask(method, params)
        try:
            return call.wait()
        except OuroborosError:
            raise
        except BaseException:
            # Interrupted: what is granted all the same is given back.
            call.late = late
            self._send({"jsonrpc": "2.0", "method": "cancel", "params": {"id": number}})
            raise

    def _ask(self, method, params, done=None):
        call = _Call(done)
        with self._lock:
            if self._closed is not None:
                raise self._closed
            number = self._next_id
            self._next_id += 1
            self._calls[number] = call
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return call, number

    def _send(self, message):
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            with self._send_lock:
                self._rpc.sendall(line)
        except OSError:
            # The thread sees the end of the connection, too.
            pass

    def _give_back(self, grant):
        try:
            self._ask("flow.deallocate", {"flowId": grant["flowId"]})
        except OuroborosError:
            pass

    def _pick_up(self, grant):
        """Makes a flow of what irmd granted."""
        if grant["qos"]["inOrder"] != 0 or grant.get("encryption") is not None:
            self._give_back(grant)
            what = "order" if grant["qos"]["inOrder"] != 0 else "encryption"
            raise OuroborosError("ENOTSUP", f"this binding has no flows with {what}", "use QoS raw")
        token = bytes.fromhex(grant["token"])
        try:
            if grant["connect"] is None:
                stream = self._await_peer(token)
            else:
                stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                try:
                    stream.connect(_address(grant["connect"]))
                    stream.sendall(_FRAME.pack(_HELLO << 24 | _TOKEN_BYTES) + token)
                except OSError:
                    stream.close()
                    raise
        except OSError as error:
            self._give_back(grant)
            raise OuroborosError("EFLOWDOWN", "the flow went down while it was picked up") from error
        flow = Flow(self, grant, stream)
        with self._lock:
            self._flows.add(flow)
        self._wake()
        return flow

    def _await_peer(self, token):
        with self._lock:
            stream, _ = self._arrived.pop(token, (None, None))
            if stream is not None:
                return stream
            waiting = self._expected[token] = queue.SimpleQueue()
        try:
            return waiting.get(timeout=_DIRECT_PATIENCE)
        except queue.Empty:
            raise OSError("the other end did not come") from None
        finally:
            with self._lock:
                self._expected.pop(token, None)

    def _forget(self, flow):
        with self._lock:
            self._flows.discard(flow)
        self._give_back({"flowId": flow.id})

    def _wake(self):
        try:
            self._wake_out.send(b"\0")
        except OSError:
            pass

    def _end(self, error):
        with self._lock:
            if self._closed is not None:
                return
            self._closed = error
            calls, self._calls = self._calls, {}
        try:
            self._rpc.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for call in calls.values():
            call.settle(None, error)
        self._wake()

    def _serve(self):
        """The thread: answers of irmd, ends of flows that come, signs of life."""
        try:
            while self._closed is None:
                readers = [self._rpc, self._wake_in, *self._strangers]
                if self._accept_from is not None and self._accept_from <= time.monotonic():
                    self._accept_from = None
                if self._listener is not None and self._accept_from is None:
                    readers.append(self._listener)
                for each in _wait(readers, select.POLLIN, self._pause()):
                    if each is self._rpc:
                        self._read_rpc()
                    elif each is self._listener:
                        self._welcome()
                    elif each is self._wake_in:
                        self._wake_in.recv(4096)
                    else:
                        self._hear_stranger(each)
                self._look_after()
        finally:
            self._end(OuroborosError("EIRMD", "the connection to irmd failed"))
            for each in (self._rpc, self._wake_in, self._wake_out, self._listener, *self._strangers):
                if each is not None:
                    each.close()
            for stream, _ in self._arrived.values():
                stream.close()

    def _pause(self):
        now = time.monotonic()
        with self._lock:
            due = [flow._keepalive_due() for flow in self._flows]
            due += [until for _, until in self._arrived.values()]
        due.append(self._accept_from)
        due += [until for _, until in self._strangers.values()]
        return max(0.0, min([due_at - now for due_at in due if due_at is not None], default=60.0))

    def _look_after(self):
        now = time.monotonic()
        with self._lock:
            flows = list(self._flows)
            for token, (stream, until) in list(self._arrived.items()):
                if until <= now:
                    del self._arrived[token]
                    stream.close()
        for flow in flows:
            flow._keep_alive(now)
        for stream, (_, until) in list(self._strangers.items()):
            if until <= now:
                self._shut_out(stream)

    def _shut_out(self, stream):
        self._strangers.pop(stream, None)
        stream.close()

    def _read_rpc(self):
        try:
            chunk = self._rpc.recv(65536)
        except OSError:
            chunk = b""
        if chunk == b"":
            return self._end(OuroborosError("EIRMD", "irmd has ended"))
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if len(self._partial) > _LINE_BYTES_MAX:
            return self._end(OuroborosError("EIRMD", "irmd sent a line that is too long"))
        for line in lines:
            if line:
                self._received(json.loads(line))

    def _received(self, message):
        number = message.get("id")
        if "method" in message:
            if number is not None:
                answer = {"error": _NOT_SERVED}
                if message["method"] == "flows.report":
                    with self._lock:
                        answer = {"result": [flow._report() for flow in self._flows]}
                self._send({"jsonrpc": "2.0", "id": number, **answer})
            return
        error = message.get("error")
        failure = None
        if error is not None:
            code = _CODES.get(-error.get("code", 0), "EIRMD")
            failure = OuroborosError(code, error.get("message", ""), (error.get("data") or {}).get("hint"))
        if number is None and failure is not None:
            # irmd does not serve this connection, and closes it.
            return self._end(failure)
        with self._lock:
            call = self._calls.pop(number, None)
        if call is not None:
            call.settle(message.get("result"), failure)

    def _welcome(self):
        try:
            stream, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError:
            # What waits stays so, and the listener readable.
            self._accept_from = time.monotonic() + _ACCEPT_PAUSE
            return
        if len(self._strangers) >= _STRANGERS_MAX:
            return stream.close()
        stream.setblocking(False)
        self._strangers[stream] = (b"", time.monotonic() + _DIRECT_PATIENCE)

    def _hear_stranger(self, stream):
        if stream not in self._strangers:
            return
        heard, until = self._strangers[stream]
        wanted = _FRAME.size + _TOKEN_BYTES
        try:
            chunk = stream.recv(wanted - len(heard))
        except OSError:
            chunk = b""
        heard += chunk
        if chunk == b"" or heard[:1] != bytes([_HELLO]):
            return self._shut_out(stream)
        if len(heard) < wanted:
            self._strangers[stream] = (heard, until)
            return
        del self._strangers[stream]
        token = heard[_FRAME.size :]
        with self._lock:
            waiting = self._expected.pop(token, None)
            if waiting is not None:
                waiting.put(stream)
            elif token not in self._arrived and len(self._arrived) < _STRANGERS_MAX:
                self._arrived[token] = (stream, time.monotonic() + _ARRIVED_PATIENCE)
            else:
                stream.close()


class Flow:
    """One end of a flow. Usable as a context manager, and by `select` through `fileno`."""

    def __init__(self, session, grant, stream):
        #: irmd's number of the flow.
        self.id = grant["flowId"]
        #: The QoS in force: the requester's, at both ends.
        self.qos = grant["qos"]
        #: Messages the node dropped because this end did not read in time.
        self.dropped = 0
        #: Messages that were dropped because their CRC was wrong.
        self.damaged = 0
        self._session = session
        self._sent = self._received = 0
        self._stream = stream
        self._stream.setblocking(False)
        self._crc = self.qos["ber"] == 0
        self._limit = grant["maxMessageBytes"]
        self._timeout = self.qos["timeout"] / 1000.0
        self._messages = collections.deque()
        self._buffer = bytearray()
        self._write_lock = threading.Lock()
        self._ended = False
        self._closed = False
        self._device_up = True
        #: The event loop that reads it.
        self._loop = None
        self._last_sent = self._last_received = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.deallocate()

    def fileno(self):
        return self._stream.fileno()

    @property
    def max_message_bytes(self):
        """Longest message a write takes; it may change with the layer."""
        return max(0, self._limit - (_CRC_BYTES if self._crc else 0))

    @property
    def up(self):
        """Whether the flow carries messages."""
        return self._device_up and not self._ended and not self._closed

    def read(self, timeout=None):
        """The next message. Raises EFLOWDOWN once the other end has released the flow and all is read, EFLOWPEER when the other
        end has been silent for the QoS' timeout, ETIMEDOUT."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            message = self.poll()
            if message is not None:
                return message
            now = time.monotonic()
            pauses = [] if end is None else [end - now]
            if self._timeout > 0:
                pauses.append(self._last_received + self._timeout - now)
            if pauses and min(pauses) <= 0:
                if end is not None and end <= now:
                    raise OuroborosError("ETIMEDOUT", "no message in time")
                raise OuroborosError("EFLOWPEER", "the other end is silent")
            _wait([self._stream], select.POLLIN, min(pauses) if pauses else None)

    def poll(self):
        """The next message if there is one, else None. Raises as `read` does."""
        if self._closed:
            raise OuroborosError("ENOTALLOC", "the flow was deallocated")
        if not self._messages and not self._ended:
            self._fill()
        if self._messages:
            return self._messages.popleft()
        if self._ended:
            raise OuroborosError("EFLOWDOWN", "the other end has released the flow")
        return None

    def write(self, message, timeout=None):
        """Sends a message. Raises EMSGSIZE, EFLOWDOWN, ETIMEDOUT."""
        if self._closed:
            raise OuroborosError("ENOTALLOC", "the flow was deallocated")
        if not self.up:
            raise OuroborosError("EFLOWDOWN", "the flow is down")
        if len(message) > self.max_message_bytes:
            raise OuroborosError("EMSGSIZE", f"{len(message)} bytes; the flow takes {self.max_message_bytes} at most")
        packet = bytes(message)
        if self._crc and packet:
            packet += _FRAME.pack(zlib.crc32(packet))
        with self._write_lock:
            self._send(_FRAME.pack(_PACKET << 24 | len(packet)) + packet, timeout)
            self._last_sent = time.monotonic()
            self._sent += 1

    def deallocate(self):
        """Releases this end. What was written before still goes its way."""
        if self._drop():
            self._session._forget(self)

    # What follows is internal.

    def _drop(self):
        if self._closed:
            return False
        self._closed = True
        # While it still has its descriptor, which the next flow may get.
        if self._loop is not None:
            self._loop.remove(self)
        self._stream.close()
        return True

    def _send(self, frame, timeout):
        end = None if timeout is None else time.monotonic() + timeout
        view = memoryview(frame)
        while view:
            try:
                view = view[self._stream.send(view) :]
                continue
            except BlockingIOError:
                pass
            except OSError as error:
                raise OuroborosError("EFLOWDOWN", "the other end has released the flow") from error
            # A frame that has left in part must be followed by its rest.
            whole = len(view) == len(frame)
            left = None if end is None or not whole else end - time.monotonic()
            if left is not None and left <= 0:
                raise OuroborosError("ETIMEDOUT", "the node takes no message in time")
            _wait([self._stream], select.POLLOUT, left)

    def _keepalive_due(self):
        if self._timeout == 0 or self._closed or self._ended:
            return None
        return self._last_sent + self._timeout / 4

    def _keep_alive(self, now):
        due = self._keepalive_due()
        if due is None or now < due:
            return
        self._last_sent = now
        # Who is just writing gives a sign of life by that.
        if self._write_lock.acquire(blocking=False):
            try:
                self._stream.send(_FRAME.pack(_PACKET << 24))
            except OSError:
                pass
            finally:
                self._write_lock.release()

    def _fill(self):
        try:
            chunk = self._stream.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if chunk == b"":
            self._ended = True
            return
        self._buffer += chunk
        at = 0
        while len(self._buffer) - at >= _FRAME.size:
            (header,) = _FRAME.unpack_from(self._buffer, at)
            kind, length = header >> 24, header & 0xFFFFFF
            if length > _MESSAGE_BYTES_MAX + _ROOM_BYTES:
                self._ended = True
                break
            if len(self._buffer) - at - _FRAME.size < length:
                break
            start = at + _FRAME.size
            self._frame(kind, bytes(self._buffer[start : start + length]))
            at = start + length
        del self._buffer[:at]

    def _frame(self, kind, payload):
        if kind == _ROOMY:
            kind, payload = _PACKET, payload[_ROOM_BYTES:]
        if kind == _PACKET:
            self._last_received = time.monotonic()
            if payload:
                self._packet(payload)
        elif kind == _STATE and payload:
            self._device_up = payload[0] == 1
        elif kind == _DROPPED and len(payload) == 4:
            self.dropped += _FRAME.unpack(payload)[0]
        elif kind == _LIMIT and len(payload) == 4:
            self._limit = _FRAME.unpack(payload)[0]

    def _packet(self, packet):
        if self._crc:
            body, crc = packet[:-_CRC_BYTES], packet[-_CRC_BYTES:]
            if not body or _FRAME.pack(zlib.crc32(body)) != crc:
                self.damaged += 1
                return
            packet = body
        self._messages.append(packet)
        self._received += 1

    def _report(self):
        drops = {"unread": self.dropped, "badCrc": self.damaged}
        counts = {"messagesSent": self._sent, "messagesReceived": self._received}
        return {"flowId": self.id, "fd": None, **counts, "drops": drops, "frct": None}


class EventLoop:
    """Calls back for what happens to flows. All callbacks run in the thread that calls `run`.

        loop = EventLoop()
        loop.accept(session, lambda flow: loop.add(flow, lambda flow, message: flow.write(message)))
        loop.run()
    """

    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        # A full one wakes as well.
        self._wake_out.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._posted = queue.SimpleQueue()
        self._flows = {}
        #: Flows that may have messages still, in the order they are served.
        self._behind = {}
        self._running = False

    def add(self, flow, on_message, on_end=None):
        """Calls `on_message(flow, message)` for each message, and `on_end(flow, error)` once when there will be no more; the flow
        is deallocated before that."""
        self._selector.register(flow, selectors.EVENT_READ, flow)
        self._flows[flow] = (on_message, on_end)
        flow._loop = self
        # What came before may wait in the flow already.
        self.call(lambda: self._serve(flow))

    def remove(self, flow):
        """Calls back for a flow no more; it goes on."""
        self._behind.pop(flow, None)
        if self._flows.pop(flow, None) is not None:
            flow._loop = None
            self._selector.unregister(flow)

    def accept(self, session, on_flow, on_error=None):
        """Calls `on_flow(flow)` for each flow that comes, until the session ends: then `on_error(error)`."""

        def ask():
            session._ask("flow.accept", session._accept_params(None), lambda call: self.call(lambda: take(call)))

        def take(call):
            try:
                on_flow(session._pick_up(call.get()))
            except OuroborosError as error:
                if error.code not in ("EFLOWDOWN", "ENOTSUP"):
                    return on_error(error) if on_error is not None else None
            ask()

        ask()

    def call(self, function):
        """Calls a function in the thread of the loop; may be called from any thread."""
        self._posted.put(function)
        try:
            self._wake_out.send(b"\0")
        except OSError:
            pass

    def stop(self):
        """Makes `run` return."""
        self._running = False
        self.call(lambda: None)

    def run(self):
        self._running = True
        while self._running:
            for key, _ in self._selector.select(self._pause()):
                if key.fileobj is self._wake_in:
                    self._wake_in.recv(4096)
                else:
                    self._behind[key.data] = None
            for flow in list(self._behind):
                if self._running:
                    self._serve(flow)
            # What these post waits for its turn.
            for _ in range(self._posted.qsize()):
                if self._running:
                    self._posted.get()()
            if self._running:
                self._look_for_silence()

    def _pause(self):
        if self._behind or not self._posted.empty():
            return 0
        due = [flow._last_received + flow._timeout for flow in list(self._flows) if flow._timeout > 0]
        return None if not due else max(0.0, min(due) - time.monotonic())

    def _look_for_silence(self):
        now = time.monotonic()
        for flow in list(self._flows):
            # Of one that is behind not all is read.
            if flow not in self._behind and flow._timeout > 0 and flow._last_received + flow._timeout <= now:
                self._end(flow, OuroborosError("EFLOWPEER", "the other end is silent"))

    def _serve(self, flow):
        self._behind[flow] = None
        try:
            for _ in range(_MESSAGES_PER_TURN):
                callbacks = self._flows.get(flow)
                message = None if callbacks is None else flow.poll()
                if message is None:
                    self._behind.pop(flow, None)
                    return
                callbacks[0](flow, message)
        except OuroborosError as error:
            if flow._closed:
                return self.remove(flow)
            self._end(flow, error)

    def _end(self, flow, error):
        callbacks = self._flows.get(flow)
        if callbacks is None:
            return
        self.remove(flow)
        flow.deallocate()
        if callbacks[1] is not None:
            callbacks[1](flow, error)


def _ms(timeout):
    return None if timeout is None else max(0, int(timeout * 1000))


_default = None
_default_lock = threading.Lock()


def _session():
    """The session of the functions below: one a process, made anew when irmd was."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Session()
        return _default


def allocate(name, qos=None, timeout=None):
    """As `Session.allocate`, of the process' own session."""
    return _session().allocate(name, qos, timeout)


def join(layer, timeout=None):
    """As `Session.join`."""
    return _session().join(layer, timeout)


def accept(timeout=None):
    """As `Session.accept`."""
    return _session().accept(timeout)
