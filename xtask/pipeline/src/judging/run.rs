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

use verdict::{Kind, Mode, Outcome, Record, TestVerdict};

use crate::cancel::Cancel;
use crate::console::{Console, Event};
use crate::error::{Error, Result};
use crate::judging::Session;
use crate::judging::build::Built;
use crate::judging::sandbox::{Run, Sandbox, Trust};
use crate::judging::settings::Settings;
use crate::process::{self, Ending, Exceeded, Finished, Limits};
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
    /// Whether it had less time than usual, because others of the answer had used up theirs.
    pub hurried: bool,
}

/// How many times as long a test may take whose scenarios are all tried.
const PATIENT: u32 = 20;

/// Tests of a stranger's answer that may be out of time before its others are hurried. A class is graded by few workers, and an answer
/// that never ends would keep one for the whole limit in each of its tests.
const MOST_TIMEOUTS: usize = 3;

/// The part of its time that a hurried test has. What passes takes far less.
const HURRIED: u64 = 6;

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
    let timeouts: Vec<AtomicUsize> = subjects.iter().map(|_| AtomicUsize::new(0)).collect();
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
            let timeouts = &timeouts;
            scope.spawn(move || {
                while let Some((number, job)) = take(next, jobs) {
                    let folder = scratch.join(format!("{:016x}", names.hash_one(number)));
                    let ran = |run| {
                        let _ = sender.send((number, Said::Ran(Box::new(run))));
                    };
                    let done = run_job(job, &folder, settings, cancel, &timeouts[job.subject], ran);
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

/// Runs tests in their modes until one fails: what a schedule shows, threads could only confirm by luck. `timeouts` counts the answer's
/// tests that were out of time, in whichever job.
fn run_job(
    job: &Job<'_>,
    folder: &Path,
    settings: &Settings,
    cancel: &Cancel,
    timeouts: &AtomicUsize,
    ran: impl Fn(Ran),
) -> Result<()> {
    let hurry = Settings { seconds: Some((seconds(job.built, settings) / HURRIED).max(1)), ..settings.clone() };
    for test in &job.tests {
        for mode in job.built.modes() {
            let hurried = settings.trust.sandbox().is_some() && timeouts.load(Ordering::SeqCst) >= MOST_TIMEOUTS;
            let settings = if hurried { &hurry } else { settings };
            let run = Ran { hurried, ..run_test(job.built, test, mode, folder, settings, cancel)? };
            if is_out_of_time(&run, wall(job.built, &hurry)) {
                timeouts.fetch_add(1, Ordering::SeqCst);
            }
            let failed = !matches!(&run.record, Some(Record { outcome: Outcome::Passed | Outcome::Skipped, .. }));
            ran(run);
            if failed {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether it was ended at a limit, or gave up at one of its own after about that time. On schedules, where time is none, a test that
/// waits too long costs nothing.
fn is_out_of_time(run: &Ran, long: Duration) -> bool {
    match (&run.finished.ending, &run.record) {
        (Ending::Exceeded(Exceeded::Wall | Exceeded::Cpu), _) => true,
        (_, Some(Record { outcome: Outcome::Failed(failure), .. })) => {
            failure.kind == Kind::Timeout && run.finished.took * 2 >= long
        }
        _ => false,
    }
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
    Ok(Ran { test: test.to_string(), mode, finished, record, hurried: false })
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
        wall: wall(built, settings),
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
    Duration::from_secs(seconds(built, settings)) * times(built)
}

/// For how long a test may take: as long as the kata says, or whoever grades, whichever is less.
fn seconds(built: &Built, settings: &Settings) -> u64 {
    let deadline = built.loaded.subject.kata.about.deadline_seconds;
    let of_strangers = settings.trust.sandbox().map(|sandbox| sandbox.limits().seconds);
    [settings.seconds, of_strangers].into_iter().flatten().fold(deadline, u64::min)
}

/// How many times as long as usual its tests may take.
fn times(built: &Built) -> u32 {
    if built.loaded.subject.deep { PATIENT } else { 1 }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::judging::group::Program;
    use crate::judging::sandbox::{Channel, Compiler, Ended};
    use crate::judging::settings::Purpose;
    use crate::judging::stage;
    use crate::repository::Repository;
    use crate::subject::{self, catalog};

    /// Runs nothing. Each program ends in such a way, and how long it could have taken is kept.
    #[derive(Debug)]
    struct Ends {
        ending: Ending,
        limits: verdict::Limits,
        walls: Mutex<Vec<Duration>>,
    }

    impl Sandbox for Ends {
        fn limits(&self) -> &verdict::Limits {
            &self.limits
        }

        fn run(&self, run: &Run<'_>, _: &Cancel) -> Result<Ended> {
            self.walls.lock().unwrap().push(run.wall);
            Ok(Ended {
                ending: self.ending,
                stdout: String::new(),
                stderr: String::new(),
                record: Channel::Silent,
                peak_memory: 0,
                cpu: Duration::ZERO,
                took: run.wall,
                left_behind: 0,
            })
        }

        fn compile_environment(&self, _: &Compiler, _: &Path) -> Result<Vec<(OsString, OsString)>> {
            Ok(Vec::new())
        }

        fn guarded(&self, command: Command) -> Command {
            command
        }
    }

    /// Seconds that the tests of one answer could have taken, one after the other, and which of them were hurried.
    fn given(ending: Ending) -> Vec<(u64, bool)> {
        let repository = Repository::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let kata = catalog::some(&repository, &["lock".to_string()]).unwrap().remove(0);
        let loaded = stage::load(vec![subject::solution(&repository, &kata)], Purpose::Threads).unwrap().remove(0);
        let programs = BTreeMap::from([(Mode::Threads, Program { path: "program".into(), part: None })]);
        let built = Built { loaded, programs, diagnostics: Vec::new(), only_alone: false, trouble: None };
        let limits = verdict::Limits {
            memory: 0,
            output: 0,
            file: 0,
            tasks: 0,
            seconds: 30,
            compile_seconds: 0,
            compile_memory: 0,
        };
        let sandbox = Arc::new(Ends { ending, limits, walls: Mutex::default() });
        let stranger: Arc<dyn Sandbox> = Arc::<Ends>::clone(&sandbox);
        let settings = Settings { trust: Trust::Stranger(stranger), ..Settings::default() };
        let (timeouts, hurried) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let folder = tempfile::tempdir().unwrap();
        for job in jobs_of(0, &built, &settings).iter().take(5) {
            let ran = |run: Ran| hurried.lock().unwrap().push(run.hurried);
            run_job(job, &folder.path().join("job"), &settings, &Cancel::default(), &timeouts, ran).unwrap();
        }
        let walls = sandbox.walls.lock().unwrap().iter().map(Duration::as_secs).collect::<Vec<_>>();
        walls.into_iter().zip(hurried.into_inner().unwrap()).collect()
    }

    #[test]
    fn an_answer_that_never_ends_does_not_get_all_the_time_in_each_test() {
        let (usual, hurried) = ((30, false), (5, true));
        assert_eq!(given(Ending::Exceeded(Exceeded::Wall)), [usual, usual, usual, hurried, hurried]);
        assert_eq!(given(Ending::Signalled(6)), [usual; 5], "what crashes costs no time");
    }
}
