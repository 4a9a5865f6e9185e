"""The turns that one account's calls need: they are patient, and have a share that orders cannot take.

Who is owed a turn stands for it a little, here: by the time the database brought it back, an order had it.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

from config.clock import since_start
from config.settings import Gateway
from gateway.client import GatewayNoTurn
from gateway.rate import HOLD, NoTurnError, Turn
from tieout.shop import Shop

STANDS: Final = timedelta(seconds=11)  #: longer than a call and the second for which its token is out
LOOKS: Final = timedelta(milliseconds=50)  #: sooner than a place is given to others


class Turns:
    """The first turn, taken before the account is claimed, and the next one when its time has come."""

    def __init__(self, shop: Shop, gateway: Gateway, first: Turn | None) -> None:
        """Hold it."""
        self._shop, self._gateway = shop, gateway
        self._first: tuple[Turn | None, ...] = (first,)

    @classmethod
    def take(cls, shop: Shop, gateway: Gateway, *, patience: timedelta) -> Turns:
        """The first turn, which pays for all of the account's calls. Raises `GatewayNoTurn`."""
        calls = 2 if shop.holdings.investments else 1
        return cls(shop, gateway, _stand(shop, gateway, pays=calls, patience=min(patience, STANDS)))

    def next(self, *, patience: timedelta = timedelta(0)) -> Turn | None:
        """The next turn, to be used; None if they are not limited. Raises `GatewayNoTurn`."""
        if self._first:
            (turn,), self._first = self._first, ()
            return turn
        return _stand(self._shop, self._gateway, pays=0, patience=patience)

    def give_back(self) -> None:
        """Give back what was not used."""
        for turn in self._first:
            self._shop.limiter.give_back(turn, used=False)
        self._first = ()


def _stand(shop: Shop, gateway: Gateway, *, pays: int, patience: timedelta) -> Turn | None:
    until = since_start() + patience
    while True:
        try:
            return shop.limiter.take(gateway, hold=max(HOLD, shop.holdings.deadline), pays=pays)
        except NoTurnError as error:
            if not error.soon or since_start() >= until or shop.stopping():
                raise GatewayNoTurn(str(error), retry_after=error.wait) from None
            time.sleep(LOOKS.total_seconds())
