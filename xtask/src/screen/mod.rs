//! The learner's screen: keys, saves and what checks say are events; the model changes with each and says what else is to be done; the
//! view draws the model. Only this file and the terminal do anything.

mod editor;
mod keys;
mod model;
pub(crate) mod play;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod view;

use std::fs;
use std::io::{IsTerminal, stdin, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pipeline::cancel::Cancel;
use pipeline::console::{self, Console};
use pipeline::error::{Error, Result};
use pipeline::judging::settings::Settings;
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::subject;
use pipeline::subject::catalog::Kata;
use verdict::TestVerdict;

use crate::lesson;
use crate::progress::Progress;
use crate::render;
use crate::saves::Saves;
use crate::stub;

use model::{Effect, Entry, Event, Lines, Model, News, Pane};
use terminal::{Closed, Terminal};

/// How long keys are waited for before everything else is looked at: shorter than anybody notices.
const LOOK: Duration = Duration::from_millis(20);
/// How often the learner's files are looked at. A save is over when they stayed the same from one look to the next.
const SAVES: Duration = Duration::from_millis(60);

/// Whether a screen can be drawn, and keys be read.
pub(crate) fn is_possible() -> bool {
    let can_draw = std::env::var("TERM").is_ok_and(|terminal| !terminal.is_empty() && terminal != "dumb");
    can_draw && stdin().is_terminal() && stdout().is_terminal()
}

/// What is done for the screen.
struct Host<'a> {
    repository: &'a Repository,
    katas: &'a [Arc<Kata>],
    ctrl_c: Cancel,
    sender: Sender<(u64, News)>,
    /// The check that runs, or ran last.
    check: Option<(Cancel, JoinHandle<()>)>,
}

/// Shows the screen, beginning with that kata, until the learner leaves it.
///
/// # Errors
/// The terminal can't be used, or the learner left with Ctrl-C.
pub(crate) fn run(repository: &Repository, katas: &[Arc<Kata>], first: &str) -> Result<bool> {
    let ctrl_c = Cancel::by_ctrl_c();
    let (sender, news) = mpsc::channel();
    let mut host = Host { repository, katas, ctrl_c: ctrl_c.clone(), sender, check: None };
    let mut terminal = Terminal::open().map_err(cannot_use)?;
    let mut saves = Saves::of(katas);
    let current = katas.iter().position(|kata| kata.name == first).unwrap_or(0);
    let (mut model, effects) = Model::new(entries(repository, katas), current, terminal.size());
    let mut left = host.follow(&mut model, &mut terminal, effects);
    let (mut looked, mut second) = (Instant::now(), Instant::now());
    let mut is_new = true;
    while left.is_none() {
        let mut events = Vec::new();
        if terminal.size() != model.size {
            let (width, height) = terminal.size();
            events.push(Event::Size(width, height));
        }
        if std::mem::take(&mut is_new) && terminal.draw(&view::frame(&model).lines).is_err() {
            break;
        }
        match terminal.keys(LOOK) {
            Ok(keys) => events.extend(keys.into_iter().map(Event::Key)),
            Err(Closed) => break,
        }
        while let Ok((number, news)) = news.try_recv() {
            events.extend(host.noted(number, news));
        }
        if looked.elapsed() >= SAVES {
            looked = Instant::now();
            events.extend(saves.look().map(Event::Saved));
        }
        if second.elapsed() >= Duration::from_secs(1) {
            second = Instant::now();
            terminal.distrust();
            events.push(Event::Second);
        }
        if ctrl_c.is_raised() {
            left = Some(true);
        }
        is_new = !events.is_empty();
        for event in events {
            let effects = model.update(event);
            left = left.or(host.follow(&mut model, &mut terminal, effects));
        }
    }
    drop(terminal);
    host.stop();
    match left {
        Some(false) => Ok(true),
        // Ctrl-C, or nobody is there any more.
        _ => Err(Error::Interrupted),
    }
}

fn cannot_use(error: std::io::Error) -> Error {
    Error::new(format!("cannot use this terminal: {error}"), "`cargo xtask check` needs none.")
}

fn entries(repository: &Repository, katas: &[Arc<Kata>]) -> Vec<Entry> {
    let progress = Progress::read(repository);
    let entry = |kata: &Arc<Kata>| Entry {
        name: kata.name.clone(),
        title: kata.about.title.clone(),
        summary: kata.about.summary.clone(),
        tests: kata.tests.clone(),
        state: progress.state(repository, kata),
        score: progress.score(&kata.name),
    };
    katas.iter().map(entry).collect()
}

impl Host<'_> {
    /// Does what is to be done, and whatever that brings with it. Says whether the screen is left, and if so, whether by Ctrl-C.
    fn follow(&mut self, model: &mut Model, terminal: &mut Terminal, effects: Vec<Effect>) -> Option<bool> {
        let mut open = effects;
        while let Some(effect) = open.pop() {
            let event = match effect {
                Effect::Leave { interrupted } => return Some(interrupted),
                Effect::Check(kata) => {
                    self.start(kata, model.number);
                    None
                }
                Effect::Open(file, line) => {
                    editor::open(terminal, self.repository.root(), &file, line).map(Event::Note)
                }
                Effect::Play(test) => {
                    match play::of(self.repository, &self.katas[model.current], &test, terminal, &self.ctrl_c) {
                        Ok(()) => None,
                        Err(Error::Interrupted) => return Some(true),
                        Err(error) => Some(Event::Note(first_line(&error))),
                    }
                }
                Effect::Suspend => {
                    suspend(terminal);
                    None
                }
                Effect::Redraw => {
                    terminal.distrust();
                    None
                }
                Effect::Hint => Some(self.hint(&self.katas[model.current])),
                Effect::Lesson => Some(self.lesson(&self.katas[model.current])),
                Effect::Solution => Some(self.solution(&self.katas[model.current])),
                Effect::Reset => Some(self.reset(&self.katas[model.current])),
            };
            open.extend(event.into_iter().flat_map(|event| model.update(event)));
        }
        None
    }

    /// Stops the check that runs and starts another one. The new one waits for the old one to be gone; keys wait for neither.
    fn start(&mut self, kata: Option<usize>, number: u64) {
        let before = self.check.take().map(|(cancel, check)| {
            cancel.raise();
            check
        });
        let katas = kata.map_or_else(|| self.katas.to_vec(), |kata| vec![Arc::clone(&self.katas[kata])]);
        let (cancel, repository, sender) = (self.ctrl_c.child(), self.repository.clone(), self.sender.clone());
        let in_thread = cancel.clone();
        let check = thread::spawn(move || {
            let _ = before.map(JoinHandle::join);
            // Nobody hears it once the screen is gone.
            let say = |news| drop(sender.send((number, news)));
            let checked = AssertUnwindSafe(|| check(&repository, &katas, number, &sender, &in_thread));
            match catch_unwind(checked) {
                Ok(Ok(())) => say(News::Done(render::time_of_day())),
                Ok(Err(Error::Interrupted)) => {}
                Ok(Err(error)) => say(News::Broken(error.to_string())),
                Err(_) => say(News::Broken("The checker panicked, which is a mistake of ours.".to_string())),
            }
        });
        self.check = Some((cancel, check));
    }

    /// Waits until nothing runs any more.
    fn stop(&mut self) {
        if let Some((cancel, check)) = self.check.take() {
            cancel.raise();
            let _ = check.join();
        }
    }

    /// What a check said, and what follows for the course.
    fn noted(&self, number: u64, news: News) -> Vec<Event> {
        let mut events = Vec::new();
        if let News::Verdict(verdict) = &news {
            let mut progress = Progress::read(self.repository);
            progress.note(verdict);
            if let Err(error) = progress.write(self.repository) {
                events.push(Event::Note(format!("The course map was not updated: {error}")));
            }
            events.extend(self.katas.iter().find(|kata| kata.name == verdict.kata).map(|kata| self.state(kata)));
        }
        events.push(Event::News(number, news));
        events
    }

    fn state(&self, kata: &Kata) -> Event {
        let progress = Progress::read(self.repository);
        Event::State(kata.name.clone(), progress.state(self.repository, kata), progress.score(&kata.name))
    }

    fn hint(&self, kata: &Kata) -> Event {
        match lesson::reveal(self.repository, kata) {
            Ok((hints, _)) if hints.is_empty() => Event::Note(format!("{} has no hints.", kata.name)),
            Ok((shown, of)) => {
                // The newest one first: it is what was asked for.
                let markdown = shown.iter().rev().cloned().collect::<Vec<_>>().join("\n\n");
                Event::Show(Pane::Page { title: format!("Hint {} of {of}", shown.len()), markdown })
            }
            Err(error) => Event::Note(first_line(&error)),
        }
    }

    fn lesson(&self, kata: &Kata) -> Event {
        match lesson::text(kata) {
            Ok(markdown) => Event::Show(Pane::Page { title: "Lesson".to_string(), markdown }),
            Err(error) => Event::Note(first_line(&error)),
        }
    }

    fn solution(&self, kata: &Kata) -> Event {
        let path = self.repository.solution(&kata.name).join("src/lib.rs");
        match fs::read_to_string(&path).map_err(Error::io("read", &path)) {
            Ok(text) => Event::Show(Pane::File { title: self.repository.relative(&path), text }),
            Err(error) => Event::Note(first_line(&error)),
        }
    }

    fn reset(&self, kata: &Kata) -> Event {
        match stub::restore(self.repository, kata) {
            Ok(Some(kept)) => {
                Event::Note(format!("It is the stub again. Your work is in {}.", self.repository.relative(&kept)))
            }
            Ok(None) => Event::Note("It is the stub already; nothing to reset.".to_string()),
            Err(error) => Event::Note(first_line(&error)),
        }
    }
}

fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

/// Stops as a shell's job does, together with the cargo that started us, until the shell goes on with it.
fn suspend(terminal: &mut Terminal) {
    terminal.leave();
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    // Where the terminal is gone, the next look at its keys tells.
    let _ = terminal.enter();
}

/// Checks katas: the learner's own answers.
fn check(
    repository: &Repository,
    katas: &[Arc<Kata>],
    number: u64,
    sender: &Sender<(u64, News)>,
    cancel: &Cancel,
) -> Result<()> {
    let (told, files) = (sender.clone(), repository.clone());
    let console = Console::telling(move |event| {
        let news = match event {
            console::Event::Judged(test) => Some(News::Judged(Box::new(test.clone()), quoted(&files, test))),
            event => event.in_words().map(News::Doing),
        };
        let _ = news.map(|news| told.send((number, news)));
    });
    let subjects: Vec<_> = katas.iter().map(|kata| subject::learner(repository, kata)).collect();
    let label = judging::workspace(&subjects);
    let settings = Settings::default();
    let session = Session { repository, settings: &settings, console: &console, cancel };
    session.examine_each(&session.prepare(&label, subjects)?, |_, verdict| {
        let _ = sender.send((number, News::Verdict(Box::new(verdict))));
        Ok(())
    })
}

/// The lines of the files that the test's schedule names, as they are now.
fn quoted(repository: &Repository, test: &TestVerdict) -> Lines {
    let mut lines = Lines::new();
    for at in test.trace.iter().flat_map(|trace| trace.locations()) {
        lines.entry(at.file.clone()).or_insert_with(|| {
            let text = fs::read_to_string(repository.root().join(&at.file)).unwrap_or_default();
            text.lines().map(|line| line.trim().to_string()).collect()
        });
    }
    lines
}
