"""Checks a text of LightGBM before LightGBM reads it.

LightGBM trusts such a file: a child that no tree has ends the process, and one that leads back to its parent is
searched for ever. What passes here is a number of proper trees over known columns.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from features.errors import InputError

DEEPEST = 512
"""Most splits between the root and a leaf; LightGBM's reasons take a step of recursion for each."""

PER_SPLIT = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
PER_SPLIT_OR_NONE = ("split_gain", "internal_value", "internal_weight", "internal_count")
PER_LEAF = ("leaf_value",)
PER_LEAF_OR_NONE = ("leaf_weight", "leaf_count")
OTHERS = ("num_leaves", "num_cat", "cat_boundaries", "cat_threshold", "is_linear", "shrinkage")
KNOWN = {*PER_SPLIT, *PER_SPLIT_OR_NONE, *PER_LEAF, *PER_LEAF_OR_NONE, *OTHERS}

WHOLE = {"split_feature", "decision_type", "left_child", "right_child", "internal_count", "leaf_count"}
"""Whole numbers; a threshold or a gain may be any, also infinite."""

BY_CATEGORY = 1
"""The bit of `decision_type` that says that a split is by category, its threshold the number of a set of them."""

HIGHEST_KIND = 15
"""The largest `decision_type`: one bit for categories, one for the default side, two for what is missing."""


def check_trees(text: str, columns: Sequence[str]) -> None:
    """Checks that a text holds proper trees over these columns.

    Raises:
        InputError: It does not.
    """
    try:
        _check(text, columns)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise InputError(f"the trees cannot be read: {type(error).__name__} {error}"[:200]) from None


def _check(text: str, columns: Sequence[str]) -> None:
    head, begin, _ = text.partition("Tree=0\n")
    header = _read_lines(head.removeprefix("tree\n").removesuffix("\n\n"))
    sizes = [int(size) for size in header["tree_sizes"].split()]
    if not begin or header["num_class"] != "1" or header["num_tree_per_iteration"] != "1":
        raise ValueError("are not one sum of trees")
    if header["feature_names"].split(" ") != list(columns) or int(header["max_feature_idx"]) != len(columns) - 1:
        raise ValueError("are over other columns")
    encoded, at = text.encode(), len(head.encode())
    for number, size in enumerate(sizes):
        block = encoded[at : at + size].decode()
        at += size
        if size <= 0 or not block.startswith(f"Tree={number}\n"):
            raise ValueError(f"tree {number} does not begin where it should")
        _check_tree(_read_lines(block.partition("\n")[2].strip("\n")), number, len(columns))
    if not encoded[at:].startswith(b"end of trees\n"):
        raise ValueError("do not end where they should")


def _read_lines(text: str) -> dict[str, str]:
    pairs = [line.split("=", 1) for line in text.split("\n") if "=" in line]
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("say something twice")
    return found


def _check_tree(tree: Mapping[str, str], number: int, columns: int) -> None:
    leaves = int(tree["num_leaves"])
    if leaves < 1 or tree.keys() - KNOWN or tree.get("is_linear", "0") != "0":
        raise ValueError(f"tree {number} is of an unknown kind")
    lengths = {
        **dict.fromkeys(PER_SPLIT, leaves - 1),
        **dict.fromkeys(PER_LEAF, leaves),
        **{name: leaves - 1 for name in PER_SPLIT_OR_NONE if name in tree},
        **{name: leaves for name in PER_LEAF_OR_NONE if name in tree},
    }
    if leaves == 1:  # says the same of everybody; LightGBM reads nothing else
        lengths = {"leaf_value": 1}
    values = {name: _read_numbers(tree[name], whole=name in WHOLE) for name in lengths}
    if any(len(values[name]) != length for name, length in lengths.items()):
        raise ValueError(f"tree {number} has not as many numbers as it says")
    if not np.isfinite(values["leaf_value"]).all():
        raise ValueError(f"tree {number} holds a number that is none")
    if leaves > 1:
        _check_splits(tree, values, number, columns)


def _check_splits(
    tree: Mapping[str, str], values: Mapping[str, npt.NDArray[np.float64]], number: int, columns: int
) -> None:
    feature, kind = values["split_feature"], values["decision_type"].astype(np.int64)
    if feature.min() < 0 or feature.max() >= columns:
        raise ValueError(f"tree {number} splits by a column that there is not")
    if kind.min() < 0 or kind.max() > HIGHEST_KIND:
        raise ValueError(f"tree {number} splits in an unknown way")
    sets = values["threshold"][(kind & BY_CATEGORY).astype(bool)]
    count = int(tree["num_cat"])
    if count or len(sets):
        bounds = [int(bound) for bound in tree["cat_boundaries"].split()]
        words = len(tree["cat_threshold"].split())
        proper = len(bounds) == count + 1 and bounds[0] == 0 and bounds[-1] == words
        if not proper or any(low > high for low, high in pairwise(bounds)):
            raise ValueError(f"tree {number} has improper sets of categories")
        if not np.isin(sets, range(count)).all():
            raise ValueError(f"tree {number} splits by a set of categories that there is not")
    children = np.stack([values["left_child"], values["right_child"]], axis=1).astype(np.int64)
    splits = len(children)
    # n splits have n + 1 leaves and, but for the root, one parent each: then nothing is reached twice or never
    if sorted(children.ravel().tolist()) != [*range(-splits - 1, 0), *range(1, splits)]:
        raise ValueError(f"tree {number} is no tree")
    depth, level = 0, [0]
    reached = 0
    while level:
        reached, depth = reached + len(level), depth + 1
        level = [int(child) for split in level for child in children[split] if child > 0]
    if reached != splits or depth > DEEPEST:
        raise ValueError(f"tree {number} is no tree, or deeper than {DEEPEST} splits")


def _read_numbers(text: str, *, whole: bool) -> npt.NDArray[np.float64]:
    found = np.array([int(value) if whole else float(value) for value in text.split()], np.float64)
    if whole and (np.abs(found) >= 2**31).any():
        raise ValueError("hold a number that is too large")
    return found
