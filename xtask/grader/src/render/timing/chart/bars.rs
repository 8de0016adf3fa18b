//! A bar for each approach, as long as its time, and below it the reference's. A dashed stroke is the limit.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::{GRID, PAPER, SIZE, heading, in_words, origin, text, title};
use crate::render::timing::in_words as seconds_in_words;
use crate::timing::{Measured, Timed};

/// Pixels left of the bars, for names.
const LEFT: i32 = 150;
/// Pixels of the longest bar.
const LONGEST: f64 = 590.0;
/// Pixels of an approach: its two bars and some air.
const ROW: i32 = 72;
/// Pixels of a bar.
const BAR: i32 = 22;
/// Pixels above the first bar.
const TOP: i32 = 74;

pub(super) fn draw(timed: &Timed, longest: f64, svg: &mut String) -> Result<(), String> {
    let rows = i32::try_from(timed.approaches.len()).map_err(in_words)?;
    let height = TOP + ROW * rows + 60;
    let area = SVGBackend::with_string(svg, (SIZE.0, height.unsigned_abs())).into_drawing_area();
    area.fill(&PAPER).map_err(in_words)?;
    area.draw(&Text::new(title(timed), (20, 14), heading(18))).map_err(in_words)?;
    area.draw(&Text::new(origin(timed), (20, 38), text(12))).map_err(in_words)?;
    let end = |seconds: f64| LEFT + (seconds / longest * LONGEST).round() as i32;
    let axis = TOP + ROW * rows;
    for tick in ticks(longest) {
        let x = end(tick);
        area.draw(&PathElement::new([(x, TOP - 8), (x, axis)], GRID)).map_err(in_words)?;
        area.draw(&Text::new(seconds_in_words(tick), (x - 14, axis + 6), text(12))).map_err(in_words)?;
    }
    area.draw(&PathElement::new([(LEFT, TOP - 8), (LEFT, axis)], BLACK)).map_err(in_words)?;
    for (row, one) in timed.approaches.iter().enumerate() {
        let top = TOP + ROW * i32::try_from(row).map_err(in_words)?;
        draw_row(&area, one, top, &end)?;
    }
    draw_legend(&area, axis + 32)?;
    area.present().map_err(in_words)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_row(area: &Area<'_>, one: &Measured, top: i32, end: &impl Fn(f64) -> i32) -> Result<(), String> {
    let name = match one.workers {
        Some(workers) => format!("{} ({workers})", one.approach),
        None => one.approach.clone(),
    };
    area.draw(&Text::new(name, (20, top + 16), text(14))).map_err(in_words)?;
    let bar = |seconds: f64, top: i32| [(LEFT, top), (end(seconds).max(LEFT + 1), top + BAR)];
    let own = bar(one.seconds.median, top);
    area.draw(&Rectangle::new(own, BLACK.mix(0.75).filled())).map_err(in_words)?;
    area.draw(&Text::new(seconds_in_words(one.seconds.median), (own[1].0 + 6, top + 4), text(13))).map_err(in_words)?;
    if let Some(reference) = &one.reference {
        let below = bar(reference.median, top + BAR + 4);
        area.draw(&Rectangle::new(below, BLACK.mix(0.15).filled())).map_err(in_words)?;
        area.draw(&Rectangle::new(below, BLACK)).map_err(in_words)?;
        let label = (below[1].0 + 6, top + BAR + 8);
        area.draw(&Text::new(seconds_in_words(reference.median), label, text(13))).map_err(in_words)?;
    }
    if let Some(limit) = one.limit {
        let x = end(limit);
        area.draw(&limit_stroke([(x, top - 6), (x, top + 2 * BAR + 10)])).map_err(in_words)?;
    }
    Ok(())
}

/// Red on the dark bar, and dashed for those who see no red.
fn limit_stroke(ends: [(i32, i32); 2]) -> DashedPathElement<std::array::IntoIter<(i32, i32), 2>, i32> {
    DashedPathElement::new(ends, 5, 3, RED.stroke_width(2))
}

fn draw_legend(area: &Area<'_>, y: i32) -> Result<(), String> {
    area.draw(&Rectangle::new([(LEFT, y), (LEFT + 22, y + 12)], BLACK.mix(0.75).filled())).map_err(in_words)?;
    area.draw(&Text::new("measured", (LEFT + 30, y), text(13))).map_err(in_words)?;
    let reference = [(LEFT + 120, y), (LEFT + 142, y + 12)];
    area.draw(&Rectangle::new(reference, BLACK.mix(0.15).filled())).map_err(in_words)?;
    area.draw(&Rectangle::new(reference, BLACK)).map_err(in_words)?;
    area.draw(&Text::new("reference solution", (LEFT + 150, y), text(13))).map_err(in_words)?;
    area.draw(&limit_stroke([(LEFT + 300, y - 4), (LEFT + 300, y + 16)])).map_err(in_words)?;
    area.draw(&Text::new("limit", (LEFT + 310, y), text(13))).map_err(in_words)
}

/// Round numbers from 0 to `longest`, about five.
fn ticks(longest: f64) -> Vec<f64> {
    let rough = longest / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= rough).unwrap_or(rough);
    (1..=5).map(|count| f64::from(count) * step).filter(|tick| *tick <= longest).collect()
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.66), [0.2, 0.4, 0.6000000000000001]);
        assert_eq!(ticks(5.0), [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
