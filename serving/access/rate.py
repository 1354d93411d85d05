"""How often, how much and how many at the same time each key may ask, counted by each process for itself.

A key may thus make as many requests a minute as its limit times the number of processes; the limits keep one caller
from occupying a process, and need no store that every request would wait for.
"""

import math
import time
from collections import Counter

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from serving.access.caller import Caller
from serving.errors import TooManyError


class RateLimit:
    """Counts the requests and bytes of each key in windows of a minute, which begin with a key's first request.

    Args:
        per_minute: Requests in a minute of a key that has no limit of its own.
        bytes_per_minute: Bytes of bodies in a minute of any key.
        at_once: Requests of a key at the same time.
    """

    def __init__(self, per_minute: int, bytes_per_minute: int, at_once: int) -> None:
        self._default = per_minute
        self._bytes = RateLimitItemPerMinute(bytes_per_minute, namespace="BYTES")
        self._at_once = at_once
        self._under_way: Counter[str] = Counter()
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, caller: Caller) -> dict[str, str]:
        """Counts one request and returns the headers that say how many are left.

        They are `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10: `q` requests in `w`
        seconds; `r` are left, and after `t` seconds there are `q` again.

        Raises:
            TooManyError: The key has no requests left.
        """
        limit = RateLimitItemPerMinute(caller.per_minute or self._default)
        allowed = self._limiter.hit(limit, caller.key_id)
        window = self._limiter.get_window_stats(limit, caller.key_id)
        seconds = _until(window.reset_time)
        headers = {
            "RateLimit-Policy": f'"minute";q={limit.amount};w=60',
            "RateLimit": f'"minute";r={max(0, window.remaining)};t={seconds}',
        }
        if not allowed:
            sentence = f"this key may make {limit.amount} requests a minute; go on in {seconds} s"
            raise TooManyError(sentence, {**headers, "Retry-After": str(seconds)})
        return headers

    def count_bytes(self, caller: Caller, size: int) -> None:
        """Counts bytes of a body, before they are read where its length is known.

        Raises:
            TooManyError: The key has sent as many as it may.
        """
        if self._limiter.hit(self._bytes, caller.key_id, cost=size):
            return
        seconds = _until(self._limiter.get_window_stats(self._bytes, caller.key_id).reset_time)
        sentence = f"this key may send {self._bytes.amount:,} bytes of bodies a minute; go on in {seconds} s"
        raise TooManyError(sentence, {"Retry-After": str(seconds)})

    def begin(self, caller: Caller) -> None:
        """Counts a request as under way until `end`.

        Raises:
            TooManyError: As many of the key are under way as it may have at the same time.
        """
        if self._under_way[caller.key_id] >= self._at_once:
            sentence = f"this key may have {self._at_once} requests under way at the same time; go on in a second"
            raise TooManyError(sentence, {"Retry-After": "1"})
        self._under_way[caller.key_id] += 1

    def end(self, caller: Caller) -> None:
        """Ends what `begin` counted."""
        self._under_way[caller.key_id] -= 1


def _until(moment: float) -> int:
    """Whole seconds until a moment, at least one."""
    return max(1, math.ceil(moment - time.time()))
