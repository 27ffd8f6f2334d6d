"""Stage report in headless Chromium: sorting, copying, run cards, narrow screens, print, and no request."""

import json

import pandas as pd
import pytest
from support import chromium
from support.report_pages import build, write_figures

from uniapl.report import sections
from uniapl.report.read import read

pytestmark = pytest.mark.skipif(
    not chromium.EXECUTABLE, reason=f"no browser on PATH: none of {', '.join(chromium.NAMES)}"
)
COLUMN = """[...document.querySelectorAll('#%s tbody tr')].map(row => row.cells[%d].textContent.trim())"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    page = chromium.Page(tmp_path_factory.mktemp("chromium") / "profile")
    yield page
    page.close()


@pytest.fixture
def report(browser, local, tmp_path):
    """The page of the small set, opened; its results."""
    path = local / "tables/headline/comparisons.csv"
    rows = pd.read_csv(path, dtype=str)
    more = [rows.iloc[:1].assign(arm=f"arm{i}", difference=d, p_holm=p) for i, (d, p) in enumerate(MORE)]
    pd.concat([rows, *more]).to_csv(path, index=False)
    build(local, write_figures(tmp_path / "figures"))
    browser.send("Emulation.setDeviceMetricsOverride", width=1300, height=900, deviceScaleFactor=1, mobile=False)
    browser.open(local.parent / "out/report.html")
    yield read(local)
    assert browser.complaints() == []
    assert browser.requests() == [(local.parent / "out/report.html").as_uri()]


MORE = [("110.0", "1"), ("-9.5", "2e-05"), ("0.0", "0.3")]


def column(browser, table: str, place: int) -> list[str]:
    return [text.replace("−", "-") for text in browser.run(COLUMN % (table, place))]


def head(browser, table: str, place: int) -> str:
    """JavaScript for the button in a column's head."""
    return f"document.querySelectorAll('#{table} thead th')[{place}].querySelector('button')"


def test_a_column_sorts_by_its_numbers_both_ways_from_the_keyboard(browser, report):
    place, leading = 3, lambda text: float(text.split()[0])
    before = column(browser, "headline-comparisons", place)
    browser.run(head(browser, "headline-comparisons", place) + ".focus()")
    browser.press("Enter")
    upwards = column(browser, "headline-comparisons", place)
    assert upwards == sorted(before, key=leading) != before
    browser.press("Enter")
    assert column(browser, "headline-comparisons", place) == sorted(upwards, key=leading, reverse=True)
    marked = "[...document.querySelectorAll('#headline-comparisons th')].map(th => th.getAttribute('aria-sort'))"
    assert browser.run(marked)[:5] == [None, None, None, "descending", None]


def test_exponents_sort_as_numbers_words_as_words_and_blanks_last(browser, report):
    for place, expected in ((6, lambda texts: sorted(texts, key=float)), (1, sorted)):
        browser.run(head(browser, "headline-comparisons", place) + ".click()")
        found = column(browser, "headline-comparisons", place)
        assert found == expected(found) and len(set(found)) > 2
    for _ in range(2):
        browser.run(head(browser, "headline-comparisons", 5) + ".click()")
        assert column(browser, "headline-comparisons", 5)[-1] == ""


def test_whole_rows_move(browser, report):
    rows = "[...document.querySelectorAll('#headline-comparisons tbody tr')].map(row => row.textContent)"
    before = browser.run(rows)
    browser.run(head(browser, "headline-comparisons", 3) + ".click()")
    after = browser.run(rows)
    assert after != before and sorted(after) == sorted(before)


def copied(browser, table: str, kind: str) -> str:
    """What a press of Enter on a copy button leaves in the clipboard."""
    button = f"document.querySelector('#{table} button[data-copy={kind}]')"
    browser.run(f"document.querySelectorAll('details').forEach(d => d.open = true); {button}.focus()")
    browser.press("Enter")
    browser.run("new Promise(done => setTimeout(done, 200))")
    assert browser.run(f"{button}.textContent") == "copied"
    assert browser.run("document.getElementById('status').textContent").endswith(": done")
    return browser.run("navigator.clipboard.readText()").replace("\r\n", "\n")


@pytest.mark.parametrize("name", ["main", "cost"])
def test_latex_is_copied_as_stage_tables_writes_it(browser, report, local, name):
    assert copied(browser, f"headline-{name}", "tex") == (local / f"tables/headline/{name}.tex").read_text()


def test_csv_is_copied_as_shown_and_in_the_order_shown(browser, report, tmp_path):
    browser.run(head(browser, "headline-comparisons", 3) + ".click()")
    shown = column(browser, "headline-comparisons", 1)
    (tmp_path / "copied.csv").write_text(copied(browser, "headline-comparisons", "csv"))
    frame = pd.read_csv(tmp_path / "copied.csv", dtype=str, keep_default_na=False)
    view = sections.view("comparisons", "headline", report.tables["headline"]["comparisons"].text)
    assert list(frame.columns) == view.head and list(frame.arm) == shown
    assert sorted(frame.to_numpy().tolist()) == sorted(view.rows)


def test_copying_works_where_the_clipboard_is_refused(browser, report, local):
    browser.run("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    assert copied(browser, "headline-main", "tex") == (local / "tables/headline/main.tex").read_text()


def test_the_csv_of_a_link_has_every_row_and_column(browser, report):
    link = "document.querySelector('#headline-main a[download]')"
    text = browser.run(f"atob({link}.href.split(',')[1])")
    assert text == report.tables["headline"]["main"].csv
    assert browser.run(f"{link}.download") == "headline-main.csv"


def test_the_name_of_an_arm_opens_its_run_card_and_escape_closes_it(browser, report):
    opened = "document.querySelectorAll('.run-card:popover-open').length"
    browser.run("document.querySelector('#runs').closest('details')?.setAttribute('open', '')")
    browser.run("document.querySelectorAll('button.card')[2].focus()")
    browser.press("Enter")
    assert browser.run(opened) == 1
    card = report.cards[2]
    text = browser.run("document.querySelector('.run-card:popover-open').innerText")
    assert f"{card['arm']}, seed {card['seed']}" in text and card["fingerprint"] in text
    browser.press("Escape")
    assert browser.run(opened) == 0


@pytest.mark.parametrize("width", [320, 390, 800, 1300])
def test_no_screen_is_too_narrow(browser, report, width):
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 500)
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_on_a_phone_a_long_name_leaves_room_for_the_numbers_beside_it(browser, report, local):
    path = local / "tables/headline/main.csv"
    path.write_text(
        path.read_text().replace("grpo,", "sft_then_grpo_group16_no_kl_lr3e5_and_a_warmup_of_ten_steps_without_it,")
    )
    build(local, local.parent / "no figures")
    browser.open(local.parent / "out/report.html")
    browser.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    asked = "document.querySelector('#headline-main tbody tr:last-child th').getBoundingClientRect().width"
    assert browser.run(asked) < 200


def test_on_a_phone_a_figure_keeps_its_size_and_scrolls_and_the_page_does_not(browser, report):
    browser.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    shown = browser.run(
        "(img => { img.width = 1400; img.height = 1000;"
        "  return [img.getBoundingClientRect().height, img.parentElement.scrollWidth > img.parentElement.clientWidth,"
        "          document.documentElement.scrollWidth, img.parentElement.tabIndex] })(document.images[0])"
    )
    assert shown == [416, True, 360, 0]  # 26 rem of the height


def test_no_table_scrolls_where_it_fits(browser, report):
    browser.send("Emulation.setDeviceMetricsOverride", width=1600, height=844, deviceScaleFactor=1, mobile=False)
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    hidden = "[...document.querySelectorAll('.scroll')].map(box => box.scrollWidth - box.clientWidth)"
    assert set(browser.run(hidden)) == {0}


def test_without_javascript_everything_can_be_read(browser, report, local):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(local.parent / "out/report.html")
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('thead button').length") == 0
    assert browser.run("[...document.querySelectorAll('[data-copy]')].every(button => !button.checkVisibility())")
    assert browser.run("document.querySelector('#headline-main table').checkVisibility()")
    browser.run("document.querySelector('#headline-cost').closest('details').querySelector('summary').click()")
    assert browser.run("document.querySelector('#headline-cost table').checkVisibility()")


def test_on_paper_every_table_is_open_and_no_control_is_left(browser, report):
    hidden = "[...document.querySelectorAll('%s')].filter(e => %se.checkVisibility(%s)).map(e => e.textContent)"
    strict = json.dumps({"contentVisibilityAuto": True, "visibilityProperty": True})
    assert browser.run(hidden % ("table", "!", strict)) != []  # on the screen some are folded
    browser.send("Emulation.setEmulatedMedia", media="print")
    try:
        assert browser.run(hidden % ("table", "!", strict)) == []
        assert browser.run(hidden % (".tools, nav, summary, .run-card", "", strict)) == []
    finally:
        browser.send("Emulation.setEmulatedMedia", media="")
    assert browser.send("Page.printToPDF")["data"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(browser, report, scheme):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 or more, for the quiet text and the badges too."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.send("Emulation.setEmulatedMedia", features=features)
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (luminance(paper) > 0.5) == (scheme == "light")
    for selector in (
        "body",
        ".note",
        ".interval",
        "a[href]",
        ".badge.supported",
        ".badge.not-decided",
        ".badge.missing",
    ):
        asked = f"(s => [s.color, s.backgroundColor])(getComputedStyle(document.querySelector('{selector}')))"
        colour, behind = browser.run(asked)
        behind = paper if behind == "rgba(0, 0, 0, 0)" else behind
        light, dark = sorted((luminance(colour), luminance(behind)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (selector, colour, behind)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of `rgb(r, g, b)`, 0 to 1."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
