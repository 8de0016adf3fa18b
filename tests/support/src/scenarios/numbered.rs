//! Things of which each has a number, so that others know it by that.

use std::borrow::Borrow;
use std::hash::Hash;
use std::rc::Rc;

use super::quick;

/// Things, no two of which are equal. Their numbers are their places.
pub(super) struct Numbered<T: ?Sized> {
    things: Vec<Rc<T>>,
    numbers: quick::Map<Rc<T>, usize>,
}

impl<T: Eq + Hash + ?Sized> Numbered<T> {
    /// These, numbered from 0.
    pub(super) fn of<const N: usize>(things: [impl Borrow<T> + Into<Rc<T>>; N]) -> Numbered<T> {
        let mut numbered = Numbered { things: Vec::new(), numbers: quick::Map::default() };
        for thing in things {
            numbered.number(thing);
        }
        numbered
    }

    /// The number of a thing, which is added if it is not there.
    pub(super) fn number(&mut self, thing: impl Borrow<T> + Into<Rc<T>>) -> usize {
        if let Some(&known) = self.numbers.get(thing.borrow()) {
            return known;
        }
        let thing = thing.into();
        self.things.push(Rc::clone(&thing));
        self.numbers.insert(thing, self.things.len() - 1);
        self.things.len() - 1
    }

    /// The thing of that number.
    pub(super) fn thing(&self, number: usize) -> &Rc<T> {
        &self.things[number]
    }
}
