//! `watch`: the learner's screen. Where there is no terminal for it, a check on every save, in plain lines.

use std::io::{BufRead, IsTerminal, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::judging::settings::Settings;
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::subject;
use pipeline::subject::catalog::{self, Kata};
use verdict::SubjectVerdict;

use crate::progress::Progress;
use crate::render::{self, report};
use crate::saves::{self, Saves};

/// How often saves, and Ctrl-C, are looked at.
const LOOK: Duration = Duration::from_millis(60);

/// Watches until the learner leaves. The screen begins with the kata of that name, plain lines are about it alone; without a name both
/// are about every kata.
pub(crate) fn run(repository: &Repository, name: Option<&str>) -> Result<bool> {
    let all = catalog::all(repository)?;
    let named = name.map(|name| catalog::one(repository, name)).transpose()?;
    let Some(first) = named.clone().or_else(|| saves::at_hand(repository, &all)) else {
        return Err(Error::new("there is no kata to watch", "A fresh checkout has them in katas/."));
    };
    #[cfg(unix)]
    if crate::screen::is_possible() {
        return crate::screen::run(repository, &all, &first.name);
    }
    plain_lines(repository, &named.map_or(all, |kata| vec![kata]), first)
}

/// Checks on every save until `q` and Enter, or Ctrl-C. A save during a check stops that check and starts anew.
fn plain_lines(repository: &Repository, katas: &[Arc<Kata>], first: Arc<Kata>) -> Result<bool> {
    let ctrl_c = Cancel::by_ctrl_c();
    let quits = Arc::new(AtomicBool::new(false));
    if stdin().is_terminal() {
        let quits = Arc::clone(&quits);
        thread::spawn(move || {
            let lines = stdin().lock().lines().map_while(|line| line.ok());
            let mut typed = lines.skip_while(|line| line.trim() != "q");
            quits.store(typed.next().is_some(), Ordering::SeqCst);
        });
    }
    let mut saves = Saves::of(katas);
    render::print("Watching. Save to check; `q` and Enter, or Ctrl-C, ends it.\n");
    let mut wanted = Some(first);
    while let Some(kata) = wanted.take() {
        render::print(&separator(&kata.name));
        let cancel = ctrl_c.child();
        let check = {
            let (repository, kata, cancel) = (repository.clone(), Arc::clone(&kata), cancel.clone());
            thread::spawn(move || check(&repository, &kata, &cancel))
        };
        while wanted.is_none() && !quits.load(Ordering::SeqCst) && !ctrl_c.is_raised() {
            thread::sleep(LOOK);
            wanted = saves.look().and_then(|name| katas.iter().find(|kata| kata.name == name).cloned());
        }
        cancel.raise();
        // Whatever it started is gone when it returns.
        let _ = check.join();
        if ctrl_c.is_raised() {
            return Err(Error::Interrupted);
        }
    }
    Ok(true)
}

/// What divides one check from the next: the kata and the time.
fn separator(kata: &str) -> String {
    format!("\n──── {kata} ──── {} ────\n", render::time_of_day())
}

/// Checks one kata. What is wrong with the environment is shown, and the watch goes on.
fn check(repository: &Repository, kata: &Arc<Kata>, cancel: &Cancel) {
    match try_check(repository, kata, cancel) {
        Ok(()) | Err(Error::Interrupted) => {}
        Err(error) => render::error(&error),
    }
}

fn try_check(repository: &Repository, kata: &Arc<Kata>, cancel: &Cancel) -> Result<()> {
    let console = Console::new(false);
    let subject = subject::learner(repository, kata);
    let label = judging::workspace(std::slice::from_ref(&subject));
    let settings = Settings::default();
    let session = Session { repository, settings: &settings, console: &console, cancel };
    let verdicts = session.examine(&session.prepare(&label, vec![subject])?)?;
    console.clear();
    let audience = report::Audience { whose: String::new(), sources: repository, all: false, test: None };
    let mut progress = Progress::read(repository);
    for verdict in &verdicts {
        render::print(&report::verdict(verdict, kata, &audience));
        progress.note(verdict);
        if verdict.verdict == SubjectVerdict::Passed {
            render::print("Still watching. `cargo xtask` shows what is next.\n");
        }
    }
    progress.write(repository)
}
