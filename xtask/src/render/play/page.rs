//! The positions of a test as a page that stands on its own: one plays by click or key, and shares a position by its address. It loads
//! nothing.

use serde::Serialize;

use super::{clock, said, source, standing, would};
use crate::play::tree::{Node, Tree};
use crate::render::schedule::Sources;
use crate::render::svg::escape;

/// What the page's script reads.
#[derive(Serialize)]
struct Data {
    nodes: Vec<Shown>,
}

/// A position.
#[derive(Serialize)]
struct Shown {
    /// The schedule that leads here.
    schedule: String,
    clock: String,
    threads: Vec<Thread>,
    moves: Vec<Choice>,
    /// How the test has ended, if it is over.
    end: Option<End>,
}

#[derive(Serialize)]
struct Thread {
    name: String,
    /// What it waits for, or that it has ended; nothing if it has a move.
    state: Option<String>,
    holds: Option<String>,
}

#[derive(Serialize)]
struct Choice {
    thread: usize,
    source: String,
    does: String,
    preemption: bool,
    /// Whether the schedule that the page was made of goes on so.
    known: bool,
    /// The place of the position that it leads to; nothing where the page is cut.
    to: Option<usize>,
}

#[derive(Serialize)]
struct End {
    fails: bool,
    says: String,
}

/// Writes the page. `title` names the test.
pub(crate) fn page(tree: &Tree, title: &str) -> String {
    let mut sources = Sources::given(tree.lines.clone());
    let nodes: Vec<Shown> = tree.nodes.iter().map(|node| shown(node, &mut sources)).collect();
    let extent = match (nodes.len(), tree.is_cut) {
        (1, false) => "This page has the only position.".to_string(),
        (all, false) => format!("This page has all {all} positions."),
        (some, true) => format!(
            "This page has {some} positions, and was cut there: a step beyond is marked. `--positions N` makes a larger page."
        ),
    };
    // In a script element only `<` could end the script; JSON allows to write it otherwise.
    let json = serde_json::to_string(&Data { nodes }).unwrap_or_default().replace('<', "\\u003c");
    // The parts are put in one after the other, each into the text between two marks, so that no part is searched for marks.
    let parts = [
        ("{title}", escape(title)),
        ("{style}", include_str!("page.css").to_string()),
        ("{title}", escape(title)),
        ("{extent}", escape(&extent)),
        ("{data}", json),
        ("{script}", include_str!("page.js").to_string()),
    ];
    let (mut page, mut rest) = (String::new(), include_str!("page.html"));
    for (mark, part) in parts {
        let (before, after) = rest.split_once(mark).expect("page.html has every mark, in this order");
        page += before;
        page += &part;
        rest = after;
    }
    page + rest
}

fn shown(node: &Node, sources: &mut Sources) -> Shown {
    let game = &node.game;
    let threads = game.trace.threads.iter().enumerate().map(|(thread, traced)| {
        let (state, holds) = standing(game, thread);
        Thread { name: traced.name.clone(), state, holds }
    });
    let moves = game.position.moves.iter().zip(&node.after).map(|(next, to)| Choice {
        thread: next.step.thread,
        source: source(next, sources),
        does: would(game, next),
        preemption: next.step.preemption,
        known: next.follows,
        to: *to,
    });
    let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
    Shown {
        schedule: game.trace.schedule.clone(),
        clock: clock(&game.position),
        threads: threads.collect(),
        moves: moves.collect(),
        end: game.end.as_ref().map(|end| End {
            fails: end.verdict == verdict::Verdict::Failed,
            says: plain(said(game).into_iter().next().unwrap_or_default()),
        }),
    }
}
