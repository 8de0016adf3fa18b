//! The record of a class, `results.jsonl`: one JSON document per line, appended as results come.
//!
//! A run begins with a line of what it grades, appends one line per result, and ends with a line that says so. A run that was
//! killed leaves whole lines and perhaps half a one, which the next run cuts off. A finished record is sorted, so that
//! grading twice gives the same bytes, but for times.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use pipeline::error::{Error, Result};
use pipeline::whole;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use verdict::{Graded, Inputs, Isolation};

use crate::class::claim::Claim;
use crate::plain;

/// The name of the record in the folder of a class's results.
pub(crate) const RESULTS: &str = "results.jsonl";

/// One line of the record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// A run began.
    Inputs(Box<Inputs>),
    /// A result.
    Graded(Box<Graded>),
    /// The run came to its end, with so many results.
    Finished(usize),
}

/// What a record holds.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// What the last run graded; nothing in an empty record.
    pub(crate) inputs: Option<Inputs>,
    /// The last result on each learner and kata.
    pub(crate) results: BTreeMap<(String, String), Graded>,
    /// Whether the last run came to its end.
    pub(crate) finished: bool,
}

/// A record that is being written.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    file: File,
    record: Record,
}

impl Ledger {
    /// Opens the record in a folder that is ours, made if it is not there, and reads what earlier runs left.
    ///
    /// # Errors
    /// It is no record, or can't be written.
    pub(crate) fn open(claim: &Claim) -> Result<Ledger> {
        let path = claim.folder().join(RESULTS);
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(Error::io("open", &path))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(Error::io("read", &path))?;
        // Half a line is what a run that was killed could not finish.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let record = parse(&text[..whole], &path)?;
        file.set_len(whole as u64).map_err(Error::io("write", &path))?;
        file.seek(SeekFrom::End(0)).map_err(Error::io("write", &path))?;
        Ok(Ledger { path, file, record })
    }

    /// The result on that learner and kata, if it was reached with that key.
    pub(crate) fn known(&self, learner: &str, kata: &str, key: &str) -> Option<&Graded> {
        self.record.results.get(&(learner.to_string(), kata.to_string())).filter(|graded| graded.key == key)
    }

    /// Notes that a run begins.
    ///
    /// # Errors
    /// The record can't be written.
    pub(crate) fn begin(&mut self, inputs: &Inputs) -> Result<()> {
        self.record.inputs = Some(inputs.clone());
        self.append(&Line::Inputs(Box::new(inputs.clone())))
    }

    /// Notes a result.
    ///
    /// # Errors
    /// The record can't be written.
    pub(crate) fn note(&mut self, graded: Graded) -> Result<()> {
        let line = Line::Graded(Box::new(graded));
        self.append(&line)?;
        if let Line::Graded(graded) = line {
            self.record.results.insert((graded.learner.clone(), graded.verdict.kata.clone()), *graded);
        }
        Ok(())
    }

    /// Ends the run: the record is written anew, sorted, with these results only. Nothing else has them.
    ///
    /// # Errors
    /// The record can't be written. Then it is as it was.
    pub(crate) fn finish(self, inputs: &Inputs, results: &[Graded]) -> Result<()> {
        let mut lines = vec![Line::Inputs(Box::new(inputs.clone()))];
        lines.extend(results.iter().map(|graded| Line::Graded(Box::new(graded.clone()))));
        lines.push(Line::Finished(results.len()));
        whole::write_for_good(&self.path, lines.iter().flat_map(bytes).collect::<Vec<u8>>())
    }

    fn append(&mut self, line: &Line) -> Result<()> {
        self.file.write_all(&bytes(line)).map_err(Error::io("write", &self.path))
    }
}

/// The record in that folder.
///
/// # Errors
/// There is none, or it is broken.
pub(crate) fn read(folder: &Path) -> Result<Record> {
    let path = folder.join(RESULTS);
    let text = fs::read(&path).map_err(Error::io("read", &path))?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    parse(&text[..whole], &path)
}

/// How submissions were kept apart when the record in that folder was begun, if there is one.
///
/// # Errors
/// It is broken.
pub(crate) fn began_with(folder: &Path) -> Result<Option<Isolation>> {
    let is_there = folder.join(RESULTS).is_file();
    let record = if is_there { read(folder)? } else { Record::default() };
    Ok(record.inputs.map(|inputs| inputs.isolation))
}

fn bytes(line: &Line) -> Vec<u8> {
    let document = serde_json::to_string(line).expect("a record has no keys or values that JSON lacks");
    // Names are kept as they are, and still nothing in the file is live.
    (plain::json(&document) + "\n").into_bytes()
}

/// Bytes of one text in the record: more than any report shows of it.
const LONGEST_TEXT: usize = 16 * 1024;

/// What a submission made the tests and the compiler say, as plain text that is no longer than a record should keep.
///
/// Every text of the verdict is gone through, whatever it is for: what is added to a verdict is bounded, too.
pub(crate) fn in_plain_text<T: Serialize + DeserializeOwned>(said: &T) -> T {
    fn walk(value: &mut Value) {
        match value {
            Value::String(text) => *text = plain::cut(&plain::plain(text), LONGEST_TEXT),
            Value::Array(values) => values.iter_mut().for_each(walk),
            Value::Object(fields) => {
                let walked = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                    walk(&mut value);
                    (plain::cut(&plain::plain(&name), LONGEST_TEXT), value)
                });
                *fields = walked.collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(said).expect("a verdict has no keys or values that JSON lacks");
    walk(&mut value);
    serde_json::from_value(value).expect("other texts, and all else as it was")
}

fn parse(text: &[u8], path: &Path) -> Result<Record> {
    let mut record = Record::default();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            Error::new(
                format!("{}:{}: not a line of a record: {error}", path.display(), number + 1),
                "Give another folder with `--out`; or move that file away, and everything is graded anew.",
            )
        })?;
        match line {
            Line::Inputs(inputs) => {
                record.inputs = Some(*inputs);
                record.finished = false;
            }
            Line::Graded(graded) => {
                record.results.insert((graded.learner.clone(), graded.verdict.kata.clone()), *graded);
            }
            Line::Finished(_) => record.finished = true,
        }
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn texts_of_strangers_are_plain_and_cut_wherever_they_are() {
        let said =
            BTreeMap::from([("a\u{2028}b".to_string(), vec![format!("\u{9b}\u{7f}\u{202e}{}", "x".repeat(100_000))])]);
        let kept = in_plain_text(&said);
        let text = &kept["a b"][0];
        assert!(text.starts_with("\u{fffd}") && !text.contains(['\u{9b}', '\u{7f}', '\u{202e}']), "{text:.20}");
        assert!(text.len() < LONGEST_TEXT + 100, "{} bytes", text.len());
        assert!(text.ends_with("more bytes are left out."));
    }
}
