# ruff: noqa: E501
"""Probes of the escape corpus: files, what is known of them, and folders that are memory."""

#: Reading, changing or blocking what is outside of the scratch folder, or what the host does there.
FILES: dict[str, str] = {
    "secret file": "print(open('$SECRET').read())",
    "secret file by bytes and os.open": "print(os.read(os.open(b'$SECRET', os.O_RDONLY), 99))",
    "secret through dot-dot": "print(open(os.getcwd() + '/../secret.txt').read())",
    "secret through a symlink": "os.symlink('$SECRET', 'link'); print(open('link').read())",
    "secret through a hard link": "os.link('$SECRET', 'hard'); print(open('hard').read())",
    "secret by rename": "os.rename('$SECRET', 'mine'); print(open('mine').read())",
    "secret by exchange of names": "open('mine', 'w').close()\n"
    "syscall(316, -100, b'$SECRET', -100, b'mine', 2); print(open('mine').read())",
    "secret through /proc/self/root": "print(open('/proc/self/root' + '$SECRET').read())",
    "secret by mmap": "f = open('$SECRET', 'rb'); print(mmap.mmap(f.fileno(), 0, prot=1)[:])",
    "secret by copy": "import shutil; shutil.copy('$SECRET', 'copy'); print(open('copy').read())",
    "secret by a copy in the kernel": "f = os.open('$SECRET', os.O_RDONLY)\n"
    "os.copy_file_range(f, os.open('copy', os.O_WRONLY | os.O_CREAT), 99); print(open('copy').read())",
    "secret by file handle": "b = ctypes.create_string_buffer(b'\\x80\\0\\0\\0', 200); m = ctypes.c_int()\n"
    "syscall(303, -100, b'$SECRET', b, ctypes.byref(m), 0)\n"
    "f = syscall(304, os.open('.', os.O_RDONLY), b, os.O_RDONLY); print(os.read(f, 99))",
    "secret by openat2": "how = (ctypes.c_uint64 * 3)(); print(os.read(syscall(437, -100, b'$SECRET', how, 24), 99))",
    "secret through a path to a file": "f = os.open('$SECRET', os.O_PATH); print(open(f'/proc/self/fd/{f}').read())",
    "secret from another working folder": "os.chdir('$OUTSIDE/..'); print(open('secret.txt').read())",
    "secret in shared memory": "print(open('/dev/shm/$SHARED').read())",
    "labels held by the host": "print(open('$HELD').read())",
    "write outside": "open('$OUTSIDE/new', 'w').write('x')",
    "truncate outside": "os.truncate('$SECRET', 0)",
    "append outside": "open('$SECRET', 'a').write('x')",
    "delete outside": "os.unlink('$SECRET')",
    "make a folder outside": "os.mkdir('$OUTSIDE/folder')",
    "remove a folder outside": "os.rmdir('$EMPTY')",
    "move a file outside": "open('own', 'w').close(); os.rename('own', '$OUTSIDE/own')",
    "replace the scratch folder": "os.chdir('..'); os.rename('scratch', 'away'); os.mkdir('scratch')",
    "remove the scratch folder": "os.rmdir(os.getcwd())",
    "write to read-only data": "open('$DATA/train.npy', 'ab').write(b'x')",
    "write to own code": "open('$APP/pyproject.toml', 'a').write('x')",
    "write to the library": "import edgewright.tools.errors as e; open(e.__file__, 'r+b')",
    "change a mode outside": "os.chmod('$SECRET', 0o777)",
    "change a mode of own data": "os.chmod('$DATA/train.npy', 0o777)",
    "change a mode by descriptor": "os.fchmod(os.open('$DATA/train.npy', os.O_RDONLY), 0o777)",
    "change a mode without following": "syscall(452, -100, b'$SECRET', 0o777, 0)",
    "change an owner outside": "os.chown('$SECRET', 1, 1)",
    "change times outside": "os.utime('$SECRET', (1, 1))",
    "change times by descriptor": "os.utime(os.open('$DATA/train.npy', os.O_RDONLY), (1, 1))",
    "change attributes outside": "os.setxattr('$SECRET', 'user.x', b'1')",
    "change flags of own data": "f = os.open('$DATA/train.npy', os.O_RDONLY)\n"
    "flags = int.from_bytes(fcntl.ioctl(f, 0x80086601, bytes(8))[:4], 'little')\n"
    "fcntl.ioctl(f, 0x40086602, (flags | 0x40).to_bytes(8, 'little'))",
    "change flags by path": "now = ctypes.create_string_buffer(24); syscall(468, -100, b'$SECRET', now, 24, 0)\n"
    "syscall(469, -100, b'$SECRET', now, 24, 0)",
    "a file that nobody can remove": "f = open('own', 'w'); fcntl.ioctl(f, 0x40086602, bytes([0x10] + 7 * [0]))",
    "a mode that grants another's rights": "open('own', 'w').close(); os.chmod('own', 0o4777)",
    "device file": "os.mknod('disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0))",
    "fifo for the host to hang on": "os.mkfifo('fifo')",
    "socket for the host to hang on": "socket.socket(socket.AF_UNIX).bind('socket')",
    "link for the host to follow": "os.symlink('$SECRET', 'link')",
    "lease that blocks the host": "f = open('own', 'w'); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)",
    "lease on own data": "fcntl.fcntl(os.open('$DATA/train.npy', os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
    "lock that blocks the host": "fcntl.flock(os.open('$DATA/train.npy', os.O_RDONLY), fcntl.LOCK_EX)",
    "signal about a file of others": "f = open('own', 'w'); fcntl.fcntl(f, fcntl.F_SETOWN, $VICTIM)",
    "notice of a change in a folder": "f = os.open('$DATA', os.O_RDONLY); fcntl.fcntl(f, fcntl.F_NOTIFY, 2)",
    "watch of the host's folders": "syscall(254, syscall(294, 0), b'$OUTSIDE', 0xfff)",
    "watch of all files": "syscall(300, 0, 0)",
    "whiteout": "open('own', 'w').close(); syscall(316, -100, b'own', -100, b'other', 4)",
    "file without a name": "os.open('.', os.O_TMPFILE | os.O_RDWR)",
    "disk reserved at once": "f = os.open('own', os.O_WRONLY | os.O_CREAT)\n"
    "syscall(285, f, 1, 0, 200_000_000)  # keeps the size, so that no limit on it applies",
    "list the temporary folder": "os.listdir('$OUTSIDE')",
    "list the root": "assert 'proc' in os.listdir('/') and 'home' in os.listdir('/')",
    "password file": "print(open('/etc/shadow').read())",
    "disk of the machine": "import glob\n"
    "disks = [p for p in glob.glob('/dev/*') if stat.S_ISBLK(os.stat(p).st_mode)]; os.open(disks[0], os.O_RDONLY)",
    "memory as a folder": "open('/dev/shm/hoard', 'w'); os.unlink('/dev/shm/hoard')",
    "memory as the root": "open('/hoard', 'w'); os.unlink('/hoard')",
    "temporary folder": "open('/tmp/edgewright-hoard', 'w'); os.unlink('/tmp/edgewright-hoard')",
    "settings of the kernel": "open('/proc/sys/kernel/hostname', 'r+')",
    "settings of devices": "import glob; open(glob.glob('/sys/block/*/queue/nr_requests')[0], 'r+')",
    "out of the control group": "import glob\n"
    "open(glob.glob('/sys/fs/cgroup/**/cgroup.procs')[0], 'a').write(str(os.getpid()))",
}

#: What Landlock cannot hide, and separate namespaces do: that a file exists, and what it is.
METADATA: dict[str, str] = {
    "size": "assert os.stat('$SECRET').st_size",
    "size by a path": "assert os.fstat(os.open('$SECRET', os.O_PATH)).st_size",
    "existence by access": "assert os.access('$SECRET', os.F_OK)",
    "existence by the error": "try: open('$SECRET')\nexcept PermissionError: pass",
    "existence by a folder of that name": "try: os.mkdir('$SECRET')\nexcept FileExistsError: pass",
    "existence by the working folder": "os.chdir('$OUTSIDE')",
    "target of a link": "assert os.readlink('$LINK')",
    "owner through a relative path": "os.stat('../secret.txt')",
    "attributes": "os.listxattr('$SECRET')",
    "users": "assert os.stat('/etc/passwd').st_size",
}
