"""A bundle is read only where it is exactly what its manifest says, and signed where there is a key."""

import json
import os
import shutil

import pytest

from features.bundle import MANIFEST, read_file, read_manifest, sign_bundles, write_bundle
from features.errors import InputError

KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def without_key(monkeypatch):
    monkeypatch.delenv("REGROUP_SIGNING_KEY", raising=False)


@pytest.fixture
def bundle(tmp_path):
    """A bundle with a file, and with a part that is a bundle with a file."""

    def write_part(draft):
        (draft / "inner.txt").write_text("inner")

    def write(draft):
        (draft / "outer.txt").write_text("outer")
        write_bundle(draft / "part", {}, write_part)

    write_bundle(tmp_path / "bundle", {"format": 1}, write)
    return tmp_path / "bundle"


def outside(bundle):
    """A name that leads out of the folder, with the right hash of what is there."""
    (bundle.parent / "secret").write_text("outer")
    name_in_manifest(bundle, "../secret")


def above(bundle):
    shutil.copy(bundle / MANIFEST, bundle.parent / MANIFEST)
    name_in_manifest(bundle, f"../{MANIFEST}")


def absolute(bundle):
    (bundle.parent / "secret").write_text("outer")
    name_in_manifest(bundle, str(bundle.parent / "secret"))


def name_in_manifest(bundle, name):
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["files"][name] = manifest["files"]["outer.txt"]
    (bundle / MANIFEST).write_text(json.dumps(manifest))


def link_file(bundle):
    (bundle / "outer.txt").rename(bundle.parent / "outer.txt")
    (bundle / "outer.txt").symlink_to(bundle.parent / "outer.txt")


def link_inner_file(bundle):
    (bundle / "part" / "inner.txt").rename(bundle.parent / "inner.txt")
    (bundle / "part" / "inner.txt").symlink_to(bundle.parent / "inner.txt")


def link_part(bundle):
    (bundle / "part").rename(bundle.parent / "part")
    (bundle / "part").symlink_to(bundle.parent / "part")


def link_manifest(bundle):
    (bundle / MANIFEST).rename(bundle.parent / "aside.json")
    (bundle / MANIFEST).symlink_to(bundle.parent / "aside.json")


def pipe(bundle):
    (bundle / "outer.txt").unlink()
    os.mkfifo(bundle / "outer.txt")  # to open it would wait for ever


def add_file(bundle):
    (bundle / "more.txt").write_text("more")


def add_inner_file(bundle):
    (bundle / "part" / "more.txt").write_text("more")


def add_folder(bundle):
    (bundle / "more").mkdir()


def number_for_hash(bundle):
    manifest = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps({**manifest, "files": {"outer.txt": 5}}))


def list_of_files(bundle):
    (bundle / MANIFEST).write_text(json.dumps({"files": ["outer.txt"]}))


@pytest.mark.parametrize(
    "harm",
    [
        *(outside, above, absolute, link_file, link_inner_file, link_part, link_manifest, pipe),
        *(add_file, add_inner_file, add_folder, number_for_hash, list_of_files),
    ],
)
def test_what_the_manifest_does_not_say_is_refused(bundle, harm):
    assert read_manifest(bundle)["format"] == 1

    harm(bundle)

    with pytest.raises(InputError):
        read_manifest(bundle)


def test_a_file_is_read_as_it_was_when_its_hash_was_checked_or_not_at_all(bundle):
    manifest = read_manifest(bundle)
    assert read_file(bundle, "outer.txt", manifest) == b"outer"

    (bundle / "outer.txt").write_text("other")

    with pytest.raises(InputError, match=r"outer\.txt is not the one"):
        read_file(bundle, "outer.txt", manifest)


def test_with_a_key_only_what_is_signed_with_it_is_read(bundle, monkeypatch):
    monkeypatch.setenv("REGROUP_SIGNING_KEY", KEY)
    with pytest.raises(InputError, match="not signed with REGROUP_SIGNING_KEY"):
        read_manifest(bundle)

    assert sign_bundles(bundle.parent) == 2

    assert read_manifest(bundle)["format"] == 1
    for name, value in (("format", 2), ("signature", "0" * 64)):
        manifest = json.loads((bundle / MANIFEST).read_text())
        forged = bundle.with_name(name)
        shutil.copytree(bundle, forged)
        (forged / MANIFEST).write_text(json.dumps({**manifest, name: value}))
        with pytest.raises(InputError, match="not signed"):
            read_manifest(forged)
    monkeypatch.setenv("REGROUP_SIGNING_KEY", OTHER)
    with pytest.raises(InputError, match="not signed"):
        read_manifest(bundle)
    assert sign_bundles(bundle) == 2  # another key takes the place of the first
    assert read_manifest(bundle)["format"] == 1
    monkeypatch.delenv("REGROUP_SIGNING_KEY")
    assert read_manifest(bundle)["format"] == 1


def test_what_is_written_with_a_key_is_signed(tmp_path, monkeypatch):
    monkeypatch.setenv("REGROUP_SIGNING_KEY", KEY)

    write_bundle(tmp_path / "bundle", {"signature": "of an earlier manifest"}, lambda draft: None)

    assert read_manifest(tmp_path / "bundle")["files"] == {}


def test_an_altered_bundle_is_not_signed(bundle, monkeypatch):
    monkeypatch.setenv("REGROUP_SIGNING_KEY", KEY)
    (bundle / "part" / "inner.txt").write_text("altered")

    with pytest.raises(InputError, match=r"inner\.txt is not the one"):
        sign_bundles(bundle)

    with pytest.raises(InputError, match="not signed"):
        read_manifest(bundle)


def test_a_key_that_is_too_short_is_refused(bundle, monkeypatch):
    monkeypatch.setenv("REGROUP_SIGNING_KEY", "short")

    with pytest.raises(InputError, match="REGROUP_SIGNING_KEY has 5 characters"):
        read_manifest(bundle)
