// Where the page's data comes from: events that say what changed, and answers to questions.

export class Source extends EventTarget {
  runs = new Map();
  maintenance = null;
  link = {connected: false, as_of: '', problem: 'connecting', control: false};

  start() {
    this.#events = new EventSource('api/events');
    this.#events.addEventListener('link', (event) => {
      this.link = JSON.parse(event.data);
      this.#changed();
    });
    this.#events.addEventListener('runs', (event) => {
      const {all, as_of, runs} = JSON.parse(event.data);
      if (all) this.runs.clear();
      for (const run of runs) this.runs.set(run.run, run);
      this.link.as_of = as_of;
      this.#changed();
    });
    this.#events.addEventListener('maintenance', (event) => {
      this.maintenance = JSON.parse(event.data);
      this.#changed();
    });
    // The browser tries again by itself, unless it was refused.
    this.#events.addEventListener('error', () => this.#lost());
  }

  // The newest first.
  list() {
    return [...this.runs.values()].sort((a, b) => b.started_at.localeCompare(a.started_at));
  }

  async ask(path) {
    const response = await fetch(path);
    return Source.#read(response);
  }

  async post(path, body = {}) {
    const response = await fetch(path, {
      method: 'POST',
      headers: {'X-Pgalter': '1', 'Content-Type': 'application/json'},
      body: JSON.stringify(body),
    });
    return Source.#read(response);
  }

  async login(token) {
    const response = await fetch('api/login', {
      method: 'POST',
      headers: {'X-Pgalter': '1', Authorization: `Bearer ${token}`},
    });
    return response.ok;
  }

  #events;

  static async #read(response) {
    const body = await response.json();
    if (response.ok) return body;
    const {what, hint} = body.error;
    const error = new Error(hint ? `${what}. ${hint}` : what);
    error.status = response.status;
    throw error;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #lost() {
    const refused = this.#events.readyState === EventSource.CLOSED;
    this.link = {...this.link, connected: false, problem: 'pgalter serve is not reached', refused};
    this.#changed();
    if (refused) setTimeout(() => this.start(), 3000);
  }
}
