//! The screen without a terminal: what it shows after which events, at 80x24 and at 120x40.

use verdict::{Coverage, Diagnostic, KataVerdict, Kind, Mode, SubjectVerdict, TestVerdict, Verdict};

use super::keys::Key;
use super::model::{Check, Effect, Entry, Event, Lines, Model, News, Pane};
use super::{text, view};
use crate::progress::State;
use crate::render::sample::abba;

const TESTS: [&str; 9] = [
    "a_transfer_moves_money_from_one_account_to_the_other",
    "deposits_at_the_same_time_all_count",
    "transfers_in_both_directions_finish",
    "an_audit_always_sees_all_the_money",
    "a_transfer_waits_no_longer_than_it_may",
    "what_is_not_there_is_not_moved",
    "a_transfer_to_oneself_changes_nothing",
    "an_account_that_is_busy_is_left_alone",
    "every_small_program_of_calls_keeps_the_contract",
];

fn entry(name: &str, title: &str, tests: &[&str]) -> Entry {
    Entry {
        name: name.to_string(),
        title: title.to_string(),
        summary: format!("What one learns with {name}, in a sentence that says it all"),
        tests: tests.iter().map(|test| test.to_string()).collect(),
        state: State::Untouched,
        score: None,
    }
}

fn screen(size: (usize, usize)) -> Model {
    let katas = vec![
        entry("thread", "Threads", &["a_dish_is_cooked"]),
        entry("lock", "Lock and deadlock", &TESTS),
        entry("queue", "A bounded queue", &["what_is_put_is_got"]),
    ];
    let (mut model, effects) = Model::new(katas, 1, size);
    assert_eq!(effects, [Effect::Check(Some(1))]);
    model.update(Event::State("thread".to_string(), State::Solved, Some((1, 1))));
    model
}

fn test(number: usize, kind: Option<Kind>) -> TestVerdict {
    let schedules = 3;
    TestVerdict {
        name: TESTS[number].to_string(),
        mode: Mode::Schedules,
        verdict: if kind.is_some() { Verdict::Failed } else { Verdict::Passed },
        kind,
        message: match kind {
            Some(Kind::Unsolved) => "not yet implemented (lib.rs:41)".to_string(),
            Some(_) => "the bank holds 90, and 100 were paid in (katas/lock/src/lib.rs:52)".to_string(),
            None => String::new(),
        },
        schedules: Some(schedules),
        coverage: Some(Coverage { schedules, failing: kind.map_or(0, |_| 1), complete: true, ..Coverage::default() }),
        seconds: 0.01,
        points: 0,
        output: String::new(),
        trace: (kind == Some(Kind::Deadlock)).then(abba),
    }
}

fn lines() -> Lines {
    let mut bank = vec![String::new(); 20];
    bank[8] = "scope.spawn(|| bank.transfer(bob, alice, 5));".to_string();
    bank[13] = "let mut from = self.accounts[from].lock().unwrap();".to_string();
    bank[14] = "let mut to = self.accounts[to].lock().unwrap();".to_string();
    Lines::from([("bank.rs".to_string(), bank)])
}

fn judged(model: &mut Model, test: TestVerdict) {
    model.update(Event::News(model.number, News::Judged(Box::new(test), lines())));
}

fn verdict(verdict: SubjectVerdict, tests: Vec<TestVerdict>, diagnostics: Vec<Diagnostic>) -> KataVerdict {
    let passed = tests.iter().filter(|test| test.verdict == Verdict::Passed).count() as u32;
    let (kata, subject) = ("lock".to_string(), "katas/lock".to_string());
    KataVerdict { kata, subject, verdict, score: passed, max_score: 9, seconds: 0.5, tests, diagnostics }
}

/// A check that ended with this.
fn ended(model: &mut Model, whole: KataVerdict) {
    whole.tests.iter().for_each(|test| judged(model, test.clone()));
    let score = Some((whole.score, whole.max_score));
    let state = if whole.verdict == SubjectVerdict::Passed { State::Solved } else { State::Started };
    model.update(Event::State("lock".to_string(), state, score));
    model.update(Event::News(model.number, News::Verdict(Box::new(whole))));
    model.update(Event::News(model.number, News::Done("21:40:07".to_string())));
}

fn wrong() -> KataVerdict {
    let kinds = [None, None, Some(Kind::Deadlock), Some(Kind::Race)];
    let tests = (0..9).map(|number| test(number, kinds.get(number).copied().flatten())).collect();
    verdict(SubjectVerdict::Failed, tests, Vec::new())
}

fn shown(model: &Model) -> String {
    let lines = view::frame(model).lines;
    lines.iter().map(|line| anstream::adapter::strip_str(line).to_string().trim_end().to_string() + "\n").collect()
}

fn press(model: &mut Model, keys: &[Key]) -> Vec<Effect> {
    keys.iter().flat_map(|key| model.update(Event::Key(*key))).collect()
}

/// The screens that there are.
fn screens(size: (usize, usize)) -> Vec<(&'static str, Model)> {
    let with = |change: fn(&mut Model)| {
        let mut model = screen(size);
        change(&mut model);
        model
    };
    let error = Diagnostic {
        level: "error".to_string(),
        message: "mismatched types".to_string(),
        file: Some("katas/lock/src/lib.rs".to_string()),
        line: Some(41),
        rendered: "error[E0308]: mismatched types\n  --> katas/lock/src/lib.rs:41:9\n   |\n41 |         \"text\"\n"
            .to_string(),
    };
    let (all, unsolved) = (|kind| (0..9).map(|number| test(number, kind)).collect::<Vec<_>>(), Some(Kind::Unsolved));
    let mut broken = with(|_| {});
    ended(&mut broken, verdict(SubjectVerdict::CompileError, Vec::new(), vec![error]));
    let mut solved = with(|_| {});
    ended(&mut solved, verdict(SubjectVerdict::Passed, all(None), Vec::new()));
    let mut open = with(|_| {});
    ended(&mut open, verdict(SubjectVerdict::Unsolved, all(unsolved), Vec::new()));
    let mut failing = with(|_| {});
    ended(&mut failing, wrong());
    let pressed = |keys: &[Key]| {
        let mut model = failing.clone();
        press(&mut model, keys);
        model
    };
    let mut lesson = failing.clone();
    let markdown = "# Lock\n\nA lock is held by one thread at a time.\n\n- one\n- two\n".repeat(8);
    lesson.update(Event::Show(Pane::Page { title: "Lesson".to_string(), markdown }));
    vec![
        ("beginning", with(|_| {})),
        ("first_failure", with(|model| judged(model, test(2, Some(Kind::Deadlock))))),
        ("failing", failing.clone()),
        ("second_failure", pressed(&[Key::Char('n')])),
        ("saved_again", {
            let mut model = failing.clone();
            model.update(Event::Saved("lock".to_string()));
            judged(&mut model, test(0, None));
            model
        }),
        ("compile_error", broken),
        ("unsolved", open),
        ("solved", solved),
        ("lesson", lesson),
        ("list", pressed(&[Key::Char('l'), Key::Char('q')])),
        ("help", pressed(&[Key::Char('?')])),
        ("reset", pressed(&[Key::Char('r')])),
        (
            "cannot",
            with(|model| {
                let why = "cannot read katas/lock/src/lib.rs: it is a folder\nPut the file back.".to_string();
                model.update(Event::News(model.number, News::Broken(why)));
            }),
        ),
    ]
}

#[test]
fn eighty_by_twenty_four_shows_it_all() {
    for (name, model) in screens((80, 24)) {
        insta::assert_snapshot!(format!("80x24_{name}"), shown(&model));
    }
}

#[test]
fn a_large_terminal_is_used() {
    for (name, model) in screens((120, 40)) {
        insta::assert_snapshot!(format!("120x40_{name}"), shown(&model));
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_screen_is_higher() {
    let sizes = [(0, 0), (1, 1), (20, 5), (39, 24), (40, 10), (41, 11), (60, 12), (80, 24), (200, 12), (300, 100)];
    for (width, height) in sizes {
        for (name, model) in screens((width, height)) {
            let mut model = model;
            model.update(Event::Note("Said at such length ".repeat(20)));
            let lines = view::frame(&model).lines;
            assert!(lines.len() <= height, "{name} at {width}x{height}");
            let wide = lines.iter().find(|line| text::length(line) > width);
            assert_eq!(wide, None, "{name} at {width}x{height}");
        }
    }
    let mut small = screen((20, 5));
    assert!(shown(&small).replace('\n', " ").contains("needs 40 columns and 10 rows"), "{}", shown(&small));
    small.update(Event::Size(80, 24));
    assert!(shown(&small).contains("Lock and deadlock"));
}

#[test]
fn a_failure_is_explained_before_the_rest_is_done() {
    let mut model = screen((80, 24));
    judged(&mut model, test(2, Some(Kind::Deadlock)));
    assert!(matches!(model.check, Check::Running { .. }));
    let shown = shown(&model);
    assert!(shown.contains("1 of 1 · deadlock") && shown.contains("waits for account#2 (bank.rs:15)"), "{shown}");
}

#[test]
fn a_save_starts_anew_and_what_the_old_check_says_is_not_heard() {
    let mut model = screen((80, 24));
    let old = model.number;
    assert_eq!(model.update(Event::Saved("lock".to_string())), [Effect::Check(Some(1))]);
    model.update(Event::News(old, News::Judged(Box::new(test(2, Some(Kind::Deadlock))), lines())));
    model.update(Event::News(old, News::Done("21:40:07".to_string())));
    assert!(model.failing().is_empty());
    assert!(matches!(model.check, Check::Running { .. }));
    assert_eq!(model.update(Event::Saved("queue".to_string())), [Effect::Check(Some(2))], "the eye follows the hand");
    assert_eq!(model.kata().name, "queue");
}

#[test]
fn what_the_check_before_said_stays_until_there_is_news() {
    let mut model = screen((80, 24));
    ended(&mut model, wrong());
    model.update(Event::Saved("lock".to_string()));
    assert!(shown(&model).contains("before your last save"), "{}", shown(&model));
    judged(&mut model, test(2, None));
    judged(&mut model, test(3, Some(Kind::Race)));
    assert_eq!(model.failing().len(), 1);
    assert!(!shown(&model).contains("before your last save"));
}

#[test]
fn the_chosen_failure_stays_chosen() {
    let mut model = screen((80, 24));
    ended(&mut model, wrong());
    assert_eq!(model.failing()[model.chosen()].test.name, TESTS[2]);
    press(&mut model, &[Key::Char('n')]);
    ended(&mut model, wrong());
    assert_eq!(model.failing()[model.chosen()].test.name, TESTS[3]);
    press(&mut model, &[Key::Char('n')]);
    assert_eq!(model.failing()[model.chosen()].test.name, TESTS[2], "in a circle");
    press(&mut model, &[Key::Char('N')]);
    assert_eq!(model.failing()[model.chosen()].test.name, TESTS[3], "and back");
}

#[test]
fn keys_ask_for_what_they_say() {
    let mut model = screen((80, 24));
    ended(&mut model, wrong());
    assert_eq!(
        press(&mut model, &[Key::Char('n'), Key::Char('o')]),
        [Effect::Open("katas/lock/src/lib.rs".to_string(), 52)]
    );
    let (_, mut unsolved) = screens((80, 24)).into_iter().find(|(name, _)| *name == "unsolved").expect("it is there");
    assert_eq!(press(&mut unsolved, &[Key::Char('o')]), [Effect::Open("katas/lock/src/lib.rs".to_string(), 41)]);
    assert_eq!(press(&mut model, &[Key::Char('h'), Key::Char('e')]), [Effect::Hint, Effect::Lesson]);
    assert_eq!(press(&mut model, &[Key::Char('r'), Key::Char('n')]), [], "a reset asks");
    assert_eq!(press(&mut model, &[Key::Char('r'), Key::Char('y')]), [Effect::Reset]);
    assert_eq!(press(&mut model, &[Key::Char('s')]), [], "not before it is solved");
    assert_eq!(press(&mut model, &[Key::Char('a')]), [Effect::Check(None)]);
    assert_eq!(press(&mut model, &[Key::Esc, Key::Right]), [Effect::Check(Some(2))]);
    assert_eq!(press(&mut model, &[Key::Right, Key::Left]), [Effect::Check(Some(1))], "behind the last is none");
    assert_eq!(press(&mut model, &[Key::Char('q')]), [Effect::Leave { interrupted: false }]);
    assert_eq!(press(&mut model, &[Key::Ctrl('c')]), [Effect::Leave { interrupted: true }]);
}

#[test]
fn a_solved_kata_shows_its_solution_and_leads_on() {
    let mut model = screen((80, 24));
    ended(&mut model, verdict(SubjectVerdict::Passed, (0..9).map(|number| test(number, None)).collect(), Vec::new()));
    let shown = shown(&model);
    assert!(shown.contains("solutions/lock/src/lib.rs") && shown.contains("Enter goes on with queue"), "{shown}");
    assert_eq!(press(&mut model, &[Key::Char('s'), Key::Esc, Key::Enter]), [Effect::Solution, Effect::Check(Some(2))]);
}

#[test]
fn the_list_is_searched_and_filtered() {
    let mut model = screen((80, 24));
    press(&mut model, &[Key::Char('l'), Key::Char('q'), Key::Char('u')]);
    assert!(shown(&model).contains("A bounded queue") && !shown(&model).contains("thread "), "{}", shown(&model));
    assert_eq!(press(&mut model, &[Key::Enter]), [Effect::Check(Some(2))]);
    press(&mut model, &[Key::Char('l'), Key::Tab, Key::Tab, Key::Tab]);
    let listed = shown(&model);
    assert!(listed.contains("solved katas") && listed.contains("Threads") && !listed.contains("deadlock"), "{listed}");
    press(&mut model, &[Key::Char('z'), Key::Backspace, Key::Down, Key::Down, Key::Up]);
    assert_eq!(press(&mut model, &[Key::Enter]), [Effect::Check(Some(0))]);
}

#[test]
fn a_long_text_scrolls_to_its_end_and_back_at_once() {
    let mut model = screen((80, 24));
    let text = (1..=100).map(|line| format!("line {line}\n")).collect();
    model.update(Event::Show(Pane::File { title: "a file".to_string(), text }));
    press(&mut model, &[Key::End, Key::End, Key::Down]);
    assert!(shown(&model).contains("line 100\n"), "{}", shown(&model));
    press(&mut model, &[Key::Up]);
    assert!(!shown(&model).contains("line 100\n") && shown(&model).contains("line 99\n"));
    press(&mut model, &[Key::Home]);
    assert!(shown(&model).contains("    1 line 1\n"));
}
