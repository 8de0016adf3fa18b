//! The contract of the kata `thread`, sentence by sentence. `README.md` has the same list.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, ThreadId};

// `thread` is a module of `std` and the name of this kata's crate; the colons in front say that the crate is meant.
use ::thread::{cook_all, start, start_named, wait_for_all};
use kata::inputs::{counted, listed, orders, subsets};
use kata::{Check, EXPLORED, Gate, GateGuard, Log, Rendezvous, panic_on_purpose, until, when_dropped};

/// Never called. Compiles only with the types that the stub gives, for every `T`: a type of its own could be equal to
/// whatever it is compared with, or be there for some `T` alone.
fn _signatures<T: Send + 'static>(cooks: [impl FnOnce(&str) -> T + Send + 'static; 2]) {
    let [cook, named] = cooks;
    let _: JoinHandle<T> = start(String::new(), cook);
    let _: JoinHandle<T> = start_named("", String::new(), named);
    let _: fn(Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> = wait_for_all;
}

/// Never called, either.
fn _signature_of_cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) {
    let _: Vec<thread::Result<T>> = cook_all(dishes, cook);
}

#[test]
fn the_cook_gets_the_dish_and_join_gives_the_plate() {
    Check::new().each([Start::Plain, Start::Named], |way| {
        for dish in ["soup", "떡볶이", &"rice, ".repeat(50)].into_iter().chain(STRANGE) {
            let salt = String::from("salt");
            let cook = way.start(dish, move |dish| format!("{dish} with {salt}"));
            assert_eq!(plate(cook.join()), Ok(format!("{dish} with salt")), "the plate of the dish {dish:?}");
        }
        for number in 0..REASONS {
            let cook = way.start("rice", move |_| -> String { burn(number) });
            assert_eq!(plate(cook.join()), Err(Burnt(number)), "what `join` gives of a cook that panics");
        }
    });
}

#[test]
fn the_caller_goes_on_while_the_cook_is_at_work() {
    Check::new().each([Start::Plain, Start::Named], |way| {
        // The caller meets two cooks, so these don't wait for each other either.
        let rendezvous = Rendezvous::of(3);
        let cook = |dish| {
            let rendezvous = rendezvous.clone();
            way.start(dish, move |_| rendezvous.meet())
        };
        let cooks = ["soup", "rice"].map(cook);
        rendezvous.meet();
        for cook in cooks {
            cook.join().expect("the cook did not panic");
        }
    });
}

#[test]
fn the_cook_has_the_name_that_was_given() {
    // The system cuts its own copy of a name after 15 bytes. This one is of more bytes than a byte can count.
    let long: &'static str =
        "who cooks the soup, and the rice, and the bread, and all else that has to be cooked today; ".repeat(3).leak();
    Check::new().each(
        ["Ana", "main", "김 요리사", long].into_iter().chain(STRANGE).filter(|name| !name.contains('\0')).map(Name),
        |Name(given)| {
            let name = |_: &str| thread::current().name().map(str::to_owned);
            // Two of one name, at the same time.
            let done = Gate::closed();
            let namesake = start_named(given, "rice".to_owned(), {
                let done = done.clone();
                move |_| done.pass()
            });
            let cook = start_named(given, "soup".to_owned(), name);
            for cook in [cook.thread(), namesake.thread()] {
                assert_eq!(cook.name(), Some(*given), "the name, asked from outside");
            }
            assert_eq!(
                cook.join().expect("the cook did not panic").as_deref(),
                Some(*given),
                "the name, asked by the cook"
            );
            done.open();
            namesake.join().expect("the cook did not panic");
        },
    );
}

#[test]
fn wait_for_all_gives_the_plates_in_the_order_of_the_cooks() {
    let most = if EXPLORED { 3 } else { 4 };
    let in_any_order = (0..=most).flat_map(|count| orders(count).into_iter().map(DoneInOrder));
    Check::new().each(in_any_order, |DoneInOrder(order)| {
        let plates = wait_for_all(cooks_done_in(order)).map_err(burnt);
        let expected: Vec<usize> = (0..order.len()).collect();
        assert_eq!(plates, Ok(expected), "the plates, each with the number of its cook");
    });
}

#[test]
fn wait_for_all_waits_for_every_cook_even_if_one_panics() {
    let plainly = crews(if EXPLORED { 3 } else { 4 }).map(|crew| Wait { crew, unwinding: false });
    let unwinding = crews(2).map(|crew| Wait { crew, unwinding: true });
    Check::new().each(plainly.chain(unwinding), |Wait { crew, unwinding }| {
        let kitchen = Log::new();
        let cook = |number| {
            let (kitchen, panics) = (kitchen.clone(), crew.panics(number));
            employ(number, move || {
                kitchen.note(format!("cook {} is done", number + 1));
                if panics { panic_on_purpose(Burnt(number)) } else { number }
            })
        };
        let wait = || wait_for_all((0..crew.cooks).map(cook).collect()).map_err(burnt);
        let plates = if *unwinding { while_unwinding(wait) } else { wait() };
        for number in 1..=crew.cooks {
            let done = format!("cook {number} is done");
            assert!(kitchen.happened(&done), "wait_for_all was back before cook {number} was done");
        }
        crew.judge(plates);
    });
}

#[test]
fn all_dishes_are_cooked_at_the_same_time() {
    Check::new().each(meals(), |Meal(dishes)| cooked_at_once(dishes, &Rendezvous::of(dishes.len())));
}

#[test]
fn a_cook_that_panics_takes_no_other_along() {
    Check::new().each(crews(if EXPLORED { 3 } else { 5 }), |crew| one_plate_or_panic_each(crew, |_| ()));
}

#[test]
fn calls_have_nothing_to_do_with_each_other() {
    use Pair::{Asks, CooksAsk, CrewsAtOnce, FailsAtFirst, MealsAtOnce, Starts};
    let ways = [Start::Plain, Start::Named];
    let pairs =
        [CooksAsk, CrewsAtOnce, MealsAtOnce, FailsAtFirst].into_iter().chain(ways.map(Starts)).chain(ways.map(Asks));
    Check::new().each(pairs, move |pair| match pair {
        CooksAsk => {
            // With two cooks who ask for two more each there would be too many schedules.
            let asking = if EXPLORED { 1 } else { 2 };
            let (all, dishes) = (Rendezvous::of(2 * asking), ["soup", "rice"]);
            let plates = cook_all(&dishes[..asking], |dish| {
                cooked_at_once(&dishes, &all);
                dish.to_owned()
            });
            let plates = Vec::from_iter(plates.into_iter().map(|plate| plate.expect("no cook has panicked")));
            assert_eq!(plates, dishes[..asking], "the plates of the cooks who ask");
            if !EXPLORED {
                let threads = HashSet::<ThreadId>::from_iter(asked(4, &Rendezvous::of(16)));
                assert_eq!(threads.len(), 30, "threads of the cooks on four levels");
                assert!(!threads.contains(&thread::current().id()), "the thread of the caller cooks, too");
            }
        }
        Starts(way) => {
            let (way, both) = (*way, Rendezvous::of(2));
            let asking = way.start("soup", move |_| {
                let other = both.clone();
                let cook = way.start("rice", move |_| other.meet());
                if let Start::Named = way {
                    assert_eq!(cook.thread().name(), Some("Ana"), "the name, as it was given");
                }
                both.meet();
                cook.join().expect("the cook did not panic");
            });
            asking.join().expect("the cook did not panic");
        }
        Asks(way) => {
            let both = Rendezvous::of(2);
            let asking = way.start("soup and rice", move |_| cooked_at_once(&["soup", "rice"], &both));
            asking.join().expect("the cook did not panic");
        }
        CrewsAtOnce => {
            let done = Gate::closed();
            let other_is_done = done.clone();
            let crew = vec![employ(0, || panic_on_purpose(Burnt(0))), employ(1, move || other_is_done.pass())];
            let crew = thread::spawn(move || wait_for_all(crew).map_err(burnt));
            let plates = wait_for_all(vec![employ(2, || 2)]).map_err(burnt);
            assert_eq!(plates, Ok(vec![2]), "the plates of the crew without a panic");
            done.open();
            let plates = crew.join().expect("it does not panic").map(|plates| plates.len());
            assert_eq!(plates, Err(Burnt(0)), "what comes of the crew with a panic");
        }
        MealsAtOnce => {
            let (both, back) = (Rendezvous::of(2), Gate::closed());
            thread::scope(|scope| {
                // This cook is at work until the other call is back, whichever of the two has begun first.
                let slow = scope.spawn(|| {
                    cook_all(&["soup"], |_| {
                        both.meet();
                        back.pass();
                    })
                });
                let plates = cook_all(&["rice"], |_| both.meet());
                back.open();
                let slow = slow.join().expect("it does not panic");
                assert!(plates.iter().chain(&slow).all(Result::is_ok), "no cook has panicked");
            });
        }
        FailsAtFirst => {
            // No thread can have this name. What comes of it is open.
            let refused = panic::catch_unwind(|| start_named("no\0name", "soup".to_owned(), |_| ()));
            let _ = refused.map(JoinHandle::join);
            for way in ways {
                let cook = way.start("soup", str::to_owned);
                assert_eq!(plate(cook.join()), Ok("soup".to_owned()), "the plate of {way}");
            }
        }
    });
}

#[test]
fn what_holds_for_three_cooks_holds_for_70() {
    let crew = |cooks| [vec![], vec![0], vec![cooks - 1], vec![3, 4]].map(|panicking| Crew { cooks, panicking });
    // What all of them leave behind who panic, the others find.
    let all_panic = Crew { cooks: 8, panicking: Vec::from_iter(0..8) };
    // And more than a byte counts.
    let crowds = [vec![], Vec::from_iter(0..257), vec![3, 256]].map(|panicking| Crew { cooks: 257, panicking });
    let crews = [all_panic].into_iter().chain([8, 33, 70].into_iter().flat_map(crew)).chain(crowds);
    Check::new().threads_only().each(crews, |crew| {
        let last_first: Vec<usize> = (0..crew.cooks).rev().collect();
        let cooks = cooks_done_in(&last_first);
        // All are done before anybody waits: no luck is left.
        until(|| cooks.iter().all(JoinHandle::is_finished));
        let plates = wait_for_all(cooks).map_err(burnt);
        assert_eq!(
            plates,
            Ok((0..crew.cooks).collect()),
            "what `wait_for_all` gives, where the last cook is done first"
        );
        let (all, ends) = (Rendezvous::of(crew.cooks), Vec::from_iter((0..crew.cooks).map(|_| Gate::closed())));
        for way in [Start::Plain, Start::Named] {
            // All are at work at the same time, and with the same dish.
            let all = Rendezvous::of(crew.cooks + 1);
            let start = |number| {
                let (all, panics) = (all.clone(), crew.panics(number));
                way.start("soup", move |_| {
                    all.meet();
                    if panics {
                        burn(number)
                    }
                    (number, thread::current().name().map(str::to_owned))
                })
            };
            let cooks = Vec::from_iter((0..crew.cooks).map(start));
            all.meet();
            // They all have one name, and are all there at the same time.
            let same = |name: Option<&str>| matches!(way, Start::Plain) || name == Some("Ana");
            let strangers = cooks.iter().filter(|cook| !same(cook.thread().name())).count();
            assert_eq!(strangers, 0, "cooks of another name than the one that all were given, asked from outside");
            let plates = wait_for_all(cooks).map_err(burnt).map(|plates| {
                let (numbers, names): (Vec<_>, Vec<_>) = plates.into_iter().unzip();
                let strangers = names.iter().filter(|name| !same(name.as_deref())).count();
                assert_eq!(strangers, 0, "cooks of another name than the one that all were given, asked by themselves");
                numbers
            });
            crew.judge(plates);
        }
        one_plate_or_panic_each(crew, |number| {
            all.meet();
            // The last one ends first here, too.
            OPENS_AT_END.with_borrow_mut(|gates| gates.push(ends[number].open_when_dropped()));
            ends.get(number + 1).inspect(|next| next.pass());
        });
    });
}

thread_local! {
    /// Gates that open when the thread has ended.
    static OPENS_AT_END: RefCell<Vec<GateGuard>> = const { RefCell::new(Vec::new()) };
}

/// Has all dishes cooked by cooks who meet there. Both the dishes and what they are cooked with live here: the threads
/// only borrow them.
fn cooked_at_once(dishes: &[&str], all: &Rendezvous) {
    let plates = cook_all(dishes, |dish| {
        all.meet();
        (format!("hot {dish}"), thread::current().id())
    });
    let plates: Vec<(String, ThreadId)> =
        plates.into_iter().map(|plate| plate.expect("no cook has panicked")).collect();
    let told: Vec<&String> = plates.iter().map(|(plate, _)| plate).collect();
    let expected: Vec<String> = dishes.iter().map(|dish| format!("hot {dish}")).collect();
    assert_eq!(told, Vec::from_iter(&expected), "the plates, in the order of the dishes");
    let cooks: HashSet<ThreadId> = plates.iter().map(|(_, cook)| *cook).chain([thread::current().id()]).collect();
    assert_eq!(cooks.len(), dishes.len() + 1, "threads: one for each dish, and the caller's");
}

/// Has two dishes cooked by cooks who do the same, on so many levels. All who ask nobody meet. Gives the threads of all cooks.
fn asked(levels: usize, all: &Rendezvous) -> Vec<ThreadId> {
    let cook = |_: &str| {
        let mut threads = vec![thread::current().id()];
        if levels > 1 {
            threads.extend(asked(levels - 1, all));
        } else {
            all.meet();
        }
        threads
    };
    cook_all(&["soup", "rice"], cook).into_iter().flat_map(|threads| threads.expect("no cook has panicked")).collect()
}

/// Has a crew cook by `cook_all`. The dishes are numbers, so that each cook knows its own. `work` is what each does first.
fn one_plate_or_panic_each(crew: &Crew, work: impl Fn(usize) + Sync) {
    let dishes: Vec<String> = (0..crew.cooks).map(|number| number.to_string()).collect();
    let calls: Vec<AtomicUsize> = dishes.iter().map(|_| AtomicUsize::new(0)).collect();
    let plates = cook_all(&Vec::from_iter(dishes.iter().map(String::as_str)), |dish| {
        let number = dish.parse::<usize>().expect("one of the dishes");
        calls[number].fetch_add(1, Ordering::Relaxed);
        work(number);
        if crew.panics(number) { burn(number) } else { (number, thread::current().id()) }
    });
    let mut threads = HashSet::from([thread::current().id()]);
    let mut number = |(number, cook)| {
        assert!(threads.insert(cook), "the thread of the dish {number} has had another dish, or is the caller's");
        number
    };
    let plates: Vec<Result<usize, Burnt>> =
        plates.into_iter().map(|plate| plate.map(&mut number).map_err(burnt)).collect();
    let expected: Vec<Result<usize, Burnt>> =
        (0..crew.cooks).map(|number| if crew.panics(number) { Err(Burnt(number)) } else { Ok(number) }).collect();
    assert_eq!(plates, expected, "the plate or the panic of each cook, in the order of the dishes");
    let calls: Vec<usize> = calls.into_iter().map(AtomicUsize::into_inner).collect();
    assert_eq!(calls, vec![1; crew.cooks], "how often each dish was cooked");
}

/// A way to start a cook.
#[derive(Clone, Copy)]
enum Start {
    Plain,
    Named,
}

impl Start {
    fn start<T: Send + 'static>(&self, dish: &str, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
        // In a box: then what starts a cook is compiled once for each kind of plate.
        let cook: Box<dyn FnOnce(&str) -> T + Send> = Box::new(cook);
        match self {
            Start::Plain => start(dish.to_owned(), cook),
            Start::Named => start_named("Ana", dish.to_owned(), cook),
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Start::Plain => "a cook of `start`",
            Start::Named => "a cook of `start_named`",
        })
    }
}

/// Two calls at the same time.
enum Pair {
    /// Cooks of `cook_all` who call it, too.
    CooksAsk,
    /// A cook who starts another one.
    Starts(Start),
    /// A cook who has dishes cooked by `cook_all`.
    Asks(Start),
    /// Two of `wait_for_all`, where a cook of one has panicked before the other one is done.
    CrewsAtOnce,
    /// Two of `cook_all`, where the cook of one is at work until the other one is back.
    MealsAtOnce,
    /// One of `start_named` that can't be answered, and later ones.
    FailsAtFirst,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pair::CooksAsk => f.write_str("cooks of cook_all who have dishes cooked by cook_all"),
            Pair::Starts(way) => write!(f, "{way} who starts another one"),
            Pair::Asks(way) => write!(f, "{way} who has dishes cooked by cook_all"),
            Pair::CrewsAtOnce => {
                f.write_str("two crews that are waited for at the same time, of whom the first cook panics")
            }
            Pair::MealsAtOnce => {
                f.write_str("two calls of cook_all, where a cook of one is at work until the other one is back")
            }
            Pair::FailsAtFirst => f.write_str("cooks after one whose name no thread can have"),
        }
    }
}

/// The name of a cook.
struct Name(&'static str);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name {:?}", self.0)
    }
}

/// Cooks by their numbers, in the order in which they are done.
struct DoneInOrder(Vec<usize>);

impl fmt::Display for DoneInOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            order @ ([] | [_]) => f.write_str(&counted(order.len(), "cook")),
            order => write!(f, "{}, who are done in the order {}", counted(order.len(), "cook"), listed(order)),
        }
    }
}

/// Starts cooks, each of whom waits for the one before in this order. Each gives its number.
fn cooks_done_in(order: &[usize]) -> Vec<JoinHandle<usize>> {
    let turns: Vec<Gate> = order.iter().map(|_| Gate::closed()).collect();
    let cook = |number| {
        let turn = order.iter().position(|other| *other == number).expect("each cook has a turn");
        let (before, own) = (turn.checked_sub(1).map(|before| turns[before].clone()), turns[turn].clone());
        employ(number, move || {
            before.inspect(Gate::pass);
            own.open();
            number
        })
    };
    (0..order.len()).map(cook).collect()
}

/// Cooks, and which of them panic.
struct Crew {
    cooks: usize,
    panicking: Vec<usize>,
}

/// All crews up to so many cooks.
fn crews(most: usize) -> impl Iterator<Item = Crew> {
    (0..=most).flat_map(|cooks| subsets(cooks).into_iter().map(move |panicking| Crew { cooks, panicking }))
}

/// Who is waited for, and whether in a destructor, while a panic unwinds the thread that waits.
struct Wait {
    crew: Crew,
    unwinding: bool,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.crew.fmt(f)?;
        if self.unwinding { f.write_str(", in a destructor, while a panic unwinds its thread") } else { Ok(()) }
    }
}

/// Does this in a destructor, while a panic unwinds the thread.
fn while_unwinding<R>(act: impl FnOnce() -> R) -> R {
    let mut result = None;
    let unwound = panic::catch_unwind(AssertUnwindSafe(|| {
        let _late = when_dropped(|| result = Some(act()));
        panic_on_purpose("what runs the destructors")
    }));
    assert!(unwound.is_err());
    result.expect("a destructor runs")
}

impl Crew {
    fn panics(&self, number: usize) -> bool {
        self.panicking.contains(&number)
    }

    /// All plates, or what any of those has panicked with who did.
    fn judge(&self, plates: Result<Vec<usize>, Burnt>) {
        match plates {
            Ok(plates) if self.panicking.is_empty() => {
                assert_eq!(plates, Vec::from_iter(0..self.cooks), "the plates, each with the number of its cook");
            }
            Ok(plates) => panic!("a cook has panicked, and wait_for_all gives {plates:?}"),
            Err(Burnt(number)) => assert!(self.panics(number), "cook {} has not panicked", number + 1),
        }
    }
}

impl fmt::Display for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.panicking[..] {
            [] => f.write_str(&counted(self.cooks, "cook")),
            [one] => write!(f, "{}, of whom {} panics", counted(self.cooks, "cook"), one + 1),
            all if all.len() == self.cooks => write!(f, "{}, who all panic", counted(self.cooks, "cook")),
            several => write!(f, "{}, of whom {} panic", counted(self.cooks, "cook"), listed(several)),
        }
    }
}

/// Dishes to be cooked at the same time.
struct Meal(Vec<&'static str>);

impl fmt::Display for Meal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => f.write_str("no dish"),
            [""] => f.write_str("the dish that is an empty text"),
            [dish] => write!(f, "the dish {}", dish.escape_debug()),
            dishes => write!(f, "the dishes {}", dishes.join(", ")),
        }
    }
}

/// Texts that are easily taken for others, or for none: an empty one, blanks of many kinds, line ends, an end in the middle as C has it,
/// marks that say how a file is encoded, capitals and small letters, one character that can be written in two ways, and what other
/// programs take for an order.
const STRANGE: [&str; 9] = [
    "",
    " ",
    "two\r\nlines\n",
    "no\0name",
    "\u{feff}rice\u{feff}",
    "\t\u{a0}\u{3000}rice\u{200b}\u{2003} ",
    "Çay ÇAY çay",
    "cafe\u{301} café 🍲",
    "\"\\n\" {} %s $HOME &amp; <b> \u{1b}[1m",
];

/// All meals of up to three dishes, and the strange ones. Some dishes come twice: each is cooked as often as it is asked for.
fn meals() -> Vec<Meal> {
    let (a, b, c) = ("soup", "rice", "bread");
    let strange = STRANGE.into_iter().map(|dish| Meal(vec![dish]));
    let lists: [&[&'static str]; 8] =
        [&[a], &[a, a], &[a, b], &[a, a, a], &[a, a, b], &[a, b, a], &[a, b, b], &[a, b, c]];
    std::iter::once(Meal(Vec::new())).chain(strange).chain(lists.map(|dishes| Meal(dishes.to_vec()))).collect()
}

/// Starts a cook. The table of a failing schedule shows its name, and the line that called for it.
#[track_caller]
fn employ<T: Send + 'static>(number: usize, cook: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let named = thread::Builder::new().name(format!("cook {}", number + 1));
    let cook: Box<dyn FnOnce() -> T + Send> = Box::new(cook);
    named.spawn(cook).expect("the system has room for a thread")
}

/// What a cook panics with: its number. No other payload can be taken for it.
#[derive(Debug, PartialEq, Eq)]
struct Burnt(usize);

/// How many kinds of things a cook can panic with.
const REASONS: usize = 4;

/// Panics with the number: as it is, as text that is there, as text that is put together (what `panic!` gives is one of these), or in
/// a box of its own.
fn burn(number: usize) -> ! {
    match number % REASONS {
        0 => panic_on_purpose(Burnt(number)),
        1 => panic_on_purpose::<&'static str>(number.to_string().leak()),
        2 => panic_on_purpose(number.to_string()),
        _ => panic_on_purpose::<Box<dyn Any + Send>>(Box::new(number)),
    }
}

/// What a cook has panicked with.
fn burnt(payload: Box<dyn Any + Send>) -> Burnt {
    let told = |text: &str, reason| text.parse().ok().filter(|number| number % REASONS == reason).map(Burnt);
    let burnt = match payload.downcast::<Burnt>() {
        Ok(burnt) => Some(*burnt),
        Err(payload) => match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => told(text, 1),
            (_, Some(text)) => told(text, 2),
            _ => payload.downcast_ref::<Box<dyn Any + Send>>().and_then(|own| own.downcast_ref().copied()).map(Burnt),
        },
    };
    burnt.unwrap_or_else(|| panic!("what came of a cook's panic is not what it panicked with"))
}

fn plate(result: thread::Result<String>) -> Result<String, Burnt> {
    result.map_err(burnt)
}
