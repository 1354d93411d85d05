"""No text that passes ends or holds up LightGBM."""

import random
import re
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest

from features.errors import InputError
from features.trees import check_trees

COLUMNS = ["first", "second", "third"]

SCORE = """
import sys
sys.modules |= dict.fromkeys(("pandas", "pyarrow", "sklearn", "matplotlib"))  # which LightGBM goes without
import lightgbm, numpy
for path in sys.argv[1:]:
    try:
        booster = lightgbm.Booster(model_str=open(path).read())
        rows = numpy.random.default_rng(0).normal(size=(50, 3)) * 5
        booster.predict(rows, raw_score=True, num_threads=1)
        booster.predict(rows, pred_contrib=True, num_threads=1)
    except lightgbm.basic.LightGBMError:
        pass
"""


@pytest.fixture(scope="module")
def text():
    """Trees that split by numbers and by a category."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3))
    rows[:, 2] = rng.integers(0, 12, 500)
    target = (rows[:, 0] + (rows[:, 2] % 3) + rng.normal(size=500) > 1).astype(float)
    data = lgb.Dataset(rows, target, feature_name=COLUMNS, categorical_feature=["third"])
    settings = {"objective": "binary", "num_leaves": 7, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    return str(lgb.train(settings, data, 4).model_to_string())


def number(text, line, value):
    """The text with another first number in the first line of that name, and sizes of trees that fit."""
    changed = re.sub(rf"(\n{line}=)\S+", rf"\g<1>{value}", text, count=1)
    assert changed != text
    return fit_sizes(changed)


def fit_sizes(text):
    blocks = re.findall(r"Tree=\d+\n.*?(?=Tree=|end of trees)", text, re.DOTALL)
    return re.sub(r"tree_sizes=.*", "tree_sizes=" + " ".join(str(len(block)) for block in blocks), text)


def test_what_lightgbm_writes_passes(text):
    assert "num_cat=1" in text

    check_trees(text, COLUMNS)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: number(text, "left_child", 0),  # leads to itself
        lambda text: number(text, "left_child", 77),
        lambda text: number(text, "right_child", -77),
        lambda text: number(text, "split_feature", 3),
        lambda text: number(text, "split_feature", -1),
        lambda text: number(text, "num_leaves", 10**9),
        lambda text: number(text, "num_leaves", 2),
        lambda text: number(text, "leaf_value", "nan"),
        lambda text: number(text, "max_feature_idx", 99),
        lambda text: number(text, "num_class", 3),
        lambda text: number(text, "is_linear", 1),
        lambda text: re.sub(r"tree_sizes=\d+", "tree_sizes=99999999", text),
        lambda text: re.sub(r"\nleaf_count=\d+ ", "\nleaf_count=", text),
        lambda text: re.sub(r"\ncat_boundaries=0 \d+", "\ncat_boundaries=0 9999", text),
        lambda text: text.replace("first", "unknown"),
    ],
)
def test_what_is_no_tree_is_refused(text, change):
    with pytest.raises(InputError, match="the trees cannot be read"):
        check_trees(change(text), COLUMNS)


@pytest.mark.parametrize("examples", [30, pytest.param(400, marks=pytest.mark.long)])
def test_whatever_passes_is_scored_to_its_end(text, tmp_path, examples):
    """Any number of the trees is changed to any other; LightGBM gets what passes, in a process that it may not end."""
    rng, passed = random.Random(5), []
    begin = text.index("Tree=0")
    places = [found.span() for found in re.finditer(r"-?\d+(\.\d+)?", text) if found.start() > begin]
    places = [span for span in places if span[0] < text.index("end of trees")]
    for at in range(examples):
        start, end = rng.choice(places)
        value = rng.choice(["0", "-1", "1", "2", "5", "-7", "1000000000", "-2147483648", "1e300", "0.5", "63"])
        changed = fit_sizes(text[:start] + value + text[end:])
        try:
            check_trees(changed, COLUMNS)
        except InputError:
            continue
        passed.append(tmp_path / f"{at}.lgb")
        passed[-1].write_text(changed)

    done = subprocess.run([sys.executable, "-c", SCORE, *passed], check=False, timeout=120, capture_output=True)

    assert len(passed) > 0.15 * examples
    assert done.returncode == 0, done.stderr.decode()[-500:]
