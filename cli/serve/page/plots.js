// What happened over time, drawn by uPlot; the numbers below each plot say the same in words.
/* global uPlot */
import {element, show} from './dom.js';
import {duration, share} from './format.js';

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {lines: [of('--accent'), of('--warn'), of('--good'), of('--bad'), of('--soft')],
    fill: of('--accent-soft'), text: of('--text'), grid: of('--line')};
}

// As the rest of the page says times: UTC, the day where several are shown.
function times(plot, ticks) {
  const days = ticks.length > 1 && ticks.at(-1) - ticks[0] > 86400;
  return ticks.map((tick) => new Date(tick * 1000).toISOString().slice(...(days ? [5, 16] : [11, 19]))
    .replace('T', ' '));
}

// Several lines are told apart by their dashes as well as by their colour.
const dashes = [undefined, [8, 4], [2, 4], [8, 4, 2, 4]];

function options(names, width, colour, format, range) {
  const axis = {stroke: colour.text, grid: {stroke: colour.grid, width: 1}, ticks: {show: false}};
  return {
    width,
    height: 160,
    legend: {show: false},
    cursor: {drag: {x: true, y: false}},
    scales: {y: {range}},
    series: [{}, ...names.map((label, i) => ({label, width: 1.5, spanGaps: false,
      stroke: colour.lines[i % colour.lines.length], dash: dashes[i % dashes.length],
      fill: names.length === 1 ? colour.fill : undefined}))],
    axes: [{...axis, space: 90, values: times}, {...axis, size: 60, values: (plot, ticks) => ticks.map(format)}],
  };
}

// One plot in its place, which follows the width of the page.
class Plot {
  constructor(place, format, range) {
    Object.assign(this, {place, format, range, names: []});
    place.textContent = 'Not enough samples yet.';
    this.observer = new ResizeObserver(() => this.plot?.setSize({width: this.width(), height: 160}));
    this.observer.observe(place);
  }

  width() {
    return Math.max(this.place.clientWidth, 200);
  }

  // `columns`: by name, each as long as `times`; null where nothing is known.
  update(times, columns) {
    const names = Object.keys(columns).filter((name) => columns[name].some((value) => value !== null));
    if (times.length < 2 || !names.length) return;
    const data = [times, ...names.map((name) => columns[name])];
    if (this.plot && names.join() === this.names.join()) {
      this.plot.setData(data);
      return;
    }
    this.plot?.destroy();
    this.names = names;
    this.place.textContent = '';
    this.plot = new uPlot(options(names, this.width(), colours(), this.format, this.range), data, this.place);
  }

  close() {
    this.observer.disconnect();
    this.plot?.destroy();
  }
}

// For how long each signal held the run back, the longest first.
export function throttleTotals(samples) {
  const totals = new Map();
  for (let i = 1; i < samples.at.length; i++) {
    const signal = samples.throttle_signal[i];
    if (!signal || samples.throttle_ratio[i] >= 1) continue;
    const span = Math.min(samples.at[i] - samples.at[i - 1], 3600);
    totals.set(signal, (totals.get(signal) ?? 0) + span);
  }
  return [...totals].sort((a, b) => b[1] - a[1]);
}

function totalsList(samples) {
  const totals = throttleTotals(samples);
  if (!totals.length) return element('p', {}, 'Nothing has held it back.');
  return element('ul', {class: 'totals'},
    totals.map(([signal, seconds]) =>
      element('li', {}, `${signal}: held back for ${duration(seconds)}`)));
}

// The last moments at which something else held it back than before.
function changesTable(samples) {
  const changes = [];
  let before = null;
  samples.throttle_signal.forEach((signal, i) => {
    if (signal !== before) changes.push(i);
    before = signal;
  });
  const rows = changes.slice(-12).reverse().map((i) => element('tr', {},
    element('td', {}, new Date(samples.at[i] * 1000).toISOString().slice(0, 19).replace('T', ' ')),
    element('td', {}, share(samples.throttle_ratio[i])),
    element('td', {}, samples.throttle_reason[i] || 'full speed')));
  return element('table', {},
    element('thead', {}, element('tr', {},
      ['From', 'Pace', 'Why'].map((name) => element('th', {scope: 'col'}, name)))),
    element('tbody', {}, rows));
}

const known = (values) => values.filter((value) => value !== null);

// The last and the highest of a curve, in words.
function inWords(columns, format) {
  const lines = Object.entries(columns).filter(([, values]) => known(values).length)
    .map(([name, values]) => element('li', {},
      `${name}: ${format(known(values).at(-1))} at last, at most ${format(Math.max(...known(values)))}`));
  return lines.length ? element('ul', {class: 'totals'}, lines) : element('p', {}, 'Not measured.');
}

const upFromZero = (plot, low, high) => [0, Math.max(high, 1)];
const milliseconds = (value) => duration(value / 1000);
const rows = (value) => Math.round(value).toLocaleString('en-US');

const curves = [
  {title: 'Rows a second', format: rows, of: (samples) => ({'rows a second': samples.rows_per_s})},
  {title: 'Pace, and what held it back', format: share, range: () => [0, 1.02],
    of: (samples) => ({pace: samples.throttle_ratio}),
    words: (samples) => [totalsList(samples), changesTable(samples)]},
  {title: 'Time of a chunk', format: milliseconds, of: (samples) => ({'a chunk': samples.chunk_ms})},
  {title: 'Rows of a chunk', format: rows, of: (samples) => ({'a chunk': samples.chunk_rows})},
  {title: 'Lag of standbys', format: duration, of: (samples) => samples.lag_s},
  {title: 'What a small commit takes', format: milliseconds, of: (samples) => ({'a commit': samples.commit_ms})},
];

export class Plots {
  constructor(place) {
    this.curves = curves.map((curve) => {
      const drawn = element('div', {class: 'plot', role: 'img', 'aria-label': `${curve.title} over time; said in words below`});
      const words = element('div');
      place.append(element('h3', {}, curve.title), drawn, words);
      return {...curve, words, say: curve.words, plot: new Plot(drawn, curve.format, curve.range ?? upFromZero)};
    });
  }

  update(samples) {
    for (const {of, format, words, say, plot} of this.curves) {
      const columns = of(samples);
      plot.update(samples.at, columns);
      show(words, ...(say ? say(samples) : [inWords(columns, format)]));
    }
  }

  close() {
    this.curves.forEach(({plot}) => plot.close());
  }
}
