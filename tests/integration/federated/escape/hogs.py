# ruff: noqa: E501
"""Programs of the escape corpus that exhaust a resource; the kernel or the watcher must end them."""

#: With the fault that each must end with. A program that is refused what it wants ends by itself.
MEMORY: dict[str, str] = {
    "private memory": "hoard = []\nwhile True: hoard.append(bytearray(10_000_000))",
    "mapped memory": "hoard = []\n"
    "while True:\n    m = mmap.mmap(-1, 50_000_000); m.write(b'x' * 50_000_000); hoard.append(m)",
    "shared memory at once": "m = mmap.mmap(-1, 900_000_000)\n"
    "for at in range(0, 900_000_000, 4096): m[at] = 1",
    "locked memory": "libc.mlockall(7); hoard = []\nwhile True: hoard.append(bytearray(10_000_000))",
    "tables of empty pages": "hoard = []\n"
    "while True:\n"
    "    m = mmap.mmap(-1, 1 << 36, flags=0x4022, prot=1); hoard.append(m)\n"
    "    for at in range(0, 1 << 36, 1 << 21): m[at]",
    "pipes full of data": "held = []\n"
    "while True:\n"
    "    r, w = os.pipe(); held += [r, w]; os.set_blocking(w, False)\n"
    "    try: os.write(w, b'x' * 1_000_000)\n    except BlockingIOError: pass",
    "descriptors": "held = []\nwhile True: held.append(os.eventfd(0))",
}

TIME: dict[str, str] = {
    "endless loop": "while True: pass",
    "sleep": "time.sleep(1e6)",
    "one long call": "pow(7, 10**9)",
    "ignored signals": "import signal\n"
    "for n in range(1, 65):\n"
    "    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
    "while True: pass",
    "stopped by itself": "import signal; signal.raise_signal(signal.SIGSTOP); time.sleep(1e6)",
    "closed output": "for n in range(3): os.close(n)\ntime.sleep(1e6)",
    "output flood": "while True: print('x' * 10_000)",
    "error flood": "import sys\nwhile True: sys.stderr.write('x' * 10_000)",
    "lines without end": "while True: os.write(1, b'\\n' * 10_000)",
}

DISK: dict[str, str] = {
    "one file": "f = open('big', 'wb')\nwhile True: f.write(b'x' * 1_000_000)",
    "many files": "n = 0\nwhile True:\n    n += 1; open(f'f{n}', 'wb').write(b'x' * 1_000_000)",
    "files without a name": "held = []\n"
    "while True:\n    f = open('big', 'wb', buffering=0); os.unlink('big'); held.append(f)\n"
    "    for _ in range(50): f.write(b'x' * 1_000_000)",
    "files without a name, mapped alone": "held = []\n"
    "while True:\n    f = open('big', 'w+b'); os.unlink('big'); f.truncate(50_000_000)\n"
    "    m = mmap.mmap(f.fileno(), 50_000_000); m.write(b'x' * 50_000_000); held.append(m)\n"
    "    f.close()",
    "files without a name, mapped by a call": "n = 0\n"
    "for _ in range(200):\n"
    "    f = os.open('big', os.O_RDWR | os.O_CREAT); os.unlink('big'); syscall(9, 0, 4096, 1, 2, f, 0)\n"
    "    for _ in range(40): os.write(f, b'x' * 1_000_000)\n"
    "    os.close(f)",
    "below any path": "for _ in range(70): os.mkdir('d' * 200); os.chdir('d' * 200)\nwhile True: pass",
    "files mapped shared": "held = []\n"
    "for i in range(99):\n    f = open(f'm{i}', 'w+b'); f.truncate(55_000_000)\n"
    "    m = mmap.mmap(f.fileno(), 55_000_000); m.write(b'x' * 55_000_000); held.append(m)",
    "behind names that come and go": "import threading\n"
    "def churn(k):\n"
    "    while True:\n"
    "        for j in range(60): open(f'c{k}-{j}', 'w').close(); os.unlink(f'c{k}-{j}')\n"
    "for k in range(6): threading.Thread(target=churn, args=(k,), daemon=True).start()\n"
    "n = 0\nwhile True:\n    n += 1; open(f'z{n}', 'wb').write(b'x' * 1_000_000)",
    "behind folders that move": "import threading\nos.mkdir('a'); os.mkdir('b')\n"
    "def move():\n    while True: os.rename('a', 'b/a'); os.rename('b/a', 'a')\n"
    "threading.Thread(target=move, daemon=True).start()\n"
    "n = 0\n"
    "while True:\n"
    "    n += 1\n"
    "    try: open(f'a/f{n}', 'wb').write(b'x' * 1_000_000)\n    except OSError: pass",
    "in the kernel": "f = open('first', 'wb'); f.write(b'x' * 50_000_000); f.close(); n = 0\n"
    "while True:\n"
    "    n += 1; a = os.open('first', os.O_RDONLY); b = os.open(f'f{n}', os.O_WRONLY | os.O_CREAT)\n"
    "    os.sendfile(b, a, 0, 50_000_000)",
    "endless folders": "n = 0\nwhile True:\n    n += 1; os.mkdir(f'd{n}')",
    "endless files": "n = 0\nwhile True:\n    n += 1; open(f'e{n}', 'w').close()",
    "long names": "n = 0\nwhile True:\n    n += 1; open(f'{n:0250}', 'w').close()",
}

#: More threads than the kernel or the watcher allows. Python waits for those that there are.
TASKS: dict[str, str] = {
    "threads": "import threading; threading.stack_size(65_536)\n"
    "while True: threading.Thread(target=time.sleep, args=(1e6,)).start()",
}
