//! A position as lines of text: what has happened, what each thread would do next, and what there is to say.

pub(crate) mod page;

use std::time::Duration;

use verdict::{Coverage, Did, Effect, Kind, Move, Position, TestVerdict, Verdict, thousands};

use crate::play::{Action, Game, Told};
use crate::render::schedule::{Sources, held, table, wait};
use crate::render::{BAD, FAINT, GOOD, OPEN, STRONG, fit, paragraph, report, styled};

/// A position, in parts that a screen or plain lines put together.
pub(crate) struct Board {
    /// Which test it is, and where it stands: what is at the left of a line, and at its right.
    pub(crate) heading: [(String, String); 2],
    /// The names of the threads above their columns, if they have columns.
    pub(crate) columns: Vec<String>,
    /// What has happened, the newest at the end.
    pub(crate) so_far: Vec<String>,
    /// What each thread would do next, or why it can't.
    pub(crate) threads: Vec<String>,
    /// Of each move, which of these lines it is.
    pub(crate) moves: Vec<usize>,
    /// What there is to say.
    pub(crate) said: Vec<String>,
}

/// The longest name of a thread that is not cut.
const NAMES: usize = 16;
/// The marks and the number before a thread's name.
const MARGIN: usize = 6;

/// Draws a position in so many columns.
pub(crate) fn board(game: &Game, width: usize) -> Board {
    let mut sources = Sources::given(game.lines.clone());
    let (threads, moves) = threads(game, &mut sources, width);
    let table = table(&game.trace, &mut sources, width, true);
    let mut so_far: Vec<String> = table.lines().map(str::to_string).collect();
    // One column has no head.
    let has_head = anstream::adapter::strip_str(&table).to_string().starts_with("    step");
    let columns = if has_head { vec![so_far.remove(0)] } else { Vec::new() };
    if so_far.is_empty() {
        so_far.push(styled(FAINT, " Nothing has happened yet."));
    }
    let said = said(game).into_iter().flat_map(|text| lines(&paragraph(&text, 1, width))).collect();
    Board { heading: heading(game), columns, so_far, threads, moves, said }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_string).collect()
}

fn heading(game: &Game) -> [(String, String); 2] {
    let position = &game.position;
    let made = match (position.after, game.known()) {
        (after, Some(_)) => format!("{after} of {} choices", position.of),
        (1, None) => "1 choice".to_string(),
        (after, None) => format!("{after} choices"),
    };
    let schedule = match &game.trace.schedule[..] {
        "" => "the beginning".to_string(),
        schedule => format!("--schedule {schedule}"),
    };
    let clock = clock(position);
    [
        (format!("{}: {}", styled(STRONG, &game.kata), game.test), made),
        (styled(FAINT, &schedule), format!("clock {clock}")),
    ]
}

/// Virtual time since the beginning.
fn clock(position: &Position) -> String {
    match position.clock {
        0 => "0 s".to_string(),
        nanoseconds => format!("{:?}", Duration::from_nanos(nanoseconds)),
    }
}

/// Why a thread has no move, and what it holds.
fn standing(game: &Game, thread: usize) -> (Option<String>, Option<String>) {
    let trace = &game.trace;
    let waiting = trace.waiting.iter().find(|waiting| waiting.thread == thread);
    let waits = waiting.and_then(|waiting| waiting.waits_for.as_ref());
    let has_move = game.position.moves.iter().any(|next| next.step.thread == thread);
    let state = match (waits, waiting) {
        _ if has_move => None,
        (Some(waits), _) if waits.operation == Did::Rest => Some("rests until nobody else can go on".to_string()),
        (Some(waits), _) => Some(format!("waits for {}", wait(trace, waits))),
        (None, Some(_)) if game.is_over() => Some("could go on".to_string()),
        (None, Some(_)) => Some("lets others go first".to_string()),
        (None, None) => Some("has ended".to_string()),
    };
    let holds = waiting.map(|waiting| &waiting.holds[..]).filter(|holds| !holds.is_empty()).map(|holds| {
        let holds: Vec<String> = holds.iter().map(|one| held(trace, one)).collect();
        format!("holds {}", holds.join(", "))
    });
    (state, holds)
}

/// A line or two for each thread, and which line each move is.
fn threads(game: &Game, sources: &mut Sources, width: usize) -> (Vec<String>, Vec<usize>) {
    let trace = &game.trace;
    let names = trace.threads.iter().map(|thread| thread.name.chars().count()).max().unwrap_or(0).min(NAMES);
    let ran_last = trace.steps.iter().rev().find(|step| step.effect != Effect::Blocks).map(|step| step.thread);
    let (mut shown, mut at) = (Vec::new(), vec![0; game.position.moves.len()]);
    for (thread, traced) in trace.threads.iter().enumerate() {
        let mut name = fit(&traced.name, names);
        if ran_last == Some(thread) {
            name = styled(STRONG, &name);
        }
        let moves = || game.position.moves.iter().enumerate().filter(|(_, next)| next.step.thread == thread);
        for (number, next) in moves() {
            let line = source(next, sources);
            at[number] = shown.len();
            let known = if next.follows { styled(OPEN, "→") } else { " ".to_string() };
            let stops = if next.step.preemption { styled(OPEN, "↻") } else { " ".to_string() };
            let number = styled(STRONG, &format!("{:>2}", number + 1));
            let room = width.saturating_sub(MARGIN + names + 2);
            let what = would(game, next);
            let both = line.chars().count() + what.chars().count() + 2;
            let start = format!(" {number}{known}{stops} {name}  ");
            if both <= room {
                let code = fit(&line, room - what.chars().count() - 2);
                shown.push(format!("{start}{code}  {}", styled(FAINT, &what)));
            } else {
                shown.push(format!("{start}{}", fit(&line, room).trim_end()));
                shown.push(format!("{}{}", " ".repeat(MARGIN + names + 2), styled(FAINT, fit(&what, room).trim_end())));
            }
        }
        let (state, holds) = standing(game, thread);
        let holds = holds.map(|holds| format!("│ {holds}"));
        let indent = MARGIN + names + 2;
        let room = width.saturating_sub(indent).max(20);
        let mut start = state.as_ref().map(|_| format!("{}{name}  ", " ".repeat(MARGIN)));
        for text in [state, holds].into_iter().flatten() {
            for line in textwrap::wrap(&text, room) {
                let start = start.take().unwrap_or_else(|| " ".repeat(indent));
                shown.push(format!("{start}{}", styled(FAINT, &line)));
            }
        }
    }
    (shown, at)
}

/// The line that a move is on. The inside of a test tool is nobody's lesson.
fn source(next: &Move, sources: &mut Sources) -> String {
    let step = &next.step;
    if step.at.file.contains("tests/support/") {
        return match &step.operation {
            Did::Call => "▸ begins its next call".to_string(),
            Did::Return => "◂ returns from its call".to_string(),
            Did::Note => "• notes what happened".to_string(),
            _ => "(in a test tool)".to_string(),
        };
    }
    if step.operation == Did::Exit {
        return "(nothing is left to do)".to_string();
    }
    format!("{} {}", step.at, sources.line(&step.at, step.operation.name()))
}

/// What a move would do: `lock account#1`, `start writer`, `time is up`.
fn would(game: &Game, next: &Move) -> String {
    let step = &next.step;
    let name = |thread: usize| game.trace.threads.get(thread).map_or("?", |thread| &thread.name);
    let object = step.object.and_then(|object| game.trace.objects.get(object)).map(|object| object.name.as_str());
    let what = match (&step.operation, object, step.other) {
        (Did::Exit, ..) => "end".to_string(),
        (Did::Spawn, _, Some(other)) => format!("start {}", name(other)),
        (operation, Some(object), _) => format!("{operation} {object}"),
        (operation, None, Some(other)) => format!("{operation} {}", name(other)),
        (operation, None, None) => operation.to_string(),
    };
    match (step.effect, next.older, next.way) {
        (Effect::TimedOut, ..) => format!("{what}: time is up"),
        (Effect::Spurious, ..) if step.operation == Did::CompareExchangeWeak => format!("{what}: fails for no reason"),
        (Effect::Spurious, ..) if step.operation == Did::NotifyOne => format!("{what}: the one that came last"),
        (Effect::Spurious, ..) => format!("{what}: wakes though nobody called"),
        (_, 1, _) => format!("{what}: the value before the newest"),
        (_, 2.., _) => format!("{what}: an old value, {} are newer", next.older),
        (_, _, 1..) => format!("{what}: way {}", next.way + 1),
        _ => what,
    }
}

/// What there is to say, a paragraph each.
fn said(game: &Game) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(end) = &game.end {
        said.push(ending(end));
    }
    match &game.told {
        Told::Nothing => {}
        // There was nothing to choose: how it ended says it all.
        Told::Explored(_) if game.is_over() => {}
        Told::Explored(test) if test.verdict == Verdict::Failed => said.push(format!(
            "{} This is the beginning of the schedule that fails most simply: n follows it, j goes to the choice that mattered.",
            failure(test)
        )),
        Told::Explored(test) => {
            said.push(format!("{} {}.", styled(GOOD, "It passes on"), report::how(test)));
        }
        Told::Future(coverage) => said.push(future(coverage)),
        Told::Shortest(left, test) => {
            let steps = if *left == 1 { "1 more choice".to_string() } else { format!("{left} more choices") };
            said.push(format!("{} n follows the shortest way: {steps}.", failure(test)));
        }
        Told::Turn(Some(coverage)) => {
            let way = game.known().map_or(String::new(), |next| {
                let name = game.trace.threads.get(next.step.thread).map_or("?", |thread| thread.name.as_str());
                format!(" Then {name} went on (→), and ")
            });
            let (style, verb) = if coverage.failing > 0 { (BAD, "fail") } else { (GOOD, "pass") };
            let how = styled(style, &all(coverage, verb));
            said.push(format!("Here it was decided: it could still go either way.{way}{how}."));
        }
        Told::Turn(None) => said.push("Nothing is decided yet: from here it can still go either way.".to_string()),
        Told::NoTurn(coverage) => {
            let how = if coverage.failing > 0 { "fail" } else { "pass" };
            said.push(format!("No choice mattered: {}.", all(coverage, how)));
        }
        Told::Cannot(why) => said.push(why.clone()),
    }
    said
}

/// How the test has ended.
fn ending(test: &TestVerdict) -> String {
    match test.verdict {
        Verdict::Passed => styled(GOOD, "✔ It is over, and passes."),
        Verdict::Failed => failure(test),
    }
}

/// `✗ deadlock: 3 threads wait for each other…`: the first line of what happened.
fn failure(test: &TestVerdict) -> String {
    let kind = test.kind.map_or_else(|| "broken".to_string(), |kind| kind.to_string());
    let message = test.message.lines().next().unwrap_or_default();
    // Who waits for what stands beside the threads.
    let is_stuck = matches!(test.kind, Some(Kind::Deadlock | Kind::LostWakeup));
    let message = message.split_once(": ").filter(|_| is_stuck).map_or(message, |(who, _)| who);
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{} {message}{stop}", styled(BAD, &format!("✗ {kind}:")))
}

/// Whether it can still go wrong.
fn future(coverage: &Coverage) -> String {
    let Coverage { failing, schedules, .. } = *coverage;
    match (failing, schedules) {
        (0, _) if coverage.complete => {
            format!("{} {}.", styled(GOOD, "It can't go wrong any more:"), all(coverage, "pass"))
        }
        (0, _) => format!("{} {}.", styled(OPEN, "Nothing that goes wrong was found:"), all(coverage, "pass")),
        _ if failing == schedules && coverage.complete => {
            format!("{} {}.", styled(BAD, "It can't go right any more:"), all(coverage, "fail"))
        }
        _ if failing == schedules => format!("{} {}.", styled(BAD, "It can go wrong:"), all(coverage, "fail")),
        _ => {
            let of = if coverage.complete { "schedules from here" } else { "schedules that were tried from here" };
            let fail = if failing == 1 { "fails" } else { "fail" };
            let (failing, schedules) = (thousands(failing), thousands(schedules));
            format!("{} {failing} of the {schedules} {of} {fail}.", styled(OPEN, "It can go either way:"))
        }
    }
}

/// `all 12 schedules from here fail`, or `all 500 schedules that were tried from here fail`.
fn all(coverage: &Coverage, verb: &str) -> String {
    match (coverage.schedules, coverage.complete) {
        (1, true) => format!("the only schedule from here {verb}{}", if verb == "pass" { "es" } else { "s" }),
        (n, true) => format!("all {} schedules from here {verb}", thousands(n)),
        (n, false) => format!("all {} schedules that were tried from here {verb}", thousands(n)),
    }
}

/// A key, or the word of a plain line, that asks for something.
pub(crate) struct KeyOf {
    /// How it is written.
    pub(crate) name: &'static str,
    /// What it asks for; nothing if it is about the screen.
    pub(crate) action: Option<Action>,
    /// The word beside it in the line of keys; nothing if there is no room for it.
    pub(crate) word: &'static str,
    /// What it does.
    pub(crate) does: &'static str,
}

/// What can be asked for, beside the number of a move.
pub(crate) const KEYS: [KeyOf; 9] = [
    KeyOf { name: "u", action: Some(Action::Back), word: "back", does: "one choice back" },
    KeyOf { name: "n", action: Some(Action::Forward), word: "on", does: "the next choice of the known schedule (→)" },
    KeyOf {
        name: "j",
        action: Some(Action::Turn),
        word: "what mattered",
        does: "to the last position of the known schedule from which it could still go either way",
    },
    KeyOf {
        name: "c",
        action: Some(Action::Future),
        word: "can it fail?",
        does: "how the schedules end that go on from here",
    },
    KeyOf {
        name: "s",
        action: Some(Action::Shortest),
        word: "shortest",
        does: "the failure with the fewest further preemptions: it becomes the known schedule",
    },
    KeyOf { name: "r", action: Some(Action::Restart), word: "", does: "to the beginning" },
    KeyOf {
        name: "Enter",
        action: None,
        word: "",
        does: "the thread that runs goes on, or the move that is marked with ▸",
    },
    KeyOf { name: "?", action: None, word: "help", does: "this" },
    KeyOf { name: "q", action: None, word: "quit", does: "leave" },
];

/// What the marks mean.
const MARKS: [(&str, &str); 5] = [
    ("→", "how the known schedule goes on"),
    ("↻", "stops a thread that could go on: a preemption"),
    ("│", "holds a lock"),
    ("✔", "in what has happened: was done"),
    ("⏸", "has to wait"),
];

/// Every key and every mark.
pub(crate) fn help() -> String {
    let row = |(name, does): (&str, &str)| {
        let wrapped = textwrap::wrap(does, 64).join(&format!("\n{}", " ".repeat(9)));
        format!(" {}  {wrapped}\n", styled(STRONG, &format!("{name:<6}")))
    };
    let number = ("1 2 …", "that move: the thread does what stands beside its number");
    let keys = KEYS.iter().map(|key| (key.name, key.does));
    [number].into_iter().chain(keys).chain([("", "")]).chain(MARKS).map(row).collect()
}
