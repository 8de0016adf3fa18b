//! `play` on a screen: the position is redrawn after each key, never appended to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pipeline::cancel::Cancel;
use pipeline::console::Console;
use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use pipeline::subject;
use pipeline::subject::catalog::Kata;

use crate::play::{Action, Game, Player, Told};
use crate::render::play::{Board, KEYS, board, help};
use crate::render::{STRONG, paragraph, styled};
use crate::screen::keys::Key;
use crate::screen::terminal::{Closed, Terminal};
use crate::screen::text::{clip, folded};
use crate::screen::view::{ends, rule};
use crate::screen::{LOOK, cannot_use, suspend};

/// Smaller terminals can't hold a position.
const SMALLEST: (usize, usize) = (40, 12);
/// What is above and below of what changes: two lines of heading, three rules, the keys.
const FRAME: usize = 6;
/// A question that takes longer is worth a word.
const BLINK: Duration = Duration::from_millis(250);

/// Plays in the terminal until the player leaves.
///
/// # Errors
/// The terminal can't be used, or the player left with Ctrl-C.
pub(crate) fn run(player: &Player, game: Game, ctrl_c: &Cancel) -> Result<bool> {
    let mut terminal = Terminal::open().map_err(cannot_use)?;
    play(player, game, &mut terminal, ctrl_c).map(|()| true)
}

/// Builds a test of the learner's own answer and plays it, in the terminal of another screen.
///
/// # Errors
/// It can't be played, or the player left with Ctrl-C: then [`Error::Interrupted`].
pub(super) fn of(
    repository: &Repository,
    kata: &Arc<Kata>,
    test: &str,
    terminal: &mut Terminal,
    ctrl_c: &Cancel,
) -> Result<()> {
    let mut typed = VecDeque::new();
    let (size, subject) = (terminal.size(), subject::learner(repository, kata));
    let building =
        |seconds: u64| vec![clip(&format!(" building what is to be played ({seconds} s), Esc stops"), size.0)];
    let built = meanwhile(terminal, &mut typed, ctrl_c, building, |cancel| {
        let player = match Player::build(repository, subject, test, &Console::new(true), cancel)? {
            Ok(player) => player,
            Err(_) => return Err(Error::new("it does not compile, or breaks a rule", "")),
        };
        let game = Game::begin(&player, None, cancel)?;
        Ok((player, game))
    });
    match built? {
        Ok((player, game)) => play(&player, game, terminal, ctrl_c),
        // Stopped by Esc: back to the other screen.
        Err(Error::Interrupted) if !ctrl_c.is_raised() && !typed.contains(&Key::Ctrl('c')) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is on the screen.
struct Table {
    game: Game,
    /// The move that Enter makes.
    marked: usize,
    help: bool,
    /// Keys that were pressed while a question was open.
    typed: VecDeque<Key>,
}

/// Plays in a terminal that was opened.
///
/// # Errors
/// The player left with Ctrl-C, or the terminal was closed.
pub(super) fn play(player: &Player, game: Game, terminal: &mut Terminal, ctrl_c: &Cancel) -> Result<()> {
    let marked = game.usual().unwrap_or(0);
    let mut table = Table { game, marked, help: false, typed: VecDeque::new() };
    let (mut size, mut is_new) = (terminal.size(), true);
    loop {
        if size != terminal.size() {
            size = terminal.size();
            is_new = true;
        }
        if std::mem::take(&mut is_new) {
            terminal.draw(&frame(&table, size, None)).map_err(gone)?;
        }
        if table.typed.is_empty() {
            table.typed.extend(terminal.keys(LOOK).map_err(gone)?);
        }
        if ctrl_c.is_raised() {
            return Err(Error::Interrupted);
        }
        let Some(key) = table.typed.pop_front() else { continue };
        is_new = true;
        match key {
            Key::Ctrl('c') => return Err(Error::Interrupted),
            Key::Ctrl('z') => suspend(terminal),
            Key::Ctrl('l') => terminal.distrust(),
            _ if std::mem::take(&mut table.help) => {}
            Key::Char('q') => return Ok(()),
            Key::Char('?') => table.help = true,
            Key::Up => table.marked = table.marked.saturating_sub(1),
            Key::Down => table.marked = (table.marked + 1).min(table.game.position.moves.len().saturating_sub(1)),
            key => {
                if let Some(action) = asked(key, table.marked) {
                    ask(player, &mut table, terminal, ctrl_c, action)?;
                }
            }
        }
    }
}

/// The screen is gone: nobody looks any more.
fn gone(_: Closed) -> Error {
    Error::Interrupted
}

/// What a key asks for.
fn asked(key: Key, marked: usize) -> Option<Action> {
    match key {
        Key::Enter => Some(Action::Choose(marked)),
        Key::Backspace | Key::Left => Some(Action::Back),
        Key::Right => Some(Action::Forward),
        Key::Home => Some(Action::Restart),
        Key::Char(digit @ '1'..='9') => Some(Action::Choose(digit as usize - '1' as usize)),
        Key::Char(letter) => KEYS.iter().find(|key| key.name.chars().eq([letter])).and_then(|key| key.action),
        _ => None,
    }
}

/// Asks, and shows the answer.
fn ask(player: &Player, table: &mut Table, terminal: &mut Terminal, ctrl_c: &Cancel, action: Action) -> Result<()> {
    let mut next = table.game.clone();
    let (size, mut typed) = (terminal.size(), std::mem::take(&mut table.typed));
    let looking = |seconds: u64| frame(table, size, Some(&format!("looking ({seconds} s), Esc stops")));
    let answered = meanwhile(terminal, &mut typed, ctrl_c, looking, |cancel| next.act(player, action, cancel));
    table.typed = typed;
    match answered? {
        Ok(()) => {
            table.marked = next.usual().unwrap_or(0);
            table.game = next;
        }
        Err(Error::Interrupted) => table.game.told = Told::Cannot("Stopped.".to_string()),
        Err(error) => table.game.told = Told::Cannot(error.to_string()),
    }
    Ok(())
}

/// Does work that may take long. Keys are taken meanwhile, and Esc or Ctrl-C stops it; `looks` is the screen after so many seconds.
///
/// # Errors
/// The terminal was closed.
fn meanwhile<R: Send>(
    terminal: &mut Terminal,
    typed: &mut VecDeque<Key>,
    ctrl_c: &Cancel,
    looks: impl Fn(u64) -> Vec<String>,
    work: impl FnOnce(&Cancel) -> R + Send,
) -> Result<R> {
    let (cancel, begun) = (ctrl_c.child(), Instant::now());
    let done = thread::scope(|scope| {
        let working = scope.spawn(|| work(&cancel));
        while !working.is_finished() {
            let drawn = match begun.elapsed() {
                short if short < BLINK => Ok(()),
                long => terminal.draw(&looks(long.as_secs())),
            };
            match drawn.and_then(|()| terminal.keys(LOOK)) {
                Ok(keys) => typed.extend(keys),
                Err(closed) => {
                    cancel.raise();
                    return Err(gone(closed));
                }
            }
            if typed.iter().any(|key| matches!(key, Key::Esc | Key::Ctrl('c'))) {
                cancel.raise();
            }
        }
        Ok(working.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    typed.retain(|key| *key != Key::Esc);
    done
}

/// The screen's lines, as many as the terminal has at most, none of them wider.
fn frame(table: &Table, (width, height): (usize, usize), doing: Option<&str>) -> Vec<String> {
    if width < SMALLEST.0 || height < SMALLEST.1 {
        let needs = format!("Play needs {} columns and {} rows; q quits.", SMALLEST.0, SMALLEST.1);
        let needs = paragraph(&needs, 0, width.max(1));
        return needs.lines().flat_map(|line| folded(line, width)).take(height).collect();
    }
    let Board { heading, columns, so_far, mut threads, moves, said } = board(&table.game, width);
    let mut lines: Vec<String> = heading.iter().map(|(left, right)| ends(left, right, width)).collect();
    if table.help {
        lines.push(rule("Keys", width));
        lines.extend(help().lines().map(str::to_string));
        lines.truncate(height - 1);
    } else {
        if let Some(line) = moves.get(table.marked).and_then(|line| threads.get_mut(*line)) {
            line.replace_range(0..1, "▸");
        }
        let room = height - FRAME;
        let said = &said[..said.len().min(room / 3)];
        let most = (room - said.len()).saturating_sub(4 + columns.len());
        let threads = window(&threads, most, moves.get(table.marked).copied().unwrap_or(0));
        let left = room - said.len() - threads.len() - columns.len();
        lines.push(rule("so far", width));
        lines.extend(columns);
        lines.extend_from_slice(&so_far[so_far.len().saturating_sub(left)..]);
        lines.push(rule(if table.game.is_over() { "over" } else { "who goes on?" }, width));
        lines.extend_from_slice(threads);
        lines.push(rule("", width));
        lines.extend_from_slice(said);
    }
    lines.resize(height - 1, String::new());
    lines.push(doing.map_or_else(|| keys(width), |doing| styled(STRONG, &format!(" {doing}"))));
    lines.iter().map(|line| clip(line, width)).collect()
}

/// So many of the lines, with this one among them.
fn window(lines: &[String], most: usize, shown: usize) -> &[String] {
    let top = (shown + 2).saturating_sub(most).min(lines.len().saturating_sub(most));
    &lines[top..lines.len().min(top + most)]
}

/// The line of keys.
fn keys(width: usize) -> String {
    let named = KEYS.iter().filter(|key| !key.word.is_empty());
    let (mut line, mut used) = (format!(" {}", styled(STRONG, "1-9")), 4);
    for key in named {
        used += key.name.chars().count() + key.word.chars().count() + 3;
        if used <= width {
            line += &format!("  {} {}", styled(STRONG, key.name), key.word);
        }
    }
    line
}
