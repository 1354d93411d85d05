"""A clock that can be moved while a service runs: a library between it and the system's clock."""

import struct
import subprocess
from pathlib import Path

from features.errors import InputError

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *offset;

static long long ahead(void) {
    if (!offset) {
        const char *path = getenv("MOVED_CLOCK");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file < 0) return 0;
        void *at = mmap(0, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
        close(file);
        if (at == MAP_FAILED) return 0;
        offset = at;
    }
    return *offset;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(which, now);
    if (!failed && which == CLOCK_REALTIME) now->tv_sec += ahead();
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (out) *out = exact.tv_sec;
    return exact.tv_sec;
}
"""
"""The time of day is ahead by the seconds in a file; clocks that only measure how long something takes stay right."""


class MovedClock:
    """The library and its file in a folder.

    Args:
        folder: Where both are made.

    Raises:
        InputError: There is no C compiler.
    """

    def __init__(self, folder: Path) -> None:
        self._offset, self._library = folder / "offset", folder / "clock.so"
        self.move(0)
        source = folder / "clock.c"
        source.write_text(SOURCE, encoding="utf-8")
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(source), "-ldl"]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own source
        except (OSError, subprocess.CalledProcessError) as error:
            raise InputError("the moved clock needs a C compiler; install one that is called `cc`") from error

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process whose clock it is."""
        return {"LD_PRELOAD": str(self._library), "MOVED_CLOCK": str(self._offset)}

    def move(self, seconds: int) -> None:
        """Sets how far the clock is ahead of the system's; at once, for every process."""
        if not self._offset.exists():
            self._offset.write_bytes(bytes(8))
        with self._offset.open("r+b") as file:
            file.write(struct.pack("q", seconds))
