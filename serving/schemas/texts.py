"""Texts that come in: every id, name and note of a body, an address, a query or a header has a type of this module.

Each type is bounded in length, trimmed, and free of control characters, which databases and separators cannot hold, and
of lone surrogates, which are no text at all. Ids of the roster's files follow the same rules
(`features.roster.files.cells`), so that whatever it names can be asked for; those of log files are trimmed as well.
"""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import StringConstraints, WithJsonSchema

from features.lengths import LONGEST_ADDRESS, LONGEST_ID

ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""Any characters but control characters; pydantic itself refuses lone surrogates in a text that has constraints."""

LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""Likewise, with tabs and line breaks."""

Identity = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_ID, pattern=ONE_LINE)
]
"""An opaque id, or a short name."""

OptionalText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_ID, pattern=ONE_LINE)]
"""Likewise, or nothing, where a blank stands for a missing value, as in the cells of a file."""

Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_ADDRESS, pattern=ONE_LINE)]
"""A long id as learning-technology standards have them, a part of one, or a cursor."""

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=LINES)]
"""A note in a person's own words."""

PlanReference = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9a-f]{32}$")]
"""The id of a cycle of plans, which the service made itself."""

IdentityKey = Annotated[Identity, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_ID})]
"""An id as a key of an object; JSON Schema would turn its pattern into `patternProperties`, which few clients read."""

LONGEST_NAME = 64
"""Characters of the name of a field of ours, at most; no field has a longer one."""


def name_field(path: Iterable[str | int]) -> str:
    r"""The path of a wrong field as answers tell it; a name that a caller made up is cut and made printable.

    Example:
        >>> name_field(["body", "rules", 0, "skill_id"])
        'body.rules.0.skill_id'
        >>> name_field(["body", "\ud800" + 100 * "x"])[:12]
        'body.?xxxxxx'
    """
    return ".".join(_printable(str(part)) for part in path)


def _printable(name: str) -> str:
    cut = name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "?", cut)
