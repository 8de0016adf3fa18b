//! The mock site on schedules: it answers as its pages were told, whenever that is chosen, and in virtual time.

extern crate kata_explored as kata;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use kata::Check;
use kata::Gate;
use kata::site::{Ending, Reply, Site};
use reqwest::blocking::Client;

/// Explores a body in which the site's threads may outlive it.
fn check(body: impl Fn() + Send + Sync + 'static) {
    Check::new().library_threads().run(body);
}

/// Asks for a page. What comes of it: status and text, or that the time was up, or that there was no answer.
fn get(url: &str) -> String {
    let response = Client::new().get(url).timeout(Duration::from_secs(5)).send();
    let text = response.and_then(|response| Ok((response.status().as_u16(), response.text()?)));
    match text {
        Ok((status, text)) => format!("{status} {text}").trim_end().to_owned(),
        Err(error) if error.is_timeout() => "late".to_owned(),
        Err(error) if error.is_connect() => "refused".to_owned(),
        Err(_) => "broken off".to_owned(),
    }
}

#[test]
fn each_reply_comes_in_its_turn() {
    check(|| {
        let site = Site::start();
        let page = site.page("/a").fails(2, 503).says("at last").answers(204).answers(304);
        let page = page.replies(Reply::Never).replies(Reply::Half).replies(Reply::BreaksOff);
        page.replies(Reply::BreaksOffHalfWay).replies(Reply::Drips);
        let answers = [(); 10].map(|()| get(&site.url("/a")));
        let (busy, drips) = ("503 status 503", format!("200 {}", "drip".repeat(250)));
        let expected = [busy, busy, "200 at last", "204", "304", "late", "late", "broken off", "broken off", &drips];
        assert_eq!(answers, expected);
        let endings = site.transcript().requests().iter().map(|request| request.ending).collect::<Vec<_>>();
        let broken = Ending::BrokenOff;
        assert_eq!(endings[2..5], [Ending::Answered(200), Ending::Answered(204), Ending::Answered(304)]);
        assert_eq!(endings[5..9], [Ending::HungUp, Ending::HungUp, broken, broken]);
        assert_eq!((site.transcript().peak(), site.transcript().in_flight()), (1, 0));
        assert_eq!(get(&site.url("/not-set-up")), "404");
        assert_eq!([get(&site.closed_url("/a")), get(&site.unanswered_url("/a"))], ["refused", "late"]);
    });
}

#[test]
fn a_page_has_a_type_sends_clients_elsewhere_or_has_no_end() {
    check(|| {
        let site = Site::start();
        site.page("/html").replies_with(Reply::Text, "text/html; charset=utf-8", *b"<p>\xFF");
        site.page("/circle").redirects_to("/circle");
        site.page("/endless").replies(Reply::Endless);
        let send = |path| Client::new().get(site.url(path)).timeout(Duration::from_secs(5)).send().unwrap();
        let html = send("/html");
        assert_eq!(html.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(html.bytes().unwrap()[..], *b"<p>\xFF");
        let circle = send("/circle");
        assert_eq!((circle.status().as_u16(), &circle.headers()["location"].to_str().unwrap()), (302, &"/circle"));
        let endless = send("/endless");
        assert_eq!(endless.content_length(), None);
        assert!(endless.text().unwrap_err().is_timeout());
        assert_eq!(site.transcript().requests()[2].ending, Ending::HungUp);
    });
}

/// Asks for these pages at the same time, and says in which order they were answered.
fn order(site: &Site, paths: &[&str]) -> Vec<String> {
    let order = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for path in paths {
            let (order, path) = (&order, path.to_string());
            scope.spawn(move || {
                let answer = get(&site.url(&path));
                order.lock().unwrap().push(format!("{path} {answer}"));
            });
        }
    });
    order.into_inner().unwrap()
}

#[test]
fn a_page_waits_for_another_one() {
    check(|| {
        let site = Site::start();
        site.page("/a").says("a").answers_after("/b");
        site.page("/b").says("b");
        assert_eq!(order(&site, &["/a", "/b"]), ["/b 200 b", "/a 200 a"]);
    });
    check(|| {
        let site = Site::start();
        site.page("/a").says("a").answers_when_asked("/b", 2);
        site.page("/b").says("b");
        thread::scope(|scope| {
            (0..2).for_each(|_| drop(scope.spawn(|| get(&site.url("/b")))));
            assert_eq!(get(&site.url("/a")), "200 a");
            assert_eq!(site.transcript().attempts("/b"), 2, "once is not enough");
        });
    });
    check(|| {
        let site = Site::start();
        site.page("/a").says("a").answers_after_hang_up("/b");
        site.page("/b").never_answers();
        let start = Instant::now();
        let mut answers = order(&site, &["/a", "/b"]);
        answers.sort();
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        // Both are over at that moment.
        assert!(["/a 200 a", "/a late"].contains(&&*answers[0]) && answers[1] == "/b late", "{answers:?}");
    });
}

#[test]
fn a_page_has_answered_although_nobody_has_read_it() {
    check(|| {
        let site = Site::start();
        site.page("/a").says("a").answers_after("/b");
        site.page("/b").says("b");
        let client = Client::builder().timeout(None).build().unwrap();
        let heads = thread::scope(|scope| {
            let heads = ["/a", "/b"].map(|path| scope.spawn(|| client.get(site.url(path)).send().unwrap()));
            heads.map(|head| head.join().unwrap())
        });
        assert_eq!(site.transcript().in_flight(), 2);
        assert_eq!(heads.map(|head| head.text().unwrap()), ["a", "b"]);
    });
}

#[test]
fn a_page_waits_for_the_clock_and_for_a_gate() {
    check(|| {
        let site = Site::start();
        let (gate, start) = (Gate::closed(), Instant::now());
        site.page("/late").says("late").answers_late(Duration::from_secs(3));
        site.page("/gate").says("open").waits_for(&gate);
        site.page("/quiet").says("quiet").answers_when_quiet();
        assert_eq!(get(&site.url("/late")), "200 late");
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        thread::scope(|scope| {
            let asked = scope.spawn(|| get(&site.url("/gate")));
            // It is asked for as soon as nobody else can go on.
            assert_eq!(get(&site.url("/quiet")), "200 quiet");
            assert_eq!(site.transcript().attempts("/gate"), 1);
            gate.open();
            assert_eq!(asked.join().unwrap(), "200 open");
        });
    });
}

#[test]
fn pages_that_meet_are_all_in_flight() {
    check(|| {
        let site = Site::start();
        site.meets(2);
        assert_eq!(order(&site, &["/a", "/a"]).len(), 2);
        assert_eq!(site.transcript().peak(), 2);
        site.answers_together(&["/b", "/c"]);
        assert_eq!(order(&site, &["/b", "/c"]).len(), 2);
    });
    let one_by_one = || {
        check(|| {
            let site = Site::start();
            site.answers_together(&["/b", "/c"]);
            for path in ["/b", "/c"] {
                let client = Client::builder().timeout(None).build().unwrap();
                drop(client.get(site.url(path)).send());
            }
        });
    };
    let payload = panic::catch_unwind(AssertUnwindSafe(one_by_one)).expect_err("nobody meets");
    let text = payload.downcast::<String>().expect("a check fails with a text");
    assert!(text.starts_with("serialised: ") && text.contains("(1 of 2 requests in flight)"), "{text}");
}

#[test]
fn a_site_refuses_what_is_too_much() {
    check(|| {
        let site = Site::start();
        site.refuses_beyond(1);
        let mut answers = order(&site, &["/a", "/b"]);
        answers.sort();
        let refused = answers.iter().filter(|answer| answer.ends_with("429")).count();
        assert_eq!(refused, if site.transcript().peak() == 2 { 1 } else { 0 }, "{answers:?}");
    });
}
