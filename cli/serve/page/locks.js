// Who waits behind whom: sessions as a tree, those in the way at the roots.
import {element, show} from './dom.js';
import {duration} from './format.js';

function wish(lock) {
  const object = lock.relation ?? lock.type;
  return lock.mode ? `${lock.mode} on ${object}` : object;
}

function line(session, run) {
  const who = session.pid ? `pid ${session.pid}` : 'prepared transaction';
  const ours = session.application_name.startsWith(`pgalter/${run}`);
  const parts = [`${who}${session.application_name ? ` «${session.application_name}»` : ''}`];
  if (session.wanted) {
    const since = session.waiting_s === null ? '' : ` ${duration(session.waiting_s)}`;
    parts.push(`waits${since} for ${wish(session.wanted)}`);
  } else if (session.state) {
    parts.push(session.state);
  }
  if (session.transaction_age_s !== null) {
    parts.push(`transaction open for ${duration(session.transaction_age_s)}`);
  }
  return [
    ours ? element('strong', {}, 'this run: ') : null,
    parts.join(', '),
    session.query ? element('code', {}, session.query) : null,
  ];
}

function branch(sessions, run) {
  return element('ul', {},
    sessions.map((session) => element('li', {}, ...line(session, run),
      session.waiters.length ? branch(session.waiters, run) : null)));
}

export function showLocks(place, trees, run) {
  if (!trees.length) {
    show(place, element('p', {}, 'Nobody waits for a lock.'));
    return;
  }
  show(place, branch(trees, run));
}
