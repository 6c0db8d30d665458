"""The fitness page of a training file."""

import pytest

from console.pages import fitness
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import Visit


def test_the_page_of_a_training_file_links_to_its_fitness(console: Visit, library: Library):
    carry_out(request("Über “spring” talks", library.add_many(2), new=True))
    path = "/training-files/%C3%9Cber%20%E2%80%9Cspring%E2%80%9D%20talks"
    assert f"{path}/fitness" in console.page(path).links
    page = console.page(f"{path}/fitness")
    assert "What a model would learn from version 1" in page.text
    assert "TRL, prompt-completion" in page.text
    assert "This training file was not split yet." in page.text
    assert 'style="' not in page.html
    assert path in page.links


def test_a_file_that_is_too_large_for_a_page_names_the_command(
    console: Visit, library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fitness, "MAX_COMPUTED", 1)
    carry_out(request("It's", library.add_many(2), new=True))
    page = console.page("/training-files/It's/fitness")
    assert "trainfold fitness -o fitness.html 'It'\"'\"'s'" in page.text
    assert "TRL" not in page.text


def test_a_training_file_that_is_not_there_has_no_fitness(console: Visit):
    assert console.get("/training-files/none/fitness").status_code == 404
