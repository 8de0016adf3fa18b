//! `time`: what it prints, what it writes, and what it refuses. Nothing here looks at how long anything took.

use std::fs;

use serde_json::Value;

use crate::workshop::Workshop;

/// So little work that it is done at once.
const LITTLE: [&str; 2] = ["--load", "items=50,steps=1"];

/// Runs `time queue` with little work.
fn time_queue(workshop: &Workshop, more: &[&str]) -> crate::workshop::Ran {
    workshop.run(&[&["time", "queue"], &LITTLE[..], more].concat())
}

/// The document on standard output, which has nothing else.
#[track_caller]
fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The names and workers of what was measured.
fn measured(document: &Value) -> Vec<(&str, Option<u64>)> {
    let approaches = document["approaches"].as_array().expect("a list");
    approaches.iter().map(|one| (one["approach"].as_str().expect("a name"), one["workers"].as_u64())).collect()
}

/// What is in a folder of the checkout beside the katas: drafts of charts would be.
fn files(workshop: &Workshop) -> Vec<String> {
    let entries = fs::read_dir(workshop.root()).expect("the checkout").filter_map(|entry| entry.ok());
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[test]
fn every_approach_is_timed_beside_the_reference() {
    let workshop = Workshop::new().solve("queue");
    let ran = time_queue(&workshop, &["--json", "--rounds", "7"]).exits(0).without_complaint();
    let document = document(&ran.stdout);
    assert_eq!(document["subject"], "katas/queue");
    let names: Vec<&str> = measured(&document).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["one by one", "queue", "pipeline"]);
    for one in document["approaches"].as_array().expect("a list") {
        for times in [&one["seconds"], &one["reference"]] {
            assert_eq!(times["rounds"].as_array().map(Vec::len), Some(7), "{one}");
            let [fastest, median, slowest] = ["fastest", "median", "slowest"].map(|name| times[name].as_f64());
            assert!(fastest.is_some() && fastest <= median && median <= slowest, "{one}");
        }
        let comparison = &one["comparison"];
        assert!(comparison["low"].as_f64() <= comparison["ratio"].as_f64(), "{one}");
        assert!(comparison["confidence"].as_f64() > Some(0.95), "{one}");
        assert!(comparison["verdict"].is_string(), "{one}");
    }
}

#[test]
fn the_table_fits_a_pipe_of_80_columns() {
    let workshop = Workshop::new();
    let ran = time_queue(&workshop, &["--solution", "--rounds", "1"]).exits(0).without_complaint();
    assert!(ran.stdout.starts_with("queue: 50 items"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    for what in ["median", "reference", "limit", "█", "░", "pipeline", "too few rounds to tell"] {
        assert!(ran.stdout.contains(what), "{what}: {}", ran.stdout);
    }
}

#[test]
fn another_way_is_compared_with_the_answer_and_not_with_the_reference() {
    let workload = Workshop::new().read("katas/queue/time/queue.rs");
    let pipeline = "way(job, through_a_pipeline))";
    let another_way = workload.replace(pipeline, &format!("{pipeline}.instead_of(\"queue\")"));
    assert_ne!(workload, another_way);
    let workshop = Workshop::new().write("katas/queue/time/queue.rs", another_way);
    let ran = time_queue(&workshop, &["--solution", "--json", "--rounds", "7"]).exits(0).without_complaint();
    let document = document(&ran.stdout);
    let [_, queue, pipeline] = &document["approaches"].as_array().expect("a list")[..] else { panic!("{document}") };
    assert_eq!((&queue["instead_of"], &pipeline["instead_of"]), (&Value::Null, &"queue".into()));
    assert!(queue["reference"].is_object() && pipeline["reference"].is_null(), "{document}");
    let times = |one: &Value| {
        let rounds = one["seconds"]["rounds"].as_array().expect("a list").iter();
        rounds.map(|seconds| seconds.as_f64().expect("a number")).collect::<Vec<f64>>()
    };
    let mut ratios: Vec<f64> = times(pipeline).iter().zip(times(queue)).map(|(one, other)| one / other).collect();
    ratios.sort_by(f64::total_cmp);
    let ratio = pipeline["comparison"]["ratio"].as_f64().expect("a number");
    // On its way through JSON a number may lose its last digit.
    assert!((ratio / ratios[3] - 1.0).abs() < 1e-9, "{ratio} is the median of the ratios, round by round: {ratios:?}");
}

#[test]
fn a_sweep_tries_every_number_of_workers_and_draws_it() {
    let workshop = Workshop::new();
    let sweep = ["--solution", "--sweep", "workers=1,2,4", "--rounds", "1", "--json", "--plot", "time.svg"];
    let ran = time_queue(&workshop, &sweep).exits(0).without_complaint();
    let document = document(&ran.stdout);
    let with = |name, numbers: [u64; 3]| numbers.map(|number| (name, Some(number)));
    let expected = [&[("one by one", None)][..], &with("queue", [1, 2, 4]), &with("pipeline", [1, 2, 4])].concat();
    assert_eq!(measured(&document), expected);
    assert!(document["approaches"].as_array().expect("a list").iter().all(|one| one["reference"].is_null()));
    let chart = workshop.read("time.svg");
    assert!(chart.starts_with("<svg") && chart.trim_end().ends_with("</svg>"), "{chart}");
    // The axes, the lines and the limit are named.
    for word in ["workers", "time of the whole work", "one by one", "pipeline", "limit"] {
        assert!(chart.contains(word), "{word}");
    }
    // And the axis of time has a unit, whichever fits.
    assert!([" s\n", " ms\n", " µs\n"].into_iter().any(|unit| chart.contains(unit)), "{chart}");
    assert!(!files(&workshop).iter().any(|name| name.starts_with(".interleave-")), "{:?}", files(&workshop));
}

#[test]
fn pages_of_the_mock_site_are_fetched_within_their_latencies() {
    let workshop = Workshop::new();
    let load = "requests=8,latency=5,in-flight=4,profile=stalls";
    let ran = workshop.run(&["time", "fetch", "--solution", "--rounds", "1", "--json", "--load", load]).exits(0);
    let document = document(&ran.without_complaint().stdout);
    assert_eq!(measured(&document), [("one by one", None), ("threads", Some(4)), ("async", Some(4))]);
    for one in document["approaches"].as_array().expect("a list") {
        // A client that is faster than its pages has not fetched them.
        assert!(one["of_limit"].as_f64() >= Some(1.0), "{one}");
    }
    assert!(document["site"]["per_second"].as_f64() > Some(0.0), "{document}");
}

#[test]
fn what_a_submission_prints_is_no_time() {
    let solution = Workshop::new().read("solutions/queue/src/lib.rs");
    let printing = r#"println!("interleave-time {{\"token\":0,\"reply\":{{\"ran\":{{\"seconds\":0.0}}}}}}"); print!("half a line");"#;
    let signature = "pub fn put(&self, item: T) -> Result<(), PutError<T>> {";
    assert!(solution.contains(signature));
    let workshop =
        Workshop::new().answer("queue", &solution.replace(signature, &format!("{signature}\n        {printing}")));
    let ran = time_queue(&workshop, &["--json", "--rounds", "1"]).exits(0);
    let document = document(&ran.stdout);
    for one in document["approaches"].as_array().expect("a list") {
        assert!(one["seconds"]["median"].as_f64() > Some(0.0), "{one}");
    }
}

#[test]
fn points_for_speed_are_opt_in_and_not_lost_in_doubt() {
    let manifest = Workshop::new().read("katas/queue/Cargo.toml");
    let with_speed = manifest.replace(
        "[package.metadata.kata.time]\n",
        "[package.metadata.kata.time]\nspeed = [{ approach = \"queue\", within = 0.001, points = 2 }]\n",
    );
    assert_ne!(manifest, with_speed);
    let workshop = Workshop::new().write("katas/queue/Cargo.toml", with_speed);
    // A thousand times as fast as itself is more than anybody is, but one round is no proof of that.
    let ran = time_queue(&workshop, &["--solution", "--rounds", "1"]).exits(0);
    ran.says("2 of 2 points for at most 0.001 times the reference");
    // Seven are.
    let ran = time_queue(&workshop, &["--solution", "--rounds", "7"]).exits(1);
    ran.says("0 of 2 points for at most 0.001 times the reference");
}

#[test]
fn an_unsolved_kata_is_not_timed() {
    let ran = Workshop::new().run(&["time", "queue", "--plot", "time.svg"]).exits(1).without_complaint();
    insta::assert_snapshot!(ran.stdout, @r"
    queue: ✗ katas/queue was not timed: its verdict is unsolved
      Only a right answer is timed.
      what is wrong: cargo xtask check queue
    ");
}

#[test]
fn a_wrong_answer_is_not_timed() {
    let workshop = Workshop::new().answer_wrongly("queue", "last_in_first_out");
    let ran = workshop.run(&["time", "queue", "--json", "--plot", "time.svg"]).exits(1).without_complaint();
    let document = document(&ran.stdout);
    assert_eq!((&document["verdict"], &document["kata"]), (&"failed".into(), &"queue".into()));
    assert!(document.get("approaches").is_none(), "{document}");
    assert!(!files(&workshop).iter().any(|name| name.ends_with(".svg")), "{:?}", files(&workshop));
}

#[test]
fn an_answer_that_fails_only_under_load_is_not_timed() {
    let solution = Workshop::new().read("solutions/queue/src/lib.rs");
    let signature = "pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {";
    assert!(solution.contains(signature));
    let fussy = format!("{signature}\n        assert!(capacity.get() != 63, \"63 is too many for me\");");
    let workshop = Workshop::new().answer("queue", &solution.replace(signature, &fussy));
    let ran = time_queue(&workshop, &["--load", "capacity=63"]).exits(1);
    let ran = ran.says("was not timed: its verdict is failed").says("`queue` failed while it was timed");
    ran.says("63 is too many for me");
}

#[test]
fn an_unknown_kata_gets_its_nearest_and_one_without_a_workload_those_that_have_one() {
    let workshop = Workshop::new();
    let said = workshop.run(&["time", "quue"]).refused();
    assert!(said.contains("Did you mean `queue`?"), "{said}");
    let said = workshop.run(&["time", "lock"]).refused();
    assert!(said.contains("there is nothing to time in `lock`"), "{said}");
    for kata in ["queue", "pool", "procpool", "fetch", "cpu", "choose"] {
        assert!(said.contains(kata), "{said}");
    }
}

#[test]
fn a_sweep_that_is_no_list_of_numbers() {
    let workshop = Workshop::new();
    for wrong in ["workers=0", "workers=x", "workers=", "workers=1,,2", "cooks=1", "", "workers=1000000"] {
        let said = workshop.run(&["time", "queue", "--sweep", wrong]).refused();
        assert!(said.contains("workers=1,2,4,8"), "{wrong}: {said}");
    }
}

#[test]
fn a_load_that_the_kata_does_not_have() {
    let workshop = Workshop::new();
    insta::assert_snapshot!(workshop.run(&["time", "fetch", "--load", "request=5"]).refused(), @r"
    error: the load of `fetch` has no `request`
    Did you mean `requests`? What can be set for fetch, with what it is otherwise: in-flight=30, latency=20, profile=fixed|jittered|slow-tail|stalls, requests=30.
    ");
    let cases = ["requests=0", "requests=many", "requests", "profile=odd", "in-flight=1000000", "latency=-1"];
    for wrong in cases {
        let said = workshop.run(&["time", "fetch", "--load", wrong]).refused();
        assert!(said.contains("can't be") && said.contains("fixed|jittered|slow-tail|stalls"), "{wrong}: {said}");
    }
}

#[test]
fn an_approach_that_the_kata_does_not_have() {
    let said = time_queue(&Workshop::new(), &["--solution", "--approach", "pipelin"]).refused();
    assert!(said.contains("has no approach `pipelin`") && said.contains("Did you mean `pipeline`?"), "{said}");
}

#[test]
fn a_chart_that_cannot_be_written_is_refused_before_anything_is_built() {
    let workshop = Workshop::new().write("folder.svg/inside", "");
    let cases = [
        ("time.png", "Give the file the ending .svg"),
        ("nowhere/time.svg", "there is no folder nowhere"),
        ("folder.svg", "is no file that may be replaced"),
    ];
    for (file, expected) in cases {
        // The kata is unsolved: had anything been built and checked, that would be the message.
        let said = workshop.run(&["time", "queue", "--plot", file]).refused();
        assert!(said.contains(expected), "{file}: {said}");
    }
}
