#!/usr/bin/env python3
"""A TCP proxy on a loopback port that behaves like a bad line.

    proxy.py DIR PORT [--delay MS] [--cut BYTES]... [--stall BYTES]
             [--drip BYTES_PER_SECOND] [--rate BYTES_PER_SECOND]

Passes connections on to 127.0.0.1:PORT. Writes its own port to DIR/port
(whole, by rename) and stays until it is told to end.

    --delay MS    each direction, so 20 makes a round trip of 40 ms
    --cut N       resets a connection once N bytes came from the server. Given
                  several times: the first for the first connection, and so
                  on; later connections are not cut. 0: that one is not
    --cut-all N   every connection
    --stall N     after N bytes from the server nothing comes any more, and
                  nothing ends
    --drip N      after --after bytes (0), N bytes per second from the server,
                  one at a time
    --rate N      bytes per second from the server, smoothly

DIR/line, when it is there, is looked at before each connection is made:
"down" refuses it (resets).
DIR/count holds how many connections were made so far, DIR/bytes how many
bytes came from the server in those that have ended.
"""
import argparse
import asyncio
import fcntl
import os
import signal
import socket
import struct
import termios

CHUNK = 65536


def say(path, text):
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)


class Line:
    def __init__(self, args, cut):
        self.args = args
        self.cut = cut
        self.came = 0

    async def pump(self, reader, writer, from_server):
        """Two halves with a queue between, so that delay is no rate."""
        loop = asyncio.get_running_loop()
        queue = asyncio.Queue(4096)

        async def take():
            while data := await reader.read(CHUNK):
                await queue.put((loop.time() + self.args.delay / 1e3, data))
            await queue.put((loop.time() + self.args.delay / 1e3, b''))

        taker = asyncio.ensure_future(take())
        try:
            while True:
                when, data = await queue.get()
                wait = when - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                if not data:
                    break
                if from_server:
                    await self.behave(writer, data)
                else:
                    writer.write(data)
                    await writer.drain()
        finally:
            taker.cancel()

    async def behave(self, writer, data):
        a = self.args
        if a.stall is not None and self.came + len(data) > a.stall:
            writer.write(data[:max(0, a.stall - self.came)])
            await writer.drain()
            await asyncio.Event().wait()
        if self.cut and self.came + len(data) >= self.cut:
            writer.write(data[:self.cut - self.came])
            await arrived(writer)
            self.came = self.cut
            raise ConnectionResetError
        if a.drip and self.came + len(data) > a.after:
            for i in range(len(data)):
                writer.write(data[i:i + 1])
                await writer.drain()
                await asyncio.sleep(1 / a.drip)
        else:
            writer.write(data)
            await writer.drain()
            if a.rate:
                await asyncio.sleep(len(data) / a.rate)
        self.came += len(data)


async def arrived(writer):
    """What was sent is with the other side's kernel: a reset loses what is
    on its way, and how much that is would be chance."""
    raw = writer.get_extra_info('socket')
    for _ in range(2000):
        left = fcntl.ioctl(raw, termios.TIOCOUTQ, b'\0\0\0\0')
        if not writer.transport.get_write_buffer_size() and not any(left):
            break
        await asyncio.sleep(0.005)


def reset(writer):
    s = writer.get_extra_info('socket')
    if s is not None:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack('ii', 1, 0))
    writer.transport.abort()


async def main():
    p = argparse.ArgumentParser()
    p.add_argument('dir')
    p.add_argument('port', type=int)
    p.add_argument('--delay', type=float, default=0)
    p.add_argument('--cut', type=int, action='append', default=[])
    p.add_argument('--cut-all', type=int, default=0)
    p.add_argument('--stall', type=int)
    p.add_argument('--drip', type=float, default=0)
    p.add_argument('--after', type=int, default=0)
    p.add_argument('--rate', type=float, default=0)
    args = p.parse_args()
    cuts = list(args.cut)
    count = 0
    total = 0

    async def serve(reader, writer):
        nonlocal count, total
        count += 1
        say(f'{args.dir}/count', f'{count}\n')
        line = Line(args, cuts.pop(0) if cuts else args.cut_all)
        try:
            with open(f'{args.dir}/line') as f:
                down = f.read().strip() == 'down'
        except FileNotFoundError:
            down = False
        if down:
            reset(writer)
            return
        try:
            up, down = await asyncio.open_connection('127.0.0.1', args.port)
        except OSError:
            reset(writer)
            return
        # Large enough for a window per round trip.
        for w in (writer, down):
            w.get_extra_info('socket').setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if line.cut:
            # What a reset throws away should not have counted as come.
            writer.get_extra_info('socket').setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            writer.transport.set_write_buffer_limits(0)
        halves = [asyncio.ensure_future(line.pump(reader, down, False)),
                  asyncio.ensure_future(line.pump(up, writer, True))]
        done, rest = await asyncio.wait(
            halves, return_when=asyncio.FIRST_COMPLETED)
        for half in rest:
            half.cancel()
        failed = any(h.exception() for h in done)
        await asyncio.gather(*rest, return_exceptions=True)
        total += line.came
        say(f'{args.dir}/bytes', f'{total}\n')
        if failed:
            reset(writer)
        for w in (writer, down):
            w.close()

    server = await asyncio.start_server(serve, '127.0.0.1', 0, limit=1 << 20)
    say(f'{args.dir}/port', f'{server.sockets[0].getsockname()[1]}\n')
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    os._exit(0)


asyncio.run(main())
