"""The forms in which the same answer may come: the public record leaves the nesting open."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

from simulator.orders import Json
from simulator.serving import Reply

NESTINGS = ("transactionDetails", "transaction", "data")
BATCHES = ("orderBatches", "success.data.batches", "batches")
ERRORS = ("list", "text", "object")
ANY = "any"


@dataclass(slots=True, kw_only=True)
class Shapes:
    """Which form is used; `any` takes another by chance each time."""

    seed: int = 1
    nesting: str = NESTINGS[0]
    batches: str = BATCHES[0]
    errors: str = ERRORS[0]
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begin the chance."""
        self.chance = random.Random(f"{self.seed} shapes")

    def data(self, details: Json) -> Json:
        """`data` that tells these details, the batches under `orderBatches` moved where they belong."""
        nesting = self._pick(self.nesting, NESTINGS)
        moved = _with_batches(details, self._pick(self.batches, BATCHES))
        return moved if nesting == "data" else {nesting: moved}

    def refusal(self, reply: Reply) -> Reply:
        """That refusal with its errors in the form that is used."""
        form = self._pick(self.errors, ERRORS)
        if form == "list" or not reply.body.startswith(b"{"):
            return reply
        document = json.loads(reply.body)
        words = " ".join(document.get("errors") or [])
        document["errors"] = words if form == "text" else {"message": words, "code": reply.status}
        body = json.dumps(document, separators=(",", ":")).encode()
        return Reply(status=reply.status, body=body, headers=reply.headers)

    def _pick(self, wanted: str, among: tuple[str, ...]) -> str:
        return self.chance.choice(among) if wanted == ANY else wanted


def _with_batches(details: Json, where: str) -> Json:
    if where == "orderBatches":
        return details
    rest = {key: value for key, value in details.items() if key != "orderBatches"}
    batches = details["orderBatches"]
    if where == "batches":
        return rest | {"batches": batches}
    success = details.get("success")
    success = success if isinstance(success, dict) else {}
    data = success.get("data")
    return rest | {"success": {**success, "data": {**(data if isinstance(data, dict) else {}), "batches": batches}}}
