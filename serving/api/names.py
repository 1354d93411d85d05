"""Adds display names from the vault to answers about a team, for keys with the scope `names`.

Names are put into an answer on its way out and are in nothing that is stored: not in plans, nor in what is cached.
"""

import logging
from contextlib import suppress
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from features.errors import RegroupError
from features.roster import Team
from features.roster.people.columns import ADULT, STUDENT
from features.roster.people.vault import Vault
from serving.access.caller import Caller, Scope
from serving.api.dependencies import Auditor, CurrentAuditor, CurrentCaller, CurrentPlanner
from serving.plans.recommend import Planner
from serving.schemas.common import NamesOut, StaffName, StudentName
from serving.schemas.forecasts import Board, TeamForecasts
from serving.schemas.recommendations import RecommendationOut

logger = logging.getLogger("regroup")

Named = TypeVar("Named", Board, TeamForecasts, RecommendationOut)


class NameReader:
    """Display names for the answer to one request.

    Args:
        vault: Where names are; None where the installation keeps none.
        caller: Who asks.
        auditor: Notes that names were shown.
        planner: With the rosters, for plans.
    """

    def __init__(self, vault: Vault | None, caller: Caller, auditor: Auditor, planner: Planner) -> None:
        self._vault = vault if Scope.NAMES in caller.scopes else None
        self._auditor, self._planner = auditor, planner

    @property
    def shows(self) -> bool:
        """Whether the caller gets names at all."""
        return self._vault is not None

    def add_to(self, body: Named, team: Team | None) -> Named:
        """The body with the names of the team's students and adults; without them where they cannot be read.

        Args:
            body: A board, forecasts or a plan of the team.
            team: The team as it is now; None where it has left the roster.
        """
        names = None if team is None else self.of_team(team)
        return body if names is None else body.model_copy(update={"names": names})

    def of_team(self, team: Team) -> NamesOut | None:
        """The names of a team's students and adults; null where the caller gets none or they cannot be read."""
        if self._vault is None:
            return None
        try:
            students = self._vault.read(STUDENT, team.members)
            adults = self._vault.read(ADULT, [adult.staff_id for adult in team.staff])
        except RegroupError as error:
            logger.warning("answering without names: %s", type(error).__name__)
            return None
        self._auditor.note("show_names", team_id=team.team_id)
        return NamesOut(
            students=[StudentName(student_id=identity, name=name) for identity, name in sorted(students.items())],
            staff=[StaffName(staff_id=identity, name=name) for identity, name in sorted(adults.items())],
        )

    def add_to_plan(self, text: str | bytes) -> str | bytes:
        """The same for the JSON of a plan whose team the caller may see."""
        if not self.shows:
            return text
        plan = RecommendationOut.model_validate_json(text)
        team = None
        with suppress(RegroupError):  # the plan itself is stored already
            team = self._planner.rosters.recent(plan.team_id).team
        return self.add_to(plan, team).model_dump_json()


async def get_names(
    request: Request, caller: CurrentCaller, auditor: CurrentAuditor, planner: CurrentPlanner
) -> NameReader:
    """The names that the answer to this request may show."""
    return NameReader(request.app.state.vault, caller, auditor, planner)


CurrentNames = Annotated[NameReader, Depends(get_names)]
