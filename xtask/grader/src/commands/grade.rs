//! `grade`: a class, each learner's answer to each kata that counts. The record comes first; every report is made from it.

mod isolation;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pipeline::cancel::Cancel;
use pipeline::console::{Console, Event};
use pipeline::error::Result;
use pipeline::judging::Session;
use pipeline::judging::judge;
use pipeline::judging::sandbox::Trust;
use pipeline::judging::settings::Settings;
use pipeline::repository::Repository;
use pipeline::subject::Subject;
use pipeline::subject::catalog::{self, Kata};
use pipeline::subject::sources::Files;
use pipeline::toolchain;
use verdict::{Assignment, Graded, Inputs, KataVerdict, Learner, Limits, SubjectVerdict};

use crate::class::claim::Claim;
use crate::class::course::{self, Course};
use crate::class::fingerprint::{self, Fingerprint};
use crate::class::gradebook::Gradebook;
use crate::class::ledger::{self, Ledger};
use crate::class::shard;
use crate::class::{self, Answer};
use crate::cli::GradeArgs;
use crate::render::{self, grading};
use crate::sandbox::Guard;

/// One learner's answer to one kata.
struct Task {
    learner: String,
    kata: Arc<Kata>,
    key: String,
    answer: Answer,
}

/// Grades the class; whether the grader itself did everything it had to.
pub(crate) fn run(repository: &Repository, args: GradeArgs) -> Result<bool> {
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(false);
    console.happened(Event::Doing("reading the class"));
    let shard = args.shard.map(shard::of).transpose()?;
    let (entries, passed_over) = class::entries(&args.class)?;
    class::keep_out(&args.class, &args.out)?;
    let course = read_course(repository, &args, &entries)?;
    let isolation = isolation::choose(&args.out, args.require_isolation)?;
    let katas = course.katas.iter().map(|(kata, _)| Arc::clone(kata)).collect::<Vec<_>>();
    let mut answers: Vec<(String, BTreeMap<String, Answer>)> =
        entries.iter().map(|entry| (entry.name.clone(), class::answers(entry, &katas))).collect();
    // Who is expected and has handed in nothing is of the class, too.
    answers.extend(course.absent.iter().map(|name| (name.clone(), BTreeMap::new())));
    answers.sort_by(|(one, _), (other, _)| one.cmp(other));

    let judge = fingerprint::of_judge(repository)?;
    let inputs = Inputs {
        title: course.title.clone(),
        deadline: course.deadline(),
        assignments: course.katas.iter().map(|(kata, weight)| assignment(kata, *weight)).collect(),
        learners: answers.iter().map(|(name, _)| Learner { name: name.clone(), late: course.late(name) }).collect(),
        submissions: submissions(&answers),
        judge: whole_judge(repository, &judge, &katas)?,
        toolchain: toolchain::version()?,
        limits: limits(&args),
        isolation,
        inspection: !args.without_inspection,
        seed: args.seed,
        schedules: args.schedules,
        deep: args.deep,
        shard,
    };
    let guard = Guard { isolation: inputs.isolation.clone(), limits: inputs.limits.clone() };
    let settings = Settings {
        seed: args.seed,
        schedules: args.schedules,
        lean: true,
        trust: Trust::Stranger(Arc::new(guard)),
        inspection: !args.without_inspection,
        ..Settings::default()
    };
    let tasks = tasks(repository, &inputs, &judge, &katas, answers)?;

    // Ours until the last report is written.
    let claim = Claim::of(&args.out)?;
    let mut ledger = Ledger::open(&claim)?;
    let session = Session { repository, settings: &settings, console: &console, cancel: &cancel };
    let ended = grade(session, &mut ledger, &inputs, &tasks);
    console.clear();
    let results: Vec<Graded> =
        tasks.iter().filter_map(|task| ledger.known(&task.learner, &task.kata.name, &task.key)).cloned().collect();
    let whole = ended.is_ok();
    if whole {
        ledger.finish(&inputs, &results)?;
    }
    let gradebook = Gradebook::new(inputs, results);
    render::class::write(&gradebook, &claim)?;
    ended.inspect_err(|_| render::warning(&grading::unfinished(&gradebook, tasks.len())))?;
    render::print(&grading::summary(&gradebook, &args.out, &passed_over));
    Ok(grading::grader_errors(&gradebook) == 0)
}

/// The course file that is named or found; without one, the katas that are named, or all.
fn read_course(repository: &Repository, args: &GradeArgs, entries: &[class::Entry]) -> Result<Course> {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let found = args.class.join(course::FILE);
    let file = match &args.course {
        Some(file) => Some(file.as_path()),
        None => (args.katas.is_empty() && found.is_file()).then_some(found.as_path()),
    };
    let course = match file {
        Some(file) => course::read(file, &catalog::all(repository)?, &names)?,
        None => Course::of(catalog::some(repository, &args.katas)?, &args.class),
    };
    course.warnings.iter().for_each(|warning| render::warning(warning));
    Ok(course)
}

fn assignment(kata: &Kata, weight: f64) -> Assignment {
    Assignment {
        kata: kata.name.clone(),
        title: kata.about.title.clone(),
        weight,
        max_score: judge::max_score(kata),
        tests: kata.tests.clone(),
    }
}

/// The whole class as one hash.
fn submissions(answers: &[(String, BTreeMap<String, Answer>)]) -> String {
    let mut whole = Fingerprint::default();
    for (learner, answers) in answers {
        for (kata, answer) in answers {
            whole.add(key(learner, kata, answer));
        }
    }
    whole.text()
}

/// Everything that judges these katas.
fn whole_judge(repository: &Repository, judge: &str, katas: &[Arc<Kata>]) -> Result<String> {
    let mut whole = Fingerprint::default();
    whole.add(judge);
    for kata in katas {
        whole.add(fingerprint::of_kata(repository, kata)?);
    }
    Ok(whole.text())
}

/// What each process may use. A test of any kata needs a small part of it; of the tasks some need twice what a byte can count, since an
/// answer may have a second thread for each of the test's.
fn limits(args: &GradeArgs) -> Limits {
    const MIB: u64 = 1024 * 1024;
    Limits {
        memory: args.memory * MIB,
        output: MIB,
        file: 64 * MIB,
        tasks: 640,
        seconds: args.test_seconds,
        compile_seconds: args.compile_seconds,
        compile_memory: 2048 * MIB,
    }
}

/// What this machine has to grade, in the order of the class.
fn tasks(
    repository: &Repository,
    inputs: &Inputs,
    judge: &str,
    katas: &[Arc<Kata>],
    answers: Vec<(String, BTreeMap<String, Answer>)>,
) -> Result<Vec<Task>> {
    let mut conditions = BTreeMap::new();
    for kata in katas {
        let own = fingerprint::of_kata(repository, kata)?;
        conditions.insert(kata.name.clone(), fingerprint::of_conditions(inputs, judge, &own));
    }
    let mut tasks = Vec::new();
    for (learner, mut answers) in answers.into_iter().filter(|(name, _)| shard::contains(inputs.shard, name)) {
        for kata in katas {
            let answer = answers.remove(&kata.name).unwrap_or(Answer::Missing);
            let key = key(&learner, &conditions[&kata.name], &answer);
            tasks.push(Task { learner: learner.clone(), kata: Arc::clone(kata), key, answer });
        }
    }
    Ok(tasks)
}

/// The learner's name counts too: it is in the messages.
fn key(learner: &str, conditions: &str, answer: &Answer) -> String {
    let mut key = Fingerprint::default();
    key.add(learner).add(conditions);
    match answer {
        Answer::Given(files) => {
            key.add("given");
            files.iter().for_each(|(name, text)| {
                key.add(name.to_string_lossy().as_bytes()).add(text);
            });
        }
        Answer::Missing => {
            key.add("missing");
        }
        Answer::Refused(why) => {
            key.add("refused").add(why);
        }
        Answer::Unreadable(why) => {
            key.add("unreadable").add(why);
        }
    }
    key.text()
}

/// Grades what the record does not know yet, and notes each result as it comes.
fn grade(session: Session<'_>, ledger: &mut Ledger, inputs: &Inputs, tasks: &[Task]) -> Result<()> {
    ledger.begin(inputs)?;
    let open: Vec<&Task> = tasks.iter().filter(|task| !is_known(ledger, task)).collect();
    let mut pace = Pace { done: tasks.len() - open.len(), total: tasks.len(), to_run: 0, ran: None };
    let (mut subjects, mut given): (Vec<Subject>, Vec<&Task>) = (Vec::new(), Vec::new());
    for task in open {
        let at_once = match &task.answer {
            Answer::Given(files) => {
                let subject = class::subject(&task.kata, &task.learner, files.clone());
                subjects.push(Subject { deep: inputs.deep, ..subject });
                given.push(task);
                continue;
            }
            Answer::Missing => judge::missing(&task.kata, &task.learner),
            Answer::Refused(why) => judge::refused(&task.kata, &task.learner, why),
            Answer::Unreadable(why) => judge::grader_error(&task.kata, &task.learner, why.clone()),
        };
        note(session, ledger, task, at_once, &mut pace)?;
    }
    if subjects.is_empty() {
        return Ok(());
    }
    pace.to_run = given.len();
    // Parts of a class that share a checkout wait for each other only where cargo makes them.
    let label = inputs.shard.map_or("class".to_string(), |part| format!("class-{}-of-{}", part.number, part.of));
    let prepared = session.prepare(&label, subjects)?;
    session.examine_each(&prepared, |place, verdict| note(session, ledger, given[place], verdict, &mut pace))
}

/// A result is known if it was reached under the same conditions. A failure of the grader is tried again.
fn is_known(ledger: &Ledger, task: &Task) -> bool {
    ledger
        .known(&task.learner, &task.kata.name, &task.key)
        .is_some_and(|graded| graded.verdict.verdict != SubjectVerdict::GraderError)
}

/// How fast it goes.
struct Pace {
    /// What is graded, by this run or an earlier one.
    done: usize,
    total: usize,
    /// Answers whose tests may have to be run. Whatever else becomes of them is known before the first is.
    to_run: usize,
    /// When the tests of the first answer were done, and of how many since.
    ran: Option<(Instant, usize)>,
}

impl Pace {
    /// Notes one more result.
    fn note(&mut self, verdict: &KataVerdict) {
        self.done += 1;
        self.to_run = self.to_run.saturating_sub(1);
        if !verdict.tests.is_empty() {
            self.ran = Some(self.ran.map_or_else(|| (Instant::now(), 0), |(since, answers)| (since, answers + 1)));
        }
    }

    fn in_words(&self) -> String {
        let speed = self.ran.and_then(|(since, answers)| grading::speed(answers, since.elapsed()));
        grading::pace(self.done, self.total, self.to_run, speed)
    }
}

fn note(
    session: Session<'_>,
    ledger: &mut Ledger,
    task: &Task,
    mut verdict: KataVerdict,
    pace: &mut Pace,
) -> Result<()> {
    // Since a class is built and run together, only the tests' own time is anybody's.
    verdict.seconds = verdict.tests.iter().map(|test| test.seconds).sum();
    let lines = match &task.answer {
        Answer::Given(files) => named_lines(session.repository, task, files, &verdict),
        Answer::Missing | Answer::Refused(_) | Answer::Unreadable(_) => BTreeMap::new(),
    };
    let (lines, verdict) = (ledger::in_plain_text(&lines), plain_verdict(&verdict));
    pace.note(&verdict);
    let line = grading::line(pace.done, pace.total, &task.learner, &verdict);
    // What is said has been recorded.
    let at = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| now.as_millis().try_into().ok());
    ledger.note(Graded { learner: task.learner.clone(), key: task.key.clone(), lines, at, verdict })?;
    session.console.headline(&pace.in_words());
    session.console.log(&line);
    Ok(())
}

/// The verdict in plain text. Only the learner's name stays: it says whose verdict it is.
fn plain_verdict(verdict: &KataVerdict) -> KataVerdict {
    KataVerdict { subject: verdict.subject.clone(), ..ledger::in_plain_text(verdict) }
}

/// Columns of a source line that a picture can show.
const LONGEST_LINE: usize = 200;

/// The lines that the verdict's traces name: the answer's own, and the tests'.
fn named_lines(
    repository: &Repository,
    task: &Task,
    files: &Files,
    verdict: &KataVerdict,
) -> BTreeMap<String, BTreeMap<u32, String>> {
    let tests = task.kata.test_file();
    let (tests_name, own) = (repository.relative(&tests), format!("{}/{}/src/", task.learner, task.kata.name));
    let mut tests_text = None;
    let mut lines: BTreeMap<String, BTreeMap<u32, String>> = BTreeMap::new();
    let traces = verdict.tests.iter().filter_map(|test| test.trace.as_ref());
    for at in traces.flat_map(|trace| trace.locations()) {
        // A trace comes from a stranger's process: no file is opened because it is named there.
        let text = match at.file.strip_prefix(&own) {
            Some(name) => files.get(Path::new(name)),
            None if at.file == tests_name => {
                Some(&*tests_text.get_or_insert_with(|| fs::read_to_string(&tests).unwrap_or_default()))
            }
            None => None,
        };
        if let Some(line) = text.and_then(|text| text.lines().nth(at.line.saturating_sub(1) as usize)) {
            let line = line.chars().take(LONGEST_LINE).collect();
            lines.entry(at.file.clone()).or_default().insert(at.line, line);
        }
    }
    lines
}
