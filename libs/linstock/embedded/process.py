"""A server process that is our child: it cannot outlive us, and never holds our pipes or terminal.

`ServerProcess` starts, stops and kills one; `survivors` finds what an earlier, killed run left behind.
Linux only: parent-death signals and /proc.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from linstock.embedded.account import Account

POLL_S = 0.01
LOG_LIMIT_BYTES = 5 * 1024 * 1024

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_LINUX_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class ServerFailed(Exception):
    """{name} did not start: {reason}. Its log: {log}"""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        self.name, self.reason, self.log = name, reason, log
        super().__init__((self.__doc__ or "").format(name=name, reason=reason, log=log))


class ServerProcess:
    """One child. Call `spawn` from a thread that lives as long as the server should: Linux ends the child
    with the *thread* that made it."""

    def __init__(self, name: str, *, home: Path, log: Path, death_signal: signal.Signals) -> None:
        self.name, self.home, self.log = name, home, log
        self._death_signal = death_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The pid while the process runs, else None."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def returncode(self) -> int | None:
        return None if self._child is None else self._child.poll()

    def spawn(self, argv: Sequence[str | Path], account: Account | None = None) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches us and not the server."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [os.fspath(word) for word in argv],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before_exec(self._death_signal, account),
            )

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Return when `ready()`; `ServerFailed` when the process ends first or the time is up."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if self.pid is None:
                raise ServerFailed(self.name, f"it ended with code {self.returncode}: {self._last_words()}", self.log)
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(self.name, f"not ready after {timeout_s:g} s: {self._last_words()}", self.log)
            time.sleep(POLL_S)

    def stop(self, how: signal.Signals, timeout_s: float) -> None:
        """Ask with `how`, wait, kill at the end of the time. Safe to call twice or before `spawn`."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(how)
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9, and wait for it to be gone."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it said nothing"


def before_exec(death_signal: signal.Signals, account: Account | None = None) -> Callable[[], None]:
    """What the child does between fork and exec: drop to `account`, then tie its life to ours."""
    parent = os.getpid()

    def tie() -> None:
        if account is not None:
            _drop_to(account)
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)  # after the drop: changing uid clears it
        if os.getppid() != parent:
            os._exit(1)  # we died before the line above

    return tie


def _drop_to(account: Account) -> None:
    if account.pierce:
        _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    if account.pierce:
        # Opening root's folders to everybody would be the other way; keeping one capability changes no
        # file. Read-only where the kernel lets us, else the one that containers grant by default.
        for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
            if _keep(capability):
                return


def _keep(capability: int) -> bool:
    bits = 1 << capability
    header = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)
    if _libc.capset(header, sets) != 0:
        return False
    return bool(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


def survivors(home: Path) -> Iterator[int]:
    """Pids of processes whose working directory is `home`: each server of ours runs in its own."""
    wanted = os.path.realpath(home)
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if os.readlink(f"/proc/{entry.name}/cwd") == wanted:
                yield int(entry.name)
        except OSError:
            continue  # gone, a zombie, or another user's: not ours


def end_survivors(home: Path, program: str, how: signal.Signals, timeout_s: float = 10.0) -> None:
    """End what a killed run left running in `home`, so that two servers never share the files."""
    deadline = time.monotonic() + timeout_s
    while left := [pid for pid in survivors(home) if _program(pid) == program]:
        late = time.monotonic() > deadline
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL if late else how)
            except ProcessLookupError:
                continue
        time.sleep(POLL_S * 5)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
