const { nodes } = JSON.parse(document.getElementById('data').textContent);
const by = id => document.getElementById(id);
function made(tag, words, name) { const it = document.createElement(tag); it.textContent = words; if (name) it.className = name; return it; }
// How it may end from each position, as far as the page has it. Positions come after those that lead to them.
const future = nodes.map(() => null);
for (let at = nodes.length - 1; at >= 0; at--) {
  const { moves, end } = nodes[at];
  const sum = { fails: 0, passes: 0, cut: 0 };
  if (end) sum[end.fails ? 'fails' : 'passes'] = 1;
  for (const { to } of moves) {
    if (to === null) sum.cut += 1;
    else for (const key in sum) sum[key] += future[to][key];
  }
  future[at] = sum;
}
const isOpen = at => future[at].fails > 0 && future[at].passes > 0;
// The moves that were made, by number from 0, and perhaps more that are known: what `n` makes.
let path = [], done = 0;
function walk(moves) { return moves.reduce((at, move) => at === null || at === undefined ? null : nodes[at].moves[move]?.to ?? null, 0); }
function known(moves) {
  const all = moves.slice();
  for (let at = walk(all); at !== null;) {
    const next = nodes[at].moves.findIndex(move => move.known && move.to !== null);
    if (next < 0) break;
    all.push(next);
    at = nodes[at].moves[next].to;
  }
  return all;
}
function here() { return walk(path.slice(0, done)); }
function show(says) {
  const at = here(), { schedule, clock, threads, moves, end } = nodes[at];
  by('where').textContent = `${done} ${done === 1 ? 'choice' : 'choices'}, clock ${clock}` + (schedule ? `, --schedule ${schedule}` : '');
  by('threads').replaceChildren(...threads.map((thread, index) => {
    const row = document.createElement('li');
    row.append(made('span', thread.name, 'name'));
    if (thread.state) row.append(made('span', thread.state, 'state'));
    if (thread.holds) row.append(made('span', thread.holds, 'holds'));
    moves.forEach((move, number) => {
      if (move.thread !== index) return;
      const button = made('button', '', 'move' + (number === path[done] ? ' known' : ''));
      button.append(made('kbd', number + 1), ' ', made('code', move.source), made('span', (number === path[done] ? '→ ' : '') + (move.preemption ? '↻ ' : '') + move.does + (move.to === null ? ' (the page is cut here)' : ''), 'does'));
      button.disabled = move.to === null;
      button.onclick = () => choose(number);
      row.append(button);
    });
    return row;
  }));
  by('says').textContent = [end?.says, says].filter(Boolean).join(' ');
  by('says').className = end ? (end.fails ? 'fails' : 'passes') : '';
  const { fails, passes, cut } = future[at];
  const ends = `of ${fails + passes} ends from here, ${fails} ${fails === 1 ? 'is a failure' : 'are failures'}` + (cut ? '; the page is cut, so there are more.' : '.');
  by('future').textContent = end ? '' : isOpen(at) ? `It can go either way: ${ends}` : cut ? `Not all that may come is on this page: ${ends}` : fails ? "It can't go right any more." : "It can't go wrong any more.";
  by('steps').replaceChildren(...[-1, ...path].map((move, index) => {
    const row = document.createElement('li');
    if (index === 0) row.textContent = 'the beginning';
    else {
      const before = nodes[walk(path.slice(0, index - 1))], step = before.moves[move];
      row.append(made('span', before.threads[step.thread].name, 'name'), ' ', made('code', step.source), made('span', step.does, 'does'));
      if (index > done) row.className = 'later';
    }
    if (index === done) row.className = 'now';
    row.onclick = () => go(index);
    return row;
  }));
  by('back').disabled = done === 0;
  by('on').disabled = done >= path.length;
  by('restart').disabled = done === 0;
  const address = '#' + path.slice(0, done).map(move => move + 1).join('.');
  if (location.hash !== address && (location.hash || done)) history.replaceState(null, '', address);
}
function go(to, says) { done = Math.max(0, Math.min(path.length, to)); show(says); }
function choose(number) {
  const move = nodes[here()].moves[number];
  if (!move) return show(`Nobody has the number ${number + 1}.`);
  if (move.to === null) return show('The page is cut here.');
  if (path[done] !== number) path = known([...path.slice(0, done), number]);
  go(done + 1);
}
function turn() {
  let last = -1;
  for (let index = 0; index <= path.length; index++) if (isOpen(walk(path.slice(0, index)))) last = index;
  if (last < 0) return show('No choice mattered, as far as this page goes.');
  go(last, last === path.length ? 'Nothing is decided yet.' : 'Here it was decided: it could still go either way.');
}
// The nearest end that fails: fewest choices, breadth first.
function shortest() {
  const begin = path.slice(0, done);
  const queue = [[here(), begin]];
  while (queue.length) {
    const [at, moves] = queue.shift();
    if (nodes[at].end?.fails) {
      path = moves;
      return show(`It fails after ${moves.length - begin.length} more: n follows the way.`);
    }
    nodes[at].moves.forEach(({ to }, number) => { if (to !== null && future[to].fails) queue.push([to, [...moves, number]]); });
  }
  show('No failure from here is on this page.');
}
function address() {
  const numbers = location.hash.slice(1).split('.').filter(Boolean).map(text => Number(text) - 1);
  const fits = numbers.every(Number.isInteger) && walk(numbers) !== null;
  path = known(fits ? numbers : []);
  go(fits ? numbers.length : 0, fits ? '' : 'The address names a position that this page does not have.');
}
const keys = { u: () => go(done - 1), Backspace: () => go(done - 1), ArrowLeft: () => go(done - 1), n: () => go(done + 1), ArrowRight: () => go(done + 1), j: turn, s: shortest, r: () => go(0), Home: () => go(0) };
addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const action = keys[event.key] ?? (/^[1-9]$/.test(event.key) ? () => choose(Number(event.key) - 1) : null);
  if (!action) return;
  event.preventDefault();
  action();
});
for (const [id, key] of [['back', 'u'], ['on', 'n'], ['turn', 'j'], ['shortest', 's'], ['restart', 'r']]) by(id).onclick = keys[key];
addEventListener('hashchange', address);
address();
