"""The connections of a generator process: opened before the clock, kept, replaced."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Sequence
from typing import Any

from engine.llm.errors import ProviderError
from engine.net import BlockedAddress, UnknownHost, connect_addresses
from engine.speed.load.slot import Slot
from engine.speed.load.work import Share

# So many are opened at once when a backlog asks for more.
_AT_ONCE = 64


class Connections:
    """All slots of a share; `failure` is the last error of one that could not be had,
    `stamped` says that the kernel notes when bytes come.

    The owner hands each readiness event of a slot that carries nothing to `settled`.
    """

    def __init__(self, share: Share, poll: select.epoll) -> None:
        self._share, self._poll = share, poll
        self._idle: deque[Slot] = deque()
        self._opening: set[Slot] = set()
        self._refused = 0
        self._addresses: Sequence[tuple[int, Any]] = ()
        self.slots: dict[int, Slot] = {}
        self.stamped = False
        self.failure = ProviderError("connect", "No connection could be made.")

    @property
    def opening(self) -> int:
        """How many are being opened."""
        return len(self._opening)

    @property
    def idle(self) -> int:
        """How many stand and carry nothing."""
        return len(self._idle)

    def open(self) -> bool:
        """Begin to open one; False, with `failure`, when that is not possible at all."""
        try:
            # A name is asked for once: a resolver takes its time, and streams are open.
            self._addresses = self._addresses or self._resolved()
        except (UnknownHost, BlockedAddress) as error:
            self.failure = ProviderError("connect", str(error))
            return False
        return self._begin(self._addresses)

    def _resolved(self) -> Sequence[tuple[int, Any]]:
        endpoint = self._share.endpoint
        # A proxy is the operator's own and may stand anywhere.
        allow_private = self._share.allow_private or endpoint.proxy is not None
        return connect_addresses(*endpoint.first_hop, allow_private)

    def _begin(self, addresses: Sequence[tuple[int, Any]]) -> bool:
        try:
            slot = Slot(self._poll, addresses, self._share.endpoint)
        except OSError as error:
            text = f"No further connection can be opened: {error.strerror}."
            self.failure = ProviderError("connect", text)
            return False
        self.stamped = slot.kernel
        self.slots[slot.fd] = slot
        self._opening.add(slot)
        return True

    def settled(self, slot: Slot) -> None:
        """An event came on a connection that carries nothing: it stands now, or it is gone."""
        if slot.state == "idle":
            if slot in self._opening:
                self._opening.remove(slot)
                self._idle.append(slot)
        elif slot.state == "closed":
            self._opening.discard(slot)
            self.slots.pop(slot.fd, None)
            if slot.error and not (slot.others and self._begin(slot.others)):
                self.failure = slot.error
                self._refused += 1

    def released(self, slot: Slot) -> None:
        """Its exchange is over: it is kept where it may carry another one."""
        if slot.state == "idle":
            self._idle.append(slot)
        else:
            self.slots.pop(slot.fd, None)

    def take(self) -> Slot | None:
        """An idle connection."""
        while self._idle:
            slot = self._idle.popleft()
            if slot.state == "idle":
                return slot
        return None

    def wait_for_more(self, wanted: int) -> bool:
        """Open what `wanted` requests need, up to the share's limit; False when waiting does
        not help, because a connection was refused."""
        if self._opening:
            return True
        if self._refused:
            # A connection that was refused stands for the request it was opened for.
            self._refused -= 1
            return False
        room = self._share.most_streams - len(self.slots)
        if room <= 0:
            return True
        opened = [self.open() for _ in range(min(room, wanted, _AT_ONCE))]
        return any(opened)

    def give_up(self) -> None:
        """End the attempts that still run."""
        for slot in self._opening:
            slot.close()
            self.slots.pop(slot.fd, None)
        self._opening.clear()

    def close(self) -> None:
        """Close all."""
        for slot in self.slots.values():
            slot.close()
