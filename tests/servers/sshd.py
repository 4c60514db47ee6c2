#!/usr/bin/env python3
"""A real OpenSSH server on a loopback port, as partners run one.

    sshd.py DIR [--chroot] [--password WORD [--pam]] [--set 'KEYWORD VALUE']...

Makes what is missing in DIR, starts sshd, then writes DIR/port (whole, by
rename) and stays until it is told to end (SIGTERM, SIGINT) or sshd ends; it
takes sshd and its sessions along.

    DIR/port             its port on 127.0.0.1 (the same when started again)
    DIR/user             who logs in
    DIR/files/           what the server shows, as its login folder
    DIR/host_KIND.pub    its host keys: ed25519, ecdsa, rsa
    DIR/known_hosts      them, for [127.0.0.1]:PORT
    DIR/KIND             private keys it takes: ed25519, ecdsa, rsa; and, with
                         the passphrase "open sesame": ed25519-enc (OpenSSH),
                         rsa-pem, rsa-pem-enc, ecdsa-pem
    DIR/stranger         a key it does not take
    DIR/log              what sshd says (DEBUG1)
    DIR/up               empty; made last, when it listens

Relative paths begin at DIR/files. --chroot (root only): as most partners do
it, for the user nobody, who sees DIR/files as "/" and owns DIR/files/outbound
alone. DIR/files is a link then: sshd takes no chroot below a folder that others
may write to.

--password (with --chroot): the user has this password, and no key will do; with
--pam it is asked for, keyboard-interactively. sshd sees a shadow file and PAM
rules of its own (a mount namespace): those of the machine are left alone.
"""
import argparse
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PASSPHRASE = 'open sesame'
KEYS = {
    'ed25519': ['-t', 'ed25519'],
    'ecdsa': ['-t', 'ecdsa', '-b', '256'],
    'rsa': ['-t', 'rsa', '-b', '2048'],
    'ed25519-enc': ['-t', 'ed25519', '-N', PASSPHRASE],
    'rsa-pem': ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
    'rsa-pem-enc': ['-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', PASSPHRASE],
    'ecdsa-pem': ['-t', 'ecdsa', '-b', '384', '-m', 'PEM'],
}


def keygen(path, *how):
    if os.path.exists(path):
        return
    if '-N' not in how:
        how += ('-N', '')
    subprocess.run(['ssh-keygen', '-q', '-f', path, '-C', 'test', *how],
                   check=True, stdin=subprocess.DEVNULL)


def make_keys(d):
    for kind in ('ed25519', 'ecdsa', 'rsa'):
        keygen(f'{d}/host_{kind}', *KEYS[kind])
    with open(f'{d}/authorized_keys', 'w') as out:
        for name, how in KEYS.items():
            keygen(f'{d}/{name}', *how)
            with open(f'{d}/{name}.pub') as f:
                out.write(f.read())
    keygen(f'{d}/stranger', '-t', 'ed25519')


def free_port(d):
    """The one it had, so that a restart looks like an outage."""
    try:
        with open(f'{d}/port') as f:
            return int(f.read())
    except FileNotFoundError:
        pass
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def make_chroot(d):
    if not os.path.islink(f'{d}/files'):
        top = tempfile.mkdtemp(prefix='landfall-test.', dir='/var/lib')
        os.symlink(f'{top}/files', f'{d}/files')
    real = os.path.realpath(f'{d}/files')
    top = os.path.dirname(real)
    os.chmod(top, 0o755)
    os.makedirs(f'{real}/outbound', exist_ok=True)
    shutil.chown(f'{real}/outbound', 'nobody')
    # Read as the user, who cannot see DIR.
    shutil.copy(f'{d}/authorized_keys', top)
    return real


def make_password(d, user, word):
    """A shadow file, rules for PAM, and how to start a program that sees them."""
    word = subprocess.run(['openssl', 'passwd', '-6', '-stdin'], input=word,
                          check=True, capture_output=True, text=True).stdout
    with open('/etc/shadow') as f:
        lines = [line for line in f if not line.startswith(user + ':')]
    with open(f'{d}/shadow', 'w') as f:
        os.fchmod(f.fileno(), 0o600)
        f.writelines([*lines, f'{user}:{word.strip()}:20000:0:99999:7:::\n'])
    say(f'{d}/pam', 'auth required pam_unix.so\n'
        'account required pam_permit.so\nsession required pam_permit.so\n')
    return ['unshare', '-m', 'sh', '-c',
            f'mount --bind "{d}/shadow" /etc/shadow && '
            f'mount --bind "{d}/pam" /etc/pam.d/sshd && exec "$@"', 'sh']


def say(path, text):
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)


DOORS = {
    'key': [],
    'password': ['PasswordAuthentication yes', 'PubkeyAuthentication no'],
    'questions': ['UsePAM yes', 'KbdInteractiveAuthentication yes',
                  'PubkeyAuthentication no'],
}


def no_penalties():
    """From 9.8 on sshd shuts out who was refused; that is what we do here."""
    told = subprocess.run(['ssh', '-V'], capture_output=True, text=True)
    version = re.search(r'OpenSSH_(\d+)\.(\d+)', told.stderr)
    if version and tuple(map(int, version.groups())) >= (9, 8):
        return ['PerSourcePenalties no']
    return []


def configuration(d, port, user, chroot, more):
    lines = [
        'MaxStartups 100',  # of this one the last
        *more,  # the first value of a keyword counts
        *no_penalties(),
        f'Port {port}', 'ListenAddress 127.0.0.1',
        *(f'HostKey {d}/host_{k}' for k in ('ed25519', 'ecdsa', 'rsa')),
        f'AuthorizedKeysFile {os.path.dirname(chroot) if chroot else d}'
        '/authorized_keys',
        'PidFile none', 'StrictModes no', 'UsePAM no',
        'PasswordAuthentication no', 'KbdInteractiveAuthentication no',
        'LogLevel DEBUG1', 'PrintMotd no',
        'X11Forwarding no', 'AllowTcpForwarding no',
    ]
    if chroot:
        lines += ['Subsystem sftp internal-sftp', f'AllowUsers {user}',
                  f'ChrootDirectory {chroot}', 'ForceCommand internal-sftp']
    else:
        lines += [f'Subsystem sftp internal-sftp -d {d}/files']
    say(f'{d}/sshd_config', '\n'.join(lines) + '\n')


def wait_until_up(server, port, log):
    for _ in range(600):
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            if server.poll() is not None:
                with open(log) as f:
                    sys.exit('sshd ended:\n' + f.read()[-2000:])
            time.sleep(0.05)
    sys.exit('sshd does not listen')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('dir')
    p.add_argument('--chroot', action='store_true')
    p.add_argument('--password')
    p.add_argument('--pam', action='store_true')
    p.add_argument('--set', action='append', default=[])
    args = p.parse_args()
    d = os.path.abspath(args.dir)
    os.makedirs(d, exist_ok=True)
    make_keys(d)
    if os.getuid() == 0:
        os.makedirs('/run/sshd', mode=0o755, exist_ok=True)
    elif args.chroot:
        sys.exit('--chroot needs root')
    user, root, within = 'nobody', None, []
    if args.chroot:
        root = make_chroot(d)
    else:
        user = pwd.getpwuid(os.getuid()).pw_name
        os.makedirs(f'{d}/files', exist_ok=True)
    door = 'key'
    if args.password is not None:
        door = 'questions' if args.pam else 'password'
        within = make_password(d, user, args.password)
    port = free_port(d)
    configuration(d, port, user, root, args.set + DOORS[door])
    # Sessions are in its process group, so that they end with it.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    log = f'{d}/log'
    server = subprocess.Popen(
        [*within, '/usr/sbin/sshd', '-D', '-f', f'{d}/sshd_config', '-E', log],
        stdin=subprocess.DEVNULL, process_group=0,
        preexec_fn=lambda: signal.pthread_sigmask(
            signal.SIG_UNBLOCK, ends))
    wait_until_up(server, port, log)
    with open(f'{d}/known_hosts', 'w') as out:
        for kind in ('ed25519', 'ecdsa', 'rsa'):
            with open(f'{d}/host_{kind}.pub') as f:
                out.write(f'[127.0.0.1]:{port} {f.read()}')
    say(f'{d}/user', user + '\n')
    say(f'{d}/port', f'{port}\n')
    say(f'{d}/up', '')
    while server.poll() is None:
        if signal.sigtimedwait(ends, 0.2):
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
            break
    else:
        print('sshd ended by itself', file=sys.stderr)
    if root:
        shutil.rmtree(os.path.dirname(root), ignore_errors=True)
        os.unlink(f'{d}/files')


main()
