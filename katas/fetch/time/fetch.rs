//! What `cargo xtask time fetch` times: pages of a mock site, fetched in three ways. The site is a process of its own.

use std::time::Duration;

use fetch::{Answer, Page};
use kata::site::load;
use kata::time::{Bound, Job, Run, Workload, workload};
use tokio::runtime;

/// Nothing here is about timeouts.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    workload(|job| {
        let (requests, in_flight) = (job.number("requests"), job.workers("in-flight"));
        let latencies = job.latencies();
        let limit = move |at_once| Bound::Seconds(latencies.limit(requests, at_once).as_secs_f64());
        Workload::new(format!("{requests} pages, each answered after {latencies}"))
            .pieces(requests)
            .alone("one by one", move || limit(1), way(job, |pages, _| fetch::one_by_one(pages, 1)))
            .with_workers(
                "threads",
                in_flight,
                limit,
                way(job, |pages, at_once| fetch::with_threads(pages, at_once, 1)),
            )
            // One thread waits for all pages, as in the tests. The runtime is part of the price.
            .with_workers(
                "async",
                in_flight,
                limit,
                way(job, |pages, at_once| {
                    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    runtime.block_on(fetch::with_tasks(pages, at_once, 1))
                }),
            )
    });
}

/// Fetches the pages of a round, and makes sure that each has its own text.
fn way(job: &Job, fetch: fn(&[Page], usize) -> Vec<Answer>) -> impl Fn(&Run) + 'static {
    let (site, requests) = (job.site(), job.number("requests"));
    move |run| {
        let page = |index| Page { url: load::url(&site, run.round, index), timeout: PATIENCE };
        let pages: Vec<Page> = (0..requests).map(page).collect();
        let answers = run.time(|| fetch(&pages, run.workers as usize));
        let texts: Vec<Answer> = (0..requests).map(|index| Ok(load::text(run.round, index))).collect();
        assert!(answers == texts, "the answers are not the texts of the pages");
    }
}
