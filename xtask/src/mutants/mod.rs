//! Mutants: each is the reference solution with one small mistake, which the kata's tests must notice.
//!
//! [`OPERATORS`] is the list of mistakes. Each operator looks at one place of the syntax tree and says what it would write there
//! instead, as edits of the text: all else stays as it is, comments too. So a mutant is a small diff on a base that is proven.
//! Nothing here decides by types. A change that does not compile costs a moment, and is not counted.

mod atomics;
mod bodies;
mod conditions;
pub(crate) mod equivalent;
mod failures;
pub(crate) mod figures;
mod locks;
mod numbers;
mod statements;
mod text;
mod time;
mod waiting;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use text::Change;
pub(crate) use text::Source;
use walk::{Outline, Place};

/// A solution with one mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// What it is called: the function, what is done to it, and a number if that can be done there several times. It stays the
    /// same while other functions change.
    pub(crate) name: String,
    /// The kind of mistake, and what it writes for what: [`Operator::mistake`], [`Operator::writes`].
    pub(crate) mistake: [&'static str; 2],
    /// Its whole text.
    pub(crate) text: String,
}

/// A kind of mistake.
struct Operator {
    /// What it is called.
    mistake: &'static str,
    /// What it matches, and what it writes instead.
    writes: &'static str,
    /// What can be written in this place to make it. Nothing in most places.
    changes: fn(&Place<'_>) -> Vec<Change>,
    /// Whether only a schedule shows it every time. On threads alone it is luck whether the tests see it, so a kata without schedules
    /// is not tried with it.
    needs_schedules: bool,
}

impl Operator {
    const fn seen_on_schedules(self) -> Operator {
        Operator { needs_schedules: true, ..self }
    }
}

const fn operator(mistake: &'static str, writes: &'static str, changes: fn(&Place<'_>) -> Vec<Change>) -> Operator {
    Operator { mistake, writes, changes, needs_schedules: false }
}

/// All mistakes: first those of every program, then those of concurrency.
#[rustfmt::skip]
const OPERATORS: [Operator; 29] = [
    operator("a function that does nothing", "a body → a value of its type", bodies::body),
    operator("another comparison", "`<` → `<=`, `>=`, `==`, `>`; and so on", conditions::comparison),
    operator("a condition turned round", "`!a` → `a`; `if a` → `if !a`; so with `matches!`", conditions::negation),
    operator("and in the place of or", "`&&` ↔ `||`", conditions::connective),
    operator("half a condition", "`a && b`, `a || b` → `a`; `b`", conditions::half),
    operator("a case left out", "an arm of a `match` → nothing; `if` behind a pattern → nothing", conditions::arm),
    operator("another calculation", "`+` → `-`, `*`; and so on", numbers::arithmetic),
    operator("a number off by one", "`7` → `8`; `6`", numbers::literal),
    operator("a bound off by one", "`..` ↔ `..=`; `min` ↔ `max`; `.get()`, `.len()` → one more", numbers::bound),
    operator("a statement left out", "a call, an assignment, `break`, `let _ =`, `if` → nothing", statements::left_out),
    operator("a step of a chain left out", "`a.f(b)` → `a`", statements::link),
    operator("two statements swapped", "`f(); g();` → `g(); f();`", statements::swapped),
    operator("another wakeup", "`notify_one` ↔ `notify_all`", waiting::notify),
    operator("a wait that is not repeated", "`while` around a wait → `if`; `wait_while` → `wait`", waiting::once),
    operator("a wait before the look", "`while a { wait }` → first `wait`, then `while a`", waiting::before_the_look),
    operator("a guard that is not kept", "`let _guard =` → `let _ =`", locks::unbound),
    operator("a guard dropped early", "behind a guard's last use → `drop(guard)`", locks::dropped_early).seen_on_schedules(),
    operator("a guard kept too long", "`a.lock().f()` → `let held = a.lock(); held.f()`", locks::kept),
    operator("a critical section in two", "between look and act → `drop(guard)`, and the lock again", locks::split).seen_on_schedules(),
    operator("a change under a lock in two", "`a.lock().b += c` → read, then write", locks::read_and_write),
    operator("two locks swapped", "`let a = lock(); let b = lock();` → the other way round", locks::swapped),
    operator("an atomic step in two", "`fetch_add`, `swap`, `compare_exchange` → load, then store", atomics::split).seen_on_schedules(),
    operator("a weaker ordering", "`Acquire`, `Release`, … → `Relaxed`", atomics::weaker).seen_on_schedules(),
    operator("a time that starts anew", "`let end = … Instant::now() …` → again in each round", time::restarted),
    operator("another time", "a `Duration` → none; a year", time::another),
    operator("a panic that is not caught", "`catch_unwind(f)` → `Ok(f())`", failures::uncaught),
    operator("an error that is not ignored", "`let _ = f();` → `f().unwrap();`", failures::not_ignored),
    operator("poison that is not ignored", "`unwrap_or_else(PoisonError::into_inner)` → `unwrap()`", failures::poison),
    operator("threads one by one", "`let a: Vec<_> = ….collect();` → `let a = …;`", failures::one_by_one),
];

/// The mutants of a solution, in the order of its text. What the stub gives is left alone: no learner writes it. `schedules` says
/// whether the kata runs on them.
///
/// # Errors
/// A text is no Rust.
pub(crate) fn of(solution: &str, stub: &str, schedules: bool) -> syn::Result<Vec<Mutant>> {
    let (source, file, stub_file) = (Source(solution), syn::parse_file(solution)?, syn::parse_file(stub)?);
    let mut found: Vec<(usize, String, &Operator, Change)> = Vec::new();
    Outline::new(&file, source).walk(&Outline::new(&stub_file, Source(stub)), &mut |function, place| {
        for operator in OPERATORS.iter().filter(|operator| schedules || !operator.needs_schedules) {
            let changes = (operator.changes)(place).into_iter();
            found.extend(changes.map(|change| (change.begins(), function.to_string(), operator, change)));
        }
    });
    found.sort_by_key(|(begins, ..)| *begins);
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    // Two operators may come to the same text in two ways.
    let mut seen = BTreeSet::from([squeezed(solution)]);
    let mut mutants: Vec<Mutant> = Vec::new();
    for (_, function, operator, change) in found {
        let text = source.with(&change.edits);
        if !seen.insert(squeezed(&text)) {
            continue;
        }
        let name = format!("{function}: {}", change.what);
        let times = names.entry(name.clone()).or_default();
        *times += 1;
        let name = if *times == 1 { name } else { format!("{name} #{times}") };
        mutants.push(Mutant { name, mistake: [operator.mistake, operator.writes], text });
    }
    Ok(mutants)
}

/// A text without its spaces: what is no mutant of another.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the operator for this mistake makes of a function: names without the function's, and the lines that are new.
    pub(super) fn made(mistake: &str, solution: &str) -> Vec<(String, String)> {
        assert!(OPERATORS.iter().any(|operator| operator.mistake == mistake), "no operator is called {mistake}");
        let mutants = of(solution, "", true).expect("Rust");
        let made = mutants.into_iter().filter(|mutant| mutant.mistake[0] == mistake);
        made.map(|mutant| {
            syn::parse_file(&mutant.text).unwrap_or_else(|error| panic!("{error}:\n{}", mutant.text));
            let what = mutant.name.split_once(": ").expect("a function's name").1.to_string();
            let lines = solution.lines().collect::<Vec<_>>();
            let new = mutant.text.lines().filter(|line| !lines.contains(line)).map(str::trim);
            (what, new.collect::<Vec<_>>().join(" "))
        })
        .collect()
    }

    #[test]
    fn names_are_those_of_functions_and_count_what_repeats() {
        let solution = "mod a { impl<T> Drop for B<T> { fn drop(&mut self) { f(); f(); } } }\nfn g() { f(); }\n";
        let names: Vec<String> = of(solution, "", true).expect("Rust").into_iter().map(|mutant| mutant.name).collect();
        // To leave out the second `f();` comes to the same text, and so does `g` without its only statement.
        assert_eq!(names, ["a::B::drop: body → nothing", "a::B::drop: without f()", "g: body → nothing"]);
        let twice = "fn g() {\n    f();\n    h();\n    f();\n}\n";
        let names: Vec<String> = of(twice, "", true).expect("Rust").into_iter().map(|mutant| mutant.name).collect();
        assert!(names.contains(&"g: without f()".to_string()) && names.contains(&"g: without f() #2".to_string()));
    }

    #[test]
    fn what_only_schedules_show_is_tried_where_there_are_schedules() {
        let solution = "fn f() {\n    a.store(1, Ordering::Release);\n}\n";
        let weaker = |schedules| {
            let mutants = of(solution, "", schedules).expect("Rust");
            mutants.iter().filter(|mutant| mutant.mistake[0] == "a weaker ordering").count()
        };
        assert_eq!((weaker(true), weaker(false)), (1, 0));
    }

    #[test]
    fn what_the_stub_gives_is_left_alone() {
        let solution = "fn given() {\n    f();\n}\nfn own() {\n    f();\n}\n";
        let mutants = of(solution, "fn given() {\n    f();\n}\nfn own() {\n    todo!()\n}\n", true).expect("Rust");
        assert!(!mutants.is_empty() && mutants.iter().all(|mutant| mutant.name.starts_with("own: ")), "{mutants:?}");
        let mutants = of(solution, "fn given() {\n    g();\n}\n", true).expect("Rust");
        assert!(mutants.iter().any(|mutant| mutant.name.starts_with("given: ")), "it was changed");
    }

    #[test]
    fn the_same_solution_has_the_same_mutants() {
        let solution = include_str!("../../../solutions/queue/src/lib.rs");
        let stub = include_str!("../../../tests/stubs/queue.rs");
        let first = of(solution, stub, true).expect("Rust");
        assert!(first.len() > 100, "{}", first.len());
        assert_eq!(first, of(solution, stub, true).expect("Rust"));
        let below =
            format!("{}\n/// One more.\npub fn more() {{}}\n", solution.replacen("\n\n", "\n// A line.\n\n", 1));
        let moved: Vec<String> = of(&below, stub, true).expect("Rust").into_iter().map(|mutant| mutant.name).collect();
        assert_eq!(moved, first.into_iter().map(|mutant| mutant.name).collect::<Vec<_>>(), "names know no lines");
    }
}
