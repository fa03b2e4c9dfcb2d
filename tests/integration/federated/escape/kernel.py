# ruff: noqa: E501
"""Probes of the escape corpus: namespaces, the kernel's own interfaces and the machine."""

#: Numbers are those of x86-64; a probe changes nothing, but for what belongs to its process.
KERNEL: dict[str, str] = {
    "user namespace": "syscall(272, 0x10000000)",
    "mount namespace": "syscall(272, 0x00020000)",
    "network namespace": "syscall(272, 0x40000000)",
    "nested namespaces by clone": "syscall(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "join a namespace": "syscall(308, os.open('/proc/self/ns/uts', os.O_RDONLY), 0)",
    "namespaces of the victim": "syscall(308, os.open('/proc/$VICTIM/ns/mnt', os.O_RDONLY), 0)",
    "mount": "syscall(165, b'none', b'.', b'tmpfs', 0, 0); syscall(166, b'.', 2)",
    "mount of a folder": "syscall(165, b'/', b'.', 0, 4096, 0); syscall(166, b'.', 2)",
    "new kind of mount": "syscall(430, b'tmpfs', 0)",
    "copy of a mount": "syscall(428, -100, b'/', 1)",
    "copy of a mount with attributes": "syscall(467, -100, b'/', 1, ctypes.create_string_buffer(32), 32)",
    "change of a mount": "syscall(442, -100, b'.', 0, ctypes.create_string_buffer(32), 32)",
    "list of mounts": "syscall(458, (ctypes.c_uint64 * 3)(24, 2**64 - 1), (ctypes.c_uint64 * 64)(), 64, 0)",
    "mounts of the host": "assert ' / ' in open('/proc/self/mounts').read() and 'cgroup' in open('/proc/self/mounts').read()",
    "chroot": "os.chroot('.')",
    "io_uring": "syscall(425, 8, ctypes.create_string_buffer(200))",
    "asynchronous input and output": "syscall(206, 1000, (ctypes.c_ulong * 1)())",
    "bpf": "syscall(321, 0, (ctypes.c_uint32 * 18)(2, 4, 4, 1), 72)",
    "keyring": "syscall(250, 0, -3, 1)",
    "key": "syscall(248, b'user', b'edgewright', b'x', 1, -2)",
    "perf": "a = ctypes.create_string_buffer(128); ctypes.memmove(a, (ctypes.c_uint32 * 2)(1, 128), 8)\n"
    "syscall(298, a, 0, -1, -1, 0)",
    "userfaultfd": "syscall(323, 0)",
    "capabilities": "import re; assert re.search('CapEff:.*[1-9a-f]', open('/proc/self/status').read())",
    "capability to raise": "libc.prctl(24, 0, 0, 0, 0) and 1 / 0; h = (ctypes.c_uint32 * 2)(0x20080522, 0)\n"
    "syscall(126, h, (ctypes.c_uint32 * 6)(0x200000, 0x200000))",
    "take the filter off": "libc.prctl(22, 0, 0, 0, 0); syscall(41, 2, 1, 0)",
    "32-bit system calls": "c = mmap.mmap(-1, 4096, prot=7)\n"
    "c.write(bytes.fromhex('b814000000cd80c3'))  # getpid by int 0x80\n"
    "f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(c))); assert f() == os.getpid()",
    "secret memory": "syscall(447, 0)",
    "memory in huge pages": "try: syscall(9, 0, 1 << 21, 3, 0x40022, -1, 0)\n"
    "except OSError as e:\n    if e.errno != 12: raise  # the kernel was asked, and has none free",
    "a larger pipe": "fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)",
    "timers without end": "for _ in range(20_000): syscall(222, 1, 0, (ctypes.c_int * 1)())",
    "memory of another node": "syscall(256, $VICTIM, 8, (ctypes.c_ulong * 1)(1), (ctypes.c_ulong * 1)(1))",
    "other personality": "syscall(135, 0x0400000)",
    "local descriptors": "syscall(154, 0, ctypes.create_string_buffer(16), 16)",
    "ports of the machine": "try: syscall(172, 3)\n"
    "except OSError as e:\n    if e.errno != 38: raise  # this kernel has no such call",
    "host name": "socket.sethostname(socket.gethostname())",
    "domain name": "n = open('/proc/sys/kernel/domainname', 'rb').read().strip(); syscall(171, n, len(n))",
    "clock": "time.clock_settime(time.CLOCK_REALTIME, time.time())",
    "clock by the older call": "t = time.time_ns() // 1000; syscall(164, (ctypes.c_long * 2)(*divmod(t, 10**6)), 0)",
    "speed of the clock": "t = (ctypes.c_uint64 * 26)(); syscall(159, t); t[0] = 2; syscall(159, t)",
    "speed of a clock": "t = (ctypes.c_uint64 * 26)(); syscall(305, 0, t); t[0] = 2; syscall(305, 0, t)",
    "log of the kernel": "syscall(103, 3, ctypes.create_string_buffer(99), 99)",
    "write to the log of the kernel": "os.open('/dev/kmsg', os.O_WRONLY)",
    "flush the machine's disks": "syscall(162)",
    "quota": "syscall(179, 0x80000100, 0, 0, 0)",
    "another identity": "os.setuid(12345)",
    "another group": "os.setgid(12345)",
    "other groups": "os.setgroups([12345])",
}

#: Makes each system call that the filter denies, with arguments that no call accepts, and prints how
#: many it made, and which of them the filter let through. Calls that take no arguments, and would do
#: harm if they were let through, are left out.
CALLS = """
import errno, platform
from edgewright.tools.sandbox import lockdown
column = 0 if platform.machine() == "x86_64" else 1
numbers = {name: pair[column] for name, pair in lockdown._DENIED.items()}
numbers |= lockdown._X86_ONLY if column == 0 else {}
numbers |= {str(number): number for number in range(lockdown._FIRST_UNKNOWN, 480)}
for name in ("fork", "vfork", "vhangup", "sync"):
    numbers.pop(name, None)
let_through = []
for name, number in numbers.items():
    try:
        syscall(number, -1, -1, -1, -1, -1, -1)
        let_through.append(name)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS):
            let_through.append(name)
print("made", len(numbers), "let through", *let_through)
"""
