//! Every kata is whole, and what it says is what it tests.

use std::collections::BTreeSet;

use syn::visit::Visit;
use syn::{ImplItem, Item};

use crate::{files, manifest, names, read, root, sources, tests_of, unfinished};

/// A learner, an instructor and a maintainer each rely on files of their own; a kata without one of them is not finished.
#[test]
fn every_kata_has_all_its_parts() {
    for kata in names("katas") {
        assert_eq!(unfinished::lacks(&root(), &kata), [""; 0], "{kata} is not finished");
        assert_eq!(names(&format!("katas/{kata}/src")), ["lib.rs"], "{kata}: the only file that a learner edits");
        let mut tests = names(&format!("katas/{kata}/tests"));
        tests.retain(|name| *name != kata);
        assert_eq!(tests, [format!("{kata}.rs")], "{kata}: one file of tests");
    }
}

/// By hand, a test that needs schedules would say `ok` and have done nothing.
#[test]
fn what_needs_schedules_is_ignored_by_hand() {
    for kata in names("katas") {
        let source = read(&format!("katas/{kata}/tests/{kata}.rs"));
        for test in tests_of(&kata) {
            let name = test.sig.ident.to_string();
            let (before, body) = source.split_once(&format!("\nfn {name}()")).expect("the test");
            let body = body.split("\n}\n").next().unwrap_or_default();
            let needs = ["\n    on_schedules(", "\n    every_small_program(", ".schedules_only()"]
                .iter()
                .any(|call| body.contains(call));
            let ignored = before.lines().last().filter(|line| line.starts_with("#[ignore"));
            let reason = format!("#[ignore = \"needs schedules: cargo xtask check {kata} {name}\"]");
            assert_eq!(ignored, needs.then_some(reason.as_str()), "{kata}: {name}");
        }
    }
}

/// Submissions and solutions of a kata that does not exist are leftovers that nobody runs.
#[test]
fn nothing_belongs_to_a_kata_that_does_not_exist() {
    let katas = names("katas");
    let stubs: Vec<String> = names("tests/stubs").iter().map(|file| file.trim_end_matches(".rs").to_string()).collect();
    for (folder, found) in [
        ("solutions", names("solutions")),
        ("tests/wrong", names("tests/wrong")),
        ("tests/right", names("tests/right")),
        ("tests/stubs", stubs),
    ] {
        for kata in found {
            assert!(katas.contains(&kata), "{folder} has {kata}, which is no kata");
        }
    }
}

/// What is neither a whole file nor a patch would be judged by nobody.
#[test]
fn every_submission_is_judged() {
    for folder in ["tests/wrong", "tests/right"] {
        for kata in names(folder) {
            for name in names(&format!("{folder}/{kata}")) {
                let judged = name.ends_with(".rs") || name.ends_with(".patch");
                assert!(judged || name == "equivalent.toml", "{folder}/{kata}/{name} is no submission");
            }
        }
    }
}

/// One that names none is judged by all tests: that is for whoever looks for the ones that fail, and takes long.
#[test]
fn every_wrong_submission_names_the_tests_that_reject_it() {
    for kata in names("tests/wrong") {
        for name in names(&format!("tests/wrong/{kata}")).into_iter().filter(|name| name != "equivalent.toml") {
            let text = read(&format!("tests/wrong/{kata}/{name}"));
            let (first, rest) = text.split_once('\n').expect("lines");
            let is_run = !["rule", "compile-error"].iter().any(|kind| first == format!("//! rejected: {kind}"));
            assert_eq!(rest.starts_with("//! by: "), is_run, "tests/wrong/{kata}/{name}: its second line");
        }
    }
}

/// How good a suite is can be measured, and the README says it. The command that measures writes it there.
#[test]
fn the_readmes_figures_of_mutants_add_up() {
    let readme = read("README.md");
    let table = readme.split("<!-- mutants -->\n").nth(1).and_then(|rest| rest.split("<!-- /mutants -->").next());
    let rows = table.expect("a table").lines().skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim));
    let mut found = BTreeSet::new();
    for mut row in rows {
        found.insert(row.next().unwrap_or_default().trim_matches('`').to_string());
        let numbers: Vec<usize> = row.map(|cell| cell.parse().expect("a number")).collect();
        let [made, parts @ ..] = &numbers[..] else { panic!("{numbers:?}") };
        assert_eq!(*made, parts.iter().sum::<usize>(), "{found:?}: the fates of all mutants");
        assert_eq!(parts.last(), Some(&0), "{found:?}: none survives");
    }
    assert_eq!(found, names("katas").into_iter().collect(), "the katas in the table");
}

/// The contract is what a learner is promised, the tests are what is checked: one sentence a test, in the same order.
#[test]
fn the_contract_and_the_tests_say_the_same() {
    for kata in names("katas") {
        let lesson = read(&format!("katas/{kata}/README.md"));
        let contract = lesson.split("\n## Contract").nth(1).unwrap_or_else(|| panic!("{kata} has no `## Contract`"));
        let contract = contract.split("\n## ").next().unwrap_or_default();
        let promised: Vec<String> = contract
            .lines()
            .filter_map(|line| {
                let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
                let item = number.strip_prefix(". ").or_else(|| line.strip_prefix("- "))?;
                item.strip_prefix('`')?.split_once('`').map(|(name, _)| name.to_string())
            })
            .collect();
        let tested: Vec<String> = tests_of(&kata).iter().map(|test| test.sig.ident.to_string()).collect();
        assert_eq!(promised, tested, "{kata}: the contract in its README and its tests");
    }
}

/// The tests of a kata are the only copy: what judges the learner judges the solution.
#[test]
fn solutions_are_judged_by_the_katas_own_tests() {
    for kata in names("solutions") {
        let manifest = manifest(&format!("solutions/{kata}/Cargo.toml"));
        let path = manifest["test"][0]["path"].as_str().expect("a path");
        assert_eq!(path, format!("../../katas/{kata}/tests/{kata}.rs"));
        assert_eq!(manifest["lib"]["name"].as_str(), Some(kata.replace('-', "_").as_str()));
    }
}

/// A library without tests of its own is not built for them. One whose manifest says so and that has some would pass unseen.
#[test]
fn what_is_not_tested_has_no_tests() {
    let mut seen = 0;
    for (path, _) in ["solutions", "tests", "xtask"].into_iter().flat_map(|folder| files(folder, "Cargo.toml")) {
        let manifest = manifest(&path);
        let says = |what: &str| manifest.get("lib").and_then(|lib| lib.get(what)?.as_bool()) == Some(false);
        let folder = path.trim_end_matches("Cargo.toml");
        for (file, text) in sources(&format!("{folder}src")) {
            seen += usize::from(says("test"));
            assert!(!says("test") || !text.contains("#[test]"), "{path} turns off the tests of {file}");
            assert!(!says("doctest") || !has_example(&text), "{path} turns off the examples of {file}");
        }
    }
    assert!(seen > 25, "{seen} files");
}

/// Whether a comment has an example that could be run: whatever names no other language, as `no_run` and `should_panic` do not.
fn has_example(text: &str) -> bool {
    let fences = text.lines().filter_map(|line| line.trim_start().strip_prefix("//")?.split_once("```"));
    fences.map(|(_, language)| language.trim()).step_by(2).any(|language| !["text", "console"].contains(&language))
}

/// Places on the course map are unique, or their order would depend on their names.
#[test]
fn no_two_katas_share_a_place() {
    let mut places: Vec<(i64, String)> = names("katas")
        .into_iter()
        .map(|kata| {
            let manifest = manifest(&format!("katas/{kata}/Cargo.toml"));
            (manifest["package"]["metadata"]["kata"]["order"].as_integer().expect("an order"), kata)
        })
        .collect();
    places.sort();
    for pair in places.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "{} and {}", pair[0].1, pair[1].1);
    }
}

/// A test that forgets its wrapper has no watchdog, no schedules and no record: it would hang, or judge by luck.
#[test]
fn every_test_runs_in_a_wrapper() {
    for kata in names("katas") {
        let source = read(&format!("katas/{kata}/tests/{kata}.rs"));
        let wrappers: Vec<String> = ["check(", "every_small_program(", "on_threads(", "on_schedules(", "Check::new()"]
            .map(str::to_string)
            .into();
        let runs_in = |wrappers: &[String], name: &str| {
            let rest = [format!("fn {name}("), format!("fn {name}<")].iter().find_map(|head| source.split_once(head));
            let body = rest.and_then(|(_, rest)| rest.split("\n}\n").next()).unwrap_or_default();
            wrappers.iter().any(|wrapper| body.contains(wrapper))
        };
        // A function of the test file that calls a wrapper is one for several tests.
        let functions = source.lines().filter_map(|line| line.strip_prefix("fn ")?.split(['(', '<']).next());
        let own: Vec<String> =
            functions.filter(|name| runs_in(&wrappers, name)).map(|name| format!("{name}(")).collect();
        let wrappers = [wrappers, own].concat();
        for test in tests_of(&kata) {
            let name = test.sig.ident.to_string();
            assert!(runs_in(&wrappers, &name), "{kata}: {name} runs outside of kata::check and its like");
        }
    }
}

/// The README's course table is what the catalogue is: a kata that is not in it is not found.
#[test]
fn the_course_table_lists_every_kata_in_order() {
    let mut rows: Vec<(i64, String, String)> = Vec::new();
    for kata in names("katas") {
        let manifest = manifest(&format!("katas/{kata}/Cargo.toml"));
        let about = &manifest["package"]["metadata"]["kata"];
        let python: Vec<&str> =
            about["python"].as_array().expect("a list").iter().filter_map(|item| item.as_str()).collect();
        let (order, summary) =
            (about["order"].as_integer().expect("an order"), about["summary"].as_str().expect("a summary"));
        let (hard, minutes) = (&about["hard"], &about["minutes"]);
        let row = format!(
            "| [`{kata}`](katas/{kata}/README.md) | {summary} | `{}` | {hard} | {minutes} |\n",
            python.join("`, `")
        );
        rows.push((order, about["part"].as_str().expect("a part").to_string(), row));
    }
    rows.sort();
    let mut begun: Vec<&String> = rows.iter().map(|(_, part, _)| part).collect();
    begun.dedup();
    let distinct: BTreeSet<_> = begun.iter().collect();
    assert_eq!(begun.len(), distinct.len(), "the map shows a part of the course in one place only: {begun:?}");
    let table: String = rows.into_iter().map(|(_, _, row)| row).collect();
    assert!(read("README.md").contains(&table), "README.md should have this table:\n{table}");
}

/// What a stub gives is compared on the syntax tree, which can't see what macros make. So the tests hold it by types,
/// too: in functions that nobody calls, whose names begin with `_`. A name that is not in them is held by nothing.
#[test]
fn the_tests_hold_by_types_what_the_stub_gives() {
    for kata in names("katas") {
        let stub = syn::parse_file(&read(&format!("tests/stubs/{kata}.rs"))).expect("a Rust file");
        let tests = syn::parse_file(&read(&format!("katas/{kata}/tests/{kata}.rs"))).expect("a Rust file");
        let mut words = Words::default();
        tests.items.iter().filter(|item| is_never_called(item)).for_each(|item| words.visit_item(item));
        for name in given(&stub) {
            assert!(words.0.contains(&name), "{kata}: `{name}` is not among the tests' signatures");
        }
    }
}

fn is_never_called(item: &Item) -> bool {
    match item {
        Item::Fn(item) => item.sig.ident.to_string().starts_with('_'),
        Item::Const(item) => item.ident == "_",
        _ => false,
    }
}

/// All names in some code.
#[derive(Default)]
struct Words(BTreeSet<String>);

impl<'tree> Visit<'tree> for Words {
    fn visit_ident(&mut self, name: &'tree syn::Ident) {
        self.0.insert(name.to_string());
    }

    fn visit_macro(&mut self, called: &'tree syn::Macro) {
        let tokens = called.tokens.to_string();
        self.0.extend(tokens.split_whitespace().map(str::to_string));
    }
}

/// The names of a stub's public items, variants, fields and methods.
fn given(stub: &syn::File) -> Vec<String> {
    let public = |visibility: &syn::Visibility| matches!(visibility, syn::Visibility::Public(_));
    let mut names = Vec::new();
    for item in &stub.items {
        match item {
            Item::Const(item) if public(&item.vis) => names.push(&item.ident),
            Item::Fn(item) if public(&item.vis) => names.push(&item.sig.ident),
            Item::Type(item) if public(&item.vis) => names.push(&item.ident),
            Item::Enum(item) if public(&item.vis) => {
                names.extend([&item.ident].into_iter().chain(item.variants.iter().map(|variant| &variant.ident)));
            }
            Item::Struct(item) if public(&item.vis) => {
                let fields = item.fields.iter().filter(|field| public(&field.vis)).flat_map(|field| &field.ident);
                names.extend([&item.ident].into_iter().chain(fields));
            }
            Item::Impl(block) => names.extend(block.items.iter().filter_map(|item| match item {
                ImplItem::Fn(item) if public(&item.vis) => Some(&item.sig.ident),
                _ => None,
            })),
            _ => {}
        }
    }
    names.into_iter().map(|name| name.to_string()).collect()
}
