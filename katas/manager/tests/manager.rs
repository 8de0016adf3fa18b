//! The contract of the kata `manager`, sentence by sentence. `README.md` has the same list.
//!
//! The other side is nearly always the test's own, and speaks by hand: a script, a thread, or a child, which is this program again, in
//! one of the roles at the end of the file. So a mistake that is made on both sides is seen all the same.

#[path = "manager/contract.rs"]
mod contract;

use std::env;
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ::manager::{Answer, LONGEST, Manager, Owner, Proxy, Refusal, Request, decode_answer, encode_answer, run, serve};
use kata::child::{Children, die_of, meet, roles, tell, variables};
use kata::scenarios::every_small_program;
use kata::stream::{Page, PipeReader, PipeWriter, Script, TRIED_FOR_EVER, Then, pipe};
use kata::{Check, EXPLORED, allocated, panic_on_purpose, situation, until};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with. And only an enum has variants to import.
fn _signatures(stream: TcpStream, request: Request, refusal: Refusal) {
    use Refusal::{NoSuchIndex, NoSuchKey, Overflow};
    use Request::{Add, Find, Get, Insert, Item, Pop, Push, Remove, Set};
    let _: fn(&Request) -> Vec<u8> = Request::encode;
    let _: fn(&[u8]) -> Option<Request> = Request::decode;
    let _: fn(Result<i64, Refusal>) -> Vec<u8> = encode_answer;
    let _: fn(&[u8]) -> Option<Result<i64, Refusal>> = decode_answer;
    let _: fn() -> Owner = Owner::empty;
    let _: fn(&Owner, Request) -> Answer = Owner::answer;
    let _ = |owner: &Owner, stream: TcpStream| -> io::Result<()> { owner.attend(stream) };
    let _: fn(std::vec::IntoIter<io::Result<TcpStream>>, io::Empty) = serve::<TcpStream>;
    let _: Proxy<TcpStream> = Proxy::new(stream);
    let _: fn(&mut Proxy<TcpStream>, &Request) -> io::Result<Answer> = Proxy::ask;
    let _: fn() -> io::Result<()> = run;
    let _: fn(Command) -> io::Result<Manager> = Manager::start;
    let _: fn(&Manager) -> SocketAddr = Manager::address;
    let _: fn(&Manager) -> io::Result<Proxy<TcpStream>> = Manager::connect;
    let _: fn(Manager) -> io::Result<ExitStatus> = Manager::shutdown;
    match refusal {
        Overflow | NoSuchIndex | NoSuchKey => {}
    }
    match request {
        Get | Pop => {}
        Set(number) | Add(number) | Push(number) => {
            let _: i64 = number;
        }
        Item(index) => {
            let _: u64 = index;
        }
        Insert(key, number) => drop::<(String, i64)>((key, number)),
        Find(key) | Remove(key) => drop::<String>(key),
    }
}

/// Never called. Owners are shared by threads, proxies are given to them.
fn _threads() {
    fn shared<T: Sync + Send>() {}
    fn given<T: Send>() {}
    shared::<Owner>();
    given::<Proxy<TcpStream>>();
    given::<Manager>();
}

/// A submission can't agree on shorter messages with itself.
const _: () = assert!(LONGEST == 64 * 1024);

#[test]
fn requests_and_answers_are_these_bytes() {
    Check::new().threads_only().run(|| {
        for (request, bytes) in requests() {
            situation(format!("{request:?}"));
            assert_eq!(request.encode(), bytes, "its bytes");
            assert_eq!(Request::decode(&bytes), Some(request), "the request of the bytes {bytes:?}");
        }
        for (answer, bytes) in answers() {
            situation(format!("the answer {answer:?}"));
            assert_eq!(encode_answer(answer), bytes, "its bytes");
            assert_eq!(decode_answer(&bytes), Some(answer), "the answer of the bytes {bytes:?}");
        }
    });
}

#[test]
fn other_bytes_are_no_request_and_no_answer() {
    Check::new().threads_only().run(|| {
        for bytes in hostile_messages() {
            // The same as the stub's formats, said in another way.
            let is_request = match &bytes[..] {
                [0 | 5] => true,
                [1..=4, rest @ ..] => rest.len() == 8,
                [6, rest @ ..] => rest.get(8..).is_some_and(|key| str::from_utf8(key).is_ok()),
                [7 | 8, key @ ..] => str::from_utf8(key).is_ok(),
                _ => false,
            };
            let is_answer = matches!(&bytes[..], [1..=3] | [0, _, _, _, _, _, _, _, _]);
            situation(format!("the bytes {bytes:?}"));
            match Request::decode(&bytes) {
                Some(request) if is_request => assert_eq!(request.encode(), bytes, "what {request:?} is made of"),
                Some(request) => panic!("they are no request, and `Request::decode` says {request:?}"),
                None => assert!(!is_request, "they are a request, and `Request::decode` says that they are none"),
            }
            match decode_answer(&bytes) {
                Some(answer) if is_answer => assert_eq!(encode_answer(answer), bytes, "what {answer:?} is made of"),
                Some(answer) => panic!("they are no answer, and `decode_answer` says {answer:?}"),
                None => assert!(!is_answer, "they are an answer, and `decode_answer` says that they are none"),
            }
        }
    });
}

#[test]
fn each_request_has_its_answer() {
    Check::new().threads_only().run(|| {
        let owner = Owner::empty();
        for (request, answer) in dialogue() {
            situation(format!("{request:?}, after all that are before it in the table"));
            assert_eq!(owner.answer(request), answer, "the answer");
        }
        situation("another owner");
        let other = Owner::empty();
        assert_eq!(other.answer(Request::Get), Ok(0), "it owns another value");
        assert_eq!(other.answer(Request::Item(0)), Err(Refusal::NoSuchIndex), "it owns another list");
        assert_eq!(other.answer(Request::Find(String::new())), Err(Refusal::NoSuchKey), "it owns another map");
        situation("keys that nearly look alike");
        let third = Owner::empty();
        let alike: Vec<(String, i64)> = alike().into_iter().zip(1..).collect();
        for (key, number) in &alike {
            let keys = third.answer(Request::Insert(key.clone(), *number));
            assert_eq!(keys, Ok(*number), "how many keys it has, after {key:?} has been put there");
        }
        for (key, number) in &alike {
            assert_eq!(third.answer(Request::Find(key.clone())), Ok(*number), "the number of key {key:?}");
        }
        for (key, number) in &alike {
            assert_eq!(third.answer(Request::Remove(key.clone())), Ok(*number), "the number that key {key:?} had");
        }
        situation("the list and the map grow, to more than a byte counts");
        for number in 1..=300 {
            assert_eq!(other.answer(Request::Push(number)), Ok(number), "the list's new length");
            assert_eq!(other.answer(Request::Insert(number.to_string(), number)), Ok(number), "how many keys it has");
        }
        for number in [1, 44, 45, 256, 257, 300] {
            assert_eq!(other.answer(Request::Item(number - 1)), Ok(number as i64), "item {}", number - 1);
            assert_eq!(
                other.answer(Request::Find(number.to_string())),
                Ok(number as i64),
                "the number of key {number}"
            );
        }
        situation("the list grows, to more than two bytes count");
        for number in 301..=(1 << 16) + 1 {
            assert_eq!(other.answer(Request::Push(number)), Ok(number), "the list's new length");
        }
        situation("the list and the map grow and shrink, again and again");
        let (fourth, mut left) = (Owner::empty(), Vec::new());
        let mut numbers = 1..;
        // What is kept in blocks is full and empty at each of these lengths.
        for shrinks in [1, 2, 3, 70] {
            while left.len() < 300 {
                for number in numbers.by_ref().take(shrinks + 1) {
                    left.push(number);
                    let length = Ok(left.len() as i64);
                    assert_eq!(fourth.answer(Request::Push(number)), length, "the list's new length");
                    assert_eq!(fourth.answer(Request::Insert(number.to_string(), number)), length, "how many keys");
                    assert_eq!(fourth.answer(Request::Item(left.len() as u64 - 1)), Ok(number), "the last item");
                }
                for number in left.split_off(left.len() - shrinks).into_iter().rev() {
                    assert_eq!(fourth.answer(Request::Pop), Ok(number), "the item that was the last one");
                    assert_eq!(fourth.answer(Request::Remove(number.to_string())), Ok(number), "what it had");
                }
            }
            for (index, number) in (0..).zip(&left) {
                assert_eq!(fourth.answer(Request::Item(index)), Ok(*number), "item {index}");
                assert_eq!(fourth.answer(Request::Find(number.to_string())), Ok(*number), "the number of key {number}");
            }
            for number in left.drain(..).rev() {
                assert_eq!(fourth.answer(Request::Pop), Ok(number), "the item that was the last one");
                assert_eq!(fourth.answer(Request::Remove(number.to_string())), Ok(number), "what it had");
            }
        }
    });
}

#[test]
#[ignore = "needs schedules: cargo xtask check manager every_small_program_of_requests_keeps_the_contract"]
fn every_small_program_of_requests_keeps_the_contract() {
    every_small_program(contract::OwnerContract);
}

#[test]
#[ignore = "needs schedules: cargo xtask check manager no_request_gives_up"]
fn no_request_gives_up() {
    Check::new().schedules_only().library_threads().run(|| {
        // Two threads, of which one may be faster again and again.
        let owner = Owner::empty();
        let (sum, mut values) = thread::scope(|scope| {
            let adding = scope.spawn(|| owner.answer(Request::Add(1)));
            // Each answer is what was there before.
            let before: Vec<_> = (1..=FASTER).map(|nth| owner.answer(Request::Set(10 * nth))).collect();
            (adding.join().unwrap(), before)
        });
        values.push(owner.answer(Request::Get));
        let added = (0..=FASTER).find(|nth| sum == Ok(10 * nth + 1));
        let added = added.unwrap_or_else(|| panic!("{sum:?} is the answer to Add(1), and the values were {values:?}"));
        let expected: Vec<_> = (0..=FASTER).map(|nth| Ok(10 * nth + i64::from(nth == added))).collect();
        assert_eq!(values, expected, "all values, one after the other, and the answer to Add(1) was {sum:?}");
    });
}

/// How often somebody else is faster.
const FASTER: i64 = 8;

#[test]
fn messages_may_pass_in_pieces() {
    Check::new().threads_only().run(|| {
        let asked = short_talk();
        let (requests, answers) = (said(&asked), answered(&asked));
        for (first, second) in pairs(requests.len()) {
            for interrupted in [false, true] {
                if interrupted && first != second {
                    continue;
                }
                let how = if interrupted { ", and every call is interrupted" } else { "" };
                situation(format!("a piece ends after {first} bytes and after {second}{how}"));
                let cuts = [first, second];
                let mut client = cut(Script::of(&*requests), Page::blank(), cuts, interrupted);
                let owner = Owner::empty();
                assert_eq!(
                    kind(owner.attend(&mut client)),
                    Ok(()),
                    "`attend`, whose client goes after the last answer"
                );
                assert_eq!(client.writer.flushed(), answers, "the answers");
                let mut owner = cut(Script::of(&*answers), Page::blank(), cuts, interrupted);
                {
                    let mut proxy = Proxy::new(&mut owner);
                    for (request, answer) in &asked {
                        assert_eq!(kind(proxy.ask(request)), Ok(*answer), "the answer to {request:?}");
                    }
                }
                assert_eq!(owner.writer.flushed(), requests, "the requests");
            }
        }
        situation(format!("three messages are there {ROUNDS} times at once"));
        // No buffer ends with one of them.
        let round =
            [(Request::Add(0), Ok(0)), (Request::Find("a".to_owned()), Err(Refusal::NoSuchKey)), (Request::Get, Ok(0))];
        let (all_requests, all_answers) = (said(&round).repeat(ROUNDS), answered(&round).repeat(ROUNDS));
        let mut client = Line::new(Script::of(&*all_requests), Page::blank());
        assert_eq!(
            kind(Owner::empty().attend(&mut client)),
            Ok(()),
            "`attend`, whose client goes after the last answer"
        );
        assert!(client.writer.flushed() == all_answers, "the answers are others than they should be");
        let mut owner = Line::new(Script::of(&*all_answers), Page::blank());
        let mut proxy = Proxy::new(&mut owner);
        for (request, answer) in std::iter::repeat_n(&round, ROUNDS).flatten() {
            assert_eq!(kind(proxy.ask(request)), Ok(*answer), "the answer to {request:?}");
        }
        situation(format!("every call is interrupted {OFTEN} times, one after the other"));
        let mut client = Line::new(Rude::to(Script::of(&*requests)), Rude::to(Page::blank()));
        assert_eq!(
            kind(Owner::empty().attend(&mut client)),
            Ok(()),
            "`attend`, whose client goes after the last answer"
        );
        assert_eq!(client.writer.stream.flushed(), answers, "the answers");
        let mut owner = Line::new(Rude::to(Script::of(&*answers)), Rude::to(Page::blank()));
        let mut proxy = Proxy::new(&mut owner);
        for (request, answer) in &asked {
            assert_eq!(kind(proxy.ask(request)), Ok(*answer), "the answer to {request:?}");
        }
    });
}

/// More than anybody reads ahead, of 24 bytes of requests and 31 of answers.
const ROUNDS: usize = 6_000;

/// Makes a request with this key.
type WithKey = fn(String) -> Request;

#[test]
fn the_longest_message_passes_and_a_longer_one_is_not_sent() {
    Check::new().threads_only().run(|| {
        let refused = Err(Refusal::NoSuchKey);
        // Characters of one byte to four. It is the bytes that count.
        let requests: [(WithKey, &str, usize, Answer); 4] = [
            (Request::Find, "k", LONGEST - 1, refused),
            (|key| Request::Insert(key, 1), "é", LONGEST - 9, Ok(1)),
            (Request::Find, "키", LONGEST - 1, refused),
            (Request::Remove, "🔑", LONGEST - 1, refused),
        ];
        for (request, sign, room, answer) in requests {
            let of = |bytes: usize| request(sign.repeat(bytes / sign.len()) + &"k".repeat(bytes % sign.len()));
            let (longest, longer) = (of(room), of(room + 1));
            let what = format!("{:?}", request(format!("{sign}…")));
            situation(format!("{what} is exactly as long as a request may be"));
            // Others follow: it is one message that may be so long, and not all of them together.
            let mut client = Line::new(Script::of(frame(&longest.encode()).repeat(2)), Page::blank());
            assert_eq!(kind(Owner::empty().attend(&mut client)), Ok(()), "`attend`");
            let bytes = frame(&encode_answer(answer));
            assert_eq!(client.writer.flushed(), bytes.repeat(2), "the answers");
            let mut owner = Line::new(Script::of(bytes.repeat(2)), Page::blank());
            {
                let mut proxy = Proxy::new(&mut owner);
                assert_eq!(kind(proxy.ask(&longest)), Ok(answer), "`ask`");
                situation(format!("{what} is one byte longer than a request may be"));
                assert_eq!(kind(proxy.ask(&longer)), Err(ErrorKind::InvalidInput), "`ask`");
                situation(format!("the request after {what}, which was too long"));
                assert_eq!(kind(proxy.ask(&Request::Pop)), Ok(answer), "`ask`");
            }
            let written = [frame(&longest.encode()), frame(&[5])].concat();
            assert!(
                owner.writer.flushed() == written,
                "the one that was too long must not be written, not even in part"
            );
        }
    });
}

#[test]
fn a_client_may_go_at_any_point() {
    Check::new().threads_only().run(|| {
        let asked = short_talk();
        let (requests, ends) = (said(&asked), ends_of(&asked));
        for end in 0..=requests.len() {
            for then in LEAVES {
                situation(format!("the client sends {end} of {} bytes, and then {}", requests.len(), in_words(then)));
                let whole = ends.iter().take_while(|whole| **whole <= end).count();
                let is_whole = end == 0 || ends.contains(&end);
                let mut client = Line::new(Script::of(&requests[..end]).then(then), Page::blank());
                let owner = Owner::empty();
                let expected = match then {
                    Then::End if is_whole => Ok(()),
                    Then::End => Err(ErrorKind::UnexpectedEof),
                    Then::Fail(kind) => Err(kind),
                };
                assert_eq!(kind(owner.attend(&mut client)), expected, "what `attend` says");
                assert_eq!(client.writer.flushed(), answered(&asked[..whole]), "the answers to what came as a whole");
                same_state(&owner, &asked[..whole]);
            }
        }
        // Half of what each request would do is as wrong, and half of a key is another one that is there.
        let asked = whole_talk();
        let (requests, ends) = (said(&asked), ends_of(&asked));
        for end in 0..=requests.len() {
            situation(format!(
                "the client sends {end} of {} bytes, with requests of every kind, and goes",
                requests.len()
            ));
            let whole = ends.iter().take_while(|whole| **whole <= end).count();
            let owner = Owner::empty();
            let mut client = Line::new(Script::of(&requests[..end]), Page::blank());
            let outcome = owner.attend(&mut client);
            assert_eq!(outcome.is_ok(), end == 0 || ends.contains(&end), "what `attend` says: {outcome:?}");
            assert_eq!(client.writer.flushed(), answered(&asked[..whole]), "the answers to what came as a whole");
            same_state(&owner, &asked[..whole]);
        }
        let asked = short_talk();
        let requests = said(&asked);
        for room in 0..answered(&asked).len() {
            for kind_of in [ErrorKind::BrokenPipe, ErrorKind::ConnectionAborted] {
                situation(format!("the client takes {room} bytes of the answers, and then goes ({kind_of:?})"));
                let page = Page::blank().room_for(room, Then::Fail(kind_of));
                let mut client = Line::new(Script::of(&*requests), page);
                let owner = Owner::empty();
                assert_eq!(kind(owner.attend(&mut client)), Err(kind_of), "what `attend` says");
                // The request whose answer was lost has been carried out, and none of those after it.
                same_state(&owner, &asked[..whole_frames(&answered(&asked), room) + 1]);
            }
        }
        situation("an answer can't be flushed");
        let mut client = Line::new(Script::of(&*requests), Page::blank().flush_fails(ErrorKind::BrokenPipe));
        assert_eq!(kind(Owner::empty().attend(&mut client)), Err(ErrorKind::BrokenPipe), "what `attend` says");
        situation("the client takes no more bytes");
        let mut client = Line::new(Script::of(&*requests), Page::blank().room_for(3, Then::End));
        let error = Owner::empty().attend(&mut client).expect_err("the answer can't be written");
        assert!(
            error.kind() != TRIED_FOR_EVER,
            "it is tried for ever: who takes nothing will take nothing the next time"
        );
    });
}

#[test]
fn the_owner_may_go_at_any_point() {
    Check::new().threads_only().run(|| {
        let request = Request::Find("key".to_owned());
        for answer in [Ok(-2), Err(Refusal::NoSuchKey)] {
            let bytes = frame(&encode_answer(answer));
            for end in 0..bytes.len() {
                for then in LEAVES {
                    let goes = in_words(then);
                    situation(format!("the owner sends {end} of {} bytes of an answer, and then {goes}", bytes.len()));
                    let expected = if let Then::Fail(kind) = then { kind } else { ErrorKind::UnexpectedEof };
                    loses(Script::of(&bytes[..end]).then(then), Page::blank(), &request, expected);
                }
            }
        }
        let answer = frame(&encode_answer(Ok(5)));
        for room in 0..frame(&request.encode()).len() {
            for kind_of in [ErrorKind::BrokenPipe, ErrorKind::ConnectionAborted, ErrorKind::InvalidInput] {
                situation(format!("the owner takes {room} bytes of a request, and then goes ({kind_of:?})"));
                let page = Page::blank().room_for(room, Then::Fail(kind_of));
                loses(Script::of(answer.repeat(2)), page, &request, kind_of);
            }
        }
        situation("a request can't be flushed");
        let page = Page::blank().flush_fails(ErrorKind::BrokenPipe);
        loses(Script::of(answer.repeat(2)), page, &request, ErrorKind::BrokenPipe);
    });
}

/// How the other side goes. What may be tried again is reported as well: only `Interrupted` is not. And so is what has the same
/// name as an error of `attend`'s or `ask`'s own: a stream that fails has not ended.
const LEAVES: [Then; 7] = [
    Then::End,
    Then::Fail(ErrorKind::ConnectionReset),
    Then::Fail(ErrorKind::TimedOut),
    Then::Fail(ErrorKind::WouldBlock),
    Then::Fail(ErrorKind::UnexpectedEof),
    Then::Fail(ErrorKind::InvalidInput),
    Then::Fail(ErrorKind::BrokenPipe),
];

/// Asks twice: the first time it fails like this, and the second time because the proxy has hung up.
fn loses(script: Script, page: Page, request: &Request, expected: ErrorKind) {
    let hung_up = Arc::new(AtomicBool::new(false));
    let mut line = Line::new(script, page);
    let stream = Watched { line: &mut line, hung_up: Arc::clone(&hung_up) };
    let mut proxy = Proxy::new(stream);
    assert_eq!(kind(proxy.ask(request)), Err(expected), "what `ask` says");
    assert!(hung_up.load(Ordering::SeqCst), "after an error the proxy still holds its stream");
    assert_eq!(kind(proxy.ask(&Request::Get)), Err(ErrorKind::BrokenPipe), "what `ask` says the next time");
    let too_long = Request::Find("k".repeat(LONGEST));
    assert!(proxy.ask(&too_long).is_err(), "asking for too much, the time after that");
    drop(proxy);
    assert!(frame(&request.encode()).starts_with(line.writer.taken()), "what is written is the request, once");
}

#[test]
fn hostile_bytes_are_refused_before_they_cost_anything() {
    Check::new().threads_only().run(|| {
        let usually = for_a_short_message();
        let lengths = [LONGEST as u32 + 1, 1 << 17, 1 << 24, i32::MAX as u32, 1 << 31, u32::MAX];
        // Without their highest bit, these would be the lengths of a request and of an answer.
        for length in lengths.into_iter().chain([1, 9].into_iter().flat_map(|low| [(1 << 24) + low, (1 << 31) + low])) {
            for at in 0..=4 {
                situation(format!("a message of {length} bytes is announced, and a piece ends after {at} bytes"));
                let bytes = [&length.to_be_bytes(), &vec![0; 2 * BUFFER][..]].concat();
                hostile([bytes.clone(), bytes], at, usually);
            }
        }
        for bytes in hostile_messages().filter(|bytes| Request::decode(bytes).is_none()) {
            if decode_answer(&bytes).is_none() {
                situation(format!("a message of the bytes {bytes:?}"));
                // What follows would be a request, and an answer.
                hostile([[5].to_vec(), number(5)].map(|next| [frame(&bytes), frame(&next)].concat()), 0, usually);
            }
        }
    });
}

/// The owner does not take the one, and the proxy not the other for a message, and nobody else is worse off.
fn hostile([asked, said]: [Vec<u8>; 2], at: usize, usually: (u64, u64)) {
    let far = asked.len().saturating_sub(BUFFER);
    let owner = Owner::empty();
    assert_eq!(owner.answer(Request::Set(7)), Ok(0));
    let mut client = Line::new(Script::of(&*asked).cut_at([at]), Page::blank());
    let (outcome, bytes) = allocated(|| owner.attend(&mut client));
    assert_eq!(kind(outcome), Err(ErrorKind::InvalidData), "what `attend` says");
    let more = bytes.saturating_sub(usually.0);
    assert!(more < CHEAP, "`attend` allocated {more} bytes more than for a short request before it refused them");
    let left = client.reader.left();
    assert!(left >= far, "`attend` read on after the length: {left} bytes of it are left");
    assert_eq!(client.writer.taken(), [0; 0], "the answer to it");
    assert_eq!(owner.answer(Request::Get), Ok(7), "the value that another client had set");

    let mut line = Line::new(Script::of(said).cut_at([at]), Page::blank());
    let mut proxy = Proxy::new(&mut line);
    let (outcome, bytes) = allocated(|| proxy.ask(&Request::Get));
    assert_eq!(kind(outcome), Err(ErrorKind::InvalidData), "what `ask` says");
    let more = bytes.saturating_sub(usually.1);
    assert!(more < CHEAP, "`ask` allocated {more} bytes more than for a short answer before it refused them");
    assert_eq!(kind(proxy.ask(&Request::Get)), Err(ErrorKind::BrokenPipe), "what `ask` says the next time");
}

/// How many bytes `attend` and `ask` allocate when all is well. Whoever reads ahead has a buffer for that.
fn for_a_short_message() -> (u64, u64) {
    let mut line = Line::new(Script::of(frame(&[0])), Page::blank());
    let (end, attend) = allocated(|| Owner::empty().attend(&mut line));
    assert_eq!(kind(end), Ok(()), "what `attend` says of a client that asks for the value, and goes");
    let mut line = Line::new(Script::of(frame(&number(0))), Page::blank());
    let mut proxy = Proxy::new(&mut line);
    let (answer, ask) = allocated(|| proxy.ask(&Request::Get));
    assert_eq!(kind(answer), Ok(Ok(0)), "what `ask` says when 0 is answered");
    (attend, ask)
}

/// More than errors take, and less than the shortest message that is too long.
const CHEAP: u64 = 32 * 1024;

/// More than anybody needs who reads ahead.
const BUFFER: usize = 4 * LONGEST;

#[test]
fn each_answer_leaves_before_the_next_request_is_read() {
    Check::new().daemons().run(|| {
        let ((ears, mut mouth), (mut their_ears, their_mouth)) = (pipe(0, usize::MAX), pipe(0, usize::MAX));
        // What is written stays in the buffer until somebody flushes it.
        let stream = Line::new(ears, BufWriter::new(their_mouth));
        let attended = thread::spawn(|| Owner::empty().attend(stream));
        for sum in 1..=2 {
            say(&mut mouth, &[2, 0, 0, 0, 0, 0, 0, 0, 1]).unwrap();
            assert_eq!(hear(&mut their_ears), Ok(number(sum)), "the answer");
        }
        drop(mouth);
        assert_eq!(kind(attended.join().unwrap()), Ok(()), "`attend`, whose client has gone");
    });
}

/// What the other client does.
const OTHERS: [Other; 8] = [
    Other::Silent,
    Other::HalfARequest,
    Other::TakesNoAnswer,
    Other::TakesNoRefusal,
    Other::Rubbish,
    Other::Gone,
    Other::NotAccepted,
    Other::Slow,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Other {
    Silent,
    HalfARequest,
    TakesNoAnswer,
    TakesNoRefusal,
    Rubbish,
    Gone,
    NotAccepted,
    Slow,
}

impl std::fmt::Display for Other {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Other::Silent => "a client that says nothing",
            Other::HalfARequest => "a client that stops in the middle of a request",
            Other::TakesNoAnswer => "a client that asks and does not take the answer",
            Other::TakesNoRefusal => "a client that is refused and does not take that from a buffer",
            Other::Rubbish => "a client that sends rubbish",
            Other::Gone => "a client that goes in the middle of a request",
            Other::NotAccepted => "a client that could not be accepted",
            Other::Slow => "a client that says nothing and takes nothing until another one has been answered",
        })
    }
}

#[test]
fn no_client_waits_for_another() {
    // Of a slow one, who waits for whom is the same on every schedule, and there are many.
    let others = OTHERS.into_iter().filter(|other| !EXPLORED || *other != Other::Slow);
    Check::new().daemons().each(others, |other| {
        if *other == Other::Slow {
            return another_asks_meanwhile();
        }
        // Some are not accepted one after the other, as many as in a long life.
        let refused = if EXPLORED || *other != Other::NotAccepted { 0 } else { 70_000 };
        let (clients, lifeline, _) = served(refused);
        let begun = Instant::now();
        // They stay until the last one is done. On schedules one shows it all.
        let crowd = match other {
            _ if EXPLORED => 1,
            Other::Silent => HUNDREDS,
            _ => CROWD,
        };
        let mut held: Vec<_> = (0..crowd).map(|number| clients.meet(*other, number)).collect();
        let (mut ears, mut mouth) = clients.come();
        say(&mut mouth, &Request::Push(7).encode()).unwrap();
        assert_eq!(hear(&mut ears), Ok(number(1)), "the answer to a client that comes after {crowd} times {other}");
        // On schedules the time is the model's, and passes only if somebody sleeps and all others wait: for a moment, who looks now
        // and then.
        assert!(!EXPLORED || begun.elapsed() < MOMENT, "it had to wait for {:?} after {other}", begun.elapsed());
        // However long it took, and however many came meanwhile: the others can go on where they are.
        for ((ears, mouth), nth) in held.iter_mut().flatten().zip(2..) {
            let request = frame(&Request::Push(1).encode());
            let answer = match other {
                Other::Silent => mouth.write_all(&request).map(|()| number(nth)),
                Other::HalfARequest => mouth.write_all(&request[6..]).map(|()| number(nth)),
                Other::TakesNoAnswer => Ok(number(0)),
                Other::TakesNoRefusal => Ok(encode_answer(Err(Refusal::NoSuchKey))),
                Other::Rubbish => {
                    let heard = kind(ears.read(&mut [0]));
                    assert_eq!(heard, Ok(0), "what a client hears that has sent rubbish: nothing, and the end");
                    continue;
                }
                Other::Gone | Other::NotAccepted | Other::Slow => unreachable!("it is not held"),
            };
            assert_eq!(hear(ears), Ok(answer.expect("the owner hears it")), "the answer to {other}, when it goes on");
        }
        drop((held, lifeline));
    });
}

/// A client asks for everything, and whenever the owner uses its stream, another one does so, too.
fn another_asks_meanwhile() {
    let (clients, _lifeline, _) = serving(0);
    let (line, other) = (|| (pipe(0, usize::MAX), pipe(1, usize::MAX)), None);
    let ((others_ears, their_mouth), (their_ears, others_mouth)) = line();
    clients.send(Ok(Meanwhile { ears: their_ears, mouth: their_mouth, other })).unwrap();
    let ((mut ears, their_mouth), (their_ears, mut mouth)) = line();
    let other = Some((others_ears, others_mouth));
    clients.send(Ok(Meanwhile { ears: their_ears, mouth: their_mouth, other })).unwrap();
    for (request, answer) in whole_talk() {
        say(&mut mouth, &request.encode()).unwrap();
        assert_eq!(hear(&mut ears), Ok(encode_answer(answer)), "the answer to {request:?}");
    }
}

/// A client's stream. While somebody waits for it, another client asks.
struct Meanwhile {
    ears: PipeReader,
    mouth: PipeWriter,
    other: Option<(PipeReader, PipeWriter)>,
}

impl Meanwhile {
    fn another_asks(&mut self) {
        let Some((ears, mouth)) = &mut self.other else { return };
        // For all that there is, and to change it. Afterwards it is as before.
        let nobody = Request::Remove("nobody".to_owned());
        for request in [Request::Add(0), Request::Push(0), Request::Pop, nobody] {
            say(mouth, &request.encode()).expect("the owner listens");
            hear(ears).expect("an answer");
        }
    }
}

impl Read for Meanwhile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.another_asks();
        self.ears.read(buffer)
    }
}

impl Write for Meanwhile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.another_asks();
        self.mouth.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.another_asks();
        self.mouth.flush()
    }
}

/// More than anybody would have workers, or bits in a word.
const CROWD: usize = 70;

/// More clients than anybody would say are enough.
const HUNDREDS: usize = 300;

/// How long a client may wait for those who look now and then.
const MOMENT: Duration = Duration::from_millis(50);

#[test]
fn all_clients_ask_one_owner() {
    const COME: &str = "two clients, after which no more come";
    const ARE_THERE: &str = "two clients that are there before it serves, again and again";
    // Whether an owner is still there is a count of references, which is no step of a schedule: on threads it is tried often.
    let rows: &[&str] = if EXPLORED { &[COME] } else { &[COME, ARE_THERE] };
    Check::new().daemons().each(rows.to_vec(), |row| {
        if *row == COME {
            let (clients, _lifeline, _) = served(0);
            return add_one_each([clients.come(), clients.come()], clients);
        }
        for _ in 0..30 {
            let [(first, one), (second, other)] = [line(0), line(0)];
            let (end, _lifeline) = pipe(0, usize::MAX);
            thread::spawn(|| serve([first, second].map(Ok).into_iter(), end));
            add_one_each([one, other], ());
        }
    });
}

/// Two clients add 1 to 0 at the same time, and no more will come.
fn add_one_each(lines: [(PipeReader, PipeWriter); 2], others: impl Sized) {
    drop(others);
    let sums = thread::scope(|scope| {
        let adding = lines.map(|(mut ears, mut mouth)| {
            scope.spawn(move || {
                say(&mut mouth, &Request::Add(1).encode()).unwrap();
                hear(&mut ears)
            })
        });
        adding.map(|client| client.join().unwrap())
    });
    let mut sums = sums.map(|sum| sum.expect("an answer"));
    sums.sort();
    assert_eq!(sums, [number(1), number(2)], "two clients have added 1 to 0");
}

#[test]
fn serve_returns_when_its_lifeline_ends_and_not_before() {
    Check::new().daemons().each(["is not there", "says nothing", "says half a request", "asks"], |client| {
        // The lifeline is all that counts: clients may be there, whatever they do, and more may come.
        if *client != "is not there" {
            let (clients, lifeline, thread) = served(0);
            let (mut ears, mut mouth) = clients.come();
            say(&mut mouth, &Request::Get.encode()).unwrap();
            assert_eq!(hear(&mut ears), Ok(number(0)), "the answer to a client that then {client}");
            let request = frame(&Request::Get.encode());
            let said = match *client {
                "says nothing" => &[],
                "says half a request" => &request[..3],
                _ => &request[..],
            };
            mouth.write_all(said).unwrap();
            drop(lifeline);
            thread.join().unwrap();
            drop((clients, ears, mouth));
            return;
        }
        for words in [&b""[..], b"\n", &[0; 3], b"\xff\n", b"\x04", b"quit\n"] {
            let (mut lifeline, cut) = (pipe(0, usize::MAX), Arc::new(AtomicBool::new(false)));
            let cutting = Arc::clone(&cut);
            let holder = thread::spawn(move || {
                lifeline.1.write_all(words).unwrap();
                cutting.store(true, Ordering::SeqCst);
            });
            serve(std::iter::empty::<io::Result<Line<io::Empty, io::Empty>>>(), lifeline.0);
            assert!(cut.load(Ordering::SeqCst), "`serve` returned before its lifeline had ended");
            holder.join().unwrap();
        }
    });
}

#[test]
fn a_lifeline_that_fails_has_ended() {
    Check::new().threads_only().library_threads().run(|| {
        let nobody = std::iter::empty::<io::Result<Line<io::Empty, io::Empty>>>;
        let failures = [ErrorKind::ConnectionReset, ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Other];
        let thens = [Then::End].into_iter().chain(failures.map(Then::Fail));
        let torn = [0, 1, 70_000].into_iter().flat_map(|bytes| thens.clone().map(move |then| (bytes, then)));
        for (left, then) in torn.chain([(MANY, Then::End)]) {
            let how = if let Then::Fail(kind) = then { format!("fails ({kind:?})") } else { "ends".to_owned() };
            situation(format!("the lifeline {how} after {left} bytes"));
            let mut lifeline = Lifeline { left, then, ends: 0 };
            serve(nobody(), &mut lifeline);
            assert_eq!(lifeline.left, 0, "how many bytes of the lifeline nobody has read");
            assert_eq!(lifeline.ends, 1, "how often the lifeline has ended or failed: nobody asks it again");
        }
        for bytes in [0, 1, 10] {
            situation(format!(
                "reading the lifeline is interrupted {OFTEN} times at each call, and it ends after {bytes} bytes"
            ));
            let mut lifeline = Rude::to(Script::of(vec![b'x'; bytes]));
            serve(nobody(), &mut lifeline);
            assert_eq!(lifeline.stream.left(), 0, "how many bytes of the lifeline nobody has read");
        }
    });
}

/// More than anybody would take for all that is ever written to a lifeline.
const MANY: usize = (1 << 21) + 1;

#[test]
fn processes_share_what_one_process_owns() {
    check(|children| {
        let manager = Manager::start(children.command("owner")).unwrap();
        assert!(manager.address().ip().is_loopback(), "other machines can reach the owner at {}", manager.address());
        // On Linux, all addresses that begin with 127 are this machine's. Others may be silent there for a minute.
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], manager.address().port()));
        if cfg!(target_os = "linux") && manager.address() != elsewhere {
            assert!(TcpStream::connect(elsewhere).is_err(), "the owner listens at {elsewhere}, too: at all addresses");
        }
        let mut proxy = manager.connect().unwrap();
        let other_manager = Manager::start(children.command("owner")).unwrap();
        children.rendezvous("table", 3);
        let clients = [0, 1, 2].map(|number| {
            let mut command = children.command("client");
            command.env(NUMBER, number.to_string()).env(ADDRESS, manager.address().to_string()).spawn().unwrap()
        });
        for mut client in clients {
            assert!(client.wait().unwrap().success(), "a client got an answer that is wrong, or none");
        }
        assert_eq!(kind(proxy.ask(&Request::Get)), Ok(Ok(3 * TIMES)), "the value after {TIMES} additions of 3 clients");
        let last = proxy.ask(&Request::Item((3 * TIMES - 1).try_into().unwrap()));
        assert_eq!(kind(last.map(|item| item.is_ok())), Ok(true), "the list's last item is there");
        for number in 0..3 {
            let name = Request::Find(number.to_string());
            assert_eq!(kind(proxy.ask(&name)), Ok(Ok(number)), "what client {number} put into the map");
        }
        let untouched = other_manager.connect().unwrap().ask(&Request::Get);
        assert_eq!(kind(untouched), Ok(Ok(0)), "the value of another manager's owner");
        let mut other = manager.connect().unwrap();
        assert_eq!(kind(other.ask(&Request::Find("nobody".to_owned()))), Ok(Err(Refusal::NoSuchKey)), "a missing key");
        assert!(manager.shutdown().unwrap().success(), "the owner's exit code");
        assert!(other.ask(&Request::Get).is_err(), "asking an owner that has been shut down");
    });
}

#[test]
fn an_owner_that_dies_is_an_error_and_no_wait() {
    check(|children| {
        // Of the last one nobody looks whether it is dead already.
        for (row, (how, known)) in [("exits", true), ("is killed", true), ("exits", false)].into_iter().enumerate() {
            situation(format!("an owner {how}{}", if known { ", and has done so when it is shut down" } else { "" }));
            let mut command = children.command("dies_when_asked");
            command.env(HOW, how);
            let manager = Manager::start(command).unwrap();
            let process = children.wait_until_told(row + 1).pop().unwrap();
            // It hears that this one goes.
            drop(manager.connect().unwrap());
            let waiting: Vec<_> = (0..CROWD).map(|_| manager.connect().unwrap()).collect();
            let mut asks = manager.connect().unwrap();
            thread::scope(|scope| {
                for mut proxy in waiting {
                    scope
                        .spawn(move || assert!(proxy.ask(&Request::Get).is_err(), "the owner died before it answered"));
                }
                assert!(asks.ask(&Request::Get).is_err(), "the owner died before it answered");
            });
            assert!(manager.connect().is_err(), "nobody listens there any more");
            if known {
                until(|| is_dead(&process));
            }
            let status = manager.shutdown().unwrap();
            if how == "exits" {
                assert_eq!(status.code(), Some(3), "the owner's exit code");
            } else {
                assert!(!status.success(), "what `shutdown` says of an owner that was killed: {status}");
                #[cfg(unix)]
                assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "what killed the owner");
            }
        }
    });
}

/// Whether a process has ended, and is a zombie until somebody waits for it. Where the system doesn't say, each is.
fn is_dead(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    // Its state comes after its name, which stands in parentheses.
    let state = stat.ok().and_then(|stat| stat.rsplit(") ").next()?.chars().next());
    // It is the first thread's, and nobody can wait for the process before the others have gone.
    let others = fs::read_dir(format!("/proc/{process}/task")).map_or(0, |threads| threads.skip(1).count());
    state.is_none_or(|state| "ZX".contains(state)) && others == 0
}

#[test]
fn a_program_that_is_no_owner_is_an_error_and_is_ended() {
    check(|children| {
        situation("there is no such program");
        let error = Manager::start(Command::new("no-such-program")).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        situation("nobody can read the address that an owner writes");
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = children.command("owner");
        let mut deaf = command.stdin(Stdio::piped()).stdout(writer).spawn().unwrap();
        drop(command);
        assert_eq!(deaf.wait().unwrap().code(), Some(1), "the exit code of a program whose `run` gives an error");
        let words: [&[u8]; 13] = [
            b"",
            b"\n",
            b"hello\n",
            b"localhost:1234\n",
            b"127.0.0.1\n",
            b"127.0.0.1:12 34\n",
            b"127.0.0.1:123456\n",
            // Blanks around it, of which one is half of another system's end of a line.
            b" 127.0.0.1:1234\n",
            b"127.0.0.1:1234\r\n",
            b"hello\n127.0.0.1:1234\n",
            b"\xff\xfe\n",
            // An owner that dies while it says its address.
            b"127.0.0.1:12",
            // Without an end.
            b"............",
        ];
        for words in words {
            for stays in [false, true] {
                let (shown, floods) = (String::from_utf8_lossy(words), words.ends_with(b".."));
                // Of one that may say more, nobody can know.
                let (then, role) = match stays {
                    true if floods => continue,
                    false if floods => ("ends", "floods"),
                    false => ("ends", "says"),
                    true if words.ends_with(b"\n") => ("stays", "says_and_stays"),
                    true => ("closes its output, but stays", "says_and_closes"),
                };
                situation(format!(
                    "the program says {shown:?}, {}and {then}",
                    if floods { "a million times, " } else { "" }
                ));
                let mut command = children.command(role);
                command.env(WORDS, in_numbers(words));
                let error = Manager::start(command).map(drop).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
                Children::none_is_left();
            }
        }
        // Addresses of IPv6, of which the second is as long as they can be; what follows the line; and a line that comes in pieces.
        let ipv6 =
            [([0, 0, 0, 0, 0, 0, 0, 1], 1), ([0xfd12, 0x3456, 0x789a, 0x1111, 0x2222, 0x3333, 0x4444, 0x5555], 65_535)];
        let [short, long] = ipv6.map(|address| SocketAddr::from(address).to_string());
        let ipv4 = "127.0.0.1:1234";
        for place in ["piece 1", "piece 2", "piece 3"] {
            // Whoever takes a piece for the line has done so.
            children.open_when_still(place);
        }
        let lines: [(&str, &[&[u8]], &str); 7] = [
            (&short, &[short.as_bytes(), b"\n"], "says_and_stays"),
            (&long, &[long.as_bytes(), b"\n"], "says_and_stays"),
            (ipv4, &[ipv4.as_bytes(), b"\n127.0.0.1:5678\nhello\n"], "says_and_stays"),
            (ipv4, &[ipv4.as_bytes(), b"\n\xff"], "says_and_stays"),
            (ipv4, &[ipv4.as_bytes(), b"\n"], "floods"),
            (ipv4, &[b"127", BREAK, b".0.0.1:12", BREAK, b"34", BREAK, b"\n"], "says_and_stays"),
            (ipv4, &[b"127.0.0.1:1234\n12", BREAK, b"34"], "says_and_stays"),
        ];
        for (address, words, role) in lines {
            let words = words.concat();
            let shown = String::from_utf8_lossy(&words).replace('\x1f', "\", and then \"");
            situation(format!(
                "a manager of a program that says {shown:?}{}",
                if role == "floods" { ", and a million dots" } else { "" }
            ));
            let mut command = children.command(role);
            command.env(WORDS, in_numbers(&words));
            let manager = Manager::start(command).unwrap();
            assert_eq!(manager.address().to_string(), address, "what the program has said");
            drop(manager);
            Children::none_is_left();
        }
    });
}

/// What becomes of a manager.
type End = fn(Manager);

#[test]
fn no_owner_outlives_its_manager() {
    check(|children| {
        let ends: [(&str, End); 3] = [
            ("it is shut down", |manager| assert!(manager.shutdown().unwrap().success(), "the owner's exit code")),
            ("it is dropped", |manager| drop(manager)),
            ("its owner panics", |manager| {
                let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                    let _manager = manager;
                    panic_on_purpose("whoever has a manager panics");
                }));
                assert!(outcome.is_err());
            }),
        ];
        for (how, end) in ends {
            situation(format!("a manager with a client, and {how}"));
            let manager = Manager::start(children.command("owner")).unwrap();
            let mut proxy = manager.connect().unwrap();
            assert_eq!(kind(proxy.ask(&Request::Add(1))), Ok(Ok(1)), "a new owner's answer");
            end(manager);
            Children::none_is_left();
        }
        situation("a manager of a program that has something to do after its lifeline has ended; it is shut down");
        children.open_when_still("the end");
        let mut command = children.command("ends_late");
        command.env(WORDS, in_numbers(b"127.0.0.1:1\n"));
        let status = Manager::start(command).unwrap().shutdown().unwrap();
        assert_eq!(status.code(), Some(7), "the program's own exit code");
        Children::none_is_left();
        situation("a manager of a program that is no owner, and never ends; it is dropped");
        let mut command = children.command("says_and_stays");
        command.env(WORDS, in_numbers(b"127.0.0.1:1\n"));
        drop(Manager::start(command).unwrap());
        Children::none_is_left();
    });
}

#[test]
fn no_owner_outlives_the_process_that_started_it() {
    // An owner without its starter is no descendant of this process: while only it moves, nothing seems to move.
    Check::new().threads_only().patient().deadline(Duration::from_secs(30)).run(|| {
        let children = Children::new();
        situation("a process starts an owner, and lets go of it");
        drop(Manager::start(children.command("owner")).unwrap());
        for how in ["exits", "is killed"] {
            situation(format!("a process starts an owner, asks it, and {how} without a word"));
            let mut command = children.command("starter");
            // The owner is a child of the child, in a role of its own.
            let [(variable, role), _] = children.variables("owner");
            let mut starter = command.env(OWNER, format!("{variable}={role}")).env(HOW, how).spawn().unwrap();
            let status = starter.wait().unwrap();
            assert_ne!(status.code(), Some(101), "the starter panicked, since its owner did not do what it should");
            children.wait_until_gone();
        }
    });
}

roles!(owner, client, dies_when_asked, says, says_and_stays, says_and_closes, stays, floods, ends_late, starter);

const ADDRESS: &str = "KATA_MANAGER_ADDRESS";
const NUMBER: &str = "KATA_MANAGER_NUMBER";
const WORDS: &str = "KATA_MANAGER_WORDS";
const OWNER: &str = "KATA_MANAGER_OWNER";
const HOW: &str = "KATA_MANAGER_HOW";

/// How often each client adds.
const TIMES: i64 = 20;

/// What this process was told by whoever started it.
fn variable(name: &str) -> String {
    env::var(name).expect("the test has set it")
}

fn owner() -> i32 {
    // From now on the test knows that it is there.
    tell("an owner");
    code(run().is_ok())
}

/// Adds, pushes, and puts its number into the map. It does not end well if an answer can't be.
fn client() -> i32 {
    let mut proxy = Proxy::new(TcpStream::connect(variable(ADDRESS)).unwrap());
    let number: i64 = variable(NUMBER).parse().unwrap();
    meet("table");
    let mut last = [0; 2];
    for _ in 0..TIMES {
        let new = [Request::Add(1), Request::Push(number)].map(|request| proxy.ask(&request).unwrap().unwrap());
        assert!(new[0] > last[0] && new[1] > last[1], "after {last:?} came {new:?}");
        last = new;
    }
    let keys = proxy.ask(&Request::Insert(number.to_string(), number)).unwrap().unwrap();
    // Its last words are half a request.
    let mut dying = TcpStream::connect(variable(ADDRESS)).unwrap();
    dying.write_all(&frame(&Request::Set(0).encode())[..9]).unwrap();
    code((1..=3).contains(&keys))
}

/// Listens, hears one client go and one request of the last one, and ends without an answer.
fn dies_when_asked() -> i32 {
    tell(&process::id().to_string());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    let (mut gone, _) = listener.accept().unwrap();
    assert_eq!(gone.read(&mut [0]).unwrap(), 0, "what comes from a proxy that was dropped");
    // Each proxy has a connection of its own.
    let mut clients: Vec<_> = (0..=CROWD).map(|_| listener.accept().unwrap().0).collect();
    // Before its clients can know that it has died, so that nobody who knows it is let in.
    drop(listener);
    clients[CROWD].read_exact(&mut [0; 5]).unwrap();
    if variable(HOW) == "is killed" { die_of(9) } else { 3 }
}

/// Where a program stops in the middle of its words, until nothing else moves.
const BREAK: &[u8] = b"\x1f";

/// Words for a program's environment, which takes no NUL, and text only.
fn in_numbers(words: &[u8]) -> String {
    words.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// Writes what it was told to.
fn says() -> i32 {
    let words: Vec<u8> = variable(WORDS).split_whitespace().map(|byte| byte.parse().unwrap()).collect();
    let mut output = io::stdout();
    for (number, piece) in words.split(|byte| [*byte] == *BREAK).enumerate() {
        if number > 0 {
            meet(&format!("piece {number}"));
        }
        // Whoever has heard enough may have gone.
        let _ = output.write_all(piece).and_then(|()| output.flush());
    }
    0
}

fn says_and_stays() -> i32 {
    says();
    stays()
}

fn stays() -> i32 {
    meet("never");
    0
}

/// Writes what it was told to, closes its output, and stays. Where no program can take the place of another one, it ends.
fn says_and_closes() -> i32 {
    says();
    let mut next = Command::new(env::current_exe().unwrap());
    next.envs(variables("stays")).stdout(Stdio::null());
    #[cfg(unix)]
    panic!("{}", std::os::unix::process::CommandExt::exec(&mut next));
    #[cfg(not(unix))]
    0
}

/// Writes more than any pipe holds, and never ends the line. Whoever waits for its end waits for ever.
fn floods() -> i32 {
    says();
    let _ = io::stdout().write_all(&vec![b'.'; 1 << 20]);
    meet("never");
    0
}

/// Has something to do after its lifeline has ended.
fn ends_late() -> i32 {
    says();
    io::copy(&mut io::stdin(), &mut io::sink()).unwrap();
    meet("the end");
    7
}

/// Starts an owner, and ends without shutting it down.
fn starter() -> i32 {
    let mut command = Command::new(env::current_exe().unwrap());
    let role = variable(OWNER);
    let (name, value) = role.split_once('=').unwrap();
    let manager = Manager::start({
        command.env(name, value);
        command
    });
    let manager = manager.unwrap();
    assert_eq!(manager.connect().unwrap().ask(&Request::Add(2)).unwrap(), Ok(2));
    if variable(HOW) == "is killed" { die_of(9) } else { process::exit(0) }
}

/// The exit code of a child.
fn code(content: bool) -> i32 {
    if content { 0 } else { 1 }
}

/// Runs a body that needs child processes. When it returns, no thread and no process may be left, not even a zombie. It has plenty
/// of time: a busy machine may take it.
#[track_caller]
fn check(body: impl Fn(&Children) + Send + Sync + 'static) {
    Check::new().threads_only().deadline(Duration::from_secs(30)).run(move || body(&Children::new()));
}

/// A stream of two halves.
#[derive(Debug)]
struct Line<R, W> {
    reader: R,
    writer: W,
}

impl<R, W> Line<R, W> {
    fn new(reader: R, writer: W) -> Line<R, W> {
        Line { reader, writer }
    }
}

impl<R: Read, W> Read for Line<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<R, W: Write> Write for Line<R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// How often a rude stream interrupts. Signals may come as often as they like.
const OFTEN: u32 = 10_000;

/// A stream that interrupts every call so often.
struct Rude<S> {
    stream: S,
    interrupted: u32,
}

impl<S> Rude<S> {
    fn to(stream: S) -> Rude<S> {
        Rude { stream, interrupted: 0 }
    }

    fn interrupt(&mut self) -> io::Result<&mut S> {
        self.interrupted = (self.interrupted + 1) % (OFTEN + 1);
        if self.interrupted == 0 { Ok(&mut self.stream) } else { Err(ErrorKind::Interrupted.into()) }
    }
}

impl<S: Read> Read for Rude<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt()?.read(buffer)
    }
}

impl<S: Write> Write for Rude<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupt()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A lifeline of so many bytes, and how often it has ended.
struct Lifeline {
    left: usize,
    then: Then,
    ends: u32,
}

impl Read for Lifeline {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.left.min(buffer.len());
        if length == 0 && !buffer.is_empty() {
            self.ends += 1;
            return match self.then {
                _ if self.ends > 1_000 => Err(TRIED_FOR_EVER.into()),
                Then::End => Ok(0),
                Then::Fail(kind) => Err(kind.into()),
            };
        }
        // Who reads lines shall see the end once as well: after the end of a line.
        buffer[..length].fill(b'\n');
        self.left -= length;
        Ok(length)
    }
}

/// A stream that tells when it is dropped.
struct Watched<'a> {
    line: &'a mut Line<Script, Page>,
    hung_up: Arc<AtomicBool>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.line.read(buffer)
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.hung_up.store(true, Ordering::SeqCst);
    }
}

/// The clients of an owner that serves.
struct Clients(mpsc::Sender<io::Result<ClientsLine>>);

/// What `serve` has of a client.
type ClientsLine = Line<PipeReader, BufWriter<PipeWriter>>;

/// A line between a client and its owner: what the owner has of it, with a buffer of so many bytes, and what the client hears and speaks
/// with.
fn line(buffer: usize) -> (ClientsLine, (PipeReader, PipeWriter)) {
    let ((ears, mouth), (their_ears, their_mouth)) = (pipe(0, usize::MAX), pipe(1, usize::MAX));
    (Line::new(their_ears, BufWriter::with_capacity(buffer, mouth)), (ears, their_mouth))
}

/// An owner that serves until the lifeline is dropped, after so many clients that could not be accepted.
fn served(refused: usize) -> (Clients, PipeWriter, JoinHandle<()>) {
    let (clients, lifeline, thread) = serving(refused);
    (Clients(clients), lifeline, thread)
}

/// The same, for clients of any kind.
fn serving<S>(refused: usize) -> (mpsc::Sender<io::Result<S>>, PipeWriter, JoinHandle<()>)
where
    S: Read + Write + Send + 'static,
{
    let ((clients, comes), (end, lifeline)) = (mpsc::channel(), pipe(0, usize::MAX));
    // Whoever rests for a moment after each of them need not do so for all of them.
    let begun = Instant::now();
    let refused = (0..refused).map_while(move |number| (begun.elapsed() < 4 * MOMENT).then(|| Err(refusal(number))));
    // Not `into_iter`: so a trace shows this line, and not one of std's.
    let comes = refused.chain(std::iter::from_fn(move || comes.recv().ok()));
    let owner = thread::Builder::new().name("serve".to_owned());
    let thread = owner.spawn(move || serve(comes, end)).expect("there is room for one more thread");
    (clients, lifeline, thread)
}

/// Why a client was not accepted. The number decides.
fn refusal(number: usize) -> io::Error {
    use ErrorKind::{ConnectionAborted, Interrupted, OutOfMemory, PermissionDenied, TimedOut, WouldBlock};
    // The first stands for what std has no name for, such as too many open files.
    let whys = [ErrorKind::Other, ConnectionAborted, PermissionDenied, OutOfMemory, TimedOut, Interrupted, WouldBlock];
    whys[number % whys.len()].into()
}

impl Clients {
    /// A client comes. It gets what it hears with, and what it speaks with.
    fn come(&self) -> (PipeReader, PipeWriter) {
        self.come_with(0)
    }

    /// A client comes whose answers go through a buffer of so many bytes. With none, they are written at once, and not only flushed.
    fn come_with(&self, buffer: usize) -> (PipeReader, PipeWriter) {
        let (theirs, own) = line(buffer);
        self.0.send(Ok(theirs)).expect("`serve` takes clients as long as its lifeline is there");
        own
    }

    /// A client comes, and does this. If it is not accepted, its number decides why.
    fn meet(&self, other: Other, number: usize) -> Option<(PipeReader, PipeWriter)> {
        if other == Other::NotAccepted {
            self.0.send(Err(refusal(number))).expect("`serve` takes clients");
            return None;
        }
        let (ears, mut mouth) = self.come_with(if other == Other::TakesNoRefusal { 64 } else { 0 });
        let request = frame(&Request::Push(1).encode());
        match other {
            Other::Silent | Other::NotAccepted | Other::Slow => {}
            Other::HalfARequest | Other::Gone => mouth.write_all(&request[..6]).unwrap(),
            // Not a push: the answer of the one who comes later shall not depend on who is first.
            Other::TakesNoAnswer => mouth.write_all(&frame(&Request::Get.encode())).unwrap(),
            Other::TakesNoRefusal => mouth.write_all(&frame(&Request::Find(String::new()).encode())).unwrap(),
            Other::Rubbish => mouth.write_all(&frame(b"\xff")).unwrap(),
        }
        (other != Other::Gone).then_some((ears, mouth))
    }
}

/// Says a message.
fn say(mouth: &mut impl Write, message: &[u8]) -> io::Result<()> {
    mouth.write_all(&frame(message))
}

/// Hears a message, if the stream has one.
fn hear(ears: &mut impl Read) -> Result<Vec<u8>, ErrorKind> {
    let mut length = [0; 4];
    kind(ears.read_exact(&mut length))?;
    let mut message = vec![0; u32::from_be_bytes(length) as usize];
    kind(ears.read_exact(&mut message))?;
    Ok(message)
}

/// The bytes of a message as they are written.
fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

/// The answer of this number, in bytes.
fn number(number: i64) -> Vec<u8> {
    [&[0][..], &number.to_be_bytes()].concat()
}

/// The kind of an error.
fn kind<T>(outcome: io::Result<T>) -> Result<T, ErrorKind> {
    outcome.map_err(|error| error.kind())
}

fn in_words(then: Then) -> String {
    match then {
        Then::End => "goes".to_owned(),
        Then::Fail(kind) => format!("the stream fails ({kind:?})"),
    }
}

/// Streams that are cut there, in both directions.
fn cut(script: Script, page: Page, cuts: [usize; 2], interrupted: bool) -> Line<Script, Page> {
    let (script, page) = (script.cut_at(cuts), page.cut_at(cuts));
    if interrupted { Line::new(script.interrupted(), page.interrupted()) } else { Line::new(script, page) }
}

/// Every number below this with itself and with each later one.
fn pairs(below: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..below).flat_map(move |first| (first..below).map(move |second| (first, second)))
}

/// Requests, and their bytes by hand.
fn requests() -> Vec<(Request, Vec<u8>)> {
    let [low, high, minus] = [[0, 0, 0, 0, 0, 0, 0, 5], [1, 2, 3, 4, 5, 6, 7, 8], [255; 8]];
    let with = |tag: u8, number: [u8; 8], key: &[u8]| [&[tag], &number[..], key].concat();
    let keys = alike().into_iter().flat_map(|key| {
        let [insert, find, remove] =
            [with(6, low, key.as_bytes()), [b"\x07", key.as_bytes()].concat(), [b"\x08", key.as_bytes()].concat()];
        [(Request::Insert(key.clone(), 5), insert), (Request::Find(key.clone()), find), (Request::Remove(key), remove)]
    });
    let by_hand = [
        (Request::Get, vec![0]),
        (Request::Set(5), with(1, low, b"")),
        (Request::Set(0x01_02_03_04_05_06_07_08), with(1, high, b"")),
        (Request::Add(-1), with(2, minus, b"")),
        (Request::Push(0x01_02_03_04_05_06_07_08), with(3, high, b"")),
        (Request::Push(i64::MIN), with(3, [128, 0, 0, 0, 0, 0, 0, 0], b"")),
        (Request::Item(5), with(4, low, b"")),
        (Request::Item(u64::MAX), with(4, minus, b"")),
        (Request::Pop, vec![5]),
        (Request::Insert(String::new(), -1), with(6, minus, b"")),
        (Request::Insert("key".to_owned(), 0x01_02_03_04_05_06_07_08), with(6, high, b"key")),
    ];
    by_hand.into_iter().chain(keys).collect()
}

/// Keys of which no two are the same.
fn alike() -> Vec<String> {
    // No editor has written them, and no string of C holds them: what stands around a key or ends a line is a part of it.
    let around = ["", " ", "\n", "\r\n", "\t", "\0", "\u{a0}", "\u{feff}", "\u{200b}", "/", "\"", "'"];
    let around = around.into_iter().flat_map(|sign| {
        let more: &[String] = if sign.is_empty() { &[] } else { &[format!("{sign}key"), format!("ke{sign}y")] };
        [&[sign.to_owned(), format!("key{sign}")], more].concat()
    });
    // What is the same in some language, or to some eyes.
    let similar =
        ["k", "ke", "key key", "Key", "KEY", "yek", "kéy", "ke\u{301}y", "ｋｅｙ", "kеy", "키", "1", "01", "+1", "1.0"];
    // With each of these hashes of 32 bits, two keys have the same: FNV-1a, FNV-1, the lower and the upper half of FNV-1a with 64 bits
    // and both together, Murmur3, Jenkins', the halves of what std's `DefaultHasher` makes of a `str` and of its bytes, the sums
    // with the factors 131 and 65,599, Bernstein's with an exclusive or, CRC-32, and CRC-32C.
    let same_hash = "gwimba ciwrwu kohskc dkqnuf bidjwi gkujjh clwjhc cgcqpx hcbqmy lnwwti cltihl aidahz golbwn ktzguo lsvjvb nxjzla \
        wknkkw vaqgom pxhauj axgmbi qwhdxq ujxchl ndetvy vpfjxc eksqqd bahlei INXwxYvJ sVznLygx pTSbZwkW ishNUNZm TQADEbxC jnPXJSHA \
        hGKBqJvF AfAbPNBc JnpsbEvR baBeIjBn";
    let words = similar.into_iter().chain(same_hash.split_whitespace()).map(str::to_owned);
    let long = "key ".repeat(300);
    around
        .chain(words)
        .chain([format!("1{long}"), format!("2{long}"), format!("{long}1"), format!("{long}2")])
        .collect()
}

/// Answers, and their bytes by hand.
fn answers() -> [(Answer, Vec<u8>); 6] {
    [
        (Ok(0x01_02_03_04_05_06_07_08), vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (Ok(-1), vec![0, 255, 255, 255, 255, 255, 255, 255, 255]),
        (Ok(0), vec![0; 9]),
        (Err(Refusal::Overflow), vec![1]),
        (Err(Refusal::NoSuchIndex), vec![2]),
        (Err(Refusal::NoSuchKey), vec![3]),
    ]
}

/// Messages of which most are nothing: every tag with too little and too much after it, and keys that are no UTF-8.
fn hostile_messages() -> impl Iterator<Item = Vec<u8>> {
    let lengths = [0, 1, 7, 8, 9, 10, 16, 17];
    let tags = (0..=u8::MAX).flat_map(move |tag| lengths.map(|length| [&[tag], &vec![b'a'; length][..]].concat()));
    // A byte that begins nothing, one that goes on with nothing, a character that is cut off, half of a pair, one too high.
    let keys: [&[u8]; 5] = [b"\xff", b"a\x80", b"\xed\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"];
    let broken = (6..=8).flat_map(move |tag| {
        let before: &[u8] = if tag == 6 { &[0; 8] } else { b"" };
        keys.map(|key| [&[tag], before, key].concat())
    });
    std::iter::once(Vec::new()).chain(tags).chain(broken)
}

/// A dialogue with a new owner.
fn dialogue() -> Vec<(Request, Answer)> {
    use Refusal::{NoSuchIndex, NoSuchKey, Overflow};
    use Request::{Add, Find, Get, Insert, Item, Pop, Push, Remove, Set};
    let key = |name: &str| name.to_owned();
    // Keys that differ in their last byte only, and are as long as a request lets them be.
    let long = |end: &str| "k".repeat(LONGEST - 10) + end;
    vec![
        (Get, Ok(0)),
        (Add(5), Ok(5)),
        (Add(-7), Ok(-2)),
        (Get, Ok(-2)),
        (Set(9), Ok(-2)),
        (Get, Ok(9)),
        (Add(0), Ok(9)),
        // The largest number there is, and one more.
        (Set(i64::MAX), Ok(9)),
        (Add(1), Err(Overflow)),
        (Get, Ok(i64::MAX)),
        (Add(i64::MIN), Ok(-1)),
        (Add(i64::MIN), Err(Overflow)),
        (Get, Ok(-1)),
        // The smallest number, and one less.
        (Set(0), Ok(-1)),
        (Add(i64::MIN), Ok(i64::MIN)),
        (Add(-1), Err(Overflow)),
        (Add(i64::MAX), Ok(-1)),
        (Item(0), Err(NoSuchIndex)),
        (Pop, Err(NoSuchIndex)),
        (Push(10), Ok(1)),
        (Push(20), Ok(2)),
        (Push(10), Ok(3)),
        (Item(0), Ok(10)),
        (Item(1), Ok(20)),
        (Item(2), Ok(10)),
        (Item(3), Err(NoSuchIndex)),
        (Item(1 << 32), Err(NoSuchIndex)),
        (Item(u64::MAX), Err(NoSuchIndex)),
        (Pop, Ok(10)),
        (Item(2), Err(NoSuchIndex)),
        (Pop, Ok(20)),
        (Push(30), Ok(2)),
        (Item(1), Ok(30)),
        (Pop, Ok(30)),
        (Pop, Ok(10)),
        (Pop, Err(NoSuchIndex)),
        // None of these numbers stands for an item that is not there.
        (Push(-1), Ok(1)),
        (Push(0), Ok(2)),
        (Push(i64::MIN), Ok(3)),
        (Push(i64::MAX), Ok(4)),
        (Item(0), Ok(-1)),
        (Item(1), Ok(0)),
        (Item(2), Ok(i64::MIN)),
        (Item(3), Ok(i64::MAX)),
        (Pop, Ok(i64::MAX)),
        (Pop, Ok(i64::MIN)),
        (Pop, Ok(0)),
        (Pop, Ok(-1)),
        (Pop, Err(NoSuchIndex)),
        (Find(key("")), Err(NoSuchKey)),
        (Remove(key("")), Err(NoSuchKey)),
        (Insert(key(""), 1), Ok(1)),
        (Insert(key("a"), 2), Ok(2)),
        (Insert(key("a"), 3), Ok(2)),
        (Insert(key("A"), 4), Ok(3)),
        (Find(key("")), Ok(1)),
        (Find(key("a")), Ok(3)),
        (Find(key("A")), Ok(4)),
        (Find(key(" a")), Err(NoSuchKey)),
        (Remove(key("a")), Ok(3)),
        (Find(key("a")), Err(NoSuchKey)),
        (Remove(key("a")), Err(NoSuchKey)),
        (Insert(key("a"), i64::MIN), Ok(3)),
        (Find(key("a")), Ok(i64::MIN)),
        (Insert(long("a"), 0), Ok(4)),
        (Insert(long("b"), 6), Ok(5)),
        (Find(long("a")), Ok(0)),
        (Remove(long("b")), Ok(6)),
        (Find(long("a")), Ok(0)),
        (Insert(long("a"), -1), Ok(4)),
        (Find(long("a")), Ok(-1)),
        (Remove(long("a")), Ok(-1)),
        // A NUL ends no key.
        (Insert(key("n\0a"), i64::MAX), Ok(4)),
        (Insert(key("n\0b"), 7), Ok(5)),
        (Find(key("n")), Err(NoSuchKey)),
        (Find(key("n\0a")), Ok(i64::MAX)),
        (Remove(key("n\0b")), Ok(7)),
        // Keys of the same bytes in another order, and some that simple sums of their bytes take for one: 31·A + a is 31·B + B, and
        // 33·E + z is 33·F + Y.
        (Insert(key("ab"), 1), Ok(5)),
        (Insert(key("ba"), 2), Ok(6)),
        (Insert(key("Aa"), 3), Ok(7)),
        (Insert(key("BB"), 4), Ok(8)),
        (Insert(key("Ez"), 5), Ok(9)),
        (Insert(key("FY"), 6), Ok(10)),
        (Find(key("ab")), Ok(1)),
        (Find(key("Aa")), Ok(3)),
        (Find(key("Ez")), Ok(5)),
        // None of it has touched the value.
        (Get, Ok(-1)),
    ]
}

/// A dialogue that is short enough to be cut everywhere.
fn short_talk() -> Vec<(Request, Answer)> {
    vec![
        (Request::Add(5), Ok(5)),
        (Request::Find("a".to_owned()), Err(Refusal::NoSuchKey)),
        (Request::Insert("a".to_owned(), -1), Ok(1)),
        (Request::Add(2), Ok(7)),
    ]
}

/// A dialogue with requests of every kind, granted and refused.
fn whole_talk() -> Vec<(Request, Answer)> {
    let key = |name: &str| name.to_owned();
    vec![
        (Request::Set(i64::MAX), Ok(0)),
        (Request::Add(1), Err(Refusal::Overflow)),
        (Request::Add(-2), Ok(i64::MAX - 2)),
        (Request::Get, Ok(i64::MAX - 2)),
        (Request::Pop, Err(Refusal::NoSuchIndex)),
        (Request::Push(7), Ok(1)),
        (Request::Push(8), Ok(2)),
        (Request::Item(1), Ok(8)),
        (Request::Item(2), Err(Refusal::NoSuchIndex)),
        (Request::Pop, Ok(8)),
        (Request::Insert(key("a"), -1), Ok(1)),
        (Request::Insert(key("ab"), -2), Ok(2)),
        (Request::Insert(key("abc"), -3), Ok(3)),
        (Request::Find(key("ab")), Ok(-2)),
        (Request::Find(key("b")), Err(Refusal::NoSuchKey)),
        (Request::Remove(key("abc")), Ok(-3)),
        (Request::Remove(key("abc")), Err(Refusal::NoSuchKey)),
    ]
}

/// What a client says in a dialogue.
fn said(dialogue: &[(Request, Answer)]) -> Vec<u8> {
    dialogue.iter().flat_map(|(request, _)| frame(&request.encode())).collect()
}

/// What the owner says in a dialogue.
fn answered(dialogue: &[(Request, Answer)]) -> Vec<u8> {
    dialogue.iter().flat_map(|(_, answer)| frame(&encode_answer(*answer))).collect()
}

/// After how many bytes each request has been said.
fn ends_of(dialogue: &[(Request, Answer)]) -> Vec<usize> {
    (1..=dialogue.len()).map(|requests| said(&dialogue[..requests]).len()).collect()
}

/// How many messages are whole in the first so many bytes.
fn whole_frames(stream: &[u8], bytes: usize) -> usize {
    let mut stream = &stream[..bytes];
    std::iter::from_fn(|| hear(&mut stream).ok()).count()
}

/// The owner has carried out these requests, and no others.
#[track_caller]
fn same_state(owner: &Owner, asked: &[(Request, Answer)]) {
    let expected = Owner::empty();
    for (request, answer) in asked {
        assert_eq!(expected.answer(request.clone()), *answer, "the answer to {request:?}");
    }
    let keys = ["", "a", "ab", "abc", "new"].map(str::to_owned);
    // The last one tells how many keys there are.
    let map = keys.into_iter().map(Request::Find).chain([Request::Insert("new".to_owned(), 0)]);
    // More than the talks push: the whole list, and that it has no more.
    let list = [(); 4].map(|()| Request::Pop);
    for request in [Request::Get].into_iter().chain(map).chain(list) {
        let (found, expected) = (owner.answer(request.clone()), expected.answer(request.clone()));
        assert_eq!(found, expected, "what the owner says to {request:?} after the client has gone");
    }
}
