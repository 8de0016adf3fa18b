//! What the learner's screen shows, and how it changes: pure data, so that a test needs no terminal.

use std::collections::BTreeMap;

use verdict::{KataVerdict, Kind, SubjectVerdict, TestVerdict};

use crate::progress::State;
use crate::render::report;
use crate::screen::keys::Key;
use crate::screen::view;

/// Lines of source files, by file: what a schedule quotes, as it was when it was checked.
pub(crate) type Lines = BTreeMap<String, Vec<String>>;

/// A kata of the course.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// Its title.
    pub(crate) title: String,
    /// What the learner builds, in one line.
    pub(crate) summary: String,
    /// The names of its tests, in the order of the contract.
    pub(crate) tests: Vec<String>,
    /// Where the learner stands.
    pub(crate) state: State,
    /// Points of the last check, and points to be had.
    pub(crate) score: Option<(u32, u32)>,
}

/// A test of this check or, while nothing newer is known, of the one before.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// The verdict, in one mode.
    pub(crate) test: TestVerdict,
    /// The lines that its schedule names.
    pub(crate) lines: Lines,
    /// Whether it is of the check before.
    pub(crate) stale: bool,
}

/// What the checker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// It works.
    Running {
        /// At what.
        doing: String,
        /// For how many seconds.
        seconds: u64,
    },
    /// It was done at that time.
    Done(String),
    /// It could not do its work; what happened, and the way out.
    Broken(String),
}

/// What fills the room below the tests, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Why the chosen test failed, or what is next.
    Verdict,
    /// A text with a title, in Markdown: hints, the lesson.
    Page { title: String, markdown: String },
    /// A file: the reference solution.
    File { title: String, text: String },
    /// The katas.
    List { search: String, filter: Option<State>, at: usize },
    /// Every key.
    Help,
    /// Whether the stub is to come back.
    Reset,
}

/// The screen.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// Columns and rows of the terminal.
    pub(crate) size: (usize, usize),
    /// The katas, in the order of the course.
    pub(crate) katas: Vec<Entry>,
    /// The kata that is shown.
    pub(crate) current: usize,
    /// What the checker does.
    pub(crate) check: Check,
    /// Counts checks: what an older one says is not heard any more.
    pub(crate) number: u64,
    /// What is known of the tests of this kata, by name.
    pub(crate) tests: BTreeMap<String, Vec<Judged>>,
    /// The verdict on the whole, once it stands; until the first news of a new check, that of the one before.
    pub(crate) verdict: Option<KataVerdict>,
    /// The failing test that was chosen; the first one if it passes by now.
    pub(crate) chosen: Option<String>,
    /// What fills the room.
    pub(crate) pane: Pane,
    /// How many lines of it are scrolled away.
    pub(crate) scroll: usize,
    /// Something to be said once, in the place of the keys.
    pub(crate) note: Option<String>,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A key was pressed.
    Key(Key),
    /// The terminal has so many columns and rows.
    Size(usize, usize),
    /// The files of that kata were saved.
    Saved(String),
    /// A check says something.
    News(u64, News),
    /// A second has passed.
    Second,
    /// That is to be shown.
    Show(Pane),
    /// That is to be said.
    Note(String),
    /// Where the learner stands with that kata.
    State(String, State, Option<(u32, u32)>),
}

/// What a check says.
#[derive(Debug)]
pub(crate) enum News {
    /// What it does now.
    Doing(String),
    /// A test was judged.
    Judged(Box<TestVerdict>, Lines),
    /// A kata was judged.
    Verdict(Box<KataVerdict>),
    /// It is done, at that time.
    Done(String),
    /// It could not do its work.
    Broken(String),
}

/// What is to be done because of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Stop the check that runs, and check that kata; all of them without one.
    Check(Option<usize>),
    /// Play that test of the kata.
    Play(String),
    /// Open a file of the kata at that line.
    Open(String, u32),
    /// Bring the stub back.
    Reset,
    /// Reveal a hint and show what was revealed.
    Hint,
    /// Show the lesson.
    Lesson,
    /// Show the reference solution.
    Solution,
    /// Stop as Ctrl-Z does.
    Suspend,
    /// Draw everything anew: somebody else wrote on the screen.
    Redraw,
    /// Leave; interrupted, or as it should be.
    Leave {
        /// By Ctrl-C.
        interrupted: bool,
    },
}

impl Model {
    /// The screen at its beginning, and the first thing to do.
    pub(crate) fn new(katas: Vec<Entry>, current: usize, size: (usize, usize)) -> (Model, Vec<Effect>) {
        let mut model = Model {
            size,
            katas,
            current,
            check: Check::Done(String::new()),
            number: 0,
            tests: BTreeMap::new(),
            verdict: None,
            chosen: None,
            pane: Pane::Verdict,
            scroll: 0,
            note: None,
        };
        let effects = model.begin(Some(current));
        (model, effects)
    }

    /// The kata that is shown.
    pub(crate) fn kata(&self) -> &Entry {
        &self.katas[self.current]
    }

    /// The learner's file.
    pub(crate) fn file(&self) -> String {
        format!("katas/{}/src/lib.rs", self.kata().name)
    }

    /// The tests that fail for a reason that is worth telling, in the order of the contract.
    pub(crate) fn failing(&self) -> Vec<&Judged> {
        let of = |name: &String| self.tests.get(name)?.iter().find(|judged| report::is_worth_telling(&judged.test));
        self.kata().tests.iter().filter_map(of).collect()
    }

    /// The place of the chosen one among the failing ones.
    pub(crate) fn chosen(&self) -> usize {
        let is_chosen = |judged: &&Judged| Some(&judged.test.name) == self.chosen.as_ref();
        self.failing().iter().position(is_chosen).unwrap_or(0)
    }

    /// Whether everything passed.
    pub(crate) fn is_solved(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.verdict == SubjectVerdict::Passed)
    }

    /// Whether the reference solution may be looked at.
    pub(crate) fn may_see_solution(&self) -> bool {
        self.is_solved() || self.kata().state == State::Solved
    }

    /// The next kata that is not solved; from here on, then from the beginning.
    pub(crate) fn next_open(&self) -> Option<usize> {
        let behind = self.current + 1..self.katas.len();
        behind.chain(0..self.current).find(|kata| self.katas[*kata].state != State::Solved)
    }

    /// The katas that a list shows.
    pub(crate) fn listed(&self, search: &str, filter: Option<State>) -> Vec<usize> {
        let search = search.to_lowercase();
        let fits = |kata: &usize| {
            let Entry { name, title, summary, state, .. } = &self.katas[*kata];
            let text = format!("{name} {title} {summary}").to_lowercase();
            text.contains(&search) && filter.is_none_or(|wanted| *state == wanted)
        };
        (0..self.katas.len()).filter(fits).collect()
    }

    /// The place that the learner wants to look at: where the chosen test fails, where the compiler objects, where a `todo!()` is.
    pub(crate) fn place(&self) -> (String, u32) {
        let own = format!("katas/{}/", self.kata().name);
        let objected = self.verdict.iter().flat_map(|verdict| &verdict.diagnostics);
        let objected = objected.filter_map(|one| Some((one.file.clone()?, one.line?)));
        let failing = self.failing();
        let traced = failing.get(self.chosen()).and_then(|judged| judged.test.trace.as_ref()).into_iter();
        // Where threads still wait; the last step of the learner's otherwise.
        let waits = |trace: &&verdict::Trace| {
            let of = |waiting: &verdict::Waiting| waiting.waits_for.as_ref().map(|waits| waits.at.clone());
            let steps = trace.steps.iter().rev().map(|step| step.at.clone());
            trace.waiting.iter().filter_map(of).chain(steps).collect::<Vec<_>>()
        };
        let traced = traced.flat_map(|trace| waits(&trace)).map(|at| (at.file, at.line));
        let told = failing.get(self.chosen()).map(|judged| judged.test.message.clone());
        let unsolved = self.tests.values().flatten().find(|judged| judged.test.kind == Some(Kind::Unsolved));
        let told = told.or(unsolved.map(|judged| judged.test.message.clone()));
        // Messages name the learner's file without its folders.
        let whole = |(file, line)| (if file == "lib.rs" { self.file() } else { file }, line);
        let told = told.iter().flat_map(|message| places(message)).map(whole).collect::<Vec<_>>();
        let mut places = objected.chain(traced).chain(told);
        places.find(|(file, _)| file.starts_with(&own) && file.contains("/src/")).unwrap_or((self.file(), 1))
    }

    /// Starts a check.
    fn begin(&mut self, kata: Option<usize>) -> Vec<Effect> {
        self.number += 1;
        self.check = Check::Running { doing: "building".to_string(), seconds: 0 };
        self.tests.values_mut().flatten().for_each(|judged| judged.stale = true);
        vec![Effect::Check(kata)]
    }

    /// Shows another kata.
    fn go(&mut self, kata: usize) -> Vec<Effect> {
        self.current = kata;
        self.tests.clear();
        (self.verdict, self.chosen) = (None, None);
        self.show(Pane::Verdict);
        self.begin(Some(kata))
    }

    fn show(&mut self, pane: Pane) {
        (self.pane, self.scroll) = (pane, 0);
    }

    fn state(&mut self, kata: &str, state: State, score: Option<(u32, u32)>) {
        for entry in self.katas.iter_mut().filter(|entry| entry.name == kata) {
            (entry.state, entry.score) = (state, score);
        }
    }

    /// Changes the screen as the event says, and tells what else is to be done.
    pub(crate) fn update(&mut self, event: Event) -> Vec<Effect> {
        let effects = match event {
            Event::Key(key) => self.key(key),
            Event::Size(width, height) => {
                self.size = (width, height);
                Vec::new()
            }
            Event::Saved(name) => match self.katas.iter().position(|kata| kata.name == name) {
                Some(kata) if kata != self.current => self.go(kata),
                Some(kata) => self.begin(Some(kata)),
                None => Vec::new(),
            },
            Event::News(number, news) if number == self.number => {
                self.hear(news);
                Vec::new()
            }
            Event::News(..) => Vec::new(),
            Event::Second => {
                if let Check::Running { seconds, .. } = &mut self.check {
                    *seconds += 1;
                }
                Vec::new()
            }
            Event::Show(pane) => {
                self.show(pane);
                Vec::new()
            }
            Event::Note(note) => {
                self.note = Some(note);
                Vec::new()
            }
            Event::State(kata, state, score) => {
                self.state(&kata, state, score);
                Vec::new()
            }
        };
        self.scroll = self.scroll.min(view::frame(self).most);
        effects
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Doing(what) => {
                if let Check::Running { doing, .. } = &mut self.check {
                    *doing = what;
                }
            }
            News::Judged(test, lines) => {
                // Another kata's, while all are checked.
                if !self.kata().tests.contains(&test.name) {
                    return;
                }
                self.verdict = None;
                let judged = self.tests.entry(test.name.clone()).or_default();
                judged.retain(|judged| !judged.stale);
                judged.push(Judged { test: *test, lines, stale: false });
            }
            News::Verdict(verdict) => {
                if verdict.kata == self.kata().name {
                    // What was not run, since it does not compile, say, is not known any more.
                    self.tests.values_mut().for_each(|judged| judged.retain(|judged| !judged.stale));
                    self.verdict = Some(*verdict);
                }
            }
            News::Done(at) => self.check = Check::Done(at),
            News::Broken(why) => {
                self.tests.clear();
                (self.verdict, self.check) = (None, Check::Broken(why));
            }
        }
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        self.note = None;
        match (key, &self.pane) {
            (Key::Ctrl('c'), _) => return vec![Effect::Leave { interrupted: true }],
            (Key::Ctrl('z'), _) => return vec![Effect::Suspend],
            (Key::Ctrl('l'), _) => return vec![Effect::Redraw],
            (_, Pane::List { .. }) => return self.key_in_list(key),
            (Key::Char('y' | 'Y'), Pane::Reset) => {
                self.show(Pane::Verdict);
                return vec![Effect::Reset];
            }
            (Key::Esc | Key::Backspace, _) | (_, Pane::Reset) => self.show(Pane::Verdict),
            (Key::Char('?'), Pane::Help) => self.show(Pane::Verdict),
            (Key::Char(letter), _) => return self.letter(letter),
            (Key::Enter, _) if self.is_solved() => return self.next_open().map_or(Vec::new(), |kata| self.go(kata)),
            (Key::Enter, _) => self.show(Pane::Verdict),
            (Key::Right, _) if self.current + 1 < self.katas.len() => return self.go(self.current + 1),
            (Key::Left, _) if self.current > 0 => return self.go(self.current - 1),
            (Key::Tab, _) => self.choose(1),
            (Key::Up, _) => self.scroll = self.scroll.saturating_sub(1),
            (Key::Down, _) => self.scroll += 1,
            (Key::PageUp, _) => self.scroll = self.scroll.saturating_sub(self.page()),
            (Key::PageDown, _) => self.scroll += self.page(),
            (Key::Home, _) => self.scroll = 0,
            (Key::End, _) => self.scroll = usize::MAX,
            _ => {}
        }
        Vec::new()
    }

    fn letter(&mut self, letter: char) -> Vec<Effect> {
        match letter {
            'q' => return vec![Effect::Leave { interrupted: false }],
            'n' => self.choose(1),
            'N' => self.choose(-1),
            'h' => return vec![Effect::Hint],
            'e' => return vec![Effect::Lesson],
            's' if self.may_see_solution() => return vec![Effect::Solution],
            's' => self.note = Some("The reference solution is shown once yours passes.".to_string()),
            'o' => {
                let (file, line) = self.place();
                return vec![Effect::Open(file, line)];
            }
            'p' => match self.failing().get(self.chosen()).map(|judged| judged.test.name.clone()) {
                Some(test) => return vec![Effect::Play(test)],
                None => self.note = Some("No test fails that could be played.".to_string()),
            },
            'c' => return self.begin(Some(self.current)),
            'a' => {
                self.show(Pane::List { search: String::new(), filter: None, at: self.current });
                return self.begin(None);
            }
            'l' => self.show(Pane::List { search: String::new(), filter: None, at: self.current }),
            'r' => self.show(Pane::Reset),
            '?' => self.show(Pane::Help),
            ']' if self.current + 1 < self.katas.len() => return self.go(self.current + 1),
            '[' if self.current > 0 => return self.go(self.current - 1),
            'j' => self.scroll += 1,
            'k' => self.scroll = self.scroll.saturating_sub(1),
            ' ' => self.scroll += self.page(),
            'b' => self.scroll = self.scroll.saturating_sub(self.page()),
            _ => {}
        }
        Vec::new()
    }

    fn key_in_list(&mut self, key: Key) -> Vec<Effect> {
        let Pane::List { search, filter, at } = self.pane.clone() else { return Vec::new() };
        let listed = self.listed(&search, filter);
        let last = listed.len().saturating_sub(1);
        let list = |search: String, filter, at| Pane::List { search, filter, at };
        match key {
            Key::Esc => self.show(Pane::Verdict),
            Key::Enter => return listed.get(at.min(last)).map_or(Vec::new(), |kata| self.go(*kata)),
            Key::Up => self.pane = list(search, filter, at.min(last).saturating_sub(1)),
            Key::Down => self.pane = list(search, filter, (at + 1).min(last)),
            Key::Tab => {
                let next = match filter {
                    None => Some(State::Untouched),
                    Some(State::Untouched) => Some(State::Started),
                    Some(State::Started) => Some(State::Solved),
                    Some(State::Solved) => None,
                };
                self.pane = list(search, next, 0);
            }
            Key::Backspace => {
                let mut search = search;
                search.pop();
                self.pane = list(search, filter, 0);
            }
            Key::Char(letter) => self.pane = list(search + &letter.to_string(), filter, 0),
            _ => {}
        }
        Vec::new()
    }

    /// Chooses another failing test, in a circle.
    fn choose(&mut self, by: isize) {
        let failing = self.failing();
        if failing.is_empty() {
            self.note = Some("No test fails.".to_string());
            return;
        }
        let at = (self.chosen() as isize + by).rem_euclid(failing.len() as isize) as usize;
        self.chosen = Some(failing[at].test.name.clone());
        self.show(Pane::Verdict);
    }

    /// How far a page goes.
    fn page(&self) -> usize {
        (self.size.1 / 2).max(1)
    }
}

/// Places that a message names: `katas/lock/src/lib.rs:41`.
fn places(message: &str) -> Vec<(String, u32)> {
    let ends = |c: char| c.is_whitespace() || "()`,;'\"".contains(c);
    let place = |word: &str| {
        let mut parts = word.split(':');
        Some((parts.next()?.to_string(), parts.next()?.parse().ok()?))
    };
    message.split(ends).filter_map(place).collect()
}
