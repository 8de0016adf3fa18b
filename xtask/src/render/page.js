
const { lanes, sources } = JSON.parse(document.getElementById('data').textContent);
let now = 0, file = null;
const by = id => document.getElementById(id);
function text(tag, words) { const made = document.createElement(tag); made.textContent = words; return made; }
// Scrolls inside of a box only: the page around it stays where it is, with its buttons.
function bringIntoView(box, inner, aside) {
  const outer = box.getBoundingClientRect(), it = inner.getBoundingClientRect();
  const top = it.top - outer.top, bottom = it.bottom - outer.top;
  if (top < 40 || bottom > box.clientHeight - 40) box.scrollTop += top - (box.clientHeight - it.height) / 2;
  if (aside) {
    const left = aside.left - outer.left, right = aside.right - outer.left;
    if (left < 0 || right > box.clientWidth) box.scrollLeft += left - 12;
  }
}
function showSource(step) {
  if (!step.file) return;
  if (file !== step.file) {
    file = step.file;
    by('file').textContent = file;
    by('source').replaceChildren(...(sources[file] || '').split('\n').map((line, at) => text('span', String(at + 1).padStart(4) + '  ' + line)));
  }
  const lines = by('source').children;
  for (const line of lines) line.classList.remove('now');
  const line = lines[step.line - 1];
  if (line) { line.classList.add('now'); bringIntoView(by('source'), line); }
}
function show(number) {
  if (!lanes.moments.length) return;
  now = Math.max(0, Math.min(lanes.moments.length - 1, number));
  const step = lanes.moments[now];
  document.querySelectorAll('.step.now').forEach(old => old.classList.remove('now'));
  const drawn = by('step-' + now);
  drawn.classList.add('now');
  const words = [...drawn.querySelectorAll('text:not([text-anchor])')].map(one => one.getBoundingClientRect());
  bringIntoView(by('picture'), drawn.querySelector('.band'), words.length ? { left: Math.min(...words.map(one => one.left)) - 48, right: Math.max(...words.map(one => one.right)) } : null);
  const stopped = step.stopped ? ` (it preempts ${step.stopped}, which could have gone on)` : '';
  const who = step.number ? `${lanes.threads[step.thread]} ${step.effect || step.source}` : step.effect;
  by('says').textContent = `${now + 1} of ${lanes.moments.length}: ${who}${stopped}`;
  by('threads').tBodies[0].replaceChildren(...step.threads.map((standing, thread) => {
    const row = document.createElement('tr');
    if (step.number && thread === step.thread) row.className = 'now';
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
