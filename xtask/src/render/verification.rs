//! The table of `verify`.

use verdict::KataVerdict;

use crate::render::{BAD, GOOD, STRONG, fit, paragraph, styled, width};

/// What became of one subject over all rounds.
#[derive(Debug, Default)]
pub(crate) struct Row {
    subject: String,
    expected: String,
    seconds: f64,
    rounds: u32,
    /// What was wrong, one a round in which something was.
    pub(crate) complaints: Vec<Complaint>,
}

/// What was wrong in one round.
#[derive(Debug)]
pub(crate) struct Complaint {
    found: String,
    /// What the tests that failed said. What happens once in a thousand rounds may not be seen again.
    said: Vec<String>,
}

impl Row {
    /// Adds a round.
    pub(crate) fn note(&mut self, verdict: &KataVerdict, expected: &str, complaint: Option<String>) {
        self.subject.clone_from(&verdict.subject);
        self.expected = expected.to_string();
        self.seconds += verdict.tests.iter().map(|test| test.seconds).sum::<f64>();
        self.rounds += 1;
        let failed = verdict.tests.iter().filter(|test| test.kind.is_some());
        let said = || failed.map(|test| format!("{}: {}", test.name, test.message)).collect();
        self.complaints.extend(complaint.map(|found| Complaint { found, said: said() }));
    }
}

/// What became of a subject, and why.
pub(crate) fn found(verdict: &KataVerdict) -> String {
    let tests =
        verdict.tests.iter().filter_map(|test| test.kind.map(|kind| format!("{} {kind} ({})", test.name, test.mode)));
    let objections = verdict.diagnostics.iter().filter(|one| one.level != "warning").map(|one| one.message.clone());
    let details: Vec<String> = tests.chain(objections).collect();
    if details.is_empty() {
        verdict.verdict.to_string()
    } else {
        format!("{}: {}", verdict.verdict, details.join(", "))
    }
}

/// So many lines of what a test said tell what happened.
const SAID: usize = 12;

/// What was not as expected of a subject, how often, and what the tests said the first time.
fn in_full(row: &Row, rounds: u32) -> String {
    let mut text = format!("{} {}: expected {}\n", styled(BAD, "✗"), row.subject, row.expected);
    let mut counted: Vec<(&Complaint, usize)> = Vec::new();
    for complaint in &row.complaints {
        match counted.iter_mut().find(|(known, _)| known.found == complaint.found) {
            Some((_, times)) => *times += 1,
            None => counted.push((complaint, 1)),
        }
    }
    for (complaint, times) in counted {
        text += &paragraph(&format!("{times} of {rounds} times: {}", complaint.found), 4, width());
        for line in complaint.said.iter().flat_map(|said| said.lines().take(SAID)) {
            let fits = line.chars().count() + 8 <= width();
            text += &if fits { format!("        {line}\n") } else { paragraph(line, 8, width()) };
        }
    }
    text
}

/// A line a subject, then what was not as expected, what the katas lack, and the counts: whoever sees only the end of a
/// long log sees what to act on.
pub(crate) fn table(rows: &[Row], rounds: u32, lacks: &[String]) -> String {
    let mut text = String::new();
    for row in rows {
        let mark = if row.complaints.is_empty() { styled(GOOD, "✔") } else { styled(BAD, "✗") };
        let seconds = row.seconds / f64::from(row.rounds.max(1));
        text += &format!("{mark} {} {} {seconds:>6.2} s\n", fit(&row.subject, 56), fit(&row.expected, 22));
    }
    let bad: Vec<&Row> = rows.iter().filter(|row| !row.complaints.is_empty()).collect();
    if !bad.is_empty() {
        text += &format!("\n{}\n", styled(STRONG, "Not as expected:"));
    }
    text.extend(bad.iter().map(|row| in_full(row, rounds)));
    for lack in lacks {
        text += &format!("{} {lack}\n", styled(BAD, "✗"));
    }
    let wrong: usize = bad.iter().map(|row| row.complaints.len()).sum();
    let times = if rounds == 1 { String::new() } else { format!(" {rounds} times each") };
    text += &styled(STRONG, &format!("{} subjects judged{times}, {wrong} verdicts not as expected", rows.len()));
    text + "\n"
}
