# ruff: noqa: E501
"""Probes of the escape corpus: other processes, what they share, and the network."""

#: Learning about processes outside, or doing something to them.
PROCESSES: dict[str, str] = {
    "list processes": "assert '$VICTIM' in os.listdir('/proc')",
    "environment": "print(dict(os.environ))\nassert os.environ['EDGEWRIGHT_CANARY']",
    "parent's environment": "print(open(f'/proc/{os.getppid()}/environ').read()); assert os.getppid() > 1",
    "first environment of this process": "assert b'CANARY' in open('/proc/self/environ', 'rb').read()",
    "victim's environment": "print(open('/proc/$VICTIM/environ').read())",
    "victim's files": "print(open('/proc/$VICTIM/root' + '$SECRET').read())",
    "victim's working folder": "os.listdir('/proc/$VICTIM/cwd')",
    "victim's memory": "open('/proc/$VICTIM/mem', 'r+b')",
    "victim's memory by a call": "b = ctypes.create_string_buffer(8); own = (ctypes.c_size_t * 2)(ctypes.addressof(b), 8)\n"
    "start = int(open('/proc/$VICTIM/maps').read().split('-')[0], 16); of = (ctypes.c_size_t * 2)(start, 8)\n"
    "syscall(310, $VICTIM, own, 1, of, 1, 0)",
    "victim's command line": "assert open('/proc/$VICTIM/cmdline').read()",
    "victim's place before memory runs out": "open('/proc/$VICTIM/oom_score_adj', 'r+')",
    "own place before memory runs out": "open('/proc/self/oom_score_adj', 'w').write('-900')",
    "trace the victim": "syscall(101, 0x4206, $VICTIM, 0, 0)",
    "be traced": "syscall(101, 0, 0, 0, 0)",
    "kill the victim": "os.kill($VICTIM, 9)",
    "kill by pidfd": "import signal; signal.pidfd_send_signal(os.pidfd_open($VICTIM), 9)",
    "kill the victim's thread": "syscall(234, $VICTIM, $VICTIM, 9)",
    "kill the victim's thread by its id": "syscall(200, $VICTIM, 9)",
    "kill all": "os.kill(-1, 0)",
    "stop the victim": "import signal; os.kill($VICTIM, signal.SIGSTOP)",
    "signal the parent": "os.kill(os.getppid(), 0); assert os.getppid() > 1",
    "signal the group": "os.killpg(os.getpgid(os.getppid()), 0); assert os.getppid() > 1",
    "queue the victim a signal": "b = ctypes.create_string_buffer(128)\n"
    "ctypes.memmove(b, (ctypes.c_int * 3)(10, 0, -1), 12); syscall(129, $VICTIM, 10, b)",
    "queue the victim's thread a signal": "b = ctypes.create_string_buffer(128)\n"
    "ctypes.memmove(b, (ctypes.c_int * 3)(10, 0, -1), 12); syscall(297, $VICTIM, $VICTIM, 10, b)",
    "victim's descriptors": "syscall(438, os.pidfd_open($VICTIM), 0, 0)",
    "victim's limits": "resource.prlimit($VICTIM, resource.RLIMIT_NOFILE, (5, 5))",
    "read the victim's limits": "resource.prlimit($VICTIM, resource.RLIMIT_NOFILE)",
    "victim's priority": "os.setpriority(os.PRIO_PROCESS, $VICTIM, 19)",
    "victim's disk priority": "syscall(251, 1, $VICTIM, 3 << 13)",
    "victim's scheduling": "os.sched_setscheduler($VICTIM, os.SCHED_IDLE, os.sched_param(0))",
    "victim's processors": "os.sched_setaffinity($VICTIM, {0})",
    "victim's pages": "syscall(279, $VICTIM, 0, 0, 0, 0, 0)",
    "advice on the victim's memory": "start = int(open('/proc/$VICTIM/maps').read().split('-')[0], 16)\n"
    "syscall(440, os.pidfd_open($VICTIM), (ctypes.c_size_t * 2)(start, 4096), 1, 20, 0)",
    "compare with the victim": "syscall(312, os.getpid(), $VICTIM, 2, 0, 0)",
    "own limits raised": "resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))",
    "own limits raised by the older call": "syscall(160, 2, (ctypes.c_ulong * 2)(2**40, 2**40))",
    "real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
    "outlive the host": "syscall(157, 1, 0, 0, 0, 0)",
    "session of its own": "if os.fork() == 0: os.setsid(); print('ESCAPED', flush=True); os._exit(0)\nos.wait()",
    "fork": "os.fork()",
    "vfork": "syscall(56, 0x4100 | 17, 0, 0, 0, 0)",
    "clone3": "arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17); syscall(435, arguments, 88)",
    "run a shell": "import subprocess; subprocess.run(['/bin/sh', '-c', 'true'], check=True)",
    "exec": "os.execv('/bin/echo', ['echo', 'ESCAPED'])",
    "exec Python": "import sys; os.execv(sys.executable, [sys.executable, '-S', '-c', 'print(\"ESCAPED\")'])",
    "exec by descriptor": "import sys; f = os.open(sys.executable, os.O_RDONLY)\n"
    "a = (ctypes.c_char_p * 5)(b'x', b'-S', b'-c', b'print(\"ESCAPED\")')\n"
    "syscall(322, f, b'', a, 0, 0x1000)",
    "memory as a program": "os.memfd_create('x')",
    "multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process(target=int); p.start(); p.join()",
}

#: Every target is a socket, segment or queue of the test.
CHANNELS: dict[str, str] = {
    "tcp": "socket.create_connection(('127.0.0.1', $TCP), 2)",
    "tcp fast open": "s = socket.socket(); s.sendto(b'x', 0x20000000, ('127.0.0.1', $TCP))",
    "tcp over ipv6": "s = socket.socket(socket.AF_INET6); s.connect(('::ffff:127.0.0.1', $TCP))",
    "udp": "s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'x', ('127.0.0.1', $UDP))",
    "udp with a name": "s = socket.socket(type=socket.SOCK_DGRAM); s.connect(('127.0.0.1', $UDP)); s.send(b'x')",
    "multipath tcp": "s = socket.socket(proto=262); s.connect(('127.0.0.1', $TCP))",
    "raw socket": "socket.socket(type=socket.SOCK_RAW, proto=1)",
    "packet socket": "socket.socket(17, socket.SOCK_RAW, 3)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "vsock": "socket.socket(40, socket.SOCK_STREAM)",
    "unix socket": "socket.socket(socket.AF_UNIX).connect('$UNIX')",
    "abstract unix socket": "socket.socket(socket.AF_UNIX).connect('\\0$ABSTRACT')",
    "own abstract name": "s = socket.socket(socket.AF_UNIX); s.bind('\\0edgewright-probe')",
    "socket pair": "socket.socketpair()",
    "listen": "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()",
    "inherited descriptor": "print(os.pread($INHERITED, 99, 0))",
    "inherited descriptors": "import contextlib\nkinds = []\n"
    "for n in range(3, 256):\n"
    "    with contextlib.suppress(OSError): kinds.append(os.readlink(f'/proc/self/fd/{n}'))\n"
    "assert any('socket' in kind or 'secret' in kind for kind in kinds)",
    "shared memory": "syscall(31, syscall(29, 0, 4096, 0o1600), 0, 0)",
    "shared memory of the host": "print(ctypes.string_at(syscall(30, $SEGMENT, 0, 0x1000)))",
    "remove the host's shared memory": "syscall(31, $SEGMENT, 0, 0)",
    "message queue": "syscall(71, syscall(68, 0, 0o1600), 0, 0)",
    "message to the host": "syscall(69, $MESSAGES, (ctypes.c_long * 2)(1, 1), 8, 0o4000)",
    "remove the host's messages": "syscall(71, $MESSAGES, 0, 0)",
    "semaphore": "syscall(66, syscall(64, 0, 1, 0o1600), 0, 0, 0)",
    "take the host's semaphore": "syscall(65, $SEMAPHORES, (ctypes.c_short * 3)(0, 1, 0o4000), 1)",
    "remove the host's semaphores": "syscall(66, $SEMAPHORES, 0, 0, 0)",
    "queue by name": "syscall(240, b'edgewright-own', 0o100 | 2, 0o600, 0); syscall(241, b'edgewright-own')",
    "queue of the host": "syscall(240, b'$QUEUE', 0o4002, 0, 0)",
    "remove the host's queue": "syscall(241, b'$QUEUE')",
    "input for a terminal": "fcntl.ioctl(os.open('$PTY', os.O_RDWR | os.O_NOCTTY), 0x5412, b'x')",
    "terminal of its own": "os.openpty()",
    "terminals of others": "os.open('$PTY', os.O_RDWR | os.O_NOCTTY)",
}
