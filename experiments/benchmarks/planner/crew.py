"""What the adults of made-up days may do; a real team says so itself in its roster."""

from serving.grouping.problem.policy import TEACHERS, Modality, Role


def default_modalities(role: str, *, may_lead: bool = False) -> frozenset[Modality]:
    """What a role leads or, for tables and the online station, monitors.

    Args:
        role: What the adult is to the team.
        may_lead: Whether a member of the support staff may lead small groups.

    Example:
        >>> sorted(map(str, default_modalities(Role.SUPPORT_STAFF)))
        ['collaborative', 'online', 'tutoring']
    """
    if role in TEACHERS:
        return frozenset(Modality)
    if role == Role.TEACHER_IN_TRAINING:
        return frozenset({Modality.SMALL_GROUP, Modality.TUTORING})
    support = {Modality.TUTORING, Modality.COLLABORATIVE, Modality.ONLINE}
    return frozenset(support | {Modality.SMALL_GROUP} if may_lead else support)
