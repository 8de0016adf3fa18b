//! `play`: the person at the keyboard is the scheduler, in plain lines and on a screen.

use std::fs;

use crate::pictures::{browser, open};
use crate::workshop::{Ran, Workshop};

/// The test that the README shows.
const TEST: &str = "transfers_in_both_directions_finish";

/// The arguments that play that test of a wrong submission: it takes its locks in the order in which they are named.
const ABBA: [&str; 5] = ["play", "lock", TEST, "--wrong", "abba"];

/// Plays it with these lines of input.
fn abba(lines: &[&str]) -> Ran {
    Workshop::new().run_with(&ABBA, lines).exits(0).without_complaint()
}

/// The last position that was shown.
fn last(ran: &Ran) -> &str {
    ran.stdout.rsplit("\n\nlock: ").next().unwrap_or_default()
}

#[test]
fn each_thread_is_shown_with_what_it_would_do_next() {
    let ran = abba(&["q"]);
    insta::assert_snapshot!(ran.stdout, @r#"

    lock: transfers_in_both_directions_finish · 0 of 2 choices
    the beginning · clock 0 s
        step  main                                              alice→bob bob→alice
           2  lock.rs:102 start(scope, "bob→alice", || bank.tr…
                 starts bob→alice
           3  lock.rs:100 thread::scope(|scope| {
                 ⏸ until alice→bob ends

          main       waits for alice→bob to finish (lock.rs:100)
      1 ↻ alice→bob  lib.rs:68 let mut from = self.accounts[from].lock();
                     lock account#1
      2→  bob→alice  lib.rs:68 let mut from = self.accounts[from].lock();
                     lock account#2
     ✗ deadlock: alice→bob and bob→alice wait for each other. This is the beginning
     of the schedule that fails most simply: n follows it, j goes to the choice that
     mattered.
    "#);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
}

#[test]
fn who_is_chosen_goes_on_and_who_must_wait_says_for_whom() {
    let ran = abba(&["2", "1"]);
    insta::assert_snapshot!(last(&ran), @r"
    transfers_in_both_directions_finish · 2 choices
    --schedule 2.1 · clock 0 s
        step  main                   alice→bob              bob→alice
           6  ⏸ until alice→bob ends 69 let mut to = self.… │ account#2
                                        ⏸ account#2
           7  ⏸ until alice→bob ends │ account#1 ⏸ account… 69 let mut to = self.…
                                                               ⏸ account#1

          main       waits for alice→bob to finish (lock.rs:100)
          alice→bob  waits for account#2 (lib.rs:69), held by bob→alice
                     │ holds account#1 (lib.rs:68)
          bob→alice  waits for account#1 (lib.rs:69), held by alice→bob
                     │ holds account#2 (lib.rs:68)
     ✗ deadlock: alice→bob and bob→alice wait for each other.
    ");
    // The other way round it passes, and an empty line lets the thread go on that runs.
    let ran = abba(&["2", "2", "", "", "", "", "", "", "", "", "", ""]);
    assert!(last(&ran).contains("✔ It is over, and passes."), "{}", ran.stdout);
}

#[test]
fn a_game_that_is_over_before_it_begins_is_told_once() {
    let test = "the_cook_gets_the_dish_and_join_gives_the_plate";
    let ran = Workshop::new().run_with(&["play", "thread", test], &[]).exits(0);
    assert_eq!(ran.stdout.matches("✗ unsolved").count(), 1, "{}", ran.stdout);
    assert!(!ran.stdout.contains("n follows it"), "{}", ran.stdout);
}

#[test]
fn one_goes_back_on_again_and_to_the_beginning() {
    let ran = abba(&["2", "1", "u"]);
    assert!(last(&ran).contains("1 of 2 choices") && last(&ran).contains("  1→↻ alice→bob"), "{}", ran.stdout);
    let ran = abba(&["n", "n", "n"]);
    assert!(last(&ran).contains("It is over: u goes back, r begins anew."), "{}", ran.stdout);
    let ran = abba(&["n", "n", "r", "u"]);
    assert!(last(&ran).contains("0 of 2 choices") && last(&ran).contains("This is the beginning."), "{}", ran.stdout);
    // Another choice than the known one leads away from it.
    let ran = abba(&["1", "u", "n"]);
    assert!(last(&ran).contains("--schedule 1 ·"), "{}", ran.stdout);
}

#[test]
fn questions_are_answered_from_the_position() {
    let says = |lines: &[&str], text: &str| {
        let ran = abba(lines);
        let flowing = last(&ran).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flowing.contains(text), "not said: {text}\n{}", ran.stdout);
    };
    says(&["c"], "It can go either way: 1 of the 3 schedules from here fails.");
    says(&["n", "c"], "It can go either way: 1 of the 2 schedules from here fails.");
    says(&["n", "n", "c"], "It can't go right any more: the only schedule from here fails.");
    says(&["1", "1", "c"], "It can't go wrong any more: the only schedule from here passes.");
    says(
        &["1", "s"],
        "✗ deadlock: alice→bob and bob→alice wait for each other. n follows the shortest way: 1 more choice.",
    );
    says(&["1", "s", "n"], "✗ deadlock");
    says(
        &["n", "n", "j"],
        "Here it was decided: it could still go either way. Then alice→bob went on (→), and the only schedule",
    );
    says(&["1", "j"], "Nothing is decided yet: from here it can still go either way.");
    says(&["7"], "Nobody has the number 7.");
}

#[test]
fn the_readme_shows_what_the_command_shows() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("README.md");
    let shown = readme.split("<!-- play -->\n```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let ran = abba(&["j"]);
    assert_eq!(shown.map(str::trim_end), Some(format!("lock: {}", last(&ran).trim_end()).as_str()));
}

#[test]
fn words_that_are_no_choice_change_nothing() {
    let ran = abba(&["0", "back", "?"]).says("\"0\" is no number of a move and no key; ? shows the keys.");
    assert_eq!(ran.stdout.matches("\nlock: ").count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("the failure with the fewest further preemptions"), "{}", ran.stdout);
}

#[test]
fn a_schedule_is_a_place_to_begin() {
    let workshop = Workshop::new();
    let begin = |schedule: &str, lines: &[&str]| {
        workshop.run_with(&["play", "lock", TEST, "--wrong", "abba", "--schedule", schedule], lines)
    };
    let ran = begin("2", &["c"]).exits(0);
    assert!(last(&ran).contains("1 of the 2 schedules from here fails"), "{}", ran.stdout);
    let said = begin("5x3", &[]).refused();
    assert!(said.contains("the schedule does not fit this test") && said.contains("Copy the schedule"), "{said}");
    let said = begin("0.zz", &[]).refused();
    assert!(said.contains("the schedule has a part that is none: \"zz\""), "{said}");
}

#[test]
fn the_learners_own_answer_and_the_solution_are_played() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    workshop.run_with(&["play", "lock", TEST], &["c"]).exits(0).says("1 of the 3 schedules from here fails");
    let solved = workshop.run_with(&["play", "lock", TEST, "--solution"], &["c"]).exits(0);
    assert!(solved.stdout.contains("It passes on all "), "{}", solved.stdout);
    assert!(last(&solved).contains("It can't go wrong any more: all "), "{}", solved.stdout);
    let workshop = workshop.answer("lock", "broken");
    workshop.run_with(&["play", "lock", TEST], &[]).exits(1).says("error");
}

#[test]
fn a_scenario_is_played_as_the_smallest_program_that_fails() {
    let test = "every_small_program_of_calls_keeps_the_contract";
    let (workshop, play) = (Workshop::new(), ["play", "queue", test, "--wrong", "close_wakes_one"]);
    let ran = workshop.run_with(&play, &["s", "n", "j"]).exits(0);
    let schedule = ran.stdout.lines().find_map(|line| line.strip_prefix("--schedule ")).expect("a schedule");
    assert!(schedule.starts_with('i'), "it says which scenario it is: {schedule}");
    assert!(ran.stdout.contains("✗ lost-wakeup: put(11) waits") && last(&ran).contains("◂ returns from its call"));
    let ran = workshop.run_with(&play, &["j", "n", "n", "n", "n", "c"]).exits(0);
    assert!(last(&ran).contains("It can't go right any more: the only schedule from here fails."), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_played_says_why_and_what_to_do() {
    let workshop = Workshop::new();
    let refused = |arguments: &[&str]| workshop.run_with(&[&["play"], arguments].concat(), &[]).refused();
    assert!(refused(&["lokc", TEST]).contains("Did you mean `lock`?"));
    assert!(refused(&["lock", "transfers_in_both_directions_finsh"]).contains(&format!("Did you mean `{TEST}`?")));
    assert!(refused(&["lock", TEST, "--wrong", "aba"]).contains("Did you mean `abba`?"));
    let threads = refused(&["process", "a_child_has_its_name"]);
    assert!(threads.contains("has no test") || threads.contains("run on threads only"), "{threads}");
}

/// What the page shows after each of these keys, once it was opened at that address.
fn pressed(workshop: &Workshop, browser: &str, page: &str, address: &str, keys: &[&str]) -> Vec<String> {
    let keys = serde_json::to_string(keys).expect("JSON");
    let script = format!(
        "<script>const seen = {keys}.map(key => {{ dispatchEvent(new KeyboardEvent('keydown', {{ key }})); \
         return location.hash + ' ' + by('play').textContent; }}); \
         document.body.replaceChildren(made('pre', seen.join('\\n=====\\n')));</script></body>"
    );
    fs::write(workshop.path("pressed.html"), page.replace("</body>", &script)).expect("a page");
    let shown = open(browser, &workshop.path(&format!("pressed.html{address}")), (1280, 800));
    let text = shown.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next());
    let text = text.unwrap_or_else(|| panic!("the page shows nothing:\n{shown}"));
    text.split("=====").map(str::to_string).collect()
}

#[test]
fn a_page_is_played_with_the_keyboard_and_shared_by_its_address() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium is installed");
        return;
    };
    let workshop = Workshop::new();
    let make = [&ABBA[..], &["--html", "play.html"]].concat();
    workshop.run_with(&make, &[]).exits(0).without_complaint().says("Wrote play.html");
    let page = workshop.read("play.html");
    assert!(
        !page.contains("http") && page.contains("This page has all 34 positions."),
        "it loads nothing, and has all"
    );
    let plays = |address: &str, game: &[(&str, &str)]| {
        let keys: Vec<&str> = game.iter().map(|(key, _)| *key).collect();
        let seen = pressed(&workshop, &browser, &page, address, &keys);
        for ((key, text), seen) in game.iter().zip(seen) {
            assert!(seen.contains(text), "{address} {keys:?}: not seen after {key}: {text}\n{seen}");
        }
    };
    let game = [
        ("r", "0 choices, clock 0 s"),
        ("r", "mainwaits for alice→bob to finish (lock.rs:100)"),
        ("r", "It can go either way: of "),
        ("2", "1 choice, clock 0 s, --schedule 2"),
        ("1", "#2.1 "),
        ("j", "Here it was decided: it could still go either way."),
        ("n", "✗ deadlock: alice→bob and bob→alice wait for each other."),
        ("u", "#2 "),
        // Another branch.
        ("2", "It can't go wrong any more."),
        ("r", "0 choices"),
        ("1", "#1 "),
        ("s", "It fails after 1 more: n follows the way."),
        ("ArrowRight", "✗ deadlock"),
        ("ArrowLeft", "#1 "),
        ("7", "Nobody has the number 7."),
    ];
    plays("", &game);
    plays("#2.1", &[("x", "alice→bobwaits for account#2 (lib.rs:69), held by bob→alice"), ("u", "--schedule 2")]);
    plays("#2.9", &[("x", "The address names a position that this page does not have.")]);
}

#[test]
fn a_page_that_is_cut_says_where() {
    let workshop = Workshop::new();
    let make = [&ABBA[..], &["--html", "play.html", "--positions", "5"]].concat();
    workshop.run_with(&make, &[]).exits(0);
    let page = workshop.read("play.html");
    assert!(page.contains("This page has 5 positions, and was cut there"), "{page}");
    assert_eq!(page.matches("\"schedule\":").count(), 5);
    let Some(browser) = browser() else { return };
    // The schedule that fails is on it all the same.
    let seen = pressed(&workshop, &browser, &page, "", &["r", "n", "n"]);
    assert!(seen[0].contains("the page is cut, so there are more.") && seen[2].contains("✗ deadlock"), "{seen:?}");
    for (file, says) in
        [("play.png", "Give the file the ending .html."), ("nowhere/play.html", "there is no folder nowhere")]
    {
        let said = workshop.run_with(&[&ABBA[..], &["--html", file]].concat(), &[]).refused();
        assert!(said.contains(says), "{said}");
    }
}

#[cfg(unix)]
mod screen {
    use super::{ABBA, TEST};
    use crate::terminal::Session;
    use crate::workshop::Workshop;

    #[test]
    fn keys_choose_and_the_position_is_redrawn() {
        let workshop = Workshop::new();
        let mut session = Session::start(&workshop, &ABBA);
        session.wait_for("0 of 2 choices");
        assert!(session.screen().lines().count() <= 24 && session.is_on_second_screen(), "{}", session.screen());
        session.walk(&[
            ("2", "1 of 2 choices"),
            ("1", "── over ─"),
            ("u", "who goes on?"),
            ("c", "1 of the 2 schedules from here fails"),
            ("\u{1b}[C", "wait for each other"),
            ("j", "Here it was decided"),
            ("\u{7f}", "0 of 2 choices"),
            ("?", "── Keys"),
            (" ", "who goes on?"),
            // The mark goes up, and Enter makes that move.
            ("\u{1b}[A\r", "--schedule 1 "),
            ("s", "1 more choice"),
        ]);
        let written = session.quit();
        assert!(written.ends_with("\u{1b}[?1049l"), "the terminal is as it was before");
    }

    #[test]
    fn a_small_terminal_is_told_what_it_needs_and_control_c_leaves() {
        let workshop = Workshop::new();
        let mut session = Session::start_with(&workshop, &ABBA, (20, 5), &[]);
        session.wait_for("needs");
        for (columns, rows) in [(41, 13), (200, 60), (1, 1), (80, 24)] {
            session.resize(columns, rows);
        }
        session.wait_for("who goes on?");
        session.press("\u{3}");
        assert_eq!(session.end().0, 130);
    }

    #[test]
    fn the_screen_plays_the_failing_test() {
        let workshop = Workshop::new().answer_wrongly("lock", "abba");
        let mut session = Session::start(&workshop, &["watch", "lock"]);
        session.wait_for("deadlock, 1 of 3 schedules");
        session.wait_for("checked ");
        session.press("p");
        session.wait_for("who goes on?");
        session.wait_for(TEST);
        session.press("q");
        session.wait_for("deadlock, 1 of 3 schedules");
        session.quit();
    }

    #[test]
    fn while_somebody_plays_others_can_check() {
        let workshop = Workshop::new().answer_wrongly("lock", "abba");
        let mut game = Session::start(&workshop, &["play", "lock", TEST]);
        game.wait_for("who goes on?");
        let workshop = workshop.solve("lock");
        let check = Session::start(&workshop, &["check", "lock"]);
        assert_eq!(check.end().0, 0);
        // The game is about what was built when it began.
        game.press("nn");
        game.wait_for("wait for each other");
        game.quit();
    }

    #[test]
    fn a_dumb_terminal_gets_plain_lines() {
        let workshop = Workshop::new();
        let mut session = Session::start_with(&workshop, &ABBA, (80, 24), &[("TERM", "dumb")]);
        session.wait_for("0 of 2 choices");
        session.press("q\n");
        let (code, written) = session.end();
        assert_eq!(code, 0);
        assert!(!written.contains("\u{1b}[?1049h"), "{written}");
    }
}
