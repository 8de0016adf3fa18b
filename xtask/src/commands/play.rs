//! `play`: the person at the keyboard is the scheduler. A screen where there is a terminal for it; plain lines elsewhere, so that a
//! script can play.

use std::fs;
use std::io::{BufRead, stdin};

use pipeline::cancel::Cancel;
use pipeline::console::{Console, Event};
use pipeline::error::{Error, Result};
use pipeline::repository::Repository;
use pipeline::subject;
use pipeline::subject::catalog;

use crate::cli::PlayArgs;
use crate::play::tree::grow;
use crate::play::{Action, Game, Player};
use crate::render::file::needs_folder;
use crate::render::play::page::page;
use crate::render::play::{KEYS, board};
use crate::render::{self, report};

/// Plays until the player leaves. False if there is nothing to play, since the answer does not compile or breaks a rule.
pub(crate) fn run(repository: &Repository, args: PlayArgs) -> Result<bool> {
    let kata = catalog::one(repository, &args.kata)?;
    if let Some(file) = &args.html {
        if file.extension().is_none_or(|ending| ending != "html") {
            return Err(Error::new(format!("{} is no page", file.display()), "Give the file the ending .html."));
        }
        needs_folder(file)?;
    }
    let cancel = Cancel::by_ctrl_c();
    let console = Console::new(false);
    let subject = match &args.wrong {
        Some(name) => subject::wrong(repository, &kata, name)?,
        None => subject::of(repository, &kata, args.whose.solution, args.whose.submission.as_deref())?,
    };
    let player = match Player::build(repository, subject, &args.test, &console, &cancel)? {
        Ok(player) => player,
        Err(verdict) => {
            console.clear();
            render::print(&report::diagnostics(&verdict));
            return Ok(false);
        }
    };
    console.happened(Event::Exploring);
    let game = Game::begin(&player, args.schedule.as_deref(), &cancel)?;
    if let Some(file) = &args.html {
        let tree = grow(&player, game, args.positions as usize, &console, &cancel)?;
        console.clear();
        fs::write(file, page(&tree, &format!("{}: {}", kata.name, args.test))).map_err(Error::io("write", file))?;
        render::written(file, false);
        return Ok(true);
    }
    drop(console);
    #[cfg(unix)]
    if crate::screen::is_possible() {
        return crate::screen::play::run(&player, game, &cancel);
    }
    plain_lines(&player, game, &cancel)
}

/// Reads one choice or question per line; each is answered with the whole position.
fn plain_lines(player: &Player, mut game: Game, cancel: &Cancel) -> Result<bool> {
    show(&game);
    for line in stdin().lock().lines().map_while(|line| line.ok()) {
        let action = match line.trim() {
            "q" => break,
            "?" => {
                render::print(&render::play::help());
                continue;
            }
            "" => game.usual().map_or(Action::Forward, Action::Choose),
            word => match word.parse::<usize>() {
                Ok(number @ 1..) => Action::Choose(number - 1),
                _ => match KEYS.iter().find(|key| key.name == word).and_then(|key| key.action) {
                    Some(action) => action,
                    None => {
                        render::print(&format!("{word:?} is no number of a move and no key; ? shows the keys.\n"));
                        continue;
                    }
                },
            },
        };
        game.act(player, action, cancel)?;
        show(&game);
    }
    Ok(true)
}

/// How many lines of what has happened are shown each time.
const SO_FAR: usize = 4;

fn show(game: &Game) {
    let board = board(game, render::width());
    let mut text = String::from("\n");
    for (left, right) in &board.heading {
        text += &format!("{left} · {right}\n");
    }
    let last = board.so_far.len().saturating_sub(SO_FAR);
    let parts = [&board.columns[..], &board.so_far[last..], &[String::new()], &board.threads, &board.said];
    for line in parts.into_iter().flatten() {
        text += &format!("{line}\n");
    }
    render::print(&text);
}
