//! What became of mutants.

use crate::mutants::figures::{Fate, Figures, HEADS};
use crate::mutants::{Mutant, Source};
use crate::render::{BAD, FAINT, GOOD, OPEN, STRONG, fit, paragraph, styled, width};

/// A line for each mutant of a kata, and below those that survive or are misjudged what they are.
pub(crate) fn listing(kata: &str, solution: &str, mutants: &[Mutant], fates: &[Fate]) -> String {
    let mut text = String::new();
    for (mutant, fate) in mutants.iter().zip(fates) {
        let name = fit(&mutant.name, 64);
        let (mark, said) = match fate {
            Fate::NotCompiling => (styled(FAINT, "-"), styled(FAINT, "does not compile")),
            Fate::Rejected(how) => (styled(GOOD, "✔"), how.clone()),
            Fate::Equivalent(_) => (styled(OPEN, "="), "equivalent".to_string()),
            Fate::Survives => (styled(BAD, "✗"), "SURVIVES".to_string()),
            Fate::Misjudged(_) => (styled(BAD, "✗"), "MISJUDGED".to_string()),
        };
        text += format!("{mark} {name} {said}").trim_end();
        text += "\n";
    }
    for (mutant, fate) in mutants.iter().zip(fates) {
        let head = |what: &str| format!("\n{} {kata}: {}: {what}\n", styled(BAD, "✗"), styled(STRONG, &mutant.name));
        match fate {
            Fate::Survives => {
                let [mistake, writes] = mutant.mistake;
                text += &head(&format!("survives ({mistake}: {writes})"));
                text += &indented(&Source(solution).diff(&mutant.text));
            }
            Fate::Misjudged(why) => {
                text += &head("is misjudged");
                text += &paragraph(why, 4, width());
            }
            Fate::Equivalent(_) | Fate::NotCompiling | Fate::Rejected(_) => {}
        }
    }
    text + "\n"
}

/// The figures of all katas.
pub(crate) fn table(figures: &[(String, Figures)]) -> String {
    let row = |name: &str, cells: [String; 5]| {
        let cells = cells.iter().zip(HEADS.iter().skip(1)).map(|(cell, head)| format!("  {cell:>0$}", head.len()));
        format!("{} {}\n", fit(name, 10), cells.collect::<String>())
    };
    let [kata, heads @ ..] = HEADS;
    let mut text = styled(STRONG, row(kata, heads.map(String::from)).trim_end()) + "\n";
    for (kata, figures) in figures {
        text += &row(kata, figures.cells().map(|count| count.to_string()));
    }
    let mut sums = [0; 5];
    for (_, figures) in figures {
        sums.iter_mut().zip(figures.cells()).for_each(|(sum, count)| *sum += count);
    }
    if figures.len() > 1 {
        text += &row("all", sums.map(|sum| sum.to_string()));
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}").trim_end().to_string() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survivors_are_shown_with_their_diff() {
        let solution = "fn f() {\n    g();\n    h();\n}\n";
        let mutants = crate::mutants::of(solution, "", true).expect("Rust");
        let fates: Vec<Fate> = mutants
            .iter()
            .map(|mutant| match mutant.name.as_str() {
                "f: without g()" => Fate::Survives,
                "f: without h()" => Fate::Misjudged("is listed as equivalent, but rejected: race in t".to_string()),
                _ => Fate::Rejected("race in t (schedules)".to_string()),
            })
            .collect();
        let text = anstream::adapter::strip_str(&listing("lock", solution, &mutants, &fates)).to_string();
        assert!(text.contains("✗ f: without g()"), "{text}");
        let diff = "lock: f: without g(): survives (a statement left out: a call, an assignment, `break`, `let _ =`, \
                    `if` → nothing)\n    @@ line 2 @@\n      fn f() {\n    -     g();\n          h();\n";
        assert!(text.contains(diff), "{text}");
        assert!(text.contains("f: without h(): is misjudged\n    is listed as equivalent, but rejected"), "{text}");
    }

    #[test]
    fn the_table_has_a_row_a_kata_and_their_sum() {
        let figures = |made| Figures { made, rejected: made, ..Figures::default() };
        let text = table(&[("lock".to_string(), figures(3)), ("queue".to_string(), figures(40))]);
        let text = anstream::adapter::strip_str(&text).to_string();
        let expected = "kata         made  not compiling  rejected  equivalent  surviving\n\
                        lock            3              0         3           0          0\n\
                        queue          40              0        40           0          0\n\
                        all            43              0        43           0          0\n";
        assert_eq!(text, expected);
    }
}
