"""What a team's day is planned by: the choices of a request before those of the team, before the planner's own."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from features.roster import ANY_ROOM, PolicyLayer, Settings, SkillMap, Team, load_presets
from serving.errors import RequestError
from serving.grouping import (
    DEFAULT_STUDENTS_PER_MONITOR,
    Problem,
    SessionType,
    SizeBound,
    SizeCurve,
    Weights,
)
from serving.plans.rules.policy import PlannerPolicy
from serving.schemas.policy import AdultExclusion, TeamPolicy


@dataclass(frozen=True)
class DayPolicy:
    """Everything that a team may choose, settled for one day; `features.roster` says what each is.

    Attributes:
        preset: Name of the preset that some of it comes from, or null.
        settings: The keys of `policy.toml` that name no student, all of them.
        needs_certified: Members whose accommodations need a certified adult.
        adult_exclusions: Pairs of a member and an adult of the team who never leads that member.
    """

    preset: str | None
    settings: Settings
    needs_certified: frozenset[str] = frozenset()
    adult_exclusions: tuple[tuple[str, str], ...] = ()

    @property
    def sizes(self) -> tuple[SizeBound, ...]:
        """The group sizes of each session type."""
        return tuple(SizeBound(SessionType(kind), **size) for kind, size in self.settings["sizes"].items())

    @property
    def size_curve(self) -> SizeCurve:
        """How much less of a need sessions meet as they grow."""
        return SizeCurve(**self.settings["crowding"])

    def weights(self, planner: Weights, move_penalty: float | None) -> Weights:
        """The weights of all terms; without a move penalty, the planner's own."""
        moved = planner.perturbation if move_penalty is None else move_penalty
        return Weights(**{**self.settings["weights"], "perturbation": moved})

    def sessions_in(self, room: str, *, holds_all: bool) -> int:
        """How many sessions a room holds at once; rooms that are not named have to hold the whole team for several."""
        rooms = self.settings["rooms"]
        others = rooms.get(ANY_ROOM, {}) if holds_all else {}
        return int(rooms.get(room, others).get("sessions", 1))

    def skills_in(self, block: str, skills: SkillMap, today: Collection[str]) -> frozenset[str] | None:
        """The skills, among those of today, that may be taught in a block; null: all."""
        taught = self.settings["blocks"].get(block)
        if taught is None:
            return None
        subjects = set(taught.get("subjects", ()))
        of_subject = {skill for skill, known in skills.skills.items() if known.subject in subjects}
        return frozenset(today) & (of_subject | set(taught.get("skills", ())))

    def to_body(self) -> TeamPolicy:
        """The policy as an answer shows it; sent back in a request, it is the same policy."""
        excluded: dict[str, list[str]] = defaultdict(list)
        for student, adult in self.adult_exclusions:
            excluded[adult].append(student)
        sizes = [{"session_type": kind, **size} for kind, size in self.settings["sizes"].items()]
        return TeamPolicy.model_validate(
            {
                **self.settings,
                "preset": self.preset,
                "sizes": sizes,
                "needs_certified": sorted(self.needs_certified),
                "adult_exclusions": [
                    AdultExclusion(staff_id=adult, student_ids=sorted(students))
                    for adult, students in sorted(excluded.items())
                ],
            }
        )


def read_layer(body: TeamPolicy) -> PolicyLayer:
    """The choices that a body names, as those of a roster."""
    settings: dict[str, Any] = body.model_dump(
        mode="json", exclude_unset=True, exclude_none=True, exclude={"needs_certified", "adult_exclusions", "sizes"}
    )
    if body.sizes:
        settings["sizes"] = {size.session_type.value: size.model_dump(exclude={"session_type"}) for size in body.sizes}
    exclusions = [(student, part.staff_id) for part in body.adult_exclusions for student in part.student_ids]
    return PolicyLayer("", settings, tuple(body.needs_certified), tuple(exclusions))


def read_earlier(body: TeamPolicy | None, problem: Problem) -> PolicyLayer | None:
    """The policy of an earlier plan as a layer; null for plans of versions that stored none of it."""
    if body is None or body.regroup is None:
        return None
    certified = tuple(student.id for student in problem.students if student.needs_certified)
    settings = read_layer(body).settings
    return PolicyLayer("", settings, certified, problem.adult_exclusions)


def settle_policy(
    team: Team, request: PolicyLayer, planner: PlannerPolicy, earlier: PolicyLayer | None = None
) -> DayPolicy:
    """The policy of a day.

    Args:
        team: The team, with the layers of its roster.
        request: The choices of the request.
        planner: What holds where nobody says otherwise.
        earlier: The policy of the plan that the day is planned again from, which counts before that of the roster.

    Raises:
        RequestError: The request names a room, block, role, skill or person that the team does not have.
    """
    _require_own(team, request)
    layers = (*team.policies, request) if earlier is None else (earlier, request)
    settled = _defaults(planner)
    named = [at for at, layer in enumerate(layers) if layer.settings.get("preset")]
    for at, layer in enumerate(layers):
        # the last preset that is named holds alone, and an earlier plan has the choices of its own already
        if named and at == named[-1] and layer is not earlier:
            _apply(settled, load_presets()[layer.settings["preset"]])
        _apply(settled, layer.settings)
    preset = settled.pop("preset", None)
    people = (*team.policies, *((earlier,) if earlier is not None else ()), request)
    members, adults = set(team.members), {adult.staff_id for adult in team.staff}
    exclusions = {pair for layer in people for pair in layer.adult_exclusions}
    return DayPolicy(
        preset=preset,
        settings=settled,
        needs_certified=frozenset(student for layer in people for student in layer.needs_certified) & members,
        adult_exclusions=tuple(sorted(pair for pair in exclusions if pair[0] in members and pair[1] in adults)),
    )


def _defaults(planner: PlannerPolicy) -> dict[str, Any]:
    weights = asdict(planner.weights)
    del weights["perturbation"]  # which a request sets beside the policy
    sizes = {bound.session_type.value: asdict(bound) for bound in planner.sizes}
    for size in sizes.values():
        del size["session_type"]
    return {
        "weights": weights,
        "sizes": sizes,
        "most_by_role": {},
        "students_per_monitor": DEFAULT_STUDENTS_PER_MONITOR,
        "crowding": asdict(SizeCurve()),
        "rooms": {},
        "blocks": {},
        **planner.team,
    }


def _apply(settled: dict[str, Any], settings: Settings) -> None:
    """Writes settings over others; a bound on sizes takes the other one along where they would cross."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and key != "blocks":
            for name, chosen in value.items():
                old = settled[key].get(name)
                settled[key][name] = {**(old or {}), **chosen} if isinstance(chosen, Mapping) else chosen
        elif key == "blocks":
            # what may be taught in a block is said as a whole
            settled[key] = {
                **settled[key],
                **{at: {"skills": [], "subjects": [], **part} for at, part in value.items()},
            }
        else:
            settled[key] = value
    for kind, chosen in settings.get("sizes", {}).items():
        size = settled["sizes"][kind]
        if size["most"] < size["least"]:
            size.update({"most": size["least"]} if "least" in chosen else {"least": size["most"]})


def _require_own(team: Team, request: PolicyLayer) -> None:
    """Refuses a policy about what is not the team's; the roster's was checked when it was loaded."""
    settings = request.settings
    rooms = {room.room_id for room in team.rooms} | {ANY_ROOM}
    known: Sequence[tuple[str, str, Iterable[str], set[str]]] = (
        ("rooms", "unknown_room", settings.get("rooms", {}), rooms),
        ("blocks", "unknown_block", settings.get("blocks", {}), {block.block_id for block in team.blocks}),
        ("most_by_role", "unknown_role", settings.get("most_by_role", {}), {adult.role for adult in team.staff}),
        (
            "adult_exclusions",
            "unknown_staff",
            [adult for _, adult in request.adult_exclusions],
            {adult.staff_id for adult in team.staff},
        ),
    )
    for key, rule, named, own in known:
        for name in named:
            if name not in own:
                field = f"policy.{key}"
                raise RequestError(rule, f"{field}: {name!r} is not one of {', '.join(sorted(own))}", field=field)
    for key, students in (
        ("needs_certified", request.needs_certified),
        ("adult_exclusions", [student for student, _ in request.adult_exclusions]),
    ):
        if not set(students) <= set(team.members):
            field = f"policy.{key}"
            detail = f"{field}: a student named there is not in the team"
            raise RequestError("unknown_student", detail, field=field)
