//! A test as a game: the person at the keyboard is the scheduler. A position is a schedule and how many of its choices were made; each
//! question about one is a process of its own, which gets there by replaying them. So going back is a shorter beginning, and nothing
//! has to be kept in step with anything.

pub(crate) mod tree;

use std::collections::BTreeMap;
use std::fs;

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::judging::build::Built;
use pipeline::judging::run;
use pipeline::judging::settings::Settings;
use pipeline::judging::{self, Session};
use pipeline::repository::Repository;
use pipeline::scratch::Scratch;
use pipeline::subject::{Source, Subject};
use verdict::{Ask, Coverage, KataVerdict, Mode, Move, Position, Question, TestVerdict, Trace, Verdict};

/// Lines of source files, by file.
pub(crate) type Lines = BTreeMap<String, Vec<String>>;

/// A test that is built, and can be asked about its positions.
#[derive(Debug)]
pub(crate) struct Player {
    repository: Repository,
    built: Built,
    test: String,
    scratch: Scratch,
}

/// What a test's process says to a question.
struct Answer {
    test: TestVerdict,
    position: Option<Position>,
}

/// Where the game stands.
#[derive(Clone, Debug)]
pub(crate) struct Game {
    /// The kata's name.
    pub(crate) kata: String,
    /// The test's name.
    pub(crate) test: String,
    /// The schedule that is known: the choices that were made, and perhaps how it goes on.
    schedule: String,
    /// The position on it.
    pub(crate) position: Position,
    /// What has happened up to here.
    pub(crate) trace: Trace,
    /// How the test has ended, if it is over.
    pub(crate) end: Option<TestVerdict>,
    /// What there is to say.
    pub(crate) told: Told,
    /// The lines that were quoted so far. A file is read once: the game is about the text that was built.
    pub(crate) lines: Lines,
}

/// What the player wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// This one of the moves, counted from 0.
    Choose(usize),
    /// One choice back.
    Back,
    /// The next choice of the schedule that is known.
    Forward,
    /// To the beginning.
    Restart,
    /// To the last position of the known schedule from which it could still go either way.
    Turn,
    /// Can it still go wrong from here?
    Future,
    /// The shortest way to a failure from here.
    Shortest,
}

/// What there is to say, beside the position.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// Nothing.
    Nothing,
    /// The whole test was explored: its verdict. If it fails, the known schedule is one that does.
    Explored(Box<TestVerdict>),
    /// How the schedules end that go on from here.
    Future(Coverage),
    /// The known schedule fails after so many more choices, as this verdict says.
    Shortest(usize, Box<TestVerdict>),
    /// From here it could still go either way, and these are the schedules after the next choice of the known one; it is the end
    /// of what is known if there are none.
    Turn(Option<Coverage>),
    /// All schedules that were tried end alike: no choice mattered.
    NoTurn(Coverage),
    /// That can't be done here, and why.
    Cannot(String),
}

impl Player {
    /// Builds an answer, and takes its program away, so that others may build while the game lasts. If it breaks a rule or does not
    /// compile for schedules, that is its verdict.
    ///
    /// # Errors
    /// The kata has no such test, or none on schedules; see [`Session::prepare`].
    pub(crate) fn build(
        repository: &Repository,
        subject: Subject,
        test: &str,
        console: &Console,
        cancel: &Cancel,
    ) -> Result<std::result::Result<Player, KataVerdict>> {
        let kata = &subject.kata;
        kata.has_test(test)?;
        if !kata.about.schedules {
            let what = format!("the tests of `{}` run on threads only", kata.name);
            return Err(Error::new(what, "There are no schedules to play; `cargo xtask check` runs them."));
        }
        let (settings, subject) = (Settings::default(), Subject { tests: vec![test.to_string()], ..subject });
        let label = judging::workspace(std::slice::from_ref(&subject));
        let session = Session { repository, settings: &settings, console, cancel };
        let prepared = session.prepare(&label, vec![subject])?;
        match prepared.into_explored() {
            Ok(built) => Player::take(repository, built, test).map(Ok),
            Err(prepared) => Ok(Err(session.examine(&prepared)?.remove(0))),
        }
    }

    fn take(repository: &Repository, mut built: Built, test: &str) -> Result<Player> {
        let scratch = Scratch::new()?;
        if let Some(program) = built.programs.get_mut(&Mode::Schedules) {
            let copy = scratch.path().join(program.path.file_name().unwrap_or_default());
            fs::copy(&program.path, &copy).map_err(Error::io("copy", &program.path))?;
            program.path = copy;
        }
        Ok(Player { repository: repository.clone(), built, test: test.to_string(), scratch })
    }

    fn ask(&self, schedule: Option<&str>, question: Question, after: usize, cancel: &Cancel) -> Result<Answer> {
        let (replay, ask) = (schedule.map(str::to_string), Some(Ask { question, after }));
        let settings = Settings { replay, ask, ..Settings::default() };
        let folder = self.scratch.path().join("question");
        let mut run = run::run_test(&self.built, &self.test, Mode::Schedules, &folder, &settings, cancel)?;
        let mut position = run.record.as_mut().and_then(|record| record.position.take());
        let own = |text: &str| self.built.with_own_paths(&self.repository, Mode::Schedules, text);
        position.iter_mut().for_each(|position| position.for_each_file(own));
        let Some(test) = judging::judged(&self.repository, &self.built, run) else {
            let what = format!("the test `{}` runs on threads only", self.test);
            return Err(Error::new(what, "There are no schedules to play; `cargo xtask check` runs it."));
        };
        // What is broken has no kind: a schedule that does not fit, or a test that is no good.
        if test.verdict == Verdict::Failed && test.kind.is_none() {
            let next = "Copy the schedule from a failed check of this test; it fits only the code that was checked.";
            return Err(Error::new(test.message, next));
        }
        Ok(Answer { test, position })
    }

    /// Adds the lines that are named and not known yet.
    fn read(&self, lines: &mut Lines, answer: &Answer) {
        let traced = answer.test.trace.iter().flat_map(|trace| trace.locations());
        let moves = answer.position.iter().flat_map(|position| &position.moves);
        for at in traced.chain(moves.map(|next| &next.step.at)) {
            lines.entry(at.file.clone()).or_insert_with(|| {
                let subject = &self.built.loaded.subject;
                let text = match &subject.source {
                    Source::Made(text) if at.file == subject.name => text.clone(),
                    _ => fs::read_to_string(self.repository.root().join(&at.file)).unwrap_or_default(),
                };
                text.lines().map(|line| line.trim().to_string()).collect()
            });
        }
    }
}

impl Game {
    /// Begins a game: after these choices, or at the beginning of a schedule that fails, if one does.
    ///
    /// # Errors
    /// The schedule does not fit, the test has no schedules, `cancel` was raised; the test leaves no schedule, since its process
    /// ended in the middle of one.
    pub(crate) fn begin(player: &Player, schedule: Option<&str>, cancel: &Cancel) -> Result<Game> {
        let mut game = Game {
            kata: player.built.loaded.subject.kata.name.clone(),
            test: player.test.clone(),
            schedule: schedule.unwrap_or_default().to_string(),
            position: Position::default(),
            trace: Trace::default(),
            end: None,
            told: Told::Nothing,
            lines: Lines::new(),
        };
        if schedule.is_some() {
            game.go(player, usize::MAX, cancel)?;
            return Ok(game);
        }
        let answer = player.ask(None, Question::Next, 0, cancel)?;
        let Some(trace) = &answer.test.trace else {
            let what = format!("the test `{}` can't be played: {}", game.test, answer.test.message);
            return Err(Error::new(what, "`cargo xtask check` explains it."));
        };
        game.schedule.clone_from(&trace.schedule);
        game.told = Told::Explored(Box::new(answer.test.clone()));
        match answer.position {
            Some(_) => game.stand(player, answer)?,
            None => game.go(player, 0, cancel)?,
        }
        Ok(game)
    }

    /// Whether the test has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.position.moves.is_empty()
    }

    /// The move that comes next where nobody asks for anything else.
    pub(crate) fn usual(&self) -> Option<usize> {
        self.position.moves.iter().position(|next| next.usual)
    }

    /// The next choice of the known schedule.
    pub(crate) fn known(&self) -> Option<&Move> {
        self.position.moves.iter().find(|next| next.follows)
    }

    /// Does what the player wants. What can't be done is told, and nothing changes.
    ///
    /// # Errors
    /// `cancel` was raised, or the test's process could not be asked.
    pub(crate) fn act(&mut self, player: &Player, action: Action, cancel: &Cancel) -> Result<()> {
        self.told = Told::Nothing;
        let after = self.position.after;
        match action {
            Action::Choose(number) => match self.position.moves.get(number).cloned() {
                Some(next) if next.follows => self.go(player, after + 1, cancel),
                Some(next) => {
                    let before = std::mem::replace(&mut self.schedule, next.schedule);
                    self.go(player, usize::MAX, cancel).inspect_err(|_| self.schedule = before)
                }
                None if self.is_over() => self.cannot("It is over: u goes back, r begins anew."),
                None => self.cannot(&format!("Nobody has the number {}.", number + 1)),
            },
            Action::Back if after == 0 => self.cannot("This is the beginning."),
            Action::Back => self.go(player, after - 1, cancel),
            Action::Forward if self.is_over() => self.cannot("It is over: u goes back, r begins anew."),
            Action::Forward if self.known().is_none() => self.cannot("Nothing is known from here: choose who goes on."),
            Action::Forward => self.go(player, after + 1, cancel),
            Action::Restart => self.go(player, 0, cancel),
            Action::Turn => self.turn(player, cancel),
            Action::Future => {
                let answer = player.ask(Some(&self.schedule), Question::Future, after, cancel)?;
                self.told = Told::Future(answer.test.coverage.unwrap_or_default());
                Ok(())
            }
            Action::Shortest => self.shortest(player, cancel),
        }
    }

    fn cannot(&mut self, why: &str) -> Result<()> {
        self.told = Told::Cannot(why.to_string());
        Ok(())
    }

    fn turn(&mut self, player: &Player, cancel: &Cancel) -> Result<()> {
        let answer = player.ask(Some(&self.schedule), Question::Turn, 0, cancel)?;
        let coverage = answer.test.coverage.unwrap_or_default();
        let Some(position) = &answer.position else {
            self.told = Told::NoTurn(coverage);
            return Ok(());
        };
        self.told = Told::Turn((position.after < position.of).then_some(coverage));
        self.stand(player, answer)
    }

    fn shortest(&mut self, player: &Player, cancel: &Cancel) -> Result<()> {
        let after = self.position.after;
        let answer = player.ask(Some(&self.schedule), Question::Future, after, cancel)?;
        let Some(trace) = answer.test.trace.as_ref().filter(|_| answer.test.verdict == Verdict::Failed) else {
            self.told = Told::Future(answer.test.coverage.unwrap_or_default());
            return Ok(());
        };
        let before = std::mem::replace(&mut self.schedule, trace.schedule.clone());
        self.go(player, after, cancel).inspect_err(|_| self.schedule = before)?;
        self.told = Told::Shortest(self.position.of - after, Box::new(answer.test));
        Ok(())
    }

    /// Goes to the position after so many choices of the known schedule.
    fn go(&mut self, player: &Player, after: usize, cancel: &Cancel) -> Result<()> {
        let answer = player.ask(Some(&self.schedule), Question::Next, after, cancel)?;
        self.stand(player, answer)
    }

    fn stand(&mut self, player: &Player, answer: Answer) -> Result<()> {
        player.read(&mut self.lines, &answer);
        let Answer { test, position } = answer;
        let (Some(position), Some(trace)) = (position, &test.trace) else {
            let what = format!("the test's process ended on the way: {}", test.message);
            return Err(Error::new(what, "`cargo xtask check` explains it."));
        };
        self.trace = trace.clone();
        self.position = position;
        self.end = self.is_over().then_some(test);
        Ok(())
    }
}
