//! One schedule's state, and the decision who goes on.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use verdict::schedule::Manner;

use super::grain::{Grain, Limits, Passed};
use super::happens_before::HappensBefore;
use super::kind::Kind;
use super::left::Left;
use super::mark::{Mark, Marked};
use super::memory::Memory;
use super::object::{Model, Object};
use super::operation::{Choice, How, NEVER, NOBODY, ObjectIndex, Operation, ThreadIndex};
use super::panics::Hook;
use super::possible::{is_possible, is_told, lock_is_free, several_wait, worker_is_free};
use super::record::Recorder;
use super::run::{Ending, Suspender};
use super::strategy::Strategy;
use super::thread::{Job, Status, ThreadState};

/// How many steps one thread may do in a row while others could go on.
const LONGEST_RUN: u32 = 200;
/// How many steps may pass, while a timer is set, before time moves on although somebody still runs.
const PATIENCE: u64 = 1_000;
/// How many more for each live thread beyond [`FEW`]: each of a crowd has its own way to go before all of them stand.
const PATIENCE_WITH_EACH: u64 = 32;
/// How many live threads a decision may have to look at before that takes longer than the rest of the step.
const FEW: usize = 32;

/// What the engine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Threads run under the scheduler.
    Running,
    /// No schedule runs, or it has ended and somebody looks at what is left: operations neither block nor switch.
    Ended,
}

/// What stays the same in every schedule of an exploration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Whether a timeout may fire although others can go on.
    pub(crate) hostile: bool,
    /// How many accidents one schedule has: spurious wakeups, weak exchanges that fail for no reason, and notifications out of turn.
    pub(crate) spurious: u32,
    /// How many steps one schedule may have.
    pub(crate) steps: u32,
    /// Whether main's return ends the others silently.
    pub(crate) daemons: bool,
    /// Whether a trace looks at stacks for who called a helper.
    pub(crate) callers: bool,
    /// Whether somebody can see that a lock is held or a thread still runs, so that the moment of a release matters.
    pub(crate) observed: bool,
    /// Whether the program asks for weaker orderings than `SeqCst`, so that threads may read old values of atomics.
    pub(crate) weak: bool,
    /// Whether what hardly any program sees is a step: one sender more, a task that is started while its runtime may go.
    pub(crate) detailed: bool,
    /// Whether somebody who was woken had to wait for a worker, so that it matters who takes one first.
    pub(crate) crowded: bool,
    /// Which steps are decisions.
    pub(crate) grain: Grain,
    /// How many steps that could have been decided otherwise a coarse schedule passes before it is given up.
    pub(crate) most_passed_over: u64,
}

impl Settings {
    /// In which way schedules are run.
    pub(crate) fn manner(&self) -> Manner {
        Manner { observed: self.observed, weak: self.weak, detailed: self.detailed, grain: self.grain }
    }
}

/// One schedule's state.
pub(crate) struct State {
    /// Counts schedules; never 0.
    pub(crate) epoch: u64,
    pub(crate) phase: Phase,
    pub(crate) settings: Settings,
    pub(crate) threads: Vec<ThreadState>,
    /// Those that have begun and not ended, in the order of their beginning. Most threads of a long schedule are over.
    pub(super) live: Vec<ThreadIndex>,
    pub(crate) objects: Vec<Object>,
    /// The addresses of the cells in statics that were used.
    pub(crate) cells: HashSet<usize>,
    /// What an earlier schedule has left in statics that were used.
    pub(crate) left: Vec<Left>,
    /// Who runs.
    pub(crate) current: ThreadIndex,
    /// Who made the last step that was decided.
    pub(super) decided: ThreadIndex,
    /// Threads from here on have not begun.
    pub(crate) begun: ThreadIndex,
    /// Virtual time in nanoseconds since the schedule's start.
    pub(crate) now: u64,
    /// Whether somebody has read the clock since it last moved.
    pub(crate) clock_read: bool,
    /// Counts changes to anything that a thread could see.
    pub(crate) changes: u64,
    pub(crate) steps: u32,
    /// The grain from here on: a schedule that seems to stand still gets coarse.
    pub(super) grain: Grain,
    /// How many live threads beyond a few were looked at, in all decisions.
    pub(crate) looks: u64,
    /// Steps that were passed.
    pub(crate) passed: Passed,
    /// Steps that belong to the decision before them, since nobody else could go on.
    pub(super) merged: u64,
    /// How many since the last decision.
    pub(super) passed_in_a_row: u32,
    /// Those of threads that only waited for others by passing them.
    pub(super) spun: Passed,
    /// How many repetitions in a row came to an end although nothing had changed.
    pub(super) longest_loop: u32,
    /// How many yields among them.
    pub(super) longest_loop_of_yields: u32,
    /// Whether a thread was stopped for having run too long, or time moved on for that, so that some schedules can't be reached.
    pub(crate) forced: bool,
    /// Whether something could have happened by accident, had the settings allowed for it.
    pub(crate) spared_accidents: bool,
    pub(crate) panics: u32,
    /// How many numbers were given to what models number.
    pub(crate) numbers: u64,
    /// The panic hook that the program has set.
    hook: Option<Hook>,
    pub(crate) ending: Option<Ending>,
    pub(crate) recorder: Option<Box<Recorder>>,
    pub(crate) strategy: Option<Box<dyn Strategy>>,
    /// What the harness has noted.
    pub(crate) marks: Vec<Mark>,
    /// What threads may read of atomics.
    pub(crate) memory: Memory,
    /// Whether a weaker ordering than `SeqCst` was asked for.
    pub(crate) weaker: bool,
    /// What happened before what, where the search wants to know.
    pub(crate) order: Option<Rc<RefCell<HappensBefore>>>,
    pub(super) spurious_left: u32,
    pub(super) run_length: u32,
    pub(super) idle_rounds: u32,
    /// Whose turn it is to go round, of those that are held back.
    pub(super) turn: ThreadIndex,
    /// How far time has moved for those that only read the clock, since it last moved otherwise.
    pub(super) ticked: u64,
    /// How long the schedule was when time last moved.
    pub(super) length_at_advance: u64,
    /// How many steps there were when something last changed, decided or passed.
    pub(super) all_at_change: u64,
    choices: Vec<Choice>,
}

/// What the announcing thread does next.
pub(crate) enum Announced {
    /// Goes on.
    Go(How),
    /// Suspends, and goes on when it is resumed.
    Switch(Suspender),
}

/// Who runs next.
pub(crate) enum Next {
    Thread(ThreadIndex),
    Nobody,
}

impl State {
    pub(crate) fn new(settings: Settings) -> State {
        State {
            epoch: 0,
            phase: Phase::Ended,
            settings,
            threads: Vec::new(),
            live: Vec::new(),
            objects: Vec::new(),
            cells: HashSet::new(),
            left: Vec::new(),
            current: 0,
            decided: NOBODY,
            begun: 0,
            now: 0,
            clock_read: false,
            changes: 0,
            steps: 0,
            grain: Grain::Fine,
            looks: 0,
            passed: Passed::default(),
            merged: 0,
            passed_in_a_row: 0,
            spun: Passed::default(),
            longest_loop: 0,
            longest_loop_of_yields: 0,
            forced: false,
            spared_accidents: false,
            panics: 0,
            numbers: 0,
            hook: None,
            ending: None,
            recorder: None,
            strategy: None,
            marks: Vec::new(),
            memory: Memory::default(),
            weaker: false,
            order: None,
            spurious_left: 0,
            run_length: 0,
            idle_rounds: 0,
            turn: NOBODY,
            ticked: 0,
            length_at_advance: 0,
            all_at_change: 0,
            choices: Vec::new(),
        }
    }

    /// Makes everything fresh for the next schedule. Threads must have been cleared away.
    pub(crate) fn begin(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.phase = Phase::Running;
        self.objects.clear();
        self.cells.clear();
        self.marks.clear();
        self.memory.begin(self.settings.weak);
        self.weaker = false;
        self.current = 0;
        self.decided = NOBODY;
        self.begun = 0;
        self.now = 0;
        self.clock_read = false;
        self.changes = 0;
        self.steps = 0;
        self.grain = self.settings.grain;
        self.looks = 0;
        self.passed = Passed::default();
        self.merged = 0;
        self.passed_in_a_row = 0;
        self.spun = Passed::default();
        self.longest_loop = 0;
        self.longest_loop_of_yields = 0;
        self.forced = false;
        self.spared_accidents = false;
        self.panics = 0;
        self.numbers = 0;
        self.ending = None;
        self.spurious_left = self.settings.spurious;
        self.run_length = 0;
        self.idle_rounds = 0;
        self.turn = NOBODY;
        self.ticked = 0;
        self.length_at_advance = 0;
        self.all_at_change = 0;
    }

    /// The thread that runs.
    pub(crate) fn me(&mut self) -> &mut ThreadState {
        &mut self.threads[self.current]
    }

    /// Adds a thread that will begin before the next decision.
    pub(crate) fn add_thread(&mut self, name: Option<std::sync::Arc<str>>, job: Job, spawn: Operation) -> ThreadIndex {
        let index = self.threads.len();
        self.threads.push(ThreadState::new(name, job, spawn));
        if let Some(order) = &self.order {
            order.borrow_mut().spawned(self.current, index);
        }
        self.memory.spawned(self.current, index);
        self.note_end_of_loop();
        self.changed();
        index
    }

    /// The job of the thread that runs is done.
    pub(super) fn returned(&mut self) {
        let me = self.current;
        self.threads[me].returned = true;
        if let Some(order) = &self.order {
            order.borrow_mut().returned(me);
        }
        self.memory.returned(me);
        self.changed();
    }

    /// The current thread is about to do this.
    pub(crate) fn announce(&mut self, operation: Operation) -> Announced {
        let me = self.current;
        if self.phase == Phase::Ended {
            return Announced::Go(How::Step);
        }
        self.threads[me].pending = operation;
        self.threads[me].looks = 0;
        let traits = operation.kind.traits();
        self.watch_reader(traits.may_wait);
        // Who need not wait for a release sees whether it has come.
        self.settings.observed |= traits.waits_for_release && self.may_give_up(me);
        if self.threads[me].whole > 0 && self.can_go_on(me) {
            self.merge();
            return Announced::Go(How::Step);
        }
        if self.passes() {
            self.pass();
            return Announced::Go(How::Step);
        }
        if !self.threads[me].streak.has(&operation) {
            self.note_end_of_loop();
        }
        if let Some(recorder) = &mut self.recorder {
            let blocks = !is_possible(&self.threads, &self.objects, me);
            recorder.settle(&self.objects, self.now);
            recorder.announced(me, &operation, blocks);
        }
        match self.next() {
            Next::Thread(next) if next == me => Announced::Go(self.threads[me].resumed),
            _ => Announced::Switch(self.suspender(me)),
        }
    }

    pub(crate) fn suspender(&self, thread: ThreadIndex) -> Suspender {
        self.threads[thread].suspender.expect("a thread that runs has a suspender")
    }

    /// Decides who runs next and notes it in `current`. Threads that were spawned begin first, up to their first operation.
    pub(crate) fn next(&mut self) -> Next {
        if self.begun < self.threads.len() {
            self.current = self.begun;
            self.begun += 1;
            return Next::Thread(self.current);
        }
        match self.decide() {
            Ok(Some(choice)) => {
                self.commit(choice);
                Next::Thread(choice.thread)
            }
            Ok(None) => {
                self.current = self.decided;
                self.threads[self.current].resumed = How::Step;
                self.merge();
                Next::Thread(self.current)
            }
            Err(ending) => {
                self.ending.get_or_insert(ending);
                Next::Nobody
            }
        }
    }

    /// Decides, or finds that there is nothing to decide: the thread of the last decision goes on.
    fn decide(&mut self) -> Result<Option<Choice>, Ending> {
        let mut choices = std::mem::take(&mut self.choices);
        self.collect(&mut choices);
        while choices.is_empty() {
            if let Some(mut strategy) = self.strategy.take() {
                strategy.stands_still(self);
                self.strategy = Some(strategy);
            }
            if !self.move_on() {
                self.choices = choices;
                return Err(if self.spinning().next().is_some() { Ending::Livelock } else { Ending::Stuck });
            }
            self.collect(&mut choices);
        }
        if self.goes_on_alone(&choices) {
            self.choices = choices;
            return Ok(None);
        }
        self.settings.crowded |= !self.is_within_poll(&choices) && self.is_crowded();
        self.steps += 1;
        if self.steps > self.settings.steps || self.has_passed_too_much() {
            self.choices = choices;
            return Err(if self.makes_no_progress() { Ending::Livelock } else { Ending::TooLong });
        }
        let mut strategy = self.strategy.take().expect("a schedule has a strategy");
        let picked = strategy.pick(self, &choices);
        self.strategy = Some(strategy);
        let choice = picked.map(|index| choices[index]);
        if let (Some(continuing), Ok(choice)) = (self.continuing(&choices), &choice)
            && choices[continuing].thread != choice.thread
            && let Some(recorder) = &mut self.recorder
        {
            recorder.preempts(choices[continuing].thread);
        }
        self.choices = choices;
        choice.map(Some)
    }

    /// Finds out who could go on.
    fn collect(&mut self, choices: &mut Vec<Choice>) {
        choices.clear();
        let crowd = self.live.len().saturating_sub(FEW) as u64;
        self.looks += crowd;
        if let Some(thread) = self.live.iter().copied().find(|&thread| self.is_choosing(thread)) {
            // Which way it goes is decided at once.
            let ways = 1..self.threads[thread].pending.number as u8;
            choices.push(Choice::step(thread));
            choices.extend(ways.map(|way| Choice { thread, how: How::Way(way) }));
            return;
        }
        let patience = PATIENCE + PATIENCE_WITH_EACH * crowd;
        let is_patient = self.length() - self.length_at_advance <= patience;
        if !is_patient && self.time_has_to_move() {
            // What the others would do before it, or when it comes later, is not explored.
            self.forced = true;
        }
        let (mut held_back, mut somebody_waits_for_time) = (false, false);
        for (index, thread) in self.live_threads() {
            somebody_waits_for_time |= thread.pending.deadline != NEVER;
            if is_possible(&self.threads, &self.objects, index) {
                if self.is_held_back(thread) {
                    held_back |= !thread.is_seen_to_wait();
                } else {
                    choices.push(Choice::step(index));
                }
            } else if self.idle_rounds > 0 && self.waits_for_one_that_spins(thread) {
                choices.push(Choice::step(index));
            } else if thread.pending.deadline != NEVER
                && (self.settings.hostile && thread.pending.kind != Kind::Never || thread.pending.deadline <= self.now)
                && !(thread.pending.kind == Kind::Wake && thread.notified)
            {
                choices.push(Choice { thread: index, how: How::Timeout });
            }
        }
        if !somebody_waits_for_time {
            // What is done now makes nobody impatient later.
            self.length_at_advance = self.length();
        }
        self.leave_polls_alone(choices);
        // What a thread would do that takes a lock again and again without yielding is not explored further at this point.
        self.forced |= held_back && !choices.is_empty();
        let runs_on = self.run_length > LONGEST_RUN || self.has_passed_enough();
        if runs_on && choices.iter().any(|choice| choice.thread != self.current) {
            let (current, all) = (self.current, choices.len());
            choices.retain(|choice| choice.thread != current);
            self.forced |= choices.len() < all;
        }
        let settles = |choice: &Choice| self.threads[choice.thread].pending.kind == Kind::Settle;
        if choices.len() > 1 {
            choices.retain(|choice| !settles(choice));
        }
        self.spared_accidents |= self.settings.spurious == 0
            && !self.spared_accidents
            && self.live_threads().any(|(_, thread)| self.is_open_to_accidents(thread));
        if self.spurious_left > 0 && choices.iter().any(|choice| !settles(choice)) {
            for (index, thread) in self.live_threads() {
                if self.is_open_to_accidents(thread) {
                    choices.push(Choice { thread: index, how: How::Spurious });
                }
            }
        }
        if self.memory.is_on() {
            self.collect_old_reads(choices);
        }
    }

    /// Whether a thread waits in such a way that it may wake although nobody calls, tries what may fail for no reason, or calls one
    /// of several, where std leaves it open whom. Test tools wait in loops: there it would be more schedules and nothing new. One that
    /// is held back has failed often enough.
    pub(super) fn is_open_to_accidents(&self, thread: &ThreadState) -> bool {
        match thread.pending.kind {
            _ if !thread.waits_at.is_empty() => false,
            Kind::Wake => !thread.notified && lock_is_free(&self.objects, thread.pending.second),
            Kind::Park => !thread.token,
            Kind::Poll => !thread.woken && worker_is_free(&self.objects, thread.pending.object),
            Kind::Attempt => !self.is_held_back(thread),
            Kind::Notify => thread.pending.number == 1 && several_wait(&self.objects, thread.pending.object),
            _ => false,
        }
    }

    /// The threads that could wake although nobody calls, if there were still a spurious wakeup for them.
    pub(crate) fn could_have_an_accident(&self) -> impl Iterator<Item = ThreadIndex> + '_ {
        let live = if self.spurious_left > 0 { &self.live[..] } else { &[] };
        live.iter().copied().filter(|&thread| self.is_open_to_accidents(&self.threads[thread]))
    }

    /// Whether a thread wants another one to be blocked, and that one goes round and round and gives way each time: it waits
    /// in its own way.
    pub(super) fn waits_for_one_that_spins(&self, thread: &ThreadState) -> bool {
        let spins =
            |other: &ThreadState| other.status == Status::Live && other.waits_for_others() && self.is_held_back(other);
        thread.pending.kind == Kind::UntilBlocked && spins(&self.threads[thread.pending.other])
    }

    /// Whether a thread only repeats itself while nothing changes, and would do so again now.
    pub(super) fn is_held_back(&self, thread: &ThreadState) -> bool {
        let streak = &thread.streak;
        if streak.version != self.changes || streak.repeats == 0 {
            return false;
        }
        // Who looks at the clock waits for time: no loop of noise does.
        let limits = if streak.looks_at_clock() { Limits::of(Grain::Fine) } else { Limits::of(self.grain) };
        let goes_round = match () {
            () if streak.only_yields() => streak.repeats > limits.yields_alone,
            () if streak.yields > 0 => streak.rounds >= limits.rounds || streak.repeats > limits.repeats_of_yielding,
            () => streak.repeats > limits.repeats,
        };
        goes_round && streak.has(&thread.pending)
    }

    /// Somebody goes on.
    fn commit(&mut self, choice: Choice) {
        let was_current = self.current == choice.thread;
        self.run_length = if was_current { self.run_length + 1 } else { 0 };
        self.current = choice.thread;
        self.decided = choice.thread;
        self.passed_in_a_row = 0;
        self.threads[choice.thread].resumed = choice.how;
        self.carry_views(choice);
        self.note_step(choice);
        match choice.how {
            How::Step | How::Old(_) | How::Way(_) => {}
            How::Timeout => self.now = self.now.max(self.threads[choice.thread].pending.deadline),
            How::Spurious => self.spurious_left -= 1,
        }
        if let Some(recorder) = &mut self.recorder {
            let operation = self.threads[choice.thread].pending;
            recorder.settle(&self.objects, self.now);
            if is_told(&operation, &self.objects) {
                recorder.went_on(choice, &operation);
            } else {
                recorder.went_on_silently(choice);
            }
        }
    }

    /// Notes a step that is made: it changes something, or may be a repetition.
    pub(super) fn note_step(&mut self, choice: Choice) {
        let changes = self.changes;
        let thread = &mut self.threads[choice.thread];
        let fruitless = choice.how.is_done() && thread.pending.kind.traits().is_fruitless;
        if fruitless {
            let operation = thread.pending;
            if thread.note_fruitless(&operation, changes) {
                self.watch_reader(true);
            }
            return;
        }
        match choice.how {
            How::Timeout => self.time_passed(),
            How::Step | How::Spurious | How::Old(_) | How::Way(_) => self.changed(),
        }
    }

    /// The running thread may wait for others now. If it reads under a lock meanwhile, it matters who waits to write there.
    fn watch_reader(&mut self, waits: bool) {
        self.settings.observed |= waits && self.threads[self.current].reads > 0;
    }

    /// Notes how long the running thread has repeated itself: it does something else now. If nothing has changed, its loop has
    /// ended by itself.
    fn note_end_of_loop(&mut self) {
        let thread = &self.threads[self.current];
        if thread.streak.version == self.changes {
            self.longest_loop = self.longest_loop.max(thread.streak.repeats);
            self.longest_loop_of_yields = self.longest_loop_of_yields.max(thread.streak.yields);
        }
    }

    /// Puts a panic hook into its place and gives the one before.
    pub(crate) fn exchange_hook(&mut self, hook: Option<Hook>) -> Option<Hook> {
        std::mem::replace(&mut self.hook, hook)
    }

    /// Notes something for the harness.
    pub(crate) fn mark(&mut self, what: Marked) {
        let mut order = self.order.as_ref().map(|order| order.borrow_mut());
        let past = order.as_mut().and_then(|order| order.tell_past_of(self.current));
        self.marks.push(Mark::new(self.current, what, self.now, past));
    }

    /// Notes that something has changed: whoever repeats itself may now see something else.
    pub(crate) fn changed(&mut self) {
        self.time_passed();
        self.all_at_change = self.all_steps();
    }

    /// Notes that time has passed. Who only looks at the clock sees something else; it is no progress.
    pub(super) fn time_passed(&mut self) {
        self.changes += 1;
        self.idle_rounds = 0;
        self.turn = NOBODY;
    }

    /// Whether this thread could go on from what it announced.
    pub(crate) fn can_go_on(&self, thread: ThreadIndex) -> bool {
        is_possible(&self.threads, &self.objects, thread)
    }

    /// Whether this thread need not wait for what it announced: its time is up, or may be.
    pub(crate) fn may_give_up(&self, thread: ThreadIndex) -> bool {
        let deadline = self.threads[thread].pending.deadline;
        deadline <= self.now || self.settings.hostile && deadline != NEVER
    }

    /// The threads that have begun and not ended.
    pub(super) fn live_threads(&self) -> impl Iterator<Item = (ThreadIndex, &ThreadState)> {
        self.live.iter().map(|&thread| (thread, &self.threads[thread]))
    }

    /// Whether a thread has begun and not ended.
    pub(crate) fn is_live(&self, thread: ThreadIndex) -> bool {
        self.threads[thread].status == Status::Live
    }

    /// Whether a thread could go on from what it announced.
    pub(crate) fn is_live_and_possible(&self, thread: ThreadIndex) -> bool {
        self.is_live(thread) && self.can_go_on(thread)
    }

    /// Whether an initialisation is complete, so that entering it changes nothing.
    pub(crate) fn is_initialised(&self, object: ObjectIndex) -> bool {
        matches!(self.objects[object as usize].model, Model::Once(super::object::Once::Done))
    }

    /// The place of the plain step of the thread that runs, if it could go on and does not yield.
    pub(crate) fn continuing(&self, choices: &[Choice]) -> Option<usize> {
        if self.threads.get(self.current)?.pending.yields() {
            return None;
        }
        choices.iter().position(|choice| *choice == Choice::step(self.current))
    }

    fn is_choosing(&self, thread: ThreadIndex) -> bool {
        self.threads[thread].pending.kind == Kind::Choose
    }

    /// Whether all that could be done is done by the thread of the last decision, in the middle of polling a future: to all
    /// others that is one step.
    pub(crate) fn is_within_poll(&self, choices: &[Choice]) -> bool {
        let polls = self.threads.get(self.decided).is_some_and(|thread| thread.polls);
        polls && choices.iter().all(|choice| choice.thread == self.decided)
    }

    /// What models do for themselves, such as the answer of a site, comes between two polls: a runtime hears of nothing while it
    /// polls. If other tasks or threads could go on, all of them can.
    fn leave_polls_alone(&self, choices: &mut Vec<Choice>) {
        let decided = self.decided;
        let polls = self.threads.get(decided).is_some_and(|thread| thread.polls);
        let serves = |choice: &Choice| choice.thread == decided || self.threads[choice.thread].serves;
        if polls && choices.iter().any(|choice| choice.thread == decided) && choices.iter().all(serves) {
            choices.retain(|choice| choice.thread == decided);
        }
    }

    /// Whether there is nothing to decide: who polls a future makes the only step that is possible.
    fn goes_on_alone(&self, choices: &[Choice]) -> bool {
        matches!(choices, [Choice { how: How::Step, thread }] if self.threads[*thread].pending.may_be_passed())
            && self.is_within_poll(choices)
            && !self.has_passed_too_much()
    }

    /// Whether somebody who was woken has to wait for a worker.
    fn is_crowded(&self) -> bool {
        self.live_threads().any(|(_, thread)| {
            let waits = thread.pending.kind == Kind::Poll && thread.woken;
            waits && !worker_is_free(&self.objects, thread.pending.object)
        })
    }

    /// Whether a thread is about to use an atomic.
    pub(crate) fn is_at_atomic(&self, thread: ThreadIndex) -> bool {
        let object = self.threads[thread].pending.object as usize;
        matches!(self.objects.get(object), Some(Object { model: Model::Plain, .. }))
    }

    /// The waiters of a condition variable.
    pub(crate) fn waiters(&mut self, condvar: ObjectIndex) -> &mut VecDeque<ThreadIndex> {
        match &mut self.objects[condvar as usize].model {
            Model::Condvar(waiters) => waiters,
            other => unreachable!("a condition variable, not {other:?}"),
        }
    }
}
