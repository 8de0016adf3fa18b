
'use strict';
// The page is whole without this. It adds sorting, filtering, and opens what a link points to.
const made = (tag, words) => { const one = document.createElement(tag); one.textContent = words; return one; };
function reveal() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
  target.scrollIntoView();
}
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const first = [...body.rows];
  const value = (row, column) => { const cell = row.cells[column]; return cell.dataset.sort === undefined ? cell.textContent : Number(cell.dataset.sort); };
  const compare = (a, b) => typeof a === 'number' ? a - b : a.localeCompare(b);
  heads.forEach((head, column) => {
    const button = made('button', head.textContent);
    button.type = 'button';
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      // From the first order, so that equals always stand the same way.
      const rows = [...first].sort((a, b) => (up ? 1 : -1) * compare(value(a, column), value(b, column)));
      body.append(...rows);
    });
  });
}
function tools(table) {
  const bar = made('div', ''), label = made('label', 'Find '), find = made('input', ''), seen = made('span', '');
  bar.className = 'tools';
  find.type = 'search';
  seen.setAttribute('role', 'status');
  label.append(find);
  find.addEventListener('input', () => {
    const words = find.value.toLowerCase();
    let count = 0;
    for (const row of table.tBodies[0].rows) { row.hidden = !row.textContent.toLowerCase().includes(words); count += !row.hidden; }
    seen.textContent = words ? count + ' of ' + table.tBodies[0].rows.length : '';
  });
  bar.append(label, seen);
  for (const [words, open] of [['Open all answers', true], ['Close all answers', false]]) {
    const button = made('button', words);
    button.type = 'button';
    button.addEventListener('click', () => { for (const one of document.querySelectorAll('section.learner > details')) one.open = open; });
    bar.append(button);
  }
  table.parentElement.before(bar);
}
const glance = document.getElementById('glance');
if (glance) { sortable(glance); tools(glance); }
addEventListener('hashchange', reveal);
reveal();
