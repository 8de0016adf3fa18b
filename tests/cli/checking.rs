//! `check`: true verdicts on real answers.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::workshop::{Ran, Workshop, target};

fn document(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ran.stdout))
}

/// The arguments of the command that a report gives for showing its schedule again.
fn replay_of(ran: &Ran) -> Vec<&str> {
    let shown = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("replay: cargo xtask "));
    shown.expect("a replay").split(' ').collect()
}

#[test]
fn a_stub_is_unsolved_and_the_next_step_is_said() {
    let workshop = Workshop::new();
    let ran = workshop.run(&["check", "lock"]).exits(1).without_complaint();
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let ran = ran.says("unsolved").says("Next: fill in katas/lock/src/lib.rs").says("cargo xtask explain lock");
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn a_solved_kata_passes_and_the_map_knows() {
    let workshop = Workshop::new().solve("lock");
    workshop.run(&["check", "lock"]).exits(0).without_complaint().says("Solved");
    workshop.run(&[]).exits(0).says("1 of ").says("solved");
    let reset = workshop.run(&["reset", "lock"]).exits(0);
    assert!(reset.stdout.contains("is the stub again"));
    workshop.run(&[]).exits(0).says("0 of ");
}

#[test]
fn a_deadlock_is_shown_with_its_cycle_and_replays_to_the_same_bytes() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let first =
        workshop.run(&["check", "lock"]).exits(1).without_complaint().says("✗ deadlock").says("alice→bob holds");
    let second = workshop.run(&["check", "lock"]).exits(1);
    assert_eq!(first.stdout, second.stdout);

    let arguments = replay_of(&first);
    let once = workshop.run(&arguments).exits(1).says("✗ deadlock").says("1 of 3 schedules fails");
    let again = workshop.run(&arguments).exits(1);
    assert_eq!(once.stdout, again.stdout);
}

#[test]
fn a_race_is_a_race_when_it_is_replayed() {
    let workshop = Workshop::new().answer_wrongly("lock", "check_then_act");
    let checked = workshop.run(&["check", "lock"]).exits(1).says("✗ race");
    let count = checked.stdout.lines().find(|line| line.contains("schedules fail")).expect("how many").to_string();
    workshop.run(&replay_of(&checked)).exits(1).says("✗ race").says(&count);
}

#[test]
fn an_old_value_is_read_again_when_it_is_replayed() {
    let workshop = Workshop::new().answer_wrongly("atomic", "flag_stored_relaxed");
    let checked = workshop.run(&["check", "atomic"]).exits(1).says("reads 1 old value");
    workshop.run(&replay_of(&checked)).exits(1).says("✗ race").says("reads 1 old value");
}

#[test]
fn a_schedule_that_does_not_fit_is_no_failure_of_the_answer() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let said =
        workshop.run(&["replay", "lock", "deposits_at_the_same_time_all_count", "--schedule", "0x900"]).refused();
    assert!(said.contains("the schedule does not fit this test") && said.contains("Copy the schedule"), "{said}");
}

#[test]
fn one_test_is_checked_alone_and_every_failure_is_told_if_wanted() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let ran =
        workshop.run(&["check", "lock", "deposits_at_the_same_time_all_count"]).exits(0).says("This test passes.");
    let tests = ran.stdout.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(tests, 1, "nothing is said of those that nobody asked for:\n{}", ran.stdout);
    workshop.run(&["check", "deposits_at_the_same_time_all_count"]).exits(0).says("This test passes.");
    let said = workshop.run(&["check", "lock", "deposit_at_the_same_time"]).refused();
    assert!(said.contains("Did you mean `deposits_at_the_same_time_all_count`?"), "{said}");
    workshop.run(&[]).exits(0).says("0 of ").says("started\n");
    let told = |ran: &Ran| ran.stdout.lines().filter(|line| line.starts_with("lock: ")).count();
    let first = workshop.run(&["check"]).exits(1).says("--all explains every one");
    let all = workshop.run(&["check", "lock", "--all"]).exits(1);
    let failing = all.stdout.lines().filter(|line| line.starts_with("  ✗ ")).count();
    assert_eq!((told(&first), told(&all)), (1, failing), "{}", all.stdout);
}

#[test]
fn a_compile_error_carries_the_learners_own_path() {
    let workshop = Workshop::new();
    let broken = workshop.read("katas/lock/src/lib.rs") + "\nfn broken() -> u8 { \"text\" }\n";
    let workshop = workshop.answer("lock", &broken);
    let ran = workshop.run(&["check", "lock"]).exits(1).says("--> katas/lock/src/lib.rs:").says("It does not compile.");
    assert_eq!(ran.stdout.matches("mismatched types").count(), 1, "once, not once a mode:\n{}", ran.stdout);
}

#[test]
fn a_broken_rule_is_named_with_its_line() {
    let workshop = Workshop::new();
    let text = workshop.read("solutions/lock/src/lib.rs") + "\npub fn quit() { std::process::exit(0) }\n";
    let line = text.lines().count();
    let workshop = workshop.answer("lock", &text);
    workshop
        .run(&["check", "lock"])
        .exits(1)
        .says("`std::process::exit` is not allowed here")
        .says(&format!("katas/lock/src/lib.rs:{line}"))
        .says("It breaks a rule");
}

#[test]
fn what_the_stub_gives_stays_as_given() {
    let workshop = Workshop::new();
    let given = "pub fn total(&self) -> u64 {";
    let stub = workshop.read("tests/stubs/lock.rs");
    let line = stub.lines().position(|line| line.contains(given)).expect("the audit") + 1;
    let workshop = workshop.answer("lock", &stub.replace(given, "pub fn total(&mut self) -> u64 {"));
    workshop
        .run(&["check", "lock"])
        .exits(1)
        .says("gives `Bank::total` as `fn total(&self) -> u64`")
        .says(&format!("katas/lock/src/lib.rs:{line}"))
        .says("It breaks a rule");
}

/// So it is after the clock was set back, or where what was built has come from a machine whose clock is ahead.
#[test]
fn an_answer_is_built_anew_although_what_was_built_of_another_seems_newer() {
    let workshop = Workshop::new().solve("event");
    workshop.run(&["check", "event"]).exits(0);
    let built = target().join("interleave/target/debug/.fingerprint");
    let is_its = |name: &str| name.starts_with("check-event--event-");
    let entries = fs::read_dir(&built).expect("what cargo has built").filter_map(|entry| entry.ok());
    let folders = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_its));
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).expect("a folder")).filter_map(|file| file.ok());
    let in_an_hour = SystemTime::now() + Duration::from_secs(3600);
    let later = |file: fs::DirEntry| fs::File::options().write(true).open(file.path())?.set_modified(in_an_hour);
    let set = files.map(later).collect::<std::io::Result<Vec<()>>>().expect("they are ours");
    assert!(!set.is_empty(), "{} has nothing of it", built.display());
    let stub = workshop.read("tests/stubs/event.rs");
    let workshop = workshop.answer("event", &stub);
    workshop.run(&["check", "event"]).exits(1).says("unsolved");
}

#[test]
fn the_document_has_the_promised_fields() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let ran = workshop.run(&["check", "lock", "--json"]).exits(1).without_complaint();
    let document = document(&ran);
    for field in ["kata", "subject", "verdict", "score", "max_score", "seconds", "tests", "diagnostics"] {
        assert!(document.get(field).is_some(), "{field} is missing");
    }
    assert_eq!((&document["kata"], &document["verdict"]), (&"lock".into(), &"failed".into()));
    let tests = document["tests"].as_array().expect("tests");
    for field in ["name", "mode", "verdict", "kind", "message", "schedules", "seconds", "points"] {
        assert!(tests.iter().all(|test| test.get(field).is_some()), "{field} is missing");
    }
    let deadlock = tests.iter().find(|test| test["kind"] == "deadlock").expect("the deadlock");
    assert_eq!((&deadlock["mode"], &deadlock["verdict"]), (&"schedules".into(), &"failed".into()));
    assert!(deadlock["trace"]["schedule"].is_string());
}

#[test]
fn several_katas_are_one_document_and_one_summary() {
    let workshop = Workshop::new().solve("lock");
    let ran = workshop.run(&["check", "lock", "daemon", "--json"]).exits(1);
    let katas: Vec<String> =
        document(&ran).as_array().expect("an array").iter().map(|one| one["kata"].to_string()).collect();
    assert_eq!(katas, ["\"lock\"", "\"daemon\""]);
    workshop.run(&["check", "lock", "daemon"]).exits(1).says("1 of 2 katas pass");
}

#[test]
fn the_reference_solution_and_submissions_go_the_same_way() {
    let workshop = Workshop::new();
    workshop.run(&["check", "lock", "--solution"]).exits(0).says("solutions/lock");
    // Neither is the learner's own answer, so the map does not change.
    let solution = workshop.read("solutions/lock/src/lib.rs");
    let workshop = workshop.write("alone/src/lib.rs", &solution).write("checkout/katas/lock/src/lib.rs", &solution);
    workshop.run(&["check", "lock", "--submission", "alone"]).exits(0).says("alone");
    workshop.run(&["check", "--submission", "checkout"]).exits(0).says("checkout");
    workshop.run(&[]).exits(0).says("0 of ");
}

#[test]
fn only_source_files_of_a_submission_count() {
    let workshop = Workshop::new();
    let solution = workshop.read("solutions/lock/src/lib.rs");
    let workshop = workshop
        .write("submitted/src/lib.rs", solution)
        .write("submitted/Cargo.toml", "[package]\nname = \"broken")
        .write("submitted/build.rs", "compile_error!(\"built\");")
        .write("submitted/.cargo/config.toml", "[build]\nrustc = \"/bin/false\"")
        .write("submitted/tests/lock.rs", "compile_error!(\"the submission's own tests\");")
        .write("submitted/src/notes.bin", [0xff, 0xfe]);
    workshop.run(&["check", "lock", "--submission", "submitted"]).exits(0).says("Solved");
    let kept = fs::read_to_string(workshop.path("submitted/Cargo.toml")).expect("untouched");
    assert_eq!(kept, "[package]\nname = \"broken");
}

#[test]
fn a_budget_of_schedules_is_kept() {
    let ran = Workshop::new().run(&["check", "lock", "--solution", "--json", "--schedules", "3", "--seed", "7"]);
    let document = document(&ran);
    let explored: Vec<u64> =
        document["tests"].as_array().expect("tests").iter().filter_map(|test| test["schedules"].as_u64()).collect();
    assert!(!explored.is_empty() && explored.iter().all(|schedules| *schedules <= 3), "{explored:?}");
}

#[test]
fn what_is_not_modelled_is_judged_on_threads() {
    let workshop = Workshop::new();
    let uses = |what: &str| workshop.read("solutions/lock/src/lib.rs") + what;
    // A right answer, with something that its tests do not even meet.
    let fair = "\npub fn fair(lock: &parking_lot::FairMutex<u8>) -> u8 { *lock.lock() }\n";
    let answered = Workshop::new().answer("lock", &uses(fair));
    let ran =
        answered.run(&["check", "lock"]).exits(0).says("not modelled: cannot find").says("katas/lock/src/lib.rs:");
    let ran = ran.says("threads only, not proven").says("not run: it needs schedules").says("Passes on threads: ");
    assert!(!ran.stdout.contains("error"), "{}", ran.stdout);
    let document = document(&answered.run(&["check", "lock", "--json"]));
    assert_eq!(
        (&document["verdict"], &document["diagnostics"][0]["level"]),
        (&"passed".into(), &"not-modelled".into())
    );
    assert!(document["score"].as_u64() < document["max_score"].as_u64(), "what was not judged has no points");
    let needs_schedules = "every_small_program_of_calls_keeps_the_contract";
    let ran = answered.run(&["check", "lock", needs_schedules]).exits(1).says("not modelled: cannot find");
    ran.says("It does not compile.");
    // What the models have otherwise, sizes say, is no reason to leave the schedules out.
    let size = "\nconst _: () = assert!(size_of::<std::sync::Mutex<()>>() < 16);\n";
    let ran = Workshop::new().answer("lock", &uses(size)).run(&["check", "lock"]).exits(1);
    ran.says("this compiles with the real crates, but their models for explored runs don't have it")
        .says("tests/explored-std/README.md");
}

#[test]
fn tasks_of_tokio_are_explored() {
    let manifest = r#"
        [package]
        name = "tasks"
        version.workspace = true
        edition.workspace = true
        [package.metadata.kata]
        title = "Tasks"
        order = 90
        part = "async"
        hard = 1
        minutes = 5
        summary = "Tasks that add"
        python = ["asyncio"]
        schedules = true
        rules = { forbid = [] }
        [dependencies]
        tokio = { workspace = true, features = ["rt"] }
        [dev-dependencies]
        kata.workspace = true
    "#;
    let test = r#"
        use std::sync::{Arc, Mutex};

        #[test]
        fn additions_of_tasks_all_count() {
            kata::check(|| {
                let sum = Arc::new(Mutex::new(0));
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let add = |()| {
                        let sum = Arc::clone(&sum);
                        tokio::spawn(async move { tasks::add(&sum).await })
                    };
                    for task in [(); 2].map(add) {
                        task.await.unwrap();
                    }
                });
                assert_eq!(*sum.lock().unwrap(), 2);
            });
        }
    "#;
    let answer = |body: &str| format!("pub async fn add(sum: &std::sync::Mutex<u32>) {{ {body} }}\n");
    let workshop = Workshop::new()
        .own("tests", &["explored-std", "support", "verdict", "corpus"])
        .write("katas/tasks/Cargo.toml", manifest)
        .write("katas/tasks/README.md", "# Tasks\n")
        .write("katas/tasks/tests/tasks.rs", test)
        .write("tests/stubs/tasks.rs", answer("todo!()"));
    let at_once = "*sum.lock().unwrap() += 1; tokio::task::yield_now().await;";
    let workshop = workshop.answer("tasks", &answer(at_once));
    workshop.run(&["check", "tasks"]).exits(0).says("schedules");
    let in_two_steps =
        "let now = *sum.lock().unwrap();\n    tokio::task::yield_now().await;\n    *sum.lock().unwrap() = now + 1;";
    let workshop = workshop.answer("tasks", &answer(in_two_steps));
    let ran = workshop.run(&["check", "tasks"]).exits(1).says("additions_of_tasks_all_count");
    let ran = ran.says("✗ race").says("schedules fail");
    workshop.run(&replay_of(&ran)).exits(1).says("✗ race");
}

/// What was built of each stays, and no time says which is which.
#[test]
fn an_answer_that_comes_back_has_its_own_verdict_again() {
    let check = |workshop: &Workshop| workshop.run(&["check", "lock", "transfers_in_both_directions_finish"]).code;
    let solved = Workshop::new().solve("lock");
    assert_eq!(check(&solved), 0);
    let wrong = solved.answer_wrongly("lock", "abba");
    assert_eq!(check(&wrong), 1);
    assert_eq!(check(&wrong.solve("lock")), 0);
}
