//! The positions of a test as a tree, as far as there is room.

use std::collections::VecDeque;

use pipeline::cancel::Cancel;
use pipeline::console::{Console, Event};
use pipeline::error::Result;

use crate::play::{Action, Game, Lines, Player};

/// Positions that were looked at, each with what comes after its moves.
pub(crate) struct Tree {
    /// The beginning first.
    pub(crate) nodes: Vec<Node>,
    /// The lines that they quote.
    pub(crate) lines: Lines,
    /// Whether there are more positions than were looked at.
    pub(crate) is_cut: bool,
}

/// A position.
pub(crate) struct Node {
    /// The position; its lines are the tree's.
    pub(crate) game: Game,
    /// By move, the place of the position that it leads to; nothing if that one was not looked at.
    pub(crate) after: Vec<Option<usize>>,
}

/// Looks at this many positions at most: those of the known schedule first, then the others, those near to the beginning first.
///
/// # Errors
/// `cancel` was raised, or the test's process could not be asked.
pub(crate) fn grow(player: &Player, begin: Game, most: usize, console: &Console, cancel: &Cancel) -> Result<Tree> {
    let mut tree = Tree { nodes: Vec::new(), lines: Lines::new(), is_cut: false };
    let mut open = VecDeque::new();
    tree.add(begin, &mut open);
    while let Some((place, number)) = open.pop_front() {
        if tree.nodes.len() >= most {
            tree.is_cut = true;
            break;
        }
        console.happened(Event::Positions(tree.nodes.len()));
        let mut game = tree.nodes[place].game.clone();
        game.lines = std::mem::take(&mut tree.lines);
        game.act(player, Action::Choose(number), cancel)?;
        tree.nodes[place].after[number] = Some(tree.nodes.len());
        tree.add(game, &mut open);
    }
    Ok(tree)
}

impl Tree {
    fn add(&mut self, mut game: Game, open: &mut VecDeque<(usize, usize)>) {
        self.lines = std::mem::take(&mut game.lines);
        let place = self.nodes.len();
        for (number, next) in game.position.moves.iter().enumerate() {
            if next.follows {
                open.push_front((place, number));
            } else {
                open.push_back((place, number));
            }
        }
        self.nodes.push(Node { after: vec![None; game.position.moves.len()], game });
    }
}
