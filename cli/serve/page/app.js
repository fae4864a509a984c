// The page: one view at a time, chosen by the address, drawn anew as the source says.
import {clear, element, show} from './dom.js';
import {ListView} from './list.js';
import {RunView} from './run.js';
import {Source} from './source.js';

const source = new Source();
const place = document.getElementById('main');
const link = document.getElementById('link');
let view = null;

function open() {
  view?.close();
  clear(place);
  const run = location.hash.match(/^#\/run\/([0-9a-f-]+)$/);
  view = run ? new RunView(source, place, run[1]) : new ListView(source, place);
  view.update();
}

function showLink() {
  const {connected, as_of, problem} = source.link;
  document.body.classList.toggle('stale', !connected);
  const old = as_of ? `What is shown is of ${as_of.replace('T', ' ').replace('Z', '')}. ` : '';
  show(link, connected ? 'live' : `Stale. ${old}${problem ?? ''}`);
}

// The token is in the part of the address that no server and no log sees, and goes from there too.
async function logIn() {
  const given = location.hash.match(/^#t=([0-9A-Za-z_-]+)$/);
  if (!given) return;
  history.replaceState(null, '', location.pathname);
  await source.login(given[1]);
}

function askForToken() {
  const field = element('input', {id: 'token', type: 'password', autocomplete: 'off', required: true});
  const said = element('p', {role: 'alert'});
  const enter = async (event) => {
    event.preventDefault();
    if (await source.login(field.value)) location.reload();
    else said.textContent = 'That is not the token.';
  };
  place.replaceChildren(element('form', {onsubmit: enter},
    element('h2', {}, 'A token is needed'),
    element('p', {}, 'It is in the address that pgalter serve printed, or in its --token-file.'),
    element('label', {for: 'token'}, 'Token '), field, element('button', {}, 'Go on'), said));
  field.focus();
}

await logIn();
try {
  await source.ask('api/runs');
  source.addEventListener('change', () => {
    showLink();
    view.update();
  });
  addEventListener('hashchange', () => {
    open();
    place.focus();
  });
  open();
  source.start();
} catch (error) {
  show(link, error.message);
  if (error.status === 401) askForToken();
}
