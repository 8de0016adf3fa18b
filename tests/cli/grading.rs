//! `grade` and `merge`, as an instructor uses them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
#[cfg(target_os = "linux")]
use sha2::{Digest, Sha256};

use crate::workshop::{Ran, Workshop, target};

/// A class of five: in the shapes that learners hand in, with a right answer, a wrong one, the stub, none and a broken one.
fn class(workshop: Workshop) -> Workshop {
    let solution = workshop.read("solutions/lock/src/lib.rs");
    let abba = workshop.wrong("lock", "abba");
    let stub = workshop.read("tests/stubs/lock.rs");
    workshop
        // Records quote the tests. Behind a link, these are not the checkout's.
        .own_all("katas/lock/tests")
        .write("class/ada/katas/lock/src/lib.rs", solution)
        .write("class/barbara/lock/src/lib.rs", "pub fn broken(")
        .write("class/edsger/katas/lock/src/lib.rs", stub)
        .write("class/grace/katas/lock/src/lib.rs", abba)
        .write("class/leslie/katas/queue/notes.txt", "not begun")
        .write("class/.DS_Store", "noise")
}

fn grade(workshop: &Workshop, out: &str, more: &[&str]) -> Ran {
    workshop.run(&[&["grade", "class", "--out", out, "--kata", "lock"], more].concat())
}

/// The record without what differs from run to run: how long things took.
fn record(workshop: &Workshop, out: &str) -> Vec<Value> {
    let text = workshop.read(&format!("{out}/results.jsonl"));
    text.lines().map(|line| without_times(serde_json::from_str(line).expect("a line of JSON"))).collect()
}

fn without_times(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let timeless = fields.into_iter().filter(|(name, _)| !["seconds", "took", "at"].contains(&name.as_str()));
            timeless.map(|(name, value)| (name, without_times(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(without_times).collect(),
        other => other,
    }
}

/// Learners and their verdicts, as the record has them.
fn verdicts(workshop: &Workshop, out: &str) -> Vec<String> {
    let lines = record(workshop, out);
    let graded = lines.iter().filter_map(|line| line.get("graded"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    graded.map(|one| format!("{} {} {}", text(&one["learner"]), text(&one["verdict"]), one["score"])).collect()
}

const VERDICTS: [&str; 5] =
    ["ada passed 12", "barbara compile-error 0", "edsger unsolved 0", "grace failed 8", "leslie missing 0"];

/// The name of the folder in which a learner's answer is staged.
#[cfg(target_os = "linux")]
fn staged(kata: &str, learner: &str) -> String {
    let hash = Sha256::new().chain_update((learner.len() as u64).to_be_bytes()).chain_update(learner).finalize();
    format!("{kata}-{}", hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// What a run says of the results that it reached, one a line.
fn graded_now(ran: &Ran) -> usize {
    ran.stderr.lines().filter(|line| line.contains(", lock: ")).count()
}

#[test]
fn a_class_is_graded_once_and_what_changes_again() {
    let workshop = class(Workshop::new());
    let first = grade(&workshop, "grades", &[]).exits(0).says("class: 5 learners");
    assert_eq!(graded_now(&first), 5, "{}", first.stderr);
    assert_eq!(verdicts(&workshop, "grades"), VERDICTS);
    for report in ["grades.csv", "report.html", "summary.md", "junit.xml", "ctrf.json"] {
        assert!(workshop.path("grades").join(report).is_file(), "{report} is missing");
    }
    assert!(workshop.read("grades/learners/grace/report.html").contains("transfers_in"));
    let before = record(&workshop, "grades");

    let second = grade(&workshop, "grades", &[]).exits(0);
    assert_eq!(graded_now(&second), 0, "nothing changed: {}", second.stderr);
    assert_eq!(record(&workshop, "grades"), before);

    let solution = workshop.read("solutions/lock/src/lib.rs");
    let workshop = workshop.write("class/grace/katas/lock/src/lib.rs", solution);
    let third = grade(&workshop, "grades", &[]).exits(0);
    assert_eq!(graded_now(&third), 1, "one changed: {}", third.stderr);
    assert!(third.stderr.contains("5/5 grace, lock: passed, 12 of 12"), "{}", third.stderr);
    let anew = grade(&workshop, "anew", &[]).exits(0);
    assert_eq!(graded_now(&anew), 5);
    assert_eq!(record(&workshop, "anew"), record(&workshop, "grades"), "grading twice gives the same");
    for report in ["grades.csv", "report.html", "summary.md", "learners/grace/report.html"] {
        assert_eq!(workshop.read(&format!("anew/{report}")), workshop.read(&format!("grades/{report}")), "{report}");
    }
}

/// One of them does not fit the tests, so that no program can have all.
#[test]
fn answers_that_share_a_test_program_have_verdicts_of_their_own() {
    let mut workshop = Workshop::new();
    let [solution, alone] =
        ["solutions/lock/src/lib.rs", "tests/wrong/lock/not_shared.rs"].map(|file| workshop.read(file));
    let abba = workshop.wrong("lock", "abba");
    for (learner, answer) in [("ada", &solution), ("barbara", &abba), ("carl", &alone), ("dora", &abba)] {
        workshop = workshop.write(&format!("class/{learner}/lock/src/lib.rs"), answer);
    }
    let shared = target().join("interleave/target-guarded/debug/liblock.rlib");
    let _ = fs::remove_file(&shared);
    let ran = grade(&workshop, "grades", &[]).exits(0);
    // Under a name that they share, cargo writes one answer's library over another's when both are ready in the same moment.
    assert!(shared.parent().is_some_and(Path::is_dir) && !shared.exists(), "{} is everybody's", shared.display());
    let expected = ["ada passed 12", "barbara failed 8", "carl compile-error 0", "dora failed 8"];
    assert_eq!(verdicts(&workshop, "grades"), expected, "{}", ran.stderr);
    let text = workshop.read("grades/results.jsonl");
    assert!(
        text.contains("katas/lock/tests/lock.rs") && !text.contains("groups/"),
        "only paths that people know: {text}"
    );
}

#[test]
fn a_grader_that_is_killed_loses_nothing() {
    let workshop = class(Workshop::new());
    grade(&workshop, "undisturbed", &[]).exits(0);
    let scratch = workshop.path("scratch");
    fs::create_dir(&scratch).expect("a folder");
    for lines in [1, 3, 4] {
        let out = format!("killed-{lines}");
        let mut command = workshop.command(&["grade", "class", "--out", &out, "--kata", "lock"]);
        command.env("TMPDIR", &scratch);
        let mut grader = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let said = BufReader::new(grader.stderr.take().expect("a pipe")).lines();
        assert_eq!(said.take(lines).filter(|line| line.is_ok()).count(), lines, "it says one line per result");
        // SIGKILL on Unix: nobody can prepare for it.
        grader.kill().expect("it is alive");
        grader.wait().expect("it ended");
        // Half a line, as a kill in the middle of writing leaves it.
        let record_file = workshop.path(&out).join("results.jsonl");
        let mut half = fs::read(&record_file).expect("a record");
        half.extend(b"{\"graded\":{\"learner\":\"gra");
        fs::write(&record_file, half).expect("a record");
        let resumed = grade(&workshop, &out, &[]).exits(0);
        assert!(graded_now(&resumed) <= 5 - lines, "what was said is kept: {}", resumed.stderr);
        assert_eq!(record(&workshop, &out), record(&workshop, "undisturbed"));
    }
    // What those who were killed left in the temporary folder goes with the next who comes.
    assert!(fs::read_dir(&scratch).expect("a folder").count() > 0, "a grader has a folder there while it runs");
    let mut again = workshop.command(&["grade", "class", "--out", "killed-4", "--kata", "lock"]);
    assert!(again.env("TMPDIR", &scratch).output().expect("it starts").status.success());
    assert_eq!(fs::read_dir(&scratch).expect("a folder").count(), 0);
}

#[test]
fn one_grader_at_a_time_writes_into_a_folder() {
    let workshop = Workshop::new().write("class/leslie/notes.txt", "not begun").write("grades/.lock", "");
    let other = fs::File::open(workshop.path("grades/.lock")).expect("a file");
    other.lock().expect("nobody else has it");
    let said = grade(&workshop, "grades", &[]).refused();
    assert!(said.contains("another grader is writing into grades"), "{said}");
    assert_eq!(fs::read_dir(workshop.path("grades")).expect("a folder").count(), 1, "nothing else is written");
    drop(other);
    grade(&workshop, "grades", &[]).exits(0);
    let said = {
        let other = fs::File::open(workshop.path("grades/.lock")).expect("it stays");
        other.lock().expect("whoever had it has ended");
        workshop.run(&["grade", "class", "--out", "grades", "--kata", "lock", "--seed", "7"]).refused()
    };
    assert!(said.contains("another grader is writing into grades"), "it is the same file every time: {said}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_grader_left_that_was_killed_goes_with_the_next() {
    let workshop = Workshop::new().write("class/ada/lock/src/lib.rs", "pub fn broken(");
    grade(&workshop, "grades", &[]).exits(0);
    let built = target().join("interleave/target-guarded/debug");
    let compiling = |name: &str| built.join(format!(".compiling-{name}-{}", std::process::id()));
    let (left, live) = (compiling("left"), compiling("live"));
    for folder in [&left, &live] {
        fs::create_dir_all(folder.join("made/tmp")).expect("a folder");
        fs::write(folder.join("lock"), "").expect("a file");
    }
    let owner = fs::File::create(live.join("lock")).expect("a file");
    owner.lock().expect("nobody else has it");
    let reports = ["grades/.unfinished-a1B2c3", "grades/learners/ada/.unfinished-a1B2c3"];
    let workshop = reports.iter().fold(workshop, |workshop, file| workshop.write(file, "half a report"));
    let workshop = workshop.write("grades/own/.unfinished-a1B2c3", "").write("class/ada/lock/src/lib.rs", "fn broken(");
    grade(&workshop, "grades", &[]).exits(0);
    assert!(!left.exists() && live.exists(), "only what has no owner goes");
    assert!(reports.iter().all(|file| !workshop.path(file).exists()), "half a report is left");
    assert!(workshop.path("grades/own/.unfinished-a1B2c3").exists(), "no grader writes there");
    fs::remove_dir_all(&live).expect("it is ours");
}

#[cfg(target_os = "linux")]
#[test]
fn a_compiler_that_cannot_be_watched_costs_one_answer() {
    let workshop = Workshop::new().builds_anew();
    let solution = workshop.read("solutions/lock/src/lib.rs");
    let answers = |workshop: Workshop, more: &str| {
        let text = format!("{solution}\n{more}\n");
        workshop.write("class/unlucky/lock/src/lib.rs", &text).write("class/lucky/lock/src/lib.rs", &text)
    };
    let workshop = answers(workshop, "// once");
    grade(&workshop, "grades", &[]).exits(0);
    // Here the compiler's wrapper notes what is a submission's: it can't, where a folder has that name.
    let libraries = target().join("interleave/target-guarded/debug/deps");
    let files =
        fs::read_dir(&libraries).expect("a folder").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let marks = files.filter_map(|file| {
        let name = file.strip_prefix("lib")?.strip_suffix(".submission")?;
        let made_of = fs::read_to_string(libraries.join(format!("{name}.d"))).ok()?;
        made_of.contains(&staged("lock", "unlucky")).then(|| libraries.join(&file))
    });
    let marks: Vec<_> = marks.collect();
    assert!(!marks.is_empty(), "no mark of hers is found");
    for mark in &marks {
        fs::remove_file(mark).and_then(|()| fs::create_dir(mark)).expect("a folder in its place");
    }
    let workshop = answers(workshop, "// again");
    let ran = grade(&workshop, "grades", &[]);
    marks.iter().for_each(|mark| fs::remove_dir(mark).expect("an empty folder"));
    let ran = ran.exits(1);
    assert_eq!(verdicts(&workshop, "grades"), ["lucky passed 12", "unlucky grader-error 0"], "{}", ran.stderr);
    let text = workshop.read("grades/results.jsonl");
    assert!(text.contains("the compiler could not be watched") && text.contains("Is a directory"), "{text}");
    let again = grade(&workshop, "grades", &[]).exits(0);
    assert_eq!(graded_now(&again), 1, "the trouble is over: {}", again.stderr);
    assert_eq!(verdicts(&workshop, "grades"), ["lucky passed 12", "unlucky passed 12"]);
}

#[test]
fn shards_make_the_whole() {
    let workshop = class(Workshop::new());
    grade(&workshop, "whole", &[]).exits(0);
    for (number, variables) in
        [("1/3", None), ("2/3", None), ("auto", Some([("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "3")]))]
    {
        let out = format!("shard-{}", &number[..1]);
        let mut command = workshop.command(&["grade", "class", "--out", &out, "--kata", "lock", "--shard", number]);
        assert!(
            command.envs(variables.into_iter().flatten()).output().expect("it starts").status.success(),
            "{number}"
        );
    }
    let shards = ["shard-1", "shard-2", "shard-a"];
    let merge = |shards: &[&str]| workshop.run(&[&["merge"], shards, &["--out", "merged"]].concat());
    merge(&shards).exits(0).without_complaint().says("class: 5 learners");
    assert_eq!(record(&workshop, "merged"), record(&workshop, "whole"));
    for report in ["grades.csv", "report.html", "junit.xml", "learners/grace/results.json"] {
        let (merged, whole) = (workshop.read(&format!("merged/{report}")), workshop.read(&format!("whole/{report}")));
        assert_eq!(merged.replace(char::is_numeric, ""), whole.replace(char::is_numeric, ""), "{report}");
    }

    let refused = |shards: &[&str], why: &str| {
        let said = merge(shards).refused();
        assert!(said.contains(why), "{said}");
    };
    refused(&shards[..2], "shard 3/3 is missing");
    refused(&["shard-1", "shard-2", "shard-1"], "shard-1 and shard-1 are both shard 1/3");
    refused(&["shard-1", "whole"], "whole is no shard");
    refused(&["shard-1", "nowhere"], "cannot read");
    grade(&workshop, "otherwise", &["--shard", "2/3", "--seed", "7"]).exits(0);
    refused(&["shard-1", "otherwise", "shard-a"], "the seeds or numbers of schedules differ");
    let text = workshop.read("shard-2/results.jsonl");
    let unfinished: String =
        text.lines().filter(|line| !line.starts_with("{\"finished")).map(|line| format!("{line}\n")).collect();
    let workshop = workshop.write("shard-2/results.jsonl", unfinished);
    let said = workshop.run(&["merge", "shard-1", "shard-2", "shard-a", "--out", "merged"]).refused();
    assert!(said.contains("shard-2 is not finished"), "{said}");
}

#[test]
fn shards_that_share_a_checkout_do_not_wait_for_each_other() {
    let workshop = class(Workshop::new());
    let part = |number: &str| {
        let mut command = workshop.command(&["grade", "class", "--out", number, "--kata", "lock", "--shard"]);
        command.arg(format!("{number}/2")).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    assert!(part("1").status().expect("it starts").success());
    let workspace = fs::File::open(target().join("interleave/class-1-of-2.lock")).expect("the first part's lock");
    workspace.lock().expect("whoever works there ends");
    let mut waits = part("1").args(["--seed", "7"]).spawn().expect("it starts");
    // If it waited for the first part, too, it would do so for ever.
    let ended = assert_cmd::Command::from_std(part("2")).timeout(Duration::from_secs(300)).output();
    assert!(ended.expect("it starts").status.success());
    assert_eq!(waits.try_wait().expect("a process"), None, "who works in one workspace waits for its turn");
    drop(workspace);
    assert!(waits.wait().expect("a process").success());
}

#[test]
fn a_course_says_what_counts() {
    let workshop = class(Workshop::new()).write(
        "class/course.toml",
        "title = \"Concurrency, autumn\"\ndeadline = 2026-11-20T12:00:00Z\nsubmitted = \"submitted.csv\"\n\
         [late]\ngrace_minutes = 0\npercent_per_day = 10\nat_most_percent = 50\n[[kata]]\nname = \"lock\"\nweight = 2.0\n",
    );
    let workshop = workshop.write("class/submitted.csv", "learner,time\nada,2026-11-20T13:00:00Z\n");
    workshop.run(&["grade", "class", "--out", "grades"]).exits(0).says("Concurrency, autumn: 5 learners");
    let csv = workshop.read("grades/grades.csv");
    let ada = csv.lines().find(|line| line.contains("ada")).expect("a line of hers");
    assert!(ada.contains("90"), "a tenth off for a day begun: {csv}");
}

#[test]
fn who_is_expected_has_a_row_and_the_report_says_what_counts() {
    let workshop = Workshop::new()
        .write(
            "class/course.toml",
            "title = \"Autumn\"\ndeadline = 2026-11-20T12:00:00Z\nsubmitted = \"submitted.csv\"\n\
             [[kata]]\nname = \"lock\"\nweight = 2.0\n[[kata]]\nname = \"queue\"\nweight = 0.5\n",
        )
        .write("class/submitted.csv", "learner,time\nleslie,2026-11-20T10:00:00Z\nalan,2026-11-20T11:00:00Z\n")
        .write("class/leslie/notes.txt", "not begun");
    let ran = workshop.run(&["grade", "class", "--out", "grades"]).exits(0).says("Autumn: 2 learners");
    assert!(ran.stderr.contains("`alan`, who has nothing in the class"), "{}", ran.stderr);
    let csv = workshop.read("grades/grades.csv");
    assert!(csv.lines().any(|line| line.contains("alan") && line.contains("missing")), "{csv}");
    let report = workshop.read("grades/report.html");
    assert!(report.contains("Due 2026-11-20T12:00:00+00:00. Weights: lock 2, queue 0.5."), "{report:.2000}");
    let workshop = workshop.write("class/submitted.csv", "learner,time\n,2026-11-20T10:00:00Z\n");
    let said = workshop.run(&["grade", "class", "--out", "grades"]).refused();
    assert!(said.contains("submitted.csv:2: a time without a learner"), "{said}");
}

#[test]
fn what_cannot_be_graded_is_refused_at_once() {
    let workshop = class(Workshop::new()).write("empty/.keep", "").write("broken/course.toml", "title = ");
    let refused = |arguments: &[&str], why: &str| {
        let said = workshop.run(arguments).refused();
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert!(!workshop.path("grades").exists(), "{arguments:?}: nothing is left behind");
    };
    refused(&["grade", "nowhere", "--out", "grades"], "cannot read the class nowhere");
    refused(&["grade", "empty", "--out", "grades"], "holds no submissions");
    refused(&["grade", "Cargo.toml", "--out", "grades"], "is not a folder");
    refused(&["grade", "class", "--out", "grades", "--kata", "lokc"], "Did you mean `lock`?");
    refused(&["grade", "class", "--out", "grades", "--shard", "4/3"], "write it as K/N");
    refused(&["grade", "class", "--out", "grades", "--shard", "auto"], "CI_NODE_INDEX");
    refused(&["grade", "class", "--out", "grades", "--course", "broken/course.toml"], "course.toml");
    refused(&["grade", "class", "--out", "grades", "--course", "nowhere.toml"], "nowhere.toml");
    refused(&["grade", "class", "--out", "grades", "--require-isolation", "total"], "limits, confined and isolated");
    let said = workshop.run(&["grade", "class", "--out", "Cargo.toml", "--kata", "lock"]).refused();
    assert!(said.contains("Cargo.toml"), "{said}");
    // The next run would take the results for a learner's.
    #[cfg(unix)]
    std::os::unix::fs::symlink(workshop.path("class"), workshop.path("linked")).expect("a link");
    for out in [
        "class",
        "class/grades",
        "./nowhere/../class/grades",
        #[cfg(unix)]
        "linked/new/grades",
    ] {
        let said = workshop.run(&["grade", "class", "--out", out, "--kata", "lock"]).refused();
        assert!(said.contains("would be written into the class class"), "{out}: {said}");
        assert!(!workshop.path("class/grades").exists() && !workshop.path("class/new").exists(), "{out}");
    }
    let workshop = workshop.write("learners/ada/notes.txt", "not begun");
    let said = workshop.run(&["grade", "learners", "--out", ".", "--kata", "lock"]).refused();
    assert!(said.contains("would be written into the class learners"), "{said}");
    let workshop = workshop.write("grades/results.jsonl", "no record\n");
    let said = grade(&workshop, "grades", &[]).refused();
    assert!(said.contains("results.jsonl:1: not a line of a record"), "{said}");
    assert_eq!(workshop.read("grades/results.jsonl"), "no record\n", "somebody's file is left alone");
}

#[cfg(target_os = "linux")]
#[test]
fn isolation_is_what_the_machine_has_and_stays_the_same_in_a_record() {
    let workshop = Workshop::new().write("class/leslie/notes.txt", "not begun");
    let grade = |out: &str, more: &[&str]| grade(&workshop, out, more);
    let began_with = |out: &str| record(&workshop, out)[0]["inputs"]["isolation"]["tier"].as_str().map(str::to_string);
    // What can't be tried is not what the machine lacks: no temporary file can be made there.
    let mut command = workshop.command(&["grade", "class", "--out", "unknown", "--kata", "lock"]);
    let ran = command.env("TMPDIR", workshop.path("Cargo.toml")).output().expect("it starts");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot create a temporary folder in"), "{said}");
    assert!(!workshop.path("unknown").exists(), "nothing was graded");

    grade("grades", &[]).exits(0);
    let own = began_with("grades").expect("a tier");
    let text = workshop.read("grades/results.jsonl");
    let with_less = text.replace(&format!("\"tier\":\"{own}\""), "\"tier\":\"none\"");
    fs::write(workshop.path("grades/results.jsonl"), with_less).expect("a record");
    grade("grades", &[]).exits(0);
    assert_eq!(began_with("grades").as_deref(), Some("none"), "it goes on as it began");
    grade("grades", &["--require-isolation", &own]).exits(0);
    assert_eq!(began_with("grades"), Some(own), "unless more is required");
}

#[test]
fn learners_folders_hold_nothing_of_others() {
    let workshop = class(Workshop::new());
    grade(&workshop, "grades", &[]).exits(0);
    let folder = workshop.path("grades/learners/grace");
    for file in fs::read_dir(&folder).expect("a folder").filter_map(|entry| entry.ok()) {
        let text = fs::read_to_string(file.path()).expect("text");
        for other in ["barbara", "edsger", "leslie"] {
            assert!(!text.contains(other), "{} names {other}", file.path().display());
        }
        assert!(
            !text.contains(&Path::new("target").join("interleave").display().to_string()),
            "a path of the grader's"
        );
    }
}
