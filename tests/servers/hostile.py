#!/usr/bin/env python3
"""An SFTP server whose packets are made by hand, so that they can be wrong.

    hostile.py DIR [--trick NAME | --all] [--password WORD] [--host-key FILE]

paramiko carries the SSH connection. Serves DIR/files on 127.0.0.1, port in
DIR/port (whole, by rename), host key DIR/host.pub, until it is told to end.
--all: every trick has a port of its own, in the lines of DIR/ports.
Anybody is let in by any key in DIR/authorized_keys (when that is there), or by
the password.

Without a trick it is an honest, simple server. What was asked of it is in
DIR/asked, a line for each request: TYPE PATH-or-HANDLE; of a key, "SIGNED" and
the name of the signature. The tricks:
"""
import argparse
import os
import random
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time

import paramiko

TRICKS = {
    # doors
    'questions': 'the password is asked for (keyboard-interactive)',
    'both': 'the password, and then it is asked for',
    'no-list': 'it does not list which signatures it takes',
    'only-sha1': 'of RSA signatures it takes those with SHA-1',
    'only-sha256': '... with SHA-256',
    # listings
    'names': 'names that no file can have',
    'endless': 'a READDIR that never ends, of ever new names',
    'endless-same': 'the same name again and again',
    'endless-dots': 'nothing but "." again and again',
    'endless-empty': 'answers of no names',
    'deep': 'each folder has a folder in it',
    'wide': '100000 names in the folder, 100 in each answer',
    'loops': 'links to folders above, to themselves and to nothing',
    'no-mtime': 'attributes without times',
    'no-attributes': 'no attributes at all; STAT has them',
    'no-types': 'no modes, and lines of ls that tell nothing; STAT has them',
    'denied': 'the folder "shut" cannot be listed',
    # contents
    'size-more': 'files are told to be 1000 bytes longer than they are',
    'size-less': '... 10 bytes shorter',
    'size-huge': '... 2^63 bytes long',
    'size-most': '... 2^64-1 bytes long',
    'size-none': 'no sizes',
    'behind': 'no sizes, and data from behind the end',
    'swap': 'a file is another after it was read (its time tells)',
    'grow': 'a file grows while it is read',
    'no-after': 'how a file is after it was read is not said: all is fine',
    'short': 'READ gives a third of what is asked (which is no crime)',
    'reorder': 'READs are answered in another order (no crime either)',
    'crumbs': 'READ gives a byte at a time',
    'more-data': 'READ gives more than is asked',
    'no-data': 'READ gives 0 bytes',
    'few-files': 'three files may be open, and one more fails',
    'read-fails': 'READ fails at 100000',
    # time
    'stall-open': 'OPEN is never answered',
    'stall-read': 'READ is never answered',
    'stall-list': 'READDIR is never answered',
    'stall-version': 'it never says its version',
    'drip': 'a byte of an answer each second',
    # packets
    'garbage': 'noise instead of answers',
    'length': 'a packet of 4 GiB',
    'empty-packet': 'a packet of no bytes',
    'wrong-id': 'answers to other requests',
    'wrong-type': 'an ATTRS for everything',
    'cut-attributes': 'attributes that end too early',
    'many-extended': 'attributes with 2^32-1 extensions',
    'long-handle': 'a handle of 1000 bytes',
    'many-names': 'a NAME with 2^32-1 names',
    'version': 'it speaks version 6',
    'welcome': 'a friendly text in front of all packets',
    'no-sftp': 'it does not know the subsystem',
    'hang-up': 'it hangs up after 20 requests',
    'hang-up-lstat': 'it hangs up when a name is looked at by itself',
    'no-words': 'a STATUS without words',
    # changes
    'quota': 'WRITE fails: disk quota exceeded',
    'no-rename': 'RENAME is not supported',
    'rename-over': 'RENAME replaces what is there',
    'no-remove': 'REMOVE is denied',
}
__doc__ += '\n'.join(f'    {n:15} {t}' for n, t in TRICKS.items())

(INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT) = range(1, 9)
OPENDIR, READDIR, REMOVE, MKDIR = 11, 12, 13, 14
REALPATH, STAT, RENAME = 16, 17, 18
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
NAMES = {v: k for k, v in list(globals().items()) if isinstance(v, int)}
OK, EOF, GONE, DENIED, FAILURE, BAD, UNSUPPORTED = 0, 1, 2, 3, 4, 5, 8


def u32(v):
    return struct.pack('>I', v & 0xffffffff)


def u64(v):
    return struct.pack('>Q', v)


def string(b):
    return u32(len(b)) + b


def say(path, text):
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)


class Hang(Exception):
    """Nothing more is said, and nothing ended."""


class Conversation:
    def __init__(self, channel, world):
        self.channel = channel
        self.world = world
        self.trick = world.trick
        self.handles = {}
        self.count = 0
        self.requests = 0
        self.late = []

    # ---- bytes ----

    def receive(self, n):
        data = b''
        while len(data) < n:
            piece = self.channel.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def send(self, data):
        if self.trick == 'drip' and self.requests > 1:
            for i in range(len(data)):
                self.channel.sendall(data[i:i + 1])
                time.sleep(1)
        self.channel.sendall(data)

    def packet(self, kind, body):
        self.send(u32(len(body) + 1) + bytes([kind]) + body)

    def status(self, number, code, words=b'as you see'):
        if self.trick == 'no-words':
            self.packet(STATUS, u32(number) + u32(code))
        else:
            self.packet(STATUS, u32(number) + u32(code) + string(words) +
                        string(b''))

    def failed(self, number, error):
        code = {FileNotFoundError: GONE, PermissionError: DENIED}.get(
            type(error), FAILURE)
        self.status(number, code, str(error.strerror).encode())

    # ---- attributes ----

    def attributes(self, st, link=False):
        t = self.trick
        flags, out = 0, b''
        size, mode, mtime = st.st_size, st.st_mode, int(st.st_mtime)
        if stat.S_ISREG(mode):
            if t == 'size-more':
                size += 1000
            elif t == 'size-less':
                size = max(0, size - 10)
            elif t == 'size-huge':
                size = 2**63
            elif t == 'size-most':
                size = 2**64 - 1
        if t == 'cut-attributes':
            return u32(1) + b'\0\0'
        if t == 'many-extended':
            return u32(0x80000000) + u32(0xffffffff) + b'\0' * 64
        if t not in ('size-none', 'behind') and not (link and t == 'no-attributes'):
            flags |= 1
            out += u64(size)
        if not (link and t in ('no-attributes', 'no-types')):
            flags |= 4
            out += u32(mode)
        if t != 'no-mtime' and not (link and t == 'no-attributes'):
            flags |= 8
            out += u32(mtime) + u32(mtime)
        return u32(flags) + out

    def path(self, raw):
        text = os.fsencode(self.world.root)
        return os.path.normpath(text + b'/' + raw.lstrip(b'/'))

    # ---- requests ----

    def serve(self):
        length, kind = struct.unpack('>IB', self.receive(5))
        self.receive(length - 1)
        if self.trick == 'stall-version':
            raise Hang
        if self.trick == 'welcome':
            self.send(b'Welcome to the partner! Mind the gap.\r\n')
        version = 6 if self.trick == 'version' else 3
        self.packet(VERSION, u32(version) + string(b'vendor') + string(b'x'))
        while True:
            length, kind, number = struct.unpack('>IBI', self.receive(9))
            body = self.receive(length - 5)
            self.requests += 1
            self.answer(kind, number, body)

    def answer(self, kind, number, body):
        t = self.trick
        n = struct.unpack('>I', body[:4])[0]
        first, rest = body[4:4 + n], body[4 + n:]
        self.world.asked(kind, first)
        if t == 'garbage':
            self.send(random.Random(1).randbytes(1000))
            return
        if t == 'length':
            self.send(b'\xff\xff\xff\xff' + bytes([STATUS]) + u32(number))
            return
        if t == 'empty-packet':
            self.send(u32(0) + b'\0\0\0\0\0\0')
            return
        if t == 'wrong-id':
            number += 7
        if t == 'wrong-type':
            self.packet(ATTRS, u32(number) + u32(0))
            return
        if (t == 'hang-up' and self.requests > 20 or
                t == 'hang-up-lstat' and NAMES.get(kind) == 'LSTAT'):
            self.channel.transport.close()
            raise EOFError
        try:
            getattr(self, 'do_' + NAMES.get(kind, 'OTHER').lower(),
                    self.do_other)(number, first, rest)
        except OSError as error:
            self.failed(number, error)

    def do_other(self, number, first, rest):
        self.status(number, UNSUPPORTED)

    def do_realpath(self, number, path, rest):
        self.packet(NAME, u32(number) + u32(1) + string(b'/') + string(b'/')
                    + u32(0))

    def do_stat(self, number, path, rest):
        if self.trick == 'loops' and os.path.basename(path) == b'self':
            self.status(number, FAILURE, b'too many levels of links')
            return
        st = os.stat(self.path(path))
        self.packet(ATTRS, u32(number) + self.attributes(st))

    def do_lstat(self, number, path, rest):
        st = os.lstat(self.path(path))
        self.packet(ATTRS, u32(number) + self.attributes(st))

    def handle(self, number, what):
        self.count += 1
        name = b'h%d' % self.count
        self.handles[name] = what
        if self.trick == 'long-handle':
            name = b'h' * 1000
        self.packet(HANDLE, u32(number) + string(name))

    def do_open(self, number, path, rest):
        if self.trick == 'stall-open':
            raise Hang
        if self.trick == 'few-files' and len(self.handles) >= 3:
            self.status(number, FAILURE)
            return
        flags = struct.unpack('>I', rest[:4])[0]
        if flags & 2:
            f = os.open(self.path(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC,
                        0o644)
        else:
            f = os.open(self.path(path), os.O_RDONLY)
        self.handle(number, ['file', f, self.path(path), 0])

    def do_fstat(self, number, handle, rest):
        what = self.handles[handle]
        st = os.fstat(what[1])
        what[3] += 1
        if self.trick == 'swap' and what[3] == 2:
            os.utime(what[1], (1, 1))
            st = os.fstat(what[1])
        if self.trick == 'no-after' and what[3] == 2:
            self.status(number, OK)
            return
        self.packet(ATTRS, u32(number) + self.attributes(st))

    def do_read(self, number, handle, rest):
        t = self.trick
        offset, length = struct.unpack('>QI', rest)
        if t == 'stall-read':
            raise Hang
        if t == 'read-fails' and offset >= 100000:
            self.status(number, FAILURE, b'input/output error')
            return
        f = self.handles[handle][1]
        data = os.pread(f, length, offset) if offset < 2**62 else b''
        if t == 'short':
            data = data[:max(1, length // 3)]
        elif t == 'crumbs':
            data = data[:1]
        elif t == 'more-data' and data:
            data += b'x' * (length + 1 - len(data))
        elif t == 'no-data':
            data = b''
        if t == 'grow' and offset == 0:
            with open(self.handles[handle][2], 'ab') as out:
                out.write(b'more' * 1000)
        if t == 'behind' and not data and not self.handles[handle][3] & 64:
            self.handles[handle][3] |= 64
            self.status(number, EOF)
            return
        if t == 'behind' and not data:
            data = b'ghost'
        if data or t == 'no-data':
            answer = (DATA, u32(number) + string(data))
        else:
            answer = (STATUS, u32(number) + u32(EOF) + string(b'') +
                      string(b''))
        if t != 'reorder':
            self.packet(*answer)
            return
        # Turned round as soon as nothing more comes, or there are some.
        self.late.append(answer)
        if not self.channel.recv_ready() or len(self.late) > 30:
            time.sleep(0.02)
            if not self.channel.recv_ready() or len(self.late) > 30:
                for one in reversed(self.late):
                    self.packet(*one)
                self.late = []

    def do_write(self, number, handle, rest):
        if self.trick == 'quota':
            self.status(number, FAILURE, b'Disk quota exceeded')
            return
        offset, n = struct.unpack('>QI', rest[:12])
        os.pwrite(self.handles[handle][1], rest[12:12 + n], offset)
        self.status(number, OK)

    def do_close(self, number, handle, rest):
        what = self.handles.pop(handle, None)
        if what is None:
            self.status(number, FAILURE, b'no such handle')
            return
        if what[0] == 'file':
            os.close(what[1])
        self.status(number, OK)

    def do_remove(self, number, path, rest):
        if self.trick == 'no-remove':
            self.status(number, DENIED, b'this is ours')
            return
        os.remove(self.path(path))
        self.status(number, OK)

    def do_mkdir(self, number, path, rest):
        os.mkdir(self.path(path))
        self.status(number, OK)

    def do_rename(self, number, path, rest):
        n = struct.unpack('>I', rest[:4])[0]
        to = self.path(rest[4:4 + n])
        if self.trick == 'no-rename':
            self.status(number, UNSUPPORTED)
            return
        if os.path.lexists(to) and self.trick != 'rename-over':
            self.status(number, FAILURE)
            return
        os.rename(self.path(path), to)
        self.status(number, OK)

    def do_opendir(self, number, path, rest):
        if self.trick == 'denied' and os.path.basename(path) == b'shut':
            self.status(number, DENIED)
            return
        if self.trick == 'deep':
            names = iter([[b'd']])
        else:
            names = self.names(sorted(os.listdir(self.path(path))))
        self.handle(number, ['folder', names, path, 0])

    def names(self, real):
        t = self.trick
        if t == 'names':
            yield [b'../evil', b'/etc/passwd', b'a/b', b'nul\0here', b'', b'.',
                   b'..', b'new\nline', b'\xff\xfe', b'esc\x1b[31m',
                   b'-rf', b'x' * 65536]
        elif t in ('endless', 'wide'):
            for i in range(100000 // 100 if t == 'wide' else 2**40):
                yield [b'name-%09d-of-a-usual-length.csv' % k
                       for k in range(i * 100, i * 100 + 100)]
        while t in ('endless-same', 'endless-dots', 'endless-empty'):
            yield {'endless-same': [b'same'] * 100, 'endless-dots': [b'.'] *
                   100, 'endless-empty': []}[t]
        if t == 'loops':
            yield [b'self', b'up', b'nowhere']
        while real:
            yield real[:100]
            real = real[100:]

    def entry(self, folder, name):
        t = self.trick
        kind, size = stat.S_IFREG, 17
        if t == 'deep':
            kind = stat.S_IFDIR
        elif t == 'loops' and name in (b'self', b'up', b'nowhere'):
            kind = stat.S_IFLNK
        try:
            st = os.lstat(self.path(folder + b'/' + name))
        except (OSError, ValueError):
            st = os.stat_result((kind | 0o644, 0, 0, 1, 0, 0, size, 0,
                                 1700000000, 0))
        line = b'' if t in ('no-types', 'no-attributes') else name
        return string(name) + string(line) + self.attributes(st, True)

    def do_readdir(self, number, handle, rest):
        what = self.handles[handle]
        if self.trick == 'stall-list':
            raise Hang
        if self.trick == 'many-names':
            self.packet(NAME, u32(number) + u32(0xffffffff) + b'\0' * 64)
            return
        names = next(what[1], None)
        if names is None:
            self.status(number, EOF)
            return
        self.packet(NAME, u32(number) + u32(len(names)) + b''.join(
            self.entry(what[2], n) for n in names))


class World:
    def __init__(self, args, trick):
        self.args = args
        self.trick = trick
        self.root = os.path.realpath(f'{args.dir}/files')
        self.log = open(f'{args.dir}/asked', 'a', buffering=1)
        self.keys = set()
        try:
            with open(f'{args.dir}/authorized_keys') as f:
                self.keys = {line.split()[1] for line in f}
        except FileNotFoundError:
            pass

    def asked(self, kind, what):
        self.log.write(f'{NAMES.get(kind, kind)} {what[:200]!r}\n')


class Transport(paramiko.Transport):
    def _activate_outbound(self):
        # A client may say anywhere in its list that it wants to be told
        # (RFC 8308 section 2.1); paramiko looks at the end of it alone.
        self._remote_ext_info = 'ext-info-c'
        super()._activate_outbound()


# RSA signatures that are not taken.
RSA_NOT = {
    'no-list': ['rsa-sha2-256', 'rsa-sha2-512'],
    'only-sha1': ['rsa-sha2-256', 'rsa-sha2-512'],
    'only-sha256': ['ssh-rsa', 'rsa-sha2-512'],
}


class Door(paramiko.ServerInterface):
    def __init__(self, world):
        self.world = world
        self.half = False

    def get_allowed_auths(self, username):
        methods = ['publickey'] if self.world.keys else []
        methods.append('keyboard-interactive' if self.asks() else 'password')
        return ','.join(methods)

    def asks(self):
        return self.world.trick == 'questions' or self.half

    def check_auth_publickey(self, username, key):
        if key.get_base64() not in self.world.keys:
            return paramiko.AUTH_FAILED
        verify = key.verify_ssh_sig

        def noted(data, signature):
            name = paramiko.Message(signature.asbytes()).get_text()
            self.world.log.write(f'SIGNED {name}\n')
            return verify(data, signature)
        key.verify_ssh_sig = noted
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username, password):
        if self.asks() or password != self.world.args.password:
            return paramiko.AUTH_FAILED
        if self.world.trick == 'both':
            self.half = True
            return paramiko.AUTH_PARTIALLY_SUCCESSFUL
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_interactive(self, username, submethods):
        if not self.asks():
            return paramiko.AUTH_FAILED
        return paramiko.InteractiveQuery('door', 'say it', ('Word: ', False))

    def check_auth_interactive_response(self, responses):
        if responses == [self.world.args.password]:
            return paramiko.AUTH_SUCCESSFUL
        return paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel, name):
        if self.world.trick == 'no-sftp' or name != 'sftp':
            return False
        threading.Thread(target=self.converse, args=(channel,),
                         daemon=True).start()
        return True

    def converse(self, channel):
        try:
            Conversation(channel, self.world).serve()
        except (EOFError, OSError):
            channel.close()
        except Hang:
            threading.Event().wait()


def main():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('dir')
    p.add_argument('--trick', choices=TRICKS)
    p.add_argument('--all', action='store_true')
    p.add_argument('--password')
    p.add_argument('--host-key')
    args = p.parse_args()
    os.makedirs(f'{args.dir}/files', exist_ok=True)
    path = args.host_key or f'{args.dir}/host'
    if not os.path.exists(path):
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                        path], check=True, stdin=subprocess.DEVNULL)
    key = paramiko.Ed25519Key.from_private_key_file(path)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    def serve(listener, world):
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport = Transport(
                sock, server_sig_algs=world.trick != 'no-list',
                disabled_algorithms={'pubkeys': RSA_NOT.get(world.trick, [])})
            transport.add_server_key(key)
            try:
                transport.start_server(server=Door(world),
                                       event=threading.Event())
            except (EOFError, OSError, paramiko.SSHException):
                pass

    ports = {}
    for trick in [args.trick, *(TRICKS if args.all else ())]:
        listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        ports[trick] = listener.getsockname()[1]
        threading.Thread(target=serve, args=(listener, World(args, trick)),
                         daemon=True).start()
    say(f'{args.dir}/ports', ''.join(f'{t} {p}\n' for t, p in ports.items()))
    say(f'{args.dir}/port', f'{ports[args.trick]}\n')
    threading.Event().wait()


if __name__ == '__main__':
    main()
