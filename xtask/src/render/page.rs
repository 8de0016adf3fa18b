//! A schedule as a page that stands on its own: the picture, the sources beside it, and the keyboard to step through. It loads
//! nothing, so it can be mailed, archived and opened offline.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::render::lanes::Lanes;
use crate::render::schedule::Sources;
use crate::render::svg::{escape, picture};

/// What the page's script reads.
#[derive(Serialize)]
struct Data<'a> {
    lanes: &'a Lanes,
    sources: BTreeMap<String, String>,
}

/// Writes the page. `message` is the verdict's sentence.
pub(crate) fn page(lanes: &Lanes, sources: &Sources, title: &str, message: &str) -> String {
    let texts = lanes.steps.iter().map(|step| step.file.clone()).map(|file| (sources.text(&file), file));
    let data = Data { lanes, sources: texts.map(|(text, file)| (file, text)).collect() };
    // In a script element only `<` could end the script; JSON allows to write it otherwise.
    let json = serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c");
    let first = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">";
    format!(
        "{first}<title>{title}</title>\n<style>{STYLE}</style></head>\n<body><header><h1>{title}</h1><p>{message}</p>{HELP}</header>\n<main><section id=\"picture\" tabindex=\"0\" aria-label=\"The schedule\">{svg}</section>\n<section id=\"side\"><div id=\"says\" aria-live=\"polite\"></div><table id=\"threads\"><thead><tr><th>thread</th><th>does</th><th>holds</th></tr></thead><tbody></tbody></table><h2 id=\"file\"></h2><pre id=\"source\"></pre></section></main>\n<script type=\"application/json\" id=\"data\">{json}</script>\n<script>{SCRIPT}</script></body></html>\n",
        title = escape(title),
        message = escape(message).replace('\n', "<br>"),
        svg = picture(lanes, title),
    )
}

const HELP: &str = "<p class=\"keys\"><button id=\"back\">← back</button> <button id=\"on\">on →</button> <kbd>←</kbd> <kbd>→</kbd> one step, <kbd>Home</kbd> <kbd>End</kbd> first and last, or click a step</p>";

const STYLE: &str = "
body { font: 15px/1.4 system-ui, sans-serif; margin: 0; color: #111; background: #fff }
header { padding: 0.6em 1em; border-bottom: 1px solid #ccc } h1 { font-size: 1.1em; margin: 0 } header p { margin: 0.3em 0 }
kbd { border: 1px solid #999; border-radius: 3px; padding: 0 0.4em } .keys { color: #444 }
main { display: flex; height: calc(100vh - 8.5em) } #picture { overflow: auto; flex: 3; min-width: 0 } #side { flex: 2; min-width: 0; display: flex; flex-direction: column; padding: 0 1em; border-left: 1px solid #ccc }
#says { font-weight: bold; padding: 0.6em 0; min-height: 1.4em } table { border-collapse: collapse; width: 100% } th, td { text-align: left; border-bottom: 1px solid #ddd; padding: 0.15em 0.5em }
tr.now td { background: #fd6 } h2 { font-size: 0.95em; margin: 0.8em 0 0.3em } pre { font: 12px/1.5 ui-monospace, Menlo, Consolas, monospace; margin: 0 0 0.5em; tab-size: 4; overflow: auto; flex: 1; min-height: 8em }
pre span { display: block; white-space: pre } pre span.now { background: #fd6; outline: 1px solid #a80 } .step { cursor: pointer }
@media (max-width: 800px) { main { display: block; height: auto } }
@media print { .keys { display: none } main { display: block; height: auto } }
";

const SCRIPT: &str = r#"
const { lanes, sources } = JSON.parse(document.getElementById('data').textContent);
let now = 0, file = null;
const by = id => document.getElementById(id);
function text(tag, words) { const made = document.createElement(tag); made.textContent = words; return made; }
function showSource(step) {
  if (file !== step.file) {
    file = step.file;
    by('file').textContent = file;
    by('source').replaceChildren(...(sources[file] || '').split('\n').map((line, at) => text('span', String(at + 1).padStart(4) + '  ' + line)));
  }
  const lines = by('source').children;
  for (const line of lines) line.classList.remove('now');
  const line = lines[step.line - 1];
  if (line) { line.classList.add('now'); line.scrollIntoView({ block: 'center' }); }
}
function show(number) {
  if (!lanes.steps.length) return;
  now = Math.max(0, Math.min(lanes.steps.length - 1, number));
  const step = lanes.steps[now];
  document.querySelectorAll('.step.now').forEach(old => old.classList.remove('now'));
  const drawn = by('step-' + now);
  drawn.classList.add('now');
  drawn.scrollIntoView({ block: 'nearest' });
  const stopped = step.preemption ? ' (preemption: another thread could have gone on)' : '';
  by('says').textContent = `Step ${now + 1} of ${lanes.steps.length}: ${lanes.threads[step.thread]} ${step.effect}${stopped}`;
  by('threads').tBodies[0].replaceChildren(...step.threads.map((standing, thread) => {
    const row = document.createElement('tr');
    if (thread === step.thread) row.className = 'now';
    row.append(text('td', lanes.threads[thread]), text('td', standing.state), text('td', standing.holds.join(', ') || 'nothing'));
    return row;
  }));
  showSource(step);
}
addEventListener('keydown', event => {
  const to = { ArrowRight: now + 1, ArrowDown: now + 1, l: now + 1, j: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, h: now - 1, k: now - 1, Home: 0, End: Infinity }[event.key];
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  show(to);
});
by('back').onclick = () => show(now - 1);
by('on').onclick = () => show(now + 1);
document.querySelectorAll('.step').forEach((drawn, number) => drawn.addEventListener('click', () => show(number)));
show(0);
"#;
