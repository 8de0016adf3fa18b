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
    /// The mistake in general: [`Operator::mistake`].
    pub(crate) mistake: &'static str,
    /// Its whole text.
    pub(crate) text: String,
}

/// A kind of mistake.
struct Operator {
    /// The mistake, as a heading.
    mistake: &'static str,
    /// What can be written in this place to make it. Nothing in most places.
    changes: fn(&Place<'_>) -> Vec<Change>,
}

/// All mistakes: first those of every program, then those of concurrency. What each one matches and writes stands at its
/// function.
const OPERATORS: [Operator; 29] = [
    Operator { mistake: "a function that does nothing", changes: bodies::body },
    Operator { mistake: "another comparison", changes: conditions::comparison },
    Operator { mistake: "a condition turned round", changes: conditions::negation },
    Operator { mistake: "and in the place of or", changes: conditions::connective },
    Operator { mistake: "half a condition", changes: conditions::half },
    Operator { mistake: "a case left out", changes: conditions::arm },
    Operator { mistake: "another calculation", changes: numbers::arithmetic },
    Operator { mistake: "a number off by one", changes: numbers::literal },
    Operator { mistake: "a bound off by one", changes: numbers::bound },
    Operator { mistake: "a statement left out", changes: statements::left_out },
    Operator { mistake: "a step of a chain left out", changes: statements::link },
    Operator { mistake: "two statements swapped", changes: statements::swapped },
    Operator { mistake: "another wakeup", changes: waiting::notify },
    Operator { mistake: "a wait that is not repeated", changes: waiting::once },
    Operator { mistake: "a wait before the look", changes: waiting::before_the_look },
    Operator { mistake: "a guard that is not kept", changes: locks::unbound },
    Operator { mistake: "a guard dropped early", changes: locks::dropped_early },
    Operator { mistake: "a guard kept too long", changes: locks::kept },
    Operator { mistake: "a critical section in two", changes: locks::split },
    Operator { mistake: "a change under a lock in two", changes: locks::read_and_write },
    Operator { mistake: "two locks swapped", changes: locks::swapped },
    Operator { mistake: "an atomic step in two", changes: atomics::split },
    Operator { mistake: "a weaker ordering", changes: atomics::weaker },
    Operator { mistake: "a time that starts anew", changes: time::restarted },
    Operator { mistake: "another time", changes: time::another },
    Operator { mistake: "a panic that is not caught", changes: failures::uncaught },
    Operator { mistake: "an error that is not ignored", changes: failures::not_ignored },
    Operator { mistake: "poison that is not ignored", changes: failures::poison },
    Operator { mistake: "threads one by one", changes: failures::one_by_one },
];

/// The mutants of a solution, in the order of its text. What the stub gives is left alone: no learner writes it.
///
/// # Errors
/// A text is no Rust.
pub(crate) fn of(solution: &str, stub: &str) -> syn::Result<Vec<Mutant>> {
    let (source, file, stub_file) = (Source(solution), syn::parse_file(solution)?, syn::parse_file(stub)?);
    let mut found: Vec<(usize, String, &'static str, Change)> = Vec::new();
    Outline::new(&file, source).walk(&Outline::new(&stub_file, Source(stub)), &mut |function, place| {
        for operator in &OPERATORS {
            let changes = (operator.changes)(place).into_iter();
            found.extend(changes.map(|change| (change.begins(), function.to_string(), operator.mistake, change)));
        }
    });
    found.sort_by_key(|(begins, ..)| *begins);
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    // Two operators may come to the same text in two ways.
    let mut seen = BTreeSet::from([squeezed(solution)]);
    let mut mutants: Vec<Mutant> = Vec::new();
    for (_, function, mistake, change) in found {
        let text = source.with(&change.edits);
        if !seen.insert(squeezed(&text)) {
            continue;
        }
        let name = format!("{function}: {}", change.what);
        let times = names.entry(name.clone()).or_default();
        *times += 1;
        let name = if *times == 1 { name } else { format!("{name} #{times}") };
        mutants.push(Mutant { name, mistake, text });
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
        let mutants = of(solution, "").expect("Rust");
        let made = mutants.into_iter().filter(|mutant| mutant.mistake == mistake);
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
        let names: Vec<String> = of(solution, "").expect("Rust").into_iter().map(|mutant| mutant.name).collect();
        // To leave out the second `f();` comes to the same text, and so does `g` without its only statement.
        assert_eq!(names, ["a::B::drop: body → nothing", "a::B::drop: without f()", "g: body → nothing"]);
        let twice = "fn g() {\n    f();\n    h();\n    f();\n}\n";
        let names: Vec<String> = of(twice, "").expect("Rust").into_iter().map(|mutant| mutant.name).collect();
        assert!(names.contains(&"g: without f()".to_string()) && names.contains(&"g: without f() #2".to_string()));
    }

    #[test]
    fn what_the_stub_gives_is_left_alone() {
        let solution = "fn given() {\n    f();\n}\nfn own() {\n    f();\n}\n";
        let mutants = of(solution, "fn given() {\n    f();\n}\nfn own() {\n    todo!()\n}\n").expect("Rust");
        assert!(!mutants.is_empty() && mutants.iter().all(|mutant| mutant.name.starts_with("own: ")), "{mutants:?}");
        let mutants = of(solution, "fn given() {\n    g();\n}\n").expect("Rust");
        assert!(mutants.iter().any(|mutant| mutant.name.starts_with("given: ")), "it was changed");
    }

    #[test]
    fn the_same_solution_has_the_same_mutants() {
        let solution = include_str!("../../../solutions/queue/src/lib.rs");
        let stub = include_str!("../../../tests/stubs/queue.rs");
        let first = of(solution, stub).expect("Rust");
        assert!(first.len() > 100, "{}", first.len());
        assert_eq!(first, of(solution, stub).expect("Rust"));
        let below =
            format!("{}\n/// One more.\npub fn more() {{}}\n", solution.replacen("\n\n", "\n// A line.\n\n", 1));
        let moved: Vec<String> = of(&below, stub).expect("Rust").into_iter().map(|mutant| mutant.name).collect();
        assert_eq!(moved, first.into_iter().map(|mutant| mutant.name).collect::<Vec<_>>(), "names know no lines");
    }
}
