// What happened over time, drawn by uPlot; the numbers below each plot say the same in words.
/* global uPlot */
import {element, show} from './dom.js';
import {duration, share} from './format.js';

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {line: of('--accent'), fill: of('--accent-soft'), text: of('--text'), grid: of('--line')};
}

// As the rest of the page says times: UTC, the day where several are shown.
function times(plot, ticks) {
  const days = ticks.length > 1 && ticks.at(-1) - ticks[0] > 86400;
  return ticks.map((tick) => new Date(tick * 1000).toISOString().slice(...(days ? [5, 16] : [11, 19]))
    .replace('T', ' '));
}

function options(name, width, colour, format, range) {
  const axis = {stroke: colour.text, grid: {stroke: colour.grid, width: 1}, ticks: {show: false}};
  return {
    width,
    height: 160,
    legend: {show: false},
    cursor: {drag: {x: true, y: false}},
    scales: {y: {range}},
    series: [{}, {label: name, stroke: colour.line, fill: colour.fill, width: 1.5}],
    axes: [{...axis, space: 90, values: times}, {...axis, size: 60, values: (plot, ticks) => ticks.map(format)}],
  };
}

// One plot in its place, which follows the width of the page.
class Plot {
  constructor(place, name, format, range) {
    Object.assign(this, {place, name, format, range});
    place.textContent = 'Not enough samples yet.';
    this.observer = new ResizeObserver(() => this.plot?.setSize({width: this.width(), height: 160}));
    this.observer.observe(place);
  }

  width() {
    return Math.max(this.place.clientWidth, 200);
  }

  update(times, values) {
    if (times.length < 2) return;
    if (this.plot) {
      this.plot.setData([times, values]);
      return;
    }
    this.place.textContent = '';
    const made = options(this.name, this.width(), colours(), this.format, this.range);
    this.plot = new uPlot(made, [times, values], this.place);
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

export class Plots {
  constructor(place) {
    this.speed = element('div', {class: 'plot', role: 'img', 'aria-label': 'Rows a second over time'});
    this.pace = element('div', {class: 'plot', role: 'img', 'aria-label': 'Pace over time; the table below says the same'});
    this.words = element('div');
    place.append(element('h3', {}, 'Rows a second'), this.speed,
      element('h3', {}, 'Pace, and what held it back'), this.pace, this.words);
    this.plots = [
      new Plot(this.speed, 'rows/s', (value) => value.toLocaleString('en-US'),
        (plot, low, high) => [0, Math.max(high, 1)]),
      new Plot(this.pace, 'pace', (value) => share(value), () => [0, 1.02]),
    ];
  }

  update(samples) {
    this.plots[0].update(samples.at, samples.rows_per_s);
    this.plots[1].update(samples.at, samples.throttle_ratio);
    show(this.words, totalsList(samples), changesTable(samples));
  }

  close() {
    this.plots.forEach((plot) => plot.close());
  }
}
