//! Times for people: a table with bars for the terminal, a chart for the lesson.

pub(crate) mod chart;
pub(crate) mod file;
pub(crate) mod table;

/// Seconds with three digits that count, in the unit that fits.
pub(crate) fn in_words(seconds: f64) -> String {
    match seconds {
        s if s >= 99.95 => format!("{s:.0} s"),
        s if s >= 9.995 => format!("{s:.1} s"),
        s if s >= 0.9995 => format!("{s:.2} s"),
        s if s >= 0.099_95 => format!("{:.0} ms", s * 1e3),
        s if s >= 0.009_995 => format!("{:.1} ms", s * 1e3),
        s if s >= 0.000_999_5 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn three_digits_count() {
        let words: Vec<String> = [123.4, 12.34, 1.234, 0.1234, 0.012_34, 0.001_234, 0.000_123].map(in_words).into();
        assert_eq!(words, ["123 s", "12.3 s", "1.23 s", "123 ms", "12.3 ms", "1.23 ms", "123 µs"]);
        // Just below a border it is rounded up to it, and then in the larger unit.
        assert_eq!([0.999_96, 9.999].map(in_words), ["1.00 s", "10.0 s"]);
    }
}
