"""The folder of nightly pages is whole or as it was; the reader follows the pointer and keeps a page to one night."""

import duckdb
import pytest

from orchestration.resources.boards import BoardsFolder, CopyReader
from orchestration.resources.serving import NothingPublishedError, ServingFolder, point


def publish(serving: ServingFolder, label: str, number: int) -> None:
    serving.directory.mkdir(exist_ok=True)
    file = serving.directory / f"serving_{label}.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"create schema marts; create table marts.t as select {number} as n")
    file.chmod(0o444)
    point(serving.pointer, file.name)


def number(copy) -> int:
    return copy.query("select n from t", {})[1][0][0]


@pytest.fixture
def serving(tmp_path):
    return ServingFolder(tmp_path / "serving", keep=2)


def test_a_page_that_is_being_drawn_stays_with_its_night_and_the_next_one_is_of_the_new_night(
    serving,
):
    publish(serving, "1", 1)
    reader = CopyReader(serving)
    with reader.opened() as copy:
        publish(serving, "2", 2)
        with reader.opened() as newer:
            assert (newer.label, number(newer)) == ("2", 2)
        (serving.directory / "serving_1.duckdb").unlink()
        assert (copy.label, number(copy)) == ("1", 1)
    reader.close()


def test_the_reader_cannot_write_and_cannot_reach_another_file(serving, tmp_path):
    publish(serving, "1", 1)
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    reader = CopyReader(serving)
    with reader.opened() as copy:
        for sql in ("create table t2 as select 1", f"select * from read_csv('{secret}')"):
            with pytest.raises(duckdb.Error):
                copy.query(sql, {})
    reader.close()


def test_before_the_first_night_the_reader_says_what_to_do(serving):
    with (
        pytest.raises(NothingPublishedError, match="retention refresh"),
        CopyReader(serving).opened(),
    ):
        pass


def test_pages_that_could_not_all_be_drawn_leave_the_former_night_standing(tmp_path):
    folder = BoardsFolder(tmp_path, keep=2)
    folder.write("1", [("index.html", "first night")])

    def half_a_night():
        yield "index.html", "second night"
        raise ValueError("a query failed")

    with pytest.raises(ValueError, match="a query failed"):
        folder.write("2", half_a_night())
    assert (folder.pointer / "index.html").read_text() == "first night"
    folder.write("3", [("index.html", "third night")])
    assert (folder.pointer / "index.html").read_text() == "third night"
    assert not list(tmp_path.glob(".*.part"))


def test_only_the_last_nights_are_kept(tmp_path):
    folder = BoardsFolder(tmp_path, keep=2)
    for label in ("1", "2", "3"):
        folder.write(label, [("index.html", label)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3", "current"]


def test_the_pages_of_a_night_can_be_drawn_again(tmp_path):
    folder = BoardsFolder(tmp_path, keep=2)
    folder.write("1", [("index.html", "before"), ("gone.html", "gone")])
    folder.write("1", [("index.html", "after")])
    assert (folder.pointer / "index.html").read_text() == "after"
    assert not (folder.pointer / "gone.html").exists()
