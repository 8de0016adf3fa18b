//! What the tests of this package share. They see the model under the name `std`, as katas do.

#![allow(dead_code, unreachable_pub)]

use std::env;
use std::explored::{Config, Exploration, explore};
use std::process::Command;
use verdict::{Failure, Kind, Outcome};

/// The defaults, with every panic as an assertion unless it is an `unwrap` or a plain `panic!`.
pub fn config() -> Config {
    let kind_of_panic = |message: &str, _file: &str| match message.contains("called `") || message.starts_with("panic")
    {
        true => Kind::Panic,
        false => Kind::Assertion,
    };
    Config { kind_of_panic, ..Config::default() }
}

/// Explores with the defaults.
pub fn run(body: impl Fn() + Send + Sync + 'static) -> Exploration {
    explore(&config(), body)
}

/// The failure of an exploration.
#[track_caller]
pub fn failure(exploration: &Exploration) -> &Failure {
    match &exploration.outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("expected a failure, not {other:?} after {}", exploration.coverage),
    }
}

/// Explores with the defaults, expects a failure of this kind, and gives its message.
#[track_caller]
pub fn fails(kind: Kind, body: impl Fn() + Send + Sync + 'static) -> String {
    fails_with(&config(), kind, body)
}

/// The same with a configuration. Each failure is found again, replayed, and told with the same bytes.
#[track_caller]
pub fn fails_with(config: &Config, kind: Kind, body: impl Fn() + Send + Sync + 'static) -> String {
    let body = std::sync::Arc::new(body);
    let (first, again) = (body.clone(), body.clone());
    let exploration = explore(config, move || first());
    let found = failure(&exploration);
    assert_eq!(found.kind, kind, "{} ({:?})", found.message, exploration.coverage);
    let second = explore(config, move || again());
    assert_eq!(failure(&second), found);
    assert_eq!(second.trace, exploration.trace);
    let trace = exploration.trace.as_ref().expect("a failure has a trace");
    let replayed = explore(&Config { replay: Some(trace.schedule.clone()), ..config.clone() }, move || body());
    assert_eq!(replayed.trace.as_ref(), Some(trace));
    found.message.clone()
}

/// What the body returns, over all schedules, of which none may fail; and how many these are.
#[track_caller]
pub fn results(body: impl Fn() -> String + Send + Sync + 'static) -> (Vec<String>, u64) {
    let seen = std::sync::Arc::new(std::real::sync::Mutex::new(std::collections::BTreeSet::new()));
    let log = seen.clone();
    let exploration = passes(move || {
        let result = body();
        log.lock().unwrap().insert(result);
    });
    assert!(exploration.coverage.complete, "{}", exploration.coverage);
    let seen = seen.lock().unwrap();
    (seen.iter().cloned().collect(), exploration.coverage.schedules)
}

/// Explores with the defaults and expects every schedule to pass.
#[track_caller]
pub fn passes(body: impl Fn() + Send + Sync + 'static) -> Exploration {
    passes_with(&config(), body)
}

/// The same with a configuration.
#[track_caller]
pub fn passes_with(config: &Config, body: impl Fn() + Send + Sync + 'static) -> Exploration {
    let exploration = explore(config, body);
    if let Outcome::Failed(failure) = &exploration.outcome {
        let schedule = exploration.trace.as_ref().map(|trace| trace.schedule.as_str());
        panic!("{}: {} ({})", failure.kind, failure.message, schedule.unwrap_or_default());
    }
    exploration
}

/// Runs the body of the test of this name in a process of its own: in one process, only one exploration goes on at a time, and
/// whoever takes long would keep the others waiting while a core is idle.
pub fn in_a_process(test: &str, body: impl FnOnce()) {
    const INSIDE: &str = "IN_A_PROCESS";
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    let mut command = Command::new(env::current_exe().expect("a test knows its own binary"));
    let output = command.args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "see above");
}
