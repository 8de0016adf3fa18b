//! The contract of the kata `fetch`, sentence by sentence. `README.md` has the same list.
//!
//! A [`Script`] is what the site does and what is asked for. It is played, on real sockets or on every schedule of the site's and the
//! answer's steps, and what comes of it is compared with what the contract allows ([`Script::allowed`]).

use std::fmt;
use std::iter;
use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

use fetch::{Answer, Failure, Page};
use kata::inputs::{counted, listed, orders, pairs, subsets};
use kata::site::{Reply, Site, Transcript};
use kata::{Check, EXPLORED, Gate, boxed};
use tokio::runtime;

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
async fn _signatures(pages: &[Page]) {
    use Failure::{Status, Timeout, Unreachable};
    let _ = |page: Page| {
        let Page { url, timeout } = page;
        drop::<(String, Duration)>((url, timeout));
    };
    let _ = |answer: Answer| drop::<Result<String, Failure>>(answer);
    let _: Vec<Result<String, Failure>> = fetch::one_by_one(pages, 1_u32);
    let _: Vec<Result<String, Failure>> = fetch::with_threads(pages, 1_usize, 1_u32);
    let _: Vec<Result<String, Failure>> = fetch::with_tasks(pages, 1_usize, 1_u32).await;
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    const UNREACHABLE: Failure = Unreachable;
    let _ = |failure: Failure| -> u16 {
        match failure {
            UNREACHABLE | Timeout => 0,
            Status(status) => status,
        }
    };
}

#[test]
fn one_by_one_asks_for_a_page_when_it_has_the_one_before() {
    let pages = [there(), Spot::Replies(vec![Reply::Status(503), Reply::Text]), Spot::FirstAgain, there()];
    let script = |count: usize| Script::of(Way::OneByOne, pages[..count].to_vec()).attempts(2).hold(Hold::Quiet);
    check().each([0, 1, 2, 4].map(script), Script::play);
}

#[test]
fn threads_ask_for_as_many_pages_at_once_as_allowed() {
    check().each(as_many_at_once_as_allowed(Way::Threads), Script::play);
}

#[test]
fn tasks_ask_for_as_many_pages_at_once_as_allowed() {
    let ways = [Way::Tasks, Way::TasksOnTwoThreads].into_iter();
    check().each(ways.flat_map(as_many_at_once_as_allowed), Script::play);
}

/// The site answers nobody before so many requests are in flight and no more come. In the last script it waits for that before
/// each answer, and pages are asked for twice.
fn as_many_at_once_as_allowed(way: Way) -> Vec<Script> {
    let script = |pages: usize, at_once| {
        // More than a byte counts, and a site with so many pages takes long to set up.
        let mut spots = vec![there(); pages.min(65)];
        spots.resize(pages, Spot::FirstAgain);
        Script::of(way, spots).at_once(at_once)
    };
    let sizes = [(0, 1), (1, 1), (2, 1), (2, 257), (3, 2), (7, 3), (201, 201), (300, 7)];
    // Three tasks that meet have some thousand schedules.
    let sizes = if EXPLORED { &sizes[..if way == Way::Threads { 5 } else { 4 }] } else { &sizes };
    let meetings = sizes.iter().map(|&(pages, at_once)| script(pages, at_once).hold(Hold::Meeting(at_once.min(pages))));
    let busy_first = Spot::Replies(vec![Reply::Status(503), Reply::Text]);
    let (pages, at_once) =
        if EXPLORED && way != Way::Threads { (vec![busy_first, there()], 1) } else { (vec![busy_first; 3], 2) };
    meetings.chain([Script::of(way, pages).at_once(at_once).attempts(2).hold(Hold::Quiet)]).collect()
}

#[test]
fn a_slow_page_keeps_no_other_waiting() {
    // In any choice of pages that may be in flight at once, each is slow until all of them are; of many pages, any two neighbours.
    let few: &[(usize, usize)] = if EXPLORED { &[(2, 2), (3, 2)] } else { &[(2, 2), (3, 2), (3, 3), (4, 2), (4, 3)] };
    let few = few.iter().flat_map(|&(pages, at_once)| {
        let slow = subsets(pages).into_iter().filter(move |slow| slow.len() == at_once);
        slow.map(move |slow| (pages, slow))
    });
    let many = (1..8).map(|page| (8, vec![page - 1, page])).chain([(8, vec![0, 7])]);
    let scripts = few.chain(many.filter(|_| !EXPLORED)).flat_map(|(pages, slow)| {
        let script = |way| Script::of(way, vec![there(); pages]).at_once(slow.len()).hold(Hold::Together(slow.clone()));
        [Way::Threads, Way::Tasks].map(script)
    });
    // All places are there for what comes after a busy page, and also while that is asked again: then it is answered last.
    let busy_first = [Reply::Status(429), Reply::Text].to_vec();
    let late = [3, 4, 1].map(Duration::from_secs).to_vec();
    let holds = [Hold::Together(vec![1, 2]), Hold::LateEach(late)].into_iter().take(if EXPLORED { 2 } else { 1 });
    let busy_first = || Spot::Replies(busy_first.clone());
    let after_a_busy_one = holds.flat_map(|hold| {
        let pages = [busy_first(), there(), there()];
        [Way::Threads, Way::Tasks].map(|way| Script::of(way, pages.to_vec()).attempts(2).hold(hold.clone()))
    });
    // A busy page is asked for again while a slow one takes up a place, wherever both stand.
    let sizes: &[usize] = if EXPLORED { &[2, 3] } else { &[2, 3, 5] };
    let beside_a_slow_one = sizes.iter().flat_map(|&pages| [(0, pages - 1), (pages - 1, 0)].map(|ends| (pages, ends)));
    let beside_a_slow_one = beside_a_slow_one.flat_map(|(pages, (busy, slow))| {
        let spots = Vec::from_iter((0..pages).map(|place| if place == busy { busy_first() } else { there() }));
        let script = |way| Script::of(way, spots.clone()).attempts(2).hold(Hold::Again { slow, busy });
        [Way::Threads, Way::Tasks].map(script)
    });
    let scripts = scripts.chain(after_a_busy_one).chain(beside_a_slow_one);
    // Three tasks that wait for each other have some thousand schedules.
    check()
        .schedules(20_000)
        .each(scripts.filter(|script| !EXPLORED || script.way == Way::Threads || script.pages.len() < 3), Script::play);
}

#[test]
fn answers_come_in_the_order_of_the_pages() {
    let in_order = |order: Vec<usize>| {
        [Way::Threads, Way::Tasks]
            .map(|way| Script::of(way, vec![there(); 3]).at_once(3).hold(Hold::Order(order.clone())))
    };
    check().each(orders(3).into_iter().flat_map(in_order), Script::play);
}

#[test]
fn a_page_that_is_there_is_answered_by_its_text() {
    // A long one comes in pieces, which end in the middle of a character.
    let long = "글자".repeat(200_000);
    let texts = ["", "one line\n", " two\nlines ", "as on\r\nWindows\r\n", "\u{feff}글자", &long];
    let mut pages = Vec::from_iter(texts.map(|text| Spot::Says(text.to_owned())));
    pages.extend([200, 201, 202, 203, 204, 206, 226, 299].map(always));
    check().each(
        pages.chunks(AT_A_TIME).flat_map(|pages| in_all_ways(|way| Script::of(way, pages.to_vec()))),
        Script::play,
    );
}

#[test]
fn a_page_that_comes_twice_has_two_answers() {
    check().each(ALL.iter().copied(), |way| {
        let site = Site::start();
        site.page("/a").says("first").says("second");
        let pages = vec![page(site.url("/a"), LONGEST); 2];
        let mut answers = way.fetch(&site, &pages, 2, 1);
        if *way != Way::OneByOne {
            answers.sort_by_key(|answer| answer.clone().ok());
        }
        assert_eq!(
            answers,
            ["first", "second"].map(|text| Ok(text.to_owned())),
            "the page says another thing each time"
        );
    });
}

#[test]
fn a_failure_is_the_answer_for_its_page_alone() {
    let simple =
        [there(), always(404), Spot::Replies(vec![Reply::Never]), Spot::Replies(vec![Reply::BreaksOff]), Spot::Refused];
    let busy_first = Spot::Replies(vec![Reply::Status(503), Reply::Text]);
    let pages = Vec::from_iter(simple.iter().cloned().chain([busy_first, Spot::FirstAgain]));
    // Beside the first page, none at all is the simplest.
    let others = pages.len() + 1;
    let rows = match EXPLORED {
        // Any two pages in any way: on schedules, what two do to each other is seen in some order.
        true => pairs([ALL.len() * simple.len(), others])
            .into_iter()
            .map(|[first, second]| [first % ALL.len(), first / ALL.len(), second, 0, 0, 1, 1])
            .collect(),
        false => pairs([ALL.len(), simple.len(), others, others, others, 3, 3]),
    };
    let scripts = rows.into_iter().map(|[way, first, second, third, fourth, at_once, attempts]| {
        let others = [second, third, fourth].into_iter().filter_map(|page| pages.get(page.checked_sub(1)?));
        let pages = iter::once(&pages[first]).chain(others).cloned().collect();
        Script::of(ALL[way], pages).at_once(at_once + 1).attempts(attempts as u32 + 1)
    });
    // However many have failed, the next page is another one. So many pages have too many schedules, and any one shows it.
    let broken_off = [Reply::BreaksOff, Reply::BreaksOffHalfWay].map(|reply| Spot::Replies(vec![reply]));
    let many = [always(404), Spot::Refused].into_iter().chain(broken_off).filter(|_| !EXPLORED);
    let after_many = many.flat_map(|failure| {
        in_all_ways(|way| Script::of(way, [vec![failure.clone(); 10], vec![there()]].concat()).at_once(1))
    });
    check().schedules(7_000).each(scripts.chain(after_many), Script::play);
}

#[test]
fn a_busy_page_is_asked_again() {
    let busy = [429, 500, 501, 503].map(Reply::Status);
    let ends = [
        Reply::Text,
        Reply::Status(404),
        Reply::Status(204),
        Reply::Status(502),
        Reply::Never,
        Reply::Half,
        Reply::BreaksOff,
        Reply::BreaksOffHalfWay,
    ];
    let rows = pairs([ALL.len(), ends.len(), busy.len() + 1, busy.len() + 1, 3]);
    let sequences = rows.into_iter().map(|[way, end, first, second, attempts]| {
        let before = [first, second].into_iter().filter_map(|reply| busy.get(reply.checked_sub(1)?));
        let replies = before.copied().chain([ends[end]]).collect();
        Script::of(ALL[way], vec![Spot::Replies(replies)]).attempts(attempts as u32 + 1)
    });
    check().each(sequences, Script::play);
}

#[test]
fn every_status_but_429_and_5xx_is_final() {
    let final_ones = [300, 304, 305, 400, 401, 403, 404, 405, 408, 409, 410, 418, 425, 426, 428, 430, 431, 451, 499];
    let busy_ones = [429, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 599];
    let statuses = final_ones.into_iter().chain(busy_ones).collect::<Vec<_>>();
    let script = |statuses: &[u16]| {
        let pages = Vec::from_iter(statuses.iter().copied().map(always));
        in_all_ways(|way| Script::of(way, pages.clone()).at_once(4).attempts(2))
    };
    check().each(statuses.chunks(AT_A_TIME).flat_map(script), Script::play);
}

#[test]
fn a_page_is_asked_no_more_often_than_allowed() {
    // The last status is the answer, so each is another one. Two pages share neither attempts nor statuses.
    let busy = |statuses: [u16; 5]| Spot::Replies(statuses.map(Reply::Status).to_vec());
    let pages = [busy([500, 429, 503, 501, 599]), busy([429, 502, 500, 504, 503])];
    let scripts = (1..=2).flat_map(|count| (1..=4).map(move |attempts| (count, attempts)));
    let scripts = scripts.filter(|(count, attempts)| !EXPLORED || *count == 1 || *attempts == 1);
    let scripts = scripts.flat_map(|(count, attempts)| {
        in_all_ways(|way| Script::of(way, pages[..count].to_vec()).at_once(2).attempts(attempts))
    });
    // More than two bytes count: in two, this is 1.
    let busy_first = Spot::Replies(vec![Reply::Status(503), Reply::Text]);
    let many = in_all_ways(|way| Script::of(way, vec![busy_first.clone()]).attempts(65_537));
    // A page that comes twice has all attempts each time.
    let twice = in_all_ways(|way| Script::of(way, vec![always(503), Spot::FirstAgain]).at_once(1).attempts(3));
    check().each(scripts.chain(many).chain(twice), Script::play);
}

#[test]
#[ignore = "needs schedules: cargo xtask check fetch hundreds_of_attempts_are_nothing_special"]
fn hundreds_of_attempts_are_nothing_special() {
    // Here a pause between them takes no time. A client that waits for several things at once has many schedules, all alike.
    let late = Hold::Late { by: Duration::from_millis(1), limits: vec![Duration::from_secs(1)] };
    let scripts = in_all_ways(|way| Script::of(way, vec![always(503)]).attempts(300).hold(late.clone()));
    check().schedules_only().schedules(20).each(scripts, Script::play);
}

#[test]
fn a_page_that_is_not_complete_in_time_fails_alone() {
    let late = |reply| Spot::Replies(vec![reply]);
    // Alone, and before a page that is in flight when the time is up, wherever it can be.
    let pages = [Reply::Never, Reply::Half].into_iter();
    let pages =
        pages.flat_map(|reply| [(vec![late(reply)], Hold::Nothing), (vec![late(reply), there()], Hold::HangUp)]);
    let pages =
        pages.chain([vec![Spot::Unanswered, there()], vec![late(Reply::Drips)]].map(|pages| (pages, Hold::Nothing)));
    let scripts = pages
        .flat_map(|(pages, hold)| in_all_ways(|way| Script::of(way, pages.clone()).attempts(2).hold(hold.clone())));
    // Its place is the next one's.
    let in_one_place = [Reply::Never, Reply::Half]
        .into_iter()
        .flat_map(|reply| [Way::Threads, Way::Tasks].map(|way| Script::of(way, vec![late(reply), there()]).at_once(1)));
    // Whoever reads a failure's text, and whoever does not, is done with it before the next page has the place.
    let refused = || vec![late(Reply::StatusAndHalf(404)), there()];
    let refused = in_all_ways(|way| Script::of(way, refused()).at_once(1));
    check().each(scripts.chain(in_one_place).chain(refused), Script::play);
}

#[test]
fn a_limit_is_for_one_request_alone() {
    let beside = [Beside::PageBefore, Beside::PageAfter, Beside::Itself, Beside::HalfAText];
    let requests = ALL.iter().flat_map(move |&way| beside.map(|beside| Limited { way, beside }));
    check().patient().each(requests, |limited| {
        // On a busy machine a good client may be late. Then it is tried with more time.
        let mut units = [40, 160, 640].map(Duration::from_millis).into_iter().peekable();
        while let Some(unit) = units.next() {
            let (answers, allowed) = (limited.answers(unit), limited.allowed());
            let is_allowed = allowed.contains(&answers);
            if is_allowed || units.peek().is_none() || !answers.contains(&Err(Failure::Timeout)) {
                return assert!(is_allowed, "the answers are {answers:?}, and should be {:?}", allowed[0]);
            }
        }
    });
}

/// A page whose limit would be over, if it were for more than one request.
struct Limited {
    way: Way,
    beside: Beside,
}

/// What takes time beside the request that the limit is for.
#[derive(Clone, Copy)]
enum Beside {
    /// It waits for the page before it, and is asked for twice.
    PageBefore,
    /// It has been busy, and the page after it may have taken its place.
    PageAfter,
    /// It comes twice. The first time its limit is too short, and the second time it is busy at first.
    Itself,
    /// It was busy, and half of that answer's text is missing. Whoever reads it may say that the time was up.
    HalfAText,
}

impl Limited {
    fn answers(&self, unit: Duration) -> Vec<Answer> {
        let site = Site::start();
        let (slow, busy) = (page(site.url("/slow"), LONGEST), page(site.url("/busy"), unit * 2));
        site.page("/slow").says("slow").answers_late(unit * 5 / 2);
        let pages = match self.beside {
            Beside::PageBefore => {
                site.page("/busy").answers(503).says("at last").answers_late(unit * 6 / 5);
                vec![slow, busy]
            }
            Beside::PageAfter => {
                site.page("/busy").answers(503).says("at last");
                vec![busy, slow]
            }
            Beside::Itself => {
                // The first request may be given up before it has arrived. Then it has had none of these answers.
                site.page("/busy").fails(2, 503).says("at last").answers_late(unit * 2);
                vec![page(busy.url.clone(), unit), page(busy.url, LONGEST)]
            }
            Beside::HalfAText => {
                site.page("/busy").replies(Reply::StatusAndHalf(503)).says("at last");
                vec![busy]
            }
        };
        self.way.fetch(&site, &pages, 1, 3)
    }

    fn allowed(&self) -> Vec<Vec<Answer>> {
        let [slow, busy] = ["slow", "at last"].map(|text| Ok(text.to_owned()));
        match self.beside {
            Beside::PageBefore => vec![vec![slow, busy]],
            Beside::PageAfter => vec![vec![busy, slow]],
            Beside::Itself => vec![vec![Err(Failure::Timeout), busy]],
            Beside::HalfAText => vec![vec![busy], vec![Err(Failure::Timeout)]],
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = match self.beside {
            Beside::PageBefore => {
                "a page that waits for the one before it for longer than its limit, and is asked for twice"
            }
            Beside::PageAfter => "a page that was busy, while the one after it takes longer than its limit",
            Beside::Itself => "a page that comes twice, first with too short a limit, and is busy then",
            Beside::HalfAText => "a page that was busy, with half a text and silence",
        };
        write!(f, "{} and {page}", self.way)
    }
}

#[test]
fn a_limit_may_be_short_or_long() {
    // To the nanosecond: with one less the time is up. `Drips` takes a second.
    let around = |by: Duration, takes: Duration, reply| {
        let limits = [by + takes - NANOSECOND, by + takes + NANOSECOND];
        limits.map(|limit| (vec![Spot::Replies(vec![reply])], by, vec![limit]))
    };
    let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
    let exact = [
        around(Duration::from_nanos(123_456), Duration::ZERO, Reply::Text),
        around(Duration::from_nanos(1_234_567), Duration::ZERO, Reply::Text),
        around(60 * day + second * 3 / 2, Duration::ZERO, Reply::Text),
        around(second * 2 / 3, second, Reply::Drips),
    ];
    // The first of its two requests comes first, and has nothing to do with the second one's time.
    let busy = around(second * 2 / 3, second, Reply::Drips)
        .map(|(_, by, limits)| (vec![Spot::Replies(vec![Reply::Status(503), Reply::Drips])], by, limits));
    let twice = [[second, second * 3], [second * 3, second]]
        .map(|limits| (vec![there(), Spot::FirstAgain], second * 2, limits.to_vec()));
    let endless = (vec![there()], Duration::ZERO, vec![Duration::MAX]);
    let long = [
        (vec![there()], 400 * day, vec![Duration::MAX]),
        // No connection is made for all this time.
        (vec![Spot::Unanswered], Duration::ZERO, vec![60 * day]),
    ];
    let rows = exact.into_iter().flatten().chain(busy).chain(twice).chain(long).filter(|_| EXPLORED).chain([endless]);
    let scripts = rows.flat_map(|(pages, by, limits)| {
        let hold = Hold::Late { by, limits };
        in_all_ways(|way| Script::of(way, pages.clone()).attempts(2).hold(hold.clone()))
    });
    check().schedules(2_000).each(scripts, |script| {
        let began = Instant::now();
        script.play();
        // Nor does it take up a place for longer.
        if let (true, Hold::Late { limits, .. }, took) = (EXPLORED, &script.hold, began.elapsed()) {
            let most = limits.iter().enumerate().fold(Duration::ZERO, |all, (place, limit)| {
                let requests = (*script.allowed(place).1.end()).max(1) as u32;
                all.saturating_add(limit.saturating_mul(requests))
            });
            assert!(took <= most, "the page has {most:?}, and its answer takes {took:?}");
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check fetch places_are_for_all_sites_together"]
fn places_are_for_all_sites_together() {
    check().schedules_only().each([Way::OneByOne, Way::Threads, Way::Tasks], |way| {
        let (sites, late) = ([Site::start(), Site::start()], Duration::from_secs(1));
        if *way == Way::OneByOne {
            sites[0].page("/a").says("here");
            sites[1].page("/a").says("there").answers_late(late);
            let pages = [0, 1, 0].map(|site: usize| page(sites[site].url("/a"), LONGEST));
            let answers = thread::scope(|scope| {
                let call = scope.spawn(|| way.fetch(&sites[0], &pages, 1, 1));
                thread::sleep(late / 2);
                let seen = sites.each_ref().map(|site| site.transcript().requests().len());
                let answers = call.join().expect("no call panics");
                assert_eq!(seen, [1, 1], "requests on two sites, while the second of three pages is not answered yet");
                answers
            });
            return assert_eq!(answers, ["here", "there", "here"].map(|text| Ok(text.to_owned())));
        }
        sites.iter().for_each(|site| drop(site.page("/a").says("here").answers_late(late)));
        let pages = Vec::from_iter(sites.iter().map(|site| page(site.url("/a"), LONGEST)));
        let began = Instant::now();
        let answers = way.fetch(&sites[0], &pages, 1, 1);
        assert_eq!(answers, vec![Ok("here".to_owned()); 2]);
        let took = began.elapsed();
        assert!(took >= late * 2, "one place for two pages, each is answered after {late:?}, and all took {took:?}");
    });
}

#[test]
fn calls_share_nothing() {
    let (count, at_once) = if EXPLORED { (1, 1) } else { (3, 2) };
    check().schedules(2_000).each(ALL.iter().copied(), move |way| {
        let site = Site::start();
        let paths = &["/a", "/b", "/c"][..count];
        paths.iter().for_each(|path| drop(site.page(path).replies(Reply::Text)));
        // Each call has all of its requests in flight before one is answered.
        site.meets(if *way == Way::OneByOne { 2 } else { at_once * 2 });
        let pages = Vec::from_iter(paths.iter().map(|path| page(site.url(path), LONGEST)));
        let backwards = Vec::from_iter(pages.iter().rev().cloned());
        // Where there is one page only, it is one and the same for both.
        let others = if EXPLORED { &pages } else { &backwards };
        let [mut answers, from_behind] = way.fetch_both(&site, [&pages, others], at_once);
        let expected = Vec::from_iter(paths.iter().map(|path| Ok(format!("text of {path}"))));
        assert_eq!(answers, expected, "one call asks for {paths:?}, and another one for the same from behind");
        assert_eq!(from_behind, Vec::from_iter(expected.into_iter().rev()), "asked for from behind");
        // What one call has fetched, the next one fetches again.
        answers.extend(way.fetch(&site, &pages, at_once, 1));
        let asked = Vec::from_iter(paths.iter().map(|path| site.transcript().attempts(path)));
        assert_eq!(asked, vec![3; count], "how often each page is asked for by three calls");
    });
}

#[test]
fn tasks_run_on_the_runtime_of_the_caller() {
    check().threads_only().run(|| {
        let (site, gate) = (Site::start(), Gate::closed());
        let paths = ["/a", "/b"];
        paths.iter().for_each(|path| drop(site.page(path).replies(Reply::Text).waits_for(&gate)));
        let pages = paths.map(|path| page(site.url(path), LONGEST));
        let runtime = Way::Tasks.runtime();
        let mut future = Box::pin(fetch::with_tasks(&pages, 1, 1));
        runtime.block_on(async {
            tokio::select! {
                answers = &mut future => panic!("no page is complete: {answers:?}"),
                () = site.in_flight(1) => {}
            }
        });
        // One page is answered. The runtime has one thread, and that is here.
        gate.open();
        Way::Tasks.block_on(site.quiet());
        assert_eq!(site.transcript().requests().len(), 1, "requests that came before the caller's runtime went on");
        let expected = paths.map(|path| Ok(format!("text of {path}")));
        assert_eq!(runtime.block_on(future), expected);
        // That runtime is still there, and stands still.
        let answers = Way::Tasks.block_on(fetch::with_tasks(&pages, 1, 1));
        assert_eq!(answers, expected, "a later call, on a runtime of its own");
    });
}

#[test]
fn dropping_the_future_closes_its_connections() {
    let rows = [
        (1, 1, Reply::Never, 0),
        (3, 3, Reply::Never, 0),
        (3, 2, Reply::Never, 0),
        (4, 2, Reply::Never, 0),
        (2, 2, Reply::Half, 0),
        (3, 3, Reply::Half, 0),
        (4, 2, Reply::Status(503), 0),
        // Each page is busy so many times before, and its last request is under way when the future is dropped.
        (1, 1, Reply::Never, 1),
        (1, 1, Reply::Half, 2),
        (3, 3, Reply::Never, 1),
        (2, 2, Reply::Half, 20),
    ];
    // A page that is busy for ever has schedules without an end, and one that is busy several times has very many.
    let explored = |(pages, _, reply, busy): &(usize, usize, Reply, usize)| match busy {
        0 => *pages <= 3 && *reply == Reply::Never || *pages == 2,
        busy => (*pages, *busy) == (1, 1),
    };
    let rows = rows.into_iter().filter(|row| !EXPLORED || explored(row));
    let scripts = rows.flat_map(|(pages, at_once, reply, busy)| {
        let replies = [vec![Reply::Status(503); busy], vec![reply]].concat();
        let script = |way| Script::of(way, vec![Spot::Replies(replies.clone()); pages]).attempts(1_000_000);
        [Way::Tasks, Way::TasksOnTwoThreads].map(|way| script(way).at_once(at_once))
    });
    let scripts = scripts
        .filter(|script| !EXPLORED || script.way == Way::Tasks || script.pages == [Spot::Replies(vec![Reply::Never])]);
    check().each(scripts, |script| {
        let site = Site::start();
        let mut pages = script.set_up(&site);
        pages.iter_mut().for_each(|page| page.timeout = LONGEST);
        let last_requests = async || {
            site.in_flight(script.at_once).await;
            for (place, spot) in script.pages.iter().enumerate() {
                if let Spot::Replies(replies) = spot
                    && replies.len() > 1
                {
                    site.asked(&script.path(place), replies.len()).await;
                }
            }
        };
        let runtime = script.way.runtime();
        let mut future = Some(Box::pin(fetch::with_tasks(&pages, script.at_once, script.attempts)));
        runtime.block_on(async {
            tokio::select! {
                answers = future.as_mut().expect("it is there") => panic!("no page is complete: {answers:?}"),
                () = last_requests() => {}
            }
            // A future may be dropped where no runtime is at hand: with two threads it is.
            if script.way == Way::Tasks {
                future = None;
            }
        });
        drop(future);
        // The runtime still runs, and so would tasks that nobody has told to stop.
        runtime.block_on(async {
            site.quiet().await;
            assert_eq!(site.transcript().in_flight(), 0, "requests in flight after the future was dropped");
        });
    });
}

/// What the site does, and what is asked for.
struct Script {
    way: Way,
    pages: Vec<Spot>,
    at_once: usize,
    attempts: u32,
    hold: Hold,
}

/// A way to fetch pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    OneByOne,
    Threads,
    /// One cook.
    Tasks,
    TasksOnTwoThreads,
}

/// On schedules, tasks on two threads are many more schedules, and tell little more: there one test is for them.
const ALL: &[Way] = match EXPLORED {
    true => &[Way::OneByOne, Way::Threads, Way::Tasks],
    false => &[Way::OneByOne, Way::Threads, Way::Tasks, Way::TasksOnTwoThreads],
};

/// What there is at a page's URL.
#[derive(Clone, PartialEq, Eq)]
enum Spot {
    /// A page that does this with its first request, this with its second, and the last with all that follow.
    Replies(Vec<Reply>),
    /// A page with a text of its own.
    Says(String),
    /// The first page once more.
    FirstAgain,
    /// A port at which nobody listens.
    Refused,
    /// A port at which a connection is neither made nor refused.
    Unanswered,
}

/// When the site answers.
#[derive(Clone)]
enum Hold {
    /// At once.
    Nothing,
    /// Each page when no more requests come.
    Quiet,
    /// All pages when so many requests are in flight and no more come.
    Meeting(usize),
    /// These pages when all of them are in flight.
    Together(Vec<usize>),
    /// The pages in this order.
    Order(Vec<usize>),
    /// One page when another one, which is busy, is asked for again.
    Again { slow: usize, busy: usize },
    /// The last page when the one before was given up.
    HangUp,
    /// Each page so late, and these are the limits of the pages.
    Late { by: Duration, limits: Vec<Duration> },
    /// Each page as late as is told here, each time that it is asked for.
    LateEach(Vec<Duration>),
}

/// How many pages are asked for in one go where each answer is a matter of its own: on schedules, their orders would be tried, too.
const AT_A_TIME: usize = if EXPLORED { 1 } else { 11 };

/// A limit that is never reached. Virtual time passes as soon as nobody can go on, so on schedules it has to be all time that there is.
const LONGEST: Duration = if EXPLORED { Duration::from_nanos(u64::MAX) } else { Duration::from_secs(3600) };
/// A limit that is always reached, since the answer is never complete. Nobody measures it.
const SHORT: Duration = Duration::from_millis(10);
/// A limit that is always reached, since the answer takes far longer, but not between two of its bytes, nor by an answer that
/// comes at once.
const LONG_ENOUGH: Duration = Duration::from_millis(400);
/// How long a page drips on schedules.
const DRIPPING: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

/// The same script in all ways.
fn in_all_ways(script: impl Fn(Way) -> Script) -> Vec<Script> {
    ALL.iter().map(|way| script(*way)).collect()
}

/// What waits here belongs to libraries: they keep threads of their own, and look again when they are woken.
fn check() -> Check {
    Check::new().library_threads().no_spurious_wakeups()
}

impl Way {
    /// Returns when no request is in flight any more: what was given up is to be over soon.
    fn fetch(self, site: &Site, pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
        let settled = |answers| async {
            site.settled().await;
            answers
        };
        match self {
            Way::OneByOne => self.block_on(settled(fetch::one_by_one(pages, attempts))),
            Way::Threads => self.block_on(settled(fetch::with_threads(pages, at_once, attempts))),
            // While the runtime is there, so are tasks that nobody has told to stop.
            Way::Tasks | Way::TasksOnTwoThreads => {
                self.block_on(async { settled(fetch::with_tasks(pages, at_once, attempts).await).await })
            }
        }
    }

    /// Two calls at the same time.
    fn fetch_both(self, site: &Site, pages: [&[Page]; 2], at_once: usize) -> [Vec<Answer>; 2] {
        if let Way::OneByOne | Way::Threads = self {
            return thread::scope(|scope| {
                pages
                    .map(|pages| scope.spawn(move || self.fetch(site, pages, at_once, 1)))
                    .map(|call| call.join().expect("no call panics"))
            });
        }
        let [first, second] = pages.map(|pages| fetch::with_tasks(pages, at_once, 1));
        self.block_on(async { <[_; 2]>::from(tokio::join!(first, second)) })
    }

    fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        self.runtime().block_on(boxed(future))
    }

    fn runtime(self) -> runtime::Runtime {
        let mut runtime = match self {
            Way::TasksOnTwoThreads => runtime::Builder::new_multi_thread(),
            _ => runtime::Builder::new_current_thread(),
        };
        let runtime = runtime.worker_threads(2).enable_all().build();
        runtime.expect("the system has room for one more event queue")
    }
}

impl Script {
    fn of(way: Way, pages: Vec<Spot>) -> Script {
        Script { way, pages, at_once: 2, attempts: 1, hold: Hold::Nothing }
    }

    fn at_once(self, at_once: usize) -> Script {
        Script { at_once, ..self }
    }

    fn attempts(self, attempts: u32) -> Script {
        Script { attempts, ..self }
    }

    fn hold(self, hold: Hold) -> Script {
        Script { hold, ..self }
    }

    /// The page at this place is there: one that comes twice is there once.
    fn path(&self, place: usize) -> String {
        if self.pages[place] == Spot::FirstAgain { self.path(0) } else { format!("/{}", place + 1) }
    }

    fn spot(&self, place: usize) -> &Spot {
        if self.pages[place] == Spot::FirstAgain { &self.pages[0] } else { &self.pages[place] }
    }

    /// How many requests may be in flight at once.
    fn places(&self) -> usize {
        if self.way == Way::OneByOne { 1 } else { self.at_once }
    }

    /// What the contract allows for a page: its answers, and how often it is asked for.
    fn allowed(&self, place: usize) -> (Vec<Answer>, RangeInclusive<usize>) {
        let replies = match self.spot(place) {
            Spot::Replies(replies) => replies,
            Spot::Says(text) => return (vec![Ok(text.clone())], 1..=1),
            Spot::Refused => return (vec![Err(Failure::Unreachable)], 0..=0),
            Spot::Unanswered => return (vec![Err(Failure::Timeout)], 0..=0),
            Spot::FirstAgain => unreachable!("the first page is not itself again"),
        };
        let requests = replies.iter().chain(iter::repeat(&replies[replies.len() - 1])).zip(1..=self.attempts as usize);
        for (reply, asked) in requests {
            let answer = match reply {
                Reply::Status(429 | 500..=599) if asked < self.attempts as usize => continue,
                _ if self.is_late(place, *reply) => Err(Failure::Timeout),
                Reply::Drips if matches!(self.hold, Hold::Late { .. }) => Ok("drip".repeat(250)),
                Reply::Text => Ok(format!("text of {}", self.path(place))),
                Reply::Status(204) => Ok(String::new()),
                Reply::Status(status @ 200..=299) => Ok(format!("status {status}")),
                Reply::Status(status) => Err(Failure::Status(*status)),
                // The time may be over before a real site has seen anything.
                Reply::Never | Reply::Half | Reply::StatusAndHalf(_) | Reply::Endless | Reply::Drips => {
                    let mut answers = vec![Err(Failure::Timeout)];
                    if let Reply::StatusAndHalf(status @ 300..) = reply {
                        answers.push(Err(Failure::Status(*status)));
                    }
                    return (answers, if EXPLORED { asked } else { 0 }..=asked);
                }
                Reply::BreaksOff | Reply::BreaksOffHalfWay => Err(Failure::Unreachable),
            };
            return (vec![answer], asked..=asked);
        }
        unreachable!("a page is asked for once at least")
    }

    /// Whether the page's limit may be over before its answer is complete.
    fn may_be_late(&self, place: usize) -> bool {
        self.allowed(place).0.contains(&Err(Failure::Timeout))
    }

    /// Whether its text comes when the page's limit is over.
    fn is_late(&self, place: usize, reply: Reply) -> bool {
        let Hold::Late { by, limits } = &self.hold else { return false };
        *by + if reply == Reply::Drips { DRIPPING } else { Duration::ZERO } > limits[place]
    }

    /// Sets the site up, and gives the pages to ask for.
    fn set_up(&self, site: &Site) -> Vec<Page> {
        let path = |place: &usize| self.path(*place);
        let places = Vec::from_iter(0..self.pages.len());
        for place in &places {
            match &self.pages[*place] {
                Spot::Replies(replies) => {
                    drop(replies.iter().fold(site.page(&path(place)), |page, reply| page.replies(*reply)))
                }
                Spot::Says(text) => drop(site.page(&path(place)).says(text)),
                Spot::FirstAgain | Spot::Refused | Spot::Unanswered => {}
            }
        }
        match &self.hold {
            Hold::Nothing => {}
            Hold::Quiet => places.iter().for_each(|place| drop(site.page(&path(place)).answers_when_quiet())),
            Hold::Meeting(size) => site.meets(*size),
            Hold::Together(places) => site.answers_together(&places.iter().map(path).collect::<Vec<_>>()),
            Hold::Order(order) => {
                order.windows(2).for_each(|two| drop(site.page(&path(&two[1])).answers_after(&path(&two[0]))))
            }
            Hold::Again { slow, busy } => drop(site.page(&path(slow)).answers_when_asked(&path(busy), 2)),
            Hold::HangUp => {
                let [.., given_up, last] = &places[..] else { unreachable!("two pages") };
                site.page(&path(last)).answers_after_hang_up(&path(given_up));
            }
            Hold::Late { by, .. } => places.iter().for_each(|place| drop(site.page(&path(place)).answers_late(*by))),
            Hold::LateEach(late) => {
                places.iter().zip(late).for_each(|(place, by)| drop(site.page(&path(place)).answers_late(*by)))
            }
        }
        let url = |place: &usize| match self.spot(*place) {
            Spot::Refused => site.closed_url(&path(place)),
            Spot::Unanswered => site.unanswered_url(&path(place)),
            _ => site.url(&path(place)),
        };
        let limit = |place: &usize| match (&self.hold, self.spot(*place)) {
            (Hold::Late { limits, .. }, _) => limits[*place],
            (_, Spot::Replies(replies)) if replies.ends_with(&[Reply::Drips]) => LONG_ENOUGH,
            // What is answered before the silence has to come in time.
            (_, Spot::Replies(replies)) if replies.len() > 1 && self.may_be_late(*place) => LONG_ENOUGH,
            _ if self.may_be_late(*place) => SHORT,
            _ => LONGEST,
        };
        places.iter().map(|place| page(url(place), limit(place))).collect()
    }

    /// Plays it, and compares what comes of it with what the contract allows.
    fn play(&self) {
        let site = Site::start();
        let pages = self.set_up(&site);
        let answers = self.way.fetch(&site, &pages, self.at_once, self.attempts);
        self.judge(&answers, &site.transcript());
    }

    fn judge(&self, answers: &[Answer], seen: &Transcript) {
        assert_eq!(answers.len(), self.pages.len(), "how many answers there are");
        for (place, answer) in answers.iter().enumerate() {
            let (allowed, _) = self.allowed(place);
            let page = format!("page {} ({})", place + 1, self.pages[place]);
            let told = allowed.iter().map(short).collect::<Vec<_>>().join(" or ");
            assert!(allowed.contains(answer), "{page} is answered {}, and should be {told}", short(answer));
            let same = (0..self.pages.len()).filter(|other| self.path(*other) == self.path(place));
            let (least, most) = same
                .map(|other| self.allowed(other).1)
                .fold((0, 0), |(least, most), requests| (least + requests.start(), most + requests.end()));
            let requests = seen.attempts(&self.path(place));
            let told = if least == most { most.to_string() } else { format!("{least} to {most}") };
            assert!((least..=most).contains(&requests), "{page} was asked for {requests} times, and should be {told}");
        }
        self.judge_overlap(seen);
    }

    fn judge_overlap(&self, seen: &Transcript) {
        let most = self.places().min(self.pages.len());
        // A real site may hear of a connection that was closed after it hears of the next request.
        let late = |place: &usize| !EXPLORED && self.may_be_late(*place);
        let given_up = (0..self.pages.len()).filter(late).count();
        assert!(seen.peak() <= most + given_up, "{} requests in flight at once, where {most} are allowed", seen.peak());
        if matches!(self.hold, Hold::Quiet | Hold::Meeting(_)) {
            assert_eq!(seen.peak(), most, "requests in flight at once");
        }
        if let Hold::LateEach(_) = self.hold {
            // The first page is asked for twice, and that takes longer than all others.
            let (answers, first) = (seen.answers(), self.path(0));
            assert_eq!(answers.last(), Some(&&*first), "who is answered last, of {answers:?}");
        }
        if self.way == Way::OneByOne {
            let (arrivals, mut paths) = (seen.arrivals(), (0..self.pages.len()).map(|place| self.path(place)));
            let one_after_the_other = arrivals.chunk_by(|a, b| a == b).all(|asked| paths.any(|path| path == asked[0]));
            assert!(one_after_the_other, "the pages were not asked for in their order: {arrivals:?}");
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = self.pages.iter().map(Spot::to_string).collect::<Vec<_>>().join("; ");
        write!(f, "{} and {}", self.way, counted(self.pages.len(), "page"))?;
        match self.pages.len() {
            0 => {}
            1..=4 => write!(f, " ({pages})")?,
            _ => write!(f, " ({}; …)", pages.split("; ").take(3).collect::<Vec<_>>().join("; "))?,
        }
        if self.way != Way::OneByOne {
            write!(f, ", {} at once", self.at_once)?;
        }
        write!(f, ", {}", counted(self.attempts as usize, "attempt"))?;
        match &self.hold {
            Hold::Nothing => Ok(()),
            Hold::Quiet => f.write_str(", answered when no more requests come"),
            Hold::Meeting(size) => write!(f, ", answered when {size} are in flight and no more come"),
            Hold::Together(places) => {
                write!(f, ", where {} are answered when all of them are in flight", listed(places))
            }
            Hold::Order(order) => write!(f, ", answered in the order {}", listed(order)),
            Hold::Again { slow, busy } => {
                write!(f, ", where {} is answered when {} is asked for again", listed(&[*slow]), listed(&[*busy]))
            }
            Hold::HangUp => f.write_str(", where the last is answered when the one before was given up"),
            Hold::Late { by, limits } => write!(f, ", answered after {by:?}, with limits of {limits:?}"),
            Hold::LateEach(late) => write!(f, ", answered after {late:?}, each time"),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::OneByOne => "one_by_one",
            Way::Threads => "with_threads",
            Way::Tasks => "with_tasks",
            Way::TasksOnTwoThreads => "with_tasks (on two threads)",
        })
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |reply: &Reply| match reply {
            Reply::Text => "a text".to_owned(),
            Reply::Status(status) => status.to_string(),
            Reply::Never => "silence".to_owned(),
            Reply::Half => "half a text and silence".to_owned(),
            Reply::StatusAndHalf(status) => format!("{status}, half a text and silence"),
            Reply::Endless => "a text without an end".to_owned(),
            Reply::BreaksOff => "the connection closed".to_owned(),
            Reply::BreaksOffHalfWay => "half a text and the connection closed".to_owned(),
            Reply::Drips => "a text that takes too long".to_owned(),
        };
        match self {
            Spot::Replies(replies) => f.write_str(&replies.iter().map(told).collect::<Vec<_>>().join(", then ")),
            Spot::Says(text) => write!(f, "the text {}", short(&Ok(text.clone()))),
            Spot::FirstAgain => f.write_str("the first page again"),
            Spot::Refused => f.write_str("nobody listens"),
            Spot::Unanswered => f.write_str("no connection is made"),
        }
    }
}

/// A page that is there.
fn there() -> Spot {
    Spot::Replies(vec![Reply::Text])
}

/// A page that answers this status, always.
fn always(status: u16) -> Spot {
    Spot::Replies(vec![Reply::Status(status)])
}

fn page(url: String, timeout: Duration) -> Page {
    Page { url, timeout }
}

/// An answer in so few words that it can be read.
fn short(answer: &Answer) -> String {
    match answer {
        Ok(text) if text.len() > 60 => {
            format!("{:?}… of {} bytes", text.chars().take(20).collect::<String>(), text.len())
        }
        answer => format!("{answer:?}"),
    }
}
