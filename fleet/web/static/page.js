'use strict';
// The page asks for what it shows, and asks again when the hub says that there is news.
const main = document.getElementById('main');
const live = document.getElementById('live');
let plots = [];

// make makes an element. Texts are texts: nothing from the network is read as HTML.
function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'click') e.addEventListener('click', value);
    else if (value !== null && value !== undefined && value !== false) e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

async function get(path) {
  const r = await fetch(path);
  if (!r.ok) throw new Error(await r.text());
  return r.json();
}

const ms = (v) => v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);
const percent = (loss) => (100 * loss).toFixed(loss > 0 && loss < .1 ? 1 : 0) + ' %';
const age = (time) => {
  const s = Math.max(0, (Date.now() - new Date(time)) / 1000);
  return s < 120 ? s.toFixed(0) + ' s' : s < 7200 ? (s / 60).toFixed(0) + ' min' : (s / 3600).toFixed(0) + ' h';
};

// rate says how bad a pair is.
function rate(p, stale) {
  if (!p || stale) return 'none';
  if (p.error || p.packet_loss >= .2) return 'worst';
  if (p.packet_loss >= .02) return 'bad';
  return p.packet_loss > 0 ? 'warn' : 'good';
}

function worse(a, b) {
  return (b.error ? 1 : 0) - (a.error ? 1 : 0) || b.packet_loss - a.packet_loss || (b.median_rtt_ms || 0) - (a.median_rtt_ms || 0);
}

function table(heads, rows, numbers) {
  const cell = (tag, text, i) => make(tag, { class: numbers.includes(i) ? 'number' : null, scope: tag === 'th' ? 'col' : null }, text);
  return make('div', { class: 'scroll' }, make('table', {},
    make('thead', {}, make('tr', {}, ...heads.map((h, i) => cell('th', h, i)))),
    make('tbody', {}, ...rows.map((r) => make('tr', {}, ...r.map((c, i) => cell('td', c, i)))))));
}

const pairLink = (a, b) => '#/pair/' + a + '/' + b;

async function showMesh() {
  const [view, rounds] = await Promise.all([get('api/view'), get('api/mesh')]);
  const agents = view.fleet.agents || [];
  if (agents.length === 0) {
    return [make('p', {}, 'No agent is enrolled. ', make('code', {}, 'icmp-fleet enroll NAME'), ' prints the token for one.')];
  }
  const site = Object.fromEntries(agents.map((m) => [m.name, m.site]));
  const every = Number.parseFloat(view.fleet.mesh.every) ? spanOf(view.fleet.mesh.every) : 60;
  const pairs = [];
  for (const round of rounds) {
    for (const p of round.pairs || []) {
      if (site[round.agent] !== undefined && site[p.peer] !== undefined) {
        pairs.push({ ...p, from: round.agent, start: round.start, stale: (Date.now() - new Date(round.start)) / 1000 > 3 * every + 30 });
      }
    }
  }
  pairs.sort(worse);
  const bad = pairs.filter((p) => !p.stale && (p.packet_loss > 0 || p.error));
  const bySite = agents.length > 40;
  const out = [];
  out.push(make('h2', {}, bad.length ? bad.length + ' of ' + pairs.length + ' pairs lose packets' : pairs.length + ' pairs, none of them loses packets'));
  const missing = agents.filter((m) => !rounds.some((r) => r.agent === m.name)).map((m) => m.name);
  if (missing.length) out.push(make('p', { class: 'soft' }, 'No round of: ' + missing.join(', ')));
  const worst = (bad.length ? bad : pairs).slice(0, 8);
  out.push(table(['Worst pairs', 'Loss', 'Median ms', 'p95 ms', 'Jitter ms', 'Age'], worst.map((p) => [
    make('a', { href: pairLink(p.from, p.peer) }, p.from + ' → ' + p.peer), p.error || percent(p.packet_loss),
    ...[p.median_rtt_ms, p.p95_rtt_ms, p.jitter_ms].map((v) => p.packets_received ? ms(v || 0) : '–'), age(p.start)]), [1, 2, 3, 4, 5]));
  out.push(make('h2', {}, bySite ? 'The worst pair from site to site' : 'From row to column'));
  out.push(make('div', { class: 'legend' }, ...[['good', 'no loss'], ['warn', 'under 2 %'], ['bad', 'under 20 %'], ['worst', '20 % and more'], ['none', 'not measured']]
    .map(([c, t]) => make('span', { class: c }, t))));
  const group = (name) => bySite ? site[name] : name;
  const names = [...new Set(agents.map((m) => group(m.name)))].sort();
  const cells = new Map();
  for (const p of pairs) { // the worst come first
    const key = group(p.from) + ' ' + group(p.peer);
    if (!cells.has(key)) cells.set(key, p);
  }
  const cell = (a, b) => {
    const p = cells.get(a + ' ' + b);
    if (!p) return make('td', { class: 'none' }, a === b ? '' : '–');
    const says = p.error ? 'error' : p.packets_received ? ms(p.median_rtt_ms || 0) : 'down';
    return make('td', { class: rate(p, p.stale) }, make('button', {
      title: p.from + ' → ' + p.peer + (p.error ? ': ' + p.error : ''), 'aria-label': p.from + ' to ' + p.peer + ': loss ' + percent(p.packet_loss) + ', median ' + ms(p.median_rtt_ms || 0) + ' ms',
      click: () => { location.hash = pairLink(p.from, p.peer); } }, says, make('small', {}, percent(p.packet_loss))));
  };
  out.push(make('div', { class: 'scroll' }, make('table', { class: 'matrix' },
    make('thead', {}, make('tr', {}, make('th', {}, ''), ...names.map((n) => make('th', { scope: 'col' }, n)))),
    make('tbody', {}, ...names.map((a) => make('tr', {}, make('th', { scope: 'row' }, a), ...names.map((b) => cell(a, b))))))));
  out.push(make('p', { class: 'soft' }, 'Each cell: the median RTT in ms, and the loss, of the last round. Arrow keys go from cell to cell, Enter opens a pair, Escape comes back.'));
  return out;
}

// spanOf reads a duration as Go writes it, in seconds.
function spanOf(text) {
  let s = 0;
  for (const [, n, unit] of text.matchAll(/([\d.]+)(h|ms|m|s)/g)) s += n * { h: 3600, m: 60, s: 1, ms: .001 }[unit];
  return s;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function plot(element, h) {
  const width = Math.max(260, element.clientWidth);
  const axis = { stroke: color('--soft'), grid: { stroke: color('--line'), width: 1 }, ticks: { stroke: color('--line') } };
  const opts = {
    width, height: 240, padding: [10, 4, 0, 0], cursor: { drag: { x: true, y: false } },
    scales: { y: { range: (u, min, max) => [0, (max || 1) * 1.1] }, loss: { range: (u, min, max) => [0, Math.max(5, max || 0)] } },
    axes: [axis, { ...axis, label: 'ms', size: 56, labelSize: 18, stroke: color('--soft') }, { ...axis, scale: 'loss', side: 1, label: '% lost', size: 46, labelSize: 18, stroke: color('--loss'), grid: { show: false } }],
    series: [{}, { label: 'p95', stroke: 'transparent', points: { show: false } }, { label: 'least', stroke: 'transparent', points: { show: false } },
      { label: 'median', stroke: color('--plot'), width: 2, points: { show: h.time.length < 40, size: 5 } },
      { label: '% lost', scale: 'loss', stroke: color('--loss'), fill: color('--loss') + '33', width: 1, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }],
    bands: [{ series: [1, 2], fill: color('--band') }],
  };
  const p = new uPlot(opts, [h.time, h.high || [], h.low || [], h.median || [], h.loss || []], element);
  plots.push({ p, element });
}

// hopText is who answered at a hop.
const hopText = (hop) => !hop ? '' : (hop.responders || []).map((r) => r.address).join(' ') || '*';

function ways(h) {
  const all = h.ways || [];
  if (all.length === 0) return make('p', { class: 'soft' }, 'No route is known yet.');
  const [old, now] = all.length === 2 ? all : [null, all[0]];
  const hops = (w) => w ? w.route.hops : [];
  const rows = [];
  for (let i = 0; i < Math.max(hops(old).length, hops(now).length); i++) {
    const was = hops(old)[i], is = hops(now)[i];
    const changed = (h.changed || []).includes(i + 1);
    rows.push(make('tr', { class: changed ? 'changed' : null }, make('td', { class: 'number' }, String(i + 1)),
      old ? make('td', {}, hopText(was)) : null, make('td', {}, hopText(is)),
      make('td', { class: 'number' }, is && is.packets_received ? ms(is.avg_rtt_ms) + ' ms' : '')));
  }
  const when = (w) => new Date(w.time).toLocaleString() + ' (' + w.why + ')';
  return make('div', { class: 'scroll' }, make('table', {},
    make('thead', {}, make('tr', {}, make('th', {}, 'Hop'), old ? make('th', {}, 'before: ' + when(old)) : null, make('th', {}, 'now: ' + when(now)), make('th', { class: 'number' }, 'RTT'))),
    make('tbody', {}, ...rows)));
}

async function showPair(a, b, since) {
  const both = await get('api/pair?' + new URLSearchParams({ a, b, since }));
  const out = [make('h2', {}, make('a', { href: '#/mesh' }, 'Mesh'), ' / ' + a + ' ↔ ' + b)];
  out.push(make('div', { class: 'since', role: 'group', 'aria-label': 'How far back' }, ...['15m', '1h', '6h', '24h', '168h'].map((s) =>
    make('a', { href: pairLink(a, b) + '/' + s, 'aria-current': s === since ? 'true' : null }, s === '168h' ? '7 d' : s.replace('m', ' min').replace('h', ' h')))));
  const later = [];
  out.push(make('div', { class: 'pair' }, ...both.map((h) => {
    const lost = (h.loss || []).filter((l) => l > 0).length;
    const element = make('div', { class: 'plot', role: 'img', 'aria-label': 'RTT and loss from ' + h.from + ' to ' + h.to + ': ' + h.time.length + ' rounds, ' + lost + ' of them with loss' });
    if (h.time.length) later.push(() => plot(element, h));
    return make('section', { class: 'card' }, make('h3', {}, h.from + ' → ' + h.to),
      make('p', { class: 'soft' }, h.time.length ? h.time.length + ' rounds, ' + lost + ' of them with loss' : h.from + ' has not pinged ' + h.to + ' in this time.'),
      element, make('h3', {}, 'Route'), ways(h));
  })));
  return [out, later];
}

async function showAgents() {
  const view = await get('api/view');
  const rows = (view.fleet.agents || []).map((m) => {
    const p = view.agents[m.name];
    if (!p) return [m.name, m.site, (m.tags || []).join(', '), m.address || '', 'away', '', '', '', '', ''];
    const clock = Math.abs(spanOf(p.clock_error)) > 1 ? 'off by ' + p.clock_error : 'ok';
    return [m.name, m.site, (m.tags || []).join(', '), m.address || '', p.state, String(p.counters.PacketsSent), String(p.running), String(p.refused), p.waiting + ' / ' + p.dropped, clock];
  });
  return [make('h2', {}, Object.keys(view.agents).length + ' of ' + rows.length + ' agents are there'),
    table(['Agent', 'Site', 'Tags', 'Address', 'State', 'Packets', 'Running', 'Refused', 'Rounds waiting / dropped', 'Clock'], rows, [5, 6, 7, 8])];
}

async function showJobs() {
  const jobs = await get('api/jobs');
  if (!jobs || jobs.length === 0) return [make('h2', {}, 'No jobs'), make('p', {}, make('code', {}, 'icmp-fleet sweep FILE'), ' begins one.')];
  const rows = jobs.map((j) => {
    const part = j.targets ? Math.floor(100 * j.done / j.targets) : 0;
    const bar = make('span', { class: 'bar', role: 'progressbar', 'aria-valuenow': part, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': j.id }, make('i', { style: 'width:' + part + '%' }));
    return [make('code', {}, j.id), j.state, make('span', {}, bar, ' ' + part + ' %'), String(j.targets), String(j.alive), String(j.refused),
      j.measure.kind, (j.each ? 'each of ' : '') + (j.queues || []).join(', '), j.asker, new Date(j.created).toLocaleString()];
  });
  return [make('h2', {}, jobs.filter((j) => j.state === 'running' || j.state === 'loading').length + ' jobs run'),
    table(['Job', 'State', 'Done', 'Targets', 'Alive', 'Refused', 'Kind', 'From', 'By', 'Began'], rows, [3, 4, 5])];
}

let asking = 0; // how often was asked

// show shows what the address names. Of several that are under way the last one counts.
async function show(moved) {
  const turn = ++asking;
  const [, what = 'mesh', a, b, since = '1h'] = location.hash.split('/').map(decodeURIComponent);
  for (const link of document.querySelectorAll('nav a')) {
    const current = link.hash === '#/' + (what === 'pair' ? 'mesh' : what);
    if (current) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  }
  let out, later = [];
  try {
    if (what === 'pair') [out, later] = await showPair(a, b, since);
    else out = await { mesh: showMesh, agents: showAgents, jobs: showJobs }[what]();
  } catch (e) {
    out = [make('p', {}, 'The hub does not answer: ' + e.message)];
  }
  if (turn !== asking) return;
  const focused = document.activeElement && document.activeElement.getAttribute('aria-label');
  const [x, y] = [scrollX, scrollY];
  for (const { p } of plots) p.destroy();
  plots = [];
  main.replaceChildren(...out);
  for (const f of later) f();
  if (moved) { main.focus({ preventScroll: true }); scrollTo(0, 0); return; }
  if (focused) [...main.querySelectorAll('[aria-label]')].find((e) => e.getAttribute('aria-label') === focused || e.title && focused.startsWith(e.title.replace(' → ', ' to ')))?.focus({ preventScroll: true });
  scrollTo(x, y);
}

addEventListener('hashchange', () => show(true));
addEventListener('resize', () => { for (const { p, element } of plots) p.setSize({ width: Math.max(260, element.clientWidth), height: 240 }); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show(false));
addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && location.hash.startsWith('#/pair/')) { location.hash = '#/mesh'; return; }
  const button = document.activeElement?.closest('.matrix button');
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
  if (!button || !step) return;
  e.preventDefault();
  let td = button.parentElement, tr = td.parentElement, column = td.cellIndex;
  for (;;) { // over cells that are not measured
    column += step[0];
    if (step[1]) tr = step[1] > 0 ? tr.nextElementSibling : tr.previousElementSibling;
    const next = tr && tr.cells[column];
    if (!next || column === 0) return;
    const b = next.querySelector('button');
    if (b) { b.focus(); return; }
  }
});

// Views that cost the hub something are asked for again with a round, the others always.
const events = new EventSource('api/events');
events.onopen = () => { live.textContent = 'live'; live.className = ''; };
events.onerror = () => { live.textContent = 'connection lost'; live.className = 'lost'; };
let due = 0; // of a large fleet rounds come all the time: every 3 s will do
events.addEventListener('mesh', () => {
  if (due || !/^(#\/(mesh|pair)|$)/.test(location.hash)) return;
  due = setTimeout(() => { due = 0; show(false); }, 3000);
});
events.addEventListener('state', () => { if (/^#\/(agents|jobs)/.test(location.hash)) show(false); });
show(false);
