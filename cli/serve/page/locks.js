// Who waits behind whom: sessions as a tree, those in the way at the roots.
import {element, show} from './dom.js';
import {duration, moment} from './format.js';

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

// What was seen while it was at work: the newest first, each with its tree to unfold.
export function showEpisodes(place, episodes, run) {
  if (!episodes.length) {
    show(place, element('p', {}, 'Nobody was seen waiting.'));
    return;
  }
  // What is unfolded stays so when the list is drawn anew.
  const open = new Set([...place.querySelectorAll('details[open]')].map((one) => one.id));
  show(place, episodes.map((episode) => {
    const id = `episode-${episode.began_at}`;
    return element('details', {id, open: open.has(id)},
      element('summary', {}, `${moment(episode.began_at)}, for ${duration(episode.seconds)}, `
        + `step ${episode.step}: ${episode.waiters} waiting at most`),
      branch(episode.trees, run));
  }));
}
