//! How many schedules each bug of the corpus takes until it is caught; with `--features compare`, beside another model's
//! random and PCT schedulers.

use corpus::{caught_at, programs};

/// What a test explores when nobody asks for more or less.
const BUDGET: u64 = 10_000;

fn main() {
    println!("{:<48} {:<12} {:>8}{}", "bug", "kind", "caught", HEADING);
    for program in programs() {
        let Some(kind) = program.bug else { continue };
        let caught = caught_at(&program, BUDGET).map_or_else(|| "never".to_string(), |schedule| schedule.to_string());
        println!("{:<48} {:<12} {caught:>8}{}", program.name, kind.name(), other(program.name));
    }
}

#[cfg(not(feature = "compare"))]
const HEADING: &str = "";
#[cfg(feature = "compare")]
const HEADING: &str = "   random      PCT";

#[cfg(not(feature = "compare"))]
fn other(_name: &str) -> String {
    String::new()
}

#[cfg(feature = "compare")]
fn other(name: &str) -> String {
    let shown = |caught: Option<usize>| caught.map_or_else(|| "never".to_string(), |schedule| schedule.to_string());
    match corpus::on_the_other_model(name, 10_000) {
        Some((random, pct)) => format!(" {:>8} {:>8}", shown(random), shown(pct)),
        None => format!(" {:>8} {:>8}", "-", "-"),
    }
}
