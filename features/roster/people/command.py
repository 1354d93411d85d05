"""`python -m features ids`: which sources have ids of their own, and which of these stand for nobody."""

from rich.markup import escape
from rich.table import Table

from features.console import OUT
from features.database import Database
from features.errors import InputError
from features.home import Home
from features.roster.files.cells import nearest
from features.roster.people.id_table import list_ids, list_unmatched, read_sources


def show_ids_command(home: Home, source: str | None) -> int:
    """Prints what the id table holds, or the ids of one source that stand for nobody, and returns the exit code.

    Args:
        home: Where the database is.
        source: The source of events; all of them, without ids, unless given.

    Raises:
        InputError: No such source is translated.
        MissingError: No roster was ever loaded.
        DatabaseAwayError: The database cannot be used.
    """
    with Database(home.database_url()) as database, database.reading() as connection:
        sources, known = read_sources(connection), list_ids(connection)
        left = list_unmatched(connection, source)
    if source is None:
        table = Table("source", "its ids are", "students with one", "ids of nobody", title="ids of other systems")
        for name, kind in sorted(sources.items()):
            table.add_row(escape(name), escape(kind), f"{known[kind]:,}", str(sum(row[0] == name for row in left)))
        OUT.print(table)
        if not sources:
            OUT.print("every source has the roster's own ids; policy.toml says otherwise with [default] sources")
        return 0
    if source not in sources:
        meant = nearest(source, sources)
        others = (
            f"those of {', '.join(sorted(sources))} are" if sources else "[default] sources of policy.toml names none"
        )
        hint = f"did you mean {meant!r}?" if meant else f"its events carry the roster's own ids; {others}"
        raise InputError(f"the ids of source {source!r} are not translated; {hint}")
    if not left:
        OUT.print(
            f"every id of {source} that came is of the kind {sources[source]} of the roster",
            markup=False,
            highlight=False,
        )
        return 0
    table = Table("id", "events", title=f"ids of {source} that are no {sources[source]} of the roster")
    for _, other, events in left:
        table.add_row(escape(other), f"{events:,}")
    OUT.print(table)
    return 0
