//! The contract of [`Bank`] as a program: what may each call do now? All small programs of calls are tried against it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kata::scenarios::{Clock, Contract, Moves, Scene, Setup, Turn};
use lock::{Bank, Refused};

/// A bank, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    balances: Vec<u64>,
    /// Money that has left one account and not come to the other.
    moving: u64,
    readings: Vec<Reading>,
    /// Calls that know their answer and have not returned.
    known: Vec<(usize, String)>,
}

/// A call of `with_balance` whose reader takes its time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reading {
    thread: usize,
    account: usize,
    balance: u64,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    WithBalance(usize, Reader),
    Deposit(usize),
    Transfer(usize, usize),
    TransferWithin(usize, usize, Duration),
    ThereAndBack,
    Total,
}

/// What the closure does that gets the balance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reader {
    Returns,
    Sleeps,
    WaitsAtTheGate,
}

/// How much is put into an account.
const DEPOSIT: u64 = 1;
/// How much goes from one account to another: all that is in it at first.
const AMOUNT: u64 = 10;
/// Money that goes there and back, and there again.
const THERE_AND_BACK: [(usize, usize); 3] = [(0, 1), (1, 0), (0, 1)];
/// How long a transfer waits that does not wait for ever.
const LIMIT: Duration = Duration::from_millis(40);
/// How long a reader sleeps: most of the limit.
const SLEEP: Duration = Duration::from_millis(30);

pub(crate) struct BankContract;

impl Contract for BankContract {
    type Hand = Arc<Bank>;
    type Call = Call;
    type State = State;

    const OPENING: Duration = Duration::from_millis(200);
    /// A quarter of the limit, for those who look now and then instead of waiting.
    const PAUSE: Duration = Duration::from_millis(10);

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |name, accounts| Setup {
            name,
            state: State { balances: vec![AMOUNT; accounts], moving: 0, readings: Vec::new(), known: Vec::new() },
        };
        vec![setup("two accounts, 10 in each", 2), setup("three accounts, 10 in each", 3)]
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        let pairs = [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1), (0, 0)];
        let transfers = pairs.map(|(from, to)| Transfer(from, to));
        let timed = [(0, 1), (1, 0), (1, 2), (0, 0)].map(|(from, to)| TransferWithin(from, to, LIMIT));
        let readers = [Reader::Returns, Reader::WaitsAtTheGate, Reader::Sleeps];
        let reads = readers.into_iter().flat_map(|reader| [WithBalance(0, reader), WithBalance(1, reader)]);
        let others = [Deposit(0), TransferWithin(0, 1, Duration::ZERO), ThereAndBack, Total];
        transfers.into_iter().chain(timed).chain(reads).chain(others).collect()
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        match (setup, call) {
            (0, Call::Transfer(from, to) | Call::TransferWithin(from, to, _)) => from < 2 && to < 2,
            (0, _) => true,
            (_, Call::Transfer(from, to)) => from != to,
            (_, Call::TransferWithin(from, to, _)) => (from, to) == (1, 2),
            (_, Call::WithBalance(account, reader)) => account == 1 && reader != Reader::Sleeps,
            (_, Call::Total) => true,
            (_, Call::Deposit(_) | Call::ThereAndBack) => false,
        }
    }

    fn makes_sense(&self, _setup: usize, program: &[Vec<Call>]) -> bool {
        let calls = || program.iter().flatten().copied();
        let alone = program.iter().all(|calls| calls.len() == 1);
        // Money that goes there and back is there to mislead audits.
        let there_and_back = calls().filter(|call| *call == Call::ThereAndBack).count();
        if there_and_back > 0 {
            let audits = calls().filter(|call| *call == Call::Total).count();
            return alone && there_and_back == 1 && audits == calls().count() - 1;
        }
        // A reader that sleeps is there for those who have a limit.
        if calls().any(|call| matches!(call, Call::WithBalance(_, Reader::Sleeps))) {
            let limited = calls().any(is_limited);
            let others = calls().all(|call| is_limited(call) || matches!(call, Call::WithBalance(..)));
            return alone && limited && others;
        }
        // Two calls show what they do to one account, and what is left behind. Larger programs are about threads: what a call
        // has read is seen best at a thread's end.
        let ends = |call: &Call| matches!(call, Call::WithBalance(..) | Call::Total);
        let one_account =
            |call: &Call| accounts(*call).is_some_and(|(from, to)| from == to) && *call != Call::Deposit(0);
        let in_the_middle = program.iter().flat_map(|calls| &calls[..calls.len() - 1]);
        calls().count() <= 2 || program.len() > 1 && in_the_middle.clone().all(|call| !ends(call) && !one_account(call))
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::WithBalance(account, Reader::Returns) => format!("with_balance({account})"),
            Call::WithBalance(account, Reader::Sleeps) => format!("with_balance({account}, |_| sleep({SLEEP:?}))"),
            Call::WithBalance(account, Reader::WaitsAtTheGate) => format!("with_balance({account}, |_| gate.pass())"),
            Call::Deposit(account) => format!("deposit({account}, {DEPOSIT})"),
            Call::Transfer(from, to) => format!("transfer({from}, {to}, {AMOUNT})"),
            Call::TransferWithin(from, to, limit) => format!("transfer_within({from}, {to}, {AMOUNT}, {limit:?})"),
            Call::ThereAndBack => "transfer 0→1, 1→0, 0→1".to_owned(),
            Call::Total => "total()".to_owned(),
        }
    }

    /// Beside the calls that have a limit, the readers who keep all others waiting: these wait as long as it takes.
    fn limit(&self, call: Call) -> Option<Duration> {
        match call {
            call if is_limited(call) => Some(LIMIT),
            Call::WithBalance(_, Reader::WaitsAtTheGate) => Some(BankContract::OPENING),
            _ => None,
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Bank>> {
        let State { balances, .. } = self.setups().swap_remove(setup).state;
        let bank = Arc::new(Bank::new(&balances));
        vec![bank; threads]
    }

    fn perform(&self, bank: &mut Arc<Bank>, call: Call, id: usize, scene: &Scene) -> String {
        match call {
            Call::WithBalance(account, reader) => bank.with_balance(account, |balance| {
                read(reader, account, id / 10 - 1, scene);
                balance.to_string()
            }),
            Call::Deposit(account) => {
                let () = bank.deposit(account, DEPOSIT);
                "()".to_owned()
            }
            Call::Transfer(from, to) => outcome(bank.transfer(from, to, AMOUNT)),
            Call::TransferWithin(from, to, limit) => outcome(bank.transfer_within(from, to, AMOUNT, limit)),
            Call::ThereAndBack => {
                let outcomes = THERE_AND_BACK.map(|(from, to)| outcome(bank.transfer(from, to, AMOUNT)));
                outcomes.into_iter().find(|outcome| outcome != "Ok").unwrap_or_else(|| "Ok".to_owned())
            }
            Call::Total => bank.total().to_string(),
        }
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        // Which accounts share a lock is left open. So whoever comes while one is read may have to wait.
        let mut may_wait = state.somebody_reads();
        if let Call::TransferWithin(_, _, limit) = call {
            if turn.has_lasted(limit) {
                may_wait = false;
                moves.must_go_on("its time is up");
            }
            if turn.has_lasted(limit + Self::PAUSE + Duration::from_nanos(1)) {
                return;
            }
            // Who is alone has nobody to wait for.
            if turn.phase == 0 && turn.is_over(limit) && (!turn.alone || turn.clock.hostile) {
                moves.answer(state.clone(), "TimeIsUp");
            }
        }
        if may_wait {
            moves.may_wait();
        }
        if let Some(place) = state.known.iter().position(|(id, _)| *id == turn.id) {
            let mut after = state.clone();
            let (_, answer) = after.known.swap_remove(place);
            return moves.answer(after, answer);
        }
        match call {
            Call::WithBalance(account, Reader::Returns) => {
                state.answers(turn, state.balances[account].to_string(), moves);
            }
            Call::WithBalance(..) => state.end_of_reading(turn.thread, moves),
            Call::Deposit(account) if state.is_read(account) => {}
            Call::Deposit(account) => state.with(account, |balance| balance + DEPOSIT).answers(turn, "()", moves),
            Call::Transfer(from, to) | Call::TransferWithin(from, to, _) => {
                state.transfer((from, to), true, turn, moves)
            }
            Call::ThereAndBack => {
                let last = turn.phase / 2 == THERE_AND_BACK.len() - 1;
                state.transfer(THERE_AND_BACK[turn.phase / 2], last, turn, moves);
            }
            Call::Total => {
                let total = state.balances.iter().sum::<u64>() + state.moving;
                state.answers(turn, total.to_string(), moves);
            }
        }
    }

    fn hears(&self, state: &State, what: &str, account: usize, _clock: &Clock) -> Option<State> {
        let mut after = state.clone();
        match READS.iter().position(|reads| *reads == what) {
            Some(thread) => {
                after.readings.push(Reading { thread, account, balance: state.balances[account], ended: false });
            }
            None => {
                let thread = HAS_READ.iter().position(|has_read| *has_read == what)?;
                after.readings.iter_mut().find(|reading| reading.thread == thread)?.ended = true;
            }
        }
        Some(after)
    }
}

impl State {
    fn is_read(&self, account: usize) -> bool {
        self.readings.iter().any(|reading| reading.account == account && !reading.ended)
    }

    /// The state with another balance of an account.
    fn with(&self, account: usize, change: impl Fn(u64) -> u64) -> State {
        let mut after = self.clone();
        after.balances[account] = change(after.balances[account]);
        after
    }

    fn somebody_reads(&self) -> bool {
        self.readings.iter().any(|reading| !reading.ended)
    }

    /// The call has done what it does. It may have to wait before it returns, while somebody reads.
    fn answers(&self, turn: &Turn, answer: impl Into<String>, moves: &mut Moves<State>) {
        let mut after = self.clone();
        after.known.push((turn.id, answer.into()));
        moves.go_on(after, turn.phase + 1);
    }

    /// Takes the money from one account, and then puts it into the other. Others may look in between.
    fn transfer(&self, (from, to): (usize, usize), last: bool, turn: &Turn, moves: &mut Moves<State>) {
        match turn.phase % 2 {
            0 if self.balances[from] < AMOUNT => self.answers(turn, "InsufficientFunds", moves),
            0 if from == to => self.answers(turn, "Ok", moves),
            0 if self.is_read(from) => {}
            0 => {
                let taken = self.with(from, |balance| balance - AMOUNT);
                moves.go_on(State { moving: self.moving + AMOUNT, ..taken }, turn.phase + 1);
            }
            _ if self.is_read(to) => {}
            _ => {
                let put = self.with(to, |balance| balance + AMOUNT);
                let put = State { moving: self.moving - AMOUNT, ..put };
                if last { put.answers(turn, "Ok", moves) } else { moves.go_on(put, turn.phase + 1) }
            }
        }
    }

    /// The balance that a reader got, when it has read it.
    fn end_of_reading(&self, thread: usize, moves: &mut Moves<State>) {
        match self.readings.iter().position(|reading| reading.thread == thread) {
            None if self.readings.iter().all(|reading| reading.ended) => moves.must_go_on("nobody else reads"),
            Some(place) if self.readings[place].ended => {
                let mut after = self.clone();
                let reading = after.readings.swap_remove(place);
                moves.answer(after, reading.balance.to_string());
            }
            _ => {}
        }
    }
}

/// Whether the call gives up after a while.
fn is_limited(call: Call) -> bool {
    matches!(call, Call::TransferWithin(_, _, LIMIT))
}

/// The accounts of a call, if it is not about all.
fn accounts(call: Call) -> Option<(usize, usize)> {
    match call {
        Call::WithBalance(account, _) | Call::Deposit(account) => Some((account, account)),
        Call::Transfer(from, to) | Call::TransferWithin(from, to, _) => Some((from, to)),
        Call::ThereAndBack | Call::Total => None,
    }
}

/// What is noted when a thread begins to read an account's balance, and when it has read it, by the thread.
const READS: [&str; 3] = ["A reads account {}", "B reads account {}", "C reads account {}"];
const HAS_READ: [&str; 3] = ["A has read account {}", "B has read account {}", "C has read account {}"];

/// Reads a balance.
fn read(reader: Reader, account: usize, thread: usize, scene: &Scene) {
    if reader == Reader::Returns {
        return;
    }
    scene.note(READS[thread], account);
    match reader {
        Reader::Sleeps => thread::sleep(SLEEP),
        _ => scene.gate().pass(),
    }
    scene.note(HAS_READ[thread], account);
}

fn outcome(outcome: Result<(), Refused>) -> String {
    match outcome {
        Ok(()) => "Ok",
        Err(Refused::InsufficientFunds) => "InsufficientFunds",
        Err(Refused::TimeIsUp) => "TimeIsUp",
    }
    .to_owned()
}
