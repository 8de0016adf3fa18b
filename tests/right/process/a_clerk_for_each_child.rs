//! accepted
//!
//! A clerk for each child: a thread owns it, takes orders by a channel, and tells by another one what has become of it. `capture`
//! has a thread for each pipe, and a third one that puts together what they send, piece by piece.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Code(i32),
    Signal(i32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    pub end: End,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

#[derive(Debug)]
pub struct Process {
    name: String,
    orders: Option<Sender<Order>>,
    news: Receiver<News>,
    end: Option<End>,
    clerk: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Look,
    Ask,
    Kill,
}

#[derive(Debug)]
enum News {
    Runs,
    Ended(End),
}

fn clerk(mut child: Child, orders: Receiver<Order>, news: Sender<News>) {
    let mut stdin = child.stdin.take();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            let end = status.code().map(End::Code).or_else(|| signal_of(status).map(End::Signal));
            let _ = news.send(News::Ended(end.unwrap_or(End::Code(-1))));
            return;
        }
        match orders.recv_timeout(Duration::from_millis(2)) {
            Ok(Order::Look) => {
                if let Ok(None) = child.try_wait() {
                    let _ = news.send(News::Runs);
                }
            }
            Ok(Order::Ask) => drop(stdin.take()),
            Ok(Order::Kill) | Err(RecvTimeoutError::Disconnected) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn spawn(job: &Job, fill: impl FnOnce(&mut Command) -> &mut Command) -> io::Result<Child> {
    let Job { program, arguments, variables, folder, .. } = job;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(std::env::vars_os()).envs(variables.iter().cloned());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let named = |why: io::Error| io::Error::new(why.kind(), format!("can't start {}: {why}", program.display()));
    fill(&mut command).spawn().map_err(named)
}

impl Process {
    fn hire(job: &Job, child: Child) -> Process {
        let (orders, inbox) = mpsc::channel();
        let (tell, news) = mpsc::channel();
        let clerk = thread::spawn(move || clerk(child, inbox, tell));
        Process { name: job.name.clone(), orders: Some(orders), news, end: None, clerk: Some(clerk) }
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }

    fn until(&mut self, deadline: Option<Instant>) -> Option<End> {
        while self.end.is_none() {
            let news = match deadline {
                None => self.news.recv().ok(),
                Some(at) => match self.news.recv_timeout(at.saturating_duration_since(Instant::now())) {
                    Err(RecvTimeoutError::Timeout) if self.is_alive() => return None,
                    Err(_) => continue,
                    Ok(news) => Some(news),
                },
            };
            if let Some(News::Ended(end)) = news {
                self.end = Some(end);
            }
        }
        self.end
    }

    pub fn start(job: &Job) -> io::Result<Process> {
        Ok(Process::hire(job, spawn(job, |c| c.stdin(Stdio::piped()))?))
    }

    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    pub fn is_alive(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.order(Order::Look);
        match self.news.recv() {
            Ok(News::Ended(end)) => self.end = Some(end),
            Ok(News::Runs) => {}
            Err(_) => unreachable!("the end is the last that is told"),
        }
        self.end.is_none()
    }

    pub fn join(&mut self) -> End {
        self.until(None).expect("without a limit there is an end")
    }

    pub fn join_timeout(&mut self, limit: Duration) -> Option<End> {
        self.until(Instant::now().checked_add(limit))
    }

    pub fn terminate(&mut self, grace: Duration) -> End {
        self.order(Order::Ask);
        if self.join_timeout(grace).is_none() {
            self.order(Order::Kill);
        }
        self.join()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(clerk) = self.clerk.take() {
            let _ = clerk.join();
        }
    }
}

enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

fn pump(mut from: impl Read, to: &Sender<Piece>, wrap: fn(Vec<u8>) -> Piece) {
    let mut bytes = [0; 1000];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.send(wrap(bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

pub fn capture(job: &Job, limit: Duration) -> io::Result<Captured> {
    let mut child = spawn(job, |c| c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    drop(child.stdin.take());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut process = Process::hire(job, child);
    let (tell, pieces) = mpsc::channel();
    let other = tell.clone();
    thread::spawn(move || pump(out.unwrap(), &tell, Piece::Out));
    thread::spawn(move || pump(err.unwrap(), &other, Piece::Err));
    let collector = thread::spawn(move || {
        let (mut stdout, mut stderr) = (vec![], vec![]);
        for piece in pieces {
            match piece {
                Piece::Out(piece) => stdout.extend(piece),
                Piece::Err(piece) => stderr.extend(piece),
            }
        }
        (stdout, stderr)
    });
    let end = process.join_timeout(limit).unwrap_or_else(|| {
        process.order(Order::Kill);
        process.join()
    });
    let (stdout, stderr) = collector.join().expect("the collector doesn't panic");
    Ok(Captured { end, stdout, stderr })
}

/// The signal that killed a process, if one did. Given, since signals are Unix's alone.
fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None;
}
