//! The contract of the kata `fetch`, sentence by sentence. `README.md` has the same list.

use std::time::Duration;

use fetch::{Answer, Failure, Page};
use kata::on_threads;
use kata::site::Site;
use tokio::runtime;

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is compared with.
/// And only an enum has variants to import.
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
    on_threads(|| {
        let site = Site::start();
        // All that are on the way at once meet here. One is enough to open.
        site.meets(1);
        let pages = pages(&site, &["/a", "/b", "/c"]);
        assert_eq!(fetch::one_by_one(&pages, 1), texts(&["/a", "/b", "/c"]));
        assert_eq!(site.transcript().arrivals(), ["/a", "/b", "/c"]);
        assert_eq!(site.transcript().peak(), 1, "requests in flight at once");
    });
}

#[test]
fn threads_ask_for_as_many_pages_at_once_as_allowed() {
    on_threads(|| as_many_at_once_as_allowed(WITH_THREADS));
}

#[test]
fn tasks_ask_for_as_many_pages_at_once_as_allowed() {
    on_threads(|| as_many_at_once_as_allowed(WITH_TASKS));
}

/// Nobody is answered before three requests are in flight, so one by one would wait for ever. Then the site waits until no more
/// are coming, so that a fourth one is seen if there is one.
fn as_many_at_once_as_allowed((way, fetch): Way) {
    let site = Site::start();
    site.meets(3);
    let paths = ["/a", "/b", "/c", "/d", "/e", "/f", "/g"];
    let pages = pages(&site, &paths);
    assert_eq!(fetch(&pages, 3, 1), texts(&paths), "{way}");
    assert_eq!(site.transcript().peak(), 3, "{way}: requests in flight at once, where 3 are allowed");
}

#[test]
fn a_slow_page_keeps_no_other_waiting() {
    on_threads(|| {
        for (way, fetch) in [WITH_THREADS, WITH_TASKS] {
            let site = Site::start();
            let paths = ["/slow", "/a", "/b", "/c"];
            let pages = pages(&site, &paths);
            site.page("/slow").answers_after("/c");
            assert_eq!(fetch(&pages, 2, 1), texts(&paths), "{way}");
        }
    });
}

#[test]
fn answers_come_in_the_order_of_the_pages() {
    on_threads(|| {
        for (way, fetch) in [WITH_THREADS, WITH_TASKS] {
            let site = Site::start();
            let paths = ["/a", "/b", "/c", "/d"];
            let pages = pages(&site, &paths);
            for [page, next] in paths.array_windows() {
                site.page(page).answers_after(next);
            }
            assert_eq!(fetch(&pages, 4, 1), texts(&paths), "{way}, last page answered first");
        }
    });
}

#[test]
fn a_failure_is_the_answer_for_its_page_alone() {
    on_threads(|| {
        for (way, fetch) in ALL {
            let site = Site::start();
            let mut pages = pages(&site, &["/a", "/b"]);
            pages.insert(1, page(site.url("/missing"), AN_HOUR));
            pages.insert(2, page(site.closed_url("/"), AN_HOUR));
            let answers = fetch(&pages, 2, 3);
            let [a, missing, nobody, b] = answers.as_slice() else { panic!("{way}: 4 pages, answers: {answers:?}") };
            assert_eq!(a, &Ok("text of /a".to_owned()), "{way}");
            assert_eq!(missing, &Err(Failure::Status(404)), "{way}: a page that is not there");
            assert_eq!(nobody, &Err(Failure::Unreachable), "{way}: a port at which nobody listens");
            assert_eq!(b, &Ok("text of /b".to_owned()), "{way}");
            assert_eq!(site.transcript().attempts("/missing"), 1, "{way}: a 404 is final, so one attempt is enough");
        }
    });
}

#[test]
fn a_busy_page_is_asked_again() {
    on_threads(|| {
        for (way, fetch) in ALL {
            let site = Site::start();
            site.page("/limited").fails(1, 429);
            site.page("/broken").fails(2, 503);
            let pages = pages(&site, &["/limited", "/broken", "/fine"]);
            assert_eq!(fetch(&pages, 2, 3), texts(&["/limited", "/broken", "/fine"]), "{way}");
            let attempts = ["/limited", "/broken", "/fine"].map(|path| site.transcript().attempts(path));
            assert_eq!(attempts, [2, 3, 1], "{way}: attempts after one 429, two 503, and none");
        }
    });
}

#[test]
fn a_page_is_asked_no_more_often_than_allowed() {
    on_threads(|| {
        for (way, fetch) in ALL {
            for attempts in [1, 3] {
                let site = Site::start();
                site.page("/broken").answers(500);
                let pages = pages(&site, &["/broken"]);
                assert_eq!(fetch(&pages, 2, attempts), [Err(Failure::Status(500))], "{way}");
                assert_eq!(site.transcript().attempts("/broken"), attempts as usize, "{way}: attempts");
            }
        }
    });
}

#[test]
fn a_page_that_is_not_complete_in_time_fails_alone() {
    on_threads(|| {
        for (way, fetch) in ALL {
            let site = Site::start();
            let mut pages = pages(&site, &["/silent", "/half", "/late"]);
            site.page("/silent").never_answers();
            site.page("/half").stops_half_way();
            // It is in flight when the others run out of time, wherever it can be.
            site.page("/late").answers_after_hang_up("/half");
            pages[0].timeout = SHORT;
            pages[1].timeout = SHORT;
            let answers = fetch(&pages, 3, 2);
            let time_is_up = Err(Failure::Timeout);
            assert_eq!(answers, [time_is_up.clone(), time_is_up, Ok("text of /late".to_owned())], "{way}");
            block_on(site.settled());
            for path in ["/silent", "/half"] {
                assert!(site.transcript().attempts(path) <= 1, "{way}: {path} was asked again after its time was up");
            }
        }
    });
}

#[test]
fn dropping_the_future_closes_its_connections() {
    on_threads(|| {
        let site = Site::start();
        let paths = ["/a", "/b", "/c"];
        let pages = pages(&site, &paths);
        for path in paths {
            site.page(path).never_answers();
        }
        block_on(async {
            tokio::select! {
                answers = fetch::with_tasks(&pages, 3, 1) => panic!("no page has answered, but: {answers:?}"),
                () = site.in_flight(3) => {}
            }
            // `select!` has dropped the future. The runtime still runs, and so would tasks that nobody has told to stop.
            site.settled().await;
        });
        assert_eq!(paths.map(|path| site.transcript().hung_up(path)), [1, 1, 1], "connections closed");
    });
}

/// A way to fetch pages, with the name for messages. `one_by_one` does not care how many are allowed at once.
type Way = (&'static str, fn(&[Page], usize, u32) -> Vec<Answer>);

const ONE_BY_ONE: Way = ("one_by_one", |pages, _, attempts| fetch::one_by_one(pages, attempts));
const WITH_THREADS: Way = ("with_threads", fetch::with_threads);
const WITH_TASKS: Way =
    ("with_tasks", |pages, at_once, attempts| block_on(fetch::with_tasks(pages, at_once, attempts)));
const ALL: [Way; 3] = [ONE_BY_ONE, WITH_THREADS, WITH_TASKS];

/// A timeout that is never reached.
const AN_HOUR: Duration = Duration::from_secs(3600);
/// A timeout that is always reached, since nothing comes. Nobody measures it.
const SHORT: Duration = Duration::from_millis(100);

/// Sets up pages that say something, and lists them as requests with all the time in the world.
fn pages(site: &Site, paths: &[&str]) -> Vec<Page> {
    let page = |path: &&str| {
        site.page(path).says(&format!("text of {path}"));
        page(site.url(path), AN_HOUR)
    };
    paths.iter().map(page).collect()
}

fn page(url: String, timeout: Duration) -> Page {
    Page { url, timeout }
}

/// What these pages say.
fn texts(paths: &[&str]) -> Vec<Answer> {
    paths.iter().map(|path| Ok(format!("text of {path}"))).collect()
}

/// Runs a future on one thread: as many tasks as you like, but one cook.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the system has room for one more event queue").block_on(future)
}
