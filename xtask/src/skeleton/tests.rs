//! The contract of the kata `@kata@`, sentence by sentence. `README.md` has the same list.

#[path = "@kata@/contract.rs"]
mod contract;

use std::thread;

use @library@::Example;
use kata::check;
use kata::scenarios::every_small_program;

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
fn _signatures() {
    let _: fn(usize) -> Example = Example::starting_at;
    let _: fn(&Example) = Example::add;
    let _: fn(&Example) -> usize = Example::number;
}

#[test]
fn additions_at_the_same_time_all_count() {
    check(|| {
        let example = Example::starting_at(0);
        thread::scope(|scope| {
            scope.spawn(|| example.add());
            scope.spawn(|| example.add());
        });
        assert_eq!(example.number(), 2, "two threads have added 1 to 0");
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check @kata@ every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::ExampleContract);
}
