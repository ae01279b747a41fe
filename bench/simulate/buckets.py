"""What holds requests back, on a virtual clock: a token bucket, a quota for a window of time, and workers that do one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Bucket:
    """`burst` at once, then `rate` a second. Each request is told when it may pass, in the order in which they are made."""

    burst: float
    rate: float
    full_at: float = 0.0
    """When the bucket would be full again, if nobody came."""
    peak_wait: float = 0.0

    def wait_for(self, count: float, now: float) -> float:
        """How long `count` requests would wait until the last of them may pass."""
        return max(0.0, max(self.full_at, now) + count / self.rate - self.burst / self.rate - now)

    def within(self, seconds: float, now: float) -> float:
        """How many requests may pass in so many seconds from now."""
        return max(0.0, (seconds + self.burst / self.rate + now - max(self.full_at, now)) * self.rate)

    def take(self, count: float, now: float) -> float:
        """Take so many; when the last of them passes."""
        wait = self.wait_for(count, now)
        self.full_at = max(self.full_at, now) + count / self.rate
        self.peak_wait = max(self.peak_wait, wait)
        return now + wait


@dataclass
class Window:
    """`most` in a window of `seconds`; the next window begins with the first request after the last one's end."""

    most: float
    seconds: float
    began: float = float("-inf")
    used: float = 0.0

    def wait_for(self, count: float, now: float) -> float:
        began, used = self._at(now)
        windows = 0
        while used + count > self.most + 1e-9:
            count, used, windows = count - (self.most - used), 0.0, windows + 1
        return max(0.0, began + windows * self.seconds - now)

    def within(self, seconds: float, now: float) -> float:
        began, used = self._at(now)
        if began > now + seconds:
            return 0.0
        return self.most - used + (now + seconds - began) // self.seconds * self.most

    def take(self, count: float, now: float) -> float:
        at = now + self.wait_for(count, now)
        began, used = self._at(now)
        while used + count > self.most + 1e-9:
            count, used, began = count - (self.most - used), 0.0, began + self.seconds
        self.began, self.used = began, used + count
        return at

    def _at(self, now: float) -> tuple[float, float]:
        return (self.began, self.used) if now < self.began + self.seconds else (now, 0.0)


@dataclass
class Workers:
    """So many workers; work begins when the first of them is free."""

    count: int
    free_at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free_at = [0.0] * self.count

    def work(self, seconds: float, now: float) -> float:
        """When the work is done."""
        first = min(range(self.count), key=self.free_at.__getitem__)
        done = max(now, self.free_at[first]) + seconds
        self.free_at[first] = done
        return done
