"""The rate limit of each key, counted by each process for itself.

A key may thus make as many requests a minute as its limit times the number of processes; the limit keeps one caller
from occupying a process, and needs no store that every request would wait for.
"""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from serving.access.caller import Caller
from serving.errors import TooManyError


class RateLimit:
    """Counts the requests of each key in windows of a minute, which begin with a key's first request.

    Args:
        per_minute: The limit of a key that has none of its own.
    """

    def __init__(self, per_minute: int) -> None:
        self._default = per_minute
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
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        headers = {
            "RateLimit-Policy": f'"minute";q={limit.amount};w=60',
            "RateLimit": f'"minute";r={max(0, window.remaining)};t={seconds}',
        }
        if not allowed:
            sentence = f"this key may make {limit.amount} requests a minute; go on in {seconds} s"
            raise TooManyError(sentence, {**headers, "Retry-After": str(seconds)})
        return headers
