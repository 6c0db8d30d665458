"""A curator renames a training file, archives it, takes it back and deletes it."""

from playwright.sync_api import expect

from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.browser.conftest import Curator
from tests.file_commands import actions

NAME = "שיחות אביב"


def test_a_file_is_renamed_archived_taken_back_and_deleted(curator: Curator, library: Library):
    version = carry_out(request("Spring talks", [library.add()], new=True))
    page = curator.open("/training-files/Spring%20talks")
    assert curator.grave_findings() == []

    page.locator("summary", has_text="Rename").click()
    page.get_by_label("New name").fill(NAME)
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("status")).to_have_text(f"“Spring talks” is “{NAME}” now.")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)

    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("status")).to_have_text(f"“{NAME}” is archived.")
    assert curator.grave_findings() == []
    page.get_by_role("button", name="Make active again").click()
    expect(page.get_by_role("status")).to_have_text(f"“{NAME}” is active again.")
    page.get_by_role("button", name="Archive").click()

    page.locator("summary", has_text="Delete").click()
    page.get_by_label("Type the file's name").fill("Spring talks")
    page.get_by_role("button", name="Delete with all versions").click()
    expect(page.get_by_role("status")).to_contain_text("The confirmation is not the file's name")
    page.locator("summary", has_text="Delete").click()
    page.get_by_label("Type the file's name").fill(NAME)
    page.get_by_role("button", name="Delete with all versions").click()
    expect(page.get_by_role("status")).to_contain_text(f"“{NAME}” is deleted.")
    expect(page.get_by_text("There is no training file yet")).to_be_visible()

    curator.open(f"/training-files/{version.training_file_id}/log")
    expect(page.locator("tbody tr")).to_have_count(7)
    expect(page.locator("tbody tr").first).to_contain_text("delete")
    assert curator.grave_findings() == []
    assert [what for what, _ in actions(NAME)] == [
        "create", "rename", "archive", "unarchive", "archive", "delete", "delete",
    ]  # fmt: skip
