//! A schedule as a picture: one lane per thread, time downwards. Bars show who holds which lock, hatching who is blocked, arrows what let
//! what happen; at the foot stands who waits for whom. It is readable in black and white, in a dark room, and on paper.

use std::fmt::Write as _;

use crate::render::lanes::Lanes;
use crate::render::layout::{Drawn, Layout, Path, Placed, Text, layout};

/// Draws the picture as a file of its own.
pub fn picture(lanes: &Lanes, title: &str, subtitle: &str) -> String {
    drawn(&layout(lanes, title, subtitle), title, &format!("<style>{STYLE}</style>\n{DEFS}"), true)
}

/// Draws the picture for a page that has [`STYLE`] and [`DEFS`]. A page with one picture may number its moments, for its script.
pub fn embedded(lanes: &Lanes, title: &str, numbered: bool) -> String {
    drawn(&layout(lanes, "", ""), title, "", numbered)
}

fn drawn(layout: &Layout, title: &str, head: &str, numbered: bool) -> String {
    let Layout { width, height, .. } = layout;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"schedule\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">\n{head}<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n",
        escape(title)
    );
    for line in &layout.lines {
        let _ = writeln!(svg, "<path class=\"life\" d=\"M{x},{} V{}\"/>", line.top, line.bottom, x = line.x);
    }
    for (number, moment) in layout.moments.iter().enumerate() {
        draw_moment(&mut svg, moment, *width, numbered.then_some(number));
    }
    layout.bars.iter().for_each(|bar| draw_bar(&mut svg, bar));
    layout.arrows.iter().for_each(|arrow| draw_arrow(&mut svg, arrow));
    for (x, y) in layout.moments.iter().filter_map(|moment| moment.dot.filter(|_| !moment.stops)) {
        let _ = writeln!(svg, "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>");
    }
    let waiting = layout.moments.iter().filter_map(|moment| moment.dot.filter(|_| moment.stops));
    for (x, y) in waiting.chain(layout.dots.iter().copied()) {
        let _ = writeln!(svg, "<circle class=\"dot stops\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>");
    }
    layout.texts.iter().for_each(|text| draw_text(&mut svg, text));
    svg + "</svg>\n"
}

fn draw_moment(svg: &mut String, moment: &Drawn, width: usize, number: Option<usize>) {
    let id = number.map_or(String::new(), |number| format!(" id=\"step-{number}\""));
    let class = if moment.preempts { "step preempts" } else { "step" };
    let _ = writeln!(
        svg,
        "<g class=\"{class}\"{id}><title>{}</title><rect class=\"band\" x=\"4\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"5\"/>",
        escape(&moment.title),
        moment.top,
        width - 8,
        moment.height
    );
    moment.texts.iter().for_each(|text| draw_text(svg, text));
    svg.push_str("</g>\n");
}

fn draw_text(svg: &mut String, text: &Text) {
    let anchor = if text.to_the_left { " text-anchor=\"end\"" } else { "" };
    let _ = write!(svg, "<text x=\"{}\" y=\"{}\"{anchor}", text.x, text.y);
    let parts: Vec<_> = text.parts.iter().filter(|(_, words)| !words.is_empty()).collect();
    match parts[..] {
        [(font, words)] => {
            let _ = writeln!(svg, " class=\"{}\">{}</text>", font.class(), escape(words));
        }
        _ => {
            svg.push('>');
            for (font, words) in parts {
                let _ = write!(svg, "<tspan class=\"{}\">{}</tspan>", font.class(), escape(words));
            }
            svg.push_str("</text>\n");
        }
    }
}

fn draw_bar(svg: &mut String, bar: &Placed) {
    let (x, y, width, height) = (bar.at.x, bar.at.top, bar.width, bar.at.bottom.saturating_sub(bar.at.top));
    let class = bar.lock.map_or("blocked".to_string(), |lock| format!("held c{}", lock % COLOURS));
    let _ =
        writeln!(svg, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"3\"/>");
    if let Some(lock) = bar.lock {
        let _ = writeln!(
            svg,
            "<text class=\"lock\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>",
            x + width / 2,
            y + 11,
            lock + 1
        );
    }
}

fn draw_arrow(svg: &mut String, arrow: &Path) {
    let mut corners = arrow.corners.iter();
    let mut line = corners.next().map_or(String::new(), |(x, y)| format!("M{x},{y}"));
    corners.for_each(|(x, y)| line += &format!(" L{x},{y}"));
    let class = arrow.class;
    let tip = if matches!(class, "circle" | "waiting" | "missed") { "tip-stop" } else { "tip" };
    let _ = writeln!(
        svg,
        "<path class=\"{class}\" marker-end=\"url(#{tip})\" d=\"{line}\"><title>{}</title></path>",
        escape(&arrow.says)
    );
}

/// Text as XML and HTML take it. Control characters, which neither takes, are replaced.
pub fn escape(text: &str) -> String {
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

/// How many colours bars have. Beyond that they come again, and the numbers tell them apart.
const COLOURS: usize = 6;

/// What a picture looks like. It holds inside of pictures only.
pub const STYLE: &str = include_str!("svg.css");

/// The patterns that a picture is drawn with.
pub const DEFS: &str = "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternTransform=\"rotate(45)\" patternUnits=\"userSpaceOnUse\"><rect class=\"hatched\" width=\"2.5\" height=\"6\"/></pattern>
<marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\"><path class=\"head\" d=\"M0,0 L8,4 L0,8 z\"/></marker>
<marker id=\"tip-stop\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" orient=\"auto\"><path class=\"head-stop\" d=\"M0,0 L8,4 L0,8 z\"/></marker></defs>
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
