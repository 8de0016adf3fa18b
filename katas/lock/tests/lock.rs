//! The contract of the kata `lock`, sentence by sentence. `README.md` has the same list.

#[path = "lock/contract.rs"]
mod contract;

use std::array;
use std::thread;
use std::time::{Duration, Instant};

use kata::scenarios::every_small_program;
use kata::{Gate, check, on_schedules, start, until_blocked};
use lock::{Bank, Refused};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
fn _signatures<R>(bank: &Bank, read: impl FnOnce(u64) -> R) {
    use Refused::{InsufficientFunds, TimeIsUp};
    let _: fn(&[u64]) -> Bank = Bank::new;
    let _: R = bank.with_balance(0, read);
    let _: fn(&Bank, usize, u64) = Bank::deposit;
    let _: fn(&Bank, usize, usize, u64) -> Result<(), Refused> = Bank::transfer;
    let _: fn(&Bank, usize, usize, u64, Duration) -> Result<(), Refused> = Bank::transfer_within;
    let _: fn(&Bank) -> u64 = Bank::total;
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    const TIME_IS_UP: Refused = TimeIsUp;
    let _ = |refused| match refused {
        TIME_IS_UP | InsufficientFunds => (),
    };
}

#[test]
fn a_transfer_moves_money_from_one_account_to_the_other() {
    check(|| {
        let bank = Bank::new(&[100, 50, 7]);
        assert_eq!(bank.transfer(0, 1, 30), Ok(()));
        assert_eq!(balances(&bank), [70, 80, 7]);
        assert_eq!(bank.transfer_within(1, 2, 80, PLENTY), Ok(()));
        assert_eq!(bank.transfer(2, 0, 7), Ok(()));
        assert_eq!(balances(&bank), [77, 0, 80]);
        assert_eq!(bank.total(), 157);
    });
}

#[test]
fn deposits_at_the_same_time_all_count() {
    check(|| {
        let bank = Bank::new(&[0, 0]);
        thread::scope(|scope| {
            start(scope, "deposit 1", || bank.deposit(0, 1));
            start(scope, "deposit 2", || bank.deposit(0, 2));
        });
        assert_eq!(balance(&bank, 0), 3, "a deposit of 1 and a deposit of 2 into an empty account");
    });
}

#[test]
fn a_transfer_without_the_funds_is_refused_and_changes_nothing() {
    check(|| {
        let bank = Bank::new(&[20, 0]);
        assert_eq!(bank.transfer(0, 1, 21), Err(Refused::InsufficientFunds));
        assert_eq!(bank.transfer_within(0, 1, 21, PLENTY), Err(Refused::InsufficientFunds));
        assert_eq!(balances(&bank), [20, 0]);
        assert_eq!(bank.transfer(0, 1, 20), Ok(()), "the whole balance may go");
    });
}

#[test]
fn the_same_money_is_spent_only_once() {
    check(|| {
        let bank = Bank::new(&[10, 0, 0]);
        let (first, second) = thread::scope(|scope| {
            let first = start(scope, "0→1", || bank.transfer(0, 1, 10));
            let second = start(scope, "0→2", || bank.transfer(0, 2, 10));
            (first.join().unwrap(), second.join().unwrap())
        });
        let refused = Err(Refused::InsufficientFunds);
        match (first, second) {
            (Ok(()), second) if second == refused => assert_eq!(balances(&bank), [0, 10, 0]),
            (first, Ok(())) if first == refused => assert_eq!(balances(&bank), [0, 0, 10]),
            both => panic!("10 can pay for one transfer of 10, not for {both:?}"),
        }
    });
}

#[test]
fn a_transfer_to_the_same_account_changes_nothing() {
    check(|| {
        let bank = Bank::new(&[20, 5]);
        assert_eq!(bank.transfer(0, 0, 20), Ok(()));
        assert_eq!(bank.transfer(0, 0, 21), Err(Refused::InsufficientFunds));
        assert_eq!(bank.transfer_within(0, 0, 20, PLENTY), Ok(()));
        assert_eq!(balances(&bank), [20, 5]);
    });
}

#[test]
fn transfers_in_both_directions_finish() {
    check(|| {
        let bank = Bank::new(&[100, 100]);
        thread::scope(|scope| {
            start(scope, "alice→bob", || bank.transfer(0, 1, 10).unwrap());
            start(scope, "bob→alice", || bank.transfer(1, 0, 30).unwrap());
        });
        assert_eq!(balances(&bank), [120, 80]);
    });
}

#[test]
fn an_audit_always_sees_all_the_money() {
    check(|| {
        let bank = Bank::new(&[60, 40]);
        thread::scope(|scope| {
            start(scope, "there and back", || {
                bank.transfer(0, 1, 10).unwrap();
                bank.transfer(1, 0, 10).unwrap();
            });
            assert_eq!(bank.total(), 100, "the audit, while money moves between 60 and 40");
        });
        assert_eq!(balances(&bank), [60, 40]);
        thread::scope(|scope| {
            start(scope, "deposits", || [(0, 1), (1, 2)].map(|(account, amount)| bank.deposit(account, amount)));
            // Not 102: whoever sees the second deposit sees the first one.
            let total = bank.total();
            assert!([100, 101, 103].contains(&total), "the audit saw {total}, while 1 and then 2 come to 100");
        });
    });
}

#[test]
fn a_transfer_that_gives_up_changes_nothing() {
    check(|| {
        let bank = Bank::new(&[100, 100]);
        for (from, to) in [(0, 1), (1, 0)] {
            let before: [u64; 2] = balances(&bank);
            let (inside, leave) = (Gate::closed(), Gate::closed());
            let outcome = thread::scope(|scope| {
                let _leave = leave.open_when_dropped();
                start(scope, "reader", || {
                    bank.with_balance(1, |_| {
                        inside.open();
                        leave.pass();
                    });
                });
                inside.pass();
                bank.transfer_within(from, to, 30, Duration::from_millis(5))
            });
            assert_eq!(outcome, Err(Refused::TimeIsUp), "{from}→{to}, while account 1 was being read");
            assert_eq!(balances(&bank), before, "after giving up {from}→{to}");
            assert_eq!(bank.transfer_within(from, to, 30, PLENTY), Ok(()), "{from}→{to}, once nobody reads");
        }
    });
}

/// The time is the model's: the reader that sleeps costs nothing, and no machine is too slow for the limit.
#[test]
#[ignore = "needs schedules: cargo xtask check lock waiting_for_both_accounts_keeps_to_one_limit"]
fn waiting_for_both_accounts_keeps_to_one_limit() {
    on_schedules(|| {
        // A limit that is cut to whole units, or rounded up to them, is another one. So is one that is passed in steps of a millisecond.
        for (short, long, limit) in [(0, 1, Duration::from_nanos(200_900)), (1, 0, Duration::new(1, 7))] {
            let bank = Bank::new(&[100, 100]);
            let leave = Gate::closed();
            let (outcome, waited) = thread::scope(|scope| {
                let _leave = leave.open_when_dropped();
                let long = start(scope, "long reader", || bank.with_balance(long, |_| leave.pass()));
                until_blocked(long.thread());
                let short =
                    start(scope, "short reader", || bank.with_balance(short, |_| thread::sleep(limit.mul_f32(0.75))));
                until_blocked(short.thread());
                let begin = Instant::now();
                let outcome = bank.transfer_within(0, 1, 30, limit);
                (outcome, begin.elapsed())
            });
            assert_eq!(outcome, Err(Refused::TimeIsUp));
            assert!(waited >= limit, "refused after {waited:?}, and {limit:?} was the limit");
            // A quarter more, for those who look now and then instead of waiting.
            assert!(waited < limit + limit / 4, "waited for {waited:?} where {limit:?} was the limit");
            assert_eq!(balances(&bank), [100, 100]);
        }
        // Two wait, and the time of the first is up at the very moment at which the account is free. Whatever becomes of it, it keeps
        // nothing from the other one.
        let limit = Duration::from_millis(30);
        let bank = Bank::new(&[100, 100]);
        let outcome = thread::scope(|scope| {
            let reader = start(scope, "reader", || bank.with_balance(0, |_| thread::sleep(limit)));
            until_blocked(reader.thread());
            let limited = start(scope, "who has a limit", || bank.transfer_within(0, 1, 30, limit));
            until_blocked(limited.thread());
            start(scope, "who has none", || bank.transfer(0, 1, 20).unwrap());
            limited.join().unwrap()
        });
        let paid = if outcome.is_ok() { 50 } else { 20 };
        assert_eq!(balances(&bank), [100 - paid, 100 + paid], "after {outcome:?} within {limit:?}");
        // In 32 bits, so many microseconds are none at all, and so many milliseconds neither.
        for limit in [Duration::from_micros(1 << 32), Duration::from_millis(1 << 32)] {
            let bank = Bank::new(&[100, 100]);
            let outcome = thread::scope(|scope| {
                let reader =
                    start(scope, "reader", || bank.with_balance(1, |_| thread::sleep(Duration::from_millis(30))));
                until_blocked(reader.thread());
                bank.transfer_within(0, 1, 30, limit)
            });
            assert_eq!(outcome, Ok(()), "after 30 ms nobody reads any more, and {limit:?} was the limit");
            assert_eq!(balances(&bank), [70, 130]);
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check lock every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::BankContract);
}

#[test]
fn a_bank_has_any_number_of_accounts() {
    use Large::{AllMoves, Audited, Between, Rich};
    // Where there are so many locks for all accounts, in turn, these two transfers want the same two: the last one and the first. The
    // same is true of all that divides this number, and so of every number up to it.
    let sharing = (MANY / 2 + 1..MANY).map(|locks| Between([(locks - 1, locks), (0, locks - 1)]));
    let cases = [Rich, AllMoves(0, 1), AllMoves(1, 0), Between([(0, MANY - 1), (MANY - 1, 0)])];
    let cases = cases.into_iter().chain(sharing).chain([Audited(0, MANY - 1)]);
    kata::Check::new().each(cases, |case| match *case {
        Rich => {
            assert_eq!(Bank::new(&[]).total(), 0, "a bank without accounts");
            // As much money as there can be, and a number that no `f64` holds.
            const MOST: u64 = u64::MAX - 1;
            let bank = Bank::new(&[[MOST].as_slice(), &[0; MANY - 1]].concat());
            assert_eq!(bank.transfer(0, 0, MOST), Ok(()), "0→0");
            assert_eq!(bank.transfer(1, 0, u64::MAX), Err(Refused::InsufficientFunds));
            assert_eq!(bank.transfer(1, 0, 0), Ok(()), "nothing, of which an empty account has enough");
            for to in [1, 8, 16, 32, 64, 128, MANY - 1] {
                assert_eq!(bank.transfer(0, to, MOST), Ok(()), "0→{to}");
                assert_eq!(balance(&bank, to), MOST, "0→{to}");
                assert_eq!(bank.transfer_within(to, 0, MOST, PLENTY), Ok(()), "{to}→0");
                assert_eq!(balance(&bank, to), 0, "{to}→0");
            }
            assert_eq!(bank.total(), MOST);
            bank.deposit(MANY - 1, 1);
            assert_eq!((balance(&bank, 0), bank.total()), (MOST, u64::MAX));
        }
        AllMoves(from, to) => {
            let bank = Bank::new(&[0, 1].map(|account| if account == from { u64::MAX } else { 0 }));
            thread::scope(|scope| {
                start(scope, &format!("{from}→{to}"), || bank.transfer(from, to, u64::MAX).unwrap());
                // To look again if something has changed is right, but until then there may be twice as much as a sum can hold.
                assert_eq!(bank.total(), u64::MAX, "the audit, while all the money moves from {from} to {to}");
            });
        }
        Between(pairs) => {
            let bank = Bank::new(&[100; MANY]);
            thread::scope(|scope| {
                for (from, to) in pairs {
                    let bank = &bank;
                    start(scope, &format!("{from}→{to}"), move || bank.transfer(from, to, 30).unwrap());
                }
            });
            let moved = |account: usize| {
                let comes = pairs.iter().filter(|(_, to)| *to == account).count() as u64;
                let goes = pairs.iter().filter(|(from, _)| *from == account).count() as u64;
                100 + 30 * comes - 30 * goes
            };
            for account in pairs.iter().flat_map(|(from, to)| [*from, *to]) {
                assert_eq!(balance(&bank, account), moved(account), "account {account}");
            }
        }
        Audited(from, to) => {
            let bank = Bank::new(&[1; MANY]);
            thread::scope(|scope| {
                start(scope, &format!("{from}→{to}"), || bank.transfer(from, to, 1).unwrap());
                assert_eq!(bank.total(), MANY as u64, "the audit, while money moves from {from} to {to}");
            });
        }
    });
}

#[test]
fn banks_have_nothing_to_do_with_each_other() {
    kata::Check::new().each([Waiting::Nobody, Waiting::Payer, Waiting::PatientPayer, Waiting::Auditor], |who| {
        if let Waiting::Nobody = who {
            return in_many_banks();
        }
        let (bank, other, third) = (Bank::new(&[100, 100]), Bank::new(&[50, 0]), Bank::new(&[30, 0]));
        let (inside, leave) = (Gate::closed(), Gate::closed());
        thread::scope(|scope| {
            let _leave = leave.open_when_dropped();
            start(scope, "reader of two banks", || {
                let _inside = inside.open_when_dropped();
                bank.with_balance(0, |_| {
                    // Who reads in one bank may do all things in another.
                    other.deposit(0, 5);
                    assert_eq!(other.transfer(0, 1, 30), Ok(()), "in another bank, while one is read");
                    assert_eq!(other.transfer_within(1, 0, 10, PLENTY), Ok(()), "in another bank, while one is read");
                    assert_eq!(other.total(), 55, "in another bank, while one is read");
                    other.with_balance(1, |balance| {
                        assert_eq!(balance, 20, "in another bank, while one is read");
                        inside.open();
                        leave.pass();
                    });
                });
            });
            inside.pass();
            // What is read in the other bank stays as it is, too: its reader has two balances, and both keep still.
            let late = other.transfer_within(0, 1, 10, Duration::from_millis(5));
            assert_eq!(late, Err(Refused::TimeIsUp), "0→1 in the other bank, while its account 1 is being read");
            // Nor does it help to read the account of that number in a bank of one's own.
            let late = third.with_balance(1, |_| other.transfer_within(0, 1, 10, Duration::from_millis(5)));
            assert_eq!(late, Err(Refused::TimeIsUp), "0→1 in the other bank, by who reads account 1 in a third one");
            // Who waits in one bank keeps nobody waiting in another, either.
            let waiting = start(scope, "who waits", || match who {
                Waiting::Payer => assert_eq!(bank.transfer(1, 0, 10), Ok(())),
                Waiting::PatientPayer => assert_eq!(bank.transfer_within(0, 1, 10, PLENTY), Ok(())),
                Waiting::Auditor => assert_eq!(bank.total(), 200),
                Waiting::Nobody => {}
            });
            if kata::EXPLORED {
                until_blocked(waiting.thread());
            }
            assert_eq!(third.transfer(0, 1, 30), Ok(()), "in a bank that nobody reads");
            assert_eq!(third.transfer_within(1, 0, 10, PLENTY), Ok(()), "in a bank that nobody reads");
            third.deposit(0, 5);
            assert_eq!((balances(&third), third.total()), ([15, 20], 35), "in a bank that nobody reads");
        });
        assert_eq!((bank.total(), other.total()), (200, 55));
    });
}

/// One thread reads in many large banks, and meanwhile uses others, large and small. Where all banks take their locks from one table,
/// it waits for itself.
fn in_many_banks() {
    let read = Vec::from_iter((0..READ_BANKS).map(|_| Bank::new(&[1; MANY])));
    read_within_each_other(&read, &|| {
        let large = Bank::new(&[1; MANY]);
        assert_eq!(large.total(), MANY as u64, "in another large bank, while {READ_BANKS} are read");
        for number in 1..=MORE_BANKS {
            let small = Bank::new(&[7]);
            small.deposit(0, 1);
            assert_eq!(small.total(), 8, "in the small bank number {number}, while {READ_BANKS} others are read");
        }
    });
}

/// Reads in the first bank, within that in the second, and so on, and does this within the last.
fn read_within_each_other(banks: &[Bank], last: &dyn Fn()) {
    let Some((first, others)) = banks.split_first() else { return last() };
    // In a table, the accounts of another bank may stand after those of this one or before them.
    let account = if others.len().is_multiple_of(2) { 0 } else { MANY - 1 };
    first.with_balance(account, |_| read_within_each_other(others, last));
}

/// Who waits in one bank while others go on in another.
enum Waiting {
    /// There are many banks instead.
    Nobody,
    Payer,
    PatientPayer,
    Auditor,
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Waiting::Nobody => "many banks",
            Waiting::Payer => "a transfer that waits",
            Waiting::PatientPayer => "a transfer with a limit that waits",
            Waiting::Auditor => "an audit that waits",
        })
    }
}

/// What happens in a large bank.
enum Large {
    /// All its money is in one account, and goes to others and back.
    Rich,
    /// An audit while all the money moves from one account to another: as much as there can be.
    AllMoves(usize, usize),
    /// Two transfers at the same time.
    Between([(usize, usize); 2]),
    /// An audit while money moves from one account to another.
    Audited(usize, usize),
}

impl std::fmt::Display for Large {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Large::Rich => f.write_str("as much money as there can be"),
            Large::AllMoves(from, to) => {
                write!(f, "an audit of as much money as there can be, and the transfer {from}→{to}")
            }
            Large::Between([(from, to), (other_from, other_to)]) => {
                write!(f, "the transfers {from}→{to} and {other_from}→{other_to} of {MANY} accounts")
            }
            Large::Audited(from, to) => write!(f, "an audit of {MANY} accounts, and the transfer {from}→{to}"),
        }
    }
}

/// How many accounts a large bank has: more than one byte can number.
const MANY: usize = 257;
/// In how many large banks somebody reads at the same time.
const READ_BANKS: usize = 64;
/// More than anybody has in a table from which each bank takes the next lock.
const MORE_BANKS: usize = 1_100;
/// A limit that is never reached.
const PLENTY: Duration = Duration::from_secs(3600);

/// The balance of one account.
fn balance(bank: &Bank, account: usize) -> u64 {
    bank.with_balance(account, |balance| balance)
}

/// The balances of the first `N` accounts.
fn balances<const N: usize>(bank: &Bank) -> [u64; N] {
    array::from_fn(|account| balance(bank, account))
}
