//! Where everything stands in the picture of a schedule, as data: texts, bars and arrows with their places, in pixels. That no text
//! is cut off or crossed is tested on these data, for many schedules; `svg` only writes them down.

use crate::render::lanes::{Lanes, Moment};
use crate::render::shares;

/// Pixels left and right of everything.
const MARGIN: usize = 20;
/// Pixels for the steps' numbers.
const NUMBERS: usize = 44;
/// Pixels between a lane's left edge and its line: the arrows that come to it go down here.
const CHANNEL: usize = 20;
/// Pixels for each lock that is held beside a lane.
const SLOT: usize = 15;
/// Pixels between a lane's line, or its last bar, and its text.
const GAP: usize = 12;
/// Pixels between a lane's text and the next lane.
const BETWEEN: usize = 14;
/// Pixels of all lanes' text together: more only where many lanes need it.
const ROOM: usize = 1040;
/// Pixels of one lane's text.
const NARROWEST: usize = 150;
const WIDEST: usize = 620;
/// Pixels from baseline to baseline.
const LINE: usize = 16;
/// Pixels from the top of a row to its first baseline.
const FIRST: usize = 15;
/// Pixels below the last baseline of a row: arrows go across here, where no text is.
const BELOW: usize = 15;

/// Everything in the picture.
#[derive(Debug)]
pub(super) struct Layout {
    pub width: usize,
    pub height: usize,
    /// Title, names of lanes, the end, the legend: texts of no moment.
    pub texts: Vec<Text>,
    /// The lanes' lines: while their threads live.
    pub lines: Vec<Upright>,
    pub bars: Vec<Placed>,
    pub(crate) arrows: Vec<Path>,
    pub moments: Vec<Drawn>,
    /// Dots of no moment: those who wait at the end.
    pub dots: Vec<(usize, usize)>,
}

/// A moment of the picture.
#[derive(Debug)]
pub(super) struct Drawn {
    pub top: usize,
    pub height: usize,
    /// Where its dot is. None for a remark.
    pub dot: Option<(usize, usize)>,
    pub stops: bool,
    pub preempts: bool,
    pub texts: Vec<Text>,
    /// What it says in full: nothing in it is cut.
    pub title: String,
}

/// A line of text.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub x: usize,
    /// Of the baseline.
    pub y: usize,
    /// Whether `x` is its right end.
    pub(crate) to_the_left: bool,
    /// What it says, each part in a font.
    pub parts: Vec<(Font, String)>,
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    Title,
    Faint,
    Name,
    Code,
    Effect,
    Stops,
    Switch,
    Number,
    Plain,
}

/// A vertical line.
#[derive(Debug)]
pub(super) struct Upright {
    pub x: usize,
    pub top: usize,
    pub bottom: usize,
}

/// A bar beside a lane, or a sample of one in the legend.
#[derive(Debug)]
pub(super) struct Placed {
    pub at: Upright,
    pub width: usize,
    /// The number of the lock that is held; none where the thread is blocked.
    pub lock: Option<usize>,
}

/// An arrow of level and upright parts.
#[derive(Debug)]
pub(super) struct Path {
    /// Its corners; it begins at the first and ends at the last.
    pub corners: Vec<(usize, usize)>,
    pub class: &'static str,
    pub says: String,
}

/// Half the width of the bar on a lane whose thread is blocked.
const HALF: usize = 5;

impl Font {
    /// Tenths of a pixel that a column of it takes, in the widest of the fonts that may be chosen.
    pub(super) fn column(self) -> usize {
        match self {
            Font::Title => 108,
            Font::Name => 88,
            Font::Code => 74,
            Font::Effect | Font::Stops | Font::Switch => 82,
            Font::Number => 70,
            Font::Faint | Font::Plain => 74,
        }
    }

    /// Its class in the picture's style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Font::Title => "title",
            Font::Faint => "faint",
            Font::Name => "name",
            Font::Code => "code",
            Font::Effect => "effect",
            Font::Stops => "stop",
            Font::Switch => "switch",
            Font::Number => "number",
            Font::Plain => "plain",
        }
    }

    fn wide(self, text: &str) -> usize {
        (textwrap::core::display_width(text) * self.column()).div_ceil(10)
    }

    /// The text, cut with `…` where it is wider than so many pixels.
    fn cut(self, text: &str, room: usize) -> String {
        if self.wide(text) <= room {
            return text.to_string();
        }
        let mut cut = String::new();
        for c in text.chars() {
            if self.wide(&format!("{cut}{c}…")) > room {
                break;
            }
            cut.push(c);
        }
        cut.trim_end().to_string() + "…"
    }

    /// The text in lines of so many pixels; of more than `most` lines the last is cut.
    fn wrap(self, text: &str, room: usize, most: usize) -> Vec<String> {
        let columns = (room * 10 / self.column()).max(4);
        let lines: Vec<String> = textwrap::wrap(text, columns).into_iter().map(|line| line.into_owned()).collect();
        if lines.len() <= most {
            return lines;
        }
        let mut kept = lines[..most].to_vec();
        let last = kept.last_mut().expect("at least one line");
        *last = self.cut(&format!("{last}…………"), self.wide(last).max(self.column())).replace("……", "…");
        kept
    }
}

impl Text {
    fn new(x: usize, y: usize, font: Font, text: impl Into<String>) -> Text {
        Text { x, y, to_the_left: false, parts: vec![(font, text.into())] }
    }
}

/// A lane: its edges.
struct Lane {
    /// Its line.
    x: usize,
    /// Where its text begins.
    text: usize,
    /// How wide the text may be.
    room: usize,
}

/// Puts everything into its place. `title` and `subtitle` stand above; an empty one is left out.
pub(super) fn layout(lanes: &Lanes, title: &str, subtitle: &str) -> Layout {
    let columns = columns(lanes);
    let right = columns.last().map_or(MARGIN + NARROWEST, |lane| lane.text + lane.room);
    let right = right.max(MARGIN + 420);
    let mut layout = Layout {
        width: right + MARGIN,
        height: 0,
        texts: Vec::new(),
        lines: Vec::new(),
        bars: Vec::new(),
        arrows: Vec::new(),
        moments: Vec::new(),
        dots: Vec::new(),
    };
    let mut y = MARGIN;
    for (font, text, line) in [(Font::Title, title, 22), (Font::Faint, subtitle, LINE + 4)] {
        let lines = if text.is_empty() { Vec::new() } else { font.wrap(text, right - MARGIN, 4) };
        for part in lines {
            y += line;
            layout.texts.push(Text::new(MARGIN, y, font, part));
        }
    }
    if y > MARGIN {
        y += 14;
    }
    y += 16;
    for (lane, name) in columns.iter().zip(&lanes.threads) {
        let name = Font::Name.cut(name, lane.room + (lane.text - lane.x) + HALF);
        layout.texts.push(Text::new(lane.x - HALF, y, Font::Name, name));
    }
    y += 8;
    let top = y;
    for moment in &lanes.moments {
        let drawn = moment_at(moment, &columns[moment.thread], y);
        y += drawn.height;
        layout.moments.push(drawn);
    }
    let bottom = y;
    draw_lanes(&mut layout, lanes, &columns, top, bottom);
    draw_bars(&mut layout, lanes, &columns, bottom);
    draw_arrows(&mut layout, lanes, &columns);
    y = draw_end(&mut layout, lanes, &columns, bottom, right);
    y = draw_legend(&mut layout, lanes, y + 10, right);
    layout.height = y + MARGIN / 2;
    layout
}

/// How wide each lane is: as wide as its longest line of code, as far as there is room.
fn columns(lanes: &Lanes) -> Vec<Lane> {
    let mut needs: Vec<usize> = lanes.threads.iter().map(|name| Font::Name.wide(name).max(NARROWEST)).collect();
    for moment in &lanes.moments {
        let place = Font::Faint.wide(&moment.place) + Font::Faint.wide(" · ");
        let effect = place + Font::Effect.wide(&moment.effect).min(260);
        let need = &mut needs[moment.thread];
        *need = (*need).max(Font::Code.wide(&moment.source)).max(effect).min(WIDEST);
    }
    let widths = shares(&needs, ROOM.max(NARROWEST * needs.len()));
    let mut left = MARGIN + NUMBERS;
    let mut columns = Vec::new();
    for (thread, width) in widths.into_iter().enumerate() {
        let x = left + CHANNEL;
        let text = x + SLOT * slots(lanes, thread) + GAP;
        columns.push(Lane { x, text, room: width });
        left = text + width + BETWEEN;
    }
    columns
}

/// How many bars a lane has beside each other.
fn slots(lanes: &Lanes, thread: usize) -> usize {
    slot_of_each(lanes)
        .iter()
        .zip(&lanes.held)
        .filter(|(_, bar)| bar.thread == thread)
        .map(|(slot, _)| slot + 1)
        .max()
        .unwrap_or(0)
}

/// The slot of each bar: the first that is free when it begins.
fn slot_of_each(lanes: &Lanes) -> Vec<usize> {
    let mut slots: Vec<usize> = Vec::new();
    for (number, bar) in lanes.held.iter().enumerate() {
        let meets = |(other, slot): (usize, &usize)| {
            let other = &lanes.held[other];
            let is_over = other.to.is_some_and(|to| to <= bar.from);
            (other.thread == bar.thread && !is_over).then_some(*slot)
        };
        let taken: Vec<usize> = slots.iter().enumerate().filter_map(meets).collect();
        slots.push((0..=number).find(|slot| !taken.contains(slot)).expect("one more than there are bars"));
    }
    slots
}

fn moment_at(moment: &Moment, lane: &Lane, top: usize) -> Drawn {
    let mut texts = Vec::new();
    let mut y = top + FIRST;
    if moment.number.is_none() {
        let lines = Font::Faint.wrap(&moment.effect, lane.room, 3);
        texts.extend(
            lines.into_iter().enumerate().map(|(n, line)| Text::new(lane.text, y + n * LINE, Font::Faint, line)),
        );
        let height = FIRST + (texts.len() - 1) * LINE + BELOW;
        return Drawn { top, height, dot: None, stops: false, preempts: false, texts, title: moment.effect.clone() };
    }
    if let Some(stopped) = &moment.stopped {
        let says = format!("preempts {stopped}");
        texts.push(Text::new(lane.text, y, Font::Switch, Font::Switch.cut(&says, lane.room)));
        y += LINE;
    }
    let dot = (lane.x, y - 4);
    if let Some(number) = moment.number {
        let number =
            Text { to_the_left: true, ..Text::new(MARGIN + NUMBERS - 10, y, Font::Number, number.to_string()) };
        texts.push(number);
    }
    texts.push(Text::new(lane.text, y, Font::Code, Font::Code.cut(&moment.source, lane.room)));
    let font = if moment.stops { Font::Stops } else { Font::Effect };
    let place = if moment.place.is_empty() || moment.effect.is_empty() {
        moment.place.clone()
    } else {
        format!("{} · ", moment.place)
    };
    let beside = lane.room.saturating_sub(Font::Faint.wide(&place));
    let mut lines = effect_lines(&moment.effect, font, beside, lane.room);
    let first = if lines.is_empty() { String::new() } else { lines.remove(0) };
    if !(place.is_empty() && first.is_empty()) {
        y += LINE;
        let place = Font::Faint.cut(&place, lane.room);
        texts.push(Text { x: lane.text, y, to_the_left: false, parts: vec![(Font::Faint, place), (font, first)] });
    }
    for line in lines {
        y += LINE;
        texts.push(Text::new(lane.text, y, font, line));
    }
    let title = [&moment.place[..], &moment.source, &moment.effect].join("  ").trim().to_string();
    Drawn {
        top,
        height: y + BELOW - top,
        dot: Some(dot),
        stops: moment.stops,
        preempts: moment.stopped.is_some(),
        texts,
        title,
    }
}

/// The effect in lines: the first stands beside the place, the others have the lane's whole room.
fn effect_lines(effect: &str, font: Font, beside: usize, room: usize) -> Vec<String> {
    if effect.is_empty() {
        return Vec::new();
    }
    if font.wide(effect) <= beside {
        return vec![effect.to_string()];
    }
    let mut first = String::new();
    let mut rest = effect;
    while let Some((word, after)) = rest.split_once(' ') {
        let longer = if first.is_empty() { word.to_string() } else { format!("{first} {word}") };
        if font.wide(&longer) > beside {
            break;
        }
        (first, rest) = (longer, after);
    }
    let mut lines = vec![first];
    lines.extend(font.wrap(rest, room, 5).into_iter().map(|line| font.cut(&line, room)));
    lines
}

/// Where arrows go across below a moment.
fn below(drawn: &Drawn) -> usize {
    drawn.top + drawn.height - 5
}

fn draw_lanes(layout: &mut Layout, lanes: &Lanes, columns: &[Lane], top: usize, bottom: usize) {
    for (thread, lane) in columns.iter().enumerate() {
        let born = lanes.born[thread].map(|moment| below(&layout.moments[moment]));
        let first = lanes.moments.iter().position(|moment| moment.thread == thread && moment.number.is_some());
        let first = first.map(|moment| layout.moments[moment].top);
        // Who was never seen to start, and did nothing that is shown, has no line.
        let Some(from) = born.or(if thread == 0 { Some(top) } else { first }) else { continue };
        let ended = lanes.ended[thread].map(|moment| below(&layout.moments[moment]));
        let to = ended.unwrap_or(bottom).max(from);
        layout.lines.push(Upright { x: lane.x, top: from, bottom: to });
        if let (Some(moment), Some(y)) = (lanes.born[thread], born) {
            let starter = &columns[lanes.moments[moment].thread];
            let end = if starter.x < lane.x { lane.x - 3 } else { lane.x + 3 };
            if starter.x != lane.x {
                let from = layout.moments[moment].dot.map_or(y, |dot| dot.1);
                layout.arrows.push(Path {
                    corners: vec![(starter.x, from), (starter.x, y), (end, y)],
                    class: "start",
                    says: format!("starts {}", lanes.threads[thread]),
                });
            }
        }
    }
}

fn draw_bars(layout: &mut Layout, lanes: &Lanes, columns: &[Lane], bottom: usize) {
    let dot = |layout: &Layout, moment: usize| {
        let drawn: &Drawn = &layout.moments[moment];
        drawn.dot.map_or(drawn.top + drawn.height / 2, |dot| dot.1)
    };
    for bar in &lanes.blocked {
        let (top, end) = (dot(layout, bar.from), bar.to.map_or(bottom, |to| dot(layout, to)));
        let at = Upright { x: columns[bar.thread].x - HALF, top, bottom: end };
        layout.bars.push(Placed { at, width: 2 * HALF, lock: None });
    }
    for (bar, slot) in lanes.held.iter().zip(slot_of_each(lanes)) {
        let (top, end) = (dot(layout, bar.from), bar.to.map_or(bottom, |to| dot(layout, to)));
        let at = Upright { x: columns[bar.thread].x + HALF + 4 + SLOT * slot, top: top.saturating_sub(4), bottom: end };
        layout.bars.push(Placed { at, width: SLOT - 3, lock: bar.lock });
    }
}

fn draw_arrows(layout: &mut Layout, lanes: &Lanes, columns: &[Lane]) {
    for arrow in &lanes.arrows {
        let (from, to) = (&lanes.moments[arrow.from], &lanes.moments[arrow.to]);
        let (Some(start), Some(end)) = (layout.moments[arrow.from].dot, layout.moments[arrow.to].dot) else { continue };
        let across = below(&layout.moments[arrow.from]);
        let down = columns[to.thread].x - 13;
        layout.arrows.push(Path {
            corners: vec![
                start,
                (columns[from.thread].x, across),
                (down, across),
                (down, end.1),
                (end.0 - HALF, end.1),
            ],
            class: if arrow.why == "missed" { "missed" } else { "arrow" },
            says: match arrow.why {
                "missed" => "was not seen".to_string(),
                why => format!("{why} lets it go on"),
            },
        });
    }
}

/// Who waits for whom at the end, a line each.
fn draw_end(layout: &mut Layout, lanes: &Lanes, columns: &[Lane], bottom: usize, right: usize) -> usize {
    if lanes.waits.is_empty() {
        return bottom;
    }
    let mut y = bottom + 26;
    let head = if lanes.waits[0].in_circle { "The end: they wait for each other" } else { "The end: who waits" };
    layout.texts.push(Text::new(MARGIN, y, Font::Name, Font::Name.cut(head, right - MARGIN)));
    y += 10;
    for wait in &lanes.waits {
        let x = columns[wait.thread].x;
        let others: Vec<usize> = wait.on.iter().map(|on| columns[*on].x).filter(|other| *other != x).collect();
        let left = others.iter().copied().chain([x]).min().unwrap_or(x);
        // It begins where there is room enough to read it.
        let start = (left - HALF).min(right.saturating_sub(420)).max(MARGIN);
        let font = if wait.in_circle { Font::Stops } else { Font::Plain };
        for line in font.wrap(&wait.sentence, right - start, 3) {
            y += LINE;
            layout.texts.push(Text::new(start, y, font, line));
        }
        y += 12;
        layout.dots.push((x, y));
        for other in others {
            let end = if other > x { other - 2 } else { other + 2 };
            layout.arrows.push(Path {
                corners: vec![(x, y), (end, y)],
                class: if wait.in_circle { "circle" } else { "waiting" },
                says: wait.sentence.clone(),
            });
        }
        y += 10;
    }
    y
}

/// What the signs mean.
fn draw_legend(layout: &mut Layout, lanes: &Lanes, top: usize, right: usize) -> usize {
    let mut entries: Vec<(Sample, String)> = lanes
        .locks
        .iter()
        .enumerate()
        .map(|(number, lock)| (Sample::Lock(number), format!("holds {}, {}", lock.name, lock.origin)))
        .collect();
    if !lanes.blocked.is_empty() {
        entries.push((Sample::Blocked, "blocked".to_string()));
    }
    if !lanes.arrows.is_empty() {
        entries.push((Sample::Arrow("arrow"), "lets go on".to_string()));
    }
    if lanes.arrows.iter().any(|arrow| arrow.why == "missed") {
        entries.push((Sample::Arrow("missed"), "was stored, and not seen".to_string()));
    }
    if lanes.moments.iter().any(|moment| moment.stopped.is_some()) {
        entries.push((Sample::None, "preempts: the other one could have gone on".to_string()));
    }
    let (mut x, mut y) = (MARGIN, top + 14);
    for (sample, words) in entries {
        let before = sample.width();
        let words = Font::Faint.cut(&words, right - MARGIN - before);
        let wide = before + Font::Faint.wide(&words);
        if x > MARGIN && x + wide > right {
            (x, y) = (MARGIN, y + 20);
        }
        let upright = |width| Placed { at: Upright { x, top: y - 11, bottom: y + 3 }, width, lock: None };
        match sample {
            Sample::Lock(number) => layout.bars.push(Placed { lock: Some(number), ..upright(SLOT - 3) }),
            Sample::Blocked => layout.bars.push(upright(2 * HALF)),
            Sample::Arrow(class) => {
                let corners = vec![(x, y - 4), (x + 24, y - 4)];
                layout.arrows.push(Path { corners, class, says: words.clone() });
            }
            Sample::None => {}
        }
        layout.texts.push(Text::new(x + before, y, Font::Faint, words));
        x += wide + 22;
    }
    if x > MARGIN || y > top + 14 { y + 4 } else { top }
}

/// A sign in the legend.
#[derive(Clone, Copy)]
enum Sample {
    Lock(usize),
    Blocked,
    Arrow(&'static str),
    None,
}

impl Sample {
    fn width(self) -> usize {
        match self {
            Sample::Lock(_) | Sample::Blocked => 19,
            Sample::Arrow(_) => 32,
            Sample::None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use verdict::Trace;

    use super::*;
    use crate::render::lanes::lanes;
    use crate::render::rows::Length;
    use crate::render::sample::{abba, invented, recorded};
    use crate::render::schedule::Sources;

    /// Pixels above a baseline, and below it, that letters take.
    const ABOVE: usize = 10;
    const UNDER: usize = 3;

    fn drawn(trace: &Trace, title: &str) -> (Lanes, Layout) {
        let lanes = lanes(trace, &mut Sources::given(sources(trace)), Length::AtMost(60, 120));
        let layout = layout(&lanes, title, "kata · test · 1 of 3 schedules fails");
        (lanes, layout)
    }

    /// Lines of different lengths for every place of a trace.
    fn sources(trace: &Trace) -> BTreeMap<String, Vec<String>> {
        let line =
            |number: usize| format!("let value_{number} = {};", "self.state.lock().unwrap().".repeat(number % 6));
        let files = trace.locations().map(|at| (at.file.clone(), (1..400).map(line).collect()));
        files.collect()
    }

    /// A rectangle: left, top, right, bottom.
    type Room = (usize, usize, usize, usize);

    fn room(text: &Text) -> Room {
        let wide: usize = text.parts.iter().map(|(font, text)| font.wide(text)).sum();
        let left = if text.to_the_left { text.x.saturating_sub(wide) } else { text.x };
        let right = if text.to_the_left { text.x } else { text.x + wide };
        (left, text.y.saturating_sub(ABOVE), right, text.y + UNDER)
    }

    fn meet(one: Room, other: Room) -> bool {
        one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
    }

    fn said(text: &Text) -> String {
        text.parts.iter().map(|(_, words)| &words[..]).collect()
    }

    /// The level and upright parts of an arrow, one pixel wide.
    fn parts(path: &Path) -> Vec<Room> {
        let part = |pair: &[(usize, usize)]| {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            (x1.min(x2), y1.min(y2), x1.max(x2) + 1, y1.max(y2) + 1)
        };
        path.corners.windows(2).map(part).collect()
    }

    /// What is wrong with a picture.
    fn faults(lanes: &Lanes, layout: &Layout) -> Vec<String> {
        let mut faults = Vec::new();
        let texts: Vec<&Text> =
            layout.texts.iter().chain(layout.moments.iter().flat_map(|moment| &moment.texts)).collect();
        let canvas = (0, 0, layout.width, layout.height);
        let is_inside = |room: Room| room.2 <= canvas.2 && room.3 <= canvas.3;
        for (number, text) in texts.iter().enumerate() {
            let room = room(text);
            if !is_inside(room) {
                faults.push(format!("outside: {}", said(text)));
            }
            for other in &texts[number + 1..] {
                if meet(room, self::room(other)) {
                    faults.push(format!("one upon the other: {} and {}", said(text), said(other)));
                }
            }
            for (what, across) in obstacles(layout) {
                if meet(room, across) {
                    faults.push(format!("{what} through {}", said(text)));
                }
            }
        }
        faults.extend(
            obstacles(layout)
                .into_iter()
                .filter(|(_, room)| !is_inside(*room))
                .map(|(what, _)| format!("outside: {what}")),
        );
        faults.extend(lost_arrows(lanes, layout));
        let cut = layout
            .moments
            .iter()
            .flat_map(|moment| &moment.texts)
            .any(|text| text.parts.iter().any(|(font, words)| *font == Font::Code && words.ends_with('…')));
        // A lane has at most so much, whatever else is there.
        let widest = columns(lanes).iter().map(|lane| lane.room).max().unwrap_or(0);
        if cut && layout.width < ROOM && widest < WIDEST {
            faults.push(format!("code is cut in a picture of {} pixels", layout.width));
        }
        faults
    }

    /// Whatever must not cross a text.
    fn obstacles(layout: &Layout) -> Vec<(String, Room)> {
        let bars = layout.bars.iter().map(|bar| {
            let Upright { x, top, bottom } = bar.at;
            ("a bar".to_string(), (x, top, x + bar.width, bottom))
        });
        let lines = layout.lines.iter().map(|line| ("a lane".to_string(), (line.x, line.top, line.x + 1, line.bottom)));
        let arrows = layout
            .arrows
            .iter()
            .flat_map(|arrow| parts(arrow).into_iter().map(|room| (format!("an arrow ({})", arrow.says), room)));
        bars.chain(lines).chain(arrows).collect()
    }

    /// Arrows that do not go from the line of the lane that they begin at to the one that they end at.
    fn lost_arrows(lanes: &Lanes, layout: &Layout) -> Vec<String> {
        let columns = columns(lanes);
        let is_at = |x: usize, lane: usize| x.abs_diff(columns[lane].x) <= HALF;
        let of_causes = layout.arrows.iter().filter(|arrow| arrow.corners.len() == 5);
        let mut lost: Vec<String> = Vec::new();
        if of_causes.clone().count() != lanes.arrows.len() {
            lost.push("an arrow is missing".to_string());
        }
        for (drawn, arrow) in of_causes.zip(&lanes.arrows) {
            let (from, to) = (&lanes.moments[arrow.from], &lanes.moments[arrow.to]);
            let (first, last) = (drawn.corners[0], drawn.corners[4]);
            let (start, end) = (layout.moments[arrow.from].dot, layout.moments[arrow.to].dot);
            if !is_at(first.0, from.thread) || start.map(|dot| dot.1) != Some(first.1) {
                lost.push(format!("{arrow:?} begins elsewhere"));
            }
            if !is_at(last.0, to.thread) || end.map(|dot| dot.1) != Some(last.1) {
                lost.push(format!("{arrow:?} ends elsewhere"));
            }
        }
        lost
    }

    #[test]
    fn nothing_is_cut_off_crossed_or_lost() {
        let mut traces = recorded();
        traces.push(("abba".to_string(), abba()));
        traces.extend((0..300).map(|seed| (format!("invented {seed}"), invented(seed))));
        assert!(traces.len() > 305);
        let title = "deadlock: ".to_string() + &"who waits for whom, told at length, ".repeat(6);
        for (name, trace) in traces {
            let (lanes, layout) = drawn(&trace, &title);
            let faults = faults(&lanes, &layout);
            assert!(faults.is_empty(), "{name}: {faults:#?}");
        }
    }

    #[test]
    fn the_same_trace_is_drawn_alike() {
        for seed in 0..20 {
            let picture = || crate::render::svg::picture(&drawn(&invented(seed), "title").0, "title", "");
            assert_eq!(picture(), picture());
        }
    }

    #[test]
    fn code_is_cut_only_where_there_is_no_room() {
        let mut trace = abba();
        trace.steps[1].at.line = 5;
        let (lanes, layout) = drawn(&trace, "");
        let (code, room) = (&layout.moments[1].texts[1], columns(&lanes)[0].room);
        assert!(said(code).starts_with("let value_5 = self.state") && said(code).ends_with('…'));
        assert!(Font::Code.wide(&(said(code) + "x")) > room, "as wide as its lane");
        assert!(layout.width > ROOM, "and its lane has what there is");
        trace.steps[1].at.line = 6;
        assert_eq!(said(&drawn(&trace, "").1.moments[1].texts[1]), "let value_6 = ;");
    }

    #[test]
    fn whoever_holds_two_locks_has_two_bars_beside_each_other() {
        let mut trace = abba();
        trace.steps.truncate(2);
        let second = verdict::Step {
            object: Some(1),
            holds: vec![0, 1],
            at: abba().steps[3].at.clone(),
            ..trace.steps[1].clone()
        };
        trace.steps.push(second);
        let (lanes, layout) = drawn(&trace, "");
        assert_eq!(faults(&lanes, &layout), [""; 0]);
        let held: Vec<&Placed> = layout.bars.iter().filter(|bar| bar.lock.is_some()).collect();
        assert_eq!(held[0].at.x + SLOT, held[1].at.x);
    }
}
