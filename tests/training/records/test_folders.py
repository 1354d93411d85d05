"""The artifacts of a run on this machine's disk."""

from training.records.folders import find_folder, share_files


def test_equal_files_of_a_run_share_their_place_on_the_disk(tmp_path):
    """Large ones alone, and also after a process was killed between a link and its place."""
    large, other = b"x" * 5000, b"y" * 5000
    files = {"a/one": large, "a/two": other, "b/one": large, "b/small": b"x", "c/small": b"x"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / ".equal").write_bytes(other)

    share_files(tmp_path)

    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == files.keys()
    assert (tmp_path / "a/one").samefile(tmp_path / "b/one")
    assert not (tmp_path / "b/small").samefile(tmp_path / "c/small")


def test_a_server_has_the_artifacts_elsewhere(tmp_path):
    """A folder is found on this disk alone."""
    assert find_folder((tmp_path / "a b").as_uri()) == find_folder(str(tmp_path / "a b")) == tmp_path / "a b"
    assert find_folder("mlflow-artifacts:/1/2/artifacts") is None
