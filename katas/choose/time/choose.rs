//! What `cargo xtask time choose` times: a workload in the way that was chosen for it, and then in other ways. These are written here
//! as short as they can be: they know no failures.

use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::{env, fs, thread};

use choose::Work;
use kata::site::load;
use kata::time::{Bound, Job, Run, Workload, cores, share_of, workload};
use rayon::prelude::*;
use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;

/// Bytes of a file.
const FILE: usize = 100_000;

fn main() {
    // A worker process is this program again.
    if env::args().nth(1).as_deref() == Some("worker") {
        return serve();
    }
    workload(|job| match job.word("workload") {
        "pages" => pages(job),
        "files" => files(job),
        "sums" => sums(job),
        "mixture" => mixture(job),
        other => panic!("there is no workload {other}"),
    });
}

/// What a task waits for.
type Waited<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// Many slow pages: one thread, a thread for each page that may be waited for, or a task.
fn pages(job: &Job) -> Workload {
    let (count, at_once, latencies) = (job.number("count"), job.workers("at-once"), job.latencies());
    let limit = move |at_once| Bound::Seconds(latencies.limit(count, at_once).as_secs_f64());
    let way = |fetch: fn(&[String], NonZeroUsize) -> Vec<String>| {
        let site = job.site();
        move |run: &Run| {
            let urls = Vec::from_iter((0..count).map(|index| load::url(&site, run.round, index)));
            let texts = run.time(|| fetch(&urls, workers(run)));
            assert!(
                texts == Vec::from_iter((0..count).map(|index| load::text(run.round, index))),
                "not the pages' texts"
            );
        }
    };
    let yours = |urls: &[String], at_once| right(choose::pages(urls, at_once));
    Workload::new(format!("{count} pages, each answered after {latencies}"))
        .pieces(count)
        .with_workers("pages", at_once, limit, way(yours))
        .alone("one by one", move || limit(1), way(|urls, _| by_threads(urls, NonZeroUsize::MIN, fetcher())))
        .instead_of("pages")
        .with_workers("threads", at_once, limit, way(|urls, at_once| by_threads(urls, at_once, fetcher())))
        .instead_of("pages")
        .with_workers("rayon", at_once, limit, way(|urls, at_once| by_rayon(urls, at_once, fetcher())))
        .instead_of("pages")
        .with_workers("tasks", at_once, limit, way(|urls, at_once| by_tasks(urls, at_once, fetcher_for_tasks())))
        .instead_of("pages")
}

/// Fast files, which are in the system's memory already.
fn files(job: &Job) -> Workload {
    let count = job.number("count");
    let paths = Vec::from_iter((0..count).map(|file| PathBuf::from(format!("file-{file}"))));
    // In a folder of this program's own.
    paths.iter().enumerate().for_each(|(file, path)| fs::write(path, text_of_file(file)).expect("room for some files"));
    let limit = |_| Bound::Nothing;
    // As many as Python's thread pool has if nobody says otherwise.
    let some = u32::try_from(32.min(cores() + 4)).expect("not more than 32");
    let way = |read: fn(&[PathBuf], NonZeroUsize) -> Vec<String>| {
        let paths = paths.clone();
        move |run: &Run| {
            let texts = run.time(|| read(&paths, workers(run)));
            assert!(texts == Vec::from_iter((0..paths.len()).map(text_of_file)), "not the files' texts");
        }
    };
    fn read(path: &PathBuf) -> String {
        fs::read_to_string(path).expect("the file is there")
    }
    let yours = |paths: &[PathBuf], at_once| right(choose::files(paths, at_once));
    Workload::new(format!("{count} files of {} kB each, in memory", FILE / 1000))
        .pieces(count)
        .with_workers("files", some, limit, way(yours))
        .alone("one by one", || Bound::Nothing, way(|paths, _| paths.iter().map(read).collect()))
        .instead_of("files")
        .with_workers("threads", some, limit, way(|paths, at_once| by_threads(paths, at_once, read)))
        .instead_of("files")
        .with_workers("rayon", some, limit, way(|paths, at_once| by_rayon(paths, at_once, read)))
        .instead_of("files")
        .with_workers("tasks", some, limit, way(|paths, at_once| by_tasks(paths, at_once, blocking(read))))
        .instead_of("files")
}

/// Sums: as many threads as cores, in several guises, and processes.
fn sums(job: &Job) -> Workload {
    let (count, millions) = (job.number("count"), job.number("size"));
    let all_cores = u32::try_from(cores()).expect("a number of cores");
    let limit = |workers| share_of("one by one", workers);
    let way = |add: fn(&[u64], NonZeroUsize) -> Vec<u64>| {
        move |run: &Run| {
            let numbers = Vec::from_iter((0..count).map(|index| millions * 1_000_000 + u64::from(run.round) + index));
            let sums = run.time(|| add(&numbers, workers(run)));
            assert!(sums == Vec::from_iter(numbers.iter().map(|n| n * (n + 1) / 2)), "not the sums");
        }
    };
    let yours = |numbers: &[u64], at_once| right(choose::sums(numbers, at_once, &work()));
    Workload::new(format!("{count} sums of {millions} million numbers each"))
        .pieces(count)
        .with_workers("sums", all_cores, limit, way(yours))
        .alone("one by one", || Bound::Nothing, way(|numbers, _| numbers.iter().map(sum).collect()))
        .instead_of("sums")
        .with_workers("threads", all_cores, limit, way(|numbers, at_once| by_threads(numbers, at_once, sum)))
        .instead_of("sums")
        .with_workers("rayon", all_cores, limit, way(|numbers, at_once| by_rayon(numbers, at_once, sum)))
        .instead_of("sums")
        .with_workers("tasks", all_cores, limit, way(|numbers, at_once| by_tasks(numbers, at_once, blocking(sum))))
        .instead_of("sums")
        .with_workers("processes", all_cores, limit, way(by_processes))
        .instead_of("sums")
}

/// Slow pages, and a sum for each of them.
fn mixture(job: &Job) -> Workload {
    let (count, at_once, latencies) = (job.number("count"), job.workers("at-once"), job.latencies());
    let millions = job.number("size");
    let limit = move |at_once| Bound::Seconds(latencies.limit(count, at_once).as_secs_f64());
    let way = |mix: fn(&[String], NonZeroUsize) -> Vec<u64>| {
        let site = job.site();
        move |run: &Run| {
            let numbers = Vec::from_iter((0..count).map(|index| millions * 1_000_000 + u64::from(run.round) + index));
            let url = |(index, number): (usize, &u64)| {
                load::url_that_says(&site, run.round, index as u64, &number.to_string())
            };
            let urls = Vec::from_iter(numbers.iter().enumerate().map(url));
            let sums = run.time(|| mix(&urls, workers(run)));
            assert!(sums == Vec::from_iter(numbers.iter().map(|n| n * (n + 1) / 2)), "not the sums");
        }
    };
    let yours = |urls: &[String], at_once| right(choose::mixture(urls, at_once, all_cores(), &work()));
    Workload::new(format!(
        "{count} pages, each answered after {latencies}, and a sum of {millions} million numbers each"
    ))
    .pieces(count)
    .with_workers("mixture", at_once, limit, way(yours))
    .alone(
        "one by one",
        move || limit(1),
        way(|urls, _| {
            let fetch = fetcher();
            urls.iter().map(|url| sum(&number(fetch(url)))).collect()
        }),
    )
    .instead_of("mixture")
    .with_workers(
        "two phases",
        at_once,
        limit,
        way(|urls, at_once| {
            let numbers: Vec<u64> = by_tasks(urls, at_once, fetcher_for_tasks()).into_iter().map(number).collect();
            by_rayon(&numbers, all_cores(), sum)
        }),
    )
    .instead_of("mixture")
    .with_workers("threads", at_once, limit, way(mixed_by_threads))
    .instead_of("mixture")
    .with_workers(
        "tasks alone",
        at_once,
        limit,
        way(|urls, at_once| {
            let fetch = fetcher_for_tasks();
            by_tasks(urls, at_once, move |url| {
                let text = fetch(url);
                async move { sum(&number(text.await)) }
            })
        }),
    )
    .instead_of("mixture")
    .with_workers("tasks, rayon", at_once, limit, way(mixed_by_tasks_and_rayon))
    .instead_of("mixture")
}

/// Two crews, with a channel between them.
fn mixed_by_threads(urls: &[String], at_once: NonZeroUsize) -> Vec<u64> {
    let (found, numbers) = mpsc::channel::<(usize, u64)>();
    let numbers = Mutex::new(numbers);
    let next = || numbers.lock().expect("nobody panics").recv();
    let compute = || {
        let mut done = Vec::new();
        while let Ok((place, number)) = next() {
            done.push((place, sum(&number)));
        }
        done
    };
    let mut done: Vec<(usize, u64)> = thread::scope(|scope| {
        let crew: Vec<_> = (0..cores()).map(|_| scope.spawn(compute)).collect();
        let fetch = fetcher();
        let places = Vec::from_iter(0..urls.len());
        by_threads(&places, at_once, |place| {
            found.send((*place, number(fetch(&urls[*place])))).expect("the crew is there");
        });
        drop(found);
        crew.into_iter().flat_map(|thread| thread.join().expect("a sum")).collect()
    });
    done.sort_unstable();
    done.into_iter().map(|(_, sum)| sum).collect()
}

/// Tasks wait, rayon computes.
fn mixed_by_tasks_and_rayon(urls: &[String], at_once: NonZeroUsize) -> Vec<u64> {
    let (fetch, places) = (fetcher_for_tasks(), Arc::new(Semaphore::new(at_once.get())));
    // The places are for the requests alone.
    by_tasks(urls, NonZeroUsize::new(urls.len()).expect("some pages"), move |url| {
        let (text, places) = (fetch(url), Arc::clone(&places));
        async move {
            let place = places.acquire_owned().await.expect("nobody closes the semaphore");
            let number = number(text.await);
            drop(place);
            let (answer, result) = oneshot::channel();
            rayon::spawn(move || answer.send(sum(&number)).expect("somebody waits for it"));
            result.await.expect("a sum")
        }
    })
}

/// So many threads, each of which takes the next item until there is none.
fn by_threads<T: Sync, R: Send>(items: &[T], threads: NonZeroUsize, does: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { break done };
            done.push((place, does(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.get().min(items.len())).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no worker panics")).collect()
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A pool of rayon. To start it is part of the price, as for the others.
fn by_rayon<T: Sync, R: Send>(items: &[T], threads: NonZeroUsize, does: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build().expect("room for some threads");
    pool.install(|| items.par_iter().with_max_len(1).map(does).collect())
}

/// A task for each item, so many at once, on one thread.
fn by_tasks<T, R, F>(items: &[T], at_once: NonZeroUsize, task: impl Fn(T) -> F) -> Vec<R>
where
    T: Clone,
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("room for one more runtime");
    runtime.block_on(async {
        let places = Arc::new(Semaphore::new(at_once.get()));
        let start = |item: &T| {
            let (task, places) = (task(item.clone()), Arc::clone(&places));
            tokio::spawn(async move {
                let _place = places.acquire_owned().await.expect("nobody closes the semaphore");
                task.await
            })
        };
        let tasks: Vec<_> = items.iter().map(start).collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.expect("no task panics"));
        }
        results
    })
}

/// A task whose work is done by a thread that may block. It is what tokio does with files, too.
fn blocking<T: Send + 'static, R: Send + 'static>(does: fn(&T) -> R) -> impl Fn(T) -> Waited<R> {
    move |item| Box::pin(async move { spawn_blocking(move || does(&item)).await.expect("it does not panic") })
}

/// So many processes, each with a thread that talks with it. To start them is part of the price.
fn by_processes(numbers: &[u64], processes: NonZeroUsize) -> Vec<u64> {
    let idle = Mutex::new(Vec::from_iter((0..processes.get().min(numbers.len())).map(|_| {
        let child = worker().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        child.expect("room for some processes")
    })));
    let ask = |number: &u64| {
        let mut child = idle.lock().expect("nobody panics").pop().expect("one for each thread");
        writeln!(child.stdin.as_mut().expect("a pipe"), "{number}").expect("it reads");
        let mut answer = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut answer).expect("it answers");
        idle.lock().expect("nobody panics").push(child);
        answer.trim().parse().expect("a sum")
    };
    let sums = by_threads(numbers, processes, ask);
    for mut child in idle.into_inner().expect("nobody panics") {
        child.wait().expect("it ends with its input");
    }
    sums
}

fn fetcher() -> impl Fn(&String) -> String {
    let client = reqwest::blocking::Client::new();
    move |url| client.get(url).send().and_then(|response| response.text()).expect("the page is there")
}

fn fetcher_for_tasks() -> impl Fn(String) -> Waited<String> {
    let client = reqwest::Client::new();
    move |url| {
        let request = client.get(url).send();
        Box::pin(async move { request.await.expect("the page is there").text().await.expect("the page has a text") })
    }
}

/// The work, for the answer that is timed.
fn work() -> Work {
    Work { call: Arc::new(|number| sum(&number)), process: Arc::new(worker) }
}

// Not inlined: every way must run the same machine code, or the compiler's luck would be measured.
#[inline(never)]
fn sum(number: &u64) -> u64 {
    (1..=*number).map(black_box).sum()
}

/// The command of a process that works.
fn worker() -> Command {
    let mut command = Command::new(env::current_exe().expect("this program is a file"));
    command.arg("worker");
    command
}

/// What such a process does.
fn serve() {
    for line in io::stdin().lock().lines() {
        let number = number(line.expect("a line"));
        println!("{}", sum(&number));
    }
}

fn number(text: String) -> u64 {
    text.trim().parse().expect("a number")
}

fn text_of_file(file: usize) -> String {
    let line = format!("This is file {file}.\n");
    line.repeat(FILE / line.len())
}

/// The results, none of which is a failure.
fn right<T, E: std::fmt::Debug>(results: Vec<Result<T, E>>) -> Vec<T> {
    results.into_iter().map(|result| result.expect("nothing fails here")).collect()
}

fn workers(run: &Run) -> NonZeroUsize {
    NonZeroUsize::new(run.workers as usize).expect("at least one worker")
}

fn all_cores() -> NonZeroUsize {
    NonZeroUsize::new(cores()).expect("at least one core")
}
