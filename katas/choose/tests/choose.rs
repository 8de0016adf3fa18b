//! The contract of the kata `choose`, sentence by sentence. `README.md` has the same list.
//!
//! No test knows which way was chosen. What is slow here waits until something has happened: a page of the mock site, a pipe among
//! the files, the work. The work is done by whoever does it, a thread of this process or a process in the role at the end of the
//! file, and both tell the same desk when it begins and ends.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::mem;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use choose::{Failure, Work, files, mixture, pages, sums};
use kata::child::{self, Children, roles};
use kata::inputs::{counted, listed, subsets};
use kata::site::{Reply, Site};
use kata::{Gate, each_on_threads, panic_on_purpose};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::runtime;

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
fn _signatures(urls: &[String], paths: &[PathBuf], numbers: &[u64], work: Work) {
    use Failure::{NoNumber, Panicked, Status, Unreachable};
    let _: Vec<Result<String, Failure>> = pages(urls, size(1));
    let _: Vec<io::Result<String>> = files(paths, size(1));
    let _: Vec<Result<u64, Failure>> = sums(numbers, size(1), &work);
    let _: Vec<Result<u64, Failure>> = mixture(urls, size(1), size(1), &work);
    let Work { call, process } = work.clone();
    let _: Arc<dyn Fn(u64) -> u64 + Send + Sync> = call;
    let _: Arc<dyn Fn() -> Command + Send + Sync> = process;
    // A constant is a pattern only if its type derives `PartialEq`, which tells one variant from another.
    const UNREACHABLE: Failure = Unreachable;
    let _ = |failure: Failure| -> u16 {
        match failure {
            UNREACHABLE | NoNumber | Panicked => 0,
            Status(status) => status,
        }
    };
}

#[test]
fn texts_of_pages_come_in_the_order_of_the_urls() {
    each_on_threads(sizes(), |size: &Size| {
        let site = Site::start();
        let urls = Vec::from_iter((0..size.inputs).map(|page| there(&site, page, &format!("text {page}"))));
        size.answers_backwards(&site);
        let texts = Vec::from_iter((0..size.inputs).map(|page| Ok(format!("text {page}"))));
        assert_eq!(pages(&urls, size.at_once), texts);
        asked_for_once(&site, size.inputs);
        if let Some(url) = urls.first() {
            // Which of the two comes first is left open.
            site.page(&path(0)).says("another text").says("a third one");
            let twice: Result<BTreeSet<String>, Failure> =
                pages(&[url.clone(), url.clone()], size.at_once).into_iter().collect();
            let texts = BTreeSet::from(["another text".to_owned(), "a third one".to_owned()]);
            assert_eq!(twice, Ok(texts), "a URL that comes twice");
            once_and_twice(&site);
        }
    });
}

#[test]
fn as_many_pages_are_asked_for_at_once_as_allowed() {
    each_on_threads(limits().into_iter().chain([Size::that_drips()]), |size: &Size| {
        let site = Site::start();
        site.meets(size.together());
        let texts = vec![format!("{:>1$}", "text", size.width()); size.inputs];
        let urls = size.set_up(&site, &texts);
        assert_eq!(pages(&urls, size.at_once), Vec::from_iter(texts.into_iter().map(Ok)));
        assert_eq!(site.transcript().peak(), size.together(), "requests in flight at once");
    });
}

#[test]
fn a_slow_page_holds_up_no_other() {
    each_on_threads(slow_ones(), |slow: &Slow| {
        let site = Site::start();
        let urls = Vec::from_iter((0..slow.inputs).map(|page| there(&site, page, "text")));
        site.page(&path(slow.place)).answers_last();
        assert_eq!(pages(&urls, size(2)), vec![Ok("text".to_owned()); slow.inputs]);
        let transcript = site.transcript();
        let answers = transcript.answers();
        assert_eq!(answers.last(), Some(&&*path(slow.place)), "the page that is answered last");
    });
}

#[test]
fn a_page_that_fails_fails_alone() {
    let spots = [
        Spot::Says(""),
        Spot::Says("글자 ä\r\n"),
        Spot::InCapitals("text"),
        Spot::Status(204),
        Spot::Status(304),
        Spot::Status(404),
        Spot::Status(408),
        Spot::Status(429),
        Spot::Status(500),
        Spot::Status(502),
        Spot::Status(503),
        Spot::Status(504),
        Spot::BreaksOff,
        Spot::BreaksOffHalfWay,
        CHUNK_AND_NO_END,
        STATUS_AND_HALF_A_TEXT,
        Spot::Refused,
        Spot::NoScheme,
        Spot::NoUrl("no URL"),
        Spot::NoUrl(""),
        Spot::NoUrl("ftp://127.0.0.1/a"),
    ];
    let rows = among_good_ones(&spots, Spot::Says("text"), |spot| spot.text().err());
    let much = Spots { spots: vec![Spot::SaysMuch], calls: 1, come_later: None };
    let later = Spots::that_come_later("text");
    each_on_threads(rows.into_iter().chain([much, later]), |row: &Spots| {
        let (site, port) = (Site::start(), closed_port());
        let urls = row.set_up(&site, &port);
        let texts = in_short(row.spots.iter().map(Spot::text));
        for call in 1..=row.calls {
            assert_eq!(in_short(pages(&urls, size(2)).into_iter()), texts, "in call {call}");
            row.asked_for(&site, call);
        }
        if let Some(text) = row.come_later {
            row.come(&site, port, text);
            assert_eq!(pages(&urls, size(2)), vec![Ok(text.to_owned()); urls.len()], "when all pages have come");
        }
    });
}

#[test]
fn texts_of_files_come_in_the_order_of_the_paths() {
    let folder = Folder::new();
    each_on_threads(sizes(), move |size: &Size| {
        let paths = Vec::from_iter((0..size.inputs).map(|file| folder.has(file, format!("text {file}").as_bytes())));
        let texts = Vec::from_iter((0..size.inputs).map(|file| Ok(format!("text {file}"))));
        assert_eq!(told(files(&paths, size.at_once)), texts);
        let twice = Vec::from_iter(paths.first().into_iter().chain(paths.first()).cloned());
        assert_eq!(
            told(files(&twice, size.at_once)),
            vec![Ok("text 0".to_owned()); twice.len()],
            "a path that comes twice"
        );
        if Path::new(DIFFERENT_EACH_TIME).exists() {
            let twice = told(files(&[DIFFERENT_EACH_TIME.into(), DIFFERENT_EACH_TIME.into()], size.at_once));
            let different = twice.into_iter().collect::<Result<BTreeSet<String>, _>>();
            let lengths = different.map(|texts| Vec::from_iter(texts.iter().map(String::len)));
            assert_eq!(lengths, Ok(vec![37, 37]), "the lengths of the texts of a file that has another one each time");
        }
        let path = [folder.path().join("a file that changes")];
        let _ = fs::remove_file(&path[0]);
        let missing = told(vec![fs::read_to_string(&path[0])]);
        assert_eq!(told(files(&path, size.at_once)), missing, "a file that is missing");
        for text in ["text", "another text"] {
            fs::write(&path[0], text).unwrap();
            assert_eq!(
                told(files(&path, size.at_once)),
                [Ok(text.to_owned())],
                "a file that has changed since the last call"
            );
        }
    });
}

/// Linux has a file that has another text whenever it is opened, and that says of itself that it is empty.
const DIFFERENT_EACH_TIME: &str = "/proc/sys/kernel/random/uuid";

/// Only a system with named pipes has files that are as slow as a test wants.
#[test]
fn as_many_files_are_open_at_once_as_allowed() {
    let folder = Folder::new();
    // Two inputs, and the late one behind or before the other one: whichever is taken first, one row has the late one second.
    let late = [(false, 0), (false, 1), (true, 0), (true, 1)];
    let late = late.map(|(no_text, place)| Size { no_text, late: Some(place), ..Size::of((2, 1)) });
    let rows = limits().into_iter().chain([Size { no_text: true, ..Size::of((3, 1)) }]).chain(late);
    each_on_threads(rows.filter(|_| cfg!(unix)), move |size: &Size| {
        if let Some(place) = size.late {
            let (desk, open) = (Desk::new(), Arc::new(Mutex::new(Vec::new())));
            // When all is still, whoever opens the late one waits for it, and what is open then stays open as long.
            desk.0.open_when_still(HELD);
            let other: &[u8] = if size.no_text { b"\xff" } else { b"text" };
            let file = |file| {
                if file == place { folder.has_late_pipe(file, &desk, &open) } else { folder.has(file, other) }
            };
            let paths = Vec::from_iter((0..size.inputs).map(file));
            let other = if size.no_text { Err((io::ErrorKind::InvalidData, None)) } else { Ok("text".to_owned()) };
            let texts = Vec::from_iter(
                (0..size.inputs).map(|file| if file == place { Ok(format!("text {file}")) } else { other.clone() }),
            );
            assert_eq!(told(files(&paths, size.at_once)), texts);
            assert_eq!(*open.lock().unwrap(), [0], "files that are still open while the late one is opened");
            return;
        }
        if size.no_text {
            let open = Arc::new(Mutex::new(Vec::new()));
            let paths = Vec::from_iter((0..size.inputs).map(|file| folder.has_pipe_of_no_text(file, &open)));
            let failures = vec![Err((io::ErrorKind::InvalidData, None)); size.inputs];
            assert_eq!(told(files(&paths, size.at_once)), failures);
            let most = open.lock().unwrap().iter().copied().max().unwrap_or_default();
            assert!(most <= size.at_once.get(), "{} are open when one of them has been opened", counted(most, "file"));
            return;
        }
        let desk = Desk::new();
        desk.meets(size.together());
        let paths = Vec::from_iter((0..size.inputs).map(|file| folder.has_pipe(file, &desk, What::Meets)));
        let texts = Vec::from_iter((0..size.inputs).map(|file| Ok(format!("text {file}"))));
        assert_eq!(told(files(&paths, size.at_once)), texts);
        assert_eq!(desk.peak(), size.together(), "files that were open at once");
    });
}

#[test]
fn a_slow_file_holds_up_no_other() {
    let folder = Folder::new();
    let held = slow_ones().into_iter().map(|slow| Row(slow.to_string(), (slow, What::IsHeld)));
    let late = slow_ones().into_iter().map(|slow| Row(format!("{slow} to open"), (slow, What::ComesLate)));
    each_on_threads(held.chain(late).filter(|_| cfg!(unix)), move |Row(_, (slow, what))| {
        let desk = Desk::new();
        desk.holds_while_others_end(slow.inputs);
        let pipe = |file| folder.has_pipe(file, &desk, if file == slow.place { *what } else { What::Plain });
        let paths = Vec::from_iter((0..slow.inputs).map(pipe));
        let texts = Vec::from_iter((0..slow.inputs).map(|file| Ok(format!("text {file}"))));
        assert_eq!(told(files(&paths, size(2))), texts);
    });
}

#[test]
fn a_file_that_cannot_be_read_fails_alone() {
    let folder = Folder::new();
    let long = "글자 ".repeat(100_000);
    let there: [&[u8]; 7] =
        [b"text", b"", b"\xef\xbb\xbfline\r\nline\r\n\0", long.as_bytes(), b"caf\xe9", b"\xff", b"caf\xc3"];
    let mut paths = Vec::from_iter(there.iter().enumerate().map(|(file, bytes)| folder.has(file, bytes)));
    let below_a_file = paths[0].join("file");
    paths.extend([
        folder.path().to_owned(),
        folder.path().join("missing"),
        PathBuf::new(),
        below_a_file,
        "a\0b".into(),
    ]);
    // A name is text only by convention. Where that is a law, there is no such file.
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let path = folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        if fs::write(&path, "text").is_ok() {
            paths.push(path);
        }
    }
    let first = paths[0].clone();
    let rows = paths.iter().map(|path| vec![path.clone()]);
    let rows = rows.chain(paths.iter().map(|path| vec![first.clone(), path.clone(), first.clone()]));
    // No path: instead of a file there is a pipe.
    let pipe = [vec![]].into_iter().filter(|_| cfg!(unix));
    let rows = Vec::from_iter(rows.chain([paths.clone()]).chain(pipe));
    let told_of = |paths: &Vec<PathBuf>| match &paths[..] {
        [] => "a pipe that says the first half of a letter, and the second half later".to_owned(),
        [path] => format!("{:?}", path.file_name().unwrap_or_default()),
        [_, path, _] => format!("{:?} between two that are there", path.file_name().unwrap_or_default()),
        _ => "all of these".to_owned(),
    };
    each_on_threads(rows.into_iter().map(|paths| Row(told_of(&paths), paths)), move |Row(_, paths)| {
        // The folder lives as long as this test.
        assert!(folder.path().exists());
        if paths.is_empty() {
            let desk = Desk::new();
            // When all is still, whoever reads has read the first piece.
            desk.0.open_when_still(HELD);
            let pipe = folder.has_pipe_in_pieces(0, &desk, [b"gr\xc3", b"\xbcn"]);
            assert_eq!(told(files(&[pipe], size(2))), [Ok("grün".to_owned())]);
            return;
        }
        let expected = Vec::from_iter(paths.iter().map(fs::read_to_string));
        assert_eq!(told(files(paths, size(2))), told(expected), "what `std` reports for each");
    });
}

#[test]
fn results_of_the_work_come_in_the_order_of_the_numbers() {
    each_on_threads(sizes(), |size: &Size| {
        let desk = Desk::new();
        let numbers = Vec::from_iter((0..size.inputs as u64).map(|n| What::Plain.of(n)));
        assert_eq!(desk.sums(&numbers, size.at_once), results(&numbers));
        desk.worked_on_once(&numbers);
        let desk = Desk::new();
        assert_eq!(
            desk.sums(&[7, 7, u64::MAX, 7], size.at_once),
            results(&[7, 7, u64::MAX, 7]),
            "numbers that come twice"
        );
        desk.worked_on_once(&[7, 7, u64::MAX, 7]);
        let (work, loud) = (desk.unseen_work(), [What::Shouts.of(0), What::Shouts.of(1)]);
        assert_eq!(sums(&loud, size.at_once, &work), results(&loud), "a process that says much on its standard error");
        Children::none_is_left();
    });
}

#[test]
fn as_many_numbers_are_worked_on_at_once_as_allowed() {
    // More than cores, too.
    let more = Size::of((cores() + 3, cores() + 1));
    let panics = Size { panics: true, ..Size::of((2, 2)) };
    each_on_threads(limits().into_iter().chain([more, panics]), |size: &Size| {
        let desk = Desk::new();
        desk.meets(size.together());
        let numbers = Vec::from_iter((0..size.inputs as u64).map(|n| What::Meets.of(n)));
        let numbers = if size.panics { amid_panics(&numbers) } else { numbers };
        assert_eq!(desk.sums(&numbers, size.at_once), results(&numbers));
        assert_eq!(desk.peak(), size.together(), "numbers that were worked on at once");
    });
}

#[test]
fn long_work_on_a_number_holds_up_no_other() {
    // Rayon halves what it has. Of 65, one half of halves is left with two, and of 127 many are, if it is told that two may stay together.
    let many = [(65, 0), (127, 63), (127, 71), (127, 79), (127, 87), (127, 95), (127, 103), (127, 111), (127, 119)];
    let many = many.map(|(inputs, place)| Slow::of(inputs, place));
    each_on_threads(slow_ones().into_iter().chain(slow_amid_panics()).chain(many), |slow: &Slow| {
        let desk = Desk::new();
        desk.holds_while_others_end(slow.inputs);
        let numbers = Vec::from_iter((0..slow.inputs).map(|n| slow.what(n).of(n as u64)));
        assert_eq!(desk.sums(&numbers, size(2)), results(&numbers));
    });
}

#[test]
fn a_panic_of_the_work_is_the_failure_of_its_number_alone() {
    let some = [1, 3].into_iter().flat_map(|count| subsets(count).into_iter().map(move |panicking| (count, panicking)));
    let some = some.filter(|(_, panicking)| !panicking.is_empty()).map(|(count, panicking)| {
        let what = |n| if panicking.contains(&n) { What::Panics } else { What::Plain };
        let numbers = Vec::from_iter((0..count).map(|n| what(n).of(n as u64)));
        (format!("{}, where the work on {} panics", counted(count, "number"), listed(&panicking)), numbers)
    });
    let twice = ("a number twice, where the work on it panics".to_owned(), vec![What::Panics.of(0); 2]);
    let rows = some.chain([twice]).flat_map(|(told, numbers)| {
        [1, 2].map(|at_once| Row(format!("{told}, {at_once} at once"), (numbers.clone(), at_once)))
    });
    each_on_threads(rows, |Row(_, (numbers, at_once))| {
        let desk = Desk::new();
        assert_eq!(desk.sums(numbers, size(*at_once)), results(numbers));
        desk.worked_on_once(numbers);
    });
}

#[test]
fn results_of_a_mixture_come_in_the_order_of_the_urls() {
    each_on_threads(sizes(), |size: &Size| {
        let (site, desk) = (Site::start(), Desk::new());
        let numbers = Vec::from_iter((0..size.inputs as u64).map(|n| What::Plain.of(n)));
        let urls = say(&site, &numbers);
        size.answers_backwards(&site);
        assert_eq!(desk.mixture(&urls, size.at_once, size.at_once), results(&numbers));
        asked_for_once(&site, size.inputs);
        desk.worked_on_once(&numbers);
        if let ([url], [number]) = (&urls[..], &numbers[..]) {
            // Which of the two comes first is left open.
            site.page(&path(0)).says("8").says("9");
            let twice: Result<BTreeSet<u64>, Failure> =
                desk.mixture(&[url.clone(), url.clone()], size.at_once, size.at_once).into_iter().collect();
            assert_eq!(twice, Ok(BTreeSet::from([!8, !9])), "a URL that comes twice");
            once_and_twice(&site);
            desk.worked_on_once(&[*number, 8, 9]);
            let (work, loud) = (desk.unseen_work(), [What::Shouts.of(0), What::Shouts.of(1)]);
            let (site, told) = (Site::start(), "processes that say much on their standard error");
            assert_eq!(mixture(&say(&site, &loud), size.at_once, size.at_once, &work), results(&loud), "{told}");
            Children::none_is_left();
        }
    });
}

#[test]
fn a_mixture_asks_for_as_many_pages_at_once_as_allowed() {
    each_on_threads(limits().into_iter().chain([Size::that_drips()]), |size_of: &Size| {
        let (site, desk) = (Site::start(), Desk::new());
        site.meets(size_of.together());
        let numbers = Vec::from_iter((0..size_of.inputs as u64).map(|n| What::Plain.of(n)));
        let texts = Vec::from_iter(numbers.iter().map(|number| format!("{number:>0$}", size_of.width())));
        let urls = size_of.set_up(&site, &texts);
        assert_eq!(desk.mixture(&urls, size_of.at_once, size(1)), results(&numbers));
        assert_eq!(site.transcript().peak(), size_of.together(), "requests in flight at once");
    });
}

#[test]
fn a_mixture_works_on_as_many_numbers_as_allowed_and_fetches_meanwhile() {
    // What is between fetching and working has room for all of them, and they are more than a byte can count.
    let rows = [(3, 1, 1), (4, 2, 1), (cores() + 300, 2, cores() + 1), (2, 2, MANY)].map(|row| (row, false));
    let rows = rows.into_iter().chain([((2, 1, 2), true)]).map(|row| {
        let ((pages, at_once, workers), panics) = row;
        let panics = if panics { ", and panics before and behind them" } else { "" };
        Row(format!("{}, {at_once} at once, and {workers} worked on{panics}", counted(pages, "page")), row)
    });
    each_on_threads(rows, |Row(_, ((pages, at_once, workers), panics))| {
        let (site, desk) = (Arc::new(Site::start()), Desk::new());
        let together = *workers.min(pages);
        let numbers = Vec::from_iter((0..*pages as u64).map(|n| What::Meets.of(n)));
        let numbers = if *panics { amid_panics(&numbers) } else { numbers };
        let urls = say(&site, &numbers);
        // While all workers are held, there is nothing to do but to fetch.
        let answered = Arc::new(Mutex::new(0));
        let sees = Arc::clone(&answered);
        desk.meets_while_pages_come(together, &site, move |answers| *sees.lock().unwrap() = answers);
        assert_eq!(desk.mixture(&urls, size(*at_once), size(*workers)), results(&numbers));
        assert_eq!(*answered.lock().unwrap(), numbers.len(), "pages that were fetched while the work was held");
        assert_eq!(desk.peak(), together, "numbers that were worked on at once");
    });
}

#[test]
fn a_slow_page_of_a_mixture_keeps_no_number_from_being_worked_on() {
    let many = Row("70 inputs, of which the first one comes when all others have ended".to_owned(), (70, 0, true));
    let rows = slow_ones().into_iter().map(|slow| Row(slow.to_string(), (slow.inputs, slow.place, false)));
    each_on_threads(rows.chain([many]), |Row(_, (inputs, place, comes_when_others_end))| {
        let (site, desk) = (Site::start(), Desk::new());
        let numbers = Vec::from_iter((0..*inputs as u64).map(|n| What::Plain.of(n)));
        let urls = say(&site, &numbers);
        if *comes_when_others_end {
            site.page(&path(*place)).waits_for(&desk.opens_when_others_end(*inputs));
        } else {
            site.page(&path(*place)).answers_last();
        }
        assert_eq!(desk.mixture(&urls, size(2), size(1)), results(&numbers));
        assert_eq!(desk.last_to_begin(), *place as u64, "the number whose page comes last");
    });
}

#[test]
fn long_work_in_a_mixture_holds_up_no_other() {
    // If the work on the first ones is held until all pages are here, many numbers wait: nobody may take more than one of them.
    let waiting = [2, 3].map(|place| Slow::of(8, place));
    let waiting = waiting.map(|slow| Row(format!("{slow}, when all pages are here"), (slow, true)));
    let rows = slow_ones().into_iter().chain(slow_amid_panics());
    let rows = rows.map(|slow| Row(slow.to_string(), (slow, false))).chain(waiting);
    each_on_threads(rows, |Row(_, (slow, waiting))| {
        let (site, desk) = (Arc::new(Site::start()), Desk::new());
        let what = |number| match slow.what(number) {
            What::Plain if *waiting => What::Meets,
            What::IsHeld if *waiting => What::MeetsAndIsHeld,
            what => what,
        };
        let numbers = Vec::from_iter((0..slow.inputs).map(|n| what(n).of(n as u64)));
        let urls = say(&site, &numbers);
        if *waiting {
            desk.meets_while_pages_come(2, &site, drop);
            desk.holds_again_while_others_end(slow.inputs);
        } else {
            desk.holds_while_others_end(slow.inputs);
        }
        assert_eq!(desk.mixture(&urls, size(1), size(2)), results(&numbers));
    });
}

#[test]
fn a_failure_in_a_mixture_is_the_result_for_its_page_alone() {
    const PANICS: u64 = What::Panics.of(0);
    let panics: &'static str = PANICS.to_string().leak();
    let spots = [
        Spot::Says("0"),
        Spot::Says(" \r\n7\t\n"),
        Spot::Says("18446744073709551615"),
        Spot::Says(panics),
        Spot::Says("seven"),
        Spot::Says(""),
        Spot::Says("-1"),
        Spot::Says("1.5"),
        Spot::Says("7 7"),
        Spot::Says("7\n7"),
        Spot::Says("18446744073709551616"),
        Spot::Status(304),
        Spot::Status(404),
        Spot::Status(429),
        Spot::Status(500),
        Spot::Status(503),
        Spot::BreaksOff,
        Spot::BreaksOffHalfWay,
        CHUNK_AND_NO_END,
        STATUS_AND_A_NUMBER,
        STATUS_AND_HALF_A_TEXT,
        Spot::Refused,
        Spot::NoScheme,
        Spot::NoUrl("no URL"),
    ];
    let rows = among_good_ones(&spots, Spot::Says("7"), |spot| spot.result().err());
    each_on_threads(rows.into_iter().chain([Spots::that_come_later("7")]), |row: &Spots| {
        let (site, port, desk) = (Site::start(), closed_port(), Desk::new());
        let urls = row.set_up(&site, &port);
        let results = Vec::from_iter(row.spots.iter().map(Spot::result));
        let numbers = Vec::from_iter(row.spots.iter().filter_map(Spot::number));
        for call in 1..=row.calls {
            assert_eq!(desk.mixture(&urls, size(2), size(1)), results, "in call {call}");
            row.asked_for(&site, call);
            desk.worked_on_once(&numbers.repeat(call));
        }
        if let Some(text) = row.come_later {
            row.come(&site, port, text);
            let results = vec![Spot::Says(text).result(); urls.len()];
            assert_eq!(desk.mixture(&urls, size(2), size(1)), results, "when all pages have come");
        }
    });
}

#[test]
fn calls_at_the_same_time_have_limits_of_their_own() {
    let folder = Folder::new();
    let rows = [
        Row("calls of pages and of mixture, which fetch".to_owned(), Meeting::Requests),
        Row("calls of sums and of mixture, which work".to_owned(), Meeting::Numbers),
        Row("calls of files".to_owned(), Meeting::Files),
        Row("a call of pages that ends while another one waits for a page".to_owned(), Meeting::EndOfPages),
        Row("a call of mixture that ends while another one waits for a page".to_owned(), Meeting::EndOfMixture),
        Row("a call of sums that ends while another one works".to_owned(), Meeting::EndOfSums),
        Row("a call of mixture that ends while another one works".to_owned(), Meeting::EndOfWorkInMixture),
    ];
    let rows = rows.into_iter().filter(|Row(_, meeting)| cfg!(unix) || *meeting != Meeting::Files);
    each_on_threads(rows, move |Row(_, meeting)| {
        const CALLS: usize = 6;
        let (site, desk) = (Site::start(), Desk::new());
        match meeting {
            Meeting::Requests => site.meets(CALLS),
            Meeting::Numbers | Meeting::Files => desk.meets(CALLS),
            _ => {
                meeting.one_ends(&site, &desk);
                return;
            }
        }
        let what = if *meeting == Meeting::Numbers { What::Meets } else { What::Plain };
        let numbers = Vec::from_iter((0..CALLS as u64).map(|n| what.of(n)));
        let urls = say(&site, &numbers);
        thread::scope(|scope| {
            for (place, (number, url)) in numbers.into_iter().zip(urls).enumerate() {
                let (desk, folder) = (&desk, &folder);
                scope.spawn(move || match meeting {
                    Meeting::Requests if place % 2 == 0 => {
                        assert_eq!(pages(&[url], size(1)), [Ok(number.to_string())]);
                    }
                    Meeting::Numbers if place % 2 == 0 => {
                        assert_eq!(sums(&[number], size(1), &desk.work()), results(&[number]));
                    }
                    Meeting::Files => {
                        let path = folder.has_pipe(place, desk, What::Meets);
                        assert_eq!(told(files(&[path], size(1))), [Ok(format!("text {place}"))]);
                    }
                    _ => assert_eq!(mixture(&[url], size(1), size(1), &desk.work()), results(&[number])),
                });
            }
        });
        Children::none_is_left();
        let peak = if *meeting == Meeting::Requests { site.transcript().peak() } else { desk.peak() };
        assert_eq!(peak, CALLS, "calls at once, each of which does one thing at once");
    });
}

/// What several calls have to do at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meeting {
    Requests,
    Numbers,
    Files,
    /// One of them ends while the other one waits for a page, or works.
    EndOfPages,
    EndOfMixture,
    EndOfSums,
    EndOfWorkInMixture,
}

impl Meeting {
    /// The first call has two inputs, one of which is held. When the other one is done, the second call begins, whose only input is held
    /// until the first call has ended: what it has taken over from the first one must not end with that.
    fn one_ends(self, site: &Site, desk: &Desk) {
        let works = matches!(self, Meeting::EndOfSums | Meeting::EndOfWorkInMixture);
        // At the table nobody is held.
        desk.0.open(TABLE);
        let whats = if works { [What::Plain, What::IsHeld, What::MeetsAndIsHeld] } else { [What::Plain; 3] };
        let numbers = Vec::from_iter((0..).zip(whats).map(|(n, what)| what.of(n)));
        let urls = say(site, &numbers);
        let gates = [Gate::closed(), Gate::closed()];
        for (page, gate) in (1..).zip(&gates).filter(|_| !works) {
            site.page(&path(page)).waits_for(gate);
        }
        let as_text = |result: Result<u64, Failure>| result.map(|result| result.to_string());
        let call = |places: Range<usize>| -> Vec<Result<String, Failure>> {
            let results = match self {
                Meeting::EndOfPages => return pages(&urls[places], size(2)),
                Meeting::EndOfSums => sums(&numbers[places], size(2), &desk.work()),
                _ => mixture(&urls[places], size(2), size(2), &desk.work()),
            };
            results.into_iter().map(as_text).collect()
        };
        let expected = |number: &u64| match self {
            Meeting::EndOfPages => Ok(number.to_string()),
            _ => as_text(result(*number)),
        };
        let expected = Vec::from_iter(numbers.iter().map(expected));
        let runtime = runtime::Builder::new_current_thread().build().expect("room for one more runtime");
        let [first, second] = thread::scope(|scope| {
            let first = scope.spawn(|| call(0..2));
            runtime.block_on(site.quiet());
            let second = scope.spawn(|| call(2..3));
            runtime.block_on(site.quiet());
            let calls = [(first, &gates[0], HELD), (second, &gates[1], HELD_AGAIN)];
            calls.map(|(call, gate, place)| {
                gate.open();
                desk.0.open(place);
                call.join()
            })
        });
        let [first, second] = [first, second].map(|call| call.unwrap_or_else(|panic| resume_unwind(panic)));
        assert_eq!(first, expected[..2], "the call that ends while the other one goes on");
        assert_eq!(second, expected[2..], "the call that goes on when the other one has ended");
        Children::none_is_left();
    }
}

/// An input of a test, with what is told of it.
struct Row<T>(String, T);

impl<T> fmt::Display for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many inputs there are, and how many of them are under way at once.
struct Size {
    inputs: usize,
    at_once: NonZeroUsize,
    /// Each page is answered after the one behind it.
    backwards: bool,
    /// The text of the first page comes byte by byte. As long as it does, its request is in flight.
    drips: bool,
    /// What is in the files is no text.
    no_text: bool,
    /// The file in this place takes long to open.
    late: Option<usize>,
    /// On as many numbers as may be worked on at once the work panics, before the inputs and behind them.
    panics: bool,
}

impl Size {
    fn of((inputs, at_once): (usize, usize)) -> Size {
        let at_once = size(at_once);
        Size { inputs, at_once, backwards: false, drips: false, no_text: false, late: None, panics: false }
    }

    /// How many are under way at once if all goes well.
    fn together(&self) -> usize {
        self.at_once.get().min(self.inputs)
    }

    /// The smallest in which a request that counts as done too soon makes one too many.
    fn that_drips() -> Size {
        Size { drips: true, ..Size::of((2, 1)) }
    }

    /// How long texts are at least: a drip takes a millisecond, and this time is what a client has to do something wrong.
    fn width(&self) -> usize {
        if self.drips { 400 } else { 0 }
    }

    /// Sets up pages with these texts, and gives their URLs.
    fn set_up(&self, site: &Site, texts: &[String]) -> Vec<String> {
        let set_up = |(page, text): (usize, &String)| {
            let reply = if self.drips && page == 0 { Reply::Drips } else { Reply::Text };
            site.page(&path(page)).replies_with(reply, "text/plain", text.as_str());
            site.url(&path(page))
        };
        texts.iter().enumerate().map(set_up).collect()
    }

    fn answers_backwards(&self, site: &Site) {
        for page in (1..self.inputs).filter(|_| self.backwards) {
            site.page(&path(page - 1)).answers_after(&path(page));
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.backwards { ", the last one first" } else { "" };
        let drips = if self.drips { ", the text of the first one byte by byte" } else { "" };
        let no_text = match (self.no_text, self.late) {
            (false, _) => "",
            (true, None) => ", none of which is a text",
            (true, Some(_)) => ", one of which is no text",
        };
        let late = self.late.map(|place| format!(", the one in place {} slow to open", place + 1)).unwrap_or_default();
        let panics = if self.panics { ", and panics before and behind them" } else { "" };
        write!(f, "{}, {} at once{order}{drips}{no_text}{late}{panics}", counted(self.inputs, "input"), self.at_once)
    }
}

/// A limit that nobody reaches. It is no more than that: some answers start as many threads.
const MANY: usize = 100;

/// None, one, as many as there is room for, more, and less.
fn sizes() -> Vec<Size> {
    let forwards = [(0, 1), (0, 2), (0, MANY), (1, 1), (1, 2), (2, 1), (1, MANY), (33, 2), (33, MANY)];
    let backwards = [(2, 2), (3, MANY)].map(|row| Size { backwards: true, ..Size::of(row) });
    forwards.map(Size::of).into_iter().chain(backwards).collect()
}

/// Limits that can be seen, if as many as allowed wait for each other.
fn limits() -> Vec<Size> {
    // The last one is more than a pool has if nobody says how many: as many as cores, and four, or 32.
    [(1, 1), (2, 1), (2, 2), (3, 2), (7, 3), (12, 10), (37, 36)].map(Size::of).into()
}

/// Several inputs, one of which is slow. Two may be under way at once.
struct Slow {
    inputs: usize,
    place: usize,
    /// The work on all others panics.
    others_panic: bool,
}

impl Slow {
    fn of(inputs: usize, place: usize) -> Slow {
        Slow { inputs, place, others_panic: false }
    }

    /// What the work on this number does.
    fn what(&self, number: usize) -> What {
        match self.others_panic {
            _ if number == self.place => What::IsHeld,
            true => What::Panics,
            false => What::Plain,
        }
    }
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = if self.others_panic { ", and the work on the others panics" } else { "" };
        write!(f, "{}, of which the one in place {} is slow{others}", counted(self.inputs, "input"), self.place + 1)
    }
}

fn slow_ones() -> Vec<Slow> {
    [0, 1, 4].map(|place| Slow::of(5, place)).into()
}

/// Whoever has panicked may need somebody in his stead, and that must not wait for the slow one. There are more panics than places, so
/// it doesn't matter which of the workers is slow.
fn slow_amid_panics() -> Vec<Slow> {
    [0, 4].map(|place| Slow { others_panic: true, ..Slow::of(5, place) }).into()
}

/// What there is at a URL.
#[derive(Clone, Copy)]
enum Spot {
    Says(&'static str),
    /// Two MiB.
    SaysMuch,
    /// The URL begins with `HTTP`.
    InCapitals(&'static str),
    Status(u16),
    BreaksOff,
    BreaksOffHalfWay,
    /// This status and this behind it, and then the connection is closed.
    Sends(u16, &'static str),
    /// A port at which nobody listens.
    Refused,
    /// The page is there, and what leads to it is no URL: it lacks `http://`.
    NoScheme,
    NoUrl(&'static str),
}

/// Each chunk comes as a whole. The last one, which says that there is no other, doesn't come.
const CHUNK_AND_NO_END: Spot = Spot::Sends(200, "Transfer-Encoding: chunked\r\n\r\n2\r\n77\r\n");
const STATUS_AND_A_NUMBER: Spot = Spot::Sends(404, "Content-Length: 2\r\n\r\n77");
const STATUS_AND_HALF_A_TEXT: Spot = Spot::Sends(500, "Content-Length: 4\r\n\r\n77");

impl Spot {
    /// What `pages` has to return for it.
    fn text(&self) -> Result<String, Failure> {
        match self {
            Spot::Says(text) | Spot::InCapitals(text) => Ok(text.to_string()),
            Spot::SaysMuch => Ok(much()),
            Spot::Status(204) => Ok(String::new()),
            Spot::BreaksOff | Spot::BreaksOffHalfWay | Spot::Sends(200, _) => Err(Failure::Unreachable),
            Spot::Refused | Spot::NoScheme | Spot::NoUrl(_) => Err(Failure::Unreachable),
            Spot::Status(status) | Spot::Sends(status, _) => Err(Failure::Status(*status)),
        }
    }

    /// The number that it says.
    fn number(&self) -> Option<u64> {
        self.text().ok()?.trim().parse().ok()
    }

    /// What `mixture` has to return for it.
    fn result(&self) -> Result<u64, Failure> {
        self.text()?;
        self.number().map_or(Err(Failure::NoNumber), result)
    }
}

/// More than fits into any buffer.
fn much() -> String {
    "글자 ".repeat(300_000)
}

/// Texts to be compared, so that no failure prints two MiB.
fn in_short(texts: impl Iterator<Item = Result<String, Failure>>) -> Vec<Result<String, Failure>> {
    let in_short = |text: String| match text.len() {
        0..1000 => text,
        _ if text == much() => "much".to_owned(),
        bytes => format!("{bytes} bytes that nobody has said"),
    };
    texts.map(|text| text.map(in_short)).collect()
}

/// What there is at several URLs.
struct Spots {
    spots: Vec<Spot>,
    /// How many calls ask for them, one after the other.
    calls: usize,
    /// What all of them say in one more call.
    come_later: Option<&'static str>,
}

/// Each of these between two that are as they should be, as often as there are places; a failure of each kind alone; several of each kind
/// before one that is as it should be; and all of them together, in two calls.
fn among_good_ones(spots: &[Spot], good: Spot, failure: impl Fn(&Spot) -> Option<Failure>) -> Vec<Spots> {
    let of = |spots| Spots { spots, calls: 1, come_later: None };
    let mut rows = Vec::from_iter(spots.iter().map(|spot| of(vec![good, *spot, *spot, good])));
    let mut seen = Vec::new();
    for spot in spots {
        let kind = failure(spot).map(|failure| mem::discriminant(&failure));
        if kind.is_some() && !seen.contains(&kind) {
            seen.push(kind);
            rows.push(of(vec![*spot]));
            rows.push(of(vec![*spot, *spot, *spot, *spot, good]));
        }
    }
    rows.push(Spots { calls: 2, ..of(spots.to_vec()) });
    rows
}

impl Spots {
    /// Pages that fail in one call, each in another way, and say this in the next one.
    fn that_come_later(text: &'static str) -> Spots {
        let spots = vec![Spot::Status(404), Spot::Status(503), Spot::BreaksOff, Spot::BreaksOffHalfWay, Spot::Refused];
        Spots { spots, calls: 1, come_later: Some(text) }
    }

    /// From now on each page says this, also at the port where nobody listened.
    fn come(&self, site: &Site, port: TcpSocket, text: &'static str) {
        (0..self.spots.len()).for_each(|page| drop(there(site, page, text)));
        says_once(port, text);
    }

    /// Sets the pages up, and gives their URLs.
    fn set_up(&self, site: &Site, port: &TcpSocket) -> Vec<String> {
        let set_up = |(page, spot): (usize, &Spot)| {
            match spot {
                Spot::Says(text) => site.page(&path(page)).says(text),
                Spot::SaysMuch => site.page(&path(page)).says(&much()),
                Spot::InCapitals(text) => {
                    site.page(&path(page)).says(text);
                    return site.url(&path(page)).replacen("http:", "HTTP:", 1);
                }
                Spot::Status(status) => site.page(&path(page)).answers(*status),
                Spot::BreaksOff => site.page(&path(page)).replies(Reply::BreaksOff),
                Spot::BreaksOffHalfWay => {
                    site.page(&path(page)).replies_with(Reply::BreaksOffHalfWay, "text/plain", "77")
                }
                Spot::Sends(status, rest) => return sends(*status, rest),
                Spot::Refused => {
                    return format!("http://{}/", port.local_addr().expect("a bound socket has an address"));
                }
                Spot::NoScheme => return there(site, page, "77").replacen("http://", "", 1),
                Spot::NoUrl(url) => return (*url).to_owned(),
            };
            site.url(&path(page))
        };
        self.spots.iter().enumerate().map(set_up).collect()
    }

    /// Nothing is asked for again that says no, or breaks off in the middle, but each is in another call.
    fn asked_for(&self, site: &Site, calls: usize) {
        for (page, spot) in self.spots.iter().enumerate() {
            // A request that gets no answer at all may be sent again by the client itself.
            let unclear = matches!(spot, Spot::BreaksOff | Spot::Sends(..) | Spot::Refused | Spot::NoUrl(_));
            let calls = if matches!(spot, Spot::NoScheme) { 0 } else { calls };
            let attempts = site.transcript().attempts(&path(page));
            assert!(
                unclear || attempts == calls,
                "page {}: {attempts} requests in {}",
                page + 1,
                counted(calls, "call")
            );
        }
    }
}

impl fmt::Display for Spots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |spot: &Spot| match spot {
            Spot::Says(text) => format!("a page that says {text:?}"),
            Spot::SaysMuch => "a page that says much".to_owned(),
            Spot::InCapitals(text) => format!("a page at HTTP: that says {text:?}"),
            Spot::Status(status) => status.to_string(),
            Spot::BreaksOff => "the connection closed".to_owned(),
            Spot::BreaksOffHalfWay => "half a page and the connection closed".to_owned(),
            Spot::Sends(status, rest) => format!("status {status}, {rest:?} and the connection closed"),
            Spot::Refused => "nobody listens".to_owned(),
            Spot::NoScheme => "the URL of a page without http://".to_owned(),
            Spot::NoUrl(url) => format!("the URL {url:?}"),
        };
        f.write_str(&Vec::from_iter(self.spots.iter().map(told)).join("; "))?;
        if self.calls > 1 {
            write!(f, ", in {} calls", self.calls)?;
        }
        if let Some(text) = self.come_later {
            write!(f, ", and in the next call all of them say {text:?}")
        } else {
            Ok(())
        }
    }
}

/// A page that sends this in each of two calls, and closes the connection, and its URL.
fn sends(status: u16, rest: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || listener.incoming().take(2).flatten().for_each(|stream| answer(stream, status, rest)));
    format!("http://{address}/")
}

/// Answers one request with this, and closes the connection.
fn answer(mut stream: TcpStream, status: u16, rest: &str) {
    // Whoever closes a connection with something unread in it may take back what he has said.
    let request = BufReader::new(&stream).lines().map_while(Result::ok);
    request.take_while(|line| !line.is_empty()).for_each(drop);
    let _ = write!(stream, "HTTP/1.1 {status} \r\nConnection: close\r\n{rest}");
}

/// A port at which nobody listens, and that nobody else can take.
fn closed_port() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("the system has room for one more socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("the loopback interface has a free port");
    socket
}

/// From now on somebody listens at this port, and says this to the first who asks.
fn says_once(port: TcpSocket, text: &'static str) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("room for one more runtime");
    let listener = runtime.block_on(async { port.listen(1)?.into_std() });
    let listener = listener.and_then(|listener| listener.set_nonblocking(false).map(|()| listener));
    let listener = listener.expect("a bound socket can listen");
    thread::spawn(move || {
        let rest = format!("Content-Length: {}\r\n\r\n{text}", text.len());
        listener.incoming().take(1).flatten().for_each(|stream| answer(stream, 200, &rest));
    });
}

/// Where work and pipes tell what they do, and where they wait.
struct Desk(Arc<Children>);

/// Where they wait for each other.
const TABLE: &str = "table";
/// Where they wait until the test has looked.
const HELD: &str = "held";
/// Where one of them waits then until all others have ended.
const HELD_AGAIN: &str = "held again";

/// What the work on a number does, or a pipe, before it gives its result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Plain,
    /// Waits for the others that are under way, and then until the test lets them go on.
    Meets,
    /// Waits until the test lets it go on.
    IsHeld,
    /// Both, one after the other.
    MeetsAndIsHeld,
    /// As `IsHeld`, and a pipe is not open before.
    ComesLate,
    /// A process says much on its standard error.
    Shouts,
    Panics,
}

impl What {
    /// The number that says so to the work, of those that end with these digits.
    const fn of(self, digits: u64) -> u64 {
        digits + 1000 * self as u64
    }

    fn told_by(number: u64) -> What {
        use What::{ComesLate, IsHeld, Meets, MeetsAndIsHeld, Panics, Plain, Shouts};
        let all = [Plain, Meets, IsHeld, MeetsAndIsHeld, ComesLate, Shouts, Panics];
        all.into_iter().find(|what| what.of(0) == number - number % 1000).unwrap_or(What::Plain)
    }
}

/// The result of the work on a number.
fn result(number: u64) -> Result<u64, Failure> {
    if What::told_by(number) == What::Panics { Err(Failure::Panicked) } else { Ok(!number) }
}

/// These numbers, and as many before and behind them on which the work panics: in whatever order numbers are taken, some come first.
fn amid_panics(numbers: &[u64]) -> Vec<u64> {
    let panics = |digits: u64| (digits..).take(numbers.len()).map(|n| What::Panics.of(n));
    panics(100).chain(numbers.iter().copied()).chain(panics(200)).collect()
}

fn results(numbers: &[u64]) -> Vec<Result<u64, Failure>> {
    numbers.iter().copied().map(result).collect()
}

/// Does what the number says, and tells when that begins and ends.
fn work_on(number: u64, meet: impl Fn(&str), tell: impl Fn(&str)) -> u64 {
    tell(&format!("begins {number}"));
    match What::told_by(number) {
        What::Plain | What::Shouts => {}
        What::Meets => [TABLE, HELD].into_iter().for_each(meet),
        What::IsHeld | What::ComesLate => meet(HELD),
        What::MeetsAndIsHeld => [TABLE, HELD, HELD_AGAIN].into_iter().for_each(meet),
        What::Panics => {
            tell(&format!("ends {number}"));
            panic_on_purpose("the work has met a strange number")
        }
    }
    tell(&format!("ends {number}"));
    !number
}

impl Desk {
    fn new() -> Desk {
        Desk(Arc::new(Children::new()))
    }

    /// So many have to come to the table. If more dare to, they come before anybody goes on.
    fn meets(&self, number: usize) {
        self.0.rendezvous(TABLE, number);
        self.0.open_when_still(HELD);
    }

    /// The one that is held goes on when all others of so many have ended.
    fn holds_while_others_end(&self, number: usize) {
        // All but its own end.
        self.0.open_when_told(HELD, 2 * number - 1);
    }

    /// The one that is held again goes on when all others of so many have ended.
    fn holds_again_while_others_end(&self, number: usize) {
        self.0.open_when_told(HELD_AGAIN, 2 * number - 1);
    }

    /// A gate that opens when all but one of so many have ended.
    fn opens_when_others_end(&self, number: usize) -> Gate {
        self.0.open_when_told(HELD, 2 * (number - 1));
        let (gate, desk) = (Gate::closed(), Arc::clone(&self.0));
        let opens = gate.clone();
        thread::spawn(move || {
            desk.meet(HELD);
            opens.open();
        });
        gate
    }

    /// So many have to come to the table. Before anybody goes on, all that can come of the site comes, and this hears how many
    /// answers that is.
    fn meets_while_pages_come(&self, number: usize, site: &Arc<Site>, hears: impl FnOnce(usize) + Send + 'static) {
        self.0.rendezvous(TABLE, number);
        let site = Arc::clone(site);
        self.0.open_after(HELD, move || {
            let runtime = runtime::Builder::new_current_thread().build().expect("room for one more runtime");
            runtime.block_on(site.quiet());
            hears(site.transcript().answers().len());
        });
    }

    fn work(&self) -> Work {
        let (here, elsewhere) = (Arc::clone(&self.0), Arc::clone(&self.0));
        Work {
            call: Arc::new(move |number| work_on(number, |place| here.meet(place), |text| here.tell(text))),
            process: Arc::new(move || elsewhere.command("working")),
        }
    }

    /// The same. Whoever doesn't ask for what its processes say on their standard error doesn't see it here, either.
    fn unseen_work(&self) -> Work {
        let work = self.work();
        let quietly = move || {
            let mut command = (work.process)();
            command.stderr(Stdio::null());
            command
        };
        Work { call: work.call, process: Arc::new(quietly) }
    }

    fn sums(&self, numbers: &[u64], at_once: NonZeroUsize) -> Vec<Result<u64, Failure>> {
        let results = sums(numbers, at_once, &self.work());
        Children::none_is_left();
        results
    }

    fn mixture(&self, urls: &[String], at_once: NonZeroUsize, workers: NonZeroUsize) -> Vec<Result<u64, Failure>> {
        let results = mixture(urls, at_once, workers, &self.work());
        Children::none_is_left();
        results
    }

    /// What was told: whether it is a beginning, and of which number.
    fn told(&self) -> Vec<(bool, u64)> {
        let told = self.0.told();
        let told = told.iter().map(|line| line.split_once(' ').expect("begins or ends, and a number"));
        told.map(|(what, number)| (what == "begins", number.parse().expect("a number"))).collect()
    }

    /// The most that were under way at once.
    fn peak(&self) -> usize {
        let (mut now, mut peak) = (0, 0);
        for (begins, _) in self.told() {
            if begins {
                now += 1
            } else {
                now -= 1
            }
            peak = peak.max(now);
        }
        peak
    }

    /// The place of the last one to begin.
    fn last_to_begin(&self) -> u64 {
        self.told().iter().rev().find(|(begins, _)| *begins).expect("one has begun").1 % 1000
    }

    fn worked_on_once(&self, numbers: &[u64]) {
        let mut worked_on =
            Vec::from_iter(self.told().into_iter().filter(|(begins, _)| *begins).map(|(_, number)| number));
        let mut expected = numbers.to_vec();
        worked_on.sort_unstable();
        expected.sort_unstable();
        assert_eq!(worked_on, expected, "the numbers that were worked on, sorted");
    }
}

/// A folder for files. It goes when the test ends.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        // A grader gives each test a folder of its own and removes it, even after a test that had to be killed.
        let graded = std::env::var_os("INTERLEAVE_RECORD").is_some();
        let parent = if graded { std::env::current_dir().unwrap() } else { PathBuf::from(env!("CARGO_TARGET_TMPDIR")) };
        Folder(tempfile::tempdir_in(parent).unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file with these bytes.
    fn has(&self, number: usize, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(format!("file {number}"));
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A named pipe. Whoever opens it to read waits until somebody opens it to write, and the other way round.
    fn pipe(&self, number: usize) -> PathBuf {
        let path = self.path().join(format!("pipe {number}"));
        if !path.exists() {
            let made = Command::new("mkfifo").arg(&path).status();
            assert!(made.expect("mkfifo starts").success());
        }
        path
    }

    /// A file whose text comes when the desk says so.
    fn has_pipe(&self, number: usize, desk: &Desk, what: What) -> PathBuf {
        let path = self.pipe(number);
        let (other_end, desk) = (path.clone(), Arc::clone(&desk.0));
        thread::spawn(move || {
            let open = || fs::OpenOptions::new().write(true).open(&other_end).unwrap();
            let opened = (what != What::ComesLate).then(open);
            work_on(what.of(number as u64), |place| desk.meet(place), |text| desk.tell(text));
            let _ = write!(opened.unwrap_or_else(open), "text {number}");
        });
        path
    }

    /// A file whose second piece comes when the desk says so.
    fn has_pipe_in_pieces(&self, number: usize, desk: &Desk, [first, second]: [&'static [u8]; 2]) -> PathBuf {
        let path = self.pipe(number);
        let (other_end, desk) = (path.clone(), Arc::clone(&desk.0));
        thread::spawn(move || {
            let mut pipe = fs::OpenOptions::new().write(true).open(other_end).unwrap();
            let _ = pipe.write_all(first);
            desk.meet(HELD);
            let _ = pipe.write_all(second);
        });
        path
    }

    /// A file that is no text. When it has been opened, it notes how many pipes of this folder are open. Only if no more than one may
    /// be, that is certain: no other one can come or go while it counts.
    fn has_pipe_of_no_text(&self, number: usize, open: &Arc<Mutex<Vec<usize>>>) -> PathBuf {
        let path = self.pipe(number);
        let (other_end, folder, open) = (path.clone(), fs::canonicalize(self.path()).unwrap(), Arc::clone(open));
        thread::spawn(move || {
            let mut pipe = fs::OpenOptions::new().write(true).open(other_end).unwrap();
            open.lock().unwrap().push(open_in(&folder));
            let _ = pipe.write_all(b"\xff");
        });
        path
    }

    /// A file that can be opened when the desk says so. Before that, it notes how many others of this folder are open.
    fn has_late_pipe(&self, number: usize, desk: &Desk, open: &Arc<Mutex<Vec<usize>>>) -> PathBuf {
        let path = self.pipe(number);
        let (other_end, folder) = (path.clone(), fs::canonicalize(self.path()).unwrap());
        let (desk, open) = (Arc::clone(&desk.0), Arc::clone(open));
        thread::spawn(move || {
            desk.meet(HELD);
            open.lock().unwrap().push(open_in(&folder));
            let mut pipe = fs::OpenOptions::new().write(true).open(other_end).unwrap();
            let _ = write!(pipe, "text {number}");
        });
        path
    }
}

/// How many files of this folder are open here. Where the system doesn't say what is open, it is none.
fn open_in(folder: &Path) -> usize {
    let all = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let files = all.filter_map(|file| fs::read_link(file.path()).ok());
    files.filter(|file| file.starts_with(folder)).collect::<BTreeSet<_>>().len()
}

/// Results of files, to be compared. An error is told by its kind, and by its number if it is the system's.
fn told(results: Vec<io::Result<String>>) -> Vec<Result<String, (io::ErrorKind, Option<i32>)>> {
    results.into_iter().map(|result| result.map_err(|error| (error.kind(), error.raw_os_error()))).collect()
}

fn path(page: usize) -> String {
    format!("/{page}")
}

/// Sets up a page that is there, and gives its URL.
fn there(site: &Site, page: usize, text: &str) -> String {
    site.page(&path(page)).says(text);
    site.url(&path(page))
}

/// Sets up pages that say these numbers.
fn say(site: &Site, numbers: &[u64]) -> Vec<String> {
    numbers.iter().enumerate().map(|(page, number)| there(site, page, &number.to_string())).collect()
}

/// Each of so many pages, and nothing else.
fn asked_for_once(site: &Site, pages: usize) {
    let transcript = site.transcript();
    let (mut arrivals, mut expected) = (transcript.arrivals().to_vec(), Vec::from_iter((0..pages).map(path)));
    arrivals.sort_unstable();
    expected.sort_unstable();
    assert_eq!(arrivals, expected, "the requests, sorted");
}

/// In two calls.
fn once_and_twice(site: &Site) {
    assert_eq!(site.transcript().attempts(&path(0)), 3, "how often a page is asked for that comes once and then twice");
}

fn cores() -> usize {
    thread::available_parallelism().map_or(2, NonZeroUsize::get)
}

/// A limit.
fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("a test's limits are not zero")
}

roles!(working);

/// A process that works.
fn working() -> i32 {
    for line in io::stdin().lock().lines() {
        let Ok(number) = line.unwrap_or_default().trim().parse() else { return 1 };
        if What::told_by(number) == What::Shouts {
            // More than a pipe has room for. A program that can't say what it has to say mostly panics.
            if io::stderr().write_all(&[b'!'; 200_000]).is_err() {
                return 1;
            }
        }
        let result = work_on(number, child::meet, child::tell);
        let mut output = io::stdout();
        if writeln!(output, "{result}").and_then(|()| output.flush()).is_err() {
            return 1;
        }
    }
    0
}
