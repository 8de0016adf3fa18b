//! `--trace`: a failing schedule as a record, a picture and a page; and the picture that the README shows.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::workshop::Workshop;

/// A checkout with the deadlock that the README shows, checked with `--trace FILE`.
fn traced(file: &str) -> (Workshop, String) {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    workshop.run(&["check", "lock", "--trace", file]).exits(1).without_complaint();
    let text = workshop.read(file);
    (workshop, text)
}

#[test]
fn the_record_is_the_trace_of_the_document() {
    let (workshop, text) = traced("trace.json");
    let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let ran = workshop.run(&["check", "lock", "--json"]).exits(1);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let failed =
        document["tests"].as_array().expect("tests").iter().find(|test| test["trace"].is_object()).expect("a trace");
    assert_eq!(record, failed["trace"]);
}

#[test]
fn the_picture_has_a_lane_a_thread_and_shows_who_is_blocked() {
    let (_, svg) = traced("trace.svg");
    let shown = [
        ">alice→bob</text>",
        ">bob→alice</text>",
        ">Deadlock: alice→bob and bob→alice wait for each other</text>",
        "class=\"blocked\"",
        "class=\"held c1\"",
        ">preempts bob→alice</text>",
        "class=\"circle\"",
        ">holds account#2, made at lib.rs:41</text>",
        "role=\"img\"",
    ];
    for shown in shown {
        assert!(svg.contains(shown), "{shown} is not in the picture:\n{svg}");
    }
    assert!(!svg.contains("<script"), "a picture runs nothing");
}

#[test]
fn a_replay_writes_the_same_picture() {
    let (workshop, svg) = traced("trace.svg");
    let record: verdict::Trace = {
        workshop.run(&["check", "lock", "--trace", "trace.json"]).exits(1);
        serde_json::from_str(&workshop.read("trace.json")).expect("a trace")
    };
    let test = "transfers_in_both_directions_finish";
    workshop.run(&["replay", "lock", test, "--schedule", &record.schedule, "--trace", "again.svg"]).exits(1);
    assert_eq!(workshop.read("again.svg"), svg);
}

#[test]
fn the_page_is_stepped_through_with_the_keyboard() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium is installed");
        return;
    };
    let (workshop, page) = traced("trace.html");
    assert!(
        !page.contains("http://") || page.matches("http://").count() == page.matches("http://www.w3.org/").count(),
        "the page loads nothing"
    );
    let press = |keys: &[&str]| {
        let events: String = keys
            .iter()
            .map(|key| format!("dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}' }}));"))
            .collect();
        let pressed = workshop.path("pressed.html");
        fs::write(&pressed, page.replace("</body>", &format!("<script>{events}</script></body>"))).expect("a page");
        let shown = open(&browser, &pressed, (1280, 800));
        let says =
            shown.split("<div id=\"says\" aria-live=\"polite\">").nth(1).and_then(|rest| rest.split("</div>").next());
        says.unwrap_or_else(|| panic!("the page says nothing:\n{shown}")).to_string()
    };
    let first = press(&[]);
    assert!(first.starts_with("1 of "), "{first}");
    let last = first.split(" of ").nth(1).and_then(|rest| rest.split(':').next()).expect("a count");
    assert!(press(&["ArrowRight"]).starts_with("2 of "));
    assert!(press(&["End"]).starts_with(&format!("{last} of {last}")));
    assert!(press(&["End", "ArrowLeft", "Home", "j", "k"]).starts_with("1 of "));
}

/// Steps through the whole page by its button, and notes what cannot be seen or used meanwhile.
const STEP_THROUGH: &str = "
const faults = [];
for (let number = 0; number < lanes.moments.length; number++) {
  if (number > 0) by('on').click();
  const say = what => faults.push(`step ${number}: ${what}`);
  if (now !== number) say('the button does not step on');
  if (scrollX !== 0 || scrollY !== 0) say(`the page has scrolled to ${scrollX}, ${scrollY}`);
  if (document.documentElement.scrollWidth > innerWidth) say('the page is wider than the window');
  for (const id of ['back', 'on', 'says']) {
    const it = by(id).getBoundingClientRect();
    if (it.left < 0 || it.top < 0 || it.right > innerWidth || it.bottom > innerHeight) say(`${id} is outside of the window`);
  }
  const picture = by('picture').getBoundingClientRect();
  const code = document.querySelector('.step.now .code').getBoundingClientRect();
  if (code.left < picture.left || code.left + 60 > picture.right) say('the line is beside the picture');
  if (code.top < picture.top || code.bottom > picture.bottom) say('the line is above or below the picture');
  const source = by('source').getBoundingClientRect(), line = document.querySelector('#source .now').getBoundingClientRect();
  if (line.top < source.top - 1 || line.bottom > source.bottom + 1) say('the line of the source is not seen');
}
parent.document.body.dataset.faults = `${innerWidth} pixels, ${lanes.moments.length} steps; ${faults.join('; ')}`;
";

#[test]
fn the_page_is_stepped_through_on_a_telephone() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium is installed");
        return;
    };
    let (workshop, page) = traced("trace.html");
    for (width, height) in [(400, 700), (1280, 800), (1800, 900)] {
        // Browsers have a narrowest window, and frames have not.
        let inner = page.replace("</body>", &format!("<script>{STEP_THROUGH}</script></body>"));
        let inner = inner.replace('&', "&amp;").replace('"', "&quot;");
        let file = workshop.path("frame.html");
        let frame = format!("<iframe width=\"{width}\" height=\"{height}\" srcdoc=\"{inner}\"></iframe>");
        fs::write(&file, format!("<!doctype html><body>{frame}</body>")).expect("a page");
        let shown = open(&browser, &file, (1900, 1000));
        let faults = shown.split("data-faults=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(faults, Some(&format!("{width} pixels, 7 steps; ")[..]), "at {width}x{height}");
    }
}

pub(crate) fn browser() -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let installed =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    names.into_iter().find(installed).map(str::to_string)
}

/// The page's document as the browser has it once its script has run.
pub(crate) fn open(browser: &str, page: &Path, (width, height): (u32, u32)) -> String {
    let profile = tempfile::tempdir().expect("a temporary folder");
    let quiet = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--dump-dom"])
        .args(quiet)
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_unknown_form_or_folder_is_refused_before_anything_is_built() {
    let workshop = Workshop::new();
    let said = workshop.run(&["check", "lock", "--trace", "trace.png"]).refused();
    assert!(said.contains("Give the file one of these endings: .json, .svg, .html."), "{said}");
    let said = workshop.run(&["check", "lock", "--trace", "nowhere/trace.svg"]).refused();
    assert!(said.contains("there is no folder nowhere"), "{said}");
}

#[test]
fn the_readme_shows_what_the_command_shows() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("README.md");
    let picture = readme
        .split("<!-- picture -->\n```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a picture");
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let shown = workshop.run(&["check", "lock"]).exits(1).stdout;
    assert!(shown.contains(picture.trim_end()), "the README shows\n{picture}\nthe command shows\n{shown}");
    assert!(picture.lines().count() > 10, "a picture of a schedule has more lines than that");
}
