"""Answers a request once, however often it is sent with the same Idempotency-Key.

It keeps answers that stay right: plans that were made, and refusals that asking again would not change. A plan and its
answer are kept in one transaction, so that nothing is acknowledged and lost, and nothing made twice.
"""

import hashlib
import json
import logging
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Self

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import Connection

from features.database import Database
from features.errors import RegroupError
from serving.api.problems import PROBLEM, error_response
from serving.errors import ConflictError, InFlightError, NoPlanError, NotFoundError, RequestError
from serving.store.idempotency import Claim, StoredAnswer, claim_key, finish_claim, give_up_claim

logger = logging.getLogger("regroup")

REPLAYED = "Idempotency-Replayed"

FINAL = (NotFoundError, RequestError)
"""Refusals that asking again with the same body would not change; a day without a plan may have one once the roster is
mended, and its refusal names students, whom nothing may keep."""


class Attempt:
    """Context of one request's attempt at an answer; what it leaves unfinished, another request may take over.

    Args:
        database: Where keys and answers are kept.
        owner: Id of the caller's API key; empty without one.
        key: The Idempotency-Key; null: every request is answered anew.
        digest: Hash of address and body, by `hash_request`.
        kept: How long answers are kept.
        takeover: Time after which an unfinished request counts as lost with its process.

    Attributes:
        replay: The answer of the earlier request; null where this request has to find one.
    """

    def __init__(
        self, database: Database, owner: str, key: str | None, digest: str, *, kept: timedelta, takeover: timedelta
    ) -> None:
        self.replay: Response | None = None
        self._database, self._owner, self._key, self._digest = database, owner, key, digest
        self._kept, self._takeover = kept, takeover
        self._claim: Claim | None = None

    def __enter__(self) -> Self:
        if self._key is None:
            return self
        wanted = Claim(self._owner, self._key, self._digest, datetime.now(UTC))
        found = claim_key(self._database, wanted, kept=self._kept, takeover=self._takeover)
        if found == "in_flight":
            raise InFlightError("idempotency_key_in_flight", "a request with this Idempotency-Key is being answered")
        if found == "other_body":
            detail = "this Idempotency-Key was sent with another body or address before; choose a new one"
            raise RequestError("idempotency_key_reused", detail, field="Idempotency-Key")
        if isinstance(found, StoredAnswer):
            self.replay = _replay(found)
        else:
            self._claim = found
        return self

    def finish(self, connection: Connection, location: str, recommendation_id: str) -> None:
        """Keeps the answer in the transaction that stores the plan.

        Raises:
            InFlightError: Another request took the key over and answers it.
        """
        if self._claim is None:
            return
        made = {"location": location, "recommendation_id": recommendation_id}
        if not finish_claim(connection, self._claim, HTTPStatus.CREATED, **made):
            raise InFlightError("idempotency_key_in_flight", "another request with this Idempotency-Key took over")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._claim is None or error is None:
            return
        try:
            if isinstance(error, FINAL) and not isinstance(error, NoPlanError):
                text = bytes(error_response(error).body).decode()
                with self._database.changing() as connection:
                    finish_claim(connection, self._claim, error.status, answer=text)
            else:
                give_up_claim(self._database, self._claim)
        except RegroupError as failure:
            logger.warning("an Idempotency-Key stays claimed until it is taken over: %s", failure)


def hash_request(address: str, body: BaseModel) -> str:
    """SHA-256 of the address and the body with defaults filled in; the order of fields does not matter."""
    text = json.dumps([address, body.model_dump(mode="json")], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _replay(kept: StoredAnswer) -> Response:
    if kept.answer is None:
        raise ConflictError("plan_erased", "the plan that this Idempotency-Key made was erased; choose a new key")
    headers = {REPLAYED: "true"} | ({} if kept.location is None else {"Location": kept.location})
    media_type = "application/json" if kept.location is not None else PROBLEM
    return Response(kept.answer, status_code=kept.status, media_type=media_type, headers=headers)
