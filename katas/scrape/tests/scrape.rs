//! The contract of the kata `scrape`, sentence by sentence. `README.md` has the same list.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use kata::inputs::{counted, listed, orders};
use kata::site::{Reply, Site};
use kata::{Check, EXPLORED, Gate, Peak, Rendezvous, boxed, each_on_threads, panic_on_purpose};
use scrape::{Answer, Failure, Limits, first_paragraph, scrape};
use tokio::runtime;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
async fn _signatures(urls: &[String], limits: Limits, answers: Sender<Result<Option<String>, Failure>>) {
    use Failure::{NotHtml, Panicked, Status, TooLarge, Unreachable};
    let Limits { fetches, parses, room, bytes } = limits;
    let _: [usize; 4] = [fetches, parses, room, bytes];
    let _ = |answer: Answer| drop::<Result<Option<String>, Failure>>(answer);
    let parse: fn(&str) -> Option<String> = first_paragraph;
    let () = scrape(urls, limits, parse, answers).await;
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    const UNREACHABLE: Failure = Unreachable;
    let _ = |failure: Failure| -> u16 {
        match failure {
            UNREACHABLE | NotHtml | TooLarge | Panicked => 0,
            Status(status) => status,
        }
    };
}

#[test]
fn answers_come_in_the_order_of_the_urls() {
    // The pages are answered in each order, or parsed in each: a page waits until the one before it has got into the parser.
    let pages = if EXPLORED { 2 } else { 3 };
    let rows = [Stage::Fetch, Stage::Parse].into_iter().flat_map(|stage| {
        let orders = orders(pages).into_iter().filter(|order| !EXPLORED || order[0] > 0);
        orders.map(move |order| Row(format!("{stage} in the order {}", listed(&order)), (stage, order)))
    });
    check().each(rows, |Row(_, (stage, order))| {
        let site = Site::start();
        let urls = Vec::from_iter((0..order.len()).map(|page| html_page(&site, page)));
        let gates = Vec::from_iter(order.iter().map(|_| Gate::closed()));
        let turn = |page| order.iter().position(|other| *other == page).unwrap();
        let turns = Vec::from_iter((0..order.len()).map(turn));
        let stage = *stage;
        if stage == Stage::Fetch {
            gates.iter().zip(&order[1..]).for_each(|(gate, page)| drop(site.page(&path(*page)).waits_for(gate)));
        }
        let parse = parser(move |page| {
            let turn = turns[page];
            if stage == Stage::Parse && turn > 0 {
                gates[turn - 1].pass();
            }
            gates[turn].open();
        });
        let answers = scraped(&urls, limits(order.len(), order.len(), order.len()), parse);
        assert_eq!(answers, Vec::from_iter((0..order.len()).map(parsed)));
    });
}

#[test]
fn each_url_is_asked_for_once() {
    let rows = [(0, 1), (1, 1), (1, 2), (2, 1), (33, 2), (33, 40)].into_iter();
    let rows = rows.filter(|size| !EXPLORED || size.0 < 3 && *size != (1, 2));
    check().each(
        rows.map(|(pages, room)| {
            let last = if pages > 1 { ", of which the last breaks off" } else { "" };
            Row(format!("{}{last}, room for {room}", counted(pages, "page")), (pages, room))
        }),
        |row| {
            let (pages, room) = row.1;
            let site = Site::start();
            // Nobody asks a second time for what was not to be had.
            let spot = |page| if page > 0 && page + 1 == pages { Spot::BreaksOff } else { Spot::Html };
            let mut urls = Vec::from_iter((0..pages).map(|page| spot(page).set_up(&site, page)));
            // One that comes twice is asked for twice.
            urls.extend(urls.first().cloned().filter(|_| pages == 1));
            let answers = scraped(&urls, limits(room, 2, room), parser(|_| {}));
            assert_eq!(answers, Vec::from_iter((0..urls.len()).map(|page| spot(page % pages).answer(page % pages))));
            let transcript = site.transcript();
            let mut arrivals = transcript.arrivals().to_vec();
            let mut expected = Vec::from_iter((0..urls.len()).map(|page| path(page % pages)));
            arrivals.sort();
            expected.sort();
            assert_eq!(arrivals, expected, "the requests, sorted");
        },
    );
}

#[test]
fn as_many_pages_are_asked_for_at_once_as_allowed() {
    let rows = [(2, 1, 2), (2, 2, 2), (3, 2, 3), (7, 3, 7), (CROWD, CROWD, CROWD)].into_iter();
    let rows = rows.filter(|(pages, ..)| !EXPLORED || *pages < 3);
    let rows = rows.flat_map(|row| RUNTIMES.iter().map(move |runtime| (*runtime, row)));
    let rows = rows.map(|(runtime, row)| (runtime, row, false));
    // A request is in flight until all of its page has come.
    let rows = rows.chain(RUNTIMES.iter().map(|runtime| (*runtime, (2, 1, 2), true)));
    let rows = rows.map(|(runtime, (pages, fetches, room), half)| {
        let half_of_each = if half { ", of each of which half is sent" } else { "" };
        let told = format!("{}{half_of_each}, {fetches} at once{runtime}", counted(pages, "page"));
        Row(told, (runtime, pages, fetches, room, half))
    });
    check().each(rows, |Row(_, (runtime, pages, fetches, room, half))| {
        let site = Site::start();
        if *half {
            (0..*pages).for_each(|page| drop(site.page(&path(page)).replies_with(Reply::Half, HTML, text(page))));
            let urls = Vec::from_iter((0..*pages).map(|page| site.url(&path(page))));
            runtime.block_on(async {
                let (answers, _receiver) = channel(1);
                let scrape = scrape(&urls, limits(*fetches, 1, *room), parser(|_| {}), answers);
                tokio::select! {
                    () = scrape => panic!("no page is complete, and it has ended"),
                    () = site.quiet() => {}
                }
            });
            assert_eq!(site.transcript().peak(), *fetches, "requests in flight at once");
            return;
        }
        site.meets(*fetches);
        // They are not there, and need no parser.
        let urls = Vec::from_iter((0..*pages).map(|page| site.url(&path(page))));
        let answers = runtime.block_on(all_answers(&urls, limits(*fetches, 1, *room), parser(|_| {})));
        assert_eq!(answers, vec![Err(Failure::Status(404)); *pages]);
        assert_eq!(site.transcript().peak(), *fetches, "requests in flight at once");
    });
}

#[test]
fn no_page_is_asked_for_without_room() {
    // Somebody is slow, and all the others have done what they can.
    let slow = [Slow::Page, Slow::Parser, Slow::Consumer];
    let sizes: &[(usize, usize)] = if EXPLORED { &[(2, 1), (3, 2)] } else { &[(2, 1), (3, 2), (7, 3)] };
    let rows = slow.into_iter().flat_map(|slow| {
        sizes.iter().map(move |&(pages, room)| {
            Row(format!("{slow}, {}, room for {room}", counted(pages, "page")), (slow, pages, room))
        })
    });
    check()
        .schedules(400)
        .each(rows, |Row(_, (slow, pages, room))| asks_for_no_more_than_there_is_room(*slow, *pages, *room, *pages));
}

#[test]
fn a_page_that_is_here_keeps_no_other_from_being_asked_for() {
    let rows = [(Slow::Parser, 3, 2), (Slow::OneParser, 3, 3), (Slow::Consumer, 3, 2)].into_iter();
    // Room for many, and requests and parsers for few.
    let many = [(Slow::OneParser, MORE_THAN_A_BYTE + 1, MORE_THAN_A_BYTE), (Slow::ParserOfAll, 12, 12)];
    let rows = rows.chain(many.into_iter().filter(|_| !EXPLORED));
    let rows = rows.map(|(slow, pages, room)| {
        Row(format!("{slow}, {}, room for {room}, one request at once", counted(pages, "page")), (slow, pages, room))
    });
    check()
        .schedules(400)
        .each(rows, |Row(_, (slow, pages, room))| asks_for_no_more_than_there_is_room(*slow, *pages, *room, 1));
}

/// One in the pipeline is slow. Up to where it is, as many pages have come as there is room for.
fn asks_for_no_more_than_there_is_room(slow: Slow, pages: usize, room: usize, fetches: usize) {
    let site = Site::start();
    let gate = Gate::closed();
    // What needs no parser is not there.
    let in_parser = |page| match slow {
        Slow::Parser => page == 0,
        // One is in it, and one is here and waits.
        Slow::OneParser => page < 2,
        Slow::ParserOfAll => true,
        Slow::Page | Slow::Consumer => false,
    };
    let parses = if matches!(slow, Slow::OneParser | Slow::ParserOfAll) { 1 } else { pages };
    let urls = Vec::from_iter(
        (0..pages).map(|page| if in_parser(page) { html_page(&site, page) } else { site.url(&path(page)) }),
    );
    if slow == Slow::Page {
        site.page(&path(0)).waits_for(&gate);
    }
    let at_parser = gate.clone();
    let parse = parser(move |_| at_parser.pass());
    Runtime::OneThread.block_on(async {
        // Else the runtime would wait for the parser, and nobody would see what is wrong.
        let _opens = gate.open_when_dropped();
        let (answers, mut receiver) = channel(1);
        let slow_one = async {
            let sent_on = |received| if slow == Slow::Consumer { received + 1 } else { received };
            let mut received = 0;
            loop {
                site.quiet().await;
                let (asked, most) = (site.transcript().arrivals().len(), (sent_on(received) + room).min(pages));
                assert_eq!(asked, most, "pages that were asked for, with {received} received and nobody on the way");
                gate.open();
                let Some(answer) = receiver.recv().await else { break };
                assert_eq!(answer, if in_parser(received) { parsed(received) } else { Err(Failure::Status(404)) });
                received += 1;
                if slow != Slow::Consumer {
                    break drop(all_of(receiver).await);
                }
            }
        };
        tokio::join!(scrape(&urls, limits(fetches, parses, room), parse, answers), slow_one)
    });
}

#[test]
fn as_many_pages_are_parsed_at_once_as_allowed() {
    // Who parses on as many threads as there are cores keeps to the limit on some machines.
    let rows = [(2, 1), (2, 2), (3, 1), (3, 2), (7, 3), (CROWD, CROWD)].into_iter();
    let rows = rows.filter(|(pages, parses)| !EXPLORED || *pages < 3 || *parses == 1);
    let rows = rows.map(|(pages, parses)| {
        let told = format!("{}, {parses} at once", counted(pages, "page"));
        Row(told, (1, pages, parses, None))
    });
    let two_calls = Row("1 page for each of two calls, 1 at once in each".to_owned(), (2, 1, 1, None));
    // Which two of three are in the parser first says only who comes.
    let late = (0..3).filter(|late| !EXPLORED || *late == 1);
    let late = late.map(|late| {
        let told =
            format!("3 pages, 2 at once, where page {late} comes when the others have been in the parser together");
        Row(told, (1, 3, 2, Some(late)))
    });
    check().schedules(400).each(rows.chain([two_calls]).chain(late), |Row(_, (calls, pages, parses, late))| {
        let site = Site::start();
        let urls = Vec::from_iter((0..*pages).map(|page| html_page(&site, page)));
        let (rendezvous, peak) = (Rendezvous::of(calls * parses), Peak::new());
        let have_met = Gate::closed();
        late.iter().for_each(|late| drop(site.page(&path(*late)).waits_for(&have_met)));
        let fetches = if late.is_some() { *pages } else { 1 };
        let all = || {
            let (rendezvous, inside, have_met) = (rendezvous.clone(), peak.clone(), have_met.clone());
            let parse = parser(move |_| {
                let _inside = inside.enter();
                rendezvous.meet();
                have_met.open();
            });
            all_answers(&urls, limits(fetches, *parses, *pages), parse)
        };
        let expected = Vec::from_iter((0..*pages).map(parsed));
        if *calls == 2 {
            // Each has its limits for itself.
            site.meets(2);
            let answers = Runtime::OneThread.block_on(async { tokio::join!(all(), all()) });
            assert_eq!(answers, (expected.clone(), expected));
        } else {
            assert_eq!(Runtime::OneThread.block_on(all()), expected);
        }
        assert_eq!(peak.highest(), calls * parses, "pages that were parsed at once");
    });
}

#[test]
fn the_runtime_goes_on_while_pages_are_parsed() {
    check().run(|| {
        let site = Site::start();
        let urls = [html_page(&site, 0)];
        let (gate, begun) = (Gate::closed(), Arc::new(Notify::new()));
        let (stuck, begins) = (gate.clone(), Arc::clone(&begun));
        // A page is stuck in the parser until a task lets it go on.
        let parse = parser(move |_| {
            begins.notify_one();
            stuck.pass();
        });
        let answers = Runtime::OneThread.block_on(async {
            tokio::spawn(async move {
                begun.notified().await;
                gate.open();
            });
            all_answers(&urls, limits(1, 1, 1), parse).await
        });
        assert_eq!(answers, [parsed(0)]);
    });
}

#[test]
fn an_answer_is_sent_as_soon_as_those_before_it_are() {
    // The last of them is slow. Of three, the second comes before the first: then two are sent at once.
    let rows = [(Stage::Fetch, 2, false), (Stage::Parse, 2, false), (Stage::Fetch, 3, false), (Stage::Parse, 2, true)];
    let rows = rows.map(|row @ (slow, pages, another)| {
        let by_another = if another { ", each poll by another task" } else { "" };
        let pages = counted(pages, "page");
        Row(format!("{pages}, the last {slow} when all other answers have come{by_another}"), row)
    });
    check().schedules(400).each(rows, |Row(_, (slow, pages, another))| {
        let site = Site::start();
        let (slow, pages, last) = (*slow, *pages, *pages - 1);
        let urls = Vec::from_iter((0..pages).map(|page| html_page(&site, page)));
        let gate = Gate::closed();
        if slow == Stage::Fetch {
            site.page(&path(last)).waits_for(&gate);
        }
        if pages > 2 {
            site.page("/0").answers_after("/1");
        }
        let waits = gate.clone();
        let parse = parser(move |page| {
            if slow == Stage::Parse && page == last {
                waits.pass();
            }
        });
        Runtime::OneThread.block_on(async {
            let (answers, mut receiver) = channel(1);
            let consumer = async {
                for page in 0..last {
                    assert_eq!(receiver.recv().await, Some(parsed(page)));
                }
                gate.open();
                assert_eq!(all_of(receiver).await, [parsed(last)]);
            };
            let scrape = scrape(&urls, limits(pages, pages, pages), parse, answers);
            if *another {
                tokio::join!(handed_on(scrape), consumer);
            } else {
                tokio::join!(scrape, consumer);
            }
        });
    });
}

#[test]
fn a_failure_is_the_answer_for_its_page_alone() {
    let mut spots = vec![
        Spot::Html,
        Spot::InCapitals,
        Spot::Panics,
        Spot::PanicsWithoutWords,
        Spot::Status(404),
        // A success, and no HTML.
        Spot::Success(204),
        // No error, and no success either.
        Spot::Status(304),
        Spot::NotHtml("image/png"),
        Spot::TooLarge,
        Spot::BreaksOff,
        Spot::BreaksOffHalfWay,
        Spot::Refused,
        Spot::NoUrl("no URL"),
    ];
    // Each alone, and before and behind a page that is there: with one place of each kind, which it must give back.
    if !EXPLORED {
        spots.extend([
            Spot::Status(500),
            Spot::Success(201),
            Spot::NoUrl(""),
            Spot::NoUrl("ftp://127.0.0.1/a"),
            Spot::NoUrl("http://"),
            Spot::Circle,
        ]);
    }
    let alone = spots.iter().map(|spot| vec![*spot]);
    let two = spots.iter().flat_map(|spot| [vec![*spot, Spot::Html], vec![Spot::Html, *spot]]);
    let two = two.filter(|spots| !EXPLORED || !matches!(spots[0], Spot::Html | Spot::InCapitals));
    let rows = alone.chain(two).chain((!EXPLORED).then(|| spots.clone()));
    check().each(rows.map(|spots| Row(told(&spots), spots)), |Row(_, spots)| {
        let site = Site::start();
        let urls = Vec::from_iter(spots.iter().enumerate().map(|(page, spot)| spot.set_up(&site, page)));
        let strange = spots.clone();
        let parse = parser(move |page| match strange[page] {
            Spot::Panics => panic_on_purpose("the parser has met a strange page"),
            Spot::PanicsWithoutWords => resume_unwind(Box::new(page)),
            _ => {}
        });
        // What is no page is not too large either, whatever comes with it.
        let no_page = |spot: &Spot| matches!(spot, Spot::Status(_) | Spot::Success(_) | Spot::NotHtml(_));
        let bytes = if spots.iter().all(no_page) { 0 } else { ALLOWED };
        let answers = scraped(&urls, Limits { bytes, ..limits(1, 1, 2) }, parse);
        assert_eq!(answers, Vec::from_iter(spots.iter().enumerate().map(|(page, spot)| spot.answer(page))));
    });
}

#[test]
fn only_html_gets_into_the_parser() {
    let html = ["text/html", "text/html; charset=utf-8", "tExT/hTmL;charset=utf-8", "text/html ; charset=utf-8"];
    let other = [
        "text/plain",
        "image/png",
        "application/xhtml+xml",
        "text/html-sandboxed",
        "application/json; like=text/html",
        // Not all of its bytes are ASCII.
        "text/plain; title=\"é\"",
        "",
    ];
    let rows = html
        .map(|content_type| (content_type, true))
        .into_iter()
        .chain(other.map(|content_type| (content_type, false)));
    check().each(
        rows.map(|row| Row(format!("a page of the type {:?}", row.0), row)),
        |Row(_, (content_type, is_html))| {
            let site = Site::start();
            // What is no HTML has no end either: nobody needs to wait for it.
            let reply = if *is_html { Reply::Text } else { Reply::Endless };
            site.page("/0").replies_with(reply, content_type, text(0));
            let expected = if *is_html { parsed(0) } else { Err(Failure::NotHtml) };
            Runtime::OneThread.block_on(async {
                let answers = all_answers(&[site.url("/0")], limits(1, 1, 1), parser(|_| {})).await;
                assert_eq!(answers, [expected]);
                site.quiet().await;
                assert_eq!(site.transcript().in_flight(), 0, "requests in flight after the answer");
            });
        },
    );
}

#[test]
fn a_page_that_is_too_large_is_given_up_at_once() {
    // It says how long it is, or it has no end.
    let whole = [(0, 0), (7, 7), (8, 7), (1, 0), (100_000, 99_999), (100_000, 100_000), (LARGE, LARGE)];
    let whole = whole.into_iter().filter(|row| !EXPLORED || row.0 < LARGE);
    let whole = whole.map(|(size, bytes)| (Reply::Text, "a", size, bytes));
    // It is bytes that count: of these letters, there are half as many.
    let letters = [(Reply::Text, "ä", 8, 8), (Reply::Text, "ä", 8, 7)];
    let parts = [(Reply::Endless, 8, 7), (Reply::Endless, 100_000, 7), (Reply::Half, 20, 7), (Reply::Drips, 1000, 7)];
    // Behind the last byte that is allowed comes the end, or too much. Nobody can know it before.
    let parts = parts.into_iter().chain([(Reply::Endless, 8, 8)]).map(|(reply, size, bytes)| (reply, "a", size, bytes));
    let rows = whole.chain(letters).chain(parts).map(|row @ (reply, letter, size, bytes)| {
        let sent = match reply {
            Reply::Text => "",
            Reply::Half => ", of which half is sent",
            Reply::Drips => ", which come one by one",
            _ => " and no end",
        };
        let told = format!("a page with {} of {letter}{sent}, where {bytes} are allowed", counted(size, "byte"));
        Row(told, row)
    });
    check().each(rows, |Row(_, (reply, letter, size, bytes))| {
        let site = Site::start();
        site.page("/0").replies_with(*reply, HTML, letter.repeat(size / letter.len()));
        let limits = Limits { bytes: *bytes, ..limits(1, 1, 1) };
        let (urls, parse) = ([site.url("/0")], Box::new(|text: &str| Some(text.len().to_string())));
        if *reply == Reply::Endless && size == bytes {
            return Runtime::OneThread.block_on(async {
                tokio::select! {
                    answers = all_answers(&urls, limits, parse) => panic!("its end has not come, and it is not too large: {answers:?}"),
                    () = site.quiet() => {}
                }
            });
        }
        let answers = scraped(&urls, limits, parse);
        let expected = if size > bytes { Err(Failure::TooLarge) } else { Ok(Some(size.to_string())) };
        assert_eq!(answers, [expected]);
    });
}

#[test]
fn the_parser_gets_the_text_of_the_page() {
    // It is taken for UTF-8 whatever it says.
    const LATIN: &str = "a byte that is not UTF-8, and what it says it is";
    // On schedules, each part of a page that drips is a step.
    let rows: [(&str, &[u8], Reply); 10] = [
        ("an empty page", b"", Reply::Text),
        ("white space", b" \r\n\tp ", Reply::Text),
        ("a byte order mark", b"\xef\xbb\xbfp", Reply::Text),
        ("letters of several bytes", "글자 ä".as_bytes(), Reply::Text),
        ("a byte that is not UTF-8", b"caf\xe9!", Reply::Text),
        ("the first byte of two at the end", b"caf\xc3", Reply::Text),
        ("letters of several bytes that come byte by byte", "글자 글자 글자 글자".as_bytes(), Reply::Drips),
        ("nothing but bytes that are not UTF-8", &[0xff; 4], Reply::Text),
        ("a zero between two letters", b"a\0b", Reply::Text),
        (LATIN, b"caf\xe9!", Reply::Text),
    ];
    check().each(rows.map(|(told, body, reply)| Row(told.to_owned(), (body, reply))), |Row(told, (body, reply))| {
        let site = Site::start();
        let content_type = if told == LATIN { "text/html; charset=iso-8859-1" } else { HTML };
        site.page("/0").replies_with(*reply, content_type, *body);
        // What becomes of its bytes may be more than is allowed.
        let limits = Limits { bytes: body.len(), ..limits(1, 1, 1) };
        let answers = scraped(&[site.url("/0")], limits, Box::new(|text| Some(text.to_owned())));
        assert_eq!(answers, [Ok(Some(String::from_utf8_lossy(body).into_owned()))]);
    });
}

#[test]
fn dropping_the_future_ends_everything() {
    check().each(ends(), |Row(_, (stage, pages))| ends_everything(*stage, pages, How::FutureDropped));
}

#[test]
fn when_the_receiver_has_gone_it_ends() {
    check().each(ends(), |Row(_, (stage, pages))| ends_everything(*stage, pages, How::ReceiverGone));
}

/// Where the pages are when nobody wants the answers any more, and which pages they are. One may be there twice.
fn ends() -> [Row<(Stage, &'static [usize])>; 5] {
    let rows: [(Stage, &[usize]); 5] = [
        (Stage::Fetch, &[0]),
        (Stage::Fetch, &[0, 1]),
        (Stage::Fetch, &[0, 0]),
        (Stage::Parse, &[0, 1]),
        (Stage::Send, &[0, 1]),
    ];
    rows.map(|(stage, pages)| {
        let told = if *pages == [0, 0] { "a page twice".to_owned() } else { counted(pages.len(), "page") };
        Row(format!("{stage}, {told}"), (stage, pages))
    })
}

/// When nobody wants the answers any more, these many requests are in flight that nobody answers, or a page is stuck in the parser with
/// others before it, or an answer waits until the one before it is received.
fn ends_everything(stage: Stage, pages: &[usize], how: How) {
    let site = Site::start();
    let urls = Vec::from_iter(pages.iter().map(|&page| match stage {
        Stage::Fetch => {
            site.page(&path(page)).never_answers();
            site.url(&path(page))
        }
        Stage::Parse => html_page(&site, page),
        // It is not there, and needs no parser.
        Stage::Send => site.url(&path(page)),
    }));
    let pages = urls.len();
    let (gate, begun) = (Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let (stuck, begins) = (gate.clone(), Arc::clone(&begun));
    let parse = parser(move |_| {
        begins.fetch_add(1, Ordering::SeqCst);
        stuck.pass();
    });
    Runtime::OneThread.block_on(async {
        // A task that nobody has told to stop runs on as long as the runtime.
        let (answers, receiver) = channel(1);
        let mut receiver = Some(receiver);
        let fetches = if stage == Stage::Fetch { pages } else { 1 };
        let scrape = scrape(&urls, limits(fetches, 1, pages), parse, answers);
        match how {
            How::FutureDropped => tokio::select! {
                () = scrape => panic!("no answer was received, and it has ended"),
                () = site.quiet() => {}
            },
            How::ReceiverGone => {
                let gone = async {
                    site.quiet().await;
                    drop(receiver.take());
                };
                tokio::join!(scrape, gone);
            }
        }
        // Whatever ends behind the call must not keep this task waiting for the parser, which waits for this task.
        site.quiet().await;
        gate.open();
        site.quiet().await;
        assert_eq!(site.transcript().in_flight(), 0, "requests in flight after the end");
        assert_eq!(site.transcript().arrivals().len(), pages, "requests in all");
        if let Some(receiver) = receiver {
            let expected = if stage == Stage::Send { 1 } else { 0 };
            assert_eq!(all_of(receiver).await.len(), expected, "answers that were sent before the end");
        }
        let expected = if stage == Stage::Parse { 1 } else { 0 };
        assert_eq!(begun.load(Ordering::SeqCst), expected, "pages that got into the parser, which lets in one at once");
        // Nothing of it keeps a later call waiting. On schedules this would be as many again.
        if !EXPLORED {
            let later = [html_page(&site, pages)];
            assert_eq!(all_answers(&later, limits(1, 1, 1), parser(|_| {})).await, [parsed(pages)], "of a later call");
        }
    });
}

#[test]
fn a_limit_of_zero_is_a_panic_and_none_at_all_is_not() {
    let most = usize::MAX;
    // Of these, the lower half is zero.
    let much = most << (usize::BITS / 2);
    let one_by_one = |limit| [(limit, 1, 1), (1, limit, 1), (1, 1, limit)];
    // Two at the same time have many schedules.
    let pages = if EXPLORED { 1 } else { 2 };
    let rows = one_by_one(0).map(|row| (row, 0)).into_iter();
    let rows = rows.chain([0, much, most].into_iter().flat_map(one_by_one).map(|row| (row, pages)));
    let rows = rows.chain([much, most].map(|limit| ((limit, limit, limit), pages)));
    let rows = rows.map(|row| {
        let told = |limit| match limit {
            limit if limit == most => "any number of".to_owned(),
            limit if limit == much => "very many".to_owned(),
            limit => format!("{limit}"),
        };
        let ((fetches, parses, room), pages) = row;
        let (fetches, parses, room) = (told(fetches), told(parses), told(room));
        Row(format!("{}, {fetches} fetches, {parses} parses, room for {room} pages", counted(pages, "page")), row)
    });
    check().each(rows, |Row(_, ((fetches, parses, room), pages))| {
        let site = Site::start();
        let pages = Vec::from_iter(0..*pages);
        let urls = Vec::from_iter(pages.iter().map(|page| html_page(&site, *page)));
        let bytes = *fetches.max(parses).max(room);
        let limits = Limits { bytes, ..limits(*fetches, *parses, *room) };
        let answers = catch_unwind(AssertUnwindSafe(|| scraped(&urls, limits, parser(|_| {})))).ok();
        let expected = [fetches, parses, room].iter().all(|limit| **limit > 0);
        assert_eq!(
            answers,
            expected.then(|| pages.into_iter().map(parsed).collect::<Vec<_>>()),
            "the answers, or none after a panic"
        );
    });
}

/// The parser that the stub gives is for threads only: it waits for nobody.
#[test]
fn first_paragraphs_of_real_pages_are_found() {
    let rows: [(&str, Option<&str>); 14] = [
        (
            "<!DOCTYPE html><html><head><title>T</title></head><body><h1>H</h1><p>One.</p><p>Two.</p></body></html>",
            Some("One."),
        ),
        ("<p>One\n   line <b>and a <i>half</i></b>.</p>", Some("One line and a half.")),
        ("<p class='a'>With &lt;p&gt; &amp; <br>attributes</p>", Some("With <p> & attributes")),
        ("no paragraph", None),
        ("", None),
        ("<p>", None),
        ("<p> <p>\n</p><div>no</div><p>The first with words", Some("The first with words")),
        ("<p>never closed<div>another thing</div>", Some("never closed")),
        ("<p>one<p>two", Some("one")),
        ("</p>stray</p><p>One</p>", Some("One")),
        ("<script>'<p>script</p>'</script><style><p>style</p></style><!-- <p>comment</p> --><p>One</p>", Some("One")),
        ("<ul><li>item</ul><P>Upper case</P>", Some("Upper case")),
        ("<p <b>broken</p>", Some("broken")),
        ("<p>글자 ä</p", Some("글자 ä")),
    ];
    each_on_threads(rows.map(|row| Row(format!("the page {:?}", row.0), row)), |Row(_, (html, expected))| {
        let site = Site::start();
        site.page("/0").replies_with(Reply::Text, HTML, *html);
        let answers = scraped(&[site.url("/0")], limits(1, 1, 1), Box::new(first_paragraph));
        assert_eq!(answers, [Ok(expected.map(str::to_owned))]);
    });
}

/// An input of a test, with what is told of it.
struct Row<T>(String, T);

impl<T> fmt::Display for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where something is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fetch,
    Parse,
    Send,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Fetch => "fetched",
            Stage::Parse => "parsed",
            Stage::Send => "sent",
        })
    }
}

/// Who is slow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slow {
    /// The first page.
    Page,
    /// The parser, with the first page.
    Parser,
    /// The parser, with the first page, and there is a place for one only.
    OneParser,
    /// The same, and all other pages wait for it.
    ParserOfAll,
    /// The one who receives the answers.
    Consumer,
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Slow::Page => "the first page comes late",
            Slow::Parser => "the parser is slow",
            Slow::OneParser => "the parser is slow and takes one page at once",
            Slow::ParserOfAll => "the parser is slow and takes one page of all at once",
            Slow::Consumer => "the consumer is slow",
        })
    }
}

/// How it comes that nobody wants the answers any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    FutureDropped,
    ReceiverGone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Runtime {
    OneThread,
    TwoThreads,
}

const RUNTIMES: &[Runtime] = &[Runtime::OneThread, Runtime::TwoThreads];

impl Runtime {
    fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        let mut runtime = match self {
            Runtime::OneThread => runtime::Builder::new_current_thread(),
            Runtime::TwoThreads => runtime::Builder::new_multi_thread(),
        };
        let runtime = runtime.worker_threads(2).enable_all().build();
        runtime.expect("the system has room for one more event queue").block_on(boxed(future))
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Runtime::OneThread { "" } else { ", on two threads" })
    }
}

/// What there is at a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spot {
    Html,
    /// Its URL begins with `HTTP`.
    InCapitals,
    /// Its parser panics.
    Panics,
    /// Its parser panics, with a number.
    PanicsWithoutWords,
    Status(u16),
    /// A status that is a success, and no HTML.
    Success(u16),
    NotHtml(&'static str),
    /// It has a byte more than is allowed.
    TooLarge,
    BreaksOff,
    BreaksOffHalfWay,
    /// A port at which nobody listens.
    Refused,
    NoUrl(&'static str),
    /// It sends its clients to itself.
    Circle,
}

impl Spot {
    /// Sets the page up, and gives its URL.
    fn set_up(self, site: &Site, number: usize) -> String {
        let page = site.page(&path(number));
        match self {
            Spot::Html | Spot::Panics | Spot::PanicsWithoutWords => return html_page(site, number),
            Spot::InCapitals => return html_page(site, number).replacen("http:", "HTTP:", 1),
            Spot::Status(status) | Spot::Success(status) => page.answers(status),
            Spot::NotHtml(content_type) => page.replies_with(Reply::Text, content_type, text(number)),
            Spot::TooLarge => page.replies_with(Reply::Text, HTML, "a".repeat(ALLOWED + 1)),
            Spot::BreaksOff => page.replies(Reply::BreaksOff),
            Spot::BreaksOffHalfWay => page.replies_with(Reply::BreaksOffHalfWay, HTML, text(number)),
            Spot::Refused => return site.closed_url(&path(number)),
            Spot::NoUrl(url) => return url.to_owned(),
            Spot::Circle => page.redirects_to(&path(number)),
        };
        site.url(&path(number))
    }

    fn answer(self, number: usize) -> Answer {
        match self {
            Spot::Html | Spot::InCapitals => parsed(number),
            Spot::Panics | Spot::PanicsWithoutWords => Err(Failure::Panicked),
            Spot::Status(status) => Err(Failure::Status(status)),
            Spot::NotHtml(_) | Spot::Success(_) => Err(Failure::NotHtml),
            Spot::TooLarge => Err(Failure::TooLarge),
            Spot::BreaksOff | Spot::BreaksOffHalfWay | Spot::Refused | Spot::NoUrl(_) | Spot::Circle => {
                Err(Failure::Unreachable)
            }
        }
    }
}

/// So many bytes a page may have that is not too large.
const ALLOWED: usize = 1_000;
/// So many bytes are no more than allowed, if so many are.
const LARGE: usize = 5_000_000;
/// More than there are cores.
const CROWD: usize = 70;
/// More than a byte can count.
const MORE_THAN_A_BYTE: usize = 257;

fn told(spots: &[Spot]) -> String {
    let told = |spot: &Spot| match spot {
        Spot::Html => "a page".to_owned(),
        Spot::InCapitals => "a page at HTTP:".to_owned(),
        Spot::Panics => "a page whose parser panics".to_owned(),
        Spot::PanicsWithoutWords => "a page whose parser panics with a number".to_owned(),
        Spot::Status(status) | Spot::Success(status) => status.to_string(),
        Spot::NotHtml(content_type) => content_type.to_string(),
        Spot::TooLarge => "a page that is too large".to_owned(),
        Spot::BreaksOff => "the connection closed".to_owned(),
        Spot::BreaksOffHalfWay => "half a page and the connection closed".to_owned(),
        Spot::Refused => "nobody listens".to_owned(),
        Spot::NoUrl(url) => format!("the URL {url:?}"),
        Spot::Circle => "a redirection to itself".to_owned(),
    };
    spots.iter().map(told).collect::<Vec<_>>().join("; ")
}

const HTML: &str = "text/html; charset=utf-8";

/// What waits here belongs to libraries: they keep threads of their own, and look again when they are woken. Two pages in a pipeline of many
/// stages have more schedules than a learner wants to wait for.
fn check() -> Check {
    Check::new().library_threads().no_spurious_wakeups().schedules(1_500)
}

fn limits(fetches: usize, parses: usize, room: usize) -> Limits {
    Limits { fetches, parses, room, bytes: 1_000_000 }
}

fn path(page: usize) -> String {
    format!("/{page}")
}

/// What a page says.
fn text(page: usize) -> String {
    format!("<p>page {page}</p>")
}

/// The answer for a page that is there.
fn parsed(page: usize) -> Answer {
    Ok(Some(format!("page {page}")))
}

/// Sets up a page that is there, and gives its URL.
fn html_page(site: &Site, page: usize) -> String {
    site.page(&path(page)).replies_with(Reply::Text, HTML, text(page));
    site.url(&path(page))
}

/// All tests scrape with the same type of parser: then it is compiled once.
type Parser = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A parser that does this with each page.
fn parser(with: impl Fn(usize) + Send + Sync + 'static) -> Parser {
    Box::new(move |html| {
        let text = html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).expect("the text of a page");
        with(text.strip_prefix("page ").and_then(|page| page.parse().ok()).expect("the number of a page"));
        Some(text.to_owned())
    })
}

/// Each poll is by another waker, as if one task after the other had got the future. It is the last one that is to be woken.
async fn handed_on<T>(future: impl Future<Output = T>) -> T {
    let (mut future, mut last) = (pin!(future), Arc::<Holder>::default());
    poll_fn(|context| {
        last.waker.lock().unwrap().take();
        last = Arc::new(Holder { waker: Mutex::new(Some(context.waker().clone())) });
        future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&last))))
    })
    .await
}

/// Has a future, until another one gets it.
#[derive(Default)]
struct Holder {
    waker: Mutex<Option<Waker>>,
}

impl Wake for Holder {
    fn wake(self: Arc<Self>) {
        let waker = self.waker.lock().unwrap().clone();
        waker.into_iter().for_each(Waker::wake);
    }
}

/// All that comes until there is no sender any more.
async fn all_of(mut receiver: Receiver<Answer>) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(answer) = receiver.recv().await {
        answers.push(answer);
    }
    answers
}

/// Scrapes, and gives the answers: there is room for all of them, so that nobody has to receive meanwhile.
fn scraped(urls: &[String], limits: Limits, parse: Parser) -> Vec<Answer> {
    Runtime::OneThread.block_on(all_answers(urls, limits, parse))
}

async fn all_answers(urls: &[String], limits: Limits, parse: Parser) -> Vec<Answer> {
    let (answers, receiver) = channel(urls.len().max(1));
    scrape(urls, limits, parse, answers).await;
    all_of(receiver).await
}
