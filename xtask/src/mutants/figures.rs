//! What becomes of mutants, and how many of each: the figure of how good a suite is, which stands in the README.

use verdict::{KataVerdict, SubjectVerdict, Verdict};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The compiler refused it. It is not counted.
    NotCompiling,
    /// A test failed: which, and how.
    Rejected(String),
    /// It passed, and it is listed as equivalent, for this reason.
    Equivalent(String),
    /// It passed.
    Survives,
    /// Something is wrong with the list or with the judge: what.
    Misjudged(String),
}

/// The fate of a mutant that got this verdict. `reason` is why it is listed as equivalent, if it is.
pub(crate) fn fate(verdict: &KataVerdict, reason: Option<&String>) -> Fate {
    let failed = verdict.tests.iter().find(|test| test.verdict == Verdict::Failed);
    let fate = match (verdict.verdict, failed) {
        (SubjectVerdict::CompileError, _) => Fate::NotCompiling,
        (SubjectVerdict::Passed, _) => return reason.cloned().map_or(Fate::Survives, Fate::Equivalent),
        (SubjectVerdict::Rejected, _) => Fate::Rejected("rule".to_string()),
        (SubjectVerdict::Failed | SubjectVerdict::Unsolved, Some(test)) => {
            let kind = test.kind.map(|kind| kind.to_string()).unwrap_or_default();
            Fate::Rejected(format!("{kind} in {} ({})", test.name, test.mode))
        }
        _ => Fate::Misjudged(verdict.diagnostics.first().map(|one| one.message.clone()).unwrap_or_default()),
    };
    match (reason, fate) {
        (None, fate) => fate,
        (Some(_), Fate::Rejected(how)) => Fate::Misjudged(format!("is listed as equivalent, but rejected: {how}")),
        (Some(_), Fate::NotCompiling) => Fate::Misjudged("is listed as equivalent, but does not compile".to_string()),
        (Some(_), fate) => fate,
    }
}

/// How many mutants of a kata had which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// All of them.
    pub(crate) made: usize,
    /// Those that the compiler refused.
    pub(crate) not_compiling: usize,
    /// Those that a test noticed.
    pub(crate) rejected: usize,
    /// Those that are no mistakes.
    pub(crate) equivalent: usize,
    /// Those that nothing noticed.
    pub(crate) surviving: usize,
}

impl Figures {
    /// Counts.
    pub(crate) fn of<'a>(fates: impl IntoIterator<Item = &'a Fate>) -> Figures {
        let mut figures = Figures::default();
        for fate in fates {
            figures.made += 1;
            match fate {
                Fate::NotCompiling => figures.not_compiling += 1,
                Fate::Rejected(_) => figures.rejected += 1,
                Fate::Equivalent(_) => figures.equivalent += 1,
                Fate::Survives => figures.surviving += 1,
                Fate::Misjudged(_) => {}
            }
        }
        figures
    }

    /// As the cells of a row.
    pub(crate) fn cells(self) -> [usize; 5] {
        [self.made, self.not_compiling, self.rejected, self.equivalent, self.surviving]
    }
}

/// The heads of the columns.
pub(crate) const HEADS: [&str; 6] = ["kata", "made", "not compiling", "rejected", "equivalent", "surviving"];

/// Where the README has its table.
const BEGIN: &str = "<!-- mutants -->\n";
const END: &str = "<!-- /mutants -->";

/// The README with these figures in its table. Rows of other katas stay, and all rows are in the order of `katas`. Nothing if it
/// has no place for them.
pub(crate) fn in_readme(readme: &str, katas: &[String], new: &[(String, Figures)]) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (old, after) = rest.split_once(END)?;
    let mut table = format!("| {} |\n|---|{}\n", HEADS.join(" | "), "---:|".repeat(HEADS.len() - 1));
    for kata in katas {
        let begin = format!("| `{kata}` |");
        match new.iter().find(|(name, _)| name == kata) {
            Some((_, figures)) => {
                let cells: Vec<String> = figures.cells().iter().map(usize::to_string).collect();
                table += &format!("{begin} {} |\n", cells.join(" | "));
            }
            None => old.lines().filter(|line| line.starts_with(&begin)).for_each(|line| table += &format!("{line}\n")),
        }
    }
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use verdict::{Kind, Mode, TestVerdict};

    use super::*;

    fn verdict(subject: SubjectVerdict, kinds: &[Option<Kind>]) -> KataVerdict {
        let test = |(number, kind): (usize, &Option<Kind>)| TestVerdict {
            name: format!("test_{number}"),
            mode: Mode::Schedules,
            verdict: if kind.is_some() { Verdict::Failed } else { Verdict::Passed },
            kind: *kind,
            message: String::new(),
            schedules: None,
            coverage: None,
            seconds: 0.0,
            points: 0,
            output: String::new(),
            trace: None,
        };
        KataVerdict {
            kata: "lock".to_string(),
            subject: "a mutant".to_string(),
            verdict: subject,
            score: 0,
            max_score: 1,
            seconds: 0.0,
            tests: kinds.iter().enumerate().map(test).collect(),
            diagnostics: Vec::new(),
        }
    }

    #[test]
    fn a_mutant_that_passes_survives_unless_it_is_listed() {
        let reason = "nobody can notice".to_string();
        let passed = verdict(SubjectVerdict::Passed, &[None]);
        assert_eq!(fate(&passed, None), Fate::Survives);
        assert_eq!(fate(&passed, Some(&reason)), Fate::Equivalent(reason.clone()));
        let failed = verdict(SubjectVerdict::Failed, &[None, Some(Kind::Race)]);
        assert_eq!(fate(&failed, None), Fate::Rejected("race in test_1 (schedules)".to_string()));
        assert!(matches!(fate(&failed, Some(&reason)), Fate::Misjudged(why) if why.contains("but rejected: race")));
        let broken = verdict(SubjectVerdict::CompileError, &[]);
        assert_eq!(fate(&broken, None), Fate::NotCompiling);
        assert!(matches!(fate(&broken, Some(&reason)), Fate::Misjudged(why) if why.contains("does not compile")));
        assert!(matches!(fate(&verdict(SubjectVerdict::GraderError, &[]), None), Fate::Misjudged(_)));
    }

    #[test]
    fn the_readme_gets_the_rows_that_are_new_and_keeps_the_others() {
        let katas = ["lock", "queue", "pool"].map(String::from);
        let old = "# A\n<!-- mutants -->\n| `pool` | 1 |\n| `queue` | 2 |\n| `gone` | 3 |\n<!-- /mutants -->\nB\n";
        let fates = [Fate::Survives, Fate::NotCompiling, Fate::Rejected(String::new()), Fate::Survives];
        let new = [("queue".to_string(), Figures::of(&fates))];
        let written = in_readme(old, &katas, &new).expect("there is a place");
        assert_eq!(
            written,
            "# A\n<!-- mutants -->\n| kata | made | not compiling | rejected | equivalent | surviving |\n\
             |---|---:|---:|---:|---:|---:|\n| `queue` | 4 | 1 | 1 | 0 | 2 |\n| `pool` | 1 |\n<!-- /mutants -->\nB\n"
        );
        assert_eq!(in_readme(&written, &katas, &new), Some(written.clone()), "the same figures change nothing");
        assert_eq!(in_readme("# A\n", &katas, &new), None);
    }
}
