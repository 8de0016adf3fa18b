//! Times as an SVG chart: time over workers after a sweep, otherwise a bar for each approach. Line styles, markers and fillings
//! say everything; colour only repeats it.

mod bars;
mod lines;

use std::fmt::Display;

use pipeline::error::{Error, Result};
use plotters::prelude::{BLACK, Color, RGBColor, ShapeStyle, WHITE};
use plotters::style::{FontStyle, IntoFont, TextStyle};

use crate::timing::{Timed, load};

/// Pixels of the whole.
const SIZE: (u32, u32) = (860, 520);
/// Readable on white, and different in lightness: black, blue, green, red, brown.
const INKS: [RGBColor; 5] =
    [BLACK, RGBColor(0, 82, 155), RGBColor(0, 120, 80), RGBColor(190, 40, 30), RGBColor(130, 90, 20)];
/// For the grid, which must stay behind.
const GRID: RGBColor = RGBColor(220, 220, 220);

/// Draws the chart.
///
/// # Errors
/// Nothing was measured that could be drawn.
pub(crate) fn chart(timed: &Timed) -> Result<String> {
    let longest = timed.approaches.iter().map(|one| one.seconds.median).fold(0.0, f64::max);
    if longest <= 0.0 {
        return Err(Error::new(
            "nothing was measured that could be drawn",
            "Ask for a smaller load, or name an approach.",
        ));
    }
    let mut svg = String::new();
    let drawn = if timed.sweep { lines::draw(timed, &mut svg) } else { bars::draw(timed, longest, &mut svg) };
    drawn.map_err(|error| Error::new(format!("the chart could not be drawn: {error}"), ""))?;
    Ok(svg)
}

/// The first line of a chart.
fn title(timed: &Timed) -> String {
    format!("{}: {}", timed.kata, timed.about)
}

/// The second line: whose figures these are, and where they come from.
fn origin(timed: &Timed) -> String {
    let cores = timed.machine.cores_in_words();
    let mut load = timed.load.clone();
    if timed.sweep {
        // It is what the workers are otherwise, and here they are on the axis.
        load.remove("in-flight");
    }
    let load = load::typed(&load);
    format!("{}, {cores}, medians; {load}", timed.subject)
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

fn heading(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().style(FontStyle::Bold).color(&BLACK)
}

fn ink(place: usize) -> RGBColor {
    INKS[place % INKS.len()]
}

fn thin(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(1)
}

/// A drawing error as text: its type names the backend's, which nobody needs to know.
fn in_words(error: impl Display) -> String {
    error.to_string()
}

/// What charts are drawn on.
const PAPER: RGBColor = WHITE;
