"""The live server answers this machine alone, follows every publish, and fails in words."""

import threading
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from orchestration.boards.server import BoardServer
from orchestration.resources.serving import NothingPublishedError


@pytest.fixture
def served(board, copy):
    @contextmanager
    def opened():
        yield copy

    server = BoardServer(0, [board], "", opened, NothingPublishedError)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(served: BoardServer, path: str, **headers: str) -> tuple[int, str, dict]:
    request = Request(served.address.rstrip("/") + path, headers=headers)
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def test_the_first_board_is_the_front_page_and_nothing_may_leave_it(served):
    status, text, headers = ask(served, "/")
    assert status == 200
    assert "How many?" in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"


def test_a_new_night_is_on_the_very_next_page(served, copy):
    assert "31 May 2026" in ask(served, "/orders")[1]
    copy.connection.execute("update publication set as_of_date = date '2026-06-01'")
    copy.label = "20260602T000000_def"
    assert "1 Jun 2026" in ask(served, "/orders")[1]


def test_another_name_of_this_machine_is_turned_away(served):
    assert ask(served, "/", Host="shop.example")[0] == 403


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing", 404, "There is no board nothing; there are orders."),
        ("/orders?country=FR", 400, "Country: there is no"),
    ],
)
def test_a_wrong_address_is_answered_in_words(served, path, status, words):
    found, text, _ = ask(served, path)
    assert (found, words in text) == (status, True)


def test_before_the_first_night_the_page_says_what_to_do(board):
    @contextmanager
    def opened():
        raise NothingPublishedError("nothing is published yet: run `retention refresh`")
        yield

    with BoardServer(0, [board], "", opened, NothingPublishedError) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        status, text, _ = ask(server, "/")
        server.shutdown()
        thread.join()
    assert status == 503
    assert "run `retention refresh`" in text
