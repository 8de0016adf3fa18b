//! Nobody's text is ever live: a class whose names, messages, output, sources and schedules are all hostile.

use std::collections::BTreeMap;

use verdict::SubjectVerdict;

use crate::class::gradebook::Gradebook;
use crate::render::class::sample::{assignment, broken, deadlocked, inputs, parsed, written};

/// Names, output and messages as a learner with bad intentions would choose them.
const HOSTILE: [&str; 16] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "' onmouseover='alert(1)",
    "</pre></details></td></tr></table><h1>passed</h1>",
    "]]><failure/>",
    "=HYPERLINK(\"http://evil.example\",\"grade\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}link\u{1b}]8;;\u{7}",
    "::error file=x::gone\n::stop-commands::x\n  ::add-mask::passed",
    "##vso[task.complete result=Succeeded]\n##[error]x\n##teamcity[testFailed]",
    "| a | b |\n|---|---|\n```\n# passed ``` @octocat #1 [x](http://evil.example) www.evil.example",
    "[[ATTACHMENT|/etc/passwd]]",
    "a\u{0}b\u{8}c\u{b}d\u{fffe}e\u{85}f\u{2028}g\u{202e}h",
    "\u{1b}[0Ksection_start:1:x\r\u{1b}[0Kx",
];

/// A class whose every text is hostile.
fn hostile() -> Gradebook {
    let mut results = Vec::new();
    let all = HOSTILE.join("\n");
    for name in HOSTILE {
        let mut one = deadlocked(name, "lock");
        for test in &mut one.verdict.tests {
            test.message = format!("{name}\n{all}");
            test.output = format!("{name}\n{all}");
            if let Some(trace) = &mut test.trace {
                trace.schedule = name.to_string();
                trace.threads.iter_mut().for_each(|thread| thread.name = name.to_string());
                trace.objects.iter_mut().for_each(|object| object.name = name.to_string());
                trace.steps.iter_mut().for_each(|step| step.value = Some(name.to_string()));
                trace.for_each_file(|_| format!("{name}/{name}"));
                trace.waiting[0].waits_for.as_mut().unwrap().note = Some(name.to_string());
                trace.waiting[1].waits_for.as_mut().unwrap().operation = name.into();
            }
        }
        one.lines =
            BTreeMap::from([(format!("{name}/{name}"), (1..20).map(|line| (line, name.to_string())).collect())]);
        results.push(one);
        results.push(broken(name, "queue", SubjectVerdict::CompileError, &all));
        results.push(broken(name, "pool", SubjectVerdict::GraderError, &all));
    }
    let katas = ["lock", "queue", "pool"].map(|kata| assignment(kata, 1.0)).to_vec();
    let mut inputs = inputs(&HOSTILE, katas);
    inputs.title = all;
    Gradebook::new(inputs, results)
}

#[test]
fn hostile_text_is_never_live_in_any_report() {
    let files = written(&hostile());
    assert_eq!(files.len(), 5 + 4 * HOSTILE.len());
    for (name, text) in &files {
        for c in ['\u{1b}', '\u{0}', '\u{8}', '\u{b}', '\r', '\u{7}', '\u{85}', '\u{2028}', '\u{202e}', '\u{fffe}'] {
            assert!(!text.contains(c), "{name} has {c:?}");
        }
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::"), "{name}: {line}");
            for command in ["##vso[", "##[", "##teamcity["] {
                assert!(!line.contains(command), "{name}: {line}");
            }
        }
        match name.rsplit('.').next() {
            Some("html") => harmless_html(name, text),
            Some("xml") => assert!(!text.contains("[[ATTACHMENT") && parsed(text).0.contains(&"failure".to_string())),
            Some("json") => drop(serde_json::from_str::<serde_json::Value>(text).unwrap()),
            Some("csv") => harmless_csv(text),
            _ => harmless_markdown(name, text),
        }
    }
}

/// Every tag is one of ours, with attributes of ours.
fn harmless_html(name: &str, page: &str) {
    const TAGS: &str = " html head meta title style body header main section h1 h2 h3 h4 p a b small ul li details summary \
        div pre code table thead tbody tr th td svg g text tspan rect circle line path pattern defs marker script ";
    let (before, script) = page.rsplit_once("<script>").unwrap();
    assert!(script.ends_with("</script>\n</body>\n</html>\n"), "{name}");
    let body = before.split_once("</style>").unwrap().1;
    for tag in body.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let word: String = tag.trim_start_matches('/').chars().take_while(|c| c.is_alphanumeric()).collect();
        assert!(TAGS.contains(&format!(" {word} ")), "{name}: <{tag}>");
        let outside: String = tag.split('"').step_by(2).collect();
        assert!(!outside.contains(" on"), "{name}: <{tag}>");
        assert!(!outside.contains('\''), "{name}: <{tag}>");
    }
    for link in body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(link.starts_with('#') || link.starts_with("learners/"), "{name}: {link}");
    }
    assert_eq!(body.matches("<table").count(), body.matches("</table>").count(), "{name}");
    assert_eq!(body.matches("<details").count(), body.matches("</details>").count(), "{name}");
}

fn harmless_csv(text: &str) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap().len(), 7);
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), HOSTILE.len());
    for field in records.iter().flatten() {
        let begins = field.trim_start().starts_with(['=', '+', '-', '@']);
        assert!(!begins, "{field}");
        assert!(!field.contains('\n'), "{field}");
    }
}

/// Rendered, the page has no HTML, link or picture, and no mention that a later look at its text could find.
fn harmless_markdown(name: &str, page: &str) {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    assert!(page.len() <= 1024 * 1024, "{name}");
    let (mut in_code, mut titles) = (false, 0);
    for event in Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("{name}: {html}"),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => panic!("{name}: {dest_url}"),
            Event::Start(Tag::Heading { level: pulldown_cmark::HeadingLevel::H1, .. }) => titles += 1,
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => {
                for live in ["@octocat", "http://", "www.", "#1"] {
                    assert!(!text.contains(live), "{name}: {text}");
                }
            }
            _ => {}
        }
    }
    assert_eq!(titles, 1, "{name} has one title, ours");
}
