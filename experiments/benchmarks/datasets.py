"""The public logs that forecasts are measured on, and who and what of each is scored.

A row is one first answer of one student to one question; a question with several skills is one row, with its
combination of skills. What is scored is the probability that the answer is correct, said before it, from earlier
answers of the same student and from what training students showed. Nothing is learnt from test students.

| data set | order | in test | scored |
|---|---|---|---|
| `gervet-assistments09` | place in the file, no clock | the file's `split` | every response |
| `gervet-algebra05` | clock in seconds, then place in the file | the file's `split` | every response |
| `pykt-assist2015` | place, no clock; no items, so the skill is the item | fold -1 | all but each student's first |
| `assistments-2012` | clock in seconds | one fifth of the students, by a hash of the id | every response |

The first three are the splits of papers, whose figures stand beside ours. The last has no published counterpart on
these rows; it is there because it has a clock and is the largest.

Responses of one student in the same second count as submitted together by regroup, not by the peers: a handful.

Source: Gervet et al. (2020), "When is deep learning the best approach to knowledge tracing?"; Liu et al. (2022),
"pyKT: a Python library to benchmark deep learning based knowledge tracing models".
"""

from dataclasses import dataclass

GERVET, PYKT = "Gervet et al. 2020", "Liu et al. 2022"


@dataclass(frozen=True)
class Published:
    """The AUC that a paper reports for a model on the same test rows."""

    model: str
    auc: float
    source: str


@dataclass(frozen=True)
class DataSet:
    """Where a data set is, and what is said of it elsewhere.

    Attributes:
        name: On the command line.
        file: Under the data folder.
        skips_first: Whether each student's first response is left unscored.
        published: Figures on the same rows.
    """

    name: str
    file: str
    skips_first: bool = False
    published: tuple[Published, ...] = ()


def _publish(source: str, **auc: float) -> tuple[Published, ...]:
    return tuple(Published(model.replace("_", "-"), value, source) for model, value in auc.items())


DATA_SETS = {
    each.name: each
    for each in (
        DataSet(
            "gervet-assistments09",
            "benchmarks/gervet_assistments09.parquet",
            published=_publish(GERVET, IRT=0.69, PFA=0.72, DKT=0.75, SAKT=0.75, Best_LR=0.77),
        ),
        DataSet(
            "gervet-algebra05",
            "benchmarks/gervet_algebra05.parquet",
            published=_publish(GERVET, IRT=0.77, PFA=0.76, SAKT=0.80, DKT=0.82, DAS3H=0.83, Best_LR=0.83),
        ),
        DataSet(
            "pykt-assist2015",
            "benchmarks/pykt_assist2015.parquet",
            skips_first=True,
            published=(*_publish(PYKT, simpleKT=0.7248, DKT=0.7271, AKT=0.7281), Published("DKT+", 0.7285, PYKT)),
        ),
        DataSet("assistments-2012", "logs/assistments_2012.parquet"),
    )
}
