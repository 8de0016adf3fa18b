//! What the command line says about the work: `--load requests=100,latency=50` and `--sweep workers=1,2,4`.

use std::collections::BTreeMap;
use std::str::FromStr;

use pipeline::error::{Error, Result};
use pipeline::subject::catalog::{self, Kata, Preset, Workload};
use verdict::time::{Load, Setting};

/// No workload needs a larger number than this, and smaller ones keep a typo from filling the machine.
const MOST: u64 = 1_000_000_000;
/// More workers than this are no experiment but an accident.
pub(crate) const MOST_WORKERS: u32 = 20_000;

/// `--sweep workers=1,2,4`: the numbers of workers, in increasing order, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// The numbers.
    pub(crate) workers: Vec<u32>,
}

impl FromStr for Sweep {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Sweep, String> {
        let help = "write it like workers=1,2,4,8";
        let list = text.strip_prefix("workers=").ok_or_else(|| help.to_string())?;
        let mut workers = Vec::new();
        for number in list.split(',') {
            match number.trim().parse() {
                Ok(number @ 1..=MOST_WORKERS) => workers.push(number),
                _ => return Err(format!("`{number}` is no number from 1 to {MOST_WORKERS}; {help}")),
            }
        }
        workers.sort_unstable();
        workers.dedup();
        Ok(Sweep { workers })
    }
}

/// The kata's workload with the settings of the command line, each like `requests=100`, in the place of its own.
///
/// # Errors
/// There is no such setting, or it can't have that value.
pub(crate) fn load(kata: &Kata, workload: &Workload, wanted: &[String]) -> Result<Load> {
    let mut load = presets(&workload.load);
    for setting in wanted {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let Some(preset) = workload.load.get(name) else {
            let next = match catalog::nearest(name, workload.load.keys().map(String::as_str)) {
                Some(near) => format!("Did you mean `{near}`? {}", all_settings(&kata.name, workload)),
                None => all_settings(&kata.name, workload),
            };
            return Err(Error::new(format!("the load of `{}` has no `{name}`", kata.name), next));
        };
        let setting = parse(preset, value, name)
            .ok_or_else(|| Error::new(format!("`{name}` can't be `{value}`"), all_settings(&kata.name, workload)))?;
        load.insert(name.to_string(), setting);
    }
    Ok(load)
}

/// The load in one line: `in-flight=30, latency=20`.
pub(crate) fn typed(load: &Load) -> String {
    let settings = load.iter().map(|(name, setting)| match setting {
        Setting::Number(number) => format!("{name}={number}"),
        Setting::Word(word) => format!("{name}={word}"),
    });
    settings.collect::<Vec<String>>().join(", ")
}

fn presets(presets: &BTreeMap<String, Preset>) -> Load {
    let setting = |preset: &Preset| match preset {
        Preset::Number(number) => Setting::Number(*number),
        Preset::Choice(words) => Setting::Word(words.first().cloned().unwrap_or_default()),
    };
    presets.iter().map(|(name, preset)| (name.clone(), setting(preset))).collect()
}

fn parse(preset: &Preset, value: &str, name: &str) -> Option<Setting> {
    // These become threads, tasks or connections.
    let most = if matches!(name, "in-flight" | "workers") { u64::from(MOST_WORKERS) } else { MOST };
    match preset {
        Preset::Number(_) => value.parse().ok().filter(|number| (1..=most).contains(number)).map(Setting::Number),
        Preset::Choice(words) => words.iter().find(|word| *word == value).cloned().map(Setting::Word),
    }
}

/// What can be set, and to what.
fn all_settings(kata: &str, workload: &Workload) -> String {
    let settings = workload.load.iter().map(|(name, preset)| match preset {
        Preset::Number(number) => format!("{name}={number}"),
        Preset::Choice(words) => format!("{name}={}", words.join("|")),
    });
    format!("What can be set for {kata}, with what it is otherwise: {}.", settings.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::Sweep;

    #[test]
    fn a_sweep_is_a_sorted_list_of_numbers() {
        assert_eq!("workers=4,1,2,4".parse(), Ok(Sweep { workers: vec![1, 2, 4] }));
        for wrong in
            ["", "workers=", "workers=0", "workers=x", "workers=1,,2", "cooks=1", "workers=-1", "workers=99999"]
        {
            assert!(wrong.parse::<Sweep>().is_err(), "{wrong}");
        }
    }
}
