"""The console at /: the queue, a ticket, lost races, filing, statistics, keys"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, origin_of
from tests.browser.steps import change, file, filing, lists, panel, read, rows, titles
from tests.conftest import serve
from tests.tickets import URL, insert, insert_many

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

    from tests.browser.conftest import OpenPage
    from tests.http import Service
    from tests.tickets import Connection


# The queue


def test_it_shows_the_queue_newest_first(console: OpenPage, service: Service) -> None:
    file(service, title="One", priority="critical", category="billing")
    file(service, title="Two")
    page = console()
    expect(titles(page)).to_have_text(["Two", "One"])
    expect(page.locator("#total")).to_have_text("2 tickets")
    expect(rows(page).last).to_contain_text("billing", ignore_case=True)
    expect(rows(page).last.locator(".priority-critical")).to_be_visible()
    expect(page).to_have_title("Tickets")


def test_an_empty_queue_says_what_to_do(console: OpenPage) -> None:
    page = console()
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    page.locator("#queue-state").get_by_role("link", name="File a ticket").click()
    expect(page.get_by_role("heading", name="File a ticket")).to_be_visible()


def test_filters_are_in_the_address(console: OpenPage, service: Service) -> None:
    file(service, title="Money", category="billing")
    change(service, file(service, title="Done", category="billing"), status="closed")
    file(service, title="Other", category="technical")
    page = console()
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Billing").check()
    expect(titles(page)).to_have_text(["Done", "Money"])
    page.get_by_label("Open", exact=True).check()
    expect(titles(page)).to_have_text(["Money"])
    assert page.url.endswith("/?category=billing&status=open")
    page.get_by_label("In progress").check()
    expect(page.locator("#total")).to_have_text("1 ticket")
    assert page.url.endswith("status=open,in_progress")

    shared = console(page.url.partition("/?")[2] and "?" + page.url.partition("/?")[2])
    expect(titles(shared)).to_have_text(["Money"])
    expect(shared.get_by_label("In progress")).to_be_checked()

    page.go_back()
    page.go_back()
    expect(titles(page)).to_have_text(["Done", "Money"])
    expect(page.get_by_label("Open", exact=True)).not_to_be_checked()
    page.get_by_role("button", name="Clear all filters").click()
    expect(rows(page)).to_have_count(3)


def test_a_window_of_local_days_and_an_order(console: OpenPage, database: Connection, service: Service) -> None:
    for at in ("2026-03-01T22:59:59Z", "2026-03-01T23:00Z", "2026-03-03T22:59:59Z", "2026-03-03T23:00Z"):
        insert(database, at, at)
    page = console("?from=2026-03-02&to=2026-03-03")  # in Berlin, one hour ahead of UTC
    expect(titles(page)).to_have_text(["2026-03-03T22:59:59Z", "2026-03-01T23:00Z"])
    page.get_by_label("Order").select_option("Oldest first")
    expect(titles(page)).to_have_text(["2026-03-01T23:00Z", "2026-03-03T22:59:59Z"])
    file(service, title="Now")
    page.get_by_label("Created", exact=True).select_option("Today")
    expect(titles(page)).to_have_text(["Now"])


def test_search_as_you_type_forgets_outdated_calls(console: OpenPage, service: Service) -> None:
    file(service, title="Charged twice")
    file(service, title="Change of address")
    page = console()
    expect(rows(page)).to_have_count(2)
    held: list[Route] = []
    given_up: list[str] = []
    page.on("requestfailed", lambda request: given_up.append(request.url))
    page.route("**/api/tickets/?search=cha&*", lambda route: held.append(route))
    page.get_by_label("Search in").press_sequentially("cha")
    page.wait_for_url("**/?search=cha")
    page.get_by_label("Search in").press_sequentially("rged", delay=20)
    expect(titles(page)).to_have_text(["Charged twice"])
    expect(page.locator("#rows mark")).to_have_text(["Charged"])
    assert len(held) == 2  # the page, and the number of all
    assert sorted(given_up) == sorted(route.request.url for route in held)
    page.go_back()  # typing was one step
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_label("Search in")).to_have_value("")


def test_it_loads_pages_as_it_is_scrolled(console: OpenPage, database: Connection) -> None:
    insert_many(database, 230)
    asked: list[str] = []
    page = console()
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("#total")).to_have_text("230 tickets")
    for least in (51, 101, 151, 201):
        page.locator("#list").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        expect(rows(page).nth(least - 1)).to_be_attached()
    expect(rows(page)).to_have_count(230)
    shown = titles(page).all_text_contents()
    assert shown == [f"Ticket {number}" for number in range(230, 0, -1)]
    assert len(lists(asked)) <= 5
    assert all("cursor=" in url for url in lists(asked)[1:])
    expect(page.locator("#more")).to_be_hidden()


def test_a_bad_filter_in_the_address_is_told(console: OpenPage) -> None:
    page = console("?status=opne")
    expect(page.get_by_role("alert")).to_contain_text("status must be one or more of open, in_progress")


def test_a_call_that_fails_can_be_tried_again(console: OpenPage, service: Service) -> None:
    file(service, title="Still there")
    page = console("?view=file")
    document = {"title": "Temporarily unavailable", "detail": "The database is away.", "status": 503}
    page.route(
        "**/api/tickets/?*",
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(document)),
    )
    page.get_by_role("link", name="Queue").click()
    expect(page.get_by_role("alert")).to_contain_text("The database is away.")
    page.unroute("**/api/tickets/?*")
    page.get_by_role("button", name="Try again").click()
    expect(titles(page)).to_have_text(["Still there"])
    page.route("**/api/tickets/?*", lambda route: route.abort())
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")


# A ticket


def test_a_ticket_is_changed_in_place(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Export stops", category="technical")
    page = console()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PATCH" else None)
    titles(page).first.click()
    expect(page.get_by_role("heading", name="Export stops")).to_be_focused()
    assert page.url.endswith(f"?ticket={ticket['id']}")
    panel(page).get_by_label("Status").select_option("In progress")
    expect(page.locator("#said")).to_have_text("Saved")
    expect(rows(page).first).to_contain_text("In progress")
    expect(page.locator(".history li")).to_have_count(2)
    expect(page.locator(".history li").last).to_contain_text("Open → In progress")
    panel(page).get_by_role("button", name="Edit").click()
    panel(page).get_by_label("Description").fill("It stops after 1,000 rows.")
    panel(page).get_by_role("button", name="Save").click()
    expect(page.locator("#ticket .text")).to_have_text("It stops after 1,000 rows.")
    expect(page.locator(".history ins").last).to_have_text("It stops after 1,000 rows.")
    assert [request.headers["if-match"] for request in sent] == ['"1"', '"2"']
    assert [request.post_data_json for request in sent] == [
        {"status": "in_progress"},
        {"description": "It stops after 1,000 rows."},
    ]
    now = read(service, ticket)
    assert (now["status"], now["description"], now["version"]) == ("in_progress", "It stops after 1,000 rows.", 3)


def test_changes_in_a_row_do_not_race_each_other(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    page.evaluate(
        """() => { for (const [field, value] of [['status', 'closed'], ['priority', 'low'], ['category', 'billing']]) {
            const select = document.querySelector(`#ticket-${field}`);
            select.value = value;
            select.dispatchEvent(new Event('change')); } }"""
    )
    expect(page.locator(".history li")).to_have_count(4)
    now = read(service, ticket)
    assert (now["status"], now["priority"], now["category"]) == ("closed", "low", "billing")


@pytest.mark.parametrize(("button", "status"), [("Apply mine on top", "closed"), ("Drop mine", "resolved")])
def test_a_lost_race_is_shown_and_resolved(console: OpenPage, service: Service, button: str, status: str) -> None:
    ticket = file(service, title="Before")
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, status="resolved", title="Theirs")
    panel(page).get_by_label("Status").select_option("Closed")
    race = page.get_by_role("alertdialog", name="Somebody else was faster")
    expect(race).to_be_focused()
    expect(race).to_contain_text("Open → Resolved")
    expect(race.locator("del")).to_have_text("Before")
    expect(race.locator("ins")).to_have_text("Theirs")
    expect(race).to_contain_text("Resolved → Closed")
    expect(race).to_contain_text("applying yours replaces theirs")
    assert read(service, ticket)["status"] == "resolved"
    race.get_by_role("button", name=button).click()
    expect(race).to_be_hidden()
    expect(panel(page).get_by_label("Status")).to_have_value(status)
    expect(page.get_by_role("heading", name="Theirs")).to_be_visible()
    now = read(service, ticket)
    assert (now["status"], now["title"]) == (status, "Theirs")


def test_a_race_that_is_lost_twice_is_shown_twice(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    panel(page).get_by_role("button", name="Edit").click()
    panel(page).get_by_label("Title").fill("Mine")
    change(service, ticket, priority="low")
    panel(page).get_by_role("button", name="Save").click()
    race = page.get_by_role("alertdialog")
    expect(race).to_contain_text("Medium → Low")
    expect(panel(page).get_by_label("Title")).to_have_value("Mine")
    change(service, ticket, priority="critical")
    race.get_by_role("button", name="Apply").click()
    expect(race).to_contain_text("Low → Critical")
    assert read(service, ticket)["title"] == ticket["title"]
    race.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    now = read(service, ticket)
    assert (now["title"], now["priority"]) == ("Mine", "critical")


def test_the_same_change_by_two_is_no_conflict(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, status="closed")
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.locator("#said")).to_contain_text("the same change")
    assert read(service, ticket)["version"] == 2


def test_a_change_that_is_lost_after_going_on_is_told(console: OpenPage, service: Service) -> None:
    ticket, other = file(service, title="Left"), file(service, title="Other")
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, status="resolved")
    held: list[Route] = []
    page.route(
        f"**/{ticket['id']}", lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_()
    )
    panel(page).get_by_label("Status").select_option("Closed")
    titles(page).first.click()
    expect(page.get_by_role("heading", name="Other")).to_be_focused()
    [patch] = held
    patch.continue_()
    expect(page.locator("#said")).to_contain_text("“Left” was not saved")
    assert read(service, ticket)["status"] == "resolved"
    assert read(service, other)["version"] == 1


def test_a_ticket_that_another_deleted(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    service.call("DELETE", URL + ticket["id"])
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.get_by_role("alert")).to_contain_text("This ticket is gone")
    expect(panel(page).get_by_label("Status")).to_have_value("open")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("There is no ticket")


def test_deleting_asks_first(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Doomed")
    page = console(f"?ticket={ticket['id']}")
    dialog = page.get_by_role("dialog", name="Delete this ticket?")
    panel(page).get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("Doomed")
    dialog.get_by_role("button", name="Keep it").click()
    assert read(service, ticket)["title"] == "Doomed"
    panel(page).get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("#said")).to_have_text("The ticket was deleted")
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    expect(page.locator("#total")).to_have_text("0 tickets")
    assert service.call("GET", URL + ticket["id"]).status == 404


# Filing


def test_filing_suggests_with_reasons(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    filing(page).get_by_label("Title").fill("Charged twice")
    filing(page).get_by_label("Description").fill("My card was charged twice for the May invoice, please refund one.")
    category = page.locator(".suggested[data-field=category]")
    expect(category).to_contain_text("Billing")
    expect(category.locator(".reasons")).to_contain_text("charged twice", ignore_case=True)
    expect(filing(page).get_by_label("Category", exact=True)).to_contain_text("As suggested: billing")
    page.get_by_role("button", name="File the ticket").click()
    expect(page.get_by_role("heading", name="Charged twice")).to_be_visible()
    [ticket] = service.call("GET", URL).json
    assert ticket["category"] == "billing"
    assert ticket["triage"]["category"]["source"] == "offline"
    expect(panel(page)).to_contain_text("Suggested by the lexicon")
    page.get_by_role("link", name="File a ticket").click()
    expect(filing(page).get_by_label("Title")).to_have_value("")


def test_a_persons_own_choice_wins(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    filing(page).get_by_label("Title").fill("Charged twice")
    filing(page).get_by_label("Description").fill("Please refund one of the two invoices.")
    filing(page).get_by_label("Category", exact=True).select_option("Technical")
    expect(page.locator(".suggested[data-field=category]")).to_contain_text("Billing")
    expect(filing(page).get_by_label("Category", exact=True)).to_have_value("technical")
    filing(page).get_by_label("Description").press("Control+Enter")
    expect(panel(page)).to_contain_text("Chosen by a person")
    [ticket] = service.call("GET", URL).json
    assert (ticket["category"], ticket["triage"]["category"]) == ("technical", {"source": "caller"})


def test_filing_again_after_an_answer_was_lost_files_once(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    filing(page).get_by_label("Title").fill("Once")
    filing(page).get_by_label("Description").fill("No matter how often it is sent.")

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        assert route.fetch().status == 201
        return route.abort()

    page.route("**/api/tickets/", lose)
    page.get_by_role("button", name="File the ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/api/tickets/")
    page.reload()  # even then
    expect(filing(page).get_by_label("Title")).to_have_value("Once")
    page.get_by_role("button", name="File the ticket").click()
    expect(page.get_by_role("heading", name="Once")).to_be_visible()
    assert [ticket["title"] for ticket in service.call("GET", URL).json] == ["Once"]


def test_filing_names_what_is_missing(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    page.get_by_role("button", name="File the ticket").click()
    expect(filing(page).get_by_label("Title")).to_be_focused()
    expect(page.get_by_text("Say in a few words")).to_be_visible()
    filing(page).get_by_label("Title").fill("🚒" * 201)
    filing(page).get_by_label("Description").fill("Too long a title.")
    page.get_by_role("button", name="File the ticket").click()
    expect(page.get_by_text("this one has 201")).to_be_visible()
    filing(page).get_by_label("Title").fill("🚒" * 200)
    page.get_by_role("button", name="File the ticket").click()
    expect(page.get_by_role("heading", name="🚒")).to_be_visible()
    assert len(service.call("GET", URL).json) == 1


# Statistics


def test_the_statistics_are_those_of_the_api(console: OpenPage, service: Service) -> None:
    for priority in ("critical", "critical", "low"):
        change(service, file(service, priority=priority, category="billing"), status="resolved")
    suggested = service.call("POST", URL, {"title": "Refund", "description": "I was charged twice"}).json
    change(service, suggested, category="general", status="closed")
    page = console("?view=statistics")
    expect(page.locator(".totals")).to_contain_text("4")
    expect(page.locator(".figure", has_text="By priority")).to_contain_text("2 · 50 %")
    expect(page.locator(".figure", has_text="By category")).to_contain_text("3 · 75 %")
    daily = page.locator(".figure", has_text="each day")
    expect(daily.locator(".readout")).to_contain_text("Created 4")
    expect(daily.locator(".readout")).to_contain_text("Resolved 4")
    expect(daily.locator("svg rect.created")).to_have_count(30)
    daily.get_by_text("As a table").click()
    expect(daily.locator("tbody tr").first).to_contain_text("44")
    expect(page.locator(".figure", has_text="first resolution")).to_contain_text("All 4")
    triage = page.locator(".figure", has_text="Triage")
    expect(triage).to_contain_text("1 suggested: 0 kept, 1 corrected, 0 not judged yet.")
    expect(triage.locator(".confusion").first.locator("td.wrong", has_text="1")).to_have_count(1)
    page.get_by_label("Created in the last").select_option("7 days")
    expect(daily.locator("svg rect.created")).to_have_count(7)
    assert page.url.endswith("?view=statistics&days=7")


def test_statistics_without_tickets(console: OpenPage) -> None:
    page = console("?view=statistics")
    expect(page.get_by_text("Nothing resolved yet")).to_be_visible()
    expect(page.get_by_text("Nothing suggested yet")).to_be_visible()
    expect(page.locator(".totals")).to_contain_text("0")


def test_the_days_are_those_of_the_browsers_zone(console: OpenPage) -> None:
    asked: list[str] = []
    page = console("?view=file")
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Statistics").click()
    expect(page.locator(".figure", has_text="each day").locator("svg")).to_be_visible()
    [daily] = [url for url in asked if "stats/daily" in url]
    assert "tz=Europe%2FBerlin" in daily


# Keys


@pytest.fixture(scope="module")
def guarded(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serve(database_url, tmp_path_factory.mktemp("guarded") / "log", REQUIRE_API_KEY="on") as service:
        yield service


def add_key(database: Connection, scope: str) -> str:
    key = f"tk_{secrets.token_hex()}"
    database.execute(
        "INSERT INTO api_keys (name, scope, hash) VALUES (%s, %s, sha256(%s::text::bytea))",
        [f"{scope}-{secrets.token_hex(4)}", scope, key],
    )
    return key


def give_key(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="An API key is needed")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_role("button", name="Use it").click()


def test_it_asks_for_a_key_and_keeps_it_for_the_session(
    open_at: OpenPage, guarded: Service, database: Connection, clean: None
) -> None:
    insert(database, "Secret", "2026-01-01")
    key = add_key(database, "write")
    page = open_at(origin_of(guarded))
    dialog = page.get_by_role("dialog", name="An API key is needed")
    expect(dialog.get_by_label("Key", exact=True)).to_be_focused()
    give_key(page, "tk_wrong")
    expect(dialog.get_by_role("alert")).to_contain_text("not known")
    assert not titles(page).all()
    give_key(page, key)
    expect(titles(page)).to_have_text(["Secret"])
    titles(page).first.click()
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.locator(".history li").last).to_contain_text("Changed by write-")
    page.reload()
    expect(titles(page)).to_have_text(["Secret"])
    kept = page.evaluate("[Object.values(localStorage), document.cookie, Object.values(sessionStorage)]")
    assert key not in json.dumps(kept[:2])
    assert key in kept[2]
    other = page.context.new_page()
    other.goto(origin_of(guarded))
    expect(other.get_by_role("dialog", name="An API key is needed")).to_be_visible()
    page.get_by_role("button", name="Forget the key").click()
    expect(dialog).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert not titles(page).all()


def test_what_a_key_does_not_allow_is_told(
    open_at: OpenPage, guarded: Service, database: Connection, clean: None
) -> None:
    ticket = insert(database, "Only to be read", "2026-01-01")
    page = open_at(origin_of(guarded), f"?ticket={ticket}")
    give_key(page, add_key(database, "read"))
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.get_by_role("alert")).to_contain_text("needs a key with the scope write")
    expect(panel(page).get_by_label("Status")).to_have_value("open")


def test_a_refused_prompt_leaves_a_way_back(open_at: OpenPage, guarded: Service, clean: None) -> None:
    page = open_at(origin_of(guarded))
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("An API key is needed")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("dialog", name="An API key is needed")).to_be_visible()


# Texts that mean no good


def test_the_browser_lets_no_text_become_html(browser: Browser, service: Service) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(origin_of(service))
        makes_html = "(() => { try { document.body.innerHTML = '<p>x</p>'; return true } catch { return false } })()"
        assert not page.evaluate(makes_html)
        adds_script = """(() => { const script = document.createElement('script');
            script.append('window.ran = true'); document.body.append(script); return Boolean(window.ran) })()"""
        assert not page.evaluate(adds_script)


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)><style>*{display:none}</style>',
    "{{constructor.constructor('alert(4)')()}} javascript:alert(5)",
    "\u202eesrever \u2066isolate \u200b zero width \u00ad soft",
    "لا أستطيع تسجيل الدخول إلى حسابي",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
    "W" * 200,
    "👩‍👩‍👧‍👦🏳️‍🌈💥" * 12,
]


@pytest.mark.parametrize("size", [NARROW, (1440, 900)])
def test_hostile_texts_are_texts(console: OpenPage, service: Service, size: tuple[int, int]) -> None:
    tickets = [file(service, title=text, description=text * 20) for text in HOSTILE]
    change(service, tickets[0], title=HOSTILE[1], description=HOSTILE[0])
    page = console("?search=alert", size=size)
    expect(rows(page)).to_have_count(3)
    page.goto(page.url.partition("?")[0])
    expect(titles(page)).to_have_text([HOSTILE[1], *HOSTILE[1:]][::-1], use_inner_text=False)
    for ticket in tickets:
        page.goto(page.url.partition("?")[0] + f"?ticket={ticket['id']}")
        expect(page.locator("#ticket h2")).to_have_text(read(service, ticket)["title"])
        assert page.locator("#ticket .text").text_content() == read(service, ticket)["description"]
        expect(page.locator(".history li").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    foreign = page.locator("main script, main style, main img, main [onerror], main [onload], main [style*=display]")
    assert foreign.count() == 0
