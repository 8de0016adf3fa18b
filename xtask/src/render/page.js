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
