// The buttons of a run. Each says what it will do before it does it; what cannot be taken back is
// confirmed with the name of the table.
import {element, show} from './dom.js';
import {active} from './format.js';

const actions = {
  pause: {
    label: 'Pause',
    about: 'rests after what is in flight; nothing is lost',
    text: 'What is in flight is committed, then the run rests until somebody resumes it. Nothing is lost.',
    offered: (run) => active(run) && run.state !== 'paused' && !run.gate,
  },
  resume: {
    label: 'Resume',
    about: 'goes on from the last chunk, on this machine',
    text: 'A runner starts on the machine where this dashboard runs, and goes on from the last chunk.',
    offered: (run) => !run.gate && (run.state === 'failed' || (active(run) && !run.runner)),
  },
  gate: {
    label: 'Open the gate',
    action: 'resume',
    about: 'goes on behind the gate; programs may notice',
    text: 'The run goes on behind its gate, in a runner on the machine of this dashboard. What comes '
      + 'next may not be compatible with programs that still use the table as it was.',
    offered: (run) => active(run) && run.gate,
    body: (run, value, gate) => ({gate}),
  },
  throttle: {
    label: 'Throttle',
    about: 'works for a share of the time',
    text: 'The run works for at most this share of the time, from 0 (it stops, and goes on when told) '
      + 'to 1; auto takes the ceiling away. Its limits for the load hold besides.',
    offered: (run) => active(run) && !run.gate,
    field: {label: 'Share of the time', value: '0.5'},
    body: (run, value) => ({set: [`ratio=${value}`]}),
  },
  postpone: {
    label: 'Postpone the cut-over',
    about: 'no swap before somebody lets it',
    text: 'The new table is filled and kept up to date, and not swapped in before somebody lets it.',
    offered: (run, swaps) => swaps && (active(run) || run.state === 'failed'),
  },
  cutover: {
    label: 'Cut over',
    about: 'users wait for a moment; can be taken back',
    text: 'As soon as both tables are the same, the new one takes the place of the old one. Users wait '
      + 'for that moment. It can be taken back with pgalter revert.',
    offered: (run, swaps) => swaps && (active(run) || run.state === 'failed'),
    confirm: true,
  },
  abort: {
    label: 'Abort',
    about: 'stops for good; cannot be taken back',
    text: 'The run is stopped for good, and what it made is removed. Rows that a backfill has changed '
      + 'keep their new values. This cannot be taken back.',
    offered: (run) => active(run) || run.state === 'failed',
    confirm: true,
  },
};

export class Controls {
  constructor(source, place) {
    this.source = source;
    this.buttons = element('div', {class: 'buttons'});
    this.said = element('p', {role: 'status'});
    this.dialog = element('dialog', {'aria-labelledby': 'dialog-title'});
    place.append(this.buttons, this.said, this.dialog);
  }

  // `swaps`: there is a cut-over before it.
  update(run, swaps) {
    this.run = run;
    const offered = this.source.link.control
      ? Object.keys(actions).filter((name) => actions[name].offered(run, swaps)) : [];
    const key = offered.join();
    if (key === this.shown) return;
    this.shown = key;
    show(this.buttons, offered.map((name) => element('div', {class: 'action'},
      element('button', {type: 'button', id: `do-${name}`, 'aria-describedby': `about-${name}`,
        onclick: () => this.ask(name)}, actions[name].label),
      element('span', {id: `about-${name}`, class: 'about'}, actions[name].about))));
  }

  ask(name, gate = this.run.gate) {
    const {label, text, field, confirm} = actions[name];
    const run = this.run;
    const value = field ? element('input', {id: 'value', value: field.value, required: true}) : null;
    const typed = confirm ? element('input', {id: 'confirm', autocomplete: 'off', required: true}) : null;
    const go = element('button', {id: 'go', type: 'submit'}, label);
    const enter = (event) => {
      event.preventDefault();
      if (typed && typed.value !== run.table) {
        typed.setCustomValidity(`The name is ${run.table}`);
        typed.reportValidity();
        return;
      }
      this.dialog.close();
      this.perform(name, run, value?.value, gate);
    };
    typed?.addEventListener('input', () => typed.setCustomValidity(''));
    this.dialog.replaceChildren(element('form', {onsubmit: enter},
      element('h3', {id: 'dialog-title'}, `${name === 'gate' ? `Open ${gate}` : label}: ${run.command} ${run.table}`),
      element('p', {}, text),
      field ? element('p', {}, element('label', {for: 'value'}, `${field.label} `), value) : null,
      typed ? element('p', {}, element('label', {for: 'confirm'}, `Type ${run.table} to confirm `), typed) : null,
      element('div', {class: 'buttons'}, go,
        element('button', {type: 'button', onclick: () => this.dialog.close()}, 'Leave it'))));
    this.dialog.showModal();
  }

  async perform(name, run, value, gate) {
    const {action = name, body, confirm, label} = actions[name];
    const sent = {...(body ? body(run, value, gate) : {}), ...(confirm ? {confirm: run.table} : {})};
    this.said.textContent = `${label}: asked for`;
    try {
      const answer = await this.source.post(`api/runs/${run.run}/${action}`, sent);
      this.said.textContent = `${label}: ${answer.done}`;
    } catch (error) {
      this.said.textContent = `${label}: ${error.message}`;
    }
  }
}
