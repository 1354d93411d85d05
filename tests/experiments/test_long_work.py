"""Long work is the same in one process and in several, and what was made is kept, whole or not at all."""

import pytest

from experiments.benchmarks.long_work import keep_once, run_each


@pytest.mark.parametrize("workers", [1, 2])
def test_every_piece_of_work_is_done_once(workers):
    assert sorted(run_each(pow, [(2, 3), (3, 2), (5, 1)], workers, "powers")) == [5, 8, 9]


def test_what_was_made_is_kept_under_its_name(tmp_path):
    folder = tmp_path / "new" / "kept"

    assert keep_once(folder, "one", lambda: [1]) == [1]
    assert keep_once(folder, "one", lambda: pytest.fail("it is made again")) == [1]
    assert keep_once(folder, "other", lambda: [2]) == [2]
    assert keep_once(None, "one", lambda: [3]) == [3]


def test_what_was_not_finished_is_made_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        keep_once(tmp_path, "one", stop)

    (tmp_path / "one.draft").write_bytes(b"half of it")
    assert keep_once(tmp_path, "one", lambda: 1) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"one.pickle"}


def stop():
    raise KeyboardInterrupt
