//! `verify`, as a maintainer uses it.

use crate::workshop::Workshop;

/// A checkout whose `tests/` may be changed too, and has no submissions.
fn with_own_submissions(workshop: Workshop) -> Workshop {
    workshop.own("tests", &["explored-std", "support", "verdict", "corpus", "stubs"])
}

#[test]
fn a_new_kata_is_led_from_its_skeleton_to_its_end() {
    let workshop = with_own_submissions(Workshop::new()).own("solutions", &["lock"]).own("tests/stubs", &["lock.rs"]);
    let ran = workshop.run(&["new", "turn-stile"]).exits(0).without_complaint();
    ran.says("solutions/turn-stile/src/lib.rs").says("cargo xtask verify turn-stile");
    let packages = ["check", "--offline", "--quiet", "--tests", "-p", "turn-stile", "-p", "turn-stile-solution"];
    workshop.cargo(&packages).exits(0).without_complaint();

    let ran = workshop.run(&["verify", "turn-stile"]).exits(1).says("2 subjects judged, 0 verdicts not as expected");
    let ran = ran.says("katas/turn-stile/README.md has 7 lines with a TODO, from 1 to 41");
    ran.says("tests/wrong/turn-stile has 0 of at least 8").says("tests/right/turn-stile has 0 of at least 2");

    let solution = workshop.read("solutions/turn-stile/src/lib.rs");
    let workshop = ["a", "b"].iter().fold(workshop, |workshop, name| {
        workshop.write(&format!("tests/right/turn-stile/{name}.rs"), format!("//! accepted\n{solution}"))
    });
    let workshop = (0..8).fold(workshop, |workshop, number| {
        // What a rule rejects need not be built.
        let wrong = format!("//! rejected: rule\n{solution}unsafe fn wrong() {{}}\n");
        workshop.write(&format!("tests/wrong/turn-stile/{number}.rs"), wrong)
    });
    let files = ["src/lib.rs", "README.md", "HINTS.md", "Cargo.toml"].map(|file| format!("katas/turn-stile/{file}"));
    let others = ["solutions/turn-stile/src/lib.rs", "tests/stubs/turn-stile.rs"].map(str::to_owned);
    let workshop = files.into_iter().chain(others).fold(workshop, |workshop, file| {
        let text = workshop.read(&file).replace("TODO", "Written");
        workshop.write(&file, text)
    });
    workshop.run(&["verify", "turn-stile"]).exits(0).says("12 subjects judged, 0 verdicts not as expected");

    let said = workshop.run(&["new", "turn-stile"]).refused();
    assert!(said.contains("the name `turn-stile` is taken"), "{said}");
}

#[test]
fn a_name_that_is_none_for_a_kata_is_refused() {
    let workshop = Workshop::new();
    for taken in ["lock", "rayon", "explored-std", "std"] {
        let said = workshop.run(&["new", taken]).refused();
        assert!(said.contains(&format!("the name `{taken}` is taken")), "{said}");
    }
    for bad in ["", "Lock", "3-locks", "a--b", "async", "../lock", "lock_2", "쓰레드"] {
        let said = workshop.run(&["new", bad]).refused();
        assert!(said.contains(&format!("`{bad}` is no name for a kata")), "{said}");
    }
}

#[test]
fn a_rejection_for_another_reason_is_not_as_expected() {
    let workshop = Workshop::new();
    let (abba, body) = (workshop.read("tests/wrong/lock/abba.patch"), workshop.wrong("lock", "abba"));
    let solution = workshop.read("solutions/lock/src/lib.rs");
    let both = "transfers_in_both_directions_finish";
    assert!(abba.contains(both));
    let workshop = with_own_submissions(workshop)
        .write("tests/wrong/lock/abba.patch", &abba)
        .write(
            "tests/wrong/lock/by_another_test.patch",
            abba.replacen(both, "banks_have_nothing_to_do_with_each_other", 1),
        )
        .write("tests/wrong/lock/for_another_reason.patch", abba.replacen("deadlock", "livelock", 1))
        .write("tests/wrong/lock/not_wrong_at_all.rs", format!("//! rejected: race\n{solution}"))
        .write("tests/right/lock/not_right_at_all.rs", format!("//! accepted\n{body}"))
        .write("tests/right/lock/fine.rs", format!("//! accepted\n{solution}"));
    let ran = workshop.run(&["verify", "lock", "--repeat", "2"]).exits(1).without_complaint();
    let ran = ran.says("8 subjects judged 2 times each, 8 verdicts not as expected").says("2 of 2 times: failed: ");
    let good: Vec<bool> = ran
        .stdout
        .lines()
        .take_while(|line| !line.contains("subjects judged"))
        // A subject's line ends with its seconds. What the kata lacks is no verdict.
        .filter(|line| !line.starts_with(' ') && line.ends_with(" s"))
        .map(|line| line.starts_with('✔'))
        .collect();
    assert_eq!(good, [true, true, true, false, false, false, true, false], "{}", ran.stdout);
    // Whoever sees no more than the end of a long log sees which those are.
    let end = ran.stdout.split_once("Not as expected:").expect("a list of them").1;
    for (subject, expected) in
        [("wrong/lock/for_another_reason.patch", "livelock"), ("right/lock/not_right_at_all.rs", "passed")]
    {
        assert!(end.contains(&format!("✗ tests/{subject}: expected {expected}\n")), "{}", ran.stdout);
    }
    // And what happened: it may not happen again.
    assert!(end.contains(&format!("\n        {both}: alice→bob and bob→alice wait for")), "{}", ran.stdout);
}

/// With a wrong answer to `lock` that would fail otherwise on threads.
fn with_an_answer_that_looks_at_the_clock(workshop: Workshop) -> Workshop {
    let body = workshop.wrong("lock", "abba");
    // Virtual time stands still here, and real time does not.
    let first = "        if from == to {\n            return self.accounts[from].lock().can_pay(amount);\n";
    let clock = "        let now = Instant::now();\n        assert!((0..100).all(|_| now.elapsed().is_zero()));\n";
    assert!(body.contains(first));
    let wrong = format!("//! rejected: deadlock\n{}", body.replacen(first, &format!("{clock}{first}"), 1));
    with_own_submissions(workshop).write("tests/wrong/lock/looks_at_the_clock.rs", wrong)
}

#[test]
fn what_fails_on_schedules_as_declared_is_not_run_on_threads() {
    // However often it is judged, how it would fail there is no news.
    let workshop = with_an_answer_that_looks_at_the_clock(Workshop::new());
    let ran = workshop.run(&["verify", "lock", "--repeat", "2"]).exits(1);
    ran.says("3 subjects judged 2 times each, 0 verdicts not as expected");
    let declared = workshop.read("tests/wrong/lock/looks_at_the_clock.rs").replacen("deadlock", "assertion", 1);
    let workshop = workshop.write("tests/wrong/lock/looks_at_the_clock.rs", declared);
    let ran = workshop.run(&["verify", "lock", "--repeat", "2"]).exits(1);
    ran.says("3 subjects judged 2 times each, 2 verdicts not as expected").says("assertion (threads)");
}

#[test]
fn a_submission_must_declare_what_becomes_of_it() {
    let workshop = with_own_submissions(Workshop::new()).write("tests/wrong/lock/undeclared.rs", "fn nothing() {}\n");
    let said = workshop.run(&["verify", "lock"]).refused();
    assert!(said.contains("tests/wrong/lock/undeclared.rs does not say what becomes of it"), "{said}");
    let by = "//! rejected: race\n//! by: an_audit_always_sees_all_the_mony\n";
    let said = workshop.write("tests/wrong/lock/undeclared.rs", by).run(&["verify", "lock"]).refused();
    assert!(
        said.contains(
            "tests/wrong/lock/undeclared.rs: the kata `lock` has no test `an_audit_always_sees_all_the_mony`"
        ),
        "{said}"
    );
    let workshop = with_own_submissions(Workshop::new()).write("tests/right/lock/wrong.rs", "//! rejected: race\n");
    let said = workshop.run(&["verify", "lock"]).refused();
    assert!(said.contains("tests/right/lock/wrong.rs does not say what becomes of it"), "{said}");
}

#[test]
fn a_patch_that_does_not_fit_any_more_says_what_to_do() {
    let workshop = Workshop::new();
    let (abba, right) = (workshop.read("tests/wrong/lock/abba.patch"), workshop.read("tests/right/lock/one_lock.rs"));
    let workshop = with_own_submissions(workshop);
    let workshop = workshop.write("tests/wrong/lock/abba.patch", abba.replace("pub fn transfer", "pub fn moves"));
    let said = workshop.run(&["verify", "lock"]).refused();
    let line = abba.lines().position(|line| line.starts_with("@@")).expect("a hunk") + 1;
    let file = "tests/wrong/lock/abba.patch does not fit solutions/lock/src/lib.rs any more";
    assert!(said.contains(&format!("{file}: its hunk at line {line} is nowhere in it")), "{said}");
    assert!(said.contains("let `git diff` write the rest"), "{said}");
    // A base is only what the same run proves: the solution and what must be accepted.
    let other = abba.replace("a/solutions/lock/src/lib.rs", "a/tests/stubs/lock.rs");
    let said = workshop.write("tests/wrong/lock/abba.patch", other).run(&["verify", "lock"]).refused();
    assert!(said.contains("abba.patch is against tests/stubs/lock.rs, which is neither its solution nor"), "{said}");
    let against = "//! rejected: race\n\n--- a/tests/right/lock/one_lock.rs\n@@ -1 +1 @@\n-//! accepted\n+//! mine\n";
    let workshop = with_own_submissions(Workshop::new()).write("tests/wrong/lock/mine.patch", against);
    let workshop = workshop.write("tests/right/lock/one_lock.rs", &right);
    workshop.run(&["verify", "lock"]).exits(1).says("4 subjects judged, 1 verdicts not as expected");
}

#[test]
fn a_mutant_must_be_rejected_or_be_listed_with_a_reason() {
    let workshop = Workshop::new();
    let solution = workshop.read("solutions/lock/src/lib.rs");
    let first = "        let deadline = Instant::now() + limit;\n";
    let more = format!("{first}        std::hint::black_box(1);\n");
    assert!(solution.contains(first));
    let workshop = workshop.own("solutions", &[]);
    let name = "Bank::transfer_within: without std::hint::black_box(1)";
    let workshop = with_own_submissions(workshop).write("solutions/lock/src/lib.rs", solution.replace(first, &more));
    let ran = workshop.run(&["verify", "lock", "--mutants=black_box"]).exits(1).without_complaint();
    ran.says(&format!("lock: {name}: survives (a statement left out")).says("-         std::hint::black_box(1);");

    let list = "tests/wrong/lock/equivalent.toml";
    let workshop = workshop.write(list, format!("\"{name}\" = \"nobody reads it\"\n"));
    let ran = workshop.run(&["verify", "lock", "--mutants=black_box"]).exits(0);
    ran.says("lock            1              0         0           1          0");

    let rejected = "Account::can_pay: < → >=";
    let workshop = workshop.write(list, format!("\"{rejected}\" = \"a mistake in the list\"\n"));
    let ran = workshop.run(&["verify", "lock", "--mutants=can_pay: < → >="]).exits(1);
    ran.says(&format!("lock: {rejected}: is misjudged")).says("is listed as equivalent, but rejected: assertion in");

    let workshop = workshop.write(list, "\"Account::can_pay: < → >>\" = \"it was one\"\n");
    let said = workshop.run(&["verify", "lock", "--mutants"]).refused();
    assert!(said.contains(&format!("{list} names `Account::can_pay: < → >>`, which is no mutant any more")), "{said}");
    assert!(said.contains("Is it `Account::can_pay: < → "), "{said}");
}

#[test]
fn a_solved_kata_is_not_delivered_by_mistake() {
    let workshop = with_an_answer_that_looks_at_the_clock(Workshop::new()).solve("lock");
    let ran = workshop.run(&["verify", "lock"]).exits(1).says("katas/lock/src/lib.rs is not the stub in tests/stubs");
    ran.says("3 subjects judged, 0 verdicts not as expected");
}
