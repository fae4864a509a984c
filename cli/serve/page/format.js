// Numbers for people.

const whole = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});

export const count = (number) => whole.format(number);

export const share = (fraction) => `${(Math.floor(fraction * 1000) / 10).toFixed(1)} %`;

export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export function band(eta) {
  if (!eta || eta.low === null) return '';
  const low = duration(eta.low);
  const high = duration(eta.high);
  return low === high ? low : `${low} to ${high}`;
}

export const clock = (seconds) =>
  seconds === null ? '' : new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 19);

export const moment = (iso) => iso.replace('T', ' ').replace('Z', '');

// As the command line says it: a run that should move, and nobody moves it.
export function stateText(run) {
  if (run.state === 'waiting' && run.gate) return `waiting at ${run.gate}`;
  const moving = run.state === 'running' || run.state === 'waiting';
  return moving && !run.runner ? `${run.state}, nobody works on it` : run.state;
}

export const active = (run) => ['running', 'waiting', 'ready', 'paused'].includes(run.state);
