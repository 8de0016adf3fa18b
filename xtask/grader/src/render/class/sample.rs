//! Made-up classes for the tests of the reports.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use verdict::{
    Assignment, Coverage, Diagnostic, Graded, Inputs, Isolation, KataVerdict, Kind, Learner, Limits, Mode,
    SubjectVerdict, TestVerdict, Tier, Verdict,
};

use crate::class::claim::{self, Claim};
use crate::class::gradebook::Gradebook;
use crate::render::sample::abba;

/// A kata of two tests, one point each.
pub(crate) fn assignment(kata: &str, weight: f64) -> Assignment {
    let tests = ["first_test", "second_test"].map(str::to_string).to_vec();
    Assignment { kata: kata.to_string(), title: format!("The {kata}"), weight, max_score: 2, tests }
}

/// What a class is graded by.
pub(crate) fn inputs(learners: &[&str], assignments: Vec<Assignment>) -> Inputs {
    let learners = learners.iter().map(|name| Learner { name: (*name).to_string(), late: None }).collect();
    Inputs {
        title: "Concurrency, autumn".to_string(),
        deadline: Some("2026-11-30T23:59:00+01:00".to_string()),
        assignments,
        learners,
        submissions: "1".to_string(),
        judge: "2".to_string(),
        toolchain: "rustc 1.95.0".to_string(),
        inspection: true,
        limits: Limits { seconds: 1, memory: 1, output: 1, file: 1, tasks: 1, compile_seconds: 1, compile_memory: 1 },
        isolation: Isolation { tier: Tier::Confined, lacks: vec!["no user namespaces on build-host-7".to_string()] },
        seed: None,
        deep: false,
        schedules: None,
        shard: None,
    }
}

/// A test that passed, or failed in that way; a deadlock has its schedule.
pub(crate) fn test(name: &str, kind: Option<Kind>) -> TestVerdict {
    TestVerdict {
        name: name.to_string(),
        mode: Mode::Schedules,
        verdict: if kind.is_some() { Verdict::Failed } else { Verdict::Passed },
        kind,
        message: kind.map_or_else(String::new, |kind| format!("what happened: {kind}")),
        schedules: Some(41),
        coverage: Some(Coverage { schedules: 41, failing: 3, complete: true, ..Coverage::default() }),
        seconds: 1.5,
        points: u32::from(kind.is_none()),
        output: String::new(),
        trace: kind.filter(|kind| *kind == Kind::Deadlock).map(|_| abba()),
    }
}

/// A verdict that is the sum of its tests.
pub(crate) fn graded(learner: &str, kata: &str, verdict: SubjectVerdict, tests: Vec<TestVerdict>) -> Graded {
    let score = tests.iter().map(|test| test.points).sum();
    let verdict = KataVerdict {
        kata: kata.to_string(),
        subject: format!("/home/instructor/class/{learner}"),
        verdict,
        score,
        max_score: 2,
        seconds: 3.0,
        tests,
        diagnostics: Vec::new(),
    };
    Graded {
        learner: learner.to_string(),
        key: "3".to_string(),
        lines: BTreeMap::new(),
        at: Some(1_790_000_000_000),
        verdict,
    }
}

/// An answer that passes.
pub(crate) fn solved(learner: &str, kata: &str) -> Graded {
    graded(learner, kata, SubjectVerdict::Passed, vec![test("first_test", None), test("second_test", None)])
}

/// An answer that deadlocks in its second test.
pub(crate) fn deadlocked(learner: &str, kata: &str) -> Graded {
    let tests = vec![test("first_test", None), test("second_test", Some(Kind::Deadlock))];
    let mut graded = graded(learner, kata, SubjectVerdict::Failed, tests);
    let lines = [(14, "let mut a = from.lock();"), (15, "let mut b = to.lock();")];
    graded.lines.insert("bank.rs".to_string(), lines.map(|(number, line)| (number, line.to_string())).into());
    graded
}

/// An answer that no test was run of, and why.
pub(crate) fn broken(learner: &str, kata: &str, verdict: SubjectVerdict, rendered: &str) -> Graded {
    let mut graded = graded(learner, kata, verdict, Vec::new());
    graded.verdict.diagnostics.push(Diagnostic {
        level: "error".to_string(),
        message: rendered.to_string(),
        file: None,
        line: None,
        rendered: rendered.to_string(),
    });
    graded
}

/// Ada solved one kata and deadlocks in the other, Bea's second made the grader fail, Cem handed in one that does not compile.
pub(crate) fn class() -> Gradebook {
    let mut fault = broken("bea", "queue", SubjectVerdict::GraderError, "no space left on /dev/vda1 of build-host-7");
    let mut last = test("first_test", Some(Kind::Crash));
    last.message = "the watchdog of build-host-7 was killed".to_string();
    fault.verdict.tests.push(last);
    let results = vec![
        solved("ada", "lock"),
        deadlocked("ada", "queue"),
        solved("bea", "lock"),
        fault,
        broken(
            "cem",
            "lock",
            SubjectVerdict::CompileError,
            "error: expected `;`\n --> /home/instructor/class/cem/katas/lock/src/lib.rs:3:4",
        ),
        graded("cem", "queue", SubjectVerdict::Missing, Vec::new()),
    ];
    Gradebook::new(inputs(&["cem", "ada", "bea"], vec![assignment("lock", 1.0), assignment("queue", 3.0)]), results)
}

/// Everything that `write` writes, by path below the folder.
pub(crate) fn written(gradebook: &Gradebook) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    super::write(gradebook, &Claim::of(folder.path()).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    read(folder.path(), folder.path(), &mut files);
    files.remove(claim::LOCK);
    files
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The names of the elements, and all text.
pub(crate) fn parsed(xml: &str) -> (Vec<String>, String) {
    let report = quick_junit::Report::deserialize_from_str(xml).unwrap();
    let mut elements = Vec::new();
    let mut text = String::new();
    for suite in &report.test_suites {
        elements.push("testsuite".to_string());
        for case in &suite.test_cases {
            elements.push("testcase".to_string());
            text += case.name.as_str();
            elements.extend(
                match &case.status {
                    quick_junit::TestCaseStatus::Success { .. } => None,
                    quick_junit::TestCaseStatus::NonSuccess { kind: quick_junit::NonSuccessKind::Failure, .. } => {
                        Some("failure")
                    }
                    quick_junit::TestCaseStatus::NonSuccess { kind: quick_junit::NonSuccessKind::Error, .. } => {
                        Some("error")
                    }
                    quick_junit::TestCaseStatus::Skipped { .. } => Some("skipped"),
                }
                .map(str::to_string),
            );
        }
    }
    (elements, text)
}
