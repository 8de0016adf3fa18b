//! A schedule as a page that stands on its own: the picture, the sources beside it, and the keyboard to step through. It loads
//! nothing, so it can be mailed, archived and opened offline.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::render::lanes::Lanes;
use crate::render::schedule::Sources;
use crate::render::svg::{self, escape};

/// What the page's script reads.
#[derive(Serialize)]
struct Data<'a> {
    lanes: &'a Lanes,
    sources: BTreeMap<String, String>,
}

/// Writes the page. `message` is the verdict's sentence.
pub(crate) fn page(lanes: &Lanes, sources: &Sources, title: &str, message: &str) -> String {
    let files = lanes.moments.iter().filter(|moment| !moment.file.is_empty()).map(|moment| moment.file.clone());
    let texts = files.map(|file| (sources.text(&file), file));
    let data = Data { lanes, sources: texts.map(|(text, file)| (file, text)).collect() };
    // In a script element only `<` could end the script; JSON allows to write it otherwise.
    let json = serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c");
    // The parts are put in one after the other, each into the text between two marks, so that no part is searched for marks.
    let parts = [
        ("{title}", escape(title)),
        ("{style}", format!("{}{STYLE}", svg::STYLE)),
        ("{title}", escape(title)),
        ("{message}", escape(message).replace('\n', "<br>")),
        ("{svg}", svg::embedded(lanes, title, true).replacen("<rect", &format!("{}<rect", svg::DEFS), 1)),
        ("{data}", json),
        ("{script}", SCRIPT.to_string()),
    ];
    let (mut page, mut rest) = (String::new(), FRAME);
    for (mark, part) in parts {
        let (before, after) = rest.split_once(mark).expect("page.html has every mark, in this order");
        page += before;
        page += &part;
        rest = after;
    }
    page + rest
}

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
