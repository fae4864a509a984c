// The runs of the database: those that are active, then the others; the newest first.
import {element, show, title} from './dom.js';
import {active, band, count, moment, share, stateText} from './format.js';
import {maintenanceView} from './maintenance.js';

const columns = ['Run', 'Table', 'State', 'Phase', 'Done', 'Rows/s', 'ETA', 'Pace', 'Updated'];

function cell(column, ...content) {
  return element('td', {'data-column': column}, ...content);
}

function row(run) {
  const pace = run.throttle.reason ? `${share(run.throttle.ratio)}: ${run.throttle.reason}` : '';
  return element(
    'tr', {class: active(run) ? 'active' : ''},
    element('th', {scope: 'row', 'data-column': 'Run'},
      element('a', {href: `#/run/${run.run}`}, `${run.command} ${run.run.slice(0, 8)}`)),
    cell('Table', run.table),
    cell('State', element('span', {class: `state ${run.state}`}, stateText(run))),
    cell('Phase', run.phase),
    cell('Done', share(run.fraction)),
    cell('Rows/s', run.rows_per_s ? count(run.rows_per_s) : ''),
    cell('ETA', band(run.eta_s)),
    cell('Pace', pace),
    cell('Updated', moment(run.updated_at)));
}

export class ListView {
  constructor(source, place) {
    this.source = source;
    this.place = place;
    title('');
  }

  update() {
    const all = this.source.list();
    const runs = [...all.filter(active), ...all.filter((run) => !active(run))];
    const busy = runs.filter(active).length;
    const heading = element('h2', {}, busy ? `Runs, ${busy} active` : 'Runs');
    const maintenance = maintenanceView(this.source.maintenance);
    if (!runs.length) {
      show(this.place, heading, element('p', {}, 'This database has no runs.'), ...maintenance);
      return;
    }
    const head = element('tr', {}, columns.map((name) => element('th', {scope: 'col'}, name)));
    show(this.place, heading,
      element('table', {class: 'runs'},
        element('thead', {}, head), element('tbody', {}, runs.map(row))),
      ...maintenance);
  }

  close() {}
}
