// The tables that this server keeps partitioned: what was done for each, and what has failed.
import {element} from './dom.js';
import {duration, moment} from './format.js';

const columns = ['Table', 'Last look', 'Outcome', 'Up to', 'Remarks'];

function outcome(table) {
  if (table.working) return 'at work';
  if (table.outcome === 'made' && table.made)
    return `made ${table.made} ${table.made === 1 ? 'partition' : 'partitions'}`;
  if (table.outcome === 'made') return 'moved rows';
  if (table.outcome === 'elsewhere') return 'maintained elsewhere';
  if (table.outcome === 'failed') return `failed, ${table.failing} in a row`;
  return table.outcome ?? 'not looked at yet';
}

function row(table) {
  const remarks = table.problem ? [table.problem] : table.remarks;
  const cells = [
    table.ended_at ? moment(table.ended_at) : '',
    element('span', {class: `state ${table.failing ? 'failed' : ''}`}, outcome(table)),
    table.until ?? '',
    remarks.join('; '),
  ];
  return element('tr', {},
    element('th', {scope: 'row', 'data-column': columns[0]}, table.table),
    cells.map((content, i) => element('td', {'data-column': columns[i + 1]}, content)));
}

// Nothing where nothing is maintained.
export function maintenanceView(maintenance) {
  if (!maintenance || maintenance.every_s === null) return [];
  const head = element('tr', {}, columns.map((name) => element('th', {scope: 'col'}, name)));
  return [
    element('h2', {}, `Kept partitioned, every ${duration(maintenance.every_s)}`),
    maintenance.problem ? element('p', {role: 'alert'}, maintenance.problem) : null,
    element('table', {class: 'runs'},
      element('thead', {}, head), element('tbody', {}, maintenance.tables.map(row))),
  ];
}
