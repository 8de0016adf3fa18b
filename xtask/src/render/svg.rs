//! A schedule as a picture: a lane a thread, time downwards. Hatched where a thread is blocked, with the name of what blocks it;
//! arrows from unlock to lock, notify to wake, send to receive, spawn and join. It is readable in black and white.

use std::fmt::Write as _;

use crate::render::lanes::{Arrow, Lanes};

/// Pixels from step to step.
const STEP: usize = 26;
/// Pixels of a lane.
const LANE: usize = 250;
/// Pixels left of the lanes, for the steps' numbers.
const LEFT: usize = 56;
/// Pixels above the lanes, for the threads' names.
const TOP: usize = 56;
/// Characters of source and effect that a lane has room for.
const ROOM: usize = 32;

/// Draws the picture. `title` names the test and its verdict.
pub(crate) fn picture(lanes: &Lanes, title: &str) -> String {
    let width = LEFT + LANE * lanes.threads.len() + 16;
    let height = TOP + STEP * (lanes.steps.len() + 1) + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(title)
    );
    svg += STYLE;
    let _ = writeln!(svg, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>");
    let _ = writeln!(svg, "<text class=\"title\" x=\"12\" y=\"20\">{}</text>", escape(title));
    for (thread, name) in lanes.threads.iter().enumerate() {
        draw_lane(&mut svg, lanes, thread, name);
    }
    for blocked in &lanes.blocked {
        let (from, to) = (middle(blocked.from), blocked.to.map_or(middle(lanes.steps.len()), middle));
        let x = lane(blocked.thread);
        let _ = writeln!(
            svg,
            "<rect class=\"blocked\" x=\"{}\" y=\"{from}\" width=\"12\" height=\"{}\"/>",
            x - 6,
            to - from
        );
        if to - from >= STEP * 2 {
            let _ = writeln!(
                svg,
                "<text class=\"reason\" x=\"{}\" y=\"{}\">waits for {}</text>",
                x + 14,
                usize::midpoint(from, to) + 4,
                escape(&blocked.on)
            );
        }
    }
    for arrow in &lanes.arrows {
        draw_arrow(&mut svg, lanes, arrow);
    }
    for number in 0..lanes.steps.len() {
        draw_step(&mut svg, lanes, number);
    }
    let y = height - 14;
    let _ = writeln!(svg, "<text class=\"number\" x=\"12\" y=\"{y}\">{LEGEND}</text>");
    svg + "</svg>\n"
}

const LEGEND: &str =
    "● step   ▬ hatched: blocked   ↻ preemption: another thread could have gone on   → made possible by";

fn draw_lane(svg: &mut String, lanes: &Lanes, thread: usize, name: &str) {
    let x = lane(thread);
    let _ = writeln!(svg, "<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>", x - 6, TOP - 12, escape(name));
    let born = if thread == 0 {
        Some(0)
    } else {
        lanes.steps.iter().position(|step| step.threads[thread].state != "not started")
    };
    let gone = lanes.steps.iter().position(|step| step.threads[thread].state == "ended").unwrap_or(lanes.steps.len());
    if let Some(born) = born {
        let _ = writeln!(
            svg,
            "<line class=\"life\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\"/>",
            middle(born),
            middle(gone)
        );
    }
}

fn draw_step(svg: &mut String, lanes: &Lanes, number: usize) {
    let step = &lanes.steps[number];
    let (x, y) = (lane(step.thread), middle(number));
    let mark = if step.preemption { "↻ " } else { "" };
    let text: String = format!("{} {}", step.line, step.source)
        .chars()
        .take(ROOM.saturating_sub(step.effect.chars().count()))
        .collect();
    let _ = writeln!(
        svg,
        "<g class=\"step\" id=\"step-{number}\"><title>{}</title><rect class=\"band\" x=\"0\" y=\"{}\" width=\"100%\" height=\"{STEP}\"/><text class=\"number\" x=\"12\" y=\"{}\">{mark}{}</text><circle cx=\"{x}\" cy=\"{y}\" r=\"4.5\"/><text x=\"{}\" y=\"{}\">{} <tspan class=\"effect\">{}</tspan></text></g>",
        escape(&format!("{}:{} {} {}", step.file, step.line, step.source, step.effect)),
        y - STEP / 2,
        y + 4,
        number + 1,
        x + 14,
        y + 4,
        escape(&text),
        escape(&step.effect),
    );
}

fn draw_arrow(svg: &mut String, lanes: &Lanes, arrow: &Arrow) {
    let (from, to) = (&lanes.steps[arrow.from], &lanes.steps[arrow.to]);
    let (x1, y1, x2, y2) = (lane(from.thread), middle(arrow.from), lane(to.thread), middle(arrow.to));
    // Ends beside the step's dot, on the side it comes from.
    let end = if x1 < x2 { x2 - 7 } else { x2 + 7 };
    let bend = usize::midpoint(x1, x2);
    let _ = writeln!(
        svg,
        "<path class=\"arrow\" marker-end=\"url(#tip)\" d=\"M{x1},{y1} C{bend},{y1} {bend},{y2} {end},{y2}\"><title>{} lets step {} go on</title></path>",
        escape(&arrow.why),
        arrow.to + 1
    );
}

fn lane(thread: usize) -> usize {
    LEFT + 16 + LANE * thread
}

fn middle(step: usize) -> usize {
    TOP + STEP * step + STEP / 2
}

/// Text as XML and HTML take it. Control characters, which neither takes, are replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c if c.is_control() && c != '\n' && c != '\t' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

const STYLE: &str = "<style>
.paper { fill: #fff } text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #111; paint-order: stroke; stroke: #fff; stroke-width: 3px }
.title { font-weight: bold; font-size: 13px } .name { font-weight: bold; font-size: 13px }
.number, .reason { fill: #555; font-size: 11px } .reason { font-style: italic } .effect { fill: #0b4f8a; font-weight: bold }
.life { stroke: #999; stroke-width: 1.5 } .blocked { fill: url(#hatch); stroke: #a33 }
.arrow { fill: none; stroke: #0b4f8a; stroke-width: 1.2; stroke-dasharray: 4 2; opacity: 0.8 }
.band { fill: transparent } .step.now .band { fill: #fd6; fill-opacity: 0.45 } circle { fill: #111 }
</style>
<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternTransform=\"rotate(45)\" patternUnits=\"userSpaceOnUse\"><rect width=\"6\" height=\"6\" fill=\"#fff\"/><line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" stroke=\"#a33\" stroke-width=\"2\"/></pattern>
<marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#0b4f8a\"/></marker></defs>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_learners_is_never_markup() {
        assert_eq!(escape("<script>&\"'"), "&lt;script&gt;&amp;&quot;&#39;");
        assert_eq!(escape("\u{1b}[31m"), "\u{fffd}[31m");
    }
}
