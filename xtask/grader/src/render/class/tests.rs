//! What the reports say, and what they must not say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use verdict::{Late, Trace};

use crate::class::claim::{self, Claim};
use crate::class::gradebook::Gradebook;
use crate::render::class::sample::{assignment, class, deadlocked, inputs, parsed, solved, written};

#[test]
fn a_class_has_these_reports() {
    let names: Vec<String> = written(&class()).into_keys().collect();
    let of = |learner: &str| {
        let names = ["prairielearn.json", "report.html", "results.json", "summary.md"];
        names.map(|name| format!("learners/{learner}/{name}"))
    };
    let mut expected =
        ["ctrf.json", "grades.csv", "junit.xml", "report.html", "summary.md"].map(str::to_string).to_vec();
    expected.extend(["ada", "bea", "cem"].into_iter().flat_map(of));
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn a_fault_of_the_graders_is_blank_and_never_zero() {
    insta::assert_snapshot!(written(&class())["grades.csv"].trim_start_matches('\u{feff}'), @r"
    learner,lock,queue,percent,late,notes
    ada,2,1,62.5,,
    bea,2,,,,queue: grader-error
    cem,0,0,0,,lock: compile-error; queue: missing
    ");
}

#[test]
fn lateness_takes_off_a_part_of_the_grade() {
    let mut inputs = inputs(&["ada"], vec![assignment("lock", 1.0)]);
    inputs.learners[0].late = Some(Late { seconds: 7500, percent_off: 10.0 });
    let gradebook = Gradebook::new(inputs, vec![solved("ada", "lock")]);
    let files = written(&gradebook);
    assert!(files["grades.csv"].ends_with("ada,2,90,\"2 h 5 min late, 10% off\",\n"), "{}", files["grades.csv"]);
    let results: serde_json::Value = serde_json::from_str(&files["learners/ada/results.json"]).unwrap();
    assert_eq!(results["score"], 90.0);
}

#[test]
fn a_kata_that_is_graded_elsewhere_leaves_its_learner_without_a_grade() {
    let all = inputs(&["ada", "bea"], vec![assignment("lock", 1.0), assignment("queue", 1.0)]);
    let gradebook = Gradebook::new(all, vec![solved("ada", "lock")]);
    let files = written(&gradebook);
    assert!(files["grades.csv"].contains("ada,2,,,,queue: not graded\n"), "{}", files["grades.csv"]);
    assert!(!files.contains_key("learners/bea/report.html"), "nothing is known of bea");
    assert!(!files["report.html"].contains("bea"));
}

#[test]
fn the_last_verdict_on_an_answer_counts() {
    let inputs = inputs(&["ada"], vec![assignment("lock", 1.0)]);
    let gradebook =
        Gradebook::new(inputs, vec![deadlocked("ada", "lock"), solved("ada", "lock"), solved("eve", "lock")]);
    assert_eq!(gradebook.rows.len(), 1);
    assert_eq!(gradebook.percent(&gradebook.rows[0]), Some(100.0));
}

#[test]
fn gradescope_gets_no_score_where_the_grader_failed() {
    let files = written(&class());
    let results = |name: &str| -> serde_json::Value {
        serde_json::from_str(&files[&format!("learners/{name}/results.json")]).unwrap()
    };
    assert_eq!(results("ada")["score"], 62.5);
    let ada = results("ada");
    let of_tests: f64 = ada["tests"].as_array().unwrap().iter().filter_map(|test| test["score"].as_f64()).sum();
    assert!((of_tests - 62.5).abs() < 0.01, "what the entries add up to is the score of the whole");
    assert!(results("bea").get("score").is_none());
    let scored = |test: &serde_json::Value| test.get("score").is_some() || test.get("max_score").is_some();
    assert!(!results("bea")["tests"].as_array().unwrap().iter().any(scored));
}

#[test]
fn the_readme_lists_the_reports() {
    let lines: String = super::list().lines().map(|line| format!("    {line}\n")).collect();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    assert!(readme.contains(&lines), "README.md should have these lines:\n{lines}");
}

#[test]
fn prairielearn_counts_no_attempt_where_the_grader_failed() {
    let files = written(&class());
    let results = |name: &str| -> serde_json::Value {
        serde_json::from_str(&files[&format!("learners/{name}/prairielearn.json")]).unwrap()
    };
    let (ada, bea) = (results("ada"), results("bea"));
    assert_eq!((&ada["gradable"], &ada["score"]), (&true.into(), &0.625.into()));
    let points = |test: &serde_json::Value| Some((test["points"].as_f64()?, test["max_points"].as_f64()?));
    let (reached, most): (Vec<f64>, Vec<f64>) = ada["tests"].as_array().unwrap().iter().filter_map(points).unzip();
    assert_eq!((reached.iter().sum::<f64>(), most.iter().sum::<f64>()), (62.5, 100.0));
    assert_eq!((&bea["gradable"], bea.get("score")), (&false.into(), None));
    assert!(bea["format_errors"][0].as_str().unwrap().contains("grader"), "{bea}");
    assert!(!bea["tests"].as_array().unwrap().iter().any(|test| points(test).is_some()));
}

#[test]
fn times_are_those_of_the_record() {
    let files = written(&class());
    let xml = &files["junit.xml"];
    // Of the twelve tests seven were run, for a second and a half each.
    assert_eq!(xml.matches("<testcase ").count(), 12);
    let cases = xml.lines().filter(|line| line.trim_start().starts_with("<testcase "));
    assert_eq!(cases.filter(|case| case.contains("time=\"1.500\"")).count(), 7);
    let whole = xml.lines().find(|line| line.starts_with("<testsuites ")).expect("the root");
    assert!(whole.contains("time=\"10.500\"") && !whole.contains("skipped"), "{whole}");
    let report: serde_json::Value = serde_json::from_str(&files["ctrf.json"]).unwrap();
    let summary = &report["results"]["summary"];
    assert_eq!((&summary["start"], &summary["stop"]), (&1_789_999_997_000_u64.into(), &1_790_000_000_000_u64.into()));
}

#[test]
fn junit_tells_faults_from_failures_from_what_is_missing() {
    let xml = &written(&class())["junit.xml"];
    let (elements, _) = parsed(xml);
    let count = |name: &str| elements.iter().filter(|element| *element == name).count();
    assert_eq!((count("testsuite"), count("testcase")), (6, 12));
    assert_eq!((count("failure"), count("error"), count("skipped")), (3, 2, 2));
}

#[test]
fn ctrf_counts_what_it_lists() {
    let report: serde_json::Value = serde_json::from_str(&written(&class())["ctrf.json"]).unwrap();
    assert_eq!((&report["reportFormat"], &report["specVersion"]), (&"CTRF".into(), &"1.0.0".into()));
    let summary = &report["results"]["summary"];
    let counts =
        ["tests", "passed", "failed", "skipped", "pending", "other"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [12, 5, 3, 2, 0, 2]);
    assert_eq!(counts[0], counts[1..].iter().sum::<u64>());
    assert_eq!(report["results"]["tests"].as_array().unwrap().len(), 12);
}

#[test]
fn the_page_says_first_what_needs_a_person() {
    let page = &written(&class())["report.html"];
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("The grader failed here") < at("Mistakes in common"));
    assert!(at("no space left on") < at("Mistakes in common"));
    assert!(at("id=\"glance\"") < at("<h2>Answers</h2>"));
    assert!(page.contains("<svg xmlns=") && page.contains("let mut b = to.lock();"), "the schedule with its source");
}

#[test]
fn the_pages_load_nothing_and_run_only_their_own_script() {
    // Two pictures on a page.
    let results = vec![deadlocked("ada", "lock"), deadlocked("ada", "queue")];
    let katas = vec![assignment("lock", 1.0), assignment("queue", 1.0)];
    let files = written(&Gradebook::new(inputs(&["ada"], katas), results));
    assert_eq!(files["report.html"].matches("role=\"img\"").count(), 2);
    for (name, page) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"), "{name}");
        assert!(!page.contains("unsafe-inline"), "{name}");
        assert_eq!(page.matches("<script>").count(), 1, "{name}");
        assert!(!page.contains(" src=") && !page.contains("<link") && !page.contains("@import"), "{name}");
        assert!(!page.contains(" style=\""), "{name}: the policy would drop it");
        let (ids, unique) = (ids(page), ids(page).into_iter().collect::<BTreeSet<_>>());
        assert_eq!(ids.len(), unique.len(), "{name} has an id twice");
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(unique.contains(link), "{name} links to #{link}");
        }
    }
}

fn ids(page: &str) -> Vec<&str> {
    page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn equal_schedules_are_drawn_once() {
    let names = ["ada", "bea", "cem"];
    let results = names.iter().map(|name| deadlocked(name, "lock")).collect();
    let page = &written(&Gradebook::new(inputs(&names, vec![assignment("lock", 1.0)]), results))["report.html"];
    assert_eq!(page.matches("role=\"img\"").count(), 1);
    assert_eq!(page.matches("The schedule is the same as here.").count(), 2);
    assert!(page.contains("<b>3</b> lock: <code>second_test</code> — deadlock"));
}

#[test]
fn beyond_its_room_the_page_links_to_the_learners_own() {
    let results = vec![deadlocked("ada", "lock")];
    let gradebook = Gradebook::new(inputs(&["ada"], vec![assignment("lock", 1.0)]), results);
    let (wide, narrow) =
        (super::page::render_with_room(&gradebook, 100_000), super::page::render_with_room(&gradebook, 100));
    assert_eq!((wide.matches("role=\"img\"").count(), narrow.matches("role=\"img\"").count()), (1, 0));
    assert!(narrow.contains("<a href=\"learners/ada/report.html\">The schedule is in the learner's own report.</a>"));
    assert!(narrow.contains("waits for account#2"), "the words stay");
}

#[test]
fn of_a_long_schedule_both_ends_are_shown() {
    let mut long = deadlocked("ada", "lock");
    let trace = long.verdict.tests[1].trace.as_mut().unwrap();
    let step = trace.steps[1].clone();
    trace.steps.splice(1..1, vec![step; 500]);
    let page = &written(&Gradebook::new(inputs(&["ada"], vec![assignment("lock", 1.0)]), vec![long]))["report.html"];
    assert!(page.contains("… 457 steps are left out; replay shows them …"));
    assert!(page.contains("<th scope=\"row\">12</th>") && page.contains("<th scope=\"row\">505</th>"));
    assert_eq!(page.matches("role=\"img\"").count(), 0, "nobody follows such a picture");
}

#[test]
fn junit_leaves_out_output_before_it_is_too_long() {
    let mut noisy = deadlocked("ada", "lock");
    noisy.verdict.tests.iter_mut().for_each(|test| test.output = "noise ".repeat(1000));
    let gradebook = Gradebook::new(inputs(&["ada"], vec![assignment("lock", 1.0)]), vec![noisy]);
    let render = |most| super::junit::render_within(&gradebook, most).unwrap();
    assert!(render(28_000_000).len() > 8000);
    assert!(render(2000).len() < 2000);
    assert_eq!(parsed(&render(2000)).0.len(), parsed(&render(28_000_000)).0.len());
}

#[test]
fn a_record_with_wrong_numbers_costs_a_picture_and_no_report() {
    let mut results = Vec::new();
    let break_it: [fn(&mut Trace); 4] = [
        |trace| trace.steps[0].thread = 9,
        |trace| trace.steps[1].object = Some(9),
        |trace| trace.waiting[0].holds[0].object = 9,
        |trace| trace.threads.clear(),
    ];
    let names = ["ada", "bea", "cem", "dan"];
    for (name, break_it) in names.iter().zip(break_it) {
        let mut graded = deadlocked(name, "lock");
        break_it(graded.verdict.tests[1].trace.as_mut().unwrap());
        graded.lines.insert("bank.rs".to_string(), BTreeMap::from([(u32::MAX, "far away".to_string())]));
        results.push(graded);
    }
    let page = &written(&Gradebook::new(inputs(&names, vec![assignment("lock", 1.0)]), results))["report.html"];
    assert_eq!(page.matches("role=\"img\"").count(), 0);
    assert_eq!(page.matches("what happened: deadlock").count(), 4);
}

#[test]
fn learners_read_nothing_of_others_or_of_the_machine() {
    let files = written(&class());
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("learners/")) {
        for (learner, secret) in
            [("ada", "bea"), ("ada", "cem"), ("bea", "ada"), ("bea", "cem"), ("cem", "ada"), ("cem", "bea")]
        {
            // The format has a field whose name has a learner's in it.
            let text = text.replace("\"gradable\"", "");
            assert!(!name.contains(&format!("/{learner}/")) || !text.contains(secret), "{name} names {secret}");
        }
        for secret in ["build-host-7", "/home/instructor", "confined", "user namespaces"] {
            assert!(!text.contains(secret), "{name} has {secret}");
        }
    }
    assert!(files["learners/cem/report.html"].contains("src/lib.rs:3:4"), "the place of a mistake stays");
    assert!(files["report.html"].contains("/home/instructor/class/cem"), "instructors see it all");
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    assert_eq!(written(&class()), written(&class()));
    let mut slower = class();
    for row in &mut slower.rows {
        for graded in row.cells.iter_mut().filter_map(|cell| cell.graded.as_mut()) {
            graded.verdict.seconds += 1.0;
            graded.verdict.tests.iter_mut().for_each(|test| test.seconds += 1.0);
        }
    }
    let (mut before, mut after) = (written(&class()), written(&slower));
    for has_durations in ["ctrf.json", "junit.xml"] {
        assert_ne!(before.remove(has_durations), after.remove(has_durations));
    }
    assert_eq!(before, after);
}

#[test]
fn a_report_replaces_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("grades.csv"), "old").unwrap();
    super::write(&class(), &Claim::of(folder.path()).unwrap()).unwrap();
    assert!(fs::read_to_string(folder.path().join("grades.csv")).unwrap().contains("ada"));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == claim::LOCK || !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_summary_is_never_longer_than_github_takes() {
    let names: Vec<String> = (0..4000).map(|number| format!("learner {number} {}", "*".repeat(200))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let results = names.iter().map(|name| deadlocked(name, "lock")).collect();
    let gradebook = Gradebook::new(inputs(&names, vec![assignment("lock", 1.0)]), results);
    let page = super::summary::render(&gradebook);
    assert!(page.len() <= 1024 * 1024, "{} bytes", page.len());
    assert!(page.contains("This summary is cut"));
    assert!(page.contains("Mistakes in common"), "what matters most comes first");
}
