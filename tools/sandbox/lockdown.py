"""The second layer of confinement: irrevocable resource limits and a system-call filter.

The sandbox around the process controls its access to files and the network. This module closes what
the sandbox leaves open, in particular to a process that runs as root, before any generated code is
imported. First it drops all capabilities, so that root has no special rights. Then it installs a
filter that denies what any user may do otherwise: no sockets of any family, no new processes or
programs, no changes of owners, modes, times, flags or limits, no device files, links or locks, no
changes of priorities, no tracing, no namespaces, and no call that is younger than the filter.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import resource
import struct
from collections.abc import Collection

# System calls with their numbers on x86_64 and aarch64; None where a call does not exist.
_DENIED: dict[str, tuple[int | None, int]] = {
    # network
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "sendto": (44, 206), "io_uring_setup": (425, 425),
    # processes and programs
    "execve": (59, 221), "execveat": (322, 281), "setsid": (112, 157), "setpgid": (109, 154),
    "kill": (62, 129), "tkill": (200, 130), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "personality": (135, 92),
    # files: owners, modes, times, attributes, links, devices
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchown": (93, 55),
    "fchownat": (260, 54), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "mknodat": (259, 33), "symlinkat": (266, 36), "linkat": (265, 37),
    # files: locks, which also those may take that only read, and space beyond the largest file
    "flock": (73, 32), "fallocate": (285, 47),
    # memory that no limit covers, and objects that outlive the process or are others'
    "memfd_create": (319, 279), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "io_setup": (206, 0),
    # the machine
    "setrlimit": (160, 164), "mount": (165, 40), "umount2": (166, 39), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "open_tree": (428, 428), "move_mount": (429, 429),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "pivot_root": (155, 41), "chroot": (161, 51), "capset": (126, 91), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "fanotify_init": (300, 262),
    "clock_settime": (227, 112), "clock_adjtime": (305, 266), "settimeofday": (164, 170),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162),
    "reboot": (169, 142), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "syslog": (103, 116), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "memfd_secret": (447, 447),
    "renameat2": (316, 276), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "fanotify_mark": (301, 263), "sync": (162, 81), "syncfs": (306, 267), "vhangup": (153, 58),
    "kcmp": (312, 272), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "quotactl_fd": (443, 443), "lookup_dcookie": (212, 18), "openat2": (437, 437),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "setuid": (105, 146),
    "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159),
}  # fmt: skip
#: Older calls that do not exist on aarch64.
_X86_ONLY = {
    "fork": 57, "vfork": 58, "chmod": 90, "chown": 92, "lchown": 94, "utime": 132, "utimes": 235,
    "futimesat": 261, "mknod": 133, "symlink": 88, "link": 86, "iopl": 172, "ioperm": 173,
    "modify_ldt": 154, "inotify_init": 253, "uselib": 134, "ustat": 136, "sysfs": 139,
}  # fmt: skip
#: The first number of calls that came after Linux 6.4. No library needs any of them.
_FIRST_UNKNOWN = 451
_CLONE, _CLONE3, _PRLIMIT, _MMAP = (56, 220), (435, 435), (302, 261), (9, 222)
_OPENAT, _OPEN, _FCNTL, _IOCTL, _PRCTL = (257, 56), 2, (72, 25), (16, 29), (157, 167)
_O_TMPFILE = 0x400000
_MAP_HUGETLB = 0x40000
#: Locks, leases, which make the host's opening of a file wait, signals about files of others, and
#: pipes that take up what the user's other programs may have.
_FCNTL_DENIED = {"F_SETLK": 6, "F_SETLKW": 7, "F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15,
                 "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38, "F_SETLEASE": 1024, "F_NOTIFY": 1026,
                 "F_SETPIPE_SZ": 1031}  # fmt: skip
#: What Python does with any descriptor. Others set flags of files, of the readable ones too, or
#: control devices and terminals.
_IOCTL_ALLOWED = {"TCGETS": 0x5401, "TIOCGWINSZ": 0x5413, "FIONREAD": 0x541B, "FIONBIO": 0x5421,
                  "FIONCLEX": 0x5450, "FIOCLEX": 0x5451}  # fmt: skip
_PR_SET_PDEATHSIG = 1
#: What libraries and files may take of the address space. Its tables need memory even where it is
#: empty, and that counts as nobody's.
_MAPPED_BYTES = 64_000_000_000
#: Signals and timers that wait, of which a user has a number.
_MAX_PENDING = 1000

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_CLONE_THREAD = 0x10000
_X32_BIT = 0x40000000

# Classic BPF: opcode, jump if true, jump if false, operand.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24
_LAST_CAPABILITY = 63
_CAPSET = (126, 91)
_CAPABILITY_VERSION_3 = 0x20080522
_SECCOMP = (317, 277)
_SET_MODE_FILTER, _TSYNC = 1, 1

Instruction = tuple[int, int, int, int]


def lock_down(*, memory_bytes: int, file_bytes: int, open_files: int) -> None:
    """Limit this process and all its threads irrevocably.

    Args:
        memory_bytes: Maximum private writable memory.
        file_bytes: Maximum size of a single file.
        open_files: Maximum number of file descriptors.

    Raises:
        OSError: The kernel refused; no generated code may run then.
    """
    for limit, value in (
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_AS, memory_bytes + _MAPPED_BYTES),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_SIGPENDING, _MAX_PENDING),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no system-call filter for {machine}")
    column, audit_arch = _ARCHITECTURES[machine]
    libc = ctypes.CDLL(None, use_errno=True)
    _drop_capabilities(libc, column)
    _install(libc, column, _filter(column, audit_arch))


def _drop_capabilities(libc: ctypes.CDLL, column: int) -> None:
    for capability in range(_LAST_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # unknown capabilities are refused
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    if libc.syscall(_CAPSET[column], header, bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities could not be dropped")


def _filter(column: int, audit_arch: int) -> list[Instruction]:
    numbers = [pair[column] for pair in _DENIED.values()]
    if column == 0:
        numbers += list(_X86_ONLY.values())
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, audit_arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_SET, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL),
        (_JUMP_AT_LEAST, 0, 1, _FIRST_UNKNOWN),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for number in numbers:
        if number is not None:
            program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    # With ENOSYS, the C library falls back to the older clone call, whose flags can be inspected.
    program += [(_JUMP_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    program += _only_if_set(_CLONE[column], argument=0, bits=_CLONE_THREAD)
    # A file without a name takes space that no listing shows.
    program += _unless_set(_OPENAT[column], argument=2, bits=_O_TMPFILE)
    if column == 0:
        program += _unless_set(_OPEN, argument=1, bits=_O_TMPFILE)
    # Huge pages are the machine's own, and count nowhere.
    program += _unless_set(_MMAP[column], argument=3, bits=_MAP_HUGETLB)
    program += _by_value(_FCNTL[column], argument=1, denied=_FCNTL_DENIED.values())
    program += _by_value(_IOCTL[column], argument=1, allowed=_IOCTL_ALLOWED.values())
    # It has to end with its parent.
    program += _by_value(_PRCTL[column], argument=0, denied=(_PR_SET_PDEATHSIG,))
    # Limits may only be read, and only those of this process.
    program += _only_if_zero(_PRLIMIT[column], arguments=(0, 2))
    return [*program, (_RETURN, 0, 0, _ALLOW)]


def _only_if_set(number: int, *, argument: int, bits: int) -> list[Instruction]:
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_JUMP_SET, 0, 1, bits),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]


def _unless_set(number: int, *, argument: int, bits: int) -> list[Instruction]:
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_JUMP_SET, 1, 0, bits),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]


def _by_value(
    number: int, *, argument: int, denied: Collection[int] = (), allowed: Collection[int] = ()
) -> list[Instruction]:
    """Deny a call if an argument has one of these values, or unless it has."""
    values = denied or allowed
    outcomes: list[Instruction] = [
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    checks: list[Instruction] = [
        (_JUMP_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)
    ]
    return [
        (_JUMP_EQUAL, 0, len(checks) + 3, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        *checks,
        *(outcomes if denied else reversed(outcomes)),
    ]


def _only_if_zero(number: int, *, arguments: tuple[int, ...]) -> list[Instruction]:
    words = [_ARGUMENTS + 8 * argument + half for argument in arguments for half in (0, 4)]
    checks: list[Instruction] = []
    for left, word in zip(range(len(words) - 1, -1, -1), words, strict=True):
        checks += [(_LOAD, 0, 0, word), (_JUMP_EQUAL, 0, 2 * left + 1, 0)]
    return [
        (_JUMP_EQUAL, 0, len(checks) + 2, number),
        *checks,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]


def _install(libc: ctypes.CDLL, column: int, program: list[Instruction]) -> None:
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    # TSYNC also filters running threads; a result other than 0 is the id of a thread it could not.
    if libc.syscall(_SECCOMP[column], _SET_MODE_FILTER, _TSYNC, header) != 0:
        raise OSError(ctypes.get_errno(), "the system-call filter was refused")
