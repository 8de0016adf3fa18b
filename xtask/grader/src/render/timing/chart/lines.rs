//! Time over the number of workers: a line for each approach, the limit dashed. Both axes are logarithmic, so that "twice the
//! workers, half the time" is a straight line, and where it bends is where more workers stop to help.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::{GRID, PAPER, SIZE, heading, in_words, ink, origin, text, thin, title};
use crate::render::timing::in_words as seconds_in_words;
use crate::timing::{Measured, Timed};

/// A line of the chart.
struct Line<'a> {
    name: &'a str,
    points: Vec<(f64, f64)>,
    /// Whether its workers can't be chosen: then it is the same everywhere.
    level: bool,
}

pub(super) fn draw(timed: &Timed, svg: &mut String) -> Result<(), String> {
    let (lines, limits) = (lines(&timed.approaches), limits(&timed.approaches));
    let (x, y) = ranges(&lines, &limits);
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&PAPER).map_err(in_words)?;
    area.draw(&Text::new(title(timed), (20, 14), heading(18))).map_err(in_words)?;
    area.draw(&Text::new(origin(timed), (20, 38), text(12))).map_err(in_words)?;
    let mut chart = ChartBuilder::on(&area.margin(62, 16, 16, 16))
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d((x.0..x.1).log_scale().base(2.0), (y.0..y.1).log_scale().with_key_points(round_numbers(y)))
        .map_err(in_words)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_desc("workers (threads, tasks or processes at once)")
        .y_desc("time of the whole work")
        .x_label_formatter(&|workers| format!("{workers:.0}"))
        .y_label_formatter(&|seconds| seconds_in_words(*seconds))
        .label_style(text(12))
        .axis_desc_style(text(13))
        .draw()
        .map_err(in_words)?;
    if !limits.is_empty() {
        let style = thin(BLACK);
        chart
            .draw_series(DashedLineSeries::new(limits, 2, 5, style))
            .map_err(in_words)?
            .label("limit")
            .legend(move |at| dashes(at, (2, 5), style));
    }
    for (place, line) in lines.iter().enumerate() {
        let (colour, stroke) = (ink(place), ink(place).stroke_width(2));
        if line.level {
            let ends = [x.0, x.1].map(|workers| (workers, line.points[0].1));
            chart
                .draw_series(DashedLineSeries::new(ends, 10, 5, stroke))
                .map_err(in_words)?
                .label(line.name)
                .legend(move |at| dashes(at, (10, 5), stroke));
            continue;
        }
        chart.draw_series(LineSeries::new(line.points.clone(), stroke)).map_err(in_words)?;
        chart
            .draw_series(line.points.iter().map(|point| EmptyElement::at(*point) + marker((0, 0), place, colour)))
            .map_err(in_words)?
            .label(line.name)
            .legend(move |at| {
                EmptyElement::at(at) + PathElement::new([(0, 0), (30, 0)], stroke) + marker((15, 0), place, colour)
            });
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .margin(12)
        .legend_area_size(42)
        .background_style(PAPER)
        .border_style(GRID)
        .label_font(text(13))
        .draw()
        .map_err(in_words)?;
    area.present().map_err(in_words)
}

/// Each approach with its points, in the order of the lesson.
fn lines(approaches: &[Measured]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for one in approaches {
        let point = (f64::from(one.workers.unwrap_or(1)), one.seconds.median);
        match lines.iter_mut().find(|line| line.name == one.approach) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name: &one.approach, points: vec![point], level: one.workers.is_none() }),
        }
    }
    lines
}

/// The limit for each number of workers: the least that any approach could take.
fn limits(approaches: &[Measured]) -> Vec<(f64, f64)> {
    let mut limits: Vec<(f64, f64)> = Vec::new();
    for one in approaches {
        let (Some(workers), Some(limit)) = (one.workers.map(f64::from), one.limit) else { continue };
        match limits.iter_mut().find(|(other, _)| *other == workers) {
            Some((_, least)) => *least = least.min(limit),
            None => limits.push((workers, limit)),
        }
    }
    limits
}

/// From where to where the axes go. A logarithmic axis of no length can't be drawn, so a single value gets some room.
fn ranges(lines: &[Line<'_>], limits: &[(f64, f64)]) -> ((f64, f64), (f64, f64)) {
    let points = lines.iter().flat_map(|line| line.points.iter()).chain(limits);
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)))
    };
    let (left, right) = range(&mut points.clone().map(|point| point.0));
    let (bottom, top) = range(&mut points.clone().map(|point| point.1));
    let right = if left < right { right } else { left * 2.0 };
    // Lines fall from left to right, so the room for the legend is below them.
    ((left / 1.1, right * 1.1), (bottom / 3.0, top * 1.6))
}

/// The numbers of the range that begin with 1, 2 or 5.
fn round_numbers((low, high): (f64, f64)) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let numbers = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
    numbers.filter(|number| (low..high).contains(number)).collect()
}

/// A mark on a line, another one for each approach: circle, square, triangle, diamond.
fn marker((x, y): (i32, i32), place: usize, colour: RGBColor) -> Polygon<(i32, i32)> {
    let corners: &[(i32, i32)] = match place % 4 {
        0 => &[(5, 0), (4, 3), (2, 5), (-2, 5), (-4, 3), (-5, 0), (-4, -3), (-2, -5), (2, -5), (4, -3)],
        1 => &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
        2 => &[(0, -6), (6, 5), (-6, 5)],
        _ => &[(0, -6), (6, 0), (0, 6), (-6, 0)],
    };
    Polygon::new(corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect::<Vec<_>>(), colour.filled())
}

/// A dashed line in the legend.
fn dashes(
    (left, y): (i32, i32),
    (dash, gap): (i32, i32),
    style: ShapeStyle,
) -> DashedPathElement<std::array::IntoIter<(i32, i32), 2>, i32> {
    DashedPathElement::new([(left, y), (left + 30, y)], dash, gap, style)
}

#[cfg(test)]
mod tests {
    use super::round_numbers;

    #[test]
    fn an_axis_is_labelled_with_round_numbers() {
        assert_eq!(round_numbers((0.015, 0.21)), [0.02, 0.05, 0.1, 0.2]);
    }
}
