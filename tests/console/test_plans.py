"""Add all that match, in a browser without scripts: what would be added, the plan, its progress."""

from urllib.parse import urlencode

import pytest

from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.api.test_plans import work
from tests.console.conftest import Page, Visit
from tests.operations.test_plans import many, members, planned
from tests.rest import rest

HEBREW = "שיחות אביב"


def address(at: str, **asked: str) -> str:
    return f"/plans/new?{urlencode({'at': at, **asked})}"


def test_a_list_that_a_selection_cannot_hold_leads_to_a_plan(console: Visit, library: Library):
    many(library, 81, tier="template")
    (link,) = [it for it in console.page("/conversations").links if it.startswith("/plans/new")]
    page = console.page(link)
    assert "Add all conversations" in page.text
    assert "See what would be added" in page.text
    assert not any(it.startswith("/plans") for it in console.page("/conversations?tier=x").links)


def test_what_matches_is_counted_submitted_once_and_followed(
    console: Visit, library: Library, deployments: str
):
    held, *ids = many(library, 82)
    library.batch(held, *ids, name="spring")
    library.add()
    carry_out(request(HEBREW, [held], new=True))
    page = console.page(address("batch=spring", to=HEBREW))
    assert "Match 82 In the file already 1 To add 81 Versions 2" in page.text
    fields = {name: values[-1] for name, values in page.fields.items()}
    answers = [console.post("/plans", fields) for _ in range(2)]
    (plan,) = {answer.headers["location"] for answer in answers}
    assert rest(deployments).post("/flow_runs/filter", json=by_plan(plan)).json()[1:] == []
    assert "0 of 81 added, in 0 of 2 versions. Waiting for a worker." in console.page(plan).text
    assert work(deployments, plan.rpartition("/")[2]).is_completed()
    followed = console.page(plan)
    assert "81 of 81 added, in 2 of 2 versions. Done." in followed.text
    assert members(HEBREW) == [held, *ids]
    assert console.page(f"{plan}/progress").html.count("hx-get") == 0


def by_plan(path: str) -> dict:
    return {"flow_runs": {"idempotency_key": {"any_": [path.rpartition("/")[2]]}}}


def test_what_blocks_is_shown_and_nothing_is_stored_or_submitted(
    console: Visit, library: Library, deployments: str
):
    many(library, 3, enrichment_status="enriched")
    page = console.page(address("status=enriched", to="<b>new", new="true"))
    assert page.text.count("enriched") >= 3
    assert "<b>new" not in page.html
    asked = {"at": "status=enriched", "to": "New", "new": "true", "request_id": "blocked-plan"}
    assert console.post("/plans", asked).status_code == 409
    assert console.get("/plans/blocked-plan").status_code == 404
    assert rest(deployments).post("/flow_runs/filter", json=by_plan("/blocked-plan")).json() == []


@pytest.mark.parametrize(
    ("at", "asked", "words"),
    [
        ("batch=zzz", {"to": "Talks"}, "There is no batch “zzz”."),
        ("", {"to": "x" * 121, "new": "true"}, "Blocked."),
        ("", {"to": "Nowhere"}, "Blocked."),
        ("", {"to": "\0", "new": "true"}, "Blocked."),
        ("quality_min=high", {"to": "Talks"}, "“high” is no number"),
        ("quality_min=9.9", {"to": "Talks", "new": "true"}, "No conversation matches quality>=9.9"),
    ],
)
def test_what_cannot_be_planned_is_said(
    console: Visit, library: Library, at: str, asked: dict[str, str], words: str
):
    library.add()
    page = console.page(address(at, **asked))
    assert words in page.text
    assert "request_id" not in page.fields


def test_a_forged_form_plans_nothing(console: Visit, library: Library):
    library.add()
    asked = {"at": "", "to": "New", "new": "true", "request_id": "forged-plan"}
    assert console.post("/plans", asked, token="forged").status_code == 403
    assert console.get("/plans/forged-plan").status_code == 404
    assert console.get("/plans/%00").status_code == 404
    assert Page(console.get("/plans/forged-plan").text).text.count("There is no plan") == 1


def test_a_plan_that_no_run_has_says_so_and_how_it_goes_on(
    console: Visit, library: Library, deployments: str
):
    library.add()
    id = planned("Talks", "status=completed", new=True).request.request_id
    text = console.page(f"/plans/{id}").text
    assert "0 of 1 added" in text
    assert f"trainfold add --resume {id}" in text
