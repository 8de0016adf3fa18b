//! Running: each test in a process of its own, with limits.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use verdict::{Mode, Outcome, Record, TestVerdict};

use crate::cancel::Cancel;
use crate::console::{Console, Event};
use crate::error::{Error, Result};
use crate::judging::Session;
use crate::judging::build::Built;
use crate::judging::sandbox::{Run, Sandbox, Trust};
use crate::judging::settings::Settings;
use crate::process::{self, Finished, Limits};
use crate::scratch::{self, Scratch};
use crate::subject::catalog::Need;

/// What one test did in one mode.
#[derive(Debug)]
pub struct Ran {
    /// The test.
    pub test: String,
    /// How it was run.
    pub mode: Mode,
    /// What its process did.
    pub finished: Finished,
    /// What the test said about itself, if it got that far.
    pub record: Option<Record>,
}

/// How many times as long a test may take whose scenarios are all tried.
const PATIENT: u32 = 20;

/// Bytes of a test's output that are kept.
const OUTPUT: usize = 64 * 1024;

/// What a worker does in one go.
struct Job<'a> {
    /// The place of the subject among the given ones.
    subject: usize,
    built: &'a Built,
    /// Tests of it, to be run one after the other until one fails: one test, or all where one failure is enough.
    tests: Vec<&'a str>,
}

/// What a worker says of its job.
enum Said {
    /// A test was run.
    Ran(Box<Ran>),
    /// The job is done.
    Done(Result<()>),
}

/// Runs the wanted tests of all subjects. All cores are kept busy. `judge` gets each run as
/// soon as it is over; what it makes of the runs of a subject is handed to `each` as soon as the subject's last test is done.
///
/// # Errors
/// `cancel` was raised, or `each` failed. What went wrong with one subject is handed over in the place of its runs.
pub fn run(
    session: Session<'_>,
    subjects: &[&Built],
    judge: impl Fn(usize, Ran) -> Option<TestVerdict>,
    mut each: impl FnMut(usize, Result<Vec<TestVerdict>>) -> Result<()>,
) -> Result<()> {
    // Only this thread tells what goes on.
    let Session { settings, console, cancel, .. } = session;
    let jobs: Vec<Job<'_>> =
        subjects.iter().enumerate().flat_map(|(subject, built)| jobs_of(subject, built, settings)).collect();
    let scratch = Scratch::new()?;
    // A job's number would tell a submission which test it is that runs.
    let names = RandomState::new();
    let next = AtomicUsize::new(0);
    // More workers than cores: tests of sockets and processes mostly wait.
    let workers = (4 * thread::available_parallelism().map_or(2, usize::from)).min(jobs.len());
    let (sender, done) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, jobs, scratch, names) = (sender.clone(), &next, &jobs, scratch.path(), &names);
            scope.spawn(move || {
                while let Some((number, job)) = take(next, jobs) {
                    let folder = scratch.join(format!("{:016x}", names.hash_one(number)));
                    let ran = |run| {
                        let _ = sender.send((number, Said::Ran(Box::new(run))));
                    };
                    let done = run_job(job, &folder, settings, cancel, ran);
                    if sender.send((number, Said::Done(done))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let finished = hand_over(done, &jobs, console, judge, &mut each);
        // After an error nobody needs the tests that are not begun.
        next.store(jobs.len(), Ordering::SeqCst);
        finished
    })
}

/// What there is to do for one subject.
fn jobs_of<'a>(subject: usize, built: &'a Built, settings: &Settings) -> Vec<Job<'a>> {
    let tests: Vec<&str> = built.loaded.subject.wanted().collect();
    let at_once = if settings.first_failure { tests.len().max(1) } else { 1 };
    tests.chunks(at_once).map(|tests| Job { subject, built, tests: tests.to_vec() }).collect()
}

/// The next job that nobody has begun.
fn take<'a, 'b>(next: &AtomicUsize, jobs: &'a [Job<'b>]) -> Option<(usize, &'a Job<'b>)> {
    let number = next.fetch_add(1, Ordering::SeqCst);
    jobs.get(number).map(|job| (number, job))
}

/// Gathers verdicts by subject and, within one, in the order of its tests, so that nothing depends on who was faster.
fn hand_over(
    done: Receiver<(usize, Said)>,
    jobs: &[Job<'_>],
    console: &Console,
    judge: impl Fn(usize, Ran) -> Option<TestVerdict>,
    each: &mut impl FnMut(usize, Result<Vec<TestVerdict>>) -> Result<()>,
) -> Result<()> {
    let mut open: BTreeMap<usize, usize> = BTreeMap::new();
    jobs.iter().for_each(|job| *open.entry(job.subject).or_default() += 1);
    let mut begun: BTreeMap<usize, Vec<TestVerdict>> = BTreeMap::new();
    let mut gathered: BTreeMap<usize, BTreeMap<usize, Result<Vec<TestVerdict>>>> = BTreeMap::new();
    let (mut count, all): (usize, usize) = (0, jobs.iter().map(|job| job.tests.len()).sum());
    loop {
        match done.recv_timeout(Duration::from_millis(50)) {
            Ok((_, Said::Done(Err(Error::Interrupted)))) => return Err(Error::Interrupted),
            Ok((number, Said::Ran(run))) => {
                begun.entry(number).or_default().extend(judge(jobs[number].subject, *run));
            }
            Ok((number, Said::Done(done))) => {
                let Job { subject, tests, .. } = &jobs[number];
                count += tests.len();
                console.happened(Event::Ran { count, all, test: tests.last().unwrap_or(&"") });
                let verdicts = begun.remove(&number).unwrap_or_default();
                gathered.entry(*subject).or_default().insert(number, done.map(|()| verdicts));
                let left = open.entry(*subject).or_default();
                *left -= 1;
                if *left == 0 {
                    let tests = gathered.remove(subject).unwrap_or_default().into_values();
                    each(
                        *subject,
                        tests.collect::<Result<Vec<_>>>().map(|tests| tests.into_iter().flatten().collect()),
                    )?;
                }
            }
            Err(RecvTimeoutError::Timeout) => console.tick(),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// Runs tests in their modes until one fails: what a schedule shows, threads could only confirm by luck.
fn run_job(job: &Job<'_>, folder: &Path, settings: &Settings, cancel: &Cancel, ran: impl Fn(Ran)) -> Result<()> {
    for test in &job.tests {
        for mode in job.built.modes() {
            let run = run_test(job.built, test, mode, folder, settings, cancel)?;
            let failed = !matches!(&run.record, Some(Record { outcome: Outcome::Passed | Outcome::Skipped, .. }));
            ran(run);
            if failed {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Runs one test in a folder that is made for it and removed.
///
/// # Errors
/// `cancel` was raised, or the process could not be started.
pub fn run_test(
    built: &Built,
    test: &str,
    mode: Mode,
    folder: &Path,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Ran> {
    // The test's working folder: what a submission writes here is gone with it.
    let work = folder.join("work");
    fs::create_dir_all(&work).map_err(Error::io("create", &work))?;
    let (finished, record) = match &settings.trust {
        Trust::Own => run_trusted(built, test, mode, folder, settings, cancel)?,
        Trust::Stranger(sandbox) => run_confined(built, test, mode, &work, settings, &**sandbox, cancel)?,
    };
    scratch::remove_folder(folder).map_err(Error::io("remove", folder))?;
    let record = record.and_then(|text| serde_json::from_slice(&text).ok());
    Ok(Ran { test: test.to_string(), mode, finished, record })
}

/// What the test harness is told: this one test, nothing else, and no ornaments. It is as long for each test of the kata: how long
/// the arguments were is all that a submission can learn of them.
fn arguments(built: &Built, mode: Mode, test: &str) -> [String; 9] {
    let longest = built.loaded.subject.kata.tests.iter().map(String::len).max().unwrap_or_default();
    let none = "-".repeat(1 + longest.saturating_sub(test.len()));
    // Tests that need schedules are ignored by hand.
    [
        "--exact",
        &built.programs[&mode].test(test),
        "--skip",
        &none,
        "--include-ignored",
        "--nocapture",
        "--quiet",
        "--test-threads=1",
        "--color=never",
    ]
    .map(str::to_string)
}

/// What the test itself is told.
fn told(settings: &Settings, built: &Built) -> impl Iterator<Item = (&'static str, Option<String>)> {
    [
        (verdict::SEED, settings.seed.map(|seed| seed.to_string())),
        (verdict::SCHEDULES, settings.schedules.map(|schedules| schedules.to_string())),
        (verdict::REPLAY, settings.replay.clone()),
        (verdict::ASK, settings.ask.map(|ask| ask.to_string())),
        (verdict::STEPS, built.loaded.subject.deep.then(|| u64::MAX.to_string())),
        (verdict::WITHOUT_LINES, settings.lean.then(|| "yes".to_string())),
        ("RUST_BACKTRACE", Some("0".to_string())),
    ]
    .into_iter()
}

/// Runs one's own code: in the person's own environment, and the record is a file.
fn run_trusted(
    built: &Built,
    test: &str,
    mode: Mode,
    folder: &Path,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<(Finished, Option<Vec<u8>>)> {
    let record = folder.join("record.json");
    let mut command = Command::new(&built.programs[&mode].path);
    command.args(arguments(built, mode, test)).current_dir(folder.join("work")).env(verdict::RECORD_FILE, &record);
    // Mock servers are on this machine; a proxy would not find them.
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    for (name, value) in told(settings, built) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let finished = process::run(command, Limits { wall: wall(built, settings), output: OUTPUT }, cancel)?;
    Ok((finished, fs::read(&record).ok()))
}

/// Runs a stranger's code: in an environment of its own, confined as far as the machine can, and the record comes on a channel
/// that only the test's own wrapper can write to.
fn run_confined(
    built: &Built,
    test: &str,
    mode: Mode,
    work: &Path,
    settings: &Settings,
    sandbox: &dyn Sandbox,
    cancel: &Cancel,
) -> Result<(Finished, Option<Vec<u8>>)> {
    let needs = &built.loaded.subject.kata.about.needs;
    let given = [("PATH", "/usr/local/bin:/usr/bin:/bin".into()), ("LANG", "C.UTF-8".into())];
    let folders = ["HOME", "TMPDIR"].map(|name| (name, work.as_os_str().to_owned()));
    let told = told(settings, built).filter_map(|(name, value)| Some((name, OsString::from(value?))));
    let environment = given.into_iter().chain(folders).chain(told);
    let limits = sandbox.limits();
    let run = Run {
        program: &built.programs[&mode].path,
        args: arguments(built, mode, test).map(OsString::from).to_vec(),
        environment: environment.map(|(name, value)| (OsString::from(name), value)).collect(),
        work,
        network: needs.contains(&Need::Network),
        processes: needs.contains(&Need::Processes),
        wall: wall(built, settings).min(Duration::from_secs(limits.seconds) * times(built)),
        limits,
    };
    let ended = sandbox.run(&run, cancel)?;
    let record = ended.record.record().map(|text| text.as_bytes().to_vec());
    let cut = |text: String| text.into_bytes().into_iter().take(OUTPUT).collect();
    let (stdout, stderr) = (cut(ended.stdout), cut(ended.stderr));
    let finished = Finished { ending: ended.ending, stdout, stderr, took: ended.took, left_behind: ended.left_behind };
    Ok((finished, record))
}

fn wall(built: &Built, settings: &Settings) -> Duration {
    let deadline = built.loaded.subject.kata.about.deadline_seconds;
    let seconds = settings.seconds.map_or(deadline, |seconds| seconds.min(deadline));
    Duration::from_secs(seconds) * times(built)
}

/// How many times as long as usual its tests may take.
fn times(built: &Built) -> u32 {
    if built.loaded.subject.deep { PATIENT } else { 1 }
}
