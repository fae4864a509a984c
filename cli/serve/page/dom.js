// Elements, made without a string of HTML: nothing that the database says is ever markup.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const shown = new WeakMap();

const keyOf = (node) => node?.id || node?.getAttribute?.('href');

// Replaces what is in `place`, only where it looks different; what had the focus has it again.
export function show(place, ...children) {
  const next = element('div', {}, ...children);
  if (next.innerHTML === shown.get(place)) return;
  shown.set(place, next.innerHTML);
  const focused = place.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  place.replaceChildren(...next.childNodes);
  if (!focused) return;
  [...place.querySelectorAll('a, button, input')].find((node) => keyOf(node) === focused)?.focus();
}

export function clear(place) {
  shown.delete(place);
  place.replaceChildren();
}

export function title(text) {
  document.title = text ? `${text} · pgalter` : 'pgalter';
}
