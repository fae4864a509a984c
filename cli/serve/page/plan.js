// The plan as a graph: steps one after the other, the gates between them, and where the run is. A
// list, so that it can be read out and followed with a keyboard; lines and shapes are the style's.
import {element} from './dom.js';

const words = {done: 'done', running: 'at work', pending: 'to come', undone: 'taken back'};

// A gate that the run rests at can be opened from here, where that is allowed.
function gateNode(name, open, run, ask) {
  const here = run.gate === name && run.state === 'waiting';
  const button = here && ask
    ? element('button', {type: 'button', id: `open-${name}`, onclick: () => ask(name)}, `Open ${name}`) : null;
  return element('li', {class: `gate${open ? ' open' : ''}${here ? ' here' : ''}`},
    element('strong', {}, `gate ${name}`), open ? ' open' : here ? ' shut, the run rests here' : ' shut', button);
}

function stepNode(step) {
  return element('li', {class: `step ${step.state}`},
    element('strong', {}, step.id), ` ${words[step.state] ?? step.state}`,
    element('span', {class: 'phase'}, step.phase));
}

export function plan({steps, control}, run, ask) {
  const nodes = [];
  for (const step of steps) {
    nodes.push(step.gate
      ? gateNode(step.gate.name, step.gate.passed || step.state === 'done', run, ask) : stepNode(step));
    // The canary's is inside its step: part of the rows, then the rest. A plan has one for each such step.
    const canary = ['canary', `canary-${step.id}`].find((name) => run.gate === name || control.passed.includes(name));
    if (!step.gate && canary && ['backfill', 'copy', 'split-copy'].includes(step.kind)) {
      nodes.push(gateNode(canary, control.passed.includes(canary), run, ask));
    }
  }
  return element('ol', {class: 'plan'}, nodes);
}
