//! The contract of the kata `thread`, sentence by sentence. `README.md` has the same list.

use std::thread::{self, JoinHandle};

// `thread` is a module of `std` and the name of this kata's crate; the colons in front say that the crate is meant.
use ::thread::{cook_all, start, start_named, wait_for_all};
use kata::{Gate, Log, Rendezvous, check};

/// Never called. Compiles only with the types that the stub gives, for every `T`: a type of its own could be equal to whatever it is
/// compared with, or be there for some `T` alone.
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
    check(|| {
        let salt = String::from("salt");
        let cook = start("soup".to_owned(), move |dish| format!("{dish} with {salt}"));
        assert_eq!(cook.join().expect("the cook did not panic"), "soup with salt");
    });
}

#[test]
fn the_caller_goes_on_while_the_cook_is_at_work() {
    check(|| {
        let rendezvous = Rendezvous::of(2);
        let cook = start("soup".to_owned(), {
            let rendezvous = rendezvous.clone();
            move |_| rendezvous.meet()
        });
        rendezvous.meet();
        cook.join().expect("the cook did not panic");
    });
}

#[test]
fn the_cook_has_the_name_that_was_given() {
    check(|| {
        let cook = start_named("Ana", "soup".to_owned(), |dish| {
            let name = thread::current().name().map(str::to_owned);
            (name, format!("hot {dish}"))
        });
        assert_eq!(cook.thread().name(), Some("Ana"), "the name, asked from outside");
        let (name, plate) = cook.join().expect("the cook did not panic");
        assert_eq!(name.as_deref(), Some("Ana"), "the name of the thread that cooked");
        assert_eq!(plate, "hot soup");
    });
}

#[test]
fn wait_for_all_gives_the_plates_in_the_order_of_the_cooks() {
    check(|| {
        let soup_is_done = Gate::closed();
        let bread = employ("bread", {
            let soup_is_done = soup_is_done.clone();
            move || {
                soup_is_done.pass();
                "bread"
            }
        });
        let soup = employ("soup", move || {
            soup_is_done.open();
            "soup"
        });
        let plates = wait_for_all(vec![bread, soup]).expect("no cook panicked");
        assert_eq!(plates, ["bread", "soup"], "the bread was done last, but its cook is the first in the list");
    });
}

#[test]
fn wait_for_all_waits_for_every_cook_even_if_one_panics() {
    check(|| {
        let kitchen = Log::new();
        let rice = employ("rice", || panic!("burnt"));
        let soup = employ("soup", {
            let kitchen = kitchen.clone();
            move || {
                kitchen.note("soup is done");
                "soup"
            }
        });
        let result = wait_for_all(vec![rice, soup]).map(|plates| plates.concat());
        assert!(kitchen.happened("soup is done"), "wait_for_all was back before the soup was done");
        assert_eq!(told(result), "panicked: burnt");
    });
}

#[test]
fn all_dishes_are_cooked_at_the_same_time() {
    check(|| {
        // Both live here, and the threads only borrow them.
        let rendezvous = Rendezvous::of(3);
        let dishes = ["soup", "rice", "bread"];
        let plates = cook_all(&dishes, |dish| {
            rendezvous.meet();
            format!("hot {dish}")
        });
        let plates: Vec<String> = plates.into_iter().map(told).collect();
        assert_eq!(plates, ["hot soup", "hot rice", "hot bread"], "the plates, in the order of the dishes");
    });
}

#[test]
fn a_cook_that_panics_takes_no_other_along() {
    check(|| {
        let plates = cook_all(&["rice", "soup"], |dish| {
            if dish == "rice" {
                panic!("burnt");
            }
            format!("hot {dish}")
        });
        let plates: Vec<String> = plates.into_iter().map(told).collect();
        assert_eq!(plates, ["panicked: burnt", "hot soup"], "the plates, in the order of the dishes");
    });
}

/// Starts a cook. The table of a failing schedule shows its name, and the line that called for it.
#[track_caller]
fn employ<T: Send + 'static>(name: &str, cook: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(cook).expect("the system has room for a thread")
}

/// The plate, or what the cook panicked with, in words that can be compared.
fn told(result: thread::Result<String>) -> String {
    match result {
        Ok(plate) => plate,
        Err(payload) => match payload.downcast_ref::<&str>() {
            Some(message) => format!("panicked: {message}"),
            None => "panicked, but with something else than its cook did".to_owned(),
        },
    }
}
