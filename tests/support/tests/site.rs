//! The mock site does what its pages were told, and tells what it saw. The client is bytes on a socket: it must do exactly what
//! a test says, and hang up when a test says so.

use std::hint::{black_box, spin_loop};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kata::site::{Ending, Reply, Site};
use kata::{Gate, on_threads};

/// Asks for a page and does not wait for the answer.
fn ask(site: &Site, path: &str) -> TcpStream {
    let url = site.url(path);
    let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix(path)).expect("a URL has these parts");
    let mut connection = TcpStream::connect(address).expect("the site is up");
    write!(connection, "GET {path} HTTP/1.1\r\nhost: site\r\nconnection: close\r\n\r\n").expect("the site reads");
    connection
}

/// Waits for the rest of the answer: the status and the text.
fn answer(mut connection: TcpStream) -> (u16, String) {
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("the site ends its answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
    let (_, text) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    (status, text.to_owned())
}

/// All that comes until the connection is closed.
fn rest_of(mut connection: TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = connection.read_to_end(&mut rest);
    String::from_utf8(rest).expect("the answer is text")
}

fn get(site: &Site, path: &str) -> (u16, String) {
    answer(ask(site, path))
}

fn said(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

fn status(status: u16) -> (u16, String) {
    (status, String::new())
}

/// Gives the site time to answer, in round trips. What it would have answered before these, it has answered now.
fn round_trips(site: &Site) {
    for _ in 0..3 {
        assert_eq!(get(site, "/not-set-up"), status(404));
    }
}

/// Waits for something that the site sees, which may come a moment after the client did it.
fn wait(moment: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O").block_on(moment);
}

#[test]
fn a_page_says_what_it_was_told() {
    on_threads(|| {
        let site = Site::start();
        site.page("/a").says("alpha");
        site.page("/gone").answers(410);
        assert_eq!(get(&site, "/a"), said("alpha"));
        assert_eq!(get(&site, "/a"), said("alpha"));
        assert_eq!(get(&site, "/gone"), (410, "status 410".to_owned()));
        assert_eq!(get(&site, "/nowhere"), status(404));
        let seen = site.transcript();
        assert_eq!(seen.arrivals(), ["/a", "/a", "/gone", "/nowhere"]);
        assert_eq!(seen.requests()[3].ending, Ending::Answered(404));
        assert_eq!(seen.peak(), 1);
    });
}

#[test]
fn a_page_has_a_type_sends_clients_elsewhere_or_has_no_end() {
    on_threads(|| {
        let site = Site::start();
        site.page("/html").replies_with(Reply::Text, "text/html; charset=utf-8", "<p>one");
        site.page("/plain").says("two");
        site.page("/circle").redirects_to("/circle");
        site.page("/endless").replies(Reply::Endless);
        let raw = |path| rest_of(ask(&site, path)).to_lowercase();
        let html = raw("/html");
        assert!(
            html.contains("content-type: text/html; charset=utf-8\r\n") && html.ends_with("\r\n\r\n<p>one"),
            "{html}"
        );
        assert!(raw("/plain").contains("content-type: text/plain"));
        let circle = raw("/circle");
        assert!(circle.starts_with("http/1.1 302 ") && circle.contains("location: /circle\r\n"), "{circle}");
        let (mut endless, mut seen) = (ask(&site, "/endless"), String::new());
        while !seen.contains("text of /endless") {
            let mut byte = [0];
            endless.read_exact(&mut byte).expect("it has not come to its end");
            seen.push(byte[0].into());
        }
        assert!(!seen.to_lowercase().contains("content-length"), "{seen}");
        drop(endless);
        wait(site.hung_up("/endless"));
    });
}

#[test]
fn a_page_fails_so_many_times() {
    on_threads(|| {
        let site = Site::start();
        site.page("/flaky").fails(2, 503).says("at last");
        let answers = thread::scope(|scope| {
            let asks = scope.spawn(|| [(); 4].map(|()| get(&site, "/flaky")));
            wait(site.asked("/flaky", 3));
            assert!(site.transcript().attempts("/flaky") >= 3, "so often was it asked for");
            asks.join().expect("it does not panic")
        });
        let busy = (503, "status 503".to_owned());
        assert_eq!(answers, [busy.clone(), busy, said("at last"), said("at last")]);
        assert_eq!(site.transcript().attempts("/flaky"), 4);
    });
}

#[test]
fn a_silent_page_notes_who_hangs_up() {
    on_threads(|| {
        let site = Site::start();
        site.page("/silent").never_answers();
        let connection = ask(&site, "/silent");
        wait(site.in_flight(1));
        round_trips(&site);
        assert_eq!(site.transcript().requests()[0].ending, Ending::Pending);
        drop(connection);
        wait(site.hung_up("/silent"));
        wait(site.settled());
        let seen = site.transcript();
        assert_eq!((seen.hung_up("/silent"), seen.in_flight()), (1, 0));
        assert!(!seen.answers().contains(&"/silent"));
    });
}

#[test]
fn a_page_stops_half_way() {
    let cases = [(Reply::Half, "200", "text o", 13), (Reply::StatusAndHalf(503), "503", "statu", 10)];
    on_threads(move || cases.iter().for_each(stops_half_way));
}

fn stops_half_way((reply, status, half, length): &(Reply, &str, &str, usize)) {
    let site = Site::start();
    site.page("/half").replies(*reply);
    let mut connection = ask(&site, "/half");
    let mut answer = Vec::new();
    while !answer.ends_with(format!("\r\n\r\n{half}").as_bytes()) {
        let mut byte = [0];
        connection.read_exact(&mut byte).expect("half an answer comes");
        answer.extend(byte);
    }
    let head = String::from_utf8(answer).expect("the answer is text");
    assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
    assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
    connection.set_nonblocking(true).expect("a socket takes options");
    assert!(connection.read(&mut [0]).is_err(), "more came");
    assert_eq!(site.transcript().in_flight(), 1);
    connection.shutdown(Shutdown::Both).expect("the connection is open");
    wait(site.hung_up("/half"));
}

#[test]
fn each_request_has_the_reply_of_its_number() {
    on_threads(|| {
        let site = Site::start();
        site.page("/a").answers(503).replies(Reply::BreaksOff).says("at last");
        assert_eq!(get(&site, "/a"), (503, "status 503".to_owned()));
        assert_eq!(rest_of(ask(&site, "/a")), "");
        assert_eq!([(); 2].map(|()| get(&site, "/a")), [said("at last"), said("at last")]);
        let endings = site.transcript().requests().iter().map(|request| request.ending).collect::<Vec<_>>();
        assert_eq!(endings[..3], [Ending::Answered(503), Ending::BrokenOff, Ending::Answered(200)]);
    });
}

#[test]
fn a_page_breaks_off_half_way() {
    on_threads(|| {
        let site = Site::start();
        site.page("/half").replies(Reply::BreaksOffHalfWay);
        let answer = rest_of(ask(&site, "/half"));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-length: 13\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\ntext o"), "{answer}");
        assert_eq!(site.transcript().requests()[0].ending, Ending::BrokenOff);
        assert_eq!(site.transcript().in_flight(), 0);
    });
}

#[test]
fn a_page_drips() {
    on_threads(|| {
        let site = Site::start();
        site.page("/drips").replies(Reply::Drips);
        let begin = Instant::now();
        let mut connection = ask(&site, "/drips");
        let mut answer = [0; 300];
        connection.read_exact(&mut answer).expect("the site goes on");
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
        let drips = (answer.len() - head) as u64;
        assert!(begin.elapsed() >= Duration::from_millis(drips - 1), "{drips} bytes, one each millisecond");
        assert_eq!(site.transcript().in_flight(), 1);
    });
}

#[test]
fn a_page_answers_late() {
    on_threads(|| {
        let site = Site::start();
        site.page("/late").says("late").answers_late(Duration::from_millis(50));
        let begin = Instant::now();
        assert_eq!(get(&site, "/late"), said("late"));
        assert!(begin.elapsed() >= Duration::from_millis(50));
    });
}

#[test]
fn pages_answer_together() {
    on_threads(|| {
        let site = Site::start();
        site.answers_together(&["/a", "/b", "/b"]);
        site.page("/a").says("a");
        site.page("/b").says("b");
        let (a, b) = (ask(&site, "/a"), ask(&site, "/b"));
        wait(site.in_flight(2));
        round_trips(&site);
        assert!(!site.transcript().answers().iter().any(|path| ["/a", "/b"].contains(path)), "two are not enough");
        assert_eq!([a, b, ask(&site, "/b")].map(answer), ["a", "b", "b"].map(said));
        assert_eq!(get(&site, "/a"), said("a"), "they wait for each other once");
    });
}

#[test]
fn a_page_answers_when_no_more_requests_come() {
    on_threads(|| {
        let site = Site::start();
        site.page("/quiet").says("quiet").answers_when_quiet();
        site.page("/b").says("b");
        thread::scope(|scope| {
            let quiet = ask(&site, "/quiet");
            scope.spawn(|| {
                // Whoever is still on the way is waited for.
                assert!((0..1_000_000).all(|n| black_box(n) < 1_000_000));
                assert_eq!(get(&site, "/b"), said("b"));
            });
            assert_eq!(answer(quiet), said("quiet"));
        });
        assert_eq!(site.transcript().answers(), ["/b", "/quiet"]);
    });
}

#[test]
fn a_page_waits_at_a_gate() {
    on_threads(|| {
        let site = Site::start();
        let gate = Gate::closed();
        site.page("/slow").says("slow").waits_for(&gate);
        site.page("/fast").says("fast");
        let slow = ask(&site, "/slow");
        wait(site.in_flight(1));
        assert_eq!(get(&site, "/fast"), said("fast"));
        gate.open();
        assert_eq!(answer(slow), said("slow"));
        assert_eq!(site.transcript().arrivals(), ["/slow", "/fast"]);
        assert_eq!(site.transcript().answers(), ["/fast", "/slow"]);
    });
}

#[test]
fn pages_answer_after_others() {
    on_threads(|| {
        let site = Site::start();
        site.page("/a").says("a").answers_after("/b");
        site.page("/b").says("b").answers_after("/c");
        site.page("/c").says("c").answers_after_hang_up("/d");
        site.page("/d").never_answers();
        let clients = ["/a", "/b", "/c"].map(|path| ask(&site, path));
        let impatient = ask(&site, "/d");
        wait(site.in_flight(4));
        drop(impatient);
        assert_eq!(clients.map(answer), ["a", "b", "c"].map(said));
        assert_eq!(site.transcript().answers(), ["/c", "/b", "/a"]);
        // Its moment has come already, so nothing holds the page back.
        assert_eq!(get(&site, "/a"), said("a"));
    });
    on_threads(|| {
        let site = Site::start();
        site.page("/a").says("a").answers_when_asked("/b", 2);
        site.page("/b").says("b");
        let waiting = ask(&site, "/a");
        wait(site.asked("/a", 1));
        assert_eq!(get(&site, "/b"), said("b"));
        assert_eq!(site.transcript().in_flight(), 1, "once is not enough");
        assert_eq!([get(&site, "/b"), answer(waiting)], ["b", "a"].map(said));
    });
}

#[test]
fn a_page_answers_last() {
    on_threads(|| {
        let site = Site::start();
        let gate = Gate::closed();
        site.page("/last").says("last").answers_last();
        site.page("/gate").says("open").waits_for(&gate);
        site.page("/b").says("b");
        let clients = ["/last", "/gate"].map(|path| ask(&site, path));
        wait(site.in_flight(2));
        assert_eq!(get(&site, "/b"), said("b"));
        assert_eq!(site.transcript().answers(), ["/b"], "one of the others has not answered");
        gate.open();
        assert_eq!(clients.map(answer), ["last", "open"].map(said));
        assert_eq!(site.transcript().answers(), ["/b", "/gate", "/last"]);
        // Nobody asks for the other page before this one has answered: it must not wait for ever.
        let site = Site::start();
        site.page("/last").says("last").answers_last();
        site.page("/b").says("b");
        assert_eq!(get(&site, "/last"), said("last"));
        assert_eq!(get(&site, "/b"), said("b"));
    });
}

#[test]
fn a_meeting_shows_how_many_requests_a_client_dares_to_send() {
    on_threads(|| {
        let site = Site::start();
        site.meets(3);
        site.page("/a").says("a");
        thread::scope(|scope| {
            for late in [false, false, false, true, true, true, true] {
                let site = &site;
                scope.spawn(move || {
                    if late {
                        // The meeting is complete, but somebody who is still on the way does not wait for its answers.
                        wait(site.in_flight(3));
                        assert!((0..1_000_000).all(|n| black_box(n) < 1_000_000));
                    }
                    assert_eq!(get(site, "/a"), said("a"));
                });
            }
        });
        assert_eq!(get(&site, "/a"), said("a"), "a meeting takes place once");
        assert_eq!(site.transcript().peak(), 7);
    });
}

#[test]
fn a_meeting_that_is_not_complete_answers_nobody() {
    on_threads(|| {
        let site = Site::start();
        site.meets(3);
        site.page("/a").says("a");
        site.page("/silent").never_answers();
        // It is answered when nothing moves any more, and then the other would have been answered, too.
        site.page("/quiet").says("quiet").answers_after_hang_up("/never-asked");
        let first = ask(&site, "/a");
        wait(site.in_flight(1));
        assert_eq!(get(&site, "/quiet"), said("quiet"));
        assert_eq!(site.transcript().answers(), ["/quiet"]);
        // Pages with a hold of their own are in flight as well as any other.
        let _others = [ask(&site, "/silent"), ask(&site, "/silent")];
        assert_eq!(answer(first), said("a"));
    });
}

#[test]
fn a_page_answers_when_a_client_hangs_up_whatever_else_goes_on() {
    on_threads(|| {
        let site = Site::start();
        site.page("/late").says("late").answers_after_hang_up("/silent");
        site.page("/silent").never_answers();
        let (late, silent) = (ask(&site, "/late"), ask(&site, "/silent"));
        wait(site.in_flight(2));
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            // With this thread, it is never quiet.
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
            round_trips(&site);
            let answers = site.transcript().answers().join(" ");
            drop(silent);
            let late = answer(late);
            over.store(true, Ordering::Relaxed);
            assert!(!answers.contains("/late"), "it was answered before: {answers}");
            assert_eq!(late, said("late"));
        });
    });
}

#[test]
fn a_site_refuses_requests_beyond_its_limit() {
    on_threads(|| {
        let site = Site::start();
        site.refuses_beyond(1);
        site.page("/silent").never_answers();
        site.page("/a").says("a");
        let first = ask(&site, "/silent");
        wait(site.in_flight(1));
        assert_eq!(get(&site, "/a"), status(429));
        assert_eq!(site.transcript().requests()[1].ending, Ending::Answered(429));
        drop(first);
        wait(site.hung_up("/silent"));
        assert_eq!(get(&site, "/a"), said("a"));
    });
}

#[test]
fn many_clients_meet() {
    on_threads(|| {
        let site = Site::start();
        site.meets(200);
        site.page("/a").says("a");
        let clients: Vec<_> = (0..200).map(|_| ask(&site, "/a")).collect();
        assert!(clients.into_iter().map(answer).all(|answer| answer == said("a")));
        assert_eq!(site.transcript().peak(), 200);
    });
}

#[test]
fn at_the_closed_url_nobody_listens() {
    on_threads(|| {
        let site = Site::start();
        let url = site.closed_url("");
        let refused = TcpStream::connect(url.strip_prefix("http://").expect("a URL")).expect_err("somebody listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn at_the_unanswered_url_a_connection_is_neither_made_nor_refused() {
    on_threads(|| {
        let site = Site::start();
        let url = site.unanswered_url("");
        let address = url.strip_prefix("http://").expect("a URL").parse().expect("an address");
        for _ in 0..3 {
            let failed = TcpStream::connect_timeout(&address, Duration::from_millis(50)).expect_err("somebody listens");
            assert_eq!(failed.kind(), ErrorKind::TimedOut);
        }
        assert_eq!(site.unanswered_url(""), url, "one port for all");
    });
}

#[test]
fn a_dropped_site_is_down() {
    on_threads(|| {
        let site = Site::start();
        site.page("/slow").waits_for(&Gate::closed());
        let connection = ask(&site, "/slow");
        wait(site.in_flight(1));
        let url = site.url("");
        drop(site);
        assert_eq!((&connection).read(&mut [0]).unwrap_or(0), 0, "the connection is closed");
        assert!(TcpStream::connect(url.strip_prefix("http://").expect("a URL")).is_err(), "nobody listens");
    });
}
