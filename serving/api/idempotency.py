"""Answers a request once, however often it is sent with the same Idempotency-Key.

It keeps plans that were made, each in one transaction with its answer, so that nothing is acknowledged and lost, and
nothing made twice. It keeps no refusal: each of them holds for the roster, the models and the rights of one moment.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Self

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import Connection

from features.database import Database
from features.errors import RegroupError
from serving.access.caller import Caller
from serving.access.visibility import may_see_team, unknown_team
from serving.audit.entries import AuditEntry, add_entries
from serving.errors import ConflictError, InFlightError, RequestError
from serving.store.idempotency import Claim, StoredAnswer, claim_key, finish_claim, give_up_claim
from serving.store.recommendations import read_answer

logger = logging.getLogger("regroup")

REPLAYED = "Idempotency-Replayed"


class Attempt:
    """Context of one request's attempt at an answer; what it leaves unfinished, another request may take over.

    Args:
        database: Where keys and answers are kept.
        caller: Who asks, and whose the key is.
        key: The Idempotency-Key; null: every request is answered anew.
        digest: Hash of address and body, by `hash_request`.
        note: Gives, for the team and the id of a plan, the audit entry that is stored before the plan is shown again.
        kept: How long answers are kept.
        takeover: Time after which an unfinished request counts as lost with its process.

    Attributes:
        replay: The answer of the earlier request; null where this request has to find one.
    """

    def __init__(
        self,
        database: Database,
        caller: Caller,
        key: str | None,
        digest: str,
        *,
        note: Callable[[str, str], AuditEntry],
        kept: timedelta,
        takeover: timedelta,
    ) -> None:
        self.replay: Response | None = None
        self._database, self._caller, self._key, self._digest = database, caller, key, digest
        self._note, self._kept, self._takeover = note, kept, takeover
        self._claim: Claim | None = None

    def __enter__(self) -> Self:
        if self._key is None:
            return self
        wanted = Claim(self._caller.key_id, self._key, self._digest, datetime.now(UTC))
        with self._database.changing() as connection:
            found = claim_key(connection, wanted, kept=self._kept, takeover=self._takeover)
            if isinstance(found, StoredAnswer):
                self.replay = self._show(connection, found)
        if found == "in_flight":
            raise InFlightError("idempotency_key_in_flight", "a request with this Idempotency-Key is being answered")
        if found == "other_body":
            detail = "this Idempotency-Key was sent with another body or address before; choose a new one"
            raise RequestError("idempotency_key_reused", detail, field="Idempotency-Key")
        if isinstance(found, Claim):
            self._claim = found
        return self

    def finish(self, connection: Connection, location: str, recommendation_id: str) -> None:
        """Keeps the answer in the transaction that stores the plan.

        Raises:
            InFlightError: Another request took the key over and answers it.
        """
        if self._claim is None:
            return
        if not finish_claim(connection, self._claim, StoredAnswer(HTTPStatus.CREATED, recommendation_id, location)):
            raise InFlightError("idempotency_key_in_flight", "another request with this Idempotency-Key took over")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._claim is None or error is None:
            return
        try:
            give_up_claim(self._database, self._claim)
        except RegroupError as failure:
            logger.warning("an Idempotency-Key stays claimed until it is taken over: %s", failure)

    def _show(self, connection: Connection, kept: StoredAnswer) -> Response:
        """The stored plan as the caller may see it now; that it is shown is noted in the same transaction."""
        found = read_answer(connection, kept.recommendation_id)
        if found is None:
            raise ConflictError("plan_erased", "the plan that this Idempotency-Key made was erased; choose a new key")
        team_id, answer = found
        if not may_see_team(connection, self._caller, team_id):
            raise unknown_team()
        add_entries(connection, [self._note(team_id, kept.recommendation_id)])
        headers = {REPLAYED: "true", "Location": kept.location}
        return Response(answer, status_code=kept.status, media_type="application/json", headers=headers)


def hash_request(address: str, body: BaseModel) -> str:
    """SHA-256 of the address and the body with defaults filled in; the order of fields does not matter."""
    text = json.dumps([address, body.model_dump(mode="json")], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
