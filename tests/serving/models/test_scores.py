"""A probability is kept for its own row, in a table that never grows."""

import numpy as np

from serving.models.scores import ScoreTable, digest_rows


def test_a_score_is_that_of_its_own_row_or_none_however_many_have_come_and_gone():
    scores = ScoreTable(64)
    rows = np.arange(3_000.0).reshape(1_000, 3)
    digests, probability = digest_rows(rows), np.arange(1_000) / 1_000
    for begin in range(0, 1_000, 100):
        scores.put(digests[begin : begin + 100], probability[begin : begin + 100])

    found = scores.get(digests)

    kept = ~np.isnan(found)
    assert 50 <= kept.sum() <= 64
    assert (found[kept] == probability[kept]).all()
    assert not kept[:500].any()
    assert len(np.unique(digests, axis=0)) == 1_000
