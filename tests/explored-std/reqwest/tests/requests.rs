//! Requests on schedules: each order of answers comes, limits run out in virtual time, and errors answer as the real ones do.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::io::Read;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::network::{Connection, Ended, Event, Server, Taken, Visit};
use reqwest::{Client, Error, Request, StatusCode, blocking};
use std::explored::Config;
use support::{config, fails, passes_with, results};
use tokio::runtime::Builder;
use verdict::Kind;

/// What a server has seen.
#[derive(Default)]
struct Pages {
    asked: Mutex<Vec<String>>,
    ended: Mutex<Vec<(String, Ended)>>,
}

/// A server with its pages, at a port.
struct Site {
    pages: Arc<Pages>,
    port: Taken,
}

impl Site {
    fn new() -> Site {
        let pages = Arc::new(Pages::default());
        let server = At(Arc::clone(&pages));
        Site { pages, port: Taken::by(Arc::new(server)) }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }

    fn asked(&self) -> Vec<String> {
        self.pages.asked.lock().unwrap().clone()
    }

    fn ended(&self) -> Vec<Ended> {
        self.pages.ended.lock().unwrap().iter().map(|(_, ended)| *ended).collect()
    }
}

struct At(Arc<Pages>);

fn head(status: u16, length: usize) -> Event {
    let length = ("content-length".parse().unwrap(), length.to_string().parse().unwrap());
    Event::Head(StatusCode::from_u16(status).unwrap(), [length].into_iter().collect())
}

fn whole(status: u16, text: &str) -> Vec<Event> {
    vec![head(status, text.len()), Event::Data(text.to_owned().into()), Event::End]
}

impl Server for At {
    fn take(&self, request: &Request) -> Visit {
        let path = request.url().path().to_owned();
        let mut told = format!("{} {}", request.method(), &request.url()[url::Position::BeforePath..]);
        let headers = request.headers().iter().map(|(name, value)| format!("; {name}: {}", value.to_str().unwrap()));
        told.extend(BTreeSet::from_iter(headers.filter(|header| !header.starts_with("; accept: */*"))));
        if let Some(body) = request.body().and_then(|body| body.as_bytes()) {
            told.push_str(&format!("; {}", String::from_utf8_lossy(body)));
        }
        self.0.asked.lock().unwrap().push(told);
        let pages = Arc::clone(&self.0);
        let asked_for = path.clone();
        Visit {
            answer: Box::new(move |connection| answer(&path, &connection)),
            ended: Box::new(move |how| pages.ended.lock().unwrap().push((asked_for, how))),
        }
    }
}

/// What a page does, by its path.
fn answer(path: &str, connection: &Connection) {
    let half = || vec![head(200, 8), Event::Data("half".into())];
    match path {
        "/silent" => {}
        "/late" => {
            thread::sleep(Duration::from_secs(5));
            connection.send(whole(200, "late"));
        }
        "/half" => connection.send(half()),
        "/broken" => connection.send(vec![Event::BrokenOff]),
        "/half-broken" => connection.send([half(), vec![Event::BrokenOff]].concat()),
        "/drips" => {
            connection.send(vec![head(200, 5)]);
            for _ in 0..5 {
                thread::sleep(Duration::from_secs(1));
                connection.send(vec![Event::Data("x".into())]);
            }
            connection.send(vec![Event::End]);
        }
        "/json" => connection.send(whole(200, r#"{"a": [1, 2]}"#)),
        "/missing" => connection.send(whole(404, "no")),
        "/busy" => connection.send(whole(503, "busy")),
        path => connection.send(whole(200, &format!("text of {path}"))),
    }
}

fn on_one<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What the body returns in every schedule.
#[track_caller]
fn always(body: impl Fn() -> String + Send + Sync + 'static) -> String {
    let (mut seen, _) = results(body);
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen.remove(0)
}

#[test]
fn two_tasks_have_their_answers_in_both_orders() {
    let (orders, _) = results(|| {
        let site = Site::new();
        on_one(async {
            let order = Arc::new(Mutex::new(String::new()));
            let tasks = ["/a", "/b"].map(|path| {
                let (url, order) = (site.url(path), Arc::clone(&order));
                tokio::spawn(async move {
                    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
                    order.lock().unwrap().push_str(&text[8..]);
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            let order = order.lock().unwrap().clone();
            format!("{} {order}", site.asked()[0])
        })
    });
    assert_eq!(orders, ["GET /a /a/b", "GET /a /b/a", "GET /b /a/b", "GET /b /b/a"]);
}

#[test]
fn two_requests_of_one_task_are_answered_in_both_orders() {
    let (orders, _) = results(|| {
        let site = Site::new();
        on_one(async {
            let (first, second) = (reqwest::get(site.url("/a")), reqwest::get(site.url("/b")));
            tokio::select! {
                biased;
                response = first => response.unwrap().url().path().to_owned(),
                response = second => response.unwrap().url().path().to_owned(),
            }
        })
    });
    assert_eq!(orders, ["/a", "/b"]);
}

#[test]
fn two_threads_have_their_answers_in_both_orders() {
    let (orders, _) = results(|| {
        let site = Site::new();
        let (client, order) = (blocking::Client::new(), Mutex::new(String::new()));
        thread::scope(|scope| {
            for path in ["/a", "/b"] {
                let (client, order, site) = (&client, &order, &site);
                scope.spawn(move || {
                    let text = client.get(site.url(path)).send().unwrap().text().unwrap();
                    order.lock().unwrap().push_str(&text[8..]);
                });
            }
        });
        let order = order.lock().unwrap().clone();
        format!("{} {order}", site.asked()[0])
    });
    assert_eq!(orders, ["GET /a /a/b", "GET /a /b/a", "GET /b /a/b", "GET /b /b/a"]);
}

/// How many schedules there are, without polls that nobody asked for.
fn schedules(body: impl Fn(&Site) + Send + Sync + 'static) -> u64 {
    let exploration = passes_with(&Config { spurious: 0, ..config() }, move || body(&Site::new()));
    assert!(exploration.coverage.complete, "{}", exploration.coverage);
    exploration.coverage.schedules
}

#[test]
fn requests_have_as_many_schedules_as_there_are_orders() {
    // The site sees in which order they come and end; the order of answers alone makes no difference to anybody.
    let of_threads = |count: usize| {
        schedules(move |site| {
            let client = blocking::Client::new();
            thread::scope(|scope| {
                for path in 0..count {
                    let (client, url) = (&client, site.url(&format!("/{path}")));
                    scope.spawn(move || client.get(url).send().unwrap().text().unwrap());
                }
            });
        })
    };
    assert_eq!([1, 2, 3].map(of_threads), [1, 2 * 2, 6 * 6]);
    // Tasks are polled one at a time, so here the order of coming and ending is one.
    let of_tasks = |count: usize| {
        schedules(move |site| {
            on_one(async {
                let task = |path: usize| {
                    let url = site.url(&format!("/{path}"));
                    tokio::spawn(async { reqwest::get(url).await.unwrap().text().await.unwrap() })
                };
                for task in (0..count).map(task).collect::<Vec<_>>() {
                    task.await.unwrap();
                }
            });
        })
    };
    assert_eq!([1, 2, 3].map(of_tasks), [1, 9, 165]);
}

#[test]
fn a_request_that_is_never_polled_is_not_sent() {
    let asked = always(|| {
        let site = Site::new();
        on_one(async { drop(reqwest::get(site.url("/a"))) });
        format!("{:?}", site.asked())
    });
    assert_eq!(asked, "[]");
}

#[test]
fn a_request_says_what_it_was_told() {
    let told = always(|| {
        let site = Site::new();
        let headers = [("x-all".parse().unwrap(), "1".parse().unwrap())].into_iter().collect();
        let client = blocking::Client::builder().user_agent("kata").default_headers(headers).build().unwrap();
        let form = BTreeMap::from([("a", "1 2")]);
        client.get(site.url("/a?x=0")).query(&[("y", "a b"), ("z", "&")]).send().unwrap();
        client.post(site.url("/a")).header("x-all", "2").form(&form).send().unwrap();
        client.put(site.url("/a")).json(&[1, 2]).bearer_auth("t").send().unwrap();
        client.delete(site.url("/a")).basic_auth("user", Some("password")).body("text").send().unwrap();
        site.asked().join("\n")
    });
    let lines = [
        "GET /a?x=0&y=a+b&z=%26; user-agent: kata; x-all: 1",
        "POST /a; content-type: application/x-www-form-urlencoded; user-agent: kata; x-all: 2; a=1+2",
        "PUT /a; authorization: Bearer t; content-type: application/json; user-agent: kata; x-all: 1; [1,2]",
        "DELETE /a; authorization: Basic dXNlcjpwYXNzd29yZA==; user-agent: kata; x-all: 1; text",
    ];
    assert_eq!(told, lines.join("\n"));
}

#[test]
fn an_answer_is_read_in_all_ways() {
    let read = always(|| {
        let site = Site::new();
        on_one(async {
            let mut response = reqwest::get(site.url("/a")).await.unwrap();
            assert_eq!((response.status(), response.content_length()), (StatusCode::OK, Some(10)));
            assert_eq!(response.headers()["content-length"], "10");
            assert_eq!(response.remote_addr().unwrap().to_string(), site.port.address());
            let mut chunks = Vec::new();
            while let Some(chunk) = response.chunk().await.unwrap() {
                chunks.push(String::from_utf8(chunk.to_vec()).unwrap());
            }
            let json: BTreeMap<String, Vec<u32>> = reqwest::get(site.url("/json")).await.unwrap().json().await.unwrap();
            format!("{chunks:?} {json:?}")
        })
    });
    assert_eq!(read, r#"["text of /a"] {"a": [1, 2]}"#);
    let read = always(|| {
        let site = Site::new();
        let mut text = String::new();
        blocking::get(site.url("/drips")).unwrap().read_to_string(&mut text).unwrap();
        let mut copy = Vec::new();
        assert_eq!(blocking::get(site.url("/a")).unwrap().copy_to(&mut copy).unwrap(), 10);
        text
    });
    assert_eq!(read, "xxxxx");
}

/// The questions that an error says yes to.
fn questions(error: &Error) -> String {
    let questions = [
        ("builder", error.is_builder()),
        ("request", error.is_request()),
        ("connect", error.is_connect()),
        ("timeout", error.is_timeout()),
        ("status", error.is_status()),
        ("body", error.is_body()),
        ("decode", error.is_decode()),
        ("redirect", error.is_redirect()),
    ];
    questions.into_iter().filter_map(|(name, yes)| yes.then_some(name)).collect::<Vec<_>>().join("+")
}

/// What comes of asking for the text of a page, by a task and by a thread, with a limit of three seconds; and when.
#[track_caller]
fn both(path: &'static str) -> String {
    let url = move |site: &Site| if path.starts_with('/') { site.url(path) } else { path.to_owned() };
    let told = |result: Result<String, Error>, start: Instant| match result {
        Ok(text) => text,
        Err(error) => format!("{} after {:?}", questions(&error), start.elapsed()),
    };
    let limit = Duration::from_secs(3);
    let of_task = always(move || {
        let (site, start) = (Site::new(), Instant::now());
        let text =
            async { Client::new().get(url(&site)).timeout(limit).send().await?.error_for_status()?.text().await };
        told(on_one(text), start)
    });
    let of_thread = always(move || {
        let (site, start) = (Site::new(), Instant::now());
        let text = || blocking::Client::new().get(url(&site)).timeout(limit).send()?.error_for_status()?.text();
        told(text(), start)
    });
    assert_eq!(of_task, of_thread);
    of_task
}

#[test]
fn errors_answer_as_the_real_ones_do() {
    assert_eq!(both("/a"), "text of /a");
    assert_eq!(both("/missing"), "status after 0ns");
    assert_eq!(both("/busy"), "status after 0ns");
    assert_eq!(both("/broken"), "request after 0ns");
    assert_eq!(both("/half-broken"), "decode after 0ns");
    assert_eq!(both("no url"), "builder after 0ns");
    assert_eq!(both("file:///etc/hosts"), "builder after 0ns");
    assert_eq!(both("http://127.0.0.1:1/a"), "request+connect after 0ns");
}

#[test]
fn the_limit_of_a_request_is_for_all_of_it() {
    assert_eq!(both("/silent"), "request+timeout after 3s");
    assert_eq!(both("/late"), "request+timeout after 3s");
    assert_eq!(both("/half"), "timeout+decode after 3s");
    assert_eq!(both("/drips"), "timeout+decode after 3s");
}

#[test]
fn clients_have_limits_of_their_own() {
    let seconds = Duration::from_secs;
    let of_tasks = always(move || {
        let site = Site::new();
        let switched_off = Taken::unanswered();
        let client = Client::builder().timeout(seconds(20)).read_timeout(seconds(2)).connect_timeout(seconds(1));
        let client = client.build().unwrap();
        on_one(async {
            let start = Instant::now();
            let mut told = Vec::new();
            for url in [site.url("/drips"), site.url("/half"), format!("http://{}", switched_off.address())] {
                let text = async { client.get(url).send().await?.text().await };
                let text = text.await.unwrap_or_else(|error| questions(&error));
                told.push(format!("{text} at {:?}", start.elapsed()));
            }
            told.join(", ")
        })
    });
    assert_eq!(of_tasks, "xxxxx at 5s, timeout+decode at 7s, request+connect+timeout at 8s");
    // A blocking client's own limit is for each time that it waits, and 30 seconds where nothing is said.
    let of_threads = always(move || {
        let (site, start) = (Site::new(), Instant::now());
        let client = |limit| blocking::Client::builder().timeout(limit).build().unwrap();
        let mut told = Vec::new();
        for client in [client(Some(seconds(6))), client(None), blocking::Client::new()] {
            let path = if told.len() == 1 { "/late" } else { "/half" };
            let text = client.get(site.url(path)).send().and_then(|response| response.text());
            told.push(format!("{} at {:?}", text.unwrap_or_else(|error| questions(&error)), start.elapsed()));
        }
        told.join(", ")
    });
    assert_eq!(of_threads, "timeout+decode at 6s, late at 11s, timeout+decode at 41s");
}

#[test]
fn who_gives_up_closes_the_connection_once() {
    let ended = always(|| {
        let site = Site::new();
        on_one(async {
            for path in ["/silent", "/half"] {
                let text = async { reqwest::get(site.url(path)).await.unwrap().text().await };
                let given_up = tokio::time::timeout(Duration::from_secs(1), text).await;
                assert!(given_up.is_err());
            }
            // It has been answered, though nobody has read that.
            let mut response = pin!(reqwest::get(site.url("/a")));
            let given_up = tokio::time::timeout(Duration::from_secs(1), response.as_mut()).await;
            drop(given_up.unwrap());
            assert!(reqwest::get(site.url("/half-broken")).await.unwrap().text().await.is_err());
        });
        format!("{:?}", site.ended())
    });
    assert_eq!(ended, "[HungUp, HungUp, Answered, BrokenOff]");
}

#[test]
fn who_waits_for_a_silent_server_without_a_limit_waits_for_ever() {
    let message = fails(Kind::Deadlock, || {
        let site = Site::new();
        drop(on_one(reqwest::get(site.url("/silent"))));
    });
    assert!(message.starts_with("main awaits answer#1 (requests.rs:"), "{message}");
    let message = fails(Kind::Deadlock, || {
        let site = Site::new();
        drop(blocking::Client::builder().timeout(None).build().unwrap().get(site.url("/silent")).send());
    });
    assert!(message.starts_with("main waits for a message from answer#1 (requests.rs:"), "{message}");
}

#[test]
fn tasks_must_not_block() {
    let message = fails(Kind::Assertion, || {
        let site = Site::new();
        on_one(async { drop(blocking::get(site.url("/a"))) });
    });
    assert!(message.contains("in a context where blocking is not allowed"), "{message}");
}

#[test]
fn nothing_comes_while_a_task_is_polled() {
    // Whoever looks twice in one poll sees twice that there is nothing: no other task could go on meanwhile, and a runtime of one
    // thread hears of an answer between two polls.
    let text = always(|| {
        let site = Site::new();
        on_one(async {
            let mut request = pin!(async { reqwest::get(site.url("/a")).await.unwrap().text().await.unwrap() });
            let twice = |cx: &mut Context<'_>| match request.as_mut().poll(cx) {
                Poll::Pending => {
                    let again = request.as_mut().poll(cx);
                    assert!(again.is_pending(), "an answer came within a poll");
                    again
                }
                ready => ready,
            };
            poll_fn(twice).await
        })
    });
    assert_eq!(text, "text of /a");
}

#[test]
fn what_is_decided_by_the_order_of_answers_is_a_race() {
    let message = fails(Kind::Race, || {
        let site = Site::new();
        on_one(async {
            let first = Arc::new(Mutex::new(None));
            let tasks = ["/a", "/b"].map(|path| {
                let (url, first) = (site.url(path), Arc::clone(&first));
                tokio::spawn(async move {
                    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
                    first.lock().unwrap().get_or_insert(text);
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(first.lock().unwrap().as_deref(), Some("text of /a"));
        });
    });
    assert!(message.starts_with("assertion"), "{message}");
}
