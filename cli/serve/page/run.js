// One run: how far it is, what holds it back, who waits for it, and what it did.
import {Controls} from './control.js';
import {element, show, title} from './dom.js';
import {active, band, clock, count, duration, moment, share, stateText} from './format.js';
import {showEpisodes, showLocks} from './locks.js';
import {plan} from './plan.js';
import {Plots} from './plots.js';

function facts(run) {
  const list = [
    ['State', stateText(run)],
    ['Phase', run.steps ? `${run.phase}, step ${run.step} of ${run.steps}` : run.phase],
    ['Rows', run.state === 'done' ? count(run.done_rows)
      : `${count(run.done_rows)} of about ${count(run.total_rows)}`],
    ['Rate', run.rows_per_s ? `${count(run.rows_per_s)} rows/s` : ''],
    ['ETA', band(run.eta_s)],
    ['Pace', run.throttle.reason ? `${share(run.throttle.ratio)}: ${run.throttle.reason}` : ''],
    ['Waits for', run.note],
    ['Remark', run.remark],
    ['Quarantined', run.quarantined_rows ? `${count(run.quarantined_rows)} rows` : ''],
    ['Longest chunk', run.worst_chunk_ms ? duration(run.worst_chunk_ms / 1000) : ''],
    ['Runner', run.runner ? `process ${run.runner.process} on ${run.runner.host}` : 'none'],
    ['Began', moment(run.started_at)],
    ['Updated', moment(run.updated_at)],
    ['Failure', run.failure],
  ];
  return element('dl', {},
    list.filter(([, value]) => value).map(([name, value]) =>
      element('div', {}, element('dt', {}, name), element('dd', {}, value))));
}

function progress(run) {
  const done = run.state === 'done' ? 1 : Math.min(run.fraction, 0.999);
  return element('div', {class: 'progress'},
    element('progress', {max: 1, value: done, 'aria-label': `Progress of ${run.phase}`}),
    element('span', {}, share(done)));
}

// How far each standby is behind now, next to its limit.
function standbys(run) {
  if (!run.standbys.length) return null;
  const row = (standby) => element('tr', {},
    element('th', {scope: 'row'}, standby.name),
    element('td', {}, duration(standby.lag_s)),
    element('td', {}, `${count(standby.lag_bytes / 1048576)} MiB`),
    element('td', {}, standby.limit_s ? duration(standby.limit_s) : ''),
    element('td', {class: standby.limit_s && standby.lag_s >= standby.limit_s ? 'problem' : ''},
      standby.limit_s && standby.lag_s >= standby.limit_s ? 'past its limit' : 'within'));
  return [element('h3', {}, 'Standbys'), element('table', {},
    element('thead', {}, element('tr', {},
      ['Standby', 'Behind', 'WAL', 'Limit', ''].map((name) => name
        ? element('th', {scope: 'col'}, name) : element('td')))),
    element('tbody', {}, run.standbys.map(row)))];
}

// What is on its way to stopping it, the worst first.
function signals(run) {
  if (!run.signals.length) return null;
  return [element('h3', {}, 'Signals near their limits'), element('ul', {class: 'totals'},
    run.signals.map((signal) => element('li', {class: signal.utilisation >= 1 ? 'problem' : ''},
      `${share(signal.utilisation)}: ${signal.text}`)))];
}

function stepLog(steps) {
  const row = (step) => {
    const took = step.started !== null && step.ended !== null
      ? duration(step.ended - step.started) : '';
    return element('tr', {},
      element('th', {scope: 'row'}, step.id), element('td', {}, step.phase),
      element('td', {}, step.state), element('td', {}, clock(step.started)),
      element('td', {}, took));
  };
  const head = ['Step', 'Phase', 'State', 'Began', 'Took'];
  return element('table', {},
    element('thead', {}, element('tr', {},
      head.map((name) => element('th', {scope: 'col'}, name)))),
    element('tbody', {}, steps.map(row)));
}

export class RunView {
  constructor(source, place, id) {
    Object.assign(this, {source, id});
    const part = (name) => element('section', {'aria-label': name});
    this.head = part('Run');
    this.steps = part('Steps');
    this.history = part('History');
    this.locks = element('div');
    this.episodes = element('div');
    this.control = part('Control');
    place.append(this.head, this.control, this.steps, this.history,
      element('section', {'aria-label': 'Locks'}, element('h3', {}, 'Who waits for whom'), this.locks,
        element('h3', {}, 'Who has waited for this run, and it for whom'), this.episodes));
    this.plots = new Plots(this.history);
    this.controls = new Controls(source, this.control);
    this.swaps = false;
    this.problem = '';
    this.timer = setInterval(() => this.ask(), 2000);
    this.ask();
  }

  update() {
    const run = this.source.runs.get(this.id);
    if (!run) {
      show(this.head, element('h2', {}, 'There is no such run here'),
        element('p', {}, element('a', {href: '#/'}, 'All runs')));
      return;
    }
    this.controls.update(run, this.swaps);
    title(`${share(run.fraction)} ${run.command} ${run.table}`);
    show(this.head,
      element('p', {}, element('a', {href: '#/'}, 'All runs')),
      element('h2', {}, `${run.command} ${run.table}`), element('p', {class: 'id'}, run.run),
      progress(run), facts(run), standbys(run), signals(run), this.problem ? element('p', {class: 'problem'}, this.problem) : null);
  }

  // What the events do not carry. Not while nobody looks, and once for a run that has ended.
  async ask() {
    const run = this.source.runs.get(this.id);
    if (document.hidden || !run || this.asking) return;
    if (this.asked && !active(run) && this.asked === run.updated_at) return;
    this.asking = true;
    try {
      const details = await this.source.ask(`api/runs/${this.id}`);
      const open = this.source.link.control ? (gate) => this.controls.ask('gate', gate) : null;
      show(this.steps, element('h3', {}, 'Plan'), plan(details, run, open),
        element('h3', {}, 'Steps'), stepLog(details.steps));
      this.swaps = details.steps.some((step) => step.kind === 'cutover' && step.state !== 'done');
      this.plots.update(details.samples);
      const {trees} = await this.source.ask('api/locks');
      showLocks(this.locks, trees, this.id);
      showEpisodes(this.episodes, details.lock_episodes, this.id);
      this.asked = run.updated_at;
      this.problem = '';
    } catch (error) {
      this.problem = error.message;
    }
    this.asking = false;
    this.update();
  }

  close() {
    clearInterval(this.timer);
    this.plots.close();
  }
}
