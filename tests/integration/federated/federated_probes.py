# ruff: noqa: E501
"""The escape corpus: programs that try to escape the sandbox, and print ESCAPED if they succeed.

A probe that succeeds does no harm: it sets the clock to the current time, opens a file for writing
without writing, or targets files, ports and processes of the test. The test replaces the names in
capitals with paths, ports and ids of its own.
"""

SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def syscall(*arguments):
    result = libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""

#: One attempt each; an exception means that it was refused.
PROBES: dict[str, str] = {
    # files
    "secret file": "print(open('SECRET').read())",
    "secret file by bytes and os.open": "import os; print(os.read(os.open(b'SECRET', os.O_RDONLY), 99))",
    "secret through dot-dot": "import os; print(open(os.getcwd() + '/../secret.txt').read())",
    "secret through a symlink": "import os; os.symlink('SECRET', 'link'); print(open('link').read())",
    "secret through a hard link": "import os; os.link('SECRET', 'hard'); print(open('hard').read())",
    "secret by rename": "import os; os.rename('SECRET', 'mine'); print(open('mine').read())",
    "secret through /proc/self/root": "print(open('/proc/self/root' + 'SECRET').read())",
    "secret by mmap": "import mmap; f = open('SECRET', 'rb'); print(mmap.mmap(f.fileno(), 0, prot=1)[:])",
    "secret by copy": "import shutil; shutil.copy('SECRET', 'copy'); print(open('copy').read())",
    "secret by file handle": SYSCALL + "b = ctypes.create_string_buffer(200); m = ctypes.c_int()\n"
    "syscall(303, -100, b'SECRET', b, ctypes.byref(m), 0); print('ESCAPED')",
    "labels held by the host": "print(open('HELD').read())",
    "write outside": "open('OUTSIDE/new', 'w').write('x'); print('ESCAPED')",
    "truncate outside": "import os; os.truncate('SECRET', 0); print('ESCAPED')",
    "delete outside": "import os; os.unlink('SECRET'); print('ESCAPED')",
    "make a folder outside": "import os; os.mkdir('OUTSIDE/folder'); print('ESCAPED')",
    "write to read-only data": "open('DATA/train.npy', 'ab').write(b'x'); print('ESCAPED')",
    "write to own code": "open('APP/pyproject.toml', 'a').write('x'); print('ESCAPED')",
    "write to the library": "import edgewright.tools.errors as e; open(e.__file__, 'r+b'); "
    "print('ESCAPED')",
    "change a mode outside": "import os; os.chmod('SECRET', 0o777); print('ESCAPED')",
    "change an owner outside": "import os; os.chown('SECRET', 1, 1); print('ESCAPED')",
    "change times outside": "import os; os.utime('SECRET', (1, 1)); print('ESCAPED')",
    "change attributes outside": "import os; os.setxattr('SECRET', 'user.x', b'1'); print('ESCAPED')",
    "device file": "import os, stat; os.mknod('disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0)); "
    "print('ESCAPED')",
    "fifo for the host to hang on": "import os; os.mkfifo('fifo'); print('ESCAPED')",
    "list the temporary folder": "import os; print(os.listdir('OUTSIDE')); print('ESCAPED')",
    "password file": "print(open('/etc/shadow').read()); print('ESCAPED')",
    "list processes": "import os\n"
    "for pid in os.listdir('/proc'):\n"
    "    if pid == 'VICTIM': print('ESCAPED')",
    # environment and other processes
    "environment": "import os; print(dict(os.environ))",
    "parent's environment": "import os; print(open(f'/proc/{os.getppid()}/environ').read())",
    "victim's environment": "print(open('/proc/VICTIM/environ').read()); print('ESCAPED')",
    "victim's memory": SYSCALL + "syscall(310, VICTIM, 0, 0, 0, 0, 0); print('ESCAPED')",
    "trace the victim": SYSCALL + "syscall(101, 16, VICTIM, 0, 0); print('ESCAPED')",
    "kill the victim": "import os; os.kill(VICTIM, 9); print('ESCAPED')",
    "kill by pidfd": "import os, signal; signal.pidfd_send_signal(os.pidfd_open(VICTIM), 9); "
    "print('ESCAPED')",
    "victim's limits": "import resource; resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, (5, 5)); "
    "print('ESCAPED')",
    "victim's priority": "import os; os.setpriority(os.PRIO_PROCESS, VICTIM, 19); print('ESCAPED')",
    "victim's processors": "import os; os.sched_setaffinity(VICTIM, {0}); print('ESCAPED')",
    "own limits raised": "import resource; resource.setrlimit(resource.RLIMIT_DATA, (-1, -1)); "
    "print('ESCAPED')",
    # network: every target is a port that the test listens on
    "tcp": "import socket; socket.create_connection(('127.0.0.1', TCP), 2); print('ESCAPED')",
    "tcp fast open": "import socket; s = socket.socket(); "
    "s.sendto(b'x', 0x20000000, ('127.0.0.1', TCP)); print('ESCAPED')",
    "tcp over ipv6": "import socket; s = socket.socket(socket.AF_INET6); "
    "s.connect(('::ffff:127.0.0.1', TCP)); print('ESCAPED')",
    "udp": "import socket; s = socket.socket(type=socket.SOCK_DGRAM); "
    "s.sendto(b'x', ('127.0.0.1', UDP)); print('ESCAPED')",
    "raw socket": "import socket; socket.socket(type=socket.SOCK_RAW, proto=1); print('ESCAPED')",
    "packet socket": "import socket; socket.socket(17, socket.SOCK_RAW, 3); print('ESCAPED')",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW); print('ESCAPED')",
    "vsock": "import socket; socket.socket(40, socket.SOCK_STREAM); print('ESCAPED')",
    "unix socket": "import socket; socket.socket(socket.AF_UNIX).connect('UNIX'); print('ESCAPED')",
    "abstract unix socket": "import socket; "
    "socket.socket(socket.AF_UNIX).connect('\\0ABSTRACT'); print('ESCAPED')",
    "listen": "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
    "print('ESCAPED')",
    "inherited descriptors": "import os\n"
    "for fd in range(3, 256):\n"
    "    try: kind = os.readlink(f'/proc/self/fd/{fd}')\n"
    "    except OSError: continue\n"
    "    if 'socket' in kind or 'secret' in kind: print('ESCAPED', kind)",
    # processes, namespaces, the machine
    "fork": "import os; os.fork(); print('ESCAPED')",
    "run a shell": "import subprocess; print(subprocess.run(['/bin/sh', '-c', 'echo ESC''APED'], "
    "capture_output=True).stdout)",
    "exec": "import os; os.execv('/bin/echo', ['echo', 'ESCAPED'])",
    "exec from memory": "import os; os.memfd_create('x'); print('ESCAPED')",
    "multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process("
    "target=lambda: None); p.start(); print('ESCAPED')",
    "user namespace": SYSCALL + "syscall(272, 0x10000000); print('ESCAPED')",
    "nested namespaces by clone": SYSCALL + "syscall(56, 0x10000000 | 17, 0, 0, 0, 0); "
    "print('ESCAPED')",
    "mount": SYSCALL + "syscall(165, b'none', b'.', b'tmpfs', 0, 0); print('ESCAPED')",
    "chroot": "import os; os.chroot('.'); print('ESCAPED')",
    "io_uring": SYSCALL + "syscall(425, 8, ctypes.create_string_buffer(200)); print('ESCAPED')",
    "bpf": SYSCALL + "syscall(321, 0, 0, 0); print('ESCAPED')",
    "keyring": SYSCALL + "syscall(250, 0, -3, 1); print('ESCAPED')",
    "perf": SYSCALL + "syscall(298, ctypes.create_string_buffer(200), 0, -1, -1, 0); "
    "print('ESCAPED')",
    "kill the victim's thread": SYSCALL + "syscall(234, VICTIM, VICTIM, 9); print('ESCAPED')",
    "queue the victim a signal": SYSCALL + "syscall(129, VICTIM, 9, "
    "ctypes.create_string_buffer(128)); print('ESCAPED')",
    "capabilities": "import re\n"
    "text = open('/proc/self/status').read()\n"
    "if re.search('CapEff:.*[1-9a-f]', text): print('ESCAPED')",
    "ports of the machine": SYSCALL + "syscall(172, 3); print('ESCAPED')",
    "userfaultfd": SYSCALL + "syscall(323, 0); print('ESCAPED')",
    "shared memory": SYSCALL + "syscall(29, 77, 4096, 0o1600); print('ESCAPED')",
    "host name": "import socket; socket.sethostname(socket.gethostname()); print('ESCAPED')",
    "clock": "import time; time.clock_settime(time.CLOCK_REALTIME, time.time()); print('ESCAPED')",
    "another identity": "import os; os.setuid(12345); print('ESCAPED')",
    "take the filter off": SYSCALL + "libc.prctl(22, 0, 0, 0, 0); syscall(41, 2, 1, 0); "
    "print('ESCAPED')",
    "file without a name": "import os; os.open('.', os.O_TMPFILE | os.O_RDWR); print('ESCAPED')",
    "lease that blocks the host": "import fcntl, os; f = open('own', 'w'); "
    "fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK); print('ESCAPED')",
    "signal about a file of others": "import fcntl, os; f = open('own', 'w'); "
    "fcntl.fcntl(f, fcntl.F_SETOWN, VICTIM); print('ESCAPED')",
    "memory as a folder": "open('/dev/shm/hoard', 'w'); print('ESCAPED')",
    "memory as the root": "open('/hoard', 'w'); print('ESCAPED')",
    "temporary folder": "open('/tmp/edgewright-hoard', 'w'); print('ESCAPED')",
    "32-bit system calls": SYSCALL + "syscall(0x40000000 | 41, 2, 1, 0); print('ESCAPED')",
}

#: Programs that exhaust a resource; the watcher or the kernel must end them with this fault.
HOGS: dict[str, tuple[str, str]] = {
    "memory": ("hoard = []\nwhile True: hoard.append(bytearray(10_000_000))", "memory"),
    "mapped memory": (
        "import mmap\nhoard = []\n"
        "while True:\n    m = mmap.mmap(-1, 50_000_000); m.write(b'x' * 50_000_000); "
        "hoard.append(m)",
        "memory",
    ),
    "endless loop": ("while True: pass", "timeout"),
    "sleep": ("import time; time.sleep(1e6)", "timeout"),
    "disk in one file": (
        "f = open('big', 'wb')\nwhile True: f.write(b'x' * 1_000_000)",
        "disk",
    ),
    "disk in many files": (
        "n = 0\nwhile True:\n    n += 1; open(f'f{n}', 'wb').write(b'x' * 1_000_000)",
        "disk",
    ),
    "disk in files without a name": (
        "import os\nheld = []\n"
        "while True:\n    f = open('big', 'wb', buffering=0); os.unlink('big'); held.append(f)\n"
        "    for _ in range(50): f.write(b'x' * 1_000_000)",
        "disk",
    ),
    "disk below any path": (
        "import os\nfor _ in range(70): os.mkdir('d' * 200); os.chdir('d' * 200)\nwhile True: pass",
        "disk",
    ),
    "disk by files mapped shared": (
        "import mmap\nheld = []\n"
        "for i in range(99):\n    f = open(f'm{i}', 'w+b'); f.truncate(55_000_000)\n"
        "    m = mmap.mmap(f.fileno(), 55_000_000); m.write(b'x' * 55_000_000); held.append(m)",
        "disk",
    ),
    "disk behind names that come and go": (
        "import os, threading\n"
        "def churn(k):\n"
        "    while True:\n"
        "        for j in range(60): open(f'c{k}-{j}', 'w').close(); os.unlink(f'c{k}-{j}')\n"
        "for k in range(6): threading.Thread(target=churn, args=(k,), daemon=True).start()\n"
        "n = 0\nwhile True:\n    n += 1; open(f'z{n}', 'wb').write(b'x' * 1_000_000)",
        "disk",
    ),
    "pipes full of data": (
        "import fcntl, os\nheld = []\n"
        "while True:\n    r, w = os.pipe(); held += [r, w]; fcntl.fcntl(w, 1031, 1048576)\n"
        "    os.set_blocking(w, False); os.write(w, b'x' * 1_000_000)",
        "memory",
    ),
    "endless folders": ("import os\nn = 0\nwhile True:\n    n += 1; os.mkdir(f'd{n}')", "disk"),
    "threads": (
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(1e6,)).start()",
        "timeout",  # the kernel refuses more threads; Python then waits for the existing ones
    ),
    "output flood": ("while True: print('x' * 10_000)", "timeout"),
    "error flood": (
        "import sys\nwhile True: sys.stderr.write('x' * 10_000)",
        "timeout",
    ),
}

#: Makes each system call that the filter denies, with arguments that no call accepts, and prints
#: ESCAPED with its name unless the filter refused it. Calls that take no arguments, and would do
#: harm if they were let through, are left out.
CALLS = (
    SYSCALL
    + """
import errno, platform
from edgewright.tools.sandbox import lockdown
column = 0 if platform.machine() == "x86_64" else 1
numbers = {name: pair[column] for name, pair in lockdown._DENIED.items()}
numbers |= lockdown._X86_ONLY if column == 0 else {}
made = 0
for name, number in numbers.items():
    if number is None or name in ("fork", "vfork", "vhangup"):
        continue
    made += 1
    try:
        syscall(number, -1, -1, -1, -1, -1, -1)
        print("ESCAPED", name)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.ENOSYS):
            print("ESCAPED", name, error)
print("made", made)
"""
)
