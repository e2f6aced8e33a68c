"""The outbox: one file per message, written whole, never twice."""

from orchestration.resources.outbox import Outbox


def test_a_message_is_one_file_with_its_subject_and_body(tmp_path):
    file = Outbox(tmp_path / "outbox").write("failed_night_1", "The night failed", "- why\n")
    assert file.read_text() == "# The night failed\n\n- why\n"


def test_the_same_message_is_not_written_twice(tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    first = outbox.write("failed_night_1", "The night failed", "first")
    second = outbox.write("failed_night_1", "The night failed", "second")
    assert first == second
    assert "first" in first.read_text()
    assert outbox.messages() == [first]


def test_a_name_cannot_leave_the_folder(tmp_path):
    file = Outbox(tmp_path / "outbox").write("../../escaped", "s", "b")
    assert file.parent == tmp_path / "outbox"
