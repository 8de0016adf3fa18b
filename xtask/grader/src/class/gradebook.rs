//! The gradebook: what every report of a class is a picture of. Learners by katas, worked out of the record, as plain data.
//!
//! A fault of the grader's is never a zero here: a cell without a verdict has no score, and a learner with such a cell no
//! percentage.

use std::collections::{BTreeMap, BTreeSet};

use verdict::{Graded, Inputs, Kind, Learner, SubjectVerdict, TestVerdict, Verdict};

/// A class with its verdicts.
#[derive(Debug)]
pub(crate) struct Gradebook {
    /// What was graded, and by what.
    pub(crate) inputs: Inputs,
    /// One row a learner, by name.
    pub(crate) rows: Vec<Row>,
}

/// A learner with a verdict on every kata.
#[derive(Debug)]
pub(crate) struct Row {
    /// The learner.
    pub(crate) learner: Learner,
    /// One cell an assignment, in their order.
    pub(crate) cells: Vec<Cell>,
}

/// One learner's answer to one kata.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// The verdict; nothing if it is not graded yet, or by another machine.
    pub(crate) graded: Option<Graded>,
}

/// How a whole class did in one kata.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KataStatistics {
    /// How many answers came to which verdict.
    pub(crate) verdicts: BTreeMap<SubjectVerdict, usize>,
    /// How many answers fail in which way, the most common first.
    pub(crate) kinds: Vec<(Kind, usize)>,
    /// How many answers fail which test, in the order of the contract.
    pub(crate) failed_tests: Vec<(String, usize)>,
}

/// One mistake that several learners share: the same test of the same kata fails in the same way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The place of the kata among the assignments.
    pub(crate) column: usize,
    /// The test.
    pub(crate) test: String,
    /// How it fails.
    pub(crate) kind: Kind,
    /// The rows of those who share it.
    pub(crate) rows: Vec<usize>,
}

impl Gradebook {
    /// Puts verdicts where they belong. The last one on an answer counts; one on an unknown learner or kata is left out.
    pub(crate) fn new(inputs: Inputs, results: Vec<Graded>) -> Gradebook {
        let mut by_answer: BTreeMap<(String, String), Graded> = BTreeMap::new();
        for graded in results {
            by_answer.insert((graded.learner.clone(), graded.verdict.kata.clone()), graded);
        }
        let mut learners = inputs.learners.clone();
        learners.sort_by(|a, b| a.name.cmp(&b.name));
        let row = |learner: Learner| {
            let cell = |kata: &String| Cell { graded: by_answer.remove(&(learner.name.clone(), kata.clone())) };
            let cells = inputs.assignments.iter().map(|assignment| &assignment.kata).map(cell).collect();
            Row { learner, cells }
        };
        let rows = learners.into_iter().map(row).collect();
        Gradebook { inputs, rows }
    }

    /// A learner's percentage of the whole course: each kata's share of its points, weighted, less what lateness takes off.
    /// Nothing if a verdict is still to come or the grader failed: never zero for a fault that isn't the learner's.
    pub(crate) fn percent(&self, row: &Row) -> Option<f64> {
        let off = row.learner.late.map_or(0.0, |late| late.percent_off);
        self.percent_before_lateness(row).map(|percent| percent * (1.0 - off / 100.0))
    }

    /// A learner's percentage before anything is taken off for lateness.
    pub(crate) fn percent_before_lateness(&self, row: &Row) -> Option<f64> {
        let (mut reached, mut weights) = (0.0, 0.0);
        for (assignment, cell) in self.inputs.assignments.iter().zip(&row.cells) {
            let score = cell.score()?;
            // A kata without points can't be weighed.
            if assignment.max_score > 0 {
                reached += assignment.weight * f64::from(score) / f64::from(assignment.max_score);
                weights += assignment.weight;
            }
        }
        (weights > 0.0).then(|| reached / weights * 100.0)
    }

    /// How the class did in the kata of that column.
    pub(crate) fn statistics(&self, column: usize) -> KataStatistics {
        let mut verdicts = BTreeMap::new();
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        let mut tests: BTreeMap<&str, usize> = BTreeMap::new();
        for graded in self.rows.iter().filter_map(|row| row.cells[column].graded.as_ref()) {
            *verdicts.entry(graded.verdict.verdict).or_default() += 1;
            let failures = || graded.verdict.tests.iter().filter(|test| test.verdict == Verdict::Failed);
            for kind in failures().filter_map(|test| test.kind).collect::<BTreeSet<_>>() {
                *kinds.entry(kind).or_default() += 1;
            }
            for test in failures().map(|test| test.name.as_str()).collect::<BTreeSet<_>>() {
                *tests.entry(test).or_default() += 1;
            }
        }
        let mut kinds: Vec<(Kind, usize)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        let order = &self.inputs.assignments[column].tests;
        let failed_tests = order.iter().map(|test| (test.clone(), tests.get(test.as_str()).copied().unwrap_or(0)));
        KataStatistics { verdicts, kinds, failed_tests: failed_tests.collect() }
    }

    /// The mistakes that at least two learners share, the most common first. What is merely unsolved is none.
    pub(crate) fn shared_mistakes(&self) -> Vec<Mistake> {
        let mut found: BTreeMap<(usize, &str, Kind), Vec<usize>> = BTreeMap::new();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.cells.iter().enumerate() {
                for test in cell.failures() {
                    if let Some(kind) = test.kind.filter(|kind| *kind != Kind::Unsolved) {
                        found.entry((column, &test.name, kind)).or_default().push(number);
                    }
                }
            }
        }
        let mut mistakes: Vec<Mistake> = found
            .into_iter()
            .map(|((column, test, kind), rows)| Mistake { column, test: test.to_string(), kind, rows })
            .filter(|mistake| mistake.rows.len() > 1)
            .collect();
        // Sorting keeps the order of equals, which is that of the katas.
        mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.rows.len()));
        mistakes
    }
}

impl Row {
    /// Whether any verdict on this learner is here: none is if another machine grades this one.
    pub(crate) fn is_here(&self) -> bool {
        self.cells.iter().any(|cell| cell.graded.is_some())
    }

    /// How many katas this learner has solved.
    pub(crate) fn passed(&self) -> usize {
        self.cells.iter().filter(|cell| cell.verdict() == Some(SubjectVerdict::Passed)).count()
    }
}

impl Cell {
    /// What the answer came to.
    pub(crate) fn verdict(&self) -> Option<SubjectVerdict> {
        self.graded.as_ref().map(|graded| graded.verdict.verdict)
    }

    /// The points; nothing if there is no verdict or the grader failed.
    pub(crate) fn score(&self) -> Option<u32> {
        let graded = self.graded.as_ref()?;
        (graded.verdict.verdict != SubjectVerdict::GraderError).then_some(graded.verdict.score)
    }

    /// The tests that failed, each once.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &TestVerdict> {
        let tests = self.graded.iter().flat_map(|graded| &graded.verdict.tests);
        let mut seen = BTreeSet::new();
        tests.filter(move |test| test.verdict == Verdict::Failed && seen.insert(&test.name))
    }

    /// How many tests passed without a proof.
    pub(crate) fn in_doubt(&self) -> usize {
        let in_doubt = |test: &&TestVerdict| {
            test.verdict == Verdict::Passed && test.coverage.is_some_and(|coverage| coverage.is_in_doubt())
        };
        self.graded.iter().flat_map(|graded| &graded.verdict.tests).filter(in_doubt).count()
    }

    /// Every test with what it came to, each once: the entry that failed, else the first, which is an exploration's if there
    /// was one.
    pub(crate) fn tests(&self) -> Vec<&TestVerdict> {
        let mut tests: Vec<&TestVerdict> = Vec::new();
        for test in self.graded.iter().flat_map(|graded| &graded.verdict.tests) {
            match tests.iter_mut().find(|known| known.name == test.name) {
                None => tests.push(test),
                Some(known) if known.verdict == Verdict::Passed && test.verdict == Verdict::Failed => *known = test,
                Some(_) => {}
            }
        }
        tests
    }
}

#[cfg(test)]
mod tests {
    use verdict::Assignment;

    use super::*;
    use crate::render::class::sample::{assignment, deadlocked, graded, inputs, solved, test};

    #[test]
    fn katas_count_by_their_weight_and_not_by_their_points() {
        let results = vec![solved("ada", "lock"), deadlocked("ada", "queue")];
        let percent = |assignments| {
            let gradebook = Gradebook::new(inputs(&["ada"], assignments), results.clone());
            gradebook.percent(&gradebook.rows[0])
        };
        assert_eq!(percent(vec![assignment("lock", 1.0), assignment("queue", 1.0)]), Some(75.0));
        assert_eq!(percent(vec![assignment("lock", 3.0), assignment("queue", 1.0)]), Some(87.5));
        assert_eq!(percent(vec![assignment("lock", 1.0), assignment("queue", 0.0)]), Some(100.0));
        assert_eq!(percent(vec![assignment("lock", 0.0), assignment("queue", 0.0)]), None);
        let pointless = Assignment { max_score: 0, ..assignment("queue", 1.0) };
        assert_eq!(percent(vec![assignment("lock", 1.0), pointless]), Some(100.0));
    }

    #[test]
    fn a_fault_of_the_graders_is_no_zero() {
        let fault = graded("ada", "queue", SubjectVerdict::GraderError, Vec::new());
        let assignments = vec![assignment("lock", 1.0), assignment("queue", 1.0)];
        let gradebook = Gradebook::new(inputs(&["ada"], assignments), vec![solved("ada", "lock"), fault]);
        let row = &gradebook.rows[0];
        assert_eq!((row.cells[0].score(), row.cells[1].score()), (Some(2), None));
        assert_eq!(gradebook.percent(row), None);
    }

    #[test]
    fn the_class_is_counted_by_kind_and_by_test() {
        let both = vec![test("first_test", Some(Kind::Race)), test("second_test", Some(Kind::Deadlock))];
        let open = vec![test("first_test", Some(Kind::Unsolved)), test("second_test", Some(Kind::Unsolved))];
        let results = vec![
            deadlocked("ada", "lock"),
            graded("bea", "lock", SubjectVerdict::Failed, both),
            graded("cem", "lock", SubjectVerdict::Unsolved, open.clone()),
            graded("dan", "lock", SubjectVerdict::Unsolved, open),
        ];
        let gradebook = Gradebook::new(inputs(&["ada", "bea", "cem", "dan"], vec![assignment("lock", 1.0)]), results);
        let statistics = gradebook.statistics(0);
        assert_eq!(statistics.kinds, [(Kind::Unsolved, 2), (Kind::Deadlock, 2), (Kind::Race, 1)]);
        let failed = [("first_test", 3), ("second_test", 4)].map(|(test, count)| (test.to_string(), count));
        assert_eq!(statistics.failed_tests, failed);
        let shared = Mistake { column: 0, test: "second_test".to_string(), kind: Kind::Deadlock, rows: vec![0, 1] };
        assert_eq!(gradebook.shared_mistakes(), [shared]);
    }

    #[test]
    fn a_test_that_failed_in_one_of_its_modes_failed() {
        let tests = vec![test("first_test", None), test("first_test", Some(Kind::Race)), test("second_test", None)];
        let row = vec![graded("ada", "lock", SubjectVerdict::Failed, tests)];
        let gradebook = Gradebook::new(inputs(&["ada"], vec![assignment("lock", 1.0)]), row);
        let verdicts: Vec<Verdict> = gradebook.rows[0].cells[0].tests().iter().map(|test| test.verdict).collect();
        assert_eq!(verdicts, [Verdict::Failed, Verdict::Passed]);
    }
}
