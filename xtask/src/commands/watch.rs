//! `watch`: a check on every save. A save during a check stops that check and starts anew.

use std::io::{BufRead, IsTerminal, stdin};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use verdict::SubjectVerdict;

use crate::cancel::Cancel;
use crate::catalog::{self, Kata};
use crate::console::Console;
use crate::error::{Error, Result};
use crate::pipeline;
use crate::progress::{Progress, State};
use crate::render::{self, report};
use crate::repository::Repository;
use crate::settings::Settings;
use crate::subject;

/// What `watch` reacts to.
enum Event {
    /// A source file of that kata changed.
    Saved(String),
    /// `q` and Enter.
    Quit,
}

/// Editors write a file in several steps; a save is over when nothing more comes for that long.
const DEBOUNCE: Duration = Duration::from_millis(60);
/// How often Ctrl-C is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Watches one kata, or all of them, until `q` or Ctrl-C.
pub(crate) fn run(repository: &Repository, name: Option<&str>) -> Result<bool> {
    let katas = match name {
        Some(name) => vec![catalog::one(repository, name)?],
        None => catalog::all(repository)?,
    };
    let ctrl_c = Cancel::by_ctrl_c();
    let (sender, events) = mpsc::channel();
    let _watcher = watch_sources(&katas, &sender)?;
    if stdin().is_terminal() {
        thread::spawn(move || wait_for_q(&sender));
    }
    let first = name.map_or_else(|| first_open(repository, &katas), |name| Some(name.to_string()));
    let mut wanted = first;
    render::print("Watching. Save to check; `q` and Enter, or Ctrl-C, ends it.\n");
    loop {
        let running = wanted.take().and_then(|name| katas.iter().find(|kata| kata.name == name)).map(|kata| {
            let (cancel, repository, kata) = (ctrl_c.child(), repository.clone(), Arc::clone(kata));
            let in_thread = cancel.clone();
            (cancel, thread::spawn(move || check(&repository, &kata, &in_thread)))
        });
        let next = next_save(&events, &ctrl_c);
        if let Some((cancel, check)) = running {
            cancel.raise();
            // Whatever it started is gone when it returns.
            let _ = check.join();
        }
        match next? {
            Some(name) => wanted = Some(name),
            None => return Ok(true),
        }
    }
}

/// Waits for the next save, and until it is over; nothing if the person quits.
fn next_save(events: &Receiver<Event>, ctrl_c: &Cancel) -> Result<Option<String>> {
    let mut saved = None;
    loop {
        if ctrl_c.is_raised() {
            return Err(Error::Interrupted);
        }
        match events.recv_timeout(if saved.is_some() { DEBOUNCE } else { LOOK }) {
            Ok(Event::Saved(name)) => saved = Some(name),
            Ok(Event::Quit) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if saved.is_some() => return Ok(saved),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
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
    let label = format!("check-{}", subject.id);
    let settings = Settings::default();
    let prepared = pipeline::prepare(repository, &label, vec![subject], &settings, &console, cancel)?;
    let verdicts = pipeline::examine(repository, &prepared, &settings, &console, cancel)?;
    console.clear();
    let audience = report::Audience { whose: String::new(), sources: repository };
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

/// The first kata that is not solved.
fn first_open(repository: &Repository, katas: &[Arc<Kata>]) -> Option<String> {
    let progress = Progress::read(repository);
    let open = |kata: &&Arc<Kata>| progress.state(repository, kata) != State::Solved;
    katas.iter().find(open).map(|kata| kata.name.clone())
}

fn watch_sources(katas: &[Arc<Kata>], sender: &Sender<Event>) -> Result<impl Watcher + use<>> {
    let cannot = |error: notify::Error| {
        Error::new(format!("cannot watch the katas: {error}"), "`cargo xtask check KATA` works without watching.")
    };
    let folders: Vec<_> = katas.iter().map(|kata| (kata.name.clone(), kata.folder.join("src"))).collect();
    let (watched, sender) = (folders.clone(), sender.clone());
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        if event.kind.is_access() {
            return;
        }
        for (name, folder) in &watched {
            let inside = |path: &Path| path.starts_with(folder) && path.extension().is_some_and(|end| end == "rs");
            if event.paths.iter().any(|path| inside(path)) {
                let _ = sender.send(Event::Saved(name.clone()));
            }
        }
    })
    .map_err(cannot)?;
    for (_, folder) in &folders {
        watcher.watch(folder, RecursiveMode::Recursive).map_err(cannot)?;
    }
    Ok(watcher)
}

fn wait_for_q(sender: &Sender<Event>) {
    for line in stdin().lock().lines().map_while(|line| line.ok()) {
        if line.trim() == "q" {
            let _ = sender.send(Event::Quit);
            return;
        }
    }
}
